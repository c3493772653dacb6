use std::{fmt, io, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::{Answer, Attempt, Call, FaultRates, Layer, fault_rates::Dice};
use crate::{Body, Operation, S3Client, S3Error};

/// Makes calls fail, for tests of what stands in front.
///
/// A plan is asked before each call, and may give it one [`Fault`].
///
/// # Example: the second put loses its answer
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use artifact_s3::layers::{Fault, Faults};
/// use artifact_s3::{Bucket, MemoryS3, ObjectKey, Operation, S3Client, S3Error, S3ErrorKind};
///
/// let puts = AtomicU32::new(0);
/// let memory = MemoryS3::new();
/// let s3 = Faults::new(
///     move |operation, _target| {
///         let second = operation == Operation::PutObject && puts.fetch_add(1, Ordering::Relaxed) == 1;
///         second.then(|| Fault::AnswerLost(S3Error::new(S3ErrorKind::Unreachable, "cut off")))
///     },
///     memory.clone(),
/// );
///
/// let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("a")?);
/// s3.put_object(&bucket, &key, "1".into(), &Default::default()).await?;
/// let lost = s3.put_object(&bucket, &key, "2".into(), &Default::default()).await.unwrap_err();
/// assert_eq!(lost.kind(), S3ErrorKind::Unreachable);
/// assert_eq!(memory.object("artifacts", "a").unwrap().bytes, "2"); // it happened all the same
/// # Ok(())
/// # }
/// ```
pub struct Faults<C> {
    plan: Plan,
    client: C,
}

type Script = dyn Fn(Operation, &str) -> Option<Fault> + Send + Sync;

enum Plan {
    Script(Box<Script>),
    Dice(Dice),
}

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The call fails, and was never made.
    Before(S3Error),
    /// The call is made, and fails whatever came of it.
    AnswerLost(S3Error),
    /// A get's body breaks after so many bytes, or at its end if it has fewer. So does
    /// the body of a put, on its way in. Other calls have no body, and go through.
    BreakBody {
        /// The bytes that still pass.
        after: u64,
        /// How it breaks.
        error: S3Error,
    },
    /// The call is made after a pause.
    Delay(Duration),
}

impl<C> Faults<C> {
    /// Asks `plan` before each call, with the call's name and what it is on
    /// (`bucket/key`; the bucket, for a listing).
    pub fn new(
        plan: impl Fn(Operation, &str) -> Option<Fault> + Send + Sync + 'static,
        client: C,
    ) -> Self {
        Self { plan: Plan::Script(Box::new(plan)), client }
    }

    /// Throws dice, with the probabilities that `rates` gives for each operation.
    ///
    /// What a call meets depends on the seed, its name, what it is on, and how many
    /// such calls there were before it, and on nothing else: the same calls meet the
    /// same faults, in whatever order the tasks that make them happen to run.
    pub fn random(
        seed: u64,
        rates: impl Fn(Operation) -> FaultRates + Send + Sync + 'static,
        client: C,
    ) -> Self {
        Self { plan: Plan::Dice(Dice::new(seed, rates)), client }
    }
}

impl<C: S3Client> Layer for Faults<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.client
    }

    async fn around<T: Answer>(
        &self,
        call: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let target = call.target();
        let fault = match &self.plan {
            Plan::Script(plan) => plan(call.operation, &target),
            Plan::Dice(dice) => dice.throw(call.operation, &target),
        };
        match fault {
            None => attempt(body).await,
            Some(Fault::Before(error)) => Err(error.on(call.operation, target)),
            Some(Fault::AnswerLost(error)) => {
                let _lost = attempt(body).await;
                Err(error.on(call.operation, target))
            }
            Some(Fault::BreakBody { after, error }) => {
                let error = error.on(call.operation, target);
                if call.operation == Operation::PutObject {
                    return attempt(broken(body, after, error)).await;
                }
                Ok(attempt(body).await?.map_body(|body| broken(body, after, error)))
            }
            Some(Fault::Delay(pause)) => {
                tokio::time::sleep(pause).await;
                attempt(body).await
            }
        }
    }
}

/// The first bytes of a body, and then the error. It says that it has all of them.
fn broken(body: Body, after: u64, error: S3Error) -> Body {
    body.by_way_of(|bytes| {
        let first = stream::try_unfold((bytes, after), |(mut bytes, left)| async move {
            let Some(mut chunk) = bytes.try_next().await?.filter(|_| left > 0) else {
                return Ok(None);
            };
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - chunk.len() as u64;
            Ok(Some((chunk, (bytes, left))))
        });
        first.chain(stream::iter([Err(io::Error::from(error))]))
    })
}

impl<C: fmt::Debug> fmt::Debug for Faults<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("client", &self.client).finish_non_exhaustive()
    }
}

impl<C: fmt::Display> fmt::Display for Faults<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plan {
            Plan::Script(_) => write!(f, "Faults({})", self.client),
            Plan::Dice(dice) => write!(f, "Faults(seed {}, {})", dice.seed(), self.client),
        }
    }
}

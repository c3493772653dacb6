use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artifact_s3::{
    Bucket, DeleteOptions, GetOptions, ListOptions, Listing, ObjectInfo, ObjectKey, PutOptions,
    S3Error, S3ErrorKind,
};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{answer, bindings::S3ClientPre, handle::Dropped, instance::Instance};
use crate::{
    Limits, Sandbox, bindings::agent::artifacts::types, instance::CallState, layer::Place,
    sandbox::Stay,
};

/// Bytes that cross at a time.
const CHUNK: usize = 64 * 1024;

/// One instance of a client, and the calls that wait for it.
///
/// Every call into it is a job on a task of its own, under a lock: a caller that goes away
/// cannot stop the component in the middle, which would cost it its memory. A job is short,
/// as a component that has no imports but its settings cannot wait, and has its fuel.
pub(super) struct Host {
    pub(super) place: Arc<Place>,
    pub(super) sandbox: Sandbox,
    pub(super) limits: Limits,
    pub(super) pre: S3ClientPre<CallState>,
    slot: tokio::sync::Mutex<Slot>,
    dropped: Mutex<Vec<Dropped>>,
    /// A permit for each body that may be open.
    handles: Arc<Semaphore>,
    /// Given back last, once the instance is gone.
    _room: Stay,
}

/// Where the instance is, once there is one.
#[derive(Default)]
struct Slot {
    instance: Option<Instance>,
    /// How many there have been.
    made: u64,
}

impl Host {
    pub(super) fn new(
        place: Place,
        sandbox: Sandbox,
        limits: Limits,
        pre: S3ClientPre<CallState>,
        room: Stay,
    ) -> Arc<Self> {
        Arc::new(Self {
            handles: Arc::new(Semaphore::new(limits.handles.min(Semaphore::MAX_PERMITS))),
            slot: tokio::sync::Mutex::default(),
            dropped: Mutex::default(),
            place: Arc::new(place),
            sandbox,
            limits,
            pre,
            _room: room,
        })
    }

    /// Runs a job on the instance, when it is its turn; on a fresh one, where the last one
    /// failed.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl for<'a> FnOnce(&'a mut Instance) -> BoxFuture<'a, Result<T, S3Error>> + Send + 'static,
    ) -> Result<T, S3Error> {
        let host = Arc::clone(self);
        let turn = tokio::spawn(async move {
            let mut slot = host.slot.lock().await;
            job(host.instance(&mut slot).await?).await
        });
        turn.await.unwrap_or_else(|ended| {
            let message = format!("the call of {} was ended by the host", self.place.name);
            Err(S3Error::new(S3ErrorKind::Unreachable, message).caused_by(ended))
        })
    }

    /// An instance in which all that was dropped is gone.
    async fn instance<'a>(&self, slot: &'a mut Slot) -> Result<&'a mut Instance, S3Error> {
        let dropped = std::mem::take(&mut *self.lock_dropped());
        if let Some(instance) = &mut slot.instance {
            for Dropped { resource, instance: number } in dropped {
                if instance.is_broken() || number != instance.number {
                    continue;
                }
                if let Err(error) = instance.drop_resource(resource).await {
                    tracing::warn!(%error, "a destructor failed");
                }
            }
        }
        // The room of the one before is needed for the next.
        slot.instance.take_if(|instance| instance.is_broken());
        match &mut slot.instance {
            Some(instance) => Ok(instance),
            empty @ None => {
                slot.made += 1;
                Ok(empty.insert(Instance::new(self, slot.made).await?))
            }
        }
    }

    pub(super) fn drop_later(&self, dropped: Dropped) {
        self.lock_dropped().push(dropped);
    }

    /// The list is whole between any two statements.
    fn lock_dropped(&self) -> MutexGuard<'_, Vec<Dropped>> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another body may be open.
    pub(super) async fn room_for_handle(&self) -> Result<OwnedSemaphorePermit, S3Error> {
        Arc::clone(&self.handles).acquire_owned().await.map_err(|closed| {
            let message = format!("{} is closed", self.place.name);
            S3Error::new(S3ErrorKind::Unreachable, message).caused_by(closed)
        })
    }

    /// Bytes that may cross at a time: well within what the component may hand over.
    pub(super) fn chunk(&self) -> usize {
        CHUNK.min(self.limits.hostcall_bytes / 2).max(1)
    }

    /// The component answered what S3 could not.
    pub(super) fn nonsense(&self, what: &str) -> S3Error {
        S3Error::new(S3ErrorKind::Service, format!("{} {what}", self.place.name))
    }

    pub(super) async fn head(
        self: &Arc<Self>,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        options.check()?;
        let (bucket, key) = (bucket.to_string(), key.to_string());
        let options = types::GetOptions::from(options.clone());
        let info = self
            .run(move |instance| {
                async move {
                    let call = instance.enter()?;
                    let head = call.s3.call_head_object(call.store, &bucket, &key, &options).await;
                    instance.leave(head)?.map_err(answer::error)
                }
                .boxed()
            })
            .await?;
        answer::info(info).map_err(|what| self.nonsense(&what))
    }

    pub(super) async fn delete(
        self: &Arc<Self>,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        options.check()?;
        let (bucket, key) = (bucket.to_string(), key.to_string());
        let options = types::DeleteOptions::from(options.clone());
        self.run(move |instance| {
            async move {
                let call = instance.enter()?;
                let delete = call.s3.call_delete_object(call.store, &bucket, &key, &options).await;
                instance.leave(delete)?.map_err(answer::error)
            }
            .boxed()
        })
        .await
    }

    pub(super) async fn copy(
        self: &Arc<Self>,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        options.check()?;
        let (bucket, source, key) = (bucket.to_string(), source.to_string(), key.to_string());
        let options = types::PutOptions::from(options.clone());
        let info = self
            .run(move |instance| {
                async move {
                    let call = instance.enter()?;
                    let copy = call
                        .s3
                        .call_copy_object(call.store, &bucket, &source, &key, &options)
                        .await;
                    let receipt = instance.leave(copy)?.map_err(answer::error)?;
                    instance.read_receipt(receipt).await
                }
                .boxed()
            })
            .await?;
        answer::info(info).map_err(|what| self.nonsense(&what))
    }

    pub(super) async fn list(
        self: &Arc<Self>,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        options.check()?;
        let bucket = bucket.to_string();
        let asked = types::ListOptions::from(options.clone());
        let page = self
            .run(move |instance| {
                async move {
                    let call = instance.enter()?;
                    let list = call.s3.call_list_objects(call.store, &bucket, &asked).await;
                    instance.leave(list)?.map_err(answer::error)
                }
                .boxed()
            })
            .await?;
        answer::listing(page, options).map_err(|what| self.nonsense(&what))
    }
}

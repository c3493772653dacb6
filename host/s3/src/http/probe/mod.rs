//! Finding out what a service honours, by asking it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::HttpS3;
use crate::{Bucket, Capabilities, Feature, Finding, S3Error};

// In the order in which a probe goes.
mod place;
mod reach;
use place::Place;
mod checksums;
mod conditions;
mod multipart;
mod objects;
mod verdict;
use verdict::{Tried, Verdict};

/// One thing that was tried, and what came of it.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was tried.
    pub feature: Feature,
    /// What the service does with it.
    pub finding: Finding,
    /// The same in a sentence, for people; without the error.
    pub message: String,
    /// The error that shows it, or that stood in the way.
    pub error: Option<S3Error>,
}

/// What a probe found out, in the order in which it was tried.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The checks.
    pub checks: Vec<Check>,
    endpoint: String,
    bucket: String,
    found_at: u64,
}

impl Probe {
    /// Whether all that no artifact store can do without is there.
    #[must_use]
    pub fn works(&self) -> bool {
        self.checks.iter().all(|check| !check.feature.is_required() || check.finding == Finding::Ok)
    }

    /// What a client should know, without what is about this moment (a clock, a network).
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let passing = [Feature::Endpoint, Feature::Credentials, Feature::Clock];
        let none = Capabilities::new(&self.endpoint, &self.bucket, self.found_at);
        let lasting = self.checks.iter().filter(|check| !passing.contains(&check.feature));
        lasting.fold(none, |known, check| known.with(check.feature, check.finding))
    }
}

impl HttpS3 {
    /// Finds out what the service honours in this bucket, by some fifty small calls.
    ///
    /// Works on objects of its own, below `key_prefix`, and removes them; also when
    /// the future is dropped: [`settle`](Self::settle) waits for that. It never fails: what
    /// does, is a [`Check`]. What this client was told of the service before
    /// ([`HttpS3Builder::capabilities`](crate::HttpS3Builder::capabilities)) does not count.
    ///
    /// ```no_run
    /// # async fn example(s3: artifact_s3::HttpS3) -> Result<(), Box<dyn std::error::Error>> {
    /// use artifact_s3::{Bucket, HttpS3};
    ///
    /// let probe = s3.probe(&Bucket::parse("artifacts")?, "asm/").await;
    /// for check in &probe.checks {
    ///     println!("{:<21}  {:<7}  {}", check.feature, check.finding, check.message);
    /// }
    /// let s3 = HttpS3::builder().capabilities(probe.capabilities()).build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn probe(&self, bucket: &Bucket, key_prefix: &str) -> Probe {
        let s3 = self.knowing_nothing();
        let mut checks = Checks::default();
        reach::reach(&s3, bucket, &mut checks).await;
        reach::credentials(&s3, &mut checks).await;
        let place = Place::new(s3, bucket, key_prefix);
        place.objects(&mut checks).await;
        place.conditions(&mut checks).await;
        place.checksums(&mut checks).await;
        place.multipart(&mut checks).await;
        match place.clear().await {
            // What cannot be written need not be removed.
            Err(error) if checks.stopped_by.is_none() => checks.add(Feature::Delete, Err(error)),
            _ => {}
        }
        Probe {
            checks: checks.done,
            endpoint: self.endpoint(),
            bucket: bucket.to_string(),
            found_at: now().as_secs(),
        }
    }
}

/// Time since the Unix epoch.
fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The checks so far. Once one fails that all others need, nothing more is tried.
#[derive(Default)]
struct Checks {
    done: Vec<Check>,
    stopped_by: Option<Feature>,
}

impl Checks {
    /// Tries this, unless something before it stands in the way.
    async fn of(&mut self, feature: Feature, trial: impl Future<Output = Tried>) {
        match self.stopped_by {
            None => {
                let tried = trial.await;
                self.add(feature, tried);
            }
            Some(stopped_by) => {
                let message = format!("not tried, for want of {stopped_by}");
                let finding = Finding::Unknown;
                self.done.push(Check { feature, finding, message, error: None });
            }
        }
    }

    /// Notes what came of a trial; a second one of the same feature takes its place.
    fn add(&mut self, feature: Feature, tried: Tried) {
        let Verdict { finding, message, error } = tried.unwrap_or_else(Verdict::failed);
        let essential = matches!(feature, Feature::Endpoint | Feature::Credentials | Feature::Put);
        if essential && finding != Finding::Ok {
            self.stopped_by = Some(feature);
        }
        let check = Check { feature, finding, message, error };
        match self.done.iter_mut().find(|done| done.feature == feature) {
            Some(done) => *done = check,
            None => self.done.push(check),
        }
    }
}

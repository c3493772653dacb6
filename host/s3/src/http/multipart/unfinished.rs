use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::MultipartUpload;
use crate::{RetryPolicy, S3Error, S3ErrorKind, http::HttpS3};

/// A part that was under way when its upload was aborted may be stored after that, so
/// it is aborted once more after this pause.
///
/// Source: [AbortMultipartUpload][api], "it might be necessary to abort a given multipart
/// upload multiple times".
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
const LATE_PARTS: Duration = Duration::from_millis(300);

/// How long a service that is out of order is asked again to abort an upload: its restart,
/// or the loss of one of its nodes, takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// The pauses meanwhile. What fails so long is no matter of milliseconds.
const PATIENT: RetryPolicy = RetryPolicy {
    max_attempts: u32::MAX,
    base_delay: Duration::from_secs(1),
    max_delay: Duration::from_secs(10),
    budget: 0,
};

/// Where a client keeps what goes on after a call was dropped.
pub(in crate::http) fn background() -> TaskTracker {
    let tracker = TaskTracker::new();
    // So that it can be waited for at any time; closed or not, it takes tasks.
    tracker.close();
    tracker
}

impl HttpS3 {
    /// Waits until no upload that failed or was dropped is left to be aborted.
    ///
    /// A put whose future is dropped leaves no parts behind: it is aborted by a task of
    /// the runtime, and completed if it was just being completed. A program that ends
    /// (on Ctrl-C, say) drops its puts, and calls this while its runtime is still there. It
    /// ends when the service answered. One that is out of order is asked again for a minute,
    /// and then a warning in the log names the upload that is left; for another upper bound,
    /// put `tokio::time::timeout` around it.
    ///
    /// ```no_run
    /// # async fn example(s3: artifact_s3::HttpS3, put: impl Future) {
    /// tokio::select! {
    ///     _ = put => {}
    ///     _ = tokio::signal::ctrl_c() => {}
    /// }
    /// s3.settle().await;
    /// # }
    /// ```
    pub async fn settle(&self) {
        self.parts().background.wait().await;
    }

    /// Runs something to its end, also if the caller goes away meanwhile.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, S3Error>> + Send + 'static,
    ) -> Result<T, S3Error> {
        let (done, outcome) = oneshot::channel();
        let work = async move {
            // Where nobody waits any more, the outcome is dropped here, within the task, so
            // that what this begins is under way before the task has ended.
            let _ = done.send(work.await);
        };
        self.parts().background.spawn(work.in_current_span());
        outcome.await.unwrap_or_else(|_| {
            let message = "the runtime ended before the upload did";
            Err(S3Error::new(S3ErrorKind::Service, message))
        })
    }
}

/// An upload that is aborted when this is dropped, unless it was completed.
pub(super) struct Unfinished {
    upload: MultipartUpload,
    ended: bool,
    runtime: Handle,
}

impl Unfinished {
    /// Within a runtime.
    pub(super) fn new(upload: MultipartUpload) -> Self {
        Self { upload, ended: false, runtime: Handle::current() }
    }

    /// The upload is an object now.
    pub(super) fn completed(mut self) {
        self.ended = true;
    }

    /// Aborts the upload, and returns when that is done or the tries of one call have
    /// failed. Goes on if it is dropped, and then also where they have failed.
    pub(super) async fn abort(mut self) {
        let (done, aborted) = oneshot::channel();
        self.abort_in_background(done);
        // It fails where the runtime ends, and then there is nothing to wait for.
        let _ = aborted.await;
    }

    fn abort_in_background(&mut self, done: oneshot::Sender<()>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let upload = self.upload.clone();
        let background = upload.s3.parts().background.clone();
        let work = async move {
            let first = upload.abort().await;
            // Whether anybody still waits makes no difference.
            let _ = done.send(());
            let mut outcome = upload.abort_in_the_end(first).await;
            if outcome.is_ok() {
                tokio::time::sleep(LATE_PARTS).await;
                let first = upload.abort().await;
                outcome = upload.abort_in_the_end(first).await;
            }
            if let Err(error) = outcome {
                tracing::warn!(
                    upload_id = upload.id,
                    %error,
                    "an upload could not be aborted, and its parts take room until it is"
                );
            }
        };
        background.spawn_on(work.in_current_span(), &self.runtime);
    }
}

impl MultipartUpload {
    /// Aborts the upload, if that failed so far for a reason that may pass.
    ///
    /// Each time with one try: these do not count against what the client's calls may spend
    /// on further ones, and go on where nothing is left of that.
    async fn abort_in_the_end(&self, first: Result<(), S3Error>) -> Result<(), S3Error> {
        let (mut outcome, began) = (first, Instant::now());
        for pause in PATIENT.delays() {
            let may_pass = outcome.as_ref().is_err_and(S3Error::is_retryable);
            if !may_pass || began.elapsed() + pause > PATIENCE {
                break;
            }
            tokio::time::sleep(pause).await;
            outcome = self.abort_by(RetryPolicy::none()).await;
        }
        outcome
    }
}

impl std::ops::Deref for Unfinished {
    type Target = MultipartUpload;

    fn deref(&self) -> &Self::Target {
        &self.upload
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.abort_in_background(oneshot::channel().0);
    }
}

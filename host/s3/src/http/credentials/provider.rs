use async_trait::async_trait;

use super::AccessKey;
use crate::S3Error;

/// A source of access keys of one's own, for [`Credentials::provider`](super::Credentials).
///
/// What it gives is kept and shared by all calls of a client and of its clones, until
/// some minutes before it expires. It is asked once at a time, on a task of its own, so
/// that a call that is given up does not interrupt it.
///
/// An error goes to every call that waits, as it is; a retryable one is tried again as
/// the client's `RetryPolicy` has it. It must hold no secret.
///
/// ```
/// use artifact_s3::{AccessKey, Credentials, CredentialsProvider, S3Error};
///
/// struct Vault;
///
/// #[async_trait::async_trait]
/// impl CredentialsProvider for Vault {
///     fn name(&self) -> String {
///         "vault".to_owned()
///     }
///
///     async fn access_key(&self) -> Result<AccessKey, S3Error> {
///         Ok(AccessKey::new("an-id", "a-secret"))
///     }
/// }
///
/// let credentials = Credentials::provider(Vault);
/// ```
#[async_trait]
pub trait CredentialsProvider: Send + Sync + 'static {
    /// What people call it, as errors and `artifacts doctor` name it.
    fn name(&self) -> String;

    /// A key that works now.
    async fn access_key(&self) -> Result<AccessKey, S3Error>;
}

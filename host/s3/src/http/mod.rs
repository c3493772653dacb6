//! S3 over signed HTTP: `hyper` speaks HTTP, and what lies around it (connections,
//! credentials, signatures, URLs, headers, XML, errors, retries) is here.

// In the order in which a request travels.
mod config;
pub use config::HttpS3Builder;
mod config_error;
pub use config_error::ConfigError;
mod endpoint;
mod environment;
mod profile;
pub use endpoint::Addressing;
#[doc(hidden)]
mod credentials;
pub use credentials::{AccessKey, Credentials, CredentialsProvider, CredentialsSource};
mod client;
mod client_headers;
mod clock;
mod places;
pub use client_headers::CustomerKey;
mod transport;
pub use client::HttpS3;

mod probe;
pub use probe::{Check, Probe};

mod copy_object;
mod delete_object;
mod delete_objects;
mod download;
mod get_object;
mod get_object_tagging;
mod head_object;
mod list_objects_v2;
mod multipart;
pub use multipart::{Multipart, UnfinishedUpload};
mod put_object;

mod presign;
pub use presign::PresignedUrl;

mod checksum;
pub(crate) use checksum::{Hasher, sha256_hex};
mod content_range;
mod object_headers;
mod payload;
mod retry;
mod upload;
pub(crate) use retry::Budget;
mod upload_checksum;
pub use retry::RetryPolicy;
pub use upload_checksum::UploadChecksum;
mod encode;
mod error_response;
pub(crate) use error_response::is_throttling;
mod exchange;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod progress;
mod request;
pub(crate) use request::target;
mod response;
mod send;
mod sign;
mod signing_key;
mod verification;
pub(crate) use verification::ToldChecksum;

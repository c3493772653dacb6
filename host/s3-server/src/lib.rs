//! An S3 server on loopback, inside this process: for demos, experiments and tests.
//!
//! [`LocalServer`] speaks the S3 protocol in front of any [`S3Client`], so that
//! signed requests, XML and HTTP are exercised without a service and without a
//! network. Signatures are checked; it listens on 127.0.0.1 and nowhere else. It is
//! no production server.
//!
//! # Example: put an object in, over HTTP, and see what went over the wire
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use artifact_s3::MemoryS3;
//! use artifact_s3_server::LocalServer;
//!
//! let server = LocalServer::builder()
//!     .client(Arc::new(MemoryS3::new()))
//!     .on_exchange(|exchange| eprintln!("{exchange}"))
//!     .start()
//!     .await?;
//! // Any S3 client will do:
//! let (endpoint, access_key) = (server.endpoint(), server.access_key());
//! let secret_key = server.secret_key().expose();
//! # let _ = (endpoint, access_key, secret_key);
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`S3Client`]: artifact_s3::S3Client

// From the socket to the client behind it.
mod builder;
pub use builder::{LocalServerBuilder, StartError};
mod credentials;
pub use credentials::SecretKey;
mod server;
pub use server::LocalServer;
mod exchange;
pub use exchange::Exchange;
mod adapter;
mod drain;
mod multipart;
pub use multipart::UnfinishedUpload;
mod folder;
mod service;

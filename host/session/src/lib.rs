//! A session store, and one handle for it and an artifact store.
//!
//! Agents work in sessions. A [`Session`] has [`Run`]s, and a log of [`Event`]s that are
//! numbered 1, 2, 3, … without a gap. [`SessionStore`] is the port; [`MemorySessions`] keeps
//! everything in memory; [`CompositeStore`] joins any session store and any artifact store
//! behind one handle that implements both ports.
//!
//! # Example: one handle for sessions and artifacts
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use artifact_session::{
//!     CompositeStore, Event, EventFilter, EventType, MemorySessions, Session, SessionStore,
//! };
//! use artifact_store::{ArtifactStore, Store, s3::MemoryS3};
//!
//! let artifacts =
//!     ArtifactStore::builder().bucket("my-artifacts").client(MemoryS3::new()).start().await?;
//! let store = CompositeStore::new(Arc::new(MemorySessions::new()), Arc::new(artifacts));
//!
//! let session = Session::new("reviewer");
//! store.save_session(&session).await?;
//! let event = Event::new(EventType::SessionCreated, session.id);
//! assert_eq!(store.append_event_with_sequence(&event).await?.sequence_number, Some(1));
//! store.put("patch-abc123", "diff content".into(), &Default::default()).await?;
//!
//! // Artifacts outlive the session that made them.
//! store.delete_session(session.id).await?;
//! assert!(store.get_events(session.id, &EventFilter::default()).await?.is_empty());
//! let patch = store.get("patch-abc123", &Default::default()).await?.bytes().await?;
//! assert_eq!(patch, "diff content");
//! # Ok(())
//! # }
//! ```

// What is stored.
mod id;
pub use id::{EventId, RunId, SessionId};
mod name;
mod session;
pub use session::{Session, SessionStatus};
mod run;
pub use run::{Run, RunStatus};
mod event;
pub use event::{Event, EventType};

// Where it is stored.
mod port;
pub use port::{Flush, SessionStore};
mod filter;
pub use filter::{EventFilter, RunFilter, SessionFilter};
mod error;
pub use error::{ParseError, SessionError, SessionErrorKind};
mod memory;
pub use memory::MemorySessions;
mod composite;
pub use composite::CompositeStore;

/// Free-form data: an object of JSON.
pub type Map = serde_json::Map<String, serde_json::Value>;

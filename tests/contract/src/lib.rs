//! What every S3 client and every artifact store must do, as cases that run against
//! any of them.
//!
//! [`clients::cases`] and [`stores::CASES`] are the tables; `tests/suite.rs` runs them
//! on each client and server, the stores in their sandbox. A case that a server cannot
//! pass, for a reason of the server's, names the [`Capability`](clients::Capability)
//! that it needs, and is shown as ignored.

pub mod clients;
pub mod stores;

/// Compiles and runs what the components' READMEs show.
#[cfg(doctest)]
mod readmes {
    #[doc = include_str!("../../../guest/policies/read-only/README.md")]
    struct ReadOnly;
    #[doc = include_str!("../../../guest/policies/tenant/README.md")]
    struct Tenant;
    #[doc = include_str!("../../../guest/policies/key-rules/README.md")]
    struct KeyRules;
    #[doc = include_str!("../../../guest/policies/content-addressed/README.md")]
    struct ContentAddressed;
    #[doc = include_str!("../../../guest/policies/retention/README.md")]
    struct Retention;
    #[doc = include_str!("../../../guest/policies/audit/README.md")]
    struct Audit;
    #[doc = include_str!("../../../guest/filters/gzip/README.md")]
    struct Gzip;
    #[doc = include_str!("../../../guest/filters/encrypt/README.md")]
    struct Encrypt;
    #[doc = include_str!("../../../guest/memory-s3/README.md")]
    struct MemoryS3;
}

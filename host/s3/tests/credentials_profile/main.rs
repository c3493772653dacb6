//! What a profile leads to: keys, roles, SSO, programs. The table of roles has the
//! situations of the `assume-role-tests.json` of AWS's SDKs.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod home;
#[cfg(unix)]
mod process;
mod roles;
mod sso;
#[path = "../support/mod.rs"]
mod support;

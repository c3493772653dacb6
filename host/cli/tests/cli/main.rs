//! The program as a user meets it: what it prints, where, and with which exit code.
//!
//! Each test runs the built program in a folder and an environment of its own,
//! against an S3 server in this process; what it said is held against a snapshot.
//! `INSTA_UPDATE=always cargo test -p artifact-cli` writes the snapshots anew.

#![expect(
    clippy::expect_used,
    clippy::format_push_string,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests, and a crate that nobody uses"
)]

mod support;

mod bad_input;
mod delete;
mod demo;
mod doctor;
mod exit_codes;
mod get;
mod guide;
mod head;
mod help;
mod interrupt;
mod list;
mod output_file;
mod pipes;
mod policies;
mod policy_check;
mod policy_new;
mod policy_run;
mod put;
mod serve_local;
mod settings;
#[cfg(target_os = "linux")]
mod terminal;

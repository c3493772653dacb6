//! What is shown: results on standard output, everything else on standard error.

use std::io::{self, Write};

use crate::{args::GlobalArgs, environment::Environment, failure::Failure};

mod printable;
pub use printable::printable;
mod failure;
pub use failure::{failure_json, s3_error_json, usage};
mod describe;
pub use describe::{description, description_json};
pub mod options;
mod progress;
pub use progress::Progress;
mod destination;
pub use destination::Destination;
mod trace;
pub use trace::{trace, trace_layer};

/// How the user wants to see it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they have nothing to do with each other")]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
}

impl Output {
    pub fn new(args: &GlobalArgs, env: &Environment) -> Self {
        Self {
            json: args.json,
            quiet: args.quiet,
            stdin_is_terminal: env.stdin_is_terminal,
            stdout_is_terminal: env.stdout_is_terminal,
            stderr_is_terminal: env.stderr_is_terminal,
        }
    }

    /// Writes results, and sees them out.
    #[expect(clippy::unused_self, reason = "where results go is the output's to say")]
    pub fn data(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::stdout)
    }

    /// Writes results with colours, which a file and a pipe do not get.
    #[expect(clippy::unused_self, reason = "where results go is the output's to say")]
    pub fn coloured(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::stdout)
    }

    /// Writes one JSON object on a line of its own.
    pub fn json(&self, value: &serde_json::Value) -> Result<(), Failure> {
        self.data(&format!("{value}\n"))
    }

    /// Tells the user what was done, unless that is not wanted.
    pub fn say(&self, text: &str) {
        if !self.quiet && !self.json {
            tell(text);
        }
    }

    /// Tells the user what went wrong.
    pub fn failure(&self, failure: &Failure) {
        failure::show(failure, self.json);
    }

    /// What comes from elsewhere and goes to standard output: as it is for
    /// programs, without control characters for people.
    pub fn shown(&self, text: &str) -> String {
        if self.stdout_is_terminal { printable(text) } else { text.to_owned() }
    }
}

/// A line on standard error. Nothing can be done if nobody hears it.
fn tell(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

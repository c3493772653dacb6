use std::{error::Error, fmt, io, path::Path, process::ExitCode};

use artifact_store::s3::S3Error;

/// Why the program ends without having done what was asked.
///
/// `Display` is one sentence; the sources follow from [`Failure::causes`].
#[derive(Debug)]
pub enum Failure {
    /// The store said no.
    Store(artifact_store::Error),
    /// Something on this side went wrong.
    Here {
        kind: Kind,
        message: String,
        source: Option<Box<dyn Error + Send + Sync>>,
        /// What to do about it, where that takes more than a sentence.
        advice: Option<String>,
    },
    /// Each failure was already told; only the exit code is left.
    Told(Exit),
}

/// What went wrong on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong or incomplete.
    Usage,
    /// A setting makes no sense, or the configuration file does not.
    Config,
    /// What is to be stored cannot be read.
    Input,
    /// What was read cannot be written.
    Output,
    /// The demo saw what should not be.
    Demo,
    /// The service cannot do what it must.
    Doctor,
    /// Ctrl-C, or the wish to end.
    Interrupted,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Input => "input",
            Self::Output => "output",
            Self::Demo => "demo",
            Self::Doctor => "doctor",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The exit code, which is part of the program's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    NotFound,
    Condition,
    Interrupted,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Condition => 4,
            Self::Interrupted => 130,
        }
    }

    /// Of several outcomes the one to end with: what says most clearly that
    /// something is wrong.
    pub fn worse(self, other: Self) -> Self {
        let weight = |exit| match exit {
            Self::Done => 0,
            Self::NotFound => 1,
            Self::Condition => 2,
            Self::Failed => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Failure {
    fn here(kind: Kind, message: impl Into<String>) -> Self {
        Self::Here { kind, message: message.into(), source: None, advice: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::here(Kind::Usage, message)
    }

    pub fn config(message: impl Into<String>) -> Self {
        Self::here(Kind::Config, message)
    }

    pub fn demo(message: impl Into<String>) -> Self {
        Self::here(Kind::Demo, message)
    }

    pub fn doctor(message: impl Into<String>) -> Self {
        Self::here(Kind::Doctor, message)
    }

    pub fn interrupted() -> Self {
        Self::here(Kind::Interrupted, "interrupted")
    }

    /// Whether the user ended the program.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Here { kind: Kind::Interrupted, .. })
    }

    /// `name` cannot be read: a path, or "standard input".
    pub fn input(name: impl fmt::Display, error: io::Error) -> Self {
        Self::here(Kind::Input, format!("cannot read {name}")).caused_by(error)
    }

    /// `path` cannot be written.
    pub fn output(path: &Path, error: io::Error) -> Self {
        Self::here(Kind::Output, format!("cannot write {}", path.display())).caused_by(error)
    }

    pub fn stdout(error: io::Error) -> Self {
        Self::here(Kind::Output, "cannot write to standard output").caused_by(error)
    }

    #[must_use]
    pub fn caused_by(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Self::Here { source, .. } = &mut self {
            *source = Some(error.into());
        }
        self
    }

    #[must_use]
    pub fn advised(mut self, text: impl Into<String>) -> Self {
        if let Self::Here { advice, .. } = &mut self {
            *advice = Some(text.into());
        }
        self
    }

    /// What to do about it, in lines.
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::Here { advice, .. } => advice.as_deref(),
            Self::Store(_) | Self::Told(_) => None,
        }
    }

    /// Whether the reader of our output went away: nobody is left to be told.
    pub fn is_broken_pipe(&self) -> bool {
        let Self::Here { kind: Kind::Output, source: Some(source), .. } = self else {
            return false;
        };
        source
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub fn exit(&self) -> Exit {
        use artifact_store::ErrorKind;
        match self {
            Self::Store(error) => match error.kind() {
                ErrorKind::NotFound => Exit::NotFound,
                ErrorKind::PreconditionFailed | ErrorKind::NotModified => Exit::Condition,
                _ => Exit::Failed,
            },
            Self::Here { kind: Kind::Usage, .. } => Exit::Usage,
            Self::Here { kind: Kind::Interrupted, .. } => Exit::Interrupted,
            Self::Here { .. } => Exit::Failed,
            Self::Told(exit) => *exit,
        }
    }

    /// What went wrong, in a word that programs can act on.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind().as_str(),
            Self::Here { kind, .. } => kind.as_str(),
            Self::Told(_) => "failed",
        }
    }

    /// What lies behind it, outermost first; a cause that only repeats what was
    /// said is left out.
    pub fn causes(&self) -> Vec<String> {
        let mut source: Option<&(dyn Error + 'static)> = match self {
            Self::Store(error) => error.source(),
            Self::Here { source, .. } => source.as_deref().map(|source| source as _),
            Self::Told(_) => None,
        };
        let mut said = vec![self.to_string()];
        let mut causes = Vec::new();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !text.is_empty() && !said.iter().any(|said| said.contains(&text)) {
                causes.push(text.clone());
                said.push(text);
            }
            source = cause.source();
            if cause.is::<S3Error>() {
                // What is between it and the root are the layers of the HTTP library.
                while let Some(deeper) = source.and_then(Error::source) {
                    source = Some(deeper);
                }
            }
        }
        causes
    }
}

impl From<artifact_store::Error> for Failure {
    fn from(error: artifact_store::Error) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Here { message, .. } => f.write_str(message),
            Self::Told(_) => f.write_str("failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_repeats_what_was_said_is_left_out() {
        let inner = io::Error::other("disk full");
        let failure = Failure::config("it failed: disk full").caused_by(inner);
        assert!(failure.causes().is_empty());
        let failure = Failure::config("it failed").caused_by("disk full");
        assert_eq!(failure.causes(), ["disk full"]);
    }

    #[test]
    fn the_worst_of_several_outcomes_wins() {
        assert_eq!(Exit::Done.worse(Exit::NotFound), Exit::NotFound);
        assert_eq!(Exit::Failed.worse(Exit::Condition), Exit::Failed);
        assert_eq!(Exit::NotFound.worse(Exit::Condition), Exit::Condition);
    }
}

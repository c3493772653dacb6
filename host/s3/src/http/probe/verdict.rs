use crate::{Finding, S3Error, S3ErrorKind};

/// What a trial shows.
pub(super) struct Verdict {
    pub(super) finding: Finding,
    pub(super) message: String,
    pub(super) error: Option<S3Error>,
}

/// A trial; the error is one that says nothing of what was tried.
pub(super) type Tried = Result<Verdict, S3Error>;

impl Verdict {
    pub(super) fn ok(message: impl Into<String>) -> Self {
        Self { finding: Finding::Ok, message: message.into(), error: None }
    }

    pub(super) fn ignored(message: impl Into<String>) -> Self {
        Self { finding: Finding::Ignored, message: message.into(), error: None }
    }

    /// It did something, and not what it was asked.
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self { finding: Finding::Failed, message: message.into(), error: None }
    }

    pub(super) fn failed(error: S3Error) -> Self {
        let message = error.to_string();
        Self { finding: Finding::Failed, message, error: Some(error) }
    }
}

/// An error in answer to a call that asks for what the service may not know: it is
/// refused, where the service says that the call is at fault.
pub(super) fn refusal(error: S3Error) -> Tried {
    let at_fault = matches!(error.status(), Some(400 | 404..=407 | 409..=428 | 430..=499 | 501));
    if !at_fault || error.kind() == S3ErrorKind::NoSuchBucket {
        return Err(error);
    }
    let code = error.code().map(str::to_owned);
    let answer = code.or_else(|| Some(format!("HTTP {}", error.status()?))).unwrap_or_default();
    let message = format!("the service does not know this ({answer}): {}", error.message());
    Ok(Verdict { finding: Finding::Refused, message, error: Some(error) })
}

/// Looks at the answer to a call that a condition must hold back with an error of
/// this kind. None, if it did.
pub(super) fn unless_held_back<T>(
    answer: Result<T, S3Error>,
    by: S3ErrorKind,
    ignored: &str,
) -> Result<Option<Verdict>, S3Error> {
    match answer {
        Ok(_) => Ok(Some(Verdict::ignored(ignored))),
        Err(error) if error.kind() == by => Ok(None),
        Err(error) => refusal(error).map(Some),
    }
}

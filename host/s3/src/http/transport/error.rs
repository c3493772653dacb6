use std::{error::Error, fmt, io};

use crate::{S3Error, http::progress::Stalled};

/// What can go wrong between the first byte to connect and the last of an answer.
#[derive(Debug)]
pub(in crate::http) enum TransportError {
    /// There is no connection, for TLS or a proxy neither; nothing was sent.
    Connect(Box<dyn Error + Send + Sync>),
    /// It broke, or what came is no HTTP.
    Broke(hyper::Error),
    /// Nothing moved for too long.
    Stalled(Stalled),
}

impl TransportError {
    pub(super) fn connect(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Connect(error.into())
    }

    pub(super) fn no_connection_in_time() -> Self {
        Self::connect(io::Error::new(io::ErrorKind::TimedOut, "operation timed out"))
    }

    /// What the body to be sent failed with, if that is why.
    pub(in crate::http) fn of_payload(&self) -> Option<&S3Error> {
        self.source()?.source()?.downcast_ref()
    }

    pub(in crate::http) fn is_timeout(&self) -> bool {
        let io = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        match self {
            Self::Connect(error) => error.downcast_ref().is_some_and(io),
            Self::Broke(_) => false,
            Self::Stalled(_) => true,
        }
    }

    /// Whether the head of the answer could not be read. It may have been larger than the
    /// connection takes, which hyper does not tell clients.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Broke(error) if error.is_parse())
    }

    /// The innermost cause: what the operating system or the other side said.
    pub(in crate::http) fn root_cause(&self) -> String {
        let mut root: &dyn Error = self;
        while let Some(source) = root.source() {
            root = source;
        }
        root.to_string()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(_) => f.write_str("cannot connect"),
            Self::Broke(_) => f.write_str("the connection broke"),
            Self::Stalled(_) => f.write_str("nothing moved for too long"),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(error) => Some(&**error),
            Self::Broke(error) => Some(error),
            Self::Stalled(_) => None,
        }
    }
}

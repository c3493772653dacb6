use std::sync::{Arc, Mutex, PoisonError};

use futures::{TryStreamExt, stream};

use crate::Body;

/// A body that is kept in case the component that it is handed to fails.
pub(crate) enum Spare {
    /// The same bytes, a second time.
    Copy(Body),
    /// Bytes that come only once, as long as nobody has asked for the first of them.
    Once(Arc<Mutex<Option<Body>>>),
}

impl Spare {
    /// The body to hand over, and what is kept of it.
    pub(crate) fn keep(body: Body) -> (Body, Option<Self>) {
        if let Some(copy) = body.try_clone() {
            return (body, Some(Self::Copy(copy)));
        }
        let length = body.length();
        let kept = Arc::new(Mutex::new(Some(body)));
        let lent = Arc::clone(&kept);
        let bytes = stream::once(async move {
            let body = lent.lock().unwrap_or_else(PoisonError::into_inner).take();
            let gone = || std::io::Error::other("the body was taken back");
            body.map(Body::into_stream).ok_or_else(gone)
        });
        (Body::from_stream(bytes.try_flatten(), length), Some(Self::Once(kept)))
    }

    /// The body, if it is still whole.
    pub(crate) fn take(self) -> Option<Body> {
        match self {
            Self::Copy(body) => Some(body),
            Self::Once(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_once_is_spare_until_it_is_read() {
        let once = || Body::from_reader(&b"abc"[..], Some(3));
        let (lent, spare) = Spare::keep(once());
        assert_eq!(lent.length(), Some(3));
        assert_eq!(spare.unwrap().take().unwrap().bytes().await.unwrap(), "abc");
        assert!(lent.bytes().await.is_err(), "it was taken back");
        let (lent, spare) = Spare::keep(once());
        assert_eq!(lent.bytes().await.unwrap(), "abc");
        assert!(spare.unwrap().take().is_none());
    }
}

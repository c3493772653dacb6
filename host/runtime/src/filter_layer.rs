use std::sync::Arc;

use artifact_s3::Object;
use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::{
    Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    coded_body::CodedBody,
    coder::{Coder, Coding, Direction},
    error::{Blame, ErrorKind},
    instance::{Waiting, WaitsFor},
    layer::Fault,
    link::Link,
    supervisor::{Admission, Supervisor},
};

/// A filter of a store's chain: put and get change the bytes, the other calls pass.
pub(crate) struct FilterLayer {
    coding: Arc<Coding>,
    supervisor: Arc<Supervisor>,
    next: Arc<dyn Link>,
    /// What it does to descriptions, asked for once.
    content_encoding: OnceCell<Option<String>>,
}

#[async_trait]
impl Link for FilterLayer {
    fn next(&self) -> Option<&Arc<dyn Link>> {
        Some(&self.next)
    }

    fn supervisor(&self) -> Option<&Supervisor> {
        Some(&self.supervisor)
    }

    async fn try_out(&self) -> Result<(), Error> {
        self.content_encoding().await.map(drop).map_err(|fault| {
            let message = format!("no instance of {} can be made", self.coding.place.name);
            Error::config(message).caused_by(fault.into_error())
        })
    }

    async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        let (coder, admission) = self.open(Direction::In, key, &waiting).await?;
        let mut options = options.clone();
        if let Some(ours) = self.content_encoding().await.map_err(Fault::into_error)? {
            let encoding = &mut options.content.content_encoding;
            *encoding = Some(match encoding.take() {
                Some(theirs) => format!("{theirs}, {ours}"),
                None => ours.clone(),
            });
        }
        let (body, fate) = CodedBody::encoded(coder, body, admission);
        let stored = self.next.put(key, body, &options, waiting).await;
        match (fate.take(), stored) {
            // What the store makes of a body that broke says less.
            (Some(Err(failure)), _) => Err(failure),
            (_, Err(error)) => Err(error),
            (Some(Ok(())), Ok(info)) => Ok(self.undescribed(info)),
            (None, Ok(_)) => {
                let message = "the store says that it stored bytes that it did not read";
                Err(Error::new(ErrorKind::PolicyFailed, Blame::Policy, message))
            }
        }
    }

    async fn get(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<Object, Error> {
        if options.range.is_some() {
            let message = format!(
                "a range cannot be read through {}: the stored bytes are not the artifact's. Read \
                 all of it, or take the filter away",
                self.coding.place.name
            );
            return Err(Error::new(ErrorKind::InvalidRequest, Blame::Caller, message));
        }
        let Object { info, body } = self.next.get(key, options, waiting.clone()).await?;
        let ours = self.content_encoding().await.map_err(Fault::into_error)?;
        if ours.is_some() && without(ours, info.content.content_encoding.as_deref()).is_none() {
            let message = format!(
                "the artifact was not stored through {}: its content encoding is {}",
                self.coding.place.name,
                info.content.content_encoding.as_deref().unwrap_or("not set"),
            );
            return Err(Error::new(ErrorKind::StorageError, Blame::Storage, message));
        }
        let (coder, admission) = self.open(Direction::Out, key, &waiting).await?;
        let body = CodedBody::decoded(coder, body, admission);
        Ok(Object { info: self.undescribed(info), body })
    }

    async fn head(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        self.next.head(key, options, waiting).await.map(|info| self.undescribed(info))
    }

    async fn delete(
        &self,
        key: &str,
        options: &DeleteOptions,
        waiting: Waiting,
    ) -> Result<(), Error> {
        self.next.delete(key, options, waiting).await
    }

    async fn list(&self, options: &ListOptions, waiting: Waiting) -> Result<Listing, Error> {
        self.next.list(options, waiting).await
    }
}

impl FilterLayer {
    pub(crate) fn new(coding: Coding, supervisor: Arc<Supervisor>, next: Arc<dyn Link>) -> Self {
        Self { coding: Arc::new(coding), supervisor, next, content_encoding: OnceCell::new() }
    }

    async fn content_encoding(&self) -> Result<Option<&String>, Fault> {
        let describe = || self.coding.describe();
        self.content_encoding.get_or_try_init(describe).await.map(Option::as_ref)
    }

    async fn open(
        &self,
        direction: Direction,
        key: &str,
        waiting: &Waiting,
    ) -> Result<(Coder, Admission), Error> {
        let admission = self.supervisor.admit()?;
        waiting.set(WaitsFor::Component);
        match Coder::open(Arc::clone(&self.coding), direction, key, waiting.clone()).await {
            Ok(coder) => Ok((coder, admission)),
            Err(fault) => {
                admission.noted(Some(&fault));
                Err(fault.into_error())
            }
        }
    }

    /// The description without the content encoding that the filter put there.
    fn undescribed(&self, mut info: ObjectInfo) -> ObjectInfo {
        let ours = self.content_encoding.get().and_then(Option::as_ref);
        let theirs = without(ours, info.content.content_encoding.as_deref());
        if let Some(rest) = theirs {
            info.content.content_encoding = (!rest.is_empty()).then(|| rest.to_owned());
        }
        info
    }
}

/// What stands before our encoding, if that is the last one: the first to undo.
fn without<'a>(ours: Option<&String>, encoding: Option<&'a str>) -> Option<&'a str> {
    let (rest, last) = match encoding?.rsplit_once(',') {
        Some((rest, last)) => (rest.trim_end(), last.trim_start()),
        None => ("", encoding?),
    };
    last.eq_ignore_ascii_case(ours?).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_encoding_comes_off_and_only_if_it_was_put_on_last() {
        let gzip = Some("gzip".to_owned());
        let without = |encoding| without(gzip.as_ref(), encoding);
        assert_eq!(without(Some("gzip")), Some(""));
        assert_eq!(without(Some("br, GZIP")), Some("br"));
        assert_eq!(without(Some("gzip, br")), None);
        assert_eq!(without(None), None);
        assert_eq!(super::without(None, Some("gzip")), None);
    }
}

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
};

use artifact_s3::{ObjectKey, S3Error};
use wasmtime::component::Resource;

use crate::{
    DeleteOptions, Error, GetOptions, ListOptions, Operation, PutOptions,
    bindings::agent::artifacts::{objects, store, types},
    convert::{cut, printable},
    error::{Blame, ErrorKind},
    handles::{HostBody, HostReceipt},
    instance::{CallState, keep},
    layer::{Beneath, Open},
    link::Link,
};

/// The target of what `tracing` is told of the calls.
const NEXT_STORE: &str = "artifact_store::next_store";

/// What a host function gives: the outer error traps the component.
type Answer<T> = wasmtime::Result<Result<T, types::Error>>;

/// A policy's calls of the next store: each is checked against its grant, and the
/// host carries the handles over. No bytes move. Most are no `async fn`, as in `s3_import.rs`.
impl store::Host for CallState {
    fn put(
        &mut self,
        key: String,
        body: Resource<HostBody>,
        options: types::PutOptions,
    ) -> impl Future<Output = Answer<Resource<HostReceipt>>> + Send {
        let options = Box::new(PutOptions::from(options));
        async move {
            let HostBody { id, body } = self.table.delete(body)?;
            let stored = match self.next(Operation::Put, &key, options.check())? {
                Ok(next) => {
                    let waiting = self.waiting.clone();
                    self.outside
                        .run(async move { next.put(&key, body, &options, waiting).await })
                        .await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(match stored {
                Ok(info) => Ok(self.table.push(HostReceipt { info, body_id: Some(id) })?),
                Err(error) => Err(self.told(error)),
            })
        }
    }

    fn get(
        &mut self,
        key: String,
        options: types::GetOptions,
    ) -> impl Future<Output = Answer<objects::Object>> + Send {
        let options = Box::new(GetOptions::from(options));
        async move {
            let opened = match self.next(Operation::Get, &key, options.check())? {
                Ok(next) => {
                    let waiting = self.waiting.clone();
                    self.outside.run(async move { next.get(&key, &options, waiting).await }).await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(match opened {
                Ok(artifact_s3::Object { info, body }) => {
                    Ok(objects::Object { info: info.into(), body: self.push_body(body)? })
                }
                Err(error) => Err(self.told(error)),
            })
        }
    }

    fn head(
        &mut self,
        key: String,
        options: types::GetOptions,
    ) -> impl Future<Output = Answer<types::ObjectInfo>> + Send {
        let options = Box::new(GetOptions::from(options));
        async move {
            let described = match self.next(Operation::Head, &key, options.check())? {
                Ok(next) => {
                    let waiting = self.waiting.clone();
                    self.outside.run(async move { next.head(&key, &options, waiting).await }).await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(described.map(Into::into).map_err(|error| self.told(error)))
        }
    }

    async fn delete(&mut self, key: String, options: types::DeleteOptions) -> Answer<()> {
        let options = DeleteOptions::from(options);
        let deleted = match self.next(Operation::Delete, &key, options.check())? {
            Ok(next) => {
                let waiting = self.waiting.clone();
                self.outside.run(async move { next.delete(&key, &options, waiting).await }).await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(deleted.map_err(|error| self.told(error)))
    }

    async fn list(&mut self, options: types::ListOptions) -> Answer<types::Listing> {
        let options = ListOptions::from(options);
        let mut listed = match self.next(Operation::List, &options.prefix, options.check())? {
            Ok(next) => {
                let waiting = self.waiting.clone();
                self.outside.run(async move { next.list(&options, waiting).await }).await
            }
            Err(refusal) => Err(refusal),
        };
        if let (Ok(listing), Beneath::Store { grant, .. }) = (&mut listed, &self.place.beneath) {
            grant.confine(listing);
        }
        Ok(listed.map(Into::into).map_err(|error| self.told(error)))
    }
}

impl CallState {
    /// The next store, if this call of it is granted and makes sense: what S3 could not
    /// carry is told here, where it is known whose doing it is.
    fn next(
        &mut self,
        operation: Operation,
        key: &str,
        options: Result<(), S3Error>,
    ) -> wasmtime::Result<Result<Arc<dyn Link>, Error>> {
        self.usage.count_call()?;
        // With what it is told, this is how its author sees what it does.
        tracing::debug!(target: NEXT_STORE, operation = operation.as_str(), key);
        let Beneath::Store { grant, next } = &self.place.beneath else {
            // No other linker has a next store.
            return Err(wasmtime::Error::msg("there is no next store"));
        };
        let admitted = grant.admit(operation, key).and_then(|()| match &self.entry.open {
            Some(Open { only_key, .. }) if only_key != key => Err(format!(
                "the key {:?}: it fails open, and so has only {only_key:?}",
                cut(key, 100)
            )),
            _ => Ok(()),
        });
        if let Err(refusal) = admitted {
            let message = format!("{} is not granted {refusal}", self.place.name);
            return Ok(Err(Error::new(ErrorKind::PolicyDenied, Blame::Policy, message)));
        }
        if !self.entry.trusted {
            if let Err(error) = options {
                return Ok(Err(self.made_up(ErrorKind::InvalidRequest, error.message())));
            }
            if operation != Operation::List
                && let Err(rule) = ObjectKey::parse(key)
            {
                let key = cut(key, 100);
                return Ok(Err(self.made_up(ErrorKind::InvalidKey, &format!("{key:?}: {rule}"))));
            }
        }
        if let Some(open) = &self.entry.open {
            open.reached.store(true, Ordering::Relaxed);
        }
        Ok(Ok(Arc::clone(next)))
    }

    /// The caller's own key and options were checked when they came in.
    fn made_up(&self, kind: ErrorKind, what: &str) -> Error {
        let what = printable(what.to_owned());
        let message = format!("{} asked for what cannot be: {what}", self.place.name);
        Error::new(kind, Blame::Policy, message)
    }

    /// Keeps the error as it was, and gives the policy its own view.
    pub(crate) fn told(&mut self, error: Error) -> types::Error {
        tracing::debug!(target: NEXT_STORE, %error);
        let view = types::Error::from(&error);
        keep(&mut self.seen.next, error);
        view
    }
}

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use artifact_s3::{
    DeleteOptions, GetOptions, ListOptions, ObjectKey, Operation, PutOptions, S3Client, S3Error,
    S3ErrorKind,
};
use futures::FutureExt;
use wasmtime::component::Resource;

use crate::{
    bindings::agent::artifacts::{objects, s3, types},
    convert::printable,
    grant::Grant,
    handles::{HostBody, HostReceipt},
    instance::{CallState, WaitsFor, keep},
    layer::Beneath,
};

/// What a host function gives: the outer error traps the component.
type Answer<T> = wasmtime::Result<Result<T, types::S3Error>>;

/// The S3 calls of a component: each is checked against its grant, and made by
/// the store's client.
///
/// Those that are called most are no `async fn`: what came in is turned into the client's
/// options before the future is made, which is moved a few times and would carry both.
impl s3::Host for CallState {
    fn put_object(
        &mut self,
        bucket: String,
        key: String,
        body: Resource<HostBody>,
        options: types::PutOptions,
    ) -> impl Future<Output = Answer<Resource<HostReceipt>>> + Send {
        let options = Box::new(PutOptions::from(options));
        async move {
            let HostBody { id, body } = self.table.delete(body)?;
            let (grant, client) = self.s3()?;
            let stored = match admit(&grant, &bucket, &key, options.check()) {
                Ok(key) => {
                    self.send(async move {
                        client.put_object(grant.bucket(), &key, body, &options).await
                    })
                    .await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(match stored {
                Ok(info) => Ok(self.table.push(HostReceipt { info, body_id: Some(id) })?),
                Err(error) => Err(self.remember(error, Operation::PutObject, &bucket, &key)),
            })
        }
    }

    fn get_object(
        &mut self,
        bucket: String,
        key: String,
        options: types::GetOptions,
    ) -> impl Future<Output = Answer<objects::Object>> + Send {
        let options = Box::new(GetOptions::from(options));
        async move {
            let (grant, client) = self.s3()?;
            let opened = match admit(&grant, &bucket, &key, options.check()) {
                Ok(key) => {
                    self.send(
                        async move { client.get_object(grant.bucket(), &key, &options).await },
                    )
                    .await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(match opened {
                Ok(artifact_s3::Object { info, body }) => {
                    Ok(objects::Object { info: info.into(), body: self.push_body(body)? })
                }
                Err(error) => Err(self.remember(error, Operation::GetObject, &bucket, &key)),
            })
        }
    }

    fn head_object(
        &mut self,
        bucket: String,
        key: String,
        options: types::GetOptions,
    ) -> impl Future<Output = Answer<types::ObjectInfo>> + Send {
        let options = Box::new(GetOptions::from(options));
        async move {
            let (grant, client) = self.s3()?;
            let described = match admit(&grant, &bucket, &key, options.check()) {
                Ok(key) => {
                    self.send(
                        async move { client.head_object(grant.bucket(), &key, &options).await },
                    )
                    .await
                }
                Err(refusal) => Err(refusal),
            };
            Ok(match described {
                Ok(info) => Ok(info.into()),
                Err(error) => Err(self.remember(error, Operation::HeadObject, &bucket, &key)),
            })
        }
    }

    async fn delete_object(
        &mut self,
        bucket: String,
        key: String,
        options: types::DeleteOptions,
    ) -> Answer<()> {
        let options = DeleteOptions::from(options);
        let (grant, client) = self.s3()?;
        let deleted = match admit(&grant, &bucket, &key, options.check()) {
            Ok(key) => {
                self.send(async move { client.delete_object(grant.bucket(), &key, &options).await })
                    .await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(match deleted {
            Ok(()) => Ok(()),
            Err(error) => Err(self.remember(error, Operation::DeleteObject, &bucket, &key)),
        })
    }

    async fn copy_object(
        &mut self,
        bucket: String,
        source_key: String,
        key: String,
        options: types::PutOptions,
    ) -> Answer<Resource<HostReceipt>> {
        let options = PutOptions::from(options);
        let (grant, client) = self.s3()?;
        let places = grant
            .admit(&bucket, &source_key)
            .and_then(|source| Ok((source, admit(&grant, &bucket, &key, options.check())?)));
        let copied = match places {
            Ok((source, key)) => {
                self.send(async move {
                    client.copy_object(grant.bucket(), &source, &key, &options).await
                })
                .await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(match copied {
            Ok(info) => Ok(self.table.push(HostReceipt { info, body_id: None })?),
            Err(error) => Err(self.remember(error, Operation::CopyObject, &bucket, &key)),
        })
    }

    async fn list_objects(
        &mut self,
        bucket: String,
        options: types::ListOptions,
    ) -> Answer<types::Listing> {
        let options = ListOptions::from(options);
        let (grant, client) = self.s3()?;
        let prefix = options.prefix.clone();
        let listed = match grant.admit_listing(&bucket, &options) {
            Ok(()) => {
                let grant = Arc::clone(&grant);
                self.send(async move { client.list_objects(grant.bucket(), &options).await }).await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(match listed {
            Ok(mut listing) => {
                grant.confine(&mut listing);
                Ok(listing.into())
            }
            Err(error) => Err(self.remember(error, Operation::ListObjectsV2, &bucket, &prefix)),
        })
    }
}

/// The key, if it is granted and the options make sense.
fn admit(
    grant: &Grant,
    bucket: &str,
    key: &str,
    options: Result<(), S3Error>,
) -> Result<ObjectKey, S3Error> {
    let key = grant.admit(bucket, key)?;
    check(options)?;
    Ok(key)
}

/// What is wrong with options, in few words: a component may have made up long ones.
fn check(options: Result<(), S3Error>) -> Result<(), S3Error> {
    options.map_err(|error| S3Error::new(error.kind(), printable(error.message().to_owned())))
}

/// Types without functions.
impl types::Host for CallState {}

/// What a component called, cut to what S3 could name at most.
fn shown(bucket: &str, key: &str) -> String {
    let cut = |text: &str, bytes: usize| text[..text.floor_char_boundary(bytes)].to_owned();
    format!("{}/{}", cut(bucket, 63), cut(key, ObjectKey::MAX_BYTES))
}

impl CallState {
    /// Who makes the next S3 call; a component that makes too many ends here.
    fn s3(&mut self) -> wasmtime::Result<(Arc<Grant>, Arc<dyn S3Client>)> {
        self.usage.count_call()?;
        match &self.place.beneath {
            Beneath::S3 { grant, client } => Ok((Arc::clone(grant), Arc::clone(client))),
            // The linker of policies has no S3.
            _ => Err(wasmtime::Error::msg("there is no S3")),
        }
    }

    /// Waits for the S3 client. One that panics fails its call, and nothing else.
    async fn send<T: Send + 'static>(
        &mut self,
        call: impl Future<Output = Result<T, S3Error>> + Send + 'static,
    ) -> Result<T, S3Error> {
        self.waiting.set(WaitsFor::Storage);
        let answer = self.outside.run(AssertUnwindSafe(call).catch_unwind()).await;
        self.waiting.set(WaitsFor::Component);
        answer.unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(S3Error::new(S3ErrorKind::Service, format!("the S3 client panicked: {said}")))
        })
    }

    /// Keeps the error as the host saw it, and gives the component its own view.
    fn remember(
        &mut self,
        error: S3Error,
        operation: Operation,
        bucket: &str,
        key: &str,
    ) -> types::S3Error {
        let error = match error.operation() {
            Some(_) => error,
            None => error.on(operation, shown(bucket, key)),
        };
        let view = types::S3Error::from(&error);
        keep(&mut self.seen.s3, error);
        view
    }
}

use std::io;

use artifact_s3::Body;
use futures::stream;
use wasmtime::component::Resource;

use crate::{
    Error,
    bindings::agent::artifacts::{digest, types},
    error::{Blame, ErrorKind},
    handles::HostBody,
    instance::{CallState, WaitsFor},
};

/// The digests that a policy asks for: the host reads the bytes, the policy sees
/// what comes of it.
impl digest::Host for CallState {
    async fn sha256(
        &mut self,
        body: Resource<HostBody>,
    ) -> wasmtime::Result<Result<String, types::Error>> {
        // It costs a reading of all the bytes, and so counts like a call.
        self.usage.count_call()?;
        let lent = std::mem::replace(&mut self.table.get_mut(&body)?.body, Body::empty());
        self.waiting.set(WaitsFor::Storage);
        let digest = lent.sha256().await;
        self.waiting.set(WaitsFor::Component);
        Ok(match digest {
            Ok((digest, whole)) => {
                self.table.get_mut(&body)?.body = whole;
                Ok(digest)
            }
            Err(error) => {
                // What is left of the body is no body: it cannot be stored any more.
                self.table.get_mut(&body)?.body = broken();
                let (kind, blame) = (ErrorKind::InvalidRequest, Blame::Caller);
                let message = error.to_string();
                Err(self.told(Error::new(kind, blame, message).caused_by_s3(Some(error))))
            }
        })
    }
}

fn broken() -> Body {
    let error = io::Error::other("the body failed when it was read for its digest");
    Body::from_stream(stream::iter([Err(error)]), None)
}

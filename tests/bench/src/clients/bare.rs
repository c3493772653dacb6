//! The floor: reqwest as our own client sets it up, without signatures and S3.

use futures::StreamExt;
use reqwest::{Body, Method, RequestBuilder, header::CONTENT_LENGTH};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::{CHUNK, Service, Source, Target, chunks, drain};

#[derive(Clone)]
pub(crate) struct BareClient {
    client: reqwest::Client,
    bucket: String,
}

pub(super) fn connect(service: &Service) -> anyhow::Result<BareClient> {
    let client = reqwest::Client::builder()
        .http1_only()
        .tcp_nodelay(true)
        .no_proxy()
        .tls_certs_only([])
        .build()?;
    Ok(BareClient { client, bucket: format!("{}/{}", service.endpoint, service.bucket) })
}

impl BareClient {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        let put = self.request(Method::PUT, key);
        let put = match source {
            Source::Memory(bytes) => put.body(bytes),
            Source::File(path) => {
                let file = File::open(path).await?;
                let length = file.metadata().await?.len();
                let bytes = ReaderStream::with_capacity(file, CHUNK);
                put.header(CONTENT_LENGTH, length).body(Body::wrap_stream(bytes))
            }
            Source::Stream(length) => {
                put.header(CONTENT_LENGTH, length).body(Body::wrap_stream(chunks(length)))
            }
        };
        put.send().await?.error_for_status()?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        let answer = self.request(Method::GET, key).send().await?.error_for_status()?;
        match target {
            Target::Memory => Ok(answer.bytes().await?.len() as u64),
            _ => drain(answer.bytes_stream().boxed(), &target).await,
        }
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        self.request(Method::HEAD, key).send().await?.error_for_status()?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        self.request(Method::DELETE, key).send().await?.error_for_status()?;
        Ok(())
    }

    fn request(&self, method: Method, key: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/{key}", self.bucket))
    }
}

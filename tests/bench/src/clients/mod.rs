//! Who is measured: ours and its peers, each used as its documentation advises for speed.

mod aws_sdk;
mod bare;
mod http_s3;
mod object_store;
mod opendal;
mod store;

use std::{path::Path, pin::pin, sync::Arc};

use bytes::Bytes;
use futures::{Stream, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::{fs::File, io::AsyncWriteExt};

/// A service, and how to get in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

/// The region that services without one are signed for.
const REGION: &str = "us-east-1";
/// Of an upload or download in parts, where a client has to be told.
const PART: usize = 8 * 1024 * 1024;
/// Parts under way at once, likewise; as many as ours by default.
const PARALLEL: usize = 4;
/// What a stream gives at a time.
const CHUNK: usize = 256 * 1024;

/// One that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Contender {
    /// Our store with its bundled component.
    Ours,
    /// The same behind the policy `tenant`, treated as anybody's.
    OursWithPolicy,
    /// Our S3 client alone, without a sandbox.
    OurClient,
    ObjectStore,
    OpenDal,
    AwsSdk,
    /// The floor: HTTP without a signature.
    Bare,
}

impl Contender {
    /// In the order in which a round measures them: ours, peer, ours, peer.
    pub(crate) const ALL: [Self; 7] = [
        Self::Ours,
        Self::ObjectStore,
        Self::OursWithPolicy,
        Self::OpenDal,
        Self::OurClient,
        Self::AwsSdk,
        Self::Bare,
    ];

    /// Whether ours is compared with it: a client of S3, without a sandbox, not ours.
    pub(crate) fn is_peer(self) -> bool {
        matches!(self, Self::ObjectStore | Self::OpenDal | Self::AwsSdk)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "our store",
            Self::OursWithPolicy => "our store, with a policy",
            Self::OurClient => "our client alone",
            Self::ObjectStore => "object_store",
            Self::OpenDal => "opendal",
            Self::AwsSdk => "aws-sdk-s3",
            Self::Bare => "bare reqwest",
        }
    }

    /// Makes the client; nothing is sent yet.
    pub(crate) async fn connect(self, service: &Service) -> anyhow::Result<Client> {
        Ok(match self {
            Self::Ours => Client::Store(store::connect(service, None).await?),
            Self::OursWithPolicy => {
                Client::Store(store::connect(service, Some(store::tenant())).await?)
            }
            Self::OurClient => Client::HttpS3(http_s3::connect(service).await?),
            Self::ObjectStore => Client::ObjectStore(object_store::connect(service)?),
            Self::OpenDal => Client::OpenDal(opendal::connect(service)?),
            Self::AwsSdk => Client::AwsSdk(aws_sdk::connect(service)),
            Self::Bare => Client::Bare(bare::connect(service)?),
        })
    }
}

/// Where the bytes of a put are from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Memory(Bytes),
    File(Arc<Path>),
    /// So many bytes, in chunks that come when they are asked for.
    Stream(u64),
}

/// Where the bytes of a get go.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// As one `Bytes`.
    Memory,
    File(Arc<Path>),
    /// Looked at, chunk by chunk, and dropped.
    Stream,
}

/// The client of a contender. A call ends when the service has answered, and the bytes
/// of a get have been read to their end.
#[derive(Clone)]
pub(crate) enum Client {
    Store(store::Store),
    HttpS3(http_s3::HttpS3Client),
    ObjectStore(object_store::ObjectStoreClient),
    OpenDal(opendal::OpenDalClient),
    AwsSdk(aws_sdk::AwsSdkClient),
    Bare(bare::BareClient),
}

macro_rules! delegate {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self {
            Client::Store(client) => client.$method($($argument),*).await,
            Client::HttpS3(client) => client.$method($($argument),*).await,
            Client::ObjectStore(client) => client.$method($($argument),*).await,
            Client::OpenDal(client) => client.$method($($argument),*).await,
            Client::AwsSdk(client) => client.$method($($argument),*).await,
            Client::Bare(client) => client.$method($($argument),*).await,
        }
    };
}

impl Client {
    pub(crate) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        delegate!(self, put(key, source))
    }

    /// Gives how many bytes came.
    pub(crate) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        delegate!(self, get(key, target))
    }

    pub(crate) async fn head(&self, key: &str) -> anyhow::Result<()> {
        delegate!(self, head(key))
    }

    pub(crate) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        delegate!(self, delete(key))
    }
}

/// So many bytes, as a stream.
fn chunks(length: u64) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin + 'static {
    let chunk = Bytes::from(vec![7; CHUNK]);
    Box::pin(stream::unfold(length, move |left| {
        let now = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let next = (now > 0).then(|| (Ok(chunk.slice(..now)), left - now as u64));
        std::future::ready(next)
    }))
}

/// Reads a stream to its end: into a file as a user would write it, or to nowhere.
async fn drain<E>(
    chunks: impl Stream<Item = Result<Bytes, E>>,
    target: &Target,
) -> anyhow::Result<u64>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut chunks = pin!(chunks);
    let mut file = match target {
        Target::File(path) => Some(File::create(path).await?),
        _ => None,
    };
    let mut length = 0;
    while let Some(chunk) = chunks.try_next().await? {
        length += chunk.len() as u64;
        if let Some(file) = &mut file {
            file.write_all(&chunk).await?;
        }
    }
    if let Some(file) = &mut file {
        file.flush().await?;
    }
    Ok(length)
}

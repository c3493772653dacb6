use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};

use artifact_s3::S3Client;
use s3s::{S3, auth::SimpleAuth, service::S3ServiceBuilder};

use crate::{
    Exchange, LocalServer, SecretKey,
    adapter::{self, Adapter},
    credentials::random_access_key,
    folder::FolderRules,
    multipart::{Limits, Multipart, Uploads},
    service::{Observer, Service},
};

/// What a [`LocalServer`] serves, and how.
#[must_use = "nothing listens before `start`"]
pub struct LocalServerBuilder {
    backend: Option<Backend>,
    access_key: String,
    secret_key: SecretKey,
    port: u16,
    observer: Option<Observer>,
}

enum Backend {
    Client(Arc<dyn S3Client>),
    Folder { path: PathBuf, buckets: Vec<String> },
}

impl LocalServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            backend: None,
            access_key: random_access_key(),
            secret_key: SecretKey::random(),
            port: 0,
            observer: None,
        }
    }

    /// Serves what this client holds: [`MemoryS3`](artifact_s3::MemoryS3), or any other.
    pub fn client(mut self, client: Arc<dyn S3Client>) -> Self {
        self.backend = Some(Backend::Client(client));
        self
    }

    /// Serves the files in a folder, whose sub-folders are the buckets. These buckets
    /// are made if they are not there.
    ///
    /// The crate `s3s-fs` does the work, with limits that come from files: a key has
    /// no empty segment (`a//b`, `/a`), `a` and `a/b` cannot both exist, and a key has
    /// at most about 150 bytes. Conditions on reads and deletes, tags, ACLs, versions
    /// and encryption are refused.
    pub fn folder<B: Into<String>>(
        mut self,
        path: impl Into<PathBuf>,
        buckets: impl IntoIterator<Item = B>,
    ) -> Self {
        let buckets = buckets.into_iter().map(Into::into).collect();
        self.backend = Some(Backend::Folder { path: path.into(), buckets });
        self
    }

    /// The credentials that requests must be signed with. Random ones, if not given.
    pub fn credentials(mut self, access_key: impl Into<String>, secret_key: SecretKey) -> Self {
        self.access_key = access_key.into();
        self.secret_key = secret_key;
        self
    }

    /// The port. A free one, if not given, or 0.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Tells of every request once its answer begins. Called on the server's tasks:
    /// it should not block.
    pub fn on_exchange(mut self, observer: impl Fn(Exchange) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Listens on 127.0.0.1. Needs a tokio runtime, which the server then runs on.
    pub async fn start(self) -> Result<LocalServer, StartError> {
        let uploads = Arc::new(Uploads::new(Limits::default()));
        let mut s3 = match self.backend.ok_or(StartError::NothingToServe)? {
            Backend::Client(client) => s3_service(Multipart::new(
                Adapter::new(client),
                Arc::clone(&uploads),
                adapter::check_put,
            )),
            Backend::Folder { path, buckets } => {
                let folder = open_folder(&path, &buckets)?;
                // What a put cannot say to a folder is refused by its rules.
                let mut s3 = s3_service(Multipart::new(folder, Arc::clone(&uploads), |_| Ok(())));
                s3.set_access(FolderRules::new(path));
                s3
            }
        };
        s3.set_auth(SimpleAuth::from_single(
            self.access_key.clone(),
            self.secret_key.expose().to_owned(),
        ));
        let service = Service::new(s3.build(), self.observer);
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        let credentials = (self.access_key, self.secret_key);
        Ok(LocalServer::run(listener, address, service, credentials, uploads))
    }
}

impl fmt::Debug for LocalServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServerBuilder")
            .field("access_key", &self.access_key)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn s3_service(backend: impl S3) -> S3ServiceBuilder {
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_validation(AnyBucketName);
    builder
}

/// Leaves it to the client behind the server which buckets there are: s3s would
/// refuse names that older buckets have.
struct AnyBucketName;

impl s3s::validation::NameValidation for AnyBucketName {
    fn validate_bucket_name(&self, name: &str) -> bool {
        artifact_s3::Bucket::parse(name).is_ok()
    }
}

fn open_folder(path: &PathBuf, buckets: &[String]) -> Result<s3s_fs::FileSystem, StartError> {
    let failed = |source: io::Error| StartError::Folder { path: path.clone(), source };
    for bucket in buckets {
        let bucket = artifact_s3::Bucket::parse(bucket)
            .map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidInput, e)))?;
        std::fs::create_dir_all(path.join(bucket.as_str())).map_err(failed)?;
    }
    s3s_fs::FileSystem::new(path).map_err(|e| failed(io::Error::other(format!("{e:?}"))))
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Neither a client nor a folder was given.
    #[error("the local server has nothing to serve: give it a client or a folder")]
    NothingToServe,
    /// The folder cannot be used.
    #[error("cannot serve the folder {}", path.display())]
    Folder {
        /// The folder that was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The port cannot be listened on.
    #[error("cannot listen on {address}: choose another port, or none for a free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

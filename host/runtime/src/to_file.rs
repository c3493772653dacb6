use std::{fs::File, io};

use artifact_s3::{DownloadError, Object, ParallelDownload, ReadError};

use crate::{
    ArtifactStore, Error, GetOptions, ObjectInfo, Operation,
    error::{Blame, ErrorKind},
};

impl ArtifactStore {
    /// Reads the artifact at `key` into a file, a large one by several requests at a time.
    ///
    /// Each of them is a get of its own, and passes the policies. One alone reads what
    /// cannot be read in parts: a range, and whatever comes through a filter. Where it
    /// fails, what the file holds is not the artifact, so write to a file that gets its
    /// name later.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use artifact_store::{ArtifactStore, GetOptions, ParallelDownload, s3::MemoryS3};
    ///
    /// let store = ArtifactStore::builder().bucket("demo").client(MemoryS3::new()).start().await?;
    /// store.put("model", vec![7; 100_000]).await?;
    ///
    /// let file = tempfile::NamedTempFile::new()?;
    /// let download = ParallelDownload::default().part_size(20_000);
    /// store.get_to_file("model", &GetOptions::default(), file.as_file(), &download).await?;
    /// assert_eq!(file.as_file().metadata()?.len(), 100_000);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_to_file(
        &self,
        key: &str,
        options: &GetOptions,
        file: &File,
        download: &ParallelDownload,
    ) -> Result<ObjectInfo, DownloadError<Error>> {
        let get = |options: GetOptions| async move {
            let artifact = self.get_with(key, &options).await?;
            Ok::<_, Error>(Object { info: artifact.info().clone(), body: artifact.into_body() })
        };
        let done = download.to_file(get, options, file).await;
        done.map_err(|error| match error {
            DownloadError::Get(error) => DownloadError::Get(error.on(Operation::Get, Some(key))),
            file @ DownloadError::File(_) => file,
        })
    }
}

impl ReadError for Error {
    fn is_changed(&self) -> bool {
        matches!(self.kind(), ErrorKind::PreconditionFailed | ErrorKind::NotFound)
            || self.s3().is_some_and(ReadError::is_changed)
    }

    fn changed(refusal: Option<Self>) -> Self {
        let message = "the artifact changed while it was read; read it again from its beginning";
        let changed = Self::new(ErrorKind::PreconditionFailed, Blame::Storage, message);
        match refusal {
            Some(refusal) => changed.caused_by(refusal),
            None => changed,
        }
    }

    fn broken(body: io::Error) -> Self {
        Self::of_body(body, "failed to read the artifact to its end")
    }
}

use std::{fmt, io, path::Path, path::PathBuf, pin::Pin, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt, stream};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{
    S3Error, body_error,
    file_chunks::{Buffers, CHUNK, file_chunks},
    http::{ToldChecksum, sha256_hex},
    spool::Spool,
};

/// A stream of bytes, as it comes.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Most bytes for which there is room before they come: a service may announce any number.
const MOST_EXPECTED: usize = 64 * 1024 * 1024;

/// The bytes of one object, on their way in or out.
///
/// - Anything that holds bytes becomes one: a string, a `Vec<u8>`, `Bytes`, a list
///   of chunks ([`Body::from_chunks`]), a file ([`Body::from_file`]), a stream
///   ([`Body::from_stream`]), a reader ([`Body::from_reader`]).
/// - Files and streams pass in constant memory.
/// - [`Body::length`] is known for all but some streams; whoever sends a body
///   checks that it kept its word.
/// - All but streams can be replayed ([`Body::try_clone`]), so that a failed
///   upload can be tried again. A stream is tried again from the part in memory.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use artifact_s3::Body;
///
/// let body = Body::from_chunks(["hello", " ", "world"]);
/// assert_eq!(body.length(), Some(11));
/// assert_eq!(body.bytes().await?, "hello world");
/// # Ok(())
/// # }
/// ```
pub struct Body {
    bytes: Source,
    observer: Option<Observer>,
    told: Option<ToldChecksum>,
}

pub(crate) type Observer = Arc<dyn Fn(u64) + Send + Sync>;

enum Source {
    Chunks(Vec<Bytes>),
    File(FilePart),
    Spooled(Spool),
    Stream { stream: ByteStream, length: Option<u64> },
}

/// So many bytes of a file from an offset on. `to_end` says that the file should end there,
/// which whoever sends it checks.
#[derive(Clone)]
struct FilePart {
    path: PathBuf,
    offset: u64,
    length: u64,
    to_end: bool,
    buffers: Buffers,
}

impl Body {
    /// The longest that S3 takes in one request (`PutObject`): 5 GiB.
    ///
    /// Source: [quotas](https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
    pub const MAX_PUT: u64 = 5 * 1024 * 1024 * 1024;

    /// The longest object that S3 takes, in however many requests: 5 TiB.
    pub const MAX_OBJECT: u64 = 5 * 1024 * 1024 * 1024 * 1024;

    fn new(bytes: Source) -> Self {
        Self { bytes, observer: None, told: None }
    }

    /// A body without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Source::Chunks(Vec::new()))
    }

    /// A body of several chunks, sent one after the other and never joined.
    pub fn from_chunks<C: Into<Bytes>>(chunks: impl IntoIterator<Item = C>) -> Self {
        let chunks = chunks.into_iter().map(Into::into);
        Self::new(Source::Chunks(chunks.filter(|c: &Bytes| !c.is_empty()).collect()))
    }

    /// The bytes of a file, read when they are needed, in constant memory.
    ///
    /// The file must be a regular one, and not change while it is sent; a file
    /// that became shorter or longer fails the upload. Anything else that can be
    /// read (a pipe, standard input) goes through [`Body::from_reader`].
    pub async fn from_file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        // Opened, and not only looked at: what cannot be read is said now.
        let metadata = tokio::fs::File::open(&path).await?.metadata().await?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let length = metadata.len();
        let buffers = Buffers::default();
        Ok(Self::new(Source::File(FilePart { path, offset: 0, length, to_end: true, buffers })))
    }

    /// A stream, with its length where it is known.
    pub fn from_stream(
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::new(Source::Stream { stream: Box::pin(stream), length })
    }

    /// Whatever a reader gives, with its length where it is known.
    pub fn from_reader(reader: impl AsyncRead + Send + 'static, length: Option<u64>) -> Self {
        Self::from_stream(ReaderStream::with_capacity(reader, CHUNK), length)
    }

    /// Length in bytes, where it is known before the last byte is read.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.bytes {
            Source::Chunks(chunks) => Some(chunks.iter().map(|c| c.len() as u64).sum()),
            Source::File(file) => Some(file.length),
            Source::Spooled(spool) => Some(spool.length()),
            Source::Stream { length, .. } => *length,
        }
    }

    /// Whether [`Body::try_clone`] gives a second one with the same bytes.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        !matches!(self.bytes, Source::Stream { .. })
    }

    /// A second body with the same bytes, without copying them; none for a stream.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let bytes = match &self.bytes {
            Source::Chunks(chunks) => Source::Chunks(chunks.clone()),
            Source::File(file) => Source::File(file.clone()),
            Source::Spooled(spool) => Source::Spooled(spool.clone()),
            Source::Stream { .. } => return None,
        };
        Some(Self { bytes, observer: self.observer.clone(), told: self.told.clone() })
    }

    /// So many of the bytes from an offset on, without copying them, and not observed;
    /// none for a stream. Both lie within the body.
    pub(crate) fn slice(&self, offset: u64, length: u64) -> Option<Self> {
        let bytes = match &self.bytes {
            Source::Chunks(chunks) => Source::Chunks(slice(chunks, offset, length)),
            Source::File(file) => Source::File(FilePart {
                offset: file.offset + offset,
                length,
                to_end: file.to_end && offset + length == file.length,
                ..file.clone()
            }),
            Source::Spooled(spool) => Source::Spooled(spool.slice(offset, length)),
            Source::Stream { .. } => return None,
        };
        Some(Self::new(bytes))
    }

    /// Takes the observer away, for whoever reads the bytes in another order or twice.
    pub(crate) fn take_observer(&mut self) -> Option<Observer> {
        self.observer.take()
    }

    /// The same bytes, in a form that can be replayed: a stream is read to its end, at
    /// most [`MAX_OBJECT`](Self::MAX_OBJECT), into a temporary file without a name.
    ///
    /// Fails where the stream does, where it is not as long as it said, or where the
    /// file cannot be written.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), artifact_s3::S3Error> {
    /// use artifact_s3::Body;
    ///
    /// let piped = Body::from_reader(&b"once"[..], None);
    /// let body = piped.into_replayable().await?;
    /// assert_eq!(body.length(), Some(4));
    /// assert!(body.try_clone().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_replayable(self) -> Result<Self, S3Error> {
        let declared = self.length();
        if self.is_replayable() {
            return Ok(self);
        }
        // The observer has seen the bytes then, and sees them anew when they are sent.
        let (observer, told) = (self.observer.clone(), self.told.clone());
        let spool = Spool::write(self.into_stream(), Self::MAX_OBJECT).await?;
        if let Some(declared) = declared.filter(|length| *length != spool.length()) {
            return Err(body_error::wrong_length(declared, Some(spool.length())));
        }
        Ok(Self { bytes: Source::Spooled(spool), observer, told })
    }

    /// The SHA-256 of the bytes, as 64 digits of lower-case hexadecimal, and a body to
    /// go on with: the same bytes, [replayable](Self::into_replayable).
    pub async fn sha256(self) -> Result<(String, Self), S3Error> {
        let body = self.into_replayable().await?;
        let bytes = body.try_clone().unwrap_or_else(Self::empty).into_stream();
        let digest = sha256_hex(bytes).await.map_err(body_error::failed)?;
        Ok((digest, body))
    }

    /// The same bytes, by way of another stream; what was told of them stays told.
    pub(crate) fn by_way_of<S>(self, stream: impl FnOnce(ByteStream) -> S) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let (length, told) = (self.length(), self.told.clone());
        Self::from_stream(stream(self.into_stream()), length).told(told)
    }

    /// With the checksum of the bytes, as the service told it.
    pub(crate) fn told(mut self, checksum: Option<ToldChecksum>) -> Self {
        self.told = checksum;
        self
    }

    /// The checksum that the service told of the bytes.
    pub(crate) fn told_checksum(&self) -> Option<&ToldChecksum> {
        self.told.as_ref()
    }

    /// The chunks, where all of them are in memory.
    #[must_use]
    pub fn as_chunks(&self) -> Option<&[Bytes]> {
        match &self.bytes {
            Source::Chunks(chunks) => Some(chunks),
            _ => None,
        }
    }

    /// The chunks, where all of them are in memory and nobody watches them go.
    pub(crate) fn into_chunks_or_stream(self) -> Result<Vec<Bytes>, ByteStream> {
        match self {
            Self { bytes: Source::Chunks(chunks), observer: None, .. } => Ok(chunks),
            body => Err(body.into_stream()),
        }
    }

    /// The bytes as they come.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        let stream: ByteStream = match self.bytes {
            Source::Chunks(chunks) => Box::pin(stream::iter(chunks.into_iter().map(Ok))),
            Source::File(FilePart { path, offset, length, to_end, buffers }) => Box::pin(
                stream::once(async move {
                    let file = tokio::fs::File::open(path).await?.into_std().await;
                    let end = if to_end { u64::MAX } else { offset + length };
                    Ok::<_, io::Error>(file_chunks(Arc::new(file), offset..end, buffers))
                })
                .try_flatten(),
            ),
            Source::Spooled(spool) => spool.stream(),
            Source::Stream { stream, .. } => stream,
        };
        let Some(observer) = self.observer else {
            return stream;
        };
        let mut position = 0;
        Box::pin(stream.inspect_ok(move |chunk| {
            position += chunk.len() as u64;
            observer(position);
        }))
    }

    /// The bytes as a reader.
    #[must_use]
    pub fn into_reader(self) -> impl AsyncRead + Send {
        StreamReader::new(self.into_stream())
    }

    /// All bytes at once, in memory. Nothing is copied where they are one chunk.
    pub async fn bytes(self) -> io::Result<Bytes> {
        let length = self.length().and_then(|length| usize::try_from(length).ok());
        let mut stream = self.into_stream();
        let Some(first) = stream.try_next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = stream.try_next().await? else {
            return Ok(first);
        };
        let expected = length.unwrap_or(0).min(MOST_EXPECTED).max(first.len() + second.len());
        let mut all = BytesMut::with_capacity(expected);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = stream.try_next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Calls `observer` with the number of bytes read so far, for every chunk.
    ///
    /// For progress bars and metrics. It begins anew at 0 when the body is replayed.
    #[must_use]
    pub fn observed(mut self, observer: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

fn slice(chunks: &[Bytes], offset: u64, length: u64) -> Vec<Bytes> {
    let (mut begin, end) = (0, offset + length);
    let mut sliced = Vec::new();
    for chunk in chunks {
        let within = |at: u64| {
            // At most the chunk's length, so that it fits.
            usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(chunk.len())
        };
        let (first, last) = (within(offset), within(end));
        if first < last {
            sliced.push(chunk.slice(first..last));
        }
        begin += chunk.len() as u64;
    }
    sliced
}

impl fmt::Debug for Body {
    /// Shows what kind of body it is, and none of its bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.bytes {
            Source::Chunks(_) => "chunks",
            Source::File(_) => "file",
            Source::Spooled(_) => "temporary file",
            Source::Stream { .. } => "stream",
        };
        f.debug_struct("Body")
            .field("kind", &kind)
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::from_chunks([bytes])
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<Vec<Bytes>> for Body {
    fn from(chunks: Vec<Bytes>) -> Self {
        Self::from_chunks(chunks)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_when_needed_and_can_be_replayed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; 600_000]).unwrap();
        let body = Body::from_file(file.path()).await.unwrap();
        assert_eq!(body.length(), Some(600_000));
        let again = body.try_clone().unwrap();
        assert_eq!(body.bytes().await.unwrap().len(), 600_000);
        assert_eq!(again.bytes().await.unwrap().len(), 600_000);
    }

    #[tokio::test]
    async fn slices_of_each_kind_are_the_same_bytes() {
        let bytes: Vec<u8> = (0..1000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let spooled = Body::from_reader(std::io::Cursor::new(bytes.clone()), None);
        for body in [
            Body::from_chunks(bytes.chunks(300).map(Bytes::copy_from_slice)),
            Body::from_file(file.path()).await.unwrap(),
            spooled.into_replayable().await.unwrap(),
        ] {
            for (offset, length) in [(0, 1000), (0, 300), (299, 2), (300, 1), (150, 700), (999, 1)]
            {
                let slice = body.slice(offset, length).unwrap();
                assert_eq!(slice.length(), Some(length));
                let first = usize::try_from(offset).unwrap();
                let end = first + usize::try_from(length).unwrap();
                assert_eq!(slice.bytes().await.unwrap(), bytes[first..end], "{body:?} {offset}");
                // And of a slice again.
                let inner = body.slice(offset, length).unwrap().slice(0, 1).unwrap();
                assert_eq!(inner.bytes().await.unwrap(), bytes[first..=first]);
            }
        }
        // Where the file should end, what comes after it is shown.
        file.write_all(b"more").unwrap();
        let grown = Body::from_file(file.path()).await.unwrap().slice(0, 1004).unwrap();
        file.write_all(b"!").unwrap();
        assert_eq!(grown.slice(1000, 4).unwrap().bytes().await.unwrap(), "more!");
        assert_eq!(grown.slice(1000, 3).unwrap().bytes().await.unwrap(), "mor");
    }

    #[tokio::test]
    async fn the_digest_of_a_stream_leaves_a_body_to_store() {
        let body = Body::from_reader(&b"abc"[..], None);
        let (digest, body) = body.sha256().await.unwrap();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(body.bytes().await.unwrap(), "abc");
        let short = Body::from_reader(&b"abc"[..], Some(4));
        assert!(short.sha256().await.is_err());
    }

    #[tokio::test]
    async fn a_folder_and_a_missing_file_are_errors_at_once() {
        assert!(Body::from_file(std::env::temp_dir()).await.is_err());
        assert!(Body::from_file("/nonexistent/file").await.is_err());
    }

    #[tokio::test]
    async fn a_stream_passes_once() {
        let body = Body::from_reader(&b"abc"[..], None);
        assert_eq!(body.length(), None);
        assert!(!body.is_replayable() && body.try_clone().is_none());
        assert_eq!(body.bytes().await.unwrap(), "abc");
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert!(!format!("{:?}", Body::from("secret")).contains("secret"));
    }
}

use std::{io, sync::Arc};

use artifact_s3::{Body, Bucket, ByteRange, GetOptions, Object, ObjectKey, S3Error};
use bytes::Bytes;
use futures::{FutureExt, stream};

use super::{answer, handle::Handle, host::Host};
use crate::bindings::agent::artifacts::types;

/// A get: the component opens a body, and is asked for the next chunk when the caller wants
/// it, and not before.
impl Host {
    pub(super) async fn get(
        self: &Arc<Self>,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        options.check()?;
        let room = self.room_for_handle().await?;
        let (bucket, key) = (bucket.to_string(), key.to_string());
        let asked = types::GetOptions::from(options.clone());
        let host = Arc::clone(self);
        let (info, body, said) = self
            .run(move |instance| {
                async move {
                    let call = instance.enter()?;
                    let get = call.s3.call_get_object(call.store, &bucket, &key, &asked).await;
                    let object = instance.leave(get)?.map_err(answer::error)?;
                    let body = Handle::new(host, instance, object.body, room);
                    let call = instance.enter()?;
                    let length = call.objects.body().call_length(call.store, object.body).await;
                    Ok((object.info, body, instance.leave(length)?))
                }
                .boxed()
            })
            .await?;
        let info = answer::info(info).map_err(|what| self.nonsense(&what))?;
        let Some(length) = length(options.range, info.size) else {
            return Err(self.nonsense("gave a range that lies outside the object"));
        };
        if let Some(said) = said.filter(|said| *said != length) {
            let what = format!("gave a body of {said} bytes, where {length} were asked for");
            return Err(self.nonsense(&what));
        }
        Ok(Object { info, body: Arc::clone(self).stream(body, length) })
    }

    fn stream(self: Arc<Self>, body: Handle, length: u64) -> Body {
        let chunks = stream::try_unfold((body, length), move |(body, left)| {
            let host = Arc::clone(&self);
            async move {
                let (body, chunk) = host.read(body).await?;
                let more = chunk.len() as u64;
                match left.checked_sub(more) {
                    None => Err(host.nonsense("gave more bytes than it said").into()),
                    Some(0) if more == 0 => Ok::<_, io::Error>(None),
                    Some(_) if more == 0 => {
                        let what = format!("ended a body {left} bytes before its end");
                        Err(host.nonsense(&what).into())
                    }
                    Some(left) => Ok(Some((Bytes::from(chunk), (body, left)))),
                }
            }
        });
        Body::from_stream(chunks, Some(length))
    }

    async fn read(self: &Arc<Self>, body: Handle) -> Result<(Handle, Vec<u8>), S3Error> {
        let most = self.chunk();
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        let (body, chunk) = self
            .run(move |instance| {
                async move {
                    let lent = body.lend(instance)?;
                    let call = instance.enter()?;
                    let read = call.content.call_read(call.store, lent, limit).await;
                    let chunk = instance.leave(read)?.map_err(answer::content_error)?;
                    Ok((body, chunk))
                }
                .boxed()
            })
            .await?;
        if chunk.len() > most {
            let what = format!("gave {} bytes at once, and {most} were asked for", chunk.len());
            return Err(self.nonsense(&what));
        }
        Ok((body, chunk))
    }
}

/// How many bytes a range of an object of this size has; none where it has no byte.
fn length(range: Option<ByteRange>, size: u64) -> Option<u64> {
    let (start, end) = match range {
        None => return Some(size),
        Some(ByteRange::Closed(first, last)) => (first, last.saturating_add(1).min(size)),
        Some(ByteRange::From(first)) => (first, size),
        Some(ByteRange::Last(count)) => (size.saturating_sub(count), size),
    };
    end.checked_sub(start).filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_range_is_known_before_it_is_read() {
        for (range, expected) in [
            (None, Some(10)),
            (Some(ByteRange::Closed(2, 4)), Some(3)),
            (Some(ByteRange::Closed(8, u64::MAX)), Some(2)),
            (Some(ByteRange::Closed(10, 12)), None),
            (Some(ByteRange::From(7)), Some(3)),
            (Some(ByteRange::From(u64::MAX)), None),
            (Some(ByteRange::Last(3)), Some(3)),
            (Some(ByteRange::Last(1000)), Some(10)),
        ] {
            assert_eq!(length(range, 10), expected, "{range:?}");
        }
        assert_eq!(length(None, 0), Some(0));
        assert_eq!(length(Some(ByteRange::Last(1)), 0), None);
    }
}

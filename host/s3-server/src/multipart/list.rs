use s3s::{
    S3Result,
    dto::{
        CommonPrefix, ETag, EncodingType, ListMultipartUploadsInput, ListMultipartUploadsOutput,
        ListPartsInput, ListPartsOutput, MultipartUpload, Part, StorageClass, Timestamp,
    },
    s3_error,
};

use super::uploads::{Upload, Uploads};
use crate::adapter::{length, refuse, url_encode};

/// Most entries of one page.
const MAX: usize = 1000;

pub(super) fn parts(uploads: &Uploads, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    refuse!(
        input,
        expected_bucket_owner,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
    );
    let upload = uploads.find(&input.upload_id, &input.bucket, &input.key)?;
    let max = page_size(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.unwrap_or_default();
    let kept = upload.parts();
    let mut rest = kept.range(after.saturating_add(1)..);
    let page: Vec<Part> = rest
        .by_ref()
        .take(max)
        .map(|(number, part)| {
            let checksum = part.checksum.clone();
            Ok(Part {
                part_number: Some(*number),
                e_tag: Some(ETag::Strong(part.etag())),
                size: Some(length(part.bytes.length())?),
                last_modified: Some(Timestamp::from(part.modified)),
                checksum_crc32: checksum.checksum_crc32,
                checksum_crc32c: checksum.checksum_crc32c,
                checksum_crc64nvme: checksum.checksum_crc64nvme,
                checksum_sha256: checksum.checksum_sha256,
                ..Default::default()
            })
        })
        .collect::<S3Result<_>>()?;
    let is_truncated = rest.next().is_some();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: page.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(max).ok(),
        is_truncated: Some(is_truncated),
        parts: Some(page),
        storage_class: Some(storage_class(&upload)),
        checksum_algorithm: upload.created.checksum_algorithm.clone(),
        checksum_type: upload.checksum.asked.then(|| upload.checksum.kind()),
        ..Default::default()
    })
}

pub(super) fn uploads(
    uploads: &Uploads,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    refuse!(input, expected_bucket_owner);
    let max = page_size(input.max_uploads, "max-uploads")?;
    let url = input.encoding_type.as_ref().is_some_and(|e| e.as_str() == EncodingType::URL);
    let encode = |text: &str| if url { url_encode(text) } else { text.to_owned() };
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    // Without a key marker it means nothing, says S3.
    let id_marker = input.upload_id_marker.as_deref().filter(|_| !key_marker.is_empty());

    let (mut page, mut prefixes) = (Vec::new(), Vec::<String>::new());
    let (mut next, mut is_truncated) = (None, false);
    for upload in uploads.of_bucket(&input.bucket) {
        let key = upload.created.key.as_str();
        let is_after = key > key_marker
            || (key == key_marker && id_marker.is_some_and(|id| upload.id.as_str() > id));
        let Some(rest) = key.strip_prefix(prefix).filter(|_| is_after) else {
            continue;
        };
        let common = delimiter
            .and_then(|d| rest.find(d).map(|at| key[..prefix.len() + at + d.len()].to_owned()));
        // A marker that ends a common prefix means that all of it was given.
        if common.as_deref().is_some_and(|common| {
            prefixes.last().is_some_and(|last| last == common) || common == key_marker
        }) {
            continue;
        }
        if page.len() + prefixes.len() == max {
            is_truncated = true;
            break;
        }
        if let Some(common) = common {
            next = Some((common.clone(), String::new()));
            prefixes.push(common);
        } else {
            next = Some((key.to_owned(), upload.id.clone()));
            page.push(MultipartUpload {
                key: Some(encode(key)),
                upload_id: Some(upload.id.clone()),
                initiated: Some(Timestamp::from(upload.initiated)),
                storage_class: Some(storage_class(&upload)),
                checksum_algorithm: upload.created.checksum_algorithm.clone(),
                checksum_type: upload.checksum.asked.then(|| upload.checksum.kind()),
                ..Default::default()
            });
        }
    }
    let (next_key, next_id) = next.filter(|_| is_truncated).unzip();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        key_marker: Some(encode(key_marker)),
        prefix: Some(encode(prefix)),
        delimiter: delimiter.map(encode),
        upload_id_marker: input.upload_id_marker.clone(),
        next_key_marker: next_key.as_deref().map(encode),
        next_upload_id_marker: next_id,
        max_uploads: i32::try_from(max).ok(),
        is_truncated: Some(is_truncated),
        uploads: Some(page),
        common_prefixes: Some(
            prefixes.iter().map(|p| CommonPrefix { prefix: Some(encode(p)) }).collect(),
        ),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn page_size(asked: Option<i32>, name: &str) -> S3Result<usize> {
    match asked {
        None => Ok(MAX),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| *asked > 0)
            .map(|asked| asked.min(MAX))
            .ok_or_else(|| s3_error!(InvalidArgument, "{name} must be 1 to 1000")),
    }
}

fn storage_class(upload: &Upload) -> StorageClass {
    let standard = || StorageClass::from_static(StorageClass::STANDARD);
    upload.created.storage_class.clone().unwrap_or_else(standard)
}

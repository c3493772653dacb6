use http::Method;
use serde::Deserialize;

use crate::{
    Bucket, ListOptions, Operation, S3Error, S3ErrorKind,
    http::{
        HttpS3, encode,
        list_objects_v2::seconds,
        request::{Request, target},
        response::Reading,
    },
};

const OPERATION: Operation = Operation::ListMultipartUploads;

/// Most pages of 1,000 uploads that are gathered; more are cleaned up prefix by prefix.
const MAX_PAGES: usize = 1000;

/// An upload that was begun, and neither completed nor aborted.
///
/// It may still be under way: only its age tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The key of the object that it would become.
    pub key: String,
    /// The service's name for it.
    pub upload_id: String,
    /// When it was begun, in seconds since the Unix epoch.
    pub initiated: Option<u64>,
}

/// Source: [ListMultipartUploads][api].
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(in crate::http) struct ListMultipartUploadsResult {
    encoding_type: String,
    is_truncated: Option<bool>,
    next_key_marker: String,
    next_upload_id_marker: String,
    #[serde(rename = "Upload")]
    uploads: Vec<Upload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Upload {
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
    initiated: String,
}

/// Where a page ended: key and upload id.
pub(in crate::http) type Marker = (String, String);

impl HttpS3 {
    /// The uploads under a prefix that were begun, and neither completed nor aborted
    /// (`ListMultipartUploads`, all pages).
    ///
    /// What is still being sent is among them. At most a million; where there are
    /// more, the error asks for a longer prefix.
    pub async fn unfinished_uploads(
        &self,
        bucket: &Bucket,
        prefix: &str,
    ) -> Result<Vec<UnfinishedUpload>, S3Error> {
        let on = |error: S3Error| error.on(OPERATION, target(bucket, None));
        ListOptions { prefix: prefix.to_owned(), ..ListOptions::default() }.check().map_err(on)?;
        let (mut uploads, mut marker) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let mut request = Request::new(OPERATION, Method::GET, bucket, None, Reading::Whole);
            request.query = query(prefix, marker.as_ref());
            let answer = self.send(&request).await?;
            let page: Result<ListMultipartUploadsResult, _> =
                answer.xml("ListMultipartUploadsResult", self.parts().endpoint());
            let refused = |message| on(answer.refused(message));
            let next = page.map_err(on)?.take(&mut uploads).map_err(refused)?;
            if next.is_none() {
                return Ok(uploads);
            }
            // The same page again would come for ever.
            if next == marker {
                return Err(refused("the listing does not go on where the page before ended"));
            }
            marker = next;
        }
        let message = "there are more than a million unfinished uploads; give a longer prefix";
        Err(on(S3Error::new(S3ErrorKind::InvalidRequest, message)))
    }
}

fn query(prefix: &str, marker: Option<&Marker>) -> String {
    let given = [
        ("uploads", Some("")),
        // XML cannot carry every character that a key can.
        ("encoding-type", Some("url")),
        ("prefix", Some(prefix).filter(|prefix| !prefix.is_empty())),
        ("key-marker", marker.map(|(key, _)| key.as_str())),
        ("upload-id-marker", marker.map(|(_, id)| id.as_str()).filter(|id| !id.is_empty())),
    ];
    encode::query(given.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

impl ListMultipartUploadsResult {
    /// Adds the page to `uploads`, and says where it ended, if there are more.
    pub(in crate::http) fn take(
        self,
        uploads: &mut Vec<UnfinishedUpload>,
    ) -> Result<Option<Marker>, &'static str> {
        let encoded = self.encoding_type.eq_ignore_ascii_case("url");
        let decode = |text: String| {
            if encoded {
                encode::decode_listed(&text).ok_or("the listing holds a key that is not UTF-8")
            } else {
                Ok(text)
            }
        };
        for Upload { key, id, initiated } in self.uploads {
            let initiated = seconds(&initiated);
            uploads.push(UnfinishedUpload { key: decode(key)?, upload_id: id, initiated });
        }
        if !self.is_truncated.unwrap_or(false) {
            return Ok(None);
        }
        if self.next_key_marker.is_empty() {
            return Err("the listing goes on, and the service did not say how to ask for the rest");
        }
        Ok(Some((decode(self.next_key_marker)?, self.next_upload_id_marker)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(xml: &str) -> Result<(Vec<UnfinishedUpload>, Option<Marker>), &'static str> {
        let mut uploads = Vec::new();
        let page: ListMultipartUploadsResult = quick_xml::de::from_str(xml).unwrap();
        let marker = page.take(&mut uploads)?;
        Ok((uploads, marker))
    }

    #[test]
    fn keys_and_markers_are_decoded() {
        let (uploads, marker) = page(
            "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true\
             </IsTruncated><NextKeyMarker>a%2Fb+c</NextKeyMarker><NextUploadIdMarker>2%\
             </NextUploadIdMarker><Upload><Key>a%2Fb+c</Key><UploadId>1</UploadId><Initiated>\
             2010-11-10T20:48:33.000Z</Initiated><Owner><ID>x</ID></Owner></Upload><Upload>\
             <Key>x</Key><UploadId>2%</UploadId></Upload></ListMultipartUploadsResult>",
        )
        .unwrap();
        let upload = |key: &str, id: &str, initiated| UnfinishedUpload {
            key: key.to_owned(),
            upload_id: id.to_owned(),
            initiated,
        };
        assert_eq!(uploads, [upload("a/b c", "1", Some(1_289_422_113)), upload("x", "2%", None)]);
        assert_eq!(marker, Some(("a/b c".to_owned(), "2%".to_owned())));
    }

    #[test]
    fn a_page_without_the_way_to_the_next_is_no_end() {
        let truncated = "<R><IsTruncated>true</IsTruncated></R>";
        assert!(page(truncated).is_err());
        assert_eq!(page("<R/>").unwrap(), (Vec::new(), None));
    }
}

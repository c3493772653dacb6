//! Batches, tags, customer keys, presigned URLs and a probe on a real service.
//!
//! Without one, each trial is shown as ignored.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{process::ExitCode, sync::Arc, time::Duration};

use artifact_s3::{
    Bucket, Check, ContentHeaders, Credentials, CustomerKey, DeleteOptions, Feature, Finding,
    GetOptions, HttpS3, HttpS3Builder, ListOptions, ObjectKey, PutOptions, S3Client, S3ErrorKind,
    list_all,
};
use artifact_test_servers::SeaweedFs;
use futures::TryStreamExt;
use libtest_mimic::{Arguments, Completion, Trial};
use tokio::runtime::Runtime;

const NO_SERVER: &str = "no SeaweedFS here: `just test-seaweedfs` brings one";

const MINUTE: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let server = SeaweedFs::from_env().unwrap().map(Arc::new);
    let trials = vec![
        trial("a batch is listed and deleted", server.clone(), batch),
        trial("tags come back", server.clone(), tags),
        trial("a customer key is needed to read", server.clone(), customer_key),
        trial("presigned URLs put and get", server.clone(), presigned),
        trial("a probe finds out what it does", server, probe),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial<F: Future<Output = ()>>(
    name: &str,
    server: Option<Arc<SeaweedFs>>,
    case: impl FnOnce(Arc<SeaweedFs>, Bucket) -> F + Send + 'static,
) -> Trial {
    Trial::ignorable_test(format!("SeaweedFS/{name}"), move || {
        let Some(server) = server else {
            return Ok(Completion::ignored_with(NO_SERVER));
        };
        let bucket = Bucket::parse(server.bucket.clone()).unwrap();
        Runtime::new()?.block_on(case(server, bucket));
        Ok(Completion::Completed)
    })
}

fn builder(server: &SeaweedFs) -> HttpS3Builder {
    HttpS3::builder()
        .endpoint(&server.endpoint)
        .credentials(Credentials::key(&server.access_key, server.secret_key()))
}

/// A key that no other run has used.
fn key(name: &str) -> ObjectKey {
    let run = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    ObjectKey::parse(format!("extras/{run:x}/{name}")).unwrap()
}

async fn batch(server: Arc<SeaweedFs>, bucket: Bucket) {
    let s3 = builder(&server).build().await.unwrap();
    let folder = key("batch");
    let names = ["a&b<c>\"d'", "blank end ", "é/😀", "&amp;", "]]>", "a b+c", "plain", "x/y/z"];
    let keys = names.map(|name| ObjectKey::parse(format!("{folder}/{name}")).unwrap());
    for key in &keys {
        s3.put_object(&bucket, key, "diff".into(), &PutOptions::default()).await.unwrap();
    }
    let listed = async || -> Vec<String> {
        let prefix = format!("{folder}/");
        let options = ListOptions { prefix, limit: Some(3), ..Default::default() };
        let objects = list_all(&s3, &bucket, options).map_ok(|object| object.key);
        objects.try_collect().await.unwrap()
    };
    let mut expected: Vec<String> = keys.iter().map(ToString::to_string).collect();
    expected.sort();
    let mut found = listed().await;
    found.sort();
    assert_eq!(found, expected);
    for outcome in s3.delete_objects(&bucket, &keys).await {
        outcome.unwrap();
    }
    assert_eq!(listed().await, [""; 0]);
    // A second time is fine too.
    assert!(s3.delete_objects(&bucket, &keys).await.iter().all(Result::is_ok));
}

async fn tags(server: Arc<SeaweedFs>, bucket: Bucket) {
    let s3 = builder(&server).build().await.unwrap();
    let key = key("tagged");
    let tags = [("a", "1"), ("owner", "team b")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let options = PutOptions { tags: tags.to_vec(), ..Default::default() };
    s3.put_object(&bucket, &key, "diff".into(), &options).await.unwrap();
    assert_eq!(s3.tags(&bucket, &key, None).await.unwrap(), tags);
    s3.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    assert!(s3.tags(&bucket, &key, None).await.is_err());
}

async fn customer_key(server: Arc<SeaweedFs>, bucket: Bucket) {
    let client = |byte| builder(&server).customer_key(CustomerKey::new([byte; 32])).build();
    let (s3, other) = (client(1).await.unwrap(), client(2).await.unwrap());
    let without = builder(&server).build().await.unwrap();
    let (key, none) = (key("sealed"), GetOptions::default());
    s3.put_object(&bucket, &key, "diff".into(), &PutOptions::default()).await.unwrap();
    let object = s3.get_object(&bucket, &key, &none).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "diff");
    assert_eq!(s3.head_object(&bucket, &key, &none).await.unwrap().size, 4);
    for stranger in [&other, &without] {
        let error = stranger.get_object(&bucket, &key, &none).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
    }
    // Source and copy are under the same key.
    let copy = ObjectKey::parse(format!("{key}-copy")).unwrap();
    s3.copy_object(&bucket, &key, &copy, &PutOptions::default()).await.unwrap();
    let object = s3.get_object(&bucket, &copy, &none).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "diff");
    assert!(without.get_object(&bucket, &copy, &none).await.is_err());
    for outcome in s3.delete_objects(&bucket, &[key, copy]).await {
        outcome.unwrap();
    }
}

/// What `artifacts doctor` does.
async fn probe(server: Arc<SeaweedFs>, bucket: Bucket) {
    let s3 = builder(&server).build().await.unwrap();
    let prefix = format!("{}/", key("probe"));
    let probe = s3.probe(&bucket, &prefix).await;
    assert!(probe.works(), "{probe:#?}");
    for Check { feature, finding, .. } in &probe.checks {
        let expected = match feature {
            // It makes one slash of two.
            Feature::OddKeys => Finding::Failed,
            // The bucket keeps none, and it gives the current one whichever is asked for.
            Feature::Versions => Finding::Ignored,
            _ => Finding::Ok,
        };
        assert_eq!(*finding, expected, "{feature}: {probe:#?}");
    }
    let options = ListOptions { prefix: prefix.clone(), ..Default::default() };
    let left: Vec<_> = list_all(&s3, &bucket, options).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert!(s3.unfinished_uploads(&bucket, &prefix).await.unwrap().is_empty());
}

async fn presigned(server: Arc<SeaweedFs>, bucket: Bucket) {
    let s3 = builder(&server).build().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let key = key("a b+c&d/é");
    let options = PutOptions {
        content: ContentHeaders { content_type: Some("text/x-diff".into()), ..Default::default() },
        ..Default::default()
    };
    let put = s3.presign_put(&bucket, &key, &options, MINUTE).await.unwrap();
    let send = async |headers: &[(String, String)]| {
        let mut request = http.put(put.expose()).body("diff");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(&[]).await, 403, "the content type is signed");
    assert_eq!(send(put.headers()).await, 200);

    let response = ContentHeaders {
        content_disposition: Some("attachment; filename=\"a b.txt\"".into()),
        ..Default::default()
    };
    let none = GetOptions::default();
    let get = s3.presign_get(&bucket, &key, &none, &response, MINUTE).await.unwrap();
    let answer = http.get(get.expose()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/x-diff");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"a b.txt\"");
    assert_eq!(answer.text().await.unwrap(), "diff");
    let altered = get.expose().replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    assert_eq!(http.get(altered).send().await.unwrap().status(), 403);

    s3.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    let gone = s3.head_object(&bucket, &key, &none).await.unwrap_err();
    assert_eq!(gone.kind(), S3ErrorKind::NoSuchKey);
}

//! Presigned URLs in the hands of an HTTP client that has no credentials.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::Arc, time::Duration};

use artifact_s3::{
    Bucket, ContentHeaders, Credentials, GetOptions, HttpS3, MemoryS3, ObjectKey, PresignedUrl,
    PutOptions, S3Client, WriteCondition,
};
use artifact_s3_server::LocalServer;

const MINUTE: Duration = Duration::from_mins(1);

struct Setup {
    memory: MemoryS3,
    _server: LocalServer,
    s3: HttpS3,
    bucket: Bucket,
    http: reqwest::Client,
}

impl Setup {
    async fn new() -> Self {
        let memory = MemoryS3::new();
        let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap();
        let secret = server.secret_key().expose();
        let s3 = HttpS3::builder()
            .endpoint(server.endpoint())
            .credentials(Credentials::key(server.access_key(), secret))
            .build()
            .await
            .unwrap();
        let bucket = Bucket::parse("bucket").unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { memory, _server: server, s3, bucket, http }
    }

    async fn get_url(&self, key: &ObjectKey, response: &ContentHeaders) -> PresignedUrl {
        let none = GetOptions::default();
        self.s3.presign_get(&self.bucket, key, &none, response, MINUTE).await.unwrap()
    }

    async fn put_url(&self, key: &ObjectKey, options: &PutOptions) -> PresignedUrl {
        self.s3.presign_put(&self.bucket, key, options, MINUTE).await.unwrap()
    }

    async fn get(&self, url: &str) -> reqwest::Response {
        self.http.get(url).send().await.unwrap()
    }

    async fn put(&self, url: &PresignedUrl, headers: &[(String, String)]) -> u16 {
        let mut request = self.http.put(url.expose()).body("diff");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

#[tokio::test]
async fn who_has_the_urls_puts_and_gets() {
    let setup = Setup::new().await;
    for name in ["k", "a b+c/d?e#f%2F", "ключ/😀", "~*'()!$,;:@[]{}|^`\"\\<>"] {
        let key = key(name);
        let put = setup.put_url(&key, &PutOptions::default()).await;
        assert_eq!(setup.put(&put, put.headers()).await, 200, "{name}");
        assert_eq!(setup.memory.object("bucket", name).unwrap().bytes, "diff");
        let get = setup.get_url(&key, &ContentHeaders::default()).await;
        let answer = setup.get(get.expose()).await;
        assert_eq!((answer.status().as_u16(), &*answer.text().await.unwrap()), (200, "diff"));
    }
}

#[tokio::test]
async fn the_signed_headers_must_be_sent_and_take_effect() {
    let setup = Setup::new().await;
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-diff".into()),
            expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".into()),
            ..Default::default()
        },
        metadata: vec![("owner".to_owned(), "team  a".to_owned())],
        condition: WriteCondition::IfAbsent,
        ..Default::default()
    };
    let url = setup.put_url(&key("k"), &options).await;
    let mut other = url.headers().to_vec();
    other.iter_mut().find(|(name, _)| name == "content-type").unwrap().1 = "text/html".to_owned();
    for headers in [&[][..], &other] {
        assert_eq!(setup.put(&url, headers).await, 403, "{headers:?}");
    }
    assert_eq!(setup.put(&url, url.headers()).await, 200);
    let stored = setup.memory.object("bucket", "k").unwrap().info;
    assert_eq!(stored.content, options.content);
    assert_eq!(stored.metadata, options.metadata);
    let info = setup.s3.head_object(&setup.bucket, &key("k"), &GetOptions::default()).await;
    assert_eq!(info.unwrap().content, options.content);
    assert_eq!(setup.put(&url, url.headers()).await, 412, "it is there already");
}

#[tokio::test]
async fn the_answer_has_the_headers_that_were_asked_for() {
    let setup = Setup::new().await;
    let put = setup.put_url(&key("k"), &PutOptions::default()).await;
    setup.put(&put, put.headers()).await;
    let response = ContentHeaders {
        content_type: Some("text/plain; charset=utf-8".into()),
        content_disposition: Some("attachment; filename=\"a b.txt\"".into()),
        cache_control: Some("no-store".into()),
        content_language: Some("en".into()),
        expires: Some("Thu, 22 Oct 2026 07:28:00 GMT".into()),
        ..Default::default()
    };
    let get = setup.get_url(&key("k"), &response).await;
    let answer = setup.get(get.expose()).await;
    for (name, value) in response.iter() {
        assert_eq!(answer.headers()[name].to_str().unwrap(), value);
    }
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let setup = Setup::new().await;
    let put = setup.put_url(&key("k"), &PutOptions::default()).await;
    assert_eq!(setup.put(&put, put.headers()).await, 200);
    let get = setup.get_url(&key("k"), &ContentHeaders::default()).await;
    let url = get.expose();
    assert_eq!(setup.get(url).await.status(), 200);
    for altered in [
        url.replace("/bucket/k?", "/bucket/other?"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        format!("{url}&response-content-type=text%2Fhtml"),
        put.expose().to_owned(),
    ] {
        assert_eq!(setup.get(&altered).await.status(), 403, "{altered}");
    }
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let setup = Setup::new().await;
    let put = setup.put_url(&key("k"), &PutOptions::default()).await;
    setup.put(&put, put.headers()).await;
    let (none, same) = (GetOptions::default(), ContentHeaders::default());
    let second = Duration::from_secs(1);
    let url = setup.s3.presign_get(&setup.bucket, &key("k"), &none, &same, second).await.unwrap();
    // The signature's time has whole seconds.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(setup.get(url.expose()).await.status(), 403);
}

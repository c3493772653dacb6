//! Bits that flip on the way, in either direction: an error, and never wrong bytes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use artifact_s3::{
    Bucket, ChecksumAlgorithm, Credentials, GetOptions, HttpS3, MemoryS3, Multipart, ObjectKey,
    PutOptions, S3Client, S3ErrorKind, UploadChecksum,
};
use artifact_s3_server::LocalServer;
use artifact_test_servers::{FaultProxy, FaultProxyBuilder};

const BUCKET: &str = "flipped-bucket";
const PART: u64 = 5 << 20;

struct Way {
    memory: MemoryS3,
    server: LocalServer,
    proxy: FaultProxy,
    /// Through the proxy.
    s3: HttpS3,
}

impl Way {
    async fn over(faults: impl FnOnce(FaultProxyBuilder) -> FaultProxyBuilder) -> Self {
        let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
        let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap();
        let proxy = faults(FaultProxy::before(server.address()).seed(4)).start().await.unwrap();
        let s3 = client(&server, proxy.endpoint()).await;
        Self { memory, server, proxy, s3 }
    }
}

async fn client(server: &LocalServer, endpoint: String) -> HttpS3 {
    HttpS3::builder()
        .endpoint(endpoint)
        .credentials(Credentials::key(server.access_key(), server.secret_key().expose()))
        .multipart(Multipart { threshold: PART, part_size: PART, parallel: 2 })
        .upload_checksum(UploadChecksum::WhenAsked)
        .build()
        .await
        .unwrap()
}

fn place() -> (Bucket, ObjectKey) {
    (Bucket::parse(BUCKET).unwrap(), ObjectKey::parse("k").unwrap())
}

#[tokio::test]
async fn on_the_way_up() {
    use ChecksumAlgorithm as A;
    let (bucket, key) = place();
    for length in [100_000, 2 * PART + 1] {
        for algorithm in [A::Crc32, A::Crc32c, A::Crc64Nvme, A::Sha256] {
            let way = Way::over(|proxy| proxy.flip_one_request_in(1)).await;
            let options = PutOptions { checksum: Some(algorithm), ..PutOptions::default() };
            let body = vec![7; usize::try_from(length).unwrap()];
            let put = way.s3.put_object(&bucket, &key, body.into(), &options).await;
            let failed = put.unwrap_err();
            assert_eq!(failed.kind(), S3ErrorKind::Integrity, "{algorithm:?} {length}: {failed}");
            assert!(way.proxy.faults().flipped_requests > 0);
            way.s3.settle().await;
            assert!(way.memory.is_empty());
            assert_eq!(way.server.unfinished_uploads().len(), 0);
        }
    }
}

#[tokio::test]
async fn on_the_way_down() {
    let (bucket, key) = place();
    for length in [100_000, 2 * PART + 1] {
        let way = Way::over(|proxy| proxy.flip_one_answer_in(1)).await;
        let direct = client(&way.server, way.server.endpoint()).await;
        let checksum = Some(ChecksumAlgorithm::Crc64Nvme);
        let options = PutOptions { checksum, ..PutOptions::default() };
        let body = vec![7; usize::try_from(length).unwrap()];
        direct.put_object(&bucket, &key, body.into(), &options).await.unwrap();

        let object = way.s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
        let failed = artifact_s3::S3Error::from(object.body.bytes().await.unwrap_err());
        assert_eq!(failed.kind(), S3ErrorKind::Integrity, "{length}: {failed}");
        assert_eq!(way.proxy.faults().flipped_answers, 1);
    }
}

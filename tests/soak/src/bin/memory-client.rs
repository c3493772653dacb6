//! One upload or download, and how much memory it took: for `tests/memory.rs`, which
//! runs it as a process of its own. Arguments: what to do, endpoint, bytes.

use std::{env, error::Error, io::Write};

use artifact_s3::{Body, Bucket, Credentials, GetOptions, HttpS3, ObjectKey, PutOptions, S3Client};
use artifact_soak::pattern;
use futures::{StreamExt, TryStreamExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [what, endpoint, bytes] = &arguments[..] else {
        return Err("arguments: put|put-unknown|get, endpoint, bytes".into());
    };
    let bytes: u64 = bytes.parse()?;
    let s3 = HttpS3::builder()
        .endpoint(endpoint)
        .credentials(Credentials::key("an-id", "a-secret"))
        .build()
        .await?;
    let (bucket, key) = (Bucket::parse("bucket")?, ObjectKey::parse("key")?);
    let idle = peak()?;
    let crc = match what.as_str() {
        "put" | "put-unknown" => {
            let length = (what == "put").then_some(bytes);
            let body = Body::from_stream(pattern::stream(0..bytes).map(Ok), length);
            s3.put_object(&bucket, &key, body, &PutOptions::default()).await?;
            // The server tells what it got.
            0
        }
        "get" => {
            let object = s3.get_object(&bucket, &key, &GetOptions::default()).await?;
            let mut stream = object.body.into_stream();
            let mut crc = pattern::Crc::new();
            while let Some(chunk) = stream.try_next().await? {
                crc.update(&chunk);
            }
            crc.finalize()
        }
        other => return Err(format!("{other} is nothing to do").into()),
    };
    writeln!(std::io::stdout(), "{idle} {} {crc}", peak()?)?;
    Ok(())
}

/// The most memory that this process had at once so far, in KiB.
fn peak() -> Result<u64, Box<dyn Error + Send + Sync>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let value = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(value.ok_or("no VmHWM in /proc/self/status")?.trim().parse()?)
}

//! For any prefix and any key, the request that leaves names exactly the store's
//! bucket and `{prefix}{key}`, or nothing leaves: looked at on the socket, with
//! the bundled component and the real HTTP client.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
};

use artifact_s3::{Credentials, HttpS3};
use artifact_store::{ArtifactStore, ErrorKind};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A server that keeps every request line and says that all went well.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<String>>>);

impl Wire {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let wire = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(wire.clone().serve(socket));
            }
        });
        endpoint
    }

    async fn serve(self, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        loop {
            let mut request_line = String::new();
            if socket.read_line(&mut request_line).await.unwrap_or(0) == 0 {
                return;
            }
            let mut length = 0;
            loop {
                let mut header = String::new();
                socket.read_line(&mut header).await.unwrap();
                if header == "\r\n" {
                    break;
                }
                if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            socket.read_exact(&mut body).await.unwrap();
            self.0.lock().unwrap().push(request_line.trim_end().to_owned());
            let answer = "HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

async fn client(wire: &Wire) -> HttpS3 {
    let credentials = Credentials::key("access", "secret");
    HttpS3::builder().endpoint(wire.listen().await).credentials(credentials).build().await.unwrap()
}

/// Written anew, from the S3 documentation, and not shared with the client.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(b).to_string()
            }
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// The kind of failure of each of the four calls on a key, in order; none is success.
async fn all_calls(store: &ArtifactStore, key: &str) -> [Option<ErrorKind>; 4] {
    let kind = |error: artifact_store::Error| error.kind();
    [
        store.put(key, "v").await.err().map(kind),
        store.get(key).await.err().map(kind),
        store.head(key).await.err().map(kind),
        store.delete(key).await.err().map(kind),
    ]
}

fn all_lines(object_key: &str) -> Vec<String> {
    let path = percent_encoded(object_key);
    ["PUT", "GET", "HEAD", "DELETE"].map(|m| format!("{m} /bucket/{path} HTTP/1.1")).into()
}

/// Text made of what has led others astray, and of anything at all.
fn text(pieces: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "..", ".", "/", "//", "?", "#", "%", "%2F", "%2e%2e", "%00", "\\", " ", "+", "&", "=",
            ":", "@", ";", "~", "*", "\"", "'", "<", "é", "ключ", "\u{202e}", "🦀", "acl",
            "uploads", "bucket", "http://host/",
        ]).prop_map(str::to_owned),
        2 => "[a-z]{1,8}",
        1 => ".{0,12}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}

#[test]
fn what_leaves_names_exactly_bucket_prefix_and_key_or_nothing_leaves() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let wire = Wire::default();
    let client = runtime.block_on(client(&wire));
    let (sent, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::default();
    let result = runner.run(&(text(0..4), text(0..8)), |(prefix, key)| {
        let builder = ArtifactStore::builder().bucket("bucket").prefix(&prefix);
        let store = match runtime.block_on(builder.client(client.clone()).start()) {
            Ok(store) => store,
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidConfig);
                prop_assert!(wire.take().is_empty());
                return Ok(());
            }
        };
        match runtime.block_on(all_calls(&store, &key)) {
            [None, None, None, None] => {
                sent.set(sent.get() + 1);
                prop_assert_eq!(wire.take(), all_lines(&format!("{prefix}{key}")));
            }
            refusals => {
                refused.set(refused.get() + 1);
                prop_assert_eq!(refusals, [Some(ErrorKind::InvalidKey); 4]);
                prop_assert!(wire.take().is_empty());
            }
        }
        Ok(())
    });
    result.unwrap();
    // A property that only ever saw one side would show nothing.
    let (sent, refused) = (sent.get(), refused.get());
    assert!(sent > 20 && refused > 20, "sent {sent}, refused {refused}");
}

/// The original's faults 1 and 2, one by one.
#[tokio::test]
async fn the_escapes_of_the_original_do_not_leave() {
    let wire = Wire::default();
    let client = client(&wire).await;
    for (prefix, key) in [
        ("asm/", "../../other/secret"), // was PUT /other/secret: another bucket
        ("asm/", ".."),
        ("", "."),    // was DELETE of the bucket
        ("", "x/.."), // the same
        ("asm/", "x/../../.."),
        ("", ""), // was CreateBucket, and a listing as an artifact's bytes
        ("asm/", ""),
        ("asm/", "a/./b"), // became a/b
        ("", "/leading"),
        ("asm/", "nul\0"),
        ("asm/", "line\r\nHost: evil"),
        ("asm/.", "./x"),
    ] {
        let builder = ArtifactStore::builder().bucket("bucket").prefix(prefix);
        let store = builder.client(client.clone()).start().await.unwrap();
        let outcome = all_calls(&store, key).await;
        assert_eq!(outcome, [Some(ErrorKind::InvalidKey); 4], "{prefix:?} {key:?}");
        assert!(wire.take().is_empty(), "{prefix:?} {key:?}");
    }
}

#[tokio::test]
async fn odd_keys_leave_as_they_are() {
    let wire = Wire::default();
    let client = client(&wire).await;
    let builder = ArtifactStore::builder().bucket("bucket").prefix("asm/");
    let store = builder.client(client).start().await.unwrap();
    let longest = "x".repeat(1020);
    for (key, path) in [
        ("k?acl", "k%3Facl"), // was PutObjectAcl
        ("a//b", "a//b"),     // became a/b
        ("/b", "/b"),
        ("a b+c", "a%20b%2Bc"),
        ("a#b", "a%23b"),
        ("%2F", "%252F"),
        ("%2e%2e/x", "%252e%252e/x"),
        ("a&b=c", "a%26b%3Dc"),
        ("ключ", "%D0%BA%D0%BB%D1%8E%D1%87"),
        ("a:b@c", "a%3Ab%40c"),
        ("\\..\\", "%5C..%5C"),
        (&longest, &longest),
    ] {
        assert_eq!(all_calls(&store, key).await, [None; 4], "{key}");
        let expected = ["PUT", "GET", "HEAD", "DELETE"]
            .map(|method| format!("{method} /bucket/asm/{path} HTTP/1.1"));
        assert_eq!(wire.take(), expected, "{key}");
    }
    let too_long = "x".repeat(1021);
    assert_eq!(all_calls(&store, &too_long).await, [Some(ErrorKind::InvalidKey); 4]);
    assert!(wire.take().is_empty());
}

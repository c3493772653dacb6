//! What a policy finds that is granted the empty WASI, and what comes of one that means
//! harm with it.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use artifact_store::{ArtifactStore, Error, ErrorKind, Limits, Policy, PolicyGrant, s3::MemoryS3};

use crate::wat;

/// A policy whose `head` answers with a number, as the size, that `body` leaves. What it
/// imports of WASI is in `imports`; the memory from 0 to 64 is its own, and zero.
fn policy(imports: &str, body: &str) -> Policy {
    let text = format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (func $attack (result i64) {body})
            (func (export "agent:artifacts/store@0.2.0#head") (param i32) (result i32)
                (i64.store (i32.const 1032) (call $attack))
                (i32.const 1024))
            (func (export "agent:artifacts/store@0.2.0#put") (param i32) (result i32) unreachable)
            (func (export "agent:artifacts/store@0.2.0#get") (param i32) (result i32) unreachable)
            (func (export "agent:artifacts/store@0.2.0#delete")
                (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
            (func (export "agent:artifacts/store@0.2.0#list")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                unreachable)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048)))"#
    );
    Policy::from_bytes(wat::component_of(&text, include_str!("wasi.wit"), "policy")).name("guest")
}

async fn store(policy: Policy) -> Result<ArtifactStore, Error> {
    ArtifactStore::builder().bucket("bucket").client(MemoryS3::new()).policy(policy).start().await
}

fn wasi() -> PolicyGrant {
    PolicyGrant::none().empty_wasi(true)
}

/// What `head` comes to, twice: in an instance each.
async fn answers(imports: &str, body: &str) -> Result<[u64; 2], Error> {
    let store = store(policy(imports, body).grant(wasi())).await?;
    Ok([store.head("k").await?.size, store.head("k").await?.size])
}

/// The error with all of its causes.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

const CLOCK: &str =
    r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))"#;
const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.subscribe"
        (func $subscribe (param i32) (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes"
        (func $zeroes (param i32 i64 i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;

#[tokio::test]
async fn wasi_takes_a_grant_that_the_error_names() {
    let error = store(policy(CLOCK, "call $now").grant(PolicyGrant::all())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy \"guest\" imports `wasi:clocks/monotonic-clock`, which it is not granted: \
         `PolicyGrant::empty_wasi(true)`, or `wasi = \"empty\"` in artifacts.toml grants it"
    );
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
}

#[tokio::test]
async fn clocks_stand_still() {
    let wall = r#"(import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))"#;
    let sum = "(call $wall (i32.const 0)) (i64.add (call $now) (i64.load (i32.const 0)))";
    assert_eq!(answers(&format!("{CLOCK}{wall}"), sum).await.unwrap(), [0, 0]);
}

#[tokio::test]
async fn random_numbers_are_the_same_in_every_call() {
    let random = r#"(import "wasi:random/random@0.2.0" "get-random-u64" (func $r (result i64)))"#;
    let [first, second] = answers(random, "call $r").await.unwrap();
    assert_eq!(first, second);
    let [next, _] = answers(random, "(drop (call $r)) call $r").await.unwrap();
    assert_ne!(first, next, "a number of its own for each time it is asked");
}

#[tokio::test]
async fn there_are_no_arguments_variables_or_files() {
    let lists = r#"
        (import "wasi:cli/environment@0.2.0" "get-environment" (func $a (param i32)))
        (import "wasi:cli/environment@0.2.0" "get-arguments" (func $b (param i32)))
        (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $c (param i32)))"#;
    // The length of each list is its second word.
    let count = "(call $a (i32.const 0)) (call $b (i32.const 8)) (call $c (i32.const 16))
        (i64.extend_i32_u (i32.add (i32.load (i32.const 4))
            (i32.add (i32.load (i32.const 12)) (i32.load (i32.const 20)))))";
    assert_eq!(answers(lists, count).await.unwrap(), [0, 0]);
}

#[tokio::test]
async fn a_socket_is_refused() {
    let create = r#"(import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket"
        (func $create (param i32 i32)))"#;
    // `err` is 1, `access-denied` is 1.
    let answer = "(call $create (i32.const 0) (i32.const 0))
        (i64.extend_i32_u (i32.add (i32.load8_u (i32.const 0))
            (i32.mul (i32.const 10) (i32.load8_u (i32.const 4)))))";
    let [answer, _] = answers(create, answer).await.unwrap();
    assert_eq!(answer, 11);
}

#[tokio::test]
async fn nobody_sleeps() {
    let sleep = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
        (func $sleep (param i64) (result i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;
    let none = "(call $block (call $sleep (i64.const 0))) (i64.const 5)";
    assert_eq!(answers(sleep, none).await.unwrap(), [5, 5]);
    let began = Instant::now();
    let hour = "(call $block (call $sleep (i64.const 3600000000000))) (i64.const 5)";
    let error = answers(sleep, hour).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert!(chain(&error).contains("a policy cannot sleep"), "{}", chain(&error));
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn the_host_makes_few_random_bytes_at_a_time() {
    let random = r#"(import "wasi:random/random@0.2.0" "get-random-bytes"
        (func $r (param i64 i32)))"#;
    let bytes = |count: u64| format!("(call $r (i64.const {count}) (i32.const 0)) (i64.const 1)");
    assert_eq!(answers(random, &bytes(4096)).await.unwrap(), [1, 1]);
    let error = answers(random, &bytes(1 << 32)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
}

#[tokio::test]
async fn handles_of_wasi_count() {
    let many = "(loop $more (drop (call $stdout)) (br $more)) unreachable";
    let error = answers(STDOUT, many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert!(!chain(&error).contains("fuel"), "{}", chain(&error));
}

#[tokio::test]
async fn an_exit_ends_the_call_and_not_the_host() {
    let exit = r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;
    let error = answers(exit, "(call $exit (i32.const 0)) (i64.const 1)").await.unwrap_err();
    assert_eq!(error.to_string(), r#"the policy "guest" trapped"#);
}

/// Calls of the host cost no fuel, so there is plenty of it left when the time is up.
#[tokio::test]
async fn a_loop_of_host_calls_ends_with_the_wall_time() {
    let block = "(local $p i32) (local.set $p (call $subscribe (call $stdout)))
        (loop $more (call $block (local.get $p)) (br $more)) unreachable";
    let zeroes = "(local $s i32) (local.set $s (call $stdout))
        (loop $more (call $zeroes (local.get $s) (i64.const 65536) (i32.const 0)) (br $more))
        unreachable";
    for body in [block, zeroes] {
        let wall_time = Duration::from_secs(2);
        let policy = policy(STDOUT, body)
            .grant(wasi().wall_time(wall_time))
            .limits(Limits { fuel: 1 << 50, ..Limits::default() });
        let store = store(policy).await.unwrap();
        let began = Instant::now();
        let error = store.head("k").await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
        let late = began.elapsed().saturating_sub(wall_time);
        assert!(late < Duration::from_secs(2), "{late:?} late");
    }
}

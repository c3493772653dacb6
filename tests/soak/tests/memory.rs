//! An object of 4 GiB goes up and comes down in bounded memory: a process of its own does
//! it, and reads the most memory that it had.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use artifact_soak::pattern;
use tokio::process::Command;

const SIZE: u64 = 4 << 30;
/// What the client may take above what it has before it begins, in KiB: the parts in
/// flight are 32 MiB, and connections have buffers.
const BOUND: u64 = 96 * 1024;

/// Has the client do something with an object, and gives the CRC that it tells.
async fn within_bound(what: &str, endpoint: &str) -> u64 {
    let output = Command::new(env!("CARGO_BIN_EXE_memory-client"))
        .args([what, endpoint, &SIZE.to_string()])
        .output()
        .await
        .unwrap();
    let (said, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {failed}");
    let numbers: Vec<u64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [idle, peak, crc] = numbers[..] else { unreachable!("{said}") };
    let more = peak - idle;
    assert!(more < BOUND, "{what} took {more} KiB, and may take {BOUND}");
    crc
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc/self/status")]
async fn four_gibibytes_go_up_in_bounded_memory() {
    for what in ["put", "put-unknown"] {
        let (address, parts) = support::serve(SIZE).await;
        within_bound(what, &format!("http://{address}")).await;
        let parts = parts.lock().unwrap();
        let (crc, length) = parts.values().fold((0, 0), |(crc, sum), (part, length)| {
            (pattern::joined(crc, *part, *length), sum + length)
        });
        assert_eq!((length, crc), (SIZE, pattern::crc(SIZE)), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc/self/status")]
async fn four_gibibytes_come_down_in_bounded_memory() {
    let (address, _) = support::serve(SIZE).await;
    assert_eq!(within_bound("get", &format!("http://{address}")).await, pattern::crc(SIZE));
}

//! How far away memory is: what a figure means where what it touches fits in no cache.

use std::{hint::black_box, time::Instant};

use crate::report::number;

/// As long as what a cache holds at a time.
const LINE: usize = 64;
const LINES_READ: u32 = 2_000_000;

/// Nanoseconds for one read of a line, among so many bytes: by size.
pub(crate) fn latencies() -> String {
    let sizes = [256, 1024, 4096, 16_384].map(|kibibytes: usize| {
        let nanos = latency(kibibytes * 1024);
        let size = if kibibytes < 1024 {
            format!("{kibibytes} KiB")
        } else {
            format!("{} MiB", kibibytes / 1024)
        };
        format!("{} ns of {size}", number(nanos))
    });
    sizes.join(", ")
}

/// Follows a way through all lines, each of which tells the next.
fn latency(bytes: usize) -> f64 {
    let lines = bytes / LINE;
    let mut memory = vec![[0_u32; LINE / 4]; lines];
    // One round through all of them, in an order that no processor foresees (Sattolo).
    let mut order: Vec<u32> = (0..).take(lines).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..lines).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let other = usize::try_from(random % last as u64).unwrap_or_default();
        order.swap(last, other);
    }
    for (at, next) in order.iter().zip(order.iter().cycle().skip(1)) {
        memory[*at as usize][0] = *next;
    }
    let follow = |steps: u32| (0..steps).fold(0_u32, |at, _| memory[at as usize][0]);
    black_box(follow(u32::try_from(lines).unwrap_or(u32::MAX)));
    let began = Instant::now();
    black_box(follow(LINES_READ));
    began.elapsed().as_secs_f64() * 1e9 / f64::from(LINES_READ)
}

#![no_main]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/hostile/tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::fuzzed::load(bytes));

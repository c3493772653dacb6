#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| artifact_s3::fuzzing::headers(bytes));

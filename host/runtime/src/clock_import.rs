use std::time::{SystemTime, UNIX_EPOCH};

use crate::{bindings::agent::artifacts::clock, instance::CallState};

/// The time, to the second: enough for dates, and too little to time others' calls by.
impl clock::Host for CallState {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs())?)
    }
}

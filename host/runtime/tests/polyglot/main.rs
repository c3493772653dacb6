//! Policies that were not written in Rust, and what such ones are granted besides.

mod empty_wasi;
mod languages;
mod wat;
mod write_once;

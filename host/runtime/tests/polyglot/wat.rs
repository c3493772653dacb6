//! Components from WAT, as `wasm-tools component embed` and `new` make them.

#![expect(clippy::unwrap_used, reason = "tests")]

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A component of a world of `wit/`.
pub(crate) fn component(wat: &str, world: &str) -> Vec<u8> {
    encode(wat, None, world)
}

/// A component of a world that a WIT text defines, which may use `wit/`.
pub(crate) fn component_of(wat: &str, wit: &str, world: &str) -> Vec<u8> {
    encode(wat, Some(wit), world)
}

fn encode(wat: &str, wit: Option<&str>, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    let (mut package, _) = resolve.push_dir(folder).unwrap();
    if let Some(wit) = wit {
        package = resolve.push_str("test.wit", wit).unwrap();
    }
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(wat).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

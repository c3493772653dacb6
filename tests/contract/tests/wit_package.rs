//! The WIT package as one binary file, which other tools take in the place of the
//! folder, such as `componentize-py`.
//!
//! `just wit-package` keeps the file that this makes.

use std::{env, fs, path::Path};

use wit_component::DecodedWasm;
use wit_parser::{Docs, Resolve, World, WorldItem};

#[test]
fn the_encoded_package_holds_every_world_and_its_docs() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).unwrap();
    // componentize-py 0.25 knows no docs of a world's imports, and refuses the file.
    for (_, world) in &mut resolve.worlds {
        bare(world);
    }
    let encoded = wit_component::encode(&resolve, package).unwrap();

    let DecodedWasm::WitPackage(decoded, id) = wit_component::decode(&encoded).unwrap() else {
        panic!("it is no WIT package");
    };
    let (before, after) = (&resolve.packages[package], &decoded.packages[id]);
    assert_eq!(after.name, before.name);
    let names = |package: &wit_parser::Package| package.worlds.keys().cloned().collect::<Vec<_>>();
    assert!(!after.worlds.is_empty());
    assert_eq!(names(after), names(before));
    for (name, world) in &after.worlds {
        let (before, after) = (&resolve.worlds[before.worlds[name]], &decoded.worlds[*world]);
        assert_eq!(after.imports.len(), before.imports.len(), "{name}");
        assert_eq!(after.exports.len(), before.exports.len(), "{name}");
        assert_eq!(after.docs, before.docs, "{name}");
    }

    if let Some(file) = env::var_os("WIT_PACKAGE") {
        fs::write(file, encoded).unwrap();
    }
}

/// Takes the docs off what a world imports and exports; the interfaces keep theirs.
fn bare(world: &mut World) {
    for item in world.imports.values_mut().chain(world.exports.values_mut()) {
        if let WorldItem::Interface { docs, .. } = item {
            *docs = Docs::default();
        }
    }
}

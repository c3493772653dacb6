//! What the built components can reach, read from their bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use artifact_guests::{
    filters::{ENCRYPT, GZIP},
    policies::{AUDIT, CONTENT_ADDRESSED, KEY_RULES, READ_ONLY, RETENTION, TENANT},
};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem, WorldKey};

/// A component is loaded at every start of a host, and its memory is paid for at
/// every call; one that grows past this has drawn in something it should not.
const LARGEST: usize = 64 * 1024;

/// Filters work on the bytes themselves, and have tables and unrolled loops for that.
const LARGEST_FILTER: usize = 160 * 1024;

#[test]
fn the_store_imports_and_exports_what_its_world_names() {
    let (imports, exports) = interfaces(artifact_guests::STORE);
    assert_eq!(
        imports,
        [
            "agent:artifacts/objects@0.2.0",
            "agent:artifacts/s3@0.2.0",
            "agent:artifacts/types@0.2.0",
            "wasi:config/store@0.2.0-rc.1",
        ]
    );
    assert_eq!(exports, ["agent:artifacts/store@0.2.0"]);
}

#[test]
fn the_policies_import_and_export_what_their_world_names() {
    const EVERY: [&str; 4] = [
        "agent:artifacts/objects@0.2.0",
        "agent:artifacts/store@0.2.0",
        "agent:artifacts/types@0.2.0",
        "wasi:config/store@0.2.0-rc.1",
    ];
    for (name, policy, common, granted) in [
        // Those without settings do not even ask for them.
        ("read-only", READ_ONLY, &EVERY[..3], None),
        ("tenant", TENANT, &EVERY, None),
        ("key-rules", KEY_RULES, &EVERY, None),
        ("content-addressed", CONTENT_ADDRESSED, &EVERY, Some("agent:artifacts/digest@0.2.0")),
        ("retention", RETENTION, &EVERY, Some("agent:artifacts/clock@0.2.0")),
        ("audit", AUDIT, &EVERY[..3], Some("agent:artifacts/log@0.2.0")),
    ] {
        let (imports, exports) = interfaces(policy);
        let mut expected: Vec<_> = common.iter().copied().chain(granted).collect();
        expected.sort_unstable();
        assert_eq!(imports, expected, "{name}");
        assert_eq!(exports, ["agent:artifacts/store@0.2.0"], "{name}");
    }
}

#[test]
fn the_filters_import_their_settings_and_nothing_that_acts() {
    for (name, filter) in [("gzip", GZIP), ("encrypt", ENCRYPT)] {
        let (imports, exports) = interfaces(filter);
        let expected = ["agent:artifacts/types@0.2.0", "wasi:config/store@0.2.0-rc.1"];
        assert_eq!(imports, expected, "{name}");
        assert_eq!(exports, ["agent:artifacts/filter@0.2.0"], "{name}");
    }
}

#[test]
fn every_component_is_small() {
    for (name, component) in [
        ("store", artifact_guests::STORE),
        ("read-only", READ_ONLY),
        ("tenant", TENANT),
        ("key-rules", KEY_RULES),
        ("content-addressed", CONTENT_ADDRESSED),
        ("retention", RETENTION),
        ("audit", AUDIT),
    ] {
        let bytes = component.len();
        assert!(bytes < LARGEST, "{name}: {bytes} bytes");
    }
    for (name, filter) in [("gzip", GZIP), ("encrypt", ENCRYPT)] {
        let bytes = filter.len();
        assert!(bytes < LARGEST_FILTER, "{name}: {bytes} bytes");
    }
}

/// Names of the imported and of the exported interfaces, sorted.
fn interfaces(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("a WIT package, not a component");
    };
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = (&WorldKey, &WorldItem)>| {
        let mut names: Vec<String> = items.map(|(key, _)| name(&resolve, key)).collect();
        names.sort();
        names
    };
    (names(&mut world.imports.iter()), names(&mut world.exports.iter()))
}

fn name(resolve: &Resolve, key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => resolve.id_of(*id).unwrap(),
    }
}

//! Holds `wit/` to what was released: components that others have built against
//! a version of it must go on working.
//!
//! `wit/released/<version>.wit` is the text of a released version, printed from
//! the parsed package without docs, so that docs and layout are free to change.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use wit_component::WitPrinter;
use wit_parser::{
    Docs, Function, InterfaceId, PackageId, Resolve, Type, TypeDefKind, TypeOwner, WorldItem,
};

#[test]
fn the_contract_is_what_was_released_under_its_version() {
    let (resolve, package) = contract();
    let version = resolve.packages[package].name.version.clone().unwrap();
    let contract = without_docs(&resolve, package);
    let released = released_dir().join(format!("{version}.wit"));

    // `just wit-release`
    if env::var_os("WIT_RELEASE").is_some() && !released.exists() {
        fs::write(&released, &contract).unwrap();
    }

    let Ok(text) = fs::read_to_string(&released) else {
        panic!(
            "version {version} of the WIT package has no released text: run `just wit-release` \
             when it is final, and commit wit/released/{version}.wit"
        );
    };
    if let Some(difference) = first_difference(&text, &contract) {
        panic!(
            "wit/ is no longer what was released as version {version}:\n{difference}\n\
             Undo the change, or give the package in wit/types.wit a new version and run \
             `just wit-release`. A text in wit/released is never edited."
        );
    }
}

#[test]
fn every_released_text_is_named_by_its_version() {
    let mut versions = 0;
    for entry in fs::read_dir(released_dir()).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let version = file.file_stem().unwrap().to_str().unwrap();
        let first_line = format!("package agent:artifacts@{version};");
        assert_eq!(text.lines().next(), Some(first_line.as_str()), "{}", file.display());
        versions += 1;
    }
    assert!(versions > 0, "wit/released is empty");
}

#[test]
fn a_changed_contract_is_noticed_and_changed_docs_are_not() {
    let print = |text: &str| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", text).unwrap();
        without_docs(&resolve, package)
    };
    let released = print("package a:b@0.1.0; interface i { f: func() -> u32; }");
    let documented = print("package a:b@0.1.0;\n/// Docs.\ninterface i {\n  f: func() -> u32;\n}");
    assert_eq!(first_difference(&released, &documented), None);
    let changed = print("package a:b@0.1.0; interface i { f: func() -> u64; }");
    let difference = first_difference(&released, &changed).unwrap();
    assert!(difference.contains("- released:   f: func() -> u32;"), "{difference}");
    assert!(difference.contains("- now:        f: func() -> u64;"), "{difference}");
    let longer = print("package a:b@0.1.0; interface i { f: func() -> u32; g: func(); }");
    assert!(first_difference(&released, &longer).is_some());
}

#[test]
fn every_item_has_docs() {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    let mut bare = Vec::new();
    let mut check = |docs: &Docs, path: String| {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            bare.push(path);
        }
    };

    check(&package.docs, package.name.to_string());
    for (name, world) in &package.worlds {
        check(&resolve.worlds[*world].docs, format!("world {name}"));
        for item in resolve.worlds[*world].exports.values() {
            if let WorldItem::Function(function) = item {
                check(&function.docs, format!("world {name}, {}", function.name));
            }
        }
    }
    for (name, interface) in &package.interfaces {
        check(&resolve.interfaces[*interface].docs, format!("interface {name}"));
        for Function { name: function, docs, .. } in
            resolve.interfaces[*interface].functions.values()
        {
            check(docs, format!("{name}, {function}"));
        }
        check_types(&resolve, *interface, &mut |docs, item| check(docs, format!("{name}, {item}")));
    }
    assert!(bare.is_empty(), "without docs: {bare:#?}");
}

/// Every type that the interface itself declares, with its fields and cases.
fn check_types(resolve: &Resolve, interface: InterfaceId, check: &mut impl FnMut(&Docs, String)) {
    for (name, id) in &resolve.interfaces[interface].types {
        let declared = &resolve.types[*id];
        if let TypeDefKind::Type(Type::Id(original)) = declared.kind
            && resolve.types[original].owner != TypeOwner::Interface(interface)
        {
            continue; // a `use`
        }
        check(&declared.docs, name.clone());
        let parts: Vec<(&Docs, &str)> = match &declared.kind {
            TypeDefKind::Record(it) => it.fields.iter().map(|x| (&x.docs, &*x.name)).collect(),
            TypeDefKind::Variant(it) => it.cases.iter().map(|x| (&x.docs, &*x.name)).collect(),
            TypeDefKind::Enum(it) => it.cases.iter().map(|x| (&x.docs, &*x.name)).collect(),
            TypeDefKind::Flags(it) => it.flags.iter().map(|x| (&x.docs, &*x.name)).collect(),
            _ => Vec::new(),
        };
        for (docs, part) in parts {
            check(docs, format!("{name}.{part}"));
        }
    }
}

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit_dir()).unwrap();
    (resolve, package)
}

fn without_docs(resolve: &Resolve, package: PackageId) -> String {
    let mut printer = WitPrinter::default();
    printer.emit_docs(false).print(resolve, package, &[]).unwrap();
    printer.output.to_string()
}

/// The first line in which they differ, from both of them.
fn first_difference(released: &str, now: &str) -> Option<String> {
    let (mut before, mut after) = (released.lines(), now.lines());
    loop {
        match (before.next(), after.next()) {
            (None, None) => return None,
            (before, after) if before == after => {}
            (before, after) => {
                let end = "(the end)";
                return Some(format!(
                    "- released: {}\n- now:      {}",
                    before.unwrap_or(end),
                    after.unwrap_or(end)
                ));
            }
        }
    }
}

fn wit_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn released_dir() -> PathBuf {
    wit_dir().join("released")
}

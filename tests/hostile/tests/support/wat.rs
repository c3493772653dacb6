//! Makes components of the attacks in `components/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

const STORE: &str = "agent:artifacts/store@0.2.0";

/// The attack of this name, on top of `prelude.wat`, as a component of the world `policy`,
/// or of the only world in the `.wit` file beside it.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let module = wat::parse_str(module(&text(name))).unwrap();
    let (mut resolve, contract) = contract();
    let (package, world) = match fs::read_to_string(path(name, "wit")) {
        Ok(wit) => (resolve.push_str("attack.wit", &wit).unwrap(), None),
        Err(_) => (contract, Some("policy")),
    };
    encode(module, &resolve, package, world)
}

/// A component of a core module, which fits a world.
pub(crate) fn encode(
    mut module: Vec<u8>,
    resolve: &Resolve,
    package: PackageId,
    world: Option<&str>,
) -> Vec<u8> {
    let world = resolve.select_world(&[package], world).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// The contract, as it is in `wit/`.
pub(crate) fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(workspace().join("wit")).unwrap();
    (resolve, package)
}

/// A core module of the prelude and the fields of an attack, with the five exports.
pub(crate) fn module(attack: &str) -> String {
    let prelude = text("prelude");
    // Imports come before everything else.
    let (imports, fields): (Vec<&str>, Vec<&str>) =
        prelude.lines().chain(attack.lines()).partition(|line| line.starts_with("(import "));
    let own = |function: &str| attack.contains(&format!("(func ${function} "));
    let mut exports = Vec::new();
    for name in ["put", "get", "head", "delete", "list"] {
        let function = if own(name) { name.to_owned() } else { format!("pass-{name}") };
        exports.push(format!(r#"(export "{STORE}#{name}" (func ${function}))"#));
    }
    let realloc = if own("realloc") { "realloc" } else { "bump" };
    exports.push(format!(r#"(export "cabi_realloc" (func ${realloc}))"#));
    if own("post-head") {
        exports.push(format!(r#"(export "cabi_post_{STORE}#head" (func $post-head))"#));
    }
    format!("(module\n{}\n{}\n{}\n)", imports.join("\n"), fields.join("\n"), exports.join("\n"))
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name, "wat")).unwrap()
}

fn path(name: &str, extension: &str) -> PathBuf {
    workspace().join("tests/hostile/components").join(name).with_extension(extension)
}

/// From here and from `fuzz/`.
pub(crate) fn workspace() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.find(|folder| folder.join("wit").is_dir()).unwrap().to_owned()
}

/// The component, and so many instances of a core module besides.
///
/// A component's binary is a series of sections, and more may follow: 1 is a core module,
/// 2 makes core instances.
pub(crate) fn with_instances(mut component: Vec<u8>, module: &str, instances: u8) -> Vec<u8> {
    let number = modules(&component);
    let module = wat::parse_str(module).unwrap();
    let mut made = vec![instances];
    for _ in 0..instances {
        // Instantiated, that module, without arguments.
        made.extend([0, number, 0]);
    }
    for (kind, contents) in [(1, module), (2, made)] {
        component.push(kind);
        component.push(u8::try_from(contents.len()).unwrap());
        component.extend(contents);
    }
    component
}

/// The core modules that a component has.
fn modules(component: &[u8]) -> u8 {
    let (mut at, mut modules) = (8, 0);
    while at < component.len() {
        modules += u8::from(component[at] == 1);
        let (mut length, mut shift) = (0, 0);
        loop {
            at += 1;
            length |= usize::from(component[at] & 127) << shift;
            shift += 7;
            if component[at] < 128 {
                break;
            }
        }
        at += 1 + length;
    }
    modules
}

//! Bytes that are no policy, and components that are none or want more than they get.
//! Those that stand in for the store component are in `host/runtime/tests/component.rs`.

use artifact_store::{ErrorKind, Policy, StoreComponent};
use insta::assert_snapshot;
use wit_parser::Resolve;

use crate::support::{behind, told, wat, wat_policy};

/// What the user is told of a policy that does not start.
async fn refused(bytes: Vec<u8>) -> String {
    let error = behind(Policy::from_bytes(bytes).name("tenant")).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    told(&error)
}

fn text(component: &str) -> Vec<u8> {
    ::wat::parse_str(component).unwrap()
}

/// The policy that passes every call on, for a contract that says something else.
fn with_contract(change: impl Fn(String) -> String, attack: &str) -> Vec<u8> {
    let folder = wat::workspace().join("wit");
    let mut resolve = Resolve::default();
    let config = std::fs::read_to_string(folder.join("deps/wasi-config/store.wit")).unwrap();
    resolve.push_str("config.wit", &config).unwrap();
    let mut contract = String::new();
    for name in ["types", "objects", "store"] {
        let file = std::fs::read_to_string(folder.join(name).with_extension("wit")).unwrap();
        contract.push_str(&file);
    }
    contract.push_str(
        "world policy { import wasi:config/store@0.2.0-rc.1; import store; export store; }",
    );
    let package = resolve.push_str("contract.wit", &change(contract)).unwrap();
    let module = ::wat::parse_str(attack).unwrap();
    wat::encode(module, &resolve, package, Some("policy"))
}

#[tokio::test]
async fn no_webassembly() {
    let told = refused(b"\x7fELF and so on".to_vec()).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" is no WebAssembly component
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn a_core_module() {
    let told = refused(text("(module)")).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" is a core module and no component: link it with wasm-component-ld, or turn it into one with `wasm-tools component new`
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn a_truncated_file() {
    let whole = wat::component("state");
    let told = refused(whole[..whole.len() / 2].to_vec()).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: unexpected end-of-file (at offset 0x16b9)
    "#);
}

/// Wherever it is cut: an error, and nothing else.
#[tokio::test]
async fn a_file_that_is_cut_anywhere() {
    let whole = wat::component("state");
    for end in (0..whole.len()).step_by(97) {
        refused(whole[..end].to_vec()).await;
    }
}

/// Whichever byte is another: an error, or a component like any other.
#[tokio::test]
async fn a_file_with_a_byte_that_is_wrong() {
    let whole = wat::component("state");
    for at in (8..whole.len()).step_by(61) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        let _ = behind(Policy::from_bytes(broken)).await.map(drop);
    }
}

#[tokio::test]
async fn a_huge_file() {
    let mut huge = b"\0asm\x0d\0\x01\0".to_vec();
    huge.resize(StoreComponent::MAX_BYTES + 1, 0);
    let told = refused(huge).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" has 33554433 bytes, and at most 33554432 are taken
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn a_deeply_nested_file() {
    // As text it would be the parser of the text that gives up: one section in another.
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..2000 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        let mut length = nested.len();
        while length > 127 {
            outer.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        outer.push(u8::try_from(length).unwrap());
        outer.append(&mut nested);
        nested = outer;
    }
    let told = refused(nested).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" nests modules or components more than 32 deep
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn a_section_that_is_longer_than_the_file() {
    let told = refused(b"\0asm\x0d\0\x01\0\x01\xff\xff\xff\xff\x0f".to_vec()).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: module section is too large (at offset 0x9)
    "#);
}

#[tokio::test]
async fn a_precompiled_file() {
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(&wat::component("state")).unwrap();
    let told = refused(compiled).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" is precompiled, and could hold any machine code: give the component that it was made from
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn wasi() {
    let told = refused(text(
        r#"(component
            (import "wasi:cli/environment@0.2.3" (instance))
            (import "wasi:filesystem/preopens@0.2.3" (instance))
            (import "wasi:sockets/tcp@0.2.3" (instance)))"#,
    ))
    .await;
    assert_snapshot!(told, @r#"
    the policy "tenant" imports `wasi:cli/environment`, `wasi:filesystem/preopens`, `wasi:sockets/tcp`, which it is not granted: `PolicyGrant::empty_wasi(true)`, or `wasi = "empty"` in artifacts.toml grants it
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn an_interface_that_nobody_knows() {
    let told = refused(text(r#"(component (import "evil:corp/backdoor" (instance)))"#)).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" imports `evil:corp/backdoor`, which the world `policy` does not grant: it may import agent:artifacts/types, agent:artifacts/objects, agent:artifacts/store, wasi:config/store
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn an_import_that_is_no_interface() {
    let told = refused(text(r#"(component (import "system" (func (param "c" string))))"#)).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" imports `system`, which the world `policy` does not grant: it may import agent:artifacts/types, agent:artifacts/objects, agent:artifacts/store, wasi:config/store
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn many_imports_with_long_names() {
    let import = |at| format!("(import \"evil:corp/{}-a{at}\" (instance))", "a".repeat(500));
    let imports: Vec<String> = (0..1000).map(import).collect();
    let imports = imports.concat();
    let told = refused(text(&format!("(component {imports})"))).await;
    assert!(told.contains("`evil:corp/aaaa") && told.len() < 2000, "{told}");
}

#[tokio::test]
async fn an_import_that_takes_a_grant() {
    let told = told(&behind(wat_policy("log-flood")).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" imports `agent:artifacts/log`, which it is not granted: `PolicyGrant::log(10)`, or `log-per-second = 10` in artifacts.toml grants it
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn the_imports_of_another_world() {
    let told = refused(artifact_guests::HOSTILE.to_vec()).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" imports `agent:artifacts/s3@0.2.0`, which the world `policy` does not grant: it may import agent:artifacts/types, agent:artifacts/objects, agent:artifacts/store, wasi:config/store
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn an_export_that_is_missing() {
    let told = refused(text("(component)")).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" does not export `agent:artifacts/store`: it is no component of the world `policy`
    invalid-config, blame: Caller, do not try again
    "#);
}

#[tokio::test]
async fn an_export_without_functions() {
    let told = refused(text(
        r#"(component (instance $e) (export "agent:artifacts/store@0.2.0" (instance $e)))"#,
    ))
    .await;
    assert_snapshot!(told, @r#"
    the policy "tenant" does not fit the world `policy`
    invalid-config, blame: Caller, do not try again
    cause: `agent:artifacts/store@0.2.0` has no function `put`
    "#);
}

#[tokio::test]
async fn an_import_of_another_version() {
    let later = |wit: String| wit.replace("agent:artifacts@0.2.0", "agent:artifacts@0.9.0");
    // Not `wasi:config/store@0.2.0-rc.1`.
    let module = wat::module("").replace("@0.2.0\"", "@0.9.0\"").replace("@0.2.0#", "@0.9.0#");
    let told = refused(with_contract(later, &module)).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" does not fit the world `policy`
    invalid-config, blame: Caller, do not try again
    cause: component imports instance `agent:artifacts/objects@0.9.0`, but a matching implementation was not found in the linker
    cause: instance export `body` has the wrong type
    cause: resource implementation is missing
    "#);
}

/// `size` is a u32 here: the names are right, and the types are not.
#[tokio::test]
async fn types_that_are_others() {
    let narrow = |wit: String| wit.replace("size: u64", "size: u32");
    let told = refused(with_contract(narrow, &wat::module(""))).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" does not fit the world `policy`
    invalid-config, blame: Caller, do not try again
    cause: component imports instance `agent:artifacts/objects@0.2.0`, but a matching implementation was not found in the linker
    cause: instance export `[method]receipt.info` has the wrong type
    cause: type mismatch with results
    cause: type mismatch for field size
    cause: expected `u64` found `u32`
    "#);
}

/// `head` takes no options here.
#[tokio::test]
async fn a_function_of_another_shape() {
    let bare = |wit: String| {
        wit.replace("head: func(key: string, options: get-options)", "head: func(key: string)")
    };
    let module = wat::module("(func $head (param i32 i32) (result i32) unreachable)")
        .replace(
            "\"head\" (func $next-head (param i32 i32))",
            "\"head\" (func $next-head (param i32 i32 i32))",
        )
        .replace(
            "(call $next-head (local.get $args) (i32.const 1024))",
            "(call $next-head (local.get $args) (i32.const 0) (i32.const 1024))",
        );
    let told = refused(with_contract(bare, &module)).await;
    assert_snapshot!(told, @r#"
    the policy "tenant" does not fit the world `policy`
    invalid-config, blame: Caller, do not try again
    cause: component imports instance `agent:artifacts/store@0.2.0`, but a matching implementation was not found in the linker
    cause: instance export `head` has the wrong type
    cause: type mismatch with parameters
    cause: expected 2-tuple, found 1-tuple
    "#);
}

#[tokio::test]
async fn a_start_function_that_traps() {
    let module = wat::module("(func $trap unreachable) (start $trap)");
    let told = refused(with_contract(|wit| wit, &module)).await;
    assert_snapshot!(told, @r#"
    no instance of the policy "tenant" can be made
    invalid-config, blame: Caller, do not try again
    cause: the policy "tenant" cannot be started
    cause: wasm trap: wasm `unreachable` instruction executed
    "#);
}

/// The host has not said which instances there are when this runs.
#[tokio::test]
async fn a_start_function_that_calls_the_next_store() {
    let module = wat::module(
        "(func $early (call $next-head (i32.const 0) (i32.const 1024))) (start $early)",
    );
    let told = refused(with_contract(|wit| wit, &module)).await;
    assert_snapshot!(told, @r#"
    no instance of the policy "tenant" can be made
    invalid-config, blame: Caller, do not try again
    cause: the policy "tenant" cannot be started
    cause: wasm trap: uninitialized element
    "#);
}

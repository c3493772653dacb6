//! Components that are not taken, and what the user is told.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact_s3::MemoryS3;
use artifact_store::{ArtifactStore, ErrorKind, StoreComponent};

/// The whole chain of messages of a store that does not start.
async fn refusal(component: StoreComponent) -> String {
    let error = ArtifactStore::builder()
        .bucket("bucket")
        .client(MemoryS3::new())
        .component(component)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    let mut chain = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        chain = format!("{chain}: {error}");
        source = error.source();
    }
    chain
}

fn wat(text: &str) -> StoreComponent {
    StoreComponent::from_bytes(wat::parse_str(text).unwrap())
}

#[tokio::test]
async fn what_is_no_wasm_is_refused() {
    for bytes in [&b""[..], b"hello", b"\0asm", b"\x7fELF precompiled"] {
        assert_eq!(
            refusal(StoreComponent::from_bytes(bytes)).await,
            "the component is no WebAssembly component"
        );
    }
}

#[tokio::test]
async fn a_core_module_is_refused_with_the_way_out() {
    let chain = refusal(wat("(module)")).await;
    assert!(chain.contains("is a core module and no component"), "{chain}");
    assert!(chain.contains("wasm-tools component new"), "{chain}");
}

#[tokio::test]
async fn a_broken_component_is_refused() {
    let mut bytes = artifact_guests::STORE.to_vec();
    bytes.truncate(bytes.len() / 2);
    let chain = refusal(StoreComponent::from_bytes(bytes)).await;
    assert!(chain.starts_with("the component is not valid: "), "{chain}");
}

#[tokio::test]
async fn a_component_without_the_export_is_refused_by_its_name() {
    assert_eq!(
        refusal(wat("(component)")).await,
        "the component does not export `agent:artifacts/store`: it is no component of the world \
         `artifact-store`"
    );
}

#[tokio::test]
async fn an_import_that_is_not_granted_is_refused_by_its_name() {
    let chain = refusal(wat(
        r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)) (import "agent:artifacts/s3@0.2.0" (instance)))"#,
    ))
    .await;
    assert_eq!(
        chain,
        "the component imports `wasi:sockets/tcp@0.2.0`, which the world `artifact-store` does not \
         grant: it may import agent:artifacts/types, agent:artifacts/objects, agent:artifacts/s3, \
         wasi:config/store"
    );
}

#[tokio::test]
async fn imports_within_nested_components_are_not_those_of_the_outer_one() {
    let chain = refusal(wat(
        r#"(component (component (import "a:b/c" (instance))) (import "x:y/z" (instance)))"#,
    ))
    .await;
    assert!(chain.contains("imports `x:y/z`,"), "{chain}");
}

#[tokio::test]
async fn an_export_of_another_shape_is_refused() {
    let chain = refusal(wat(
        r#"(component (instance $empty) (export "agent:artifacts/store@0.2.0" (instance $empty)))"#,
    ))
    .await;
    assert!(chain.contains("does not fit the world `artifact-store`"), "{chain}");
}

#[tokio::test]
async fn a_component_over_the_size_cap_is_refused_before_it_is_compiled() {
    let chain = refusal(StoreComponent::from_bytes(vec![0; StoreComponent::MAX_BYTES + 1])).await;
    assert_eq!(chain, "the component has 33554433 bytes, and at most 33554432 are taken");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let error = StoreComponent::from_file("no/such/policy.wasm").await.unwrap_err();
    assert_eq!(error.to_string(), "the component no/such/policy.wasm cannot be read");
}

#[tokio::test]
async fn a_component_from_a_file_works_as_the_bundled_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), artifact_guests::STORE).unwrap();
    let store = ArtifactStore::builder()
        .bucket("bucket")
        .client(MemoryS3::new())
        .component(StoreComponent::from_file(file.path()).await.unwrap())
        .start()
        .await
        .unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
}

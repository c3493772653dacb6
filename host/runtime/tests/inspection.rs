//! What files say of themselves, those among them that were made to lie.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact_store::{FileKind, Import, Inspection, PolicyGrant, StoreComponent, World};

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn inspect(text: &str) -> Inspection {
    Inspection::of_bytes(&wat(text)).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    Inspection::of_bytes(bytes).unwrap_err().to_string()
}

/// A component with one import of this name, whatever the name.
fn importing(name: &[u8]) -> Vec<u8> {
    fn leb(bytes: &mut Vec<u8>, mut n: usize) {
        while n >= 0x80 {
            bytes.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        bytes.push(u8::try_from(n).unwrap());
    }
    let mut import = vec![1, 0];
    leb(&mut import, name.len());
    import.extend(name);
    import.extend([5, 0]);
    // The type of an empty instance comes first.
    let mut bytes = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a".to_vec();
    leb(&mut bytes, import.len());
    bytes.extend(import);
    bytes
}

#[test]
fn the_first_bytes_tell_what_it_is() {
    let engine = wasmtime::Engine::default();
    let precompiled = engine.precompile_component(&wat("(component)")).unwrap();
    for (bytes, kind) in [
        (&wat("(component)")[..], FileKind::Component),
        (&wat("(module)"), FileKind::CoreModule),
        (&precompiled, FileKind::Precompiled),
        (b"\n  (component)", FileKind::Text),
        (b";; a comment", FileKind::Text),
        (b"\x7fELF and nothing more", FileKind::Unknown),
        (b"hello", FileKind::Unknown),
        (b"", FileKind::Unknown),
    ] {
        let inspection = Inspection::of_bytes(bytes).unwrap();
        assert_eq!(inspection.kind(), kind);
        assert_eq!(inspection.size(), bytes.len());
        let fits = inspection.check(World::Policy, &[]);
        let error = fits.unwrap_err().to_string();
        assert!(error.starts_with("the component "), "{kind:?}: {error}");
    }
}

#[test]
fn the_bundled_components_are_what_their_worlds_say() {
    let store = Inspection::of_bytes(artifact_guests::STORE).unwrap();
    assert_eq!(store.worlds(), [World::ArtifactStore]);
    assert!(store.needs().is_empty());
    let tenant = Inspection::of_bytes(artifact_guests::policies::TENANT).unwrap();
    assert_eq!(tenant.worlds(), [World::Policy]);
    let exports: Vec<_> = tenant.exports().iter().map(ToString::to_string).collect();
    assert_eq!(exports, ["agent:artifacts/store@0.2.0"]);
    assert_eq!(tenant.exports()[0].name(), "agent:artifacts/store");
    assert_eq!(tenant.exports()[0].version(), Some("0.2.0"));
}

#[test]
fn what_it_needs_is_told_with_what_grants_it() {
    let policy = inspect(
        r#"(component (import "agent:artifacts/digest@0.2.0" (instance))
             (import "agent:artifacts/log@0.2.0" (instance))
             (instance $s) (export "agent:artifacts/store@0.2.0" (instance $s)))"#,
    );
    assert_eq!(policy.needs(), [Import::Digest, Import::Log]);
    assert_eq!(policy.worlds(), [World::Policy]);
    let grant = PolicyGrant::none().digest(true);
    let error = policy.check(World::Policy, &grant.imports()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the component imports `agent:artifacts/log`, which it is not granted: \
         `PolicyGrant::log(10)`, or `log-per-second = 10` in artifacts.toml grants it"
    );
    policy.check(World::Policy, &grant.log(1).imports()).unwrap();
}

#[test]
fn what_no_world_has_fits_none() {
    let greedy = inspect(
        r#"(component (import "evil:corp/door@0.2.0" (instance))
             (instance $s) (export "agent:artifacts/store@0.2.0" (instance $s)))"#,
    );
    assert!(greedy.worlds().is_empty() && greedy.needs().is_empty());
    // A function of that name is no store.
    let function =
        inspect(r#"(component (import "f" (func $f)) (export "agent:artifacts-store" (func $f)))"#);
    assert!(function.worlds().is_empty());
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let nested = |depth| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    assert_eq!(inspect(&nested(33)).kind(), FileKind::Component);
    assert_eq!(
        refusal(&wat(&nested(34))),
        "the component nests modules or components more than 32 deep"
    );
    // Each section claims to hold the next, up to a million of them.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..1_000_000 {
        bytes.extend(b"\x04\xff\xff\xff\x0f\0asm\x0d\0\x01\0");
    }
    assert!(!refusal(&bytes).is_empty());
}

#[test]
fn imports_without_end_are_refused() {
    let imports =
        |n| (0..n).map(|n| format!("(import \"i{n}\" (func))")).collect::<Vec<_>>().concat();
    assert_eq!(inspect(&format!("(component {})", imports(1000))).imports().len(), 1000);
    let error = refusal(&wat(&format!("(component {})", imports(1001))));
    assert_eq!(error, "the component imports more than 1000 things");
}

#[test]
fn names_are_shown_cut_and_printable_and_taken_for_no_other() {
    let name =
        |bytes: &[u8]| Inspection::of_bytes(&importing(bytes)).unwrap().imports()[0].to_string();
    assert_eq!(name(b"a:b/c@1.0.0"), "a:b/c@1.0.0");
    assert_eq!(name(b"a\x1b[31m\r\nb"), "a\u{fffd}[31m\u{fffd}\u{fffd}b");
    assert_eq!(name(&[b'x'; 9000]).len(), 256);
    for disguised in [&b"agent:artifacts/digest\n"[..], b"\0agent:artifacts/digest"] {
        assert!(Inspection::of_bytes(&importing(disguised)).unwrap().needs().is_empty());
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_read_and_never_more() {
    let bytes = artifact_guests::policies::TENANT;
    for length in (0..bytes.len()).step_by(7) {
        // Between two sections it may end.
        drop(Inspection::of_bytes(&bytes[..length]));
    }
    let length = bytes.len() - 1;
    assert!(refusal(&bytes[..length]).starts_with("the component is not valid"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_end_is_not_read_to_it() {
    let error = Inspection::of_file("/dev/zero").await.unwrap_err().to_string();
    let most = StoreComponent::MAX_BYTES;
    assert!(error.ends_with(&format!("and at most {most} are taken")), "{error}");
}

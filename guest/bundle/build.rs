//! Compiles the bundled components with a cargo of its own.
//!
//! They live in a target folder beside the outer build's, `guests`, so `build`,
//! `test` and `clippy` share them and the two cargos never wait for one lock.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// Each component: its file in `OUT_DIR`, its package and binary, its folder.
type Guest = (&'static str, &'static str, &'static str);

const STORE: Guest = ("store.wasm", "artifact-guest-store", "guest/store");
const READ_ONLY: Guest =
    ("read-only.wasm", "artifact-policy-read-only", "guest/policies/read-only");
const TENANT: Guest = ("tenant.wasm", "artifact-policy-tenant", "guest/policies/tenant");
const KEY_RULES: Guest =
    ("key-rules.wasm", "artifact-policy-key-rules", "guest/policies/key-rules");
const CONTENT_ADDRESSED: Guest = (
    "content-addressed.wasm",
    "artifact-policy-content-addressed",
    "guest/policies/content-addressed",
);
const RETENTION: Guest =
    ("retention.wasm", "artifact-policy-retention", "guest/policies/retention");
const AUDIT: Guest = ("audit.wasm", "artifact-policy-audit", "guest/policies/audit");
const FILTERS: [Guest; 2] = [
    ("gzip.wasm", "artifact-filter-gzip", "guest/filters/gzip"),
    ("encrypt.wasm", "artifact-filter-encrypt", "guest/filters/encrypt"),
];
const HOSTILE: [Guest; 4] = [
    ("hostile.wasm", "artifact-guest-hostile", "guest/hostile"),
    ("hostile-filter.wasm", "artifact-guest-hostile-filter", "guest/hostile-filter"),
    ("hostile-policy.wasm", "artifact-guest-hostile-policy", "guest/hostile-policy"),
    ("hostile-s3.wasm", "artifact-guest-hostile-s3", "guest/hostile-s3"),
];
const MEMORY_S3: Guest = ("memory-s3.wasm", "artifact-guest-memory-s3", "guest/memory-s3");

/// What guests are made of besides their own folders.
const SHARED: [&str; 6] =
    ["wit", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "guest/filters/pieces", "guest/heap"];

/// Settings of the outer build that would change or break the inner one: flags
/// for another target (they would also replace those of `.cargo/config.toml`),
/// and the wrappers by which clippy and others step into the compiler's place.
const REMOVED: [&str; 9] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Small: a host that keeps no compiled code compiles them at every start.
const SMALL: [&str; 2] = ["--config", "profile.release.opt-level='s'"];

/// Fast: a filter computes on every byte. A list joins that of `.cargo/config.toml`.
const FAST: [&str; 4] = [
    "--config",
    "profile.release.opt-level=3",
    "--config",
    "target.wasm32-unknown-unknown.rustflags=['-Ctarget-feature=+simd128']",
];

const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
];

fn main() {
    if let Err(error) = run() {
        // `cargo::error` is one line to its reader; a failing exit would bury it.
        println!("cargo::error={error}");
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let workspace = workspace()?;
    let mut wanted = vec![STORE, READ_ONLY, TENANT, KEY_RULES, CONTENT_ADDRESSED, RETENTION, AUDIT];
    if env::var_os("CARGO_FEATURE_HOSTILE").is_some() {
        wanted.extend(HOSTILE);
    }
    if env::var_os("CARGO_FEATURE_MEMORY_S3").is_some() {
        wanted.push(MEMORY_S3);
    }
    println!("cargo::rerun-if-changed=build.rs");
    for source in wanted.iter().chain(&FILTERS).map(|(_, _, folder)| folder).chain(&SHARED) {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }

    if !target_is_installed()? {
        return Err(format!(
            "the components need the target {TARGET}: run `rustup target add {TARGET}`"
        )
        .into());
    }

    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let guests = target_dir(&out_dir)?.join("guests");
    build(&workspace, &guests, &SMALL, &wanted)?;
    build(&workspace, &guests, &FAST, &FILTERS)?;
    for (file, binary, _) in wanted.iter().chain(&FILTERS) {
        let built = guests.join(TARGET).join("release").join(binary).with_extension("wasm");
        fs::copy(&built, out_dir.join(file))
            .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    }
    Ok(())
}

fn build(
    workspace: &Path,
    target_dir: &Path,
    settings: &[&str],
    wanted: &[Guest],
) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--release", "--target", TARGET])
        .args(settings)
        .env("CARGO_TARGET_DIR", target_dir)
        .envs(PROFILE);
    for name in REMOVED {
        cargo.env_remove(name);
    }
    for (_, binary, _) in wanted {
        cargo.args(["--package", binary, "--bin", binary]);
    }
    // What the inner cargo says of its failure is shown, because this exits too.
    if !cargo.status()?.success() {
        std::process::exit(1);
    }
    Ok(())
}

/// A target that is not installed has no folder, with or without rustup.
fn target_is_installed() -> Result<bool, Box<dyn Error>> {
    let output = Command::new(variable("RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let folder = String::from_utf8(output.stdout)?;
    Ok(output.status.success() && Path::new(folder.trim_end()).is_dir())
}

fn workspace() -> Result<PathBuf, Box<dyn Error>> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = here.ancestors().nth(2).ok_or("this package has left its workspace")?;
    Ok(workspace.to_owned())
}

/// The outer build's target folder: `OUT_DIR` is `<target>/[<triple>/]<profile>/build/…`.
fn target_dir(out_dir: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut above = out_dir.ancestors().skip_while(|dir| !dir.ends_with("build")).skip(2);
    let target = above.next().ok_or("OUT_DIR is not in a target folder")?;
    match above.next() {
        Some(parent) if target.ends_with(variable("TARGET")?) => Ok(parent.to_owned()),
        _ => Ok(target.to_owned()),
    }
}

fn variable(name: &str) -> Result<OsString, Box<dyn Error>> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}").into())
}

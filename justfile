# What there is to do in this workspace. `just` alone lists it.
#
# Each recipe sets up what it needs first; where it is there, that takes no time.

set shell := ["bash", "-euo", "pipefail", "-c"]

wasm_target := "wasm32-unknown-unknown"

[private]
default:
    @just --list --unsorted

# Stores, reads and deletes an artifact over signed HTTP, and shows each step
demo: setup
    cargo run -p artifact-cli -- demo

# Runs all tests that need nothing but this workspace
test: setup
    cargo test --workspace

# Runs the suite against a real S3 server, SeaweedFS, which it installs and stops
test-seaweedfs: setup
    tests/servers/seaweedfs

# Random operations over connections that break, for SOAK_SECONDS (120), from SOAK_SEED
soak: setup
    cargo run --quiet -p artifact-soak

# Measures everything beside its peers; report, plots and bars in target/bench
bench *arguments: setup _bench_program
    env -u CARGO_TARGET_DIR cargo run --release --locked --manifest-path tests/bench/Cargo.toml -- {{ arguments }}

# The same in under five minutes: fewer cells and rounds, never other bars
bench-quick *arguments: setup _bench_program
    env -u CARGO_TARGET_DIR cargo run --release --locked --manifest-path tests/bench/Cargo.toml -- --quick {{ arguments }}

# Lints and tests the benchmark itself; CI does not, as it would have to build all peers
bench-check: setup
    env -u CARGO_TARGET_DIR cargo fmt --check --manifest-path tests/bench/Cargo.toml
    env -u CARGO_TARGET_DIR cargo clippy --release --locked --all-targets --manifest-path tests/bench/Cargo.toml -- -D warnings
    env -u CARGO_TARGET_DIR cargo test --release --locked --manifest-path tests/bench/Cargo.toml

# Counts the instructions of a call's path with valgrind, and holds them against bounds
instructions: setup
    cargo run --quiet --profile instructions -p artifact-instructions

# The program whose start is measured, as users build it
_bench_program:
    env -u CARGO_TARGET_DIR cargo build --release --locked --package artifact-cli

# Builds the policies in JavaScript and Python, and tests those and the one in WAT
test-polyglot: setup
    tests/polyglot

# All that CI checks besides the tests: format, lints, dependencies, docs, contract, instructions
check: setup _lockfile _format _clippy _dependencies _advisories docs _contract instructions

# Builds the API documentation, where a warning is an error
docs: setup
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Keeps the text of the WIT package's present version in wit/released
wit-release: setup
    WIT_RELEASE=1 cargo test -p artifact-contract --test wit_release the_contract_is_what_was_released

# Writes the WIT package as one file that other tools take, target/agent-artifacts.wasm
wit-package: setup
    WIT_PACKAGE="{{ justfile_directory() }}/target/agent-artifacts.wasm" \
        cargo test --quiet -p artifact-contract --test wit_package
    @echo target/agent-artifacts.wasm

# Installs the components' target and the tools that ship with Rust
setup:
    #!/usr/bin/env bash
    set -euo pipefail
    if ! command -v rustup >/dev/null; then
        # Rust from elsewhere: the build says what is missing, if anything is.
        exit 0
    fi
    # The toolchain that rust-toolchain.toml names, where nothing may install it unasked.
    rustc --version >/dev/null 2>&1 || rustup toolchain install
    if ! rustup target list --installed | grep -qx "{{ wasm_target }}"; then
        rustup target add "{{ wasm_target }}"
    fi
    installed=$(rustup component list --installed)
    for component in clippy rustfmt; do
        grep -q "^$component" <<<"$installed" || rustup component add "$component"
    done

_lockfile:
    cargo metadata --locked --format-version 1 >/dev/null

_format:
    cargo fmt --all --check

_clippy:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Licences, versions and origins of the dependencies
_dependencies: _cargo-deny
    cargo deny check licenses bans sources

# Known vulnerabilities. Only a database that cannot be had is passed over.
_advisories: _cargo-deny
    #!/usr/bin/env bash
    set -euo pipefail
    if answer=$(cargo deny fetch db 2>&1); then
        cargo deny --offline check advisories
        exit
    fi
    printf '%s\n' "$answer"
    grep -q "failed to fetch advisory database" <<<"$answer"
    echo "skipped: advisories: the advisory database cannot be fetched from here"

_cargo-deny:
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2

_contract:
    cargo test -p artifact-contract --test wit_release

use std::fmt;

use crate::{Error, FileKind, Inspection, Interface};

/// What a component is made for: what it may import, and must export.
///
/// Source: the worlds in `wit/worlds.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum World {
    /// A store over S3.
    ArtifactStore,
    /// A policy in front of a store.
    Policy,
    /// What changes the bytes.
    ContentFilter,
    /// An S3 client.
    S3Client,
}

/// An interface that a component may import only where it is granted that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Import {
    /// `agent:artifacts/digest`
    Digest,
    /// `agent:artifacts/clock`
    Clock,
    /// `agent:artifacts/log`
    Log,
    /// WASI 0.2, as far as a command line program has it.
    Wasi,
}

impl Import {
    pub(crate) const ALL: [Self; 4] = [Self::Digest, Self::Clock, Self::Log, Self::Wasi];

    /// Its name, without a version; `wasi` stands for all interfaces of WASI.
    #[must_use]
    pub fn interface(self) -> &'static str {
        match self {
            Self::Digest => "agent:artifacts/digest",
            Self::Clock => "agent:artifacts/clock",
            Self::Log => "agent:artifacts/log",
            Self::Wasi => "wasi",
        }
    }

    /// Whether this interface, without a version, is of it.
    pub(crate) fn covers(self, interface: &str) -> bool {
        match self {
            Self::Wasi => interface
                .split_once('/')
                .is_some_and(|(package, _)| WASI_PACKAGES.contains(&package)),
            Self::Digest | Self::Clock | Self::Log => interface == self.interface(),
        }
    }

    /// What grants it in code.
    #[must_use]
    pub fn grant(self) -> &'static str {
        match self {
            Self::Digest => "PolicyGrant::digest(true)",
            Self::Clock => "PolicyGrant::clock(true)",
            Self::Log => "PolicyGrant::log(10)",
            Self::Wasi => "PolicyGrant::empty_wasi(true)",
        }
    }

    /// What grants it in a `[[policy]]` of artifacts.toml.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::Digest => "digest = true",
            Self::Clock => "clock = true",
            Self::Log => "log-per-second = 10",
            Self::Wasi => "wasi = \"empty\"",
        }
    }
}

/// Those of the world `wasi:cli/imports`.
const WASI_PACKAGES: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

const TYPES: &str = "agent:artifacts/types";
const OBJECTS: &str = "agent:artifacts/objects";
const CONTENT: &str = "agent:artifacts/content";
const S3: &str = "agent:artifacts/s3";
const STORE: &str = "agent:artifacts/store";
const SETTINGS: &str = "wasi:config/store";

impl World {
    pub(crate) const ALL: [Self; 4] =
        [Self::ArtifactStore, Self::Policy, Self::ContentFilter, Self::S3Client];

    /// Its name in the contract: `artifact-store`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ArtifactStore => "artifact-store",
            Self::Policy => "policy",
            Self::ContentFilter => "content-filter",
            Self::S3Client => "s3-client",
        }
    }

    /// What every component of the world may import.
    fn imports(self) -> &'static [&'static str] {
        match self {
            Self::ArtifactStore => &[TYPES, OBJECTS, S3, SETTINGS],
            Self::Policy => &[TYPES, OBJECTS, STORE, SETTINGS],
            Self::ContentFilter | Self::S3Client => &[TYPES, SETTINGS],
        }
    }

    /// What every component of the world must export.
    fn exports(self) -> &'static [&'static str] {
        match self {
            Self::ArtifactStore | Self::Policy => &[STORE],
            Self::ContentFilter => &["agent:artifacts/filter"],
            Self::S3Client => &[OBJECTS, CONTENT, S3],
        }
    }

    /// What could be granted to a component of the world besides.
    pub(crate) fn grantable(self) -> &'static [Import] {
        match self {
            Self::ArtifactStore | Self::ContentFilter | Self::S3Client => &[],
            Self::Policy => &Import::ALL,
        }
    }

    /// Whether this is a component of the world that imports nothing ungranted. That
    /// the types fit is for the linker to say, once it is compiled.
    pub(crate) fn check(self, inspection: &Inspection, granted: &[Import]) -> Result<(), Error> {
        let origin = inspection.origin();
        check_kind(inspection)?;
        let imports = inspection.imports();
        let ungranted = self.grantable().iter().filter(|import| !granted.contains(import));
        for import in ungranted {
            let covered = imports.iter().map(Interface::name).filter(|name| import.covers(name));
            // Of WASI there are dozens; a few tell what it is.
            let covered: Vec<String> = covered.take(5).map(|name| format!("`{name}`")).collect();
            if !covered.is_empty() {
                return Err(Error::config(format!(
                    "{origin} imports {}, which it is not granted: `{}`, or `{}` in \
                     artifacts.toml grants it",
                    covered.join(", "),
                    import.grant(),
                    import.setting()
                )));
            }
        }
        let world = self.imports();
        let known =
            |name: &str| world.contains(&name) || granted.iter().any(|import| import.covers(name));
        let foreign: Vec<String> = imports
            .iter()
            .filter(|import| !known(import.name()))
            .map(|import| format!("`{import}`"))
            // There may be any number of them.
            .take(5)
            .collect();
        if !foreign.is_empty() {
            return Err(Error::config(format!(
                "{origin} imports {}, which the world `{self}` does not grant: it may import {}",
                foreign.join(", "),
                world.join(", "),
            )));
        }
        let offers = |export: &str| {
            inspection.exports().iter().any(|name| name.name() == export && name.is_instance())
        };
        if let Some(export) = self.exports().iter().find(|export| !offers(export)) {
            return Err(Error::config(format!(
                "{origin} does not export `{export}`: it is no component of the world `{self}`",
            )));
        }
        Ok(())
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn check_kind(inspection: &Inspection) -> Result<(), Error> {
    let what = match inspection.kind() {
        FileKind::Component => return Ok(()),
        FileKind::CoreModule => {
            "is a core module and no component: link it with wasm-component-ld, or turn it into \
             one with `wasm-tools component new`"
        }
        FileKind::Precompiled => {
            "is precompiled, and could hold any machine code: give the component that it was made \
             from"
        }
        FileKind::Text => "is WebAssembly text: make a binary of it with `wasm-tools parse`",
        FileKind::Unknown => "is no WebAssembly component",
    };
    Err(Error::config(format!("{} {what}", inspection.origin())))
}

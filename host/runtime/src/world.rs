use wasmparser::{BinaryReaderError, ComponentExternalKind, Parser, Payload};

use crate::Error;

/// What a component is made for: what it may import, and must export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// A store over S3.
    ArtifactStore,
    /// A policy in front of a store.
    Policy,
    /// What changes the bytes.
    ContentFilter,
}

/// An interface that a component may import only where it is granted that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// `agent:artifacts/digest`
    Digest,
    /// `agent:artifacts/clock`
    Clock,
    /// `agent:artifacts/log`
    Log,
}

impl Import {
    const ALL: [Self; 3] = [Self::Digest, Self::Clock, Self::Log];

    fn interface(self) -> &'static str {
        match self {
            Self::Digest => "agent:artifacts/digest",
            Self::Clock => "agent:artifacts/clock",
            Self::Log => "agent:artifacts/log",
        }
    }

    /// What grants it, in code and in a configuration file.
    fn grant(self) -> &'static str {
        match self {
            Self::Digest => "`PolicyGrant::digest(true)`, or `digest = true` in artifacts.toml",
            Self::Clock => "`PolicyGrant::clock(true)`, or `clock = true` in artifacts.toml",
            Self::Log => "`PolicyGrant::log(10)`, or `log-per-second = 10` in artifacts.toml",
        }
    }
}

const TYPES: &str = "agent:artifacts/types";
const OBJECTS: &str = "agent:artifacts/objects";
const STORE: &str = "agent:artifacts/store";
const SETTINGS: &str = "wasi:config/store";

impl World {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ArtifactStore => "artifact-store",
            Self::Policy => "policy",
            Self::ContentFilter => "content-filter",
        }
    }

    /// What every component of the world may import.
    fn imports(self) -> &'static [&'static str] {
        match self {
            Self::ArtifactStore => &[TYPES, OBJECTS, "agent:artifacts/s3", SETTINGS],
            Self::Policy => &[TYPES, OBJECTS, STORE, SETTINGS],
            Self::ContentFilter => &[TYPES, SETTINGS],
        }
    }

    /// What every component of the world must export.
    fn export(self) -> &'static str {
        match self {
            Self::ArtifactStore | Self::Policy => STORE,
            Self::ContentFilter => "agent:artifacts/filter",
        }
    }

    /// What could be granted to a component of the world besides.
    fn grantable(self) -> &'static [Import] {
        match self {
            Self::ArtifactStore | Self::ContentFilter => &[],
            Self::Policy => &Import::ALL,
        }
    }

    /// Reads from the bytes alone whether this is a component of the world. That the
    /// types fit is for the linker to say, once it is compiled.
    pub(crate) fn check(self, bytes: &[u8], origin: &str, granted: &[Import]) -> Result<(), Error> {
        check_preamble(bytes, origin)?;
        let Interface { imports, exports } = Interface::read(bytes)
            .map_err(|error| Error::config(format!("{origin} is not valid")).caused_by(error))?;
        let ungranted = self.grantable().iter().filter(|import| !granted.contains(import));
        for import in ungranted {
            let interface = import.interface();
            if imports.iter().any(|name| without_version(name) == interface) {
                return Err(Error::config(format!(
                    "{origin} imports `{interface}`, which it is not granted: {} grants it",
                    import.grant()
                )));
            }
        }
        let world = self.imports();
        let known = |name: &str| {
            let name = without_version(name);
            world.contains(&name) || granted.iter().any(|import| import.interface() == name)
        };
        let foreign: Vec<String> = imports
            .into_iter()
            .filter(|name| !known(name))
            // Names are not checked yet, and there may be any number of them.
            .map(|name| name.chars().filter(|c| !c.is_control()).take(100).collect::<String>())
            .map(|name| format!("`{name}`"))
            .take(5)
            .collect();
        if !foreign.is_empty() {
            return Err(Error::config(format!(
                "{origin} imports {}, which the world `{}` does not grant: it may import {}",
                foreign.join(", "),
                self.name(),
                world.join(", "),
            )));
        }
        let export = self.export();
        if !exports.iter().any(|name| without_version(name) == export) {
            return Err(Error::config(format!(
                "{origin} does not export `{export}`: it is no component of the world `{}`",
                self.name()
            )));
        }
        Ok(())
    }
}

/// Tells by the first bytes whether this is a component at all.
///
/// Source: the component model's binary format, `preamble`.
fn check_preamble(bytes: &[u8], origin: &str) -> Result<(), Error> {
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some(b"\0asm\x01\0\0\0") => Err(Error::config(format!(
            "{origin} is a core module and no component: link it with wasm-component-ld, or turn \
             it into one with `wasm-tools component new`"
        ))),
        _ => Err(Error::config(format!("{origin} is no WebAssembly component"))),
    }
}

/// What the outermost component asks for and offers.
#[derive(Default)]
struct Interface<'a> {
    imports: Vec<&'a str>,
    /// Exported instances.
    exports: Vec<&'a str>,
}

impl<'a> Interface<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, BinaryReaderError> {
        let mut interface = Self::default();
        // How many modules and components the parser is inside of.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        interface.imports.push(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export?;
                        if export.kind == ComponentExternalKind::Instance {
                            interface.exports.push(export.name.name);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(interface)
    }
}

fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

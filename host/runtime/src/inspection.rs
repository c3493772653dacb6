use std::{fmt, path::Path};

use sha2::{Digest, Sha256};
use wasmparser::{BinaryReaderError, ComponentExternalKind, Parser, Payload};
use wasmtime::Engine;

use crate::{
    Error,
    component::Source,
    convert::{cut, printable},
    world::{Import, World},
};

/// What a file says of itself, read without compiling or running any of it.
///
/// The file need not be trusted: what is read of it is bounded, and its names are
/// shown cut and without control characters. That a component imports and exports
/// the right *types* shows only when it is compiled.
///
/// ```
/// use artifact_store::{FileKind, Inspection};
///
/// let module = Inspection::of_bytes(b"\0asm\x01\0\0\0")?;
/// assert_eq!(module.kind(), FileKind::CoreModule);
/// assert!(module.worlds().is_empty());
/// # Ok::<(), artifact_store::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inspection {
    origin: String,
    kind: FileKind,
    size: usize,
    sha256: String,
    imports: Vec<Interface>,
    exports: Vec<Interface>,
}

/// What the first bytes of a file say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A component in binary form: the only kind that is run.
    Component,
    /// A core module in binary form.
    CoreModule,
    /// Machine code that wasmtime made, or so it says: it could hold any code.
    Precompiled,
    /// A component or module in text form.
    Text,
    /// Nothing that has to do with WebAssembly.
    Unknown,
}

/// Something that a component imports or exports, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    name: String,
    version: Option<String>,
    is_instance: bool,
}

/// Modules and components inside one another. Tools nest them three deep.
const MAX_DEPTH: usize = 32;
/// Imports, and exports, of one component. An interpreter with all of WASI has fifty.
const MAX_NAMES: usize = 1000;
/// Bytes of one name that are shown.
const MAX_NAME: usize = 256;

impl Inspection {
    /// Reads bytes. Fails where they begin as a component and do not go on as one,
    /// or as no component that is taken here.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes, "the component")
    }

    /// Reads a file of at most [`StoreComponent::MAX_BYTES`](crate::StoreComponent::MAX_BYTES).
    pub async fn of_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Source::from_file(path.as_ref(), "the component").await?.inspect()
    }

    pub(crate) fn read(bytes: &[u8], origin: &str) -> Result<Self, Error> {
        let mut inspection = Self {
            origin: origin.to_owned(),
            kind: FileKind::of(bytes),
            size: bytes.len(),
            sha256: base16ct::lower::encode_string(&Sha256::digest(bytes)),
            imports: Vec::new(),
            exports: Vec::new(),
        };
        if inspection.kind == FileKind::Component {
            inspection.read_component(bytes).map_err(|fault| match fault {
                Fault::Invalid(error) => {
                    Error::config(format!("{origin} is not valid")).caused_by(error)
                }
                Fault::TooMuch(what) => Error::config(format!("{origin} {what}")),
            })?;
        }
        Ok(inspection)
    }

    fn read_component(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        // How many modules and components the parser is inside of.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        let what =
                            format!("nests modules or components more than {MAX_DEPTH} deep");
                        return Err(Fault::TooMuch(what));
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let import = import?;
                        let is_instance =
                            matches!(import.ty, wasmparser::ComponentTypeRef::Instance(_));
                        push(&mut self.imports, import.name.name, is_instance, "imports")?;
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export?;
                        let is_instance = export.kind == ComponentExternalKind::Instance;
                        push(&mut self.exports, export.name.name, is_instance, "exports")?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where it is from, for errors: `the component policy.wasm`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The SHA-256 of its bytes, as 64 digits in lower case.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What it imports, in its own order.
    #[must_use]
    pub fn imports(&self) -> &[Interface] {
        &self.imports
    }

    /// What it exports, in its own order.
    #[must_use]
    pub fn exports(&self) -> &[Interface] {
        &self.exports
    }

    /// The worlds that it fits, were it granted all that it needs. One that imports
    /// little fits several; one that imports what no world has fits none.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        let fits = |world: &World| world.check(self, world.grantable()).is_ok();
        World::ALL.into_iter().filter(fits).collect()
    }

    /// The imports that it must be granted.
    #[must_use]
    pub fn needs(&self) -> Vec<Import> {
        let imported = |import: &Import| self.imports.iter().any(|name| import.covers(&name.name));
        Import::ALL.into_iter().filter(imported).collect()
    }

    /// Whether it is of this world, and granted what it imports; the error says what it
    /// lacks. A store checks the same when it starts, before anything is compiled.
    pub fn check(&self, world: World, granted: &[Import]) -> Result<(), Error> {
        world.check(self, granted)
    }
}

enum Fault {
    Invalid(BinaryReaderError),
    TooMuch(String),
}

impl From<BinaryReaderError> for Fault {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

fn push(
    names: &mut Vec<Interface>,
    name: &str,
    is_instance: bool,
    verb: &str,
) -> Result<(), Fault> {
    if names.len() == MAX_NAMES {
        return Err(Fault::TooMuch(format!("{verb} more than {MAX_NAMES} things")));
    }
    // Nobody has checked it. A name that is changed here equals none that is known.
    let shown = printable(cut(name, MAX_NAME).to_owned());
    let (name, version) = match shown.split_once('@') {
        Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
        None => (shown, None),
    };
    names.push(Interface { name, version, is_instance });
    Ok(())
}

impl FileKind {
    /// Source: the component model's binary format, `preamble`.
    fn of(bytes: &[u8]) -> Self {
        match bytes.get(..8) {
            Some(b"\0asm\x0d\0\x01\0") => Self::Component,
            Some(b"\0asm\x01\0\0\0") => Self::CoreModule,
            _ if Engine::detect_precompiled(bytes).is_some() => Self::Precompiled,
            _ if is_text(bytes) => Self::Text,
            _ => Self::Unknown,
        }
    }

    /// In a word or two: `core module`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::CoreModule => "core module",
            Self::Precompiled => "precompiled",
            Self::Text => "text",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether it begins with a list or a comment, as WebAssembly text does.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    [&b"(component"[..], b"(module", b"(;", b";;"].iter().any(|sign| start.starts_with(sign))
}

impl Interface {
    /// The name without the version: `agent:artifacts/store`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, where it names one: `0.2.0`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether it is an instance of an interface, and no function or type alone.
    pub(crate) fn is_instance(&self) -> bool {
        self.is_instance
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version.iter().try_for_each(|version| write!(f, "@{version}"))
    }
}

use std::{
    fmt::Display,
    num::{NonZeroU64, NonZeroUsize},
};

use artifact_store::Limits;
use toml::Spanned;

use crate::{config_file::ConfigFile, failure::Failure};

/// The keys of an entry that limit what one call may use, where it is not what the
/// sandbox allows.
pub(super) struct LimitKeys<'a> {
    pub(super) memory_bytes: Option<&'a Spanned<NonZeroUsize>>,
    pub(super) fuel: Option<NonZeroU64>,
    pub(super) hostcall_bytes: Option<NonZeroUsize>,
    pub(super) handles: Option<NonZeroUsize>,
}

/// One page of linear memory: no component has less.
const PAGE: usize = 64 << 10;

impl LimitKeys<'_> {
    pub(super) fn check(&self, file: &ConfigFile, entry: &impl Display) -> Result<(), Failure> {
        let most = Limits::default().memory_bytes;
        match self.memory_bytes {
            Some(bytes) if !(PAGE..=most).contains(&bytes.get_ref().get()) => Err(file.reject(
                bytes,
                &format!("{entry}: it must be from {PAGE} to {most}, which the sandbox allows"),
            )),
            _ => Ok(()),
        }
    }

    /// The limits, where any key is given.
    pub(super) fn limits(&self) -> Option<Limits> {
        let Self { memory_bytes, fuel, hostcall_bytes, handles } = *self;
        let sizes = [memory_bytes.map(|bytes| *bytes.get_ref()), hostcall_bytes, handles];
        if fuel.is_none() && sizes.iter().all(Option::is_none) {
            return None;
        }
        let [memory_bytes, hostcall_bytes, handles] = sizes.map(|size| size.map(NonZeroUsize::get));
        let otherwise = Limits::default();
        Some(Limits {
            memory_bytes: memory_bytes.unwrap_or(otherwise.memory_bytes),
            fuel: fuel.map_or(otherwise.fuel, NonZeroU64::get),
            hostcall_bytes: hostcall_bytes.unwrap_or(otherwise.hostcall_bytes),
            handles: handles.unwrap_or(otherwise.handles),
            ..otherwise
        })
    }
}

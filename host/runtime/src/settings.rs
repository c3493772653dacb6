use std::{collections::BTreeMap, fmt, sync::Arc};

use wasmtime_wasi_config::WasiConfigVariables;

/// What a component reads through `wasi:config/store`: text by name.
///
/// A value can be a key, so `Debug` shows the names only.
#[derive(Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// In the form in which the sandbox hands them out.
    pub(crate) fn to_variables(&self) -> Arc<WasiConfigVariables> {
        Arc::new(self.0.clone().into_iter().collect())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

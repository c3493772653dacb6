use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use crate::artifact_store::Running;

/// The stores of this process that have a name, for [`ArtifactStore::named`](crate::ArtifactStore::named).
///
/// The one piece of state that is not a store's own: finding a store by name
/// from anywhere is what it is for. It keeps no store alive.
fn registry() -> MutexGuard<'static, HashMap<String, Weak<Running>>> {
    static STORES: OnceLock<Mutex<HashMap<String, Weak<Running>>>> = OnceLock::new();
    STORES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the name; false where a running store has it.
pub(crate) fn register(name: &str, store: &Arc<Running>) -> bool {
    let mut stores = registry();
    if find_in(&stores, name).is_some() {
        return false;
    }
    stores.insert(name.to_owned(), Arc::downgrade(store));
    true
}

pub(crate) fn find(name: &str) -> Option<Arc<Running>> {
    find_in(&registry(), name)
}

/// Frees the name, if it is this store that has it.
pub(crate) fn release(name: &str, store: *const Running) {
    let mut stores = registry();
    if stores.get(name).is_some_and(|held| std::ptr::eq(held.as_ptr(), store)) {
        stores.remove(name);
    }
}

fn find_in(stores: &HashMap<String, Weak<Running>>, name: &str) -> Option<Arc<Running>> {
    stores.get(name)?.upgrade()
}

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use wasmtime::Store;

use crate::{
    guest::Guest,
    instance::{CallState, Waiting},
    layer::Place,
};

/// What instances the calls of a component are made into.
///
/// ```
/// use artifact_store::{Instances, StoreComponent};
///
/// let component = StoreComponent::bundled().instances(Instances::Fresh);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Instances {
    /// A fresh one for each call: nothing that the component keeps can pass from one call
    /// to another. For code from anybody.
    #[default]
    Fresh,
    /// One that is there already, where its last call ended well; a call costs less than half.
    ///
    /// What a component keeps in its memory or in variables, its next call can find, for
    /// whomever that is. For components that keep nothing, from authors who are trusted to
    /// know. Limits, grants and settings are those of each call all the same.
    Reused,
}

/// An instance may have grown by so much and still be called again; beyond that, one
/// long call would take the memory for good.
const MAX_GROWTH: usize = 256 << 10;

/// Instances of one component that wait for their next call.
pub(crate) struct Idle {
    kept: Mutex<Vec<Kept>>,
    /// So many of them at most: what one component keeps, another cannot have.
    most: usize,
    /// A permit for each instance of the sandbox that waits for a call.
    room: Arc<Semaphore>,
    /// Where those stand that wait: they hold on to no store, client or secret.
    nowhere: Arc<Place>,
    nobody: Waiting,
}

/// An instance between two calls.
pub(crate) struct Kept {
    pub(crate) store: Store<CallState>,
    pub(crate) guest: Guest,
    /// The bytes of memory with which it began.
    pub(crate) began_with: usize,
}

impl Idle {
    pub(crate) fn new(room: Arc<Semaphore>, most: usize) -> Self {
        let (nowhere, nobody) = (Arc::default(), Waiting::default());
        Self { kept: Mutex::default(), most, room, nowhere, nobody }
    }

    /// The one that was called last: its memory is the likeliest to be in a cache.
    pub(crate) fn take(&self) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        self.room.add_permits(1);
        Some(kept)
    }

    /// Keeps an instance whose call has ended well, unless it holds handles, has grown, or
    /// enough others wait.
    pub(crate) fn keep(&self, mut instance: Kept) {
        let state = instance.store.data_mut();
        if !state.table.is_empty() || state.usage.memory() > instance.began_with + MAX_GROWTH {
            return;
        }
        state.leave(Arc::clone(&self.nowhere), self.nobody.clone());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < self.most
            && let Ok(room) = self.room.try_acquire()
        {
            room.forget();
            kept.push(instance);
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Not before they are gone.
        let count = kept.drain(..).count();
        self.room.add_permits(count);
    }
}

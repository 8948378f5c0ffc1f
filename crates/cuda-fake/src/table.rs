//! Tables of objects under handles that are not used again, so that a stale handle is refused and crashes nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::pretence;
use crate::sync::lock;

/// A handle as programs see it: it looks like a pointer, and nothing lies behind it.
pub(crate) type Handle = u64;

/// The next handle. Above the small numbers that the driver gives a meaning, and a step apart as pointers are.
static NEXT: AtomicU64 = AtomicU64::new(0x1000);

const STEP: u64 = 0x10;

/// A handle that no object has had.
pub(crate) fn next_handle() -> Handle {
    // Relaxed: a number, ordered with nothing.
    NEXT.fetch_add(STEP, Ordering::Relaxed)
}

/// The objects of one kind that live.
#[derive(Debug)]
pub(crate) struct Table<T> {
    objects: Mutex<BTreeMap<Handle, Arc<T>>>,
    /// Handles that may be given again, where a script wants it so.
    free: Mutex<Vec<Handle>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { objects: Mutex::new(BTreeMap::new()), free: Mutex::new(Vec::new()) }
    }
}

impl<T> Table<T> {
    /// Takes an object in and gives it a handle.
    pub(crate) fn insert(&self, object: Arc<T>) -> Handle {
        let handle = lock(&self.free).pop().unwrap_or_else(next_handle);
        self.insert_at(handle, object);
        handle
    }

    /// Takes an object in under a handle that was drawn for it.
    pub(crate) fn insert_at(&self, handle: Handle, object: Arc<T>) {
        lock(&self.objects).insert(handle, object);
    }

    pub(crate) fn get(&self, handle: Handle) -> Option<Arc<T>> {
        lock(&self.objects).get(&handle).map(Arc::clone)
    }

    /// Takes an object out. It goes once whoever uses it is done.
    pub(crate) fn remove(&self, handle: Handle) -> Option<Arc<T>> {
        let object = lock(&self.objects).remove(&handle)?;
        if pretence::setting(|settings| settings.reuse) {
            lock(&self.free).push(handle);
        }
        Some(object)
    }

    /// Takes out every object for which this holds.
    pub(crate) fn remove_where(&self, is_meant: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let mut objects = lock(&self.objects);
        let (gone, kept) = std::mem::take(&mut *objects)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, object)| is_meant(object));
        *objects = kept;
        drop(objects);
        gone.into_values().collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        lock(&self.objects).values().map(Arc::clone).collect()
    }

    /// How many objects there are for which this holds.
    pub(crate) fn count(&self, is_meant: impl Fn(&T) -> bool) -> usize {
        lock(&self.objects).values().filter(|object| is_meant(object)).count()
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.objects).len()
    }
}

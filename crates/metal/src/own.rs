//! Objects of Metal's that are ours: each ends on a thread of ours, and in a child of a fork never.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use syncpoint_base::Process;
use syncpoint_core::contract::Owner;

use crate::calls::Calls;

/// An object that a device, stream, event or buffer has. Its drop calls nothing of Metal's, on whatever thread and under
/// whatever lock that comes: the object is let go of on `syncpoint-reap`, inside an autorelease pool. A child of a fork keeps
/// what it inherited, because Metal works in the parent alone.
pub struct Own<C: Calls, T: Any + Send + Sync> {
    /// There until the drop.
    object: Option<Remains<C, T>>,
    process: Process,
}

/// What is left of it.
struct Remains<C: Calls, T> {
    object: Option<T>,
    calls: PhantomData<fn() -> C>,
}

impl<C: Calls, T: Any + Send + Sync> Own<C, T> {
    pub(crate) fn new(object: T) -> Self {
        let object = Remains { object: Some(object), calls: PhantomData };
        Self { object: Some(object), process: Process::current() }
    }
}

impl<C: Calls, T: Any + Send + Sync> Deref for Own<C, T> {
    type Target = T;

    fn deref(&self) -> &T {
        let object = self.object.as_ref().and_then(|remains| remains.object.as_ref());
        object.unwrap_or_else(|| unreachable!("it is there until the drop"))
    }
}

impl<C: Calls, T: Any + Send + Sync> Drop for Own<C, T> {
    fn drop(&mut self) {
        let remains = self.object.take();
        if self.process.is_current() {
            drop(remains.map(Owner::new));
        } else {
            let _the_parents = ManuallyDrop::new(remains);
        }
    }
}

impl<C: Calls, T> Drop for Remains<C, T> {
    fn drop(&mut self) {
        C::pooled(&mut || drop(self.object.take()));
    }
}

impl<C: Calls, T: Any + Send + Sync + fmt::Debug> fmt::Debug for Own<C, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

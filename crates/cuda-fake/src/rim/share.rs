//! Events of other processes: exported as bytes, and opened from them.

use std::sync::Arc;

use crate::current;
use crate::driver::driver;
use crate::event::Event;
use crate::share::Exported;
use crate::table::Handle;

use super::call::exports;
use super::pointer::Out;

exports! { FUNCTIONS:
    since 4010 "cuIpcGetEventHandle" fn cuIpcGetEventHandle(exported: Out<Exported>, event: Handle) {
        exported.check()?;
        let driver = driver()?;
        current::context(&driver)?;
        exported.put(driver.event(event)?.export()?)
    }

    since 4010 "cuIpcOpenEventHandle" fn cuIpcOpenEventHandle(event: Out<Handle>, exported: Bytes) {
        event.check()?;
        let driver = driver()?;
        let context = current::context(&driver)?;
        let opened = Event::import(&context, &exported.0)?;
        event.put(driver.events.insert(Arc::new(opened)))
    }
}

/// The driver is given the bytes themselves, not a pointer to them.
#[repr(C)]
struct Bytes(Exported);

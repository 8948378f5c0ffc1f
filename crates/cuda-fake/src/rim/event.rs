//! Events: made and destroyed, recorded, asked, waited for and compared.

use std::sync::Arc;

use crate::code::{Code, Result};
use crate::current;
use crate::driver::{Driver, driver};
use crate::event::Event;
use crate::table::Handle;

use super::call::exports;
use super::pointer::Out;
use super::stream::Target;

exports! { FUNCTIONS:
    since 2000 "cuEventCreate" fn cuEventCreate(event: Out<Handle>, flags: u32) {
        event.check()?;
        let driver = driver()?;
        let made = Event::new(&*current::context(&driver)?, flags)?;
        event.put(driver.events.insert(Arc::new(made)))
    }

    since 4000 "cuEventDestroy" fn cuEventDestroy_v2(event: Handle) {
        let driver = driver()?;
        let gone = driver.events.remove(event).ok_or(Code::INVALID_HANDLE)?;
        gone.destroy();
        driver.context(gone.context)?.check()?;
        gone.check()
    }

    since 2000 "cuEventRecord" own cuEventRecord_ptsz fn cuEventRecord(
        event: Handle,
        stream: Handle,
    ) {
        record(event, stream)
    }

    since 11010 "cuEventRecordWithFlags" own cuEventRecordWithFlags_ptsz fn cuEventRecordWithFlags(
        event: Handle,
        stream: Handle,
        flags: u32,
    ) {
        const EXTERNAL: u32 = 1;
        match flags {
            0 => record(event, stream),
            EXTERNAL => {
                let target = Target::of(stream)?;
                driver()?.event(event)?.record_external(&target.context, &target.lane)
            }
            _ => Err(Code::INVALID_VALUE),
        }
    }

    since 2000 "cuEventQuery" fn cuEventQuery(event: Handle) {
        let driver = driver()?;
        let event = whole(&driver, event)?;
        driver.captures.check_unsafe()?;
        event.query()
    }

    since 2000 "cuEventSynchronize" fn cuEventSynchronize(event: Handle) {
        let driver = driver()?;
        current::require(&driver)?;
        let event = whole(&driver, event)?;
        driver.captures.check_unsafe()?;
        let context = driver.context(event.context)?;
        event.synchronize(&context)?;
        context.check()
    }

    since 2000 "cuEventElapsedTime" fn cuEventElapsedTime(
        milliseconds: Out<f32>,
        start: Handle,
        end: Handle,
    ) {
        elapsed(&milliseconds, start, end)
    }

    since 12080 "cuEventElapsedTime" fn cuEventElapsedTime_v2(
        milliseconds: Out<f32>,
        start: Handle,
        end: Handle,
    ) {
        elapsed(&milliseconds, start, end)
    }
}

/// An event whose context is whole.
fn whole(driver: &Driver, event: Handle) -> Result<Arc<Event>> {
    let event = driver.event(event)?;
    driver.context(event.context)?.check()?;
    Ok(event)
}

fn record(event: Handle, stream: Handle) -> Result {
    let Target { context, lane } = Target::of(stream)?;
    driver()?.event(event)?.record(&context, &lane)
}

fn elapsed(milliseconds: &Out<f32>, start: Handle, end: Handle) -> Result {
    milliseconds.check()?;
    let driver = driver()?;
    current::require(&driver)?;
    let (start, end) = (whole(&driver, start)?, whole(&driver, end)?);
    milliseconds.put(end.milliseconds_since(&start)?)
}

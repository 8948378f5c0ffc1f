//! Contexts and the stack of current ones.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use crate::code::{Code, Result};
use crate::context::{Context, Origin};
use crate::current;
use crate::driver::{Driver, driver};
use crate::table::Handle;

use super::call::exports;
use super::pointer::Out;

exports! { FUNCTIONS:
    since 3020 "cuCtxCreate" fn cuCtxCreate_v2(context: Out<Handle>, flags: u32, device: c_int) {
        create(&context, flags, device)
    }

    since 11040 "cuCtxCreate" fn cuCtxCreate_v3(
        context: Out<Handle>,
        _affinity: *const c_void,
        affinities: c_int,
        flags: u32,
        device: c_int,
    ) {
        if affinities != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        create(&context, flags, device)
    }

    since 12050 "cuCtxCreate" fn cuCtxCreate_v4(
        context: Out<Handle>,
        parameters: *const c_void,
        flags: u32,
        device: c_int,
    ) {
        if !parameters.is_null() {
            return Err(Code::NOT_SUPPORTED);
        }
        create(&context, flags, device)
    }

    since 4000 "cuCtxDestroy" fn cuCtxDestroy_v2(context: Handle) {
        let driver = driver()?;
        if driver.context(context)?.is_primary() {
            return Err(Code::INVALID_CONTEXT);
        }
        driver.destroy_context(context)?;
        if current::handle() == Some(context) {
            current::pop()?;
        }
        Ok(())
    }

    since 4000 "cuCtxPushCurrent" fn cuCtxPushCurrent_v2(context: Handle) {
        driver()?.context(context)?;
        current::push(context)
    }

    since 4000 "cuCtxPopCurrent" fn cuCtxPopCurrent_v2(context: Out<Handle>) {
        driver()?;
        let popped = current::pop()?;
        context.put_if_wanted(popped);
        Ok(())
    }

    since 4000 "cuCtxSetCurrent" fn cuCtxSetCurrent(context: Handle) {
        let driver = driver()?;
        if context == 0 {
            return current::replace(None);
        }
        driver.context(context)?;
        current::replace(Some(context))
    }

    since 4000 "cuCtxGetCurrent" fn cuCtxGetCurrent(context: Out<Handle>) {
        driver()?;
        context.put(current::handle().unwrap_or(0))
    }

    since 2000 "cuCtxGetDevice" fn cuCtxGetDevice(device: Out<c_int>) {
        device.put(current::context(&*driver()?)?.device)
    }

    since 13000 "cuCtxGetDevice" fn cuCtxGetDevice_v2(device: Out<c_int>, context: Handle) {
        device.put(named(&*driver()?, context)?.device)
    }

    since 7000 "cuCtxGetFlags" fn cuCtxGetFlags(flags: Out<u32>) {
        flags.put(current::context(&*driver()?)?.flags())
    }

    since 12010 "cuCtxSetFlags" fn cuCtxSetFlags(flags: u32) {
        let context = current::context(&*driver()?)?;
        check_flags(flags)?;
        context.set_flags(flags);
        Ok(())
    }

    since 12000 "cuCtxGetId" fn cuCtxGetId(context: Handle, id: Out<u64>) {
        id.put(named(&*driver()?, context)?.id)
    }

    since 3020 "cuCtxGetApiVersion" fn cuCtxGetApiVersion(context: Handle, version: Out<u32>) {
        const VERSION: u32 = 3020;
        named(&*driver()?, context)?;
        version.put(VERSION)
    }

    since 2000 "cuCtxSynchronize" fn cuCtxSynchronize() {
        synchronize(0)
    }

    since 13000 "cuCtxSynchronize" fn cuCtxSynchronize_v2(context: Handle) {
        synchronize(context)
    }

    since 5050 "cuCtxGetStreamPriorityRange" fn cuCtxGetStreamPriorityRange(
        least: Out<c_int>,
        greatest: Out<c_int>,
    ) {
        let driver = driver()?;
        current::context(&driver)?;
        let range = driver.host.priority_range();
        least.put_if_wanted(range.least());
        greatest.put_if_wanted(range.greatest());
        Ok(())
    }

    since 4000 "cuCtxEnablePeerAccess" fn cuCtxEnablePeerAccess(peer: Handle, flags: u32) {
        let driver = driver()?;
        let context = current::context(&driver)?;
        let is_other = driver.context(peer)?.device != context.device;
        if flags != 0 {
            return Err(Code::INVALID_VALUE);
        }
        if is_other { context.enable_peer(peer) } else { Err(Code::INVALID_CONTEXT) }
    }

    since 4000 "cuCtxDisablePeerAccess" fn cuCtxDisablePeerAccess(peer: Handle) {
        let driver = driver()?;
        let context = current::context(&driver)?;
        driver.context(peer)?;
        context.disable_peer(peer)
    }
}

/// The current context for 0, else the one that is named.
fn named(driver: &Driver, context: Handle) -> Result<Arc<Context>> {
    if context == 0 { current::context(driver) } else { driver.context(context) }
}

fn synchronize(context: Handle) -> Result {
    let driver = driver()?;
    let context = named(&driver, context)?;
    // The primary context waits for the green ones beside it too.
    let is_beside = |other: &Arc<Context>| other.family() == context.handle;
    let beside: Vec<_> = driver.contexts.all().into_iter().filter(is_beside).collect();
    let all = || beside.iter().chain([&context]);
    all().try_for_each(|context| driver.captures.check_context(context.handle))?;
    all().try_for_each(|context| context.synchronize())
}

fn create(room: &Out<Handle>, flags: u32, device: c_int) -> Result {
    room.check()?;
    let driver = driver()?;
    let ordinal = driver.device(device)?.ordinal;
    check_flags(flags)?;
    let context = driver.make_context(ordinal, flags, Origin::Created)?;
    current::push(context.handle)?;
    room.put(context.handle)
}

/// The flags that there are, of which one may say how a host waits.
pub(super) fn check_flags(flags: u32) -> Result {
    const WAITS: u32 = 0b111;
    const ALL: u32 = 0xff;
    let waits = flags & WAITS;
    let is_known = flags & !ALL == 0 && (waits == 0 || waits.is_power_of_two());
    if is_known { Ok(()) } else { Err(Code::INVALID_VALUE) }
}

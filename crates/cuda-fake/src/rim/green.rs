//! Green contexts: contexts with a part of a device, beside its primary one.

use std::ffi::{c_int, c_uint};

use crate::code::{Code, Result};
use crate::driver::{Driver, driver};
use crate::lane::Kind;
use crate::table::Handle;

use super::call::exports;
use super::pointer::{In, Out};
use super::stream::Target;

exports! { FUNCTIONS:
    since 12040 "cuDeviceGetDevResource" fn cuDeviceGetDevResource(
        device: c_int,
        resource: Out<Resource>,
        kind: c_uint,
    ) {
        if kind != MULTIPROCESSORS {
            return Err(Code::INVALID_RESOURCE_TYPE);
        }
        let count = driver()?.device(device)?.attribute(MULTIPROCESSOR_COUNT)?;
        resource.put(Resource::new(u32::try_from(count).unwrap_or(0)))
    }

    since 12040 "cuDevSmResourceSplitByCount" fn cuDevSmResourceSplitByCount(
        groups: Out<Resource>,
        count: Out<c_uint>,
        whole: In<Resource>,
        rest: Out<Resource>,
        _flags: c_uint,
        least: c_uint,
    ) {
        let (whole, least) = (whole.get()?.multiprocessors()?, least.max(1));
        let possible = whole / least;
        let is_asked = groups.check().is_err();
        count.exchange(|wanted| Ok(if is_asked { possible } else { wanted.min(possible) }))?;
        let made = if is_asked { 0 } else { count.get()? };
        for index in 0..made as usize {
            groups.put_at(index, Resource::new(least))?;
        }
        rest.put_if_wanted(Resource::new(whole - made * least));
        Ok(())
    }

    since 12040 "cuDevResourceGenerateDesc" fn cuDevResourceGenerateDesc(
        description: Out<Handle>,
        resources: In<Resource>,
        count: c_uint,
    ) {
        if count == 0 {
            return Err(Code::INVALID_VALUE);
        }
        for index in 0..count as usize {
            resources.at(index)?.multiprocessors()?;
        }
        description.put(crate::table::next_handle())
    }

    since 12040 "cuGreenCtxCreate" fn cuGreenCtxCreate(
        green: Out<Handle>,
        description: Handle,
        device: c_int,
        flags: c_uint,
    ) {
        const DEFAULT_STREAM: c_uint = 1;
        green.check()?;
        if description == 0 || flags != DEFAULT_STREAM {
            return Err(Code::INVALID_VALUE);
        }
        let driver = driver()?;
        green.put(driver.make_green(driver.device(device)?)?)
    }

    since 12040 "cuGreenCtxDestroy" fn cuGreenCtxDestroy(green: Handle) {
        let driver = driver()?;
        let context = driver.greens.remove(green).ok_or(Code::INVALID_CONTEXT)?;
        driver.destroy_context(context.handle)?;
        driver.device(context.device)?.release(&driver)
    }

    since 12040 "cuCtxFromGreenCtx" fn cuCtxFromGreenCtx(context: Out<Handle>, green: Handle) {
        context.put(found(&*driver()?, green)?)
    }

    since 12050 "cuGreenCtxStreamCreate" fn cuGreenCtxStreamCreate(
        stream: Out<Handle>,
        green: Handle,
        flags: c_uint,
        priority: c_int,
    ) {
        const NON_BLOCKING: c_uint = 1;
        stream.check()?;
        if flags != NON_BLOCKING {
            return Err(Code::INVALID_VALUE);
        }
        let driver = driver()?;
        let context = driver.context(found(&driver, green)?)?;
        context.check()?;
        stream.put(driver.streams.insert(context.make_lane(Kind::NonBlocking, priority)?))
    }

    since 12040 "cuStreamGetGreenCtx" own cuStreamGetGreenCtx_ptsz fn cuStreamGetGreenCtx(
        stream: Handle,
        green: Out<Handle>,
    ) {
        green.put(Target::of(stream)?.context.green().unwrap_or(0))
    }
}

/// The attribute that counts multiprocessors, and the kind of resource that they are.
const MULTIPROCESSOR_COUNT: c_int = 16;
const MULTIPROCESSORS: c_uint = 1;

/// The context of a green one.
fn found(driver: &Driver, green: Handle) -> Result<Handle> {
    Ok(driver.greens.get(green).ok_or(Code::INVALID_CONTEXT)?.handle)
}

/// A part of a device, as the driver lays it out.
#[repr(C)]
#[derive(Clone, Copy)]
struct Resource {
    kind: c_uint,
    _padding: [u8; 92],
    count: c_uint,
    _rest: [u8; 44],
}

impl Resource {
    fn new(count: c_uint) -> Self {
        Self { kind: MULTIPROCESSORS, _padding: [0; 92], count, _rest: [0; 44] }
    }

    fn multiprocessors(self) -> Result<c_uint> {
        if self.kind == MULTIPROCESSORS { Ok(self.count) } else { Err(Code::INVALID_RESOURCE_TYPE) }
    }
}

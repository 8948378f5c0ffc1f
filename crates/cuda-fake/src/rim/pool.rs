//! Memory pools: the one that each device has by itself, and memory from it in the order of a stream.

use std::ffi::c_int;

use crate::code::{Code, Result};
use crate::device::Device;
use crate::driver::{Driver, driver};
use crate::table::Handle;

use super::call::exports;
use super::pointer::{Host, Out};
use super::stream::Target;

exports! { FUNCTIONS:
    since 11020 "cuDeviceGetDefaultMemPool" fn cuDeviceGetDefaultMemPool(pool: Out<Handle>, device: c_int) {
        pool.put(driver()?.device(device)?.pool)
    }

    since 11020 "cuDeviceGetMemPool" fn cuDeviceGetMemPool(pool: Out<Handle>, device: c_int) {
        pool.put(driver()?.device(device)?.pool)
    }

    since 11020 "cuDeviceSetMemPool" fn cuDeviceSetMemPool(device: c_int, pool: Handle) {
        let is_its_own = driver()?.device(device)?.pool == pool;
        if is_its_own { Ok(()) } else { Err(Code::INVALID_VALUE) }
    }

    since 11020 "cuMemPoolTrimTo" fn cuMemPoolTrimTo(pool: Handle, _bytes: usize) {
        let driver = driver()?;
        device(&driver, pool).map(drop)
    }

    since 11020 "cuMemPoolGetAttribute" fn cuMemPoolGetAttribute(
        pool: Handle,
        attribute: c_int,
        value: Host,
    ) {
        let driver = driver()?;
        let device = device(&driver, pool)?;
        match attribute {
            REUSE_FIRST..=REUSE_LAST => value.write(&1_u32.to_ne_bytes()),
            RELEASE_THRESHOLD => value.write(&device.release_threshold().to_ne_bytes()),
            RESERVED | RESERVED_HIGH | USED | USED_HIGH => {
                let used = Device::memory() - driver.memory.free(device.ordinal);
                value.write(&used.to_ne_bytes())
            }
            _ => Err(Code::INVALID_VALUE),
        }
    }

    since 11020 "cuMemPoolSetAttribute" fn cuMemPoolSetAttribute(
        pool: Handle,
        attribute: c_int,
        value: Host,
    ) {
        let driver = driver()?;
        let device = device(&driver, pool)?;
        match attribute {
            // Nothing is used again, so there is nothing to allow or to forbid.
            REUSE_FIRST..=REUSE_LAST => value.read(4).map(drop),
            RELEASE_THRESHOLD => wide(value).map(|bytes| device.set_release_threshold(bytes)),
            RESERVED_HIGH | USED_HIGH if wide(value)? == 0 => Ok(()),
            _ => Err(Code::INVALID_VALUE),
        }
    }

    since 11020 "cuMemAllocFromPoolAsync" own cuMemAllocFromPoolAsync_ptsz fn cuMemAllocFromPoolAsync(
        address: Out<u64>,
        bytes: usize,
        pool: Handle,
        stream: Handle,
    ) {
        address.check()?;
        let Target { context, lane } = Target::of(stream)?;
        let driver = driver()?;
        let device = device(&driver, pool)?.ordinal;
        lane.refuse_capture()?;
        address.put(driver.memory.allocate(context.handle, device, bytes as u64)?)
    }
}

/// The attributes of a pool, as the driver numbers them: what may be used again, of 32 bits, then sizes of 64.
const REUSE_FIRST: c_int = 1;
const REUSE_LAST: c_int = 3;
const RELEASE_THRESHOLD: c_int = 4;
const RESERVED: c_int = 5;
const RESERVED_HIGH: c_int = 6;
const USED: c_int = 7;
const USED_HIGH: c_int = 8;

/// The device whose pool it is.
fn device(driver: &Driver, pool: Handle) -> Result<&Device> {
    driver.devices.iter().find(|device| device.pool == pool).ok_or(Code::INVALID_VALUE)
}

fn wide(value: Host) -> Result<u64> {
    let bytes = value.read(8)?;
    bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)).ok_or(Code::INVALID_VALUE)
}

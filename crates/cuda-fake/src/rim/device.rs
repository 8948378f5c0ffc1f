//! Devices and their primary contexts.

use std::ffi::c_int;

use crate::code::{Code, Result};
use crate::device::Device;
use crate::driver::driver;
use crate::table::Handle;

use super::call::exports;
use super::pointer::{Host, Out, Text};

exports! { FUNCTIONS:
    since 2000 "cuDeviceGetCount" fn cuDeviceGetCount(count: Out<c_int>) {
        let devices = driver()?.devices.len();
        count.put(c_int::try_from(devices).unwrap_or(c_int::MAX))
    }

    since 2000 "cuDeviceGet" fn cuDeviceGet(device: Out<c_int>, ordinal: c_int) {
        let ordinal = driver()?.device(ordinal)?.ordinal;
        device.put(ordinal)
    }

    since 2000 "cuDeviceGetName" fn cuDeviceGetName(name: Host, room: c_int, device: c_int) {
        driver()?.device(device)?;
        name.write_text(&Device::name(), room)
    }

    since 9020 "cuDeviceGetUuid" fn cuDeviceGetUuid(uuid: Out<[u8; 16]>, device: c_int) {
        uuid.put(driver()?.device(device)?.uuid())
    }

    since 11040 "cuDeviceGetUuid" fn cuDeviceGetUuid_v2(uuid: Out<[u8; 16]>, device: c_int) {
        uuid.put(driver()?.device(device)?.uuid())
    }

    since 3020 "cuDeviceTotalMem" fn cuDeviceTotalMem_v2(bytes: Out<usize>, device: c_int) {
        driver()?.device(device)?;
        bytes.put(usize::try_from(Device::memory()).unwrap_or(usize::MAX))
    }

    since 2000 "cuDeviceGetAttribute" fn cuDeviceGetAttribute(
        value: Out<c_int>,
        attribute: c_int,
        device: c_int,
    ) {
        value.check()?;
        value.put(driver()?.device(device)?.attribute(attribute)?)
    }

    since 2000 "cuDeviceComputeCapability" fn cuDeviceComputeCapability(
        major: Out<c_int>,
        minor: Out<c_int>,
        device: c_int,
    ) {
        const MAJOR: i32 = 75;
        let driver = driver()?;
        let device = driver.device(device)?;
        major.put(device.attribute(MAJOR)?)?;
        minor.put(device.attribute(MAJOR + 1)?)
    }

    since 4010 "cuDeviceGetPCIBusId" fn cuDeviceGetPCIBusId(id: Host, room: c_int, device: c_int) {
        id.write_text(&driver()?.device(device)?.bus_id(), room)
    }

    since 4010 "cuDeviceGetByPCIBusId" fn cuDeviceGetByPCIBusId(device: Out<c_int>, id: Text) {
        let (driver, id) = (driver()?, id.get()?.to_uppercase());
        let found = driver.devices.iter().find(|device| device.bus_id() == id);
        device.put(found.ok_or(Code::INVALID_DEVICE)?.ordinal)
    }

    since 4000 "cuDeviceCanAccessPeer" fn cuDeviceCanAccessPeer(
        can: Out<c_int>,
        device: c_int,
        peer: c_int,
    ) {
        let driver = driver()?;
        let (device, peer) = (driver.device(device)?, driver.device(peer)?);
        can.put(c_int::from(device.ordinal != peer.ordinal))
    }

    since 7000 "cuDevicePrimaryCtxRetain" fn cuDevicePrimaryCtxRetain(
        context: Out<Handle>,
        device: c_int,
    ) {
        context.check()?;
        let driver = driver()?;
        context.put(driver.device(device)?.retain(&driver)?)
    }

    since 11000 "cuDevicePrimaryCtxRelease" fn cuDevicePrimaryCtxRelease_v2(device: c_int) {
        let driver = driver()?;
        driver.device(device)?.release(&driver)
    }

    since 11000 "cuDevicePrimaryCtxReset" fn cuDevicePrimaryCtxReset_v2(device: c_int) {
        let driver = driver()?;
        driver.device(device)?.reset(&driver)
    }

    since 11000 "cuDevicePrimaryCtxSetFlags" fn cuDevicePrimaryCtxSetFlags_v2(
        device: c_int,
        flags: u32,
    ) {
        set_flags(device, flags)
    }

    since 7000 "cuDevicePrimaryCtxGetState" fn cuDevicePrimaryCtxGetState(
        device: c_int,
        flags: Out<u32>,
        active: Out<c_int>,
    ) {
        let (set, is_active) = driver()?.device(device)?.state();
        flags.put(set)?;
        active.put(c_int::from(is_active))
    }
}

fn set_flags(device: c_int, flags: u32) -> Result {
    let driver = driver()?;
    let device = driver.device(device)?;
    super::context::check_flags(flags)?;
    device.set_flags(&driver, flags);
    Ok(())
}

//! Memory: allocated and freed, now or in the order of a stream, on the device or pinned; and what is known of addresses.

use std::ffi::c_int;

use crate::code::{Code, Result};
use crate::current;
use crate::device::Device;
use crate::driver::driver;
use crate::lane::Op;
use crate::memory::Block;
use crate::table::Handle;

use super::call::exports;
use super::pointer::{Host, Out};
use super::stream::Target;

exports! { FUNCTIONS:
    since 3020 "cuMemAlloc" fn cuMemAlloc_v2(address: Out<u64>, bytes: usize) {
        address.check()?;
        let driver = driver()?;
        let context = current::context(&driver)?;
        driver.captures.check_unsafe()?;
        address.put(driver.memory.allocate(context.handle, context.device, bytes as u64)?)
    }

    since 3020 "cuMemFree" fn cuMemFree_v2(address: u64) {
        let driver = driver()?;
        current::context(&driver)?;
        driver.captures.check_unsafe()?;
        if address == 0 {
            return Ok(());
        }
        driver.memory.free_at(address, |block| !block.is_pinned())
    }

    since 11020 "cuMemAllocAsync" own cuMemAllocAsync_ptsz fn cuMemAllocAsync(
        address: Out<u64>,
        bytes: usize,
        stream: Handle,
    ) {
        address.check()?;
        let Target { context, lane } = Target::of(stream)?;
        lane.refuse_capture()?;
        let memory = &driver()?.memory;
        address.put(memory.allocate(context.handle, context.device, bytes as u64)?)
    }

    since 11020 "cuMemFreeAsync" own cuMemFreeAsync_ptsz fn cuMemFreeAsync(
        address: u64,
        stream: Handle,
    ) {
        let target = Target::of(stream)?;
        target.lane.refuse_capture()?;
        if address == 0 {
            return Ok(());
        }
        let driver = driver()?;
        driver.memory.block(address).filter(|block| block.base == address).ok_or(Code::INVALID_VALUE)?;
        let free = move || {
            // Freed twice: the second finds nothing, which a device would not tell either.
            let _freed = driver.memory.free_at(address, |block| !block.is_pinned());
        };
        target.put(&Op::work(free))
    }

    since 4000 "cuMemHostAlloc" fn cuMemHostAlloc(memory: Out<u64>, bytes: usize, flags: u32) {
        const ALL: u32 = 0b111;
        if flags & !ALL != 0 {
            return Err(Code::INVALID_VALUE);
        }
        pin(&memory, bytes)
    }

    since 3020 "cuMemAllocHost" fn cuMemAllocHost_v2(memory: Out<u64>, bytes: usize) {
        pin(&memory, bytes)
    }

    since 2000 "cuMemFreeHost" fn cuMemFreeHost(memory: Host) {
        let driver = driver()?;
        current::context(&driver)?;
        driver.captures.check_unsafe()?;
        driver.memory.free_at(memory.address(), Block::is_made_pinned)
    }

    since 6050 "cuMemHostRegister" fn cuMemHostRegister_v2(
        memory: Host,
        bytes: usize,
        flags: u32,
    ) {
        const ALL: u32 = 0b1111;
        if flags & !ALL != 0 {
            return Err(Code::INVALID_VALUE);
        }
        let driver = driver()?;
        let context = current::context(&driver)?;
        driver.captures.check_unsafe()?;
        driver.memory.register((context.handle, context.device), memory.exposed(), bytes)
    }

    since 4000 "cuMemHostUnregister" fn cuMemHostUnregister(memory: Host) {
        let driver = driver()?;
        current::context(&driver)?;
        driver.captures.check_unsafe()?;
        driver.memory.unregister(memory.address())
    }

    since 3020 "cuMemHostGetDevicePointer" fn cuMemHostGetDevicePointer_v2(
        address: Out<u64>,
        memory: Host,
        flags: u32,
    ) {
        address.check()?;
        let driver = driver()?;
        current::context(&driver)?;
        if flags != 0 {
            return Err(Code::INVALID_VALUE);
        }
        let block = driver.memory.block(memory.address()).filter(|block| block.is_pinned());
        block.ok_or(Code::INVALID_VALUE)?;
        address.put(memory.address())
    }

    since 2030 "cuMemHostGetFlags" fn cuMemHostGetFlags(flags: Out<u32>, memory: Host) {
        const PORTABLE_AND_MAPPED: u32 = 0b11;
        let driver = driver()?;
        current::context(&driver)?;
        let block = driver.memory.block(memory.address()).filter(|block| block.is_pinned());
        block.ok_or(Code::INVALID_VALUE)?;
        flags.put(PORTABLE_AND_MAPPED)
    }

    since 3020 "cuMemGetInfo" fn cuMemGetInfo_v2(free: Out<usize>, total: Out<usize>) {
        let driver = driver()?;
        let device = current::context(&driver)?.device;
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        free.put(size(driver.memory.free(device)))?;
        total.put(size(Device::memory()))
    }

    since 3020 "cuMemGetAddressRange" fn cuMemGetAddressRange_v2(
        base: Out<u64>,
        bytes: Out<usize>,
        address: u64,
    ) {
        let block = driver()?.memory.block(address).ok_or(Code::NOT_FOUND)?;
        base.put_if_wanted(block.base);
        bytes.put_if_wanted(usize::try_from(block.bytes).unwrap_or(usize::MAX));
        Ok(())
    }

    since 4000 "cuPointerGetAttribute" fn cuPointerGetAttribute(
        value: Host,
        attribute: c_int,
        address: u64,
    ) {
        let block = driver()?.memory.block(address).ok_or(Code::INVALID_VALUE)?;
        value.write(&about(&block, attribute, address)?)
    }
}

fn pin(room: &Out<u64>, bytes: usize) -> Result {
    room.check()?;
    if bytes == 0 {
        return Err(Code::INVALID_VALUE);
    }
    let driver = driver()?;
    let context = current::context(&driver)?;
    driver.captures.check_unsafe()?;
    room.put(driver.memory.pin(context.handle, context.device, bytes as u64)?)
}

/// What is known of an address, as the bytes of the type that the attribute has.
fn about(block: &Block, attribute: c_int, address: u64) -> Result<Vec<u8>> {
    const HOST: u32 = 1;
    const DEVICE: u32 = 2;
    let is_pinned = block.is_pinned();
    Ok(match attribute {
        // The context, the kind of memory, the address on the device and on the host.
        1 => block.context.to_ne_bytes().to_vec(),
        2 => (if is_pinned { HOST } else { DEVICE }).to_ne_bytes().to_vec(),
        3 => address.to_ne_bytes().to_vec(),
        4 if is_pinned => address.to_ne_bytes().to_vec(),
        // An id and where it begins, whether it is managed, the device.
        7 | 11 => block.base.to_ne_bytes().to_vec(),
        8 => 0_u32.to_ne_bytes().to_vec(),
        9 => block.device.to_ne_bytes().to_vec(),
        // How long it is, whether it is mapped.
        12 => block.bytes.to_ne_bytes().to_vec(),
        13 => 1_u32.to_ne_bytes().to_vec(),
        _ => return Err(Code::INVALID_VALUE),
    })
}

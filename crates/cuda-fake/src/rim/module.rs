//! Modules and the launch of the kernels that are known.

use std::ffi::{c_uint, c_void};
use std::sync::Arc;
use std::time::Duration;

use crate::code::{Code, Result};
use crate::current;
use crate::driver::driver;
use crate::lane::Op;
use crate::module::{DELAY, FAULT, Kernel, Module};
use crate::table::Handle;

use super::call::exports;
use super::pointer::{In, Out, Text};
use super::stream::Target;

exports! { FUNCTIONS:
    since 2000 "cuModuleLoadData" fn cuModuleLoadData(module: Out<Handle>, image: Text) {
        load(&module, image)
    }

    since 2010 "cuModuleLoadDataEx" fn cuModuleLoadDataEx(
        module: Out<Handle>,
        image: Text,
        _count: c_uint,
        _options: *const c_void,
        _values: *const c_void,
    ) {
        load(&module, image)
    }

    since 2000 "cuModuleUnload" fn cuModuleUnload(module: Handle) {
        let driver = driver()?;
        current::context(&driver)?;
        drop(driver.modules.remove(module).ok_or(Code::INVALID_HANDLE)?);
        drop(driver.kernels.remove_where(|kernel| kernel.module == module));
        Ok(())
    }

    since 2000 "cuModuleGetFunction" fn cuModuleGetFunction(
        function: Out<Handle>,
        module: Handle,
        name: Text,
    ) {
        function.check()?;
        let driver = driver()?;
        current::context(&driver)?;
        let named = driver.modules.get(module).ok_or(Code::INVALID_HANDLE)?;
        let kernel = named.kernel(module, &name.get()?)?;
        function.put(driver.kernels.insert(Arc::new(kernel)))
    }

    since 4000 "cuLaunchKernel" own cuLaunchKernel_ptsz fn cuLaunchKernel(
        function: Handle,
        _grid_x: c_uint,
        _grid_y: c_uint,
        _grid_z: c_uint,
        _block_x: c_uint,
        _block_y: c_uint,
        _block_z: c_uint,
        _shared: c_uint,
        stream: Handle,
        parameters: In<In<u64>>,
        _extra: *const c_void,
    ) {
        let target = Target::of(stream)?;
        let kernel = driver()?.kernels.get(function).ok_or(Code::INVALID_HANDLE)?;
        if kernel.context != target.context.handle {
            return Err(Code::INVALID_HANDLE);
        }
        target.put(&operation(&kernel, &target, parameters)?)
    }
}

/// What a kernel does.
fn operation(kernel: &Kernel, target: &Target, parameters: In<In<u64>>) -> Result<Op> {
    match kernel.name.as_str() {
        DELAY => Ok(Op::Delay(Duration::from_nanos(parameters.get()?.get()?))),
        FAULT => Ok(Op::fault(&target.context, Code::ILLEGAL_ADDRESS)),
        _ => Err(Code::NOT_SUPPORTED),
    }
}

fn load(room: &Out<Handle>, image: Text) -> Result {
    room.check()?;
    let driver = driver()?;
    let context = current::context(&driver)?.handle;
    let module = Module::new(context, &image.get()?)?;
    room.put(driver.modules.insert(Arc::new(module)))
}

//! Initialisation, the version, the words of codes, and the addresses of functions.

use std::ffi::{c_char, c_void};

use crate::code::{Code, Result};
use crate::{driver, pretence};

use super::call::{Function, exports};
use super::pointer::{Out, Text};
use super::{
    absent, capture, context, copy, device, event, fill, green, memory, module, pool, share,
    stream, value,
};

/// Every function of the driver that the library exports.
pub(super) fn functions() -> impl Iterator<Item = &'static Function> {
    let families = [
        &FUNCTIONS[..],
        &device::FUNCTIONS,
        &context::FUNCTIONS,
        &stream::FUNCTIONS,
        &event::FUNCTIONS,
        &memory::FUNCTIONS,
        &module::FUNCTIONS,
        &pool::FUNCTIONS,
        &copy::FUNCTIONS,
        &fill::FUNCTIONS,
        &value::FUNCTIONS,
        &capture::FUNCTIONS,
        &share::FUNCTIONS,
        &green::FUNCTIONS,
    ];
    families.into_iter().flatten().copied().chain(absent::FUNCTIONS)
}

exports! { FUNCTIONS:
    since 2000 "cuInit" fn cuInit(flags: u32) {
        if flags == 0 { driver::initialize() } else { Err(Code::INVALID_VALUE) }
    }

    since 2020 "cuDriverGetVersion" fn cuDriverGetVersion(version: Out<i32>) {
        version.put(pretence::setting(|settings| settings.version))
    }

    since 6000 "cuGetErrorName" fn cuGetErrorName(code: i32, name: Out<*const c_char>) {
        put_words(&name, Code(code).name())
    }

    since 6000 "cuGetErrorString" fn cuGetErrorString(code: i32, words: Out<*const c_char>) {
        put_words(&words, Code(code).words())
    }

    since 11030 "cuGetProcAddress" fn cuGetProcAddress(
        name: Text,
        address: Out<*const c_void>,
        version: i32,
        flags: u64,
    ) {
        let found = find(&name.get()?, version, flags);
        address.put(found.unwrap_or(std::ptr::null()))?;
        found.map(drop).map_err(|_| Code::NOT_FOUND)
    }

    since 12000 "cuGetProcAddress" fn cuGetProcAddress_v2(
        name: Text,
        address: Out<*const c_void>,
        version: i32,
        flags: u64,
        status: Out<i32>,
    ) {
        let found = find(&name.get()?, version, flags);
        address.put(found.unwrap_or(std::ptr::null()))?;
        status.put_if_wanted(found.map_or_else(|trouble| trouble as i32, |_| 0));
        Ok(())
    }

    since 3000 "cuGetExportTable" fn cuGetExportTable(table: Out<*const c_void>, _id: *const c_void) {
        table.put(std::ptr::null())?;
        Err(Code::NOT_FOUND)
    }
}

fn put_words(room: &Out<*const c_char>, words: Option<&'static std::ffi::CStr>) -> Result {
    room.put(words.map_or(std::ptr::null(), std::ffi::CStr::as_ptr))?;
    words.map(drop).ok_or(Code::INVALID_VALUE)
}

/// Why there is no address, as the driver numbers it.
#[derive(Clone, Copy)]
enum NotFound {
    Name = 1,
    Version = 2,
}

/// The flag for functions whose stream 0 is the thread's own.
const PER_THREAD_DEFAULT_STREAM: u64 = 2;

/// Names that a function came to have besides its own, and since when.
const ALIASES: &[(&str, i32, &str)] =
    &[("cuGraphInstantiate", 12000, "cuGraphInstantiateWithFlags")];

/// The newest function of a name that the asked version and the driver's have both.
fn find(name: &str, version: i32, flags: u64) -> std::result::Result<*const c_void, NotFound> {
    if pretence::setting(|settings| settings.missing.contains(name)) {
        return Err(NotFound::Name);
    }
    let alias = ALIASES.iter().find(|(alias, since, _)| *alias == name && *since <= version);
    let name = alias.map_or(name, |(_, _, name)| name);
    let own = pretence::setting(|settings| settings.version);
    let named = functions().filter(|function| function.base == name && function.since <= own);
    let known: Vec<&Function> = named.filter(|function| !is_missing(function)).collect();
    let fitting = known.iter().filter(|function| function.since <= version);
    match fitting.max_by_key(|function| function.since) {
        Some(function) => Ok(address(function, flags)),
        None if !known.is_empty() => Err(NotFound::Version),
        None => Err(NotFound::Name),
    }
}

fn is_missing(function: &Function) -> bool {
    pretence::setting(|settings| settings.missing.contains(function.name))
}

fn address(function: &Function, flags: u64) -> *const c_void {
    let own = function.own_default.filter(|_| flags & PER_THREAD_DEFAULT_STREAM != 0);
    own.unwrap_or(function.address).cast()
}

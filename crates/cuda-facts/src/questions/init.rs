//! What a driver says before and around its initialization, and of names that it does not know.

use super::{Question, yes};
use crate::driver::{Context, Driver, Text};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "init.count_before",
        asks: "what does cuDeviceGetCount say before cuInit?",
        ask: |driver| driver.device_count(&mut 0)?.told(),
    },
    Question {
        name: "init.version_before",
        asks: "what does cuDriverGetVersion say before cuInit?",
        ask: |driver| driver.driver_version(&mut 0)?.told(),
    },
    Question {
        name: "init.context_before",
        asks: "what does cuCtxGetCurrent say before cuInit?",
        ask: |driver| {
            let mut context = Context::NONE;
            driver.context_current(&mut context)?.told()
        },
    },
    Question {
        name: "init.flags",
        asks: "what does cuInit say of a flag, of which there are none?",
        ask: |driver| driver.init(1)?.told(),
    },
    Question {
        name: "init.twice",
        asks: "what does cuInit say the second time?",
        ask: |driver| {
            driver.init(0)?.needed()?;
            driver.init(0)?.told()
        },
    },
    Question {
        name: "device.out_of_range",
        asks: "what does cuDeviceGet say of the ordinal behind the last?",
        ask: |driver| {
            let mut count = 0;
            driver.init(0)?.needed()?;
            driver.device_count(&mut count)?.needed()?;
            driver.device(&mut 0, count)?.told()
        },
    },
    Question {
        name: "device.negative",
        asks: "what does cuDeviceGet say of the ordinal -1?",
        ask: |driver| {
            driver.init(0)?.needed()?;
            driver.device(&mut 0, -1)?.told()
        },
    },
    Question {
        name: "error.unknown_name",
        asks: "what does cuGetErrorName say of a code that does not exist?",
        ask: |driver| name_of(driver, 123_456),
    },
    Question {
        name: "error.external_device",
        asks: "what does it say of 911, by which a context is lost?",
        ask: |driver| name_of(driver, 911),
    },
    Question {
        name: "symbol.unknown",
        asks: "what does cuGetProcAddress_v2 say of a function that does not exist?",
        ask: |driver| function(driver, 12_000, c"cuNoSuchFunction"),
    },
    Question {
        name: "symbol.too_new",
        asks: "what does it say of cuStreamGetId, which came with 12.0, to a program of 11.0?",
        ask: |driver| function(driver, 11_000, c"cuStreamGetId"),
    },
];

/// Whether the driver has a name for a code.
fn name_of(driver: &'static Driver, code: i32) -> crate::answer::Asked<String> {
    let mut text = Text::default();
    let said = driver.error_name(code, &mut text)?;
    Ok(format!("{}, text: {}", said.code, yes(!text.is_null())))
}

fn function(
    driver: &'static Driver,
    version: i32,
    symbol: &std::ffi::CStr,
) -> crate::answer::Asked<String> {
    let (mut found, mut status) = (Text::default(), -1);
    driver.init(0)?.needed()?;
    let said = driver.function_address(symbol, &mut found, version, 0, &mut status)?;
    Ok(format!("{}, found: {}, status {status}", said.code, yes(!found.is_null())))
}

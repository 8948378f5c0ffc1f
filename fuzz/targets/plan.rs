//! Any text read as a pipeline file: a plan whose names agree or words for what is wrong, soon and in little memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syncpoint_cli::plan::{DeviceName, Plan};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Plan::parse("fuzz.toml".as_ref(), text, &DeviceName::HOST) {
        Ok(plan) => agrees(&plan),
        Err(problems) => assert!(problems.to_string().starts_with("fuzz.toml"), "{problems}"),
    }
});

/// Every step stands once in the order.
fn agrees(plan: &Plan) {
    let mut order = plan.order().to_vec();
    order.sort_unstable();
    assert!(order.into_iter().eq(0..plan.steps().len()), "{plan:?}");
}

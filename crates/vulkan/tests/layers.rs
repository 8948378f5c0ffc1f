//! That the checks of the Khronos layer watch where they were asked for: without this, silence would say nothing.

#![cfg(target_os = "linux")]

mod machine;

use std::env;
use std::fs;

#[test]
fn the_layer_that_was_asked_for_watches() {
    let asked = env::var("VK_INSTANCE_LAYERS").is_ok_and(|layers| layers.contains("validation"));
    if !asked || !machine::is_there() {
        return;
    }
    let loaded = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(loaded.contains("khronos_validation"), "the layer was asked for and is not there");
}

//! The ends of a process that has work on a device: prompt, silent, and with its exit code.

mod machine;

use syncpoint_conformance::ends;

#[test]
fn a_process_ends_promptly_whatever_is_on_its_way() {
    if machine::is_there() {
        ends::assert_all();
    }
}

/// Nothing in the first process.
#[test]
fn the_child() {
    ends::play(|| syncpoint::vulkan::open(0));
}

//! The ends of a process that has work on a double of Metal: prompt, silent, and with its exit code.

mod double;

use syncpoint_conformance::ends;

use double::Double;

#[test]
fn a_process_ends_promptly_whatever_is_on_its_way() {
    ends::assert_all();
}

/// Nothing in the first process.
#[test]
fn the_child() {
    ends::play(Double::open);
}

//! The examples run where the stand-in is the driver, for cudarc as for us.

#![cfg(target_os = "linux")]

#[path = "../examples/lent.rs"]
mod lent;

#[test]
fn a_stream_of_ours_is_lent_to_cudarc() {
    syncpoint_cuda_fake::run("a_stream_of_ours_is_lent_to_cudarc", "", || {
        lent::main().expect("the example succeeds");
    });
}

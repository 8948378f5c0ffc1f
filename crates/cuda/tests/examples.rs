//! The examples run where the stand-in is the driver, for cudarc as for us.

#![cfg(target_os = "linux")]

#[path = "../examples/borrowed.rs"]
mod borrowed;
#[path = "../examples/exposed.rs"]
mod exposed;
#[path = "../examples/lent.rs"]
mod lent;

#[test]
fn a_stream_of_cudarc_is_borrowed() {
    syncpoint_cuda_fake::run("a_stream_of_cudarc_is_borrowed", "", || {
        borrowed::main().expect("the example succeeds");
    });
}

#[test]
fn a_stream_of_ours_is_handed_to_cudarc() {
    syncpoint_cuda_fake::run("a_stream_of_ours_is_handed_to_cudarc", "", || {
        exposed::main().expect("the example succeeds");
    });
}

#[test]
fn a_stream_of_ours_is_lent_to_cudarc() {
    syncpoint_cuda_fake::run("a_stream_of_ours_is_lent_to_cudarc", "", || {
        lent::main().expect("the example succeeds");
    });
}

#[test]
fn without_a_device_the_examples_end_well() {
    syncpoint_cuda_fake::run("without_a_device_the_examples_end_well", "devices=0", || {
        for example in [borrowed::main, exposed::main, lent::main] {
            example().expect("the example says that it does not run");
        }
    });
}

//! A program of others, cudarc, on the library, unmodified: contexts, streams, events, slices, host functions, graphs.
//!
//! Each test runs in a process of its own, whose loader finds the library as it would find a driver.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "host functions are functions of C, also for cudarc")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::ffi::{CString, c_char, c_void};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::sys::{self, CUevent_flags, CUstreamCaptureMode};
use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, result};
use libloading::Library;

/// Runs the test of this name where the library is the driver.
#[track_caller]
fn on_the_library(name: &str, script: &str, test: fn() -> Result<(), DriverError>) {
    syncpoint_cuda_fake::run(name, script, || test().expect("cudarc succeeds"));
}

#[test]
fn a_context_says_which_device_it_has() {
    on_the_library("a_context_says_which_device_it_has", "devices=3", || {
        assert_eq!(CudaContext::device_count()?, 3);
        let context = CudaContext::new(2)?;
        assert_eq!(context.name()?, "syncpoint simulated CUDA device");
        assert_eq!(context.ordinal(), 2);
        assert!(context.total_mem()? > 0);
        Ok(())
    });
}

#[test]
fn a_machine_without_devices_is_an_error_and_no_panic() {
    on_the_library("a_machine_without_devices_is_an_error_and_no_panic", "devices=0", || {
        let refused = CudaContext::new(0).map(drop).unwrap_err();
        assert_eq!(refused.0, sys::CUresult::CUDA_ERROR_NO_DEVICE);
        Ok(())
    });
}

#[test]
fn slices_go_to_the_device_and_come_back() {
    on_the_library("slices_go_to_the_device_and_come_back", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let numbers: Vec<u32> = (0..10_000).collect();
        let there = stream.clone_htod(&numbers)?;
        let copy = stream.clone_dtod(&there)?;
        assert_eq!(stream.clone_dtoh(&copy)?, numbers);
        let zeros = stream.alloc_zeros::<u64>(512)?;
        assert_eq!(stream.clone_dtoh(&zeros.slice(1..3))?, [0, 0]);
        Ok(())
    });
}

#[test]
fn a_slice_used_on_two_streams_is_ordered_by_the_events_of_cudarc() {
    let name = "a_slice_used_on_two_streams_is_ordered_by_the_events_of_cudarc";
    on_the_library(name, "", || {
        let context = CudaContext::new(0)?;
        let (first, second) = (context.new_stream()?, context.new_stream()?);
        let mut slice = first.alloc_zeros::<u32>(4)?;
        let held = Held::on(&first)?;
        first.memcpy_htod(&[1, 2, 3, 4], &mut slice)?;
        let mut there = second.alloc_zeros::<u32>(4)?;
        second.memcpy_dtod(&slice, &mut there)?;
        assert!(!second.record_event(None)?.try_is_complete()?, "it waits for the first stream");
        held.end();
        assert_eq!(second.clone_dtoh(&there)?, [1, 2, 3, 4]);
        Ok(())
    });
}

#[test]
fn an_event_is_pending_until_the_work_before_it_is_done() {
    on_the_library("an_event_is_pending_until_the_work_before_it_is_done", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let held = Held::on(&stream)?;
        let event = stream.record_event(None)?;
        assert!(!event.try_is_complete()?);
        held.end();
        event.synchronize()?;
        assert!(event.is_complete());
        Ok(())
    });
}

#[test]
fn a_stream_waits_for_the_event_of_another() {
    on_the_library("a_stream_waits_for_the_event_of_another", "", || {
        let context = CudaContext::new(0)?;
        let (first, second, idle) =
            (context.new_stream()?, context.new_stream()?, context.new_stream()?);
        let held = Held::on(&first)?;
        let event = first.record_event(None)?;
        second.wait(&event)?;
        let behind = second.record_event(None)?;
        event.record(&idle)?;
        event.synchronize()?;
        assert!(!behind.try_is_complete()?, "the wait is for the first record");
        held.end();
        behind.synchronize()?;
        Ok(())
    });
}

#[test]
fn a_forked_stream_waits_for_the_one_that_it_comes_from() {
    on_the_library("a_forked_stream_waits_for_the_one_that_it_comes_from", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let held = Held::on(&stream)?;
        let fork = stream.fork()?;
        let event = fork.record_event(None)?;
        assert!(!event.try_is_complete()?);
        held.end();
        stream.join(&fork)?;
        stream.synchronize()?;
        assert!(event.try_is_complete()?);
        Ok(())
    });
}

#[test]
fn times_grow_and_events_without_times_are_refused() {
    on_the_library("times_grow_and_events_without_times_are_refused", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let timed = || stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        let start = timed()?;
        stream.clone_htod(&vec![7_u8; 1 << 20])?;
        let end = timed()?;
        assert!(start.elapsed_ms(&end)? > 0.0);
        let untimed: CudaEvent = stream.record_event(None)?;
        let refused = start.elapsed_ms(&untimed).unwrap_err();
        assert_eq!(refused.0, sys::CUresult::CUDA_ERROR_INVALID_HANDLE);
        Ok(())
    });
}

#[test]
fn host_functions_run_in_the_order_of_their_stream() {
    on_the_library("host_functions_run_in_the_order_of_their_stream", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..100 {
            let order = Arc::clone(&order);
            enqueue(&stream, move || {
                order.lock().unwrap_or_else(PoisonError::into_inner).push(number);
            })?;
        }
        stream.synchronize()?;
        let order = order.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(*order, (0..100).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn a_captured_graph_does_its_work_at_each_launch() {
    on_the_library("a_captured_graph_does_its_work_at_each_launch", "", || {
        let context = CudaContext::new(0)?;
        let stream = context.new_stream()?;
        // SAFETY: one stream is used, so nothing has to be ordered.
        unsafe { context.disable_event_tracking() };
        let mut slice = stream.clone_htod(&[1_u32; 8])?;
        stream.synchronize()?;
        stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED)?;
        stream.memset_zeros(&mut slice)?;
        let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
        let graph = stream.end_capture(flags)?.expect("something was captured");
        assert_eq!(stream.clone_dtoh(&slice)?, [1; 8], "nothing is done by a capture");
        graph.launch()?;
        assert_eq!(stream.clone_dtoh(&slice)?, [0; 8]);
        Ok(())
    });
}

#[test]
fn an_error_of_the_driver_comes_through_with_its_code() {
    let script = "fail cuEventRecord 2 719";
    on_the_library("an_error_of_the_driver_comes_through_with_its_code", script, || {
        let stream = CudaContext::new(0)?.new_stream()?;
        stream.record_event(None)?;
        let refused = stream.record_event(None).map(drop).unwrap_err();
        assert_eq!(refused.0, sys::CUresult::CUDA_ERROR_LAUNCH_FAILED);
        Ok(())
    });
}

#[test]
fn nothing_is_left_when_all_is_dropped() {
    on_the_library("nothing_is_left_when_all_is_dropped", "", || {
        let stream = CudaContext::new(0)?.new_stream()?;
        let slice = stream.clone_htod(&[1_u8; 100])?;
        let event = stream.record_event(None)?;
        assert!(["streams", "events", "memory"].iter().all(|kind| alive(kind) > 0));
        drop((slice, event, stream));
        assert_eq!(alive("all"), 0);
        Ok(())
    });
}

/// How many objects of a kind live in the library.
fn alive(kind: &str) -> u64 {
    type Alive = unsafe extern "C" fn(*const c_char) -> u64;
    let kind = CString::new(kind).expect("a kind has no zeros");
    // SAFETY: it is loaded already, by cudarc.
    let library = unsafe { Library::new("libcuda.so.1") }.expect("cudarc has loaded it");
    // SAFETY: the library says so of the function of this name.
    let alive = unsafe { library.get::<Alive>(c"syncpointFakeAlive") }.expect("it is exported");
    // SAFETY: it reads the text during the call.
    unsafe { alive(kind.as_ptr()) }
}

/// Host work that holds a stream until it is ended or dropped.
struct Held(Sender<()>);

impl Held {
    fn on(stream: &CudaStream) -> Result<Self, DriverError> {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let ended = Mutex::new(ended);
        enqueue(stream, move || {
            // The end of the other side is an end, too.
            ended.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap_or_default();
        })?;
        Ok(Self(end))
    }

    fn end(self) {
        drop(self.0);
    }
}

/// Has a function run once in the order of a stream, as programs over cudarc do.
fn enqueue(stream: &CudaStream, f: impl FnOnce() + Send + 'static) -> Result<(), DriverError> {
    type Work = Box<dyn FnOnce() + Send>;
    unsafe extern "C" fn run(data: *mut c_void) {
        // SAFETY: the box was made for this call, which is the only one.
        let work = unsafe { Box::from_raw(data.cast::<Work>()) };
        work();
    }
    let work: Box<Work> = Box::new(Box::new(f));
    // SAFETY: the stream lives, and `run` takes what it is given.
    unsafe {
        result::stream::launch_host_function(stream.cu_stream(), run, Box::into_raw(work).cast())
    }
}

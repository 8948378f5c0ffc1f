//! Captures and the graphs that come of them.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use crate::capture::{Capture, Mode};
use crate::code::{Code, Result};
use crate::current;
use crate::driver::driver;
use crate::graph::{Executable, Graph};
use crate::table::Handle;

use super::call::exports;
use super::pointer::Out;
use super::stream::{Target, find};

exports! { FUNCTIONS:
    since 10010 "cuStreamBeginCapture" own cuStreamBeginCapture_v2_ptsz
    fn cuStreamBeginCapture_v2(stream: Handle, mode: c_int) {
        let target = Target::of(stream)?;
        Capture::begin(&*driver()?, &target.lane, Mode::new(mode)?)
    }

    since 10000 "cuStreamEndCapture" own cuStreamEndCapture_ptsz
    fn cuStreamEndCapture(stream: Handle, graph: Out<Handle>) {
        graph.put(0)?;
        let target = Target::of(stream)?;
        let steps = Capture::end(&target.lane)?;
        let made = Graph::new(target.context.handle, steps);
        graph.put(driver()?.graphs.insert(Arc::new(made)))
    }

    since 10000 "cuStreamIsCapturing" own cuStreamIsCapturing_ptsz
    fn cuStreamIsCapturing(stream: Handle, status: Out<c_int>) {
        status.put(capture_of(stream)?.map_or(0, |capture| capture.status()))
    }

    since 10010 "cuStreamGetCaptureInfo" own cuStreamGetCaptureInfo_ptsz
    fn cuStreamGetCaptureInfo(stream: Handle, status: Out<c_int>, id: Out<u64>) {
        tell(stream, &status, &id)
    }

    since 11030 "cuStreamGetCaptureInfo" own cuStreamGetCaptureInfo_v2_ptsz
    fn cuStreamGetCaptureInfo_v2(
        stream: Handle,
        status: Out<c_int>,
        id: Out<u64>,
        graph: Out<Handle>,
        dependencies: Out<*const c_void>,
        count: Out<usize>,
    ) {
        tell(stream, &status, &id)?;
        tell_nothing(&graph, &dependencies, &count);
        Ok(())
    }

    since 12030 "cuStreamGetCaptureInfo" own cuStreamGetCaptureInfo_v3_ptsz
    fn cuStreamGetCaptureInfo_v3(
        stream: Handle,
        status: Out<c_int>,
        id: Out<u64>,
        graph: Out<Handle>,
        dependencies: Out<*const c_void>,
        edges: Out<*const c_void>,
        count: Out<usize>,
    ) {
        tell(stream, &status, &id)?;
        edges.put_if_wanted(std::ptr::null());
        tell_nothing(&graph, &dependencies, &count);
        Ok(())
    }

    since 10010 "cuThreadExchangeStreamCaptureMode"
    fn cuThreadExchangeStreamCaptureMode(mode: Out<c_int>) {
        driver()?;
        mode.exchange(|number| Ok(current::exchange_capture_mode(Mode::new(number)?)? as c_int))
    }

    since 11040 "cuGraphInstantiateWithFlags"
    fn cuGraphInstantiateWithFlags(executable: Out<Handle>, graph: Handle, _flags: u64) {
        executable.check()?;
        let driver = driver()?;
        let graph = driver.graphs.get(graph).ok_or(Code::INVALID_VALUE)?;
        executable.put(driver.executables.insert(Arc::new(Executable::new(Graph::clone(&graph)))))
    }

    since 11010 "cuGraphUpload" own cuGraphUpload_ptsz
    fn cuGraphUpload(executable: Handle, stream: Handle) {
        Target::of(stream)?;
        driver()?.executables.get(executable).map(drop).ok_or(Code::INVALID_VALUE)
    }

    since 10000 "cuGraphLaunch" own cuGraphLaunch_ptsz
    fn cuGraphLaunch(executable: Handle, stream: Handle) {
        let target = Target::of(stream)?;
        target.lane.refuse_capture()?;
        let driver = driver()?;
        let executable = driver.executables.get(executable).ok_or(Code::INVALID_VALUE)?;
        executable.launch(&driver.host, &target.context, &target.lane)
    }

    since 10000 "cuGraphGetNodes"
    fn cuGraphGetNodes(graph: Handle, nodes: *mut Handle, count: Out<usize>) {
        let graph = driver()?.graphs.get(graph).ok_or(Code::INVALID_VALUE)?;
        if !nodes.is_null() {
            return Err(Code::NOT_SUPPORTED);
        }
        count.put(graph.len())
    }

    since 10000 "cuGraphDestroy" fn cuGraphDestroy(graph: Handle) {
        driver()?.graphs.remove(graph).map(drop).ok_or(Code::INVALID_VALUE)
    }

    since 10000 "cuGraphExecDestroy" fn cuGraphExecDestroy(executable: Handle) {
        driver()?.executables.remove(executable).map(drop).ok_or(Code::INVALID_VALUE)
    }
}

/// The capture that a stream belongs to. The legacy stream belongs to none, and says where it could not be used.
fn capture_of(stream: Handle) -> Result<Option<Arc<Capture>>> {
    let driver = driver()?;
    let lane = find(&driver, stream)?;
    let context = driver.context(lane.context)?;
    if context.implied_capture(&lane).is_some() {
        return Err(Code::CAPTURE_IMPLICIT);
    }
    Ok(lane.capture())
}

fn tell(stream: Handle, status: &Out<c_int>, id: &Out<u64>) -> Result {
    let capture = capture_of(stream)?;
    status.put(capture.as_ref().map_or(0, |capture| capture.status()))?;
    id.put_if_wanted(capture.map_or(0, |capture| capture.id));
    Ok(())
}

/// The graph of a capture has no handle before it ends.
fn tell_nothing(graph: &Out<Handle>, dependencies: &Out<*const c_void>, count: &Out<usize>) {
    graph.put_if_wanted(0);
    dependencies.put_if_wanted(std::ptr::null());
    count.put_if_wanted(0);
}

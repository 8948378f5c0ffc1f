//! Streams: made and destroyed, asked and waited for, and what the host is to do in their order.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use crate::code::{Code, Result};
use crate::context::Context;
use crate::current;
use crate::driver::{Driver, driver};
use crate::lane::{Kind, Lane, Op, wait};
use crate::pretence;
use crate::table::Handle;

use super::call::exports;
use super::callback::{Call, HostFunction, StreamFunction};
use super::pointer::Out;

exports! { FUNCTIONS:
    since 2000 "cuStreamCreate" fn cuStreamCreate(stream: Out<Handle>, flags: u32) {
        create(&stream, flags, 0)
    }

    since 5050 "cuStreamCreateWithPriority" fn cuStreamCreateWithPriority(
        stream: Out<Handle>,
        flags: u32,
        priority: c_int,
    ) {
        create(&stream, flags, priority)
    }

    since 4000 "cuStreamDestroy" fn cuStreamDestroy_v2(stream: Handle) {
        let driver = driver()?;
        let lane = driver.streams.remove(stream).ok_or(Code::INVALID_HANDLE)?;
        let context = driver.context(lane.context)?;
        if let Some(capture) = lane.capture() {
            capture.abandon(&lane);
        }
        context.depart(&lane)?;
        context.check()
    }

    since 2000 "cuStreamQuery" own cuStreamQuery_ptsz fn cuStreamQuery(stream: Handle) {
        let Target { context, lane } = Target::of(stream)?;
        lane.refuse_capture()?;
        for end in context.ends(&lane)? {
            if !end.query()? {
                return Err(Code::NOT_READY);
            }
        }
        Ok(())
    }

    since 2000 "cuStreamSynchronize" own cuStreamSynchronize_ptsz fn cuStreamSynchronize(
        stream: Handle,
    ) {
        Target::of(stream)?.synchronize()
    }

    since 3020 "cuStreamWaitEvent" own cuStreamWaitEvent_ptsz fn cuStreamWaitEvent(
        stream: Handle,
        event: Handle,
        flags: u32,
    ) {
        const EXTERNAL: u32 = 1;
        let Target { context, lane } = Target::of(stream)?;
        let event = driver()?.event(event)?;
        match flags {
            0 => event.hold_back(&context, &lane),
            EXTERNAL => event.hold_back_external(&lane),
            _ => Err(Code::INVALID_VALUE),
        }
    }

    since 12000 "cuStreamGetId" own cuStreamGetId_ptsz fn cuStreamGetId(
        stream: Handle,
        id: Out<u64>,
    ) {
        let lane = find(&*driver()?, stream)?;
        lane.refuse_capture()?;
        id.put(lane.id)
    }

    since 5050 "cuStreamGetFlags" own cuStreamGetFlags_ptsz fn cuStreamGetFlags(
        stream: Handle,
        flags: Out<u32>,
    ) {
        flags.put(u32::from(Target::of(stream)?.lane.kind == Kind::NonBlocking))
    }

    since 5050 "cuStreamGetPriority" own cuStreamGetPriority_ptsz fn cuStreamGetPriority(
        stream: Handle,
        priority: Out<c_int>,
    ) {
        priority.put(Target::of(stream)?.lane.queue.priority())
    }

    since 9020 "cuStreamGetCtx" own cuStreamGetCtx_ptsz fn cuStreamGetCtx(
        stream: Handle,
        context: Out<Handle>,
    ) {
        let own = Target::asked(stream)?.context;
        if own.green().is_some() { Err(Code::NOT_SUPPORTED) } else { context.put(own.handle) }
    }

    since 12050 "cuStreamGetCtx" own cuStreamGetCtx_v2_ptsz fn cuStreamGetCtx_v2(
        stream: Handle,
        context: Out<Handle>,
        green: Out<Handle>,
    ) {
        let own = Target::asked(stream)?.context;
        context.put(own.family())?;
        green.put_if_wanted(own.green().unwrap_or(0));
        Ok(())
    }

    since 12080 "cuStreamGetDevice" own cuStreamGetDevice_ptsz fn cuStreamGetDevice(
        stream: Handle,
        device: Out<c_int>,
    ) {
        device.put(Target::asked(stream)?.context.device)
    }

    since 10000 "cuLaunchHostFunc" own cuLaunchHostFunc_ptsz fn cuLaunchHostFunc(
        stream: Handle,
        function: HostFunction,
        data: *mut c_void,
    ) {
        let call = Call::new(function, data)?;
        Target::of(stream)?.put(&Op::work(move || call.run()))
    }

    since 5000 "cuStreamAddCallback" own cuStreamAddCallback_ptsz fn cuStreamAddCallback(
        stream: Handle,
        function: StreamFunction,
        data: *mut c_void,
        flags: u32,
    ) {
        let call = Call::new(function, data)?;
        if flags != 0 {
            return Err(Code::INVALID_VALUE);
        }
        let target = Target::of(stream)?;
        target.lane.refuse_capture()?;
        target.put(&Op::Run(Arc::new(move |fate| call.run(stream, fate))))
    }
}

/// A stream that a call is about, and its context, both whole.
pub(super) struct Target {
    pub(super) context: Arc<Context>,
    pub(super) lane: Arc<Lane>,
}

impl Target {
    /// The stream of a handle.
    pub(super) fn of(stream: Handle) -> Result<Self> {
        let driver = driver()?;
        current::require(&driver)?;
        let lane = find(&driver, stream)?;
        let context = driver.context(lane.context)?;
        context.check()?;
        if let Some(capture) = context.implied_capture(&lane) {
            capture.invalidate();
            return Err(Code::CAPTURE_IMPLICIT);
        }
        Ok(Self { context, lane })
    }

    /// One that is asked whose it is, which breaks a capture.
    fn asked(stream: Handle) -> Result<Self> {
        let target = Self::of(stream)?;
        target.lane.refuse_capture()?;
        Ok(target)
    }

    pub(super) fn put(&self, op: &Op) -> Result {
        self.lane.put(&self.context, op)
    }

    /// Waits for everything that the stream has been given.
    pub(super) fn synchronize(&self) -> Result {
        self.lane.refuse_capture()?;
        self.context.ends(&self.lane)?.iter().try_for_each(wait)?;
        self.context.check()
    }
}

const DEFAULT: Handle = 0;
const LEGACY: Handle = 1;
const PER_THREAD: Handle = 2;

/// The stream of a handle; the default streams are those of the current context.
pub(super) fn find(driver: &Driver, stream: Handle) -> Result<Arc<Lane>> {
    match stream {
        DEFAULT if current::has_own_default() => current::context(driver)?.own_default(),
        DEFAULT | LEGACY => Ok(current::context(driver)?.legacy()),
        PER_THREAD => {
            let context = current::context(driver)?;
            // As the manual has it of a green context.
            if context.green().is_some() {
                Err(Code::INVALID_HANDLE)
            } else {
                context.own_default()
            }
        }
        _ => driver.streams.get(stream).ok_or(Code::INVALID_HANDLE),
    }
}

fn create(room: &Out<Handle>, flags: u32, priority: c_int) -> Result {
    room.check()?;
    let kind = match flags {
        0 => Kind::Blocking,
        1 => Kind::NonBlocking,
        _ => return Err(Code::INVALID_VALUE),
    };
    let driver = driver()?;
    let lane = current::context(&driver)?.make_lane(kind, priority)?;
    if pretence::is_stalled() {
        lane.stall()?;
    }
    room.put(driver.streams.insert(lane))
}

//! Copies between host and device and within each, now or in the order of a stream.
//!
//! Pageable memory of the program is read before an asynchronous copy from it returns, and a copy into it returns only
//! once it is done, as the manual says; so nothing of the program's is touched behind its back, except what it pinned.

use crate::code::{Code, Result};
use crate::driver::driver;
use crate::lane::Op;
use crate::memory::Region;
use crate::table::Handle;

use super::call::exports;
use super::pointer::Host;
use super::stream::Target;

exports! { FUNCTIONS:
    since 3020 "cuMemcpyHtoD" own cuMemcpyHtoD_v2_ptds fn cuMemcpyHtoD_v2(
        target: u64,
        source: Host,
        bytes: usize,
    ) {
        Copy { target: device(target, bytes)?, source: place(source.address(), bytes)?, bytes }.now()
    }

    since 3020 "cuMemcpyDtoH" own cuMemcpyDtoH_v2_ptds fn cuMemcpyDtoH_v2(
        target: Host,
        source: u64,
        bytes: usize,
    ) {
        Copy { target: place(target.address(), bytes)?, source: device(source, bytes)?, bytes }.now()
    }

    since 3020 "cuMemcpyDtoD" own cuMemcpyDtoD_v2_ptds fn cuMemcpyDtoD_v2(
        target: u64,
        source: u64,
        bytes: usize,
    ) {
        // Between two places on the device the host does not wait.
        Copy { target: device(target, bytes)?, source: device(source, bytes)?, bytes }.on(DEFAULT)
    }

    since 4000 "cuMemcpy" own cuMemcpy_ptds fn cuMemcpy(target: u64, source: u64, bytes: usize) {
        Copy { target: place(target, bytes)?, source: place(source, bytes)?, bytes }.now()
    }

    since 3020 "cuMemcpyHtoDAsync" own cuMemcpyHtoDAsync_v2_ptsz fn cuMemcpyHtoDAsync_v2(
        target: u64,
        source: Host,
        bytes: usize,
        stream: Handle,
    ) {
        Copy { target: device(target, bytes)?, source: place(source.address(), bytes)?, bytes }.on(stream)
    }

    since 3020 "cuMemcpyDtoHAsync" own cuMemcpyDtoHAsync_v2_ptsz fn cuMemcpyDtoHAsync_v2(
        target: Host,
        source: u64,
        bytes: usize,
        stream: Handle,
    ) {
        Copy { target: place(target.address(), bytes)?, source: device(source, bytes)?, bytes }.on(stream)
    }

    since 3020 "cuMemcpyDtoDAsync" own cuMemcpyDtoDAsync_v2_ptsz fn cuMemcpyDtoDAsync_v2(
        target: u64,
        source: u64,
        bytes: usize,
        stream: Handle,
    ) {
        Copy { target: device(target, bytes)?, source: device(source, bytes)?, bytes }.on(stream)
    }

    since 4000 "cuMemcpyAsync" own cuMemcpyAsync_ptsz fn cuMemcpyAsync(
        target: u64,
        source: u64,
        bytes: usize,
        stream: Handle,
    ) {
        Copy { target: place(target, bytes)?, source: place(source, bytes)?, bytes }.on(stream)
    }

    since 4000 "cuMemcpyPeerAsync" own cuMemcpyPeerAsync_ptsz fn cuMemcpyPeerAsync(
        target: u64,
        target_context: Handle,
        source: u64,
        source_context: Handle,
        bytes: usize,
        stream: Handle,
    ) {
        let driver = driver()?;
        driver.context(target_context)?.check()?;
        driver.context(source_context)?.check()?;
        Copy { target: device(target, bytes)?, source: device(source, bytes)?, bytes }.on(stream)
    }
}

const DEFAULT: Handle = 0;

/// Where bytes lie.
enum Place {
    /// In memory that the driver knows.
    Known(Region),
    /// Elsewhere in the process.
    Pageable(Host),
}

/// Memory that the driver has to know, unless nothing is copied.
fn device(address: u64, bytes: usize) -> Result<Place> {
    if bytes == 0 {
        return Ok(Place::Pageable(Host::at(address)));
    }
    let region = driver()?.memory.region(address, bytes)?;
    region.map(Place::Known).ok_or(Code::INVALID_VALUE)
}

/// Memory that the driver may know.
fn place(address: u64, bytes: usize) -> Result<Place> {
    let region = driver()?.memory.region(address, bytes)?;
    Ok(region.map_or(Place::Pageable(Host::at(address)), Place::Known))
}

struct Copy {
    target: Place,
    source: Place,
    bytes: usize,
}

impl Copy {
    /// Copies in the order of a stream.
    fn on(self, stream: Handle) -> Result {
        self.on_target(&Target::of(stream)?)
    }

    /// Copies in the order of the default stream, and waits for it.
    fn now(self) -> Result {
        driver()?.captures.check_unsafe()?;
        let target = Target::of(DEFAULT)?;
        self.on_target(&target)?;
        target.synchronize()
    }

    fn on_target(self, target: &Target) -> Result {
        if self.bytes == 0 {
            return Ok(());
        }
        match (self.target, self.source) {
            (Place::Known(to), Place::Known(from)) => {
                target.put(&Op::work(move || to.write(&from.read())))
            }
            (Place::Known(to), Place::Pageable(from)) => {
                let bytes = from.read(self.bytes)?;
                target.put(&Op::work(move || to.write(&bytes)))
            }
            (Place::Pageable(to), Place::Known(from)) => {
                target.synchronize()?;
                to.write(&from.read())
            }
            (Place::Pageable(to), Place::Pageable(from)) => {
                target.synchronize()?;
                to.write(&from.read(self.bytes)?)
            }
        }
    }
}

//! The Python package of syncpoint, `import syncpoint`: the calls that users of PyTorch know, on any device.
//!
//! Here is what enters a driver, may wait, or is shared with other languages; what only arranges names is Python
//! (`python/syncpoint`). The interpreter's lock is released round every call that may block, drops included.

mod arguments;
mod cuda_event;
mod current;
mod device;
mod devices;
mod ending;
mod error;
mod event;
mod external;
mod gate;
mod held;
mod holder;
mod late;
mod memory;
mod notify;
mod only;
mod options;
mod parity;
mod place;
mod point;
mod program;
mod released;
mod ring;
mod room;
mod span;
mod stream;
mod table;
mod together;
mod waits;
mod work;

use pyo3::prelude::*;

/// What the package is made of.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::cuda_event::CudaEvent;
    #[pymodule_export]
    use super::current::{_current_stream, _default_if_current, thread};
    #[pymodule_export]
    use super::device::{Device, devices, open};
    #[pymodule_export]
    use super::devices::{_device_count, Capabilities};
    #[pymodule_export]
    use super::ending::{_end, _forked, _rest, _within};
    #[pymodule_export]
    use super::event::Event;
    #[pymodule_export]
    use super::gate::Gate;
    #[pymodule_export]
    use super::memory::Buffer;
    #[pymodule_export]
    use super::notify::Notification;
    #[pymodule_export]
    use super::point::Point;
    #[pymodule_export]
    use super::program::{main, run};
    #[pymodule_export]
    use super::ring::SharedStreams;
    #[pymodule_export]
    use super::span::Span;
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::table::EventPool;
    #[pymodule_export]
    use super::together::{wait_all, wait_any};

    #[pymodule_init]
    fn finish(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        super::only::refuse_others(module.py())?;
        super::room::finalized(module)
    }
}

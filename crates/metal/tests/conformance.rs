//! The laws, tried on the protocol over a double of Metal.

mod double;

use syncpoint::{Device, Mode, Result, Stream};
use syncpoint_conformance::Backend;
use syncpoint_metal::protocol::borrow;

use double::{Double, Queue};

/// What is ours of an ordinary queue.
const ROOM: usize = 48;

syncpoint_conformance::suite!(metal: managed, exposed, borrowed);

fn metal() -> Backend {
    let backend = Backend::new("metal", open).beside(|| syncpoint::open("host:0"));
    backend.without_children().with_others(stream_of_others)
}

/// Two devices of their own for each case: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    Ok(vec![Double::open()?, Double::open()?])
}

/// A queue that others commit to as well.
fn stream_of_others(device: &Device, mode: Mode) -> Result<Stream> {
    if mode == Mode::Exposed {
        let stream = device.stream()?;
        Queue::of(&stream)?;
        return Ok(stream);
    }
    borrow::<Double>(device, Queue::ordinary(), ROOM)
}

//! Green contexts: made of all that a device has.

use super::Driver;
use super::handle::{Context, Description, Green, Resource, Stream};
use crate::answer::Asked;

/// The kind of resource that multiprocessors are.
const MULTIPROCESSORS: u32 = 1;

/// The only kind of green context there is: its default stream is of its own.
const DEFAULT_STREAM: u32 = 1;

/// The only kind of stream that one has.
const NON_BLOCKING: u32 = 1;

impl Driver {
    pub(crate) fn green(&self, device: i32) -> Asked<Green> {
        let (mut whole, mut description) = (Resource::NONE, Description::default());
        self.device_resource(device, &mut whole, MULTIPROCESSORS)?.needed()?;
        self.resource_description(&mut description, &mut whole, 1)?.needed()?;
        let mut green = Green::default();
        self.green_create(&mut green, description, device, DEFAULT_STREAM)?.needed()?;
        Ok(green)
    }

    pub(crate) fn context_of_green(&self, green: &Green) -> Asked<Context> {
        let mut context = Context::NONE;
        self.green_context(&mut context, green)?.needed()?;
        Ok(context)
    }

    pub(crate) fn stream_of_green(&self, green: &Green) -> Asked<Stream> {
        let mut stream = Stream::default();
        self.green_stream(&mut stream, green, NON_BLOCKING, 0)?.needed()?;
        Ok(stream)
    }
}

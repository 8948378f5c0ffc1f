//! Lines: of those who sleep for a driver's room, who came first comes first.

use std::any::Any;

/// A place in the line of those who sleep for room, once it was taken and until this is dropped.
///
/// Whoever asks for room anew after each sleep keeps it meanwhile: otherwise who comes later would be quicker each time.
#[derive(Debug, Default)]
pub struct Line(Option<Box<dyn Any + Send>>);

impl Line {
    /// The place: taken with `stand`, unless there is one. What that gives leaves the line as it is dropped.
    pub fn stand<P: Any + Send>(&mut self, stand: impl FnOnce() -> P) -> &mut P {
        let place = self.0.get_or_insert_with(|| Box::new(stand()));
        place.downcast_mut().unwrap_or_else(|| unreachable!("a line is of one backend"))
    }
}

//! Streams, points and events for ordering and timing work on any device.

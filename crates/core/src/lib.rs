//! Device, stream, point, event and gate, and the contract that backends implement.

//! The syncpoint program: devices and pipelines from the command line.

pub mod chrome;
pub mod graph;
pub mod plan;
pub mod report;

#[cfg(test)]
mod golden;

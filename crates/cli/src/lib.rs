//! The syncpoint program: devices and pipelines from the command line.
//!
//! A pipeline file goes in and a report comes out. Both are plain data, so everything that is read, checked, worked out
//! and shown is known without a device:
//!
//! - [`plan`] reads the file and answers a [`Plan`](plan::Plan) whose names agree, or all that is wrong with it;
//! - [`engine`] runs the plan: steps become work on streams, in [`Plan::order`](plan::Plan::order), and commands become
//!   processes as [`process`] says, with the folder of [`scratch`];
//! - [`report`] takes what ran when, and answers table, lanes, overlap, critical path and JSON;
//! - [`chrome`] writes the same for Perfetto, and checks such files;
//! - [`mod@bench`] measures what operations cost, beside rivals;
//! - [`program`] is all of it behind a command line;
//! - [`graph`] is what plan and report share: which step comes after which, and why.

pub mod bench;
pub mod chrome;
pub mod engine;
pub mod graph;
pub mod plan;
pub mod process;
pub mod program;
pub mod report;
pub mod scratch;

#[cfg(test)]
mod golden;

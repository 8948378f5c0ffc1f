//! Runs a checked plan on real devices, through nothing but what `syncpoint` offers its users.
//!
//! [`Run::prepare`] opens the devices, makes streams and buffers, and enqueues every step behind a gate, so that all that
//! can be refused is refused before anything runs, at its line of the file. [`Run::go`] opens the gate, and answers a
//! [`Report`](crate::report::Report) when every step has ended, the time has run out, or a [`Stopper`] was used.
//!
//! - Steps of one stream run in the order of the file; a `wait` makes the stream wait for the point behind the step that
//!   records the name. No thread waits for any of it.
//! - Two timed points stand round each step: its times are the device's own.
//! - A step that fails takes with it what is behind it on its stream and what waits for it, and nothing else.
//! - A command is started by host work in the order of its stream, which then waits for a gate; a thread beside it
//!   listens to the command and opens the gate when the command has succeeded, or fails it.
//!
//! A command runs in a process group of its own, without input. When it ends, what it left running in that group is
//! killed. One that asks for the terminal all the same, as for a password, is killed, and has failed: the system would
//! stop it for ever. When a run is cut short every group is told to end (`SIGTERM`) and killed ([`Run::GRACE`] later) if it does
//! not. A process that has left its group, as daemons do, is its own master. If this process is itself killed so that it
//! cannot say goodbye (`SIGKILL`), its commands live on: Linux could kill them with it, but no safe code can ask for
//! that.
//!
//! Device work that was begun is not taken back: after a run that was cut short a fill, a copy or a delay still goes on
//! to its end, as long as the process lives.

mod cgroup;
#[cfg_attr(not(unix), path = "no_children.rs")]
mod children;
mod clock;
#[cfg_attr(not(unix), path = "no_command.rs")]
mod command;
mod device;
mod event;
mod held;
#[cfg(unix)]
mod listen;
mod machine;
mod outcome;
mod room;
mod run;
mod steps;
mod stop;

pub use device::open;
pub use event::Progress;
pub use run::Run;
pub use stop::Stopper;

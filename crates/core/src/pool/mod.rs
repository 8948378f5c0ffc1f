//! Pools: they lend events and streams to one holder and take them back clean.

mod events;
mod lending;
mod streams;

pub use events::EventPool;
pub use lending::{Counter, Lends, Loan, LoanTicket, PoolStatistics};
pub use streams::StreamPool;

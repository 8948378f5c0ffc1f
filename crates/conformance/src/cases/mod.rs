//! The cases: one for each law, of its name, in the groups of the laws.
//!
//! Every public function here is a case; what cases share lies beside this folder. Above each case stands what it
//! catches: mistakes that somebody made elsewhere, or that were planted here to see it fail.

pub mod callbacks;
pub mod context;
pub mod events;
pub mod failure;
pub mod gates;
pub mod life;
pub mod observers;
pub mod order;
#[cfg(unix)]
pub mod sharing;
pub mod state;
pub mod time;
#[cfg(not(unix))]
pub mod unforked;

#[cfg(not(unix))]
pub use unforked as sharing;

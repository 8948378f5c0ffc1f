//! What operations cost on a device of this machine, beside rivals in the same run.
//!
//! A case prepares streams once and then gives samples: nanoseconds of one operation, each over a short stretch. With
//! cargo's feature `rivals` a sample of the rival follows each of ours, so that both meet the same machine, and only
//! their ratio is to be trusted: times of one run differ from those of the next by what else the machine does, and
//! cases that wake threads tenfold by where the threads are put. The rival of a device's own work are the calls of its
//! driver, so far on Vulkan alone.

mod case;
mod costs;
mod form;
mod machine;
#[cfg_attr(not(feature = "rivals"), path = "no_rivals.rs")]
mod rival;
mod sample;
mod text;
mod work;

pub use case::{Case, select};
pub use costs::{Costs, LeftOut, Rivalry, Row};
pub use form::VERSION;
pub use machine::Machine;
pub use sample::Effort;
pub(crate) use text::DEBUG;

use syncpoint::Device;

/// Measures the cases one after the other, and says of each that it begins.
///
/// A case that the device cannot do is left out, with the reason.
pub fn measure(
    device: &Device,
    cases: &[&'static Case],
    effort: Effort,
    mut begins: impl FnMut(&'static Case),
) -> Costs {
    let mut costs = Costs::none(device.name().to_owned(), Machine::here());
    for &case in cases {
        begins(case);
        costs.add(case.name(), case.measure(device, effort));
    }
    costs
}

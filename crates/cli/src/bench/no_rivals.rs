//! No rivals: the program was built without them, as it is by default.

use syncpoint::Device;

use super::sample::Rival;

/// Whether rivals are built in.
pub(super) const BUILT_IN: bool = false;

/// No case has a rival.
pub(super) fn of(_case: &str, _device: &Device) -> Option<Rival> {
    None
}

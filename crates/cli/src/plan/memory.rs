//! Where a step's work may happen: buffers that exist, are large enough and lie on the stream's device.

use toml::Spanned;

use super::{
    declare::{Buffer, Step},
    device::DeviceName,
    link::{Names, remedy},
    problem::Ledger,
};

/// The buffers of a file, by name.
pub(super) struct Memory<'d> {
    buffers: &'d [Buffer],
    default: &'d DeviceName,
    names: Names<'d>,
}

/// A step with the device of its stream, where that is known.
pub(super) struct Place<'d> {
    pub(super) step: &'d Step,
    pub(super) device: Option<&'d DeviceName>,
    pub(super) ledger: &'d Ledger<'d>,
}

impl Place<'_> {
    /// Some if the step's device can run a command.
    pub(super) fn runs_commands(&self) -> Option<()> {
        let Some(device) = self.device.filter(|device| !device.is_host()) else {
            return Some(());
        };
        let message = format!("{} runs a command on {device}", self.step.label);
        let remedy = "only the host runs commands: put it on a stream with device = \"host:0\"";
        self.ledger.add(&self.step.span, format!("{message}; {remedy}"));
        None
    }
}

impl<'d> Memory<'d> {
    pub(super) fn new(buffers: &'d [Buffer], default: &'d DeviceName, names: Names<'d>) -> Self {
        Self { buffers, default, names }
    }

    /// The buffer of a fill and how much of it; all of it where the file does not say.
    pub(super) fn fill(
        &self,
        place: &Place<'_>,
        buffer: &Spanned<String>,
        bytes: Option<&Spanned<u64>>,
    ) -> Option<(usize, u64)> {
        let buffer = self.find(place, buffer)?;
        let bytes = self.within(place, "fills", buffer, bytes)?;
        Some((buffer, bytes))
    }

    /// The buffers of a copy and how much of them; all of the first where the file does not say.
    pub(super) fn copy(
        &self,
        place: &Place<'_>,
        from: &Spanned<String>,
        to: &Spanned<String>,
        bytes: Option<&Spanned<u64>>,
    ) -> Option<(usize, usize, u64)> {
        let (source, target) = (self.find(place, from), self.find(place, to));
        let (source, target) = (source?, target?);
        let whole = Spanned::new(to.span(), *self.buffers[source].bytes.get_ref());
        let read = self.within(place, "reads", source, bytes);
        let written = self.within(place, "writes", target, Some(bytes.unwrap_or(&whole)));
        read.and(written).map(|bytes| (source, target, bytes))
    }

    fn find(&self, place: &Place<'_>, wanted: &Spanned<String>) -> Option<usize> {
        let label = &place.step.label;
        let Some((buffer, _)) = self.names.get(wanted.get_ref().as_str()) else {
            let remedy = remedy("buffer", wanted.get_ref(), &self.names, place.ledger);
            let message =
                format!("{label} uses buffer {:?}, which is not declared", wanted.get_ref());
            place.ledger.add(&wanted.span(), format!("{message}; {remedy}"));
            return None;
        };
        let (Some(here), there) = (place.device, self.device(*buffer)) else {
            return Some(*buffer);
        };
        if here != there {
            let message = format!(
                "{label} runs on {here}, and buffer {:?} lies on {there}",
                wanted.get_ref()
            );
            place.ledger.add(&wanted.span(), format!("{message}; give both the same device"));
            return None;
        }
        Some(*buffer)
    }

    fn device(&self, buffer: usize) -> &'d DeviceName {
        self.buffers[buffer].device.as_ref().map_or(self.default, Spanned::get_ref)
    }

    /// The number of bytes, if the buffer has so many.
    fn within(
        &self,
        place: &Place<'_>,
        does: &str,
        buffer: usize,
        bytes: Option<&Spanned<u64>>,
    ) -> Option<u64> {
        let Buffer { name: Some(name), bytes: size, .. } = &self.buffers[buffer] else {
            return None;
        };
        let size = size.get_ref();
        let Some(bytes) = bytes.filter(|bytes| bytes.get_ref() > size) else {
            return Some(bytes.map_or(*size, |bytes| *bytes.get_ref()));
        };
        let line = place.ledger.line(&name.span());
        let (label, wanted, name) = (&place.step.label, bytes.get_ref(), name.get_ref());
        let message = format!("{label} {does} {wanted} bytes of buffer {name:?}, which has {size}");
        let remedy = format!("take fewer, or enlarge the buffer on line {line}");
        place.ledger.add(&bytes.span(), format!("{message}; {remedy}"));
        None
    }
}

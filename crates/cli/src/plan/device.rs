//! The name of a device, such as `host:0`.

use std::{
    error, fmt,
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

use super::name;

/// Every backend that a name may speak of; whether this machine has it is another question.
const BACKENDS: [&str; 5] = ["host", "cuda", "vulkan", "metal", "sim"];

/// A device as a person names it: a backend and a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceName {
    backend: &'static str,
    number: u32,
}

impl DeviceName {
    /// The default device, `host:0`: the processor of this machine.
    pub const HOST: Self = Self { backend: "host", number: 0 };

    /// The backend: `host`, `cuda`, `vulkan`, `metal` or `sim`.
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// Which of the backend's devices, counted from 0.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether it is the host, which alone runs commands.
    pub fn is_host(&self) -> bool {
        self.backend == "host"
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.backend, self.number)
    }
}

/// Why a text names no device. Its display tells the remedy, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceNameError {
    text: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Form,
    Number,
    Backend,
}

impl FromStr for DeviceName {
    type Err = DeviceNameError;

    /// Reads `BACKEND:NUMBER`, or `BACKEND` for the first of its devices, as [`syncpoint::open`] does.
    ///
    /// # Errors
    ///
    /// [`DeviceNameError`] if the form is another, the number does not fit 32 bits, or no backend is called so.
    fn from_str(text: &str) -> Result<Self, DeviceNameError> {
        let refuse = |fault| DeviceNameError { text: text.to_owned(), fault };
        let (backend, number) = split(text);
        let known = BACKENDS.into_iter().find(|known| *known == backend);
        let backend = known.ok_or_else(|| refuse(Fault::Backend))?;
        let number = number.parse().map_err(|error: ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => refuse(Fault::Number),
            _ => refuse(Fault::Form),
        })?;
        Ok(Self { backend, number })
    }
}

/// The backend and the number of a name; the number may be left out.
fn split(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, "0"))
}

impl fmt::Display for DeviceNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, fault } = self;
        let (backend, number) = split(text);
        write!(formatter, "{text:?} ")?;
        match fault {
            Fault::Form => {
                write!(formatter, "is not a backend and a number; write \"{backend}:0\"")
            }
            Fault::Number => {
                formatter.write_str("has a number that is too large; count devices from 0")
            }
            Fault::Backend => match name::nearest(backend, BACKENDS) {
                Some(near) => {
                    write!(formatter, "names no backend; did you mean \"{near}:{number}\"?")
                }
                None => write!(formatter, "names no backend; there are {}", BACKENDS.join(", ")),
            },
        }
    }
}

impl error::Error for DeviceNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_name_reads_back_as_written() {
        for text in ["host:0", "cuda:7", "sim:4294967295"] {
            assert_eq!(text.parse::<DeviceName>().unwrap().to_string(), text);
        }
        assert_eq!("host:0".parse(), Ok(DeviceName::HOST));
    }

    #[test]
    fn what_the_library_opens_has_a_name() {
        for text in ["host", "host:0", "host:00", "sim", "sim:1"] {
            let name: DeviceName = text.parse().unwrap();
            let opened = syncpoint::open(text).unwrap();
            assert_eq!(opened, syncpoint::open(&name.to_string()).unwrap(), "{text}");
        }
    }

    #[test]
    fn every_backend_of_the_library_has_a_name() {
        let mut known: Vec<_> = syncpoint::available().iter().map(|each| each.backend).collect();
        let mut named = BACKENDS.to_vec();
        known.sort_unstable();
        named.sort_unstable();
        assert_eq!(known, named);
    }

    #[test]
    fn each_misspelling_has_its_remedy() {
        let cases = [
            ("gpu", "\"gpu\" names no backend; there are host, cuda, vulkan, metal, sim"),
            ("hots", "\"hots\" names no backend; did you mean \"host:0\"?"),
            ("cuda:", "\"cuda:\" is not a backend and a number; write \"cuda:0\""),
            ("cuda:-1", "\"cuda:-1\" is not a backend and a number; write \"cuda:0\""),
            ("cdua:1", "\"cdua:1\" names no backend; did you mean \"cuda:1\"?"),
            ("rocm:0", "\"rocm:0\" names no backend; there are host, cuda, vulkan, metal, sim"),
            (
                "host:4294967296",
                "\"host:4294967296\" has a number that is too large; count devices from 0",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(text.parse::<DeviceName>().unwrap_err().to_string(), message);
        }
    }
}

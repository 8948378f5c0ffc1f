//! Modules: PTX that nobody compiles, and the two kernels that the driver knows by name.

use crate::code::{Code, Result};
use crate::table::Handle;

/// One module: the names of its kernels.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) context: Handle,
    kernels: Vec<String>,
}

/// A kernel of a module.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) module: Handle,
    pub(crate) context: Handle,
    pub(crate) name: String,
}

/// The kernel that breaks its context, as a store to address zero does.
pub(crate) const FAULT: &str = "syncpoint_fault";

/// The kernel that lets as many nanoseconds pass as its first parameter, 64 bits, says.
pub(crate) const DELAY: &str = "syncpoint_delay";

impl Module {
    /// A module of PTX as text.
    pub(crate) fn new(context: Handle, text: &str) -> Result<Self> {
        if !text.contains(".version") {
            return Err(Code::INVALID_IMAGE);
        }
        let kernels = text.split(".entry").skip(1).map(name_of).collect();
        Ok(Self { context, kernels })
    }

    /// A kernel of the module.
    pub(crate) fn kernel(&self, module: Handle, name: &str) -> Result<Kernel> {
        if !self.kernels.iter().any(|known| known == name) {
            return Err(Code::NOT_FOUND);
        }
        Ok(Kernel { module, context: self.context, name: name.to_owned() })
    }
}

/// The name with which a text begins.
fn name_of(text: &str) -> String {
    let is_part = |letter: &char| letter.is_alphanumeric() || "_$".contains(*letter);
    text.trim_start().chars().take_while(is_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_of_a_module_are_known_by_name() {
        let text = ".version 6.0\n.target sm_50\n.visible .entry first(\n.param .u64 a)\n{}\n.entry second() {}";
        let module = Module::new(1, text).unwrap();
        assert_eq!(module.kernel(2, "first").unwrap().name, "first");
        assert_eq!(module.kernel(2, "second").unwrap().module, 2);
        assert_eq!(module.kernel(2, "third").unwrap_err(), Code::NOT_FOUND);
    }

    #[test]
    fn what_is_no_ptx_is_no_image() {
        assert_eq!(Module::new(1, "a binary").unwrap_err(), Code::INVALID_IMAGE);
    }
}

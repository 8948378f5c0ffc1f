//! Pages that processes share, while devices of this one reach them.

use std::ffi::c_void;
use std::mem::ManuallyDrop;

use syncpoint_core::contract;

use super::code::Refusal;
use super::context::Primary;
use super::types::{Address, SHARED_WITH_DEVICES};

/// A page that is registered with the driver. Dropping it leaks it, and the page stays mapped: a drop calls no driver, and
/// a device may still reach it. [`end`](Self::end) ends it.
#[derive(Debug)]
pub(crate) struct SharedPage {
    primary: Primary,
    page: ManuallyDrop<contract::SharedPage>,
    address: Address,
}

/// How long a page is.
const LENGTH: usize = 4096;

impl SharedPage {
    /// Has the devices of all contexts reach a page.
    pub(crate) fn register(primary: &Primary, page: contract::SharedPage) -> Result<Self, Refusal> {
        let (mut address, mut is_registered) = (Address(0), false);
        let (table, room) = (primary.library().table(), start(&page));
        let outcome = primary.unnoticed(|| {
            primary.within(|| {
                // SAFETY: the page is mapped, and stays so until it is unregistered.
                unsafe { table.register(room, LENGTH, SHARED_WITH_DEVICES) }?;
                is_registered = true;
                // SAFETY: the pointer is to an address, and the memory is registered.
                let found = unsafe { table.shared_address(&raw mut address, room, 0) };
                found.inspect_err(|_told| {
                    // SAFETY: it was just registered, and no device was told where it is.
                    is_registered = unsafe { table.unregister(room) }.is_err();
                })
            })
        });
        let page = ManuallyDrop::new(page);
        match outcome {
            Ok(()) => Ok(Self { primary: primary.clone(), page, address }),
            Err(refusal) => {
                // Where only the thread's own context could not be brought back, the driver keeps the page.
                if !is_registered {
                    drop(ManuallyDrop::into_inner(page));
                }
                Err(refusal)
            }
        }
    }

    /// Where the device finds a number of it.
    pub(super) fn address(&self, index: usize) -> Address {
        Address(self.address.0 + (index * size_of::<u64>()) as u64)
    }

    /// No device reaches it any more.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        let room = start(&self.page);
        self.primary.within(|| {
            // SAFETY: it was registered, and nothing of a device is on its way to it.
            unsafe { self.primary.library().table().unregister(room) }
        })?;
        drop(ManuallyDrop::into_inner(self.page));
        Ok(())
    }
}

fn start(page: &contract::SharedPage) -> *mut c_void {
    page.numbers().as_ptr().cast_mut().cast()
}

//! Pages that processes share, while devices of this one reach them.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;

use syncpoint_core::contract;

use super::code::Refusal;
use super::context::Primary;
use super::library::Library;
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
        let (room, is_kept) = (start(&page), Cell::new(false));
        let end = || {
            // SAFETY: the page was registered, and no device was told where it is.
            let ended = primary.within(|| unsafe { primary.library().table().unregister(room) });
            is_kept.set(ended.is_err());
            ended
        };
        let register = || reached(primary.library(), room);
        let registered = primary.unnoticed(|| primary.making(register, |_| end()));
        let found = registered.and_then(|(found, address)| {
            found.inspect_err(|_told| {
                let _left = end();
            })?;
            Ok(address)
        });
        let page = ManuallyDrop::new(page);
        match found {
            Ok(address) => Ok(Self { primary: primary.clone(), page, address }),
            // What the driver keeps stays mapped.
            Err(refusal) if is_kept.get() => Err(refusal),
            Err(refusal) => {
                drop(ManuallyDrop::into_inner(page));
                Err(refusal)
            }
        }
    }

    /// Where the device finds a number of it.
    pub(super) fn address(&self, index: usize) -> Address {
        Address(self.address.0 + (index * size_of::<u64>()) as u64)
    }

    /// Leaves it to the driver, mapped for ever. Gives the name of its context.
    pub(crate) fn leave(self) -> Primary {
        self.primary
    }

    /// No device reaches it any more. Where nobody else has a name of the context, that is given back too.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        // The context was broken meanwhile, and went first.
        if self.primary.is_given_back() {
            return Ok(());
        }
        let room = start(&self.page);
        let ended = self.primary.within(|| {
            // SAFETY: it was registered, and nothing of a device is on its way to it.
            unsafe { self.primary.library().table().unregister(room) }
        });
        if ended.is_ok() {
            drop(ManuallyDrop::into_inner(self.page));
        }
        let released = self.primary.release();
        ended.and(released)
    }
}

/// Registers the page that begins there. Gives where devices find it, and whether the driver has told.
fn reached(
    library: &Library,
    room: *mut c_void,
) -> Result<(Result<(), Refusal>, Address), Refusal> {
    let (table, mut address) = (library.table(), Address(0));
    // SAFETY: the page is mapped, and stays so until it is unregistered.
    unsafe { table.register(room, LENGTH, SHARED_WITH_DEVICES) }?;
    // SAFETY: the pointer is to an address, and the memory is registered.
    let found = unsafe { table.shared_address(&raw mut address, room, 0) };
    Ok((found, address))
}

fn start(page: &contract::SharedPage) -> *mut c_void {
    page.numbers().as_ptr().cast_mut().cast()
}

//! Timeline semaphores: asked, waited for in slices, and raised by the host where a value would leap too far.

use std::fmt;
use std::mem;
use std::time::Duration;

use ash::vk;

use super::code::{Answer, Refusal, answer};
use super::device::Device;
use super::grave::Remains;
use super::instance::{Door, Instance};
use crate::counter::Counter;

/// The three functions of timeline semaphores, by whichever name the device has them.
pub(super) struct Timelines {
    counter: vk::PFN_vkGetSemaphoreCounterValue,
    wait: vk::PFN_vkWaitSemaphores,
    signal: vk::PFN_vkSignalSemaphore,
}

impl Timelines {
    /// Finds them; `None` where the driver lacks one of what it says it has.
    pub(super) fn find(instance: &Instance, device: vk::Device, door: Door) -> Option<Self> {
        let names = match door {
            Door::Core => {
                [c"vkGetSemaphoreCounterValue", c"vkWaitSemaphores", c"vkSignalSemaphore"]
            }
            Door::Extension => {
                [c"vkGetSemaphoreCounterValueKHR", c"vkWaitSemaphoresKHR", c"vkSignalSemaphoreKHR"]
            }
        };
        let [counter, wait, signal] = names.map(|name| {
            // SAFETY: the device lives, and the name ends with a zero.
            unsafe { instance.raw().get_device_proc_addr(device, name.as_ptr()) }
        });
        let (counter, wait, signal) = (counter?, wait?, signal?);
        // SAFETY: the function of this name has this type, in either form.
        let counter =
            unsafe { mem::transmute::<Function, vk::PFN_vkGetSemaphoreCounterValue>(counter) };
        // SAFETY: as above.
        let wait = unsafe { mem::transmute::<Function, vk::PFN_vkWaitSemaphores>(wait) };
        // SAFETY: as above.
        let signal = unsafe { mem::transmute::<Function, vk::PFN_vkSignalSemaphore>(signal) };
        Some(Self { counter, wait, signal })
    }

    /// Finds them on a device of others: by which of the two names it knows them is its maker's choice, whatever the device
    /// of the machine has.
    pub(super) fn of_others(instance: &Instance, device: vk::Device) -> Option<Self> {
        let find = |door| Self::find(instance, device, door);
        find(Door::Core).or_else(|| find(Door::Extension))
    }

    /// Where a semaphore is, by one call that does not block.
    ///
    /// # Safety
    ///
    /// - The semaphore is one of the device with these functions, and both live.
    pub(super) unsafe fn look(&self, device: vk::Device, semaphore: vk::Semaphore) -> Answer<u64> {
        let mut value = 0;
        // SAFETY: the caller's promise, and the pointer is to a number.
        let code = unsafe { (self.counter)(device, semaphore, &raw mut value) };
        answer("vkGetSemaphoreCounterValue", code.result()).map(|()| value)
    }

    /// Blocks until a semaphore has come to `value`, and no longer than a slice. Says whether the driver says so.
    ///
    /// # Safety
    ///
    /// - As in [`look`](Self::look).
    pub(super) unsafe fn wait(
        &self,
        device: vk::Device,
        (semaphore, value): (vk::Semaphore, u64),
        slice: Duration,
    ) -> Answer<bool> {
        let (semaphores, values) = ([semaphore], [value]);
        let info = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
        let nanos = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: the caller's promise, and what the structure points to lives until the call returns.
        let code = unsafe { (self.wait)(device, &raw const info, nanos) };
        if code == vk::Result::TIMEOUT {
            return Ok(false);
        }
        answer("vkWaitSemaphores", code.result()).map(|()| true)
    }
}

/// Any function of the driver's.
type Function = unsafe extern "system" fn();

/// A timeline semaphore: one number of the device's that only grows.
pub(crate) struct Semaphore {
    device: Device,
    handle: vk::Semaphore,
    counter: Counter,
}

impl Semaphore {
    /// A semaphore at zero.
    pub(crate) fn create(device: &Device) -> Answer<Self> {
        let mut kind = vk::SemaphoreTypeCreateInfo::default()
            .semaphore_type(vk::SemaphoreType::TIMELINE)
            .initial_value(0);
        let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
        // SAFETY: the device lives, and so do the structures.
        let made = unsafe { device.raw().create_semaphore(&info, None) };
        let handle = answer("vkCreateSemaphore", made)?;
        Ok(Self { device: device.clone(), handle, counter: Counter::new() })
    }

    pub(super) fn handle(&self) -> vk::Semaphore {
        self.handle
    }

    /// What it was last seen at.
    #[inline]
    pub(crate) fn seen(&self) -> u64 {
        self.counter.seen()
    }

    /// What it was last told to become.
    #[inline]
    pub(crate) fn promised(&self) -> u64 {
        self.counter.promised()
    }

    /// Says what it will become, before the device is told. Called by the one stream that signals it, under its order
    /// lock.
    #[inline]
    pub(super) fn promise(&self, value: u64) {
        self.counter.promise(value);
    }

    /// Asks where it is, with one call that does not block.
    pub(crate) fn look(&self) -> Answer<u64> {
        self.ask().and_then(|come| self.learn(come))
    }

    /// The same for who asks for `value`. `None`: that has not come. Then nothing counts as seen, since who sees something
    /// tells it.
    pub(crate) fn look_for(&self, value: u64) -> Answer<Option<u64>> {
        let come = self.ask()?;
        if self.counter.answers(value, come) { self.learn(come).map(Some) } else { Ok(None) }
    }

    /// Whether it has come to `value`, which is promised. Then nothing counts as seen, as above.
    pub(crate) fn has_come(&self, value: u64) -> Answer<bool> {
        let come = self.ask()?;
        if come > self.promised() {
            return Err(Refusal::lost("vkGetSemaphoreCounterValue"));
        }
        Ok(come >= value)
    }

    fn ask(&self) -> Answer<u64> {
        let (raw, timelines) = (self.device.raw().handle(), self.device.timelines());
        // SAFETY: the semaphore is the device's and lives.
        unsafe { timelines.look(raw, self.handle) }
    }

    fn learn(&self, come: u64) -> Answer<u64> {
        let is_promised = self.counter.learn(come);
        is_promised.then_some(come).ok_or_else(|| Refusal::lost("vkGetSemaphoreCounterValue"))
    }

    /// Blocks until it has come to `value`, and no longer than a slice. Says whether it has.
    pub(crate) fn wait(&self, value: u64, slice: Duration) -> Answer<bool> {
        let (raw, timelines) = (self.device.raw().handle(), self.device.timelines());
        // SAFETY: as above.
        if !unsafe { timelines.wait(raw, (self.handle, value), slice) }? {
            return Ok(false);
        }
        // A driver may say so of a lost device, too; where the semaphore is says more.
        self.look().map(|seen| seen >= value)
    }

    /// Raises it from the host, where it has come to all that was promised.
    pub(crate) fn raise(&self, value: u64) -> Answer<()> {
        let before = self.promised();
        debug_assert!(self.seen() == before && value > before, "a signal may not overtake another");
        self.promise(value);
        let raised = self.signal(value);
        self.promise(if raised.is_ok() { value } else { before });
        raised.map(|()| self.counter.note(value))
    }

    fn signal(&self, value: u64) -> Answer<()> {
        let info = vk::SemaphoreSignalInfo::default().semaphore(self.handle).value(value);
        let signal = self.device.timelines().signal;
        // SAFETY: as above; its caller sees to the order of values.
        let code = unsafe { signal(self.device.raw().handle(), &raw const info) };
        answer("vkSignalSemaphore", code.result())
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        self.device.bury(Remains::Semaphore(self.device.clone(), self.handle));
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Semaphore({} of {})", self.seen(), self.promised())
    }
}

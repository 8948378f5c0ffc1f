//! Memory of a device that the host reaches too: a buffer over it, and its bytes as the host sees them.

use std::fmt;
use std::ops::Range;
use std::ptr;

use ash::vk;
use syncpoint_base::{read_bytes, write_bytes};

use super::code::{Answer, Meaning, Refusal, answer};
use super::device::Device;
use super::grave::Remains;
use crate::sync::{RwLock, read, write};

/// A buffer with memory of its own, which the host reaches by an address. Every device has such memory.
pub(crate) struct Memory {
    device: Device,
    buffer: vk::Buffer,
    room: vk::DeviceMemory,
    /// Guards the bytes among threads of the host: shared to read, exclusive to write.
    bytes: RwLock<Bytes>,
    len: u64,
}

/// Where the host sees the bytes.
struct Bytes(*mut u8);

// SAFETY: an address, which is used under a lock of its own.
unsafe impl Send for Bytes {}

// SAFETY: as above.
unsafe impl Sync for Bytes {}

/// What the host reaches without being told when the device has written.
const REACHED: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::from_raw(
    vk::MemoryPropertyFlags::HOST_VISIBLE.as_raw()
        | vk::MemoryPropertyFlags::HOST_COHERENT.as_raw(),
);

impl Memory {
    /// So many bytes, all zero.
    pub(crate) fn allocate(device: &Device, len: u64) -> Answer<Self> {
        // A buffer of nothing is none, and fills go by words.
        let size = len.max(1).checked_next_multiple_of(4).unwrap_or(u64::MAX);
        let buffer = make_buffer(device, size)?;
        let room = make_room(device, buffer, size).inspect_err(|_| {
            // SAFETY: nothing uses the buffer.
            unsafe { device.raw().destroy_buffer(buffer, None) };
        })?;
        // From here on a drop destroys both.
        let mut made = Self {
            device: device.clone(),
            buffer,
            room,
            bytes: RwLock::new(Bytes(ptr::null_mut())),
            len,
        };
        let bytes = made.bind()?;
        let length = usize::try_from(len).map_err(|_| no_room())?;
        // SAFETY: the device mapped so many bytes, which nobody else knows yet.
        unsafe { ptr::write_bytes(bytes, 0, length) };
        made.bytes = RwLock::new(Bytes(bytes));
        Ok(made)
    }

    fn bind(&self) -> Answer<*mut u8> {
        let raw = self.device.raw();
        // SAFETY: both are the device's, of a size and kind that fit, and the buffer has no memory yet.
        let bound = unsafe { raw.bind_buffer_memory(self.buffer, self.room, 0) };
        answer("vkBindBufferMemory", bound)?;
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: the memory can be mapped and is not. It is unmapped as it is freed.
        let mapped = unsafe { raw.map_memory(self.room, 0, vk::WHOLE_SIZE, flags) };
        answer("vkMapMemory", mapped).map(<*mut _>::cast)
    }

    pub(super) fn buffer(&self) -> vk::Buffer {
        self.buffer
    }

    /// Reads bytes as they are now. Panics where they lie outside.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) {
        let begin = self.check(offset, into.len());
        let bytes = read(&self.bytes);
        // SAFETY: inside what is mapped, and no thread of the host writes. A device that writes meanwhile, as a program
        // without order makes it, gives any bytes: they are copied, and never borrowed.
        unsafe { read_bytes(bytes.0.wrapping_add(begin), into) };
    }

    /// Writes bytes now. Panics where they lie outside.
    pub(crate) fn write(&self, offset: u64, from: &[u8]) {
        let begin = self.check(offset, from.len());
        let bytes = write(&self.bytes);
        // SAFETY: as in `read`, and no thread of the host reads.
        unsafe { write_bytes(bytes.0.wrapping_add(begin), from) };
    }

    /// Where an offset lies, in bytes that fit in memory. The part lies inside, as its caller checked.
    fn check(&self, offset: u64, len: usize) -> usize {
        let end = u64::try_from(len).ok().and_then(|len| offset.checked_add(len));
        assert!(end.is_some_and(|end| end <= self.len), "a part outside its buffer");
        usize::try_from(offset).unwrap_or_else(|_| unreachable!("what is mapped fits in memory"))
    }

    /// Whether a part lies inside.
    pub(super) fn holds(&self, part: &Range<u64>) -> bool {
        part.start <= part.end && part.end <= self.len
    }
}

fn no_room() -> Refusal {
    Refusal::new("vkMapMemory", vk::Result::ERROR_MEMORY_MAP_FAILED)
}

fn make_buffer(device: &Device, size: u64) -> Answer<vk::Buffer> {
    let usage = vk::BufferUsageFlags::TRANSFER_SRC
        | vk::BufferUsageFlags::TRANSFER_DST
        | vk::BufferUsageFlags::STORAGE_BUFFER;
    let info = vk::BufferCreateInfo::default()
        .size(size)
        .usage(usage)
        .sharing_mode(vk::SharingMode::EXCLUSIVE);
    // SAFETY: the device lives, and so does the structure.
    answer("vkCreateBuffer", unsafe { device.raw().create_buffer(&info, None) })
}

fn make_room(device: &Device, buffer: vk::Buffer, size: u64) -> Answer<vk::DeviceMemory> {
    // SAFETY: the buffer is the device's.
    let needs = unsafe { device.raw().get_buffer_memory_requirements(buffer) };
    let memory = &device.physical().memory;
    first_with_room(kinds_of(memory, needs.memory_type_bits), |kind| {
        let most = heap_of(memory, kind);
        if needs.size < size || needs.size > most || isize::try_from(size).is_err() {
            return Err(no_room());
        }
        let info =
            vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(kind);
        // SAFETY: as above.
        answer("vkAllocateMemory", unsafe { device.raw().allocate_memory(&info, None) })
    })
}

/// Asks one kind of memory after the other, as long as they are full. Tells what the first says where all are.
fn first_with_room<T>(
    kinds: impl Iterator<Item = u32>,
    mut allocate: impl FnMut(u32) -> Answer<T>,
) -> Answer<T> {
    let mut full = None;
    for kind in kinds {
        match allocate(kind) {
            Err(refusal) if refusal.meaning() == Meaning::NoRoom => {
                full.get_or_insert(refusal);
            }
            answered => return answered,
        }
    }
    Err(full.unwrap_or_else(no_room))
}

/// The kinds of memory that the host reaches, those of the device's own before those that are not: a device has little of
/// its own that the host sees, and any of the others is slower and there.
fn kinds_of(
    memory: &vk::PhysicalDeviceMemoryProperties,
    allowed: u32,
) -> impl Iterator<Item = u32> + '_ {
    let is_near =
        |flags: vk::MemoryPropertyFlags| flags.contains(vk::MemoryPropertyFlags::DEVICE_LOCAL);
    let kinds = move || {
        let kinds = memory.memory_types_as_slice().iter().zip(0_u32..);
        kinds.filter(move |(kind, index)| {
            allowed & (1 << index) != 0 && kind.property_flags.contains(REACHED)
        })
    };
    let near = kinds().filter(move |(kind, _)| is_near(kind.property_flags));
    let far = kinds().filter(move |(kind, _)| !is_near(kind.property_flags));
    near.chain(far).map(|(_, index)| index)
}

/// How many bytes there are of a kind: no more may be asked for at a time.
fn heap_of(memory: &vk::PhysicalDeviceMemoryProperties, kind: u32) -> u64 {
    let kind = memory.memory_types_as_slice().iter().zip(0_u32..).find(|(_, index)| *index == kind);
    let heap = kind.and_then(|(kind, _)| memory.memory_heaps.get(kind.heap_index as usize));
    heap.map_or(0, |heap| heap.size)
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.device.bury(Remains::Memory(self.device.clone(), self.buffer, self.room));
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Memory({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(kinds: &[vk::MemoryPropertyFlags]) -> vk::PhysicalDeviceMemoryProperties {
        let mut memory = vk::PhysicalDeviceMemoryProperties::default();
        for (place, flags) in memory.memory_types.iter_mut().zip(kinds) {
            place.property_flags = *flags;
            memory.memory_type_count += 1;
        }
        memory
    }

    #[test]
    fn kinds_that_the_host_reaches_are_asked_the_devices_own_first() {
        let near = REACHED | vk::MemoryPropertyFlags::DEVICE_LOCAL;
        let hidden = vk::MemoryPropertyFlags::DEVICE_LOCAL;
        let memory = machine(&[hidden, REACHED, near, REACHED, near]);
        assert_eq!(kinds_of(&memory, u32::MAX).collect::<Vec<_>>(), [2, 4, 1, 3]);
        assert_eq!(kinds_of(&memory, 0b01011).collect::<Vec<_>>(), [1, 3], "what a buffer can be");
    }

    #[test]
    fn a_kind_that_is_full_gives_way_to_the_next_and_any_other_trouble_is_told() {
        let full = Refusal::new("vkAllocateMemory", vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
        let lost = Refusal::lost("vkAllocateMemory");
        let asked = |answers: [Answer<u8>; 3]| {
            first_with_room(0..3, |kind| answers[usize::try_from(kind).unwrap_or(0)])
        };
        assert_eq!(asked([Err(full), Ok(1), Ok(2)]), Ok(1));
        assert_eq!(asked([Err(full), Err(lost), Ok(2)]), Err(lost));
        assert_eq!(asked([Err(full), Err(no_room()), Err(full)]), Err(full));
        assert_eq!(first_with_room(0..0, |_| Ok(0)), Err(no_room()));
    }
}

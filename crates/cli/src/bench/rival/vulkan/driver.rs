//! A device by hand: two timeline semaphores on one queue, and commands that are used in turn.
//!
//! Any thread may use it, as it may streams of ours: the queue and its commands, which Vulkan wants used by one at a time,
//! lie under a lock. Commands are begun anew only once they are through.
//!
//! Everything lives as long as the process, which ends after the bench.

#![expect(unsafe_code, reason = "the driver is a library of C")]

use std::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ash::vk::{self, Handle};
use syncpoint::vulkan::Handles;

use super::super::super::{
    case::{BYTES, TURN},
    sample::Trouble,
};

/// A device by hand.
pub(super) struct Driver {
    device: ash::Device,
    buffer: vk::Buffer,
    semaphores: [vk::Semaphore; 2],
    queue: Mutex<Queue>,
}

struct Queue {
    handle: vk::Queue,
    commands: Vec<Commands>,
    used: usize,
    /// What the semaphores were told to become.
    values: [u64; 2],
    /// What they were last seen at.
    seen: [u64; 2],
}

struct Commands {
    handle: vk::CommandBuffer,
    /// The line that was last given them, and its value behind them.
    given: (usize, u64),
}

/// Where the loader is.
const LOADER: &str = if cfg!(windows) {
    "vulkan-1.dll"
} else if cfg!(target_vendor = "apple") {
    "libvulkan.1.dylib"
} else {
    "libvulkan.so.1"
};

impl Driver {
    /// Another device of the same device of the machine, with a queue of the same family.
    pub(super) fn new(handles: &Handles) -> Result<Self, Trouble> {
        let entry = entry()?;
        let raw = vk::Instance::from_raw(handles.instance as u64);
        // SAFETY: the instance lives as long as the process.
        let instance = unsafe { ash::Instance::load(entry.static_fn(), raw) };
        let physical = vk::PhysicalDevice::from_raw(handles.physical_device as u64);
        let device = device(&instance, physical, handles.queue_family)?;
        // SAFETY: the device was made with this queue.
        let handle = unsafe { device.get_device_queue(handles.queue_family, 0) };
        let semaphores = [semaphore(&device)?, semaphore(&device)?];
        // SAFETY: the device of the machine is the instance's.
        let memory = unsafe { instance.get_physical_device_memory_properties(physical) };
        let commands = commands(&device, handles.queue_family)?;
        let buffer = buffer(&device, &memory)?;
        let queue = Queue { handle, commands, used: 0, values: [0; 2], seen: [0; 2] };
        Ok(Self { device, buffer, semaphores, queue: Mutex::new(queue) })
    }

    /// Records a fill, as carefully as a program must, and submits it behind what its line submitted before. Gives the
    /// line's value behind it.
    pub(super) fn fill(&self, line: usize) -> Result<u64, Trouble> {
        let mut queue = self.queue();
        let commands = self.next(&mut queue, line)?;
        self.record(commands)?;
        let waits = [(self.semaphores[line], queue.values[line]); 1];
        self.submit(&mut queue, &[commands], waits, line)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next commands, which are through.
    fn next(&self, queue: &mut Queue, line: usize) -> Result<vk::CommandBuffer, Trouble> {
        let index = queue.used % queue.commands.len();
        queue.used += 1;
        let (last, value) = queue.commands[index].given;
        if queue.seen[last] < value {
            self.wait_until(&[self.semaphores[last]], &[value])?;
            queue.seen[last] = value;
        }
        queue.commands[index].given = (line, queue.values[line] + 1);
        Ok(queue.commands[index].handle)
    }

    fn record(&self, commands: vk::CommandBuffer) -> Result<(), Trouble> {
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        let (device, none) = (&self.device, vk::DependencyFlags::empty());
        let (top, transfer) =
            (vk::PipelineStageFlags::TOP_OF_PIPE, vk::PipelineStageFlags::TRANSFER);
        let seen = [vk::MemoryBarrier::default().dst_access_mask(vk::AccessFlags::TRANSFER_WRITE)];
        let written = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ)];
        // SAFETY: the commands are through.
        unsafe { device.begin_command_buffer(commands, &begin) }?;
        // SAFETY: the commands are being recorded.
        unsafe { device.cmd_pipeline_barrier(commands, top, transfer, none, &seen, &[], &[]) };
        // SAFETY: as above; the buffer has so many bytes.
        unsafe { device.cmd_fill_buffer(commands, self.buffer, 0, BYTES, 0x0101_0101) };
        let host = vk::PipelineStageFlags::HOST;
        // SAFETY: as above.
        unsafe { device.cmd_pipeline_barrier(commands, transfer, host, none, &written, &[], &[]) };
        // SAFETY: as above.
        unsafe { device.end_command_buffer(commands) }?;
        Ok(())
    }

    /// Submits a wait of the first line for a value of the second.
    pub(super) fn wait(&self, value: u64) -> Result<(), Trouble> {
        let mut queue = self.queue();
        let waits = [(self.semaphores[0], queue.values[0]), (self.semaphores[1], value)];
        self.submit(&mut queue, &[], waits, 0).map(drop)
    }

    fn submit<const WAITS: usize>(
        &self,
        queue: &mut Queue,
        commands: &[vk::CommandBuffer],
        waits: [(vk::Semaphore, u64); WAITS],
        line: usize,
    ) -> Result<u64, Trouble> {
        let value = queue.values[line] + 1;
        let (semaphores, values) =
            (waits.map(|(semaphore, _)| semaphore), waits.map(|(_, value)| value));
        let stages = [vk::PipelineStageFlags::ALL_COMMANDS; WAITS];
        let (signals, signalled) = ([self.semaphores[line]], [value]);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&values)
            .signal_semaphore_values(&signalled);
        let info = vk::SubmitInfo::default()
            .command_buffers(commands)
            .wait_semaphores(&semaphores)
            .wait_dst_stage_mask(&stages)
            .signal_semaphores(&signals)
            .push_next(&mut timeline);
        // SAFETY: everything that is named lives as long as the process, and the queue is under its lock.
        unsafe { self.device.queue_submit(queue.handle, &[info], vk::Fence::null()) }?;
        queue.values[line] = value;
        Ok(value)
    }

    /// Asks the first line whether it has come to a value.
    pub(super) fn query(&self, value: u64) -> Result<bool, Trouble> {
        // SAFETY: the semaphore lives.
        let come = unsafe { self.device.get_semaphore_counter_value(self.semaphores[0]) }?;
        Ok(come >= value)
    }

    /// Waits for both lines.
    pub(super) fn drain(&self) -> Result<(), Trouble> {
        let mut queue = self.queue();
        self.wait_until(&self.semaphores, &queue.values)?;
        queue.seen = queue.values;
        Ok(())
    }

    fn wait_until(&self, semaphores: &[vk::Semaphore], values: &[u64]) -> Result<(), Trouble> {
        let info = vk::SemaphoreWaitInfo::default().semaphores(semaphores).values(values);
        // SAFETY: the semaphores live.
        unsafe { self.device.wait_semaphores(&info, u64::MAX) }?;
        Ok(())
    }
}

fn entry() -> Result<ash::Entry, Trouble> {
    // SAFETY: it is the loader of Vulkan, which this process uses already.
    let library = ManuallyDrop::new(unsafe { libloading::Library::new(LOADER) }?);
    // SAFETY: the function of this name has this type.
    let get = *unsafe { library.get(c"vkGetInstanceProcAddr") }?;
    // SAFETY: the library is never closed.
    Ok(unsafe { ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr: get }) })
}

fn device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    family: u32,
) -> Result<ash::Device, Trouble> {
    let priorities = [1.0];
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(family)
        .queue_priorities(&priorities)];
    let mut feature =
        vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
    let info = vk::DeviceCreateInfo::default().queue_create_infos(&queues).push_next(&mut feature);
    // SAFETY: the structures live, and the device of the machine is the instance's.
    Ok(unsafe { instance.create_device(physical, &info, None) }?)
}

fn semaphore(device: &ash::Device) -> Result<vk::Semaphore, Trouble> {
    let mut kind =
        vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
    // SAFETY: the structures live.
    Ok(unsafe { device.create_semaphore(&info, None) }?)
}

fn buffer(
    device: &ash::Device,
    memory: &vk::PhysicalDeviceMemoryProperties,
) -> Result<vk::Buffer, Trouble> {
    let usage = vk::BufferUsageFlags::TRANSFER_DST;
    let info = vk::BufferCreateInfo::default().size(BYTES).usage(usage);
    // SAFETY: the structure lives.
    let buffer = unsafe { device.create_buffer(&info, None) }?;
    // SAFETY: the buffer was just made.
    let needs = unsafe { device.get_buffer_memory_requirements(buffer) };
    let kind = kind_of(memory, needs.memory_type_bits).ok_or("no memory that the host reaches")?;
    let info =
        vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(kind);
    // SAFETY: the structure lives.
    let memory = unsafe { device.allocate_memory(&info, None) }?;
    // SAFETY: both are new, and fit.
    unsafe { device.bind_buffer_memory(buffer, memory, 0) }?;
    Ok(buffer)
}

/// The kind of memory that ours takes, too: the host reaches it, and it is the device's own where there is such.
fn kind_of(memory: &vk::PhysicalDeviceMemoryProperties, allowed: u32) -> Option<u32> {
    let reached = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
    let near = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    let kinds = (0..).zip(memory.memory_types_as_slice());
    let kinds = kinds.filter(|(index, kind)| {
        allowed & (1 << index) != 0 && kind.property_flags.contains(reached)
    });
    let nearest = kinds.min_by_key(|(index, kind)| (!kind.property_flags.contains(near), *index));
    nearest.map(|(index, _)| index)
}

/// As many as may be on their way at a time.
fn commands(device: &ash::Device, family: u32) -> Result<Vec<Commands>, Trouble> {
    let flags = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER;
    let info = vk::CommandPoolCreateInfo::default().queue_family_index(family).flags(flags);
    // SAFETY: the structure lives.
    let pool = unsafe { device.create_command_pool(&info, None) }?;
    let info =
        vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(TURN);
    // SAFETY: the pool lives as long as the process.
    let made = unsafe { device.allocate_command_buffers(&info) }?;
    Ok(made.into_iter().map(|handle| Commands { handle, given: (0, 0) }).collect())
}

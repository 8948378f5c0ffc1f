//! A program that knows Vulkan and nothing of us: its own instance, device, queue and commands.

#![expect(unsafe_code, reason = "the driver is a library of C")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

pub(crate) mod semaphore;

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::ptr;

use ash::vk::{self, Handle};
use syncpoint::vulkan::Handles;

/// What one program has of Vulkan. Its end is the end of all of it.
pub(crate) struct Theirs {
    instance: ash::Instance,
    physical: vk::PhysicalDevice,
    device: ash::Device,
    own: Own,
}

/// What of it ends with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    All,
    Device,
    Nothing,
}

/// A buffer of theirs that the host sees, and commands that fill it.
pub(crate) struct Filling {
    commands: vk::CommandBuffer,
    pool: vk::CommandPool,
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
    bytes: *const u32,
}

impl Theirs {
    /// A program with a device of its own.
    pub(crate) fn new() -> Self {
        Self::made(vk::API_VERSION_1_2, &[])
    }

    /// The same, written for a version of Vulkan, with these extensions of its device.
    pub(crate) fn made(version: u32, extensions: &[&CStr]) -> Self {
        let entry = entry();
        let application = vk::ApplicationInfo::default().api_version(version);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: the structures live.
        let instance = unsafe { entry.create_instance(&info, None) }.unwrap();
        Self::over(instance, extensions, Own::All)
    }

    /// Another device, of the same instance, which outlives it.
    pub(crate) fn another(&self) -> Self {
        Self::over(self.instance.clone(), &[], Own::Device)
    }

    fn over(instance: ash::Instance, extensions: &[&CStr], own: Own) -> Self {
        // SAFETY: the instance lives.
        let physical = unsafe { instance.enumerate_physical_devices() }.unwrap()[0];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let mut feature =
            vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
        let names: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&names)
            .push_next(&mut feature);
        // SAFETY: the structures live.
        let device = unsafe { instance.create_device(physical, &info, None) }.unwrap();
        Self { instance, physical, device, own }
    }

    /// A program that uses a device of ours.
    pub(crate) fn of(handles: &Handles) -> Self {
        let raw = vk::Instance::from_raw(handles.instance as u64);
        // SAFETY: the handles are of a device that lives.
        let instance = unsafe { ash::Instance::load(entry().static_fn(), raw) };
        let raw = vk::Device::from_raw(handles.device as u64);
        // SAFETY: as above.
        let device = unsafe { ash::Device::load(instance.fp_v1_0(), raw) };
        let physical = vk::PhysicalDevice::from_raw(handles.physical_device as u64);
        Self { instance, physical, device, own: Own::Nothing }
    }

    fn queue(&self) -> vk::Queue {
        // SAFETY: the device was made with this queue.
        unsafe { self.device.get_device_queue(0, 0) }
    }

    /// Waits until the device is through with all that anybody submitted. Nobody submits meanwhile.
    pub(crate) fn settle(&self) {
        // SAFETY: the device lives, and nobody submits.
        unsafe { self.device.device_wait_idle() }.unwrap();
    }

    /// Whether their driver reads the device's clock and the host's at once.
    pub(crate) fn reads_two_clocks(&self) -> bool {
        // SAFETY: the instance lives.
        let known = unsafe { self.instance.enumerate_device_extension_properties(self.physical) };
        let names = [vk::KHR_CALIBRATED_TIMESTAMPS_NAME, vk::EXT_CALIBRATED_TIMESTAMPS_NAME];
        let is_one = |known: &vk::ExtensionProperties| {
            known.extension_name_as_c_str().is_ok_and(|name| names.contains(&name))
        };
        known.unwrap().iter().any(is_one)
    }

    /// What the backend is given.
    pub(crate) fn handles(&self) -> Handles {
        let word = |raw: u64| usize::try_from(raw).unwrap();
        Handles {
            instance: word(self.instance.handle().as_raw()),
            physical_device: word(self.physical.as_raw()),
            device: word(self.device.handle().as_raw()),
            queue_family: 0,
            queue: word(self.queue().as_raw()),
        }
    }

    /// Submits nothing, as a program does beside us.
    pub(crate) fn submit(&self) {
        // SAFETY: the caller holds the lock of the queue.
        unsafe { self.device.queue_submit(self.queue(), &[], vk::Fence::null()) }.unwrap();
    }

    /// Commands that write a word into a buffer.
    pub(crate) fn filling(&self, word: u32) -> Filling {
        let (device, info) = (&self.device, vk::CommandPoolCreateInfo::default());
        // SAFETY: the device lives, here and below.
        let pool = unsafe { device.create_command_pool(&info, None) }.unwrap();
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: the pool was just made.
        let commands = unsafe { device.allocate_command_buffers(&info) }.unwrap()[0];
        let usage = vk::BufferUsageFlags::TRANSFER_DST;
        let info = vk::BufferCreateInfo::default().size(4).usage(usage);
        // SAFETY: the structure lives.
        let buffer = unsafe { device.create_buffer(&info, None) }.unwrap();
        let (memory, bytes) = self.memory_of(buffer);
        let begin = vk::CommandBufferBeginInfo::default();
        let written = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ)];
        let (before, after) = (vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST);
        let flags = vk::DependencyFlags::empty();
        // SAFETY: the commands are new.
        unsafe { device.begin_command_buffer(commands, &begin) }.unwrap();
        // SAFETY: they are being recorded; the buffer has one word.
        unsafe { device.cmd_fill_buffer(commands, buffer, 0, 4, word) };
        // SAFETY: as above.
        unsafe { device.cmd_pipeline_barrier(commands, before, after, flags, &written, &[], &[]) };
        // SAFETY: as above.
        unsafe { device.end_command_buffer(commands) }.unwrap();
        Filling { commands, pool, buffer, memory, bytes }
    }

    /// Commands that write a buffer twice, with nothing between: what the second writes is anybody's guess.
    pub(crate) fn write_twice(&self) {
        let target = self.filling(1);
        let (_commands, pool) = self.writing(&target, &[2, 3]);
        // SAFETY: nothing was submitted.
        unsafe { self.device.destroy_command_pool(pool, None) };
        self.end(&target);
    }

    /// The same in two submissions, each of which writes once: nothing orders them.
    pub(crate) fn write_across(&self) {
        let target = self.filling(1);
        let written = [2, 3].map(|word| self.writing(&target, &[word]));
        for (commands, _pool) in &written {
            let commands = [*commands];
            let batch = [vk::SubmitInfo::default().command_buffers(&commands)];
            // SAFETY: the commands are recorded, and nobody else has the queue.
            unsafe { self.device.queue_submit(self.queue(), &batch, vk::Fence::null()) }.unwrap();
        }
        self.settle();
        for (_commands, pool) in written {
            // SAFETY: the device is through with them.
            unsafe { self.device.destroy_command_pool(pool, None) };
        }
        self.end(&target);
    }

    /// Commands that write words into a buffer, one after the other, and their pool.
    fn writing(&self, target: &Filling, words: &[u32]) -> (vk::CommandBuffer, vk::CommandPool) {
        let (device, begin) = (&self.device, vk::CommandBufferBeginInfo::default());
        // SAFETY: the device lives, here and below.
        let pool =
            unsafe { device.create_command_pool(&vk::CommandPoolCreateInfo::default(), None) };
        let pool = pool.unwrap();
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: the pool was just made.
        let commands = unsafe { device.allocate_command_buffers(&info) }.unwrap()[0];
        // SAFETY: the commands are new.
        unsafe { device.begin_command_buffer(commands, &begin) }.unwrap();
        for word in words {
            // SAFETY: they are being recorded, and the buffer has one word.
            unsafe { device.cmd_fill_buffer(commands, target.buffer, 0, 4, *word) };
        }
        // SAFETY: as above.
        unsafe { device.end_command_buffer(commands) }.unwrap();
        (commands, pool)
    }

    fn memory_of(&self, buffer: vk::Buffer) -> (vk::DeviceMemory, *const u32) {
        let device = &self.device;
        // SAFETY: the buffer is the device's.
        let needs = unsafe { device.get_buffer_memory_requirements(buffer) };
        let kind = needs.memory_type_bits.trailing_zeros();
        let info =
            vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(kind);
        // SAFETY: the structure lives.
        let memory = unsafe { device.allocate_memory(&info, None) }.unwrap();
        // SAFETY: both are new, and fit.
        unsafe { device.bind_buffer_memory(buffer, memory, 0) }.unwrap();
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: the first kind of memory of a software driver can be mapped.
        let bytes = unsafe { device.map_memory(memory, 0, vk::WHOLE_SIZE, flags) }.unwrap();
        // SAFETY: so many bytes are mapped, and nobody uses them yet.
        unsafe { ptr::write_bytes(bytes.cast::<u8>(), 0, 4) };
        (memory, bytes.cast::<u32>().cast_const())
    }

    /// What the commands wrote.
    #[expect(clippy::unused_self, reason = "its device is alive")]
    pub(crate) fn word(&self, filling: &Filling) -> u32 {
        // SAFETY: it is mapped for as long as the filling lives.
        unsafe { filling.bytes.read_volatile() }
    }

    /// Ends commands that are through.
    pub(crate) fn end(&self, filling: &Filling) {
        // SAFETY: the device is through with it, here and below.
        unsafe { self.device.destroy_command_pool(filling.pool, None) };
        // SAFETY: as above.
        unsafe { self.device.destroy_buffer(filling.buffer, None) };
        // SAFETY: as above.
        unsafe { self.device.free_memory(filling.memory, None) };
    }
}

impl Filling {
    /// The raw handle of the commands.
    pub(crate) fn raw(&self) -> usize {
        usize::try_from(self.commands.as_raw()).unwrap()
    }
}

fn entry() -> ash::Entry {
    // SAFETY: the loader of Vulkan may be opened.
    let library = unsafe { libloading::Library::new("libvulkan.so.1") }.unwrap();
    let library = ManuallyDrop::new(library);
    // SAFETY: the function of this name has this type.
    let get = *unsafe { library.get(c"vkGetInstanceProcAddr") }.unwrap();
    // SAFETY: the library is never closed.
    unsafe { ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr: get }) }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        if self.own != Own::Nothing {
            // SAFETY: it is told that nobody uses it.
            unsafe { self.device.destroy_device(None) };
        }
        if self.own == Own::All {
            // SAFETY: as above.
            unsafe { self.instance.destroy_instance(None) };
        }
    }
}

//! A program that knows Vulkan and nothing of us: its own instance, device, queue and commands.

#![expect(unsafe_code, reason = "the driver is a library of C")]

use std::mem::ManuallyDrop;
use std::ptr;

use ash::vk::{self, Handle};
use syncpoint::vulkan::Handles;

/// What one program has of Vulkan. Its end is the end of all of it.
pub(crate) struct Theirs {
    instance: ash::Instance,
    physical: vk::PhysicalDevice,
    device: ash::Device,
    is_own: bool,
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
        let entry = entry();
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_2);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: the structures live.
        let instance = unsafe { entry.create_instance(&info, None) }.unwrap();
        // SAFETY: the instance lives.
        let physical = unsafe { instance.enumerate_physical_devices() }.unwrap()[0];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let mut feature =
            vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
        let info =
            vk::DeviceCreateInfo::default().queue_create_infos(&queues).push_next(&mut feature);
        // SAFETY: the structures live.
        let device = unsafe { instance.create_device(physical, &info, None) }.unwrap();
        Self { instance, physical, device, is_own: true }
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
        Self { instance, physical, device, is_own: false }
    }

    fn queue(&self) -> vk::Queue {
        // SAFETY: the device was made with this queue.
        unsafe { self.device.get_device_queue(0, 0) }
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
        if self.is_own {
            // SAFETY: it is told that nobody uses it.
            unsafe { self.device.destroy_device(None) };
            // SAFETY: as above.
            unsafe { self.instance.destroy_instance(None) };
        }
    }
}

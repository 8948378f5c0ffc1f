//! The same work by hand: a device of its own, two timeline semaphores, and a pool of commands.

#![expect(unsafe_code, reason = "the driver is a library of C")]

use std::mem::ManuallyDrop;

use ash::vk;

/// A device by hand.
pub(crate) struct Driver {
    device: ash::Device,
    queue: vk::Queue,
    buffer: vk::Buffer,
    commands: Vec<vk::CommandBuffer>,
    used: usize,
    semaphores: [vk::Semaphore; 2],
    values: [u64; 2],
}

/// Commands that may be on their way at a time.
const COMMANDS: u32 = 128;

impl Driver {
    pub(crate) fn new() -> Self {
        // SAFETY: the loader of Vulkan may be opened.
        let library = unsafe { libloading::Library::new("libvulkan.so.1") }.expect("a loader");
        let library = ManuallyDrop::new(library);
        // SAFETY: the function of this name has this type.
        let get = *unsafe { library.get(c"vkGetInstanceProcAddr") }.expect("its function");
        // SAFETY: the library is never closed.
        let entry =
            unsafe { ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr: get }) };
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_2);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: the structures live.
        let instance = unsafe { entry.create_instance(&info, None) }.expect("an instance");
        // SAFETY: the instance lives.
        let physical = unsafe { instance.enumerate_physical_devices() }.expect("devices")[0];
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(0)
            .queue_priorities(&priorities)];
        let mut feature =
            vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
        let info =
            vk::DeviceCreateInfo::default().queue_create_infos(&queues).push_next(&mut feature);
        // SAFETY: the structures live.
        let device = unsafe { instance.create_device(physical, &info, None) }.expect("a device");
        // SAFETY: the device was made with this queue.
        let queue = unsafe { device.get_device_queue(0, 0) };
        let semaphores = [0, 1].map(|_| semaphore(&device));
        let (buffer, commands) = (buffer(&device), commands(&device));
        Self { device, queue, buffer, commands, used: 0, semaphores, values: [0; 2] }
    }

    /// Records a fill, as carefully as a program must, and submits it behind what its line submitted before.
    pub(crate) fn fill(&mut self, line: usize) {
        let commands = self.commands[self.used % self.commands.len()];
        self.used += 1;
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        let (device, none) = (&self.device, vk::DependencyFlags::empty());
        let (top, transfer) =
            (vk::PipelineStageFlags::TOP_OF_PIPE, vk::PipelineStageFlags::TRANSFER);
        let seen = [vk::MemoryBarrier::default().dst_access_mask(vk::AccessFlags::TRANSFER_WRITE)];
        let written = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ)];
        // SAFETY: the commands are through, since the queue is drained between turns.
        unsafe { device.begin_command_buffer(commands, &begin) }.expect("commands");
        // SAFETY: the commands are being recorded.
        unsafe { device.cmd_pipeline_barrier(commands, top, transfer, none, &seen, &[], &[]) };
        // SAFETY: as above; the buffer has so many bytes.
        unsafe { device.cmd_fill_buffer(commands, self.buffer, 0, 64, 0x0101_0101) };
        let host = vk::PipelineStageFlags::HOST;
        // SAFETY: as above.
        unsafe { device.cmd_pipeline_barrier(commands, transfer, host, none, &written, &[], &[]) };
        // SAFETY: as above.
        unsafe { device.end_command_buffer(commands) }.expect("commands");
        let wait = [(self.semaphores[line], self.values[line])];
        self.submit(&[commands], &wait, line);
    }

    /// Submits a wait of the first line for the second.
    pub(crate) fn wait(&mut self) {
        let waits = [0, 1].map(|line| (self.semaphores[line], self.values[line]));
        self.submit(&[], &waits, 0);
    }

    fn submit(
        &mut self,
        commands: &[vk::CommandBuffer],
        waits: &[(vk::Semaphore, u64)],
        line: usize,
    ) {
        self.values[line] += 1;
        let (semaphores, values): (Vec<_>, Vec<_>) = waits.iter().copied().unzip();
        let stages = [vk::PipelineStageFlags::ALL_COMMANDS; 2];
        let (signals, signalled) = ([self.semaphores[line]], [self.values[line]]);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&values)
            .signal_semaphore_values(&signalled);
        let info = vk::SubmitInfo::default()
            .command_buffers(commands)
            .wait_semaphores(&semaphores)
            .wait_dst_stage_mask(&stages[..semaphores.len()])
            .signal_semaphores(&signals)
            .push_next(&mut timeline);
        // SAFETY: everything that is named lives as long as the process.
        unsafe { self.device.queue_submit(self.queue, &[info], vk::Fence::null()) }.expect("room");
    }

    /// Asks the first line how far it is.
    pub(crate) fn query(&self) -> bool {
        // SAFETY: the semaphore lives.
        let value = unsafe { self.device.get_semaphore_counter_value(self.semaphores[0]) };
        value.expect("an answer") >= self.values[0]
    }

    pub(crate) fn drain(&self) {
        let info =
            vk::SemaphoreWaitInfo::default().semaphores(&self.semaphores).values(&self.values);
        // SAFETY: both semaphores live.
        unsafe { self.device.wait_semaphores(&info, u64::MAX) }.expect("the end");
    }
}

fn semaphore(device: &ash::Device) -> vk::Semaphore {
    let mut kind =
        vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
    // SAFETY: the structures live.
    unsafe { device.create_semaphore(&info, None) }.expect("a semaphore")
}

fn buffer(device: &ash::Device) -> vk::Buffer {
    let info = vk::BufferCreateInfo::default().size(64).usage(vk::BufferUsageFlags::TRANSFER_DST);
    // SAFETY: the structure lives.
    let buffer = unsafe { device.create_buffer(&info, None) }.expect("a buffer");
    // SAFETY: the buffer was just made.
    let needs = unsafe { device.get_buffer_memory_requirements(buffer) };
    let kind = needs.memory_type_bits.trailing_zeros();
    let info =
        vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(kind);
    // SAFETY: the structure lives.
    let memory = unsafe { device.allocate_memory(&info, None) }.expect("memory");
    // SAFETY: both are new, and fit.
    unsafe { device.bind_buffer_memory(buffer, memory, 0) }.expect("memory");
    buffer
}

fn commands(device: &ash::Device) -> Vec<vk::CommandBuffer> {
    let flags = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER;
    let info = vk::CommandPoolCreateInfo::default().flags(flags);
    // SAFETY: the structure lives.
    let pool = unsafe { device.create_command_pool(&info, None) }.expect("a pool");
    let info =
        vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(COMMANDS);
    // SAFETY: the pool lives as long as the process.
    unsafe { device.allocate_command_buffers(&info) }.expect("commands")
}

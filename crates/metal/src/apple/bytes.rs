//! Fills and copies, as calls: blits, and kernels of a byte a thread.

#![expect(unsafe_code, reason = "calls of Metal, whose encoders check nothing")]

use std::ops::Range;
use std::ptr::NonNull;

use objc2::rc::Retained;
use objc2::runtime::ProtocolObject;
use objc2_foundation::{NSError, NSRange, NSString, ns_string};
use objc2_metal::{
    MTLBlitCommandEncoder, MTLCommandBuffer, MTLCommandEncoder, MTLComputeCommandEncoder,
    MTLComputePipelineState, MTLDevice, MTLLibrary, MTLSize,
};

use super::calls::{Commands, Memory, size};
use crate::calls::{Bytewise, Kernel, Refusal};

/// A kernel, compiled.
pub(crate) type Pipeline = Retained<ProtocolObject<dyn MTLComputePipelineState>>;

/// A byte of a thread.
const SOURCE: &str = "
#include <metal_stdlib>
using namespace metal;
kernel void fill_bytes(device uchar *target [[buffer(0)]], constant uint &count [[buffer(1)]],
                       constant uchar &byte [[buffer(2)]], uint at [[thread_position_in_grid]]) {
    if (at < count) target[at] = byte;
}
kernel void copy_bytes(device uchar *target [[buffer(0)]], constant uint &count [[buffer(1)]],
                       device const uchar *source [[buffer(2)]], uint at [[thread_position_in_grid]]) {
    if (at < count) target[at] = source[at];
}
";

/// Compiles a kernel.
pub(super) fn compile(
    device: &ProtocolObject<dyn MTLDevice>,
    kernel: Kernel,
) -> Result<Pipeline, Refusal> {
    let name = match kernel {
        Kernel::Fill => ns_string!("fill_bytes"),
        Kernel::Copy => ns_string!("copy_bytes"),
    };
    let source = NSString::from_str(SOURCE);
    let library = device.newLibraryWithSource_options_error(&source, None);
    let library = library.map_err(|error| refused(&error))?;
    let function = library.newFunctionWithName(name);
    let function = function.ok_or_else(|| Refusal::Kernel(format!("no function {name}")))?;
    let made = device.newComputePipelineStateWithFunction_error(&function);
    made.map_err(|error| refused(&error))
}

/// What the compiler says.
fn refused(error: &NSError) -> Refusal {
    Refusal::Kernel(error.localizedDescription().to_string())
}

pub(super) fn fill(
    commands: &Commands,
    memory: &Memory,
    part: Range<u64>,
    byte: u8,
) -> Result<(), Refusal> {
    let encoder = commands.0.blitCommandEncoder().ok_or(Refusal::NoRoom)?;
    let range = NSRange::new(size(part.start), size(part.end - part.start));
    encoder.fillBuffer_range_value(memory.raw(), range, byte);
    encoder.endEncoding();
    Ok(())
}

pub(super) fn copy(
    commands: &Commands,
    (source, from): (&Memory, u64),
    (target, to): (&Memory, u64),
    bytes: u64,
) -> Result<(), Refusal> {
    let encoder = commands.0.blitCommandEncoder().ok_or(Refusal::NoRoom)?;
    let (source, target, bytes) = (source.raw(), target.raw(), size(bytes));
    // SAFETY: both parts lie inside their buffers, which the command buffer keeps.
    unsafe {
        encoder.copyFromBuffer_sourceOffset_toBuffer_destinationOffset_size(
            source,
            size(from),
            target,
            size(to),
            bytes,
        );
    }
    encoder.endEncoding();
    Ok(())
}

pub(super) fn fill_bytes(
    commands: &Commands,
    bytewise: &Bytewise<'_, Pipeline>,
    (memory, start): (&Memory, u64),
    byte: u8,
) -> Result<(), Refusal> {
    dispatch(commands, bytewise, |encoder, at| {
        // SAFETY: it lies inside the buffer, which the command buffer keeps.
        unsafe {
            encoder.setBuffer_offset_atIndex(Some(memory.raw()), size(start + at), 0);
        };
        // SAFETY: one byte is read, at once.
        unsafe {
            encoder.setBytes_length_atIndex(NonNull::from(&byte).cast(), 1, 2);
        };
    })
}

pub(super) fn copy_bytes(
    commands: &Commands,
    bytewise: &Bytewise<'_, Pipeline>,
    (source, from): (&Memory, u64),
    (target, to): (&Memory, u64),
) -> Result<(), Refusal> {
    dispatch(commands, bytewise, |encoder, at| {
        // SAFETY: it lies inside the buffer, which the command buffer keeps.
        unsafe {
            encoder.setBuffer_offset_atIndex(Some(target.raw()), size(to + at), 0);
        };
        // SAFETY: as above.
        unsafe {
            encoder.setBuffer_offset_atIndex(Some(source.raw()), size(from + at), 2);
        };
    })
}

/// Dispatches the pieces; `set` says where each begins.
fn dispatch(
    commands: &Commands,
    bytewise: &Bytewise<'_, Pipeline>,
    set: impl Fn(&ProtocolObject<dyn MTLComputeCommandEncoder>, u64),
) -> Result<(), Refusal> {
    let encoder = commands.0.computeCommandEncoder().ok_or(Refusal::NoRoom)?;
    encoder.setComputePipelineState(bytewise.pipeline);
    for piece in bytewise.pieces() {
        set(&encoder, piece.start);
        // Not of 64 bits: Metal's language has those since macOS 10.15, and a piece is smaller.
        let count = u32::try_from(piece.bytes).unwrap_or(u32::MAX);
        // SAFETY: four bytes are read, at once.
        unsafe {
            encoder.setBytes_length_atIndex(NonNull::from(&count).cast(), size_of::<u32>(), 1);
        };
        let groups = MTLSize { width: size(piece.groups), height: 1, depth: 1 };
        let group = MTLSize { width: size(piece.threads), height: 1, depth: 1 };
        encoder.dispatchThreadgroups_threadsPerThreadgroup(groups, group);
    }
    encoder.endEncoding();
    Ok(())
}

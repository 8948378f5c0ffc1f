//! Pinning the library: code that threads of ours run stays where it is.

/// Keeps the shared library that this code is part of in memory until the process ends, whatever is unloaded: a thread
/// of ours may be asleep inside it. Does nothing where the code is part of the program itself. Called before a thread
/// is made; costs nothing when it is called again.
pub fn pin_library() {
    #[cfg(unix)]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(pin);
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the loader speaks C")]
fn pin() {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    let here: fn() = pin_library;
    // SAFETY: the address is one of a function, and there is room for the answer.
    if unsafe { libc::dladdr(here as *const libc::c_void, found.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: `dladdr` has filled it in.
    let path = unsafe { found.assume_init() }.dli_fname;
    let flags = libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the path is the loader's own and still loaded; nothing is run, since it is loaded already. The handle is
    // given back never, which is the purpose.
    unsafe { libc::dlopen(path, flags) };
}

//! Green contexts: parts of a device with streams of their own.

use super::Fake;

/// A green context that this program has made.
pub(crate) struct Green {
    handle: usize,
    pub(crate) context: usize,
}

impl Green {
    pub(crate) fn made(fake: &Fake) -> Self {
        const MULTIPROCESSORS: usize = 1;
        const DEFAULT_STREAM: usize = 1;
        let (mut whole, mut description) = ([0_u32; 36], 0_usize);
        let (mut handle, mut context) = (0_usize, 0_usize);
        let resource = whole.as_mut_ptr().expose_provenance();
        let room = |word: &mut usize| std::ptr::from_mut(word).expose_provenance();
        let calls = [
            ("cuDeviceGetDevResource", [0, resource, MULTIPROCESSORS, 0]),
            ("cuDevResourceGenerateDesc", [room(&mut description), resource, 1, 0]),
        ];
        for (function, arguments) in calls {
            assert_eq!(fake.call_with(function, arguments), 0, "{function}");
        }
        let green = [room(&mut handle), description, 0, DEFAULT_STREAM];
        assert_eq!(fake.call_with("cuGreenCtxCreate", green), 0);
        assert_eq!(fake.call("cuCtxFromGreenCtx", room(&mut context), handle), 0);
        Self { handle, context }
    }

    /// A stream of it.
    pub(crate) fn stream(&self, fake: &Fake) -> usize {
        const NON_BLOCKING: usize = 1;
        let mut stream = 0_usize;
        let room = (&raw mut stream).expose_provenance();
        let made = fake.call_with("cuGreenCtxStreamCreate", [room, self.handle, NON_BLOCKING, 0]);
        assert_eq!(made, 0);
        stream
    }
}

/// It ends, and its streams with it.
impl Drop for Green {
    fn drop(&mut self) {
        Fake::used().call("cuGreenCtxDestroy", self.handle, 0);
    }
}

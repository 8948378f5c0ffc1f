//! Writing to standard output and standard error.

use std::{
    fmt::Display,
    io::{self, BufWriter, ErrorKind, Write},
};

/// Writes a result to standard output. That nobody reads it to its end is no error.
///
/// # Errors
///
/// What the system answers, such as that a disk is full.
pub(super) fn result(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    match write(&mut output).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            // What is left in the buffer has no reader: written again when it is dropped, it would only fail again.
            drop(output.into_parts());
            Ok(())
        }
        written => written,
    }
}

/// Says something about the result on standard error, where nobody may be listening.
pub(super) fn note(message: impl Display) {
    writeln!(io::stderr(), "{message}").ok();
}

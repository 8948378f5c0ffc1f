//! The text of a pipeline, read from a regular file or a stream, up to a bound.

use std::{
    fs::{self, File, FileType},
    io::Read,
    path::Path,
};

use super::problem::Problems;

/// How long a pipeline may be: some hundred thousand steps. What is longer has no end, as `/dev/zero`, or is something
/// else.
const LONGEST: u64 = 16 << 20;

/// The text of a file. Only regular files are read: opening a pipe waits for whoever may write into it.
pub(super) fn of_file(path: &Path) -> Result<String, Problems> {
    let unreadable = |error| Problems::unreadable(path, &error);
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() {
        return Err(Problems::no_file(path, what(kind), remedy(kind)));
    }
    of_stream(path, File::open(path).map_err(unreadable)?)
}

/// The text of a stream to its end; `name` is what messages call it.
pub(super) fn of_stream(name: &Path, stream: impl Read) -> Result<String, Problems> {
    let mut bytes = Vec::new();
    let read = stream.take(LONGEST + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| Problems::unreadable(name, &error))?;
    if length as u64 > LONGEST {
        return Err(Problems::too_long(name, LONGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|error| Problems::not_text(name, &error))
}

fn what(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a pipe, a device or a socket" }
}

fn remedy(kind: FileType) -> &'static str {
    if kind.is_dir() { "name a file in it" } else { "hand it over as standard input: run - < PATH" }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_stream_is_read_to_the_bound_and_no_further() {
        let mut read = 0;
        let endless = io::repeat(b'#');
        let counted = Counted { source: endless, read: &mut read };
        let problems = of_stream("<stdin>".as_ref(), counted).unwrap_err();
        let expected = "<stdin>: the pipeline is longer than 16 MiB; is it a pipeline? if so, cut it into several";
        assert_eq!(problems.to_string(), expected);
        assert_eq!(read, LONGEST + 1);
    }

    #[test]
    fn a_stream_of_the_greatest_length_is_read() {
        let text = of_stream("<stdin>".as_ref(), io::repeat(b'#').take(LONGEST)).unwrap();
        assert_eq!(text.len() as u64, LONGEST);
    }

    struct Counted<'c, R> {
        source: R,
        read: &'c mut u64,
    }

    impl<R: Read> Read for Counted<'_, R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.source.read(buffer)?;
            *self.read += length as u64;
            Ok(length)
        }
    }
}

//! Any text read as a trace: no panic, and what is understood is written and read back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syncpoint_trace::{HEADER, Reader, Record, write_line};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // The header is a wall that nothing gets over by chance, so the same lines are also read behind a good one.
    for text in [text.clone().into_owned(), format!("{HEADER}\n{text}")] {
        let records: Vec<Record> = Reader::new(&text).filter_map(told).collect();
        let mut again = format!("{HEADER}\n");
        records.iter().for_each(|record| write_line(record, &mut again));
        let read: Result<Vec<Record>, _> = Reader::new(&again).collect();
        assert_eq!(read.as_ref(), Ok(&records), "written as\n{again}");
    }
});

/// A record; an error has words.
fn told(item: Result<Record, syncpoint_trace::DecodeError>) -> Option<Record> {
    item.inspect_err(|error| assert!(!error.to_string().is_empty())).ok()
}

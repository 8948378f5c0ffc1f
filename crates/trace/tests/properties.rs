//! What holds of every record and of every text, tried on random ones.
//!
//! The seed is fixed, so that a run can be repeated; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` in
//! the environment ask for others.

mod records;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};

use syncpoint_trace::{DecodeError, HEADER, Reader, Record, decode, encode, write_line};

use records::{record, text};

const GOLDEN: &str = include_str!("golden/operations.txt");

fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match config.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(1), ..config },
        RngSeed::Fixed(_) => config,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_record_survives_its_line(record in record()) {
        let line = encode(&record);
        prop_assert!(!line.contains(['\n', '\r']), "{line:?}");
        prop_assert_eq!(decode(&line), Ok(record));
    }

    #[test]
    fn a_trace_survives_its_text(records in prop::collection::vec(record(), 0..8)) {
        let mut text = format!("{HEADER}\n");
        for record in &records {
            write_line(record, &mut text);
        }
        prop_assert_eq!(Reader::new(&text).collect::<Result<Vec<_>, _>>(), Ok(records));
    }

    #[test]
    fn fields_may_stand_in_any_order(record in record(), turns in any::<Index>()) {
        let line = encode(&record);
        let mut words: Vec<_> = line.split(' ').collect();
        let fields = words.len() - 4;
        words[4..].rotate_left(turns.index(fields));
        prop_assert_eq!(decode(&words.join(" ")), Ok(record));
    }

    #[test]
    fn a_damaged_line_is_an_error_or_another_record(line in damaged_line()) {
        check_decoding(&line)?;
    }

    #[test]
    fn words_of_the_format_in_any_order_do_no_harm(line in words_of_the_format()) {
        check_decoding(&line)?;
    }

    #[test]
    fn any_text_is_read_to_its_end(text in text(), with_header in any::<bool>()) {
        let header = if with_header { "syncpoint-trace 1\n" } else { "" };
        let text = format!("{header}{text}");
        let items: Vec<_> = Reader::new(&text).collect();
        prop_assert!(items.len() <= text.split_inclusive('\n').count().max(1));
        for item in items {
            check_answer(item)?;
        }
    }
}

/// Without this, the properties could hold of nothing but streams.
#[test]
fn the_random_records_have_every_operation() {
    let mut runner = TestRunner::new(config());
    let name = |record: Record| record.operation.name().to_owned();
    let found: BTreeSet<_> = (0..2000)
        .map(|_| name(record().new_tree(&mut runner).expect("a record").current()))
        .collect();
    let golden = Reader::new(GOLDEN).map(|item| name(item.expect("the trace is sound")));
    assert_eq!(found, golden.collect());
}

/// A line with one piece of it cut out and another text put there.
fn damaged_line() -> impl Strategy<Value = String> {
    let patch = prop_oneof![Just(String::new()), text(), select(WORDS).prop_map(str::to_owned)];
    (record(), any::<Index>(), any::<Index>(), patch).prop_map(|(record, from, to, patch)| {
        let line = encode(&record);
        let boundaries: Vec<_> = (0..=line.len()).filter(|at| line.is_char_boundary(*at)).collect();
        let (from, to) = (*from.get(&boundaries), *to.get(&boundaries));
        format!("{}{patch}{}", &line[..from.min(to)], &line[from.max(to)..])
    })
}

fn words_of_the_format() -> impl Strategy<Value = String> {
    let golden: Vec<_> = GOLDEN.split_ascii_whitespace().collect();
    let word = prop_oneof![4 => select(golden), 1 => select(WORDS)];
    prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

/// Words that are wrong, or right in another place.
const WORDS: &[&str] = &[
    "=",
    "%",
    "%4",
    "%FF",
    " ",
    "#",
    "none",
    "1:",
    ":1",
    "-1",
    "+1",
    "18446744073709551616",
    "1:2:3",
    "event=",
    "event=none",
    "call=",
    "call=event",
    "point=none",
    "gate=1",
    "é",
];

fn check_decoding(line: &str) -> Result<(), TestCaseError> {
    check_answer(decode(line))
}

/// A record that was read can be written and read again; an error is one short line.
fn check_answer(answer: Result<Record, DecodeError>) -> Result<(), TestCaseError> {
    match answer {
        Ok(record) => prop_assert_eq!(decode(&encode(&record)), Ok(record)),
        Err(error) => check_message(&error.to_string())?,
    }
    Ok(())
}

fn check_message(message: &str) -> Result<(), TestCaseError> {
    prop_assert!(message.starts_with("found ") || message.starts_with("line "), "{message:?}");
    prop_assert!(!message.contains(char::is_control), "{message:?}");
    prop_assert!(message.contains(", expected ") && message.contains("; "), "{message:?}");
    // 63 characters shown, of at most ten each when escaped, and a sentence.
    prop_assert!(message.chars().count() <= 63 * 10 + 200, "{message:?}");
    Ok(())
}

//! The messages for a text that is not TOML.

use std::ops::Range;

use toml::de::Error;

use super::{problem::Ledger, source::Source};

/// How many faults are told: one missing bracket makes the parser stumble over every line behind it.
const TOLD: usize = 3;

/// Tells the first faults of a text, and how many others there are.
pub(super) fn tell(errors: &[Error], source: &Source<'_>, ledger: &Ledger<'_>) {
    let end = source.text().len();
    let mut faults: Vec<(Range<usize>, String)> =
        errors.iter().map(|error| (error.span().unwrap_or(end..end), message(error))).collect();
    faults.sort_by_key(|(span, _)| span.start);
    faults.dedup();
    let more = faults.len().saturating_sub(TOLD);
    for (place, (span, message)) in faults.into_iter().take(TOLD).enumerate() {
        let last = more > 0 && place + 1 == TOLD;
        let note = last.then(|| format!("{more} more follow, which may well come from these"));
        ledger.add_with_notes(&span, message, note.into_iter().collect());
    }
}

fn message(error: &Error) -> String {
    match error.message() {
        "duplicate key" => "this key is given twice; keep one of the two".to_owned(),
        message => format!("this is not TOML: {message}; https://toml.io shows how it is written"),
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{DeviceName, Plan};

    #[test]
    fn what_follows_a_missing_bracket_is_counted_not_told() {
        let text = "a = { b = 1\nc = 2\nd = 3\ne = 4\nf = 5\ng = 6\n";
        let problems = Plan::parse("f.toml".as_ref(), text, &DeviceName::HOST).unwrap_err();
        assert_eq!(problems.iter().count(), 3);
        let text = problems.to_string();
        assert!(text.ends_with("more follow, which may well come from these"), "{text}");
    }
}

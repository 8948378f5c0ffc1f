//! The verdict: whether anything grew between the second fifth of the run and the last.

use crate::sample::{MEASURES, Sample};

/// Prints the table; says whether something grew. The first fifth is left out: pools and tables fill.
pub(crate) fn print(samples: &[Sample]) -> bool {
    let fifth = samples.len() / 5;
    if fifth == 0 {
        println!("too short to tell");
        return false;
    }
    println!("{:<14} {:>10} {:>10} {:>10}", "median of", "2nd fifth", "last", "allowed");
    let mut grew = false;
    for (index, (name, slack)) in MEASURES.iter().enumerate() {
        let median = |samples: &[Sample]| median(samples.iter().map(|sample| sample.values[index]));
        let (before, after) =
            (median(&samples[fifth..2 * fifth]), median(&samples[samples.len() - fifth..]));
        let allowed = before + before / 10 + slack;
        let verdict = if after > allowed { "GREW" } else { "flat" };
        println!("{name:<14} {before:>10} {after:>10} {allowed:>10}  {verdict}");
        grew |= after > allowed;
    }
    grew
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

//! Which names a file may give, and which given name is nearest to a misspelt one.

/// The longest name, in characters: longer ones would push everything else off a line of the report.
const LONGEST: usize = 64;

/// What is wrong with a name, if anything: words that follow `the name "x"`.
///
/// A name holds letters and digits of any script, ASCII punctuation except `"`, and spaces within. So it is one line,
/// cannot move a terminal's cursor, and stands in quotes without doubt in messages.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    let allowed = |sign: char| {
        sign.is_alphanumeric() || sign == ' ' || (sign.is_ascii_graphic() && sign != '"')
    };
    match name {
        "" => Some("is empty; give it at least one letter"),
        _ if name.trim() != name => Some("begins or ends with a space; take the space out"),
        _ if name.chars().count() > LONGEST => Some("is longer than 64 characters; shorten it"),
        _ if !name.chars().all(allowed) => {
            Some("has a sign that a name cannot have; use letters, digits and plain punctuation")
        }
        _ => None,
    }
}

/// The candidate that a misspelt name most likely means, if one is near enough to be worth saying.
///
/// Near enough is one slip of the finger in three letters. Of two equally near, the first counts.
pub(super) fn nearest<'c>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().take(LONGEST + 1).collect();
    let bound = (wanted.len() / 3).max(1);
    let slips = |candidate: &'c str| {
        let letters: Vec<char> = candidate.to_lowercase().chars().take(LONGEST + 1).collect();
        let hopeless = letters.len().abs_diff(wanted.len()) > bound;
        (!hopeless).then(|| (distance(&wanted, &letters), candidate))
    };
    let near = candidates.into_iter().filter_map(slips).filter(|(slips, _)| *slips <= bound);
    near.min_by_key(|(slips, _)| *slips).map(|(_, candidate)| candidate)
}

/// How many letters have to be put in, taken out, changed or swapped with a neighbour (optimal string alignment).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let same = left[row - 1] == right[column - 1];
            let changed = above[column - 1] + usize::from(!same);
            let moved = (above[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            let swap = if swapped { before[column - 2] + 1 } else { usize::MAX };
            current.push(changed.min(moved).min(swap));
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_allowed() {
        for name in ["a", "batch 1", "préparation", "計算", "a/b.c:d-e_f", "{x}"] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_would_spoil_a_message_are_refused() {
        for name in ["", " a", "a ", "a\nb", "a\"b", "\u{202e}abc", "a\u{1b}[2J", &"x".repeat(65)] {
            assert!(fault(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn the_nearest_name_forgives_a_slip_in_three_letters() {
        let names = ["load", "loaded 1", "compute", "x"];
        let near = |wanted| nearest(wanted, names);
        assert_eq!(near("laod"), Some("load"));
        assert_eq!(near("lodaed 1"), Some("loaded 1"));
        assert_eq!(near("Compute"), Some("compute"));
        assert_eq!(near("comp"), None);
        assert_eq!(near(""), Some("x"));
    }

    #[test]
    fn the_distance_counts_each_kind_of_slip_as_one() {
        let distance = |left: &str, right: &str| {
            distance(&left.chars().collect::<Vec<_>>(), &right.chars().collect::<Vec<_>>())
        };
        let pairs =
            [("wait", "wiat", 1), ("wait", "wit", 1), ("wait", "waist", 1), ("wait", "want", 1)];
        for (left, right, slips) in pairs {
            assert_eq!(
                (distance(left, right), distance(right, left)),
                (slips, slips),
                "{left} {right}"
            );
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}

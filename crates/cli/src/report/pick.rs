//! Which of many things a person is shown: as many as can be read, those that matter most, in their order.

use std::cmp::Reverse;

/// The places of the `bound` items that rank highest, in their order; of equals, the first.
pub(super) fn pick<K: Ord>(items: usize, bound: usize, rank: impl Fn(usize) -> K) -> Vec<usize> {
    let mut places: Vec<usize> = (0..items).collect();
    if items > bound {
        places.sort_by_cached_key(|&place| Reverse(rank(place)));
        places.truncate(bound);
        places.sort_unstable();
    }
    places
}

/// What is said below a part that shows some of many; nothing if it shows all.
pub(super) fn rest(items: usize, shown: usize, what: &str) -> String {
    match items - shown {
        0 => String::new(),
        more => format!("and {more} more {what}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_are_picked_and_keep_their_order() {
        let ranks = [1, 5, 3, 5, 3];
        assert_eq!(pick(5, 3, |place| ranks[place]), [1, 2, 3]);
        assert_eq!(pick(5, 5, |place| ranks[place]), [0, 1, 2, 3, 4]);
        assert_eq!(pick(0, 3, |place| place), [0; 0]);
    }

    #[test]
    fn only_what_is_not_shown_is_counted() {
        assert_eq!(rest(3, 3, "steps"), "");
        assert_eq!(rest(5, 3, "steps"), "and 2 more steps\n");
    }
}

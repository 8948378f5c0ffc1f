//! The end of what a program said: kept up to a bound, however much it says.

use std::collections::VecDeque;

/// What was kept of a program's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// The last part, with a replacement sign for every byte that is not UTF-8.
    pub text: String,
    /// How many bytes before it were not kept.
    pub cut: u64,
}

/// Takes everything that a program says and keeps the end of it.
#[derive(Clone, Debug)]
pub struct Tail {
    bound: usize,
    kept: VecDeque<u8>,
    cut: u64,
}

impl Tail {
    /// Keeps at most `bound` bytes.
    pub fn new(bound: usize) -> Self {
        Self { bound, kept: VecDeque::new(), cut: 0 }
    }

    /// Takes what the program says next.
    pub fn push(&mut self, bytes: &[u8]) {
        let fresh = &bytes[bytes.len().saturating_sub(self.bound)..];
        let surplus = (self.kept.len() + fresh.len()).saturating_sub(self.bound);
        self.kept.drain(..surplus);
        self.kept.extend(fresh);
        self.cut += (surplus + bytes.len() - fresh.len()) as u64;
    }

    /// What was kept. A character that the cut went through is left out, too.
    pub fn finish(mut self) -> Output {
        let broken =
            self.kept.iter().take(3).take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000);
        let broken = if self.cut > 0 { broken.count() } else { 0 };
        self.kept.drain(..broken);
        let text = String::from_utf8_lossy(self.kept.make_contiguous()).into_owned();
        Output { text, cut: self.cut + broken as u64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tail(bound: usize, pieces: &[&[u8]]) -> (String, u64) {
        let mut tail = Tail::new(bound);
        for piece in pieces {
            tail.push(piece);
        }
        let output = tail.finish();
        (output.text, output.cut)
    }

    #[test]
    fn short_output_is_kept_whole() {
        assert_eq!(tail(8, &[b"abc", b"de"]), ("abcde".into(), 0));
    }

    #[test]
    fn the_cut_does_not_leave_half_a_character() {
        assert_eq!(tail(4, &["a\u{20ac}bc".as_bytes()]), ("bc".into(), 4));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(tail(8, &[b"\x80a\xffb"]), ("\u{fffd}a\u{fffd}b".into(), 0));
    }

    #[test]
    fn a_bound_of_nothing_keeps_nothing() {
        assert_eq!(tail(0, &[b"abc"]), (String::new(), 3));
    }

    proptest! {
        #[test]
        fn the_tail_is_the_end_of_all_that_was_said(
            pieces in prop::collection::vec("[a-z]{0,9}", 0..9),
            bound in 0_usize..20,
        ) {
            let all = pieces.concat();
            let bytes: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
            let cut = all.len().saturating_sub(bound);
            prop_assert_eq!(tail(bound, &bytes), (all[cut..].to_owned(), cut as u64));
        }
    }
}

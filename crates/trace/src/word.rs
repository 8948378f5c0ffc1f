//! The words of a line: how one is taken off, and when it is a name or a number.

use std::str::FromStr;

/// Takes the first word off a text; empty when there is none.
pub(crate) fn take_word<'line>(rest: &mut &'line str) -> &'line str {
    let text = rest.trim_ascii_start();
    let end = text.find(|char: char| char.is_ascii_whitespace());
    let (word, after) = text.split_at(end.unwrap_or(text.len()));
    *rest = after;
    word
}

/// Whether a word can name an operation or a field, of this version or a later one.
pub(crate) fn is_name(word: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    !word.is_empty() && word.bytes().all(is_part)
}

/// A decimal number; unlike `parse`, refuses a leading `+`.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_in_turn_until_none_is_left() {
        let mut rest = " a\tb=1  \u{e9}\n";
        let words = [(); 4].map(|()| take_word(&mut rest));
        assert_eq!(words, ["a", "b=1", "\u{e9}", ""]);
    }

    #[test]
    fn a_name_is_snake_case() {
        for name in ["gate", "on_value", "v2"] {
            assert!(is_name(name), "{name:?}");
        }
        for other in ["", "Gate", "on-value", "stream=1", "gr\u{f6}sse"] {
            assert!(!is_name(other), "{other:?}");
        }
    }

    #[test]
    fn a_number_is_decimal_and_in_range() {
        assert_eq!(number::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(number::<i32>("-2147483648"), Some(i32::MIN));
        for other in ["", "+1", "-1", "0x1", "1_000", "1.0", "18446744073709551616"] {
            assert_eq!(number::<u64>(other), None, "{other:?}");
        }
    }
}

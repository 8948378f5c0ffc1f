//! How many columns of a terminal a text takes: signs of Chinese, Japanese and Korean take two, accents none.

use unicode_width::UnicodeWidthStr;

/// What stands where a text was cut off.
const MORE: &str = "\u{2026}";

/// How many columns a text takes that has no line breaks.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text with spaces behind it, as wide as this at least.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{:1$}", "", columns.saturating_sub(width(text)))
}

/// The text, as wide as this at most: of a wider one the beginning, with a sign that there is more.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(MORE));
    let ends = text.char_indices().map(|(place, sign)| place + sign.len_utf8());
    let end = ends.take_while(|&end| width(&text[..end]) <= room).last().unwrap_or(0);
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_signs_count_twice_and_accents_do_not_count() {
        for (text, columns) in
            [("", 0), ("abc", 3), ("圧縮", 4), ("한글", 4), ("e\u{301}te\u{301}", 3)]
        {
            assert_eq!(width(text), columns, "{text}");
            assert_eq!(width(&pad(text, 9)), 9, "{text}");
        }
    }

    #[test]
    fn what_is_cut_never_takes_more_than_its_room() {
        assert_eq!(["圧縮する", "圧縮"].map(|text| cut(text, 4)), ["圧\u{2026}", "圧縮"]);
        assert_eq!(cut("圧縮する", 5), "圧縮\u{2026}");
        assert_eq!((cut("step 0", 6), cut("step 0", 5)), ("step 0".into(), "step\u{2026}".into()));
    }
}

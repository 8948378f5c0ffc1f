//! Any text as one word: percent escapes.

/// Appends a text as one word without white space, `=` or control characters.
///
/// All that some reader of lines takes for the end of one is escaped with them, such as U+2028.
/// Other text stays as it is, so that people can read it.
pub(crate) fn push(text: &str, line: &mut String) {
    for char in text.chars() {
        if is_plain(char) {
            line.push(char);
        } else {
            push_escaped(char, line);
        }
    }
}

/// The text of a word; `None` when an escape is broken or what it gives is not UTF-8.
///
/// What is between the escapes is taken as it is.
pub(crate) fn read(word: &str) -> Option<String> {
    let mut pieces = word.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, plain) = piece.split_at_checked(2)?;
        bytes.push(byte(digits)?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn is_plain(char: char) -> bool {
    !(char == '%' || char == '=' || char.is_whitespace() || char.is_control())
}

fn push_escaped(char: char, line: &mut String) {
    for byte in char.encode_utf8(&mut [0; 4]).bytes() {
        line.push('%');
        line.push(digit(byte >> 4));
        line.push(digit(byte & 15));
    }
}

fn digit(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(nibble)])
}

/// The check is needed because `from_str_radix` takes a sign.
fn byte(digits: &str) -> Option<u8> {
    let sound = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if sound { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> String {
        let mut word = String::new();
        push(text, &mut word);
        word
    }

    #[test]
    fn a_text_is_escaped_only_where_it_must_be() {
        let table = [
            ("", ""),
            ("host:0", "host:0"),
            ("100 % = all", "100%20%25%20%3D%20all"),
            ("a\nb\tc\r", "a%0Ab%09c%0D"),
            ("\0\u{7f}\u{85}", "%00%7F%C2%85"),
            ("\u{2028}\u{3000}", "%E2%80%A8%E3%80%80"),
            ("größer, 大きい", "größer,%20大きい"),
            ("#none", "#none"),
        ];
        for (text, expected) in table {
            assert_eq!(word(text), expected, "{text:?}");
            assert_eq!(read(expected).as_deref(), Some(text), "{expected:?}");
        }
    }

    #[test]
    fn every_ascii_character_survives() {
        for char in (0..128_u8).map(char::from) {
            let text = format!("a{char}b{char}");
            assert_eq!(read(&word(&text)), Some(text), "{char:?}");
        }
    }

    #[test]
    fn what_need_not_be_escaped_may_be() {
        assert_eq!(read("%68ost%3a0").as_deref(), Some("host:0"));
        assert_eq!(read("a=b").as_deref(), Some("a=b"));
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for word in ["%", "%2", "a%", "%%", "%zz", "%+1", "% 1", "%é", "%C3", "%FF", "%ED%A0%80"] {
            assert_eq!(read(word), None, "{word:?}");
        }
    }
}

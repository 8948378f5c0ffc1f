//! A fenced block of a Markdown file, found by its tag: the place of text that a program writes.

use std::ops::Range;

/// The whole text with other lines in the block that opens with `tag`, if it has such a block.
pub(crate) fn replace(text: &str, tag: &str, lines: &str) -> Option<String> {
    let range = range(text, tag)?;
    Some(format!("{}{lines}{}", &text[..range.start], &text[range.end..]))
}

fn range(text: &str, tag: &str) -> Option<Range<usize>> {
    let opening = format!("```{tag}\n");
    let start = text.match_indices(&opening).map(|(at, _)| at).find(|at| begins_line(text, *at))?;
    let start = start + opening.len();
    let length =
        text[start..].match_indices("```").find(|(at, _)| begins_line(&text[start..], *at))?.0;
    Some(start..start + length)
}

fn begins_line(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes()[at - 1] == b'\n'
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Before ```map\n```text\nother\n```\n```map\na ```\nb\n```\nafter\n";

    #[test]
    fn replacing_changes_what_stands_between_the_fences_and_nothing_else() {
        let replaced = "Before ```map\n```text\nother\n```\n```map\nc\n```\nafter\n";
        assert_eq!(replace(TEXT, "map", "c\n").unwrap(), replaced);
        assert_eq!(replace(TEXT, "map", "a ```\nb\n").unwrap(), TEXT);
        assert_eq!(replace("```map\n```", "map", "c\n").unwrap(), "```map\nc\n```");
    }

    #[test]
    fn a_block_that_is_missing_or_never_closed_is_none() {
        assert_eq!(replace(TEXT, "chart", ""), None);
        assert_eq!(replace("```map\na\n", "map", ""), None);
    }
}

//! How text is drawn for where it goes: a terminal with colours, or anything else without.

/// The width that is taken when nobody knows the terminal's, and the least that pictures are drawn in.
const WIDTH: usize = 80;
const LEAST: usize = 40;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    width: usize,
    colour: bool,
    terminal: bool,
}

/// What a colour says. Nothing is said by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Strong,
    Critical,
    Usual,
    Bad,
    Faint,
}

impl Style {
    /// Text without colours, 80 columns wide.
    pub const PLAIN: Self = Self { width: WIDTH, colour: false, terminal: false };

    /// The style for an output, with colours if it is a terminal.
    pub fn new(is_terminal: bool, width: Option<usize>) -> Self {
        let width = width.unwrap_or(WIDTH).max(LEAST);
        Self { width, colour: is_terminal, terminal: is_terminal }
    }

    /// The same for who wants no colours, or cannot show them.
    #[must_use]
    pub fn without_colours(self) -> Self {
        Self { colour: false, ..self }
    }

    /// How many columns a picture takes.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// How long a line can be before it is broken: without end in a file.
    pub(crate) fn room(self) -> usize {
        if self.terminal { self.width } else { usize::MAX }
    }

    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Ink::Plain => return text.to_owned(),
            Ink::Strong => "1",
            Ink::Critical => "33",
            Ink::Usual => "36",
            Ink::Bad => "31",
            Ink::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A text of unknown origin as one line that cannot move a terminal's cursor or turn its writing round.
pub(super) fn visible(text: &str) -> String {
    let shown = |sign: char| match sign {
        '\t' => "    ".to_owned(),
        sign if is_hidden(sign) => sign.escape_unicode().to_string(),
        sign => sign.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Whether a sign is not seen itself, but does something to others or to the terminal.
pub(super) fn is_hidden(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let painted = |style: Style| style.paint(Ink::Bad, "x");
        assert_eq!(painted(Style::new(true, None)), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(painted(Style::new(true, None).without_colours()), "x");
        assert_eq!(painted(Style::new(false, None)), "x");
    }

    #[test]
    fn a_narrow_terminal_still_has_room_for_a_picture() {
        assert_eq!(Style::new(true, Some(3)).width(), 40);
    }

    #[test]
    fn what_would_move_the_cursor_is_written_out() {
        assert_eq!(visible("a\tb\u{1b}[2J\u{202e}"), "a    b\\u{1b}[2J\\u{202e}");
    }
}

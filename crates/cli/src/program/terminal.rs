//! What is known of the terminal, if there is one.

use std::{
    env,
    io::{self, IsTerminal},
};

use terminal_size::{Height, Width, terminal_size_of};

use crate::report::Style;

/// The style for standard output.
pub(super) fn output_style() -> Style {
    let output = io::stdout();
    style(terminal_size_of(&output), &output)
}

/// The style for standard error.
pub(super) fn error_style() -> Style {
    let error = io::stderr();
    style(terminal_size_of(&error), &error)
}

/// As wide as `COLUMNS` says or the terminal is, coloured on a terminal only, and not where `NO_COLOR` is set.
fn style(measured: Option<(Width, Height)>, output: &impl IsTerminal) -> Style {
    let measured = measured.map(|(Width(columns), _)| usize::from(columns));
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let told = told.filter(|&columns: &usize| columns > 0);
    let style = Style::new(output.is_terminal(), told.or(measured));
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if refused || is_dumb() { style.without_colours() } else { style }
}

/// Whether the terminal can only write one sign after the other, by its own word.
pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}

//! What is known of the terminal, if there is one.

use std::{
    env,
    io::{self, IsTerminal},
};

use terminal_size::{Width, terminal_size_of};

use crate::report::Style;

/// The style for standard output: as wide as `COLUMNS` says or the terminal is, coloured on a terminal only.
pub(super) fn style() -> Style {
    let output = io::stdout();
    let measured = terminal_size_of(&output).map(|(Width(columns), _)| usize::from(columns));
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let told = told.filter(|&columns: &usize| columns > 0);
    Style::new(output.is_terminal(), env::var_os("NO_COLOR").as_deref(), told.or(measured))
}

//! The first column of a Markdown table, where it holds names in code style.

/// The names in the first cells of the rows of every table: `` | `name` | ... ``, in order.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(name)
}

/// The text up to and including its first table.
pub(super) fn through_first_table(text: &str) -> &str {
    let is_row = |line: &str| line.starts_with('|');
    let mut end = 0;
    let mut seen = false;
    for line in text.split_inclusive('\n') {
        if seen && !is_row(line) {
            break;
        }
        seen |= is_row(line);
        end += line.len();
    }
    &text[..end]
}

fn name(row: &str) -> Option<&str> {
    let cell = row.strip_prefix('|')?.split('|').next()?.trim();
    cell.strip_prefix('`')?.strip_suffix('`').filter(|name| !name.contains('`'))
}

#[test]
fn names_are_first_cells_in_code_style_and_nothing_else() {
    let text =
        "| law | says |\n|---|---|\n| `a` | x |\n|`b`|`c`|\n| d | `e` |\n| `f` `g` | |\n`h`\n";
    assert_eq!(names(text).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_first_table_ends_before_the_first_line_that_is_no_row() {
    let text = "Kinds:\n\n| `a` |\n| `b` |\n\nReasons:\n\n| `c` |\n";
    assert_eq!(names(through_first_table(text)).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(through_first_table("no table\n"), "no table\n");
}

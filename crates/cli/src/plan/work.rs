//! The work of one step: exactly one of a command, a fill, a copy and a delay.

use std::time::Duration;

use toml::Spanned;

use super::{fields::Fields, model::Command};

/// The keys that give a step its work.
const KINDS: [&str; 4] = ["command", "fill", "copy", "delay"];
/// The keys that go with a command only.
const COMMAND_ONLY: [&str; 2] = ["dir", "env"];

/// Work whose buffers are still names.
#[derive(Debug)]
pub(super) enum Work {
    Command(Command),
    Fill { buffer: Spanned<String>, bytes: Option<Spanned<u64>>, value: u8 },
    Copy { from: Spanned<String>, to: Spanned<String>, bytes: Option<Spanned<u64>> },
    Delay(Duration),
}

/// Reads the work of a step; every kind is read, so that the faults of all of them are told.
pub(super) fn read(step: &Fields<'_>) -> Option<Work> {
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| step.key_span(kind).is_some()).collect();
    match given[..] {
        [] => step.complain("has nothing to do; give it one of command, fill, copy and delay"),
        [_] => {}
        [first, second, ..] => two_kinds(step, first, second),
    }
    if !given.contains(&"command") {
        for key in COMMAND_ONLY {
            needs_command(step, key);
        }
    }
    let command = command(step);
    let fill = step.table("fill", format!("fill of {}", step.label), FILL).and_then(fill);
    let copy = step.table("copy", format!("copy of {}", step.label), COPY).and_then(copy);
    let delay = step.delay("delay").map(Work::Delay);
    command.or(fill).or(copy).or(delay)
}

const FILL: &str = "{ buffer = \"batch\", value = 1 }";
const COPY: &str = "{ from = \"batch\", to = \"result\" }";

fn two_kinds(step: &Fields<'_>, first: &str, second: &str) {
    let message = format!("has both {first} and {second}; make two steps of it, each with one");
    step.complain_at(&step.key_span(second).unwrap_or_else(|| step.span.clone()), &message);
}

fn needs_command(step: &Fields<'_>, key: &'static str) {
    if let Some(span) = step.key_span(key) {
        step.complain_at(&span, &format!("has {key} but no command; take {key} out"));
    }
}

fn command(step: &Fields<'_>) -> Option<Work> {
    let folder = step.text("dir", "\"data\"").and_then(|folder| filled(step, "dir", &folder));
    let environment = environment(step);
    let words = step.texts("command", "[\"gzip\", \"notes.txt\"]")?;
    let span = step.key_span("command").unwrap_or_else(|| step.span.clone());
    let Some((program, arguments)) = words.split_first() else {
        step.complain_at(&span, "has an empty command; write the program, then its arguments");
        return None;
    };
    let program = filled(step, "program", program)?;
    let arguments = arguments.iter().map(|word| without_nul(step, word)).collect::<Option<_>>()?;
    Some(Work::Command(Command { program, arguments, folder, environment }))
}

fn environment(step: &Fields<'_>) -> Vec<(String, String)> {
    let label = format!("env of {}", step.label);
    let Some(table) = step.table("env", label, "{ LANG = \"C\" }") else {
        return Vec::new();
    };
    table.entries().into_iter().filter_map(|entry| variable(&table, entry)).collect()
}

fn variable(
    table: &Fields<'_>,
    (key, value): (Spanned<String>, &Spanned<toml::de::DeValue<'_>>),
) -> Option<(String, String)> {
    let name = without_nul(table, &key)?;
    if name.is_empty() || name.contains('=') {
        let message =
            format!("has a variable called {name:?}; a name is not empty and has no \"=\"");
        table.complain_at(&key.span(), &message);
        return None;
    }
    let Some(text) = value.get_ref().as_str() else {
        table.wrong_type(&name, value, "write its value as a text");
        return None;
    };
    Some((name, without_nul(table, &Spanned::new(value.span(), text.to_owned()))?))
}

/// A text that may not be empty.
fn filled(step: &Fields<'_>, what: &str, text: &Spanned<String>) -> Option<String> {
    if text.get_ref().is_empty() {
        step.complain_at(&text.span(), &format!("has an empty {what}; name one"));
        return None;
    }
    without_nul(step, text)
}

/// A text that the operating system can take: it ends texts at the first NUL.
fn without_nul(step: &Fields<'_>, text: &Spanned<String>) -> Option<String> {
    if text.get_ref().contains('\0') {
        step.complain_at(&text.span(), "has a NUL, which no program can be given; take it out");
        return None;
    }
    Some(text.get_ref().clone())
}

fn fill(fields: Fields<'_>) -> Option<Work> {
    let buffer = fields.required_text("buffer", "\"batch\"");
    let bytes = fields.size("bytes");
    if fields.key_span("value").is_none() {
        fields.complain("has no value; add value = 0");
    }
    let value = fields.whole("value", "from 0 to 255");
    fields.finish();
    Some(Work::Fill { buffer: buffer?, bytes, value: value?.into_inner() })
}

fn copy(fields: Fields<'_>) -> Option<Work> {
    let from = fields.required_text("from", "\"batch\"");
    let to = fields.required_text("to", "\"result\"");
    let bytes = fields.size("bytes");
    fields.finish();
    Some(Work::Copy { from: from?, to: to?, bytes })
}

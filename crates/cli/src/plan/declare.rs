//! What the tables of a file declare, each for itself: streams, buffers and steps whose names are not yet looked up.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    device::DeviceName,
    fields::Fields,
    problem::Ledger,
    work::{self, Work},
};

/// The tables of a file, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) streams: Vec<Stream>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// Its header.
    pub(super) span: Range<usize>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) priority: Option<Spanned<i32>>,
    pub(super) device: Option<Spanned<DeviceName>>,
}

#[derive(Debug)]
pub(super) struct Buffer {
    /// Its header.
    pub(super) span: Range<usize>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) bytes: Spanned<u64>,
    pub(super) device: Option<Spanned<DeviceName>>,
}

#[derive(Debug)]
pub(super) struct Step {
    /// How messages call it: `step "read"`.
    pub(super) label: String,
    /// Its header.
    pub(super) span: Range<usize>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) stream: Option<Spanned<String>>,
    pub(super) work: Option<Work>,
    pub(super) waits: Vec<Spanned<String>>,
    pub(super) record: Option<Spanned<String>>,
}

impl Declared {
    /// Reads every table; what is wrong goes to the ledger, and the rest is read on.
    pub(super) fn read<'a>(root: &'a DeTable<'a>, ledger: &'a Ledger<'a>) -> Self {
        let file = Fields::new("the file".into(), 0..0, root, ledger);
        let declared = Self {
            streams: tables(&file, "stream").into_iter().map(stream).collect(),
            buffers: tables(&file, "buffer").into_iter().map(buffer).collect(),
            steps: tables(&file, "step").into_iter().map(step).collect(),
        };
        if file.key_span("stream").is_none() {
            file.complain("declares no stream; add [[stream]] and below it name = \"main\"");
        }
        if file.key_span("step").is_none() {
            file.complain("declares no step; add [[step]] and below it a name, a stream and work");
        }
        file.finish();
        declared
    }
}

/// The tables of one kind.
fn tables<'a>(file: &Fields<'a>, kind: &'static str) -> Vec<Fields<'a>> {
    let Some(value) = file.value(kind) else {
        return Vec::new();
    };
    let Some(items) = value.get_ref().as_array() else {
        let message = format!("has one {kind} where a list of them belongs; write [[{kind}]]");
        file.complain_at(&file.key_span(kind).unwrap_or_else(|| value.span()), &message);
        return Vec::new();
    };
    items.iter().filter_map(|item| table(file, kind, item)).collect()
}

fn table<'a>(
    file: &Fields<'a>,
    kind: &'static str,
    item: &'a Spanned<DeValue<'a>>,
) -> Option<Fields<'a>> {
    let Some(table) = item.get_ref().as_table() else {
        file.wrong_type(kind, item, &format!("declare it below [[{kind}]]"));
        return None;
    };
    let name = table.get("name").and_then(|name| name.get_ref().as_str());
    let label = match name {
        Some(name) => format!("{kind} {:?}", name.chars().take(70).collect::<String>()),
        None => format!("this {kind}"),
    };
    Some(Fields::new(label, item.span(), table, file.ledger))
}

fn stream(fields: Fields<'_>) -> Stream {
    let name = fields.checked(fields.required_text("name", "\"load\""));
    let range = "from -2147483648 to 2147483647";
    let priority = fields.whole("priority", range);
    let device = device(&fields);
    let span = fields.span.clone();
    fields.finish();
    Stream { span, name, priority, device }
}

fn buffer(fields: Fields<'_>) -> Buffer {
    let name = fields.checked(fields.required_text("name", "\"batch\""));
    if fields.key_span("bytes").is_none() {
        fields.complain("has no size; add bytes = \"64 MiB\"");
    }
    let span = fields.span.clone();
    let bytes = fields.size("bytes").unwrap_or_else(|| Spanned::new(span.clone(), 0));
    let device = device(&fields);
    fields.finish();
    Buffer { span, name, bytes, device }
}

fn device(fields: &Fields<'_>) -> Option<Spanned<DeviceName>> {
    let text = fields.text("device", "\"host:0\"")?;
    let told = |error| fields.complain_at(&text.span(), &format!("has a bad device: {error}"));
    let name = text.get_ref().parse().map_err(told).ok()?;
    Some(Spanned::new(text.span(), name))
}

fn step(fields: Fields<'_>) -> Step {
    let name = fields.checked(fields.required_text("name", "\"read\""));
    let stream = fields.required_text("stream", "\"load\"");
    let work = work::read(&fields);
    let waits = fields.texts("wait", "[\"loaded\"]").unwrap_or_default();
    let record = fields.checked(fields.text("record", "\"loaded\""));
    let (label, span) = (fields.label.clone(), fields.span.clone());
    fields.finish();
    Step { label, span, name, stream, work, waits, record }
}

//! The keys of one table of the file: each is asked for by name and type, and what is left over was not known.

use std::{borrow::Cow, cell::RefCell, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{name, problem::Ledger};

/// A table being read. Every method that answers `None` for a key that is there has told the ledger why.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// How messages call the table: `step "read"`.
    pub(super) label: String,
    /// Where messages about the whole table point.
    pub(super) span: Range<usize>,
    pub(super) ledger: &'a Ledger<'a>,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        label: String,
        span: Range<usize>,
        table: &'a DeTable<'a>,
        ledger: &'a Ledger<'a>,
    ) -> Self {
        Self { label, span, ledger, table, asked: RefCell::default() }
    }

    /// A problem of the table as a whole: the message goes on after its label.
    pub(super) fn complain(&self, message: &str) {
        self.ledger.add(&self.span, format!("{} {message}", self.label));
    }

    /// A problem of one place in the table: the message goes on after the table's label.
    pub(super) fn complain_at(&self, span: &Range<usize>, message: &str) {
        self.ledger.add(span, format!("{} {message}", self.label));
    }

    /// The value of a key, which is known from now on.
    pub(super) fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Where a key stands, if it is there.
    pub(super) fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.table.get_key_value(key).map(|(key, _)| key.span())
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str, example: &str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, &format!("give it a text, such as {key} = {example}"));
        }
        text.map(|text| Spanned::new(value.span(), text.to_owned()))
    }

    /// A text that has to be there.
    pub(super) fn required_text(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<Spanned<String>> {
        if !self.table.contains_key(key) {
            self.complain(&format!("has no {key}; add {key} = {example}"));
        }
        self.text(key, example)
    }

    /// A text that is a name.
    pub(super) fn checked(&self, name: Option<Spanned<String>>) -> Option<Spanned<String>> {
        let name = name?;
        let Some(fault) = name::fault(name.get_ref()) else {
            return Some(name);
        };
        let shown: String = name.get_ref().chars().take(70).collect();
        self.complain_at(&name.span(), &format!("has a name, {shown:?}, that {fault}"));
        None
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str, example: &str) -> Option<Vec<Spanned<String>>> {
        let value = self.value(key)?;
        let remedy = match value.get_ref() {
            DeValue::String(text) => format!("put it into a list: {key} = {}", as_list(text)),
            _ => format!("give it a list of texts, such as {key} = {example}"),
        };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &remedy);
            return None;
        };
        let read = |item: &'a Spanned<DeValue<'a>>| {
            let text = item.get_ref().as_str();
            if text.is_none() {
                let remedy = format!("write every item as a text, such as {key} = {example}");
                self.wrong_type(&format!("an item of {key}"), item, &remedy);
            }
            text.map(|text| Spanned::new(item.span(), text.to_owned()))
        };
        // Read to the end before giving up, so that every bad item is told.
        items.iter().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    /// A table within the table, read as `label`.
    pub(super) fn table(&self, key: &'static str, label: String, example: &str) -> Option<Self> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, &format!("give it a table, such as {key} = {example}"));
            return None;
        };
        Some(Self::new(label, value.span(), table, self.ledger))
    }

    /// Every key with its value, when the keys are the file's own to choose.
    pub(super) fn entries(&self) -> Vec<(Spanned<String>, &'a Spanned<DeValue<'a>>)> {
        let owned =
            |key: &Spanned<Cow<'_, str>>| Spanned::new(key.span(), key.get_ref().to_string());
        self.table.iter().map(|(key, value)| (owned(key), value)).collect()
    }

    /// Says that a value is of the wrong type.
    pub(super) fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, remedy: &str) {
        let kind = kind(value.get_ref());
        self.ledger.add(&value.span(), format!("{key} of {} is {kind}; {remedy}", self.label));
    }

    /// Says of every key that nobody asked for that it is not known.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in
            self.table.iter().filter(|(key, _)| asked.iter().all(|asked| asked != key.get_ref()))
        {
            let remedy = match name::nearest(key.get_ref(), asked.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known here are {}", asked.join(", ")),
            };
            let shown: String = key.get_ref().chars().take(70).collect();
            self.complain_at(&key.span(), &format!("has an unknown key {shown:?}; {remedy}"));
        }
    }
}

/// A text as the list that its writer most likely meant.
fn as_list(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("{words:?}")
}

/// A TOML type in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

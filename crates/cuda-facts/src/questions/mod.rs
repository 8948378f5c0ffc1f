//! The questions: each is asked in a process of its own, and begins with a driver that nobody has used there.

mod beside;
mod capture;
mod capture_rules;
mod context;
mod event;
mod failure;
mod green;
mod host;
mod init;
mod kernel;
mod legacy;
mod memory;
mod pages;
mod peer;
mod reset;
mod sharing;
mod stream;
mod timing;
mod value;
mod wait;

use crate::answer::Asked;
use crate::driver::Driver;

pub(crate) use peer::PEER;
pub(crate) use value::goes_on_beside;

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    /// Its name: what it is about, then more and more closely.
    pub(crate) name: &'static str,
    pub(crate) asks: &'static str,
    pub(crate) ask: fn(&'static Driver) -> Asked<String>,
}

/// All of them by their rooms, in the order of the report.
const ROOMS: &[&[Question]] = &[
    init::QUESTIONS,
    context::QUESTIONS,
    stream::QUESTIONS,
    event::QUESTIONS,
    wait::QUESTIONS,
    timing::QUESTIONS,
    legacy::QUESTIONS,
    host::QUESTIONS,
    capture::QUESTIONS,
    capture_rules::QUESTIONS,
    value::QUESTIONS,
    memory::QUESTIONS,
    kernel::QUESTIONS,
    reset::QUESTIONS,
    sharing::QUESTIONS,
    pages::QUESTIONS,
    green::QUESTIONS,
    failure::QUESTIONS,
    beside::QUESTIONS,
];

pub(crate) fn all() -> impl Iterator<Item = &'static Question> {
    ROOMS.iter().copied().flatten()
}

/// What this program does as another process with what the first one shares with it; `told` comes when that says so.
pub(crate) fn peer(
    driver: &'static Driver,
    what: &str,
    shared: &str,
    told: impl FnOnce(),
) -> Asked<String> {
    let is_of_pages = what.starts_with("page.");
    if is_of_pages {
        pages::peer(driver, what, shared, told)
    } else {
        sharing::peer(driver, what, shared, told)
    }
}

/// The answer to a question of yes or no.
fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_has_a_name_of_its_own_and_ends_as_questions_do() {
        let names: Vec<&str> = all().map(|question| question.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name} comes twice");
            let is_plain =
                |letter: char| letter.is_ascii_lowercase() || "._0123456789".contains(letter);
            assert!(name.chars().all(is_plain), "{name}");
        }
        assert!(names.len() >= 60, "{} questions", names.len());
        assert!(all().all(|question| question.asks.ends_with('?')));
    }
}

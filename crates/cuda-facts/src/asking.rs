//! Asking: each question in a process of its own, which has a deadline, and ends with this one.

use std::env;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::answer::{Ending, Outcome, outcome};
use crate::driver::VARIABLE;
use crate::questions::Question;

/// The word by which this program is told to ask one question and tell the answer.
pub(crate) const ASK: &str = "--ask";

/// So long a question may take: the first context of a machine with many GPUs takes seconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// Asks in another process, where a library is named if one is given.
pub(crate) fn ask(question: &Question, library: Option<&str>) -> Outcome {
    let asked = command(question, library).and_then(|command| within(DEADLINE, command));
    asked.unwrap_or_else(|error| Outcome::NotAsked(error.to_string()))
}

fn command(question: &Question, library: Option<&str>) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args([ASK, question.name]);
    command.envs(library.map(|library| (VARIABLE, library)));
    // Its input is open as long as this process lives: by that it sees whether somebody still listens.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(command)
}

fn within(deadline: Duration, mut command: Command) -> io::Result<Outcome> {
    let mut child = command.spawn()?;
    let heard = listen(&mut child);
    let ending = match heard.recv_timeout(deadline) {
        Ok(text) => return Ok(outcome(&text, &ending(child.wait()?))),
        Err(_) => Ending::Loud(format!("does not end within {} s", deadline.as_secs())),
    };
    child.kill()?;
    child.wait()?;
    // The pipe closes with the process, unless a child of it has kept it.
    let text = heard.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(outcome(&text, &ending))
}

/// What a process says until it ends.
fn listen(child: &mut Child) -> Receiver<String> {
    let (tell, heard) = channel();
    if let Some(mut output) = child.stdout.take() {
        thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).ok();
            tell.send(String::from_utf8_lossy(&text).into_owned())
        });
    }
    heard
}

fn ending(status: ExitStatus) -> Ending {
    if status.success() {
        return Ending::Quiet;
    }
    Ending::Loud(format!("ends with {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_does_not_end_is_ended_and_is_an_answer() {
        // It ends when its input does, which is open until it is ended.
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let outcome = within(Duration::from_millis(20), command).unwrap();
        assert_eq!(outcome, Outcome::Answered("does not end within 0 s".to_owned()));
    }

    #[test]
    fn a_process_that_ends_in_another_way_than_well_is_an_answer() {
        let mut command = Command::new("false");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let outcome = within(DEADLINE, command).unwrap();
        assert_eq!(outcome, Outcome::Answered("ends with exit status: 1".to_owned()));
    }
}

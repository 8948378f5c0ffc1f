//! Progress on standard error: a bar on a terminal that can draw one, elsewhere a line now and then.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{print, terminal};
use crate::{engine::Progress, plan::Plan};

/// How often the bar is written anew: as often as an eye can follow.
const FRAME: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal, so that a log shows that time goes on.
const LINE: Duration = Duration::from_secs(5);
/// How many running steps are named.
const NAMED: usize = 5;
/// How the bar looks: what it is made of is known to be right by a test.
const TEMPLATE: &str = "{bar:24} {pos}/{len} {elapsed:>4}  {wide_msg}";

/// Shows how far a run is.
pub(super) struct Watcher<'p> {
    plan: &'p Plan,
    /// None where there is no terminal, or one that cannot take back what is written.
    bar: Option<ProgressBar>,
    /// When something was shown last, counted from the beginning of the run.
    shown: Duration,
}

impl<'p> Watcher<'p> {
    /// For a run of this plan.
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, bar: bar(plan.steps().len()), shown: Duration::ZERO }
    }

    /// Shows the progress, if it is time to.
    pub(super) fn show(&mut self, progress: &Progress) {
        let pause = if self.bar.is_some() { FRAME } else { LINE };
        if progress.elapsed < self.shown + pause {
            return;
        }
        self.shown = progress.elapsed;
        match &self.bar {
            Some(bar) => {
                bar.set_message(self.running(progress));
                bar.set_position(progress.ended as u64);
            }
            None => print::note(self.line(progress)),
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, progress: &Progress) -> String {
        let Progress { ended, total, elapsed, .. } = progress;
        let running = self.running(progress);
        let running = if running.is_empty() { "none".to_owned() } else { running };
        format!("{ended} of {total} steps ended after {} s; running: {running}", elapsed.as_secs())
    }

    /// The names of what runs.
    fn running(&self, progress: &Progress) -> String {
        let names = progress.running.iter().take(NAMED);
        let names: Vec<&str> = names.map(|&step| self.plan.steps()[step].name.as_str()).collect();
        match progress.running.len().saturating_sub(NAMED) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// A bar of so many steps, if standard error is a terminal that can draw one.
pub(super) fn bar(steps: usize) -> Option<ProgressBar> {
    let shows = io::stderr().is_terminal() && !terminal::is_dumb();
    shows.then(|| drawn(steps))
}

fn drawn(steps: usize) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let style =
        ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(steps as u64), target)
        .with_style(style.progress_chars("\u{2588}\u{2588}\u{2591}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DeviceName;

    #[test]
    fn a_line_tells_how_far_the_run_is_and_what_runs() {
        let step = |place: usize| {
            format!("[[step]]\nname = \"s{place}\"\nstream = \"s\"\ndelay = \"1s\"\n")
        };
        let text = format!("[[stream]]\nname = \"s\"\n{}", (0..9).map(step).collect::<String>());
        let plan = Plan::parse("p.toml".as_ref(), &text, &DeviceName::HOST).unwrap();
        let watcher = Watcher { plan: &plan, bar: None, shown: Duration::ZERO };
        let mut progress = Progress::default();
        (progress.total, progress.ended) = (9, 2);
        progress.elapsed = Duration::from_millis(5_700);
        assert_eq!(watcher.line(&progress), "2 of 9 steps ended after 5 s; running: none");
        progress.running = (2..9).collect();
        let running = "s2, s3, s4, s5, s6 and 2 more";
        let line = format!("2 of 9 steps ended after 5 s; running: {running}");
        assert_eq!(watcher.line(&progress), line);
    }

    #[test]
    fn the_template_of_the_bar_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}

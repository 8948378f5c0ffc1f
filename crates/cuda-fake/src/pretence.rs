//! What the driver pretends: the settings and rules of the scripts so far, and what they make of a call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::code::Code;
use crate::script::{Act, Clause, ELAPSED, OPERATION, Rule, Setting};
use crate::sync::lock;

/// What stays as it is until a script says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) devices: i32,
    pub(crate) version: i32,
    pub(crate) name: String,
    pub(crate) memory: u64,
    pub(crate) queue: Option<usize>,
    pub(crate) queues: Option<usize>,
    pub(crate) step: u64,
    pub(crate) attributes: BTreeMap<i32, i32>,
    pub(crate) missing: BTreeSet<String>,
    pub(crate) strict: bool,
    pub(crate) reuse: bool,
}

impl Settings {
    const fn new() -> Self {
        Self {
            devices: 1,
            // The version whose header the functions were read from.
            version: 12090,
            name: String::new(),
            memory: 1 << 30,
            queue: None,
            queues: None,
            // The driver's manual: around half a microsecond.
            step: 500,
            attributes: BTreeMap::new(),
            missing: BTreeSet::new(),
            strict: false,
            reuse: false,
        }
    }

    fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Devices(count) => self.devices = count,
            Setting::Version(version) => self.version = version,
            Setting::Name(name) => self.name = name,
            Setting::Memory(bytes) => self.memory = bytes,
            Setting::Queue(bound) => self.queue = Some(bound),
            Setting::Queues(count) => self.queues = Some(count.max(1)),
            Setting::Step(nanos) => self.step = nanos.max(1),
            Setting::Attribute(number, value) => drop(self.attributes.insert(number, value)),
        }
    }
}

/// All that was asked for.
#[derive(Debug)]
struct Pretence {
    settings: Settings,
    rules: Vec<(Rule, u64)>,
    /// The numbers of streams to be made that are to stall, and how many were made since each was asked for.
    stalls: Vec<(u64, u64)>,
    deinitialized: bool,
    /// How many calls were refused on threads of each name.
    struck: BTreeMap<String, u64>,
    /// How many were held up.
    held: BTreeMap<String, u64>,
    /// Changes with each release, which ends the blocks of before.
    releases: u64,
}

impl Pretence {
    const fn new() -> Self {
        Self {
            settings: Settings::new(),
            rules: Vec::new(),
            stalls: Vec::new(),
            deinitialized: false,
            struck: BTreeMap::new(),
            held: BTreeMap::new(),
            releases: 0,
        }
    }
}

/// Guards what was asked for; nothing is called under it.
static PRETENCE: Mutex<Pretence> = Mutex::new(Pretence::new());

/// Notified with each release.
static RELEASED: Condvar = Condvar::new();

/// Whether a call has to look for rules: so that one without any takes no lock.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// One of the settings. Takes no lock while no script has said anything: many threads ask at once.
pub(crate) fn setting<T>(look: impl FnOnce(&Settings) -> T) -> T {
    static FIRST: Settings = Settings::new();
    // Relaxed: as in `follow`.
    if WATCHED.load(Ordering::Relaxed) { look(&lock(&PRETENCE).settings) } else { look(&FIRST) }
}

/// Follows one clause. Gives whether stalled streams are to be released.
pub(crate) fn follow(clause: Clause) -> bool {
    let mut pretence = lock(&PRETENCE);
    match clause {
        Clause::Setting(setting) => pretence.settings.set(setting),
        Clause::Rule(rule) => pretence.rules.push((rule, 0)),
        Clause::Missing(name) => drop(pretence.settings.missing.insert(name)),
        Clause::Reuse => pretence.settings.reuse = true,
        Clause::Strict => pretence.settings.strict = true,
        Clause::Stall(number) => pretence.stalls.push((number, 0)),
        Clause::Deinitialized => pretence.deinitialized = true,
        Clause::Release => {
            pretence.rules.retain(|(rule, _)| !matches!(rule.act, Act::Block(_)));
            pretence.releases += 1;
            RELEASED.notify_all();
            return true;
        }
    }
    // Relaxed: a call beside the script may miss it, as if it had come a moment earlier.
    WATCHED.store(true, Ordering::Relaxed);
    false
}

/// Forgets everything; whoever is blocked goes on.
pub(crate) fn forget() {
    let mut pretence = lock(&PRETENCE);
    let releases = pretence.releases + 1;
    *pretence = Pretence { releases, ..Pretence::new() };
    RELEASED.notify_all();
    // Relaxed: as in `follow`.
    WATCHED.store(false, Ordering::Relaxed);
}

/// Whether a script has said that the driver is gone.
pub(crate) fn is_deinitialized() -> bool {
    // Relaxed: as in `follow`.
    WATCHED.load(Ordering::Relaxed) && lock(&PRETENCE).deinitialized
}

/// What the call of a function that begins now is to do, and how many releases there were until then. Every rule about it
/// counts the call; the first that is due tells.
pub(crate) fn act(function: &str) -> Option<(Act, u64)> {
    // Relaxed: as in `follow`.
    if !WATCHED.load(Ordering::Relaxed) {
        return None;
    }
    let due = due(|rule| rule.function == function || rule.function == "*");
    match due {
        // An answer is no refusal, and programs are counted while they ask.
        Some((Act::Fail(code) | Act::Break(code) | Act::Late(code), _))
            if ![Code(0), Code::NOT_READY].contains(&code) =>
        {
            note(|all| &mut all.struck);
        }
        Some((Act::Block(_), _)) => note(|all| &mut all.held),
        _ => {}
    }
    due
}

#[cold]
fn note(calls: impl FnOnce(&mut Pretence) -> &mut BTreeMap<String, u64>) {
    let name = fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
    *calls(&mut lock(&PRETENCE)).entry(name.trim_end().to_owned()).or_default() += 1;
}

/// How many calls were refused on threads of a name, as Linux tells and cuts it; on all for `*`.
pub(crate) fn struck(thread: &str) -> u64 {
    count(&lock(&PRETENCE).struck, thread)
}

/// How many calls were held up on threads of a name: each is counted before it is.
pub(crate) fn held(thread: &str) -> u64 {
    count(&lock(&PRETENCE).held, thread)
}

fn count(calls: &BTreeMap<String, u64>, thread: &str) -> u64 {
    let asked = calls.iter().filter(|(name, _)| thread == "*" || *name == thread);
    asked.map(|(_, calls)| calls).sum()
}

/// The code with which the operation that a stream is given now breaks its context, if a script says so.
pub(crate) fn fault() -> Option<Code> {
    // Relaxed: as in `follow`.
    let is_watched = WATCHED.load(Ordering::Relaxed);
    match is_watched.then(|| due(|rule| rule.function == OPERATION)).flatten() {
        Some((Act::Break(code), _)) => Some(code),
        _ => None,
    }
}

/// The milliseconds that lie between two events now, if a script says so.
pub(crate) fn elapsed() -> Option<f32> {
    // Relaxed: as in `follow`.
    let is_watched = WATCHED.load(Ordering::Relaxed);
    match is_watched.then(|| due(|rule| rule.function == ELAPSED)).flatten() {
        Some((Act::Give(milliseconds), _)) => Some(milliseconds),
        _ => None,
    }
}

/// Counts a call for all rules that are about it; of those that are due the first tells. With the releases until then.
fn due(is_about: impl Fn(&Rule) -> bool) -> Option<(Act, u64)> {
    let mut pretence = lock(&PRETENCE);
    let releases = pretence.releases;
    let mut due = None;
    for (rule, seen) in pretence.rules.iter_mut().filter(|(rule, _)| is_about(rule)) {
        *seen += 1;
        if (rule.calls.0..=rule.calls.1).contains(seen) {
            due = due.or(Some((rule.act, releases)));
        }
    }
    due
}

/// Whether the stream that is made now is one that stalls.
pub(crate) fn is_stalled() -> bool {
    let mut pretence = lock(&PRETENCE);
    let mut stalled = false;
    for (number, made) in &mut pretence.stalls {
        *made += 1;
        stalled |= made == number;
    }
    stalled
}

/// Blocks this thread until there were more releases than these, or for so long.
pub(crate) fn block(limit: Option<Duration>, before: u64) {
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut pretence = lock(&PRETENCE);
    while pretence.releases == before {
        let left = until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return;
        }
        let woken = RELEASED.wait_timeout(pretence, left.min(SLICE));
        pretence = woken.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// So long sleeps a blocked call at a time.
const SLICE: Duration = Duration::from_millis(50);

//! An actor: a thread that does one random act after the other with what it has.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use syncpoint::{Device, EventPool, Kind, Point, Result, StreamPool};
use syncpoint_conformance::draw::Draw;

use crate::acts::{ACTS, Act};
use crate::belongings::Belongings;

/// What the actors have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) devices: Vec<Device>,
    pub(crate) streams: Vec<StreamPool>,
    pub(crate) events: EventPool,
    /// Points that one actor leaves for the others.
    board: Mutex<Vec<Point>>,
    ended: AtomicBool,
    refused: AtomicU64,
    doing: Vec<Doing>,
}

/// What one actor does now, for the report of one that stands still.
#[derive(Debug)]
struct Doing {
    act: AtomicUsize,
    done: AtomicU64,
    seen: Mutex<(u64, Instant)>,
}

/// How many points lie on the board at most.
const BOARD: usize = 64;

/// How many streams and events of a pool are idle or out at most.
const POOLED: usize = 64;

impl Shared {
    pub(crate) fn new(actors: usize) -> Self {
        let open = |name| syncpoint::open(name).expect("a device of every machine");
        let devices: Vec<Device> = ["host:0", "sim:0", "sim:1"].map(open).into();
        let doing = || Doing {
            act: AtomicUsize::new(0),
            done: AtomicU64::new(0),
            seen: Mutex::new((0, Instant::now())),
        };
        Self {
            streams: devices.iter().map(|device| StreamPool::bounded(device, POOLED)).collect(),
            events: EventPool::bounded(POOLED),
            devices,
            board: Mutex::default(),
            ended: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            doing: (0..actors).map(|_| doing()).collect(),
        }
    }

    /// Leaves a point on the board, in the place of another when it is full.
    pub(crate) fn leave(&self, point: Point, draw: &mut Draw) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced =
            if board.len() < BOARD { None } else { Some(board.swap_remove(draw.below(BOARD))) };
        board.push(point);
        drop(board);
        drop(replaced);
    }

    /// A point of the board.
    pub(crate) fn find(&self, draw: &mut Draw) -> Option<Point> {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        draw.one_of(&board).cloned()
    }

    /// No actor begins another act.
    pub(crate) fn end(&self) {
        // Relaxed: whoever looks sees it soon; nothing hangs on when.
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Lets go of what lies on the board and in the pools.
    pub(crate) fn clear(&self) {
        let board = std::mem::take(&mut *self.board.lock().unwrap_or_else(PoisonError::into_inner));
        drop(board);
        self.events.empty_cache();
        self.streams.iter().for_each(StreamPool::empty_cache);
    }

    /// How many acts were done so far.
    pub(crate) fn acts(&self) -> u64 {
        self.doing.iter().map(|doing| doing.done.load(Ordering::Relaxed)).sum()
    }

    /// How many of them were answered with an error.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What an actor does that has done nothing else for so long.
    pub(crate) fn stands_still(&self, longest: Duration) -> Option<String> {
        let still = self.doing.iter().enumerate().find(|(_, doing)| doing.is_still_for(longest));
        still.map(|(index, doing)| {
            let (name, _) = ACTS[doing.act.load(Ordering::Relaxed)];
            format!("thread {index} stands still: {name} has not ended after {longest:?}")
        })
    }
}

impl Doing {
    fn is_still_for(&self, longest: Duration) -> bool {
        let done = self.done.load(Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != done {
            *seen = (done, Instant::now());
        }
        seen.1.elapsed() > longest
    }
}

/// One thread, with what it has.
pub(crate) struct Actor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) draw: Draw,
    pub(crate) own: Belongings,
    index: usize,
}

impl Actor {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, seed: u64) -> Self {
        Self { shared, draw: Draw::new(seed), own: Belongings::default(), index }
    }

    /// Acts until the end. Panics where an act is answered with what it must not be answered with.
    pub(crate) fn act(mut self) {
        while !self.shared.ended.load(Ordering::Relaxed) {
            let number = self.draw.below(ACTS.len());
            self.shared.doing[self.index].act.store(number, Ordering::Relaxed);
            let (name, act): (&str, Act) = ACTS[number];
            if let Err(error) = act(&mut self) {
                assert!(is_expected(error.kind()), "{name}: {error}");
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
            }
            self.shared.doing[self.index].done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a random program may be told: not that something is unavailable, or unsupported by a device that says it can.
fn is_expected(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Misuse(_)
            | Kind::TimedOut
            | Kind::Exhausted
            | Kind::Failed
            | Kind::DeviceLost
            | Kind::Driver
    )
}

/// What an act may end in besides success is an error of the library's.
pub(crate) type Outcome = Result<()>;

//! Models of the line for room: who came first begins first, and whoever leaves wakes who stands behind.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use syncpoint_core::contract::Line;
use syncpoint_core::hold::Need;
use syncpoint_core::model::{catches, holds};

use super::super::{ITEM, Out, Patience, Room};
use super::Place;
use crate::sync::lock;

/// In a model nobody loses patience.
const FOREVER: Patience<'static> =
    Patience { longest: Duration::from_secs(3_600), deadline: None, is_over: &|| false };

/// Two streams over one queue, of which one has room for a single item. Everything comes to a stand after this long.
fn streams(lull: Duration) -> [Arc<Room>; 2] {
    let out = Arc::<Out>::default();
    lock(&out.state).line.lull = lull;
    [2 * ITEM, ITEM].map(|most| Arc::new(Room::on(Arc::clone(&out), most)))
}

/// Sleeps in line until an item may begin, puts it, one command buffer, and gives its place in the line to `leave`.
fn put(room: &Room, leave: impl FnOnce(Line)) {
    let mut line = Line::default();
    take(room, &mut line);
    assert!(room.take(1, FOREVER), "an item that has begun has its places");
    room.leave_rest();
    leave(line);
    room.end();
}

/// Sleeps in line until an item may begin, whoever is quicker meanwhile.
fn take(room: &Room, line: &mut Line) {
    while !room.take_for(Need::Item) {
        assert!(room.wait(Need::Item, FOREVER, line), "nobody loses patience");
    }
}

/// Two items of one stream come while the queue is full for it, and the command buffer before them ends. Each gives its
/// place in the line to `leave`.
fn two_come(leave: impl Fn(Line) + Clone + 'static) {
    let [other, room] = streams(Duration::MAX);
    assert!(other.take(1, FOREVER));
    let (its_room, its_leave) = (Arc::clone(&room), leave.clone());
    let first = thread::spawn(move || put(&its_room, its_leave));
    other.end();
    put(&room, leave);
    first.join().unwrap();
    assert_eq!(room.on_their_way(), 0);
}

#[test]
fn whoever_stands_in_line_begins_at_last() {
    holds(3, || two_come(drop));
}

#[test]
fn one_that_stays_in_line_is_caught() {
    catches("deadlock", || {
        holds(3, || {
            let stay = Arc::new(Mutex::new(Vec::new()));
            two_come(move |line| stay.lock().unwrap().push(line));
        });
    });
}

/// One stands in line for the smaller room as command buffers end, and another comes that has room enough.
fn one_comes_later(lull: Duration) {
    let [large, small] = streams(lull);
    assert!(large.take(1, FOREVER));
    let (stands, has_begun) = [(); 2].map(|()| Arc::new(AtomicBool::new(false))).into();
    let (its_stands, its_begun) = (Arc::clone(&stands), Arc::clone(&has_begun));
    let first = thread::spawn(move || {
        let mut line = Line::default();
        line.stand(|| Place::take(small.out()));
        its_stands.store(true, Ordering::Release);
        take(&small, &mut line);
        its_begun.store(true, Ordering::Release);
        drop(line);
        small.leave_rest();
    });
    let stood = stands.load(Ordering::Acquire);
    large.end();
    if large.take_for(Need::Item) {
        assert!(!stood || has_begun.load(Ordering::Acquire), "the later one was first");
        large.leave_rest();
    }
    first.join().unwrap();
    assert_eq!(large.on_their_way(), 0);
}

#[test]
fn who_stands_in_line_begins_before_who_comes_later() {
    holds(3, || one_comes_later(Duration::MAX));
}

#[test]
fn one_that_passes_the_line_is_caught() {
    catches("the later one was first", || holds(3, || one_comes_later(Duration::ZERO)));
}

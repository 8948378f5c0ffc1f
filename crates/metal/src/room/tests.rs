//! Tests of rooms: whatever begins has its places, nobody is kept out for good, and what is not used is given back.

use std::thread;

use super::*;

const NOW: Patience<'static> = patience(Duration::ZERO);

const fn patience(longest: Duration) -> Patience<'static> {
    Patience { longest, deadline: None, is_over: &|| false }
}

#[test]
fn who_finds_no_room_is_refused_when_its_patience_ends() {
    let room = Room::new(2);
    assert!(room.take(1, NOW) && room.take(1, NOW));
    assert!(!room.take(1, patience(Duration::from_millis(1))));
    room.give_back(1);
    assert!(room.take(1, NOW) && !wait(&room, Need::Item, patience(Duration::from_millis(1))));
}

#[test]
fn who_sleeps_for_room_sees_that_nobody_needs_it_any_more() {
    let room = Room::new(2);
    assert!(room.take(2, NOW));
    let begun = Instant::now();
    let over = Patience { longest: Duration::from_secs(600), deadline: None, is_over: &|| true };
    assert!(!room.take(1, over) && !wait(&room, Need::Item, over));
    assert!(begun.elapsed() < Duration::from_secs(60), "long before its patience ends");
}

/// Sleeps for room, and comes back for none of it.
fn wait(room: &Room, need: Need, patience: Patience<'_>) -> bool {
    room.wait(need, patience, &mut Line::default())
}

/// As the order lock does, between which the room is asked.
fn begin_function(room: &Room) -> bool {
    let begins = room.take_for(Need::Function);
    if begins {
        room.keep_place();
    }
    room.leave_rest();
    begins
}

/// An item that takes so many command buffers of what it has taken.
fn put(room: &Room, parts: usize) -> bool {
    let put = room.take_for(Need::Item) && room.take(parts, NOW);
    room.leave_rest();
    put
}

/// The mark of a function that has returned.
fn mark_function(room: &Room) -> bool {
    room.take_kept();
    let marked = room.take(1, NOW);
    room.leave_rest();
    marked
}

fn rooms<const N: usize>(most: [usize; N]) -> [Room; N] {
    let out = Arc::<Out>::default();
    // Whoever comes later stands behind, however slow this machine is.
    lock(&out.state).line.lull = Duration::MAX;
    most.map(|most| Room::on(Arc::clone(&out), most))
}

#[test]
fn a_function_has_a_place_for_its_mark_that_no_other_stream_takes() {
    let [large, small] = rooms([40, 8]);
    assert!(put(&large, 2) && begin_function(&small));
    let others = std::iter::repeat_with(|| put(&large, 1)).take_while(|put| *put).count();
    assert_eq!(others, 34, "up to 37: an item of the larger may take four");
    assert!(!put(&small, 1) && !begin_function(&small), "beyond its number it begins nothing");
    assert!(mark_function(&small), "but what has begun has its place");
    assert_eq!(lock(&small.out.state).out, 37);
}

#[test]
fn what_an_item_may_take_is_taken_by_no_other_while_it_begins() {
    let streams = rooms([40; 3]);
    (0..36).for_each(|_| assert!(put(&streams[0], 1)));
    assert!(streams[0].take_for(Need::Item), "it takes all that is left");
    assert!(!streams[1].take_for(Need::Item) && !streams[2].take_for(Need::Function));
    assert!(streams[0].take(2, NOW));
    streams[0].leave_rest();
    assert!(!put(&streams[1], 2), "38 and four are more than 40");
    (0..2).for_each(|_| streams[2].end());
    assert!(put(&streams[1], 2) && !put(&streams[2], 2));
}

#[test]
fn a_place_that_is_kept_goes_to_its_mark_and_not_to_who_sleeps_for_one() {
    let [ours, theirs] = rooms([8; 2]);
    assert!(begin_function(&ours) && put(&theirs, 2) && put(&theirs, 2));
    ours.take_kept();
    assert!(!theirs.take_for(Need::Item) && !wait(&theirs, Need::Item, NOW));
    assert!(ours.take(1, NOW));
}

#[test]
fn functions_leave_room_for_an_item_that_they_may_wait_for() {
    let room = Room::new(8);
    let begun = (0..9).filter(|_| begin_function(&room)).count();
    assert_eq!(begun, 5, "each mark has its place, and an item has");
    assert!(put(&room, 2), "nothing is on its way: it may go before functions that wait for it");
    assert!(!put(&room, 1) && !wait(&room, Need::Function, NOW));
    assert!((0..begun).all(|_| mark_function(&room)));
    assert_eq!(lock(&room.out.state).out, 7);
}

#[test]
fn in_the_smallest_room_a_function_leaves_what_an_item_takes_and_in_a_smaller_one_none_begins() {
    let room = Room::new(SMALLEST);
    assert!(begin_function(&room) && !begin_function(&room));
    assert!(put(&room, 2), "the function may wait for it");
    assert!(mark_function(&room));
    assert!(!begin_function(&Room::new(SMALLEST - 1)));
}

#[test]
fn a_function_that_never_ran_and_a_mark_that_never_came_leave_their_places() {
    let room = Room::new(8);
    assert!(room.take_for(Need::Function));
    room.leave_rest();
    assert!(begin_function(&room));
    room.take_kept();
    room.leave_rest();
    assert_eq!(lock(&room.out.state).out, 0);
}

#[test]
fn each_end_renews_the_patience_of_who_sleeps_whoever_takes_the_place() {
    let [ours, theirs] = rooms([2; 2]);
    assert!(put(&theirs, 2));
    let (ends, begun) = (AtomicU64::new(0), Instant::now());
    // Asked while it sleeps, after each slice: another stream is quicker each time, until the tenth.
    let is_over = || {
        theirs.end();
        assert!(theirs.take(1, NOW));
        ends.fetch_add(1, Ordering::Relaxed) == 9
    };
    assert!(!ours.take(1, Patience { longest: SLICE * 8, deadline: None, is_over: &is_over }));
    assert_eq!(ends.into_inner(), 10, "it slept on for {:?}", begun.elapsed());
}

/// Calls this while somebody stands in line for room for an item, who has it then.
fn while_one_sleeps(room: &Room, meanwhile: impl FnOnce()) {
    let longest = Duration::from_secs(10);
    thread::scope(|scope| {
        let sleeps = scope.spawn(|| {
            let mut line = Line::default();
            let has_come = room.wait(Need::Item, patience(longest), &mut line);
            let taken = room.take_for(Need::Item);
            room.leave_rest();
            has_come && taken
        });
        let deadline = Instant::now() + longest;
        while lock(&room.out.state).line.is_empty() {
            assert!(Instant::now() < deadline, "it must stand in line");
            thread::yield_now();
        }
        meanwhile();
        assert!(matches!(sleeps.join(), Ok(true)), "its turn has come");
    });
}

#[test]
fn who_sleeps_for_room_comes_before_who_comes_later() {
    let [large, small] = rooms([40, 8]);
    assert!(large.take(6, NOW));
    while_one_sleeps(&small, || {
        large.end();
        for need in [Need::Item, Need::Function] {
            assert!(!large.take_for(need), "there is room, and somebody came before");
        }
        large.end();
    });
    assert!(put(&large, 1) && begin_function(&large), "nobody stands there any more");
}

#[test]
fn who_has_room_passes_who_has_none_until_something_ends() {
    let [large, small] = rooms([40, 8]);
    assert!(large.take(5, NOW));
    while_one_sleeps(&small, || {
        assert!(put(&large, 1) && begin_function(&large), "it may be what moves the rest");
        assert!(wait(&large, Need::Item, NOW) && mark_function(&large));
        large.end();
        assert!(
            !put(&large, 1) && !begin_function(&large),
            "what that leaves is for who came first"
        );
        (0..2).for_each(|_| large.end());
    });
    assert!(large.take(1, NOW));
    while_one_sleeps(&small, || {
        assert!(put(&large, 1), "nothing has ended since this one came");
        (0..2).for_each(|_| large.end());
    });
}

#[test]
fn where_nothing_ends_any_more_who_has_room_goes_on() {
    let [large, small] = rooms([40, 8]);
    lock(&large.out.state).line.lull = SLICE;
    assert!(large.take(6, NOW));
    while_one_sleeps(&small, || {
        large.end();
        assert!(wait(&large, Need::Item, patience(Duration::from_secs(5))));
        large.end();
    });
}

#[test]
fn work_of_whatever_length_keeps_nobody_in_line_for_good() {
    let [large, small] = rooms([40, 8]);
    lock(&large.out.state).line.lull = Duration::from_nanos(1);
    assert!(large.take(20, NOW));
    while_one_sleeps(&small, || {
        let passed = (0..35).take_while(|_| {
            large.end();
            put(&large, 1)
        });
        assert!(passed.count() < 35, "the last lull would be half a minute");
        (0..large.on_their_way()).for_each(|_| large.end());
    });
}

#[test]
fn who_has_lost_patience_stands_in_nobodys_way() {
    let [large, small] = rooms([40, 8]);
    assert!(large.take(5, NOW) && !wait(&small, Need::Item, NOW));
    assert!(put(&large, 1));
}

#[test]
fn an_item_that_functions_may_wait_for_comes_before_who_sleeps_until_they_return() {
    let [large, small] = rooms([40, 8]);
    assert!((0..7).all(|_| begin_function(&large)) && large.take(1, NOW));
    while_one_sleeps(&small, || {
        large.end();
        assert!(put(&large, 1), "nothing is on its way");
        assert!(!put(&large, 1) && !begin_function(&large));
        large.end();
        assert!((0..7).all(|_| mark_function(&large)));
        (0..7).for_each(|_| large.end());
    });
}

#[test]
fn an_item_finds_room_for_all_that_it_takes() {
    let room = Room::new(8);
    assert!(room.is_there() && wait(&room, Need::Item, NOW) && room.take(4, NOW));
    assert!(room.is_there() && room.take(1, NOW));
    assert!(!room.is_there() && !wait(&room, Need::Item, NOW));
    assert!(room.take(3, NOW), "under the order lock there is room for what the item takes");
}

#[test]
fn where_there_is_less_room_than_an_item_takes_it_begins_when_nothing_is_on_its_way() {
    let room = Room::new(2);
    assert!(room.is_there() && room.take(2, NOW) && !room.is_there_or_awaited());
    room.give_back(1);
    assert!(!room.has_come() && !room.is_there());
    room.give_back(1);
    assert!(room.has_come() && room.is_there());
}

#[test]
fn a_stream_that_awaits_room_is_called_once_and_for_more_than_one_item() {
    let room = Room::new(20);
    assert!(room.is_there_or_awaited() && !room.has_come(), "nobody awaits what is there");
    assert!(room.take(17, NOW) && !room.is_there_or_awaited());
    room.give_back(1);
    assert!(room.is_there() && !room.has_come());
    room.give_back(4);
    assert!(room.has_come() && !room.has_come());
}

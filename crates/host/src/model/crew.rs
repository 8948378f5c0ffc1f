//! Workers sleep, nap, wait and wake: no ready stream is left to nobody.

use syncpoint_core::model::holds;
use syncpoint_core::{Gate, Wait};

use super::{Host, Journal, Latch, help_with, sleep_until};

#[test]
fn work_that_blocks_holds_up_no_stream_that_became_ready_with_it() {
    holds(2, || one_stream_blocks_for_the_other(Host::new(2)));
}

#[test]
fn a_nap_ends_where_nobody_was_woken_because_helpers_took_everything() {
    holds(3, || helpers_take_all_but_the_last(Host::new(1)));
}

#[test]
fn a_worker_that_waits_inside_work_is_replaced() {
    holds(2, || {
        let (host, journal) = (Host::new(1), Journal::default());
        let (waits, works) = (host.stream(), host.stream());
        let gate = Gate::new();
        let opened = gate.point();
        let note = journal.note(1);
        let wait = move || opened.synchronize_with(Wait::Block, None).map(|()| note());
        waits.enqueue(wait).unwrap();
        works.open(&gate).unwrap();
        sleep_until(&waits.record().unwrap());
        journal.must_say(1);
        host.close();
    });
}

/// The work of one stream blocks, in a way that the host cannot see, until that of another has run.
pub(super) fn one_stream_blocks_for_the_other(host: Host) {
    let (blocks, frees) = (host.stream(), host.stream());
    let latch = Latch::default();
    let other = latch.clone();
    blocks.enqueue(move || latch.wait()).unwrap();
    frees.enqueue(move || other.open()).unwrap();
    sleep_until(&blocks.record().unwrap());
    host.close();
}

/// A helper takes the first item, so that the host leaves a napping worker alone when the second comes, for which
/// nobody synchronizes.
pub(super) fn helpers_take_all_but_the_last(host: Host) {
    let (journal, latch) = (Journal::default(), Latch::default());
    let stream = host.stream();
    stream.enqueue(journal.note(1)).unwrap();
    help_with(&stream.record().unwrap());
    let (note, ran) = (journal.note(2), latch.clone());
    let last = move || {
        note();
        ran.open();
    };
    stream.enqueue(last).unwrap();
    latch.wait();
    journal.must_say(12);
    host.close();
}

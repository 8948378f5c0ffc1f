//! A stream goes from hand to hand: every item runs once, in order, and none is left behind.

use loom::thread;
use syncpoint_core::model::holds;
use syncpoint_core::{Gate, Point};

use super::{Host, Journal, help_with, sleep_until};

#[test]
fn an_item_put_while_the_owner_goes_idle_runs() {
    holds(3, || items_are_put_one_by_one(Host::new(1)));
}

#[test]
fn a_helper_and_a_worker_run_every_item_once() {
    holds(3, || a_helper_takes_one_of_two_items(Host::new(1)));
}

#[test]
fn a_gate_that_opens_while_the_owner_comes_to_it_is_not_missed() {
    holds(2, || a_gate_opens_beside_the_owner(Host::new(1)));
}

#[test]
fn a_gate_that_opens_while_a_stream_is_told_to_wait_is_not_missed() {
    holds(2, || {
        let (host, journal) = (Host::new(1), Journal::default());
        let (stream, gate) = (host.stream(), Gate::new());
        let opened = gate.point();
        let opener = thread::spawn(move || gate.open().unwrap());
        stream.wait(&opened).unwrap();
        stream.enqueue(journal.note(1)).unwrap();
        sleep_until(&stream.record().unwrap());
        journal.must_say(1);
        opener.join().unwrap();
        host.close();
    });
}

#[test]
fn a_helper_follows_the_chain_beside_a_worker() {
    holds(2, || {
        let (host, journal) = (Host::new(1), Journal::default());
        let (load, compute) = (host.stream(), host.stream());
        load.enqueue(journal.note(1)).unwrap();
        compute.wait(&load.record().unwrap()).unwrap();
        compute.enqueue(journal.note(2)).unwrap();
        let done = compute.record().unwrap();
        help_with(&done);
        sleep_until(&done);
        journal.must_say(12);
        host.close();
    });
}

#[test]
fn a_helper_and_a_worker_bring_a_row_of_streams_together() {
    holds(2, || {
        let (host, journals) = (Host::new(1), [Journal::default(), Journal::default()]);
        let last = host.stream();
        for journal in &journals {
            let stream = host.stream();
            stream.enqueue(journal.note(1)).unwrap();
            last.wait(&stream.record().unwrap()).unwrap();
        }
        let done = last.record().unwrap();
        help_with(&done);
        sleep_until(&done);
        for journal in &journals {
            journal.must_say(1);
        }
        host.close();
    });
}

#[test]
fn a_row_of_gates_that_open_beside_a_helper_and_a_worker_is_passed_once() {
    holds(2, || a_row_of_gates_opens(Host::new(1), help_with));
}

#[test]
fn two_hosts_that_help_with_one_stream_run_every_item_once() {
    holds(2, || two_hosts_help(Host::new(1)));
}

#[test]
fn a_stream_that_gives_way_comes_back() {
    holds(2, || {
        let host = Host::new(1);
        let streams = [(); 2].map(|()| (host.stream(), Journal::default()));
        for digit in [1, 2] {
            for (stream, journal) in &streams {
                stream.enqueue(journal.note(digit)).unwrap();
            }
        }
        for (stream, journal) in &streams {
            sleep_until(&stream.record().unwrap());
            journal.must_say(12);
        }
        host.close();
    });
}

/// The host puts two items and waits, and a worker comes, runs, and goes idle.
pub(super) fn items_are_put_one_by_one(host: Host) {
    let journal = Journal::default();
    let stream = host.stream();
    for digit in [1, 2] {
        stream.enqueue(journal.note(digit)).unwrap();
    }
    sleep_until(&stream.record().unwrap());
    journal.must_say(12);
    host.close();
}

/// A helper runs the first of two items, and leaves the stream's old entry in the run queue behind.
pub(super) fn a_helper_takes_one_of_two_items(host: Host) {
    let journal = Journal::default();
    let stream = host.stream();
    stream.enqueue(journal.note(1)).unwrap();
    let first = stream.record().unwrap();
    stream.enqueue(journal.note(2)).unwrap();
    help_with(&first);
    stream.enqueue(journal.note(3)).unwrap();
    sleep_until(&stream.record().unwrap());
    journal.must_say(123);
    host.close();
}

/// A worker comes to a wait for a gate, which another thread opens.
pub(super) fn a_gate_opens_beside_the_owner(host: Host) {
    let journal = Journal::default();
    let (stream, gate) = (host.stream(), Gate::new());
    stream.enqueue(journal.note(1)).unwrap();
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(journal.note(2)).unwrap();
    let opener = thread::spawn(move || gate.open().unwrap());
    sleep_until(&stream.record().unwrap());
    journal.must_say(12);
    opener.join().unwrap();
    host.close();
}

/// A host helps with a stream behind two gates, which another thread opens, and a worker comes too.
pub(super) fn a_row_of_gates_opens(host: Host, help: fn(&Point)) {
    let (journal, stream) = (Journal::default(), host.stream());
    let gates = [(); 2].map(|()| Gate::new());
    for gate in &gates {
        stream.wait(&gate.point()).unwrap();
    }
    let (opened, writer) = (gates.each_ref().map(Gate::point), journal.clone());
    let is_over = move || opened.iter().all(|point| point.query().unwrap());
    stream.enqueue(move || writer.write(if is_over() { 1 } else { 2 })).unwrap();
    let done = stream.record().unwrap();
    let opener = thread::spawn(move || gates.iter().for_each(|gate| gate.open().unwrap()));
    help(&done);
    sleep_until(&done);
    journal.must_say(1);
    opener.join().unwrap();
    host.close();
}

/// Two hosts help, one of them while it puts, and a worker comes too.
pub(super) fn two_hosts_help(host: Host) {
    let journal = Journal::default();
    let stream = host.stream();
    stream.enqueue(journal.note(1)).unwrap();
    let first = stream.record().unwrap();
    let other = thread::spawn(move || help_with(&first));
    stream.enqueue(journal.note(2)).unwrap();
    let second = stream.record().unwrap();
    help_with(&second);
    sleep_until(&second);
    journal.must_say(12);
    other.join().unwrap();
    host.close();
}

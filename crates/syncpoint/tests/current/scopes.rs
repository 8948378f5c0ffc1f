//! What is current inside a task, and that it stays inside.

use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use syncpoint::{Device, Scope, Stream, default_stream, scope, set_current_stream, with_stream};

use crate::{assert_default, current, host, streams};

/// Suspends once.
fn suspend() -> impl Future<Output = ()> {
    let mut suspended = false;
    std::future::poll_fn(move |_| {
        if std::mem::replace(&mut suspended, true) { Poll::Ready(()) } else { Poll::Pending }
    })
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls tasks in turn on this thread until all have ended.
fn run_in_turns(mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    while !tasks.is_empty() {
        tasks.retain_mut(|task| poll(task).is_pending());
    }
}

#[test]
fn a_scope_is_in_force_only_while_its_future_is_polled() {
    let device = host();
    let [stream] = streams(&device);
    let mut task = scope(&stream, async {
        assert_eq!(current(&device), stream);
        suspend().await;
        assert_eq!(current(&device), stream);
    });
    assert_default(&device);
    assert!(poll(&mut task).is_pending());
    assert_default(&device);
    assert!(poll(&mut task).is_ready());
    assert_default(&device);
}

#[test]
fn tasks_that_take_turns_on_one_thread_do_not_see_each_others_streams() {
    let device = host();
    let [a, b] = streams(&device);
    let ended = Cell::new(0);
    let task = async |own: &Arc<Stream>| {
        for _ in 0..5 {
            assert_eq!(current(&device), *own);
            suspend().await;
        }
        ended.set(ended.get() + 1);
    };
    run_in_turns(vec![
        Box::pin(scope(&a, task(&a))),
        Box::pin(scope(&b, task(&b))),
        Box::pin(async { task(&default_stream(&device).unwrap()).await }),
    ]);
    assert_eq!(ended.get(), 3);
}

#[test]
fn what_a_task_makes_current_inside_its_scope_stays_in_the_task() {
    let device = host();
    let [own, set, guarded, neighbour] = streams(&device);
    let restless = async {
        set_current_stream(&set);
        suspend().await;
        assert_eq!(current(&device), set);
        let guard = with_stream(&guarded);
        suspend().await;
        assert_eq!(current(&device), guarded);
        drop(guard);
        assert_eq!(current(&device), set);
    };
    let steady = async {
        for _ in 0..4 {
            assert_eq!(current(&device), neighbour);
            suspend().await;
        }
    };
    run_in_turns(vec![Box::pin(scope(&own, restless)), Box::pin(scope(&neighbour, steady))]);
    assert_default(&device);
}

#[test]
fn a_scope_inside_a_scope_hides_it_for_as_long_as_it_lasts() {
    let device = host();
    let [outer, inner] = streams(&device);
    let task = scope(&outer, async {
        let nested = scope(&inner, async {
            suspend().await;
            assert_eq!(current(&device), inner);
        });
        assert_eq!(current(&device), outer);
        nested.await;
        assert_eq!(current(&device), outer);
    });
    run_in_turns(vec![Box::pin(task)]);
}

#[test]
fn a_panic_in_a_poll_restores_what_was_there() {
    let device = host();
    let [around, own, inside] = streams(&device);
    let guard = with_stream(&around);
    let mut task = scope(&own, async {
        let _never_dropped = ManuallyDrop::new(with_stream(&inside));
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut task).map(|()| ()))).is_err());
    assert_eq!(current(&device), around);
    drop(task);
    assert_eq!(current(&device), around);
    drop(guard);
}

#[test]
fn a_task_takes_its_scope_along_to_other_threads() {
    let device = host();
    let [own, set] = streams(&device);
    let mut task = Box::pin(scope(&own, async {
        let device = host();
        let mut seen = vec![current(&device)];
        suspend().await;
        seen.push(current(&device));
        set_current_stream(&set);
        suspend().await;
        seen.push(current(&device));
        (seen, set)
    }));
    assert!(poll(&mut task).is_pending());
    let moved = thread::spawn(move || {
        assert!(poll(&mut task).is_pending());
        assert_default(&host());
        task
    });
    let mut task = moved.join().unwrap();
    let [elsewhere] = streams(&device);
    let _guard = with_stream(&elsewhere);
    let Poll::Ready((seen, set)) = poll(&mut task) else { panic!("it suspends twice only") };
    assert_eq!(seen, [Arc::clone(&own), own, set]);
    assert_eq!(current(&device), elsewhere);
}

#[test]
fn a_task_that_is_dropped_suspended_ends_inside_its_scope() {
    struct Checks(Device, Arc<Stream>);
    impl Drop for Checks {
        fn drop(&mut self) {
            assert_eq!(current(&self.0), self.1);
        }
    }
    let device = host();
    let [own, guarded] = streams(&device);
    let checks = Checks(device.clone(), Arc::clone(&own));
    let mut task = scope(&own, async {
        let _checks = checks;
        let _guard = with_stream(&guarded);
        suspend().await;
    });
    assert!(poll(&mut task).is_pending());
    drop(task);
    assert_default(&device);
}

#[test]
fn a_guard_that_leaves_its_scope_is_in_force_nowhere() {
    let device = host();
    let [own, guarded] = streams(&device);
    let task = pin!(scope(&own, async { with_stream(&guarded) }));
    let Poll::Ready(guard) = task.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it never suspends")
    };
    assert_default(&device);
    let kept = with_stream(&own);
    drop(guard);
    assert_eq!(current(&device), own);
    drop(kept);
}

#[test]
fn an_outer_guard_may_end_inside_a_scope() {
    let device = host();
    let [outer, own] = streams(&device);
    let guard = with_stream(&outer);
    let mut task = scope(&own, async move {
        drop(guard);
        suspend().await;
    });
    assert!(poll(&mut task).is_pending());
    assert_default(&device);
    assert!(poll(&mut task).is_ready());
    assert_default(&device);
}

#[test]
fn a_point_may_be_awaited_in_a_scope() {
    fn assert_send<T: Send>(_: &T) {}
    let stream = default_stream(&host()).unwrap();
    let mut task: Scope<_> = scope(&stream, stream.record().unwrap());
    assert_send(&task);
    assert!(matches!(poll(&mut task), Poll::Ready(Ok(()))));
}

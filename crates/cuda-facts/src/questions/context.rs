//! Contexts: which is current, what the stack of a thread does, and what becomes of a destroyed one.

use std::sync::mpsc::channel;

use super::{Question, yes};
use crate::answer::{Asked, Unasked};
use crate::driver::{Context, Driver};
use crate::session::{Session, on_another_thread};

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "context.none.current",
        asks: "what does cuCtxGetCurrent say on a new thread, and is any current?",
        ask: |driver| {
            Session::begin(driver)?;
            on_another_thread(|| {
                let mut context = Context::NONE;
                let said = driver.context_current(&mut context)?;
                Ok(format!("{}, current: {}", said.code, yes(context != Context::NONE)))
            })
        },
    },
    Question {
        name: "context.none.device",
        asks: "what does cuCtxGetDevice say where no context is current?",
        ask: |driver| without_a_context(driver, || driver.context_device(&mut 0)?.told()),
    },
    Question {
        name: "context.none.synchronize",
        asks: "what does cuCtxSynchronize say where no context is current?",
        ask: |driver| without_a_context(driver, || driver.context_synchronize()?.told()),
    },
    Question {
        name: "context.none.pop",
        asks: "what does cuCtxPopCurrent say where the stack is empty?",
        ask: |driver| {
            let mut popped = Context::NONE;
            without_a_context(driver, || driver.context_pop(&mut popped)?.told())
        },
    },
    Question {
        name: "context.primary.inactive_at_first",
        asks: "is a primary context active that nobody has retained?",
        ask: |driver| {
            let mut device = 0;
            driver.init(0)?.needed()?;
            driver.device(&mut device, 0)?.needed()?;
            is_active(driver, device)
        },
    },
    Question {
        name: "context.primary.retain_is_not_current",
        asks: "is a primary context current because it was retained?",
        ask: |driver| {
            let (mut device, mut context) = (0, Context::NONE);
            driver.init(0)?.needed()?;
            driver.device(&mut device, 0)?.needed()?;
            driver.primary_retain(&mut context, device)?.needed()?;
            Ok(yes(current(driver)? == context))
        },
    },
    Question {
        name: "context.primary.is_one",
        asks: "is the primary context that is retained again the same?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let mut again = Context::NONE;
            driver.primary_retain(&mut again, session.device)?.needed()?;
            Ok(yes(again == session.context))
        },
    },
    Question {
        name: "context.primary.release_without_retain",
        asks: "what does cuDevicePrimaryCtxRelease say where nothing was retained?",
        ask: |driver| {
            let mut device = 0;
            driver.init(0)?.needed()?;
            driver.device(&mut device, 0)?.needed()?;
            driver.primary_release(device)?.told()
        },
    },
    Question {
        name: "context.primary.last_release",
        asks: "is a primary context active after as many releases as retains?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            driver.primary_release(session.device)?.needed()?;
            is_active(driver, session.device)
        },
    },
    Question {
        name: "context.create_is_current",
        asks: "is a context current because it was created?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let mut context = Context::NONE;
            driver.context_create(&mut context, 0, session.device)?.needed()?;
            Ok(yes(current(driver)? == context))
        },
    },
    Question {
        name: "context.pop_restores",
        asks: "is the context below current again after a push and a pop?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            session.within(other, || Ok(()))?;
            Ok(yes(current(driver)? == session.context))
        },
    },
    Question {
        name: "context.set_replaces_the_top",
        asks: "what is current after push A, push B, set C, pop?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            driver.context_push(other)?.needed()?;
            driver.context_set(session.context)?.needed()?;
            let mut popped = Context::NONE;
            driver.context_pop(&mut popped)?.needed()?;
            let is_kept = popped == session.context && current(driver)? == session.context;
            Ok(if is_kept { "A, and C was popped" } else { "another" }.to_owned())
        },
    },
    Question {
        name: "context.set_none_pops",
        asks: "is A current after push A, push B, set none?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            driver.context_push(other)?.needed()?;
            driver.context_set(Context::NONE)?.needed()?;
            Ok(yes(current(driver)? == session.context))
        },
    },
    Question {
        name: "context.destroy_pops",
        asks: "is the context below current after the current one was destroyed?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            driver.context_push(other)?.needed()?;
            driver.context_destroy(other)?.needed()?;
            Ok(yes(current(driver)? == session.context))
        },
    },
    Question {
        name: "context.destroyed_elsewhere",
        asks: "what does cuCtxSynchronize say where another thread has destroyed the current context?",
        ask: destroyed_elsewhere,
    },
    Question {
        name: "context.id_of_none",
        asks: "is the id of no context that of the current one, and another's different?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let other = session.other_context()?;
            let id = |context| {
                let mut id = 0;
                driver.context_id(context, &mut id)?.needed()?;
                Ok(id)
            };
            let (none, own, others) = (id(Context::NONE)?, id(session.context)?, id(other)?);
            Ok(yes(none == own && own != others))
        },
    },
];

fn without_a_context(
    driver: &'static Driver,
    ask: impl FnOnce() -> Asked<String> + Send,
) -> Asked<String> {
    Session::begin(driver)?;
    on_another_thread(ask)
}

fn current(driver: &'static Driver) -> Asked<Context> {
    let mut context = Context::NONE;
    driver.context_current(&mut context)?.needed()?;
    Ok(context)
}

fn is_active(driver: &'static Driver, device: i32) -> Asked<String> {
    let mut active = -1;
    driver.primary_state(device, &mut 0, &mut active)?.needed()?;
    Ok(yes(active != 0))
}

fn destroyed_elsewhere(driver: &'static Driver) -> Asked<String> {
    let session = Session::begin(driver)?;
    let other = session.other_context()?;
    let (set, is_set) = channel();
    let (destroyed, is_destroyed) = channel();
    let gone = |_| Unasked::Refused("the other thread died".to_owned());
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || {
            driver.context_set(other)?.needed()?;
            set.send(()).ok();
            is_destroyed.recv().map_err(gone)?;
            driver.context_synchronize()?.told()
        });
        is_set.recv().map_err(gone)?;
        driver.context_destroy(other)?.needed()?;
        destroyed.send(()).ok();
        asking.join().unwrap_or_else(|_| Err(Unasked::Refused("the other thread died".to_owned())))
    })
}

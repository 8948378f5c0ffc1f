//! Places in sources of Python's: where a user's call stands, for reports and for the origins of failures.

use std::mem;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use syncpoint::{Place, asked_at};

/// Where the innermost call stands that is not our own package's. `None` where no code of Python's is about.
pub(crate) fn of_caller(py: Python<'_>) -> Option<Place> {
    innermost(py).ok().flatten()
}

/// Calls for whoever stands at a place, where it is known.
pub(crate) fn at<T>(place: Option<Place>, call: impl FnOnce() -> T) -> T {
    match place {
        Some(place) => asked_at(place, call),
        None => call(),
    }
}

fn innermost(py: Python<'_>) -> PyResult<Option<Place>> {
    static FRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let mut frame = FRAME.import(py, "sys", "_getframe")?.call0()?;
    while !frame.is_none() {
        if let Whose::Users(place) = whose(&frame)? {
            return Ok(Some(place));
        }
        frame = frame.getattr(pyo3::intern!(py, "f_back"))?;
    }
    Ok(None)
}

/// Whose a call is.
#[derive(Clone, Copy)]
enum Whose {
    /// Our own package's.
    Ours,
    /// The program's, where it stands.
    Users(Place),
}

/// Whose the call is that a frame is in the middle of. A program makes the same ones again and again.
fn whose(frame: &Bound<'_, PyAny>) -> PyResult<Whose> {
    let py = frame.py();
    let code = frame.getattr(pyo3::intern!(py, "f_code"))?;
    let instruction = frame.getattr(pyo3::intern!(py, "f_lasti"))?.extract()?;
    if let Some(whose) = known(&code, instruction) {
        return Ok(whose);
    }
    let whose = read(frame, &code)?;
    know(Call { code: code.unbind(), instruction, whose });
    Ok(whose)
}

fn read(frame: &Bound<'_, PyAny>, code: &Bound<'_, PyAny>) -> PyResult<Whose> {
    let py = frame.py();
    let file = code.getattr(pyo3::intern!(py, "co_filename"))?.cast_into::<PyString>()?;
    let file = file.to_cow()?;
    if file.starts_with(ours(py)?) {
        return Ok(Whose::Ours);
    }
    let line = frame.getattr(pyo3::intern!(py, "f_lineno"))?.extract::<Option<u32>>()?;
    Ok(Whose::Users(Place::given(&file, line.unwrap_or_default())))
}

/// A call that was looked at: the code that it is in, which is kept so that no other has its address, and the place in that.
struct Call {
    code: Py<PyAny>,
    instruction: i32,
    whose: Whose,
}

/// As many as the calls of a large loop.
const MOST: usize = 64;

/// The latest calls, each where its address and its place lead. Who finds it locked, as a child of a fork may for ever, goes on
/// without; the interpreter is not entered under it.
static KNOWN: Mutex<[Option<Call>; MOST]> = Mutex::new([const { None }; MOST]);

fn known(code: &Bound<'_, PyAny>, instruction: i32) -> Option<Whose> {
    let calls = KNOWN.try_lock().ok()?;
    let call = calls[slot(code.as_ptr().addr(), instruction)].as_ref()?;
    (call.code.is(code) && call.instruction == instruction).then_some(call.whose)
}

fn know(call: Call) {
    let slot = slot(call.code.as_ptr().addr(), call.instruction);
    let replaced = KNOWN.try_lock().ok().and_then(|mut calls| calls[slot].replace(call));
    // It ends after the lock.
    drop(replaced);
}

/// In a child of a fork: the places of the parent have no names here. Who had them locked meanwhile is not here, and they stay
/// unused.
pub(crate) fn forget() {
    let calls = KNOWN.try_lock().ok();
    let calls = calls.map(|mut calls| mem::replace(&mut *calls, [const { None }; MOST]));
    // They end after the lock.
    drop(calls);
}

fn slot(code: usize, instruction: i32) -> usize {
    // Objects of Python's lie 16 bytes apart at least.
    let instruction = usize::try_from(instruction).unwrap_or_default();
    ((code >> 4) ^ (instruction >> 1)) % MOST
}

/// The folder of our own package, with what divides it from the files in it.
fn ours(py: Python<'_>) -> PyResult<&str> {
    static OURS: PyOnceLock<String> = PyOnceLock::new();
    let ours = OURS.get_or_try_init(py, || {
        let file: String = py.import("syncpoint")?.getattr("__file__")?.extract()?;
        let end = file.rfind(['/', '\\']).map_or(0, |end| end + 1);
        PyResult::Ok(file[..end].to_owned())
    })?;
    Ok(ours)
}

//! Long work on a thread of its own, so that Python can go on and Ctrl-C is heard.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nanobragg::Cancel;
use pyo3::prelude::*;

/// How long the interpreter waits for the work before it asks again for signals.
const PATIENCE: Duration = Duration::from_millis(30);

/// Does `work` with the interpreter free for other threads. A signal whose handler raises, as that
/// of Ctrl-C does, raises the [`Cancel`] and is passed on once the work has ended.
///
/// # Errors
/// What the handler raised.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Cancel) -> T + Send,
) -> PyResult<T> {
    let cancel = Cancel::new();
    let result = Mutex::new(None);
    let is_done = Condvar::new();
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let value = work(&cancel);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            is_done.notify_one();
        });
        let wait = || {
            let unfinished = result.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut value, _) = is_done
                .wait_timeout_while(unfinished, PATIENCE, |value| {
                    value.is_none() && !worker.is_finished()
                })
                .unwrap_or_else(PoisonError::into_inner);
            value.take()
        };
        loop {
            if let Some(value) = py.detach(wait) {
                return Ok(value);
            }
            if worker.is_finished() {
                match py.detach(|| worker.join()) {
                    // The value came between the look at it and the look at the thread.
                    Ok(()) => {
                        let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
                        return value.ok_or_else(|| {
                            pyo3::exceptions::PyRuntimeError::new_err("the work left no result")
                        });
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            if let Err(signal) = py.check_signals() {
                cancel.raise();
                // The end of the scope waits for the worker; other threads may run meanwhile.
                let _ = py.detach(|| worker.join());
                return Err(signal);
            }
        }
    })
}

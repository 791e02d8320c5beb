//! Long work on a separate thread, so that Python can run and Ctrl-C works.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nanobragg::Cancel;
use pyo3::prelude::*;

/// The time between two checks for signals.
const PATIENCE: Duration = Duration::from_millis(30);

/// Calls `work` with the interpreter released for other threads. If the handler of a signal raises an
/// exception, as that of Ctrl-C does, the [`Cancel`] is raised, and the exception is passed on when the
/// work has ended.
///
/// # Errors
/// The exception of the handler.
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
                    // The value arrived between the check for it and the check of the thread.
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
                // The end of the scope waits for the worker. Meanwhile other threads may run.
                let _ = py.detach(|| worker.join());
                return Err(signal);
            }
        }
    })
}

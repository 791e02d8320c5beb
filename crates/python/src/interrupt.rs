//! Long work on a separate thread, so that Python can run, Ctrl-C works, and progress is shown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nanobragg::{Cancel, Progress};
use pyo3::prelude::*;
use pyo3::types::PyBool;

/// The time between two checks for signals.
const PATIENCE: Duration = Duration::from_millis(30);

/// How much of the work is done, in any unit.
#[derive(Debug, Default)]
pub(crate) struct Done {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Done {
    pub(crate) fn tell(&self, done: usize, total: usize) {
        self.total.fetch_max(total, Ordering::Relaxed);
        self.done.fetch_max(done, Ordering::Relaxed);
    }
}

impl Progress for Done {
    fn rows_done(&self, done: usize, total: usize) {
        self.tell(done, total);
    }
}

/// As [`interruptible`], and `progress` hears how much is done: it is a function of two whole numbers, done and total,
/// or True for a bar that counts in `unit`. It is called on this thread, at most once in [`PATIENCE`].
///
/// # Errors
/// The exception of the handler or of `progress`, and `TypeError` if that cannot be called.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    unit: &str,
    work: impl FnOnce(&Cancel, &Done) -> T + Send,
) -> PyResult<T> {
    let done = Done::default();
    let Some(progress) = progress.filter(|given| !given.is(&*PyBool::new(py, false))) else {
        return attended(py, || Ok(()), |cancel| work(cancel, &done));
    };
    let show = py.import("nanobragg._progress")?.getattr("listener")?;
    let show = show.call1((progress, unit))?;
    let mut told = 0;
    let tell = || {
        let [now, total] = [&done.done, &done.total].map(|count| count.load(Ordering::Relaxed));
        if now > told {
            show.call1((now.min(total), total))?;
            told = now;
        }
        Ok(())
    };
    let ended = attended(py, tell, |cancel| work(cancel, &done));
    let closed = show.call_method0("close");
    let ended = ended?;
    closed.map(|_| ended)
}

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
    attended(py, || Ok(()), work)
}

/// The same, with a call of `attend` while the work goes on, and when it has ended. An error of it stops the work.
fn attended<T: Send>(
    py: Python<'_>,
    mut attend: impl FnMut() -> PyResult<()>,
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
                return attend().map(|()| value);
            }
            if worker.is_finished() {
                match py.detach(|| worker.join()) {
                    // The value arrived between the check for it and the check of the thread.
                    Ok(()) => {
                        let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
                        let value = value.ok_or_else(|| {
                            pyo3::exceptions::PyRuntimeError::new_err("the work left no result")
                        })?;
                        return attend().map(|()| value);
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            if let Err(error) = py.check_signals().and_then(|()| attend()) {
                cancel.raise();
                // The end of the scope waits for the worker. Meanwhile other threads may run.
                let _ = py.detach(|| worker.join());
                return Err(error);
            }
        }
    })
}

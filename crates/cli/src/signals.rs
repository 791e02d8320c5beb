//! Signals such as Ctrl-C: the run is asked to stop, and is ended if it does not stop in time.

use std::io::{self, Write};
use std::process;
use std::thread;
use std::time::Duration;

use nanobragg::Cancel;
use nanobragg::io::replace;

use crate::program::STOPPED;

/// The time a run has to stop by itself. Reading a file or drawing noise cannot be interrupted, and the
/// shell prompt should be back within a second.
const PATIENCE: Duration = Duration::from_millis(600);

/// After this call SIGINT, SIGTERM and SIGHUP raise `stop`. A second signal, or the end of [`PATIENCE`],
/// ends the process. Neither leaves a temporary file.
///
/// A signal that the process ignored at its start, such as SIGHUP under `nohup`, stays ignored.
///
/// # Errors
/// The error of the system.
#[cfg(unix)]
pub(crate) fn watch(stop: &'static Cancel) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let watcher = move || {
        for (count, _) in signals.forever().enumerate() {
            on_signal(stop, count);
        }
    };
    thread::Builder::new().spawn(watcher).map(drop)
}

/// The same for systems without Unix signals.
#[cfg(not(unix))]
pub(crate) fn watch(stop: &'static Cancel) -> io::Result<()> {
    ctrlc::set_handler(move || on_signal(stop, usize::from(stop.is_raised())))
        .map_err(io::Error::other)
}

/// The signals that this process ignores: signal n is bit n - 1. 0 if the system does not list them.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// The first signal asks the run to stop; any other ends the process.
fn on_signal(stop: &'static Cancel, count_before: usize) {
    stop.raise();
    if count_before > 0 {
        end();
    }
    let watchdog = thread::Builder::new().spawn(|| {
        thread::sleep(PATIENCE);
        end();
    });
    if watchdog.is_err() {
        end();
    }
}

/// Removes temporary files and ends the process.
#[expect(
    clippy::exit,
    reason = "the main thread may be held up where no flag is looked at"
)]
fn end() {
    replace::abandon_all();
    let _ = writeln!(io::stderr(), "nanoBragg: error: stopped by a signal");
    process::exit(i32::from(STOPPED));
}

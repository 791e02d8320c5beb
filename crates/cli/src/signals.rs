//! Ctrl-C and its kin: the run is asked to stop, and made to stop if it does not.

use std::io::{self, Write};
use std::process;
use std::thread;
use std::time::Duration;

use nanobragg::Cancel;
use nanobragg::io::replace;

use crate::STOPPED;

/// How long the run may take to stop by itself. Reading a file or drawing noise cannot be
/// interrupted, and the shell should have its prompt back within a second.
const PATIENCE: Duration = Duration::from_millis(600);

/// From here on SIGINT, SIGTERM and SIGHUP raise `stop`; a second signal, or the end of
/// [`PATIENCE`], ends the process. Neither leaves a temporary file.
///
/// A signal that the process was started to ignore, as `nohup` does with SIGHUP, stays ignored.
///
/// # Errors
/// When the system refuses.
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

/// The same where there are no Unix signals.
#[cfg(not(unix))]
pub(crate) fn watch(stop: &'static Cancel) -> io::Result<()> {
    ctrlc::set_handler(move || on_signal(stop, usize::from(stop.is_raised())))
        .map_err(io::Error::other)
}

/// The signals that this process ignores, signal n in bit n - 1; none where the system does not
/// tell.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Asks the run to stop at the first signal, and ends the process at any other.
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

/// Ends the process, without a temporary file left behind.
#[expect(
    clippy::exit,
    reason = "the main thread may be held up where no flag is looked at"
)]
fn end() {
    replace::abandon_all();
    let _ = writeln!(io::stderr(), "nanoBragg: error: stopped by a signal");
    process::exit(i32::from(STOPPED));
}

//! Carries out a command line.

use std::ffi::OsString;

use nanobragg::Cancel;

use crate::args::{Args, Task};
use crate::console::Console;
use crate::diff;
use crate::outcome::{Outcome, RunError};
use crate::plan;
use crate::rerun;
use crate::series;
use crate::simulate::{Keep, simulate};

/// Carries out a command line: images on disk, the report on standard output. A record keeps `words`.
/// The run ends soon after `stop` is raised.
///
/// # Errors
/// See [`RunError`]. Incomplete outputs are then removed, and older files are unchanged.
pub fn run(args: &Args, words: &[OsString], stop: &Cancel) -> Result<Outcome, RunError> {
    let args = &*args.with_base()?;
    match args.task() {
        Task::Simulate => {
            let recording = (args.running.record_path.as_ref())
                .or(args.running.report_path.as_ref())
                .map(|_| words);
            simulate(args, Keep::of(recording), stop).map(|_| Outcome::Done)
        }
        Task::Series => series::carry_out(args, words, stop).map(|()| Outcome::Done),
        Task::Plan(format) => plan::say(args, format, stop).map(|()| Outcome::Done),
        Task::Rerun(record) => rerun::again(record, args, stop),
        Task::Diff(old, new) => diff::say(old, new, &Console::of(args)),
    }
}

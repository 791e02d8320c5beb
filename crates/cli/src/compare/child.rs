//! A program run to its end, with the time it took and the memory it had.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nanobragg::Cancel;

use super::CompareError;
use super::report::Ran;

/// How often it is looked whether the program has ended; times are good to this.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Looks from which on its memory is read at one in [`LOOKS_PER_MEMORY`] only; before, at each, since
/// a short run allocates all the time.
const SHORT_LOOKS: u32 = 100;

/// See [`SHORT_LOOKS`].
const LOOKS_PER_MEMORY: u32 = 10;

/// How long a program may take to end by itself after an interrupt, which it may have got too.
const PATIENCE: Duration = Duration::from_millis(300);

/// The file that gets the standard error of a program, in its folder.
const STDERR: &str = "stderr.txt";

/// Runs `program`, whose standard output and error go to files in `folder`, to its end; or, once
/// `stop` is raised, ends it.
pub(super) fn run(
    program: &Path,
    command: &mut Command,
    folder: &Path,
    stop: &Cancel,
) -> Result<Ran, CompareError> {
    let not_run = |cause| CompareError::NotRun {
        program: program.to_path_buf(),
        cause,
    };
    let file = |name: &str| File::create(folder.join(name)).map_err(CompareError::NoFolder);
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file("stdout.txt")?)
        .stderr(file(STDERR)?)
        .spawn()
        .map_err(not_run)?;
    let mut peak_memory_bytes = None;
    let status = wait(&mut child, stop, &mut peak_memory_bytes).map_err(not_run)?;
    let seconds = start.elapsed().as_secs_f64();
    if stop.is_raised() {
        return Err(CompareError::Stopped);
    }
    Ok(Ran {
        program: program.to_path_buf(),
        status,
        seconds,
        peak_memory_bytes,
    })
}

fn wait(child: &mut Child, stop: &Cancel, peak_bytes: &mut Option<u64>) -> io::Result<ExitStatus> {
    let mut looks = 0_u32;
    let mut stopped_at: Option<Instant> = None;
    loop {
        if looks < SHORT_LOOKS || looks.is_multiple_of(LOOKS_PER_MEMORY) {
            // What is read later is never less: the system keeps the highest mark. It forgets it
            // at the end, so the last milliseconds are not seen.
            *peak_bytes = peak_memory_bytes(child.id()).or(*peak_bytes);
        }
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.is_raised() {
            let since = *stopped_at.get_or_insert_with(Instant::now);
            if since.elapsed() > PATIENCE {
                child.kill()?;
                return child.wait();
            }
        }
        looks = looks.saturating_add(1);
        thread::sleep(LOOK_EVERY);
    }
}

/// The most memory that a running process had, where Linux tells.
fn peak_memory_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The last line that a program wrote on standard error in this folder.
pub(super) fn last_words(folder: &Path) -> Option<String> {
    let bytes = fs::read(folder.join(STDERR)).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

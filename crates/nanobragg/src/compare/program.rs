//! A program run to its end, with the time it took and the memory it had.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nanobragg_physics::Cancel;

/// How often it is looked whether the program has ended; times are good to this.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Looks from which on its memory is read at one in [`LOOKS_PER_MEMORY`] only; before, at each, since
/// a short run allocates all the time.
const SHORT_LOOKS: u32 = 100;

/// See [`SHORT_LOOKS`].
const LOOKS_PER_MEMORY: u32 = 10;

/// How long a program may take to end by itself after an interrupt, which it may have got too.
const PATIENCE: Duration = Duration::from_millis(300);

/// A program that has run.
#[derive(Debug, Clone)]
pub struct ProgramRun {
    /// The program.
    pub program: PathBuf,
    /// How it ended.
    pub status: ExitStatus,
    /// Wall-clock time from its start to its end.
    pub seconds: f64,
    /// The most memory it had; `None` where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
}

impl ProgramRun {
    /// Runs `command`, which starts `program`, to its end; or, once `stop` is raised, ends it, and is `None`.
    ///
    /// # Errors
    /// What the system says where the program cannot be started or waited for.
    pub fn of(program: &Path, command: &mut Command, stop: &Cancel) -> io::Result<Option<Self>> {
        let start = Instant::now();
        let mut child = command.spawn()?;
        let mut peak_memory_bytes = None;
        let status = wait(&mut child, stop, &mut peak_memory_bytes)?;
        let seconds = start.elapsed().as_secs_f64();
        Ok((!stop.is_raised()).then(|| Self {
            program: program.to_path_buf(),
            status,
            seconds,
            peak_memory_bytes,
        }))
    }
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

//! What a comparison has found, with what it was a comparison of.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;

use nanobragg::compare::{Comparison, Tolerance};
use nanobragg::io::any::Format;

/// All that is told about a comparison.
#[derive(Debug)]
pub(super) struct Report {
    /// Image A and image B.
    pub(super) images: [Named; 2],
    /// Pixels of either along the fast and the slow axis.
    pub(super) sides: [usize; 2],
    /// How far B may be from A.
    pub(super) tolerance: Tolerance,
    /// The figures.
    pub(super) comparison: Comparison,
    /// How the images came about, if they were made for the comparison.
    pub(super) programs: Option<Programs>,
}

/// Where an image was, or which program made it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    pub(super) format: Format,
}

/// Two programs run on the same arguments.
#[derive(Debug)]
pub(super) struct Programs {
    /// The arguments as the user gave them.
    pub(super) words: Vec<OsString>,
    pub(super) reference: Ran,
    pub(super) ours: Ran,
    pub(super) environment: Environment,
}

/// A program that has run.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) program: PathBuf,
    pub(super) status: ExitStatus,
    /// Wall-clock time from its start to its end.
    pub(super) seconds: f64,
    /// The most memory it had; `None` where the system does not tell.
    pub(super) peak_memory_bytes: Option<u64>,
}

/// What the times depend on.
#[derive(Debug)]
pub(super) struct Environment {
    /// Vector instructions of this program.
    pub(super) level: &'static str,
    /// Threads of this program.
    pub(super) threads: usize,
    /// Processors that this process may use.
    pub(super) processors: usize,
    /// `OMP_NUM_THREADS`, which a C program with OpenMP obeys.
    pub(super) omp_num_threads: Option<String>,
}

impl Programs {
    /// The time of the C program over ours.
    pub(super) fn speedup(&self) -> f64 {
        self.reference.seconds / self.ours.seconds
    }
}

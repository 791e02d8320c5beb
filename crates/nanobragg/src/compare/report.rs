//! What a comparison has found, with what it was a comparison of.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg_io::any::Format;

use super::{Comparison, ProgramRun, Tolerance};

/// All that is told about a comparison.
#[derive(Debug)]
pub struct ComparisonReport {
    /// Image A and image B.
    pub images: [NamedImage; 2],
    /// Pixels of either along the fast and the slow axis.
    pub sides: [usize; 2],
    /// Panels, one below the other.
    pub panels: usize,
    /// How far B may be from A.
    pub tolerance: Tolerance,
    /// The figures.
    pub comparison: Comparison,
    /// How the images came about, if they were made for the comparison.
    pub programs: Option<ProgramPair>,
}

/// Where an image was, or which program made it.
#[derive(Debug, Clone)]
pub struct NamedImage {
    /// Where it is, or the program that made it.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
}

/// Two programs run on the same arguments.
#[derive(Debug)]
pub struct ProgramPair {
    /// The arguments as the user gave them.
    pub words: Vec<OsString>,
    /// How the program that made image A ran.
    pub reference: ProgramRun,
    /// How this program ran, which made image B.
    pub ours: ProgramRun,
    /// What their times depend on.
    pub environment: RunEnvironment,
}

/// What the times depend on.
#[derive(Debug)]
pub struct RunEnvironment {
    /// Vector instructions of this program.
    pub level: &'static str,
    /// Threads of this program.
    pub threads: usize,
    /// Processors that this process may use.
    pub processors: usize,
    /// `OMP_NUM_THREADS`, which a C program with OpenMP obeys.
    pub omp_num_threads: Option<String>,
}

impl ProgramPair {
    /// The time of the C program over ours.
    pub fn speedup(&self) -> f64 {
        self.reference.seconds / self.ours.seconds
    }
}

impl ComparisonReport {
    /// The report for people, one figure a line.
    pub fn text(&self) -> String {
        super::text::text(self)
    }

    /// The report for programs: indented JSON with a line feed at its end. What is no finite number is `null`.
    pub fn json(&self) -> String {
        super::json::json(self)
    }
}

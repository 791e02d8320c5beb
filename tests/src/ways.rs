//! The ways to run every golden case. A new kernel, level or precision is one more entry here.

use nanobragg::{Level, Precision, RunOptions};

/// Every term on one thread.
pub const ONE_THREAD: RunOptions<'static> = RunOptions {
    threads: 1,
    level: None,
    precision: Precision::Double,
    accuracy: 0.0,
    device: None,
    progress: None,
    cancel: None,
};

/// A way to run an experiment. All ways must give the same images.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The name in messages and file names.
    pub name: &'static str,
    /// The number of threads.
    pub threads: usize,
    /// Vector instructions; `None`: the best of the processor.
    pub level: Option<Level>,
    /// The same settings as flags of the binary.
    pub flags: &'static [&'static str],
}

/// All ways. [`ways`] leaves out those that this processor does not support.
const ALL: &[Way] = &[
    Way {
        name: "1-thread",
        threads: 1,
        level: None,
        flags: &["-threads", "1"],
    },
    Way {
        name: "2-threads",
        threads: 2,
        level: None,
        flags: &["-threads", "2"],
    },
    Way {
        name: "reference",
        threads: 1,
        level: Some(Level::Reference),
        flags: &["-threads", "1", "-level", "reference"],
    },
    Way {
        name: "reference-2-threads",
        threads: 2,
        level: Some(Level::Reference),
        flags: &["-threads", "2", "-level", "reference"],
    },
    Way {
        name: "baseline",
        threads: 2,
        level: Some(Level::Baseline),
        flags: &["-threads", "2", "-level", "baseline"],
    },
    Way {
        name: "avx2",
        threads: 2,
        level: Some(Level::Avx2),
        flags: &["-threads", "2", "-level", "avx2"],
    },
    Way {
        name: "avx512",
        threads: 2,
        level: Some(Level::Avx512),
        flags: &["-threads", "2", "-level", "avx512"],
    },
];

/// Single precision, which has its own tolerance.
pub const SINGLE: Way = Way {
    name: "single",
    threads: 2,
    level: None,
    flags: &["-threads", "2", "-precision", "single"],
};

/// The ways that this processor supports.
pub fn ways() -> impl Iterator<Item = &'static Way> {
    ALL.iter()
        .filter(|way| way.level.is_none_or(Level::is_available))
}

impl Way {
    /// The settings as options of the library.
    pub fn options(&self) -> RunOptions<'static> {
        RunOptions {
            threads: self.threads,
            level: self.level,
            precision: if self.name == SINGLE.name {
                Precision::Single
            } else {
                Precision::Double
            },
            ..RunOptions::default()
        }
    }
}

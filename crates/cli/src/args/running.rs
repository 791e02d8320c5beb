use super::WholeRange;
use super::flag::{FlagSpec, Group, Takes};
use std::collections::BTreeSet;

/// How the run goes: threads, messages, and which oddities of the C program are corrected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunningArgs {
    /// Threads; `None` is one for each core.
    pub threads: Option<u32>,
    /// Vector instructions, out of [`LEVELS`]; `None` is the best of the machine.
    pub level: Option<&'static str>,
    /// Interference function in single precision.
    pub single_precision: bool,
    /// What `-progress` or `-noprogress` said.
    pub progress: Option<bool>,
    /// How much is said.
    pub verbosity: Verbosity,
    /// Oddities to correct, out of [`FIXES`]; `all` is written out.
    pub fixes: BTreeSet<&'static str>,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Warnings and the course of the run.
    #[default]
    Normal,
    /// Details too.
    Verbose,
}

/// The word for the best vector instructions of the machine.
const AUTO: &str = "auto";

/// Vector instructions that `-level` can ask for.
pub static LEVELS: &[&str] = &[AUTO, "reference", "baseline", "avx2", "avx512"];

/// The word for all of [`FIXES`].
const ALL: &str = "all";

/// Oddities of the C program that `-fix` corrects, and last the word for all of them.
const FIX_WORDS: &[&str] = &[
    "phi-zero",
    "pivot",
    "beam-centre",
    "corrections",
    "thickness",
    "oversample-flags",
    "interpolation",
    "water",
    "misset-random",
    "curved",
    "ignored-input",
    "header-distance",
    ALL,
];

/// Oddities of the C program that `-fix` corrects.
pub static FIXES: &[&str] = FIX_WORDS.split_at(FIX_WORDS.len() - 1).0;

pub(super) static GROUP: Group = Group {
    heading: "Running",
    flags: &[
        FlagSpec::new(
            "fix",
            Takes::Word {
                words: FIX_WORDS,
                set: |args, word| {
                    if word == ALL {
                        args.running.fixes.extend(FIXES);
                    } else {
                        args.running.fixes.insert(word);
                    }
                },
            },
            "Correct an oddity of the C program that is otherwise reproduced. May be repeated.",
        ),
        FlagSpec::new(
            "threads",
            Takes::Whole {
                range: WholeRange {
                    least: 0,
                    most: 65_535,
                },
                set: |args, n| args.running.threads = super::positive(n),
            },
            "Threads; 0 is one for each core. The image does not depend on it.",
        )
        .default("0"),
        FlagSpec::new(
            "level",
            Takes::Word {
                words: LEVELS,
                set: |args, word| args.running.level = Some(word).filter(|word| *word != AUTO),
            },
            "Vector instructions; reference is the scalar kernel that judges the others. The image \
             does not depend on it beyond the bound in docs/PARITY.md.",
        )
        .default(AUTO),
        FlagSpec::new(
            "precision",
            Takes::Word {
                words: &["double", "single"],
                set: |args, word| args.running.single_precision = word == "single",
            },
            "Precision of the interference function of a parallelepiped crystal; single is faster \
             and good to 1e-6 of a pixel.",
        )
        .default("double"),
        FlagSpec::new(
            "progress",
            Takes::Switch(|args| args.running.progress = Some(true)),
            "Show how far the image is, even with -quiet.",
        ),
        FlagSpec::new(
            "noprogress",
            Takes::Switch(|args| args.running.progress = Some(false)),
            "Do not show it.",
        ),
        FlagSpec::new(
            "quiet",
            Takes::Switch(|args| args.running.verbosity = Verbosity::Quiet),
            "Say nothing but errors.",
        ),
        FlagSpec::new(
            "verbose",
            Takes::Switch(|args| args.running.verbosity = Verbosity::Verbose),
            "Say more.",
        ),
        FlagSpec::new("help", Takes::Help, "Show this text.").or(&["h"]),
        FlagSpec::new("version", Takes::Version, "Show the version."),
    ],
};

use super::flag::{FlagSpec, Group, Takes};
use super::{Range, WholeRange};
use nanobragg::{MEMORY_LIMIT, Oddity};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How the run is carried out: threads, messages, and which oddities of the C program are corrected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunningArgs {
    /// Threads; `None`: one per core.
    pub threads: Option<u32>,
    /// Vector instructions, one of [`LEVELS`]; `None`: the best of the processor.
    pub level: Option<&'static str>,
    /// Compute the interference function in single precision.
    pub single_precision: bool,
    /// The allowed error of a pixel as a part of the brightest; `None`: every term is summed.
    pub accuracy: Option<f64>,
    /// What sums the terms.
    pub device: DeviceWord,
    /// The memory limit in GiB: one for structure factors, and the same for images.
    pub max_memory_gib: Option<f64>,
    /// `-progress` or `-noprogress`.
    pub progress: Option<bool>,
    /// The amount of messages.
    pub verbosity: Verbosity,
    /// Oddities to correct, from [`FIXES`]; `all` becomes the complete list.
    pub fixes: BTreeSet<&'static str>,
    /// Print a plan instead of rendering.
    pub plan: Option<PlanFormat>,
    /// The experiment file that the flags override.
    pub experiment_path: Option<PathBuf>,
    /// The output file of the experiment.
    pub save_experiment_path: Option<PathBuf>,
    /// The output file of the record.
    pub record_path: Option<PathBuf>,
    /// The output file of the report.
    pub report_path: Option<PathBuf>,
    /// The record of the run to repeat.
    pub rerun_path: Option<PathBuf>,
    /// The two records to compare.
    pub diff_paths: Option<[PathBuf; 2]>,
}

/// The processor that sums the terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceWord {
    /// This one.
    #[default]
    Cpu,
    /// A GPU that is not software, if there is one; otherwise this one.
    Auto,
    /// The first GPU.
    Gpu,
    /// A GPU by its number in the list of `nanoBragg devices`.
    Number(usize),
}

impl DeviceWord {
    fn named(word: &str) -> Result<Self, String> {
        let number = word.strip_prefix("gpu:").map(str::parse);
        match (word, number) {
            ("cpu", _) => Ok(Self::Cpu),
            ("auto", _) => Ok(Self::Auto),
            ("gpu", _) => Ok(Self::Gpu),
            (_, Some(Ok(number))) => Ok(Self::Number(number)),
            _ => {
                Err("cpu, auto, gpu, or gpu: and a number that nanoBragg devices lists".to_owned())
            }
        }
    }
}

impl std::fmt::Display for DeviceWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Number(number) => write!(f, "gpu:{number}"),
        }
    }
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFormat {
    /// Text.
    Text,
    /// JSON.
    Json,
}

/// The amount of messages on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Silent,
    /// Errors and warnings only.
    Quiet,
    /// Warnings and information.
    #[default]
    Normal,
    /// Details, too.
    Verbose,
}

/// The word for the best vector instructions of the processor.
const AUTO: &str = "auto";

/// The words of `-level`.
pub static LEVELS: &[&str] = &[AUTO, "reference", "baseline", "avx2", "avx512"];

/// The word for all of [`FIXES`].
const ALL_FIXES: &str = "all";

/// The names of the oddities that can be corrected, then the word for all of them.
const FIX_WORDS: &[&str] = &fix_words();

/// One oddity cannot be corrected. Its place in the list, moved to the end, has the word for all.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it, and an index out of range would not compile"
)]
const fn fix_words() -> [&'static str; Oddity::ALL.len()] {
    let mut words = [ALL_FIXES; Oddity::ALL.len()];
    let (mut from, mut to) = (0, 0);
    while from < Oddity::ALL.len() {
        let oddity = Oddity::ALL[from];
        if oddity.is_fixable() {
            words[to] = oddity.name();
            to += 1;
        }
        from += 1;
    }
    words
}

/// The oddities of the C program that can be corrected, by name. `docs/QUIRKS.md` describes them.
pub static FIXES: &[&str] = FIX_WORDS.split_at(FIX_WORDS.len() - 1).0;

pub(super) static GROUP: Group = Group {
    heading: "Running",
    flags: &[
FlagSpec::new("fix", Takes::List(FIX_WORDS, |args, word| {
                    if word == ALL_FIXES {
                        args.running.fixes.extend(FIXES);
                    } else {
                        args.running.fixes.insert(word);
                    }
                })).help("Put right oddities of the C program that are otherwise reproduced: the names are in \
             docs/QUIRKS.md and in the warnings. All of them: all."),
FlagSpec::path("experiment", |args, path| args.running.experiment_path = Some(path)).help("Take the whole experiment from this file, TOML or JSON; flags win over it. \
             docs/EXPERIMENT.md tells of its fields."),
FlagSpec::path("save-experiment", |args, path| args.running.save_experiment_path = Some(path))
        .or(&["save_experiment"]).help("Keep the experiment in such a file: JSON if its name ends in .json, otherwise TOML. With \
             -plan it is kept and nothing is rendered."),
FlagSpec::new("plan", Takes::OptionalWord(&["text", "json"], |args, word| {
                    args.running.plan = Some(if word == "json" {
                        PlanFormat::Json
                    } else {
                        PlanFormat::Text
                    });
                }))
        .default("text").help("Render and write nothing: say every decision with its reason, the resolution, missing \
             reflections, the brightest pixel expected, memory and time."),
FlagSpec::path("record", |args, path| args.running.record_path = Some(path)).help("Keep a record of the run, as JSON, from which -rerun repeats it."),
#[cfg(feature = "plot")]
FlagSpec::path("report", |args, path| args.running.report_path = Some(path)).help("Write a page of HTML about the run: picture, decisions, resolution shells, brightest spots, overloads, photon \
             budget, warnings, command line, experiment file; of a series a contact sheet and statistics."),
FlagSpec::path("rerun", |args, path| args.running.rerun_path = Some(path)).help("Repeat the run of this record and say whether its images come out the same to the bit. \
             Goes with names of outputs and the flags of this group."),
FlagSpec::new("diff", Takes::TwoPaths(|args, paths| args.running.diff_paths = Some(paths))).help("Say in which settings the runs of two records differ. The exit status is 0 if in none, \
             1 if in some, 2 for trouble."),
FlagSpec::whole("threads", WholeRange {
                    least: 0,
                    // More than the cores of any computer, but few enough to start.
                    most: 1024,
                }, |args, n| args.running.threads = super::positive(n))
        .default("0").help("Threads; 0 is one for each core. The image does not depend on it.").of(&["threads"]),
FlagSpec::new("level", Takes::Word(LEVELS, |args, word| args.running.level = Some(word).filter(|word| *word != AUTO)))
        .default(AUTO).help("Vector instructions; reference is the scalar kernel that judges the others. The image \
             does not depend on it beyond the bound in docs/PARITY.md."),
FlagSpec::new("precision", Takes::Word(&["double", "single"], |args, word| args.running.single_precision = word == "single"))
        .default("double").help("Precision of the interference function of a parallelepiped crystal; single is faster \
             and good to 1e-6 of a pixel."),
FlagSpec::number("accuracy", "", Range::AboveZeroToOne, |args, v| args.running.accuracy = Some(v))
        .help("Leave out what no pixel shows: terms that together make a pixel darker by no more than this part of the \
             brightest one. Without it every term is summed."),
FlagSpec::new("device", Takes::Text(|args, word| {
                    args.running.device = DeviceWord::named(word)?;
                    Ok(())
                }))
        .values("name").default("cpu").help("What sums the terms: cpu; gpu, or gpu:N of the list that `nanoBragg devices` shows; auto for a \
             GPU if there is a real one. What a GPU cannot do the CPU does. docs/GPU.md tells more."),
FlagSpec::number("max_memory", "GiB", Range::AboveZero, |args, v| args.running.max_memory_gib = Some(v))
        .default("8").help("Memory that the grid of structure factors may take, and images and tables likewise; \
             what would need more is refused before it starts.").of(&[MEMORY_LIMIT]),
FlagSpec::switch("progress", |args| args.running.progress = Some(true)).help("Show how far the image is, even with -quiet."),
FlagSpec::switch("noprogress", |args| args.running.progress = Some(false)).help("Do not show it."),
FlagSpec::switch("quiet", |args| {
            args.running.verbosity = match args.running.verbosity {
                Verbosity::Quiet | Verbosity::Silent => Verbosity::Silent,
                Verbosity::Normal | Verbosity::Verbose => Verbosity::Quiet,
            }
        })
        .help("Say nothing but warnings and errors; twice: nothing but errors."),
FlagSpec::switch("verbose", |args| args.running.verbosity = Verbosity::Verbose).help("Say more."),
FlagSpec::new("help", Takes::Help).or(&["h"]).help("Show the flags used most; -help all shows all of them, -help NAME explains a flag, a topic or a subcommand."),
FlagSpec::new("version", Takes::Version).help("Show the version."),
],
};

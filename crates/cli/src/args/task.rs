use std::path::Path;

use super::{Args, PlanFormat};
use crate::Error;

/// What a command line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// Images.
    Simulate,
    /// A series of them.
    Series,
    /// What would be done, without doing it.
    Plan(PlanFormat),
    /// The images of an earlier run once more, from its record.
    Rerun(&'a Path),
    /// How the runs of two records differ.
    Diff(&'a Path, &'a Path),
}

/// Flags that have a meaning beside `-rerun`: where to write, and how the run goes.
const BESIDE_RERUN: &[&str] = &[
    "rerun",
    "floatfile",
    "intfile",
    "pgmfile",
    "pngfile",
    "cbffile",
    "tiffile",
    "nexusfile",
    "noisefile",
    "exptfile",
    "xdsfile",
    "truthfile",
    "dump",
    "threads",
    "level",
    "max_memory",
    "progress",
    "noprogress",
    "quiet",
    "verbose",
];

/// Flags that have a meaning beside `-diff`.
const BESIDE_DIFF: &[&str] = &["diff", "quiet", "verbose"];

impl Args {
    /// What to do.
    pub fn task(&self) -> Task<'_> {
        let running = &self.running;
        match (&running.diff_paths, &running.rerun_path, running.plan) {
            (Some([a, b]), ..) => Task::Diff(a, b),
            (None, Some(record), _) => Task::Rerun(record),
            (None, None, Some(format)) => Task::Plan(format),
            (None, None, None) if self.series.count().is_some() => Task::Series,
            (None, None, None) => Task::Simulate,
        }
    }
}

/// Refuses flags that could have no effect beside the one that decides what is done.
///
/// # Errors
/// [`Error::NotTogether`] naming both.
pub(super) fn check(args: &Args) -> Result<(), Error> {
    let (flag, beside) = match args.task() {
        Task::Diff(..) => ("diff", BESIDE_DIFF),
        Task::Rerun(_) => ("rerun", BESIDE_RERUN),
        Task::Simulate | Task::Series | Task::Plan(_) => return one_source_of_factors(args),
    };
    match args.given.iter().find(|given| !beside.contains(given)) {
        Some(&other) => Err(Error::NotTogether { flag, other }),
        None => Ok(()),
    }
}

/// Structure factors are listed or worked out, not both.
fn one_source_of_factors(args: &Args) -> Result<(), Error> {
    if args.coordinates.path.is_some() && args.factors.hkl_path.is_some() {
        return Err(Error::NotTogether {
            flag: "pdb",
            other: "hkl",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Invocation;
    use crate::args::find;

    fn understood(line: &str) -> Result<Args, Error> {
        match Invocation::from_words(line.split_whitespace())? {
            Invocation::Run(args) => Ok(*args),
            Invocation::Show(text) => panic!("{text}"),
        }
    }

    #[test]
    fn a_plan_is_text_unless_json_follows() {
        for (line, format) in [
            ("-plan", PlanFormat::Text),
            ("--plan text -N 5", PlanFormat::Text),
            ("-plan json -N 5", PlanFormat::Json),
            ("--plan=json", PlanFormat::Json),
            ("-N 5 -plan", PlanFormat::Text),
        ] {
            let args = understood(line).unwrap();
            assert_eq!(args.task(), Task::Plan(format), "{line}");
        }
        assert_eq!(
            understood("-plan -N 5").unwrap().crystal.cells,
            [Some(5); 3]
        );
    }

    #[test]
    fn a_plan_takes_no_other_word() {
        for line in ["-plan xml", "-plan=xml", "-plan json text"] {
            assert!(understood(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_rerun_goes_with_outputs_and_a_diff_with_nothing() {
        assert!(understood("-rerun a.json -floatfile b -threads 2").is_ok());
        let refusal = |line| understood(line).unwrap_err().to_string();
        assert_eq!(
            refusal("-rerun a.json -N 5"),
            "-rerun and -N do not go together"
        );
        assert_eq!(
            refusal("-diff a b -rerun a"),
            "-diff and -rerun do not go together"
        );
        assert_eq!(
            refusal("-diff a"),
            "-diff needs <file> <file>; values given: 1"
        );
    }

    #[test]
    fn the_flags_that_may_stand_beside_exist() {
        for name in BESIDE_RERUN.iter().chain(BESIDE_DIFF) {
            assert!(find(name).is_some_and(|spec| spec.name == *name), "{name}");
        }
    }
}

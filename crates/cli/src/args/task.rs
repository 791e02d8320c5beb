use std::path::Path;

use super::{Args, PlanFormat};
use crate::Error;

/// The task of a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// Render images.
    Simulate,
    /// Render a series of images.
    Series,
    /// Print the plan without a run.
    Plan(PlanFormat),
    /// Repeat the run of a record.
    Rerun(&'a Path),
    /// Compare the settings of two records.
    Diff(&'a Path, &'a Path),
}

/// Flags that are allowed with `-rerun`: output names, and how the run is carried out.
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
    "geomfile",
    "streamfile",
    "solfile",
    "labelfile",
    "truthfile",
    "dump",
    "threads",
    "level",
    "device",
    "max_memory",
    "progress",
    "noprogress",
    "quiet",
    "verbose",
];

/// Flags that are allowed with `-diff`.
const BESIDE_DIFF: &[&str] = &["diff", "quiet", "verbose"];

impl Args {
    /// The task of these flags.
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

/// Refuses flags that have no effect for the task.
///
/// # Errors
/// [`Error::NotTogether`] with both flags.
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

/// Structure factors are either listed, or listed at several energies, or computed from coordinates.
fn one_source_of_factors(args: &Args) -> Result<(), Error> {
    let given = [
        ("pdb", args.coordinates.path.is_some()),
        ("hkl_at", !args.factors.lists.is_empty()),
        ("hkl", args.factors.hkl_path.is_some()),
    ];
    let mut given = given.into_iter().filter(|(_, is_given)| *is_given);
    match (given.next(), given.next()) {
        (Some((flag, _)), Some((other, _))) => Err(Error::NotTogether { flag, other }),
        _ => Ok(()),
    }
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

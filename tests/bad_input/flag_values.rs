//! What becomes of unusual values, for every flag: `docs/FLAG_VALUES.md` is the table that this makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nanobragg::Cancel;
use nanobragg_cli::args::flag::{FlagSpec, Takes};
use nanobragg_cli::args::groups;
use nanobragg_cli::{Invocation, Job, warnings};
use nanobragg_tests::binary::leftovers_folder;

/// A run in which most flags have a say.
const LINE: &str = "-cell 40 50 60 -default_F 100 -detpixels 8 -N 3 -oversample 1 -seed 1 -osc 1 -dispersion 1 \
                    -divergence 1 -mosaic 1 -detector_thick 100 -detector_abs 200 -distance 90 -beamstop 2,30";

/// The values, and the headings of their columns.
const VALUES: [(&str, &str); 6] = [
    ("zero", "0"),
    ("negative", "-1"),
    ("huge", "1e30"),
    ("NaN", "nan"),
    ("empty", ""),
    ("no number", "x"),
];

const HEAD: &str = "# Unusual values of flags

Made by a test (`tests/bad_input/flag_values.rs`) that gives every flag each of these values, in a run with a sweep, a divergence, a dispersion,
a mosaic spread, a sensor and a beam stop. `0`, `-1`, `1e30`, `nan`, an empty word and `x` stand for them; a flag of several values has all of them alike.

| in the table | |
|---|---|
| taken | the value is used as it stands |
| the same | the run is that without the flag: the value is the default, or belongs to what this run does not do |
| refused | an error that names the flag or the value, with status 1 or 2 |
| anything else | a warning in these words, and the run goes on |

C takes what is no number, and what is missing, for 0.

";

/// The warnings and the settings of a command line, or its error.
fn outcome(words: &[String]) -> Result<(BTreeSet<String>, String), String> {
    let args = match Invocation::from_words(words).map_err(|error| error.to_string())? {
        Invocation::Run(args) => *args,
        Invocation::Show(text) => return Ok((BTreeSet::new(), text)),
    };
    let job = Job::from_args(&args, &Cancel::new()).map_err(|error| error.to_string())?;
    let of_flags = args.warnings.iter().map(ToString::to_string);
    let all = of_flags.chain(warnings(&job)).collect();
    let settings = format!(
        "{}{:?}{}{:?}{:?}{:?}",
        job.resolved.to_tree(&job.spec),
        args.noise,
        job.noise_seed,
        job.spec.response,
        args.output,
        args.series
    );
    Ok((all, settings))
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// What becomes of a value, in a few words.
fn cell(flag: &FlagSpec, value: &str, plain: &(BTreeSet<String>, String)) -> String {
    let mut line = words(LINE);
    line.push(format!("-{}", flag.name));
    line.extend((0..*flag.count().end()).map(|_| value.to_owned()));
    match outcome(&line) {
        Err(message) => {
            let name = format!("-{}", flag.name);
            let tells = message.contains(&name) || (!value.is_empty() && message.contains(value));
            assert!(tells, "{line:?}: {message}");
            "refused".to_owned()
        }
        Ok((warnings, settings)) => {
            let new: Vec<&str> = warnings.difference(&plain.0).map(String::as_str).collect();
            if !new.is_empty() {
                let prefix = format!("-{} {value}: ", flag.name);
                new.join("; ").replace(&prefix, "")
            } else if settings == plain.1 {
                "the same".to_owned()
            } else {
                "taken".to_owned()
            }
        }
    }
}

fn table() -> String {
    let plain = outcome(&words(LINE)).unwrap();
    let mut page = HEAD.to_owned();
    for group in groups() {
        let takes_values = |flag: &&FlagSpec| {
            let takes_none = matches!(flag.takes, Takes::Switch(_) | Takes::Help | Takes::Version);
            // A file may have any name but none.
            !takes_none && !matches!(flag.takes, Takes::Path(_) | Takes::TwoPaths(_))
        };
        let flags: Vec<&FlagSpec> = group.flags.iter().filter(takes_values).collect();
        if flags.is_empty() {
            continue;
        }
        let headings = VALUES.map(|(heading, _)| heading).join(" | ");
        page.push_str(&format!(
            "## {}\n\n| flag | {headings} |\n|---|---|---|---|---|---|---|\n",
            group.heading
        ));
        for flag in flags {
            let cells = VALUES
                .map(|(_, value)| cell(flag, value, &plain))
                .join(" | ");
            page.push_str(&format!("| `-{}` | {cells} |\n", flag.name));
        }
        page.push('\n');
    }
    page.trim_end().to_owned() + "\n"
}

#[test]
fn the_table_of_unusual_values_is_that_of_the_docs() {
    let made = table();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FLAG_VALUES.md");
    let written = fs::read_to_string(&docs).unwrap_or_default();
    if made != written {
        let left = leftovers_folder().join("FLAG_VALUES.md");
        fs::create_dir_all(leftovers_folder()).unwrap();
        fs::write(&left, made).unwrap();
        panic!("docs/FLAG_VALUES.md is not what {} says", left.display());
    }
}

#[test]
fn no_file_has_an_empty_name() {
    for flag in groups().into_iter().flat_map(|group| group.flags) {
        if matches!(flag.takes, Takes::Path(_)) {
            let line = [words(LINE), vec![format!("-{}", flag.name), String::new()]].concat();
            assert!(Invocation::from_words(&line).is_err(), "-{}", flag.name);
        }
    }
}

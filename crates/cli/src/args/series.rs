use super::flag::{FlagSpec, Group, Takes};
use super::{Args, WholeRange};
use crate::Error;
use nanobragg::Misset;
use nanobragg::gradient::CrystalSystem;
use nanobragg::series::{Distribution, Quantity};
use std::path::PathBuf;

/// A series of images from one command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesArgs {
    /// Frames of a rotation series.
    pub frames: Option<u32>,
    /// Shots in random orientations.
    pub shots: Option<u32>,
    /// First and last image to render, both included.
    pub only: Option<[u32; 2]>,
    /// The part to render and the number of parts, both from 1.
    pub shard: Option<[u32; 2]>,
    /// Skip the images that an earlier run has completed.
    pub resume: bool,
    /// The log of the complete images.
    pub log_path: Option<PathBuf>,
    /// Quantities that vary from image to image, in the order of the flags.
    pub vary: Vec<(Quantity, Distribution)>,
    /// What an experiment file says of them does not count.
    pub varies_anew: bool,
    /// The crystal system of a cell that varies.
    pub vary_system: Option<CrystalSystem>,
    /// Seed of the values; `None`: that of the noise.
    pub vary_seed: Option<i64>,
}

impl SeriesArgs {
    /// The number of frames or shots; `None` for a single image.
    pub fn count(&self) -> Option<u32> {
        self.frames.or(self.shots)
    }
}

/// The largest number of frames. The names and states of all frames are kept in memory.
const MOST: i64 = 10_000_000;

const NUMBERS: WholeRange = WholeRange {
    least: 1,
    most: MOST,
};

pub(super) static GROUP: Group = Group {
    heading: "Series",
    flags: &[
        FlagSpec::whole("frames", NUMBERS, |args, n| {
            args.series.frames = Some(super::count(n))
        })
        .help(
            "Render a rotation series of so many images, each over -osc, each beginning where the \
             one before it ended. The names of all outputs get a number; docs/SERIES.md.",
        ),
        FlagSpec::whole("shots", NUMBERS, |args, n| {
            args.series.shots = Some(super::count(n))
        })
        .help(
            "Render so many images of crystals in random orientations, with mosaic domains and \
             noise of their own. Seeds and number decide a shot, so any can be rendered alone.",
        ),
        FlagSpec::new(
            "only",
            Takes::Two(NUMBERS, |args, ends| {
                args.series.only = Some(ends.map(super::count))
            }),
        )
        .values("first last")
        .help("Of a series, render these numbers only, ends included. The first number is 1."),
        FlagSpec::new(
            "shard",
            Takes::Part(MOST, |args, part| {
                args.series.shard = Some(part.map(super::count))
            }),
        )
        .help(
            "Of a series, render part I of N: the numbers I, I + N, I + 2 N and so on. For the \
             jobs of an array, I from 1.",
        ),
        FlagSpec::new("vary", Takes::Text(|args, text| vary(&mut args.series, text)))
            .values("name=distribution")
            .help(
                "Let a quantity vary from image to image of a series: cell_a=normal:0.5%, \
                 fluence=lognormal:0.3, wavelength=uniform:-0.1%,0.1%, N=between:10,30 or \
                 N=choice:10,20. N=12 is the value of every image, or of a single one. May be given \
                 for several quantities; none removes those before it. docs/SERIES.md lists them.",
            )
            .of(&["series.vary"]),
        FlagSpec::new(
            "vary_system",
            Takes::Word(&CrystalSystem::NAMES, |args, name| {
                args.series.vary_system = CrystalSystem::from_name(name);
            }),
        )
        .default("that of the cell")
        .help("The crystal system that ties edges and angles of a cell that varies."),
        FlagSpec::whole("vary_seed", WholeRange::ANY, |args, n| {
            args.series.vary_seed = Some(n)
        })
        .default("that of the noise")
        .help("Seed of the quantities of -vary."),
        FlagSpec::switch("resume", |args| args.series.resume = true).help(
            "Go on with a series that was interrupted: images that are complete and unchanged are \
             left as they are.",
        ),
        FlagSpec::whole("nexus_images_per_file", NUMBERS, |args, n| {
            args.output.files.images_per_file = Some(super::count(n))
        })
        .help(
            "Of a series, so many images in each of the files all_data_000001.h5 and so on; the file \
             of -nexusfile is then their master file.",
        ),
        FlagSpec::path("seriesfile", |args, path| args.series.log_path = Some(path))
            .default("series.jsonl")
            .help(
                "The log of a series, JSON by lines: what it is, and each image that is complete.",
            ),
    ],
};

/// What `-vary` takes.
const VARYING: &str = "a quantity and its distribution, as cell_a=normal:0.5%";

/// Quantities with their distributions, separated by blanks, or the word none.
fn vary(args: &mut SeriesArgs, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace().peekable();
    if words.peek().is_none() {
        return Err(VARYING.to_owned());
    }
    for word in words {
        if word == "none" {
            args.vary.clear();
            args.varies_anew = true;
            continue;
        }
        let (name, distribution) = word.split_once('=').ok_or(VARYING)?;
        let because = |fault: String| format!("{VARYING} ({fault})");
        let quantity: Quantity = name.parse().map_err(because)?;
        let distribution = distribution.parse().map_err(because)?;
        quantity.check_stated(&distribution).map_err(because)?;
        args.vary.retain(|(known, _)| *known != quantity);
        args.vary.push((quantity, distribution));
    }
    Ok(())
}

/// Flags that exclude a series.
const NOT_BESIDE: &[&str] = &["diff", "rerun", "record", "printout", "printout_pixel"];

/// Checks that flags of a series have a series, and that no flag excludes the series.
///
/// # Errors
/// [`Error::NotTogether`], [`Error::Needs`] or [`Error::OutsideSeries`].
pub(super) fn check(args: &Args) -> Result<(), Error> {
    let series = &args.series;
    let flag = match (series.frames, series.shots) {
        (Some(_), Some(_)) => {
            return Err(Error::NotTogether {
                flag: "frames",
                other: "shots",
            });
        }
        (Some(_), None) => "frames",
        (None, Some(_)) => "shots",
        (None, None) => {
            let beside = [
                "only",
                "shard",
                "resume",
                "seriesfile",
                "nexus_images_per_file",
            ];
            return match beside.into_iter().find(|name| args.gives(name)) {
                Some(flag) => Err(Error::Needs {
                    flag,
                    needed: "-frames or -shots",
                }),
                None => Ok(()),
            };
        }
    };
    if args.gives("nexus_images_per_file") && !args.gives("nexusfile") {
        return Err(Error::Needs {
            flag: "nexus_images_per_file",
            needed: "-nexusfile",
        });
    }
    if let Some(other) = NOT_BESIDE.iter().find(|name| args.gives(name)) {
        return Err(Error::NotTogether { flag, other });
    }
    if series.shots.is_some() && matches!(args.crystal.misset, Some(Misset::Angles(_))) {
        return Err(Error::NotTogether {
            flag,
            other: "misset",
        });
    }
    let count = series.count().unwrap_or_default();
    match series.only {
        Some([first, last]) if first > last || last > count => {
            Err(Error::OutsideSeries { first, last, count })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::Invocation;
    use crate::args::Args;

    fn understood(line: &str) -> Result<Args, String> {
        match Invocation::from_words(line.split_whitespace()) {
            Ok(Invocation::Run(args)) => Ok(*args),
            Ok(Invocation::Show(text)) => panic!("{text}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_part_is_written_as_a_fraction() {
        for line in ["-shots 9 -shard 2/3", "--shots 9 --shard=2/3"] {
            assert_eq!(understood(line).unwrap().series.shard, Some([2, 3]));
        }
        for part in [
            "0/3",
            "4/3",
            "2",
            "2/",
            "/3",
            "a/b",
            "-1/3",
            "1/99999999999",
        ] {
            let refusal = understood(&format!("-shots 9 -shard {part}")).unwrap_err();
            assert!(refusal.starts_with("-shard: "), "{part}: {refusal}");
        }
    }

    #[test]
    fn the_last_distribution_of_a_quantity_counts() {
        let line = "-shots 9 -vary N=4 -vary cell_a=normal:0.5% --vary=N=choice:3,5";
        let vary = understood(line).unwrap().series.vary;
        let words = vary
            .iter()
            .map(|(quantity, how)| format!("{quantity}={how}"));
        assert_eq!(
            words.collect::<Vec<_>>(),
            ["cell_a=normal:0.5%", "N=choice:3,5"]
        );
        let none = understood("-shots 9 -vary N=4 -vary none").unwrap().series;
        assert!(none.vary.is_empty() && none.varies_anew);
        for (word, refusal) in [
            ("N", "a quantity and its distribution"),
            ("n=3", "there are cell_a, cell_b,"),
            ("N=gamma:3", "there are normal, lognormal,"),
            ("N=between:3", "two numbers with a comma"),
            ("N=normal:x%", "\"x\" is not a number"),
            ("N=choice:", "\"\" is not a number"),
            (
                "cell_a=normal:nan",
                "; give a quantity and its distribution, as cell_a=normal:0.5% (\"nan\" is not a number)",
            ),
            ("nope=1", "0.5% (\"nope\" cannot vary; there are cell_a,"),
            (
                "cell_a=choice:1e200",
                "(1e+200 is not allowed, it must be from 1e-15 to 1e+15)",
            ),
            ("fluence=choice:1e300", "it must be from 0 to 1e+60)"),
            ("beam_fast=choice:1e300", "it must be from -1e+15 to 1e+15)"),
            (
                "cell_a=normal:-1",
                "(the width is -1, it must be 0 or above)",
            ),
        ] {
            let said = understood(&format!("-shots 9 -vary {word}")).unwrap_err();
            assert!(
                said.starts_with("-vary: ") && said.contains(refusal),
                "{said}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (line, refusal) in [
            (
                "-frames 3 -shots 3",
                "-frames and -shots do not go together",
            ),
            ("-resume", "-resume needs -frames or -shots"),
            (
                "-nexusfile a.h5 -nexus_images_per_file 3",
                "-nexus_images_per_file needs -frames or -shots",
            ),
            (
                "-shots 3 -nexus_images_per_file 3",
                "-nexus_images_per_file needs -nexusfile",
            ),
            ("-shard 1/2", "-shard needs -frames or -shots"),
            (
                "-frames 3 -record a",
                "-frames and -record do not go together",
            ),
            (
                "-shots 3 -misset 1 2 3",
                "-shots and -misset do not go together",
            ),
            (
                "-frames 3 -only 2 4",
                "-only 2 4: the numbers of this series run from 1 to 3",
            ),
            (
                "-frames 3 -only 3 2",
                "-only 3 2: the numbers of this series run from 1 to 3",
            ),
        ] {
            assert_eq!(understood(line).unwrap_err(), refusal);
        }
        assert!(understood("-shots 3 -misset random").is_ok());
        assert!(understood("-frames 0").is_err());
    }
}

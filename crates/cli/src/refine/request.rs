//! The words after `nanoBragg refine`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use nanobragg::ResponseSpec;
use nanobragg::response::{Calibration, ReadOut};
use nanobragg_refine::{
    Bounds, CrystalSystem, Likelihood, RefineSpec, Restraint, Schedule, Selection, Variance,
    parameter,
};

use super::RefineError;
use crate::subcommand::{in_one_line, with_two_dashes};

/// What the help says after the flags.
const AFTER_HELP: &str = "\
The experiment to start from is what ARGUMENTS ask for, an ordinary nanoBragg command line; no image
of it is written. Parameters: cell, misset, beam, or any of cell_a cell_b cell_c cell_alpha cell_beta
cell_gamma misset_x misset_y misset_z distance fluence beam_fast beam_slow detector_rotx
detector_roty detector_rotz twotheta wavelength mosaic_spread and the others of docs/REFINE.md.

Flags may be typed with one dash or two. The exit status is 0 if the refinement has converged, 1 if
it has failed or not converged, 2 for a command line that makes no sense, 130 after an interrupt.";

/// What the words ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// To show this text.
    Show(String),
    /// To refine.
    Refine(Box<Request>),
}

/// A refinement to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The image to fit.
    pub target: PathBuf,
    /// An image that is 0 where the target is not to be used.
    pub mask: Option<PathBuf>,
    /// Counts a photon of an image of counts.
    pub gain: f64,
    /// What is refined, and how.
    pub wanted: RefineSpec,
    /// Where to write the result as JSON; `-` is standard output.
    pub json: Option<PathBuf>,
    /// How the names of the pictures begin.
    pub png: Option<PathBuf>,
    /// Whether to end with the flags that ask for the refined experiment.
    pub output_args: bool,
    /// The command line of the experiment to start from.
    pub words: Vec<OsString>,
}

impl Request {
    /// Reads the words.
    ///
    /// # Errors
    /// [`RefineError::Usage`] for a command line that makes no sense.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Asked, RefineError> {
        let words = with_two_dashes(words.into_iter().map(Into::into));
        match command().try_get_matches_from(words) {
            Ok(matches) => Ok(Asked::Refine(Box::new(Self::from_matches(matches)?))),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Asked::Show(error.render().to_string()))
            }
            Err(error) => Err(RefineError::Usage(in_one_line(&error))),
        }
    }

    fn from_matches(mut matches: ArgMatches) -> Result<Self, RefineError> {
        let mut many = |name: &str| -> Vec<String> {
            let words = matches.remove_many(name);
            words.map(Iterator::collect).unwrap_or_default()
        };
        let [names, bounds, restraints] = ["refine", "bounds", "restrain"].map(&mut many);
        let fault = |fault: nanobragg_refine::Error| RefineError::Usage(fault.to_string());
        let selection: Vec<Selection> = names
            .iter()
            .map(|name| Selection::from_name(name))
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        let defaults = RefineSpec::default();
        let wanted = RefineSpec {
            selection,
            system: (matches.remove_one::<String>("system"))
                .and_then(|name| CrystalSystem::from_name(&name)),
            bounds: bounds
                .iter()
                .map(|word| bound(word))
                .collect::<Result<_, _>>()?,
            restraints: (restraints.iter().map(|word| restraint(word)))
                .collect::<Result<_, _>>()?,
            likelihood: likelihood(&mut matches)?,
            schedule: match matches.remove_one::<String>("schedule").as_deref() {
                Some("final") => Schedule::Final,
                _ => Schedule::WideToNarrow,
            },
            max_iterations: (matches.remove_one::<u32>("iterations"))
                .map_or(defaults.max_iterations, |n| n as usize),
            attempts: (matches.remove_one::<u32>("attempts"))
                .map_or(defaults.attempts, |n| n as usize),
            tolerance: defaults.tolerance,
        };
        let mut path = |name: &str| matches.remove_one::<PathBuf>(name);
        let [target, mask, json, png] = ["target", "mask", "json", "png"].map(&mut path);
        Ok(Self {
            // clap has seen to it that there is one.
            target: target.unwrap_or_default(),
            mask,
            json,
            png,
            gain: matches.remove_one("gain").unwrap_or(1.0),
            wanted,
            output_args: matches.get_flag("output-args"),
            words: (matches.remove_many("arguments").into_iter())
                .flatten()
                .collect(),
        })
    }
}

/// clap's view of the flags.
fn command() -> Command {
    let path = ValueParser::path_buf;
    let flag = |name: &'static str| Arg::new(name).long(name);
    let number = |name: &'static str| {
        flag(name)
            .value_parser(value_parser!(f64))
            .allow_negative_numbers(true)
    };
    let count = |name: &'static str| {
        flag(name)
            .value_name("N")
            .value_parser(value_parser!(u32).range(1..=100_000))
    };
    let systems = CrystalSystem::ALL.map(CrystalSystem::name);
    Command::new("refine")
        .about("Fits cell, orientation, geometry and more of an experiment to an image.")
        .override_usage("nanoBragg refine --target IMAGE [flags] -- ARGUMENTS")
        .after_help(AFTER_HELP)
        .no_binary_name(true)
        .args([
            flag("target")
                .value_name("IMAGE")
                .value_parser(path())
                .required(true)
                .help("The image to fit: raw floats are photons; SMV and PGM are counts"),
            flag("mask")
                .value_name("IMAGE")
                .value_parser(path())
                .help("An SMV image or raw floats that are 0 where the target is not to be used"),
            number("gain")
                .value_name("G")
                .help("Counts a photon of SMV; their offset is that of -adc [default: 1]"),
            flag("refine")
                .value_name("NAMES")
                .value_delimiter(',')
                .default_value("cell,misset")
                .help("What to refine, with commas"),
            flag("system")
                .value_name("SYSTEM")
                .value_parser(systems)
                .help("Crystal system that ties the cell; if not given, what the start obeys"),
            flag("bounds")
                .value_name("NAME=LOW:HIGH")
                .action(ArgAction::Append)
                .help("A range that a parameter may not leave; may be given again"),
            flag("restrain")
                .value_name("NAME=VALUE+-SIGMA")
                .action(ArgAction::Append)
                .help("What is known of a parameter beforehand; may be given again"),
            flag("likelihood")
                .value_name("KIND")
                .value_parser(["poisson", "gaussian"])
                .help("How counts scatter about what is expected [default: poisson]"),
            number("readout")
                .value_name("PHOTONS")
                .help("Gaussian: standard deviation of a dark pixel [default: 1]"),
            number("calibration")
                .value_name("FRACTION")
                .help("Gaussian: standard deviation of the calibration of a pixel [default: 0]"),
            number("sigma")
                .value_name("PHOTONS")
                .conflicts_with_all(["readout", "calibration"])
                .help("Gaussian: the same standard deviation everywhere"),
            flag("schedule")
                .value_name("SCHEDULE")
                .value_parser(["wide-to-narrow", "final"])
                .help("Through stages, or with the last one only [default: wide-to-narrow]"),
            count("iterations").help("The most steps of a stage [default: 100]"),
            count("attempts")
                .help("The most starts, while noise does not explain the residuals [default: 6]"),
            flag("json")
                .value_name("FILE")
                .value_parser(path())
                .help("Write the result as JSON; to standard output, and nothing else, if it is -"),
            flag("png")
                .value_name("PREFIX")
                .value_parser(path())
                .help("Draw PREFIX_before.png, PREFIX_after.png and PREFIX_residual.png"),
            flag("output-args")
                .action(ArgAction::SetTrue)
                .help("End with the command line of the refined experiment"),
            Arg::new("arguments")
                .value_name("ARGUMENTS")
                .num_args(1..)
                .last(true)
                .required(true)
                .value_parser(ValueParser::os_string())
                .help("The experiment to start from"),
        ])
}

fn likelihood(matches: &mut ArgMatches) -> Result<Likelihood, RefineError> {
    let mut number = |name: &str| matches.remove_one::<f64>(name);
    let [readout, calibration, sigma] = ["readout", "calibration", "sigma"].map(&mut number);
    let is_gaussian = (matches.remove_one::<String>("likelihood")).as_deref() == Some("gaussian");
    let given = [readout, calibration, sigma].iter().any(Option::is_some);
    if given && !is_gaussian {
        let fault = "--readout, --calibration and --sigma need --likelihood gaussian";
        return Err(RefineError::Usage(fault.to_owned()));
    }
    let likelihood = match sigma {
        _ if !is_gaussian => Likelihood::Poisson,
        Some(sigma) => Likelihood::Gaussian(Variance::Fixed { sigma }),
        None => Likelihood::Gaussian(Variance::Counting(Box::new(ResponseSpec {
            calibration: calibration.map(|sigma_fraction| Calibration {
                sigma_fraction,
                ..Calibration::default()
            }),
            // Of a target in photons, for which a count is a photon.
            read_out: Some(ReadOut {
                sigma_counts: readout.unwrap_or(1.0),
            }),
            ..ResponseSpec::default()
        }))),
    };
    let fault = |fault: nanobragg_refine::Error| RefineError::Usage(fault.to_string());
    likelihood.check().map_err(fault)?;
    Ok(likelihood)
}

/// `cell_a=58:60`.
fn bound(word: &str) -> Result<(nanobragg::gradient::Parameter, Bounds), RefineError> {
    let (name, low, high) = named_pair(word, ":", "NAME=LOW:HIGH")?;
    Ok((name, Bounds { low, high }))
}

/// `cell_a=59.1+-0.2`.
fn restraint(word: &str) -> Result<(nanobragg::gradient::Parameter, Restraint), RefineError> {
    let (name, value, sigma) = named_pair(word, "+-", "NAME=VALUE+-SIGMA")?;
    Ok((name, Restraint { value, sigma }))
}

fn named_pair(
    word: &str,
    between: &str,
    form: &str,
) -> Result<(nanobragg::gradient::Parameter, f64, f64), RefineError> {
    let numbers = word.split_once('=').and_then(|(name, numbers)| {
        let (first, second) = numbers.split_once(between)?;
        let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
        Some((name, number(first)?, number(second)?))
    });
    let (name, first, second) =
        numbers.ok_or_else(|| RefineError::Usage(format!("{word} is not of the form {form}")))?;
    let name = parameter(name).map_err(|fault| RefineError::Usage(fault.to_string()))?;
    Ok((name, first, second))
}

#[cfg(test)]
mod tests {
    use nanobragg::gradient::Parameter;

    use super::*;

    fn request(line: &str) -> Request {
        match Request::from_words(line.split_whitespace()) {
            Ok(Asked::Refine(request)) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn clap_finds_the_flags_consistent() {
        command().debug_assert();
    }

    #[test]
    fn what_is_known_of_parameters_is_read() {
        let request = request(
            "-target t -refine cell,misset_x -bounds cell_a=58:60 -restrain misset_x=-3+-0.5 \
             -likelihood gaussian -readout 2 -output-args -- -N 5 -target u",
        );
        assert_eq!(request.target, PathBuf::from("t"));
        let wanted = request.wanted;
        assert_eq!(
            wanted.selection,
            [Selection::Cell, Selection::One(Parameter::MissetX)]
        );
        let bounds = Bounds {
            low: 58.0,
            high: 60.0,
        };
        assert_eq!(wanted.bounds, [(Parameter::CellA, bounds)]);
        let restraint = Restraint {
            value: -3.0,
            sigma: 0.5,
        };
        assert_eq!(wanted.restraints, [(Parameter::MissetX, restraint)]);
        let variance = Variance::Counting(Box::new(ResponseSpec {
            read_out: Some(ReadOut { sigma_counts: 2.0 }),
            ..ResponseSpec::default()
        }));
        assert_eq!(wanted.likelihood, Likelihood::Gaussian(variance));
        assert!(request.output_args);
        assert_eq!(request.words.len(), 4);
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for (line, why) in [
            ("", "--target"),
            ("-target t", "ARGUMENTS"),
            (
                "-target t -refine cel -- -N 5",
                "cel is nothing that can be refined",
            ),
            ("-target t -bounds cell_a=3 -- -N 5", "NAME=LOW:HIGH"),
            (
                "-target t -restrain cell_a=3+-x -- -N 5",
                "NAME=VALUE+-SIGMA",
            ),
            ("-target t -system round -- -N 5", "'round'"),
            ("-target t -sigma 1 -- -N 5", "--likelihood gaussian"),
            ("-target t -likelihood gaussian -sigma 0 -- -N 5", "above 0"),
            ("-target t -iterations 0 -- -N 5", "'0'"),
        ] {
            let error = Request::from_words(line.split_whitespace()).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(why) && error.is_usage(), "{line}: {text}");
            assert!(!text.contains('\n'));
        }
    }
}

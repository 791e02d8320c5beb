//! The words after `nanoBragg refine`.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::ResponseSpec;
use nanobragg::response::{Calibration, ReadOut};
use nanobragg_refine::{
    Bounds, CrystalSystem, Likelihood, RefineSpec, Restraint, Schedule, Selection, Variance,
    parameter,
};

use super::RefineError;
use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, count};

/// The request for a refinement.
#[derive(Debug, Clone, PartialEq)]
pub struct RefineRequest {
    /// The target images.
    pub targets: Vec<PathBuf>,
    /// A file with a line of further words for each image.
    pub each: Option<PathBuf>,
    /// An image that is 0 at pixels of the target that are not used.
    pub mask: Option<PathBuf>,
    /// Counts per photon of a target in counts.
    pub gain: f64,
    /// The refined parameters and the method.
    pub wanted: RefineSpec,
    /// The JSON output; `-` is standard output.
    pub json: Option<PathBuf>,
    /// The beginning of the names of the pictures.
    pub png: Option<PathBuf>,
    /// Whether to print the flags of the refined experiment at the end.
    pub output_args: bool,
    /// The command line of the start.
    pub words: Vec<OsString>,
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct RefineWords {
    targets: Vec<PathBuf>,
    each: Option<PathBuf>,
    mask: Option<PathBuf>,
    gain: Option<f64>,
    names: Option<String>,
    own_names: Option<String>,
    bounds: Vec<String>,
    restraints: Vec<String>,
    is_gaussian: bool,
    readout: Option<f64>,
    calibration: Option<f64>,
    sigma: Option<f64>,
    /// Crystal system, schedule, iterations and attempts; the other fields are set from the other words.
    wanted: RefineSpec,
    json: Option<PathBuf>,
    png: Option<PathBuf>,
    output_args: bool,
    arguments: Vec<OsString>,
}

impl RefineRequest {
    /// Parses the words.
    ///
    /// # Errors
    /// [`RefineError::Usage`] for a wrong command line.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Command<Self>, RefineError> {
        let read = TOOL.read(words.into_iter().map(Into::into));
        read.map_err(RefineError::Usage)?.try_map(Self::of)
    }

    fn of(words: RefineWords) -> Result<Self, RefineError> {
        let fault = |fault: nanobragg_refine::Error| RefineError::Usage(fault.to_string());
        let names = words.names.as_deref().unwrap_or(DEFAULT_NAMES);
        let selection = |names: &str| -> Result<Vec<Selection>, RefineError> {
            let names = names.split(',').map(Selection::from_name);
            names.collect::<Result<_, _>>().map_err(fault)
        };
        let own = words.own_names.as_deref().map(selection).transpose()?;
        let wanted = RefineSpec {
            selection: selection(names)?,
            per_image: own.unwrap_or_default(),
            bounds: (words.bounds.iter().map(|word| bound(word))).collect::<Result<_, _>>()?,
            restraints: (words.restraints.iter().map(|word| restraint(word)))
                .collect::<Result<_, _>>()?,
            likelihood: likelihood(&words)?,
            ..words.wanted
        };
        Ok(Self {
            targets: words.targets,
            each: words.each,
            mask: words.mask,
            json: words.json,
            png: words.png,
            gain: words.gain.unwrap_or(1.0),
            wanted,
            output_args: words.output_args,
            words: words.arguments,
        })
    }
}

/// The parameters that are refined by default.
const DEFAULT_NAMES: &str = "cell,misset";

/// The largest number of iterations, and of attempts.
const MOST: u32 = 100_000;

type Spec = Flag<RefineWords>;

pub(crate) static TOOL: Tool<RefineWords> = Tool {
    name: "refine",
    about: "Fits an experiment to an image: cell, orientation, geometry and more.",
    usage: &[
        "nanoBragg refine --target IMAGE [flags] -- ARGUMENTS",
        "nanoBragg refine --target turn_####.cbf [flags] -- ARGUMENTS -frames 20",
    ],
    places: &[Place {
        name: "ARGUMENTS",
        synopsis: "<ARGUMENTS>...",
        is_rest: true,
        set: |words, word| words.arguments.push(word),
        help: "The experiment to start from",
    }],
    flags: &[
        Spec::path("target", |words, path| words.targets.push(path))
        .values("IMAGE").help("The image to fit, SMV, CBF, TIFF, NXmx, PGM or NPY; or raw floats, which are photons. May be given again for further images; FILE#3-9 is several of one file"),
        Spec::path("each", |words, path| words.each = Some(path))
        .values("FILE").help("A line for each image with further ARGUMENTS for it, such as its -misset"),
        Spec::path("mask", |words, path| words.mask = Some(path))
        .values("IMAGE").help("An image of any of these formats that is 0, or masked, where the target is not to be used"),
        Spec::new("gain", Takes::Float(|words, v| words.gain = Some(v)))
        .default("1")
        .values("G").help("Counts a photon; their offset is that of -adc"),
        Spec::new("refine", Takes::Text(|words, names| {
                words.names = Some(names.to_owned());
                Ok(())
            }))
        .default(DEFAULT_NAMES)
        .values("NAMES").help("What to refine, with commas; of several images what they share"),
        Spec::new("per-image", Takes::Text(|words, names| {
                words.own_names = Some(names.to_owned());
                Ok(())
            }))
        .values("NAMES").help("What each of several images has of its own, with commas"),
        Spec::new("system", Takes::Word(&CrystalSystem::NAMES, |words, name| words.wanted.system = CrystalSystem::from_name(name)))
        .values("SYSTEM").help("Crystal system that ties the cell; if not given, what the start obeys"),
        Spec::new("bounds", Takes::Text(|words, word| {
                words.bounds.push(word.to_owned());
                Ok(())
            }))
        .values("NAME=LOW:HIGH").help("A range that a parameter may not leave; may be given again"),
        Spec::new("restrain", Takes::Text(|words, word| {
                words.restraints.push(word.to_owned());
                Ok(())
            }))
        .values("NAME=VALUE+-SIGMA").help("What is known of a parameter beforehand; may be given again"),
        Spec::new("likelihood", Takes::Word(&["poisson", "gaussian"], |words, word| words.is_gaussian = word == "gaussian"))
        .default("poisson")
        .values("KIND").help("How counts scatter about what is expected"),
        Spec::new("readout", Takes::Float(|words, v| words.readout = Some(v)))
        .default("1")
        .values("PHOTONS").help("Gaussian: standard deviation of a dark pixel"),
        Spec::new("calibration", Takes::Float(|words, v| words.calibration = Some(v)))
        .default("0")
        .values("FRACTION").help("Gaussian: standard deviation of the calibration of a pixel"),
        Spec::new("sigma", Takes::Float(|words, v| words.sigma = Some(v)))
        .values("PHOTONS").help("Gaussian: the same standard deviation everywhere"),
        Spec::new("schedule", Takes::Word(&["wide-to-narrow", "final"], |words, word| {
                    words.wanted.schedule = match word {
                        "final" => Schedule::Final,
                        _ => Schedule::WideToNarrow,
                    };
                }))
        .default("wide-to-narrow")
        .values("SCHEDULE").help("Through stages, or with the last one only"),
        Spec::new("iterations", Takes::Text(|words, word| {
                words.wanted.max_iterations = count(word, MOST)? as usize;
                Ok(())
            }))
        .default("100")
        .values("N").help("The most steps of a stage"),
        Spec::new("attempts", Takes::Text(|words, word| {
                words.wanted.attempts = count(word, MOST)? as usize;
                Ok(())
            }))
        .default("6")
        .values("N").help("The most starts, while noise does not explain the residuals"),
        Spec::path("json", |words, path| words.json = Some(path))
        .values("FILE").help("Write the result as JSON; to standard output, and nothing else, if it is -"),
        Spec::path("png", |words, path| words.png = Some(path))
        .values("PREFIX").help("Draw PREFIX_before.png, PREFIX_after.png and PREFIX_residual.png"),
        Spec::switch("output-args", |words| words.output_args = true).help("End with the command line of the refined experiment"),
    ],
    examples: &["nanoBragg refine -target noisy.img -refine misset,distance -json refined.json -- -experiment start.toml"],
    notes: "\
The experiment to start from is what ARGUMENTS ask for, an ordinary nanoBragg command line; no image
of it is written. Parameters: cell, misset, beam, or any of cell_a cell_b cell_c cell_alpha cell_beta
cell_gamma misset_x misset_y misset_z distance fluence beam_fast beam_slow detector_rotx
detector_roty detector_rotz twotheta wavelength mosaic_spread and the others of docs/REFINE.md.

If ARGUMENTS ask for a series (-frames, -shots, -only), its images are fitted together. The target of
image 7 is turn_0007.cbf of turn_####.cbf, or FILE#7; or the targets are in the order of the numbers.

Flags may be typed with one dash or two. The exit status is 0 if the refinement has converged, 1 if
it has failed or not converged, 2 for a command line that makes no sense, 3 if it is at a minimum
that noise does not explain, 130 after an interrupt.",
    many: &["target", "bounds", "restrain"],
    required: &[&["target"], &["ARGUMENTS"]],
    needs: &[],
    excludes: &[("sigma", &["readout", "calibration"])],
};

fn likelihood(words: &RefineWords) -> Result<Likelihood, RefineError> {
    let RefineWords {
        readout,
        calibration,
        sigma,
        is_gaussian,
        ..
    } = *words;
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
            // For a target in photons, in which a count is a photon.
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

    fn request(line: &str) -> RefineRequest {
        match RefineRequest::from_words(line.split_whitespace()) {
            Ok(Command::Run(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_known_of_parameters_is_read() {
        let request = request(
            "-target t -refine cell,misset_x -bounds cell_a=58:60 -restrain misset_x=-3+-0.5 \
             -likelihood gaussian -readout 2 -output-args -- -N 5 -target u",
        );
        assert_eq!(request.targets, [PathBuf::from("t")]);
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
            let error = RefineRequest::from_words(line.split_whitespace()).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(why) && error.is_usage(), "{line}: {text}");
            assert!(!text.contains('\n'));
        }
    }
}

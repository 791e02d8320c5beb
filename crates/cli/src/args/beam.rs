use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Args, Range, WholeRange};
use crate::Error;
use nanobragg::sources::spectrum::NamedSpectrum;
use nanobragg::{Profile, SourceWeights, SpectrumFrom, SpectrumUnit};
use std::path::PathBuf;

/// The product of photon energy and wavelength, in electronvolt times Angstrom.
const EV_ANGSTROM: f64 = 12398.42;

/// Spectrum, divergence, polarization and intensity of the beam. Pairs are `[horizontal, vertical]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BeamArgs {
    /// Wavelength in Angstrom, from `-lambda` or `-energy`.
    pub wavelength_a: Option<f64>,
    /// Width of the spectrum relative to the wavelength, in percent.
    pub dispersion_percent: Option<f64>,
    /// Number of wavelengths.
    pub dispersion_steps: Option<u32>,
    /// Horizontal and vertical divergence; below 0 counts as not given.
    pub divergence_mrad: [Option<f64>; 2],
    /// Steps of the divergence; 0 or less counts as not given.
    pub divergence_step_mrad: [Option<f64>; 2],
    /// Numbers of directions.
    pub divergence_steps: [Option<u32>; 2],
    /// Keep the corners of the grid of directions.
    pub square_divergence: bool,
    /// The photons over the directions.
    pub divergence_profile: Option<Profile>,
    /// The photons over the wavelengths.
    pub dispersion_profile: Option<Profile>,
    /// List of sources, which replaces the grid.
    pub source_path: Option<PathBuf>,
    /// Whether the weights of listed sources count.
    pub weights: Option<SourceWeights>,
    /// The spectrum, which replaces the dispersion.
    pub spectrum: Option<SpectrumFrom>,
    /// The first column of a file with a spectrum.
    pub spectrum_unit: Option<SpectrumUnit>,
    /// The number of wavelengths of the spectrum.
    pub spectrum_steps: Option<u32>,
    /// The column of weights of the file of the spectrum.
    pub spectrum_column: Option<u32>,
    /// The lowest and the highest energy of the spectrum that are used.
    pub spectrum_window_ev: Option<[f64; 2]>,
    /// Kahn's polarization factor.
    pub polarization: Option<f64>,
    /// Omit the polarization correction.
    pub no_polarization: bool,
    /// Photons per square metre.
    pub fluence_per_m2: Option<f64>,
    /// Photons per second.
    pub flux_per_s: Option<f64>,
    /// Exposure in seconds.
    pub exposure_s: Option<f64>,
    /// Edge of the square beam.
    pub size_mm: Option<f64>,
    /// Thickness of water in the beam.
    pub water_um: Option<f64>,
}

fn profile(word: &str) -> Profile {
    match word {
        "gaussian" => Profile::Gaussian,
        _ => Profile::Flat,
    }
}

/// A spectrum with a name, or a file.
fn spectrum(args: &mut Args, text: &str) -> Result<(), String> {
    let from = if NamedSpectrum::is_named(text) {
        SpectrumFrom::Named(text.parse()?)
    } else if text.is_empty() {
        return Err("the name of a file or of a spectrum".to_owned());
    } else {
        SpectrumFrom::File {
            path: PathBuf::from(text),
            unit: None,
        }
    };
    args.beam.spectrum = Some(from);
    Ok(())
}

/// Two energies, `11900,12100`.
fn window(args: &mut Args, text: &str) -> Result<(), String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let ends = text.split_once(',');
    let ends = ends.and_then(|(low, high)| Some([number(low)?, number(high)?]));
    let is_window = |[low, high]: &[f64; 2]| 0.0 < *low && low < high && high.is_finite();
    let ends = ends.filter(is_window);
    args.beam.spectrum_window_ev = Some(ends.ok_or("two rising energies in eV, as 11900,12100")?);
    Ok(())
}

/// Refuses flags that give the wavelengths twice, and flags of a spectrum without one.
///
/// # Errors
/// [`Error::NotTogether`] and [`Error::Needs`].
pub(super) fn check(args: &Args) -> Result<(), Error> {
    let flag = "spectrum";
    let others = [
        "sourcefile",
        "dispersion",
        "dispsteps",
        "dispersion_profile",
    ];
    if args.gives(flag)
        && let Some(other) = others.into_iter().find(|other| args.gives(other))
    {
        return Err(Error::NotTogether { flag, other });
    }
    let beside = [
        "spectrum_unit",
        "spectrum_steps",
        "spectrum_window",
        "spectrum_column",
    ];
    let has_spectrum =
        args.gives(flag) || args.running.experiment_path.is_some() || args.base.is_some();
    match beside.into_iter().find(|flag| args.gives(flag)) {
        Some(flag) if !has_spectrum => Err(Error::Needs {
            flag,
            needed: "-spectrum",
        }),
        _ => Ok(()),
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Beam",
    flags: &[
        FlagSpec::number("lambda", "A", Range::AboveZero, |args, v| {
            args.beam.wavelength_a = Some(v)
        })
        .or(&["wave", "wavelength"])
        .default("1")
        .help("Wavelength.")
        .of(&["beam.wavelength"]),
        FlagSpec::number("energy", "eV", Range::AboveZero, |args, v| {
            args.beam.wavelength_a = Some(EV_ANGSTROM / v)
        })
        .help("Photon energy, instead of a wavelength.")
        .of(&["beam.wavelength"]),
        FlagSpec::number("dispersion", "%", Range::Any, |args, v| {
            args.beam.dispersion_percent = Some(v)
        })
        .default("0")
        .replaces(Replaced::negative, "it counts as not given")
        .help("Range of wavelengths over the wavelength; 0 or less is none.")
        .of(&["beam.dispersion.range"]),
        FlagSpec::whole("dispsteps", WholeRange::COUNT, |args, n| {
            args.beam.dispersion_steps = super::positive(n)
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Wavelengths in that range; 0 or less counts as not given.")
        .of(&["beam.dispersion.count"]),
        FlagSpec::number("divergence", "mrad", Range::Any, |args, v| {
            args.beam.divergence_mrad = [Some(v); 2]
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help(
            "Range of beam directions, horizontally and vertically; below 0 counts as not given.",
        ),
        FlagSpec::number("hdivrange", "mrad", Range::Any, |args, v| {
            args.beam.divergence_mrad[0] = Some(v)
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help("Horizontal range of beam directions.")
        .of(&["beam.divergence.horizontal"]),
        FlagSpec::number("vdivrange", "mrad", Range::Any, |args, v| {
            args.beam.divergence_mrad[1] = Some(v)
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help("Vertical range of beam directions.")
        .of(&["beam.divergence.vertical"]),
        FlagSpec::number("hdivstep", "mrad", Range::Any, |args, v| {
            args.beam.divergence_step_mrad[0] = Some(v)
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Step between them, horizontally; 0 or less counts as not given.")
        .of(&["beam.divergence.horizontal"]),
        FlagSpec::number("vdivstep", "mrad", Range::Any, |args, v| {
            args.beam.divergence_step_mrad[1] = Some(v)
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Step between them, vertically; 0 or less counts as not given.")
        .of(&["beam.divergence.vertical"]),
        FlagSpec::whole("divsteps", WholeRange::COUNT, |args, n| {
            args.beam.divergence_steps = [super::positive(n); 2]
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Directions, horizontally and vertically; 0 or less counts as not given.")
        .of(&["beam.divergence.count"]),
        FlagSpec::whole("hdivsteps", WholeRange::COUNT, |args, n| {
            args.beam.divergence_steps[0] = super::positive(n)
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Directions, horizontally.")
        .of(&[
            "beam.divergence.horizontal",
            "beam.divergence.horizontal.count",
        ]),
        FlagSpec::whole("vdivsteps", WholeRange::COUNT, |args, n| {
            args.beam.divergence_steps[1] = super::positive(n)
        })
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Directions, vertically.")
        .of(&["beam.divergence.vertical", "beam.divergence.vertical.count"]),
        FlagSpec::switch("round_div", |args| args.beam.square_divergence = false)
            .help("Round off the corners of the grid of directions. This is the default."),
        FlagSpec::switch("square_div", |args| args.beam.square_divergence = true)
            .help("Keep the corners.")
            .of(&["beam.divergence.outline"]),
        FlagSpec::new(
            "divergence_profile",
            Takes::Word(Profile::NAMES, |args, word| {
                args.beam.divergence_profile = Some(profile(word));
            }),
        )
        .default("flat")
        .help(
            "How the photons are spread over the directions: evenly, or as a Gaussian whose FWHM \
             is half of the range.",
        )
        .of(&["beam.divergence.profile"]),
        FlagSpec::new(
            "dispersion_profile",
            Takes::Word(Profile::NAMES, |args, word| {
                args.beam.dispersion_profile = Some(profile(word));
            }),
        )
        .default("flat")
        .help("The same for the wavelengths of -dispersion.")
        .of(&["beam.dispersion.profile"]),
        FlagSpec::new("spectrum", Takes::Text(spectrum))
            .files(|_, text| (!NamedSpectrum::is_named(text)).then_some(0))
            .values("FILE|NAME:...")
            .help(
                "Spectrum of the beam in place of -dispersion: a text file of energy or wavelength \
                 and weight, or about the wavelength gaussian:FWHM, \
                 sase:BANDWIDTH,SPIKE[,SEED], two-colour:SEPARATION,RATIO[,FWHM] or \
                 pink:undulator[,TAIL,EDGE], widths with a unit as 30eV or 0.2%. Sources have \
                 weights with a mean of 1.",
            )
            .of(&["beam.spectrum"]),
        FlagSpec::new(
            "spectrum_unit",
            Takes::Text(|args, text| {
                args.beam.spectrum_unit = Some(text.parse()?);
                Ok(())
            }),
        )
        .values("eV|keV|A")
        .help("First column of the file of -spectrum, if its first line does not tell.")
        .of(&["beam.spectrum"]),
        FlagSpec::whole("spectrum_steps", WholeRange::ONE_OR_MORE, |args, n| {
            args.beam.spectrum_steps = super::positive(n)
        })
        .help(
            "Wavelengths that stand for the spectrum; every line of a file and 100 of a smooth \
             spectrum if not given.",
        )
        .of(&["beam.spectrum"]),
        FlagSpec::whole("spectrum_column", WholeRange::ONE_OR_MORE, |args, n| {
            args.beam.spectrum_column = super::positive(n)
        })
        .help("Column of weights of a file with several spectra, counted from 1.")
        .of(&["beam.spectrum"]),
        FlagSpec::new("spectrum_window", Takes::Text(window))
            .values("LOW,HIGH(eV)")
            .help("Energies of the spectrum that are used.")
            .of(&["beam.spectrum"]),
        FlagSpec::path("sourcefile", |args, path| {
            args.beam.source_path = Some(path)
        })
        .help(
            "List of sources, one X Y Z weight wavelength(m) per line, instead of a grid of \
             directions and wavelengths. Every source counts the same, whatever its weight, unless \
             -weights says otherwise.",
        )
        .of(&["beam.sources"]),
        FlagSpec::new(
            "weights",
            Takes::Word(&["ignore", "use"], |args, word| {
                args.beam.weights = Some(match word {
                    "use" => SourceWeights::Use,
                    _ => SourceWeights::Ignore,
                });
            }),
        )
        .default("ignore")
        .help(
            "Whether the weights of -sourcefile count in the image, divided by their mean. The C \
             program ignores them.",
        )
        .of(&["beam.weights"]),
        FlagSpec::number("polar", "", Range::Any, |args, v| {
            args.beam.polarization = Some(v);
            args.beam.no_polarization = false;
        })
        .default("0")
        .help("Kahn's polarization factor, between -1 and 1."),
        FlagSpec::switch("nopolar", |args| args.beam.no_polarization = true)
            .help("Leave the polarization correction out. A -polar after it brings it back."),
        FlagSpec::number("fluence", "photons/m^2", Range::ZeroOrMore, |args, v| {
            args.beam.fluence_per_m2 = Some(v)
        })
        .default("1.26e29")
        .help("Photons per area over the whole exposure."),
        FlagSpec::number("flux", "photons/s", Range::ZeroOrMore, |args, v| {
            args.beam.flux_per_s = Some(v)
        })
        .replaces(|value| value == 0.0, "it counts as not given")
        .help(
            "With -exposure and -beamsize it gives the fluence, and wins over -fluence; 0 \
             counts as not given.",
        )
        .of(&["beam.flux"]),
        FlagSpec::number("exposure", "s", Range::Any, |args, v| {
            args.beam.exposure_s = Some(v)
        })
        .default("1")
        .replaces(
            Replaced::not_positive,
            "the fluence is not taken from the flux",
        )
        .help("Exposure time.")
        .of(&["beam.exposure"]),
        FlagSpec::number("beamsize", "mm", Range::Any, |args, v| {
            args.beam.size_mm = Some(v)
        })
        .default("0.1")
        .replaces(
            Replaced::negative,
            "the beam is wider than any crystal and has no area",
        )
        .help(
            "Edge of the beam. A crystal wider than it is cut to it; below 0 it is without \
             bounds.",
        )
        .of(&["beam.size"]),
        FlagSpec::number("water", "um", Range::ZeroOrMore, |args, v| {
            args.beam.water_um = Some(v)
        })
        .default("0")
        .help("Thickness of water in the beam, for a flat background."),
        FlagSpec::number("hdiv", "mrad", Range::Any, |_, _| {})
            .ignored()
            .help("Not used; -hdivrange is meant."),
        FlagSpec::number("vdiv", "mrad", Range::Any, |_, _| {})
            .ignored()
            .help("Not used; -vdivrange is meant."),
        FlagSpec::number("dispstep", "n", Range::Any, |_, _| {})
            .ignored()
            .help("Not used; -dispsteps is meant."),
        FlagSpec::number("source_dist", "mm", Range::Any, |_, _| {})
            .ignored()
            .or(&["source_distance"])
            .help("Not used."),
    ],
};

use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};
use std::path::PathBuf;

/// Electronvolts times Angstrom: the wavelength of a photon is this over its energy.
const EV_ANGSTROM: f64 = 12398.42;

/// Spectrum, divergence, polarization and intensity of the beam. Pairs are `[horizontal, vertical]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BeamArgs {
    /// Wavelength in Angstrom, from `-lambda` or `-energy`.
    pub wavelength_a: Option<f64>,
    /// Width of the spectrum over the wavelength, in percent.
    pub dispersion_percent: Option<f64>,
    /// Wavelengths.
    pub dispersion_steps: Option<u32>,
    /// Ranges of direction; below 0 counts as not given.
    pub divergence_mrad: [Option<f64>; 2],
    /// Steps of direction; 0 or less counts as not given.
    pub divergence_step_mrad: [Option<f64>; 2],
    /// Counts of directions.
    pub divergence_steps: [Option<u32>; 2],
    /// Keep the corners of the grid of directions.
    pub square_divergence: bool,
    /// List of sources, instead of a grid.
    pub source_path: Option<PathBuf>,
    /// Kahn's polarization factor.
    pub polarization: Option<f64>,
    /// Leave the polarization correction out.
    pub no_polarization: bool,
    /// Photons per square metre.
    pub fluence_per_m2: Option<f64>,
    /// Photons per second.
    pub flux_per_s: Option<f64>,
    /// Exposure in seconds.
    pub exposure_s: Option<f64>,
    /// Edge of the beam, a square.
    pub size_mm: Option<f64>,
    /// Thickness of water in the beam.
    pub water_um: Option<f64>,
}

const fn number(
    name: &'static str,
    unit: &'static str,
    range: Range,
    set: fn(&mut Args, f64),
    help: &'static str,
) -> FlagSpec {
    FlagSpec::new(name, Takes::Number { unit, range, set }, help)
}

const fn steps(name: &'static str, set: fn(&mut Args, i64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::COUNT,
            set,
        },
        help,
    )
}

/// A flag in documents of the C program, which never looked at it.
const fn unused(name: &'static str, unit: &'static str, help: &'static str) -> FlagSpec {
    number(name, unit, Range::Any, |_, _| {}, help).ignored()
}

pub(super) static GROUP: Group = Group {
    heading: "Beam",
    flags: &[
        number(
            "lambda",
            "A",
            Range::AboveZero,
            |args, v| args.beam.wavelength_a = Some(v),
            "Wavelength.",
        )
        .or(&["wave", "wavelength"])
        .default("1"),
        number(
            "energy",
            "eV",
            Range::AboveZero,
            |args, v| args.beam.wavelength_a = Some(EV_ANGSTROM / v),
            "Photon energy, instead of a wavelength.",
        ),
        number(
            "dispersion",
            "%",
            Range::Any,
            |args, v| args.beam.dispersion_percent = Some(v),
            "Range of wavelengths over the wavelength; 0 or less is none.",
        )
        .default("0"),
        steps(
            "dispsteps",
            |args, n| args.beam.dispersion_steps = super::positive(n),
            "Wavelengths in that range; 0 or less counts as not given.",
        ),
        number(
            "divergence",
            "mrad",
            Range::Any,
            |args, v| args.beam.divergence_mrad = [Some(v); 2],
            "Range of beam directions, horizontally and vertically; below 0 counts as not given.",
        ),
        number(
            "hdivrange",
            "mrad",
            Range::Any,
            |args, v| args.beam.divergence_mrad[0] = Some(v),
            "Horizontal range of beam directions.",
        ),
        number(
            "vdivrange",
            "mrad",
            Range::Any,
            |args, v| args.beam.divergence_mrad[1] = Some(v),
            "Vertical range of beam directions.",
        ),
        number(
            "hdivstep",
            "mrad",
            Range::Any,
            |args, v| args.beam.divergence_step_mrad[0] = Some(v),
            "Step between them, horizontally; 0 or less counts as not given.",
        ),
        number(
            "vdivstep",
            "mrad",
            Range::Any,
            |args, v| args.beam.divergence_step_mrad[1] = Some(v),
            "Step between them, vertically; 0 or less counts as not given.",
        ),
        steps(
            "divsteps",
            |args, n| args.beam.divergence_steps = [super::positive(n); 2],
            "Directions, horizontally and vertically; 0 or less counts as not given.",
        ),
        steps(
            "hdivsteps",
            |args, n| args.beam.divergence_steps[0] = super::positive(n),
            "Directions, horizontally.",
        ),
        steps(
            "vdivsteps",
            |args, n| args.beam.divergence_steps[1] = super::positive(n),
            "Directions, vertically.",
        ),
        FlagSpec::new(
            "round_div",
            Takes::Switch(|args| args.beam.square_divergence = false),
            "Round off the corners of the grid of directions. This is the default.",
        ),
        FlagSpec::new(
            "square_div",
            Takes::Switch(|args| args.beam.square_divergence = true),
            "Keep the corners.",
        ),
        FlagSpec::new(
            "sourcefile",
            Takes::Path(|args, path| args.beam.source_path = Some(path)),
            "List of sources, one X Y Z weight wavelength(m) per line, instead of a grid of \
             directions and wavelengths. Every source counts the same, whatever its weight.",
        ),
        number(
            "polar",
            "",
            Range::Any,
            |args, v| {
                args.beam.polarization = Some(v);
                args.beam.no_polarization = false;
            },
            "Kahn's polarization factor, between -1 and 1.",
        )
        .default("0"),
        FlagSpec::new(
            "nopolar",
            Takes::Switch(|args| args.beam.no_polarization = true),
            "Leave the polarization correction out. A -polar after it brings it back.",
        ),
        number(
            "fluence",
            "photons/m^2",
            Range::ZeroOrMore,
            |args, v| args.beam.fluence_per_m2 = Some(v),
            "Photons per area over the whole exposure.",
        )
        .default("1.26e29"),
        number(
            "flux",
            "photons/s",
            Range::ZeroOrMore,
            |args, v| args.beam.flux_per_s = Some(v),
            "With -exposure and -beamsize it gives the fluence, and wins over -fluence; 0 \
             counts as not given.",
        ),
        number(
            "exposure",
            "s",
            Range::Any,
            |args, v| args.beam.exposure_s = Some(v),
            "Exposure time.",
        )
        .default("1"),
        number(
            "beamsize",
            "mm",
            Range::Any,
            |args, v| args.beam.size_mm = Some(v),
            "Edge of the beam. A crystal wider than it is cut to it; below 0 it is without \
             bounds.",
        )
        .default("0.1"),
        number(
            "water",
            "um",
            Range::ZeroOrMore,
            |args, v| args.beam.water_um = Some(v),
            "Thickness of water in the beam, for a flat background.",
        )
        .default("0"),
        unused("hdiv", "mrad", "Not used; -hdivrange is meant."),
        unused("vdiv", "mrad", "Not used; -vdivrange is meant."),
        unused("dispstep", "n", "Not used; -dispsteps is meant."),
        unused("source_dist", "mm", "Not used.").or(&["source_distance"]),
    ],
};

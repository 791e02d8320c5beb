use super::flag::{FlagSpec, Group, Replaced};
use super::{Range, WholeRange};
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
    /// List of sources, which replaces the grid.
    pub source_path: Option<PathBuf>,
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
        FlagSpec::path("sourcefile", |args, path| {
            args.beam.source_path = Some(path)
        })
        .help(
            "List of sources, one X Y Z weight wavelength(m) per line, instead of a grid of \
             directions and wavelengths. Every source counts the same, whatever its weight.",
        ),
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

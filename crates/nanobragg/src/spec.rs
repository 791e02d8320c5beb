//! The specification of an experiment by a user.

use std::path::PathBuf;

use nanobragg_crystal::CrystalSpec;
use nanobragg_geometry::{Angle, BeamStopSpec, DetectorSpec, Length, Mask, in_unit};
use nanobragg_physics::{Fixes, Lookup, Polarization};
use nanobragg_response::ResponseSpec;
use nanobragg_sources::{
    DispersionSpec, DivergenceSpec, FluenceSpec, SourceList, SpectrumSpec, StepSpec,
};
use serde::{Deserialize, Serialize};

use crate::adaptive::AutoSpec;
use crate::background::LayerSpec;
use crate::diffuse::DiffuseSpec;
use crate::experiment_file::Version;
use crate::factors::FactorsSpec;
use crate::lattices::LatticesSpec;
use crate::mask::MaskedRegion;
use crate::series::VariationSpec;

/// An experiment as specified by a user; `None` for everything that is not specified.
///
/// The defaults are those of the C program, so a struct literal needs only the differences:
///
/// ```
/// use nanobragg::{CellSpec, CrystalSpec, ExperimentSpec, FactorsSpec, RunOptions, simulate};
///
/// let spec = ExperimentSpec {
///     crystal: CrystalSpec {
///         cell: Some(CellSpec::from_values(&[100.0])?),
///         cells: [5; 3],
///         ..CrystalSpec::default()
///     },
///     factors: FactorsSpec::Constant(100.0),
///     ..ExperimentSpec::default()
/// };
/// # let mut spec = spec;
/// # spec.detector.pixels_fast = Some(32);
/// # spec.detector.pixels_slow = Some(32);
/// let image = simulate(&spec.resolve()?.experiment, &RunOptions::default())?;
/// assert!(image.statistics.max_photons > 0.0);
/// # Ok::<(), nanobragg::Error>(())
/// ```
///
/// [`read`](Self::read) and [`to_text`](Self::to_text) read and write it as a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentSpec {
    /// The version of the field names and units in a file.
    pub version: Version,
    /// Pixels, placement and sensor.
    pub detector: DetectorSpec,
    /// The part to render: first and last pixel along each axis, both included. A negative number means
    /// the edge of the detector.
    pub roi: RoiSpec,
    /// The masked pixels.
    pub mask: Option<MaskSpec>,
    /// The beam stop.
    pub beam_stop: Option<BeamStopSpec>,
    /// Cell, orientation, size and shape. Wavelength and beam size are taken from `beam`.
    pub crystal: CrystalSpec,
    /// Twins and other crystals in the beam.
    pub lattices: LatticesSpec,
    /// The diffuse scattering of the crystal; `None` for none.
    pub diffuse: Option<DiffuseSpec>,
    /// Structure factors, with a value for reflections that are not listed.
    #[serde(rename = "structure_factors")]
    pub factors: FactorsSpec,
    /// How structure factors are looked up; `None` interpolates for crystals with at most two cells along
    /// some axis.
    pub lookup: Option<Lookup>,
    /// Spectrum, divergence and intensity.
    pub beam: BeamSpec,
    /// The spindle.
    pub phi: PhiSpec,
    /// Sub-pixels.
    pub sampling: SamplingSpec,
    /// Edge of the cube of water in the beam; 0 for none.
    #[serde(rename = "water_um", with = "in_unit::um")]
    pub water: Length,
    /// Layers of amorphous material in the beam.
    pub background: Vec<LayerSpec>,
    /// A factor on all layers; `None` is 1.
    pub background_scale: Option<f64>,
    /// The allowed error of the background, relative to that of a pixel; `None` is 0, and every pixel is summed.
    pub background_tolerance: Option<f64>,
    /// Whether F(000) of listed or computed structure factors is replaced by 0, so that there is no direct beam.
    pub without_f000: bool,
    /// B in A^2 of a fall-off of all structure factors with resolution, also of those that are not listed:
    /// `F exp(-B s^2/4)` with `s = 1/d`.
    pub b_factor_a2: f64,
    /// Spacing below which nothing is rendered; 0 for no limit.
    #[serde(rename = "dmin_angstrom", with = "in_unit::angstrom")]
    pub dmin: Length,
    /// The conversion of photons to counts.
    pub response: ResponseSpec,
    /// Seed of the noise; `None` uses the clock.
    pub noise_seed: Option<i64>,
    /// The oddities of the C program to fix, those of the detector and the crystal included.
    pub fixes: Fixes,
    /// How the images of a series vary.
    pub series: VariationSpec,
}

/// The masked pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskSpec {
    /// The pixels that are 0 in the image of this SMV file.
    File(PathBuf),
    /// The pixels of this mask, on every panel.
    #[serde(skip)]
    Pixels(Mask),
    /// One mask for each panel.
    #[serde(skip)]
    Panels(Vec<Mask>),
    /// The pixels of these rectangles.
    Regions(Vec<MaskedRegion>),
}

impl From<Mask> for MaskSpec {
    fn from(mask: Mask) -> Self {
        Self::Pixels(mask)
    }
}

/// The first and last pixel to render along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoiSpec {
    /// Along the fast axis.
    pub fast: [i64; 2],
    /// Along the slow axis.
    pub slow: [i64; 2],
}

impl Default for RoiSpec {
    fn default() -> Self {
        Self {
            fast: [-1; 2],
            slow: [-1; 2],
        }
    }
}

/// The beam as a user describes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeamSpec {
    /// The central wavelength; for what it is if not given, see [`BeamSpec::nominal_wavelength`].
    #[serde(rename = "wavelength_angstrom", with = "in_unit::angstrom")]
    pub wavelength: Option<Length>,
    /// Photons per area, or what they follow from.
    pub fluence: FluenceSpec,
    /// Polarization.
    pub polarization: Polarization,
    /// The sources.
    pub sources: SourcesSpec,
    /// Whether the weights of listed sources count in the image.
    pub weights: SourceWeights,
    /// The spectrum of the grid of sources, in place of a dispersion.
    pub spectrum: Option<SpectrumSpec>,
    /// Divergence of the grid of sources; only used with [`SourcesSpec::Grid`].
    pub divergence: DivergenceSpec,
    /// Spectral dispersion of the grid of sources; only used with [`SourcesSpec::Grid`].
    pub dispersion: DispersionSpec,
    /// Turns the beam, with all sources, towards its electric vector and across it, in radians. Detector,
    /// crystal and beam stop stay where they are.
    #[serde(rename = "tilt_mrad", with = "in_unit::mrad")]
    pub tilt_rad: [f64; 2],
}

impl BeamSpec {
    /// The wavelength given, or 1 Angstrom: that of a matrix, of a grid of sources, and of listed sources
    /// that do not state theirs.
    pub fn nominal_wavelength(&self) -> Length {
        self.wavelength.unwrap_or(Length::from_angstrom(1.0))
    }
}

/// What the weights of listed sources are used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceWeights {
    /// They are recorded and traced, and every source counts the same, as in the C program.
    #[default]
    Ignore,
    /// What a source adds to the image is multiplied by its weight over the mean of all weights.
    Use,
}

/// The sources of the beam.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourcesSpec {
    /// A grid over divergence and dispersion.
    #[default]
    Grid,
    /// A source file; numbers that its lines omit are taken from the beam.
    File(PathBuf),
    /// A list of sources.
    List(SourceList),
}

/// The spindle as specified by a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "PhiEntry", into = "PhiEntry")]
pub struct PhiSpec {
    /// Angle of the first step.
    pub start: Angle,
    /// Range, step and number of steps, in radians.
    pub sweep: StepSpec,
}

/// The spindle in a file.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PhiEntry {
    #[serde(with = "in_unit::deg")]
    start_deg: Angle,
    #[serde(with = "in_unit::deg")]
    range_deg: Option<f64>,
    #[serde(with = "in_unit::deg")]
    step_deg: Option<f64>,
    count: Option<i64>,
}

impl From<PhiEntry> for PhiSpec {
    fn from(entry: PhiEntry) -> Self {
        Self {
            start: entry.start_deg,
            sweep: StepSpec {
                range: entry.range_deg,
                step: entry.step_deg,
                count: entry.count,
            },
        }
    }
}

impl From<PhiSpec> for PhiEntry {
    fn from(PhiSpec { start, sweep }: PhiSpec) -> Self {
        Self {
            start_deg: start,
            range_deg: sweep.range,
            step_deg: sweep.step,
            count: sweep.count,
        }
    }
}

impl ExperimentSpec {
    /// The largest magnitude of numbers other than photons and scales. No length, angle or energy of an
    /// experiment is that large, and products of several such numbers stay finite.
    pub const MOST_MAGNITUDE: f64 = 1e15;
    /// The smallest of a number that must be above 0.
    pub const LEAST_MAGNITUDE: f64 = 1e-15;
    /// The largest number of photons, and the largest scale.
    pub const MOST_PHOTONS: f64 = 1e60;
    /// The largest count: far beyond use, and its square fits into 64 bits.
    pub const MOST_COUNT: i64 = 1_000_000_000;
}

/// The sub-pixels as specified by a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingSpec {
    /// Sub-pixels along each edge of a pixel; `None` uses the number recommended for the crystal.
    pub oversample: Option<u32>,
    /// Compute the capture fraction of the sensor at every sub-pixel.
    pub per_subpixel_capture: bool,
    /// Compute the polarization factor at every sub-pixel.
    pub per_subpixel_polarization: bool,
    /// Compute the solid angle at every sub-pixel.
    pub per_subpixel_solid_angle: bool,
    /// Which numbers of samples are chosen from an allowed error; `None` for none.
    pub auto: Option<AutoSpec>,
}

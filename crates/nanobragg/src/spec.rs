//! What a user says about an experiment.

use std::path::PathBuf;

use nanobragg_crystal::CrystalSpec;
use nanobragg_geometry::{Angle, DetectorSpec, Length, Mask, in_unit};
use nanobragg_physics::{Fixes, Lookup, Polarization};
use nanobragg_response::ResponseSpec;
use nanobragg_sources::{DispersionSpec, DivergenceSpec, FluenceSpec, SourceList, StepSpec};
use serde::{Deserialize, Serialize};

use crate::experiment_file::Version;
use crate::factors::FactorsSpec;

/// An experiment as a user describes it; `None` where nothing was said.
///
/// All of it has the C program's defaults, so a struct literal names what differs:
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
/// It can be kept in a file: see [`read`](Self::read) and [`to_text`](Self::to_text).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentSpec {
    /// The version of the names and units of these fields in a file.
    pub version: Version,
    /// Pixels, placement and sensor.
    pub detector: DetectorSpec,
    /// The part to render: first and last pixel along each axis, both included; a negative number
    /// is the edge of the detector.
    pub roi: RoiSpec,
    /// Pixels to leave out.
    pub mask: Option<MaskSpec>,
    /// Cell, orientation, size and shape. Its wavelength and beam size are taken from `beam`.
    pub crystal: CrystalSpec,
    /// Structure factors, with the value of those not listed.
    #[serde(rename = "structure_factors")]
    pub factors: FactorsSpec,
    /// How structure factors are looked up; `None` interpolates for crystals of at most two cells
    /// along some axis.
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
    /// Spacing below which nothing is rendered; 0 for no limit.
    #[serde(rename = "dmin_angstrom", with = "in_unit::angstrom")]
    pub dmin: Length,
    /// What turns photons into counts.
    pub response: ResponseSpec,
    /// Seed of the noise; `None` takes the clock.
    pub noise_seed: Option<i64>,
    /// The oddities of the C program to put right, wherever they are: those of the detector and the
    /// crystal are taken from here.
    pub fixes: Fixes,
}

/// The pixels to leave out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskSpec {
    /// Those that are 0 in the image of this SMV file.
    File(PathBuf),
    /// Those of this mask, on every panel.
    #[serde(skip)]
    Pixels(Mask),
    /// Those of a mask for each panel.
    #[serde(skip)]
    Panels(Vec<Mask>),
}

impl From<Mask> for MaskSpec {
    fn from(mask: Mask) -> Self {
        Self::Pixels(mask)
    }
}

/// First and last pixel to render along each axis.
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeamSpec {
    /// The central wavelength, 1 Angstrom by default.
    #[serde(rename = "wavelength_angstrom", with = "in_unit::angstrom")]
    pub wavelength: Length,
    /// Photons per area, or what they follow from.
    pub fluence: FluenceSpec,
    /// Polarization.
    pub polarization: Polarization,
    /// Where the photons come from.
    pub sources: SourcesSpec,
    /// Divergence of the grid of sources; not used with sources of one's own.
    pub divergence: DivergenceSpec,
    /// Spectral dispersion of the grid of sources; not used with sources of one's own.
    pub dispersion: DispersionSpec,
}

impl Default for BeamSpec {
    fn default() -> Self {
        Self {
            wavelength: Length::from_angstrom(1.0),
            fluence: FluenceSpec::default(),
            polarization: Polarization::default(),
            sources: SourcesSpec::default(),
            divergence: DivergenceSpec::default(),
            dispersion: DispersionSpec::default(),
        }
    }
}

/// Where the photons come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourcesSpec {
    /// A grid over divergence and dispersion.
    #[default]
    Grid,
    /// A source file; what its lines leave out is filled in from the beam.
    File(PathBuf),
    /// These.
    List(SourceList),
}

/// The spindle as a user describes it.
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

/// Sub-pixels as a user describes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingSpec {
    /// Sub-pixels along each edge of a pixel; `None` takes as many as the crystal asks for.
    pub oversample: Option<u32>,
    /// Take the capture fraction of the sensor at every sub-pixel.
    pub per_subpixel_capture: bool,
    /// Take the polarization factor at every sub-pixel.
    pub per_subpixel_polarization: bool,
    /// Take the solid angle at every sub-pixel.
    pub per_subpixel_solid_angle: bool,
}

//! What a user says about an experiment.

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_crystal::{CrystalSpec, FactorGrid};
use nanobragg_geometry::{Angle, DetectorSpec, Length, Mask};
use nanobragg_physics::{Fixes, Lookup, Polarization};
use nanobragg_response::ResponseSpec;
use nanobragg_sources::{DispersionSpec, DivergenceSpec, FluenceSpec, SourceList, StepSpec};

/// An experiment as a user describes it; `None` where nothing was said.
///
/// All of it has the C program's defaults, so a struct literal names what differs:
///
/// ```
/// use nanobragg::{CellSpec, CrystalSpec, ExperimentSpec, FactorGrid, RunOptions, simulate};
/// use std::sync::Arc;
///
/// let spec = ExperimentSpec {
///     crystal: CrystalSpec {
///         cell: Some(CellSpec::from_values(&[100.0])?),
///         cells: [5; 3],
///         ..CrystalSpec::default()
///     },
///     factors: Arc::new(FactorGrid::empty(100.0)),
///     ..ExperimentSpec::default()
/// };
/// # let mut spec = spec;
/// # spec.detector.pixels_fast = Some(32);
/// # spec.detector.pixels_slow = Some(32);
/// let image = simulate(&spec.resolve()?.experiment, &RunOptions::default())?;
/// assert!(image.statistics.max_photons > 0.0);
/// # Ok::<(), nanobragg::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExperimentSpec {
    /// Pixels, placement and sensor.
    pub detector: DetectorSpec,
    /// The part to render: first and last pixel along each axis, both included; a negative number
    /// is the edge of the detector.
    pub roi: RoiSpec,
    /// Pixels to leave out.
    pub mask: Option<Mask>,
    /// Cell, orientation, size and shape. Its wavelength and beam size are taken from `beam`.
    pub crystal: CrystalSpec,
    /// Structure factors, with the value of those not listed.
    pub factors: Arc<FactorGrid>,
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
    pub water: Length,
    /// Spacing below which nothing is rendered; 0 for no limit.
    pub dmin: Length,
    /// What turns photons into counts.
    pub response: ResponseSpec,
    /// The oddities of the C program to put right, wherever they are: those of the detector and the
    /// crystal are taken from here.
    pub fixes: Fixes,
}

/// First and last pixel to render along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone)]
pub struct BeamSpec {
    /// The central wavelength, 1 Angstrom by default.
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
#[derive(Debug, Clone, Default, PartialEq)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PhiSpec {
    /// Angle of the first step.
    pub start: Angle,
    /// Range, step and number of steps, in radians.
    pub sweep: StepSpec,
}

/// Sub-pixels as a user describes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

impl Default for ExperimentSpec {
    fn default() -> Self {
        Self {
            detector: DetectorSpec::default(),
            roi: RoiSpec::default(),
            mask: None,
            crystal: CrystalSpec::default(),
            factors: Arc::new(FactorGrid::empty(0.0)),
            lookup: None,
            beam: BeamSpec::default(),
            phi: PhiSpec::default(),
            sampling: SamplingSpec::default(),
            water: Length::default(),
            dmin: Length::default(),
            response: ResponseSpec::default(),
            fixes: Fixes::none(),
        }
    }
}

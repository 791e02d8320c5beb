//! From a crystal, a beam and a detector to photons per pixel.
//!
//! An [`Experiment`] holds the resolved models, a [`Scene`] the tables that do not depend on the
//! pixel, and [`render`] sums, for every pixel,
//!
//! ```text
//! photons = r_e^2 fluence / steps * capture * polarization * solid angle * sum of w F^2 Fl^2
//!           the sum over  layers, sub-pixels, sources, phi steps, lattices, mosaic domains
//! w  weight of the source, the lattice and the domain: 1 unless weights are asked for
//! F  structure factor of the unit cell, Fl of the lattice, at h = a.q, k = b.q, l = c.q
//! q  = (d - s) / wavelength,  d towards the sub-pixel, s along the beam
//! ```
//!
//! The trace shows the recorded weight of a source. The sum does not use it: every source counts the same, unless
//! the source has a weight. The scalar sum ([`Level::Reference`]) is the standard for all other sums. The other levels sum blocks of pixels
//! with vector instructions. [`trace_pixel`] shows every number that contributes to one pixel.
//!
//! ```
//! use std::sync::Arc;
//! use nanobragg_crystal::{CellSpec, Crystal, CrystalSpec, FactorGrid};
//! use nanobragg_geometry::{DetectorSpec, Laboratory, Length};
//! use nanobragg_physics::{Experiment, Fixes, LatticeCopy, RunOptions, Scene, render};
//! use nanobragg_sources::{Source, SourceList};
//!
//! let laboratory = Laboratory::new(&DetectorSpec {
//!     pixels_fast: Some(32),
//!     pixels_slow: Some(32),
//!     pixel_size: Length::from_mm(0.01),
//!     ..DetectorSpec::default()
//! })?;
//! let crystal = Crystal::new(&CrystalSpec {
//!     cell: Some(CellSpec::from_values(&[100.0])?),
//!     cells: [5; 3],
//!     ..CrystalSpec::default()
//! })?;
//! let on_axis = Source::at([-10.0, 0.0, 0.0], 1e-10, 1.0).expect("10 m from the crystal");
//! let experiment = Experiment {
//!     lattices: vec![LatticeCopy::default()],
//!     factors: Arc::new(FactorGrid::empty(100.0)),
//!     factors_by_source: Vec::new(),
//!     diffuse: None,
//!     lookup: Default::default(),
//!     sources: SourceList::from_sources(vec![on_axis])?,
//!     phi: Default::default(),
//!     sampling: Default::default(),
//!     polarization: Default::default(),
//!     fluence_per_m2: 1e30,
//!     water_m: 0.0,
//!     background: Vec::new(),
//!     weighs_sources: false,
//!     background_tolerance: 0.0,
//!     dmin_m: 0.0,
//!     fixes: Fixes::none(),
//!     detector: laboratory.detector,
//!     beam: laboratory.beam,
//!     goniometer: laboratory.goniometer,
//!     crystal,
//! };
//! let image = render(&Scene::new(&experiment), &RunOptions::default())?;
//! // At the direct beam all 125 cells scatter in phase: F^2 N^2 r_e^2 fluence px^2 / distance^2.
//! let solid_angle_sr = 1e-10 / 1e-2;
//! let expected = (100.0_f64 * 125.0).powi(2) * 7.9408e-30 * 1e30 * solid_angle_sr;
//! assert!((f64::from(image.statistics.max_photons) / expected - 1.0).abs() < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accuracy;
mod backend;
mod background;
mod blank;
mod compat;
mod device;
mod diffuse;
mod driver;
mod error;
mod experiment;
mod fixes;
pub mod gradient;
mod lanes;
mod layers;
mod polarization;
mod progress;
mod render;
mod sampling;
mod scalar;
mod scattering;
mod scene;
mod shade;
mod sparse;
mod statistics;
mod trace;
mod truth;

pub use accuracy::{EveryTerm, Omission};
pub use backend::{Backend, Lanes, PartOutcome, RowPart, Scalar, Unsupported};
pub use background::{
    AVOGADRO_PER_MOL, WATER_MOLAR_MASS_G_PER_MOL, WATER_STRUCTURE_FACTOR, water_background,
};
pub use device::{
    Capture, Device, DeviceFault, HaloTable, Job, NeedsDouble, OperationTable, OrientationTable,
    RunningSum, SourceTable, Tables, Take, TermWeights, Terms,
};
pub use diffuse::{Diffuse, DiffuseAxes, DiffuseModel, DiffuseNumbers, MOST_NEIGHBOURS};
pub use error::Error;
pub use experiment::{Experiment, LatticeCopy};
pub use fixes::{Fixes, Oddity};
pub use lanes::{Level, Precision};
pub use layers::{BackgroundLayer, LastSample, LayerNumbers};
pub use polarization::{Polarization, PolarizationFrame, polarization_factor};
pub use progress::{Cancel, Progress};
pub use render::{Frame, PanelImage, PixelPlace, RunOptions, render, render_with};
pub use sampling::{Lookup, PhiSweep, Sampling};
pub use scattering::{ELECTRON_RADIUS_SQUARED_M2, scattering_vector};
pub use scene::Scene;
pub use statistics::Statistics;
pub use trace::{PixelTrace, SourceTrace, TermTrace, trace_pixel};
pub use truth::{ReflectionTruth, Truth, TruthWishes, render_with_truth};

//! The X-ray sources: a list of points, each with a direction and a wavelength.
//!
//! A beam with divergence and dispersion has a grid of directions and a band of wavelengths. The
//! directions deviate from the beam by angles about two axes perpendicular to it. Every direction is
//! combined with every wavelength:
//!
//! ```text
//!    a round outline of 3 x 3 steps               order of the list
//!
//!    vdiv (about the polarization axis)
//!      ^        o                                   horizontal step    slowest
//!      |     o  o  o                                vertical step
//!      |        o                                   wavelength         fastest
//!      +----------> hdiv (about the vertical axis)
//! ```
//!
//! Any two of range, step and count give the third ([`steps`]). Instead of a grid, a text file can
//! list the sources ([`SourceList::read`]). **All sources have the same weight**: the weight in a file
//! is kept for the trace but does not change the intensity, unless [`SourceList::weighted`] is asked for. A
//! [`spectrum`] takes the place of the band ([`SourceList::spectral`]), with weights.
//!
//! ```
//! use nanobragg_sources::{
//!     BeamAxes, Dispersion, DispersionSpec, Divergence, DivergenceSpec, SourceList, StepSpec,
//! };
//!
//! let three_steps = StepSpec { range: Some(0.002), count: Some(3), ..StepSpec::default() };
//! let divergence = Divergence::new(&DivergenceSpec {
//!     horizontal: three_steps,
//!     vertical: three_steps,
//!     ..DivergenceSpec::default()
//! })?;
//! let dispersion = Dispersion::new(&DispersionSpec {
//!     range: Some(0.01),
//!     count: Some(2),
//!     ..DispersionSpec::default()
//! })?;
//! let axes = BeamAxes {
//!     beam: [1.0, 0.0, 0.0],
//!     polarization: [0.0, 0.0, 1.0],
//!     vertical: [0.0, -1.0, 0.0],
//! };
//!
//! let sources = SourceList::grid(&axes, 1e-10, &divergence, &dispersion)?;
//! // The four corners lie outside the ellipse: five directions, two wavelengths each.
//! assert_eq!(sources.len(), 10);
//! assert!((sources[1].wavelength_m - 1.005e-10).abs() < 1e-24);
//! # Ok::<(), nanobragg_sources::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod dispersion;
pub mod divergence;
pub mod energy;
pub mod error;
mod file;
pub mod fluence;
mod grid;
mod profile;
pub mod source;
pub mod spectrum;
pub mod steps;

pub use dispersion::{Dispersion, DispersionSpec};
pub use divergence::{BeamAxes, Divergence, DivergenceSpec, Outline};
pub use energy::{energy_ev_from_wavelength_m, wavelength_m_from_energy_ev};
pub use error::{Error, Quantity, Result};
pub use file::SourceDefaults;
pub use fluence::{Fluence, FluenceSpec};
pub use grid::MAX_SOURCES;
pub use profile::Profile;
pub use source::{SOURCE_DISTANCE_M, Source, SourceList};
pub use spectrum::{Spectrum, SpectrumFrom, SpectrumSpec, SpectrumSteps, SpectrumUnit};
pub use steps::{StepSpec, Steps, phi_steps};

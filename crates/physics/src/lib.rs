//! From a crystal, a beam and a detector to photons per pixel.
mod background;
mod error;
mod experiment;
mod kernel;
mod plan;
mod polarization;
mod progress;
mod render;
mod sampling;
mod scattering;
mod statistics;
mod trace;

pub use background::{
    AVOGADRO_PER_MOL, WATER_MOLAR_MASS_G_PER_MOL, WATER_STRUCTURE_FACTOR, water_background,
};
pub use error::Error;
pub use experiment::{Experiment, Mask};
pub use kernel::{Level, Precision};
pub use plan::Plan;
pub use polarization::{Polarization, PolarizationFrame, polarization_factor};
pub use progress::{Cancel, Progress};
pub use render::{Rendered, RunOptions, render};
pub use sampling::{Lookup, PhiSweep, Sampling};
pub use scattering::{ELECTRON_RADIUS_SQUARED_M2, scattering_vector};
pub use statistics::Statistics;
pub use trace::{PixelTrace, SourceTrace, TermTrace, trace_pixel};

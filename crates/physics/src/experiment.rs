//! All numbers and models that determine an image, resolved.

use std::sync::Arc;

use nanobragg_crystal::{Crystal, FactorGrid};
use nanobragg_geometry::{BeamFrame, Detector, Goniometer};
use nanobragg_sources::SourceList;

use crate::fixes::Fixes;
use crate::layers::BackgroundLayer;
use crate::polarization::Polarization;
use crate::sampling::{Lookup, PhiSweep, Sampling};

/// One experiment: the sample, the beam and the detector.
///
/// [`RunOptions`](crate::RunOptions) says how it is run (threads, instruction set, precision). They
/// change no pixel beyond a stated bound.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The panels at their positions, each with its rendered region.
    pub detector: Detector,
    /// The direct beam and its transverse directions.
    pub beam: BeamFrame,
    /// The axis that turns the crystal.
    pub goniometer: Goniometer,
    /// The crystal at phi = 0 with its mosaic domains.
    pub crystal: Crystal,
    /// The structure factors of the unit cell.
    pub factors: Arc<FactorGrid>,
    /// How a structure factor is looked up.
    pub lookup: Lookup,
    /// The sources. Every source counts the same; the recorded weight counts only for
    /// `background`.
    pub sources: SourceList,
    /// The steps of the spindle.
    pub phi: PhiSweep,
    /// Sub-pixels, and the corrections that are computed at each.
    pub sampling: Sampling,
    /// Polarization of the beam.
    pub polarization: Polarization,
    /// Photons per square metre of the beam.
    pub fluence_per_m2: f64,
    /// Edge in metres of the cube of water in the beam; 0 for none.
    pub water_m: f64,
    /// Layers of amorphous material in the beam.
    pub background: Vec<BackgroundLayer>,
    /// The allowed error of the photons of the layers, relative to those of a pixel. Pixels are then interpolated
    /// where they vary slowly. 0 if every pixel is summed.
    pub background_tolerance: f64,
    /// Whether the layers scatter from each source with its recorded weight. If not, as in the sum of the
    /// crystal, every source counts the same.
    pub weighs_sources: bool,
    /// Spacing in metres below which nothing is rendered; 0 for no limit.
    pub dmin_m: f64,
    /// The oddities of the C program that are fixed.
    pub fixes: Fixes,
}

impl Experiment {
    /// The number of terms of the sum of one pixel: layers, sub-pixels, sources, phi steps and mosaic domains
    /// multiplied.
    pub fn terms_a_pixel(&self) -> f64 {
        f64::from(self.detector.first().sensor().layers)
            * f64::from(self.sampling.oversample).powi(2)
            * self.sources.len() as f64
            * f64::from(self.phi.count)
            * self.crystal.mosaic().domains().len() as f64
    }
}

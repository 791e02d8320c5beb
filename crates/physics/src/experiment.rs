//! Everything that decides an image, resolved.

use std::sync::Arc;

use nanobragg_crystal::{Crystal, FactorGrid};
use nanobragg_geometry::{Detector, Roi};
use nanobragg_sources::SourceList;

use crate::fixes::Fixes;
use crate::polarization::Polarization;
use crate::sampling::{Lookup, PhiSweep, Sampling};

/// One experiment: what is in the beam, what the beam is, and what records it.
///
/// How it is run (threads, instruction set, precision) is [`RunOptions`](crate::RunOptions); nothing
/// there changes a pixel beyond a stated bound.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The placed detector and the laboratory axes.
    pub detector: Detector,
    /// The part of the detector that is rendered.
    pub roi: Roi,
    /// Pixels that are left out; `None` renders all.
    pub mask: Option<Mask>,
    /// The crystal at phi = 0 with its mosaic domains.
    pub crystal: Crystal,
    /// The structure factors of the unit cell.
    pub factors: Arc<FactorGrid>,
    /// How a structure factor is looked up.
    pub lookup: Lookup,
    /// The sources, each of which counts the same whatever its recorded weight.
    pub sources: SourceList,
    /// The steps of the spindle.
    pub phi: PhiSweep,
    /// Sub-pixels and what is corrected at each.
    pub sampling: Sampling,
    /// Polarization of the beam.
    pub polarization: Polarization,
    /// Photons per square metre of the beam.
    pub fluence_per_m2: f64,
    /// Edge in metres of the cube of water in the beam; 0 for none.
    pub water_m: f64,
    /// Spacing in metres below which nothing is rendered; 0 for no limit.
    pub dmin_m: f64,
    /// The oddities of the C program that are put right.
    pub fixes: Fixes,
}

/// The pixels of a detector that are used: shape `[slow][fast]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    pixels_fast: usize,
    used: Vec<bool>,
}

impl Mask {
    /// A mask from one flag a pixel, `true` for a pixel that is rendered; shape `[slow][fast]`.
    ///
    /// Returns `None` unless the flags fill whole rows of `pixels_fast`.
    pub fn new(pixels_fast: usize, used: Vec<bool>) -> Option<Self> {
        (pixels_fast > 0 && used.len().is_multiple_of(pixels_fast))
            .then_some(Self { pixels_fast, used })
    }

    /// Pixels along the fast axis.
    pub fn pixels_fast(&self) -> usize {
        self.pixels_fast
    }

    /// Pixels along the slow axis.
    pub fn pixels_slow(&self) -> usize {
        self.used.len() / self.pixels_fast
    }

    /// One flag a pixel of row `slow`; empty outside the mask.
    pub fn row(&self, slow: usize) -> &[bool] {
        let start = slow.saturating_mul(self.pixels_fast);
        self.used
            .get(start..start.saturating_add(self.pixels_fast))
            .unwrap_or(&[])
    }
}

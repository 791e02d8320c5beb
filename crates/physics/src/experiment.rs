//! Everything that decides an image, resolved.

use std::sync::Arc;

use nanobragg_crystal::{Crystal, FactorGrid};
use nanobragg_geometry::{BeamFrame, Detector, Goniometer};
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
    /// The detector: its panels in their places, each with the part of it that is rendered.
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

//! What of an experiment is whole, listed or switched: what no derivative is taken by.

use std::sync::Arc;

use nanobragg_crystal::FactorGrid;
use nanobragg_geometry::Panel;
use nanobragg_sources::Source;

use crate::experiment::Experiment;
use crate::fixes::Fixes;
use crate::gradient::Numbers;
use crate::sampling::{CorrectionRules, Lookup, Modelled, PhiSweep};

/// What is the same for a scene in every kind of number.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The numbers of the experiment itself, which those with derivatives start from.
    pub(crate) numbers: Numbers<f64>,
    /// The panels of the detector.
    pub(crate) panels: Vec<Panel>,
    /// How the corrections of each panel are taken.
    pub(crate) rules: Vec<CorrectionRules>,
    /// The sources as listed.
    pub(crate) sources: Vec<Source>,
    /// The rotation of every mosaic domain, by rows. Never empty.
    pub(crate) domains: Arc<Vec<[[f64; 3]; 3]>>,
    /// Whether the domains turn the crystal. Without a spread the one domain is not even multiplied.
    pub(crate) has_spread: bool,
    /// The steps of the spindle.
    pub(crate) phi: PhiSweep,
    /// The axis that the crystal turns about.
    pub(crate) spindle: [f64; 3],
    /// The direction of the electric field, before it is made perpendicular to each beam.
    pub(crate) polarization_axis: [f64; 3],
    /// Whether polarization is left out.
    pub(crate) is_unpolarized: bool,
    /// Structure factors of the unit cell.
    pub(crate) factors: Arc<FactorGrid>,
    /// How a structure factor is looked up.
    pub(crate) lookup: Lookup,
    /// Sub-pixels along each edge of a pixel.
    pub(crate) oversample: u32,
    /// Spacing in metres below which nothing is rendered; 0 for no limit.
    pub(crate) dmin_m: f64,
    /// Whether there is water in the beam. Terms of 0 are then added like any others.
    pub(crate) has_water: bool,
    /// The oddities of the C program that are put right.
    pub(crate) fixes: Fixes,
}

impl Setup {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let panels = experiment.detector.panels().to_vec();
        let modelled = |panel: &Panel| Modelled {
            sensor: panel.sensor().is_modelled(),
            polarization: !experiment.polarization.off,
        };
        let rules =
            |panel| CorrectionRules::new(&experiment.sampling, modelled(panel), experiment.fixes);
        let mosaic = experiment.crystal.mosaic();
        Self {
            numbers: Numbers::of(experiment),
            rules: panels.iter().map(rules).collect(),
            panels,
            sources: experiment.sources.iter().copied().collect(),
            domains: mosaic.shared_domains(),
            has_spread: mosaic.spread_rad() > 0.0,
            phi: experiment.phi,
            spindle: experiment.goniometer.spindle(),
            polarization_axis: experiment.beam.polarization(),
            is_unpolarized: experiment.polarization.off,
            factors: Arc::clone(&experiment.factors),
            lookup: experiment.lookup,
            oversample: experiment.sampling.oversample,
            dmin_m: experiment.dmin_m,
            has_water: experiment.water_m != 0.0,
            fixes: experiment.fixes,
        }
    }
}

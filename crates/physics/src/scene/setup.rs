//! The integers, lists and switches of an experiment. They have no derivatives.

use std::sync::Arc;

use nanobragg_crystal::FactorGrid;
use nanobragg_geometry::Panel;
use nanobragg_sources::Source;

use crate::diffuse::Diffuse;
use crate::experiment::{Experiment, LatticeCopy};
use crate::fixes::Fixes;
use crate::gradient::Numbers;
use crate::layers::BackgroundLayer;
use crate::sampling::{CorrectionRules, Lookup, Modelled, PhiSweep};

/// The part of a scene that is the same in every number type.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The numbers of the experiment in `f64`; numbers with derivatives start from these.
    pub(crate) numbers: Numbers<f64>,
    pub(crate) panels: Vec<Panel>,
    pub(crate) rules: Vec<CorrectionRules>,
    pub(crate) sources: Vec<Source>,
    /// The lattices in the beam. Never empty.
    pub(crate) lattices: Vec<LatticeCopy>,
    /// The rotation of every mosaic domain, by rows. Never empty.
    pub(crate) domains: Arc<Vec<[[f64; 3]; 3]>>,
    /// The weight of every domain, with a mean of 1; empty if all are 1.
    pub(crate) domain_weights: Vec<f64>,
    /// The edges of every domain over those of the crystal; empty if all are 1.
    pub(crate) domain_sizes: Vec<f64>,
    /// Whether the domains rotate the crystal. Without a spread, the one domain is not multiplied at all.
    pub(crate) has_spread: bool,
    /// Whether the domains turn with the spindle. Those of the C program do not: their rotations are applied
    /// in the laboratory, after that of the spindle.
    pub(crate) domains_turn_with_crystal: bool,
    pub(crate) phi: PhiSweep,
    /// The axis that the crystal turns about.
    pub(crate) spindle: [f64; 3],
    /// The polarization axis, before it is made perpendicular to each beam.
    pub(crate) polarization_axis: [f64; 3],
    /// Whether the polarization correction is switched off.
    pub(crate) is_unpolarized: bool,
    pub(crate) factors: Arc<FactorGrid>,
    /// The structure factors of each source; empty if all have `factors`.
    pub(crate) factors_by_source: Vec<Arc<FactorGrid>>,
    pub(crate) diffuse: Option<Diffuse>,
    pub(crate) lookup: Lookup,
    /// Sub-pixels along each edge of a pixel.
    pub(crate) oversample: u32,
    /// Spacing in metres below which nothing is rendered; 0 for no limit.
    pub(crate) dmin_m: f64,
    /// Whether there is water in the beam. Terms of 0 are then added like all others, as in the C program.
    pub(crate) has_water: bool,
    /// Whether the crystal scatters at all: not with structure factors of 0 only.
    pub(crate) has_crystal: bool,
    pub(crate) layers: Vec<BackgroundLayer>,
    /// The largest relative error of the photons of layers; 0 if every pixel is summed.
    pub(crate) background_tolerance: f64,
    /// Whether the weights of sources count for the layers.
    pub(crate) weighs_sources: bool,
    pub(crate) fixes: Fixes,
}

impl Setup {
    /// All grids of structure factors. A grid that neighbouring sources share comes once for them.
    pub(crate) fn all_factors(&self) -> impl Iterator<Item = &Arc<FactorGrid>> {
        let mut before: Option<&Arc<FactorGrid>> = None;
        let all = std::iter::once(&self.factors).chain(&self.factors_by_source);
        all.filter(move |grid| {
            let last = before.replace(*grid);
            last.is_none_or(|last| !Arc::ptr_eq(last, grid))
        })
    }

    /// The weight of a mosaic domain.
    pub(crate) fn domain_weight(&self, index: usize) -> f64 {
        self.domain_weights.get(index).copied().unwrap_or(1.0)
    }

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
            lattices: experiment.lattices.clone(),
            domains: mosaic.shared_domains(),
            domain_weights: mosaic.weights().to_vec(),
            domain_sizes: experiment.crystal.domain_sizes().to_vec(),
            has_spread: mosaic.has_spread(),
            domains_turn_with_crystal: mosaic.turns_with_crystal(),
            phi: experiment.phi,
            spindle: experiment.goniometer.spindle(),
            polarization_axis: experiment.beam.polarization(),
            is_unpolarized: experiment.polarization.off,
            factors: Arc::clone(&experiment.factors),
            factors_by_source: experiment.factors_by_source.clone(),
            diffuse: experiment.diffuse.clone(),
            lookup: experiment.lookup,
            oversample: experiment.sampling.oversample,
            dmin_m: experiment.dmin_m,
            has_water: experiment.water_m != 0.0,
            has_crystal: (experiment.factors_by_source.iter())
                .chain([&experiment.factors])
                .any(|factors| !factors.is_empty() || factors.default_f() != 0.0),
            layers: experiment.background.clone(),
            background_tolerance: experiment.background_tolerance,
            weighs_sources: experiment.weighs_sources,
            fixes: experiment.fixes,
        }
    }
}

//! Which oddities of the C program change an image.

use nanobragg_crystal::{Misset, Shape, SpotMetric};
use nanobragg_geometry::{Layout, PixelKind, Warning};
use nanobragg_physics::{Experiment, Oddity};

use crate::spec::ExperimentSpec;

/// The oddities that can be told from a resolved experiment alone.
///
/// Those that are put right are left out.
fn of_experiment(experiment: &Experiment) -> Vec<Oddity> {
    let sampling = &experiment.sampling;
    let sensor = experiment.detector.first().sensor();
    let several_directions = {
        let mut directions = experiment.sources.iter().map(|source| source.direction);
        let first = directions.next();
        directions.any(|direction| Some(direction) != first)
    };
    let polarization_varies = !experiment.polarization.off && !sampling.per_subpixel_polarization;
    let solid_angle_varies = !sampling.per_subpixel_solid_angle;
    let is_point = experiment.detector.first().pixel_kind() == PixelKind::Point;
    let subpixels_differ = sampling.oversample > 1;
    let corrections = (subpixels_differ && (solid_angle_varies || polarization_varies))
        || (several_directions && polarization_varies)
        || (sensor.layers > 1 && solid_angle_varies && !is_point);

    let shape = experiment.crystal.shape();
    let phis = || experiment.phi.angles_rad();
    let rests_at_zero = phis().any(|phi| phi == 0.0) && phis().any(|phi| phi != 0.0);

    [
        (Oddity::PhiZero, rests_at_zero),
        (Oddity::Corrections, corrections),
        (Oddity::Thickness, sensor.is_modelled()),
        (Oddity::OversampleFlags, sampling.corrects_each_subpixel()),
        (Oddity::Water, experiment.water_m > 0.0),
        (Oddity::HalfStep, experiment.phi.is_off_centre()),
        (
            Oddity::SpotWidth,
            matches!(shape, Shape::Gauss | Shape::Tophat)
                && experiment.crystal.spot_metric() == SpotMetric::Reciprocal,
        ),
    ]
    .into_iter()
    .filter_map(|(oddity, holds)| holds.then_some(oddity))
    .filter(|oddity| !experiment.fixes.contains(*oddity))
    .collect()
}

impl ExperimentSpec {
    /// The oddities that change the image of `experiment`.
    pub(crate) fn oddities(&self, experiment: &Experiment, layout: &Layout) -> Vec<Oddity> {
        let mut oddities = of_experiment(experiment);
        for warning in &layout.warnings {
            oddities.extend(match warning {
                Warning::IgnoredPivot { .. } => Some(Oddity::Pivot),
                Warning::IgnoredBeamCentre { .. } => Some(Oddity::BeamCentre),
                Warning::IgnoredPix0 { .. } => Some(Oddity::IgnoredInput),
                Warning::CurvedExchanged => Some(Oddity::Curved),
                Warning::TwothetaDistance { .. } => Some(Oddity::TwothetaDistance),
                _ => None,
            });
        }
        if matches!(self.misset(), Some(Misset::Random { .. })) {
            oddities.push(Oddity::MissetRandom);
        }
        let crystal = &experiment.crystal;
        let chooses_otherwise = self.lookup.is_none()
            && experiment.factors.count_read() > 0
            && crystal.interpolates_by_default(true) != crystal.interpolates_by_default(false);
        if chooses_otherwise && !self.fixes.contains(Oddity::SizeLookup) {
            oddities.push(Oddity::SizeLookup);
        }
        if crystal.tilts_c_star() {
            oddities.push(Oddity::CStar);
        }
        oddities.sort_unstable();
        oddities.dedup();
        oddities
    }
}

//! The stages, and the experiment and the pixels of each.

use nanobragg::geometry::vector::{dot, sub, unit};
use nanobragg::{
    CrystalSpec, DIRECT_BEAM_ORDER, Experiment, ExperimentSpec, Length, Misset, Panel, Resolved,
    Shape,
};

use crate::spec::{Schedule, Stage};

/// The orders of diffraction along the longest edge in the first stage. An error of 2 % in the edge
/// moves the last of these orders by a fifth of the distance to the next one.
const FIRST_ORDERS: f64 = 10.0;

/// Cells along each axis in the first stage. The width of a spot is then a seventh of the distance
/// to the next one.
const FIRST_CELLS: f64 = 7.0;

/// The factor on orders and cells from stage to stage.
const GROWTH: f64 = 2.0;

/// The standard deviation of the blur, divided by the width of a spot of the stage.
const BLUR: f64 = 1.4;

/// A blur by fewer pixels has no effect and is left out.
const LEAST_BLUR_PIXELS: f64 = 0.3;

impl Stage {
    /// All pixels, the true crystal, no blur.
    pub const FINAL: Self = Self {
        dmin: Length::from_m(0.0),
        most_cells: None,
        blur_pixels: 0.0,
    };

    /// Whether it has all pixels, the true crystal and no blur.
    pub(crate) fn is_final(&self) -> bool {
        *self == Self::FINAL
    }

    /// The experiment with the crystal of this stage.
    pub(crate) fn crystal(&self, mut spec: ExperimentSpec) -> ExperimentSpec {
        // Fewer cells make wide spots, and a Gaussian has no fringes. Both give the misfit a wide
        // minimum.
        if let Some(most) = self.most_cells {
            spec.crystal.cells = spec.crystal.cells.map(|n| n.min(most.into()));
            spec.crystal.shape = Shape::Gauss;
        }
        spec
    }

    /// The pixels of this stage among those `used`, as one flag per pixel.
    pub(crate) fn selected_pixels(&self, used: &[bool], scales: &ImageScales) -> Vec<bool> {
        let is_in_range = |spacing_m: f64| {
            // The direct beam is brighter than all spots and contains little information about the parameters.
            let beyond_beam = spacing_m * DIRECT_BEAM_ORDER <= scales.longest_edge_m;
            spacing_m >= self.dmin.m() && (self.is_final() || beyond_beam)
        };
        used.iter()
            .zip(&scales.spacings_m)
            .map(|(&used, &spacing_m)| used && is_in_range(spacing_m))
            .collect()
    }
}

impl Schedule {
    /// The stages for an image with these scales and used pixels.
    pub(crate) fn stages(&self, scales: &ImageScales, used: &[bool]) -> Vec<Stage> {
        match self {
            Self::Stages(stages) => stages.clone(),
            Self::Final => vec![Stage::FINAL],
            Self::WideToNarrow => wide_to_narrow(scales, scales.least_spacing_m(used)),
        }
    }
}

/// The default stages. Each stage has twice as many cells as the one before and, from the third on,
/// twice as many orders. They end when all pixels and the true crystal are reached, and the last stage
/// has no blur.
fn wide_to_narrow(scales: &ImageScales, least_spacing_m: f64) -> Vec<Stage> {
    let mut stages = Vec::new();
    let (mut orders, mut cells) = (FIRST_ORDERS, FIRST_CELLS);
    loop {
        let dmin_m = scales.longest_edge_m / orders;
        let has_all_pixels = dmin_m <= least_spacing_m;
        let has_true_crystal = cells >= scales.most_cells;
        // The width of a spot is one order divided by the number of cells.
        let blur_pixels = BLUR / cells * scales.order_pixels;
        // The second stage only sharpens the spots of the first.
        if !stages.is_empty() {
            orders *= GROWTH;
        }
        stages.push(Stage {
            dmin: Length::from_m(if has_all_pixels { 0.0 } else { dmin_m }),
            most_cells: (!has_true_crystal).then_some(cells as u32),
            blur_pixels: if blur_pixels < LEAST_BLUR_PIXELS {
                0.0
            } else {
                blur_pixels
            },
        });
        if has_all_pixels && has_true_crystal {
            break;
        }
        cells *= GROWTH;
    }
    if stages.last() != Some(&Stage::FINAL) {
        stages.push(Stage::FINAL);
    }
    stages
}

/// The scales of the image at the start, from which the stages are made.
#[derive(Debug, Clone)]
pub(crate) struct ImageScales {
    /// The lattice spacing `d = lambda/|s - s0|` at the middle of each pixel; infinite in the direct
    /// beam.
    pub(crate) spacings_m: Vec<f64>,
    pub(crate) longest_edge_m: f64,
    /// The distance on the detector between two orders of the longest edge.
    order_pixels: f64,
    /// The largest number of cells along an axis.
    most_cells: f64,
}

impl ImageScales {
    /// The scales of an experiment.
    pub(crate) fn of(resolved: &Resolved) -> Self {
        let experiment = &resolved.experiment;
        let panel = experiment.detector.first();
        let wavelength_m = resolved.decisions.wavelength_m;
        let edges_m = experiment.crystal.direct().lengths_m();
        let longest_edge_m = edges_m.into_iter().fold(0.0, f64::max);
        let order_m = wavelength_m * panel.distance_m().abs() / longest_edge_m;
        Self {
            spacings_m: spacings_m(experiment, wavelength_m),
            longest_edge_m,
            order_pixels: order_m / panel.pixel_size_m(),
            most_cells: (experiment.crystal.size().cells().into_iter()).fold(1.0, f64::max),
        }
    }

    /// The smallest spacing of the used pixels.
    fn least_spacing_m(&self, used: &[bool]) -> f64 {
        let spacings = used.iter().zip(&self.spacings_m);
        let used = spacings.filter(|(used, _)| **used).map(|(_, &m)| m);
        used.fold(f64::INFINITY, f64::min)
    }
}

/// The lattice spacing at the middle of each pixel, `[slow][fast]`.
fn spacings_m(experiment: &Experiment, wavelength_m: f64) -> Vec<f64> {
    let spacing = |panel: &Panel, slow: u32, fast: u32| {
        // |s - s0| / lambda = 1/d.
        let to_pixel = unit(panel.middle_m(fast, slow));
        let step = sub(to_pixel, experiment.beam.direction());
        wavelength_m / dot(step, step).sqrt()
    };
    let mut spacings_m = Vec::with_capacity(experiment.detector.pixel_count());
    for panel in experiment.detector.panels() {
        for slow in 0..panel.pixels_slow() {
            spacings_m.extend((0..panel.pixels_fast()).map(|fast| spacing(panel, slow, fast)));
        }
    }
    spacings_m
}

/// The experiment with fixed sub-pixels, numbers of cells, interpolation and random misset.
///
/// Without this they would follow from parameters that are refined, and change in steps: the image
/// would jump.
pub(crate) fn frozen(spec: &ExperimentSpec, experiment: &Experiment) -> ExperimentSpec {
    let mut spec = spec.clone();
    if let Some(auto) = spec.sampling.auto.take() {
        if auto.phi_steps {
            let phi = &experiment.phi;
            spec.phi.sweep.range = Some(phi.range_rad);
            spec.phi.sweep.count = Some(phi.count.into());
        }
        if auto.mosaic_domains {
            let domains = experiment.crystal.mosaic().domains().len();
            spec.crystal.mosaic.domains = i64::try_from(domains).ok();
        }
    }
    spec.sampling.oversample = Some(experiment.sampling.oversample);
    spec.lookup = Some(experiment.lookup);
    // Whole numbers unless real ones were asked for; the conversion saturates.
    let cells = experiment.crystal.size().cells().map(|n| n as i64);
    spec.crystal = CrystalSpec {
        cells,
        size_m: [0.0; 3],
        misset: experiment.crystal.misset_rad().map(Misset::Angles),
        ..spec.crystal
    };
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scales(longest_edge_m: f64, most_cells: f64) -> ImageScales {
        ImageScales {
            spacings_m: Vec::new(),
            longest_edge_m,
            order_pixels: 5.0,
            most_cells,
        }
    }

    #[test]
    fn stages_widen_to_all_orders_and_the_true_crystal() {
        let stages = wide_to_narrow(&scales(70e-10, 10.0), 2e-10);
        let cells: Vec<_> = stages.iter().map(|stage| stage.most_cells).collect();
        assert_eq!(cells, [Some(7), None, None, None]);
        let dmin_pm = stages.iter().map(|stage| (stage.dmin.m() * 1e12).round());
        assert_eq!(dmin_pm.collect::<Vec<_>>(), [700.0, 700.0, 350.0, 0.0]);
        assert!(stages.is_sorted_by(|wide, narrow| wide.blur_pixels >= narrow.blur_pixels));
        assert!(stages[3].is_final());
    }

    #[test]
    fn a_large_crystal_still_grows_when_all_orders_are_used() {
        let stages = wide_to_narrow(&scales(70e-10, 100.0), 6e-10);
        let cells: Vec<_> = stages.iter().map(|stage| stage.most_cells).collect();
        assert_eq!(cells, [Some(7), Some(14), Some(28), Some(56), None]);
    }
}

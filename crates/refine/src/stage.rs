//! What a stage makes of experiment and target.

use nanobragg::geometry::vector::{dot, sub, unit};
use nanobragg::{CrystalSpec, Experiment, ExperimentSpec, Length, Misset, Resolved, Shape};

use crate::spec::{Schedule, Stage};

/// Orders of diffraction along the longest edge that the first stage looks at: an edge 2 % off moves
/// the last of them by a fifth of the way to its neighbour.
const FIRST_ORDERS: f64 = 10.0;

/// Cells along each axis in the first stage: spots a seventh of the way to their neighbour wide.
const FIRST_CELLS: f64 = 7.0;

/// By how much more orders and cells each further stage has.
const GROWTH: f64 = 2.0;

/// The smearing as a fraction of the width of a spot of the stage.
const BLUR: f64 = 1.4;

/// A smearing by fewer pixels changes nothing.
const LEAST_BLUR_PIXELS: f64 = 0.3;

/// Along the longest edge, the order below which all stages but the last look away: the direct beam
/// outshines all spots and hardly tells where anything is.
const DIRECT_BEAM_ORDER: f64 = 2.0 / 3.0;

impl Stage {
    /// All pixels, the true crystal, no smearing.
    pub const FINAL: Self = Self {
        dmin: Length::from_m(0.0),
        most_cells: None,
        blur_pixels: 0.0,
    };

    /// Whether it is anything but the whole of the target as it is.
    pub(crate) fn is_final(&self) -> bool {
        *self == Self::FINAL
    }

    /// The experiment as this stage sees it.
    pub(crate) fn crystal(&self, mut spec: ExperimentSpec) -> ExperimentSpec {
        if let Some(most) = self.most_cells {
            spec.crystal.cells = spec.crystal.cells.map(|n| n.min(most.into()));
            spec.crystal.shape = Shape::Gauss;
        }
        spec
    }

    /// Which pixels it looks at, of those `used`.
    pub(crate) fn looks_at(&self, used: &[bool], view: &View) -> Vec<bool> {
        let sees = |spacing_m: f64| {
            let beyond_beam = spacing_m * DIRECT_BEAM_ORDER <= view.longest_edge_m;
            spacing_m >= self.dmin.m() && (self.is_final() || beyond_beam)
        };
        used.iter()
            .zip(&view.spacings_m)
            .map(|(&used, &spacing_m)| used && sees(spacing_m))
            .collect()
    }
}

impl Schedule {
    /// The stages for an experiment of which the pixels `used` are looked at.
    pub(crate) fn stages(&self, view: &View, used: &[bool]) -> Vec<Stage> {
        match self {
            Self::Stages(stages) => stages.clone(),
            Self::Final => vec![Stage::FINAL],
            Self::WideToNarrow => wide_to_narrow(view, view.least_spacing_m(used)),
        }
    }
}

/// From stage to stage twice as many cells, and from the second on twice as many orders, until both
/// are all there are; then the target as it is.
fn wide_to_narrow(view: &View, least_spacing_m: f64) -> Vec<Stage> {
    let mut stages = Vec::new();
    let (mut orders, mut cells) = (FIRST_ORDERS, FIRST_CELLS);
    loop {
        let dmin_m = view.longest_edge_m / orders;
        let sees_all = dmin_m <= least_spacing_m;
        let is_whole = cells >= view.most_cells;
        let blur_pixels = BLUR / cells * view.order_pixels;
        if !stages.is_empty() {
            orders *= GROWTH;
        }
        stages.push(Stage {
            dmin: Length::from_m(if sees_all { 0.0 } else { dmin_m }),
            most_cells: (!is_whole).then_some(cells as u32),
            blur_pixels: if blur_pixels < LEAST_BLUR_PIXELS {
                0.0
            } else {
                blur_pixels
            },
        });
        if sees_all && is_whole {
            break;
        }
        cells *= GROWTH;
    }
    if stages.last() != Some(&Stage::FINAL) {
        stages.push(Stage::FINAL);
    }
    stages
}

/// What the start tells of the scale of things.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The spacing that each pixel sees at its middle; infinite in the direct beam.
    pub(crate) spacings_m: Vec<f64>,
    pub(crate) longest_edge_m: f64,
    /// From one order of the longest edge to the next on the detector.
    order_pixels: f64,
    /// Cells along the axis that has most of them.
    most_cells: f64,
}

impl View {
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

    fn least_spacing_m(&self, used: &[bool]) -> f64 {
        let spacings = used.iter().zip(&self.spacings_m);
        let seen = spacings.filter(|(used, _)| **used).map(|(_, &m)| m);
        seen.fold(f64::INFINITY, f64::min)
    }
}

fn spacings_m(experiment: &Experiment, wavelength_m: f64) -> Vec<f64> {
    let panel = experiment.detector.first();
    let spacing = |slow: u32, fast: u32| {
        let to_pixel = unit(panel.middle_m(fast, slow));
        let step = sub(to_pixel, experiment.beam.direction());
        wavelength_m / dot(step, step).sqrt()
    };
    (0..panel.pixels_slow())
        .flat_map(|slow| (0..panel.pixels_fast()).map(move |fast| spacing(slow, fast)))
        .collect()
}

/// The experiment with everything fixed that would otherwise follow from parameters in steps:
/// sub-pixels, numbers of cells, interpolation, and a misset that is drawn.
pub(crate) fn frozen(spec: &ExperimentSpec, experiment: &Experiment) -> ExperimentSpec {
    let mut spec = spec.clone();
    spec.sampling.oversample = Some(experiment.sampling.oversample);
    spec.lookup = Some(experiment.lookup);
    // Whole numbers; the conversion saturates.
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

    fn view(longest_edge_m: f64, most_cells: f64) -> View {
        View {
            spacings_m: Vec::new(),
            longest_edge_m,
            order_pixels: 5.0,
            most_cells,
        }
    }

    #[test]
    fn stages_widen_to_all_orders_and_the_true_crystal() {
        let stages = wide_to_narrow(&view(70e-10, 10.0), 2e-10);
        let cells: Vec<_> = stages.iter().map(|stage| stage.most_cells).collect();
        assert_eq!(cells, [Some(7), None, None, None]);
        let dmin_pm = stages.iter().map(|stage| (stage.dmin.m() * 1e12).round());
        assert_eq!(dmin_pm.collect::<Vec<_>>(), [700.0, 700.0, 350.0, 0.0]);
        assert!(stages.is_sorted_by(|wide, narrow| wide.blur_pixels >= narrow.blur_pixels));
        assert!(stages[3].is_final());
    }

    #[test]
    fn a_large_crystal_is_let_grow_when_all_orders_are_seen() {
        let stages = wide_to_narrow(&view(70e-10, 100.0), 6e-10);
        let cells: Vec<_> = stages.iter().map(|stage| stage.most_cells).collect();
        assert_eq!(cells, [Some(7), Some(14), Some(28), Some(56), None]);
    }
}

//! The grid of directions.

use nanobragg_geometry::rotation::rotate_about;
use nanobragg_geometry::vector::scale;
use nanobragg_numeric::Scalar;

use serde::{Deserialize, Serialize};

use crate::error::{Quantity, Result};
use crate::profile::Profile;
use crate::source::SOURCE_DISTANCE_M;
use crate::steps::{self, StepSpec, Steps, centred_steps};

/// The outline of the grid. Directions outside it are trimmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outline {
    /// The ellipse whose diameters are the two ranges, with a margin of 10 % of the squared radius.
    #[default]
    Round,
    /// The full rectangle: no direction is trimmed.
    Square,
}

/// The user's description of the divergence. Angles are in radians.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DivergenceSpec {
    /// Angles about the vertical axis.
    #[serde(with = "steps::mrad")]
    pub horizontal: StepSpec,
    /// Angles about the polarization axis.
    #[serde(with = "steps::mrad")]
    pub vertical: StepSpec,
    /// The outline of the grid.
    pub outline: Outline,
    /// How the photons are spread over the directions.
    pub profile: Profile,
}

/// The divergence of the beam. Angles are in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    horizontal: Steps,
    vertical: Steps,
    outline: Outline,
    profile: Profile,
}

impl Divergence {
    /// The divergence of a description. [`steps`] has the rules for missing numbers.
    ///
    /// # Errors
    /// [`Error::StepNotFinite`](crate::Error::StepNotFinite) and
    /// [`Error::TooManySteps`](crate::Error::TooManySteps).
    pub fn new(spec: &DivergenceSpec) -> Result<Self> {
        Ok(Self {
            horizontal: centred_steps(Quantity::HorizontalDivergence, spec.horizontal)?,
            vertical: centred_steps(Quantity::VerticalDivergence, spec.vertical)?,
            outline: spec.outline,
            profile: spec.profile,
        })
    }

    /// The steps about the vertical axis.
    pub fn horizontal(&self) -> Steps {
        self.horizontal
    }

    /// The steps about the polarization axis.
    pub fn vertical(&self) -> Steps {
        self.vertical
    }

    /// The outline of the grid.
    pub fn outline(&self) -> Outline {
        self.outline
    }

    /// How the photons are spread over the directions.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The weights of the directions inside the outline, in the order of [`kept`](Self::kept): the product of
    /// those of both axes.
    pub fn weights(&self) -> Vec<f64> {
        let weight = |(i, j)| {
            self.profile.weight(self.horizontal, i) * self.profile.weight(self.vertical, j)
        };
        self.kept().into_iter().map(weight).collect()
    }

    /// The deviations (hdiv, vdiv) of the directions inside the outline. The vertical one varies
    /// fastest.
    ///
    /// The time is in proportion to the product of both counts, which
    /// [`SourceList::grid`](crate::SourceList::grid) limits.
    pub fn deviations_rad(&self) -> Vec<(f64, f64)> {
        let deviate = |(i, j)| (self.horizontal.deviation(i), self.vertical.deviation(j));
        self.kept().into_iter().map(deviate).collect()
    }

    /// The steps (horizontal, vertical) of the directions inside the outline, in the same order.
    pub fn kept(&self) -> Vec<(u32, u32)> {
        (0..self.horizontal.count)
            .flat_map(|i| (0..self.vertical.count).map(move |j| (i, j)))
            .filter(|&(i, j)| self.keeps(self.horizontal.deviation(i), self.vertical.deviation(j)))
            .collect()
    }

    /// Whether a direction is inside the outline.
    ///
    /// If one range is 0, its share is 0/0 = NaN, and the comparison is false: a grid along one axis
    /// only is not trimmed. The C program does the same.
    fn keeps(&self, hdiv_rad: f64, vdiv_rad: f64) -> bool {
        let radius_squared =
            squared_share(hdiv_rad, self.horizontal) + squared_share(vdiv_rad, self.vertical);
        // The shares are in units of the full range, so the ellipse is at (1/2)^2 = 1/4.
        let outside = radius_squared * 4.0 > 1.1;
        self.outline == Outline::Square || !outside
    }
}

/// The square of a deviation divided by the range: 1/4 at the ends of the range.
///
/// With an even count no point is in the middle: the two innermost ones are half a step away. The
/// square of half a step is subtracted, so that their share is 0.
fn squared_share(deviation: f64, steps: Steps) -> f64 {
    let even = if steps.count.is_multiple_of(2) {
        1.0
    } else {
        0.0
    };
    (deviation * deviation - steps.step * steps.step / 4.0 * even) / steps.range / steps.range
}

/// The axes of the beam, in the laboratory frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeamAxes<T = f64> {
    /// Unit vector along the beam, from the source to the sample.
    pub beam: [T; 3],
    /// Unit vector along the polarization. Vertical divergence turns the source about it.
    pub polarization: [T; 3],
    /// Unit vector along beam x polarization. Horizontal divergence turns the source about it.
    pub vertical: [T; 3],
}

impl<T: Scalar> BeamAxes<T> {
    /// The position in metres of the source whose direction deviates by `hdiv_rad` and `vdiv_rad`.
    /// The point [`SOURCE_DISTANCE_M`] upstream on the beam is rotated about the polarization and
    /// then about the vertical axis.
    pub fn source_position_m(&self, hdiv_rad: T, vdiv_rad: T) -> [T; 3] {
        let on_axis = scale(T::from_f64(-SOURCE_DISTANCE_M), self.beam);
        let raised = rotate_about(on_axis, self.polarization, vdiv_rad);
        rotate_about(raised, self.vertical, hdiv_rad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(range: f64, count: i64) -> StepSpec {
        StepSpec {
            range: Some(range),
            count: Some(count),
            ..StepSpec::default()
        }
    }

    fn kept(horizontal: StepSpec, vertical: StepSpec, outline: Outline) -> usize {
        let spec = DivergenceSpec {
            horizontal,
            vertical,
            outline,
            ..DivergenceSpec::default()
        };
        Divergence::new(&spec).unwrap().deviations_rad().len()
    }

    #[test]
    fn a_round_outline_trims_the_corners() {
        let counts = [2, 3, 4, 5].map(|n| {
            let square = kept(steps(0.008, n), steps(0.008, n), Outline::Square);
            assert_eq!(square, (n * n) as usize);
            kept(steps(0.008, n), steps(0.008, n), Outline::Round)
        });
        assert_eq!(counts, [4, 5, 12, 13]);
    }

    #[test]
    fn a_grid_along_one_axis_is_never_trimmed() {
        assert_eq!(
            kept(steps(0.009, 5), StepSpec::default(), Outline::Round),
            5
        );
        assert_eq!(
            kept(StepSpec::default(), steps(0.009, 7), Outline::Round),
            7
        );
    }

    #[test]
    fn the_vertical_step_runs_fastest() {
        let spec = DivergenceSpec {
            horizontal: steps(2.0, 2),
            vertical: steps(4.0, 2),
            outline: Outline::Square,
            ..DivergenceSpec::default()
        };
        let deviations = Divergence::new(&spec).unwrap().deviations_rad();
        assert_eq!(
            deviations,
            [(-1.0, -2.0), (-1.0, 2.0), (1.0, -2.0), (1.0, 2.0)]
        );
    }

    #[test]
    fn a_source_without_deviation_is_upstream_on_the_beam() {
        let axes = BeamAxes {
            beam: [1.0, 0.0, 0.0],
            polarization: [0.0, 0.0, 1.0],
            vertical: [0.0, -1.0, 0.0],
        };
        assert_eq!(axes.source_position_m(0.0, 0.0), [-10.0, 0.0, 0.0]);
    }
}

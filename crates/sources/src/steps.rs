//! Range, step and count of a quantity. Any two give the third, by the rules of the C program.
//!
//! | count | range | step | divergence and dispersion | phi |
//! |---|---|---|---|---|
//! | - | - | - | one point | one point |
//! | - | - | s | range s, 2 points | range s, 2 points |
//! | - | r | - | step r, 2 points | step r/2, 2 points |
//! | - | r | s | ceil(r/s) points | ceil(r/s) points |
//! | n | - | - | range 1, step 1/n | range 1 degree, step 1/n degree |
//! | n | - | s | range s, 2 points | range s, 2 points |
//! | n | r | - | at least 2 points, step r/(n-1) | step r/n |
//! | n | r | s | as given | as given |
//!
//! `-` is a value that is not given. A range below 0, a step of 0 or below and a count of 0 or below
//! count as not given too. For phi only a count below 0 does; 0 points become one. Divergence and
//! dispersion have one point if the resulting range or step is 0.

use nanobragg_geometry::in_unit;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Quantity, Result};

/// The largest number of steps in any one quantity.
pub const MAX_STEPS: u32 = 1_000_000_000;

/// One degree in radians, rounded in the same way as an angle on the command line.
const ONE_DEGREE_RAD: f64 = 1.0 / (180.0 * std::f64::consts::FRAC_1_PI);

/// The user's description of the steps of a quantity. `None` is for numbers that were not given. The
/// unit is the user's choice.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepSpec {
    /// The distance from the first to the last point.
    pub range: Option<f64>,
    /// The distance from one point to the next.
    pub step: Option<f64>,
    /// The number of points.
    pub count: Option<i64>,
}

/// A [`StepSpec`] of angles in a file, for `#[serde(with = ...)]`.
pub(crate) mod mrad {
    use super::*;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct InMrad {
        #[serde(with = "in_unit::mrad")]
        range_mrad: Option<f64>,
        #[serde(with = "in_unit::mrad")]
        step_mrad: Option<f64>,
        count: Option<i64>,
    }

    pub(crate) fn serialize<S: Serializer>(
        spec: &StepSpec,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        let written = InMrad {
            range_mrad: spec.range,
            step_mrad: spec.step,
            count: spec.count,
        };
        written.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<StepSpec, D::Error> {
        let read = InMrad::deserialize(deserializer)?;
        Ok(StepSpec {
            range: read.range_mrad,
            step: read.step_mrad,
            count: read.count,
        })
    }
}

/// The steps of a quantity, in the unit of its [`StepSpec`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// The full range. There are `count` points, `step` apart, which need not reach its end.
    pub range: f64,
    /// The distance from one point to the next.
    pub step: f64,
    /// The number of points, at least 1.
    pub count: u32,
}

impl Steps {
    /// One point without a range.
    pub const STILL: Self = Self {
        range: 0.0,
        step: 0.0,
        count: 1,
    };

    /// The position of point `index` from the middle of the range: `step * index - range/2`.
    pub fn deviation(&self, index: u32) -> f64 {
        self.step * f64::from(index) - self.range / 2.0
    }

    /// These steps, or one point if the range or the step is 0.
    fn or_still(self) -> Self {
        if self.range <= 0.0 || self.step <= 0.0 {
            Self::STILL
        } else {
            self
        }
    }
}

/// The steps of a divergence (radians) or of a dispersion (fraction of the wavelength).
pub(crate) fn centred_steps(quantity: Quantity, spec: StepSpec) -> Result<Steps> {
    let range = finite(quantity, spec.range)?.filter(|range| *range >= 0.0);
    let step = finite(quantity, spec.step)?.filter(|step| *step > 0.0);
    let count = counted(quantity, spec.count)?.filter(|count| *count > 0);
    let steps = match (count, range, step) {
        (None, None, None) => Steps::STILL,
        // The two ends of the range.
        (None, Some(range), None) => Steps {
            range,
            step: range,
            count: 2,
        },
        (None, Some(range), Some(step)) => match steps_that_fit(quantity, range, step)? {
            0 => Steps::STILL,
            count => Steps { range, step, count },
        },
        // Without a range the C program ignores the count.
        (_, None, Some(step)) => Steps {
            range: step,
            step,
            count: 2,
        },
        // The range of 1 is 1 radian, or 100 % of the wavelength.
        (Some(count), None, None) => Steps {
            range: 1.0,
            step: 1.0 / f64::from(count),
            count,
        },
        (Some(count), Some(range), None) => {
            // n points have n - 1 intervals between them, and there must be one.
            let count = count.max(2);
            Steps {
                range,
                step: range / f64::from(count - 1),
                count,
            }
        }
        (Some(count), Some(range), Some(step)) => Steps { range, step, count },
    };
    Ok(steps.or_still())
}

/// The steps of the crystal's rotation, in radians.
///
/// A range of 0 with a step is one point. The C program renders no point and divides by 0.
///
/// # Errors
/// [`Error::StepNotFinite`] and [`Error::TooManySteps`].
pub fn phi_steps(spec: StepSpec) -> Result<Steps> {
    let quantity = Quantity::Phi;
    let range = finite(quantity, spec.range)?.filter(|range| *range >= 0.0);
    let given_step = finite(quantity, spec.step)?.filter(|step| *step >= 0.0);
    let step = given_step.filter(|step| *step > 0.0);
    let count = counted(quantity, spec.count)?.map(|count| count.max(1));
    Ok(match (count, range, step) {
        (None, None, None) => Steps::STILL,
        (None, Some(range), None) => Steps {
            range,
            step: range / 2.0,
            count: 2,
        },
        (None, Some(range), Some(step)) => {
            let count = steps_that_fit(quantity, range, step)?.max(1);
            Steps { range, step, count }
        }
        (_, None, Some(step)) => Steps {
            range: step,
            step,
            count: 2,
        },
        (Some(count), None, None) => {
            let range = ONE_DEGREE_RAD;
            Steps {
                range,
                step: range / f64::from(count),
                count,
            }
        }
        // A sweep of n steps ends one step after its last point, so the step is range/n. A given step
        // of 0 is used: all points are at the same angle.
        (Some(count), Some(range), _) => Steps {
            range,
            step: given_step.unwrap_or(range / f64::from(count)),
            count,
        },
    })
}

/// The value given, if it is finite.
fn finite(quantity: Quantity, value: Option<f64>) -> Result<Option<f64>> {
    match value {
        Some(value) if !value.is_finite() => Err(Error::StepNotFinite { quantity, value }),
        _ => Ok(value),
    }
}

/// The count given. `None` also for a count below 0.
fn counted(quantity: Quantity, count: Option<i64>) -> Result<Option<u32>> {
    match count {
        Some(count) if count > i64::from(MAX_STEPS) => Err(Error::TooManySteps {
            quantity,
            count: count as f64,
        }),
        _ => Ok(count.and_then(|count| u32::try_from(count).ok())),
    }
}

/// The number of steps in a range: `ceil(range/step)`, for a step above 0.
fn steps_that_fit(quantity: Quantity, range: f64, step: f64) -> Result<u32> {
    let count = (range / step).ceil();
    if count <= f64::from(MAX_STEPS) {
        Ok(count as u32)
    } else {
        Err(Error::TooManySteps { quantity, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given = (Option<i64>, Option<f64>, Option<f64>);

    fn spec((count, range, step): Given) -> StepSpec {
        StepSpec { range, step, count }
    }

    fn centred(given: Given) -> Steps {
        centred_steps(Quantity::Dispersion, spec(given)).unwrap()
    }

    fn phi(given: Given) -> Steps {
        phi_steps(spec(given)).unwrap()
    }

    #[test]
    fn any_two_give_the_third() {
        let expected = [
            ((None, None, None), (0.0, 0.0, 1)),
            ((None, None, Some(0.5)), (0.5, 0.5, 2)),
            ((None, Some(6.0), None), (6.0, 6.0, 2)),
            ((None, Some(6.0), Some(4.0)), (6.0, 4.0, 2)),
            ((Some(4), None, None), (1.0, 0.25, 4)),
            ((Some(4), None, Some(0.5)), (0.5, 0.5, 2)),
            ((Some(4), Some(6.0), None), (6.0, 2.0, 4)),
            ((Some(1), Some(6.0), None), (6.0, 6.0, 2)),
            ((Some(4), Some(6.0), Some(0.1)), (6.0, 0.1, 4)),
        ];
        for (given, (range, step, count)) in expected {
            assert_eq!(centred(given), Steps { range, step, count }, "{given:?}");
        }
    }

    #[test]
    fn a_range_or_step_of_zero_is_one_point() {
        let nothing = [
            (Some(5), Some(0.0), None),
            (Some(5), Some(0.0), Some(0.1)),
            (None, Some(0.0), None),
            (None, Some(0.0), Some(0.1)),
            (Some(-1), Some(-1.0), Some(-1.0)),
            (Some(0), None, Some(0.0)),
        ];
        for given in nothing {
            assert_eq!(centred(given), Steps::STILL, "{given:?}");
        }
    }

    #[test]
    fn values_below_zero_count_as_not_given() {
        assert_eq!(
            centred((Some(3), Some(-1.0), None)),
            centred((Some(3), None, None))
        );
        assert_eq!(
            centred((Some(0), Some(6.0), Some(2.0))),
            centred((None, Some(6.0), Some(2.0)))
        );
        assert_eq!(
            phi((Some(-1), Some(6.0), Some(2.0))),
            phi((None, Some(6.0), Some(2.0)))
        );
        assert_eq!(
            phi((Some(3), Some(6.0), Some(-2.0))),
            phi((Some(3), Some(6.0), None))
        );
    }

    #[test]
    fn phi_divides_its_range_by_the_count() {
        let expected = [
            ((None, None, None), (0.0, 0.0, 1)),
            ((None, None, Some(0.5)), (0.5, 0.5, 2)),
            ((None, Some(6.0), None), (6.0, 3.0, 2)),
            ((None, Some(5.0), Some(2.0)), (5.0, 2.0, 3)),
            ((Some(0), None, None), (ONE_DEGREE_RAD, ONE_DEGREE_RAD, 1)),
            (
                (Some(4), None, None),
                (ONE_DEGREE_RAD, ONE_DEGREE_RAD / 4.0, 4),
            ),
            ((Some(4), None, Some(0.5)), (0.5, 0.5, 2)),
            ((Some(4), Some(6.0), None), (6.0, 1.5, 4)),
            ((Some(4), Some(6.0), Some(0.1)), (6.0, 0.1, 4)),
            ((Some(4), Some(6.0), Some(0.0)), (6.0, 0.0, 4)),
            ((Some(4), Some(0.0), None), (0.0, 0.0, 4)),
            ((None, Some(0.0), Some(0.1)), (0.0, 0.1, 1)),
        ];
        for (given, (range, step, count)) in expected {
            assert_eq!(phi(given), Steps { range, step, count }, "{given:?}");
        }
    }

    #[test]
    fn absurd_counts_and_values_are_refused() {
        for given in [
            (None, Some(1.0), Some(1e-300)),
            (Some(i64::MAX), None, None),
        ] {
            assert!(
                matches!(phi_steps(spec(given)), Err(Error::TooManySteps { .. })),
                "{given:?}"
            );
        }
        for given in [
            (None, Some(f64::NAN), None),
            (None, None, Some(f64::INFINITY)),
        ] {
            assert!(
                matches!(phi_steps(spec(given)), Err(Error::StepNotFinite { .. })),
                "{given:?}"
            );
        }
    }
}

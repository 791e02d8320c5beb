//! The structure factor of a molecule against sin(theta)/lambda.

use std::f64::consts::PI;

use nanobragg_numeric::Scalar;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What the first column of a table is. All are in 1/Angstrom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StolUnit {
    /// sin(theta)/lambda.
    #[default]
    Stol,
    /// 4 sin(theta)/lambda.
    FourStol,
    /// Q = 4 pi sin(theta)/lambda.
    Q,
}

impl StolUnit {
    /// The factor from the column to sin(theta)/lambda in 1/m.
    pub fn per_m(self) -> f64 {
        match self {
            Self::Stol => 1e10,
            Self::FourStol => 1e10 / 4.0,
            // In the order of the C program, for its last bit.
            Self::Q => 1e10 / PI / 4.0,
        }
    }
}

/// The points that interpolation adds before the first and behind the last, in 1/m.
const OUTSIDE_PER_M: [f64; 2] = [1e98, 1e99];

/// Points of a structure factor, in ascending order of sin(theta)/lambda.
///
/// F is the ratio of the amplitude that one molecule scatters to that of one electron. F < 0 stands for a
/// negative intensity -F^2, as tables of differences have.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The points in 1/m, with two more at either end.
    stol_per_m: Vec<f64>,
    /// F of each of them.
    electrons: Vec<f64>,
    /// Whether F is constant outside the table.
    has_constant_ends: bool,
}

impl Profile {
    /// A profile of pairs of sin(theta)/lambda in 1/A and F in electrons.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`], [`Error::NotAscending`].
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, Error> {
        Self::in_unit(points, StolUnit::Stol)
    }

    /// A profile of pairs of a number in `unit` and F in electrons.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_unit(
        points: impl IntoIterator<Item = (f64, f64)>,
        unit: StolUnit,
    ) -> Result<Self, Error> {
        let factor = unit.per_m();
        let (mut stol_per_m, mut electrons): (Vec<f64>, Vec<f64>) = points
            .into_iter()
            .map(|(stol, f)| (stol * factor, f))
            .unzip();
        let (Some(&first), Some(&last), true) =
            (electrons.first(), electrons.last(), electrons.len() > 1)
        else {
            return Err(Error::TooFewPoints {
                points: electrons.len(),
            });
        };
        let mut before = -OUTSIDE_PER_M[0];
        for (at, (&stol, f)) in stol_per_m.iter().zip(&electrons).enumerate() {
            // A NaN is not greater than anything.
            if !(stol > before && stol < OUTSIDE_PER_M[0] && f.is_finite()) {
                return Err(Error::NotAscending {
                    point: at + 1,
                    stol_per_angstrom: stol * 1e-10,
                });
            }
            before = stol;
        }
        let [near, far] = OUTSIDE_PER_M;
        stol_per_m.splice(..0, [-far, -near]);
        stol_per_m.extend([near, far]);
        electrons.splice(..0, [first; 2]);
        electrons.extend([last; 2]);
        Ok(Self {
            stol_per_m,
            electrons,
            has_constant_ends: false,
        })
    }

    /// The profile with the first F before the table and the last F behind it, in place of a straight line.
    #[must_use]
    pub fn with_constant_ends(self) -> Self {
        Self {
            has_constant_ends: true,
            ..self
        }
    }

    /// The profile with other F in the points that interpolation adds before and behind the table.
    pub(crate) fn with_ends(mut self, [first, last]: [f64; 2]) -> Self {
        let behind = self.electrons.len() - 2;
        for (at, f) in self.electrons.iter_mut().enumerate() {
            if at < 2 {
                *f = first;
            } else if at >= behind {
                *f = last;
            }
        }
        self
    }

    /// The points: sin(theta)/lambda in 1/A, and F in electrons.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> + '_ {
        let own = 2..self.electrons.len() - 2;
        let stol = self.stol_per_m.get(own.clone()).unwrap_or_default();
        let f = self.electrons.get(own).unwrap_or_default();
        stol.iter().map(|stol| stol * 1e-10).zip(f.iter().copied())
    }

    /// The first and the last sin(theta)/lambda in 1/m.
    pub fn range_per_m(&self) -> [f64; 2] {
        let at = |index: usize| self.stol_per_m.get(index).copied().unwrap_or(0.0);
        [at(2), at(self.stol_per_m.len() - 3)]
    }

    /// A point in 1/m, counted as by [`interval`](Self::interval).
    pub fn extended_point_per_m(&self, index: usize) -> f64 {
        self.stol_per_m.get(index).copied().unwrap_or(f64::NAN)
    }

    /// F in electrons at sin(theta)/lambda in 1/m: Lagrange's cubic through the two points on either
    /// side, as in the C program.
    ///
    /// Before the first and behind the last point of the table, F continues along the straight line
    /// through the two points next to that end: the points that are added there are so far away that
    /// they do not bend it.
    #[inline]
    pub fn electrons_at<T: Scalar>(&self, stol_per_m: T) -> T {
        self.electrons_from(&mut 1, stol_per_m)
    }

    /// [`electrons_at`](Self::electrons_at), where the search begins at the point `near`, which becomes the point
    /// found. Neighbouring pixels find theirs at once; the result does not depend on it.
    #[inline]
    pub fn electrons_from<T: Scalar>(&self, near: &mut usize, stol_per_m: T) -> T {
        let (stol, before) = (stol_per_m.value(), *near);
        let ends = self.stol_per_m.get(before..before + 2);
        let is_there = matches!(ends, Some(&[start, end]) if start <= stol && stol < end);
        let at = if is_there {
            before
        } else {
            self.interval(stol)
        };
        *near = at;
        let last = self.electrons.len() - 3;
        if self.has_constant_ends && (at == 1 || at == last) {
            let end = if at == 1 { 0 } else { at + 2 };
            let f = self.electrons.get(end).copied();
            return T::from_f64(f.unwrap_or(f64::NAN));
        }
        let points = |list: &[f64]| -> [T; 4] {
            let four = list.get(at - 1..at + 3).unwrap_or(&[f64::NAN; 4]);
            [four[0], four[1], four[2], four[3]].map(T::from_f64)
        };
        let (x, y) = (points(&self.stol_per_m), points(&self.electrons));
        cubic(x, y, stol_per_m)
    }

    /// The number of the point at or before `stol_per_m`, counted with the added ones: from 1 to the last
    /// but two.
    ///
    /// The C program searches from the point of the pixel before. In ascending points the result does not
    /// depend on where a search begins.
    pub fn interval(&self, stol_per_m: f64) -> usize {
        let inner = self.stol_per_m.get(2..self.stol_per_m.len() - 2);
        let inner = inner.unwrap_or_default();
        1 + inner.partition_point(|point| *point <= stol_per_m)
    }
}

/// Lagrange's polynomial through four points. The operations are in the order of the C program.
#[inline(always)]
fn cubic<T: Scalar>(xa: [T; 4], ya: [T; 4], x: T) -> T {
    let [x0, x1, x2, x3] = xa;
    let [y0, y1, y2, y3] = ya;
    let p0 = (x - x1) * (x - x2) * (x - x3) * y0 / ((x0 - x1) * (x0 - x2) * (x0 - x3));
    let p1 = (x - x0) * (x - x2) * (x - x3) * y1 / ((x1 - x0) * (x1 - x2) * (x1 - x3));
    let p2 = (x - x0) * (x - x1) * (x - x3) * y2 / ((x2 - x0) * (x2 - x1) * (x2 - x3));
    let p3 = (x - x0) * (x - x1) * (x - x2) * y3 / ((x3 - x0) * (x3 - x1) * (x3 - x2));
    p0 + p1 + p2 + p3
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg_numeric::Dual;
    use proptest::prelude::*;

    fn curve(f: impl Fn(f64) -> f64) -> Profile {
        Profile::new((0..40).map(|i| (f64::from(i) * 0.03, f(f64::from(i) * 0.03)))).unwrap()
    }

    #[test]
    fn a_cubic_is_reproduced_between_the_points() {
        let f = |s: f64| 3.0 - 2.0 * s + 5.0 * s * s - 4.0 * s.powi(3);
        let profile = curve(f);
        for i in 0..1000 {
            let s = 0.03 + f64::from(i) * 0.0011;
            if s < 1.14 {
                assert!((profile.electrons_at(s * 1e10) - f(s)).abs() < 1e-12, "{s}");
            }
        }
    }

    #[test]
    fn outside_the_table_f_follows_a_straight_line() {
        let profile = Profile::new([(0.1, 5.0), (0.2, 4.0), (0.4, 1.0)]).unwrap();
        assert!((profile.electrons_at(0.6e10) + 2.0).abs() < 1e-12);
        assert!((profile.electrons_at(0.0) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn constant_ends_change_nothing_within_the_table() {
        let bent = Profile::new([(0.1, 5.0), (0.2, 4.0), (0.4, 1.0)]).unwrap();
        let constant = bent.clone().with_constant_ends();
        assert_eq!(
            [0.0, 0.09, 0.4, 9.0].map(|s| constant.electrons_at(s * 1e10)),
            [5.0, 5.0, 1.0, 1.0]
        );
        for s in [0.1, 0.15, 0.2, 0.3, 0.3999] {
            assert_eq!(constant.electrons_at(s * 1e10), bent.electrons_at(s * 1e10));
        }
    }

    #[test]
    fn bad_points_are_refused() {
        let reason = |points: &[(f64, f64)]| Profile::new(points.iter().copied()).unwrap_err();
        assert_eq!(reason(&[(0.0, 1.0)]), Error::TooFewPoints { points: 1 });
        for second in [
            (0.0, 1.0),
            (-1.0, 1.0),
            (f64::NAN, 1.0),
            (1e99, 1.0),
            (1.0, f64::NAN),
        ] {
            let error = reason(&[(0.0, 1.0), second, (9.0, 1.0)]);
            assert!(matches!(error, Error::NotAscending { point: 2, .. }));
        }
    }

    #[test]
    fn units_differ_by_their_factor() {
        let q = Profile::in_unit([(0.0, 1.0), (4.0 * PI, 2.0)], StolUnit::Q).unwrap();
        let four = Profile::in_unit([(0.0, 1.0), (4.0, 2.0)], StolUnit::FourStol).unwrap();
        assert!((q.range_per_m()[1] / 1e10 - 1.0).abs() < 1e-15);
        assert_eq!(four.range_per_m(), [0.0, 1e10]);
    }

    /// The search of the C program, from any point.
    fn searched(points: &[f64], mut nearest: usize, stol: f64) -> usize {
        while stol > points[nearest] && nearest <= points.len() {
            nearest += 1;
        }
        while stol < points[nearest] && nearest >= 2 {
            nearest -= 1;
        }
        nearest
    }

    proptest! {
        #[test]
        fn the_search_finds_the_same_from_everywhere(
            start in 1_usize..41,
            at in prop_oneof![-0.1..1.4_f64, (0_i32..40).prop_map(|i| f64::from(i) * 0.03)],
        ) {
            let profile = curve(f64::cos);
            let stol = at * 1e10;
            let expected = searched(&profile.stol_per_m, start, stol);
            prop_assert_eq!(profile.interval(stol), expected);
            let mut near = start;
            let found = profile.electrons_from(&mut near, stol);
            prop_assert_eq!((near, found), (expected, profile.electrons_at(stol)));
        }

        #[test]
        fn the_derivative_is_that_of_the_curve(at in 0.05..1.1_f64) {
            let profile = curve(|s| (3.0 * s).cos());
            let stol = Dual { real: at * 1e10, derivatives: [1.0] };
            let slope = profile.electrons_at(stol).derivatives[0] * 1e10;
            prop_assert!((slope + 3.0 * (3.0 * at).sin()).abs() < 2e-3);
        }
    }
}

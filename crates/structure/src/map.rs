//! A map on the points of one cell, and its Fourier transform.

use nanobragg_crystal::{GridLimit, SymmetryOperation};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use crate::error::Error;
use crate::frame::CellFrame;

/// The numbers of points along a, b, c with a spacing of at most `spacing_a`.
///
/// They have no prime factor above 5, for which the transform is fast. Every symmetry operation maps
/// points to points: axes that an operation mixes have the same number, and a translation is an
/// integer number of points.
pub(crate) fn points(
    frame: &CellFrame,
    spacing_a: f64,
    symmetry: &[SymmetryOperation],
) -> [usize; 3] {
    let lengths = frame.cell().lengths_angstrom;
    let mut least = lengths.map(|length| length / spacing_a);
    let mut multiple = [1_usize; 3];
    // Twice, because of groups where one operation mixes a with b and a later one mixes b with c: the
    // first pass can leave a behind.
    for _ in 0..2 {
        for operation in symmetry {
            for (i, row) in operation.rotation().iter().enumerate() {
                for j in (0..3).filter(|j| row[*j] != 0 && i != *j) {
                    least[i] = least[i].max(least[j]);
                    least[j] = least[i];
                    multiple[i] = lcm(multiple[i], multiple[j]);
                    multiple[j] = multiple[i];
                }
                multiple[i] = lcm(multiple[i], denominator(operation.translation()[i]));
            }
        }
    }
    std::array::from_fn(|i| smooth(least[i], multiple[i]))
}

/// The smallest denominator up to 24 with which `shift` is a fraction; 1 if there is none.
fn denominator(shift: f64) -> usize {
    let is_whole = |n: &u32| {
        let numerator = shift * f64::from(*n);
        (numerator - numerator.round()).abs() < 1e-4
    };
    (1..=24).find(is_whole).map_or(1, |n| n as usize)
}

/// The least common multiple, by Euclid's algorithm.
fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// The smallest number from `least` on that is `multiple` times a number without a prime factor above
/// 5.
fn smooth(least: f64, multiple: usize) -> usize {
    // Any number above MOST_POINTS is an error later, so a large one is cut here.
    let mut n = (least.ceil().min(2.0 * MOST_POINTS as f64) as usize)
        .div_ceil(multiple)
        .max(1)
        * multiple;
    while n < MOST_POINTS && !is_smooth(n / multiple) {
        n += multiple;
    }
    n
}

/// The largest number of points along an axis.
const MOST_POINTS: usize = 1 << 20;

/// Whether a number has no prime factor above 5.
fn is_smooth(mut n: usize) -> bool {
    for prime in [2, 3, 5] {
        while n.is_multiple_of(prime) {
            n /= prime;
        }
    }
    n == 1
}

/// Complex values on the points of one cell.
///
/// # Shape
/// `[a][b][c]`; c is the fastest axis. Point i of n along an axis is at the fraction i/n.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) size: [usize; 3],
    pub(crate) values: Vec<Complex64>,
}

impl Map {
    /// A map of zeros.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if it needs more memory than the limit.
    pub(crate) fn zeros(size: [usize; 3], dmin_a: f64, limit: GridLimit) -> Result<Self, Error> {
        let mut sides = size.iter().map(|n| *n as u128);
        let points = sides.try_fold(1, u128::checked_mul).unwrap_or(u128::MAX);
        let needed_bytes = points.saturating_mul(size_of::<Complex64>() as u128);
        let too_large = || Error::TooLarge {
            dmin_a,
            needed_bytes,
            limit_bytes: limit.max_bytes,
        };
        if needed_bytes > u128::from(limit.max_bytes) || size.iter().any(|n| *n > MOST_POINTS) {
            return Err(too_large());
        }
        let count = usize::try_from(points).map_err(|_| too_large())?;
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| too_large())?;
        values.resize(count, Complex64::default());
        Ok(Self { size, values })
    }

    /// Replaces the values at points x by the sums of `value exp(+2 pi i h.x)` at indices h.
    ///
    /// The sign of crystallography is that of the inverse transform in numerics. That transform has no
    /// factor 1/n here.
    pub(crate) fn transform(&mut self) {
        let [na, nb, nc] = self.size;
        let mut planner = FftPlanner::new();
        // The values along c are neighbours in memory. Along b and a they are copied to a line.
        planner.plan_fft_inverse(nc).process(&mut self.values);
        let along_b = planner.plan_fft_inverse(nb);
        let mut line = vec![Complex64::default(); na.max(nb)];
        let mut scratch = vec![Complex64::default(); along_b.get_inplace_scratch_len()];
        for plane in self.values.chunks_exact_mut(nb * nc) {
            for k in 0..nc {
                let line = &mut line[..nb];
                gather(line, &plane[k..], nc);
                along_b.process_with_scratch(line, &mut scratch);
                scatter(line, &mut plane[k..], nc);
            }
        }
        let along_a = planner.plan_fft_inverse(na);
        scratch.resize(along_a.get_inplace_scratch_len(), Complex64::default());
        for jk in 0..nb * nc {
            let line = &mut line[..na];
            gather(line, &self.values[jk..], nb * nc);
            along_a.process_with_scratch(line, &mut scratch);
            scatter(line, &mut self.values[jk..], nb * nc);
        }
    }

    /// The value at indices that can be negative: the transform is periodic.
    pub(crate) fn around(&self, hkl: [i32; 3]) -> Complex64 {
        let [a, b, c] = std::array::from_fn(|i| wrap(i64::from(hkl[i]), self.size[i]));
        self.values[(a * self.size[1] + b) * self.size[2] + c]
    }
}

/// An index modulo the n points of an axis.
pub(crate) fn wrap(index: i64, n: usize) -> usize {
    // The result is below n, so it fits in a usize.
    index.rem_euclid(n as i64) as usize
}

/// Copies every `stride`-th value of `from` to `line`.
fn gather(line: &mut [Complex64], from: &[Complex64], stride: usize) {
    for (value, stored) in line.iter_mut().zip(from.iter().step_by(stride)) {
        *value = *stored;
    }
}

/// Copies `line` to every `stride`-th value of `to`.
fn scatter(line: &[Complex64], to: &mut [Complex64], stride: usize) {
    for (value, stored) in line.iter().zip(to.iter_mut().step_by(stride)) {
        *stored = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg_crystal::CellSpec;
    use std::f64::consts::TAU;

    /// Rounding of sums of a few hundred terms of order one.
    const ROUNDING: f64 = 1e-10;

    #[test]
    fn the_transform_is_the_sum_over_points() {
        let size = [4, 3, 5];
        let mut map = Map::zeros(size, 1.0, GridLimit::default()).unwrap();
        for (i, value) in map.values.iter_mut().enumerate() {
            *value = Complex64::new((i as f64).sin(), (i as f64 * 0.7).cos());
        }
        let before = map.values.clone();
        map.transform();
        for hkl in [[0, 0, 0], [1, -1, 2], [-2, 1, -2]] {
            let mut sum = Complex64::default();
            for (i, value) in before.iter().enumerate() {
                let place = [i / 15, i / 5 % 3, i % 5];
                let turns: f64 = (0..3)
                    .map(|n| f64::from(hkl[n]) * place[n] as f64 / size[n] as f64)
                    .sum();
                sum += value * Complex64::cis(TAU * turns);
            }
            assert!((map.around(hkl) - sum).norm() < ROUNDING, "{hkl:?}");
        }
    }

    #[test]
    fn points_suit_the_symmetry() {
        let cell = CellSpec::from_values(&[59.062, 68.451, 30.517]).unwrap();
        let frame = CellFrame::new(cell).unwrap();
        let operations = |triplets: &[&str]| -> Vec<SymmetryOperation> {
            triplets
                .iter()
                .map(|text| SymmetryOperation::from_triplet(text).unwrap())
                .collect()
        };
        assert_eq!(points(&frame, 0.6, &operations(&["x,y,z"])), [100, 120, 54]);
        let screw = operations(&["x,y,z", "-x,-y,z+1/2"]);
        assert_eq!(points(&frame, 1.2, &screw), [50, 60, 30]);
        let cubic = operations(&["x,y,z", "z,x,y", "y,z,x", "x+1/4,y,z"]);
        assert_eq!(points(&frame, 1.0, &cubic), [72; 3]);
    }

    #[test]
    fn maps_beyond_the_limit_are_refused() {
        let limit = GridLimit { max_bytes: 1000 };
        assert!(Map::zeros([4, 4, 4], 1.0, limit).is_err());
        assert!(Map::zeros([usize::MAX; 3], 1.0, GridLimit::default()).is_err());
    }
}

//! The weights of a point spread.

use serde::{Deserialize, Serialize};

use super::integral::{fiber_quadrant, moffat_over_pixel};

/// The weights of a point spread around a pixel: an odd number of rows, each with the same odd number of
/// weights of 0 or above. The middle one is for the pixel itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct PointSpreadKernel {
    weights: Vec<f64>,
    width: usize,
}

impl PointSpreadKernel {
    /// The weights, row after row.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The number of weights in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.weights.len() / self.width
    }

    /// The position of the middle.
    pub(super) fn middle(&self) -> (usize, usize) {
        (self.width / 2, self.height() / 2)
    }

    /// The same weights with a sum of 1.
    #[must_use]
    pub(crate) fn normalised(self) -> Self {
        let sum: f64 = self.weights.iter().sum();
        self.map(|weight| weight / sum)
    }

    /// The squares of the weights.
    #[must_use]
    pub(crate) fn squared(self) -> Self {
        self.map(|weight| weight * weight)
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let Self { weights, width } = self;
        let weights = weights.into_iter().map(f).collect();
        Self { weights, width }
    }

    /// The fibre profile with the width `g`, integrated over pixels, in a disc.
    pub(crate) fn fiber(g: f64, radius: usize) -> Self {
        let corner = |x: f64, y: f64| fiber_quadrant(x, y, g);
        Self::of_disc(radius, |x, y| {
            let (left, right, low, high) = (x - 0.5, x + 0.5, y - 0.5, y + 0.5);
            corner(right, high) - corner(right, low) - corner(left, high) + corner(left, low)
        })
    }

    /// The Moffat profile of this width and exponent, integrated over pixels, in a disc.
    pub(crate) fn moffat(alpha: f64, beta: f64, radius: usize) -> Self {
        Self::of_disc(radius, |x, y| moffat_over_pixel(x, y, alpha, beta))
    }

    /// The weights at a distance of up to `radius`, of a profile with the symmetry of a square.
    fn of_disc(radius: usize, weight: impl Fn(f64, f64) -> f64) -> Self {
        let width = 2 * radius + 1;
        let mut weights = vec![0.0; width * width];
        for y in 0..=radius {
            for x in 0..=y {
                if x * x + y * y > radius * radius {
                    break;
                }
                let weight = weight(x as f64, y as f64);
                for (x, y) in [(x, y), (y, x)] {
                    for slow in [radius - y, radius + y] {
                        for fast in [radius - x, radius + x] {
                            if let Some(place) = weights.get_mut(slow * width + fast) {
                                *place = weight;
                            }
                        }
                    }
                }
            }
        }
        Self { weights, width }
    }

    /// The kernel in a text: a row on each line, weights separated by blanks or commas. Empty lines and
    /// lines that begin with `#` are ignored.
    ///
    /// # Errors
    /// A sentence about the first fault, with its line if it has one.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = line.split(|c: char| c.is_whitespace() || c == ',');
            let words = words.filter(|word| !word.is_empty());
            let row: Result<Vec<f64>, _> = words.map(str::parse).collect();
            rows.push(row.map_err(|_| format!("line {number} is not a row of numbers"))?);
        }
        Self::try_from(rows)
    }
}

impl TryFrom<Vec<Vec<f64>>> for PointSpreadKernel {
    type Error = String;

    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, String> {
        let (width, height) = (rows.first().map_or(0, Vec::len), rows.len());
        if rows.iter().any(|row| row.len() != width) {
            return Err("the rows of a point spread must have the same length".to_owned());
        }
        if width % 2 == 0 || height % 2 == 0 {
            return Err(format!(
                "a point spread of {width} x {height} weights has no middle: both numbers must be odd"
            ));
        }
        let weights = rows.concat();
        if !weights
            .iter()
            .all(|weight| *weight >= 0.0 && weight.is_finite())
        {
            return Err("the weights of a point spread must be 0 or above".to_owned());
        }
        let sum: f64 = weights.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Err("the sum of the weights of a point spread must be above 0".to_owned());
        }
        Ok(Self { weights, width })
    }
}

impl From<PointSpreadKernel> for Vec<Vec<f64>> {
    fn from(kernel: PointSpreadKernel) -> Self {
        let rows = kernel.weights.chunks(kernel.width);
        rows.map(<[f64]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fibre_profile_is_a_moffat_profile_of_exponent_three_halves() {
        for g in [0.05, 0.3, 2.0] {
            let (fiber, moffat) = (
                PointSpreadKernel::fiber(g, 9),
                PointSpreadKernel::moffat(g, 1.5, 9),
            );
            for (a, b) in fiber.weights().iter().zip(moffat.weights()) {
                // The accuracy of the quadrature.
                assert!((a - b).abs() < 1e-9, "{g}: {a} {b}");
            }
        }
    }

    /// The part of the fibre profile beyond a radius r is g / sqrt(g^2 + r^2).
    #[test]
    fn the_weights_of_a_disc_add_up_to_the_part_inside() {
        let (g, radius) = (0.4_f64, 60);
        let sum: f64 = PointSpreadKernel::fiber(g, radius).weights().iter().sum();
        let outside = g / (g * g + (radius * radius) as f64).sqrt();
        // Pixels at the edge of the disc are inside or outside as a whole.
        assert!((1.0 - sum - outside).abs() < 0.02 * outside, "{sum}");
    }

    #[test]
    fn a_text_is_a_kernel_or_has_a_fault() {
        let kernel = PointSpreadKernel::from_text("# psf\n0 1 0\n1, 4, 1\n\n0 1 0\n").unwrap();
        assert_eq!((kernel.width(), kernel.height()), (3, 3));
        for (text, fault) in [
            ("", "no middle"),
            ("1 2", "no middle"),
            ("1\n2 3 4\n5", "same length"),
            ("1 x 1", "line 1"),
            ("1 nan 1", "0 or above"),
            ("-1", "0 or above"),
            ("0", "above 0"),
        ] {
            let error = PointSpreadKernel::from_text(text).unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}

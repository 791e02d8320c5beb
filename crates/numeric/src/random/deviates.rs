//! Gaussian deviates.

use super::{UniformDeviates, estimates};

/// Gaussian deviates of mean 0 and variance 1, generated in pairs.
///
/// A point (v1, v2) is drawn uniformly in the unit circle. With s = v1^2 + v2^2 and
/// f = sqrt(-2 ln s / s), both v1 f and v2 f are deviates: v2 f is returned, v1 f is kept for the
/// next call.
///
/// # Source
/// G. Marsaglia and T. A. Bray, SIAM Review 6 (1964) 260 (the polar form of Box and Muller's
/// method).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaussianDeviates {
    spare: Option<f32>,
}

impl GaussianDeviates {
    /// The next deviate; draws from `stream` only on every second call.
    pub fn next(&mut self, stream: &mut impl UniformDeviates) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let v1 = stream.symmetric() as f32;
            let v2 = stream.symmetric() as f32;
            // The test is made in `f32`, as in C: near the circle the rounding decides whether the
            // point is accepted, and so which deviates all later calls use.
            let radius_squared = v1 * v1 + v2 * v2;
            if radius_squared < 1.0 && radius_squared > 0.0 {
                let s = f64::from(radius_squared);
                let factor = factor(s);
                self.spare = Some(v1 * factor);
                return v2 * factor;
            }
        }
    }
}

/// sqrt(-2 ln s / s) in single precision, for s above 0 and below 1.
#[inline(never)]
fn factor(s: f64) -> f32 {
    let (log, error) = estimates::ln(s);
    let estimate = (-2.0 * log / s).sqrt();
    // Half the relative error of the logarithm, and the rounding of three operations.
    let doubt = estimate * (0.5 * error / log.abs() + 1e-15);
    estimates::certain(estimate, doubt).unwrap_or_else(|| exact_factor(s))
}

/// The same with the logarithm of the system, not in line, so that it is not computed where it is not needed.
#[cold]
#[inline(never)]
fn exact_factor(s: f64) -> f32 {
    (-2.0 * s.ln() / s).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MinimalStandard;

    #[test]
    fn the_second_deviate_of_a_pair_draws_nothing() {
        let mut stream = MinimalStandard::from_seed(7);
        let mut gaussian = GaussianDeviates::default();
        gaussian.next(&mut stream);
        let before = stream.clone();
        gaussian.next(&mut stream);
        assert_eq!(stream, before);
    }

    #[test]
    fn the_deviates_have_mean_zero_and_variance_one() {
        let mut stream = MinimalStandard::from_seed(1);
        let mut gaussian = GaussianDeviates::default();
        let n = 100_000;
        let (mut sum, mut sum_of_squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = f64::from(gaussian.next(&mut stream));
            sum += x;
            sum_of_squares += x * x;
        }
        assert!((sum / f64::from(n)).abs() < 0.01);
        assert!((sum_of_squares / f64::from(n) - 1.0).abs() < 0.02);
    }

    #[test]
    fn factors_are_those_of_the_logarithm_of_the_system() {
        let mut stream = MinimalStandard::from_seed(3);
        let near_one = (1..2000).map(|i| 1.0 - 6e-8 * f64::from(i));
        let all = (0..400_000)
            .map(|_| f64::from(stream.uniform()))
            .chain(near_one);
        for s in all {
            let s = f64::from(s as f32);
            assert_eq!(factor(s), exact_factor(s), "{s}");
        }
    }
}

//! Photons that a counting detector misses because they arrive too soon after another.

use nanobragg_numeric::PixelNoise;
use serde::{Deserialize, Serialize};

use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// What a photon does that arrives in the dead time of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadTimeModel {
    /// It is lost. The count rises with the rate to 1 / dead time.
    #[default]
    NonParalysable,
    /// It is lost and the dead time begins anew. The count falls again at high rates.
    Paralysable,
}

/// The dead time of a counting detector in a beam of constant intensity.
///
/// With the dead time over the exposure s, m photons and a = m s:
///
/// ```text
/// non-paralysable   mean' = m / (1 + a)       variance' = m / (1 + a)^3
/// paralysable       mean' = m exp(-a)         variance' = m exp(-a) (1 - 2 a exp(-a))
/// ```
///
/// plus less than one count in the mean, as the first photon is always counted. The variance is below the mean: the
/// counts scatter less than those of a Poisson distribution. If the variance of m itself is v and not m, the
/// variance is (d mean' / d m)^2 (v - m) more.
///
/// The n photons of a pixel have random times in the exposure. Up to 200 photons these times are drawn. Above, the
/// count is Gaussian with mean and variance for n photons, rounded and at least 1.
///
/// # Source
/// G. F. Knoll, "Radiation detection and measurement", 4th edition (2010), section 4.VII; D. F. Yu and
/// J. A. Fessler, Physics in Medicine and Biology 45 (2000) 2043 (variances).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadTime {
    /// The time after a photon in which no other is counted.
    pub dead_time_ns: f64,
    /// What a photon in this time does.
    pub model: DeadTimeModel,
    /// The time in which the photons of an image arrive. If not given it is that of the beam, or 1 s.
    pub exposure_s: Option<f64>,
}

/// The largest number of photons whose times are drawn.
const MOST_DRAWN: usize = 200;

impl DeadTime {
    /// The dead time over the exposure.
    fn part(&self) -> f64 {
        self.dead_time_ns * 1e-9 / self.exposure_s.unwrap_or(1.0)
    }

    /// Mean and variance of the count of n photons, which is above 0.
    fn of_photons(&self, n: f64) -> (f64, f64) {
        let s = self.part().min(1.0);
        match self.model {
            DeadTimeModel::NonParalysable => {
                // Renewal theory, less what the spread of n adds to the mean and variance.
                let q = 1.0 / (1.0 + n * s);
                let mean = n * q + 0.5 * (1.0 - q).powi(2) + n * s * q.powi(3);
                (mean, n * n * s * q.powi(4))
            }
            DeadTimeModel::Paralysable => {
                // A photon counts if the gap before it is longer than s. The n + 1 gaps of n random times
                // are longer than s with probability (1 - s)^n, two of them with (1 - 2 s)^n.
                let gap = (1.0 - s).powf(n);
                let ratio = 1.0 - (s / (1.0 - s)).powi(2);
                let both = if ratio > 0.0 {
                    n * ratio.ln()
                } else {
                    f64::NEG_INFINITY
                };
                let covariance = gap * gap * both.exp_m1();
                let covariance = if gap > 0.0 { covariance } else { 0.0 };
                let each = (n - 1.0) * gap;
                (
                    1.0 + each,
                    each * (1.0 - gap) + (n - 1.0) * (n - 2.0) * covariance,
                )
            }
        }
    }

    /// The mean count for m expected photons, and its derivative without the part below one count.
    fn mean_and_slope(&self, m: f64) -> (f64, f64) {
        let a = m.max(0.0) * self.part();
        match self.model {
            DeadTimeModel::NonParalysable => {
                let q = 1.0 / (1.0 + a);
                (m * q + 0.5 * (1.0 - q).powi(2), q * q)
            }
            DeadTimeModel::Paralysable => {
                let e = (-a).exp();
                (m * e + (1.0 - e - a * e), (1.0 - a) * e)
            }
        }
    }

    /// A count of n photons.
    fn count(&self, n: f64, mut noise: PixelNoise) -> f64 {
        if n <= MOST_DRAWN as f64 {
            return self.drawn::<MOST_DRAWN>(n as usize, &mut noise);
        }
        let (mean, variance) = self.of_photons(n);
        let drawn = mean + variance.max(0.0).sqrt() * noise.gaussian();
        drawn.round().clamp(1.0, n)
    }

    /// The same with random times, for up to `MOST` photons.
    fn drawn<const MOST: usize>(&self, n: usize, noise: &mut PixelNoise) -> f64 {
        // The sums of n + 1 exponential deviates, over the last sum, are n sorted uniform deviates.
        let mut times = [0.0; MOST];
        let mut sum = 0.0;
        for time in times.iter_mut().take(n) {
            sum -= noise.uniform().ln();
            *time = sum;
        }
        sum -= noise.uniform().ln();
        let dead = self.part() * sum;
        let (mut counted, mut dead_until) = (0.0, f64::NEG_INFINITY);
        for &time in times.iter().take(n) {
            let is_counted = time >= dead_until;
            if is_counted {
                counted += 1.0;
            }
            if is_counted || self.model == DeadTimeModel::Paralysable {
                dead_until = time + dead;
            }
        }
        counted
    }
}

impl ResponseStage for DeadTime {
    fn check(&self) -> Result<(), Error> {
        let time = self.dead_time_ns;
        Error::unless(time >= 0.0, "dead_time.dead_time_ns", time, "0 or above")?;
        let exposure = self.exposure_s.unwrap_or(1.0);
        Error::unless(exposure > 0.0, "dead_time.exposure_s", exposure, "above 0")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        let of_image = context.of_image(Draw::DeadTime, strip.panel);
        let is_counted = context.is_counted;
        strip.each_row(|[fast, slow], row| {
            for (pixel, fast) in row.iter_mut().zip(fast..) {
                if !is_counted {
                    *pixel = self.mean_and_slope(*pixel).0;
                } else if *pixel >= 2.0 && pixel.is_finite() {
                    *pixel = self.count(*pixel, of_image.pixel([fast, slow]));
                }
            }
        });
    }

    fn predict(&self, moments: &mut Moments) {
        for (mean, variance) in moments.mean.iter_mut().zip(&mut moments.variance) {
            let m = mean.max(0.0);
            let a = m * self.part();
            let (expected, slope) = self.mean_and_slope(m);
            // What is left of the variance if the number of photons has none.
            let of_fixed = match self.model {
                DeadTimeModel::NonParalysable => m * a / (1.0 + a).powi(4),
                DeadTimeModel::Paralysable => {
                    let e = (-a).exp();
                    m * e * (1.0 - e - a * a * e)
                }
            };
            *mean = expected;
            *variance = slope * slope * *variance + of_fixed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many counts of n photons.
    fn scatter(stage: &DeadTime, n: f64, times: u32) -> (f64, f64) {
        let noise = nanobragg_numeric::CounterNoise::new(11, 1, 0);
        let counts = (0..times).map(|i| match n <= MOST_DRAWN as f64 {
            true => stage.count(n, noise.pixel([i, 0])),
            // The drawn times of more photons than the stage draws itself.
            false => stage.drawn::<2000>(n as usize, &mut noise.pixel([i, 0])),
        });
        let (sum, squares) = counts.fold((0.0, 0.0), |(s, q), c| (s + c, q + c * c));
        let mean = sum / f64::from(times);
        (mean, squares / f64::from(times) - mean * mean)
    }

    fn stage(model: DeadTimeModel, part: f64) -> DeadTime {
        DeadTime {
            dead_time_ns: part * 1e9,
            model,
            exposure_s: None,
        }
    }

    const MODELS: [DeadTimeModel; 2] = [DeadTimeModel::NonParalysable, DeadTimeModel::Paralysable];

    /// Two random times are further apart than s with probability (1 - s)^2.
    #[test]
    fn of_two_photons_both_count_if_their_times_differ_enough() {
        for model in MODELS {
            let (mean, _) = scatter(&stage(model, 0.3), 2.0, 100_000);
            let error = (0.49 * 0.51 / 100_000_f64).sqrt();
            assert!((mean - 1.49).abs() < 4.0 * error, "{mean}");
        }
    }

    /// The formulas that are used for many photons, against drawn times. 4 standard errors.
    #[test]
    fn mean_and_variance_of_many_photons_are_those_of_random_times() {
        for model in MODELS {
            for (n, a) in [(200.0, 0.1), (200.0, 1.0), (2000.0, 0.5), (2000.0, 1.5)] {
                let (stage, times) = (stage(model, a / n), 4000);
                let (mean, variance) = scatter(&stage, n, times);
                let (expected, spread) = stage.of_photons(n);
                let error = (spread / f64::from(times)).sqrt();
                // The formulas of the non-paralysable model leave out less than a tenth of a count.
                assert!(
                    (mean - expected).abs() < 4.0 * error + 0.1,
                    "{model:?} {n} {a}: {mean} {expected}"
                );
                let error = spread * (2.0 / f64::from(times)).sqrt();
                assert!(
                    (variance - spread).abs() < 4.0 * error + 0.02 * spread,
                    "{model:?} {n} {a}: {variance} {spread}"
                );
            }
        }
    }

    #[test]
    fn extreme_dead_times_count_one_photon_or_all() {
        for model in MODELS {
            for n in [2.0, 200.0, 201.0, 1e6, 1e12] {
                let noise = nanobragg_numeric::CounterNoise::new(1, 1, 0);
                assert_eq!(stage(model, 2.0).count(n, noise.pixel([0, 0])), 1.0);
                assert_eq!(stage(model, 0.0).count(n, noise.pixel([0, 0])), n);
            }
        }
    }
}

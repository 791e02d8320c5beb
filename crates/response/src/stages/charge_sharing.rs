//! The charge of a photon that is shared by neighbouring pixels.

use nanobragg_numeric::PixelNoise;
use serde::{Deserialize, Serialize};
use std::f64::consts::SQRT_2;

use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// The largest standard deviation of the charge, in pixels. Up to it all but 4e-4 of the charge at the edge of a
/// pixel is in this pixel and its neighbours.
const WIDEST_PIXELS: f64 = 0.3;

/// The smallest threshold but 0. Charge beyond the neighbours does not reach it.
const LEAST_THRESHOLD: f64 = 0.05;

/// A pixel and its neighbours.
const PLACES: usize = 9;

/// The place of the pixel itself.
const MIDDLE: usize = 4;

/// The positions in a pixel, along one axis, for which the shares are computed.
const POSITIONS: usize = 256;

/// The number of photons up to which each is drawn.
const MOST_DRAWN: f64 = 64.0;

/// Charge sharing in the sensor of a pixel detector.
///
/// A photon is absorbed at a random position (x, y) of its pixel. Its charge is a Gaussian with the standard
/// deviation s when it arrives at the pixels. With x from -1/2 to 1/2, the pixel at (i, j) gets the share
///
/// ```text
/// f_ij = F_i(x) F_j(y)     F_i(x) = (erf((i + 1/2 - x) / (s sqrt 2)) - erf((i - 1/2 - x) / (s sqrt 2))) / 2
/// ```
///
/// A counting detector counts a photon in each pixel whose share is above the threshold t: c_ij = 1 if f_ij > t,
/// otherwise 0. A detector that integrates (t = 0) adds the charge itself: c_ij = f_ij. With p = mean of c and q = mean
/// of c^2 over the positions, for a pixel with mean m and variance v before the stage,
///
/// ```text
/// mean' = sum_ij p_ij m      variance' = sum_ij (p_ij^2 (v - m) + q_ij m)
/// ```
///
/// where m and v are those of the pixel at (-i, -j). Two pixels have the covariance sum (mean of c c') m, if v = m.
///
/// Up to 64 photons of a pixel are drawn one by one. Of more photons a counting detector draws the number of each
/// pattern of pixels; the charge of a detector that integrates has the mean and the covariances of these photons, scaled from 64.
/// Without counting noise only the mean changes, and the prediction has the noise all the same.
///
/// # Source
/// The integral of a Gaussian over pixels; thinning and superposition of a Poisson process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChargeSharing {
    /// The standard deviation s of the charge of a photon, in pixels; 0 to 0.3.
    pub sigma_pixels: f64,
    /// The threshold t of a counting detector, as a part of the charge of a photon, from 0.05 to 0.95; 0 for a
    /// detector that integrates.
    pub threshold_fraction: f64,
}

impl Default for ChargeSharing {
    /// No sharing, and the usual threshold of half a photon.
    fn default() -> Self {
        Self {
            sigma_pixels: 0.0,
            threshold_fraction: 0.5,
        }
    }
}

/// What a photon adds to its pixel and the neighbours, in rows from (-1, -1).
type Shares = [f64; PLACES];

/// The signals of photons, by their position.
struct Signals {
    /// The shares along an axis, for each position.
    axis: Vec<[f64; 3]>,
    threshold: f64,
    /// The mean of the signals, and of their squares.
    mean: Shares,
    square: Shares,
    /// The patterns of a counting detector, with their probabilities, from the least probable one.
    patterns: Vec<(u16, f64)>,
}

impl Signals {
    fn new(stage: &ChargeSharing) -> Self {
        let width = SQRT_2 * stage.sigma_pixels.max(1e-9);
        let axis = (0..POSITIONS).map(|place| {
            let x = (place as f64 + 0.5) / POSITIONS as f64 - 0.5;
            [-1.0, 0.0, 1.0].map(|i: f64| {
                let below = |edge: f64| libm::erf((edge - x) / width);
                (below(i + 0.5) - below(i - 0.5)) / 2.0
            })
        });
        let mut signals = Self {
            axis: axis.collect(),
            threshold: stage.threshold_fraction,
            mean: [0.0; PLACES],
            square: [0.0; PLACES],
            patterns: Vec::new(),
        };
        signals.integrate();
        signals
    }

    /// Sums over all positions.
    fn integrate(&mut self) {
        let weight = 1.0 / (POSITIONS * POSITIONS) as f64;
        let (mut mean, mut square) = ([0.0; PLACES], [0.0; PLACES]);
        let mut of_pattern = vec![0.0; 1 << PLACES];
        for along_slow in &self.axis {
            for along_fast in &self.axis {
                let signal = self.of_shares(*along_fast, *along_slow);
                let mut pattern = 0_usize;
                let sums = mean.iter_mut().zip(&mut square);
                for (place, (signal, (mean, square))) in signal.into_iter().zip(sums).enumerate() {
                    *mean += weight * signal;
                    *square += weight * signal * signal;
                    pattern |= usize::from(signal > 0.0) << place;
                }
                if let Some(part) = of_pattern.get_mut(pattern) {
                    *part += weight;
                }
            }
        }
        (self.mean, self.square) = (mean, square);
        let patterns = (0..).zip(of_pattern).filter(|(_, part)| *part > 0.0);
        self.patterns = patterns.collect();
        self.patterns.sort_by(|a, b| a.1.total_cmp(&b.1));
    }

    /// The signals of a photon with these shares along the axes.
    #[inline]
    fn of_shares(&self, along_fast: [f64; 3], along_slow: [f64; 3]) -> Shares {
        let mut signal = [0.0; PLACES];
        for (row, slow) in signal.chunks_exact_mut(3).zip(along_slow) {
            for (signal, fast) in row.iter_mut().zip(along_fast) {
                let share = slow * fast;
                *signal = match self.threshold > 0.0 {
                    true => f64::from(u8::from(share > self.threshold)),
                    false => share,
                };
            }
        }
        signal
    }

    /// The signals of n photons.
    fn draw(&self, n: f64, noise: &mut PixelNoise) -> Shares {
        if self.threshold > 0.0 && n > MOST_DRAWN {
            return self.counted(n, noise);
        }
        let drawn = n.min(MOST_DRAWN);
        let mut sum = [0.0; PLACES];
        for _ in 0..drawn as usize {
            let mut position = || {
                let place = (noise.uniform() * POSITIONS as f64) as usize;
                self.axis.get(place).copied().unwrap_or_default()
            };
            let signal = self.of_shares(position(), position());
            sum.iter_mut()
                .zip(signal)
                .for_each(|(sum, one)| *sum += one);
        }
        if n > MOST_DRAWN {
            // The deviation from the mean grows with the root of the number.
            let scale = (n / drawn).sqrt();
            for (sum, mean) in sum.iter_mut().zip(self.mean) {
                *sum = n * mean + scale * (*sum - drawn * mean);
            }
        }
        sum
    }

    /// The same of many photons for a counting detector: the number of each pattern in turn.
    fn counted(&self, n: f64, noise: &mut PixelNoise) -> Shares {
        let mut sum = [0.0; PLACES];
        let (mut left, mut part_left) = (n, 1.0);
        for (at, &(pattern, part)) in self.patterns.iter().enumerate() {
            let count = match at + 1 == self.patterns.len() {
                true => left,
                false => binomial(left, (part / part_left).min(1.0), noise),
            };
            left -= count;
            part_left -= part;
            for (place, sum) in sum.iter_mut().enumerate() {
                if pattern >> place & 1 == 1 {
                    *sum += count;
                }
            }
        }
        sum
    }
}

/// The number of n trials that succeed with probability p, at most 1/2 or so: by inversion, or Gaussian if the mean is above 30.
fn binomial(n: f64, p: f64, noise: &mut PixelNoise) -> f64 {
    let mean = n * p;
    if mean > 30.0 {
        let drawn = mean + (mean * (1.0 - p)).sqrt() * noise.gaussian();
        return drawn.round().clamp(0.0, n);
    }
    let (uniform, odds) = (noise.uniform(), p / (1.0 - p));
    let mut term = (n * (-p).ln_1p()).exp();
    let (mut count, mut sum) = (0.0, term);
    while uniform > sum && count < n {
        term *= odds * (n - count) / (count + 1.0);
        count += 1.0;
        sum += term;
        if term < 1e-18 && count > mean {
            break;
        }
    }
    count
}

/// Adds what a pixel gives to itself and its neighbours. What leaves the window is gone.
fn add(to: &mut [f64], width: usize, at: usize, signal: &Shares) {
    let (x, y) = ((at % width) as isize, (at / width) as isize);
    for (place, signal) in (0..).zip(signal) {
        let (x, y) = (x + place % 3 - 1, y + place / 3 - 1);
        if x >= 0
            && x < width as isize
            && y >= 0
            && let Some(to) = to.get_mut(y as usize * width + x as usize)
        {
            *to += signal;
        }
    }
}

/// Adds for each pixel the signals that `f` makes of its place and its value.
fn spread(pixels: &[f64], width: usize, mut f: impl FnMut(usize, f64) -> Shares) -> Vec<f64> {
    let mut to = vec![0.0; pixels.len()];
    for (at, &pixel) in pixels.iter().enumerate() {
        if pixel != 0.0 {
            add(&mut to, width.max(1), at, &f(at, pixel));
        }
    }
    to
}

impl ResponseStage for ChargeSharing {
    fn check(&self) -> Result<(), Error> {
        let (sigma, threshold) = (self.sigma_pixels, self.threshold_fraction);
        let is_allowed = (0.0..=WIDEST_PIXELS).contains(&sigma);
        Error::unless(
            is_allowed,
            "charge_sharing.sigma_pixels",
            sigma,
            "from 0 to 0.3 pixels",
        )?;
        let is_allowed = threshold == 0.0 || (LEAST_THRESHOLD..=0.95).contains(&threshold);
        let field = "charge_sharing.threshold_fraction";
        Error::unless(is_allowed, field, threshold, "0, or from 0.05 to 0.95")
    }

    fn apply(&self, strip: &mut Strip<'_>, context: &mut Context) {
        let signals = Signals::new(self);
        let noise = context.of_image(Draw::ChargeSharing, strip.panel);
        let (width, is_counted) = (strip.width.max(1), context.is_counted);
        let spread = spread(strip.pixels, width, |at, photons| {
            if !is_counted {
                return signals.mean.map(|mean| mean * photons);
            }
            if !photons.is_finite() || photons < 0.0 {
                return std::array::from_fn(|place| if place == MIDDLE { photons } else { 0.0 });
            }
            let fast = (strip.first_fast + at % width) as u32;
            let slow = (strip.first_slow + at / width) as u32;
            signals.draw(photons, &mut noise.pixel([fast, slow]))
        });
        strip.pixels.copy_from_slice(&spread);
    }

    fn predict(&self, moments: &mut Moments) {
        let (signals, width) = (Signals::new(self), moments.width);
        let squared = signals.mean.map(|mean| mean * mean);
        let over: Vec<f64> = (moments.variance.iter().zip(&moments.mean))
            .map(|(variance, mean)| variance - mean)
            .collect();
        let of_mean = |shares: Shares| move |_, value: f64| shares.map(|share| share * value);
        let excess = spread(&over, width, of_mean(squared));
        let own = spread(&moments.mean, width, of_mean(signals.square));
        moments.variance = excess.iter().zip(own).map(|(a, b)| a + b).collect();
        moments.mean = spread(&moments.mean, width, of_mean(signals.mean));
        if !moments.common.is_empty() {
            moments.common = spread(&moments.common, width, of_mean(signals.mean));
        }
    }

    fn needs_panel(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(sigma_pixels: f64, threshold_fraction: f64) -> ChargeSharing {
        ChargeSharing {
            sigma_pixels,
            threshold_fraction,
        }
    }

    /// Without the product of the two axes, and with other positions.
    #[test]
    fn a_threshold_of_half_loses_the_corners_and_counts_nothing_twice() {
        let sigma = 0.1;
        let signals = Signals::new(&stage(sigma, 0.5));
        // A photon at x counts if F(y) > 1 / (2 F(x)): bisection for y, Simpson's rule in x.
        let share = |x: f64| {
            let below = |edge: f64| libm::erfc(edge / (sigma * SQRT_2)) / 2.0;
            1.0 - below(0.5 - x) - below(0.5 + x)
        };
        let limit = |x: f64| {
            let (mut low, mut high) = (0.0, 0.5);
            for _ in 0..60 {
                let y = (low + high) / 2.0;
                if share(x) * share(y) > 0.5 {
                    low = y
                } else {
                    high = y
                }
            }
            low
        };
        let n = 20_000;
        let sum: f64 = (0..n)
            .map(|i| limit((f64::from(i) + 0.5) / f64::from(2 * n)))
            .sum();
        let expected = 2.0 * sum / f64::from(n);
        assert!((signals.mean[MIDDLE] - expected).abs() < 1e-3, "{expected}");
        let others: f64 = signals.mean.iter().sum::<f64>() - signals.mean[MIDDLE];
        assert_eq!(others, 0.0);
    }

    #[test]
    fn all_charge_is_in_the_pixel_and_its_neighbours() {
        for sigma in [0.0, 0.1, WIDEST_PIXELS] {
            let signals = Signals::new(&stage(sigma, 0.0));
            let sum: f64 = signals.mean.iter().sum();
            assert!(sum <= 1.0 + 1e-12 && sum > 1.0 - 2e-4, "{sigma}: {sum}");
            // The mean distance of charge from the middle, of both axes: uniform position plus Gaussian.
            let side = signals.mean[MIDDLE + 1];
            let edge = sigma / (2.0 * std::f64::consts::PI).sqrt();
            assert!(
                (side / (1.0 - 2.0 * edge) - edge).abs() < 1e-3,
                "{sigma}: {side} {edge}"
            );
        }
    }

    #[test]
    fn a_low_threshold_counts_a_photon_in_up_to_four_pixels() {
        let signals = Signals::new(&stage(0.1, 0.2));
        let most = signals
            .patterns
            .iter()
            .map(|(pattern, _)| pattern.count_ones())
            .max();
        assert_eq!(most, Some(4));
        assert!(signals.mean.iter().sum::<f64>() > 1.0);
        let total: f64 = signals.patterns.iter().map(|(_, part)| part).sum();
        assert!((total - 1.0).abs() < 1e-12);
    }

    /// 4 standard errors.
    #[test]
    fn binomials_have_their_mean_and_variance() {
        let noise = nanobragg_numeric::CounterNoise::new(5, 1, 0);
        for (n, p) in [
            (65.0, 0.01),
            (1000.0, 0.02),
            (1000.0, 0.2),
            (1e7, 1e-6),
            (1e7, 0.3),
        ] {
            let times = 40_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for i in 0..times {
                let off = binomial(n, p, &mut noise.pixel([i, 0])) - n * p;
                sum += off;
                squares += off * off;
            }
            let (times, variance) = (f64::from(times), n * p * (1.0 - p));
            assert!(
                (sum / times).abs() < 4.0 * (variance / times).sqrt(),
                "{n} {p}"
            );
            // The fourth moment is at most 3 + 1 / variance.
            let error = ((2.0 + 1.0 / variance) / times).sqrt();
            assert!(
                (squares / times / variance - 1.0).abs() < 4.0 * error,
                "{n} {p}"
            );
        }
    }
}

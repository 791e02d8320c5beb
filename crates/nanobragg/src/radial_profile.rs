//! The structure factor of amorphous material from a measured image, as the program nonBragg works it out.
//!
//! Every pixel gives an F: the counts without offset and gain, divided by what one electron squared would give
//! there. The pixels are sorted into the points of a table by their sin(theta)/lambda, and each point gets the
//! mean of its pixels. Numbers are `f32` where they are in the C program.

use nanobragg_materials::{Profile, StolUnit};
use nanobragg_physics::{ELECTRON_RADIUS_SQUARED_M2, LastSample};

/// The number of pixels of a point that must be exceeded for a mean.
const FEWEST: usize = 100;

/// What turns counts into a structure factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountsToF {
    /// Counts of a pixel without photons.
    pub offset_counts: f64,
    /// Counts per photon.
    pub gain: f64,
    /// Photons per square metre.
    pub fluence_per_m2: f64,
    /// Molecules in the beam.
    pub molecules: f64,
    /// Sources times sub-pixels of a pixel.
    pub steps: f64,
}

impl CountsToF {
    /// F of a pixel, with the sign of its photons.
    pub fn electrons(&self, counts: f32, sample: &LastSample) -> f32 {
        let photons = (f64::from(counts) - self.offset_counts) / self.gain;
        let sign = if photons < 0.0 { -1.0 } else { 1.0 };
        // C takes the magnitude in single precision.
        let magnitude = f64::from((photons as f32).abs());
        let squared = magnitude
            / sample.polarization
            / sample.solid_angle_sr
            / self.fluence_per_m2
            / ELECTRON_RADIUS_SQUARED_M2
            / self.molecules
            * self.steps;
        (sign * squared.sqrt()) as f32
    }
}

/// The pixels of a measured image by the points of a table.
#[derive(Debug, Clone)]
pub struct RadialProfile<'p> {
    profile: &'p Profile,
    /// For each point of the table, with two more at either end, the F of its pixels in raster order.
    bins: Vec<Vec<f32>>,
}

/// A point of a radial profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RadialPoint {
    /// sin(theta)/lambda in 1/m.
    pub stol_per_m: f64,
    /// The mean of F in electrons.
    pub mean: f32,
    /// The root-mean-square deviation from it.
    pub rmsd: f32,
    /// The median of F; 0 without rejection.
    pub median: f32,
    /// The median of the deviations from the median; 0 without rejection.
    pub deviation: f32,
    /// The pixels that were not rejected.
    pub pixels: usize,
}

impl RadialPoint {
    /// Whether there are enough pixels for the point to be written.
    pub fn is_known(&self) -> bool {
        self.pixels > FEWEST
    }

    /// The line of a table of the C program, with sin(theta)/lambda in the unit of the table.
    pub fn line(&self, unit: StolUnit) -> String {
        let g = |x: f32| nanobragg_io::printf::general(f64::from(x));
        format!(
            "{} {} {}   {} {}  {}",
            nanobragg_io::printf::general(self.stol_per_m / unit.per_m()),
            g(self.mean),
            g(self.rmsd),
            g(self.median),
            g(self.deviation),
            self.pixels
        )
    }
}

impl<'p> RadialProfile<'p> {
    /// No pixels yet, for the points of `profile`.
    pub fn new(profile: &'p Profile) -> Self {
        Self {
            profile,
            bins: vec![Vec::new(); profile.points().count() + 4],
        }
    }

    /// Adds a pixel to the point next to its sin(theta)/lambda.
    pub fn add(&mut self, sample: &LastSample, electrons: f32) {
        let stol = sample.stol_per_m;
        let mut bin = self.profile.interval(stol);
        let [at, next] = [bin, bin + 1].map(|bin| self.profile.extended_point_per_m(bin));
        if stol > (at + next) / 2.0 {
            bin += 1;
        }
        if let Some(pixels) = self.bins.get_mut(bin) {
            pixels.push(electrons);
        }
    }

    /// The points of the table with the means of their pixels. `rejects` leaves out pixels further from the
    /// median than 6 times the median deviation, and then, one by one, those further from the mean than 6 times
    /// the root-mean-square deviation.
    pub fn points(&self, rejects: bool) -> Vec<RadialPoint> {
        let last = self.bins.len() - 2;
        let bins = self.bins.iter().enumerate().take(last).skip(2);
        bins.map(|(bin, pixels)| {
            let stol_per_m = self.profile.extended_point_per_m(bin);
            point(stol_per_m, pixels, rejects)
        })
        .collect()
    }
}

/// The cut of both rejections of the C program.
const REJECTED_SIGMA: f32 = 6.0;

fn point(stol_per_m: f64, pixels: &[f32], rejects: bool) -> RadialPoint {
    // The medians need memory for the deviations behind the numbers, and rejection by the mean reads it.
    let mut numbers = pixels.to_vec();
    numbers.resize(2 * pixels.len() + 2, 0.0);
    let (mut median, mut deviation, mut count) = (0.0, 0.0, pixels.len());
    let mut sigma = f32::INFINITY;
    if rejects && count > 0 {
        [median, deviation] = median_with_rejection(&mut count, &mut numbers, REJECTED_SIGMA);
        sigma = REJECTED_SIGMA;
    }
    let [mean, rmsd] = mean_with_rejection(&mut count, &mut numbers, sigma);
    RadialPoint {
        stol_per_m,
        mean,
        rmsd,
        median,
        deviation,
        pixels: count,
    }
}

/// The median of the first `count` numbers and the median of their deviations from it, after those further away
/// than `sigma` median deviations are left out. The memory is twice as long.
fn median_with_rejection(count: &mut usize, numbers: &mut [f32], sigma: f32) -> [f32; 2] {
    loop {
        let median = lower_median(numbers.get_mut(..*count).unwrap_or_default());
        let (own, behind) = numbers.split_at_mut(*count);
        for (own, deviation) in own.iter().zip(behind.iter_mut()) {
            *deviation = (own - median).abs();
        }
        let deviation = lower_median(behind.get_mut(..*count).unwrap_or_default());
        let before = *count;
        let mut at = 0;
        // A rejected number is replaced by the last one, which is not looked at again in this round.
        while at < *count {
            let is_far = numbers
                .get(at)
                .is_some_and(|x| (x - median).abs() > sigma * deviation);
            if is_far {
                *count -= 1;
                numbers.copy_within(*count..*count + 1, at);
            }
            at += 1;
        }
        if *count == before || *count == 0 {
            return [median, deviation];
        }
    }
}

/// The mean of the first `count` numbers and their root-mean-square deviation from it. One number after the
/// other is left out if it is further away than `sigma` deviations, as long as more than half remain.
///
/// As in the C program, the number behind the last takes the place of one that is left out, and the last is
/// dropped. The memory must be longer than `count`.
fn mean_with_rejection(count: &mut usize, numbers: &mut [f32], sigma: f32) -> [f32; 2] {
    let start = *count as f64;
    let [mut mean, mut rmsd] = [0.0; 2];
    while *count as f64 > start / 2.0 {
        let own = numbers.get(..*count).unwrap_or_default();
        let mut sum = 0.0_f32;
        for x in own {
            sum += x;
        }
        mean = sum / *count as f32;
        let (mut worst, mut farthest, mut squares) = (None, 0.0_f32, 0.0_f32);
        for (at, x) in own.iter().enumerate() {
            let deviation = (x - mean).abs();
            if deviation > farthest {
                worst = Some(at);
                farthest = deviation;
            }
            squares += deviation * deviation;
        }
        rmsd = f64::from(squares / *count as f32).sqrt() as f32;
        match worst {
            Some(worst) if farthest > sigma * rmsd => {
                numbers.swap(worst, *count);
                *count -= 1;
            }
            _ => break,
        }
    }
    [mean, rmsd]
}

/// The median, the lower one of an even count; 0 of none. The order of the numbers changes as in the C program,
/// by Hoare's selection, on which sums of them depend.
fn lower_median(numbers: &mut [f32]) -> f32 {
    let Some(last) = numbers.len().checked_sub(1) else {
        return 0.0;
    };
    let wanted = last / 2;
    let (mut low, mut high) = (0, last);
    let at = |numbers: &[f32], index: usize| numbers.get(index).copied().unwrap_or(f32::NAN);
    loop {
        if high <= low + 1 {
            if high == low + 1 && at(numbers, high) < at(numbers, low) {
                numbers.swap(low, high);
            }
            return at(numbers, wanted);
        }
        // C counts from 1, so its middle is that of low + 1 and high + 1.
        let middle = (low + high + 2) / 2 - 1;
        numbers.swap(middle, low + 1);
        for (a, b) in [(low + 1, high), (low, high), (low + 1, low)] {
            if at(numbers, a) > at(numbers, b) {
                numbers.swap(a, b);
            }
        }
        let pivot = at(numbers, low);
        let (mut up, mut down) = (low + 1, high);
        loop {
            up += 1;
            while at(numbers, up) < pivot {
                up += 1;
            }
            down -= 1;
            while at(numbers, down) > pivot {
                down -= 1;
            }
            if down < up {
                break;
            }
            numbers.swap(up, down);
        }
        numbers.swap(low, down);
        if down >= wanted {
            high = down.saturating_sub(1);
        }
        if down <= wanted {
            low = up;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_is_the_middle_of_the_sorted_numbers(
            mut numbers in prop::collection::vec(-5.0..5.0_f32, 1..60),
        ) {
            let found = lower_median(&mut numbers.clone());
            numbers.sort_by(f32::total_cmp);
            prop_assert_eq!(found, numbers[(numbers.len() - 1) / 2]);
        }

        #[test]
        fn far_numbers_are_left_out(at in 0_usize..120) {
            let mut pixels: Vec<f32> = (0..120).map(|i| 5.0 + 0.01 * (i as f32 * 0.7).sin()).collect();
            pixels[at] = 900.0;
            let plain = point(1.0, &pixels, false);
            prop_assert_eq!(plain.pixels, 120);
            prop_assert!(plain.mean > 10.0);
            let robust = point(1.0, &pixels, true);
            prop_assert_eq!(robust.pixels, 119);
            prop_assert!((robust.mean - 5.0).abs() < 0.01 && (robust.median - 5.0).abs() < 0.01);
        }
    }

    #[test]
    fn no_pixels_have_no_mean() {
        assert!(!point(1.0, &[], false).is_known());
        assert!(!point(1.0, &[], true).is_known());
    }
}

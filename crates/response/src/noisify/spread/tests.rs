//! The point spread of noisify beside the plain loops of the C program.

use super::rows::plus;
use super::*;

/// The loops of the C program, one pixel after the other.
fn plain(spread: &NoisifySpread, photons: &[f32], width: usize, fixed: bool) -> Vec<f32> {
    let height = photons.len() / width;
    let longest = width.max(height) as i32;
    let brightest = f64::from(photons.iter().copied().fold(0.0, f32::max));
    let largest = match spread.radius_pixels {
        radius if radius > 0 => radius,
        _ => spread.radius_of_brightest(brightest),
    };
    let kernel = Kernel::new(spread, largest.min(longest) as usize);
    let mut out = vec![0.0_f32; photons.len()];
    let mut lost = 0.0;
    for (i, &value) in photons.iter().enumerate() {
        if value <= 0.0 {
            continue;
        }
        let (place, row) = ((i % width) as isize, (i / width) as isize);
        let value = f64::from(value);
        let radius = match spread.radius_pixels {
            0 => spread.radius_of(value).max(1),
            radius => radius,
        };
        let radius = radius.min(longest);
        lost += spread.lost(value, radius);
        let radius = radius.min(largest) as isize;
        for dx in -radius..=radius {
            for dy in -radius..=radius {
                let (x, y) = (place + dx, row + dy);
                let edge = if fixed {
                    width as isize - 1
                } else {
                    width as isize
                };
                if dx * dx + dy * dy > radius * radius || x < 0 || x > edge || y < 0 {
                    continue;
                }
                let weight =
                    kernel.row(dy).unwrap()[(BLOCK + kernel.radius).wrapping_add_signed(dx)];
                if let Some(sum) = out.get_mut((y * width as isize + x) as usize) {
                    *sum = plus(*sum, value * weight);
                }
            }
        }
    }
    let background = if fixed {
        0.0
    } else {
        lost / photons.len() as f64
    };
    out.iter().map(|sum| plus(*sum, background)).collect()
}

#[test]
fn rows_on_their_own_are_the_loops_of_c() {
    let mut state = 9_u64;
    for (width, height, brightest) in [(61, 47, 3.0), (23, 80, 5.0), (130, 7, 6.0), (8, 8, 2.0)] {
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / f64::from(1 << 24)
        };
        let mut pixel = || match next() {
            dark if dark < 0.2 => 0.0,
            bright if bright > 0.99 => 10_f64.powf(brightest) as f32,
            other => (40.0 * other).floor() as f32,
        };
        let photons: Vec<f32> = (0..width * height).map(|_| pixel()).collect();
        for profile in [NoisifyProfile::Gauss, NoisifyProfile::Fiber] {
            for (fwhm_pixels, radius_pixels) in [(0.46, 0), (2.5, 0), (1.0, 1), (0.8, 60)] {
                let spread = NoisifySpread {
                    profile,
                    fwhm_pixels,
                    radius_pixels,
                };
                for fixed in [false, true] {
                    let expected = plain(&spread, &photons, width, fixed);
                    for level in [Level::Baseline, Level::detect()] {
                        let ours = spread.apply_at(level, &photons, width, fixed).photons;
                        assert!(ours == expected, "{spread:?} {width} {fixed} {level:?}");
                    }
                }
            }
        }
    }
}

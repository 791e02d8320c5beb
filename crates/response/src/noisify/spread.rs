//! The point spread of noisify, with its sums in the order of the C program.
//!
//! C adds the kernel of each pixel to the image, pixel by pixel, in single precision. A pixel of the
//! result therefore receives the pixels around it in raster order. Here each row of the result does the
//! same on its own, so that rows are independent.

mod kernel;
mod rows;
mod sources;
#[cfg(test)]
mod tests;

use super::level::Level;
use crate::psf::FIBER_SCALE;
use kernel::Kernel;
use rows::Job;
use sources::Sources;

/// The part of the noise of a pixel that may be lost beyond the radius of its kernel.
const LOSS_FACTOR: f64 = 10.0;

/// The pixels of a row that are worked on together.
const BLOCK: usize = 8;

/// The profile of a point spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoisifyProfile {
    /// A Gaussian.
    Gauss,
    /// A fibre-optic taper: `g / (2 pi) (g^2 + r^2)^(-3/2)`.
    Fiber,
}

/// The point spread of noisify.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisifySpread {
    /// The profile.
    pub profile: NoisifyProfile,
    /// The full width at half maximum, in pixels; above 0.
    pub fwhm_pixels: f64,
    /// The radius of the kernel in pixels. 0 for a radius that grows with the photons of a pixel. With a
    /// negative radius all photons are lost.
    pub radius_pixels: i32,
}

/// An image after the point spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The photons of each pixel.
    pub photons: Vec<f32>,
    /// The photons of the brightest pixel, if the radius of the kernel follows them.
    pub brightest: Option<f64>,
    /// The radius that was chosen for the brightest pixel; `None` if the radius was given or there are no
    /// photons.
    pub automatic_radius: Option<i32>,
    /// The photons beyond the radius of their kernel. With the oddity `psf-wrap` they are spread over the
    /// image.
    pub lost_photons: f64,
}

impl NoisifySpread {
    /// The image after the point spread, in rows of `width`. With `fixed`, photons that leave the image or
    /// their kernel are gone.
    pub(super) fn apply(&self, photons: &[f32], width: usize, fixed: bool) -> Spread {
        self.apply_at(Level::detect(), photons, width, fixed)
    }

    fn apply_at(&self, level: Level, photons: &[f32], width: usize, fixed: bool) -> Spread {
        let width = width.max(1);
        let height = photons.len() / width;
        let longest = i32::try_from(width.max(height)).unwrap_or(i32::MAX);
        let mut spread = Spread {
            photons: vec![0.0; photons.len()],
            brightest: None,
            automatic_radius: None,
            lost_photons: 0.0,
        };
        let mut radius = self.radius_pixels;
        if radius <= 0 {
            let brightest = photons.iter().fold(
                0.0,
                |most, &photons| {
                    if most < photons { photons } else { most }
                },
            );
            let brightest = f64::from(brightest);
            spread.brightest = Some(brightest);
            if brightest <= 0.0 {
                return spread;
            }
            radius = self.radius_of_brightest(brightest);
            spread.automatic_radius = Some(radius);
            radius = if radius == 0 { 1 } else { radius };
        }
        let radius = radius.min(longest);
        let sources = Sources::new(self, photons, width, [longest, radius]);
        spread.lost_photons = sources.lost_photons;
        if let Ok(radius) = usize::try_from(radius) {
            let job = Job {
                kernel: &Kernel::new(self, radius),
                sources: &sources,
                wraps: !fixed,
                background: (!fixed).then_some(sources.lost_photons / photons.len() as f64),
            };
            job.rows(level, &mut spread.photons, width);
        } else if !fixed {
            let background = sources.lost_photons / photons.len() as f64;
            spread.photons.fill((0.0 + background) as f32);
        }
        spread
    }

    /// The radius beyond which a tenth of the noise of the brightest pixel falls. Unlike
    /// [`radius_of`](Self::radius_of) it divides twice, and may round differently.
    fn radius_of_brightest(&self, photons: f64) -> i32 {
        match self.profile {
            NoisifyProfile::Gauss => {
                let lost = photons.sqrt() / LOSS_FACTOR;
                let width = (-(lost / photons).ln() / 4.0_f64.ln() / 2.0).sqrt() * self.fwhm_pixels;
                c_int(1.0 + width.ceil())
            }
            NoisifyProfile::Fiber => self.radius_of(photons),
        }
    }

    /// The radius beyond which a tenth of the noise of a pixel falls.
    fn radius_of(&self, photons: f64) -> i32 {
        let lost = photons.sqrt() / LOSS_FACTOR;
        let width = match self.profile {
            NoisifyProfile::Gauss => {
                (-(lost / photons).ln() / 16.0_f64.ln()).sqrt() * self.fwhm_pixels
            }
            NoisifyProfile::Fiber => self.g() * (photons / lost),
        };
        c_int(1.0 + width.ceil())
    }

    /// The photons beyond a radius.
    fn lost(&self, photons: f64, radius: i32) -> f64 {
        match self.profile {
            NoisifyProfile::Gauss => {
                let ratio = f64::from(radius) / self.fwhm_pixels;
                photons * (-16.0_f64.ln() * (ratio * ratio)).exp()
            }
            NoisifyProfile::Fiber => {
                let square = f64::from(radius.wrapping_mul(radius));
                photons * self.g() / (self.g() * self.g() + square).sqrt()
            }
        }
    }

    /// The width of the fibre profile.
    fn g(&self) -> f64 {
        self.fwhm_pixels * FIBER_SCALE
    }
}

/// The conversion of C on x86-64: numbers out of range, and NaN, become the smallest integer.
fn c_int(number: f64) -> i32 {
    let is_in_range = number > -2_147_483_649.0 && number < 2_147_483_648.0;
    if is_in_range { number as i32 } else { i32::MIN }
}

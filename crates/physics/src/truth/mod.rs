//! The reflections in an image: their photons, positions and partialities.
//!
//! | file | content |
//! |---|---|
//! | `shares` | the photons of every pixel, divided among reflections |
//! | `partiality` | the fraction of a reflection that was recorded |

mod partiality;
mod shares;

use crate::backend::{Backend, Lanes};
use crate::driver::in_order;
use crate::error::Error;
use crate::lanes::{Level, Precision};
use crate::render::{Frame, RunOptions, render};
use crate::scene::Scene;

/// The reflections in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Every reflection with at least `floor_photons`, ordered by h, then k, then l, then panel.
    pub reflections: Vec<ReflectionTruth>,
    /// Photons of the reflections with fewer.
    pub left_out_photons: f64,
    /// Photons of water only.
    pub background_photons: f64,
}

/// One reflection in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReflectionTruth {
    /// Miller indices.
    pub hkl: [i32; 3],
    /// The number of the panel, counted from 0. A reflection with photons on several panels has an entry
    /// for each.
    pub panel: usize,
    /// The photons on this panel.
    pub photons: f64,
    /// The mean position of the photons along the fast axis, in pixels from the outer edge of the first
    /// pixel. The middle of the first pixel is 0.5.
    pub fast_px: f64,
    /// The mean position along the slow axis, in the same way.
    pub slow_px: f64,
    /// The recorded fraction, from 0 to 1.
    ///
    /// Let w be the mean over sources and mosaic domains of `(Fl(dh) / Fl(0))^2` at one spindle step.
    /// Here dh is the offset in indices from the reflection to the nearest point of the Ewald sphere of
    /// the source. For an image with one spindle step the partiality is w. For a sweep it is the sum of w
    /// over the steps of the image, divided by the sum over the whole crossing. The whole crossing
    /// continues the same steps in both directions until w is below 1e-4 of its largest value for 16
    /// steps. The partialities of images that continue each other add up to 1.
    pub partiality: f64,
}

/// Finds the reflections in a rendered image.
///
/// The photons of a pixel are divided among reflections in proportion to the terms of its sum. A term
/// belongs to the integer indices nearest to it. The photons of all reflections, omitted ones included,
/// and of water therefore add up to the image. Reflections with fewer than `floor_photons` are omitted,
/// and also those whose photons are below the smallest number: they have no mean position.
/// The precision and level of `options` have no effect.
///
/// In the pixel in which interpolation ended, and in the pixel of the first evaluation (the oddities
/// `interpolation` and `phi-zero`), the photons are divided by the rule for the pixels after it.
///
/// # Errors
/// [`Error::NoShares`] if lanes cannot number the indices or structure factors, [`Error::Cancelled`],
/// [`Error::Threads`].
pub fn truth(
    scene: &Scene,
    frame: &Frame,
    floor_photons: f64,
    options: &RunOptions<'_>,
) -> Result<Truth, Error> {
    let lanes = Lanes {
        level: Level::Baseline,
        precision: Precision::Double,
    };
    lanes.supports(scene).map_err(|_| Error::NoShares)?;
    // Shares are those of the photons of the crystal. They cannot be had from the sum with the layers, which may
    // be so much brighter that rounding hides the spots.
    let crystal = match scene.layers.is_empty() {
        true => None,
        false => {
            let options = RunOptions {
                progress: None,
                ..*options
            };
            Some(render(&scene.without_layers(), &options)?)
        }
    };
    let of_layers = |crystal: &Frame| total_photons(frame) - total_photons(crystal);
    let layer_photons = crystal.as_ref().map_or(0.0, of_layers);
    let found = shares::of_image(scene, crystal.as_ref().unwrap_or(frame), options)?;
    let mut left_out_photons = 0.0;
    let mut kept = Vec::new();
    for ((hkl, panel), sums) in &found.reflections {
        // Far from a spot of a Gaussian shape the photons are 0, and 0 / 0 is no position.
        if sums.photons < floor_photons || sums.photons == 0.0 {
            left_out_photons += sums.photons;
        } else {
            kept.push((*hkl, *panel, *sums));
        }
    }
    let crossing = partiality::Crossing::new(scene);
    let mut reflections = Vec::with_capacity(kept.len());
    in_order(
        options,
        &kept,
        |(hkl, panel, sums)| ReflectionTruth {
            hkl: *hkl,
            panel: *panel,
            photons: sums.photons,
            fast_px: sums.fast / sums.photons,
            slow_px: sums.slow / sums.photons,
            partiality: crossing.partiality(*hkl),
        },
        |reflection| reflections.push(reflection),
    )?;
    Ok(Truth {
        reflections,
        left_out_photons,
        background_photons: found.background_photons + layer_photons,
    })
}

fn total_photons(frame: &Frame) -> f64 {
    let pixels = frame.panels.iter().flat_map(|image| &image.pixels);
    let finite = pixels.filter(|photons| photons.is_finite());
    finite.map(|photons| f64::from(*photons)).sum()
}

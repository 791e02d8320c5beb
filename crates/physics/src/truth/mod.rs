//! What is in an image: each reflection's photons, where they fell, and how far it was recorded.
//!
//! | file | |
//! |---|---|
//! | `shares` | the photons of every pixel, parted among reflections |
//! | `partiality` | how far a reflection was in reflecting position |

mod partiality;
mod shares;

use crate::backend::{Backend, Lanes};
use crate::driver::in_order;
use crate::error::Error;
use crate::lanes::{Level, Precision};
use crate::render::{Frame, RunOptions};
use crate::scene::Scene;

/// What is in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Every reflection with photons of at least the floor, by h, then k, then l, then panel.
    pub reflections: Vec<ReflectionTruth>,
    /// Photons of the reflections below the floor.
    pub left_out_photons: f64,
    /// Photons of water, and of nothing else.
    pub background_photons: f64,
}

/// One reflection in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReflectionTruth {
    /// Its indices.
    pub hkl: [i32; 3],
    /// The number of the panel on which its photons fell, counted from 0. A reflection on several
    /// panels has an entry for each.
    pub panel: usize,
    /// Its photons on that panel.
    pub photons: f64,
    /// The mean position of its photons along the fast axis, in pixels from the outer edge of the
    /// first pixel, whose middle is at 0.5.
    pub fast_px: f64,
    /// The same along the slow axis.
    pub slow_px: f64,
    /// How far it was recorded, from 0 to 1.
    ///
    /// Let w be, at one spindle step, the mean over sources and mosaic domains of
    /// `(Fl(dh) / Fl(0))^2`, where dh is the offset in indices from the reflection to the nearest point
    /// of the source's Ewald sphere. Of an image with one spindle step the partiality is w. Of a sweep it
    /// is the sum of w over the steps of the image, divided by the sum over the whole crossing: the same
    /// steps continued both ways until w stays below 1e-4 of its largest for 16 steps. Over images that
    /// continue each other it adds up to 1.
    pub partiality: f64,
}

/// Finds what is in a rendered image.
///
/// The photons of a pixel are parted among reflections as the terms of its sum are, each term counting
/// for the whole indices nearest to it. So what is found adds up to the image. Reflections with fewer
/// than `floor_photons` are left out. The precision and level of `options` do not matter.
///
/// In the one pixel in which interpolation ended, and the one that found the cell in a state of its own
/// (the oddities `interpolation` and `phi-zero`), the parts are those of the rule for the pixels after
/// it.
///
/// # Errors
/// [`Error::NoShares`] for indices or structure factors beyond counting, [`Error::Cancelled`],
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
    let found = shares::of_image(scene, frame, options)?;
    let mut left_out_photons = 0.0;
    let mut kept = Vec::new();
    for ((hkl, panel), sums) in &found.reflections {
        if sums.photons < floor_photons {
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
        background_photons: found.background_photons,
    })
}

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
use crate::lanes::{LatticeNames, Level, united};
use crate::render::{Frame, RunOptions, render, render_and_share};
use crate::scene::Scene;
use shares::Sums;

pub(crate) use shares::Shares;

/// What is to be found in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthWishes {
    /// Reflections with fewer photons on a panel are omitted.
    pub floor_photons: f64,
    /// The expected photons of a reflection in each pixel of its spot. A pixel in which it has fewer does not
    /// make its box larger, and has no label.
    pub pixel_floor_photons: f64,
    /// Whether each pixel is labelled.
    pub labels: bool,
}

impl Default for TruthWishes {
    fn default() -> Self {
        Self {
            floor_photons: 0.0,
            pixel_floor_photons: 1.0,
            labels: false,
        }
    }
}

/// The reflections in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Every reflection with at least `floor_photons`, ordered by lattice, then h, then k, then l, then panel.
    pub reflections: Vec<ReflectionTruth>,
    /// Photons of the reflections with fewer.
    pub left_out_photons: f64,
    /// Photons of water, of the layers of amorphous material and of diffuse scattering: they belong to no
    /// reflection.
    pub background_photons: f64,
    /// The labels of every panel, shape `[slow][fast]`; empty unless they are wanted.
    ///
    /// The label of a pixel is the number, counted from 1, in `reflections` of the reflection with the most
    /// photons in it. It is 0 where this reflection has fewer than `pixel_floor_photons` there, or is omitted.
    pub labels: Vec<Vec<u32>>,
}

/// One reflection in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReflectionTruth {
    /// The number of the lattice in [`Experiment::lattices`](crate::Experiment::lattices), counted from 0.
    pub lattice: usize,
    /// Miller indices, of this lattice.
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
    /// The variance of the positions of the photons along fast, in pixels squared. A photon is in the middle of its
    /// pixel.
    pub variance_fast_px2: f64,
    /// The variance along slow.
    pub variance_slow_px2: f64,
    /// The covariance of both.
    pub covariance_px2: f64,
    /// The photons of this reflection in the pixel where it has most.
    pub peak_photons: f64,
    /// The first column of the box and that behind the last. The box is the smallest that holds the brightest
    /// pixel of the reflection and all in which it has at least `pixel_floor_photons`.
    pub fast_range_px: [u32; 2],
    /// The first row of the box and that behind the last.
    pub slow_range_px: [u32; 2],
    /// The recorded fraction, from 0 to 1.
    ///
    /// Let w be the mean over sources and mosaic domains of the lattice of `(Fl(dh) / Fl(0))^2` at one spindle step.
    /// Here dh is the offset in indices from the reflection to the nearest point of the Ewald sphere of
    /// the source. For an image with one spindle step the partiality is w. For a sweep it is the sum of w
    /// over the steps of the image, divided by the sum over the whole crossing. The whole crossing
    /// continues the same steps in both directions until w is below 1e-4 of its largest value for 16
    /// steps. The partialities of images that continue each other add up to 1.
    pub partiality: f64,
}

/// Renders the image of a scene, the same to the bit as [`render`], and finds its reflections.
///
/// The photons of a pixel are divided among reflections in proportion to the terms of its sum. A term
/// belongs to the integer indices nearest to it. The photons of all reflections, omitted ones included,
/// and of the background therefore add up to the image. Reflections with fewer than `floor_photons` are omitted,
/// and also those whose photons are below the smallest number: they have no mean position.
///
/// With an accuracy only the terms that are summed are divided. The image is that of [`render`] with the same
/// accuracy. In every pixel no reflection has more photons than with every term, and all together have at most
/// [`Omission::error_photons`](crate::Omission::error_photons) fewer.
///
/// In the pixel in which interpolation ended, and in the pixel of the first evaluation (the oddities
/// `interpolation` and `phi-zero`), the photons are divided by the rule for the pixels after it.
///
/// # Errors
/// [`Error::NoShares`] if lanes cannot number the lattices, indices or structure factors, and those of [`render`].
pub fn render_with_truth(
    scene: &Scene,
    wishes: &TruthWishes,
    options: &RunOptions<'_>,
) -> Result<(Frame, Truth), Error> {
    let lanes = Lanes {
        level: options.level.unwrap_or_else(Level::detect),
        precision: options.precision,
    };
    lanes.supports(scene).map_err(|_| Error::NoShares)?;
    let names = LatticeNames::of(scene.setup.lattices.len());
    if scene.bounds.largest_index + 1.0 >= names.largest_index() {
        return Err(Error::NoShares);
    }
    let kernel = (lanes.level != Level::Reference).then_some((lanes.level, lanes.precision));
    let mut shares = Shares::new(scene, wishes, kernel);
    let frame = match scene.setup.has_crystal || scene.setup.has_water {
        true => render_and_share(scene, &mut shares, options)?,
        false => render(scene, options)?,
    };
    let truth = of_shares(scene, &frame, shares, wishes.floor_photons, options)?;
    Ok((frame, truth))
}

fn of_shares(
    scene: &Scene,
    frame: &Frame,
    shares: Shares,
    floor_photons: f64,
    options: &RunOptions<'_>,
) -> Result<Truth, Error> {
    let mut background_photons = shares.background_photons;
    if !scene.layers.is_empty() {
        background_photons += total_photons(frame) - shares.photons;
    }
    // The place of each in the table: the name, the panel, the place among the shares of the panel.
    let mut found = Vec::new();
    for (panel, own) in shares.panels.iter().enumerate() {
        let names = own.reflections.iter().enumerate();
        found.extend(names.map(|(place, (name, sums))| (*name, panel, place, sums)));
    }
    found.sort_unstable_by_key(|(name, panel, ..)| (*name, *panel));
    let mut left_out_photons = 0.0;
    // Far from a spot of a Gaussian shape the photons are 0, and 0 / 0 is no position.
    found.retain(|(.., sums)| {
        let is_kept = sums.photons >= floor_photons && sums.photons != 0.0;
        left_out_photons += if is_kept { 0.0 } else { sums.photons };
        is_kept
    });
    let names = LatticeNames::of(scene.setup.lattices.len());
    let crossing = partiality::Crossing::new(scene);
    let mut reflections = Vec::with_capacity(found.len());
    in_order(
        options,
        &found,
        |(name, panel, _, sums)| {
            let (lattice, hkl) = names.read(*name);
            let partiality = crossing.partiality(lattice, hkl);
            ReflectionTruth::new((lattice, hkl, *panel), sums, partiality)
        },
        |reflection| reflections.push(reflection),
    )?;
    let mut numbers: Vec<Vec<u32>> = (shares.panels.iter())
        .map(|own| vec![0; own.reflections.len() + 1])
        .collect();
    for (number, (_, panel, place, _)) in (1..).zip(&found) {
        let place = numbers
            .get_mut(*panel)
            .and_then(|own| own.get_mut(place + 1));
        if let Some(own) = place {
            *own = number;
        }
    }
    drop(found);
    let labels = shares.panels.into_iter().zip(numbers);
    let labels = labels.filter(|(own, _)| !own.labels.is_empty());
    let labels = labels.map(|(mut own, numbers)| {
        for label in &mut own.labels {
            *label = numbers.get(*label as usize).copied().unwrap_or(0);
        }
        own.labels
    });
    Ok(Truth {
        reflections,
        left_out_photons,
        background_photons,
        labels: labels.collect(),
    })
}

impl ReflectionTruth {
    fn new((lattice, hkl, panel): (usize, [i32; 3], usize), sums: &Sums, partiality: f64) -> Self {
        let mean = |sum: f64| sum / sums.photons;
        let (fast_px, slow_px) = (mean(sums.fast), mean(sums.slow));
        let [fast_range_px, slow_range_px] = [0, 1].map(|axis| {
            let at = sums.peak.1[axis];
            united(sums.ranges[axis], [at, at + 1])
        });
        Self {
            lattice,
            hkl,
            panel,
            photons: sums.photons,
            fast_px,
            slow_px,
            // Rounding can make the variance of a single pixel negative.
            variance_fast_px2: (mean(sums.fast_squared) - fast_px * fast_px).max(0.0),
            variance_slow_px2: (mean(sums.slow_squared) - slow_px * slow_px).max(0.0),
            covariance_px2: mean(sums.fast_slow) - fast_px * slow_px,
            peak_photons: sums.peak.0,
            fast_range_px,
            slow_range_px,
            partiality,
        }
    }
}

fn total_photons(frame: &Frame) -> f64 {
    let pixels = frame.panels.iter().flat_map(|image| &image.pixels);
    let finite = pixels.filter(|photons| photons.is_finite());
    finite.map(|photons| f64::from(*photons)).sum()
}

//! The photons of a row, divided among reflections.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::block::{BLOCK, Column, dot};
use crate::scene::View;

/// What is to be found out of the shares of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowWishes {
    /// The photons that a reflection must have in a pixel of its box.
    pub(crate) pixel_floor_photons: f64,
    /// Whether each pixel is labelled.
    pub(crate) labels: bool,
}

/// One reflection in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowSums {
    pub(crate) photons: f64,
    /// Photons times position; the middle of the first pixel is at 0.5.
    pub(crate) fast: f64,
    /// Photons times position squared.
    pub(crate) fast_squared: f64,
    /// The most photons in a pixel, and its column.
    pub(crate) peak: (f64, u32),
    /// The first column with enough photons, and that behind the last; empty at first.
    pub(crate) range: [u32; 2],
}

/// Memory is allocated for this number of reflections in a row.
const USUAL: usize = 224;

/// The photons of a row, by reflection.
#[derive(Debug)]
pub(crate) struct RowShares {
    pub(super) wishes: RowWishes,
    /// The number of the first pixel of the row on its panel.
    start: u32,
    /// Photons of the crystal and of water, with the shadow.
    pub(crate) photons: f64,
    /// Those of water and diffuse scattering.
    pub(crate) background_photons: f64,
    /// A column whose photons are not divided here.
    pub(crate) left_out: Option<u32>,
    /// The name of every reflection, and its sums.
    pub(crate) reflections: Vec<(i64, RowSums)>,
    places: FxHashMap<i64, u32>,
    /// The place in `reflections` of that with the most photons in each pixel, plus 1; 0 where none has
    /// enough. Empty unless it is asked for.
    pub(crate) labels: Vec<u32>,
}

impl RowShares {
    pub(crate) fn new(view: &View<'_>, slow: u32, wishes: RowWishes) -> Self {
        let width = view.panel.pixels_fast();
        Self {
            wishes,
            start: slow * width,
            photons: 0.0,
            background_photons: 0.0,
            left_out: None,
            reflections: Vec::with_capacity(USUAL),
            places: FxHashMap::with_capacity_and_hasher(USUAL, FxBuildHasher),
            labels: vec![0; if wishes.labels { width as usize } else { 0 }],
        }
    }

    /// The sums of a reflection, with their place.
    pub(super) fn entry(&mut self, name: i64) -> (u32, &mut RowSums) {
        let next = self.reflections.len() as u32;
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.reflections.push((name, RowSums::default()));
        }
        let (_, sums) = &mut self.reflections[place as usize];
        (place, sums)
    }

    /// Divides the photons of neighbouring pixels, at most [`BLOCK`], in proportion to the sums of their reflections,
    /// each with its name. To these sums the background was added.
    pub(crate) fn divide<'p>(
        &mut self,
        view: &View<'_>,
        first: u32,
        photons: &[f32],
        parts: impl Iterator<Item = &'p [(f64, f64)]>,
    ) {
        let photons = self.shaded(view, first, photons);
        self.photons += dot(&photons, &[1.0; BLOCK]);
        let background = view.scalars.background;
        for ((fast, photons), parts) in (first..).zip(photons).zip(parts) {
            let total = parts.iter().fold(background, |total, (_, sum)| total + sum);
            if total == 0.0 {
                continue;
            }
            self.background_photons += photons * (background / total);
            let mut most = 0.0;
            for &(name, sum) in parts {
                self.give(fast, name, photons * (sum / total), &mut most);
            }
        }
    }

    /// Gives a reflection its photons in one pixel. `most` are those of the label of the pixel.
    #[inline(always)]
    pub(super) fn give(&mut self, fast: u32, name: f64, photons: f64, most: &mut f64) {
        if photons == 0.0 {
            return;
        }
        let RowWishes {
            pixel_floor_photons: floor,
            labels,
        } = self.wishes;
        let position = f64::from(fast) + 0.5;
        let (place, sums) = self.entry(name as i64);
        sums.photons += photons;
        sums.fast += photons * position;
        sums.fast_squared += photons * position * position;
        sums.mark(fast, photons, floor);
        if labels && photons >= floor && photons > *most {
            *most = photons;
            self.labels[fast as usize] = place + 1;
        }
    }

    /// The photons of neighbouring pixels: in double precision, and with the shadow. Masked pixels have none.
    #[inline(always)]
    pub(super) fn shaded(&self, view: &View<'_>, first: u32, photons: &[f32]) -> Column {
        let mut shaded = [0.0_f32; BLOCK];
        for (out, photons) in shaded.iter_mut().zip(photons) {
            *out = *photons;
        }
        let shade = view.panel.shade();
        if !shade.is_empty() {
            let start = self.start + first;
            let begin = shade.partition_point(|(number, _)| *number < start);
            let own = shade.iter().skip(begin);
            let own = own.take_while(|(number, _)| *number < start + photons.len() as u32);
            for (number, part) in own {
                shaded[(number - start) as usize] *= part;
            }
        }
        let mut column = [0.0; BLOCK];
        for i in 0..BLOCK {
            let counts = shaded[i].is_finite();
            column[i] = if counts { f64::from(shaded[i]) } else { 0.0 };
        }
        if let Some(lane) = self.left_out.and_then(|fast| fast.checked_sub(first))
            && let Some(photons) = column.get_mut(lane as usize)
        {
            *photons = 0.0;
        }
        column
    }
}

impl RowSums {
    /// Adds sums of other pixels.
    #[inline(always)]
    pub(super) fn add(&mut self, more: &Self) {
        self.photons += more.photons;
        self.fast += more.fast;
        self.fast_squared += more.fast_squared;
        if more.peak.0 > self.peak.0 {
            self.peak = more.peak;
        }
        self.range = united(self.range, more.range);
    }

    /// Notes the photons in one pixel.
    #[inline(always)]
    pub(super) fn mark(&mut self, fast: u32, photons: f64, floor: f64) {
        if photons > self.peak.0 {
            self.peak = (photons, fast);
        }
        if photons >= floor && photons > 0.0 {
            self.range = united(self.range, [fast, fast + 1]);
        }
    }
}

/// The range that holds both. An empty one has its end at 0.
pub(crate) fn united(one: [u32; 2], other: [u32; 2]) -> [u32; 2] {
    match (one[1], other[1]) {
        (_, 0) => one,
        (0, _) => other,
        _ => [one[0].min(other[0]), one[1].max(other[1])],
    }
}

//! The photons of an image, divided among reflections.

use std::collections::BTreeMap;

use crate::backend::RowPart;
use crate::driver::in_order;
use crate::error::Error;
use crate::lanes::{LaneShares, share_part};
use crate::render::{Frame, PanelImage, PixelPlace, RunOptions};
use crate::sampling::Lookup;
use crate::scalar::Pixel;
use crate::scene::{Scene, View};

/// The photons of one reflection, and their sums weighted with the position in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) photons: f64,
    pub(super) fast: f64,
    pub(super) slow: f64,
}

/// The photons of an image or of a row, by reflection and panel.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) reflections: BTreeMap<([i32; 3], usize), Sums>,
    pub(super) background_photons: f64,
}

/// Divides every pixel of `frame`. Rows are merged in order, so that threads change no bit.
pub(super) fn of_image(
    scene: &Scene,
    frame: &Frame,
    options: &RunOptions<'_>,
) -> Result<Parts, Error> {
    let mut all = Parts::default();
    for (view, image) in scene.views().zip(&frame.panels) {
        let rows: Vec<u32> = view.panel.roi().slow().collect();
        in_order(
            options,
            &rows,
            |slow| of_row(&view, frame.left_grid_at, image, *slow, options),
            |row| {
                all.background_photons += row.background_photons;
                for (key, sums) in row.reflections {
                    let total = all.reflections.entry(key).or_default();
                    total.photons += sums.photons;
                    total.fast += sums.fast;
                    total.slow += sums.slow;
                }
            },
        )?;
    }
    Ok(all)
}

fn of_row(
    view: &View<'_>,
    left_grid_at: Option<PixelPlace>,
    image: &PanelImage,
    slow: u32,
    options: &RunOptions<'_>,
) -> Parts {
    let panel = view.panel;
    let start = slow as usize * image.pixels_fast as usize;
    let photons = |fast: u32| image.pixels.get(start + fast as usize).copied();
    let mut parts = Parts::default();
    let mut take = |fast: u32, lane: &mut LaneShares| {
        if let Some(photons) = photons(fast).filter(|photons| photons.is_finite()) {
            let place = view.place(Pixel { fast, slow });
            parts.add(f64::from(photons), place, lane);
        }
    };
    let (first, end) = (*panel.roi().fast().start(), *panel.roi().fast().end() + 1);
    // The column at which interpolation ends. From there on the lookup is the nearest structure factor.
    let turn = match left_grid_at {
        Some(left) if (view.panel_index, slow) > (left.panel, left.slow) => first,
        Some(left) if (view.panel_index, slow) == (left.panel, left.slow) => left.fast,
        _ => end,
    };
    for (fast, lookup) in [
        (first..turn, view.setup.lookup),
        (turn..end, Lookup::Nearest),
    ] {
        let part = RowPart {
            lookup,
            cancel: options.cancel,
            ..RowPart::of_row(view, slow, fast)
        };
        share_part(view, &part, &mut take);
    }
    parts
}

impl Parts {
    /// Divides the photons of one pixel in proportion to the parts of its sum.
    fn add(&mut self, photons: f64, place: PixelPlace, lane: &mut LaneShares) {
        let background = lane.background;
        let reflections = lane.reflections();
        let sum = reflections.values().sum::<f64>() + background;
        if sum == 0.0 {
            return;
        }
        self.background_photons += photons * (background / sum);
        for (hkl, term) in reflections {
            let part = photons * (term / sum);
            let sums = self.reflections.entry((*hkl, place.panel)).or_default();
            sums.photons += part;
            sums.fast += part * (f64::from(place.fast) + 0.5);
            sums.slow += part * (f64::from(place.slow) + 0.5);
        }
    }
}

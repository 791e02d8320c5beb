//! The photons of an image, added up by reflection while its rows are rendered.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::TruthWishes;
use crate::backend::RowPart;
use crate::backend::{Backend, PartOutcome};
use crate::lanes::{Level, Precision, RowShares, RowWishes, render_and_share, share_part, united};
use crate::render::PixelPlace;
use crate::sampling::Lookup;
use crate::scene::{Scene, View};

/// The photons of one reflection on a panel, and their sums weighted with the position in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) photons: f64,
    pub(super) fast: f64,
    pub(super) slow: f64,
    pub(super) fast_squared: f64,
    pub(super) slow_squared: f64,
    pub(super) fast_slow: f64,
    /// The most photons in a pixel, and its column and row.
    pub(super) peak: (f64, [u32; 2]),
    /// Of the pixels with enough photons the first column and that behind the last; the same of rows.
    pub(super) ranges: [[u32; 2]; 2],
}

/// The photons of a panel, by reflection.
#[derive(Debug, Default)]
pub(super) struct PanelShares {
    /// The name of every reflection, and its sums.
    pub(super) reflections: Vec<(i64, Sums)>,
    places: FxHashMap<i64, u32>,
    /// The place in `reflections` of that with the most photons in each pixel, plus 1; 0 where none has
    /// enough. Empty unless it is asked for.
    pub(super) labels: Vec<u32>,
}

/// Memory is allocated for this number of reflections on a panel.
const USUAL: usize = 3584;

/// The photons of an image, by panel and reflection, while it is rendered.
pub(crate) struct Shares {
    wishes: RowWishes,
    /// The kernel that divides photons while it renders them; `None` if they are divided afterwards.
    kernel: Option<(Level, Precision)>,
    pub(super) panels: Vec<PanelShares>,
    /// The photons of the crystal and of water.
    pub(super) photons: f64,
    /// The photons of water.
    pub(super) background_photons: f64,
    /// A pixel that is divided in the end, because its photons are not those of its row.
    pub(crate) special: Option<PixelPlace>,
}

impl Shares {
    pub(super) fn new(
        scene: &Scene,
        wishes: &TruthWishes,
        kernel: Option<(Level, Precision)>,
    ) -> Self {
        let panel = |panel: &nanobragg_geometry::Panel| PanelShares {
            labels: vec![
                0;
                if wishes.labels {
                    panel.pixel_count()
                } else {
                    0
                }
            ],
            places: FxHashMap::with_capacity_and_hasher(USUAL, FxBuildHasher),
            ..PanelShares::default()
        };
        Self {
            wishes: RowWishes {
                pixel_floor_photons: wishes.pixel_floor_photons,
                labels: wishes.labels,
            },
            kernel,
            panels: scene.panels().iter().map(panel).collect(),
            photons: 0.0,
            background_photons: 0.0,
            special: None,
        }
    }

    /// The shares of a row, without photons.
    pub(crate) fn row(&self, view: &View<'_>, slow: u32) -> RowShares {
        let mut row = RowShares::new(view, slow, self.wishes);
        let special = self.special;
        let special = special.filter(|at| (at.panel, at.slow) == (view.panel_index, slow));
        row.left_out = special.map(|at| at.fast);
        row
    }

    /// Renders a part of a row, and divides its photons.
    pub(crate) fn render(
        &self,
        backend: &dyn Backend,
        scene: &Scene,
        part: &RowPart<'_>,
        pixels: &mut [f32],
    ) -> (PartOutcome, RowShares) {
        let view = scene.view(part.panel);
        let mut row = self.row(&view, part.slow);
        let outcome = match self.kernel {
            Some(kernel) => render_and_share(kernel, &view, part, pixels, &mut row),
            None => {
                let outcome = backend.render(scene, part, pixels);
                let end = outcome.left_grid_at.unwrap_or(part.fast.end);
                let done = RowPart {
                    fast: part.fast.start..end,
                    ..part.clone()
                };
                share_part(&view, &done, pixels, &mut row);
                outcome
            }
        };
        (outcome, row)
    }

    /// Divides the photons of one pixel, by the rule for the pixels behind it.
    pub(crate) fn add_pixel(
        &mut self,
        view: &View<'_>,
        place: PixelPlace,
        photons: f32,
        lookup: Lookup,
    ) {
        let part = RowPart {
            lookup,
            ..RowPart::of_row(view, place.slow, place.fast..place.fast + 1)
        };
        let mut row = RowShares::new(view, place.slow, self.wishes);
        share_part(view, &part, &[photons], &mut row);
        self.add(place.panel, place.slow, row);
    }

    /// Adds a row of a panel. Rows are added in order, so that threads change no bit.
    pub(crate) fn add(&mut self, panel: usize, slow: u32, row: RowShares) {
        self.photons += row.photons;
        self.background_photons += row.background_photons;
        let Some(panel) = self.panels.get_mut(panel) else {
            return;
        };
        let mut places = Vec::with_capacity(row.reflections.len());
        let position = f64::from(slow) + 0.5;
        for (name, more) in row.reflections {
            let next = panel.reflections.len() as u32;
            let place = *panel.places.entry(name).or_insert(next);
            if place == next {
                panel.reflections.push((name, Sums::default()));
            }
            places.push(place + 1);
            let Some((_, sums)) = panel.reflections.get_mut(place as usize) else {
                continue;
            };
            sums.photons += more.photons;
            sums.fast += more.fast;
            sums.fast_squared += more.fast_squared;
            sums.slow += more.photons * position;
            sums.slow_squared += more.photons * position * position;
            sums.fast_slow += more.fast * position;
            if more.peak.0 > sums.peak.0 {
                sums.peak = (more.peak.0, [more.peak.1, slow]);
            }
            if more.range[1] > 0 {
                let [fast, rows] = sums.ranges;
                sums.ranges = [united(fast, more.range), united(rows, [slow, slow + 1])];
            }
        }
        let start = slow as usize * row.labels.len();
        let labels = panel.labels.get_mut(start..).unwrap_or_default();
        for (label, place) in labels.iter_mut().zip(row.labels) {
            if let Some(place) = (place as usize)
                .checked_sub(1)
                .and_then(|at| places.get(at))
            {
                *label = *place;
            }
        }
    }
}

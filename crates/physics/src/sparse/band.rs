//! Rows of tiles, which threads take one by one.

use std::ops::Range;

use nanobragg_geometry::Panel;

use super::tile::{Found, Memory, Tile};
use super::{Pass, Sparse};
use crate::lanes::RowShares;
use crate::render::PanelImage;
use crate::truth::Shares;

/// A row of tiles of a panel.
pub(super) struct Band<'i> {
    panel: usize,
    /// The number of the band, from the corner of the plane.
    number: u32,
    /// The rows of the region of interest in the band, by their number on the panel.
    slow: Range<u32>,
    /// What becomes of the rows, if there is an image.
    rows: Option<Rows<'i>>,
}

/// The rows of a band.
pub(super) struct Rows<'i> {
    /// The pixels of each.
    pub(super) pixels: Vec<&'i mut [f32]>,
    /// The photons of each by reflection; empty unless they are divided.
    pub(super) shares: Vec<RowShares>,
}

/// The bands of all panels.
pub(super) fn bands<'i>(
    sparse: &Sparse<'_>,
    images: Option<&'i mut [PanelImage]>,
) -> Vec<Band<'i>> {
    let mut images = images.map(|images| images.iter_mut());
    let mut bands = Vec::new();
    for (index, panel) in sparse.scene.panels().iter().enumerate() {
        let image = images.as_mut().and_then(Iterator::next);
        let mut rows = image.map(|image| {
            let rows = image.pixels.chunks_mut(image.pixels_fast as usize);
            rows.skip(*panel.roi().slow().start() as usize)
        });
        for (number, slow) in parts(panel, sparse.size.pixels, 1) {
            let rows = rows.as_mut().map(|rows| Rows {
                pixels: rows.take(slow.len()).collect(),
                shares: Vec::new(),
            });
            bands.push(Band {
                panel: index,
                number,
                slow,
                rows,
            });
        }
    }
    bands
}

/// The tiles along an axis (0 for fast, 1 for slow) that the region of interest meets, each with its number
/// from the corner of the plane and the pixels of the region, by their number on the panel.
pub(super) fn parts(panel: &Panel, edge: u32, axis: usize) -> Vec<(u32, Range<u32>)> {
    let roi = match axis {
        0 => panel.roi().fast(),
        _ => panel.roi().slow(),
    };
    let first = panel.first_pixel()[axis];
    let tiles = (roi.start() + first) / edge..=(roi.end() + first) / edge;
    let parts = tiles.map(|number| {
        let start = (number * edge).max(roi.start() + first) - first;
        let end = ((number + 1).saturating_mul(edge)).min(roi.end() + first + 1) - first;
        (number, start..end)
    });
    parts.collect()
}

impl Band<'_> {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.slow.len()
    }

    /// Adds the shares of all rows, in order.
    pub(super) fn add_shares(self, shares: &mut Shares) {
        let rows = self.rows.map_or(Vec::new(), |rows| rows.shares);
        for (slow, row) in self.slow.zip(rows) {
            shares.add(self.panel, slow, row);
        }
    }

    pub(super) fn render(
        &mut self,
        sparse: &Sparse<'_>,
        pass: Pass,
        shares: Option<&Shares>,
    ) -> Found {
        let view = sparse.scene.view(self.panel);
        let mut memory = Memory::new(sparse);
        if let (Some(rows), Some(shares)) = (&mut self.rows, shares) {
            rows.shares = (self.slow.clone().map(|slow| shares.row(&view, slow))).collect();
            memory.want_parts(&view);
        }
        let memory = &mut memory;
        let mut found = Found::default();
        // Neighbouring tiles whose terms are all summed, as one: a row of them takes one call.
        let mut full: Option<Range<u32>> = None;
        let tile = |number, fast| Tile {
            sparse,
            view: &view,
            number: [number, self.number],
            pixels: [fast, self.slow.clone()],
        };
        for (number, fast) in parts(view.panel, sparse.size.pixels, 0) {
            let own = tile(number, fast.clone());
            let is_passed_over = pass.is_quick && (number % 2 == 1 || self.number % 2 == 1);
            if is_passed_over || !own.is_used() {
                continue;
            }
            if self.rows.is_some() {
                found.solid_angle_sum_sr += own.solid_angle_sum_sr();
            }
            let budget = own.budget(pass);
            if sparse.size.fills_blocks() && own.is_faster_in_full(budget.terms, memory) {
                full = match full.take() {
                    Some(before) if before.end == fast.start => Some(before.start..fast.end),
                    before => {
                        render_full(before, &tile, pass, &mut self.rows, &mut found);
                        Some(fast)
                    }
                };
            } else {
                own.render(budget, memory, self.rows.as_mut(), &mut found);
            }
        }
        render_full(full, &tile, pass, &mut self.rows, &mut found);
        found
    }
}

/// Sums all terms of some columns, if there are any.
fn render_full<'t, 's: 't>(
    columns: Option<Range<u32>>,
    tile: &impl Fn(u32, Range<u32>) -> Tile<'t, 's>,
    pass: Pass,
    rows: &mut Option<Rows<'_>>,
    found: &mut Found,
) {
    if let Some(columns) = columns {
        tile(0, columns).render_full(pass, rows.as_mut(), found);
    }
}

//! Layers on a coarse grid of pixels, interpolated between them.
//!
//! Amorphous scattering varies slowly, so most pixels can be interpolated. The nodes are every eighth pixel of
//! the plane of a panel. A pixel is Lagrange's cubic, along slow and then along fast, through the 4 x 4 nodes
//! around its cell. At seven pixels of every cell it is compared with the sum itself: in the middle, where the cubic
//! is worst for a smooth function, and around it, for kinks. A cell in which one of them is off by more than a
//! sixteenth of the tolerance is summed pixel by pixel. `docs/BACKGROUND.md` has the error of all other pixels.
//!
//! Nodes and cells are counted from the corner of the plane. The result of a pixel therefore depends neither on
//! the region of interest, nor on the cut of a plane into panels, nor on threads.

use nanobragg_geometry::Panel;

use super::{Memory, photons_at};
use crate::driver;
use crate::scene::View;

/// Pixels from one node to the next.
const CELL: i64 = 8;

/// The pixels of a cell that are compared, along fast and slow.
const COMPARED: [[usize; 2]; 7] = [[4, 4], [2, 2], [6, 2], [2, 6], [6, 6], [4, 0], [0, 4]];

/// The part of the tolerance that they may use.
const OF_COMPARED: f64 = 1.0 / 16.0;

/// The weights of the nodes -1, 0, 1 and 2 for each pixel of a cell.
const WEIGHTS: [[f64; 4]; CELL as usize] = {
    let mut weights = [[0.0; 4]; CELL as usize];
    let mut at = 0;
    while at < CELL as usize {
        let x = at as f64 / CELL as f64;
        weights[at] = [
            -x * (x - 1.0) * (x - 2.0) / 6.0,
            (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
            -(x + 1.0) * x * (x - 2.0) / 2.0,
            (x + 1.0) * x * (x - 1.0) / 6.0,
        ];
        at += 1;
    }
    weights
};

/// The nodes of the rendered region of a panel.
pub(crate) struct Nodes {
    /// The first cell along fast and slow, counted from the corner of the plane. The first node is one before.
    first: [i64; 2],
    /// Cells along fast and slow.
    cells: [usize; 2],
    /// Photons at the nodes, `[slow][fast]`.
    photons: Vec<f64>,
    /// Whether the pixels of a cell can be interpolated, `[slow][fast]`.
    is_smooth: Vec<bool>,
}

/// First and last rendered pixel of a panel along fast and slow, counted from the corner of its plane.
fn region(panel: &Panel) -> [[i64; 2]; 2] {
    let [first_fast, first_slow] = panel.first_pixel().map(i64::from);
    let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
    let ends =
        |start: u32, end: u32, first: i64| [i64::from(start) + first, i64::from(end) + first];
    [
        ends(*fast.start(), *fast.end(), first_fast),
        ends(*slow.start(), *slow.end(), first_slow),
    ]
}

impl Nodes {
    /// Sums the nodes, and some pixels of every cell. `tolerance` is relative to the photons of a pixel.
    pub(crate) fn new(view: &View<'_>, tolerance: f64) -> Self {
        let [fast, slow] = region(view.panel);
        let first = [fast[0].div_euclid(CELL), slow[0].div_euclid(CELL)];
        let cells = [fast, slow]
            .map(|[start, end]| (end.div_euclid(CELL) - start.div_euclid(CELL) + 1) as usize);
        let row_of_nodes = |row: usize| -> Vec<f64> {
            let mut memory = Memory::new(view);
            let slow = (first[1] - 1 + row as i64) * CELL;
            let nodes = (first[0] - 1..).take(cells[0] + 3);
            let photons = nodes.map(|node| photons_at(view, [node * CELL, slow], &mut memory));
            photons.collect()
        };
        let photons = driver::map(0..cells[1] + 3, 1, row_of_nodes).concat();
        let mut nodes = Self {
            first,
            cells,
            photons,
            is_smooth: Vec::new(),
        };
        let row_of_cells = |row: usize| -> Vec<bool> {
            let mut memory = Memory::new(view);
            let start = (first[1] + row as i64) * CELL;
            let rows: Vec<Vec<f64>> = (0..CELL).map(|at| nodes.along_slow(start + at)).collect();
            let mut is_smooth = |cell: usize| {
                COMPARED.iter().all(|&[fast, slow]| {
                    let place = [
                        (first[0] + cell as i64) * CELL + fast as i64,
                        start + slow as i64,
                    ];
                    let exact = photons_at(view, place, &mut memory);
                    let row = rows.get(slow).map_or(&[][..], |row| row);
                    let off = (along_fast(row, cell, fast) - exact).abs();
                    off <= OF_COMPARED * tolerance * exact.abs()
                })
            };
            (0..cells[0]).map(&mut is_smooth).collect()
        };
        nodes.is_smooth = driver::map(0..cells[1], 1, row_of_cells).concat();
        nodes
    }

    /// The nodes along fast, interpolated along slow to a row of pixels.
    fn along_slow(&self, slow: i64) -> Vec<f64> {
        let width = self.cells[0] + 3;
        let row = (slow.div_euclid(CELL) - self.first[1]) as usize;
        let [a, b, c, d] = WEIGHTS[slow.rem_euclid(CELL) as usize];
        let rows = self.photons.get(row * width..(row + 4) * width);
        let (ab, cd) = rows.unwrap_or_default().split_at(2 * width);
        let ((p, q), (r, s)) = (ab.split_at(width), cd.split_at(width));
        let columns = p.iter().zip(q).zip(r.iter().zip(s));
        columns
            .map(|((p, q), (r, s))| a * p + b * q + c * r + d * s)
            .collect()
    }

    /// Adds the layers to the rendered pixels of row `slow` of the panel of `view`.
    pub(crate) fn add_to(&self, view: &View<'_>, slow: u32, pixels: &mut [f32]) {
        let [[start, _], _] = region(view.panel);
        let plane_slow = i64::from(slow) + i64::from(view.panel.first_pixel()[1]);
        let along_slow = self.along_slow(plane_slow);
        let row = (plane_slow.div_euclid(CELL) - self.first[1]) as usize * self.cells[0];
        let is_smooth = self.is_smooth.get(row..row + self.cells[0]);
        let used = view.panel.mask().map(|mask| mask.row(slow as usize));
        let first_fast = i64::from(view.panel.first_pixel()[0]);
        let mut memory = Memory::new(view);
        let mut rest = pixels;
        let mut fast = start;
        for (cell, is_smooth) in is_smooth.unwrap_or_default().iter().enumerate() {
            let within = fast.rem_euclid(CELL) as usize;
            let count = (CELL as usize - within).min(rest.len());
            let (own, behind) = rest.split_at_mut(count);
            rest = behind;
            for (index, pixel) in own.iter_mut().enumerate() {
                let on_panel = (fast - first_fast) as usize + index;
                if used.is_some_and(|used| used.get(on_panel) != Some(&true)) {
                    continue;
                }
                let photons = if *is_smooth {
                    along_fast(&along_slow, cell, within + index)
                } else {
                    photons_at(view, [fast + index as i64, plane_slow], &mut memory)
                };
                *pixel = (f64::from(*pixel) + photons) as f32;
            }
            fast += count as i64;
        }
    }
}

/// A row of nodes, interpolated to pixel `within` of a cell.
#[inline(always)]
fn along_fast(nodes: &[f64], cell: usize, within: usize) -> f64 {
    let [a, b, c, d] = WEIGHTS[within];
    match nodes.get(cell..cell + 4) {
        Some(&[p, q, r, s]) => a * p + b * q + c * r + d * s,
        _ => f64::NAN,
    }
}

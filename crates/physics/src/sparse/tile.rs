//! Tiles: their budgets, and from sums to photons.

use std::ops::Range;

use nanobragg_geometry::{PixelKind, Surface};

use super::areas::Part;
use super::band::{self, parts};
use super::ledger::Ledger;
use super::patch::{Area, Patch};
use super::{Pass, Sparse};
use crate::backend::RowPart;
use crate::lanes::{self, LEAF, LeafMemory, Rows};
use crate::render::PixelPlace;
use crate::scene::View;

/// The number of pixels along the edge of a tile, and of sub-pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct TileSize {
    pub(super) pixels: u32,
    pub(super) subpixels: u32,
}

impl TileSize {
    pub(super) fn new(oversample: u32) -> Self {
        // As wide as a block of the full sum, unless that is too many sub-pixels.
        let pixels = if oversample <= 4 {
            64
        } else {
            (256 / oversample).max(1)
        };
        Self {
            pixels,
            subpixels: pixels * oversample,
        }
    }

    /// Whether a row of a tile fills a block of the full sum.
    pub(super) fn fills_blocks(self) -> bool {
        self.pixels == 64
    }
}

/// What was found in some tiles.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Photons of the brightest pixel, with the shadow.
    pub(super) brightest_photons: f64,
    /// The largest bound on what a pixel lost.
    pub(super) error_photons: f64,
    /// The number of terms that were summed.
    pub(super) terms: f64,
    pub(super) solid_angle_sum_sr: f64,
}

impl Found {
    pub(super) fn add(&mut self, other: &Self) {
        self.brightest_photons = f64::max(self.brightest_photons, other.brightest_photons);
        self.error_photons = f64::max(self.error_photons, other.error_photons);
        self.terms += other.terms;
        self.solid_angle_sum_sr += other.solid_angle_sum_sr;
    }
}

/// What the pixels of a tile may lose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// The sum of terms that each sub-pixel of each layer may lose.
    pub(super) terms: f64,
    /// The photons of a sum of 1 at one sub-pixel and layer, from above.
    photons_of_one: f64,
}

/// A base area is halved until its parts are leaves: less often than this.
const LEVELS: usize = 32;

/// Memory of a thread.
#[derive(Debug)]
pub(super) struct Memory {
    /// The terms near a base area, and those that are kept in it and in areas within it.
    pub(super) rows: Vec<Rows>,
    pub(super) bounds: Vec<f64>,
    pub(super) wide: Vec<Area>,
    pub(super) areas: Vec<Part>,
    /// The orientations that are summed in a leaf, and the sources that they belong to.
    pub(super) places: Vec<u32>,
    pub(super) groups: Vec<(usize, Range<usize>)>,
    /// The sum of every pixel of the tile, by rows, and whether any is not 0.
    pub(super) sums: Vec<f64>,
    pub(super) has_sums: bool,
    /// The sums of every pixel by reflection, each with its name; empty unless they are wanted.
    pub(super) parts: Vec<Vec<(f64, f64)>>,
    row: Vec<f32>,
    pub(super) leaf: LeafMemory,
    pub(super) ledger: Ledger,
}

impl Memory {
    pub(super) fn new(sparse: &Sparse<'_>) -> Self {
        let edge = sparse.size.pixels as usize;
        Self {
            rows: std::iter::repeat_with(Rows::default).take(LEVELS).collect(),
            bounds: Vec::new(),
            wide: Vec::new(),
            areas: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            sums: vec![0.0; edge * edge],
            has_sums: false,
            parts: Vec::new(),
            row: vec![0.0; edge],
            leaf: LeafMemory::new(),
            ledger: Ledger::new(sparse.size.pixels, sparse.scene.setup.oversample),
        }
    }

    /// From now on pixels are also summed by reflection.
    pub(super) fn want_parts(&mut self, view: &View<'_>) {
        self.leaf.want_parts(view);
        self.parts = vec![Vec::new(); self.sums.len()];
    }
}

/// A square of pixels.
pub(super) struct Tile<'t, 's> {
    pub(super) sparse: &'t Sparse<'s>,
    pub(super) view: &'t View<'s>,
    /// Its place among the tiles of the plane, along fast and slow.
    pub(super) number: [u32; 2],
    /// The pixels that are rendered, by their number on the panel, along fast and slow.
    pub(super) pixels: [Range<u32>; 2],
}

impl<'t, 's> Tile<'t, 's> {
    /// All tiles of a panel.
    pub(super) fn all(sparse: &'t Sparse<'s>, view: &'t View<'s>) -> impl Iterator<Item = Self> {
        let rows = parts(view.panel, sparse.size.pixels, 1);
        rows.into_iter().flat_map(move |(slow, slow_pixels)| {
            let columns = parts(view.panel, sparse.size.pixels, 0);
            columns.into_iter().map(move |(fast, fast_pixels)| Self {
                sparse,
                view,
                number: [fast, slow],
                pixels: [fast_pixels, slow_pixels.clone()],
            })
        })
    }

    pub(super) fn is_used(&self) -> bool {
        let [fast, slow] = &self.pixels;
        let Some(mask) = self.view.panel.mask() else {
            return true;
        };
        slow.clone().any(|slow| {
            let row = mask.row(slow as usize);
            let row = row.get(fast.start as usize..fast.end as usize);
            row.unwrap_or_default().contains(&true)
        })
    }

    /// All sub-pixels of the tile, also those outside the region of interest and the panel. The edge is rounded up
    /// to a leaf halved back and forth.
    pub(super) fn area(&self) -> Area {
        let edge = self.sparse.size.subpixels;
        Area {
            first: self.number.map(|number| number * edge),
            size: edge.div_ceil(LEAF).next_power_of_two() * LEAF,
        }
    }

    /// The photons of a sum of 1 at one sub-pixel and layer, from above.
    fn photons_of_one(&self, patch: Option<&Patch>) -> f64 {
        let (view, panel) = (self.view, self.view.panel);
        // No point of a plane is nearer than its near point, and all of a curved panel are at one distance.
        let panel_m = match panel.surface() {
            Surface::Flat => panel.close_distance_m().abs(),
            Surface::Curved if panel.bends_along_own_axes() => panel.close_distance_m().abs(),
            Surface::Curved => panel.distance_m().abs(),
        };
        let nearest_m = patch.map_or(0.0, |patch| patch.nearest_m);
        let nearest_m = f64::max(nearest_m, panel_m * (1.0 - 1e-9));
        let facing = match panel.pixel_kind() {
            PixelKind::Facet => panel.close_distance_m().abs() / nearest_m,
            PixelKind::Point => 1.0,
        };
        let solid_angle_sr = match panel.pixel_kind() {
            PixelKind::Facet => (panel.pixel_size_m() / nearest_m).powi(2) * facing,
            PixelKind::Point => 1.0 / (nearest_m * nearest_m),
        };
        let photons = view.scalars.photons_per_electron / view.steps;
        photons * solid_angle_sr * self.sparse.polarization
    }

    /// The number of sub-pixels and layers of a pixel.
    fn samples(&self) -> f64 {
        let layers = f64::from(self.view.panel.sensor().layers);
        f64::from(self.view.setup.oversample).powi(2) * layers
    }

    /// A bound on the photons of every pixel.
    pub(super) fn bound_photons(&self) -> f64 {
        let patch = Patch::of(self.view, &self.area(), 0);
        self.bound_terms(patch.as_ref()) * self.photons_of_one(patch.as_ref()) * self.samples()
    }

    /// A bound on the sum of all terms of a sub-pixel of an area, from structure factors alone.
    pub(super) fn bound_terms(&self, patch: Option<&Patch>) -> f64 {
        let sources = self.view.sources.iter().enumerate();
        let bounds = sources.map(|(index, source)| {
            let lengths = patch.map_or([0.0, f64::INFINITY], |patch| {
                patch.scatter(source).lengths()
            });
            source.weight * self.largest_squared(index, lengths) * self.sparse.all_peaks
        });
        bounds.sum()
    }

    /// The largest squared structure factor of a source between two lengths.
    pub(super) fn largest_squared(&self, source: usize, lengths: [f64; 2]) -> f64 {
        let dmin_m = self.view.setup.dmin_m;
        if dmin_m > 0.0 && lengths[0] > (1.0 + 1e-9) / dmin_m {
            return 0.0;
        }
        let sparse = self.sparse;
        sparse.shells[sparse.shells_of[source]].between(lengths)
    }

    /// Solid angles summed over pixels, layers and sub-pixels.
    ///
    /// By Gauss's rule with four points along each edge if all pixels are used and small: a sum over small pixels
    /// is an integral, to 1e-6.
    pub(super) fn solid_angle_sum_sr(&self) -> f64 {
        /// The square of the largest angle of a small pixel, in radian.
        const SMALL: f64 = 1e-5;
        const POINTS: [(f64, f64); 4] = [
            (-0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
            (-0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
            (0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
            (0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
        ];
        let (view, panel) = (self.view, self.view.panel);
        let pixel_m = panel.pixel_size_m();
        let at = |along: [f64; 2]| {
            let first = panel.first_pixel();
            let [fast_m, slow_m] = [0, 1].map(|i| (along[i] + f64::from(first[i])) * pixel_m);
            let [x, y, z] = panel.position_m(fast_m, slow_m, 0.0);
            view.solid_angle_sr((x * x + y * y + z * z).sqrt())
        };
        // The point of a pixel where its solid angle is taken: its first sub-pixel, or the mean of all.
        let within = match view.rules.solid_angle.refreshes {
            true => 0.5,
            false => 0.5 / f64::from(view.setup.oversample),
        };
        let [fast, slow] = &self.pixels;
        let count = fast.len() * slow.len();
        let patch = Patch::of(view, &self.area(), 0);
        let is_small = patch.is_some_and(|patch| (pixel_m / patch.nearest_m).powi(2) < SMALL);
        let sum = if panel.mask().is_none() && count > 16 && is_small {
            let place = |range: &Range<u32>, x: f64| {
                let (start, len) = (f64::from(range.start), range.len() as f64);
                start + 0.5 * (1.0 + x) * len - 0.5 + within
            };
            let mut mean = 0.0;
            for (y, by_slow) in POINTS {
                for (x, by_fast) in POINTS {
                    mean += 0.25 * by_slow * by_fast * at([place(fast, x), place(slow, y)]);
                }
            }
            mean * count as f64
        } else {
            let pixels = slow
                .clone()
                .flat_map(|slow| fast.clone().map(move |fast| (fast, slow)));
            let used = pixels.filter(|&(fast, slow)| panel.uses(fast, slow));
            used.map(|(fast, slow)| at([fast, slow].map(|pixel| f64::from(pixel) + within)))
                .sum()
        };
        sum * self.samples()
    }

    /// What the pixels of the tile may lose.
    pub(super) fn budget(&self, pass: Pass) -> Budget {
        let one = self.photons_of_one(Patch::of(self.view, &self.area(), 0).as_ref());
        let budget = pass.allowed_photons / (one * self.samples());
        // Without a bound on the photons nothing is left out.
        let terms = match budget.is_nan() {
            true => 0.0,
            false => budget.min(f64::MAX),
        };
        Budget {
            terms,
            photons_of_one: one,
        }
    }

    pub(super) fn render(
        &self,
        budget: Budget,
        memory: &mut Memory,
        rows: Option<&mut band::Rows<'_>>,
        found: &mut Found,
    ) {
        if std::mem::take(&mut memory.has_sums) {
            memory.sums.fill(0.0);
            memory.parts.iter_mut().for_each(Vec::clear);
        }
        memory.ledger.open(self.area().first);
        for layer in 0..self.view.panel.sensor().layers {
            self.sum_layer(layer, budget.terms, memory, found);
        }
        let lost_photons = memory.ledger.most_lost() * budget.photons_of_one;
        found.error_photons = f64::max(found.error_photons, lost_photons);
        self.finish(memory, rows, found);
    }

    /// The pixels of a row of the tile: the part of the row, and the place of its first pixel in the tile.
    fn row(&self, slow: u32) -> (RowPart<'_>, usize) {
        let part = RowPart::of_row(self.view, slow, self.pixels[0].clone());
        let edge = self.sparse.size.pixels;
        let first = self.view.panel.first_pixel();
        let fast = self.pixels[0].start + first[0] - self.number[0] * edge;
        let slow = slow + first[1] - self.number[1] * edge;
        (part, (slow * edge + fast) as usize)
    }

    /// From sums to photons.
    fn finish(
        &self,
        memory: &mut Memory,
        mut rows: Option<&mut band::Rows<'_>>,
        found: &mut Found,
    ) {
        let background = self.view.scalars.background;
        for (number, slow) in self.pixels[1].clone().enumerate() {
            let (part, first) = self.row(slow);
            let sums = memory.sums.get(first..first + part.fast.len());
            let sums = sums.unwrap_or_default();
            if background == 0.0 && sums.iter().all(|&sum| sum == 0.0) {
                continue;
            }
            let photons = memory.row.get_mut(..part.fast.len()).unwrap_or_default();
            photons.fill(0.0);
            lanes::finish_row(
                self.sparse.kernel,
                self.view,
                &part,
                sums,
                photons,
                &mut memory.leaf,
            );
            if let Some(shares) = rows.as_mut().and_then(|rows| rows.shares.get_mut(number)) {
                let parts = memory.parts.iter().skip(first).map(Vec::as_slice);
                shares.divide(self.view, part.fast.start, photons, parts);
            }
            let row = rows.as_mut().and_then(|rows| rows.pixels.get_mut(number));
            self.put(&part, photons, row, found);
        }
    }

    /// Sums every term of the pixels.
    pub(super) fn render_full(
        &self,
        pass: Pass,
        mut rows: Option<&mut band::Rows<'_>>,
        found: &mut Found,
    ) {
        let layers = f64::from(self.view.panel.sensor().layers);
        let each = (self.view.sources.len() * self.view.orientations.len()) as f64;
        let subpixels = f64::from(self.view.setup.oversample).powi(2);
        let mut photons = vec![0.0; self.pixels[0].len()];
        let [_, first_slow] = self.view.panel.first_pixel();
        for (number, slow) in self.pixels[1].clone().enumerate() {
            if !(slow + first_slow).is_multiple_of(pass.rows) {
                continue;
            }
            let part = RowPart::of_row(self.view, slow, self.pixels[0].clone());
            photons.fill(0.0);
            let kernel = self.sparse.kernel;
            match rows.as_mut().and_then(|rows| rows.shares.get_mut(number)) {
                Some(row) => lanes::render_and_share(kernel, self.view, &part, &mut photons, row),
                None => lanes::render(kernel, self.view, &part, &mut photons),
            };
            found.terms += layers * each * subpixels * part.fast.len() as f64;
            let row = rows.as_mut().and_then(|rows| rows.pixels.get_mut(number));
            self.put(&part, &photons, row, found);
        }
    }

    /// Writes finished pixels if there is an image, and looks for the brightest one.
    fn put(
        &self,
        part: &RowPart<'_>,
        photons: &[f32],
        row: Option<&mut &mut [f32]>,
        found: &mut Found,
    ) {
        if let Some(row) = row {
            let columns = part.fast.start as usize..part.fast.end as usize;
            if let Some(pixels) = row.get_mut(columns) {
                pixels.copy_from_slice(photons);
            }
            return;
        }
        let panel = self.view.panel;
        for (fast, &photons) in part.fast.clone().zip(photons) {
            let photons = f64::from(photons);
            if photons <= found.brightest_photons {
                continue;
            }
            let place = PixelPlace {
                panel: part.panel,
                slow: part.slow,
                fast,
            };
            let number = part.slow * panel.pixels_fast() + fast;
            let shade = panel.shade();
            let passed = match shade.binary_search_by_key(&number, |&(number, _)| number) {
                Ok(found) => f64::from(shade[found].1),
                Err(_) => 1.0,
            };
            if self.sparse.other != Some(place) {
                found.brightest_photons = f64::max(found.brightest_photons, photons * passed);
            }
        }
    }
}

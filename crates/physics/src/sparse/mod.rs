//! The sum without the terms that nobody can see.
//!
//! A run with an accuracy X may leave out terms as long as every pixel loses at most `X B` photons, where B
//! is a pixel of the image. What is left out is bounded before it is left out:
//!
//! ```text
//! tile    a square of pixels. Its budget is the sum of terms that each of its sub-pixels may lose
//! base    an area of a tile, so small that indices are linear functions of the place
//! terms   of all sources and orientations, those with the smallest bounds are left out first, as many as a
//!         part of the budget pays for
//! halves  the area is halved until it has 8 x 8 sub-pixels. In each part the bounds of the remaining terms are
//!         smaller, and some more are left out. The last parts spend all of the budget, and what other sub-pixels
//!         of the same pixels have not used of theirs
//! sum     the exact sum of the terms that are left, 64 sub-pixels at once
//! ```
//!
//! Where this would take longer than the full sum, as for small crystals, a tile is summed in full.
//!
//! Tiles are counted from the corner of the plane of a panel. Everything is decided from a whole tile and from
//! B, so that neither threads nor instructions, nor a panel cut in two, change what is left out.
//!
//! | file | content |
//! |---|---|
//! | `mod` | the budget, and the search for B |
//! | `band` | rows of tiles |
//! | `tile` | a tile: its budget, and from sums to photons |
//! | `areas` | the areas of a tile, and the terms of each |
//! | `ledger` | what pixels have lost, and what is left of their budgets |
//! | `patch` | how the scattering vector changes over an area |
//! | `envelope` | bounds on the lattice factor over an area |
//! | `shells` | bounds on structure factors by resolution |

mod areas;
mod band;
mod envelope;
mod ledger;
mod patch;
mod shells;
mod tile;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use nanobragg_geometry::{Surface, vector};

use self::band::Band;
pub(crate) use self::envelope::{Envelope, Fall, Profile, SLOPE_LOST};
use self::patch::Patch;
pub(crate) use self::patch::Scattering;
use self::shells::Shells;
use self::tile::{Found, Tile, TileSize};
use crate::accuracy::{EveryTerm, Omission};
use crate::driver;
use crate::error::Error;
use crate::lanes::{LEAF, Level, Precision};
use crate::progress::Cancel;
use crate::render::{PanelImage, PixelPlace, RunOptions};
use crate::sampling::{Lookup, Scales};
use crate::scene::{Scene, View};
use crate::truth::Shares;

/// A scene whose terms can be left out, with bounds on them.
#[derive(Debug)]
pub(crate) struct Sparse<'s> {
    scene: &'s Scene,
    kernel: (Level, Precision),
    accuracy: f64,
    size: TileSize,
    /// The shape of the spots: of each run of orientations with a size of its own, or one for all.
    envelopes: Vec<Envelope>,
    /// The sum over all orientations of weight times the square of the largest lattice factor.
    all_peaks: f64,
    /// The largest structure factors by resolution, of every distinct list.
    shells: Vec<Shells>,
    /// The place in `shells` of the list of each source.
    shells_of: Vec<usize>,
    /// A bound on the polarization factor.
    polarization: f64,
    /// The inverse of the shortest wavelength.
    longest_per_m: f64,
    /// The width of the sharpest spots, in radian.
    sharpest: f64,
    /// A pixel that will have other photons in the end.
    pub(crate) other: Option<PixelPlace>,
}

/// What is rendered.
pub(crate) struct Target<'t> {
    /// The images of the panels, blank.
    pub(crate) images: &'t mut [PanelImage],
    /// Sums of solid angles, at least one for each row of tiles.
    pub(crate) solid_angle_sums_sr: &'t mut [f64],
    /// The photons by reflection, if they are divided.
    pub(crate) shares: Option<&'t mut Shares>,
}

/// How much a pixel may lose, in photons.
#[derive(Debug, Clone, Copy)]
struct Pass {
    allowed_photons: f64,
    /// Whether only every fourth tile is looked at.
    is_quick: bool,
    /// Every so many rows are looked at, where a tile is summed in full.
    rows: u32,
}

/// The number of rows whose shares wait in memory: rows of tiles enough to keep many threads busy.
const SHARED_ROWS: u32 = 1024;

/// The allowed error falls by this factor from one pass of the search to the next.
const STEP: f64 = 64.0;

/// A pixel is bright enough with this part of the allowed error.
const ENOUGH: f64 = 0.125;

/// The search ends at this part of the bound on the brightest pixel: there is nothing to be seen.
const DARKEST: f64 = 1e-40;

impl<'s> Sparse<'s> {
    /// # Errors
    /// Why the scene needs every term.
    pub(crate) fn new(
        scene: &'s Scene,
        kernel: (Level, Precision),
        accuracy: f64,
    ) -> Result<Self, EveryTerm> {
        let setup = &scene.setup;
        if setup.lookup != Lookup::Nearest {
            return Err(EveryTerm::Interpolation);
        }
        if scene.diffuse.is_some() {
            return Err(EveryTerm::Diffuse);
        }
        if !scene.moved_factors.is_empty() {
            return Err(EveryTerm::Unbounded);
        }
        for view in scene.views() {
            if view.rules.any(Scales::RunningSum) {
                return Err(EveryTerm::RunningSum);
            }
            if view.scalars.water_per_source != 0.0 {
                return Err(EveryTerm::Water);
            }
            if !has_bounded_corrections(&view) || !is_counted_in_u32(&view) {
                return Err(EveryTerm::Unbounded);
            }
        }
        let runs = scene.size_runs.iter().map(|run| &run.lattice);
        let lattices = std::iter::once(&scene.lattice).filter(|_| scene.size_runs.is_empty());
        let envelopes = lattices.chain(runs).map(Envelope::new);
        let envelopes: Vec<Envelope> =
            (envelopes.collect::<Option<_>>()).ok_or(EveryTerm::Unbounded)?;
        let (shells, shells_of) = Shells::of_sources(scene);
        let mut sparse = Self {
            scene,
            kernel,
            accuracy,
            size: TileSize::new(setup.oversample),
            envelopes,
            all_peaks: 0.0,
            shells,
            shells_of,
            polarization: f64::max(1.0, 0.5 * (1.0 + scene.kahn_factor.abs())),
            longest_per_m: 0.0,
            sharpest: 0.0,
            other: None,
        };
        let per_m = scene.sources.iter().map(|source| 1.0 / source.wavelength_m);
        sparse.longest_per_m = per_m.fold(0.0, f64::max);
        let edges_m = scene.bounds.longest_edges_m;
        let sharpness_m = sparse.envelopes.iter().map(|own| own.sharpness_m(edges_m));
        sparse.sharpest = 1.0 / (sharpness_m.fold(0.0, f64::max) * sparse.longest_per_m);
        let peaks = scene.orientations.iter().enumerate();
        sparse.all_peaks = peaks
            .map(|(place, orientation)| orientation.weight * sparse.envelope_at(place).peak_squared)
            .sum();
        let is_fine = |x: f64| x.is_finite() && x >= 0.0;
        let weights = scene.sources.iter().map(|source| source.weight);
        let mut all = weights.chain([sparse.all_peaks, sparse.polarization]);
        if !all.all(is_fine) || !sparse.shells.iter().all(|shells| is_fine(shells.largest())) {
            return Err(EveryTerm::Unbounded);
        }
        Ok(sparse)
    }

    /// Whether what the linear functions of a square are wrong by is small compared with the spots or with the
    /// leaves.
    fn is_linear(&self, patch: &Patch, size: u32) -> bool {
        let leaf = patch.half_angle() * f64::from(LEAF) / f64::from(size);
        patch.slack <= 0.25 * f64::max(self.sharpest, leaf)
    }

    fn envelope_at(&self, place: usize) -> &Envelope {
        let run = self.scene.run_number(place);
        &self.envelopes[run.min(self.envelopes.len() - 1)]
    }

    /// Renders all pixels. Returns what was left out.
    ///
    /// # Errors
    /// If the run is cancelled.
    pub(crate) fn render(
        &self,
        target: Target<'_>,
        options: &RunOptions<'_>,
    ) -> Result<Omission, Error> {
        let brightest_photons = self.brightest_photons(options)?;
        let pass = Pass {
            allowed_photons: self.accuracy * brightest_photons,
            is_quick: false,
            rows: 1,
        };
        let found = self.pass(pass, Some(target), options)?;
        let setup = &self.scene.setup;
        let pixels = |view: View<'_>| {
            let layers = f64::from(view.panel.sensor().layers);
            layers * view.panel.roi().pixel_count() as f64
        };
        let pixels: f64 = self.scene.views().map(pixels).sum();
        let each = f64::from(setup.oversample).powi(2)
            * self.scene.sources.len() as f64
            * self.scene.orientations.len() as f64;
        Ok(Omission {
            allowed_photons: pass.allowed_photons,
            error_photons: found.error_photons,
            terms: found.terms,
            all_terms: pixels * each,
        })
    }

    /// Photons of the brightest pixel, from below, to 20 bits; 0 for an image without photons.
    ///
    /// Passes with a smaller and smaller allowed error, until a pixel is not much darker than that error. Usually it
    /// is the brightest one or has about half of its photons. The first pass looks at every fourth tile: in most
    /// images that is enough.
    fn brightest_photons(&self, options: &RunOptions<'_>) -> Result<f64, Error> {
        let bound = self.scene.views().map(|view| self.bound_photons(&view));
        let bound = bound.fold(0.0, f64::max);
        let mut allowed_photons = bound / STEP;
        let (mut is_quick, mut rows) = (true, 64);
        while allowed_photons > bound * DARKEST {
            let pass = Pass {
                allowed_photons,
                is_quick,
                rows,
            };
            let brightest_photons = self.pass(pass, None, options)?.brightest_photons;
            let enough = if is_quick { 1.0 } else { ENOUGH };
            if brightest_photons >= enough * allowed_photons {
                return Ok(rounded_down(brightest_photons));
            }
            // The next pass finds at least the same pixel again.
            allowed_photons = match brightest_photons > 0.0 {
                true => brightest_photons,
                false if is_quick => allowed_photons,
                false => allowed_photons / STEP,
            };
            // Where most terms count, neighbours are nearly as bright, but few rows of a small panel are counted.
            rows = if is_quick { 32 } else { 1 };
            is_quick = false;
        }
        Ok(0.0)
    }

    /// A bound on the photons of every pixel of a panel.
    fn bound_photons(&self, view: &View<'_>) -> f64 {
        let mut bound = 0.0;
        for tile in Tile::all(self, view) {
            bound = f64::max(bound, tile.bound_photons());
        }
        bound
    }

    /// Goes over all tiles. Writes their pixels if there is a `target`.
    fn pass(
        &self,
        pass: Pass,
        target: Option<Target<'_>>,
        options: &RunOptions<'_>,
    ) -> Result<Found, Error> {
        let (images, sums_sr, mut shares) = match target {
            Some(Target {
                images,
                solid_angle_sums_sr,
                shares,
            }) => (Some(images), solid_angle_sums_sr, shares),
            None => (None, &mut [][..], None),
        };
        // The shares of some rows wait in memory until they are added in order.
        let at_once = match shares {
            Some(_) => (SHARED_ROWS / self.size.pixels).max(1) as usize,
            None => usize::MAX,
        };
        let mut bands = band::bands(self, images).into_iter();
        let rows_total = self
            .scene
            .views()
            .map(|view| view.panel.roi().slow().count());
        let rows_total: usize = rows_total.sum();
        let done = AtomicUsize::new(0);
        let writes = !sums_sr.is_empty();
        let render = |shares: Option<&Shares>, band: &mut Band<'_>| {
            if options.cancel.is_some_and(Cancel::is_raised) {
                return Found::default();
            }
            let found = band.render(self, pass, shares);
            if let Some(progress) = options.progress.filter(|_| writes) {
                let rows = band.rows();
                let before = done.fetch_add(rows, Ordering::Relaxed);
                progress.rows_done((before + rows).min(rows_total), rows_total);
            }
            found
        };
        let mut all = Found::default();
        let mut sums_sr = sums_sr.iter_mut();
        loop {
            let some: Vec<_> = bands.by_ref().take(at_once).collect();
            if some.is_empty() {
                return Ok(all);
            }
            let own = shares.as_deref();
            let rendered = driver::map(some, 1, |mut band| (render(own, &mut band), band));
            driver::stop_if_cancelled(options)?;
            for (found, band) in rendered {
                all.add(&found);
                if let Some(sum) = sums_sr.next() {
                    *sum = found.solid_angle_sum_sr;
                }
                if let Some(shares) = shares.as_deref_mut() {
                    band.add_shares(shares);
                }
            }
        }
    }
}

/// Whether all correction factors are between 0 and 1, solid angles aside.
fn has_bounded_corrections(view: &View<'_>) -> bool {
    let sensor = view.panel.sensor();
    let photons = view.scalars.photons_per_electron;
    let captures = sensor.thickness_m == 0.0
        || (sensor.layer_step_m >= 0.0
            && sensor.mu_per_m >= 0.0
            && view.panel.surface() == Surface::Flat
            && vector::dot(view.panel.middle_m(0, 0), view.panel.normal()) > 0.0);
    captures && photons.is_finite() && photons >= 0.0
}

/// Whether the sub-pixels of the plane have numbers that fit, with those of a tile that reaches beyond the edge.
fn is_counted_in_u32(view: &View<'_>) -> bool {
    let panel = view.panel;
    let [fast, slow] = panel.first_pixel();
    let last = f64::from(fast.max(slow)) + f64::from(panel.pixels_fast().max(panel.pixels_slow()));
    (last + 512.0) * f64::from(view.setup.oversample) < f64::from(u32::MAX)
}

/// The number without its last 32 bits. Kernels round differently, and what is left out must not depend on it.
fn rounded_down(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !0xffff_ffff)
}

//! The memory that an experiment needs, checked before it is allocated.

use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, GridLimit};
use nanobragg_physics::Experiment;

use crate::error::Error;

/// Bytes per pixel: photons (4), and the largest other image that exists at the same time (2).
const PIXEL_BYTES: u64 = 6;

const MASK_BYTES: u64 = 1;

/// Bytes per source, in the list and in the table.
const SOURCE_BYTES: u64 = 192;

/// Bytes per orientation: three vectors and three numbers in double precision, and the same for the first step.
const ORIENTATION_BYTES: u64 = 192;

const GIB: f64 = (1_u64 << 30) as f64;

/// The number of bytes for rendering an experiment and writing its images, without structure factors.
pub fn bytes_needed(experiment: &Experiment) -> u64 {
    let panels = experiment.detector.panels().iter();
    let of_pixels = panels.map(|panel| {
        let masked = panel.mask().map_or(0, |_| MASK_BYTES);
        (panel.pixel_count() as u64).saturating_mul(PIXEL_BYTES + masked)
    });
    let domains = experiment.crystal.mosaic().domains().len() as u64;
    let lattices = experiment.lattices.len() as u64;
    let orientations = u64::from(experiment.phi.count)
        .saturating_mul(domains)
        .saturating_mul(lattices);
    let sources = experiment.sources.len() as u64;
    of_pixels
        .fold(0, u64::saturating_add)
        .saturating_add(sources.saturating_mul(SOURCE_BYTES))
        .saturating_add(orientations.saturating_mul(ORIENTATION_BYTES))
}

/// The different tables of structure factors: that of all sources, or those at their energies.
pub fn factor_tables(experiment: &Experiment) -> Vec<&Arc<FactorGrid>> {
    let first = std::iter::once(&experiment.factors);
    let mut grids: Vec<_> = first.chain(&experiment.factors_by_source).collect();
    grids.sort_by_key(|grid| Arc::as_ptr(grid));
    grids.dedup_by(|one, other| Arc::ptr_eq(one, other));
    grids
}

/// The number of bytes of all tables of structure factors.
pub fn factor_bytes(experiment: &Experiment) -> u64 {
    let tables = factor_tables(experiment).into_iter();
    let bytes = tables.map(|grid| size_of_val(grid.values()) as u64);
    bytes.fold(0, u64::saturating_add)
}

/// Checks that an experiment needs less memory than `limit` and that the system has this memory. A typing
/// error in the number of pixels then does not exhaust the memory during a run.
///
/// # Errors
/// [`Error::TooMuchMemory`] with the needed size, [`Error::OutOfMemory`] if the system refuses the memory.
pub fn check_memory(experiment: &Experiment, limit: GridLimit) -> Result<(), Error> {
    // One table was checked when it was read.
    let first = size_of_val(experiment.factors.values()) as u64;
    let tables = factor_bytes(experiment).saturating_sub(first);
    let bytes = bytes_needed(experiment).saturating_add(tables);
    let panel = experiment.detector.first();
    let (pixels_fast, pixels_slow) = (panel.pixels_fast(), panel.pixels_slow());
    let needed_gib = bytes as f64 / GIB;
    if bytes > limit.max_bytes {
        return Err(Error::TooMuchMemory {
            pixels_fast,
            pixels_slow,
            sources: experiment.sources.len(),
            needed_gib,
            limit_gib: limit.max_bytes as f64 / GIB,
        });
    }
    // The memory is only reserved and released again, not written.
    let rehearsed = usize::try_from(bytes)
        .ok()
        .and_then(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).ok());
    rehearsed.ok_or(Error::OutOfMemory {
        pixels_fast,
        pixels_slow,
        needed_gib,
    })
}

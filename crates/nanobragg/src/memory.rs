//! The memory that an experiment needs, checked before it is allocated.

use std::sync::Arc;

use nanobragg_crystal::GridLimit;
use nanobragg_physics::Experiment;

use crate::error::Error;

/// Bytes per pixel: photons (4), and the largest other image that exists at the same time (2).
const PIXEL_BYTES: u64 = 6;

const MASK_BYTES: u64 = 1;

/// Bytes per source, in the list and in the table.
const SOURCE_BYTES: u64 = 192;

/// Bytes per orientation: three vectors and two factors in double precision, and the same for the first step.
const ORIENTATION_BYTES: u64 = 176;

const GIB: f64 = (1_u64 << 30) as f64;

/// The number of bytes for rendering an experiment and writing its images, without the first grid of structure
/// factors.
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
        .saturating_add(factor_bytes(experiment))
}

/// The bytes of the grids of structure factors that only some sources have.
fn factor_bytes(experiment: &Experiment) -> u64 {
    let mut grids: Vec<_> = experiment.factors_by_source.iter().collect();
    grids.retain(|grid| !Arc::ptr_eq(grid, &experiment.factors));
    grids.sort_by_key(|grid| Arc::as_ptr(grid));
    grids.dedup_by(|one, other| Arc::ptr_eq(one, other));
    let bytes = grids.iter().map(|grid| size_of_val(grid.values()) as u64);
    bytes.fold(0, u64::saturating_add)
}

/// Checks that an experiment needs less memory than `limit` and that the system has this memory. A typing
/// error in the number of pixels then does not exhaust the memory during a run.
///
/// # Errors
/// [`Error::TooMuchMemory`] with the needed size, [`Error::OutOfMemory`] if the system refuses the memory.
pub fn check_memory(experiment: &Experiment, limit: GridLimit) -> Result<(), Error> {
    let bytes = bytes_needed(experiment);
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

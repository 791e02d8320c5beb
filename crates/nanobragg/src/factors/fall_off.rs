//! The fall-off of structure factors with resolution.

use std::ops::RangeInclusive;
use std::sync::Arc;

use nanobragg_crystal::{Bounds, Crystal, GridLimit};
use nanobragg_geometry::{BeamFrame, Detector};
use nanobragg_sources::SourceList;

use super::FactorTables;
use crate::error::Error;
use crate::resolution::finest_a;
use crate::spec::ExperimentSpec;

/// The B factors of a fall-off in A^2, which are those of atoms.
const B_FACTORS_A2: RangeInclusive<f64> = -100.0..=1e4;

/// Reflections reach this much beyond the finest corner, for spots that are wider than a point.
pub(crate) const MARGIN: f64 = 0.98;

/// The indices of all reflections that `sources` bring onto a detector.
pub(crate) fn seen(
    crystal: &Crystal,
    (detector, beam): (&Detector, &BeamFrame),
    sources: &SourceList,
) -> Bounds {
    let finest_a = finest_a(detector, beam, sources.shortest_m());
    // Spots are wider than points, sources are beside the axis, and an interpolation looks two points further.
    let edges_a = crystal.lattice().lengths_angstrom;
    let farthest = edges_a.map(|edge_a| (edge_a / (finest_a * MARGIN)).ceil() as i32 + 2);
    Bounds {
        min: farthest.map(|index| -index),
        max: farthest,
    }
}

impl ExperimentSpec {
    /// The structure factors with the fall-off of the B factor. Those that are not listed fall off as far as the
    /// detector sees.
    pub(crate) fn fallen_off(
        &self,
        mut tables: FactorTables,
        crystal: &Crystal,
        laboratory: (&Detector, &BeamFrame),
        sources: &SourceList,
    ) -> Result<FactorTables, Error> {
        let b_a2 = self.b_factor_a2;
        if !B_FACTORS_A2.contains(&b_a2) {
            return Err(Error::OutOfRange {
                quantity: "the B factor (A^2)",
                value: b_a2,
                allowed: "-100 to 10000",
            });
        }
        if b_a2 == 0.0 {
            return Ok(tables);
        }
        let seen = seen(crystal, laboratory, sources);
        for grid in &mut tables.grids {
            if grid.default_f() != 0.0 {
                *grid = Arc::new(grid.enlarged(&seen, GridLimit::default())?);
            }
            Arc::make_mut(grid).fall_off(b_a2, crystal.reciprocal().vectors());
        }
        Ok(tables)
    }
}

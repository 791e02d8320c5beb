//! All numbers and models that determine an image, resolved.

use std::sync::Arc;

use nanobragg_crystal::{Crystal, FactorGrid};
use nanobragg_geometry::{BeamFrame, Detector, Goniometer, rotate_by};
use nanobragg_numeric::Scalar;
use nanobragg_sources::SourceList;

use crate::diffuse::Diffuse;
use crate::fixes::Fixes;
use crate::layers::BackgroundLayer;
use crate::polarization::Polarization;
use crate::sampling::{Lookup, PhiSweep, Sampling};

/// One experiment: the sample, the beam and the detector.
///
/// [`RunOptions`](crate::RunOptions) says how it is run (threads, instruction set, precision). They
/// change no pixel beyond a stated bound.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The panels at their positions, each with its rendered region.
    pub detector: Detector,
    /// The direct beam and its transverse directions.
    pub beam: BeamFrame,
    /// The axis that turns the crystal.
    pub goniometer: Goniometer,
    /// The crystal at phi = 0 with its mosaic domains.
    pub crystal: Crystal,
    /// The lattices in the beam. Their intensities are added. One lattice, that of `crystal`, by default.
    pub lattices: Vec<LatticeCopy>,
    /// The structure factors of the unit cell.
    pub factors: Arc<FactorGrid>,
    /// The structure factors at the energy of each source, in the order of the sources; empty if all sources
    /// have those of `factors`. All grids have the same range of indices and the same default.
    pub factors_by_source: Vec<Arc<FactorGrid>>,
    /// The diffuse scattering of the crystal; `None` for none.
    pub diffuse: Option<Diffuse>,
    /// How a structure factor is looked up.
    pub lookup: Lookup,
    /// The sources. Each counts with its weight, which is 1 unless weights are asked for. The recorded
    /// weight counts only for `background`.
    pub sources: SourceList,
    /// The steps of the spindle.
    pub phi: PhiSweep,
    /// Sub-pixels, and the corrections that are computed at each.
    pub sampling: Sampling,
    /// Polarization of the beam.
    pub polarization: Polarization,
    /// Photons per square metre of the beam.
    pub fluence_per_m2: f64,
    /// Edge in metres of the cube of water in the beam; 0 for none.
    pub water_m: f64,
    /// Layers of amorphous material in the beam.
    pub background: Vec<BackgroundLayer>,
    /// The allowed error of the photons of the layers, relative to those of a pixel. Pixels are then interpolated
    /// where they vary slowly. 0 if every pixel is summed.
    pub background_tolerance: f64,
    /// Whether the layers scatter from each source with its recorded weight. If not, they scatter with the
    /// weight of the source, as the crystal does.
    pub weighs_sources: bool,
    /// Spacing in metres below which nothing is rendered; 0 for no limit.
    pub dmin_m: f64,
    /// The oddities of the C program that are fixed.
    pub fixes: Fixes,
}

/// One of the lattices in the beam, relative to the lattice of the crystal.
///
/// Its cell edges at phi = 0 are `turn (basis (a, b, c))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatticeCopy {
    /// Its edges as sums of a, b, c: row `i` has the three factors of edge `i`. `None` for the same edges. A
    /// twin has the operation of its twin law here.
    pub basis: Option<[[f64; 3]; 3]>,
    /// The matrix by rows that is applied to each edge in the laboratory, at phi = 0. `None` for no turn.
    pub turn: Option<[[f64; 3]; 3]>,
    /// The factor on its intensity: 1 for a crystal of its own, the fraction of a twin.
    pub weight: f64,
}

impl Default for LatticeCopy {
    /// The lattice of the crystal.
    fn default() -> Self {
        Self {
            basis: None,
            turn: None,
            weight: 1.0,
        }
    }
}

impl LatticeCopy {
    /// The edges of this lattice for the edges of the crystal, both at phi = 0.
    pub(crate) fn edges_m<T: Scalar>(&self, crystal_m: [[T; 3]; 3]) -> [[T; 3]; 3] {
        let mut edges_m = crystal_m;
        if let Some(basis) = self.basis {
            edges_m = basis.map(|row| {
                let [a, b, c] = row.map(T::from_f64);
                let [x, y, z] = crystal_m;
                std::array::from_fn(|i| a * x[i] + b * y[i] + c * z[i])
            });
        }
        if let Some(turn) = self.turn {
            let turn = turn.map(|row| row.map(T::from_f64));
            edges_m = edges_m.map(|edge| rotate_by(&turn, edge));
        }
        edges_m
    }
}

impl Experiment {
    /// a, b, c in metres of each lattice at phi = 0, without mosaicity.
    pub fn lattice_edges_m(&self) -> impl Iterator<Item = [[f64; 3]; 3]> + '_ {
        let crystal_m = self.crystal.direct().vectors();
        (self.lattices.iter()).map(move |lattice| lattice.edges_m(crystal_m))
    }

    /// The number of terms of the sum of one pixel: layers, sub-pixels, sources, phi steps, lattices and
    /// mosaic domains multiplied.
    pub fn terms_a_pixel(&self) -> f64 {
        f64::from(self.detector.first().sensor().layers)
            * f64::from(self.sampling.oversample).powi(2)
            * self.sources.len() as f64
            * f64::from(self.phi.count)
            * self.lattices.len() as f64
            * self.crystal.mosaic().domains().len() as f64
    }
}

//! The crystal of a diffraction simulation: unit cell, orientation, mosaic domains, size, shape
//! transforms and structure factors.
//!
//! A [`CrystalSpec`] is the description of a crystal; a [`Crystal`] is computed from it. A
//! [`FactorGrid`] holds the structure factors, from a reflection list or a dump (see [`read`]).
//!
//! | | symbol | unit | columns | from |
//! |---|---|---|---|---|
//! | [`DirectBasis`] | a, b, c | m | cell vectors in the laboratory | [`Crystal::direct`] |
//! | [`ReciprocalBasis`] | a\*, b\*, c\* | 1/Angstrom | their duals, `a.a* = 1` | [`Crystal::reciprocal`] |
//! | [`Lattice`] | both | Angstrom | the same, for a report | [`Crystal::lattice`] |
//!
//! Without a matrix, a\* lies along the laboratory's x and b\* in its xy plane. Three rotations
//! follow: missetting turns the reciprocal vectors about the laboratory's X, Y and Z in this order,
//! the spindle turns the direct vectors, and a mosaic domain turns them last.
//!
//! ```
//! use nanobragg_crystal::{CellSpec, Crystal, CrystalSpec};
//!
//! let crystal = Crystal::new(&CrystalSpec {
//!     cell: Some(CellSpec::from_values(&[70.0, 80.0, 90.0])?),
//!     cells: [5, 4, 6],
//!     ..CrystalSpec::default()
//! })?;
//! // At a reciprocal-lattice point all 5 x 4 x 6 cells scatter in phase.
//! let peak = crystal.lattice_shape().factor([0.0; 3], [0.0; 3]);
//! assert_eq!(peak, 120.0);
//! # Ok::<(), nanobragg_crystal::Error>(())
//! ```
#![forbid(unsafe_code)]

mod basis;
mod cell;
pub mod constants;
mod crystal;
mod domain;
mod error;
mod factors;
mod mosaic;
mod orientation;
pub mod read;
mod reflections;
mod shape;
mod size;
mod spindle;
mod symmetry;

pub use basis::{DirectBasis, Lattice, ReciprocalBasis};
pub use cell::CellSpec;
pub use crystal::{Crystal, CrystalSpec};
pub use domain::DomainSpec;
pub use error::{Error, Warning};
pub use factors::{
    Bounds, FactorGrid, GridLimit, Hkl, Reflection, lagrange_cubic, nearest_index, tricubic,
};
pub use mosaic::{
    DomainTurn, ListedDomains, MAX_DOMAINS, Mosaic, MosaicModel, MosaicNumbers, MosaicSampling,
    MosaicSpec, Spread, cap_rotation,
};
pub use orientation::{Misset, angles_from_rotation, misset, reciprocal_from_matrix};
pub use reflections::{
    Amplitude, ColumnChoice, ColumnKind, ExpandedList, Expansion, FactorColumns, ListedReflection,
    Merging, ReflectionList, ReflectionTable, RowCounts, RowStatus, TableColumn, TableNote,
};
pub use shape::{LatticeNumber, LatticeShape, Shape, SpotMetric, sinc3, sincg};
pub use size::{CrystalSize, clip_to_beam, interpolates_by_default, recommended_oversample};
pub use spindle::{phi_angles_rad, rotate_by_phi};
pub use symmetry::{
    AsymmetricUnit, CrystalSystem, Equivalent, GroupDoubt, SpaceGroup, StatedGroup,
    SymmetryOperation, TwinLaw,
};

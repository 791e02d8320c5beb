//! Structure factors from atomic coordinates.
//!
//! A coordinate file ([`read`]) gives a [`Model`]: the atoms in a cell. Each atom has a tabulated
//! [`FormFactor`], a B factor or tensor, an occupancy, and possibly a [`Dispersion`] correction. The
//! space between the molecules is a flat [`Solvent`]. The sum over all of them is
//! [`StructureFactors`]:
//!
//! ```text
//! F(h) = sum over atoms of o (f0(s) + f' + i f'') exp(-B s^2/4) exp(2 pi i h.x)
//!        + k exp(-B_sol s^2/4) sum over solvent of exp(2 pi i h.x) dV         s = 1/d
//! ```
//!
//! | | |
//! |---|---|
//! | form factors | International Tables, Volume C (1992), Table 6.1.1.4: four Gaussians and a constant |
//! | the sum over atoms | the Fourier transform of a map of their density, which is fast, or the sum itself, which is exact |
//! | symmetry | the map has the atoms of the asymmetric unit; the operations of the group act on indices and phases |
//! | dispersion | given, or [`dispersion_at`] the energy of the photons; [`FactorParts`] sums the atoms once for all energies |
//! | Friedel mates | both are in the list, because f'' makes them different |
//!
//! ```
//! use nanobragg_structure::{FactorSpec, StructureFactors, read};
//!
//! let text = "\
//! CRYST1   10.000   12.000   14.000  90.00  90.00  90.00 P 21 21 21    4
//! ATOM      1  O   HOH A   1       2.500   3.000   3.500  1.00 20.00           O
//! ";
//! let model = read::parse(text.as_bytes(), "water.pdb", &read::Given::default())?.model;
//! let spec = FactorSpec { solvent: None, ..FactorSpec::default() };
//! let factors = StructureFactors::new(&model, &spec)?;
//! let forward = factors.list.iter().find(|factor| factor.hkl.0 == [0; 3]).unwrap();
//! // Four oxygen atoms of eight electrons.
//! assert!((forward.amplitude() - 32.0).abs() < 0.01);
//! # Ok::<(), nanobragg_structure::Error>(())
//! ```

#![forbid(unsafe_code)]

mod anomalous;
mod atom_sum;
mod ball;
mod curve;
mod density;
mod direct;
mod element;
mod error;
mod form_factor;
mod frame;
mod it92;
mod map;
mod model;
mod parts;
pub mod read;
mod scatterer;
mod solvent;
mod special;
mod structure_factors;

pub use anomalous::{Correction, Dispersion};
pub use curve::{DispersionCurve, dispersion_at};
pub use element::Element;
pub use error::{Error, Warning};
pub use form_factor::{FormFactor, LEAST_SPACING_A};
pub use frame::CellFrame;
pub use model::{Atom, Displacement, Model};
pub use parts::FactorParts;
pub use solvent::Solvent;
pub use structure_factors::{FactorSpec, StructureFactor, StructureFactors, Summation};

//! Structure factors from atomic coordinates.
//!
//! A coordinate file ([`read`]) says which atoms are in a cell: a [`Model`]. Each scatters by its
//! tabulated [`FormFactor`], moves by its B factor or tensor, is there by its occupancy, and may
//! absorb ([`Dispersion`]); what is between the molecules is a flat [`Solvent`]. The sum is
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
//! | the sum over atoms | the transform of a map of their density; atom by atom where exactness matters more than time |
//! | symmetry | the map holds the asymmetric unit, and the space group turns indices and phases |
//! | Friedel mates | both in the list: f'' makes them differ |
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
mod ball;
mod density;
mod direct;
mod element;
mod error;
mod form_factor;
mod frame;
mod it92;
mod map;
mod model;
pub mod read;
mod scatterer;
mod solvent;
mod special;
mod structure_factors;

pub use anomalous::{Correction, Dispersion};
pub use element::Element;
pub use error::{Error, Warning};
pub use form_factor::{FormFactor, LEAST_SPACING_A};
pub use frame::Frame;
pub use model::{Atom, Displacement, Model};
pub use solvent::Solvent;
pub use structure_factors::{FactorSpec, Method, StructureFactor, StructureFactors};

//! Amorphous materials in the beam: air, water, ice, oil.
//!
//! A [`Material`] has a [`Profile`], the structure factor of one molecule against sin(theta)/lambda, and the
//! numbers from which the molecules in the beam are counted.

#![forbid(unsafe_code)]

mod atom;
mod catalogue;
mod data;
mod error;
mod gas;
mod ice;
mod liquid;
mod material;
mod molecule;
mod profile;
pub mod table;

pub use catalogue::{Named, named, names};
pub use error::Error;
pub use material::Material;
pub use profile::{Profile, StolUnit};

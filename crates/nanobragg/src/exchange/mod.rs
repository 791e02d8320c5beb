//! Geometry exchanged with other programs: detector, beam, spindle, scan and crystal.
//!
//! | file | program | in and out |
//! |---|---|---|
//! | `.expt`, an ExperimentList in JSON | dxtbx, DIALS | [`dxtbx`] |
//! | `XDS.INP` | XDS | [`xds`] |
//! | `.geom`, `.cell`, `.stream`, `.sol` | CrystFEL | [`crystfel`] |
//! | the header of an SMV image, read only | d\*TREK | [`dtrek`] |
//! | NXmx, read only | DIALS and others | [`nexus`] |
//!
//! An orientation matrix for MOSFLM is written by [`mosflm`].
//!
//! ```text
//! Resolved --Geometry::of--> Geometry --dxtbx::write, xds::write--> file
//! file --dxtbx::read, xds::read--> Described --Described::apply--> ExperimentSpec
//! ```
//!
//! [`Geometry`] is all that such a file can say of an experiment, in the laboratory that dxtbx and
//! imgCIF use; [`Described`] is what one file does say. How that laboratory lies in the one of
//! a run is in [`frame`].

pub mod crystfel;
mod described;
pub mod dtrek;
pub mod dxtbx;
pub(crate) mod file;
pub mod frame;
mod geometry;
pub mod mosflm;
pub mod nexus;
pub mod xds;

pub(crate) use file::bytes_of;

pub use described::{CountsPer, Described, Ignored, place_panels};
pub(crate) use frame::run_from_exchange;
pub use geometry::{Beam, Geometry, Oscillation, PlacedPanel, Slab};

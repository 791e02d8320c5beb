//! NeXus NXmx: one image, or a series, in one HDF5 file.
//!
//! ```text
//! /entry                              NXentry, definition NXmx
//!   data/data                         [image][slow][fast], shuffled and deflated
//!   sample/transformations/omega      the spindle at the start of each image
//!   instrument/beam                   wavelength, flux, polarization
//!   instrument/detector               pixel, sensor, distance, beam centre
//!     transformations/translation     from the sample to the first pixel's corner
//!     module                          the directions along fast and slow
//! ```
//!
//! Vectors are in the frame of NeXus (McStas): z along the beam, y as in imgCIF. Half a turn about
//! y turns one frame into the other.
//!
//! # Source
//! NeXus definitions, application definition NXmx; Bernstein et al., IUCrJ 7 (2020) 784.

mod axis;
mod dataset;
mod dectris;
mod instrument;
mod master;
mod read;
mod spindle;
mod tree;
mod views;
mod write;

pub use dataset::read_dataset;
pub use instrument::{Instrument, PlacedModule, parse_instrument, read_instrument};
pub use master::{DataFile, write_master};
pub use read::{parse, read};
pub use views::{Holds, Number, Part, View, ViewAxis, check_views, mask_path};
pub use write::{
    ImageBeam, Module, NexusWriter, PackedImage, PixelType, Pixels, Place, Series, write_counts,
    write_photons,
};

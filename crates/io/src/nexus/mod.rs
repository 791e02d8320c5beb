//! NeXus NXmx: images of one detector, one or a series, in one HDF5 file.
//!
//! ```text
//! /entry                              NXentry, definition NXmx
//!   data/data                         [image][slow][fast], shuffled and deflated
//!   sample/transformations/omega      the spindle where each image begins
//!   instrument/beam                   wavelength, flux, polarization
//!   instrument/detector               pixel, sensor, distance, beam centre
//!     transformations/translation     from the sample to the first pixel's corner
//!     module                          the directions along fast and slow
//! ```
//!
//! Vectors stand in the frame of NeXus (McStas): z along the beam, y as in imgCIF; it is imgCIF's,
//! turned by half a turn about y.
//!
//! # Source
//! NeXus definitions, application definition NXmx; Bernstein et al., IUCrJ 7 (2020) 784.

mod tree;
mod write;

pub use write::{NexusWriter, PackedImage, PixelType, Pixels, Series, write_counts, write_photons};

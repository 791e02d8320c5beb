//! Writing HDF5, no more of it than images need, without the C library.
//!
//! What there is: groups, soft links, attributes, datasets written whole, and one dataset of images
//! ([`Images`]) in chunks of one image, compressed by shuffle and deflate, which every HDF5 library
//! reads without plug-ins. What there is not: reading, editing, growing.
//!
//! ```text
//! superblock (version 2)         written last, when everything has its address
//! image, image, ...              as they come, in any order
//! index of the images            B-tree, version 1
//! values of datasets             contiguous
//! object headers (version 2)     attributes and links inside
//! ```
//!
//! So a series goes to the disk image by image, and a file that is not closed has no superblock:
//! nothing takes it for a whole one.
//!
//! # Source
//! The HDF Group, HDF5 File Format Specification, version 3.0.

mod checksum;
mod images;
mod message;
mod tree;
mod value;
mod write;

pub use images::{Images, pack};
pub use tree::{Dataset, Group, Member};
pub use value::{Type, Value};
pub use write::Writer;

/// The address of what is not there.
const UNDEFINED: u64 = u64::MAX;

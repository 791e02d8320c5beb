//! A writer for the part of HDF5 that images need, without the C library.
//!
//! It writes groups, soft links, attributes, contiguous datasets, and one dataset of images
//! ([`Images`]) with a chunk per image, compressed by shuffle and deflate, which every HDF5 library
//! reads without plug-ins, or by bitshuffle and LZ4. It cannot edit or extend a file. Files are read by the crate `hdf5-reader`.
//!
//! ```text
//! superblock (version 2)         written last, when all addresses are known
//! image, image, ...              in any order
//! index of the images            B-tree, version 1
//! values of datasets             contiguous
//! object headers (version 2)     with attributes and links
//! ```
//!
//! A series is written to the disk image by image. An unfinished file has no superblock, so no
//! program takes it for a complete one.
//!
//! # Source
//! The HDF Group, HDF5 File Format Specification, version 3.0.

mod bitshuffle;
mod checksum;
mod compression;
mod deflate;
mod images;
mod message;
mod node;
mod open;
mod stack;
mod table;
mod tree;
mod value;
mod virtual_stack;
mod write;

pub use compression::Compression;
pub use deflate::pack;
pub use images::Images;
pub(crate) use node::{Field, Node};
pub(crate) use open::{Reader, group_names, if_there};
pub(crate) use stack::{Stack, first_number};
pub use table::{Column, Table};
pub use tree::{Dataset, Group, Member};
pub use value::{Type, Value};
pub use virtual_stack::{Along, VirtualSource, VirtualStack};
pub use write::Writer;

/// The address of an object that does not exist.
const UNDEFINED: u64 = u64::MAX;

//! How the chunks of a dataset are compressed.

use super::images::LEVEL;
use super::{bitshuffle, deflate};
use crate::Result;

/// The compression of the chunks of HDF5 datasets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// Elements as they are.
    None,
    /// Shuffle and deflate of level 1, which every HDF5 library reads.
    #[default]
    Gzip,
    /// Bitshuffle and LZ4, filter 32008, as the detectors of Dectris write it. Fast; readers need its plug-in.
    Bslz4,
}

impl Compression {
    /// The names in the order of the variants, as flags have them.
    pub const NAMES: [&'static str; 3] = ["none", "gzip", "bslz4"];

    /// The compression of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::None, Self::Gzip, Self::Bslz4];
        let mut named = all.into_iter().zip(Self::NAMES);
        named.find_map(|(compression, other)| (other == name).then_some(compression))
    }

    /// A chunk as it is stored: `bytes` are its elements, little-endian, of `element_bytes` each.
    ///
    /// # Errors
    /// [`Error::Stream`](crate::Error::Stream) if the encoder fails, which is not expected.
    pub fn pack(self, bytes: &[u8], element_bytes: usize) -> Result<Vec<u8>> {
        match self {
            Self::None => Ok(bytes.to_vec()),
            Self::Gzip => deflate::pack_bytes(bytes, element_bytes),
            Self::Bslz4 => Ok(bitshuffle::encode(bytes, element_bytes)),
        }
    }

    /// The filters, by number, with their settings, in the order in which they are applied.
    pub(super) fn filters(self, element_bytes: u32) -> Vec<(u16, Vec<u32>)> {
        /// Puts the first bytes of all elements together, then the second ones, and so on.
        const SHUFFLE: u16 = 2;
        /// zlib.
        const DEFLATE: u16 = 1;
        match self {
            Self::None => Vec::new(),
            Self::Gzip => vec![(SHUFFLE, vec![element_bytes]), (DEFLATE, vec![LEVEL])],
            Self::Bslz4 => vec![(bitshuffle::FILTER, bitshuffle::settings(element_bytes))],
        }
    }
}

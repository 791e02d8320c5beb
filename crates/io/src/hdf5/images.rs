//! A dataset of images, `[image][slow][fast]`, with one chunk per image, of one chunk, or of a column of a table.
//!
//! # Source
//! HDF5 File Format Specification 3.0: III.A.1, version 1 B-trees.

use super::{Compression, Type, UNDEFINED};
use crate::{Error, Result};

/// The level of deflate, from 1 (fast) to 9 (small). Counts of a few photons become hardly smaller
/// at higher levels.
pub(super) const LEVEL: u32 = 1;

/// The most entries of a node of the index: twice the K of 32, which version 2 superblocks imply.
const NODE_ENTRIES: usize = 64;

/// The position of a packed image in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    bytes: u32,
}

/// The rows of a column that are in one chunk.
pub(super) const COLUMN_ROWS: u32 = 4096;

/// The positions of the chunks of a dataset in the file. They make a dataset when all are written.
#[derive(Debug)]
pub struct Images {
    element: Type,
    compression: Compression,
    /// Elements along each axis.
    sides: Vec<u64>,
    /// Those of a chunk. Only along the first axis are there several chunks.
    chunk: Vec<u32>,
    places: Vec<Option<Place>>,
}

impl Images {
    /// A series of `count` images `[image][slow][fast]`, none of them written yet, with a chunk each.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for images of 4 GB or more, the limit of a chunk.
    pub fn new(element: Type, fast: usize, slow: usize, count: usize) -> Result<Self> {
        let too_large = || Error::TooLarge { fast, slow };
        let [fast_side, slow_side] =
            [fast, slow].map(|side| u32::try_from(side).map_err(|_| too_large()));
        let (fast_side, slow_side) = (fast_side?, slow_side?);
        let pixels = u64::from(fast_side) * u64::from(slow_side);
        let bytes = pixels.saturating_mul(element.bytes().into());
        if bytes > u32::MAX.into() {
            return Err(too_large());
        }
        Ok(Self {
            element,
            compression: Compression::default(),
            sides: vec![count as u64, slow_side.into(), fast_side.into()],
            chunk: vec![1, slow_side, fast_side],
            places: vec![None; count],
        })
    }

    /// Elements that are one chunk at `address`, which has `bytes` bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for 4 GB or more, the limit of a chunk.
    pub fn whole(element: Type, sides: &[u64], address: u64, bytes: usize) -> Result<Self> {
        let side = |axis: usize| {
            sides
                .iter()
                .rev()
                .nth(axis)
                .map_or(1, |&side| side as usize)
        };
        let too_large = || Error::TooLarge {
            fast: side(0),
            slow: side(1),
        };
        let all = sides
            .iter()
            .try_fold(u64::from(element.bytes()), |all, &side| {
                all.checked_mul(side)
            });
        if all.is_none_or(|bytes| bytes > u32::MAX.into()) {
            return Err(too_large());
        }
        let chunk = sides
            .iter()
            .map(|&side| u32::try_from(side).map_err(|_| too_large()));
        let mut whole = Self {
            element,
            compression: Compression::default(),
            sides: sides.to_vec(),
            chunk: chunk.collect::<Result<_>>()?,
            places: vec![None],
        };
        whole.place(0, address, bytes)?;
        Ok(whole)
    }

    /// A column of a table without rows yet: `[row]` and the axes of a value.
    pub(super) fn column(element: Type, of_a_value: &[u32]) -> Self {
        Self {
            element,
            compression: Compression::default(),
            sides: [&[0], of_a_value]
                .concat()
                .into_iter()
                .map(u64::from)
                .collect(),
            chunk: [&[COLUMN_ROWS], of_a_value].concat(),
            places: Vec::new(),
        }
    }

    /// Records that the next chunk, which has `rows` rows, is at `address`.
    pub(super) fn push(&mut self, rows: u64, address: u64, bytes: usize) {
        // A chunk of a column is far smaller than 4 GB.
        let bytes = bytes as u32;
        self.places.push(Some(Place { address, bytes }));
        if let Some(side) = self.sides.first_mut() {
            *side += rows;
        }
    }

    /// The same images packed by `compression`.
    #[must_use]
    pub const fn packed_by(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Records that image `index` is at `address`.
    ///
    /// # Errors
    /// [`Error::ImageIndex`] if there is no such image, or if it has been written already.
    pub fn place(&mut self, index: usize, address: u64, bytes: usize) -> Result<()> {
        let images = self.places.len();
        let place = self.places.get_mut(index);
        match place {
            Some(place @ None) => {
                let bytes = u32::try_from(bytes).map_err(|_| {
                    let mut sides = self.chunk.iter().rev().map(|&side| side as usize);
                    let mut side = || sides.next().unwrap_or(1);
                    let (fast, slow) = (side(), side());
                    Error::TooLarge { fast, slow }
                })?;
                *place = Some(Place { address, bytes });
                Ok(())
            }
            _ => Err(Error::ImageIndex { index, images }),
        }
    }

    /// Checks that image `index` belongs to the series and has not been written.
    ///
    /// # Errors
    /// [`Error::ImageIndex`] otherwise.
    pub fn check_missing(&self, index: usize) -> Result<()> {
        match self.places.get(index) {
            Some(None) => Ok(()),
            _ => Err(Error::ImageIndex {
                index,
                images: self.places.len(),
            }),
        }
    }

    /// The number of images written, and the number of all images.
    pub fn written(&self) -> (usize, usize) {
        (self.places.iter().flatten().count(), self.places.len())
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    pub(super) fn element(&self) -> Type {
        self.element
    }

    pub(super) fn sides(&self) -> &[u64] {
        &self.sides
    }

    pub(super) fn chunk(&self) -> &[u32] {
        &self.chunk
    }

    /// Writes the index of the images, a B-tree, and returns the address of its root. `append`
    /// writes bytes to the file and returns their address.
    pub(super) fn index(&self, mut append: impl FnMut(&[u8]) -> Result<u64>) -> Result<u64> {
        let mut entries: Vec<Entry> = self
            .places
            .iter()
            .zip(0_u64..)
            .filter_map(|(place, first)| {
                place.map(|Place { address, bytes }| Entry {
                    first,
                    end: first + 1,
                    bytes,
                    address,
                })
            })
            .collect();
        if entries.is_empty() {
            return Ok(UNDEFINED);
        }
        // Each round packs one level of the tree into nodes, which are the entries of the next
        // level, until a single node is left: the root.
        let mut level = 0;
        let axes = self.sides.len();
        // Chunks are counted in elements along the first axis.
        let step = self.chunk.first().copied().unwrap_or(1).into();
        loop {
            let mut nodes = Vec::new();
            for entries in entries.chunks(NODE_ENTRIES) {
                let address = append(&node(level, entries, axes, step))?;
                if let [first, ..] = entries {
                    nodes.push(Entry {
                        address,
                        end: entries.last().map_or(first.end, |last| last.end),
                        ..*first
                    });
                }
            }
            match nodes.as_slice() {
                [root] => return Ok(root.address),
                _ => entries = nodes,
            }
            level += 1;
        }
    }
}

/// A child of a node: a packed image, or a node of the level below.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The first image in it.
    first: u64,
    /// One more than its last image.
    end: u64,
    /// The bytes of the first image.
    bytes: u32,
    address: u64,
}

/// A node of the B-tree. The addresses of its siblings are left undefined, because readers reach it
/// from its parent. The dataset has this many axes, and `step` elements of a chunk along the first.
fn node(level: u8, entries: &[Entry], axes: usize, step: u64) -> Vec<u8> {
    let key = |image: u64, bytes: u32| {
        let mut key = bytes.to_le_bytes().to_vec();
        // The filter mask: no filter was skipped.
        key.extend([0; 4]);
        // The offset of the chunk along each axis, and in the element, which is always 0.
        key.extend((image * step).to_le_bytes());
        key.resize(key.len() + axes * 8, 0);
        key
    };
    let key_bytes = 4 + 4 + (axes + 1) * 8;
    let node_bytes = 24 + NODE_ENTRIES * (key_bytes + 8) + key_bytes;
    let mut node = b"TREE".to_vec();
    // Node type 1: raw data chunks.
    node.extend([1, level]);
    node.extend((entries.len() as u16).to_le_bytes());
    // Left and right sibling.
    node.extend(UNDEFINED.to_le_bytes());
    node.extend(UNDEFINED.to_le_bytes());
    // Keys and children alternate, with a key at both ends: child i holds the images from key i up
    // to, but without, key i + 1.
    for entry in entries {
        node.extend(key(entry.first, entry.bytes));
        node.extend(entry.address.to_le_bytes());
    }
    if let Some(last) = entries.last() {
        node.extend(key(last.end, 0));
    }
    // A node always has its full length.
    node.resize(node_bytes, 0);
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds an image from the root down, as a reader does: in the child between whose keys it is.
    fn find(nodes: &[Vec<u8>], root: u64, image: u64) -> (u64, u32) {
        let number = |bytes: &[u8]| {
            let padded = [bytes, &[0; 8]].concat();
            u64::from_le_bytes(padded[..8].try_into().unwrap())
        };
        let mut address = root;
        loop {
            let node = &nodes[address as usize];
            assert_eq!(
                (&node[..5], node.len()),
                (&b"TREE\x01"[..], 24 + 64 * 48 + 40)
            );
            let count = number(&node[6..8]) as usize;
            let key = |child: usize| &node[24 + child * 48..][..40];
            let first = |child: usize| number(&key(child)[8..16]);
            let child = (0..count)
                .find(|&child| first(child) <= image && image < first(child + 1))
                .unwrap();
            address = number(&node[24 + child * 48 + 40..][..8]);
            if node[5] == 0 {
                assert_eq!(first(child), image);
                return (address, number(&key(child)[..4]) as u32);
            }
        }
    }

    #[test]
    fn every_image_is_found_in_trees_of_any_depth() {
        for count in [1, 2, 64, 65, 4096, 4097] {
            let mut images = Images::new(Type::I32, 3, 2, count).unwrap();
            for image in (0..count).rev() {
                images.place(image, 7 * image as u64, image + 1).unwrap();
            }
            let mut nodes = Vec::new();
            let root = images.index(|node| {
                nodes.push(node.to_vec());
                Ok(nodes.len() as u64 - 1)
            });
            for image in 0..count as u64 {
                let found = find(&nodes, *root.as_ref().unwrap(), image);
                assert_eq!(found, (7 * image, image as u32 + 1), "{count}");
            }
        }
    }

    #[test]
    fn an_image_of_4_gb_is_too_large() {
        assert!(matches!(
            Images::new(Type::F32, 1 << 15, 1 << 15, 1),
            Err(Error::TooLarge { .. })
        ));
    }
}

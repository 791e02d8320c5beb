//! A dataset of images, `[image][slow][fast]`, one chunk each.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::{Type, UNDEFINED};
use crate::{Error, Result};

/// How hard deflate tries, from 1 to 9. Counts of a few photons pack almost as well at the fastest.
pub(super) const LEVEL: u32 = 1;

/// Entries that a node of the index holds at most: twice the default of 32.
const NODE_ENTRIES: usize = 64;

/// Where a packed image stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    bytes: u32,
}

/// Where the images of a series stand in the file; a dataset of them once all are written.
#[derive(Debug)]
pub struct Images {
    element: Type,
    fast: u32,
    slow: u32,
    places: Vec<Option<Place>>,
}

/// The bytes of an image, little-endian, as the file holds them: shuffled and deflated.
///
/// Images may be packed side by side by several threads, and then be written one after the other.
///
/// # Errors
/// [`Error::Stream`] where the encoder refuses, which it has no reason to.
pub fn pack(bytes: &[u8], element_bytes: usize) -> Result<Vec<u8>> {
    let mut shuffled = vec![0; bytes.len()];
    let count = bytes.len() / element_bytes.max(1);
    for (place, plane) in shuffled.chunks_mut(count.max(1)).enumerate() {
        let bytes = bytes.iter().skip(place).step_by(element_bytes.max(1));
        for (to, &from) in plane.iter_mut().zip(bytes) {
            *to = from;
        }
    }
    let mut encoder =
        ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(LEVEL));
    encoder.write_all(&shuffled)?;
    Ok(encoder.finish()?)
}

impl Images {
    /// A series of `count` images, none of them there yet.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where an image has 4 GB or more, which a chunk cannot.
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
            fast: fast_side,
            slow: slow_side,
            places: vec![None; count],
        })
    }

    /// Notes that image `index` stands at `address`.
    ///
    /// # Errors
    /// [`Error::ImageIndex`] where there is no such image, or it has its place already.
    pub fn place(&mut self, index: usize, address: u64, bytes: usize) -> Result<()> {
        let images = self.places.len();
        let place = self.places.get_mut(index);
        match place {
            Some(place @ None) => {
                let bytes = u32::try_from(bytes).map_err(|_| Error::TooLarge {
                    fast: self.fast as usize,
                    slow: self.slow as usize,
                })?;
                *place = Some(Place { address, bytes });
                Ok(())
            }
            _ => Err(Error::ImageIndex { index, images }),
        }
    }

    /// Whether image `index` is still to come.
    ///
    /// # Errors
    /// [`Error::ImageIndex`] where it is not.
    pub fn check_missing(&self, index: usize) -> Result<()> {
        match self.places.get(index) {
            Some(None) => Ok(()),
            _ => Err(Error::ImageIndex {
                index,
                images: self.places.len(),
            }),
        }
    }

    /// Images that have their place, and all of them.
    pub fn written(&self) -> (usize, usize) {
        (self.places.iter().flatten().count(), self.places.len())
    }

    pub(super) fn element(&self) -> Type {
        self.element
    }

    pub(super) fn sides(&self) -> [u64; 3] {
        [self.places.len() as u64, self.slow.into(), self.fast.into()]
    }

    pub(super) fn chunk(&self) -> [u32; 3] {
        [1, self.slow, self.fast]
    }

    /// The index as a B-tree: what `append` is given in turn goes to the file, and it returns where;
    /// the root's address is returned.
    pub(super) fn index(&self, mut append: impl FnMut(&[u8]) -> Result<u64>) -> Result<u64> {
        let mut entries: Vec<Entry> = self
            .places
            .iter()
            .zip(0_u64..)
            .filter_map(|(place, first)| {
                place.map(|Place { address, bytes }| Entry {
                    first,
                    behind: first + 1,
                    bytes,
                    address,
                })
            })
            .collect();
        if entries.is_empty() {
            return Ok(UNDEFINED);
        }
        let mut level = 0;
        loop {
            let mut nodes = Vec::new();
            for entries in entries.chunks(NODE_ENTRIES) {
                let address = append(&node(level, entries))?;
                if let [first, ..] = entries {
                    nodes.push(Entry {
                        address,
                        behind: entries.last().map_or(first.behind, |last| last.behind),
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
    /// The image behind the last one.
    behind: u64,
    /// Bytes of the first image.
    bytes: u32,
    address: u64,
}

/// A node of the B-tree. Its siblings are not named: readers come from above.
fn node(level: u8, entries: &[Entry]) -> Vec<u8> {
    let key = |image: u64, bytes: u32| {
        let mut key = bytes.to_le_bytes().to_vec();
        key.extend([0; 4]);
        // Where the chunk begins: image, slow, fast, byte of the element.
        key.extend(image.to_le_bytes());
        key.extend([0; 3 * 8]);
        key
    };
    const KEY: usize = 4 + 4 + 4 * 8;
    const NODE: usize = 24 + NODE_ENTRIES * (KEY + 8) + KEY;
    let mut node = b"TREE".to_vec();
    // Of chunks.
    node.extend([1, level]);
    node.extend((entries.len() as u16).to_le_bytes());
    node.extend(UNDEFINED.to_le_bytes());
    node.extend(UNDEFINED.to_le_bytes());
    for entry in entries {
        node.extend(key(entry.first, entry.bytes));
        node.extend(entry.address.to_le_bytes());
    }
    if let Some(last) = entries.last() {
        node.extend(key(last.behind, 0));
    }
    // A node has its full length however few entries it holds.
    node.resize(NODE, 0);
    node
}

//! A dataset whose elements stand in other datasets, of this file or others (a virtual dataset of HDF5 1.10).
//!
//! # Source
//! HDF5 File Format Specification 3.0: III.E, global heap; VII.C, the block of a virtual dataset; VIII.A.2, hyperslab
//! selections of version 2.

use super::Type;
use super::checksum::lookup3;

/// A dataset whose elements stand in other datasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualStack {
    /// The type of an element, that of all sources.
    pub element: Type,
    /// Elements along each axis.
    pub sides: Vec<u64>,
    /// Where the elements are.
    pub sources: Vec<VirtualSource>,
}

/// Elements of another dataset, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualSource {
    /// The file, as seen from the folder of the file with the stack; `.` for this file.
    pub file: String,
    /// The path of the dataset.
    pub dataset: String,
    /// Which elements, along each axis of that dataset.
    pub from: Vec<Along>,
    /// Where they are, along each axis of the stack: as many as `from` has.
    pub to: Vec<Along>,
}

/// Elements along an axis: blocks of neighbours, from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Along {
    first: u64,
    step: u64,
    count: u64,
    block: u64,
}

impl Along {
    /// `length` neighbours from `first` on.
    pub const fn range(first: u64, length: u64) -> Self {
        Self {
            first,
            step: length,
            count: 1,
            block: length,
        }
    }

    /// `count` single elements, each `step` behind the one before.
    pub const fn each(first: u64, step: u64, count: u64) -> Self {
        Self {
            first,
            step,
            count,
            block: 1,
        }
    }
}

impl VirtualStack {
    /// A collection of the global heap whose object 1 says where the elements are.
    pub(super) fn heap(&self) -> Vec<u8> {
        /// The least size of a collection.
        const LEAST: usize = 4096;
        const HEADER: usize = 16;
        let block = self.block();
        let object = HEADER + block.len().next_multiple_of(8);
        let size = (HEADER + object + HEADER).max(LEAST);
        let mut heap = b"GCOL".to_vec();
        // Version 1.
        heap.extend([1, 0, 0, 0]);
        heap.extend((size as u64).to_le_bytes());
        // Object 1, referred to once.
        heap.extend([1, 0, 1, 0, 0, 0, 0, 0]);
        heap.extend((block.len() as u64).to_le_bytes());
        heap.extend(block);
        heap.resize(HEADER + object, 0);
        // Object 0 is the free space, its header included.
        heap.extend([0; 8]);
        heap.extend(((size - HEADER - object) as u64).to_le_bytes());
        heap.resize(size, 0);
        heap
    }

    /// Version 0: the number of sources; of each its file, dataset and selections; a checksum.
    fn block(&self) -> Vec<u8> {
        let mut block = vec![0];
        block.extend((self.sources.len() as u64).to_le_bytes());
        for source in &self.sources {
            for text in [&source.file, &source.dataset] {
                block.extend(text.as_bytes());
                block.push(0);
            }
            block.extend(selection(&source.from));
            block.extend(selection(&source.to));
        }
        block.extend(lookup3(&block).to_le_bytes());
        block
    }
}

/// The elements that are chosen along each axis.
fn selection(axes: &[Along]) -> Vec<u8> {
    const HYPERSLAB: u32 = 2;
    const VERSION: u32 = 2;
    const REGULAR: u8 = 1;
    // A dataset has at most 32 axes.
    let count = axes.len() as u32;
    let mut selection = Vec::new();
    selection.extend(HYPERSLAB.to_le_bytes());
    selection.extend(VERSION.to_le_bytes());
    selection.push(REGULAR);
    // The bytes of what follows: the number of axes, and four numbers of each.
    selection.extend((4 + count * 4 * 8).to_le_bytes());
    selection.extend(count.to_le_bytes());
    // Start, stride, count and block.
    let numbers = axes
        .iter()
        .flat_map(|axis| [axis.first, axis.step, axis.count, axis.block]);
    selection.extend(numbers.flat_map(u64::to_le_bytes));
    selection
}

//! A dataset of images that stand in other files (a virtual dataset of HDF5 1.10).
//!
//! # Source
//! HDF5 File Format Specification 3.0: III.E, global heap; VII.C, the block of a virtual dataset; VIII.A.2, hyperslab
//! selections of version 2.

use super::Type;
use super::checksum::lookup3;

/// Images `[image][slow][fast]` that stand in other files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualStack {
    /// The type of a pixel, that of all files.
    pub element: Type,
    /// The number of images.
    pub images: u64,
    /// Pixels along the slow axis.
    pub slow: u64,
    /// Pixels along the fast axis.
    pub fast: u64,
    /// Where the images are.
    pub sources: Vec<VirtualSource>,
}

/// The images of a file, all of which are in the stack, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualSource {
    /// The file, as seen from the folder of the file with the stack.
    pub file: String,
    /// The path of its images `[image][slow][fast]`.
    pub dataset: String,
    /// The index in the stack of its first image.
    pub first: u64,
    /// From one of its images to the next in the stack.
    pub step: u64,
    /// The number of its images.
    pub count: u64,
}

impl VirtualStack {
    pub(super) fn sides(&self) -> Vec<u64> {
        vec![self.images, self.slow, self.fast]
    }

    /// A collection of the global heap whose object 1 says where the images are.
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
            block.extend(self.selection([0, 1, source.count]));
            block.extend(self.selection([source.first, source.step, source.count]));
        }
        block.extend(lookup3(&block).to_le_bytes());
        block
    }

    /// Whole images: the first, from one to the next, and their number.
    fn selection(&self, [first, step, count]: [u64; 3]) -> Vec<u8> {
        const HYPERSLAB: u32 = 2;
        const VERSION: u32 = 2;
        const REGULAR: u8 = 1;
        const AXES: u32 = 3;
        let mut selection = Vec::new();
        selection.extend(HYPERSLAB.to_le_bytes());
        selection.extend(VERSION.to_le_bytes());
        selection.push(REGULAR);
        // The bytes of what follows: the number of axes, and four numbers of each.
        selection.extend((4 + AXES * 4 * 8).to_le_bytes());
        selection.extend(AXES.to_le_bytes());
        // Start, stride, count and block.
        let axes = [
            [first, step, count, 1],
            [0, self.slow, 1, self.slow],
            [0, self.fast, 1, self.fast],
        ];
        selection.extend(axes.iter().flatten().flat_map(|n| n.to_le_bytes()));
        selection
    }
}

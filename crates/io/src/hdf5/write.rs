//! The order of a file: superblock, images, everything else.
//!
//! # Source
//! HDF5 File Format Specification 3.0: II.A, version 2 superblock.

use std::io::{Seek, SeekFrom, Write};

use super::checksum::lookup3;
use super::tree::Data;
use super::{Dataset, Group, Member, UNDEFINED, message};
use crate::Result;

/// The length of the superblock in bytes.
const SUPERBLOCK: usize = 48;

/// An HDF5 file to which images are appended; [`close`](Self::close) writes everything else.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// The address of the next byte.
    end: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file at the beginning of `out`.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn new(mut out: W) -> Result<Self> {
        out.write_all(&[0; SUPERBLOCK])?;
        Ok(Self {
            out,
            end: SUPERBLOCK as u64,
        })
    }

    /// Goes on with a file that was not closed, after the byte `end`, which no address lies behind.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn resume(mut out: W, end: u64) -> Result<Self> {
        let end = end.max(SUPERBLOCK as u64);
        out.seek(SeekFrom::Start(end))?;
        Ok(Self { out, end })
    }

    /// Appends bytes to the file and returns their address.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        // The library starts every object at a multiple of 8.
        let padding = self.end.next_multiple_of(8) - self.end;
        self.out
            .write_all([0; 8].get(..padding as usize).unwrap_or_default())?;
        self.out.write_all(bytes)?;
        let address = self.end + padding;
        self.end = address + bytes.len() as u64;
        Ok(address)
    }

    /// Writes the tree of groups and, last, the superblock that completes the file.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn close(mut self, root: &Group) -> Result<W> {
        let root = self.group(root)?;
        let mut superblock = b"\x89HDF\r\n\x1a\n".to_vec();
        // Version 2; addresses and lengths of eight bytes; no flags.
        superblock.extend([2, 8, 8, 0]);
        // Base address, no superblock extension, end of file, header of the root group.
        for address in [0, UNDEFINED, self.end, root] {
            superblock.extend(address.to_le_bytes());
        }
        superblock.extend(lookup3(&superblock).to_le_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&superblock)?;
        self.out.seek(SeekFrom::End(0))?;
        Ok(self.out)
    }

    /// Writes a group after its members, whose addresses it needs, and returns its own.
    fn group(&mut self, group: &Group) -> Result<u64> {
        let mut messages = message::group().to_vec();
        for (name, value) in &group.attributes {
            messages.push(message::attribute(name, value));
        }
        for (name, member) in &group.members {
            messages.push(match member {
                Member::Link(path) => message::soft_link(name, path),
                Member::External { file, path } => message::external_link(name, file, path),
                Member::Group(group) => message::hard_link(name, self.group(group)?),
                Member::Dataset(dataset) => message::hard_link(name, self.dataset(dataset)?),
            });
        }
        self.append(&message::header(&messages))
    }

    fn dataset(&mut self, dataset: &Dataset) -> Result<u64> {
        let mut messages = match &dataset.data {
            Data::Contiguous(value) => message::contiguous(value, self.append(&value.bytes)?),
            Data::Virtual(stack) => {
                let heap = self.append(&stack.heap())?;
                message::virtual_stack(stack, heap)
            }
            Data::Images(images) => {
                let index = images.index(|node| self.append(node))?;
                message::chunked(
                    images.element(),
                    images.sides(),
                    images.chunk(),
                    index,
                    images.compression(),
                )
            }
        };
        for (name, value) in &dataset.attributes {
            messages.push(message::attribute(name, value));
        }
        self.append(&message::header(&messages))
    }
}

//! Structure factors in any of the formats. The format is recognised by the first bytes of a file,
//! not by its name.

use std::path::Path;

use nanobragg_io::cif::is_cif;
use nanobragg_io::input::bytes_of;

use super::{hkl, mmcif, mtz};
use crate::error::Error;
use crate::factors::Reflection;
use crate::reflections::ReflectionTable;

/// The contents of a file of structure factors.
#[derive(Debug, Clone, PartialEq)]
pub enum StructureFactors {
    /// Lines of h k l F.
    Text(Vec<Reflection>),
    /// The columns of an MTZ file.
    Mtz(ReflectionTable),
    /// The columns of an mmCIF file.
    Mmcif(ReflectionTable),
}

/// Reads the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<StructureFactors, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_structure_factors", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// The structure factors in the bytes of a file; `name` is for messages.
///
/// # Errors
/// Those of the format: [`mtz::parse`], [`mmcif::parse`], [`hkl::parse`].
pub fn parse(bytes: &[u8], name: &str) -> Result<StructureFactors, Error> {
    if bytes.starts_with(mtz::MAGIC) {
        mtz::parse(bytes, name).map(StructureFactors::Mtz)
    } else if is_cif(bytes) {
        mmcif::parse(bytes, name).map(StructureFactors::Mmcif)
    } else {
        hkl::parse(bytes, name).map(StructureFactors::Text)
    }
}

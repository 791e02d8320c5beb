//! Structure factors in any of the formats. The format is recognised by the first bytes of a file,
//! not by its name.

use std::fmt;
use std::path::Path;

use nanobragg_io::cif::is_cif;
use nanobragg_io::input::{bytes_of, foreign, without_mark};

use super::{hkl, mmcif, mtz, xds_ascii};
use crate::error::Error;
use crate::factors::Reflection;
use crate::reflections::ReflectionTable;

/// The contents of a file of structure factors.
#[derive(Debug, Clone, PartialEq)]
pub enum StructureFactors {
    /// Lines of h k l F.
    Text(Vec<Reflection>),
    /// The columns of a file that names them.
    Table(TableFormat, Box<ReflectionTable>),
}

/// A format with columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CCP4's binary format.
    Mtz,
    /// The text format of the Protein Data Bank.
    Mmcif,
    /// The list of XDS.
    XdsAscii,
    /// The list of SHELX, whose columns have no names.
    Hklf4,
}

impl fmt::Display for TableFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mtz => "MTZ",
            Self::Mmcif => "mmCIF",
            Self::XdsAscii => "XDS_ASCII",
            Self::Hklf4 => "HKLF 4",
        })
    }
}

/// Reads the file at `path`; `columns` are those asked for.
///
/// # Errors
/// [`Error::Unreadable`], and those of [`parse`].
pub fn read(path: impl AsRef<Path>, columns: &[String]) -> Result<StructureFactors, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_structure_factors", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string(), columns)
}

/// The structure factors in the bytes of a file; `name` is for messages. A list without names of columns has
/// amplitudes, unless the column `I` is asked for.
///
/// # Errors
/// [`Error::Foreign`]; those of the format: [`mtz::parse`], [`mmcif::parse`], [`xds_ascii::parse`], [`hkl::parse`],
/// [`hkl::parse_intensities`].
pub fn parse(bytes: &[u8], name: &str, columns: &[String]) -> Result<StructureFactors, Error> {
    if let Some(what) = foreign(bytes) {
        let name = name.to_owned();
        return Err(Error::Foreign { name, what });
    }
    let (format, table) = if bytes.starts_with(mtz::MAGIC) {
        (TableFormat::Mtz, mtz::parse(bytes, name))
    } else if is_cif(bytes) {
        (TableFormat::Mmcif, mmcif::parse(bytes, name))
    } else if without_mark(bytes).starts_with(xds_ascii::MAGIC) {
        (TableFormat::XdsAscii, xds_ascii::parse(bytes, name))
    } else if matches!(columns, [column] if column.eq_ignore_ascii_case(hkl::INTENSITY)) {
        (TableFormat::Hklf4, hkl::parse_intensities(bytes, name))
    } else {
        return hkl::parse(bytes, name).map(StructureFactors::Text);
    };
    table.map(|table| StructureFactors::Table(format, Box::new(table)))
}

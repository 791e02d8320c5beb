//! Files of the companion programs: a header that is copied from another image, and outputs that are all
//! written or none.

use std::io::Write;
use std::path::{Path, PathBuf};

use nanobragg::io::smv::{self, Fields, Header, SmvPixel};
use nanobragg::io::{Error, Image, Output};

use super::CompanionError;

/// The header of an SMV image, which is copied as it is.
pub(super) struct CopiedHeader {
    pub(super) header: Header,
    bytes: Vec<u8>,
}

impl CopiedHeader {
    /// Reads the header of an image.
    pub(super) fn read(path: &Path) -> Result<Self, CompanionError> {
        let mut bytes = super::bytes_of(path)?;
        let header = Header::parse(&bytes).map_err(|fault| fault.in_file(path))?;
        let stated = header.number("HEADER_BYTES");
        let stated = stated.map_err(|fault| fault.in_file(path))?.unwrap_or(0.0);
        // A stated length that is not in the file is none.
        let length = stated as usize;
        if length < header.length() || length > bytes.len() {
            return Err(Error::NotSmv.in_file(path).into());
        }
        bytes.truncate(length);
        Ok(Self { header, bytes })
    }

    /// The number that C takes for `key`.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.header.number_of_c(key)
    }
}

/// Writes counts with a copied header, or with `fields`.
pub(super) fn write_smv<P: SmvPixel>(
    mut output: impl Write,
    copied: Option<&CopiedHeader>,
    fields: &Fields,
    counts: &Image<P>,
) -> Result<(), Error> {
    let Some(copied) = copied else {
        return smv::write(output, fields, counts);
    };
    output.write_all(&copied.bytes)?;
    Ok(P::write_all(counts.pixels(), output)?)
}

/// The outputs of a program. They replace older files when all of them are complete.
#[derive(Default)]
pub(super) struct Outputs(Vec<Output>);

impl Outputs {
    /// Writes a file.
    pub(super) fn write(
        &mut self,
        path: &Path,
        write: impl FnOnce(&mut Output) -> Result<(), Error>,
    ) -> Result<(), CompanionError> {
        let mut output = Output::create(path)?;
        write(&mut output)?;
        self.0.push(output);
        Ok(())
    }

    /// Puts all files in place.
    pub(super) fn commit(self) -> Result<(), CompanionError> {
        for output in self.0 {
            output.commit()?;
        }
        Ok(())
    }
}

/// Refuses an output that is another output or an input.
pub(super) fn check_distinct(inputs: &[&Path], outputs: &[&Path]) -> Result<(), CompanionError> {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut seen: Vec<PathBuf> = inputs.iter().map(|path| place(path)).collect();
    for path in outputs {
        let place = place(path);
        // Devices and pipes may be written twice.
        let is_file = !place.exists() || place.is_file();
        if is_file && seen.contains(&place) {
            return Err(CompanionError::SameFile {
                path: (*path).to_owned(),
            });
        }
        seen.push(place);
    }
    Ok(())
}

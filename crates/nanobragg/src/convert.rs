//! Conversion of reflections to another file: another format, expanded or merged, or computed from atoms.
//!
//! ```text
//! Conversion -> ReflectionList -(expanded or merged)-> text, MTZ, mmCIF or dump
//! ```

use std::fmt::Write;
use std::path::{Path, PathBuf};

use nanobragg_crystal::read::{fdump, mmcif, mtz, structure_factors};
use nanobragg_crystal::{
    CellSpec, Error as CrystalError, FactorGrid, GridLimit, Hkl, ReflectionList, SpaceGroup,
};
use nanobragg_io::cif::is_cif;
use nanobragg_io::input::{bytes_of as bytes_of_input, foreign};
use nanobragg_structure::{self as structure, Dispersion, FactorSpec, Solvent, StructureFactors};

use crate::error::Error;
use crate::factors::{list_of, warning_of_text};

/// The format of the written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReflectionFormat {
    /// One line `h k l F` per reflection.
    Text,
    /// MTZ.
    Mtz,
    /// mmCIF.
    Mmcif,
    /// The dump of the C program.
    Dump,
}

impl ReflectionFormat {
    /// The format for the extension of a name; text if the extension is unknown.
    pub fn of(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("mtz") => Self::Mtz,
            Some("cif" | "mmcif" | "ent") => Self::Mmcif,
            Some("bin" | "dump") => Self::Dump,
            _ => Self::Text,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Mtz => "MTZ",
            Self::Mmcif => "mmCIF",
            Self::Dump => "dump",
        }
    }
}

/// The reflections to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReflectionPart {
    /// The usual choice for the two formats: text and dumps list every reflection, MTZ and mmCIF those of
    /// the input.
    #[default]
    Usual,
    /// All of reciprocal space, in P 1.
    Expanded,
    /// One reflection of each set of equivalent ones.
    Merged,
}

/// The specification of a conversion.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// Text, MTZ, mmCIF, XDS_ASCII, a dump, or atoms; the contents determine which.
    pub input: PathBuf,
    /// The format to write.
    pub format: ReflectionFormat,
    /// The reflections to write.
    pub part: ReflectionPart,
    /// The columns to read; if empty, they are chosen from those of the file.
    pub columns: Vec<String>,
    /// The name of the space group; it replaces that of the file.
    pub space_group: Option<String>,
    /// The unit cell; it replaces that of the file.
    pub cell: Option<CellSpec>,
    /// F in electrons of reflections that a dump does not list.
    pub default_f: f64,
    /// The smallest spacing of reflections computed from atoms, in Angstrom.
    pub dmin_a: Option<f64>,
    /// The solvent between atoms.
    pub solvent: Option<Solvent>,
    /// Dispersion corrections of atoms.
    pub dispersion: Dispersion,
    /// Whether atoms that are not as they should be are an error instead of a warning.
    pub strict_atoms: bool,
}

/// The contents of a file of reflections, and how they were made.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The contents.
    pub bytes: Vec<u8>,
    /// The number of reflections in the input.
    pub read: usize,
    /// A description of the input: `MTZ columns F`, `420 atoms to 2 A`.
    pub origin: String,
    /// The space group of the input.
    pub space_group: SpaceGroup,
    /// The number of reflections in the output.
    pub written: usize,
    /// The space group of the output.
    pub written_space_group: SpaceGroup,
    /// The number of reflections omitted as systematically absent.
    pub absent: usize,
    /// The number of reflections averaged with equivalent ones.
    pub averaged: usize,
}

impl Conversion {
    /// Reads the input and converts it.
    ///
    /// # Errors
    /// [`Error::NoResolution`], [`Error::ResolutionOfList`]; an input that cannot be read; reflections
    /// that the format cannot hold.
    pub fn run(&self) -> Result<Converted, Error> {
        let (mut list, origin, lists_every_spot) = self.read()?;
        list.cell = self.cell.or(list.cell);
        let read = list.reflections.len();
        let space_group = list.space_group.clone();

        let part = match (self.part, self.format) {
            (ReflectionPart::Usual, ReflectionFormat::Text | ReflectionFormat::Dump) => {
                ReflectionPart::Expanded
            }
            (ReflectionPart::Usual, _) if lists_every_spot => ReflectionPart::Merged,
            (part, _) => part,
        };
        let cell = list.cell;
        let (list, absent, averaged) = match part {
            ReflectionPart::Expanded => {
                let all = list.expand_to_p1()?;
                let done = all.expansion;
                let list = match self.format {
                    ReflectionFormat::Text | ReflectionFormat::Dump => {
                        ReflectionList::from_text(&all.reflections, None)
                    }
                    // These formats assume Friedel's law.
                    ReflectionFormat::Mtz | ReflectionFormat::Mmcif => all.into_list(cell),
                };
                (list, done.absent, done.averaged)
            }
            ReflectionPart::Merged => {
                let (merged, done) = list.merge();
                (merged, done.absent, done.averaged)
            }
            ReflectionPart::Usual => (list, 0, 0),
        };
        Ok(Converted {
            bytes: self.bytes_of(&list)?,
            read,
            origin,
            space_group,
            written: list.reflections.len(),
            written_space_group: list.space_group,
            absent,
            averaged,
        })
    }

    /// The reflections of the input, a description of it, and whether it lists every reflection.
    fn read(&self) -> Result<(ReflectionList, String, bool), Error> {
        let given = self.space_group.as_deref();
        let group = given.map(|name| SpaceGroup::from_name_for_cell(name, self.cell.as_ref()));
        let group = group.transpose()?;
        if fdump::is_dump(&self.input) {
            let grid = fdump::read(&self.input, self.default_f, GridLimit::default())?;
            let listed = grid.reflections_other_than(self.default_f);
            let list = ReflectionList::from_text(&listed, group.as_ref());
            return Ok((list, "dump".to_owned(), true));
        }
        let bytes = bytes_of_input(&self.input).map_err(CrystalError::from)?;
        let name = self.input.display().to_string();
        let is_mtz = bytes.starts_with(mtz::MAGIC);
        // A CIF can have both: without a resolution its reflections are wanted.
        let lists_reflections = || {
            self.dmin_a.is_none()
                && is_cif(&bytes)
                && structure_factors::parse(&bytes, &name, &[]).is_ok()
        };
        if !is_mtz && structure::read::are_coordinates(&bytes) && !lists_reflections() {
            return self.of_atoms(&bytes, &name);
        }
        if let Some(what) = foreign(&bytes) {
            return Err(CrystalError::Foreign { name, what }.into());
        }
        if self.dmin_a.is_some() && is_cif(&bytes) {
            // What is wrong with it, or that it has no atoms.
            return self.of_atoms(&bytes, &name);
        }
        if self.dmin_a.is_some() {
            return Err(Error::ResolutionOfList {
                path: self.input.clone(),
            });
        }
        let (format, table) = match structure_factors::parse(&bytes, &name, &self.columns)? {
            structure_factors::StructureFactors::Text(reflections) => {
                if let Some(warning) = warning_of_text(&reflections) {
                    tracing::warn!("{name}: {warning}");
                }
                let list = ReflectionList::from_text(&reflections, group.as_ref());
                return Ok((list, "text".to_owned(), true));
            }
            structure_factors::StructureFactors::Table(format, table) => (format, table),
        };
        let (list, columns, warnings) = list_of(&table, &self.columns, given)?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        Ok((list, format!("{format} columns {columns}"), false))
    }

    /// The reflections of atoms as far as the resolution limit.
    fn of_atoms(&self, bytes: &[u8], name: &str) -> Result<(ReflectionList, String, bool), Error> {
        let no_limit = || Error::NoResolution {
            path: self.input.clone(),
        };
        let dmin_a = self.dmin_a.ok_or_else(no_limit)?;
        let given = structure::read::Given {
            cell: self.cell,
            space_group: self.space_group.clone(),
            is_strict: self.strict_atoms,
        };
        let mut reading = structure::read::parse(bytes, name, &given)?;
        reading.warn_of_absent(self.dispersion.keys());
        for warning in &reading.warnings {
            tracing::warn!("{name}: {warning}");
        }
        let spec = FactorSpec {
            dmin_a,
            solvent: self.solvent,
            dispersion: self.dispersion.clone(),
            ..FactorSpec::default()
        };
        let factors = StructureFactors::new(&reading.model, &spec)?;
        let origin = format!("{} atoms to {dmin_a} A", reading.model.atoms.len());
        Ok((factors.asymmetric_list(&reading.model), origin, false))
    }

    fn bytes_of(&self, list: &ReflectionList) -> Result<Vec<u8>, Error> {
        Ok(match self.format {
            ReflectionFormat::Mtz => mtz::to_bytes(list)?,
            ReflectionFormat::Mmcif => mmcif::to_bytes(list),
            ReflectionFormat::Text => {
                let mut text = String::new();
                for reflection in list.to_reflections() {
                    let Hkl([h, k, l]) = reflection.hkl;
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "{h} {k} {l} {}", reflection.amplitude);
                }
                text.into_bytes()
            }
            ReflectionFormat::Dump => {
                let listed = list.to_reflections();
                let limit = GridLimit::default();
                fdump::to_bytes(&FactorGrid::from_reflections(
                    &listed,
                    self.default_f,
                    limit,
                )?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_output_tells_its_format() {
        for (name, format) in [
            ("b.mtz", ReflectionFormat::Mtz),
            ("B.CIF", ReflectionFormat::Mmcif),
            ("Fdump.bin", ReflectionFormat::Dump),
            ("P1.hkl", ReflectionFormat::Text),
        ] {
            assert_eq!(ReflectionFormat::of(Path::new(name)), format, "{name}");
        }
    }
}

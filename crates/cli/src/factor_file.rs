//! The file that `-hkl` names: text, MTZ or mmCIF, and what was made of it.

use std::fmt;
use std::path::Path;

use nanobragg::CellSpec;
use nanobragg::crystal::read::structure_factors::{self, StructureFactors};
use nanobragg::crystal::{
    ColumnChoice, Error, Expansion, Lattice, Reflection, ReflectionList, ReflectionTable,
    SpaceGroup,
};

use crate::args::FactorArgs;

/// How much an edge or a sine of an angle may differ before two cells are not one.
const SAME_CELL: f64 = 0.01;

/// What is known of a file whose reflections were expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorFile {
    /// Its format.
    pub format: Format,
    /// The columns taken, of a format that names them.
    pub columns: Option<String>,
    /// The space group that was applied.
    pub space_group: SpaceGroup,
    /// The cell that it holds.
    pub cell: Option<CellSpec>,
    /// What applying the symmetry did.
    pub expansion: Expansion,
    /// What may surprise.
    pub warnings: Vec<FactorWarning>,
}

/// The format of a file of structure factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines of h k l F.
    Text,
    /// CCP4's binary format.
    Mtz,
    /// The text format of the Protein Data Bank.
    Mmcif,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Mtz => "MTZ",
            Self::Mmcif => "mmCIF",
        })
    }
}

/// Something about a file of structure factors that may surprise.
#[derive(Debug, Clone, PartialEq)]
pub enum FactorWarning {
    /// Intensities were turned into amplitudes.
    Intensities {
        /// Their columns.
        columns: String,
        /// How many were negative.
        negative: usize,
    },
    /// The file names no space group, and no flag does.
    NoSpaceGroup {
        /// The file.
        path: String,
    },
    /// The flag's space group is not that of the file.
    OtherSpaceGroup {
        /// That of the flag.
        given: String,
        /// That of the file.
        found: String,
    },
    /// The cell used is not that of the file.
    OtherCell {
        /// The cell used, in Angstrom and degrees.
        used: [f64; 6],
        /// That of the file.
        found: [f64; 6],
    },
    /// The cell of the file does not have the symmetry of the space group.
    UnsymmetricCell {
        /// The space group.
        space_group: String,
    },
    /// Listed reflections that the space group forbids.
    Absent {
        /// How many.
        count: usize,
    },
    /// Reflections for which the file gives values that differ.
    Averaged {
        /// How many.
        count: usize,
    },
    /// The rows are single observations.
    Unmerged {
        /// The file.
        path: String,
    },
    /// `-columns` with a file that has none.
    ColumnsOfText,
}

impl fmt::Display for FactorWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let six = |cell: &[f64; 6]| {
            cell.map(|x| format!("{}", (x * 1e4).round() / 1e4))
                .join(" ")
        };
        match self {
            Self::Intensities { columns, negative } => write!(
                f,
                "{columns} holds intensities: their square root is F, and 0 for {negative} negative \
                 ones"
            ),
            Self::NoSpaceGroup { path } => write!(
                f,
                "{path} names no space group: P 1 is assumed, -spacegroup says otherwise"
            ),
            Self::OtherSpaceGroup { given, found } => {
                write!(f, "-spacegroup {given} is applied, the file says {found}")
            }
            Self::OtherCell { used, found } => write!(
                f,
                "the cell {} is used, the structure factors belong to {}",
                six(used),
                six(found)
            ),
            Self::UnsymmetricCell { space_group } => write!(
                f,
                "the cell of the structure factors does not have the symmetry of {space_group}"
            ),
            Self::Absent { count } => write!(
                f,
                "{count} listed reflections are forbidden by the space group and left out"
            ),
            Self::Averaged { count } => write!(
                f,
                "{count} reflections are listed with values that differ: their means are taken"
            ),
            Self::Unmerged { path } => {
                write!(f, "{path} holds unmerged data: equivalents are averaged")
            }
            Self::ColumnsOfText => f.write_str("-columns has no effect: the file is plain text"),
        }
    }
}

/// The reflections of a file for all of reciprocal space.
///
/// A text list without `-spacegroup` is taken as it is, and nothing is to be told of it.
///
/// # Errors
/// What is wrong with the file, or with the columns asked for.
pub fn read(
    path: &Path,
    given: &FactorArgs,
) -> Result<(Vec<Reflection>, Option<FactorFile>), Error> {
    let (list, format, columns, mut warnings) = match structure_factors::read(path)? {
        StructureFactors::Text(reflections) => {
            if !given.columns.is_empty() {
                tracing::warn!("{}", FactorWarning::ColumnsOfText);
            }
            let Some(name) = &given.space_group else {
                return Ok((reflections, None));
            };
            let group = SpaceGroup::from_name(name)?;
            let list = ReflectionList::from_text(&reflections, Some(&group));
            (list, Format::Text, None, Vec::new())
        }
        StructureFactors::Mtz(table) => {
            let (list, columns, warnings) = list_of(&table, given)?;
            (list, Format::Mtz, Some(columns), warnings)
        }
        StructureFactors::Mmcif(table) => {
            let (list, columns, warnings) = list_of(&table, given)?;
            (list, Format::Mmcif, Some(columns), warnings)
        }
    };
    let expanded = list.expand_to_p1()?;
    let expansion = expanded.expansion;
    if expanded.reflections.is_empty() {
        return Err(Error::NoReflections {
            name: path.display().to_string(),
        });
    }
    if expansion.absent > 0 {
        warnings.push(FactorWarning::Absent {
            count: expansion.absent,
        });
    }
    if expansion.averaged > 0 {
        warnings.push(FactorWarning::Averaged {
            count: expansion.averaged,
        });
    }
    let file = FactorFile {
        format,
        columns,
        space_group: list.space_group,
        cell: list.cell,
        expansion,
        warnings,
    };
    Ok((expanded.reflections, Some(file)))
}

/// The chosen columns of a table, their names, and what may surprise about them.
pub(crate) fn list_of(
    table: &ReflectionTable,
    given: &FactorArgs,
) -> Result<(ReflectionList, String, Vec<FactorWarning>), Error> {
    let choice = ColumnChoice::new(table, &given.columns)?;
    let group = given
        .space_group
        .as_deref()
        .map(|name| match &table.cell {
            Some(cell) => SpaceGroup::from_name_for_cell(name, cell),
            None => SpaceGroup::from_name(name),
        })
        .transpose()?;
    let list = ReflectionList::from_table(table, &choice, group.as_ref());
    let mut warnings = Vec::new();
    if choice.are_intensities {
        warnings.push(FactorWarning::Intensities {
            columns: choice.to_string(),
            negative: list.negative_count,
        });
    }
    match (&group, &table.space_group) {
        (None, None) => warnings.push(FactorWarning::NoSpaceGroup {
            path: table.name.clone(),
        }),
        (Some(given), Some(found)) if given != found => {
            warnings.push(FactorWarning::OtherSpaceGroup {
                given: given.to_string(),
                found: found.to_string(),
            });
        }
        _ => {}
    }
    if table.is_unmerged() {
        warnings.push(FactorWarning::Unmerged {
            path: table.name.clone(),
        });
    }
    if table.cell.is_some_and(|cell| !list.space_group.fits(&cell)) {
        warnings.push(FactorWarning::UnsymmetricCell {
            space_group: list.space_group.to_string(),
        });
    }
    Ok((list, choice.to_string(), warnings))
}

impl FactorFile {
    /// A warning if a lattice is not that of the file: more than 1 percent of an edge, or as much in
    /// an angle.
    pub(crate) fn cell_warning(&self, lattice: &Lattice) -> Option<FactorWarning> {
        let found = self.cell?;
        let (lengths, angles) = (lattice.lengths_angstrom, lattice.angles_rad());
        let edges = lengths.iter().zip(found.lengths_angstrom);
        let is_other = edges
            .into_iter()
            .any(|(a, b)| (a / b - 1.0).abs() > SAME_CELL)
            || angles
                .iter()
                .zip(found.angles_rad)
                .any(|(a, b)| (a - b).abs() > SAME_CELL);
        let six = |[a, b, c]: [f64; 3], angles: [f64; 3]| {
            let [alpha, beta, gamma] = angles.map(f64::to_degrees);
            [a, b, c, alpha, beta, gamma]
        };
        is_other.then(|| FactorWarning::OtherCell {
            used: six(lengths, angles),
            found: six(found.lengths_angstrom, found.angles_rad),
        })
    }
}

//! A file that lists structure factors, and what was made of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use nanobragg_crystal::read::structure_factors::{self, StructureFactors, TableFormat};
use nanobragg_crystal::{
    CellSpec, ColumnChoice, Error, Expansion, GroupDoubt, Hkl, Lattice, Reflection, ReflectionList,
    ReflectionTable, RowCounts, SpaceGroup, TableNote,
};
use nanobragg_io::input::counted;

/// A file that lists structure factors, and what to take of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListSpec {
    /// Text, MTZ, mmCIF, XDS_ASCII or HKLF 4; the contents decide.
    pub path: PathBuf,
    /// The columns to take; empty leaves it to what the file has. `I` takes the fourth column of a text for
    /// intensities.
    pub columns: Vec<String>,
    /// The name of the space group, which wins over that of the file.
    pub space_group: Option<String>,
    /// F of every reflection not listed, in electrons.
    pub default_f: f64,
}

/// How much an edge or a sine of an angle may differ before two cells are not one.
const SAME_CELL: f64 = 0.01;

/// What is known of a file whose reflections were expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorFile {
    /// Its format.
    pub format: FactorFormat,
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
pub enum FactorFormat {
    /// Lines of h k l F.
    Text,
    /// A format with columns.
    Table(TableFormat),
}

impl fmt::Display for FactorFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Table(format) => format.fmt(f),
        }
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
    /// Neither the file nor the specification names a space group.
    NoSpaceGroup {
        /// The file.
        path: String,
    },
    /// The space group given is not that of the file.
    OtherSpaceGroup {
        /// That given.
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
    /// What the reader of the file found.
    Table(TableNote),
    /// Rows that the file marks.
    Status {
        /// How many are rejected and left out.
        rejected: usize,
        /// How many belong to the test set and are used.
        test_set: usize,
    },
    /// Rows with neither F(+) nor F(-), for which a column of both together is used.
    OfBoth {
        /// How many.
        rows: usize,
        /// The column.
        column: String,
    },
    /// A text list has negative values, as intensities are.
    NegativeAmplitudes {
        /// How many.
        count: usize,
    },
    /// Rows of intensities whose indices were listed before.
    Repeated {
        /// How many.
        rows: usize,
    },
    /// Amplitudes of a text list that gave way to a later one with the same indices.
    Overwritten {
        /// How many.
        count: usize,
    },
    /// The rows are single observations.
    Unmerged {
        /// The file.
        path: String,
    },
    /// A text list ends as those of SHELX do.
    EndOfShelx,
    /// Columns are named of a file that has none.
    ColumnsOfText,
    /// The structure factors come from a dump that was found, not named.
    UnnamedDump {
        /// The dump.
        path: PathBuf,
        /// How old it is.
        age: Option<Duration>,
        /// The file that the run before read.
        made_from: Option<String>,
    },
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
                "{path} names no space group: P 1 is assumed unless -spacegroup gives one"
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
                "{} that the space group forbids, left out",
                counted(*count, "listed reflection")
            ),
            Self::Averaged { count } => write!(
                f,
                "{} listed with values that differ: means are taken",
                counted(*count, "reflection")
            ),
            Self::Table(note) => note.fmt(f),
            Self::Status { rejected, test_set } => write!(
                f,
                "by their status {} left out as rejected, and {test_set} of the test set used",
                counted(*rejected, "reflection")
            ),
            Self::OfBoth { rows, column } => write!(
                f,
                "{} with neither of the Friedel mates: {column} is used for both",
                counted(*rows, "row")
            ),
            Self::NegativeAmplitudes { count } => write!(
                f,
                "{} of the list with a negative F; if the fourth column has intensities, -columns I takes their \
                 square roots",
                counted(*count, "line")
            ),
            Self::EndOfShelx => f.write_str(
                "the list ends with a line of zeros, as the lists of SHELX (HKLF 4) do, whose fourth column has \
                 intensities: -columns I takes their square roots",
            ),
            Self::Repeated { rows } => write!(
                f,
                "{} with the indices of another: the means of their intensities are taken",
                counted(*rows, "row")
            ),
            Self::Overwritten { count } => write!(
                f,
                "{} of the list with the indices of another and a different F: the last one is used",
                counted(*count, "line")
            ),
            Self::Unmerged { path } => {
                write!(f, "{path} holds unmerged data: equivalents are averaged")
            }
            Self::ColumnsOfText => f.write_str(
                "the names of columns have no effect: the file is plain text, of which only I, for intensities, can be asked",
            ),
            Self::UnnamedDump {
                path,
                age,
                made_from,
            } => {
                write!(f, "the structure factors are those of {}", path.display())?;
                if let Some(age) = age {
                    write!(f, ", which is {} old", rounded(*age))?;
                }
                if let Some(source) = made_from {
                    write!(f, " and was made from {source}")?;
                }
                Ok(())
            }
        }
    }
}

/// The reflections of a file for all of reciprocal space.
///
/// A text list without a space group is taken as it is. It has no cell of its own: `cell` selects the setting of
/// its group.
///
/// # Errors
/// What is wrong with the file, or with the columns asked for.
pub fn read(
    spec: &ListSpec,
    cell: Option<&CellSpec>,
) -> Result<(Vec<Reflection>, Option<FactorFile>), Error> {
    let group = spec.space_group.as_deref();
    let (list, format, columns, mut warnings) =
        match structure_factors::read(&spec.path, &spec.columns)? {
            StructureFactors::Text(reflections) => {
                if let Some(warning) = warning_of_text(&reflections) {
                    tracing::warn!("{}: {warning}", spec.path.display());
                }
                if !spec.columns.is_empty() {
                    tracing::warn!("{}", FactorWarning::ColumnsOfText);
                }
                let Some(name) = group else {
                    return Ok((reflections, None));
                };
                let group = SpaceGroup::from_name_for_cell(name, cell)?;
                let list = ReflectionList::from_text(&reflections, Some(&group));
                (list, FactorFormat::Text, None, Vec::new())
            }
            StructureFactors::Table(format, table) => {
                let (list, columns, warnings) = list_of(&table, &spec.columns, group)?;
                let format = FactorFormat::Table(format);
                (list, format, Some(columns), warnings)
            }
        };
    let expanded = list.expand_to_p1()?;
    let expansion = expanded.expansion;
    if expanded.reflections.is_empty() {
        return Err(Error::NoReflections {
            name: spec.path.display().to_string(),
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
///
/// # Errors
/// Columns that the table does not have, or a space group that there is not.
pub fn list_of(
    table: &ReflectionTable,
    columns: &[String],
    space_group: Option<&str>,
) -> Result<(ReflectionList, String, Vec<FactorWarning>), Error> {
    let choice = ColumnChoice::new(table, columns)?;
    let mut warnings = Vec::new();
    let group = space_group
        .map(|name| SpaceGroup::from_name_for_cell(name, table.cell.as_ref()))
        .transpose()?;
    for note in &table.notes {
        match note {
            // A group that is given makes up for one that is not understood.
            TableNote::Group(_) if group.is_some() => continue,
            TableNote::Group(GroupDoubt::NotUnderstood { name, used: None }) => {
                return Err(Error::Symmetry {
                    name: table.name.clone(),
                    source: Box::new(Error::UnknownSpaceGroup {
                        found: name.clone(),
                    }),
                });
            }
            TableNote::Group(_) | TableNote::OtherBlock { .. } | TableNote::Pooled { .. } => {}
        }
        warnings.push(FactorWarning::Table(note.clone()));
    }
    let list = ReflectionList::from_table(table, &choice, group.as_ref());
    let RowCounts {
        negative,
        rejected,
        test_set,
        repeated,
        of_both,
        ..
    } = list.counts;
    let mean = choice.mean.and_then(|place| table.columns.get(place));
    if let (Some(column), 1..) = (mean, of_both) {
        warnings.push(FactorWarning::OfBoth {
            rows: of_both,
            column: column.label.clone(),
        });
    }
    if rejected + test_set > 0 {
        warnings.push(FactorWarning::Status { rejected, test_set });
    }
    if repeated > 0 && !table.is_unmerged {
        warnings.push(FactorWarning::Repeated { rows: repeated });
    }
    if choice.are_intensities {
        warnings.push(FactorWarning::Intensities {
            columns: choice.to_string(),
            negative,
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
    if table.is_unmerged {
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

/// A warning if a text list seems to have intensities.
pub(crate) fn warning_of_text(reflections: &[Reflection]) -> Option<FactorWarning> {
    let is_zero = |last: &Reflection| last.hkl == Hkl([0; 3]) && last.amplitude == 0.0;
    if reflections.last().is_some_and(is_zero) {
        return Some(FactorWarning::EndOfShelx);
    }
    let negative = reflections.iter().filter(|r| r.amplitude < 0.0);
    let count = negative.count();
    (count > 0).then_some(FactorWarning::NegativeAmplitudes { count })
}

/// An age in the largest unit of which there is one.
fn rounded(age: Duration) -> String {
    let seconds = age.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A warning if `lattice` is not the cell that the structure factors belong to: more than 1 percent of
/// an edge, or as much in an angle.
pub(super) fn cell_warning(lattice: &Lattice, found: &CellSpec) -> Option<FactorWarning> {
    let (lengths, angles) = (lattice.lengths_angstrom, lattice.angles_rad());
    let mut edges = lengths.iter().zip(found.lengths_angstrom);
    let mut corners = angles.iter().zip(found.angles_rad);
    let is_other = edges.any(|(a, b)| (a / b - 1.0).abs() > SAME_CELL)
        || corners.any(|(a, b)| (a - b).abs() > SAME_CELL);
    let six = |[a, b, c]: [f64; 3], angles: [f64; 3]| {
        let [alpha, beta, gamma] = angles.map(f64::to_degrees);
        [a, b, c, alpha, beta, gamma]
    };
    is_other.then(|| FactorWarning::OtherCell {
        used: six(lengths, angles),
        found: six(found.lengths_angstrom, found.angles_rad),
    })
}

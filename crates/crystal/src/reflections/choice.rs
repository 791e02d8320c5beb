use std::fmt;

use super::table::{ColumnKind, ReflectionTable};
use crate::error::Error;

/// Names of amplitudes calculated from a model, the best first. They are preferred because they are
/// complete and on an absolute scale.
const CALCULATED: [&str; 11] = [
    "PDBX_F_CALC_WITH_SOLVENT",
    "FMODEL",
    "F-MODEL",
    "F_MODEL",
    "FC_ALL",
    "FCALC",
    "F-CALC",
    "F_CALC",
    "F_CALC_AU",
    "FC",
    "FC_ALL_LS",
];

/// Names of measured quantities in a CIF, the best first.
const MEASURED: [&str; 4] = ["F_MEAS_AU", "F_MEAS", "INTENSITY_MEAS", "F_SQUARED_MEAS"];

/// Names of amplitudes that are map coefficients or differences.
const MAP_COEFFICIENTS: [&str; 9] = [
    "FWT",
    "DELFWT",
    "2FOFCWT",
    "FOFCWT",
    "FDM",
    "PH2FOFCWT",
    "FAN",
    "PDBX_FWT",
    "PDBX_DELFWT",
];

/// The columns of a table that contain the structure factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorColumns {
    /// One column for a reflection and its Friedel mate.
    One(usize),
    /// One column for the reflection and one for its mate.
    Pair(usize, usize),
}

/// The columns of a table that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChoice {
    /// The columns of F or F squared.
    pub quantity: FactorColumns,
    /// The column of F or F squared of both mates together, for rows that have neither value of a pair.
    pub mean: Option<usize>,
    /// Whether they are intensities F squared.
    pub are_intensities: bool,
    /// Whether they were measured, not calculated from a model.
    pub is_measured: bool,
    /// The column of the phase.
    pub phase: Option<usize>,
    /// The names of these columns in the file.
    pub labels: Vec<String>,
}

impl ColumnChoice {
    /// The columns with these names, or the best ones if no name is given.
    ///
    /// Names are one column of F or I, or two of them for a reflection and its mate. A column of
    /// phases can follow. Without names the choice is, in this order: amplitudes of a model, F(+) and
    /// F(-), other amplitudes, I(+) and I(-), intensities, map coefficients. If there are several,
    /// the first in the file is chosen, and with it the phase that follows it. With a pair goes the best column of
    /// measured amplitudes or intensities of its data set.
    ///
    /// # Errors
    /// [`Error::NoColumn`] for a name that is not in the table, [`Error::ColumnKind`] for columns of
    /// other kinds, [`Error::NoFactorColumn`] if the table has no column of F or I.
    pub fn new(table: &ReflectionTable, names: &[String]) -> Result<Self, Error> {
        if names.is_empty() {
            Self::best(table)
        } else {
            Self::named(table, names)
        }
    }

    /// The columns with these names.
    fn named(table: &ReflectionTable, names: &[String]) -> Result<Self, Error> {
        let place = |name: &String| {
            let is_same = |label: &str| label == name;
            let is_same_but_case = |label: &str| label.eq_ignore_ascii_case(name);
            let position = |fits: &dyn Fn(&str) -> bool| {
                table.columns.iter().position(|column| fits(&column.label))
            };
            position(&is_same)
                .or_else(|| position(&is_same_but_case))
                .ok_or_else(|| Error::NoColumn {
                    name: table.name.clone(),
                    column: name.chars().take(40).collect(),
                    present: labels(table),
                })
        };
        let places = names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let kind = |place: usize| table.columns.get(place).map(|column| column.kind);
        let is_factor = |place: usize| kind(place).is_some_and(ColumnKind::is_factor);
        let is_phase = |place: usize| kind(place) == Some(ColumnKind::Phase);
        let (quantity, phase) = match places[..] {
            [f] if is_factor(f) => (FactorColumns::One(f), None),
            [f, phase] if is_factor(f) && is_phase(phase) => (FactorColumns::One(f), Some(phase)),
            [plus, minus] if is_factor(plus) && kind(plus) == kind(minus) => {
                (FactorColumns::Pair(plus, minus), None)
            }
            [plus, minus, phase]
                if is_factor(plus) && kind(plus) == kind(minus) && is_phase(phase) =>
            {
                (FactorColumns::Pair(plus, minus), Some(phase))
            }
            _ => {
                return Err(Error::ColumnKind {
                    name: table.name.clone(),
                    columns: names.join(",").chars().take(80).collect(),
                });
            }
        };
        Ok(Self::of(table, quantity, phase))
    }

    /// The best columns of a table.
    fn best(table: &ReflectionTable) -> Result<Self, Error> {
        let named = |place: usize, names: &[&str]| {
            let label = table.columns.get(place).map(|column| &column.label);
            label.and_then(|label| {
                names
                    .iter()
                    .position(|name| label.eq_ignore_ascii_case(name))
            })
        };
        let all_of = |kind: ColumnKind| {
            let columns = table.columns.iter().enumerate();
            columns
                .filter(move |(_, column)| column.kind == kind)
                .map(|(place, _)| place)
        };
        let label = |place: usize| {
            let column = table.columns.get(place);
            column.map_or("", |column| column.label.as_str())
        };
        // Files put the columns of a reflection and of its mate in this order, unless the names say else.
        let pair = |kind: ColumnKind| {
            let mut places = all_of(kind);
            let (one, other) = (places.next()?, places.next()?);
            let is_of_mate = |place| {
                let label = label(place).to_ascii_lowercase();
                label.contains("(-)") || label.contains("minus")
            };
            Some(if is_of_mate(one) && !is_of_mate(other) {
                FactorColumns::Pair(other, one)
            } else {
                FactorColumns::Pair(one, other)
            })
        };
        // The best name counts first, then the position in the file.
        let calculated = all_of(ColumnKind::Amplitude)
            .filter_map(|place| Some((named(place, &CALCULATED)?, place)))
            .min()
            .map(|(_, place)| FactorColumns::One(place));
        // The first in the file, unless a CIF has one with a better name.
        let best_place = |places: &mut dyn Iterator<Item = usize>| {
            places.min_by_key(|place| rank(label(*place), &MEASURED))
        };
        let best_named =
            |places: &mut dyn Iterator<Item = usize>| best_place(places).map(FactorColumns::One);
        let observed = best_named(
            &mut all_of(ColumnKind::Amplitude)
                .filter(|place| named(*place, &MAP_COEFFICIENTS).is_none()),
        );
        let first = |kind| best_named(&mut all_of(kind));
        let quantity = calculated
            .or_else(|| pair(ColumnKind::AnomalousAmplitude))
            .or(observed)
            .or_else(|| pair(ColumnKind::AnomalousIntensity))
            .or_else(|| first(ColumnKind::Intensity))
            .or_else(|| first(ColumnKind::Amplitude))
            .or_else(|| first(ColumnKind::AnomalousAmplitude))
            .or_else(|| first(ColumnKind::AnomalousIntensity))
            .ok_or_else(|| Error::NoFactorColumn {
                name: table.name.clone(),
                present: labels(table),
            })?;
        let last = match quantity {
            FactorColumns::One(place) => place,
            FactorColumns::Pair(plus, minus) => plus.max(minus),
        };
        let mean = match quantity {
            FactorColumns::One(_) => None,
            FactorColumns::Pair(plus, _) => {
                let column = |place: usize| table.columns.get(place);
                let (kind, data_set) = column(plus).map(|c| (c.kind, c.data_set)).unzip();
                let kind = match kind {
                    Some(ColumnKind::AnomalousIntensity) => ColumnKind::Intensity,
                    _ => ColumnKind::Amplitude,
                };
                // F of another data set can be that of another crystal.
                best_place(&mut all_of(kind).filter(|place| {
                    !is_calculated(label(*place)) && column(*place).map(|c| c.data_set) == data_set
                }))
            }
        };
        // A sigma can be between F and its phase. Behind another F the phase belongs to that one.
        let phase = table
            .columns
            .iter()
            .enumerate()
            .skip(last + 1)
            .take_while(|(_, column)| !column.kind.is_factor())
            .find(|(_, column)| column.kind == ColumnKind::Phase)
            .map(|(place, _)| place);
        Ok(Self {
            mean,
            ..Self::of(table, quantity, phase)
        })
    }

    fn of(table: &ReflectionTable, quantity: FactorColumns, phase: Option<usize>) -> Self {
        let places = match quantity {
            FactorColumns::One(place) => vec![place],
            FactorColumns::Pair(plus, minus) => vec![plus, minus],
        };
        let columns = || {
            let places = places.iter().chain(&phase);
            places.filter_map(|place| table.columns.get(*place))
        };
        let are_intensities = columns().any(|column| {
            matches!(
                column.kind,
                ColumnKind::Intensity | ColumnKind::AnomalousIntensity
            )
        });
        Self {
            quantity,
            mean: None,
            are_intensities,
            is_measured: !columns().any(|column| is_calculated(&column.label)),
            phase,
            labels: columns().map(|column| column.label.clone()).collect(),
        }
    }
}

/// Whether a column is calculated from a model, at least in part.
fn is_calculated(label: &str) -> bool {
    let mut own = CALCULATED.iter().chain(&MAP_COEFFICIENTS);
    own.any(|name| label.eq_ignore_ascii_case(name)) || label.to_ascii_lowercase().contains("calc")
}

/// The place of a name in a list, or behind the list.
fn rank(label: &str, names: &[&str]) -> usize {
    let own = names
        .iter()
        .position(|name| label.eq_ignore_ascii_case(name));
    own.unwrap_or(names.len())
}

impl fmt::Display for ColumnChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.labels.join(", "))
    }
}

/// The names of all columns, for messages.
fn labels(table: &ReflectionTable) -> String {
    let labels: Vec<&str> = table.columns.iter().map(|c| c.label.as_str()).collect();
    labels.join(", ").chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::super::TableColumn;
    use super::ColumnKind::{
        Amplitude, AnomalousAmplitude, AnomalousIntensity, Intensity, Other, Phase,
    };
    use super::*;

    fn table(columns: &[(&str, ColumnKind)]) -> ReflectionTable {
        let column = |(label, kind): &(&str, ColumnKind)| TableColumn {
            label: (*label).to_owned(),
            kind: *kind,
            data_set: 0,
        };
        ReflectionTable::new("a.mtz", columns.iter().map(column).collect())
    }

    #[test]
    fn the_best_columns_are_chosen() {
        for (columns, chosen) in [
            (
                vec![("FP", Amplitude), ("FC", Amplitude), ("PHIC", Phase)],
                "FC, PHIC",
            ),
            (
                vec![("FWT", Amplitude), ("PHWT", Phase), ("FP", Amplitude)],
                "FP",
            ),
            (vec![("FWT", Amplitude), ("PHWT", Phase)], "FWT, PHWT"),
            (
                vec![
                    ("F", Amplitude),
                    ("F(+)", AnomalousAmplitude),
                    ("F(-)", AnomalousAmplitude),
                ],
                "F(+), F(-)",
            ),
            (
                vec![("IMEAN", Intensity), ("SIGI", Other), ("F", Amplitude)],
                "F",
            ),
            (
                vec![
                    ("I", Intensity),
                    ("I(+)", AnomalousIntensity),
                    ("I(-)", AnomalousIntensity),
                ],
                "I(+), I(-)",
            ),
        ] {
            let choice = ColumnChoice::new(&table(&columns), &[]).unwrap();
            assert_eq!(choice.to_string(), chosen);
            assert_eq!(choice.are_intensities, chosen.starts_with('I'));
        }
        let error = ColumnChoice::new(&table(&[("FREE", Other)]), &[]).unwrap_err();
        assert!(error.to_string().contains("FREE"), "{error}");
    }

    #[test]
    fn columns_are_found_by_name_and_must_be_of_a_kind_that_fits() {
        let table = table(&[
            ("F(+)", AnomalousAmplitude),
            ("F(-)", AnomalousAmplitude),
            ("FC", Amplitude),
            ("PHIC", Phase),
            ("FREE", Other),
        ]);
        let choose = |text: &str| {
            let names: Vec<String> = text.split(',').map(str::to_owned).collect();
            ColumnChoice::new(&table, &names)
        };
        for text in [
            "F(+),F(-)",
            "FC,PHIC",
            "FC",
            "F(+)",
            "fc,phic",
            "F(+),F(-),PHIC",
        ] {
            let found = choose(text).unwrap().labels.join(",");
            assert!(found.eq_ignore_ascii_case(text), "{text}: {found}");
        }
        assert!(matches!(choose("F(+),FC"), Err(Error::ColumnKind { .. })));
        assert!(matches!(choose("PHIC"), Err(Error::ColumnKind { .. })));
        assert!(matches!(choose("FREE"), Err(Error::ColumnKind { .. })));
        assert!(matches!(
            choose("FC,PHIC,FREE"),
            Err(Error::ColumnKind { .. })
        ));
        let missing = choose("FOM").unwrap_err().to_string();
        assert!(
            missing.contains("FOM") && missing.contains("PHIC"),
            "{missing}"
        );
    }
}

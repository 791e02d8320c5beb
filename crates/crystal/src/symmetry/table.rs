//! The 530 settings of the 230 space groups, from the crate moyo.

use moyo::data::{Centering, HallSymbol, HallSymbolEntry, hall_symbol_entry};

use super::SymmetryOperation;

/// The number of settings in the table.
const SETTINGS: i32 = 530;

/// All settings, in the order of their numbers. The more common settings of a number come first.
pub(super) fn settings() -> impl Iterator<Item = HallSymbolEntry> {
    (1..=SETTINGS).filter_map(hall_symbol_entry)
}

/// The common name of a setting: the full symbol for monoclinic groups, because it contains the
/// unique axis, and the short symbol for the others.
pub(super) fn name(entry: &HallSymbolEntry) -> String {
    const MONOCLINIC: std::ops::RangeInclusive<i32> = 3..=15;
    let name = if MONOCLINIC.contains(&entry.number) {
        entry.hm_full
    } else {
        entry.hm_short
    };
    let mut name = name.replace('_', "");
    if let Some(choice @ ('1' | '2' | 'H' | 'R')) = entry.setting.chars().next() {
        name.push(':');
        name.push(choice);
    }
    name
}

/// The spelling of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A Hermann-Mauguin symbol with blanks between the axes.
    Spaced,
    /// A Hall symbol with blanks between the generators.
    Hall,
    /// A Hermann-Mauguin symbol with blanks anywhere or nowhere.
    Compact,
}

/// The spellings in the order in which they are tried. `P 4 2` is the Hall symbol of P 4 2 2; it is
/// P 42 only if blanks are ignored.
pub(super) const SPELLINGS: [Spelling; 3] = [Spelling::Spaced, Spelling::Hall, Spelling::Compact];

/// Whether a setting has this name, in this spelling.
///
/// Case and underscores do not matter. `:1`, `:2`, `:H`, `:R` select the origin or the axes. `H` as
/// the letter of the lattice is R with hexagonal axes.
pub(super) fn has_name(entry: &HallSymbolEntry, wanted: &str, spelling: Spelling) -> bool {
    if spelling == Spelling::Hall {
        // The table writes the primes of Hall's axes as `^` and `=`.
        let wanted = wanted.replace('\'', "^").replace('"', "=");
        return spelled(entry.hall_symbol, spelling) == spelled(&wanted, spelling);
    }
    // The setting of an entry is, for example, `1`, `2`, `H`, `R`, or the unique axis with the cell
    // choice; the text after the colon must be its beginning.
    let (name, choice) = match wanted.split_once(':') {
        Some((name, choice)) => (spelled(name, spelling), Some(spelled(choice, spelling))),
        None => {
            let name = spelled(wanted, spelling);
            match name.strip_prefix('H') {
                Some(rest) => (format!("R{rest}"), Some("H".to_owned())),
                None => (name, None),
            }
        }
    };
    let fits = choice.is_none_or(|choice| {
        !choice.is_empty() && entry.setting.to_ascii_uppercase().starts_with(&choice)
    });
    let names = [entry.hm_short, entry.hm_full];
    fits && names.into_iter().any(|own| spelled(own, spelling) == name)
}

/// A name in upper case, without underscores, with one blank or none between its parts.
fn spelled(name: &str, spelling: Spelling) -> String {
    let between = if spelling == Spelling::Compact {
        ""
    } else {
        " "
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(between).replace('_', "").to_ascii_uppercase()
}

/// All operations of a setting. Those of the first lattice point come first.
pub(super) fn operations(entry: &HallSymbolEntry) -> Vec<SymmetryOperation> {
    let Some(symbol) = HallSymbol::new(entry.hall_symbol) else {
        return Vec::new();
    };
    let lattice: Vec<[f64; 3]> = lattice_points(symbol.centering);
    let at_origin: Vec<_> = symbol
        .traverse()
        .iter()
        .map(|operation| {
            let rotation = operation.rotation_as_array();
            (rotation, operation.translation_as_array())
        })
        .collect();
    let shifted = lattice.into_iter().flat_map(|shift| {
        at_origin.iter().filter_map(move |(rotation, translation)| {
            let translation = std::array::from_fn(|i| translation[i] + shift[i]);
            SymmetryOperation::new(*rotation, translation)
        })
    });
    shifted.collect()
}

/// The lattice points of a cell, in fractions of its edges.
fn lattice_points(centering: Centering) -> Vec<[f64; 3]> {
    let points = centering.lattice_points();
    points.into_iter().map(|point| point.into()).collect()
}

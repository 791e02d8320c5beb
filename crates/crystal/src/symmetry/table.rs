//! The 530 settings of the 230 space groups, as moyo lists them.

use moyo::data::{Centering, HallSymbol, HallSymbolEntry, hall_symbol_entry};

use super::SymmetryOperation;

/// How many settings the table has.
const SETTINGS: i32 = 530;

/// All settings, those of lower number and the more usual ones first.
pub(super) fn settings() -> impl Iterator<Item = HallSymbolEntry> {
    (1..=SETTINGS).filter_map(hall_symbol_entry)
}

/// The name that is usual for a setting: the full one for monoclinic groups, which tells the unique
/// axis, and the short one for others.
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

/// Whether a setting goes by this name: Hermann and Mauguin's, short or full, or Hall's.
///
/// Case, blanks and underscores do not matter. `:1`, `:2`, `:H`, `:R` choose among
/// origins and axes, `H` for the lattice letter means hexagonal axes.
pub(super) fn goes_by(entry: &HallSymbolEntry, wanted: &str) -> bool {
    let plain = plain(wanted);
    let (plain, choice) = match plain.split_once(':') {
        Some((name, choice)) => (name.to_owned(), Some(choice.to_owned())),
        None => match plain.strip_prefix('H') {
            Some(rest) => (format!("R{rest}"), Some("H".to_owned())),
            None => (plain, None),
        },
    };
    let fits = choice.is_none_or(|choice| {
        !choice.is_empty() && entry.setting.to_ascii_uppercase().starts_with(&choice)
    });
    fits && [entry.hm_short, entry.hm_full]
        .into_iter()
        .any(|name| self::plain(name) == plain)
}

/// Whether this is the Hall symbol of a setting.
pub(super) fn goes_by_hall(entry: &HallSymbolEntry, wanted: &str) -> bool {
    let tidy = |text: &str| {
        let text = text.replace('\'', "^").replace('"', "=");
        text.split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect::<Vec<_>>()
    };
    tidy(entry.hall_symbol) == tidy(wanted)
}

/// A name without what does not matter.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
    letters.map(|c| c.to_ascii_uppercase()).collect()
}

/// All operations of a setting, those of the first lattice point first.
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

fn lattice_points(centering: Centering) -> Vec<[f64; 3]> {
    let points = centering.lattice_points();
    points.into_iter().map(|point| point.into()).collect()
}

//! The names of space groups, as gemmi and cctbx understand them.

use super::table::{SETTINGS, Setting};

/// The Schoenflies symbols of the point groups with the number of their space groups, in the order of the
/// International Tables: `D2^4` is the fourth of D2.
const SCHOENFLIES: [(&str, u16); 32] = [
    ("c1", 1),
    ("ci", 1),
    ("c2", 3),
    ("cs", 4),
    ("c2h", 6),
    ("d2", 9),
    ("c2v", 22),
    ("d2h", 28),
    ("c4", 6),
    ("s4", 2),
    ("c4h", 6),
    ("d4", 10),
    ("c4v", 12),
    ("d2d", 12),
    ("d4h", 20),
    ("c3", 4),
    ("c3i", 2),
    ("d3", 7),
    ("c3v", 6),
    ("d3d", 6),
    ("c6", 6),
    ("c3h", 1),
    ("c6h", 2),
    ("d6", 6),
    ("c6v", 4),
    ("d3h", 4),
    ("d6h", 4),
    ("t", 5),
    ("th", 7),
    ("o", 8),
    ("td", 6),
    ("oh", 10),
];

/// The settings that a name can mean, the usual one first. The name is a number, a Hermann-Mauguin symbol
/// or a Schoenflies symbol. The list is empty if no setting has the name.
///
/// Case, blanks, underscores and brackets do not matter. `:1`, `:2`, `:H`, `:R` or an unique axis with cell
/// choice, such as `:b1`, select a setting; so do `S`, `Z`, `H`, `R`, `O1`, `O2` at the end.
pub(super) fn settings(name: &str) -> Vec<&'static Setting> {
    if let Ok(number) = name.trim().parse() {
        return of_number(number);
    }
    let (stem, choice) = stem_and_choice(name);
    // A lattice `H` is `R` with hexagonal axes, which are the first choice.
    let stem = match stem.strip_prefix('h') {
        Some(rest) => format!("r{rest}"),
        None => stem,
    };
    let fits = |setting: &Setting| {
        choice.as_ref().is_none_or(|choice| {
            !choice.is_empty() && setting.choice.to_lowercase().starts_with(choice)
        })
    };
    // A name of one setting wins over a short name of several.
    let passes: [fn(&Setting, &str) -> bool; 3] = [has_symbol, has_short_symbol, has_other_name];
    for has_name in passes {
        let found: Vec<_> = (SETTINGS.iter())
            .filter(|setting| has_name(setting, &stem) && fits(setting))
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    schoenflies(name).map(of_number).unwrap_or_default()
}

/// The settings of a number in the International Tables, or the one of a CCP4 number above 230.
fn of_number(number: u16) -> Vec<&'static Setting> {
    let is_its = |setting: &&Setting| {
        setting.number == number || (number > 230 && setting.ccp4_number == Some(number))
    };
    SETTINGS.iter().filter(is_its).collect()
}

/// A name in lower case without blanks, underscores and brackets: `P 2(1)` is `p21`.
fn compact(name: &str) -> String {
    let is_kept = |c: &char| !c.is_whitespace() && !matches!(c, '_' | '(' | ')');
    name.chars()
        .filter(is_kept)
        .collect::<String>()
        .to_lowercase()
}

/// A name without the choice of origin or axes at its end, and the choice.
fn stem_and_choice(name: &str) -> (String, Option<String>) {
    let choice_of = |text: &str| match text {
        "s" | "o1" => "1".to_owned(),
        "z" | "o2" => "2".to_owned(),
        other => other.to_owned(),
    };
    let whole = compact(name);
    if let Some((stem, choice)) = whole.split_once(':') {
        return (stem.to_owned(), Some(choice_of(choice)));
    }
    // No symbol ends in one of these. The lattice alone, as in `R`, is not a name.
    for end in ["o1", "o2", "s", "z", "h", "r"] {
        if let Some(stem) = whole.strip_suffix(end).filter(|stem| stem.len() > 1) {
            return (stem.to_owned(), Some(choice_of(end)));
        }
    }
    (whole, None)
}

/// Whether a setting has this symbol. The bar of `-3` can follow the 3, and in the cubic groups with an
/// inversion it was left out before 1952.
fn has_symbol(setting: &Setting, wanted: &str) -> bool {
    let symbol = compact(setting.symbol);
    if symbol == wanted {
        return true;
    }
    let Some((before, after)) = symbol.split_once('-') else {
        return false;
    };
    let (order, rest) = after.split_at(1);
    let has_no_bar = matches!(setting.number, 200..=206 | 221..=230);
    wanted == format!("{before}{order}-{rest}")
        || has_no_bar && wanted == format!("{before}{after}")
}

/// Whether a monoclinic setting has this symbol without the `1` of the axes without symmetry.
fn has_short_symbol(setting: &Setting, wanted: &str) -> bool {
    const MONOCLINIC: std::ops::RangeInclusive<u16> = 3..=15;
    let words = setting.symbol.split(' ').filter(|word| *word != "1");
    MONOCLINIC.contains(&setting.number) && compact(&words.collect::<String>()) == wanted
}

/// Whether another name of a setting is this one.
fn has_other_name(setting: &Setting, wanted: &str) -> bool {
    let mut others = setting.others.split('|');
    !wanted.is_empty() && others.any(|other| compact(other) == wanted)
}

/// The number of a Schoenflies symbol such as `D2^4`.
fn schoenflies(name: &str) -> Option<u16> {
    let name = compact(name);
    let (point_group, place) = name.split_once('^')?;
    let place: u16 = place.parse().ok()?;
    let mut before = 0;
    for (symbol, count) in SCHOENFLIES {
        if symbol == point_group {
            return (1..=count).contains(&place).then_some(before + place);
        }
        before += count;
    }
    None
}

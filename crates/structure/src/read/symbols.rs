//! Elements from the symbols and names of atoms.

use super::FieldPlace;
use crate::element::Element;
use crate::error::Error;

/// The element of an atom and whether its symbol is known. Other atoms count as oxygen, as in gemmi, because
/// most of them are solvent. An element that has no form factor is an error.
pub(super) fn element_or_oxygen(
    found: Option<Element>,
    symbol: &str,
    place: &FieldPlace,
) -> Result<(Element, bool), Error> {
    match found {
        Some(element) => Ok((element, true)),
        None if Element::is_beyond(symbol) => {
            Err(place.error(symbol, "the symbol of an element from H to Cf"))
        }
        None => Ok((Element::OXYGEN, false)),
    }
}

/// The element and the charge of an atom type such as `Fe`, `FE`, `Fe3+` or `O2-`.
pub(super) fn atom_type(text: &str) -> Option<(Element, i8)> {
    let letters = text.chars().take_while(char::is_ascii_alphabetic).count();
    let element = Element::from_symbol(text.get(..letters)?)?;
    let charge = match text.get(letters..)?.as_bytes() {
        [b'+'] => 1,
        [b'-'] => -1,
        [digit @ b'0'..=b'8', sign @ (b'+' | b'-')] => {
            let size = i8::try_from(digit - b'0').unwrap_or(0);
            if *sign == b'+' { size } else { -size }
        }
        _ => 0,
    };
    Some((element, charge))
}

/// Names of water in labels, whose first letters would be tungsten and holmium.
const WATER: [&str; 2] = ["wat", "hoh"];

/// The element of a label such as `Fe1` or `C12A`: the first two letters if they are a symbol, or else
/// the first letter. Water is its oxygen.
pub(super) fn element_of_label(label: &str) -> Option<Element> {
    let letters = label.chars().take_while(char::is_ascii_alphabetic).count();
    let is = |name: &str| {
        label
            .get(..letters)
            .is_some_and(|word| word.eq_ignore_ascii_case(name))
    };
    if WATER.iter().any(|name| is(name)) {
        return Some(Element::OXYGEN);
    }
    let lengths = [2, 1].into_iter().filter(|length| *length <= letters);
    lengths
        .filter_map(|length| label.get(..length))
        .find_map(Element::from_symbol)
}

/// The element at the beginning of an atom's name. The symbol ends in the second of the four columns
/// of the name, so that ` CA ` is a carbon and `CA  ` is calcium.
pub(super) fn element_of_name(name: &str) -> Option<Element> {
    let symbol = name.get(..2)?;
    let one_letter = symbol.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
    // A name such as HG11 of a hydrogen fills all four columns and begins in the first one. Without
    // this it would be mercury.
    if symbol.starts_with('H') && !name.ends_with(' ') {
        return Some(Element::HYDROGEN);
    }
    Element::from_symbol(one_letter)
}

//! Chemical elements and the radii of their atoms.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A chemical element from hydrogen to californium. These are the elements with tabulated form
/// factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&str")]
pub struct Element(u8);

impl Element {
    /// Hydrogen.
    pub const HYDROGEN: Self = Self(1);

    /// Helium.
    pub const HELIUM: Self = Self(2);

    /// Carbon.
    pub const CARBON: Self = Self(6);

    /// Nitrogen.
    pub const NITROGEN: Self = Self(7);

    /// Oxygen.
    pub const OXYGEN: Self = Self(8);

    /// Argon.
    pub const ARGON: Self = Self(18);

    /// The element of a symbol. Case does not matter. Deuterium scatters X-rays like hydrogen.
    ///
    /// ```
    /// use nanobragg_structure::Element;
    ///
    /// assert_eq!(Element::from_symbol("FE").map(Element::atomic_number), Some(26));
    /// assert_eq!(Element::from_symbol("D"), Some(Element::HYDROGEN));
    /// assert_eq!(Element::from_symbol("Xx"), None);
    /// ```
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        if symbol.eq_ignore_ascii_case("D") {
            return Some(Self::HYDROGEN);
        }
        let has_symbol = |(known, _): &(&str, f64)| known.eq_ignore_ascii_case(symbol);
        let index = TABLE.iter().position(has_symbol)?;
        u8::try_from(index + 1).ok().map(Self)
    }

    /// Whether the symbol is of an element beyond californium, which has no form factor.
    pub(crate) fn is_beyond(symbol: &str) -> bool {
        const BEYOND: [&str; 20] = [
            "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn",
            "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
        ];
        BEYOND.iter().any(|own| own.eq_ignore_ascii_case(symbol))
    }

    /// The number of protons.
    pub fn atomic_number(self) -> u8 {
        self.0
    }

    /// The symbol, such as `Fe`.
    pub fn symbol(self) -> &'static str {
        self.row().0
    }

    /// The van der Waals radius in A, for the mask of the solvent.
    ///
    /// # Source
    /// The radii of the bulk-solvent mask of the Computational Crystallography Toolbox.
    pub fn van_der_waals_radius_a(self) -> f64 {
        self.row().1
    }

    fn row(self) -> (&'static str, f64) {
        let index = usize::from(self.0).saturating_sub(1);
        TABLE.get(index).copied().unwrap_or(("H", 1.2))
    }
}

impl From<Element> for &str {
    fn from(element: Element) -> Self {
        element.symbol()
    }
}

impl TryFrom<String> for Element {
    type Error = String;

    fn try_from(symbol: String) -> Result<Self, String> {
        Self::from_symbol(&symbol).ok_or_else(|| format!("\"{symbol}\" is no chemical element"))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// Symbols and van der Waals radii in A, in the order of the atomic numbers from 1.
#[rustfmt::skip]
static TABLE: [(&str, f64); 98] = [
    ("H", 1.2), ("He", 1.4), ("Li", 1.82), ("Be", 0.63), ("B", 1.75), ("C", 1.775),
    ("N", 1.5), ("O", 1.45), ("F", 1.47), ("Ne", 1.54), ("Na", 2.27), ("Mg", 1.73),
    ("Al", 1.5), ("Si", 2.1), ("P", 1.9), ("S", 1.8), ("Cl", 1.75), ("Ar", 1.88),
    ("K", 2.75), ("Ca", 1.95), ("Sc", 1.32), ("Ti", 1.95), ("V", 1.06), ("Cr", 1.13),
    ("Mn", 1.19), ("Fe", 1.26), ("Co", 1.13), ("Ni", 1.63), ("Cu", 1.4), ("Zn", 1.39),
    ("Ga", 1.87), ("Ge", 1.48), ("As", 0.83), ("Se", 1.9), ("Br", 1.85), ("Kr", 2.02),
    ("Rb", 2.65), ("Sr", 2.02), ("Y", 1.61), ("Zr", 1.42), ("Nb", 1.33), ("Mo", 1.75),
    ("Tc", 2.0), ("Ru", 1.2), ("Rh", 1.22), ("Pd", 1.63), ("Ag", 1.72), ("Cd", 1.58),
    ("In", 1.93), ("Sn", 2.17), ("Sb", 1.12), ("Te", 1.26), ("I", 1.98), ("Xe", 2.16),
    ("Cs", 3.01), ("Ba", 2.41), ("La", 1.83), ("Ce", 1.86), ("Pr", 1.62), ("Nd", 1.79),
    ("Pm", 1.76), ("Sm", 1.74), ("Eu", 1.96), ("Gd", 1.69), ("Tb", 1.66), ("Dy", 1.63),
    ("Ho", 1.61), ("Er", 1.59), ("Tm", 1.57), ("Yb", 1.54), ("Lu", 1.53), ("Hf", 1.4),
    ("Ta", 1.22), ("W", 1.26), ("Re", 1.3), ("Os", 1.58), ("Ir", 1.22), ("Pt", 1.72),
    ("Au", 1.66), ("Hg", 1.55), ("Tl", 1.96), ("Pb", 2.02), ("Bi", 1.73), ("Po", 1.21),
    ("At", 1.12), ("Rn", 2.3), ("Fr", 3.24), ("Ra", 2.57), ("Ac", 2.12), ("Th", 1.84),
    ("Pa", 1.6), ("U", 1.75), ("Np", 1.71), ("Pu", 1.67), ("Am", 1.66), ("Cm", 1.65),
    ("Bk", 1.64), ("Cf", 1.63),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_find_their_elements() {
        for (symbol, number) in [
            ("H", 1),
            ("c", 6),
            ("SE", 34),
            ("Zn", 30),
            ("U", 92),
            ("Cf", 98),
        ] {
            let element = Element::from_symbol(symbol).unwrap();
            assert_eq!(element.atomic_number(), number);
            assert!(element.symbol().eq_ignore_ascii_case(symbol));
        }
        for symbol in ["", "X", "Es", "CA1", "é"] {
            assert_eq!(Element::from_symbol(symbol), None, "{symbol}");
        }
    }

    #[test]
    fn radii_are_those_of_atoms() {
        assert!(TABLE.iter().all(|(_, radius)| (0.5..3.5).contains(radius)));
        assert_eq!(
            Element::from_symbol("C").unwrap().van_der_waals_radius_a(),
            1.775
        );
    }
}

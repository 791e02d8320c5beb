//! The settings of the 230 space groups.

use std::sync::LazyLock;

use super::{SymmetryOperation, hall};

/// A setting of a space group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The number in the International Tables.
    pub(super) number: u16,
    /// The number in CCP4, which is above 1000 for a setting that is not the first of its group.
    pub(super) ccp4_number: Option<u16>,
    /// The choice of origin (`1`, `2`), axes (`H`, `R`), unique axis and cell (`b1`).
    pub(super) choice: &'static str,
    /// The Hermann-Mauguin symbol, with the unique axis of a monoclinic group.
    pub(super) symbol: &'static str,
    /// The Hall symbol.
    pub(super) hall: &'static str,
    /// Other names, separated by `|`: of the edition of 1992, and with all symmetry elements.
    pub(super) others: &'static str,
}

/// All settings. The more common settings of a number come first.
pub(super) static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let lines = include_str!("settings.txt").lines();
    lines.filter_map(Setting::of_line).collect()
});

impl Setting {
    /// The setting in a line of the table; `None` for a comment.
    fn of_line(line: &'static str) -> Option<Self> {
        let mut fields = line.splitn(6, '|');
        Some(Self {
            number: fields.next()?.parse().ok()?,
            ccp4_number: fields.next()?.parse().ok(),
            choice: fields.next()?,
            symbol: fields.next()?,
            hall: fields.next()?,
            others: fields.next().unwrap_or_default(),
        })
    }

    /// The Hermann-Mauguin symbol. The choice of origin or axes follows a colon.
    pub(super) fn name(&self) -> String {
        match self.choice.chars().next() {
            Some(choice @ ('1' | '2' | 'H' | 'R')) => format!("{}:{choice}", self.symbol),
            _ => self.symbol.to_owned(),
        }
    }

    /// All operations in a cell. Those of the first lattice point come first.
    pub(super) fn operations(&self) -> Vec<SymmetryOperation> {
        hall::operations(self.hall).unwrap_or_default()
    }
}

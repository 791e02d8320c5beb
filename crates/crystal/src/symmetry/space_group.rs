use std::fmt;

use super::{CrystalSystem, SymmetryOperation};
use super::{hall, name, table};
use crate::cell::CellSpec;
use crate::error::Error;

/// The largest number of operations in a cell: 48 rotations times 4 lattice points, as in
/// `F m -3 m`.
const MOST_OPERATIONS: usize = 192;

/// A space group in one setting: all its operations in a cell, including those of the centring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceGroup {
    number: Option<u16>,
    name: String,
    hall: Option<&'static str>,
    operations: Vec<SymmetryOperation>,
    /// One operation for each rotation.
    representatives: Vec<SymmetryOperation>,
}

/// Indices that are equivalent to given ones by symmetry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalent {
    /// The indices.
    pub hkl: [i32; 3],
    /// Whether they are `-h R`, by Friedel's law, instead of `h R`.
    pub is_friedel_mate: bool,
    /// The shift of the phase. With `phase` at the original indices, the phase at these is
    /// `phase + shift`, or `-(phase + shift)` for a Friedel mate.
    pub phase_shift_rad: f64,
}

impl Equivalent {
    /// The phase at these indices, in radians, from that at the original ones.
    pub fn phase_rad(&self, original_rad: f64) -> f64 {
        let shifted = original_rad + self.phase_shift_rad;
        if self.is_friedel_mate {
            -shifted
        } else {
            shifted
        }
    }
}

impl SpaceGroup {
    /// P 1, without symmetry.
    pub fn p1() -> Self {
        Self {
            number: Some(1),
            name: "P 1".to_owned(),
            hall: Some("P 1"),
            operations: vec![SymmetryOperation::IDENTITY],
            representatives: vec![SymmetryOperation::IDENTITY],
        }
    }

    /// The group of this number in the International Tables, in its first setting: unique axis b,
    /// cell choice 1, origin choice 1, hexagonal axes. A number above 230 is one of CCP4, such as 1018.
    /// `None` if no group has the number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::from_name(&number.to_string()).ok()
    }

    /// The group of this name.
    ///
    /// A name is a short or full Hermann-Mauguin symbol (`P 21`, `P 1 21 1`, `P212121`, `R 3 :H`, `H 3`,
    /// `P n n n :2`, `P m 3 m`), one with a change of basis (`P 1 2 1 (a,b,c-1/4)`), a Hall symbol
    /// (`P 2ac 2ab`, `Hall: P 2`), a Schoenflies symbol (`D2^4`) or a number. A name that is both, such as
    /// `P 2`, is the one of Hermann and Mauguin. If several settings have the name, the first is returned:
    /// unique axis b, origin 1, hexagonal axes. [`SpaceGroup::from_name_for_cell`] chooses by the cell.
    ///
    /// # Errors
    /// [`Error::UnknownSpaceGroup`] if no group has this name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        Self::named(name, None)
    }

    /// The setting of this name that fits a cell, or the first setting if none fits or there is no cell.
    /// The cell distinguishes the unique axes of `P 21`, and rhombohedral and hexagonal axes of `R 3`.
    ///
    /// # Errors
    /// [`Error::UnknownSpaceGroup`] if no group has this name.
    pub fn from_name_for_cell<'a>(
        name: &str,
        cell: impl Into<Option<&'a CellSpec>>,
    ) -> Result<Self, Error> {
        Self::named(name, cell.into())
    }

    /// The group of a Hall symbol. `^` and `=` can stand for `'` and `"`, and a change of basis can follow.
    ///
    /// # Errors
    /// [`Error::UnknownSpaceGroup`] if the text is not a Hall symbol.
    ///
    /// ```
    /// # use nanobragg_crystal::SpaceGroup;
    /// assert_eq!(SpaceGroup::from_hall("P 2")?.name(), "P 1 1 2");
    /// assert_eq!(SpaceGroup::from_name("P 2")?.name(), "P 1 2 1");
    /// # Ok::<(), nanobragg_crystal::Error>(())
    /// ```
    pub fn from_hall(symbol: &str) -> Result<Self, Error> {
        let operations = hall::operations(symbol).ok_or_else(|| unknown(symbol))?;
        Self::from_operations(&operations)
    }

    /// The group of a name, in the setting that the cell selects.
    fn named(name: &str, cell: Option<&CellSpec>) -> Result<Self, Error> {
        if let Some(symbol) = after_hall(name) {
            return Self::from_hall(symbol);
        }
        if let Some((base, change)) = name
            .trim()
            .strip_suffix(')')
            .and_then(|n| n.rsplit_once('('))
            && change.contains(',')
        {
            let change = hall::change_of_basis(&change.to_ascii_lowercase());
            let change = change.ok_or_else(|| unknown(name))?;
            return Self::named(base, cell)?.in_basis(&change);
        }
        let settings = name::settings(name);
        if let Some(setting) = select(&settings, cell) {
            return Ok(setting);
        }
        // Without the word `Hall` a symbol must be one of a listed setting, so that few errors of
        // spelling are taken for one.
        let by_hall = Self::from_hall(name).ok();
        by_hall
            .filter(|group| group.number.is_some())
            .ok_or_else(|| unknown(name))
    }

    /// The group in the basis of `x' = V x`.
    fn in_basis(&self, change: &SymmetryOperation) -> Result<Self, Error> {
        let back = change.inverse();
        let changed = |operation: &SymmetryOperation| change.after(operation).after(&back);
        let operations: Vec<_> = self.operations.iter().map(changed).collect();
        Self::from_operations(&operations)
    }

    /// The group that some operations generate. It has a number and a name if it is one of the
    /// settings in the table.
    ///
    /// # Errors
    /// [`Error::NoSpaceGroup`] if they generate more operations than a space group can have.
    pub fn from_operations(generators: &[SymmetryOperation]) -> Result<Self, Error> {
        let mut operations = vec![SymmetryOperation::IDENTITY];
        for generator in generators {
            add(&mut operations, *generator)?;
        }
        // Closure: each operation is combined with all operations up to then, in both orders. New
        // products are appended and get their turn later. The identity, at 0, adds nothing.
        let mut done = 1;
        while let Some(&operation) = operations.get(done) {
            for other in operations.clone() {
                add(&mut operations, operation.after(&other))?;
                add(&mut operations, other.after(&operation))?;
            }
            done += 1;
        }
        // A file can list the operations in any order.
        let sorted = |operations: &[SymmetryOperation]| {
            let mut sorted = operations.to_vec();
            sorted.sort_unstable();
            sorted
        };
        let wanted = sorted(&operations);
        let listed = table::SETTINGS
            .iter()
            .map(Self::from_setting)
            .find(|group| {
                group.operations.len() == wanted.len() && sorted(&group.operations) == wanted
            });
        let (number, name, hall) = match listed {
            Some(group) => (group.number, group.name, group.hall),
            None => (None, "of the operations listed".to_owned(), None),
        };
        Ok(Self {
            number,
            name,
            hall,
            representatives: representatives(&operations),
            operations,
        })
    }

    /// The group of a setting in the table.
    fn from_setting(setting: &table::Setting) -> Self {
        let operations = setting.operations();
        Self {
            number: Some(setting.number),
            name: setting.name(),
            hall: Some(setting.hall),
            representatives: representatives(&operations),
            operations,
        }
    }

    /// The number in the International Tables; `None` for a setting that is not in the table.
    pub fn number(&self) -> Option<u16> {
        self.number
    }

    /// The Hermann-Mauguin symbol. It is the full one for monoclinic groups, and the choice of origin
    /// or axes follows a colon.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Hall symbol; `None` for a setting that is not in the table.
    pub fn hall(&self) -> Option<&'static str> {
        self.hall
    }

    /// All operations in a cell. The first is the identity.
    pub fn operations(&self) -> &[SymmetryOperation] {
        &self.operations
    }

    /// One operation for each rotation: the operations without the centring.
    pub fn representatives(&self) -> &[SymmetryOperation] {
        &self.representatives
    }

    /// The number of lattice points in a cell.
    pub fn centring_count(&self) -> usize {
        self.operations.len() / self.representatives.len().max(1)
    }

    /// The letter of the lattice: P, A, B, C, I, F or R. P for a group that is not in the table.
    pub fn lattice_letter(&self) -> char {
        // A Hall symbol begins with it, after a minus sign for a centrosymmetric group.
        self.hall
            .and_then(|hall| hall.trim_start_matches('-').chars().next())
            .unwrap_or('P')
    }

    /// The crystal system.
    pub fn crystal_system(&self) -> CrystalSystem {
        CrystalSystem::of(self.representatives.iter())
    }

    /// Whether the group has an inversion.
    pub fn is_centrosymmetric(&self) -> bool {
        let minus = [[-1, 0, 0], [0, -1, 0], [0, 0, -1]];
        self.representatives.iter().any(|o| o.rotation() == minus)
    }

    /// Whether the identity is the only operation.
    pub fn is_p1(&self) -> bool {
        self.operations.len() == 1
    }

    /// All indices equivalent to h k l by the group and by Friedel's law. The original ones are
    /// first. Indices in a special position are repeated.
    pub fn equivalents(&self, hkl: [i32; 3]) -> impl Iterator<Item = Equivalent> {
        // A centring translation keeps the indices, so one operation per rotation is enough.
        let mates = [false, true];
        self.representatives.iter().flat_map(move |operation| {
            let phase_shift_rad = operation.phase_shift_rad(hkl);
            let turned = operation.apply_to_hkl(hkl);
            mates.map(|is_friedel_mate| Equivalent {
                hkl: if is_friedel_mate {
                    turned.map(i32::saturating_neg)
                } else {
                    turned
                },
                is_friedel_mate,
                phase_shift_rad,
            })
        })
    }

    /// Whether h k l is systematically absent: an operation maps it to itself with another phase.
    ///
    /// Then `F(h) = F(h) exp(-2 pi i h . t)` with a fractional `h . t`, so F(h) is 0.
    pub fn is_absent(&self, hkl: [i32; 3]) -> bool {
        // All operations are needed here: a centring translation makes reflections absent too.
        self.operations
            .iter()
            .any(|o| o.shift_24ths(hkl) != 0 && o.apply_to_hkl(hkl) == hkl)
    }

    /// Whether h k l is equivalent to -h -k -l without Friedel's law. Its phase then has only two
    /// possible values.
    pub fn is_centric(&self, hkl: [i32; 3]) -> bool {
        let mate = hkl.map(i32::saturating_neg);
        let mut operations = self.representatives.iter();
        operations.any(|o| o.apply_to_hkl(hkl) == mate)
    }
}

impl fmt::Display for SpaceGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The error of a name that no group has.
fn unknown(name: &str) -> Error {
    Error::UnknownSpaceGroup {
        found: name.chars().take(40).collect(),
    }
}

/// The text after `Hall:` or `Hall `.
fn after_hall(name: &str) -> Option<&str> {
    let name = name.trim();
    let word = name
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("hall"));
    let rest = name.get(word?.len()..)?;
    rest.starts_with([':', ' '])
        .then(|| rest.trim_start_matches([':', ' ']))
}

/// The setting that a cell selects, or the first one without a cell.
fn select(settings: &[&table::Setting], cell: Option<&CellSpec>) -> Option<SpaceGroup> {
    let first = SpaceGroup::from_setting(settings.first()?);
    let Some(cell) = cell else {
        return Some(first);
    };
    // The angles alpha and gamma are 90 and 120 degrees on hexagonal axes, and equal on rhombohedral
    // ones. The limit between the two is that of gemmi.
    const BETWEEN: f64 = 1.125;
    if let [hexagonal, rhombohedral] = settings
        && (hexagonal.choice, rhombohedral.choice) == ("H", "R")
    {
        let [alpha, _, gamma] = cell.angles_rad;
        let is_rhombohedral = gamma < BETWEEN * alpha;
        return Some(if is_rhombohedral {
            SpaceGroup::from_setting(rhombohedral)
        } else {
            first
        });
    }
    // An angle that was measured is off by little: in a cell of almost right angles the first setting
    // must not lose to one that fits by chance. This is the cosine of 90.17 degrees.
    const NEARLY: f64 = 0.003;
    let others = settings.iter().skip(1).map(|s| SpaceGroup::from_setting(s));
    let fitting = others
        .filter(|group| group.fits(cell))
        .map(|group| (group.cell_misfit(cell), group));
    let best = fitting.min_by(|(a, _), (b, _)| a.total_cmp(b));
    Some(match best {
        Some((misfit, group)) if first.cell_misfit(cell) > misfit + NEARLY => group,
        _ => first,
    })
}

/// Adds an operation if it is new.
fn add(operations: &mut Vec<SymmetryOperation>, new: SymmetryOperation) -> Result<(), Error> {
    // The coefficients of a rotation of infinite order grow without limit. This stops them long
    // before they overflow.
    if new.largest_coefficient() > 3 {
        return Err(Error::NoSpaceGroup);
    }
    if !operations.contains(&new) {
        if operations.len() == MOST_OPERATIONS {
            return Err(Error::NoSpaceGroup);
        }
        operations.push(new);
    }
    Ok(())
}

/// The first operation with each rotation.
fn representatives(operations: &[SymmetryOperation]) -> Vec<SymmetryOperation> {
    let mut first: Vec<SymmetryOperation> = Vec::new();
    for operation in operations {
        if first.iter().all(|o| o.rotation() != operation.rotation()) {
            first.push(*operation);
        }
    }
    first
}

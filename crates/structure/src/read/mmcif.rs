//! Atoms in CIF: mmCIF of macromolecules and the core dictionary of small molecules.
//!
//! # Source
//! The PDBx/mmCIF dictionary and the CIF core dictionary.

use std::collections::HashMap;

use nalgebra::{Matrix3, RowVector3, Vector3};
use nanobragg_crystal::{CellSpec, StatedGroup};
use nanobragg_io::cif::{Table, Tables, Value};

use super::contents::{
    Contents, Copy, FileAtom, FileDisplacement, MISSING_B_A2, OddAtoms, Position, Scale,
};
use super::symbols::{atom_type, element_of_label, element_or_oxygen};
use super::{DataStated, FieldPlace, LEAST_B_A2, MOST_B_A2, first_positive};
use crate::anomalous::{Correction, Dispersion};
use crate::element::Element;
use crate::error::Error;
use crate::frame::CellFrame;

const ORTHOGONAL: [&str; 3] = [
    "_atom_site_cartn_x",
    "_atom_site_cartn_y",
    "_atom_site_cartn_z",
];
const FRACTIONAL: [&str; 3] = [
    "_atom_site_fract_x",
    "_atom_site_fract_y",
    "_atom_site_fract_z",
];

/// The tag with which tensors of mmCIF name their atom.
const TENSOR_OF_MMCIF: &str = "_atom_site_anisotrop_id";

/// The largest order of a site symmetry, that of m-3m.
const MOST_ORDER: f64 = 48.0;

/// B over U: `8 pi^2`.
const B_OVER_U: f64 = 8.0 * std::f64::consts::PI * std::f64::consts::PI;

/// The contents of a CIF.
pub(super) fn parse(text: &str, name: &str) -> Result<Contents, Error> {
    // CIFs of publications begin with a block of text.
    let atoms = [ORTHOGONAL[0], FRACTIONAL[0]];
    let (cif, structures_left_out) = Tables::parse_with(text, name, &atoms)?;
    let mut contents = Contents {
        cell: cell(&cif, name)?,
        data: data(&cif),
        group_line: cif
            .value(&NAMES)
            .or(cif.value(&NUMBERS))
            .map_or(0, |value| value.line),
        group: group(&cif),
        operations: operations(&cif),
        copies: copies(&cif, name)?,
        dispersion: dispersion(&cif, name)?,
        structures_left_out,
        ..Contents::default()
    };
    let displacements = anisotropic(&cif, name)?;
    if let Some(table) = cif.table(&atoms) {
        let columns = Columns::new(table);
        contents.occupies_positions = !columns.is_orthogonal && columns.id.is_none();
        // In a file of fractions alone nothing depends on the axes.
        if columns.is_orthogonal || cif.table(&[TENSOR_OF_MMCIF]).is_some() {
            contents.scale = scale(&cif, name)?;
        }
        let mut models: Vec<&str> = Vec::new();
        for row in table.rows() {
            // Only the first model is read; the others are counted for a warning.
            let model = known(row, columns.model).map_or("", |value| value.text);
            if !models.contains(&model) {
                models.push(model);
            }
            if models.len() == 1 {
                let odd = &mut contents.odd;
                let atom = columns.atom(row, name, &displacements, odd)?;
                contents.atoms.push(atom);
            }
        }
        contents.models_left_out = models.len().saturating_sub(1);
    }
    Ok(contents)
}

const NAMES: [&str; 3] = [
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_alt",
    "_space_group_name_h-m_full",
];

const NUMBERS: [&str; 2] = ["_space_group_it_number", "_symmetry_int_tables_number"];

/// What the file says of the space group.
fn group(cif: &Tables) -> StatedGroup {
    const HALL: [&str; 2] = ["_space_group_name_hall", "_symmetry_space_group_name_hall"];
    // Some programs write a missing name in quotes, as '?', which is text in CIF.
    let text = |tags: &[&str]| {
        let text = cif.value(tags)?.text.trim();
        (!matches!(text, "" | "?" | ".")).then(|| text.to_owned())
    };
    StatedGroup {
        hall: text(&HALL),
        names: NAMES.iter().filter_map(|tag| text(&[tag])).collect(),
        number: text(&NUMBERS)
            .and_then(|text| text.parse().ok())
            .filter(|number| *number > 0),
    }
}

/// What the file says of the measurement.
fn data(cif: &Tables) -> DataStated {
    let first = |tags: &[&str]| {
        let mut numbers = tags.iter().filter_map(|tag| cif.value(&[tag]));
        numbers.find_map(|value| first_positive(value.certain()))
    };
    DataStated {
        dmin_a: first(&["_refine_ls_d_res_high", "_reflns_d_resolution_high"]),
        wavelength_a: first(&[
            "_diffrn_radiation_wavelength_wavelength",
            "_diffrn_radiation_wavelength",
            "_diffrn_source_pdbx_wavelength",
            "_diffrn_source_pdbx_wavelength_list",
        ]),
    }
}

/// The value in a column, if the table has the column and the value is known.
fn known<'a>(row: &[Value<'a>], column: Option<usize>) -> Option<Value<'a>> {
    let value = row.get(column?).copied()?;
    value.known().map(|_| value)
}

/// The position of a value, for messages.
fn place<'n>(name: &'n str, value: &Value) -> FieldPlace<'n> {
    FieldPlace {
        name,
        line: value.line,
    }
}

/// The cell; `None` if there is none, or if all edges are 1 A, as for a structure that is not from a
/// crystal.
fn cell(cif: &Tables, name: &str) -> Result<Option<CellSpec>, Error> {
    const EDGES: [&str; 3] = ["_cell_length_a", "_cell_length_b", "_cell_length_c"];
    const ANGLES: [&str; 3] = ["_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"];
    let mut values = Vec::new();
    for tag in EDGES {
        let Some(value) = cif.value(&[tag]) else {
            return Ok(None);
        };
        let expected = "a cell edge above 0 and up to 1e5 A";
        values.push(place(name, &value).number(value.certain(), 1e-3..=1e5, expected)?);
    }
    if values == [1.0; 3] {
        return Ok(None);
    }
    for tag in ANGLES {
        let expected = "a cell angle between 0 and 180 degrees";
        values.push(match cif.value(&[tag]) {
            Some(value) => place(name, &value).number(value.certain(), 1e-3..=179.999, expected)?,
            None => 90.0,
        });
    }
    Ok(Some(CellSpec::from_values(&values)?))
}

/// The operations as triplets, with their lines.
fn operations(cif: &Tables) -> Vec<(String, usize)> {
    const TAGS: [&str; 2] = [
        "_space_group_symop_operation_xyz",
        "_symmetry_equiv_pos_as_xyz",
    ];
    let Some(table) = cif.table(&TAGS) else {
        return Vec::new();
    };
    let column = TAGS.iter().find_map(|tag| table.column(tag));
    let rows = table.rows();
    rows.filter_map(|row| known(row, column))
        .map(|value| (value.text.to_owned(), value.line))
        .collect()
}

/// The non-crystallographic operations of copies that the file does not list.
fn copies(cif: &Tables, name: &str) -> Result<Vec<Copy>, Error> {
    let mut copies = Vec::new();
    let Some(table) = cif.table(&["_struct_ncs_oper_matrix[1][1]"]) else {
        return Ok(copies);
    };
    let code = table.column("_struct_ncs_oper_code");
    for row in table.rows() {
        // The atoms of a copy with the code `given` are in the file.
        if known(row, code).is_some_and(|value| value.text == "given") {
            continue;
        }
        let number = |tag: String| -> Result<f64, Error> {
            match known(row, table.column(&tag)) {
                Some(value) => place(name, &value).number(value.text, -1e6..=1e6, "a number"),
                None => Ok(0.0),
            }
        };
        let mut rows = [[0.0; 3]; 3];
        let mut translation_a = [0.0; 3];
        for (i, (row, shift)) in rows.iter_mut().zip(&mut translation_a).enumerate() {
            let i = i + 1;
            for (j, entry) in row.iter_mut().enumerate() {
                *entry = number(format!("_struct_ncs_oper_matrix[{i}][{}]", j + 1))?;
            }
            *shift = number(format!("_struct_ncs_oper_vector[{i}]"))?;
        }
        let copy = Copy {
            rotation: Matrix3::from_rows(&rows.map(RowVector3::from)),
            translation_a: translation_a.into(),
        };
        if !copy.is_identity() {
            copies.push(copy);
        }
    }
    Ok(copies)
}

/// S and shift of `u = S x + shift`, or the same from the conversion of fractions to A.
fn scale(cif: &Tables, name: &str) -> Result<Option<Scale>, Error> {
    if let Some(scale) = conversion(cif, name, "fract")? {
        return Ok(Some(scale));
    }
    let Some((rows, translation)) = conversion(cif, name, "cartn")? else {
        return Ok(None);
    };
    // A matrix without an inverse becomes one of zeros, which fits no cell.
    let inverse = Matrix3::from_rows(&rows.map(RowVector3::from)).try_inverse();
    let inverse = inverse.unwrap_or_else(Matrix3::zeros);
    let shift = -(inverse * Vector3::from(translation));
    // The columns of the transpose are the rows.
    Ok(Some((inverse.transpose().into(), shift.into())))
}

/// A matrix of `_atom_sites` and its translation, which is 0 if it is missing. The names are those of mmCIF or of the
/// core dictionary.
fn conversion(cif: &Tables, name: &str, to: &str) -> Result<Option<Scale>, Error> {
    let entry = |i: usize, j: usize| {
        let [new, old] = [
            format!("_atom_sites_{to}_transf_matrix[{i}][{j}]"),
            format!("_atom_sites_{to}_tran_matrix_{i}{j}"),
        ];
        cif.value(&[&new, &old])
    };
    let mut known = (0..9).filter_map(|n| entry(n / 3 + 1, n % 3 + 1));
    let Some(first) = known.next() else {
        return Ok(None);
    };
    let number = |value: &Value| place(name, value).number(value.certain(), -1e6..=1e6, "a number");
    let mut rows = [[0.0; 3]; 3];
    let mut translation = [0.0; 3];
    for (i, (row, shift)) in rows.iter_mut().zip(&mut translation).enumerate() {
        let i = i + 1;
        for (j, x) in row.iter_mut().enumerate() {
            let value = entry(i, j + 1).ok_or_else(|| {
                let expected = "all nine numbers of the matrix in _atom_sites";
                place(name, &first).error("?", expected)
            })?;
            *x = number(&value)?;
        }
        let [new, old] = [
            format!("_atom_sites_{to}_transf_vector[{i}]"),
            format!("_atom_sites_{to}_tran_vector_{i}"),
        ];
        if let Some(value) = cif.value(&[&new, &old]) {
            *shift = number(&value)?;
        }
    }
    Ok(Some((rows, translation)))
}

/// The corrections f' and f'' of the atom types.
fn dispersion(cif: &Tables, name: &str) -> Result<Dispersion, Error> {
    const REAL: &str = "_atom_type_scat_dispersion_real";
    let mut dispersion = Dispersion::new();
    let Some(table) = cif.table(&[REAL]) else {
        return Ok(dispersion);
    };
    let symbol = table.column("_atom_type_symbol");
    let [real, imaginary] = [
        table.column(REAL),
        table.column("_atom_type_scat_dispersion_imag"),
    ];
    for row in table.rows() {
        let number = |column| -> Result<f64, Error> {
            let expected = "a dispersion correction from -100 to 100 electrons";
            match known(row, column) {
                Some(value) => {
                    place(name, &value).number(value.certain(), -100.0..=100.0, expected)
                }
                None => Ok(0.0),
            }
        };
        let correction = Correction {
            real: number(real)?,
            imaginary: number(imaginary)?,
        };
        if let Some((element, _)) = known(row, symbol).and_then(|value| atom_type(value.text)) {
            dispersion.insert(element, correction);
        }
    }
    Ok(dispersion)
}

/// The displacement tensors, by the label or number of their atom.
fn anisotropic<'a>(
    cif: &Tables<'a>,
    name: &str,
) -> Result<HashMap<&'a str, FileDisplacement>, Error> {
    const KEYS: [&str; 2] = [TENSOR_OF_MMCIF, "_atom_site_aniso_label"];
    let mut found = HashMap::new();
    let Some(table) = cif.table(&KEYS) else {
        return Ok(found);
    };
    let key = KEYS.iter().find_map(|tag| table.column(tag));
    // mmCIF has U for the orthogonal axes; a small-molecule CIF has U for a*, b*, c*.
    let is_cartesian = table.column(KEYS[0]).is_some();
    const INDICES: [[usize; 2]; 6] = [[1, 1], [2, 2], [3, 3], [1, 2], [1, 3], [2, 3]];
    let columns = |letter: &str| {
        INDICES.map(|[i, j]| {
            let new = table.column(&format!("_atom_site_anisotrop_{letter}[{i}][{j}]"));
            new.or_else(|| table.column(&format!("_atom_site_aniso_{letter}_{i}{j}")))
        })
    };
    let (u, b, beta) = (columns("u"), columns("b"), columns("beta"));
    // beta of i and j is 2 pi^2 a*_i a*_j U.
    let beta_over_u = match cell(cif, name)? {
        Some(cell) => {
            let [a, b, c] = CellFrame::new(cell)?.reciprocal_lengths_per_a();
            [a * a, b * b, c * c, a * b, a * c, b * c].map(|edges| B_OVER_U / 4.0 * edges)
        }
        None => [f64::INFINITY; 6],
    };
    for row in table.rows() {
        let mut u_a2 = [0.0; 6];
        let mut is_known = true;
        let columns = u.into_iter().zip(b).zip(beta).zip(beta_over_u);
        for (component, (((u, b), beta), beta_over_u)) in u_a2.iter_mut().zip(columns) {
            // A file has U, or B = 8 pi^2 U, or beta.
            let (value, scale) = match (known(row, u), known(row, b), known(row, beta)) {
                (Some(value), ..) => (value, 1.0),
                (None, Some(value), _) => (value, 1.0 / B_OVER_U),
                (None, None, Some(value)) => (value, 1.0 / beta_over_u),
                (None, None, None) => {
                    is_known = false;
                    break;
                }
            };
            let most = 12.0 / scale;
            let expected = "a component of U from -12 to 12 A^2";
            *component =
                place(name, &value).number(value.certain(), -most..=most, expected)? * scale;
        }
        if let (Some(key), true) = (known(row, key), is_known) {
            let displacement = if is_cartesian {
                FileDisplacement::Cartesian { u_a2 }
            } else {
                FileDisplacement::Reciprocal { u_a2 }
            };
            found.insert(key.text, displacement);
        }
    }
    Ok(found)
}

/// The positions of the columns in the table of atoms.
struct Columns {
    position: [Option<usize>; 3],
    is_orthogonal: bool,
    id: Option<usize>,
    label: Option<usize>,
    symbol: Option<usize>,
    charge: Option<usize>,
    occupancy: Option<usize>,
    order: Option<usize>,
    b: Option<usize>,
    u: Option<usize>,
    model: Option<usize>,
}

impl Columns {
    /// The columns of a table. Orthogonal coordinates are preferred to fractional ones.
    fn new(table: &Table) -> Self {
        let is_orthogonal = table.column(ORTHOGONAL[0]).is_some();
        let tags = if is_orthogonal {
            ORTHOGONAL
        } else {
            FRACTIONAL
        };
        Self {
            position: tags.map(|tag| table.column(tag)),
            is_orthogonal,
            id: table.column("_atom_site_id"),
            label: table.column("_atom_site_label"),
            symbol: table.column("_atom_site_type_symbol"),
            charge: table.column("_atom_site_pdbx_formal_charge"),
            occupancy: table.column("_atom_site_occupancy"),
            // The older _atom_site_symmetry_multiplicity has the order in some files and the multiplicity in others.
            order: table.column("_atom_site_site_symmetry_order"),
            b: table.column("_atom_site_b_iso_or_equiv"),
            u: table.column("_atom_site_u_iso_or_equiv"),
            model: table.column("_atom_site_pdbx_pdb_model_num"),
        }
    }

    /// The atom of a row.
    fn atom(
        &self,
        row: &[Value],
        name: &str,
        displacements: &HashMap<&str, FileDisplacement>,
        odd: &mut OddAtoms,
    ) -> Result<FileAtom, Error> {
        let line = row.first().map_or(0, |value| value.line);
        let here = FieldPlace { name, line };
        let mut position = [0.0; 3];
        for (coordinate, column) in position.iter_mut().zip(self.position) {
            let word = known(row, column).map_or("", |value| value.certain());
            *coordinate = here.coordinate(word)?;
        }
        let (element, charge) = self.element(row, here, odd)?;
        // A CIF without the column of occupancies has atoms that are there.
        let mut is_missing = self.occupancy.is_some();
        let occupancy = match known(row, self.occupancy) {
            Some(value) => {
                is_missing = false;
                here.occupancy(value.certain())?
            }
            None => 1.0,
        };
        let key = known(row, self.id).or_else(|| known(row, self.label));
        // A tensor is more exact than the equivalent isotropic number beside it.
        let tensor = key.and_then(|key| displacements.get(key.text));
        let displacement = match (tensor, known(row, self.b), known(row, self.u)) {
            (Some(tensor), _, _) => *tensor,
            (None, Some(b), _) => FileDisplacement::Isotropic {
                b_a2: here.b_a2(b.certain())?,
            },
            (None, None, Some(u)) => {
                let expected = "a U from -1.26 to 12.6 A^2";
                let range = LEAST_B_A2 / B_OVER_U..=MOST_B_A2 / B_OVER_U;
                FileDisplacement::Isotropic {
                    b_a2: here.number(u.certain(), range, expected)? * B_OVER_U,
                }
            }
            (None, None, None) => {
                is_missing = true;
                FileDisplacement::Isotropic { b_a2: MISSING_B_A2 }
            }
        };
        odd.missing += usize::from(is_missing);
        Ok(FileAtom {
            element,
            charge,
            position: if self.is_orthogonal {
                Position::Orthogonal(position)
            } else {
                Position::Fractional(position)
            },
            occupancy,
            site_order: known(row, self.order)
                .and_then(|value| value.certain().parse().ok())
                .filter(|order| (1.0..=MOST_ORDER).contains(order)),
            displacement,
        })
    }

    /// The element and the charge of a row.
    fn element(
        &self,
        row: &[Value],
        here: FieldPlace,
        odd: &mut OddAtoms,
    ) -> Result<(Element, i8), Error> {
        let symbol = known(row, self.symbol);
        let label = known(row, self.label).map_or("", |value| value.text);
        let (text, found) = match symbol {
            Some(symbol) => (symbol.text, atom_type(symbol.text)),
            None => (label, element_of_label(label).map(|element| (element, 0))),
        };
        if self.symbol.is_none() && self.label.is_none() {
            let expected = "an element, in _atom_site.type_symbol or in _atom_site_label";
            return Err(here.error("no such column", expected));
        }
        let (element, is_known) = element_or_oxygen(found.map(|(e, _)| e), text, &here)?;
        if !is_known {
            odd.unknown(text, here.line);
        }
        let charge = match known(row, self.charge) {
            Some(value) => {
                let charge: Option<f64> = value.text.parse().ok();
                let charge = charge.filter(|charge| charge.abs() <= 8.0);
                odd.charges += usize::from(charge.is_none());
                charge.unwrap_or(0.0) as i8
            }
            None => found.map_or(0, |(_, charge)| charge),
        };
        Ok((element, charge))
    }
}

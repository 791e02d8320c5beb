use super::{DATA, MAGIC, RECORD, WORD};
use crate::cell::CellSpec;
use crate::constants::DEGREES_PER_RADIAN;
use crate::error::Error;
use crate::reflections::{Amplitude, ReflectionList};
use crate::symmetry::{CrystalSystem, SpaceGroup};

/// The bytes of a file with the columns h, k, l, F (or F(+) and F(-)), and the phase if there is one.
///
/// All numbers have 32 bits, as the format requires, in little-endian byte order.
///
/// # Errors
/// [`Error::CellNeeded`] for a list without a cell.
pub fn to_bytes(list: &ReflectionList) -> Result<Vec<u8>, Error> {
    let cell = list.cell.ok_or(Error::CellNeeded { format: "MTZ" })?;
    let (is_anomalous, has_phases) = (list.is_anomalous(), list.has_phases());
    let mut columns = vec![("H", 'H'), ("K", 'H'), ("L", 'H')];
    if is_anomalous {
        columns.extend([("F(+)", 'G'), ("F(-)", 'G')]);
    } else {
        columns.push(("F", 'F'));
    }
    if has_phases {
        columns.push(("PHI", 'P'));
    }
    let width = columns.len();
    let mut rows: Vec<f32> = Vec::with_capacity(width * list.reflections.len());
    for reflection in &list.reflections {
        rows.extend(reflection.hkl.map(|index| index as f32));
        match (reflection.amplitude, is_anomalous) {
            (Amplitude::Same(f), false) => rows.push(f as f32),
            (amplitude, _) => rows.extend([amplitude.of(false) as f32, amplitude.of(true) as f32]),
        }
        if has_phases {
            let phase = reflection.phase_rad.map(|phase| phase * DEGREES_PER_RADIAN);
            rows.push(phase.map_or(f32::NAN, |degrees| whole_turns_off(degrees) as f32));
        }
    }

    // Positions are counted in words from 1.
    let header_word = DATA / WORD + rows.len() + 1;
    let mut bytes = Vec::with_capacity(header_word * WORD + 40 * RECORD);
    bytes.extend_from_slice(MAGIC);
    match i32::try_from(header_word) {
        Ok(word) => bytes.extend(word.to_le_bytes()),
        // -1 refers to the 64-bit position after the machine stamp.
        Err(_) => bytes.extend((-1_i32).to_le_bytes()),
    }
    // The machine stamp: little-endian IEEE floating point, little-endian integers, ASCII.
    bytes.extend([0x44, 0x41, 0, 0]);
    bytes.extend((header_word as i64).to_le_bytes());
    bytes.resize(DATA, 0);
    bytes.extend(rows.iter().flat_map(|number| number.to_le_bytes()));

    let mut record = |text: String| {
        bytes.extend(text.bytes().chain(std::iter::repeat(b' ')).take(RECORD));
    };
    let [a, b, c] = cell.lengths_angstrom;
    let [alpha, beta, gamma] = cell.angles_rad.map(|angle| angle * DEGREES_PER_RADIAN);
    let cell_text = format!("{a:10.4}{b:10.4}{c:10.4}{alpha:10.4}{beta:10.4}{gamma:10.4}");
    record("VERS MTZ:V1.1".into());
    record("TITLE structure factors".into());
    record(format!(
        "NCOL {width:8} {:12} {:8}",
        list.reflections.len(),
        0
    ));
    record(format!("CELL {cell_text}"));
    // Sorted by the first three columns, h, k, l.
    record(format!("SORT {:4}{:4}{:4}{:4}{:4}", 1, 2, 3, 0, 0));
    record(syminf(&list.space_group));
    for operation in list.space_group.operations() {
        record(format!("SYMM {}", operation.to_string().to_uppercase()));
    }
    let [low, high] = resolution_range(list, &cell);
    record(format!("RESO {low:<20.12} {high:<20.12}"));
    record("VALM NAN".into());
    for (i, (label, kind)) in columns.iter().enumerate() {
        let values = rows.iter().skip(i).step_by(width).filter(|v| !v.is_nan());
        let (min, max) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), v| {
            (min.min(*v), max.max(*v))
        });
        let [min, max] = [min, max].map(|v| if v.is_finite() { v } else { 0.0 });
        // h, k, l belong to the base dataset 0, the other columns to dataset 1.
        let dataset = u8::from(i >= 3);
        record(format!(
            "COLUMN {label:<30} {kind} {min:17.4} {max:17.4} {dataset:4}"
        ));
    }
    record("NDIF        2".into());
    for (id, name) in [(0, "HKL_base"), (1, "nanoBragg")] {
        record(format!("PROJECT {id:7} {name}"));
        record(format!("CRYSTAL {id:7} {name}"));
        record(format!("DATASET {id:7} {name}"));
        record(format!("DCELL   {id:7} {cell_text}"));
        record(format!("DWAVEL  {id:7} {:10.5}", 0.0));
    }
    record("END".into());
    record("MTZENDOFHEADERS".into());
    Ok(bytes)
}

/// The same angle between -180 and 180 degrees.
fn whole_turns_off(degrees: f64) -> f64 {
    degrees - 360.0 * (degrees / 360.0).round()
}

/// The record SYMINF: the number of operations, the number without centring, lattice letter, group
/// number, name, and point group.
fn syminf(group: &SpaceGroup) -> String {
    let name = group.name();
    // CCP4 writes H for hexagonal axes and R for rhombohedral ones, and does not write the origin.
    let name = match name.split_once(':') {
        Some((name, "H")) => name.replacen('R', "H", 1),
        Some((name, _)) => name.to_owned(),
        None => name.to_owned(),
    };
    let letter = match group.crystal_system() {
        CrystalSystem::Trigonal if name.starts_with('H') => 'H',
        _ => group.lattice_letter(),
    };
    format!(
        "SYMINF {:3} {:2} {letter} {:5} {:>22} {:>5}",
        group.operations().len(),
        group.representatives().len(),
        group.number().unwrap_or(0),
        format!("'{name}'"),
        "'PG'"
    )
}

/// The smallest and the largest `1/d^2` in 1/A^2.
fn resolution_range(list: &ReflectionList, cell: &CellSpec) -> [f64; 2] {
    let listed = list.reflections.iter();
    let (low, high) = listed
        .map(|reflection| cell.inverse_d_squared(reflection.hkl))
        .filter(|square| *square > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), square| {
            (low.min(square), high.max(square))
        });
    [if low.is_finite() { low } else { 0.0 }, high]
}

use std::fmt::Write;

use crate::constants::DEGREES_PER_RADIAN;
use crate::reflections::{Amplitude, ReflectionList};

/// The bytes of a file with h, k, l, F (or F(+) and F(-)), and the phase if there is one.
///
/// Amplitudes have as many digits as they need to be read back exactly.
pub fn to_bytes(list: &ReflectionList) -> Vec<u8> {
    let mut text = String::from("data_nanobragg\n#\n");
    // Writing to a string cannot fail.
    let mut line = |words: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{words}");
    };
    if let Some(cell) = list.cell {
        for (name, length) in ["a", "b", "c"].into_iter().zip(cell.lengths_angstrom) {
            line(format_args!("_cell.length_{name} {length}"));
        }
        for (name, angle) in ["alpha", "beta", "gamma"].into_iter().zip(cell.angles_rad) {
            line(format_args!("_cell.angle_{name} {}", degrees(angle)));
        }
    }
    let group = &list.space_group;
    line(format_args!(
        "_symmetry.space_group_name_H-M '{}'",
        group.name()
    ));
    if let Some(number) = group.number() {
        line(format_args!("_symmetry.Int_Tables_number {number}"));
    }
    line(format_args!(
        "#\nloop_\n_symmetry_equiv.id\n_symmetry_equiv.pos_as_xyz"
    ));
    for (i, operation) in group.operations().iter().enumerate() {
        line(format_args!("{} {operation}", i + 1));
    }
    let (is_anomalous, has_phases) = (list.is_anomalous(), list.has_phases());
    line(format_args!(
        "#\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l"
    ));
    line(format_args!(
        "{}",
        if is_anomalous {
            "_refln.pdbx_F_plus\n_refln.pdbx_F_minus"
        } else {
            "_refln.F_calc_au"
        }
    ));
    if has_phases {
        line(format_args!("_refln.phase_calc"));
    }
    for reflection in &list.reflections {
        let [h, k, l] = reflection.hkl;
        let f = match (reflection.amplitude, is_anomalous) {
            (Amplitude::Same(f), false) => f.to_string(),
            (amplitude, _) => format!("{} {}", amplitude.of(false), amplitude.of(true)),
        };
        let phase = match (has_phases, reflection.phase_rad) {
            (false, _) => String::new(),
            (true, None) => " ?".to_owned(),
            (true, Some(phase)) => format!(" {}", degrees(phase)),
        };
        line(format_args!("{h} {k} {l} {f}{phase}"));
    }
    text.into_bytes()
}

/// Degrees, rounded so that 90 degrees, converted to radians and back, are written as 90.
fn degrees(angle_rad: f64) -> f64 {
    const PLACES: f64 = 1e9;
    (angle_rad * DEGREES_PER_RADIAN * PLACES).round() / PLACES
}

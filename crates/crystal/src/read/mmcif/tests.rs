use nanobragg_io::cif::is_cif;

use super::*;
use crate::{Amplitude, ColumnChoice, ListedReflection, ReflectionList};

const FILE: &[u8] = b"# a structure-factor file
data_r1akisf
_cell.entry_id 1AKI
_cell.length_a 59.062(3)
_cell.length_b 68.451
_cell.length_c 30.517
_cell.angle_alpha 90.0
_cell.angle_beta 90.0
_cell.angle_gamma 90.0
_symmetry.space_group_name_H-M 'P 21 21 21'
_audit.text
;free text with loop_ and data_
;
loop_
_refln.crystal_id
_refln.index_h
_refln.index_k
_refln.index_l
_refln.status
_refln.F_meas_au
_refln.F_meas_sigma_au
_refln.F_calc
_refln.phase_calc
1 0 0 4 o 72.4 1.1 100.5 180
1 1 2 3 f ? ? 50.25 -90.5
1 2 2 3 x . . . .
#END
data_second
_cell.length_a 1
";

fn fault(text: &[u8]) -> String {
    parse(text, "a.cif").unwrap_err().to_string()
}

#[test]
fn a_file_of_the_data_bank_is_read() {
    let table = parse(FILE, "a.cif").unwrap();
    assert_eq!(
        table.cell.unwrap().lengths_angstrom,
        [59.062, 68.451, 30.517]
    );
    assert_eq!(table.space_group.as_ref().unwrap().number(), Some(19));
    let labels: Vec<&str> = table.columns.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(labels, ["F_meas_au", "F_calc", "phase_calc"]);
    let choice = ColumnChoice::new(&table, &[]).unwrap();
    assert_eq!(choice.to_string(), "F_calc, phase_calc");
    let list = ReflectionList::from_table(&table, &choice, None);
    assert_eq!((list.reflections.len(), list.missing_count), (2, 1));
    assert_eq!(list.reflections[1].amplitude, Amplitude::Same(50.25));
    assert!(is_cif(FILE) && !is_cif(b"# h k l F\n1 2 3 4\n") && !is_cif(b""));
}

#[test]
fn older_tags_and_listed_operations_are_understood() {
    let text = b"data_x\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'-x, y+1/2, -z'\n\
        loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_calc\n1 2 3 16\n";
    let table = parse(text, "a.cif").unwrap();
    assert_eq!(table.space_group.as_ref().unwrap().number(), Some(4));
    let choice = ColumnChoice::new(&table, &[]).unwrap();
    let list = ReflectionList::from_table(&table, &choice, None);
    assert_eq!(list.reflections[0].amplitude, Amplitude::Same(4.0));
}

#[test]
fn errors_have_file_and_line() {
    let text = |row: &str| {
        let head = "data_x\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_calc\n";
        format!("{head}1 2 3 4\n{row}\n").into_bytes()
    };
    assert_eq!(
        fault(&text("1 2 3")),
        "a.cif:2: a loop whose values do not fill its last row: 3 of 4 in line 8"
    );
    assert!(fault(&text("1 2 3 x")).starts_with("a.cif:8: found `x`, expected a number"));
    assert!(fault(&text("1 2.5 3 1")).starts_with("a.cif:8: found `2.5`, expected a whole"));
    assert!(fault(&text("1 2 3 'open")).starts_with("a.cif:8: a quoted value"));
    assert!(fault(b"data_x\nloop_\n1\n").contains("no tags"));
    assert!(fault(b"data_x\nstray\n").contains("belongs to no tag"));
    assert!(fault(b"data_x\n").contains("no reflection"));
    assert!(
        fault(b"data_x\nloop_\n_refln.index_h\n_refln.F_calc\n1 2\n").contains("_refln_index_k")
    );
    let group = b"data_x\n_symmetry.space_group_name_H-M 'Q 7'\n\
        loop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_calc\n1 2 3 4\n";
    assert!(fault(group).contains("a.cif: found `Q 7`"));
}

#[test]
fn what_is_written_reads_back() {
    let table = parse(FILE, "a.cif").unwrap();
    let choice = ColumnChoice::new(&table, &[]).unwrap();
    let mut list = ReflectionList::from_table(&table, &choice, None);
    for amplitude in [Amplitude::Same(0.1), Amplitude::Pair(1.0 / 3.0, 7e-9)] {
        list.reflections.push(ListedReflection {
            hkl: [-5, 0, 7],
            amplitude,
            phase_rad: None,
        });
        let table = parse(&to_bytes(&list), "b.cif").unwrap();
        let choice = ColumnChoice::new(&table, &[]).unwrap();
        let again = ReflectionList::from_table(&table, &choice, None);
        assert_eq!(again.cell, list.cell);
        assert_eq!(again.space_group, list.space_group);
        for (a, b) in again.reflections.iter().zip(&list.reflections) {
            assert_eq!(a.hkl, b.hkl);
            assert_eq!(a.amplitude.of(true), b.amplitude.of(true));
            let difference = a.phase_rad.unwrap_or(9.0) - b.phase_rad.unwrap_or(9.0);
            assert!(difference.abs() < 1e-10);
        }
    }
}

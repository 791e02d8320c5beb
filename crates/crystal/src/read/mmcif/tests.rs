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
    assert_eq!((list.reflections.len(), list.counts.missing), (2, 1));
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
}

/// F of the reflections in the columns that are chosen, and the counts.
fn factors(text: &str) -> (String, Vec<f64>, crate::RowCounts) {
    let table = parse(text.as_bytes(), "a.cif").unwrap();
    let choice = ColumnChoice::new(&table, &[]).unwrap();
    let list = ReflectionList::from_table(&table, &choice, None);
    let factors = list.reflections.iter().map(|r| r.amplitude.of(false));
    (choice.to_string(), factors.collect(), list.counts)
}

const INDICES: &str = "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n";

#[test]
fn lists_of_shelxl_are_read_by_their_columns() {
    for (columns, row, chosen, amplitude) in [
        (
            "F_meas F_sigma A_calc B_calc",
            "11 1 -6 8",
            "F_calc, phase_calc",
            10.0,
        ),
        (
            "F_squared_calc F_squared_meas F_squared_sigma observed_status",
            "100 121 1 o",
            "F_squared_meas",
            11.0,
        ),
        (
            "F_meas F_calc phase_calc",
            "11 10 180",
            "F_calc, phase_calc",
            10.0,
        ),
        (
            "F_squared_meas F_squared_sigma F_calc phase_calc",
            "121 1 10 180",
            "F_calc, phase_calc",
            10.0,
        ),
        (
            "F_squared_meas F_squared_sigma F_squared_calc phase_calc d_spacing shelx_refinement_sigma",
            "121 1 100 180 2.5 1",
            "F_squared_meas",
            11.0,
        ),
    ] {
        for (mark, end) in [("_refln_", ""), ("_refln.", " ")] {
            let tags: String = columns
                .split(' ')
                .map(|tag| format!("{mark}{tag}\n"))
                .collect();
            let text = format!(
                "data_x\n{}{tags}1 2 3 {row}{end}\n",
                INDICES.replace("refln_", &mark[1..])
            );
            let (found, factors, _) = factors(&text);
            assert_eq!((found.as_str(), factors[0]), (chosen, amplitude), "{text}");
        }
    }
}

#[test]
fn rejected_measurements_are_left_out_and_the_test_set_is_kept() {
    let rows =
        "1 0 0 o 1\n1 0 1 f 2\n1 0 2 x 3\n1 0 3 - 4\n1 0 4 < 5\n1 0 5 h 6\n1 0 6 l 7\n1 0 7 ? 8\n";
    let text = |column: &str| format!("data_x\n{INDICES}_refln.status\n_refln.{column}\n{rows}");
    let (_, measured, counts) = factors(&text("F_meas_au"));
    assert_eq!(measured, [1.0, 2.0, 5.0, 6.0, 7.0, 8.0]);
    assert_eq!((counts.rejected, counts.test_set), (2, 1));
    // What a model says of a reflection does not depend on its measurement.
    let (_, calculated, counts) = factors(&text("F_calc_au"));
    assert_eq!((calculated.len(), counts.rejected), (8, 0));
}

#[test]
fn repeated_intensities_are_averaged_before_the_root() {
    let text = format!(
        "data_x\n{INDICES}_refln_F_squared_meas\n1 0 0 -4\n1 0 1 9\n1 0 0 54\n1 0 0 ?\n1 0 2 -1\n"
    );
    let (_, found, counts) = factors(&text);
    assert_eq!(found, [5.0, 3.0, 0.0]);
    assert_eq!(
        (counts.repeated, counts.missing, counts.negative),
        (1, 1, 1)
    );
}

#[test]
fn cell_and_symmetry_come_from_another_block_if_there_is_no_other() {
    let cell = "_cell_length_a 10\n_cell_length_b 20\n_cell_length_c 30\n_cell_angle_alpha 90\n\
        _cell_angle_beta 100\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'I 2'\n";
    let other = cell.replace("length_a 10", "length_a 99");
    let rows = format!("{INDICES}_refln_F_calc\n1 2 3 4\n");
    for (text, is_noted) in [
        (format!("data_a\n{cell}data_b\n{rows}"), true),
        (format!("data_b\n{rows}data_a\n{cell}"), true),
        (format!("data_b\n{rows}{cell}data_a\n{other}"), false),
        (format!("data_a\n{other}data_b\n{cell}{rows}"), false),
        (
            format!("data_a\n{other}data_c\n{cell}data_b\n{rows}data_d\n{other}"),
            true,
        ),
    ] {
        let table = parse(text.as_bytes(), "a.cif").unwrap();
        assert_eq!(
            table.cell.unwrap().lengths_angstrom,
            [10.0, 20.0, 30.0],
            "{text}"
        );
        assert_eq!(table.space_group.unwrap().name(), "I 1 2 1", "{text}");
        assert_eq!(!table.notes.is_empty(), is_noted, "{text}");
    }
}

#[test]
fn a_name_that_is_not_understood_gives_way_to_the_number() {
    let text = |more: &str| {
        format!(
            "data_x\n_symmetry.space_group_name_H-M 'Q 7'\n{more}{INDICES}_refln_F_calc\n1 2 3 4\n"
        )
    };
    let table = parse(text("_symmetry.Int_Tables_number 19\n").as_bytes(), "a.cif").unwrap();
    assert_eq!(table.space_group.unwrap().number(), Some(19));
    assert!(table.notes[0].to_string().contains("P 21 21 21 is used"));
    let table = parse(text("").as_bytes(), "a.cif").unwrap();
    assert_eq!(table.space_group, None);
    assert_eq!(
        table.notes[0].to_string(),
        "the space group `Q 7` is not understood"
    );
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

#[test]
fn the_wavelength_is_read_from_both_dictionaries() {
    for (tag, expected) in [
        (
            "_diffrn_radiation_wavelength.wavelength 0.9793",
            Some(0.9793),
        ),
        ("_diffrn_radiation_wavelength 0.71073(2)", Some(0.71073)),
        ("_diffrn_radiation_wavelength.wavelength ?", None),
        (
            "loop_ _diffrn_radiation_wavelength.wavelength 0.979 0.981",
            Some(0.979),
        ),
    ] {
        let text = format!("data_x\n{tag}\n{INDICES}_refln.F_calc\n1 2 3 5\n");
        assert_eq!(
            parse(text.as_bytes(), "x.cif").unwrap().wavelength_a,
            expected,
            "{tag}"
        );
    }
}

#[test]
fn f_of_both_mates_stands_in_where_both_are_missing() {
    let text = |rows: &str| {
        let columns = "F_meas_au pdbx_F_plus pdbx_F_minus wavelength_id crystal_id status";
        let tags = columns.split(' ').map(|tag| format!("_refln_{tag}\n"));
        format!("data_x\n{INDICES}{}{rows}", tags.collect::<String>())
    };
    let one = text(
        "0 0 4 100.0 ? ? 1 1 o\n1 2 3 20 19 21 1 1 o\n2 2 3 50 ? ? 1 1 x\n0 0 6 ? ? ? ? 1 o\n",
    );
    let (columns, found, counts) = factors(&one);
    assert_eq!(columns, "pdbx_F_plus, pdbx_F_minus");
    assert_eq!(found, [100.0, 19.0]);
    assert_eq!((counts.of_both, counts.missing, counts.rejected), (1, 1, 1));
    assert_eq!(parse(one.as_bytes(), "a.cif").unwrap().notes, []);

    let several = text("0 0 4 100.0 ? ? 1 1 o\n1 2 3 20 19 21 2 1 o\n1 2 4 20 19 21 3 1 o\n");
    let notes = parse(several.as_bytes(), "a.cif").unwrap().notes;
    let messages: Vec<_> = notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        ["reflections of several wavelengths (_refln.wavelength_id) are taken together"]
    );
}

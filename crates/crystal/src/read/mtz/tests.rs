use super::*;
use crate::reflections::{Amplitude, ColumnChoice, ListedReflection, ReflectionList};
use crate::{CellSpec, SpaceGroup};

fn list() -> ReflectionList {
    let group = SpaceGroup::from_name("P 21 21 21").unwrap();
    let mut list = ReflectionList::from_text(&[], Some(&group));
    list.cell = CellSpec::from_values(&[50.0, 60.0, 70.0]).ok();
    for (i, hkl) in [[0, 0, 2], [1, 2, 3], [-4, 0, 5]].into_iter().enumerate() {
        list.reflections.push(ListedReflection {
            hkl,
            amplitude: Amplitude::Same(100.25 + i as f64),
            phase_rad: (i != 1).then_some(0.5 * i as f64),
        });
    }
    list
}

fn back(bytes: &[u8]) -> Result<ReflectionList, Error> {
    let table = parse(bytes, "a.mtz")?;
    let choice = ColumnChoice::new(&table, &[])?;
    Ok(ReflectionList::from_table(&table, &choice, None))
}

fn fault(bytes: &[u8]) -> String {
    parse(bytes, "a.mtz").unwrap_err().to_string()
}

/// The same file as a machine of the other byte order writes it.
fn big_endian(little: &[u8]) -> Vec<u8> {
    let mut bytes = little.to_vec();
    let word = i32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let (words, _) = bytes[..(word - 1) * WORD].as_chunks_mut::<WORD>();
    for (i, word) in words.iter_mut().enumerate() {
        if i == 1 || i >= 20 {
            word.reverse();
        }
    }
    bytes[8..10].copy_from_slice(&[0x11, 0x11]);
    bytes
}

#[test]
fn what_is_written_reads_back() {
    let list = list();
    let again = back(&to_bytes(&list).unwrap()).unwrap();
    assert_eq!(again.cell, list.cell);
    assert_eq!(again.space_group, list.space_group);
    for (a, b) in again.reflections.iter().zip(&list.reflections) {
        assert_eq!((a.hkl, a.amplitude), (b.hkl, b.amplitude));
        assert_eq!(a.phase_rad.is_some(), b.phase_rad.is_some());
    }
}

#[test]
fn the_wavelength_is_that_of_the_first_data_set_with_one() {
    let bytes = to_bytes(&list()).unwrap();
    let none = parse(&bytes, "a.mtz").unwrap();
    assert_eq!(none.wavelength_a, None);
    // 1/d^2 of -4 0 5 is 16/50^2 + 25/70^2.
    let finest = none.finest_a(&none.cell.unwrap()).unwrap();
    assert!((finest - 9.324_220_8).abs() < 1e-6, "{finest}");

    let record = |wavelength: &str| format!("DWAVEL        1 {wavelength:>10}").into_bytes();
    let old = record("0.00000");
    let at = bytes.windows(old.len()).position(|part| part == old);
    let mut with_one = bytes.clone();
    with_one[at.unwrap()..][..old.len()].copy_from_slice(&record("0.97950"));
    let table = parse(&with_one, "a.mtz").unwrap();
    assert_eq!(table.wavelength_a, Some(0.9795));
}

#[test]
fn indices_are_found_by_their_names() {
    // H K L F PHI becomes F L PHI K H.
    let bytes = to_bytes(&list()).unwrap();
    let word = i32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let (numbers, header) = bytes[DATA..].split_at((word - 1) * WORD - DATA);
    const ORDER: [usize; 5] = [3, 2, 4, 1, 0];
    let mut moved = bytes[..DATA].to_vec();
    for row in numbers.chunks(5 * WORD) {
        for place in ORDER {
            moved.extend_from_slice(&row[place * WORD..][..WORD]);
        }
    }
    let records: Vec<&[u8]> = header.chunks(RECORD).collect();
    let is_column = |record: &&[u8]| record.starts_with(b"COLUMN");
    let first = records.iter().position(is_column).unwrap();
    for (i, record) in records.iter().enumerate() {
        let from = match i.checked_sub(first).and_then(|i| ORDER.get(i)) {
            Some(place) => records[first + place],
            None => record,
        };
        moved.extend_from_slice(from);
    }
    assert_eq!(back(&moved).unwrap(), back(&bytes).unwrap());
}

#[test]
fn both_byte_orders_are_read() {
    let little = to_bytes(&list()).unwrap();
    let big = big_endian(&little);
    assert_eq!(back(&big).unwrap(), back(&little).unwrap());
}

#[test]
fn anomalous_pairs_are_written_in_two_columns() {
    let mut list = list();
    list.reflections[1].amplitude = Amplitude::Pair(1.5, 2.5);
    let again = back(&to_bytes(&list).unwrap()).unwrap();
    assert_eq!(again.reflections[1].amplitude, Amplitude::Pair(1.5, 2.5));
    assert_eq!(
        again.reflections[0].amplitude,
        Amplitude::Pair(100.25, 100.25)
    );
}

#[test]
fn missing_values_are_skipped() {
    let mut bytes = to_bytes(&list()).unwrap();
    // F of the first reflection.
    bytes[DATA + 12..DATA + 16].copy_from_slice(&f32::NAN.to_le_bytes());
    let again = back(&bytes).unwrap();
    assert_eq!((again.reflections.len(), again.counts.missing), (2, 1));

    let at = bytes.windows(8).position(|w| w == b"VALM NAN").unwrap();
    bytes[at..at + 8].copy_from_slice(b"VALM -99");
    bytes[DATA + 12..DATA + 16].copy_from_slice(&(-99.0_f32).to_le_bytes());
    assert_eq!(back(&bytes).unwrap().counts.missing, 1);
}

#[test]
fn truncated_files_are_errors() {
    let bytes = to_bytes(&list()).unwrap();
    let end = bytes.windows(4).position(|w| w == b"END ").unwrap();
    for length in 0..end {
        assert!(parse(&bytes[..length], "a.mtz").is_err(), "{length}");
    }
}

#[test]
fn faults_name_the_file_and_what_is_wrong() {
    let good = to_bytes(&list()).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        fault(&changed)
    };
    let find = |text: &[u8]| good.windows(text.len()).position(|w| w == text).unwrap();
    assert!(fault(b"MTX ").contains("does not begin"));
    assert!(with(8, &[0x22]).contains("machine stamp"));
    assert!(with(4, &i32::MAX.to_le_bytes()).contains("word 2147483647"));
    assert!(with(4, &0_i32.to_le_bytes()).contains("word 0"));
    assert!(with(DATA, &1.5_f32.to_le_bytes()).contains("1.5"));
    assert!(with(DATA, &f32::NAN.to_le_bytes()).contains("NaN"));
    assert!(with(find(b"NCOL"), b"NCOL  99999").contains("99999 columns"));
    assert!(with(find(b"NCOL"), b"XCOL").contains("NCOL"));
    assert!(with(find(b"SYMM X,"), b"SYMM W").contains("symmetry operation"));
    assert!(with(find(b"COLUMN H") + 38, b"R").contains("indices h, k, l"));
    let many = format!("NCOL {:8} {:12}", 5, 99_999_999_999_u64);
    assert!(with(find(b"NCOL"), many.as_bytes()).contains("announces"));
    assert!(fault(&good[..40]).starts_with("a.mtz: "));
}

#[test]
fn without_a_cell_of_the_file_that_of_a_data_set_is_used() {
    let good = to_bytes(&list()).unwrap();
    let with = |changes: &[(&str, &str)]| {
        let mut bytes = good.clone();
        for (key, to) in changes {
            // DCELL has the same four letters, but not at the beginning of a record.
            let word = i32::from_le_bytes(good[4..8].try_into().unwrap()) as usize;
            let start = (word - 1) * WORD;
            let records = good[start..].chunks(RECORD);
            let at = records.clone().position(|r| r.starts_with(key.as_bytes()));
            let at = start + at.unwrap() * RECORD;
            bytes[at..at + RECORD].copy_from_slice(format!("{to:RECORD$}").as_bytes());
        }
        back(&bytes).unwrap().cell
    };
    let no_cell = ("CELL", "CELL 0 0 0 0 0 0");
    let other = CellSpec::from_values(&[51.0, 61.0, 71.0]).ok();
    let data_set = ("DCELL", "DCELL        1  51 61 71 90 90 90");
    assert_eq!(with(&[no_cell]), list().cell);
    assert_eq!(with(&[no_cell, data_set]), other);
    assert_eq!(with(&[data_set]), list().cell);
    // The writer has a second data set.
    assert_eq!(with(&[no_cell, ("DCELL", "DCELL 1")]), list().cell);
}

#[test]
fn a_list_without_a_cell_cannot_be_written() {
    let mut list = list();
    list.cell = None;
    assert!(matches!(to_bytes(&list), Err(Error::CellNeeded { .. })));
}

/// A file as the format is described: columns with their type and data set, and rows. The cell is a cube of 50 A.
fn file(columns: &[(&str, char, u32)], rows: &[&[f32]]) -> Vec<u8> {
    let columns = [("H", 'H', 0), ("K", 'H', 0), ("L", 'H', 0)]
        .iter()
        .chain(columns);
    let numbers = rows.concat();
    let mut records = vec![
        format!("NCOL {} {} 0", columns.clone().count(), rows.len()),
        "CELL 50 50 50 90 90 90".to_owned(),
        "SYMINF 1 1 P 1 'P 1' 'PG1'".to_owned(),
        "VALM NAN".to_owned(),
    ];
    records.extend(columns.map(|(label, kind, set)| format!("COLUMN {label} {kind} 0 100 {set}")));
    records.push("END".to_owned());
    let mut bytes = MAGIC.to_vec();
    bytes.extend(((DATA / WORD + numbers.len() + 1) as i32).to_le_bytes());
    bytes.extend([0x44, 0x41]);
    bytes.resize(DATA, 0);
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    for record in records {
        bytes.extend(format!("{record:RECORD$}").bytes());
    }
    bytes
}

#[test]
fn a_row_without_the_mates_has_the_value_of_both_from_its_own_data_set() {
    const N: f32 = f32::NAN;
    let rows: [&[f32]; 4] = [
        &[0.0, 0.0, 4.0, 7.0, 100.0, N, N],
        &[1.0, 2.0, 3.0, 7.0, 20.0, 19.0, 21.0],
        &[2.0, 2.0, 3.0, 7.0, N, N, N],
        &[1.0, 1.0, 1.0, 7.0, 30.0, 29.0, N],
    ];
    let read = |kinds: [char; 2], set| {
        let [of_both, of_mate] = kinds;
        let columns = [
            ("FNAT", of_both, 1),
            ("FPEAK", of_both, set),
            ("FPEAK(+)", of_mate, 2),
            ("FPEAK(-)", of_mate, 2),
        ];
        let list = back(&file(&columns, &rows)).unwrap();
        let amplitudes = list.reflections.iter().map(|r| (r.hkl, r.amplitude));
        let counts = [list.counts.of_both, list.counts.half, list.counts.missing];
        (amplitudes.collect::<Vec<_>>(), counts)
    };
    let own = ([0, 0, 4], Amplitude::Same(100.0));
    let others = [
        ([1, 2, 3], Amplitude::Pair(19.0, 21.0)),
        ([1, 1, 1], Amplitude::Same(29.0)),
    ];
    let (found, counts) = read(['F', 'G'], 2);
    assert_eq!(found, [own, others[0], others[1]]);
    assert_eq!(counts, [1, 1, 1]);
    // Both columns of F are of another crystal.
    let (found, counts) = read(['F', 'G'], 1);
    assert_eq!((found, counts), (others.to_vec(), [0, 1, 2]));
    // The same of intensities.
    let (found, counts) = read(['J', 'K'], 2);
    assert_eq!(
        (found[0], found.len()),
        (([0, 0, 4], Amplitude::Same(10.0)), 3)
    );
    assert_eq!(counts, [1, 1, 1]);

    // Columns that are named are taken as they are.
    let columns = [
        ("F", 'F', 1),
        ("F(+)", 'G', 1),
        ("F(-)", 'G', 1),
        ("X", 'R', 1),
    ];
    let table = parse(&file(&columns, &rows), "a.mtz").unwrap();
    let choice = ColumnChoice::new(&table, &["F(+)".to_owned(), "F(-)".to_owned()]).unwrap();
    assert_eq!(choice.mean, None);
}

//! What XDS has refined: an `XPARM.XDS` or `GXPARM.XDS`, as the lines of an `XDS.INP`.
//!
//! # Source
//! W. Kabsch, XDS program package, Files; for the form without a first line of words (before 2012), the reader of
//! iotbx.

/// The keywords of the numbers of a line, in order, and how many each has. A number without a keyword has no effect.
type Line = &'static [(&'static str, usize)];

const SCAN: Line = &[
    ("STARTING_FRAME", 1),
    ("STARTING_ANGLE", 1),
    ("OSCILLATION_RANGE", 1),
    ("ROTATION_AXIS", 3),
];
const BEAM: Line = &[("X-RAY_WAVELENGTH", 1), ("INCIDENT_BEAM_DIRECTION", 3)];
const CELL: Line = &[("SPACE_GROUP_NUMBER", 1), ("UNIT_CELL_CONSTANTS", 6)];
const A: Line = &[("UNIT_CELL_A-AXIS", 3)];
const B: Line = &[("UNIT_CELL_B-AXIS", 3)];
const C: Line = &[("UNIT_CELL_C-AXIS", 3)];
const PIXELS: Line = &[("NX", 1), ("NY", 1), ("QX", 1), ("QY", 1)];
const X: Line = &[("DIRECTION_OF_DETECTOR_X-AXIS", 3)];
const Y: Line = &[("DIRECTION_OF_DETECTOR_Y-AXIS", 3)];
const NORMAL: Line = &[("", 3)];

/// The lines behind that with the name of the file. The lines of segments follow, two for each.
const NEW: [Line; 11] = [
    SCAN,
    BEAM,
    CELL,
    A,
    B,
    C,
    &[("", 1), ("NX", 1), ("NY", 1), ("QX", 1), ("QY", 1)],
    &[("ORGX", 1), ("ORGY", 1), ("DETECTOR_DISTANCE", 1)],
    X,
    Y,
    NORMAL,
];

const SEGMENT: [Line; 2] = [
    &[("", 1), ("SEGMENT", 4)],
    &[
        ("SEGMENT_ORGX", 1),
        ("SEGMENT_ORGY", 1),
        ("SEGMENT_DISTANCE", 1),
        ("DIRECTION_OF_SEGMENT_X-AXIS", 3),
        ("DIRECTION_OF_SEGMENT_Y-AXIS", 3),
    ],
];

/// All lines of a file without a line of words.
const OLD: [Line; 11] = [
    SCAN,
    BEAM,
    PIXELS,
    &[("DETECTOR_DISTANCE", 1), ("ORGX", 1), ("ORGY", 1)],
    X,
    Y,
    NORMAL,
    CELL,
    A,
    B,
    C,
];

/// The words of all lines of an old file.
const OLD_WORDS: usize = 42;

/// The same as an `XDS.INP`, each line in its place, so that messages name the lines of the file. `None` if it is
/// another file.
pub(super) fn as_input(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let is_new = lines
        .first()
        .is_some_and(|first| first.trim_start().starts_with("XPARM.XDS"));
    let mut words = lines.iter().flat_map(|line| line.split_whitespace());
    let is_old = lines.len() == OLD.len()
        && words.clone().count() == OLD_WORDS
        && words.all(|word| word.parse::<f64>().is_ok());
    let kinds: Vec<Line> = match (is_new, is_old) {
        (true, _) => {
            let before_segments = NEW.len() + 1;
            // A detector of one part has that as its only segment, which says nothing more.
            let has_segments = lines.len() > before_segments + SEGMENT.len();
            let segments = SEGMENT.into_iter().cycle().take(match has_segments {
                true => lines.len() - before_segments,
                false => 0,
            });
            let name: Line = &[];
            [name].into_iter().chain(NEW).chain(segments).collect()
        }
        (_, true) => OLD.to_vec(),
        _ => return None,
    };
    let kinds = kinds.into_iter().enumerate();
    let lines = kinds.map(|(number, kind)| {
        let mut words = lines.get(number).map_or("", |line| line).split_whitespace();
        let mut input = String::new();
        for (place, (keyword, count)) in kind.iter().enumerate() {
            // Too many words are left with the last keyword, which refuses them.
            let most = match place + 1 == kind.len() {
                true => usize::MAX,
                false => *count,
            };
            let values: Vec<&str> = words.by_ref().take(most).collect();
            if !keyword.is_empty() {
                input += &format!("{keyword}= {} ", values.join(" "));
            }
        }
        input + "\n"
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// The two halves of a picture of 90 x 20 pixels, the second turned and farther away.
    const FILE: &str = " XPARM.XDS    VERSION Jan 10, 2022  BUILT=20220820\n\
         \x20    1        5.0000    0.2500  0.999990 -0.002000  0.003000\n\
         \x20      0.979500       0.001000       0.002000       1.020900\n\
         \x20   19     57.7000     58.1000    150.2000  90.000  90.000  90.000\n\
         \x20      40.000000      41.500000       3.000000\n\
         \x20     -41.800000      40.100000      -4.000000\n\
         \x20      -7.000000       1.200000     150.000000\n\
         \x20        2        90        20    0.172000    0.172000\n\
         \x20     45.300000      10.700000     180.500000\n\
         \x20      1.000000       0.000000       0.000000\n\
         \x20      0.000000       1.000000       0.000000\n\
         \x20      0.000000       0.000000       1.000000\n\
         \x20        1         1        45         1        20\n\
         \x20   0.00    0.00    0.00  1.00000  0.00000  0.00000  0.00000  1.00000  0.00000\n\
         \x20        2        46        90         1        20\n\
         \x20   1.50   -2.00    3.25  0.00000  1.00000  0.00000 -1.00000  0.00000  0.00000\n";

    const INPUT: &str = "STARTING_ANGLE= 5 OSCILLATION_RANGE= 0.25 ROTATION_AXIS= 0.99999 -0.002 0.003\n\
         X-RAY_WAVELENGTH= 0.9795 INCIDENT_BEAM_DIRECTION= 0.001 0.002 1.0209\n\
         UNIT_CELL_A-AXIS= 40 41.5 3 UNIT_CELL_B-AXIS= -41.8 40.1 -4 UNIT_CELL_C-AXIS= -7 1.2 150\n\
         NX= 90 NY= 20 QX= 0.172 QY= 0.172 ORGX= 45.3 ORGY= 10.7 DETECTOR_DISTANCE= 180.5\n\
         DIRECTION_OF_DETECTOR_X-AXIS= 1 0 0 DIRECTION_OF_DETECTOR_Y-AXIS= 0 1 0\n";

    const SEGMENTS: &str = "SEGMENT= 1 45 1 20 SEGMENT_ORGX= 0 SEGMENT_ORGY= 0\n\
         DIRECTION_OF_SEGMENT_X-AXIS= 1 0 0 DIRECTION_OF_SEGMENT_Y-AXIS= 0 1 0\n\
         SEGMENT= 46 90 1 20 SEGMENT_ORGX= 1.5 SEGMENT_ORGY= -2 SEGMENT_DISTANCE= 3.25\n\
         DIRECTION_OF_SEGMENT_X-AXIS= 0 1 0 DIRECTION_OF_SEGMENT_Y-AXIS= -1 0 0\n";

    fn old(file: &str) -> String {
        let lines: Vec<&str> = file.lines().collect();
        let size = "90 20 0.172 0.172\n180.5 45.3 10.7";
        let order = [1, 2, 0, 9, 10, 11, 3, 4, 5, 6];
        let lines = order.map(|number| match number {
            0 => size,
            number => lines[number],
        });
        lines.join("\n")
    }

    #[test]
    fn it_says_what_an_xds_inp_says_with_the_same_numbers() {
        let read = |text: &str| parse(text.as_bytes(), "X").unwrap();
        assert_eq!(read(FILE), read(&format!("{INPUT}{SEGMENTS}")));
        let lines: Vec<&str> = FILE.lines().collect();
        let one = lines[..14].join("\n").replace("        45 ", "        90 ");
        for one in [one.clone(), one.replace('\n', "\r\n"), old(FILE)] {
            assert_eq!(read(&one), read(INPUT), "{one}");
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        for (from, to, message) in [
            (
                "0.979500",
                "none",
                "G:3: X-RAY_WAVELENGTH: found `none`, expected a number of a magnitude up to 1e15",
            ),
            (
                "150.000000",
                "",
                "G:7: UNIT_CELL_C-AXIS: found `-7.000000 1.200000`, expected three numbers",
            ),
            (
                "180.500000",
                "180.5 7",
                "G:9: DETECTOR_DISTANCE: found `180.5 7`, expected a number of a magnitude up to 1e15",
            ),
            (
                "45         1        20\n",
                "91         1        20\n",
                "G:13: SEGMENT: found `1 91 1 20`, expected first and last pixel along X and Y, from 1 to NX and NY",
            ),
        ] {
            assert!(FILE.contains(from), "{from}");
            let found = parse(FILE.replacen(from, to, 1).as_bytes(), "G");
            assert_eq!(found.unwrap_err().to_string(), message);
        }
        let cut: Vec<&str> = FILE.lines().take(7).collect();
        let error = parse(cut.join("\n").as_bytes(), "G").unwrap_err();
        let message = "G:8: NX: found ``, expected a whole number of 0 or above";
        assert_eq!(error.to_string(), message);
    }
}

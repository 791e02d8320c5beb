//! Segments, keywords and faults of an `XDS.INP`.

use nanobragg::exchange::{Geometry, xds};
use nanobragg::{
    Angle, CellSpec, ExperimentSpec, FactorsSpec, MaskSpec, MaskedRegion, Pivot, Preset,
};

use super::{KAPPA, SAME, XDS_INP, assert_close};

#[test]
fn faults_in_an_xds_inp_are_named_by_line_and_keyword() {
    for (from, to, message) in [
        ("ORGX=34.25 ", "", "XDS.INP: ORGX is missing"),
        ("NX=60 NY=50", "", "XDS.INP: each of NX NY is missing"),
        (
            "NX=60",
            "NX=sixty",
            "XDS.INP:7: NX: found `sixty`, expected a whole number of 0 or above",
        ),
        (
            "QY=0.688",
            "QY=0.7",
            "XDS.INP:7: QY: found `0.7`, expected the number of QX, because pixels are square",
        ),
        (
            "DISTANCE= 163.2",
            "DISTANCE= 0",
            "XDS.INP:9: DETECTOR_DISTANCE: found `0`, expected a number other than 0",
        ),
        (
            "DISTANCE= 163.2",
            "DISTANCE= nan",
            "XDS.INP:9: DETECTOR_DISTANCE: found `nan`, expected a number of a magnitude up to 1e15",
        ),
        (
            "-0.00200 0.99950 0.03000",
            "1 0.2 0",
            "XDS.INP:11: DIRECTION_OF_DETECTOR_Y-AXIS: found `1 0.2 0`, expected a direction at right angles to that of the other axis",
        ),
        (
            "0.99997 -0.00500 0.00600",
            "1 0",
            "XDS.INP:15: ROTATION_AXIS: found `1 0`, expected three numbers",
        ),
        (
            "0.99997 -0.00500 0.00600",
            "1 0 0 0",
            "XDS.INP:15: ROTATION_AXIS: found `1 0 0 0`, expected three numbers",
        ),
        (
            "X-RAY_WAVELENGTH= 0.97625",
            "X-RAY_WAVELENGTH= -1",
            "XDS.INP:17: X-RAY_WAVELENGTH: found `-1`, expected a number from 1e-15 to 1e15",
        ),
        (
            "SILICON=3.9599",
            "SILICON=x",
            "XDS.INP:12: SILICON: found `x`, expected a number of a magnitude up to 1e15",
        ),
        (
            " UNIT_CELL_B-AXIS= -40.1 5.2 38.4\n",
            "",
            "XDS.INP: UNIT_CELL_B-AXIS is missing",
        ),
        (
            "-31.6 -143.2 -15.4",
            "31.6 143.2 15.4",
            "XDS.INP:25: UNIT_CELL_C-AXIS: found `31.6 143.2 15.4`, expected a vector that makes a right-handed cell with the other two",
        ),
    ] {
        assert!(XDS_INP.contains(from), "{from}");
        let found = xds::parse(XDS_INP.replacen(from, to, 1).as_bytes(), "XDS.INP");
        assert_eq!(found.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_negative_silicon_leaves_the_attenuation_to_xds() {
    let text = XDS_INP.replacen("SILICON=3.9599", "SILICON=-1", 1);
    let found = xds::parse(text.as_bytes(), "XDS.INP").unwrap();
    assert!(found.panels.iter().all(|panel| panel.sensor.is_none()));
    assert_eq!(found.ignored[0].place, "XDS.INP:12: SENSOR_THICKNESS");
}

#[test]
fn a_file_that_is_no_xds_inp_is_refused() {
    let wide: Vec<u8> = XDS_INP.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let geom = include_str!("two_panels.geom");
    for (bytes, found) in [
        (&b""[..], "an empty file".to_owned()),
        (b" \r\n", "an empty file".to_owned()),
        (
            b"{\nHEADER_BYTES=512;\nDISTANCE=70;\nPIXEL_SIZE=0.1;\n}",
            "`{`".to_owned(),
        ),
        (KAPPA.as_bytes(), "`{`".to_owned()),
        (
            geom.as_bytes(),
            "`; Two panels, one of them tilted, in the...`".to_owned(),
        ),
        (b"JOB= XYCORR\n", "`JOB= XYCORR`".to_owned()),
    ] {
        let message = xds::parse(bytes, "any").unwrap_err().to_string();
        let expected = "any: no keyword of the geometry of XDS: found ";
        assert_eq!(
            message,
            format!("{expected}{found}, expected an XDS.INP or XPARM.XDS")
        );
    }
    let message = xds::parse(&wide, "any").unwrap_err().to_string();
    assert!(
        message.starts_with("any: no keyword of the geometry of XDS"),
        "{message}"
    );
}

#[test]
fn line_ends_of_an_xds_inp_make_no_difference() {
    let read = |text: &str| xds::parse(text.as_bytes(), "X").unwrap();
    for end in ["\r\n", "\r"] {
        assert_eq!(read(&XDS_INP.replace('\n', end)), read(XDS_INP));
    }
}

#[test]
fn keywords_of_xds_that_nobody_knows_draw_a_word() {
    let text = "X-RAY_WAVELENGTH= 1.5 COLOUR= blue\nSTRONG_PIXEL=3 UNTRUSTED_ELLIPSE= 1 2 3 4\n";
    let described = xds::parse(text.as_bytes(), "X").unwrap();
    let ignored: Vec<String> = described.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        ignored,
        [
            "X:1: COLOUR is ignored: no keyword of this name is known",
            "X:2: UNTRUSTED_ELLIPSE is ignored: every pixel is rendered; -mask leaves some out"
        ]
    );
    assert_eq!(described.wavelength_angstrom, Some(1.5));
    assert_eq!(described.panels, []);
    let keywords = "NX NY QX QY ORGX ORGY DETECTOR_DISTANCE";
    let absent = format!("X: {keywords} are missing, so that the file places no detector");
    assert_eq!(described.absent, [absent]);
}

#[test]
fn panels_are_segments_and_rectangles_of_an_xds_inp() {
    let mut spec = ExperimentSpec {
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    };
    spec.crystal.cell = CellSpec::from_values(&[100.0]).ok();
    // Its panels are turned by quarters and a little more.
    let cspad = Preset::named("cspad").unwrap();
    cspad.place(&mut spec, Pivot::Sample).unwrap();
    spec.detector.rotations = [1.0, -2.0, 3.0].map(Angle::from_degrees);
    let masked = [(0, [3, 5], [0, 184]), (63, [193, 193], [7, 9])];
    let masked = masked.map(|(panel, fast, slow)| MaskedRegion { panel, fast, slow });
    spec.mask = Some(MaskSpec::Regions(masked.to_vec()));
    let written = Geometry::of(&spec.resolve().unwrap()).unwrap();
    let images = xds::Images::new(None, &spec.response).of_panels(64, &spec.response);
    let text = xds::write(&written, &images).unwrap();
    assert!(text.contains("NX= 194\nNY= 11840\n") && text.contains("SEGMENT= 1 194 186 370\n"));
    let read = xds::parse(text.as_bytes(), "X").unwrap();
    assert_eq!(read.ignored, []);
    assert_eq!(read.masked, masked);
    assert_eq!(read.panels.len(), 64);
    for (one, two) in written.panels.iter().zip(&read.panels) {
        assert_eq!(one.pixels, two.pixels);
        for [fast, slow] in [[0.0, 0.0], [194.0, 0.0], [0.0, 185.0]] {
            let (a, b) = (one.position_mm(fast, slow), two.position_mm(fast, slow));
            assert_close(a, b, SAME, "position");
        }
    }
}

#[test]
fn faults_in_segments_are_named_by_line_and_keyword() {
    let begin = "NX= 20 NY= 10 QX= 1 QY= 1 ORGX= 5 ORGY= 5 DETECTOR_DISTANCE= 100\n";
    let axes = "DIRECTION_OF_SEGMENT_X-AXIS= 1 0 0\nDIRECTION_OF_SEGMENT_Y-AXIS= 0 1 0\n";
    let org = "SEGMENT_ORGX= 1 SEGMENT_ORGY= 2\n";
    for (segment, axes, org, message) in [
        (
            "1 21 1 10",
            axes,
            org,
            "X:2: SEGMENT: found `1 21 1 10`, expected first and last pixel along X and Y, from 1 to NX and NY",
        ),
        (
            "1 20 1",
            axes,
            org,
            "X:2: SEGMENT: found `1 20 1`, expected four numbers",
        ),
        (
            "1 20 1 10",
            axes,
            "",
            "X:2: SEGMENT: SEGMENT_ORGX is missing",
        ),
        (
            "1 20 1 10",
            "",
            org,
            "X:2: SEGMENT: DIRECTION_OF_SEGMENT_Y-AXIS is missing",
        ),
        (
            "1 20 1 10\n SEGMENT= 20 20 10 10",
            axes,
            org,
            "X:2: SEGMENT: DIRECTION_OF_SEGMENT_Y-AXIS is missing",
        ),
    ] {
        let text = format!("{begin}SEGMENT= {segment}\n{axes}{org}");
        let found = xds::parse(text.as_bytes(), "X").unwrap_err();
        assert_eq!(found.to_string(), message);
    }
    let twice = format!("SEGMENT= 1 20 1 5\n{axes}{org}SEGMENT= 20 20 5 10\n{axes}{org}");
    let found = xds::parse(format!("{begin}{twice}").as_bytes(), "X").unwrap_err();
    assert_eq!(
        found.to_string(),
        "X:6: SEGMENT: found `20 20 5 10`, expected pixels that no other segment has"
    );
}

#[test]
fn a_cell_without_orientation_is_taken_with_its_space_group_alone() {
    let cell = |text: &str| xds::parse(text.as_bytes(), "X").unwrap().cell;
    let constants = "UNIT_CELL_CONSTANTS= 70 80 90 90 90 90\n";
    assert_eq!(cell(constants), None);
    assert_eq!(cell(&format!("{constants}SPACE_GROUP_NUMBER=0")), None);
    let found = cell(&format!("{constants}SPACE_GROUP_NUMBER=19"));
    assert_eq!(found.unwrap().lengths_angstrom, [70.0, 80.0, 90.0]);
}

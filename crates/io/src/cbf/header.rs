//! The two headers of a CBF: miniCBF lines and imgCIF tables.
//!
//! # Source
//! miniCBF: the header comments of DECTRIS' PILATUS detectors. imgCIF: International Tables for
//! Crystallography G (2005), chapter 4.6, the dictionary `cif_img.dic`.

use std::fmt::Write;

use crate::Exposure;

/// The date of every image. It is constant so that the same run writes the same bytes.
const DATE: &str = "1970-01-01T00:00:00.000";

/// The lines of miniCBF, each beginning with `# `.
///
/// Numbers have as many digits as they need to be read back exactly.
pub(crate) fn lines(exposure: &Exposure) -> String {
    let pixel_m = exposure.pixel_mm / 1000.0;
    let [fast, slow] = exposure.beam_px().unwrap_or([0.0; 2]);
    let duration_s = exposure.duration_s();
    let mut lines = vec![
        format!("Detector: {}", detector(exposure)),
        DATE.to_owned(),
        format!("Pixel_size {pixel_m:e} m x {pixel_m:e} m"),
    ];
    if exposure.sensor_mm > 0.0 {
        let thickness_m = exposure.sensor_mm / 1000.0;
        let material = match exposure.sensor_material {
            "Si" => "Silicon",
            other => other,
        };
        lines.push(format!("{material} sensor, thickness {thickness_m:.9} m"));
    }
    lines.extend([
        format!("Exposure_time {duration_s} s"),
        format!("Exposure_period {duration_s} s"),
        "Tau = 0 s".to_owned(),
        format!("Count_cutoff {} counts", exposure.cutoff),
        "Threshold_setting: 0 eV".to_owned(),
        format!("Wavelength {} A", exposure.wavelength_angstrom),
        format!("Detector_distance {} m", exposure.distance_mm() / 1000.0),
        format!("Beam_xy ({fast}, {slow}) pixels"),
        format!("Flux {:e}", exposure.flux_per_s),
        "Filter_transmission 1.0".to_owned(),
        format!("Start_angle {} deg.", exposure.start_degrees),
        format!("Angle_increment {} deg.", exposure.width_degrees),
        format!("Detector_2theta {} deg.", exposure.twotheta_degrees),
        format!("Polarization {}", exposure.polarization_fraction),
        "Oscillation_axis X.CW".to_owned(),
    ]);
    lines.iter().fold(String::new(), |mut text, line| {
        text.extend(["# ", line, "\r\n"]);
        text
    })
}

/// The name of the detector.
fn detector(exposure: &Exposure) -> String {
    match exposure.model.as_str() {
        "" => "nanoBragg simulation, S/N 000".to_owned(),
        model => format!("{model}, nanoBragg simulation, S/N 000"),
    }
}

/// The tables of imgCIF: beam, goniometer, detector, and how pixels are laid out along its axes.
pub(super) fn tables(exposure: &Exposure, fast: usize, slow: usize) -> String {
    let mut text = String::new();
    let mut table = |category: &str, columns: &[&str], rows: &[String]| {
        text.push_str("loop_\r\n");
        for column in columns {
            // Writing to a string cannot fail.
            let _ = write!(text, "_{category}.{column}\r\n");
        }
        for row in rows {
            let _ = write!(text, " {row}\r\n");
        }
        text.push_str("\r\n");
    };
    let vector = |[x, y, z]: [f64; 3]| format!("{x} {y} {z}");
    let start = exposure.start_degrees;
    let width = exposure.width_degrees;
    let pixel = exposure.pixel_mm;

    table("diffrn", &["id", "crystal_id"], &["DIFFRN CRYSTAL".into()]);
    table(
        "diffrn_source",
        &["diffrn_id", "source", "type"],
        &["DIFFRN simulation nanoBragg".into()],
    );
    table(
        "diffrn_radiation",
        &[
            "diffrn_id",
            "wavelength_id",
            "polarizn_source_ratio",
            "polarizn_source_norm",
        ],
        // The dictionary means (Ip - In)/(Ip + In), with Ip and In the intensities along and across
        // the plane. dxtbx, the only reader known, takes the number for the fraction Ip/(Ip + In) and
        // refuses negative ones, and CBFlib makes it from the fraction of a miniCBF.
        &[format!(
            "DIFFRN WAVELENGTH {} {}",
            exposure.polarization_fraction,
            polarization_norm_degrees(exposure)
        )],
    );
    table(
        "diffrn_radiation_wavelength",
        &["id", "wavelength", "wt"],
        &[format!("WAVELENGTH {} 1", exposure.wavelength_angstrom)],
    );
    table(
        "diffrn_detector",
        &["diffrn_id", "id", "type", "details", "number_of_axes"],
        &["DIFFRN DETECTOR nanoBragg . 1".into()],
    );
    table(
        "diffrn_detector_axis",
        &["detector_id", "axis_id"],
        &["DETECTOR DETECTOR_Z".into()],
    );
    table(
        "diffrn_detector_element",
        &["id", "detector_id"],
        &["ELEMENT DETECTOR".into()],
    );
    table(
        "diffrn_data_frame",
        &["id", "detector_element_id", "array_id", "binary_id"],
        &["FRAME ELEMENT ARRAY 1".into()],
    );
    table(
        "diffrn_measurement",
        &["diffrn_id", "id", "number_of_axes", "method"],
        &["DIFFRN GONIOMETER 1 rotation".into()],
    );
    table(
        "diffrn_measurement_axis",
        &["measurement_id", "axis_id"],
        &["GONIOMETER SPINDLE".into()],
    );
    table(
        "diffrn_scan",
        &["id", "frame_id_start", "frame_id_end", "frames"],
        &["SCAN FRAME FRAME 1".into()],
    );
    table(
        "diffrn_scan_axis",
        &[
            "scan_id",
            "axis_id",
            "angle_start",
            "angle_range",
            "angle_increment",
            "displacement_start",
            "displacement_range",
            "displacement_increment",
        ],
        &[
            format!("SCAN SPINDLE {start} {width} {width} 0 0 0"),
            "SCAN DETECTOR_Z 0 0 0 0 0 0".into(),
        ],
    );
    table(
        "diffrn_scan_frame",
        &[
            "frame_id",
            "frame_number",
            "integration_time",
            "scan_id",
            "date",
        ],
        &[format!("FRAME 1 {} SCAN {DATE}", exposure.duration_s())],
    );
    table(
        "diffrn_scan_frame_axis",
        &["frame_id", "axis_id", "angle", "displacement"],
        &[
            format!("FRAME SPINDLE {start} 0"),
            "FRAME DETECTOR_Z 0 0".into(),
        ],
    );
    table(
        "axis",
        &[
            "id",
            "type",
            "equipment",
            "depends_on",
            "vector[1]",
            "vector[2]",
            "vector[3]",
            "offset[1]",
            "offset[2]",
            "offset[3]",
        ],
        // The slow axis carries the fast one. Its offset moves the first pixel's corner to the
        // origin of the detector, so DETECTOR_Z itself is not displaced.
        &[
            "SOURCE general source . 0 0 1 . . .".into(),
            "GRAVITY general gravity . 0 -1 0 . . .".into(),
            format!(
                "SPINDLE rotation goniometer . {} . . .",
                vector(exposure.spindle)
            ),
            "DETECTOR_Z translation detector . 0 0 1 0 0 0".into(),
            format!(
                "ELEMENT_SLOW translation detector DETECTOR_Z {} {}",
                vector(exposure.slow),
                vector(exposure.origin_mm)
            ),
            format!(
                "ELEMENT_FAST translation detector ELEMENT_SLOW {} 0 0 0",
                vector(exposure.fast)
            ),
        ],
    );
    table(
        "array_structure_list",
        &[
            "array_id",
            "index",
            "dimension",
            "precedence",
            "direction",
            "axis_set_id",
        ],
        &[
            format!("ARRAY 1 {fast} 1 increasing ELEMENT_FAST"),
            format!("ARRAY 2 {slow} 2 increasing ELEMENT_SLOW"),
        ],
    );
    table(
        "array_structure_list_axis",
        &[
            "axis_set_id",
            "axis_id",
            "displacement",
            "displacement_increment",
        ],
        &[
            format!("ELEMENT_FAST ELEMENT_FAST 0 {pixel}"),
            format!("ELEMENT_SLOW ELEMENT_SLOW 0 {pixel}"),
        ],
    );
    table(
        "array_element_size",
        &["array_id", "index", "size"],
        &[1, 2].map(|index| format!("ARRAY {index} {:e}", pixel / 1000.0)),
    );
    table(
        "array_intensities",
        &[
            "array_id",
            "binary_id",
            "linearity",
            "offset",
            "gain",
            "gain_esd",
            "overload",
            "undefined_value",
        ],
        // `offset` is added to a count to make it proportional to the photons.
        &[format!(
            "ARRAY 1 offset {} {} 0 {} -1",
            0.0 - exposure.offset_counts,
            exposure.gain,
            exposure.cutoff
        )],
    );
    table(
        "array_structure",
        &["id", "encoding_type", "compression_type", "byte_order"],
        &["ARRAY \"signed 32-bit integer\" byte_offset little_endian".into()],
    );
    text
}

/// The angle in degrees from y to the normal of the plane of polarization, as seen from the
/// specimen towards the source.
fn polarization_norm_degrees(exposure: &Exposure) -> f64 {
    // The normal is at the angle of the axis plus 90 degrees from x, so at the angle of the axis
    // from y. Seen along +z a right-handed turn about z is clockwise, hence the sign.
    let [x, y, _] = exposure.polarization_axis;
    -y.atan2(x).to_degrees()
}

//! What dxtbx reads in the header of an SMV image, besides and instead of the lines of the C program.
//!
//! dxtbx gives images with BEAMLINE=fake to a class for simulated ones (FormatSMVJHSim). It takes
//! BEAM_CENTER_X, _Y as ADXV's and adds a pixel to both; C writes there what its convention says. Other
//! lines have no more than six digits. That class knows one detector, along x and -y at right angles to
//! the beam. Others have the vectors of a d*TREK header, with the name of the one detector whose class
//! (FormatSMVCMOS1) dxtbx asks before; it knows no pedestal.

use nanobragg_geometry::vector::norm;
use nanobragg_response::ResponseSpec;

use crate::exchange::geometry::{Geometry, PlacedPanel};

/// How far from an axis a unit vector may be and count as along it.
const ALONG: f64 = 1e-12;

/// Keys and values for the image of `panel` with counts of this response.
pub(crate) fn lines(
    geometry: &Geometry,
    panel: &PlacedPanel,
    response: &ResponseSpec,
) -> Vec<(&'static str, String)> {
    let beam = &geometry.beam;
    let mut lines = Vec::new();
    let mut line = |key, value: String| lines.push((key, value));
    line(
        "ADC_OFFSET",
        short(response.offset.unwrap_or_default().counts),
    );
    let full = u32::from(u16::MAX);
    let saturation = response.saturation_counts.filter(|&most| most < full);
    if let Some(most) = saturation {
        line("CCD_IMAGE_SATURATION", most.to_string());
    }
    line("WAVELENGTH", short(beam.wavelength_angstrom));
    if is_plain(geometry, panel) {
        let [x, y, z] = panel.origin_mm;
        let px = panel.pixel_size_mm;
        let height_mm = f64::from(panel.pixels[1]) * px;
        line("PIXEL_SIZE", short(px));
        line("DISTANCE", short(-z));
        line("BEAM_CENTER_X", short(-x - px));
        line("BEAM_CENTER_Y", short(height_mm + px - y));
        line("OSC_START", short(geometry.oscillation.start_deg));
        line("OSC_RANGE", short(geometry.oscillation.width_deg));
        return lines;
    }
    let vectors = |vectors: &[[f64; 3]]| numbers(vectors.as_flattened());
    let [nx, ny] = panel.pixels.map(f64::from);
    let px = panel.pixel_size_mm;
    let oscillation = geometry.oscillation;
    let (start, width) = (oscillation.start_deg, oscillation.width_deg);
    let [x, y, z] = panel.origin_mm;
    let away_mm = norm(panel.origin_mm);
    for (key, value) in [
        ("DATE", "Thu Jan 01 1970 00:00:00.000".to_owned()),
        ("Data_type", "unsigned short int".to_owned()),
        ("DETECTOR_NUMBER", "1".to_owned()),
        ("DETECTOR_NAMES", "CMOS1_".to_owned()),
        (
            "CMOS1_DETECTOR_DESCRIPTION",
            "CMOS-1, simulated by nanoBragg".to_owned(),
        ),
        ("CMOS1_DETECTOR_DIMENSIONS", numbers(&[nx, ny])),
        ("CMOS1_DETECTOR_SIZE", numbers(&[nx * px, ny * px])),
        ("CMOS1_DETECTOR_VECTORS", vectors(&[panel.fast, panel.slow])),
        // The first pixel's corner is moved from the sample to its place by the one axis there is.
        (
            "CMOS1_SPATIAL_DISTORTION_INFO",
            numbers(&[0.0, 0.0, px, px]),
        ),
        ("CMOS1_GONIO_NUM_VALUES", "1".to_owned()),
        ("CMOS1_GONIO_NAMES", "Origin".to_owned()),
        ("CMOS1_GONIO_UNITS", "mm".to_owned()),
        ("CMOS1_GONIO_VALUES", numbers(&[away_mm])),
        (
            "CMOS1_GONIO_VECTORS",
            numbers(&[x / away_mm, y / away_mm, z / away_mm]),
        ),
        ("SATURATED_VALUE", {
            // dxtbx trusts a pixel at this value, and one that is clipped can have had any larger count.
            let most = saturation.unwrap_or(full);
            most.saturating_sub(1).to_string()
        }),
        (
            "ROTATION",
            numbers(&[start, start + width, width, oscillation.exposure_s]),
        ),
        ("ROTATION_VECTOR", vectors(&[geometry.spindle])),
        (
            "SOURCE_VECTORS",
            vectors(&[beam.direction.map(|x| 0.0 - x)]),
        ),
        ("SOURCE_POLARZ", {
            let [x, y, z] = beam.polarization_normal;
            numbers(&[beam.polarization_fraction, x, y, z])
        }),
    ] {
        line(key, value);
    }
    lines
}

/// A number without the noise of its last digits, so that most headers are no longer than those of the C
/// program.
fn short(x: f64) -> String {
    let text = format!("{x:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn numbers(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(f64::to_string).collect();
    texts.join(" ")
}

/// Whether the class for simulated images can place this panel.
fn is_plain(geometry: &Geometry, panel: &PlacedPanel) -> bool {
    let is = |v: [f64; 3], axis: [f64; 3]| v.iter().zip(axis).all(|(a, b)| (a - b).abs() <= ALONG);
    is(panel.fast, [1.0, 0.0, 0.0])
        && is(panel.slow, [0.0, -1.0, 0.0])
        && is(geometry.spindle, [1.0, 0.0, 0.0])
        && is(geometry.beam.direction, [0.0, 0.0, -1.0])
}

//! Geometry in the headers of image files, written and read.

use std::path::Path;

use nanobragg_geometry::{Angle, CentreInput, Convention, Length, Panel};
use nanobragg_io::printf::general;
use nanobragg_io::smv::{Fields, Header};
use nanobragg_response::ResponseSpec;

use crate::error::Error;
use crate::exchange::Geometry;
use crate::exchange::dxtbx::smv;
use crate::resolve::Resolved;
use crate::spec::ExperimentSpec;

/// The header of an integer or noise image: geometry in mm, Angstrom and degrees, after the keys
/// that say how the pixels are stored. With the response of the image, what dxtbx needs stands behind the
/// lines of the C program.
///
/// # Errors
/// [`Error::Io`] if a value cannot stand in a header.
pub fn smv_fields(resolved: &Resolved, response: Option<&ResponseSpec>) -> Result<Fields, Error> {
    smv_fields_of_panel(resolved, response, 0)
}

/// [`smv_fields`] for the image of panel `index`, or of the first panel if there is no such panel.
///
/// # Errors
/// As [`smv_fields`].
pub fn smv_fields_of_panel(
    resolved: &Resolved,
    response: Option<&ResponseSpec>,
    index: usize,
) -> Result<Fields, Error> {
    let experiment = &resolved.experiment;
    let detector = &experiment.detector;
    let layout = &resolved.decisions.layout;
    let (panel, size_slow_m, beam_m) = match detector.panels().get(index) {
        Some(panel) if index > 0 => {
            let ([_, size_slow_m], beam_m) = size_and_centre(panel, layout.convention);
            (panel, size_slow_m, beam_m)
        }
        _ => {
            let [_, size_slow_m] = layout.size_m;
            (detector.first(), size_slow_m, layout.centre.beam_m)
        }
    };
    let [x_beam_m, y_beam_m] = beam_m;
    let pixel_m = panel.pixel_size_m();
    let (f_beam_m, s_beam_m) = (panel.f_beam_m(), panel.s_beam_m());
    let phi_degrees = Angle::from_radians(experiment.phi.start_rad).degrees();
    let [origin_x, origin_y, origin_z] = panel.dials_origin_mm();

    let mut fields = Fields::new();
    for (key, value) in [
        ("PIXEL_SIZE", pixel_m * 1000.0),
        ("DISTANCE", panel.distance_m() * 1000.0),
        ("WAVELENGTH", resolved.decisions.central_wavelength_m * 1e10),
        ("BEAM_CENTER_X", x_beam_m * 1000.0),
        ("BEAM_CENTER_Y", y_beam_m * 1000.0),
        ("ADXV_CENTER_X", f_beam_m * 1000.0),
        ("ADXV_CENTER_Y", (size_slow_m - s_beam_m) * 1000.0),
        ("MOSFLM_CENTER_X", (s_beam_m - 0.5 * pixel_m) * 1000.0),
        ("MOSFLM_CENTER_Y", (f_beam_m - 0.5 * pixel_m) * 1000.0),
        ("DENZO_X_BEAM", s_beam_m * 1000.0),
        ("DENZO_Y_BEAM", f_beam_m * 1000.0),
    ] {
        fields.push_number(key, value)?;
    }
    let origin = [origin_x, origin_y, origin_z].map(general).join(",");
    fields.push_text("DIALS_ORIGIN", &origin)?;
    for (key, value) in [
        ("XDS_ORGX", panel.org_x()),
        ("XDS_ORGY", panel.org_y()),
        ("CLOSE_DISTANCE", panel.close_distance_m() * 1000.0),
        ("PHI", phi_degrees),
        ("OSC_START", phi_degrees),
        (
            "OSC_RANGE",
            Angle::from_radians(experiment.phi.range_rad).degrees(),
        ),
        ("TWOTHETA", layout.twotheta.degrees()),
    ] {
        fields.push_number(key, value)?;
    }
    fields.push_text("DETECTOR_SN", "000")?;
    fields.push_text("BEAMLINE", "fake")?;
    // A curved detector has no geometry in terms of dxtbx.
    if let Some(response) = response
        && let Ok(geometry) = Geometry::of(resolved)
        && let Some(panel) = geometry.panels.get(index)
    {
        for (key, value) in smv::lines(&geometry, panel, response) {
            let number = |text: &str| text.parse::<f64>().ok();
            let same = |(other, text): (&str, &str)| {
                other == key && number(text).is_some_and(|n| number(&value) == Some(n))
            };
            if !fields.iter().any(same) {
                fields.push_behind(key, &value)?;
            }
        }
    }
    Ok(fields)
}

/// The size of a panel along fast and slow in metres, and the beam centre that would place it if it were the detector.
pub(crate) fn size_and_centre(panel: &Panel, convention: Convention) -> ([f64; 2], [f64; 2]) {
    let size_m = [panel.pixels_fast(), panel.pixels_slow()]
        .map(|pixels| f64::from(pixels) * panel.pixel_size_m());
    let [size_fast_m, size_slow_m] = size_m;
    let centre = CentreInput {
        convention,
        pixel_size_m: panel.pixel_size_m(),
        size_fast_m,
        size_slow_m,
        beam_m: [None; 2],
        close_m: [None; 2],
        org: [None; 2],
    };
    let beam_m = centre.beam_from_spot([panel.f_beam_m(), panel.s_beam_m()]);
    (size_m, beam_m)
}

/// Refuses values that are numbers but physically absurd.
fn check_magnitude(key: &'static str, value: f64, path: &Path) -> Result<(), Error> {
    let least = match key {
        "PIXEL_SIZE" | "WAVELENGTH" => ExperimentSpec::LEAST_MAGNITUDE,
        _ => 0.0,
    };
    let most = ExperimentSpec::MOST_MAGNITUDE;
    if value != 0.0 && !(least..=most).contains(&value.abs()) {
        return Err(Error::HeaderValue {
            path: path.to_owned(),
            key,
            value,
            least,
            most,
        });
    }
    Ok(())
}

/// The kind of file that a header belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderKind {
    /// A mask, whose BEAM_CENTER_Y counts from the other edge.
    Mask,
    /// An image.
    Image,
}

/// The keys of a header that can decide something.
pub const HEADER_KEYS: [&str; 13] = [
    "SIZE1",
    "SIZE2",
    "PIXEL_SIZE",
    "DISTANCE",
    "CLOSE_DISTANCE",
    "WAVELENGTH",
    "BEAM_CENTER_X",
    "BEAM_CENTER_Y",
    "ORGX",
    "ORGY",
    "PHI",
    "OSC_RANGE",
    "TWOTHETA",
];

/// The number that a header gives for one of [`HEADER_KEYS`]. Headers of the C program call the origin
/// `XDS_ORGX` and `XDS_ORGY`.
///
/// # Errors
/// [`nanobragg_io::Error::NotANumber`].
pub fn header_number(header: &Header, key: &str) -> Result<Option<f64>, nanobragg_io::Error> {
    let number = header.number(key)?;
    match (number, key) {
        (None, "ORGX") => header.number("XDS_ORGX"),
        (None, "ORGY") => header.number("XDS_ORGY"),
        _ => Ok(number),
    }
}

/// What the C program takes from a header and we do not: it looks for the letters of a key, not for the
/// key, and takes the last place where they occur. One sentence for each number that differs, and for each text of which
/// only the beginning is a number, as for C.
pub fn read_otherwise_by_c(header: &Header, path: &Path) -> Vec<String> {
    let differs = |key: &&str| {
        let of_c = header.number_of_c(key)?;
        let ours = header_number(header, key).ok()?;
        // CLOSE_DISTANCE, where C finds DISTANCE, decides in both programs.
        let is_replaced = *key == "DISTANCE" && header.exact("CLOSE_DISTANCE").is_some();
        let instead = match ours {
            Some(ours) if ours == of_c => return None,
            Some(ours) => format!("{key} is {}", general(ours)),
            None => format!("there is no {key}"),
        };
        (!is_replaced).then(|| {
            format!(
                "{}: in the header {instead}; the C program takes {} from a longer key",
                path.display(),
                general(of_c)
            )
        })
    };
    let cut = |key: &&str| {
        let text = header.exact(key)?.trim();
        let number = header_number(header, key).ok()??;
        // `1,5` and `1.5x` begin with a number; `1.5 mm` is one.
        let is_whole = text.split_whitespace().next()?.parse::<f64>().is_ok();
        (!is_whole).then(|| {
            let (path, number) = (path.display(), general(number));
            format!("{path}: in the header {key} is `{text}`, of which {number} is taken")
        })
    };
    let differing = HEADER_KEYS.iter().filter_map(differs);
    differing
        .chain(HEADER_KEYS.iter().filter_map(cut))
        .collect()
}

/// Takes the geometry of a file's header into `spec`, key by key; what the header does not say
/// stays. A key is a whole word. Returns the header's two-theta, which nothing takes (the oddity `ignored-input`).
///
/// # Errors
/// [`Error::Io`] with `path` and the key if a value is not a number, [`Error::HeaderValue`] if its
/// magnitude is absurd.
pub fn apply_header(
    spec: &mut ExperimentSpec,
    header: &Header,
    kind: HeaderKind,
    path: &Path,
) -> Result<Option<Angle>, Error> {
    let number = |key: &'static str| -> Result<Option<f64>, Error> {
        let value = header_number(header, key).map_err(|error| error.in_file(path))?;
        check_magnitude(key, value.unwrap_or(0.0), path)?;
        Ok(value)
    };
    let count = |key: &'static str| -> Result<Option<u32>, Error> {
        // The size is checked when the pixels are read. A saturated count is refused later.
        Ok(number(key)?.map(|n| n as u32))
    };
    let detector = &mut spec.detector;
    if let Some(fast) = count("SIZE1")? {
        detector.pixels_fast = Some(fast);
    }
    if let Some(slow) = count("SIZE2")? {
        detector.pixels_slow = Some(slow);
    }
    if let Some(mm) = number("PIXEL_SIZE")? {
        detector.pixel_size = Length::from_mm(mm);
    }
    let pixel_m = detector.pixel_size.m();
    let size_slow_m = pixel_m * f64::from(detector.pixels_slow.unwrap_or(0));
    if let Some(mm) = number("DISTANCE")? {
        detector.distance = Length::from_mm(mm);
    }
    if let Some(mm) = number("CLOSE_DISTANCE")? {
        detector.close_distance = Some(Length::from_mm(mm));
    }
    if let Some(angstrom) = number("WAVELENGTH")? {
        spec.beam.wavelength = Some(Length::from_angstrom(angstrom));
    }
    if let Some(mm) = number("BEAM_CENTER_X")? {
        detector.x_beam = Some(Length::from_mm(mm));
    }
    if let Some(mm) = number("BEAM_CENTER_Y")? {
        let given_m = Length::from_mm(mm).m();
        detector.y_beam = Some(Length::from_m(match kind {
            HeaderKind::Mask => size_slow_m - given_m,
            HeaderKind::Image => given_m,
        }));
    }
    if let Some(pixels) = number("ORGX")? {
        detector.org_x = Some(pixels);
    }
    if let Some(pixels) = number("ORGY")? {
        detector.org_y = Some(pixels);
    }
    if let Some(degrees) = number("PHI")? {
        spec.phi.start = Angle::from_degrees(degrees);
    }
    if let Some(degrees) = number("OSC_RANGE")? {
        spec.phi.sweep.range = Some(Angle::from_degrees(degrees).radians());
    }
    Ok(number("TWOTHETA")?.map(Angle::from_degrees))
}

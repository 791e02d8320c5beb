//! From a geometry to an `XDS.INP`.

use std::fmt::Write;

use nanobragg_crystal::SpaceGroup;
use nanobragg_geometry::vector::{cross, dot, unit};
use nanobragg_response::ResponseSpec;

use super::segments::DetectorFrame;
use crate::error::Error;
use crate::exchange::file::SQUARE;
use crate::exchange::frame::turned_about_x;
use crate::exchange::geometry::{Geometry, PlacedPanel, constants};

/// Numbers smaller than this are written with an exponent.
const SHORT: f64 = 1e-4;

/// The images that an `XDS.INP` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Their names, with a `?` for each digit of the number; `None` for an image without a number.
    pub template: Option<String>,
    /// The first and the last number.
    pub numbers: [u32; 2],
    /// Their format, if XDS reads it without a library.
    pub format: Option<ImageFormat>,
    /// The largest count.
    pub overload: u32,
}

impl Images {
    /// An image of this format and response, without a number.
    pub fn new(format: Option<ImageFormat>, response: &ResponseSpec) -> Self {
        // The largest count that is not cut off.
        let full = match format {
            Some(ImageFormat::Cbf | ImageFormat::Nexus) => i32::MAX as u32,
            Some(ImageFormat::Smv) | None => u32::from(u16::MAX),
        };
        let most = response
            .saturation_counts
            .map_or(full, |most| most.min(full));
        Self {
            template: None,
            numbers: [1, 1],
            format,
            overload: most.saturating_sub(1),
        }
    }
}

impl Images {
    /// The same of so many panels: only an NXmx file has several in one picture.
    #[must_use]
    pub fn of_panels(self, panels: usize, response: &ResponseSpec) -> Self {
        if panels < 2 {
            return self;
        }
        Self {
            numbers: self.numbers,
            ..Self::new(Some(ImageFormat::Nexus), response)
        }
    }
}

/// A format that XDS reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// SMV, of which a count of 0 is no measurement.
    Smv,
    /// CBF.
    Cbf,
    /// NXmx, which XDS reads through a library.
    Nexus,
}

/// The text of an `XDS.INP` with this geometry, for these images. The space group is that of the structure
/// in the setting that XDS has of it, or P 1.
///
/// Numbers are written with as many digits as it takes to read them back unchanged. What XDS needs
/// besides is left to be added. Several panels are segments of the picture that NXmx files have, in which panels
/// stand one below the other. Masked pixels are untrusted rectangles.
///
/// # Errors
/// [`Error::PanelPixels`] if panels differ in the size of their pixels.
pub fn write(geometry: &Geometry, images: &Images) -> Result<String, Error> {
    let Geometry { panels, beam, .. } = geometry;
    let Some(panel) = panels.first() else {
        return Ok(String::new());
    };
    let [x_axis, y_axis, origin_mm] = [panel.fast, panel.slow, panel.origin_mm].map(turned_about_x);
    let normal = unit(cross(x_axis, y_axis));
    let px = panel.pixel_size_mm;
    let other = panels
        .iter()
        .find(|other| (other.pixel_size_mm - px).abs() > SQUARE * px);
    if let Some(other) = other {
        return Err(Error::PanelPixels {
            panel: other.name.clone(),
            pixel_mm: other.pixel_size_mm,
            first_mm: px,
        });
    }
    let nx = panels
        .iter()
        .map(|panel| panel.pixels[0])
        .max()
        .unwrap_or(0);
    let ny = panels
        .iter()
        .map(|panel| panel.pixels[1])
        .fold(0, u32::saturating_add);
    let distance_mm = dot(origin_mm, normal);
    let near_point: [f64; 3] = std::array::from_fn(|i| {
        let at = |v: [f64; 3]| v.get(i).copied().unwrap_or(0.0);
        distance_mm * at(normal) - at(origin_mm)
    });
    let mut text = head(images);
    let mut line = |keyword: &str, numbers: &[f64]| {
        let numbers: Vec<String> = numbers.iter().map(|x| number(*x)).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{keyword}= {}", numbers.join(" "));
    };
    line("NX", &[f64::from(nx)]);
    line("NY", &[f64::from(ny)]);
    line("QX", &[px]);
    line("QY", &[px]);
    line("DIRECTION_OF_DETECTOR_X-AXIS", &x_axis);
    line("DIRECTION_OF_DETECTOR_Y-AXIS", &y_axis);
    line("DETECTOR_DISTANCE", &[distance_mm]);
    line("ORGX", &[dot(near_point, x_axis) / px + 0.5]);
    line("ORGY", &[dot(near_point, y_axis) / px + 0.5]);
    if let Some(slab) = panel.sensor {
        line("SENSOR_THICKNESS", &[slab.thickness_mm]);
        line("SILICON", &[slab.mu_per_mm]);
    }
    line("X-RAY_WAVELENGTH", &[beam.wavelength_angstrom]);
    line("INCIDENT_BEAM_DIRECTION", &turned_about_x(beam.direction));
    line("FRACTION_OF_POLARIZATION", &[beam.polarization_fraction]);
    let normal = turned_about_x(beam.polarization_normal);
    line("POLARIZATION_PLANE_NORMAL", &normal);
    line("ROTATION_AXIS", &turned_about_x(geometry.spindle));
    line("STARTING_ANGLE", &[geometry.oscillation.start_deg]);
    line("OSCILLATION_RANGE", &[geometry.oscillation.width_deg]);
    let edges = geometry.lattice_angstrom.map(turned_about_x);
    line(
        "SPACE_GROUP_NUMBER",
        &[f64::from(space_group_number(geometry))],
    );
    line("UNIT_CELL_CONSTANTS", &constants(edges));
    let [a, b, c] = edges;
    line("UNIT_CELL_A-AXIS", &a);
    line("UNIT_CELL_B-AXIS", &b);
    line("UNIT_CELL_C-AXIS", &c);
    write_segments(panels, &mut line);
    write_untrusted(geometry, nx, &mut line);
    Ok(text)
}

/// The panels of a detector that has several.
fn write_segments(panels: &[PlacedPanel], line: &mut impl FnMut(&str, &[f64])) {
    let [first, _, ..] = panels else {
        return;
    };
    let frame = DetectorFrame::of(first);
    let mut row = 0;
    for panel in panels {
        let segment = frame.segment(panel, [0, row]);
        let [nx, ny] = panel.pixels.map(f64::from);
        let top = f64::from(row);
        line("SEGMENT", &[1.0, nx, top + 1.0, top + ny]);
        let [x_axis, y_axis] = segment.axes;
        line("DIRECTION_OF_SEGMENT_X-AXIS", &x_axis);
        line("DIRECTION_OF_SEGMENT_Y-AXIS", &y_axis);
        let [org_x, org_y] = segment.org;
        line("SEGMENT_ORGX", &[org_x]);
        line("SEGMENT_ORGY", &[org_y]);
        line("SEGMENT_DISTANCE", &[segment.distance_mm]);
        row += panel.pixels[1];
    }
}

/// Masked pixels, and those beside panels that are narrower than the picture. The limits of a rectangle lie outside.
fn write_untrusted(geometry: &Geometry, nx: u32, line: &mut impl FnMut(&str, &[f64])) {
    let mut row = 0;
    for (index, panel) in geometry.panels.iter().enumerate() {
        let [width, height] = panel.pixels;
        let mut rectangle = |fast: [u32; 2], slow: [u32; 2]| {
            let [x1, x2] = fast.map(f64::from);
            let [y1, y2] = slow.map(|pixel| f64::from(pixel) + f64::from(row));
            line("UNTRUSTED_RECTANGLE", &[x1, x2 + 2.0, y1, y2 + 2.0]);
        };
        let regions = geometry
            .masked
            .iter()
            .filter(|region| region.panel == index);
        regions.for_each(|region| rectangle(region.fast, region.slow));
        if width < nx {
            rectangle([width, nx - 1], [0, height - 1]);
        }
        row += height;
    }
}

/// What is said of the images.
fn head(images: &Images) -> String {
    let [first, last] = images.numbers;
    let names = match &images.template {
        _ if images.format == Some(ImageFormat::Nexus) => format!(
            "! Geometry of simulated images, whose panels stand one below the other in an NXmx file. To be added:\n\
             ! NAME_TEMPLATE_OF_DATA_FRAMES=, the LIB= that reads HDF5, and what else concerns the processing.\n\
             DATA_RANGE= {first} {last}\n"
        ),
        Some(template) => format!(
            "! Geometry of simulated images. To be added: what concerns the processing.\n\
             NAME_TEMPLATE_OF_DATA_FRAMES= {template}\nDATA_RANGE= {first} {last}\n"
        ),
        None => "! Geometry of a simulated image. To be added: NAME_TEMPLATE_OF_DATA_FRAMES=, DATA_RANGE= and\n\
                 ! what else concerns the processing.\n"
            .to_owned(),
    };
    let (detector, least) = match images.format {
        Some(ImageFormat::Smv) => ("ADSC", 1),
        Some(ImageFormat::Cbf) => ("PILATUS", 0),
        Some(ImageFormat::Nexus) => ("EIGER", 0),
        None => ("ADSC", 1),
    };
    let overload = images.overload;
    format!(
        "{names}JOB= XYCORR INIT COLSPOT IDXREF DEFPIX INTEGRATE CORRECT\n\
         DETECTOR= {detector} MINIMUM_VALID_PIXEL_VALUE= {least} OVERLOAD= {overload}\n"
    )
}

/// The number of the space group if it is in the setting that the number means; 1 otherwise.
fn space_group_number(geometry: &Geometry) -> u16 {
    let group = geometry.space_group.as_ref();
    let standard = group.and_then(|group| {
        let number = group.number()?;
        let standard = SpaceGroup::from_number(number)?;
        (standard.hall() == group.hall()).then_some(number)
    });
    standard.unwrap_or(1)
}

/// A number in few letters that reads back unchanged; never a negative zero.
fn number(x: f64) -> String {
    if x == 0.0 {
        "0".to_owned()
    } else if x.abs() < SHORT {
        format!("{x:e}")
    } else {
        x.to_string()
    }
}

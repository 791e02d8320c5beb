//! The geometry in an NXmx file, or in the master file of an Eiger detector.
//!
//! [`nanobragg_io::nexus::read_instrument`] reads beam, modules and spindle; here they become a [`Described`]. What an
//! NXmx file leaves open is as DIALS takes it: the beam is along z of NeXus.

use std::path::Path;

use nanobragg_geometry::SensorMaterial;
use nanobragg_geometry::vector::{cross, dot, norm, unit};
use nanobragg_io::any::file_of;
use nanobragg_io::nexus::{self, Instrument, PlacedModule};

use super::described::{Described, Ignored};
use super::file::{LARGEST_SKEW, SQUARE};
use super::geometry::{PlacedPanel, Slab};
use crate::error::Error;
use crate::mask::regions_of;

/// The direction of the beam.
const BEAM: [f64; 3] = [0.0, 0.0, -1.0];

/// A sensor as thick as this, in mm, stands in files of this program for a detector whose sensor is not modelled.
const OPAQUE_MM: f64 = 100.0;

/// Reads what the file at `path` says of an image: `series.nxs#7` is image 7, and without a number it is the first.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read, lacks a value or has a wrong one, named by its path in the file;
/// [`Error::FileValue`] for a module that cannot be a panel.
pub fn read(path: impl AsRef<Path>) -> Result<Described, Error> {
    let (path, image) = file_of(path.as_ref());
    let _span = tracing::debug_span!("read_nexus", path = %path.display()).entered();
    let instrument = nexus::read_instrument(&path, image)?;
    describe(instrument, &path.display().to_string())
}

/// The same of what was read from a file; `name` is for messages.
///
/// # Errors
/// [`Error::FileValue`] naming the module at fault.
pub fn describe(instrument: Instrument, name: &str) -> Result<Described, Error> {
    let mut described = Described {
        beam_direction: Some(BEAM),
        wavelength_angstrom: instrument.wavelength_angstrom,
        spindle: instrument.spindle.map(unit),
        phi_start_deg: instrument.start_degrees,
        phi_width_deg: instrument.width_degrees,
        ..Described::default()
    };
    if let Some((fraction, field)) = instrument.polarization {
        described.polarization_fraction = Some(fraction);
        described.polarization_normal = Some(cross(BEAM, field));
    }
    let place = |at: &str| format!("{name}: {at}");
    for path in &instrument.other_detectors {
        described.ignored.push(Ignored {
            place: place(path),
            reason: "only the first detector of a file is read",
        });
    }
    let sensor = sensor_of(&instrument, name, &mut described);
    let trusted_range = instrument.overload.map(|overload| {
        // A count at the limit can have been any larger one.
        [instrument.underload.unwrap_or(0.0), overload - 1.0]
    });
    for (index, module) in instrument.modules.iter().enumerate() {
        let mut panel = panel_of(module, &place(&module.name))?;
        panel.sensor = sensor;
        panel.trusted_range = trusted_range;
        // Two modules can be in groups of the same name of two detectors, but not of one.
        described.panels.push(panel);
        let [fast, _] = module.pixels;
        let used: Vec<bool> = module.masked.iter().map(|masked| !masked).collect();
        described
            .masked
            .extend(regions_of(index, used.chunks(fast.max(1))));
    }
    Ok(described)
}

fn panel_of(module: &PlacedModule, place: &str) -> Result<PlacedPanel, Error> {
    let wrong = |what: &str, found: String, expected| Error::FileValue {
        place: format!("{place}/{what}"),
        found,
        expected,
    };
    let [width, height] = module.pixel_mm;
    if !(width > 0.0 && height > 0.0) {
        let found = format!("{width} x {height} mm");
        return Err(wrong(
            "fast_pixel_direction",
            found,
            "pixels of a size above 0",
        ));
    }
    if (height - width).abs() > SQUARE * width {
        let found = format!("pixels of {width} x {height} mm");
        return Err(wrong("slow_pixel_direction", found, "square pixels"));
    }
    let [fast, slow] = [module.fast, module.slow];
    if !(norm(fast) > 0.0 && norm(slow) > 0.0) {
        let found = format!("the vectors {fast:?} and {slow:?}");
        return Err(wrong("fast_pixel_direction", found, "two directions"));
    }
    let [fast, slow] = [fast, slow].map(unit);
    let cosine = dot(fast, slow);
    if cosine.abs() > LARGEST_SKEW {
        let found = format!("a cosine of {cosine} to fast_pixel_direction");
        return Err(wrong(
            "slow_pixel_direction",
            found,
            "a direction at right angles to it",
        ));
    }
    // Less than the last digit of numbers of 32 bits, to which the axes of a panel must be at right angles.
    let slow = unit(std::array::from_fn(|i| {
        let at = |v: [f64; 3]| v.get(i).copied().unwrap_or(0.0);
        at(slow) - cosine * at(fast)
    }));
    let sides = module.pixels.map(u32::try_from);
    let [Ok(pixels_fast), Ok(pixels_slow)] = sides else {
        let found = format!("{:?}", module.pixels);
        return Err(wrong("data_size", found, "numbers of pixels"));
    };
    Ok(PlacedPanel {
        name: module.name.clone(),
        origin_mm: module.origin_mm,
        fast,
        slow,
        pixel_size_mm: width,
        pixels: [pixels_fast, pixels_slow],
        ..PlacedPanel::default()
    })
}

/// The sensor of all modules, if its material is known.
fn sensor_of(instrument: &Instrument, name: &str, into: &mut Described) -> Option<Slab> {
    let thickness_mm = instrument.sensor_mm.filter(|mm| *mm < OPAQUE_MM)?;
    let material = match instrument.sensor_material.as_deref() {
        Some("Si" | "Silicon" | "silicon") => SensorMaterial::Si,
        Some("CdTe") => SensorMaterial::CdTe,
        Some(_) | None => {
            into.ignored.push(Ignored {
                place: format!("{name}: sensor_thickness"),
                reason: "the sensor_material is not Si or CdTe; -detector_thick and -detector_abs give a sensor",
            });
            return None;
        }
    };
    Some(Slab {
        thickness_mm,
        mu_per_mm: 0.0,
        material: Some(material),
    })
}

//! The groups and datasets of an NXmx file.

use super::{ImageBeam, Module, PixelType, Series};
use crate::Exposure;
use crate::hdf5::{Dataset, Group, Images, Member, Value};

/// The date of every file. It is constant so that the same run writes the same bytes.
const DATE: &str = "1970-01-01T00:00:00Z";

/// Path of the axes of the detector.
const TRANSFORMATIONS: &str = "/entry/instrument/detector/transformations";
/// Path of the translation from the sample to the detector.
const TRANSLATION: &str = "/entry/instrument/detector/transformations/translation";
/// A thickness through which nothing passes: 60 attenuation lengths of CdTe at 0.1 A.
const OPAQUE_M: f64 = 0.1;

/// A group for what a maker adds to a detector.
const SPECIFIC: &str = "detectorSpecific";

/// Path of the spindle.
const OMEGA: &str = "/entry/sample/transformations/omega";

/// What an NXmx file contains besides the geometry.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The members of the group of images.
    pub(super) data: Vec<(String, Member)>,
    pub(super) pixel_mask: Option<Images>,
    /// Further groups of the entry.
    pub(super) groups: Vec<(&'static str, Group)>,
}

/// The root group.
pub(super) fn root(series: &Series, exposure: &Exposure, contents: Contents) -> Group {
    let Contents {
        data,
        pixel_mask,
        groups,
    } = contents;
    let seconds = exposure.duration_s() * series.images as f64;
    let offset = match series.pixel {
        PixelType::F32 => 0.0,
        PixelType::I32 | PixelType::U32 => exposure.offset_counts,
    };
    let mut detector = detector(series, exposure, seconds, pixel_mask);
    let mut entry = Group::of_class("NXentry")
        .attribute("default", Value::text("data"))
        .with("definition", Value::text("NXmx"))
        .with("start_time", Value::text(DATE))
        .with("end_time_estimated", Value::text(DATE));
    if data.is_empty() {
        detector = detector.without("data");
    } else {
        let mut group =
            Group::of_class("NXdata").attribute("signal", Value::text(series.images_name()));
        for (name, member) in data {
            group = group.with(name, member);
        }
        // Added to a count it makes it proportional to the photons.
        entry = entry.with(
            "data",
            group.with("data_offset", Value::number(0.0 - offset)),
        );
    }
    entry = entry
        .with(
            "source",
            Group::of_class("NXsource")
                .with("name", Value::text("nanoBragg"))
                .with("type", Value::text("simulation")),
        )
        .with("sample", sample(series, exposure))
        .with(
            "instrument",
            Group::of_class("NXinstrument")
                .with("name", Value::text("nanoBragg"))
                .with("time_zone", Value::text("UTC"))
                .with("beam", beam(series, exposure))
                .with("detector", detector),
        );
    for (name, group) in groups {
        entry = entry.with(name, group);
    }
    Group::of_class("NXroot")
        .attribute("default", Value::text("entry"))
        .attribute("creator", Value::text("nanoBragg"))
        .with("entry", entry)
}

fn sample(series: &Series, exposure: &Exposure) -> Group {
    let starts: Vec<f64> = (0..series.images)
        .map(|image| exposure.start_degrees + image as f64 * series.step_degrees)
        .collect();
    let ends: Vec<f64> = starts.iter().map(|s| s + exposure.width_degrees).collect();
    Group::of_class("NXsample")
        .with("name", Value::text("crystal"))
        .with("depends_on", Value::text(OMEGA))
        .with("beam", Member::Link("/entry/instrument/beam".into()))
        .with(
            "transformations",
            Group::of_class("NXtransformations")
                .with(
                    "omega",
                    axis(
                        Value::numbers(&starts),
                        ("rotation", "deg"),
                        nexus(exposure.spindle),
                        ".",
                    ),
                )
                .with(
                    "omega_end",
                    Dataset::new(Value::numbers(&ends)).units("deg"),
                )
                .with(
                    "omega_increment_set",
                    Dataset::new(Value::number(exposure.width_degrees)).units("deg"),
                ),
        )
}

/// Wavelength and flux are one number each, or one for each image if those of the images differ.
fn beam(series: &Series, exposure: &Exposure) -> Group {
    let each = |shared: f64, of_image: fn(&ImageBeam) -> f64| {
        let of_images: Vec<f64> = series.beams.iter().map(of_image).collect();
        match of_images.iter().any(|one| Some(one) != of_images.first()) {
            true => Value::numbers(&of_images),
            false => Value::number(shared),
        }
    };
    let wavelength = each(exposure.wavelength_angstrom, |beam| {
        beam.wavelength_angstrom
    });
    let flux = each(exposure.flux_per_s, |beam| beam.flux_per_s);
    // Stokes parameters for an intensity of 1. Light of fraction f along an axis at angle t from x,
    // and 1 - f across it, has Q = I_x - I_y = (2f - 1) cos 2t and U, the same between the axes at
    // 45 and 135 degrees, (2f - 1) sin 2t.
    let share = 2.0 * exposure.polarization_fraction - 1.0;
    let [x, y, _] = nexus(exposure.polarization_axis);
    let angle = 2.0 * y.atan2(x);
    let stokes = [1.0, share * angle.cos(), share * angle.sin(), 0.0];
    let mut wavelength = Dataset::new(wavelength).units("angstrom");
    if !exposure.spectrum.is_empty() {
        wavelength = wavelength.attribute("variant", Value::text("incident_wavelength_spectrum"));
    }
    let mut beam = Group::of_class("NXbeam")
        .with("incident_wavelength", wavelength)
        .with("total_flux", Dataset::new(flux).units("Hz"))
        .with("incident_polarization_stokes", Value::numbers(&stokes));
    if !exposure.spectrum.is_empty() {
        let column = |at: fn(&[f64; 2]) -> f64| {
            Value::numbers(&exposure.spectrum.iter().map(at).collect::<Vec<_>>())
        };
        beam = beam
            .with(
                "incident_wavelength_spectrum",
                Dataset::new(column(|[wavelength, _]| *wavelength)).units("angstrom"),
            )
            .with(
                "incident_wavelength_spectrum_weights",
                column(|[_, weight]| *weight),
            );
    }
    beam
}

fn detector(
    series: &Series,
    exposure: &Exposure,
    seconds: f64,
    pixel_mask: Option<Images>,
) -> Group {
    let pixel_m = exposure.pixel_mm / 1000.0;
    let metres = |value: f64| Dataset::new(Value::number(value)).units("m");
    let per_image = Value::number(seconds / series.images.max(1) as f64);
    let (material, thickness_m) = sensor(exposure);
    let [x, y, z] = nexus(exposure.origin_mm);
    let length = x.hypot(y).hypot(z);
    let towards = if length > 0.0 {
        [x / length, y / length, z / length]
    } else {
        [0.0, 0.0, 1.0]
    };
    let mut detector = Group::of_class("NXdetector")
        .with("description", Value::text(exposure.description()))
        .with("type", Value::text("Pixel"))
        .with("depends_on", Value::text(TRANSLATION))
        .with("distance", metres(exposure.distance_mm() / 1000.0))
        .with("x_pixel_size", metres(pixel_m))
        .with("y_pixel_size", metres(pixel_m))
        .with("count_time", Dataset::new(per_image.clone()).units("s"))
        .with("frame_time", Dataset::new(per_image).units("s"))
        .with("bit_depth_image", Value::integer(32))
        .with("saturation_value", Value::integer(exposure.cutoff))
        .with("underload_value", Value::integer(0))
        .with("sensor_material", Value::text(material))
        .with("sensor_thickness", metres(thickness_m))
        .with("data", Member::Link(series.images_path().into()));
    if let Some(mask) = pixel_mask {
        detector = match series.mask_path().contains(SPECIFIC) {
            true => detector.with(
                SPECIFIC,
                Group::of_class("NXcollection").with("pixel_mask", mask),
            ),
            false => detector.with("pixel_mask", mask),
        };
    }
    if let Some([fast, slow]) = exposure.beam_px() {
        let pixels = |value: f64| Dataset::new(Value::number(value)).units("pixels");
        detector = detector
            .with("beam_center_x", pixels(fast))
            .with("beam_center_y", pixels(slow));
    }
    let mut axes = Group::of_class("NXtransformations").with(
        "translation",
        axis(
            Value::numbers(&[length]),
            ("translation", "mm"),
            towards,
            ".",
        ),
    );
    // Modules do not move against the detector here. Each has an axis, so that readers refine its place.
    let modules = modules_of_chips(&series.panels);
    for module in &modules {
        let still = Value::number(0.0);
        let still = axis(still, ("translation", "mm"), [0.0, 0.0, 1.0], TRANSLATION);
        axes = axes.with((*module).to_owned(), still);
    }
    detector = detector.with("transformations", axes);
    let several = series.panels.len() > 1;
    let mut first_slow = 0;
    for (index, panel) in series.panels.iter().enumerate() {
        // Readers take modules in the order of their names.
        let name = if several {
            format!("module_{index:04}")
        } else {
            "module".to_owned()
        };
        let on = match modules.contains(&panel.exposure.module.as_str()) {
            true => format!("{TRANSFORMATIONS}/{}", panel.exposure.module),
            false => TRANSLATION.to_owned(),
        };
        let module = module(exposure, panel, first_slow, &name, &on);
        first_slow += panel.slow;
        detector = detector.with(name, module);
    }
    detector
}

/// The material and the thickness in metres of the sensor.
///
/// Without a sensor every photon counts in the plane of the panel. NXmx cannot say so, and dxtbx, which
/// corrects intensities for the photons that pass the sensor, refuses a sensor without thickness. So this
/// is one through which nothing passes, of the material known to dxtbx that stops photons soonest: on
/// average 12 micrometres deep at 1 A, where silicon would be 240.
fn sensor(exposure: &Exposure) -> (&str, f64) {
    if exposure.sensor_mm > 0.0 {
        return (exposure.sensor_material, exposure.sensor_mm / 1000.0);
    }
    // The edges of Cd (K) and As (K), between which gallium arsenide stops more.
    let material = match exposure.wavelength_angstrom {
        0.464..1.045 => "GaAs",
        _ => "CdTe",
    };
    (material, OPAQUE_M)
}

/// The modules of a detector whose panels are chips of two modules or more; none for another detector.
fn modules_of_chips(panels: &[Module]) -> Vec<&str> {
    let mut modules: Vec<&str> = Vec::new();
    for panel in panels {
        let module = panel.exposure.module.as_str();
        if module.is_empty() {
            return Vec::new();
        }
        if !modules.contains(&module) {
            modules.push(module);
        }
    }
    if modules.len() < 2 {
        modules.clear();
    }
    modules
}

/// A panel whose first row is the row `first_slow` of the file, on the axis `on`. Its corner is relative to the
/// corner of the first panel.
fn module(first: &Exposure, panel: &Module, first_slow: usize, name: &str, on: &str) -> Group {
    let exposure = &panel.exposure;
    // `Images::new` has checked that all fit.
    let sides = [panel.slow, panel.fast].map(|side| side as i32);
    let offset_path = format!("/entry/instrument/detector/{name}/module_offset");
    let ([x, y, z], [x0, y0, z0]) = (exposure.origin_mm, first.origin_mm);
    let from_first = [x - x0, y - y0, z - z0];
    let [x, y, z] = from_first;
    let length = x.hypot(y).hypot(z);
    let direction = if length > 0.0 {
        from_first.map(|x| x / length)
    } else {
        [0.0, 0.0, -1.0]
    };
    let millimetres = |value: f64, direction: [f64; 3], on: &str| {
        axis(
            Value::number(value),
            ("translation", "mm"),
            nexus(direction),
            on,
        )
    };
    Group::of_class("NXdetector_module")
        .with("data_origin", Value::integers(&[first_slow as i32, 0]))
        .with("data_size", Value::integers(&sides))
        .with("data_stride", Value::integers(&[1, 1]))
        .with("module_offset", millimetres(length, direction, on))
        .with(
            "fast_pixel_direction",
            millimetres(exposure.pixel_mm, exposure.fast, &offset_path),
        )
        .with(
            "slow_pixel_direction",
            millimetres(exposure.pixel_mm, exposure.slow, &offset_path),
        )
}

/// An axis with its setting `value`, its kind ("rotation" or "translation") and units, its
/// direction, and the path of the axis that carries it (`.` for none).
fn axis(value: Value, (kind, units): (&str, &str), vector: [f64; 3], on: &str) -> Dataset {
    Dataset::new(value)
        .units(units)
        .attribute("transformation_type", Value::text(kind))
        .attribute("vector", Value::numbers(&vector))
        .attribute("offset", Value::numbers(&[0.0; 3]))
        .attribute("offset_units", Value::text("mm"))
        .attribute("depends_on", Value::text(on))
}

/// A vector of imgCIF in the frame of NeXus: half a turn about y.
fn nexus([x, y, z]: [f64; 3]) -> [f64; 3] {
    // `0.0 - x` instead of `-x`, so that 0 does not become -0 in the file.
    [0.0 - x, y, 0.0 - z]
}

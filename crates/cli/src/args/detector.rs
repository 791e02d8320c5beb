use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Args, Range, WholeRange};
use nanobragg::{Convention, Error, Pivot, Preset, SensorMaterial};
use std::path::PathBuf;

/// Pixels, placement and sensor of the detector. Pairs are `[fast, slow]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetectorArgs {
    /// The detector by name.
    pub preset: Option<&'static Preset>,
    /// Image whose header gives the geometry.
    pub image_path: Option<PathBuf>,
    /// Image whose header gives the geometry and whose zero pixels are skipped.
    pub mask_path: Option<PathBuf>,
    /// ExperimentList of dxtbx with the geometry.
    pub expt_path: Option<PathBuf>,
    /// The experiment in this list, counted from 0.
    pub expt_number: Option<u32>,
    /// The only crystal of it, counted from 0.
    pub expt_crystal: Option<u32>,
    /// The panel of the detector, counted from 0.
    pub expt_panel: Option<u32>,
    /// `XDS.INP` with the geometry.
    pub xds_path: Option<PathBuf>,
    /// Geometry of CrystFEL.
    pub geom_path: Option<PathBuf>,
    /// Distance along the beam.
    pub distance_mm: Option<f64>,
    /// Distance along the detector normal.
    pub close_distance_mm: Option<f64>,
    /// Edge of a pixel.
    pub pixel_mm: Option<f64>,
    /// Pixel counts.
    pub pixels: [Option<u32>; 2],
    /// Sizes, for axes without a pixel count.
    pub size_mm: [Option<f64>; 2],
    /// The beam centre, as the convention defines it.
    pub beam_centre_mm: Centre,
    /// The point of the detector nearest to the sample.
    pub close_centre_mm: Centre,
    /// The nearest point in pixels of XDS.
    pub org_px: Centre,
    /// The convention of the last flag that selects one.
    pub convention: Option<Convention>,
    /// The value of `-pivot`.
    pub pivot: Option<Pivot>,
    /// The pivot after the last flag that sets it, including `-pivot`; for custom axes only.
    pub pivot_of_last_flag: Option<Pivot>,
    /// The pivot of the last distance flag.
    pub pivot_of_distance: Option<Pivot>,
    /// Rotations about the laboratory's X, Y, Z.
    pub rotations_deg: [Option<f64>; 3],
    /// Rotation about the two-theta axis.
    pub twotheta_deg: Option<f64>,
    /// All pixels have the same distance.
    pub curved: bool,
    /// The solid angle is that of a point, not of a tilted pixel.
    pub point_pixel: bool,
    /// Depth at which the intensity is 1/e; infinite for `inf` or 0.
    pub attenuation_um: Option<f64>,
    /// Thickness of the sensor; 0 after `-detector_abs inf`.
    pub thickness_um: Option<f64>,
    /// Material of the sensor.
    pub material: Option<SensorMaterial>,
    /// Layers of the sensor.
    pub thickness_steps: Option<u32>,
}

/// A point with one flag for each coordinate. The convention defines X and Y.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Centre {
    /// From `-Xbeam`, `-Xclose` or `-ORGX`.
    pub x: Option<f64>,
    /// From `-Ybeam`, `-Yclose` or `-ORGY`.
    pub y: Option<f64>,
}

fn pivot(args: &mut Args, pivot: Pivot) {
    args.detector.pivot_of_last_flag = Some(pivot);
}

fn convention(args: &mut Args, convention: Convention) {
    args.detector.convention = Some(convention);
    pivot(
        args,
        if convention == Convention::Xds {
            Pivot::Sample
        } else {
            Pivot::Beam
        },
    );
}

/// `-name v` for one coordinate of a centre. The flag also sets the pivot.
macro_rules! centre {
    ($name:literal, $unit:literal, $centre:ident . $axis:ident, $pivot:ident, $help:literal) => {
        FlagSpec::number($name, $unit, Range::Any, |args, v| {
            args.detector.$centre.$axis = Some(v);
            pivot(args, Pivot::$pivot);
        })
        .help($help)
    };
}

pub(super) static GROUP: Group = Group {
    heading: "Detector",
    flags: &[
        FlagSpec::new(
            "detector",
            Takes::Text(|args, name| {
                let preset = Preset::named(name).map_err(|error| match error {
                    Error::UnknownDetector { nearest, names, .. } => {
                        let near = nearest.map(|near| format!("{near}, or another "));
                        format!("{}one of {names}", near.unwrap_or_default())
                    }
                    error => error.to_string(),
                });
                args.detector.preset = Some(preset?);
                Ok(())
            }),
        )
        .values("name")
        .help(
            "This detector, such as eiger16m: its pixels, gaps, panels, sensor and response, where other \
             flags do not say otherwise. `nanoBragg detectors` lists them.",
        )
        .of(&["detector.preset"]),
        FlagSpec::path("img", |args, path| args.detector.image_path = Some(path))
            .help(
                "Take the geometry from the header of this SMV image or from this NXmx file, of which \
                 FILE#7 is image 7; flags win over it.",
            )
            .of(&["header"]),
        FlagSpec::path("mask", |args, path| args.detector.mask_path = Some(path))
            .help(
                "Skip the pixels that are 0 in this image, or masked by it: SMV, CBF, TIFF, NXmx, PGM, NPY \
                 or raw floats. The header of an SMV image sets the geometry, as in the C program, \
                 unless -fix mask-header.",
            )
            .of(&["header", "mask"]),
        FlagSpec::path("expt", |args, path| args.detector.expt_path = Some(path))
            .help(
                "Take detector, beam, spindle, phi and oriented cell from this ExperimentList of \
             dxtbx (DIALS), with all lattices on the image; flags win over it.",
            )
            .of(&["exchange"]),
        FlagSpec::whole("expt_number", WholeRange::ZERO_OR_MORE, |args, n| {
            args.detector.expt_number = Some(super::count(n))
        })
        .default("0")
        .help("An experiment of that list, counted from 0, whose image is taken; its lattice is the first."),
        FlagSpec::whole("expt_crystal", WholeRange::ZERO_OR_MORE, |args, n| {
            args.detector.expt_crystal = Some(super::count(n))
        })
        .help("Only this crystal of that list, counted from 0, in place of all lattices on the image."),
        FlagSpec::whole("expt_panel", WholeRange::ZERO_OR_MORE, |args, n| {
            args.detector.expt_panel = Some(super::count(n))
        })
        .help("Only this panel of its detector, counted from 0.")
        .of(&["exchange.panel"]),
        FlagSpec::path("xdsinp", |args, path| args.detector.xds_path = Some(path))
            .help("Take the same from this XDS.INP, XPARM.XDS or GXPARM.XDS; flags win over it.")
            .of(&["exchange"]),
        FlagSpec::path("geom", |args, path| args.detector.geom_path = Some(path))
            .help(
                "Take detector, masked pixels, gain and wavelength from this geometry of CrystFEL; flags \
                 win over it.",
            )
            .of(&["exchange"]),
        FlagSpec::number("distance", "mm", Range::Any, |args, v| {
            args.detector.distance_mm = Some(v);
            args.detector.pivot_of_distance = Some(Pivot::Beam);
            pivot(args, Pivot::Beam);
        })
        .default("100")
        .replaces(Replaced::negative, "its magnitude counts")
        .help("Distance from the sample along the beam.")
        .of(&["detector.distance"]),
        FlagSpec::number("close_distance", "mm", Range::Any, |args, v| {
            args.detector.close_distance_mm = Some(v);
            args.detector.pivot_of_distance = Some(Pivot::Sample);
            pivot(args, Pivot::Sample);
        })
        .replaces(
            Replaced::negative,
            "the detector is upstream of the sample, and its solid angles are negative",
        )
        .help("Distance from the sample along the detector normal.")
        .of(&["detector.close_distance"]),
        FlagSpec::number("pixel", "mm", Range::AboveZero, |args, v| {
            args.detector.pixel_mm = Some(v)
        })
        .default("0.1")
        .help("Edge of a pixel.")
        .of(&["detector.pixel_size"]),
        FlagSpec::whole("detpixels", WholeRange::ONE_OR_MORE, |args, n| {
            args.detector.pixels = [Some(super::count(n)); 2]
        })
        .help("Pixels in both directions; wins over -detsize.")
        .of(&["detector.pixels"]),
        FlagSpec::whole("detpixels_x", WholeRange::ONE_OR_MORE, |args, n| {
            args.detector.pixels[0] = Some(super::count(n))
        })
        .or(&["detpixels_f"])
        .help("Pixels in the fast direction."),
        FlagSpec::whole("detpixels_y", WholeRange::ONE_OR_MORE, |args, n| {
            args.detector.pixels[1] = Some(super::count(n))
        })
        .or(&["detpixels_s"])
        .help("Pixels in the slow direction."),
        FlagSpec::number("detsize", "mm", Range::AboveZero, |args, v| {
            args.detector.size_mm = [Some(v); 2]
        })
        .default("102.4")
        .help("Detector size in both directions.")
        .of(&["detector.size"]),
        FlagSpec::number("detsize_f", "mm", Range::AboveZero, |args, v| {
            args.detector.size_mm[0] = Some(v)
        })
        .help("Detector size in the fast direction."),
        FlagSpec::number("detsize_s", "mm", Range::AboveZero, |args, v| {
            args.detector.size_mm[1] = Some(v)
        })
        .help("Detector size in the slow direction."),
        FlagSpec::switch("mosflm", |args| convention(args, Convention::Mosflm))
            .help("MOSFLM's convention. This is the default."),
        FlagSpec::switch("xds", |args| convention(args, Convention::Xds)).help("XDS's convention."),
        FlagSpec::switch("adxv", |args| convention(args, Convention::Adxv))
            .help("ADXV's convention."),
        FlagSpec::switch("denzo", |args| convention(args, Convention::Denzo))
            .help("DENZO's convention."),
        FlagSpec::switch("dials", |args| convention(args, Convention::Dials))
            .help("DIALS's convention."),
        centre!(
            "Xbeam",
            "mm",
            beam_centre_mm.x,
            Beam,
            "Beam centre, X of the convention."
        )
        .of(&["detector.beam_centre"]),
        centre!(
            "Ybeam",
            "mm",
            beam_centre_mm.y,
            Beam,
            "Beam centre, Y of the convention."
        )
        .of(&["detector.beam_centre"]),
        centre!(
            "Xclose",
            "mm",
            close_centre_mm.x,
            Sample,
            "Point nearest to the sample, X."
        )
        .of(&["detector.near_point"]),
        centre!(
            "Yclose",
            "mm",
            close_centre_mm.y,
            Sample,
            "Point nearest to the sample, Y."
        )
        .of(&["detector.near_point"]),
        centre!(
            "ORGX",
            "pixels",
            org_px.x,
            Sample,
            "Point nearest to the sample as in XDS, X."
        )
        .of(&["detector.org"]),
        centre!(
            "ORGY",
            "pixels",
            org_px.y,
            Sample,
            "Point nearest to the sample as in XDS, Y."
        )
        .of(&["detector.org"]),
        FlagSpec::new(
            "pivot",
            Takes::Word(&["sample", "beam"], |args, word| {
                let said = if word == "beam" {
                    Pivot::Beam
                } else {
                    Pivot::Sample
                };
                args.detector.pivot = Some(said);
                pivot(args, said);
            }),
        )
        .help(
            "What stays in place when the detector turns: the point nearest to the sample or \
             the beam's spot. Named conventions use their own, except with -fix pivot.",
        ),
        FlagSpec::number("detector_rotx", "deg", Range::Any, |args, v| {
            args.detector.rotations_deg[0] = Some(v)
        })
        .default("0")
        .help("Turn the detector about X, first.")
        .of(&["detector.rotations"]),
        FlagSpec::number("detector_roty", "deg", Range::Any, |args, v| {
            args.detector.rotations_deg[1] = Some(v)
        })
        .default("0")
        .help("Turn the detector about Y, next.")
        .of(&["detector.rotations"]),
        FlagSpec::number("detector_rotz", "deg", Range::Any, |args, v| {
            args.detector.rotations_deg[2] = Some(v)
        })
        .default("0")
        .help("Turn the detector about Z, next.")
        .of(&["detector.rotations"]),
        FlagSpec::number("twotheta", "deg", Range::Any, |args, v| {
            args.detector.twotheta_deg = Some(v);
            pivot(args, Pivot::Sample);
        })
        .default("0")
        .help("Turn the detector about the two-theta axis, last.")
        .of(&["detector.twotheta"]),
        FlagSpec::switch("curved_det", |args| args.detector.curved = true)
            .or(&["curved_detector"])
            .help("All pixels at the same distance from the sample.")
            .of(&["detector.surface"]),
        FlagSpec::switch("point_pixel", |args| args.detector.point_pixel = true)
            .help("Leave a pixel's size and tilt out of its solid angle."),
        FlagSpec::number("detector_abs", "um", Range::ZeroToInfinity, |args, v| {
            if v == 0.0 || v.is_infinite() {
                args.detector.attenuation_um = Some(f64::INFINITY);
                args.detector.thickness_um = Some(0.0);
            } else {
                args.detector.attenuation_um = Some(v);
            }
        })
        .or(&["detector_absorb", "detector_absorption"])
        .default("inf")
        .help(
            "Depth of the sensor material at which 1/e is left. 0 or inf: no absorption and, \
             unless -detector_thick follows, no thickness.",
        )
        .of(&["detector.sensor.attenuation"]),
        FlagSpec::number("detector_thick", "um", Range::ZeroOrMore, |args, v| {
            args.detector.thickness_um = Some(v)
        })
        .default("0")
        .help("Thickness of the sensor.")
        .of(&["detector.sensor.thickness"]),
        FlagSpec::new(
            "detector_material",
            Takes::Word(&["Si", "CdTe"], |args, word| {
                args.detector.material = Some(match word {
                    "CdTe" => SensorMaterial::CdTe,
                    _ => SensorMaterial::Si,
                });
            }),
        )
        .help(
            "Material of the sensor. It gives the absorption of a sensor with -detector_thick at the \
             wavelength, unless -detector_abs does.",
        ),
        FlagSpec::whole("detector_thicksteps", WholeRange::COUNT, |args, n| {
            args.detector.thickness_steps = super::positive(n)
        })
        .or(&["thicksteps"])
        .default("2 with a thickness, otherwise 1")
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Layers of the sensor; 0 or less counts as not given.")
        .of(&["detector.sensor.layers"]),
    ],
};

use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};
use std::path::PathBuf;

/// Pixels, placement and sensor of the detector. Pairs are `[fast, slow]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetectorArgs {
    /// Image whose header gives the geometry.
    pub image_path: Option<PathBuf>,
    /// Image whose header gives the geometry and whose zero pixels are skipped.
    pub mask_path: Option<PathBuf>,
    /// ExperimentList of dxtbx that gives the geometry.
    pub expt_path: Option<PathBuf>,
    /// The experiment of that list, counted from 0.
    pub expt_number: Option<u32>,
    /// The panel of its detector, counted from 0.
    pub expt_panel: Option<u32>,
    /// `XDS.INP` that gives the geometry.
    pub xds_path: Option<PathBuf>,
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
    /// The beam's spot on the detector, in the convention's own sense.
    pub beam_centre_mm: Centre,
    /// The point of the detector nearest to the sample.
    pub close_centre_mm: Centre,
    /// The nearest point as XDS counts pixels.
    pub org_px: Centre,
    /// The last word on the convention.
    pub convention: Option<Convention>,
    /// What `-pivot` said.
    pub pivot: Option<Pivot>,
    /// What the last flag that touches the pivot (`-pivot` included) made of it; custom only.
    pub pivot_of_last_flag: Option<Pivot>,
    /// Which of the distances came last.
    pub last_distance: Option<DistanceFlag>,
    /// Rotations about the laboratory's X, Y, Z.
    pub rotations_deg: [Option<f64>; 3],
    /// Rotation about the two-theta axis.
    pub twotheta_deg: Option<f64>,
    /// All pixels at the same distance.
    pub curved: bool,
    /// Solid angle of a point, not of a tilted pixel.
    pub point_pixel: bool,
    /// Depth at which 1/e is left; infinite after `inf` or 0.
    pub attenuation_um: Option<f64>,
    /// Thickness of the sensor; 0 after `-detector_abs inf`.
    pub thickness_um: Option<f64>,
    /// Layers of the sensor.
    pub thickness_steps: Option<u32>,
}

/// A point given by one flag for each coordinate. X and Y mean what the convention says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Centre {
    /// Of `-Xbeam`, `-Xclose`, `-ORGX`.
    pub x: Option<f64>,
    /// Of `-Ybeam`, `-Yclose`, `-ORGY`.
    pub y: Option<f64>,
}

/// Where axes point and where beam centres are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// MOSFLM's, the default.
    Mosflm,
    /// XDS's.
    Xds,
    /// ADXV's.
    Adxv,
    /// DENZO's.
    Denzo,
    /// DIALS's.
    Dials,
    /// Axes as given by vector flags.
    Custom,
}

/// What stays in place when the detector turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pivot {
    /// The beam's spot on the detector.
    Beam,
    /// The point nearest to the sample.
    Sample,
}

/// One of the two flags for the distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistanceFlag {
    /// `-distance`.
    Distance,
    /// `-close_distance`.
    CloseDistance,
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

const fn number(
    name: &'static str,
    unit: &'static str,
    range: Range,
    set: fn(&mut Args, f64),
    help: &'static str,
) -> FlagSpec {
    FlagSpec::new(name, Takes::Number { unit, range, set }, help)
}

const fn pixels(name: &'static str, set: fn(&mut Args, i64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::ONE_OR_MORE,
            set,
        },
        help,
    )
}

const fn from_zero(name: &'static str, set: fn(&mut Args, i64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::ZERO_OR_MORE,
            set,
        },
        help,
    )
}

const fn switch(name: &'static str, set: fn(&mut Args), help: &'static str) -> FlagSpec {
    FlagSpec::new(name, Takes::Switch(set), help)
}

/// `-name v` for one coordinate of a centre, which also says what the detector turns about.
macro_rules! centre {
    ($name:literal, $unit:literal, $centre:ident . $axis:ident, $pivot:ident, $help:literal) => {
        number(
            $name,
            $unit,
            Range::Any,
            |args, v| {
                args.detector.$centre.$axis = Some(v);
                pivot(args, Pivot::$pivot);
            },
            $help,
        )
    };
}

pub(super) static GROUP: Group = Group {
    heading: "Detector",
    flags: &[
        FlagSpec::new(
            "img",
            Takes::Path(|args, path| args.detector.image_path = Some(path)),
            "Take the geometry from the header of this SMV image; flags win over it.",
        ),
        FlagSpec::new(
            "mask",
            Takes::Path(|args, path| args.detector.mask_path = Some(path)),
            "The same, and skip the pixels that are 0 in it.",
        ),
        FlagSpec::new(
            "expt",
            Takes::Path(|args, path| args.detector.expt_path = Some(path)),
            "Take detector, beam, spindle, phi and oriented cell from this ExperimentList of \
             dxtbx (DIALS); flags win over it.",
        ),
        from_zero(
            "expt_number",
            |args, n| args.detector.expt_number = Some(super::count(n)),
            "The experiment of that list, counted from 0.",
        )
        .default("0"),
        from_zero(
            "expt_panel",
            |args, n| args.detector.expt_panel = Some(super::count(n)),
            "Only this panel of its detector, counted from 0.",
        ),
        FlagSpec::new(
            "xdsinp",
            Takes::Path(|args, path| args.detector.xds_path = Some(path)),
            "Take the same from this XDS.INP; flags win over it.",
        ),
        number(
            "distance",
            "mm",
            Range::Any,
            |args, v| {
                args.detector.distance_mm = Some(v);
                args.detector.last_distance = Some(DistanceFlag::Distance);
                pivot(args, Pivot::Beam);
            },
            "Distance from the sample along the beam.",
        )
        .default("100"),
        number(
            "close_distance",
            "mm",
            Range::Any,
            |args, v| {
                args.detector.close_distance_mm = Some(v);
                args.detector.last_distance = Some(DistanceFlag::CloseDistance);
                pivot(args, Pivot::Sample);
            },
            "Distance from the sample along the detector normal.",
        ),
        number(
            "pixel",
            "mm",
            Range::AboveZero,
            |args, v| args.detector.pixel_mm = Some(v),
            "Edge of a pixel.",
        )
        .default("0.1"),
        pixels(
            "detpixels",
            |args, n| args.detector.pixels = [Some(super::count(n)); 2],
            "Pixels in both directions; wins over -detsize.",
        ),
        pixels(
            "detpixels_x",
            |args, n| args.detector.pixels[0] = Some(super::count(n)),
            "Pixels in the fast direction.",
        )
        .or(&["detpixels_f"]),
        pixels(
            "detpixels_y",
            |args, n| args.detector.pixels[1] = Some(super::count(n)),
            "Pixels in the slow direction.",
        )
        .or(&["detpixels_s"]),
        number(
            "detsize",
            "mm",
            Range::AboveZero,
            |args, v| args.detector.size_mm = [Some(v); 2],
            "Detector size in both directions.",
        )
        .default("102.4"),
        number(
            "detsize_f",
            "mm",
            Range::AboveZero,
            |args, v| args.detector.size_mm[0] = Some(v),
            "Detector size in the fast direction.",
        ),
        number(
            "detsize_s",
            "mm",
            Range::AboveZero,
            |args, v| args.detector.size_mm[1] = Some(v),
            "Detector size in the slow direction.",
        ),
        switch(
            "mosflm",
            |args| convention(args, Convention::Mosflm),
            "MOSFLM's convention. This is the default.",
        ),
        switch(
            "xds",
            |args| convention(args, Convention::Xds),
            "XDS's convention.",
        ),
        switch(
            "adxv",
            |args| convention(args, Convention::Adxv),
            "ADXV's convention.",
        ),
        switch(
            "denzo",
            |args| convention(args, Convention::Denzo),
            "DENZO's convention.",
        ),
        switch(
            "dials",
            |args| convention(args, Convention::Dials),
            "DIALS's convention.",
        ),
        centre!(
            "Xbeam",
            "mm",
            beam_centre_mm.x,
            Beam,
            "Beam centre, X of the convention."
        ),
        centre!(
            "Ybeam",
            "mm",
            beam_centre_mm.y,
            Beam,
            "Beam centre, Y of the convention."
        ),
        centre!(
            "Xclose",
            "mm",
            close_centre_mm.x,
            Sample,
            "Point nearest to the sample, X."
        ),
        centre!(
            "Yclose",
            "mm",
            close_centre_mm.y,
            Sample,
            "Point nearest to the sample, Y."
        ),
        centre!(
            "ORGX",
            "pixels",
            org_px.x,
            Sample,
            "Point nearest to the sample as in XDS, X."
        ),
        centre!(
            "ORGY",
            "pixels",
            org_px.y,
            Sample,
            "Point nearest to the sample as in XDS, Y."
        ),
        FlagSpec::new(
            "pivot",
            Takes::Word {
                words: &["sample", "beam"],
                set: |args, word| {
                    let said = if word == "beam" {
                        Pivot::Beam
                    } else {
                        Pivot::Sample
                    };
                    args.detector.pivot = Some(said);
                    pivot(args, said);
                },
            },
            "What stays in place when the detector turns: the point nearest to the sample or \
             the beam's spot. Named conventions use their own, except with -fix pivot.",
        ),
        number(
            "detector_rotx",
            "deg",
            Range::Any,
            |args, v| args.detector.rotations_deg[0] = Some(v),
            "Turn the detector about X, first.",
        )
        .default("0"),
        number(
            "detector_roty",
            "deg",
            Range::Any,
            |args, v| args.detector.rotations_deg[1] = Some(v),
            "Turn the detector about Y, next.",
        )
        .default("0"),
        number(
            "detector_rotz",
            "deg",
            Range::Any,
            |args, v| args.detector.rotations_deg[2] = Some(v),
            "Turn the detector about Z, next.",
        )
        .default("0"),
        number(
            "twotheta",
            "deg",
            Range::Any,
            |args, v| {
                args.detector.twotheta_deg = Some(v);
                pivot(args, Pivot::Sample);
            },
            "Turn the detector about the two-theta axis, last.",
        )
        .default("0"),
        switch(
            "curved_det",
            |args| args.detector.curved = true,
            "All pixels at the same distance from the sample.",
        ),
        switch(
            "point_pixel",
            |args| args.detector.point_pixel = true,
            "Leave a pixel's size and tilt out of its solid angle.",
        ),
        number(
            "detector_abs",
            "um",
            Range::ZeroToInfinity,
            |args, v| {
                if v == 0.0 || v.is_infinite() {
                    args.detector.attenuation_um = Some(f64::INFINITY);
                    args.detector.thickness_um = Some(0.0);
                } else {
                    args.detector.attenuation_um = Some(v);
                }
            },
            "Depth of the sensor material at which 1/e is left. 0 or inf: no absorption and, \
             unless -detector_thick follows, no thickness.",
        )
        .or(&["detector_absorb"])
        .default("inf"),
        number(
            "detector_thick",
            "um",
            Range::ZeroOrMore,
            |args, v| args.detector.thickness_um = Some(v),
            "Thickness of the sensor.",
        )
        .default("0"),
        FlagSpec::new(
            "detector_thicksteps",
            Takes::Whole {
                range: WholeRange::COUNT,
                set: |args, n| args.detector.thickness_steps = super::positive(n),
            },
            "Layers of the sensor; 0 or less counts as not given.",
        )
        .or(&["thicksteps"])
        .default("2 with a thickness, otherwise 1"),
    ],
};

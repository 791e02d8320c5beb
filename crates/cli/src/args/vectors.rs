use super::Args;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::Convention;

/// Axes of the laboratory and the detector; any of them selects [`Convention::Custom`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VectorArgs {
    /// Direction of increasing fast pixel coordinate.
    pub fast: Option<[f64; 3]>,
    /// Direction of increasing slow pixel coordinate.
    pub slow: Option<[f64; 3]>,
    /// Detector normal, away from the sample.
    pub normal: Option<[f64; 3]>,
    /// Direction of the beam.
    pub beam: Option<[f64; 3]>,
    /// Direction of the electric field.
    pub polarization: Option<[f64; 3]>,
    /// Rotation axis of phi.
    pub spindle: Option<[f64; 3]>,
    /// Rotation axis of two-theta.
    pub twotheta: Option<[f64; 3]>,
    /// From the sample to the outer corner of the first pixel, in metres.
    pub pix0_m: Option<[f64; 3]>,
}

/// The effect of a vector flag, which also selects the custom convention.
macro_rules! vector {
    ($name:literal, $field:ident, $help:literal) => {
        FlagSpec::new(
            $name,
            Takes::Vector(|args: &mut Args, vector| {
                args.detector.convention = Some(Convention::Custom);
                args.vectors.$field = Some(vector);
            }),
        )
        .help($help)
    };
}

pub(super) static GROUP: Group = Group {
    heading: "Geometry vectors (each selects a custom convention)",
    flags: &[
        vector!(
            "fdet_vector",
            fast,
            "Direction of increasing fast coordinate."
        )
        .default("0 0 1")
        .of(&["detector.axes.fast"]),
        vector!(
            "sdet_vector",
            slow,
            "Direction of increasing slow coordinate."
        )
        .default("0 -1 0")
        .of(&["detector.axes.slow"]),
        vector!("odet_vector", normal, "Detector normal.").default("1 0 0"),
        vector!("beam_vector", beam, "Direction of the beam.")
            .default("1 0 0")
            .of(&["detector.axes.beam"]),
        vector!(
            "polar_vector",
            polarization,
            "Direction of the electric field."
        )
        .default("0 0 1"),
        vector!("spindle_axis", spindle, "Axis of phi, right-handed.").default("0 0 1"),
        vector!(
            "twotheta_axis",
            twotheta,
            "Axis of two-theta. Not made unit: its length enters the rotation."
        )
        .default("0 1 0"),
        vector!(
            "pix0_vector",
            pix0_m,
            "From the sample to the first pixel, in metres. The numbers count only with -fix \
             ignored-input."
        ),
    ],
};

use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Range, WholeRange};

/// The sums of a pixel, and which pixels are rendered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SamplingArgs {
    /// Spindle angle at the start.
    pub phi_deg: Option<f64>,
    /// Oscillation range; below 0 counts as not given.
    pub osc_deg: Option<f64>,
    /// Step of the spindle angle; 0 or less counts as not given, unless range and count are given.
    pub phistep_deg: Option<f64>,
    /// Number of spindle angles; a given 0 is kept.
    pub phisteps: Option<u32>,
    /// Sub-pixels along each axis of a pixel; `None`: automatic.
    pub oversample: Option<u32>,
    /// Compute the absorption for each sub-pixel.
    pub oversample_thick: bool,
    /// Compute the polarization for each sub-pixel.
    pub oversample_polar: bool,
    /// Compute the solid angle for each sub-pixel.
    pub oversample_omega: bool,
    /// Fast min, fast max, slow min, slow max, ends included; a negative number means the edge.
    pub roi: Option<[i64; 4]>,
    /// Resolution limit in Angstrom; 0: none.
    pub dmin_a: Option<f64>,
    /// F(000) is 0.
    pub without_f000: bool,
}

pub(super) static GROUP: Group = Group {
    heading: "Sampling",
    flags: &[
        FlagSpec::number("phi", "deg", Range::Any, |args, v| {
            args.sampling.phi_deg = Some(v)
        })
        .default("0")
        .help("Angle about the spindle at the start."),
        FlagSpec::number("osc", "deg", Range::Any, |args, v| {
            args.sampling.osc_deg = Some(v)
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help("Range of that angle; below 0 counts as not given.")
        .of(&["phi.range"]),
        FlagSpec::number("phistep", "deg", Range::Any, |args, v| {
            args.sampling.phistep_deg = Some(v)
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help("Step of that angle.")
        .of(&["phi.step"]),
        FlagSpec::whole("phisteps", WholeRange::COUNT, |args, n| {
            args.sampling.phisteps = (n >= 0).then(|| super::count(n));
        })
        .replaces(
            Replaced::not_positive,
            "below 0 it counts as not given, 0 as 1",
        )
        .help("Angles to render; below 0 counts as not given.")
        .of(&["phi.count"]),
        FlagSpec::whole("oversample", WholeRange::COUNT, |args, n| {
            args.sampling.oversample = super::positive(n)
        })
        .default("automatic")
        .replaces(Replaced::not_positive, "it counts as not given")
        .help(
            "Sub-pixels along each axis of a pixel; 0 or less is automatic, fine enough for the \
             size of the crystal.",
        )
        .of(&["sampling.oversample"]),
        FlagSpec::switch("oversample_thick", |args| {
            args.sampling.oversample_thick = true
        })
        .help("Compute sensor absorption for every sub-pixel."),
        FlagSpec::switch("oversample_polar", |args| {
            args.sampling.oversample_polar = true
        })
        .help("Compute polarization for every sub-pixel."),
        FlagSpec::switch("oversample_omega", |args| {
            args.sampling.oversample_omega = true
        })
        .help("Compute the solid angle for every sub-pixel."),
        FlagSpec::new(
            "roi",
            Takes::Four(WholeRange::COUNT, |args, roi| args.sampling.roi = Some(roi)),
        )
        .values("xmin xmax ymin ymax")
        .replaces(
            Replaced::negative,
            "it stands for that edge of the detector",
        )
        .help(
            "Render these pixels only: fast from and to, slow from and to, ends included. A \
             negative number stands for that edge of the detector.",
        )
        .of(&["roi"]),
        FlagSpec::switch("nof000", |args| args.sampling.without_f000 = true)
            .help("F(000) of the structure factors is 0: no direct beam."),
        FlagSpec::number("dmin", "A", Range::ZeroOrMore, |args, v| {
            args.sampling.dmin_a = Some(v)
        })
        .default("0")
        .help("Leave out what scatters beyond this resolution.")
        .of(&["dmin"]),
    ],
};

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
    /// What is chosen from an allowed error. A number of its own says no.
    pub auto: AutoArgs,
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

/// The numbers of samples that are chosen from an allowed error; `None`: not said.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AutoArgs {
    /// The sub-pixels.
    pub oversample: Option<bool>,
    /// The steps of the spindle.
    pub phi_steps: Option<bool>,
    /// The mosaic domains.
    pub mosaic_domains: Option<bool>,
    /// The allowed error, as a part of the brightest pixel.
    pub error: Option<f64>,
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
        .help("Oscillation, the range of that angle; below 0 counts as not given.")
        .of(&["phi.range"]),
        FlagSpec::number("phistep", "deg", Range::Any, |args, v| {
            args.sampling.phistep_deg = Some(v)
        })
        .replaces(Replaced::negative, "it counts as not given")
        .help("Step of that angle.")
        .of(&["phi.step"]),
        FlagSpec::new(
            "phisteps",
            Takes::WholeOrAuto(WholeRange::COUNT, |args, n| {
                args.sampling.auto.phi_steps = Some(n.is_none());
                args.sampling.phisteps = n.filter(|n| *n >= 0).map(super::count);
            }),
        )
        .replaces(
            Replaced::not_positive,
            "below 0 it counts as not given, 0 as 1",
        )
        .help("Angles to render; below 0 counts as not given. With `auto` as many as -auto_error needs.")
        .of(&["phi.count"]),
        FlagSpec::new(
            "oversample",
            Takes::WholeOrAuto(WholeRange::COUNT, |args, n| {
                args.sampling.auto.oversample = Some(n.is_none());
                args.sampling.oversample = n.and_then(super::positive);
            }),
        )
        .default("automatic")
        .replaces(Replaced::not_positive, "it counts as not given")
        .help(
            "Sub-pixels along each axis of a pixel; 0 or less is automatic, fine enough for the \
             size of the crystal by the rule of the C program. With `auto` as many as -auto_error \
             needs.",
        )
        .of(&["sampling.oversample"]),
        FlagSpec::number("auto_error", "", Range::AboveZero, |args, v| {
            args.sampling.auto.error = Some(v)
        })
        .default("0.01")
        .help(
            "Allowed error of `-oversample auto`, `-phisteps auto` and `-mosaic_domains auto` \
             together, as a part of the brightest pixel; at most 1.",
        )
        .of(&["sampling.auto.error"]),
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

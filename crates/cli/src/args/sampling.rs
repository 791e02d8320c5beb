use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};

/// What the sum for a pixel runs over, and which pixels are summed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SamplingArgs {
    /// Spindle angle at the start.
    pub phi_deg: Option<f64>,
    /// Range of the spindle angle; below 0 counts as not given.
    pub osc_deg: Option<f64>,
    /// Step of the spindle angle; 0 or less counts as not given, except beside both others.
    pub phistep_deg: Option<f64>,
    /// Spindle angles; a 0 that was typed is kept.
    pub phisteps: Option<u32>,
    /// Sub-pixels along each axis of a pixel; `None` is automatic.
    pub oversample: Option<u32>,
    /// Absorption anew for each sub-pixel.
    pub oversample_thick: bool,
    /// Polarization anew for each sub-pixel.
    pub oversample_polar: bool,
    /// Solid angle anew for each sub-pixel.
    pub oversample_omega: bool,
    /// Fast min, fast max, slow min, slow max, ends included; a negative one is that edge.
    pub roi: Option<[i64; 4]>,
    /// Resolution limit in Angstrom; 0 is none.
    pub dmin_a: Option<f64>,
}

const fn degrees(name: &'static str, set: fn(&mut Args, f64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Number {
            unit: "deg",
            range: Range::Any,
            set,
        },
        help,
    )
}

const fn whole(name: &'static str, set: fn(&mut Args, i64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::COUNT,
            set,
        },
        help,
    )
}

pub(super) static GROUP: Group = Group {
    heading: "Sampling",
    flags: &[
        degrees(
            "phi",
            |args, v| args.sampling.phi_deg = Some(v),
            "Angle about the spindle at the start.",
        )
        .default("0"),
        degrees(
            "osc",
            |args, v| args.sampling.osc_deg = Some(v),
            "Range of that angle; below 0 counts as not given.",
        ),
        degrees(
            "phistep",
            |args, v| args.sampling.phistep_deg = Some(v),
            "Step of that angle.",
        ),
        whole(
            "phisteps",
            |args, n| {
                args.sampling.phisteps = (n >= 0).then(|| super::count(n));
            },
            "Angles to render; below 0 counts as not given.",
        ),
        whole(
            "oversample",
            |args, n| args.sampling.oversample = super::positive(n),
            "Sub-pixels along each axis of a pixel; 0 or less is automatic, fine enough for the \
             size of the crystal.",
        )
        .default("automatic"),
        FlagSpec::new(
            "oversample_thick",
            Takes::Switch(|args| args.sampling.oversample_thick = true),
            "Compute sensor absorption for every sub-pixel.",
        ),
        FlagSpec::new(
            "oversample_polar",
            Takes::Switch(|args| args.sampling.oversample_polar = true),
            "Compute polarization for every sub-pixel.",
        ),
        FlagSpec::new(
            "oversample_omega",
            Takes::Switch(|args| args.sampling.oversample_omega = true),
            "Compute the solid angle for every sub-pixel.",
        ),
        FlagSpec::new(
            "roi",
            Takes::Four {
                values: "xmin xmax ymin ymax",
                range: WholeRange::COUNT,
                set: |args, roi| args.sampling.roi = Some(roi),
            },
            "Render these pixels only: fast from and to, slow from and to, ends included. A \
             negative number stands for that edge of the detector.",
        ),
        FlagSpec::new(
            "dmin",
            Takes::Number {
                unit: "A",
                range: Range::ZeroOrMore,
                set: |args, v| args.sampling.dmin_a = Some(v),
            },
            "Leave out what scatters beyond this resolution.",
        )
        .default("0"),
    ],
};

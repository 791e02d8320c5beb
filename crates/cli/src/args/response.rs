use std::path::PathBuf;

use super::flag::{FlagSpec, Group};
use super::{Range, WholeRange};

/// The stages of the detector. `None` where nothing was given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResponseArgs {
    /// The standard deviation of the intensity of the source, as a fraction.
    pub flicker: Option<f64>,
    /// Each pixel has its own flicker.
    pub flicker_per_pixel: bool,
    /// The standard deviation of the sensitivities of pixels, as a fraction.
    pub calibration: Option<f64>,
    /// The seed of the sensitivities.
    pub calibration_seed: Option<i64>,
    /// Counts per photon.
    pub gain: Option<f64>,
    /// The noise of the read-out, in counts.
    pub read_out: Option<f64>,
    /// The standard deviation of the charge of a photon, in micrometres.
    pub charge_sharing_um: Option<f64>,
    /// The threshold of a counting detector, as a part of a photon.
    pub threshold: Option<f64>,
    /// The profile of the point spread, or a file with its weights.
    pub point_spread: Option<PathBuf>,
    /// The full width of the point spread at half maximum, in micrometres.
    pub point_spread_um: Option<f64>,
    /// The radius of the point spread, in pixels; 0 is automatic.
    pub point_spread_radius: Option<u32>,
    /// The exponent of a Moffat profile.
    pub point_spread_beta: Option<f64>,
}

impl ResponseArgs {
    /// The profiles of a point spread, and the word for none.
    const PROFILES: [&str; 4] = ["gauss", "fiber", "moffat", "none"];

    /// The file with the weights of the point spread.
    pub fn point_spread_file(&self) -> Option<&PathBuf> {
        let is_file =
            |path: &&PathBuf| !Self::PROFILES.iter().any(|name| path.as_os_str() == *name);
        self.point_spread.as_ref().filter(is_file)
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Detector response",
    flags: &[
        FlagSpec::number("flicker", "", Range::ZeroOrMore, |args, v| args.response.flicker = Some(v))
        .default("0").help("Intensity of the source from image to image: standard deviation as a fraction.")
        .of(&["response.flicker"]),
        FlagSpec::switch("flicker_per_pixel", |args| args.response.flicker_per_pixel = true)
        .help("Draw the flicker for each pixel, as the C program noisify does, and not once an image."),
        FlagSpec::number("calibration", "", Range::ZeroOrMore, |args, v| args.response.calibration = Some(v))
        .default("0").help("Sensitivities of pixels: standard deviation as a fraction, the same in each image of a series.")
        .of(&["response.calibration"]),
        FlagSpec::whole("calib_seed", WholeRange::ANY, |args, n| args.response.calibration_seed = Some(n))
        .default("0").help("Seed of these sensitivities."),
        FlagSpec::number("charge_sharing", "um", Range::ZeroOrMore, |args, v| args.response.charge_sharing_um = Some(v))
        .default("0").help("Charge that neighbouring pixels share: its standard deviation, up to 0.3 pixels.")
        .of(&["response.charge_sharing"]),
        FlagSpec::number("threshold", "", Range::Fraction, |args, v| args.response.threshold = Some(v))
        .values("fraction").default("0.5")
        .help("Part of the charge of a photon above which a pixel counts it, with -charge_sharing; 0 for a detector that \
               integrates.")
        .of(&["response.charge_sharing"]),
        FlagSpec::path("psf", |args, path| args.response.point_spread = Some(path))
        .values("gauss|fiber|moffat|none|FILE").default("none, or gauss with -psf_fwhm")
        .help("Point spread of the detector: a profile, or a file with its weights (text, float image, NPY, TIFF).")
        .of(&["response.point_spread"]),
        FlagSpec::number("psf_fwhm", "um", Range::AboveZero, |args, v| args.response.point_spread_um = Some(v))
        .default("46").help("Its full width at half maximum.").of(&["response.point_spread"]),
        FlagSpec::whole("psf_radius", WholeRange::ZERO_OR_MORE, |args, n| {
            args.response.point_spread_radius = Some(super::count(n));
        })
        .default("0").help("Its radius in pixels; light beyond it is lost. 0 for the radius with 99.9 % of the light."),
        FlagSpec::number("psf_beta", "", Range::AboveZero, |args, v| args.response.point_spread_beta = Some(v))
        .default("2.5").help("Exponent of -psf moffat, above 1; 1.5 is -psf fiber.").of(&["response.point_spread"]),
        FlagSpec::number("gain", "", Range::AboveZero, |args, v| args.response.gain = Some(v))
        .default("1").help("Counts per photon in the noise image.").of(&["response.gain"]),
        FlagSpec::number("readout_noise", "", Range::ZeroOrMore, |args, v| args.response.read_out = Some(v))
        .default("0").help("Noise of the read-out in counts: standard deviation of a dark pixel.")
        .of(&["response.read_out"]),
    ],
};

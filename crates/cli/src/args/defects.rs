use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};
use crate::Error;
use nanobragg::response::DeadTimeModel;

/// The names of the models of a dead time.
const MODELS: &[&str] = &["non_paralysable", "paralysable"];

pub(super) static GROUP: Group = Group {
    heading: "Imperfect pixels",
    flags: &[
        FlagSpec::number("dead_pixels", "", Range::Fraction, |args, v| {
            args.output.response.dead_pixels.get_or_insert_default().fraction = v;
        })
        .values("fraction")
        .default("0")
        .help("Fraction of pixels of the noise image that measure nothing, the same in every image: -2 in CBF, pixel_mask in \
               NeXus, otherwise 0 or -masked_counts."),
        FlagSpec::whole("badpix_seed", WholeRange::ANY, |args, n| {
            args.output.response.dead_pixels.get_or_insert_default().seed = n;
        })
        .default("0")
        .help("Seed of the choice of dead pixels."),
        FlagSpec::number("hot_pixels", "", Range::Fraction, |args, v| {
            args.output.response.hot_pixels.get_or_insert_default().fraction = v;
        })
        .values("fraction")
        .default("0")
        .help("Fraction of pixels that add -hot_counts to every noise image."),
        FlagSpec::number("hot_counts", "counts", Range::Any, |args, v| {
            args.output.response.hot_pixels.get_or_insert_default().counts = v;
        })
        .help("What these pixels add."),
        FlagSpec::whole("hotpix_seed", WholeRange::ANY, |args, n| {
            args.output.response.hot_pixels.get_or_insert_default().seed = n;
        })
        .default("0")
        .help("Seed of the choice of hot pixels."),
        FlagSpec::number("noisy_pixels", "", Range::Fraction, |args, v| {
            args.output.response.noisy_pixels.get_or_insert_default().fraction = v;
        })
        .values("fraction")
        .default("0")
        .help("Fraction of pixels with additional Gaussian noise of -noisy_counts."),
        FlagSpec::number("noisy_counts", "counts", Range::ZeroOrMore, |args, v| {
            args.output.response.noisy_pixels.get_or_insert_default().sigma_counts = v;
        })
        .help("The standard deviation of this noise."),
        FlagSpec::whole("noisypix_seed", WholeRange::ANY, |args, n| {
            args.output.response.noisy_pixels.get_or_insert_default().seed = n;
        })
        .default("0")
        .help("Seed of the choice of noisy pixels."),
        FlagSpec::number("dead_time", "ns", Range::ZeroOrMore, |args, v| {
            args.output.response.dead_time.get_or_insert_default().dead_time_ns = v;
        })
        .default("0")
        .help("Time after a photon in which a counting detector counts no other, for photons that arrive evenly in -exposure."),
        FlagSpec::new("dead_time_model", Takes::Word(MODELS, |args, word| {
            args.output.response.dead_time.get_or_insert_default().model = match word {
                "paralysable" => DeadTimeModel::Paralysable,
                _ => DeadTimeModel::NonParalysable,
            };
        }))
        .default("non_paralysable")
        .help("Whether a photon in this time is only lost, or begins the time anew."),
        FlagSpec::new("bits", Takes::Word(&["16", "20", "32"], |args, word| {
            args.output.response.saturation_counts = Some(match word {
                "16" => 0xffff,
                "20" => 0xf_ffff,
                _ => u32::MAX,
            });
        }))
        .default("those of the file")
        .help("Bits of the counter of a pixel. Counts above are overloads: they are clipped, and headers state the limit."),
        FlagSpec::whole("saturation", SATURATION, |args, n| {
            args.output.response.saturation_counts = u32::try_from(n).ok();
        })
        .help("The largest count, in place of -bits. The last of the two counts."),
    ],
};

const SATURATION: WholeRange = WholeRange {
    least: 1,
    most: u32::MAX as i64,
};

/// Flags that have no meaning without another.
const PAIRS: &[(&str, &str, &str)] = &[
    ("badpix_seed", "dead_pixels", "-dead_pixels"),
    ("hot_counts", "hot_pixels", "-hot_pixels"),
    ("hotpix_seed", "hot_pixels", "-hot_pixels"),
    ("hot_pixels", "hot_counts", "-hot_counts"),
    ("noisy_counts", "noisy_pixels", "-noisy_pixels"),
    ("noisypix_seed", "noisy_pixels", "-noisy_pixels"),
    ("noisy_pixels", "noisy_counts", "-noisy_counts"),
    ("dead_time_model", "dead_time", "-dead_time"),
    ("threshold", "charge_sharing", "-charge_sharing"),
    (
        "beamstop_holder_transmission",
        "beamstop_holder",
        "-beamstop_holder",
    ),
];

/// Checks that a number of a stage comes with the others that it needs: the flags of a stage replace the
/// whole stage of an experiment file.
///
/// # Errors
/// [`Error::Needs`] with the flag.
pub(super) fn check(args: &Args) -> Result<(), Error> {
    let lone = |&&(flag, other, _): &&(&str, &str, &str)| args.gives(flag) && !args.gives(other);
    match PAIRS.iter().find(lone) {
        Some(&(flag, _, needed)) => Err(Error::Needs { flag, needed }),
        None => Ok(()),
    }
}

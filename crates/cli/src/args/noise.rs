use super::flag::{FlagSpec, Group, Takes};
use super::{Args, WholeRange};
use std::path::PathBuf;

/// The noise image, and the seeds of everything random.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseArgs {
    /// Write the noise image.
    pub wanted: bool,
    /// Photon counts with Poisson noise: SMV, CBF, TIFF or NeXus.
    pub path: Option<PathBuf>,
    /// Seed of the noise; `None` takes the clock.
    pub seed: Option<i64>,
    /// Seed of the mosaic domains.
    pub mosaic_seed: Option<i64>,
    /// Seed of a random misset; `None` takes the noise seed.
    pub misset_seed: Option<i64>,
}

impl Default for NoiseArgs {
    fn default() -> Self {
        Self {
            wanted: true,
            path: None,
            seed: None,
            mosaic_seed: None,
            misset_seed: None,
        }
    }
}

const fn seed(name: &'static str, set: fn(&mut Args, i64), help: &'static str) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::ANY,
            set,
        },
        help,
    )
}

pub(super) static GROUP: Group = Group {
    heading: "Noise & seeds",
    flags: &[
        FlagSpec::new(
            "noisefile",
            Takes::Path(|args, path| {
                args.noise.path = Some(path);
                args.noise.wanted = true;
            }),
            "Photon counts with Poisson noise: SMV, or by its extension CBF, TIFF or NeXus, of 32 bits.",
        )
        .or(&["noiseimage"])
        .default("noiseimage.img"),
        FlagSpec::new(
            "nonoise",
            Takes::Switch(|args| args.noise.wanted = false),
            "Write no noise image.",
        ),
        seed(
            "seed",
            |args, n| args.noise.seed = Some(n),
            "Seed of the noise.",
        )
        .default("the clock"),
        seed(
            "mosaic_seed",
            |args, n| args.noise.mosaic_seed = Some(n),
            "Seed of the mosaic domains.",
        )
        .default("12345678"),
        seed(
            "misset_seed",
            |args, n| args.noise.misset_seed = Some(n),
            "Seed of -misset random.",
        )
        .default("that of the noise"),
    ],
};

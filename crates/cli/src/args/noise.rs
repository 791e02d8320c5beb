use super::WholeRange;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::NoiseStream;
use nanobragg::outputs::OutputKind;

/// The noise image, and the seeds of all random numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseArgs {
    /// Write the noise image.
    pub wanted: bool,
    /// Seed of the noise; `None`: from the clock.
    pub seed: Option<i64>,
    /// Seed of the mosaic domains.
    pub mosaic_seed: Option<i64>,
    /// Seed of a random misset; `None`: the seed of the noise.
    pub misset_seed: Option<i64>,
}

impl Default for NoiseArgs {
    fn default() -> Self {
        Self {
            wanted: true,
            seed: None,
            mosaic_seed: None,
            misset_seed: None,
        }
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Noise & seeds",
    flags: &[
        FlagSpec::path("noisefile", |args, path| {
                args.output.files.set(OutputKind::Noise, path);
                args.noise.wanted = true;
            })
        .or(&["noiseimage"])
        .default("noiseimage.img").help("Photon counts with Poisson noise: SMV, or by its extension CBF, TIFF or NeXus, of 32 bits."),
        FlagSpec::switch("nonoise", |args| args.noise.wanted = false).help("Write no noise image."),
        FlagSpec::whole("seed", WholeRange::ANY, |args, n| args.noise.seed = Some(n))
        .default("the clock").help("Seed of the noise."),
        FlagSpec::new("noise_stream", Takes::Word(&["c", "counter"], |args, word| {
            args.output.response.noise_stream = Some(match word {
                "counter" => NoiseStream::Counter,
                _ => NoiseStream::C,
            });
        }))
        .default("c; of a series counter")
        .help("Random numbers of the noise: the sequence of the C program, or numbers that depend only on seed, panel \
             and pixel, so that a region, another number of threads or any part of a series has the same counts."),
        FlagSpec::whole("mosaic_seed", WholeRange::ANY, |args, n| args.noise.mosaic_seed = Some(n))
        .default("12345678").help("Seed of the mosaic domains."),
        FlagSpec::whole("misset_seed", WholeRange::ANY, |args, n| args.noise.misset_seed = Some(n))
        .default("that of the noise").help("Seed of -misset random."),
    ],
};

//! The detector of the C program noisify: from photons to counts in its order, to the bit.
//!
//! ```text
//! photons -> flicker, calibration, counting (pixel by pixel) -> point spread -> gain, offset, read-out
//! ```
//!
//! [`ResponseSpec`](crate::ResponseSpec) describes the same stages without the oddities of noisify.

mod level;
mod spread;

use nanobragg_numeric::{PoissonNoise, SharedTable};

pub use spread::{NoisifyProfile, NoisifySpread, Spread};

/// An oddity of noisify that can be fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoisifyOddity {
    /// Photons beyond the right edge arrive at the left edge of the row below, and photons beyond the
    /// radius of the point spread are distributed over the whole image.
    PsfWrap,
    /// The calibration shares random numbers with the counting.
    SharedStream,
    /// The integer image is clipped at 65535 also in 32 bits.
    IntClip,
    /// Counts below 0 become large counts.
    NegativeCounts,
}

impl NoisifyOddity {
    /// All oddities.
    pub const ALL: [Self; 4] = [
        Self::PsfWrap,
        Self::SharedStream,
        Self::IntClip,
        Self::NegativeCounts,
    ];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PsfWrap => "psf-wrap",
            Self::SharedStream => "shared-stream",
            Self::IntClip => "int-clip",
            Self::NegativeCounts => "negative-counts",
        }
    }

    /// The effect, in a sentence.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::PsfWrap => {
                "the point spread wraps at the right edge, and what it loses is spread over the image"
            }
            Self::SharedStream => {
                "the calibration error shares random numbers with the counting, so that it is another one \
                 with each -seed"
            }
            Self::IntClip => "the integer image is clipped at 65535 also in 32 bits",
            Self::NegativeCounts => "counts below 0 wrap to the largest counts",
        }
    }
}

/// A set of oddities that are fixed; by default none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoisifyFixes(u8);

impl NoisifyFixes {
    /// This set and `oddity`.
    #[must_use]
    pub fn with(self, oddity: NoisifyOddity) -> Self {
        Self(self.0 | 1 << oddity as u8)
    }

    /// Whether `oddity` is fixed.
    pub fn contains(self, oddity: NoisifyOddity) -> bool {
        self.0 & 1 << oddity as u8 != 0
    }
}

/// The detector of noisify.
#[derive(Debug, Clone, PartialEq)]
pub struct Noisify {
    /// The standard deviation of the source, as a fraction; drawn for each pixel.
    pub flicker_fraction: f64,
    /// The standard deviation of the sensitivities of pixels, as a fraction.
    pub calibration_fraction: f64,
    /// Counts per photon.
    pub counts_per_photon: f64,
    /// Added to each pixel, in counts.
    pub offset_counts: f64,
    /// The standard deviation of a dark pixel, in counts.
    pub read_out_counts: f64,
    /// The point spread; `None` for none.
    pub spread: Option<NoisifySpread>,
    /// The start of the generator of flicker, counting and read-out. As in C it is the negative of a seed.
    pub seed: i64,
    /// The start of the generator of the sensitivities.
    pub calibration_seed: i64,
    /// The oddities that are fixed.
    pub fixes: NoisifyFixes,
}

impl Default for Noisify {
    /// The defaults of noisify, with a seed of 1.
    fn default() -> Self {
        Self {
            flicker_fraction: 0.0,
            calibration_fraction: 0.03,
            counts_per_photon: 1.0,
            offset_counts: 40.0,
            read_out_counts: 0.0,
            spread: None,
            seed: -1,
            // Not negative, so that C does not fill the shuffle table from it.
            calibration_seed: 123_456_789,
            fixes: NoisifyFixes::default(),
        }
    }
}

/// Counted photons, and the random numbers after them.
#[derive(Debug)]
pub struct Counted {
    /// The photons of each pixel.
    pub photons: Vec<f32>,
    /// The sum of the photons.
    pub sum: f64,
    noise: Noise,
}

/// The counts of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct NoisifyCounts<C> {
    /// The counts, in the order of the photons.
    pub pixels: Vec<C>,
    /// The sum of the photons before gain and offset.
    pub photons: f64,
    /// The number of pixels above the largest count.
    pub clipped: u64,
    /// The number of pixels whose count is below 0, which wraps with the oddity `negative-counts`.
    pub negative: u64,
}

/// The random numbers of noisify.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for an image")]
enum Noise {
    /// Both generators share a shuffle table and a spare Gaussian deviate.
    Shared(PoissonNoise<SharedTable>),
    /// The calibration has its own generator.
    Separate {
        image: PoissonNoise,
        calibration: PoissonNoise,
    },
}

impl Noise {
    /// The next Gaussian deviate of the image.
    fn gaussian(&mut self) -> f64 {
        f64::from(match self {
            Self::Shared(noise) => noise.gaussian(),
            Self::Separate { image, .. } => image.gaussian(),
        })
    }

    /// The next Gaussian deviate of the calibration.
    fn calibration(&mut self) -> f64 {
        f64::from(match self {
            Self::Shared(noise) => {
                noise.stream().select(true);
                let deviate = noise.gaussian();
                noise.stream().select(false);
                deviate
            }
            Self::Separate { calibration, .. } => calibration.gaussian(),
        })
    }

    fn count(&mut self, mean: f32) -> f32 {
        match self {
            Self::Shared(noise) => noise.count(mean),
            Self::Separate { image, .. } => image.count(mean),
        }
    }
}

impl Noisify {
    /// Counts the expected photons: flicker, calibration and counting, pixel by pixel.
    pub fn count(&self, mut photons: Vec<f32>) -> Counted {
        let mut noise = self.noise();
        let mut sum = 0.0;
        for pixel in &mut photons {
            let mut expected = f64::from(*pixel);
            if self.flicker_fraction > 0.0 {
                expected *= 1.0 + self.flicker_fraction * noise.gaussian();
            }
            if self.calibration_fraction > 0.0 {
                expected *= 1.0 + self.calibration_fraction * noise.calibration();
            }
            *pixel = noise.count(expected as f32);
            sum += f64::from(*pixel);
        }
        Counted {
            photons,
            sum,
            noise,
        }
    }

    fn noise(&self) -> Noise {
        if self.fixes.contains(NoisifyOddity::SharedStream) {
            return Noise::Separate {
                image: PoissonNoise::from_seed(self.seed),
                calibration: PoissonNoise::from_seed(self.calibration_seed),
            };
        }
        let table = SharedTable::from_seeds([self.seed, self.calibration_seed]);
        Noise::Shared(PoissonNoise::from_stream(table))
    }

    /// The photons after the point spread, in rows of `width`; `None` without a point spread.
    pub fn spread(&self, photons: &[f32], width: usize) -> Option<Spread> {
        let fixed = self.fixes.contains(NoisifyOddity::PsfWrap);
        Some(self.spread.as_ref()?.apply(photons, width, fixed))
    }

    /// The counts of expected photons, without noise.
    pub fn ideal<C: NoisifyCount>(&self, photons: &[f32]) -> NoisifyCounts<C> {
        let clips = C::FULL <= MOST_OF_16_BITS || !self.fixes.contains(NoisifyOddity::IntClip);
        let most = if clips { MOST_OF_16_BITS } else { C::FULL };
        self.convert(photons, most, |counts| counts)
    }

    /// The counts of counted photons, after the point spread if there is one: gain, offset and read-out
    /// noise.
    pub fn measured<C: NoisifyCount>(&self, counted: Counted) -> NoisifyCounts<C> {
        let Counted {
            photons, mut noise, ..
        } = counted;
        if self.read_out_counts > 0.0 {
            let read_out = |counts| counts + self.read_out_counts * noise.gaussian();
            return self.convert(&photons, C::FULL, read_out);
        }
        self.convert(&photons, C::FULL, |counts| counts)
    }

    /// Gain, offset, `then`, and the conversion to integers up to `most`.
    #[inline]
    fn convert<C: NoisifyCount>(
        &self,
        photons: &[f32],
        most: f64,
        mut then: impl FnMut(f64) -> f64,
    ) -> NoisifyCounts<C> {
        let (mut sum, mut clipped, mut negative) = (0.0, 0, 0);
        let least = self.least();
        let counts = photons.iter().map(|&photons| {
            let photons = f64::from(photons);
            sum += photons;
            let counts = then(photons * self.counts_per_photon + self.offset_counts);
            clipped += u64::from(counts > most);
            negative += u64::from(counts <= -1.0);
            let counts = if counts > most { most } else { counts };
            C::truncated(if counts < least { least } else { counts })
        });
        let pixels = counts.collect();
        NoisifyCounts {
            pixels,
            photons: sum,
            clipped,
            negative,
        }
    }

    /// The smallest count that is not replaced by it.
    fn least(&self) -> f64 {
        match self.fixes.contains(NoisifyOddity::NegativeCounts) {
            true => 0.0,
            false => f64::NEG_INFINITY,
        }
    }
}

/// The largest count of 16 bits.
const MOST_OF_16_BITS: f64 = 65535.0;

/// The integer type of an image of noisify.
pub trait NoisifyCount: Copy {
    /// The largest count.
    const FULL: f64;

    /// A number up to [`FULL`](Self::FULL) without its fraction. A negative number wraps, as it does in the
    /// C program on x86-64; NaN is 0.
    fn truncated(number: f64) -> Self;

    /// The grey of a count, which is a count of 16 bits up to 255.
    fn grey(self) -> u8;
}

impl NoisifyCount for u16 {
    const FULL: f64 = MOST_OF_16_BITS;

    fn truncated(number: f64) -> Self {
        number as i32 as Self
    }

    fn grey(self) -> u8 {
        self.min(255) as u8
    }
}

/// Stored as a signed integer, so that a wrapped count is negative.
impl NoisifyCount for i32 {
    const FULL: f64 = 2_147_483_647.0;

    fn truncated(number: f64) -> Self {
        number as i64 as Self
    }

    fn grey(self) -> u8 {
        u16::truncated(f64::from(self).min(MOST_OF_16_BITS)).grey()
    }
}

//! The list of the stages of a detector, and its description.

mod calibration;
mod charge_sharing;
mod counting;
mod dead_pixels;
mod dead_time;
mod flicker;
mod gain;
mod hot_pixels;
mod noisy_pixels;
mod offset;
mod point_spread;
mod read_out;

pub use calibration::Calibration;
pub use charge_sharing::ChargeSharing;
pub use counting::Counting;
pub use dead_pixels::DeadPixels;
pub use dead_time::{DeadTime, DeadTimeModel};
pub use flicker::Flicker;
pub use gain::Gain;
pub use hot_pixels::HotPixels;
pub use noisy_pixels::NoisyPixels;
pub use offset::Offset;
pub use point_spread::{PointSpread, PointSpreadProfile};
pub use read_out::ReadOut;

use serde::{Deserialize, Serialize};

use crate::{Error, Moments, NoiseStream, ResponseStage};

/// The counts of the brightest pixel of an integer image that is scaled automatically.
const BRIGHTEST_COUNTS: f64 = 55000.0;

/// The grey of a pixel with [`BRIGHT_RMSDS`], if greys are scaled automatically.
const BRIGHT_GREY: f64 = 250.0;

/// The photons of that pixel, in root mean square deviations of the image.
const BRIGHT_RMSDS: f64 = 5.0;

/// Defines [`ResponseSpec`] and its functions that need the list of all stages.
macro_rules! stages_in_order {
    ($($(#[$doc:meta])* $field:ident: $stage:ty, $comment:literal;)+) => {
        /// The description of a detector that converts photons to counts. `None` is for stages and
        /// numbers that were not given.
        ///
        /// A stage that was not given has its default; for most stages the default is no stage. The
        /// stages are in the order in which they act.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct ResponseSpec {
            $($(#[$doc])* pub $field: Option<$stage>,)+
            /// The random numbers of the noise; by default those of the C program.
            pub noise_stream: Option<NoiseStream>,
            /// The largest count; by default the largest count of the file.
            pub saturation_counts: Option<u32>,
            /// The count of masked pixels in files of 16 bits; by default that of a dark pixel.
            pub masked_counts: Option<u16>,
            /// The scale of the integer image. By default, and if it is 0 or less, the brightest pixel
            /// has 55000 counts.
            pub integer_scale_counts_per_photon: Option<f64>,
            /// The scale of the grey image. By default, and if it is 0 or less, five root mean square
            /// deviations have a grey of 250.
            pub grey_scale_per_photon: Option<f64>,
        }

        impl ResponseSpec {
            /// A comment on the field of each stage, for files.
            pub const STAGE_COMMENTS: &[(&str, &str)] = &[$((stringify!($field), $comment)),+];

            /// The numbers of this description, and those of `other` where this one has none.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {
                    $($field: self.$field.or(other.$field),)+
                    noise_stream: self.noise_stream.or(other.noise_stream),
                    saturation_counts: self.saturation_counts.or(other.saturation_counts),
                    masked_counts: self.masked_counts.or(other.masked_counts),
                    integer_scale_counts_per_photon: (self.integer_scale_counts_per_photon)
                        .or(other.integer_scale_counts_per_photon),
                    grey_scale_per_photon: self.grey_scale_per_photon.or(other.grey_scale_per_photon),
                }
            }

            /// The stages in order. Stages that were not given have their defaults.
            pub(crate) fn stages(&self) -> Vec<Box<dyn ResponseStage>> {
                let mut stages: Vec<Box<dyn ResponseStage>> = Vec::new();
                $(if let Some(stage) = self.$field.clone().or_else(<$stage>::by_default) {
                    stages.push(Box::new(stage));
                })+
                stages
            }
        }
    };
}

stages_in_order! {
    /// Changes of the intensity of the source from image to image.
    flicker: Flicker,
        "{ sigma_fraction, per_pixel }: intensity of the source from image to image; steady if not given";
    /// Unequal sensitivities of pixels.
    calibration: Calibration,
        "{ sigma_fraction, seed }: unequal sensitivities of pixels; equal if not given";
    /// The statistics of photons; Poisson by default.
    counting: Counting,
        "poisson, as if not given, or expected: without noise";
    /// Charge of a photon in neighbouring pixels; none if not given.
    charge_sharing: ChargeSharing,
        "{ sigma_pixels, threshold_fraction = 0.5 }: charge of photons that neighbouring pixels share; a threshold of 0 integrates";
    /// Photons that arrive too soon after another; none are lost if not given.
    dead_time: DeadTime,
        "{ dead_time_ns, model = non_paralysable or paralysable, exposure_s }: photons lost at high rates";
    /// Signal that reaches neighbouring pixels.
    point_spread: PointSpread,
        "{ fwhm_pixels, profile, radius_pixels }, { sigma_pixels } or { kernel }: signal that goes to neighbouring pixels";
    /// Counts per photon; 1 by default.
    gain: Gain, "{ counts_per_photon }: 1 if not given";
    /// Pixels that always count too much.
    hot_pixels: HotPixels, "{ fraction, counts, seed }: pixels that add counts to each image";
    /// Noise that does not depend on the signal.
    read_out: ReadOut, "{ sigma_counts }: noise of a dark pixel";
    /// Pixels with a larger read-out noise.
    noisy_pixels: NoisyPixels, "{ fraction, sigma_counts, seed }: pixels with additional noise";
    /// The offset of each pixel; 40 counts by default.
    offset: Offset, "{ counts }: added to each pixel, 40 if not given";
    /// Pixels that measure nothing.
    dead_pixels: DeadPixels,
        "{ fraction, seed, list = [[panel, fast, slow], ...] }: pixels that count 0 and are masked";
}

/// Checks a probability.
fn check_fraction(field: &'static str, fraction: f64) -> Result<(), Error> {
    Error::unless(
        (0.0..=1.0).contains(&fraction),
        field,
        fraction,
        "from 0 to 1",
    )
}

impl ResponseSpec {
    /// The same detector with photons that arrive in `exposure_s`, unless a stage has an exposure of its
    /// own.
    #[must_use]
    pub fn in_exposure(mut self, exposure_s: f64) -> Self {
        if let Some(dead_time) = &mut self.dead_time {
            dead_time.exposure_s.get_or_insert(exposure_s);
        }
        self
    }

    /// Checks the numbers of all stages.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        self.stages().iter().try_for_each(|stage| stage.check())
    }

    /// Mean and variance of the counts before clipping and conversion to integers, for the expected
    /// `photons`: `[slow][fast]` in rows of `width`.
    pub fn predict(&self, photons: Vec<f64>, width: usize) -> Moments {
        let mut moments = Moments {
            variance: vec![0.0; photons.len()],
            common: Vec::new(),
            mean: photons,
            width,
        };
        for stage in self.stages() {
            stage.predict(&mut moments);
        }
        for (variance, common) in moments.variance.iter_mut().zip(moments.common.drain(..)) {
            *variance += common * common;
        }
        moments
    }

    /// The scale of the integer image, if it was given; `None` if it is automatic.
    pub fn given_integer_scale(&self) -> Option<f64> {
        self.integer_scale_counts_per_photon.filter(|&s| s > 0.0)
    }

    /// The scale of the integer image if the brightest pixel has `max_photons`: the scale given, or
    /// 55000 / max, or 1 for an image without photons.
    pub fn integer_scale(&self, max_photons: f64) -> f64 {
        let automatic = || match max_photons > 0.0 {
            true => BRIGHTEST_COUNTS / max_photons,
            false => 1.0,
        };
        self.given_integer_scale().unwrap_or_else(automatic)
    }

    /// The scale of the grey image, if it was given; `None` if it is automatic.
    pub fn given_grey_scale(&self) -> Option<f64> {
        self.grey_scale_per_photon.filter(|&s| s > 0.0)
    }

    /// The scale of the grey image for an image with this root mean square deviation: the scale given,
    /// or 250 / (5 rmsd), or `integer_scale` if the deviation is 0.
    pub fn grey_scale(&self, rmsd_photons: f64, integer_scale: f64) -> f64 {
        let automatic = || match rmsd_photons > 0.0 {
            true => BRIGHT_GREY / (BRIGHT_RMSDS * rmsd_photons),
            false => integer_scale,
        };
        self.given_grey_scale().unwrap_or_else(automatic)
    }
}

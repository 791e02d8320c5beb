//! What a detector is like: the list of its stages.

mod calibration;
mod counting;
mod gain;
mod offset;
mod point_spread;
mod read_out;

pub use calibration::Calibration;
pub use counting::Counting;
pub use gain::Gain;
pub use offset::Offset;
pub use point_spread::PointSpread;
pub use read_out::ReadOut;

use serde::{Deserialize, Serialize};

use crate::{Error, Moments, ResponseStage};

/// The counts of the brightest pixel of an integer image that is scaled automatically.
const BRIGHTEST_COUNTS: f64 = 55000.0;

/// The grey of a pixel [`BRIGHT_RMSDS`] above 0, if greys are scaled automatically.
const BRIGHT_GREY: f64 = 250.0;

/// What that grey stands for, in root mean square deviations of the image.
const BRIGHT_RMSDS: f64 = 5.0;

/// Defines [`ResponseSpec`] and all that goes through its stages.
macro_rules! stages_in_order {
    ($($(#[$doc:meta])* $field:ident: $stage:ty,)+) => {
        /// What turns photons into counts; `None` where nothing is said.
        ///
        /// A stage of which nothing is said has its default, which most of them are left out by. The
        /// stages stand in the order in which they act.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct ResponseSpec {
            $($(#[$doc])* pub $field: Option<$stage>,)+
            /// The largest count; by default the largest one that a file can hold.
            pub saturation_counts: Option<u32>,
            /// Scale of the integer image; by default, and if it is 0 or less, the brightest pixel gets
            /// 55000 counts.
            pub integer_scale_counts_per_photon: Option<f64>,
            /// Scale of the grey image; by default, and if it is 0 or less, five root mean square
            /// deviations get a grey of 250.
            pub grey_scale_per_photon: Option<f64>,
        }

        impl ResponseSpec {
            /// What this says, and what `other` says where this says nothing.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {
                    $($field: self.$field.or(other.$field),)+
                    saturation_counts: self.saturation_counts.or(other.saturation_counts),
                    integer_scale_counts_per_photon: (self.integer_scale_counts_per_photon)
                        .or(other.integer_scale_counts_per_photon),
                    grey_scale_per_photon: self.grey_scale_per_photon.or(other.grey_scale_per_photon),
                }
            }

            /// The stages in order, those of which nothing is said with their defaults.
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
    /// Unequal sensitivities of pixels.
    calibration: Calibration,
    /// The statistics of photons; Poisson's by default.
    counting: Counting,
    /// Signal that goes to neighbouring pixels.
    point_spread: PointSpread,
    /// Counts per photon; 1 by default.
    gain: Gain,
    /// Noise that does not depend on the signal.
    read_out: ReadOut,
    /// What is added to each pixel; 40 counts by default.
    offset: Offset,
}

impl ResponseSpec {
    /// Checks the numbers of all stages.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], with the field.
    pub fn check(&self) -> Result<(), Error> {
        self.stages().iter().try_for_each(|stage| stage.check())
    }

    /// Mean and variance of counts, before they are clipped and made whole, where `photons` are
    /// expected: `[slow][fast]` in rows of `width`.
    pub fn predict(&self, photons: Vec<f64>, width: usize) -> Moments {
        let mut moments = Moments {
            variance: vec![0.0; photons.len()],
            mean: photons,
            width,
        };
        for stage in self.stages() {
            stage.predict(&mut moments);
        }
        moments
    }

    /// The scale of the integer image that is said; `None` where it is automatic.
    pub fn given_integer_scale(&self) -> Option<f64> {
        self.integer_scale_counts_per_photon.filter(|&s| s > 0.0)
    }

    /// The scale of the integer image of an image whose brightest pixel has `max_photons`: the one
    /// said, or 55000 / max, or 1 where nothing is bright.
    pub fn integer_scale(&self, max_photons: f64) -> f64 {
        let automatic = || match max_photons > 0.0 {
            true => BRIGHTEST_COUNTS / max_photons,
            false => 1.0,
        };
        self.given_integer_scale().unwrap_or_else(automatic)
    }

    /// The scale of the grey image that is said; `None` where it is automatic.
    pub fn given_grey_scale(&self) -> Option<f64> {
        self.grey_scale_per_photon.filter(|&s| s > 0.0)
    }

    /// The scale of the grey image of an image with this root mean square deviation: the one said,
    /// or 250 / (5 rmsd), or `integer_scale` where nothing deviates.
    pub fn grey_scale(&self, rmsd_photons: f64, integer_scale: f64) -> f64 {
        let automatic = || match rmsd_photons > 0.0 {
            true => BRIGHT_GREY / (BRIGHT_RMSDS * rmsd_photons),
            false => integer_scale,
        };
        self.given_grey_scale().unwrap_or_else(automatic)
    }
}

//! The sampling of a pixel, and the corrections that are computed at each sub-pixel.

use nanobragg_crystal::phi_angles_rad;

use serde::{Deserialize, Serialize};

use crate::fixes::{Fixes, Oddity};

/// The sub-pixel sampling of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Sub-pixels along each edge of a pixel, at least 1.
    pub oversample: u32,
    /// Compute the capture fraction of the sensor at every sub-pixel.
    pub per_subpixel_capture: bool,
    /// Compute the polarization factor at every sub-pixel and source.
    pub per_subpixel_polarization: bool,
    /// Compute the solid angle at every sub-pixel.
    pub per_subpixel_solid_angle: bool,
}

impl Sampling {
    /// Whether any correction is computed at every sub-pixel.
    pub fn corrects_each_subpixel(&self) -> bool {
        self.per_subpixel_capture || self.per_subpixel_polarization || self.per_subpixel_solid_angle
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            oversample: 1,
            per_subpixel_capture: false,
            per_subpixel_polarization: false,
            per_subpixel_solid_angle: false,
        }
    }
}

/// What a correction factor multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scales {
    /// The finished sum: the whole pixel has one factor.
    Pixel,
    /// The running sum, with all earlier terms in it, after every single addition.
    RunningSum,
    /// Only the terms of the same layer, sub-pixel and source.
    Terms,
}

/// How a correction factor is computed and applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether it is computed again at every sub-pixel (polarization: also for every source).
    pub(crate) refreshes: bool,
    pub(crate) scales: Scales,
}

/// Which correction factors the model of the experiment contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modelled {
    /// The sensor has a thickness.
    pub(crate) sensor: bool,
    /// The polarization of the beam is not switched off.
    pub(crate) polarization: bool,
}

/// The rules of the three correction factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CorrectionRules {
    pub(crate) capture: Rule,
    pub(crate) polarization: Rule,
    pub(crate) solid_angle: Rule,
    /// True: a layer has its own capture fraction. False: all layers have that of the last layer.
    own_layer: bool,
}

impl CorrectionRules {
    /// The rules that follow from the flags in `sampling` and from the fixes.
    ///
    /// Three oddities of the C program are here. `corrections`: a factor that is not requested at every
    /// sub-pixel is computed once for the whole pixel. `thickness`: the sums of the sensor layers are
    /// added without weights, and the capture fraction of the last layer multiplies the total.
    /// `oversample-flags`: a factor that is requested at every sub-pixel multiplies the running sum.
    /// With a fix for any of the three, factors multiply their own terms (no running sum is
    /// multiplied), and a factor that is not modelled is 1.
    pub(crate) fn new(sampling: &Sampling, modelled: Modelled, fixes: Fixes) -> Self {
        let every = fixes.contains(Oddity::Corrections);
        let layers = fixes.contains(Oddity::Thickness);
        let by_terms = every || layers || fixes.contains(Oddity::OversampleFlags);
        let rule = |asked: bool| Rule {
            refreshes: every || asked,
            scales: match (every || asked, by_terms) {
                (true, true) => Scales::Terms,
                (true, false) => Scales::RunningSum,
                (false, _) => Scales::Pixel,
            },
        };
        // In C, a request for a factor at every sub-pixel overrides the flags that switch the factor
        // off: an unpolarized beam is corrected, and a sensor without thickness captures nothing. With
        // a fix the factor stays off.
        let rule_if = |is_modelled: bool, asked: bool| {
            if is_modelled || !by_terms {
                rule(asked)
            } else {
                Rule {
                    refreshes: false,
                    scales: Scales::Pixel,
                }
            }
        };
        let mut capture = rule_if(modelled.sensor, sampling.per_subpixel_capture);
        if layers && modelled.sensor {
            capture.scales = Scales::Terms;
        }
        Self {
            capture,
            polarization: rule_if(modelled.polarization, sampling.per_subpixel_polarization),
            solid_angle: rule(sampling.per_subpixel_solid_angle),
            own_layer: layers || sampling.per_subpixel_capture || !by_terms,
        }
    }

    /// Whether every sensor layer is weighted by its own capture fraction.
    pub(crate) fn weighs_layers(&self) -> bool {
        self.own_layer && self.capture.scales == Scales::Terms
    }

    /// Whether every layer has its own capture fraction. Otherwise all have that of the last layer.
    pub(crate) fn has_own_layers(&self) -> bool {
        self.own_layer
    }

    /// The layer whose capture fraction applies to `layer`, in a sensor of `layers` layers.
    pub(crate) fn capturing_layer(&self, layer: u32, layers: u32) -> u32 {
        if self.own_layer { layer } else { layers - 1 }
    }

    /// Whether any factor multiplies what `scales` says.
    pub(crate) fn any(&self, scales: Scales) -> bool {
        [self.capture, self.polarization, self.solid_angle]
            .iter()
            .any(|r| r.scales == scales)
    }
}

/// How the structure factor at fractional indices is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookup {
    /// The listed value at the nearest integer indices.
    #[default]
    Nearest,
    /// Lagrange's cubic interpolation in the 4 x 4 x 4 neighbours.
    Tricubic,
}

/// The steps of the spindle during the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhiSweep {
    /// Angle at which the sweep begins, in radians.
    pub start_rad: f64,
    /// Range of the sweep in radians, for reports only. The image depends on the steps.
    pub range_rad: f64,
    /// Angle from one step to the next in radians.
    pub step_rad: f64,
    /// Number of steps, at least 1.
    pub count: u32,
    /// Whether the steps lie in the middle of the range. Those of the C program begin at its edge (the
    /// oddity `half-step`).
    pub is_centred: bool,
}

impl PhiSweep {
    /// The angle of each step in radians: `start + lead + k step`.
    pub fn angles_rad(&self) -> impl Iterator<Item = f64> + '_ {
        phi_angles_rad(self.start_rad + self.lead_rad(), self.step_rad, self.count)
    }

    /// Angle from the edge of the sweep to the first step, in radians. Steps that are centred have as
    /// much range before the first as behind the last: `(range - (n - 1) step) / 2`.
    pub fn lead_rad(&self) -> f64 {
        if self.is_centred {
            0.5 * self.behind_middle_rad()
        } else {
            0.0
        }
    }

    /// Twice the angle by which steps that begin at the edge are behind the middle of the range.
    fn behind_middle_rad(&self) -> f64 {
        self.range_rad - self.step_rad * (f64::from(self.count) - 1.0)
    }

    /// Whether the mean of the steps is not the middle of the range.
    pub fn is_off_centre(&self) -> bool {
        // Rounding of a range that was divided into steps.
        !self.is_centred && self.behind_middle_rad().abs() > 1e-12 * self.range_rad.abs()
    }
}

impl Default for PhiSweep {
    fn default() -> Self {
        Self {
            start_rad: 0.0,
            range_rad: 0.0,
            step_rad: 0.0,
            count: 1,
            is_centred: false,
        }
    }
}

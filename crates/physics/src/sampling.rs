//! How finely a pixel is sampled, and which corrections are taken at each sub-pixel.

use nanobragg_crystal::phi_angles_rad;

use serde::{Deserialize, Serialize};

use crate::fixes::{Fixes, Oddity};

/// The sub-pixel sampling of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Sub-pixels along each edge of a pixel, at least 1.
    pub oversample: u32,
    /// Take the capture fraction of the sensor at every sub-pixel.
    pub per_subpixel_capture: bool,
    /// Take the polarization factor at every sub-pixel and source.
    pub per_subpixel_polarization: bool,
    /// Take the solid angle at every sub-pixel.
    pub per_subpixel_solid_angle: bool,
}

impl Sampling {
    /// Whether any correction is taken at every sub-pixel.
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

/// What one correction factor multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scales {
    /// The finished sum: one factor serves the whole pixel.
    Pixel,
    /// The running sum, all earlier terms included, after every single addition.
    RunningSum,
    /// The terms it belongs to.
    Terms,
}

/// How one correction factor is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether it is taken anew at every sub-pixel (and, for polarization, every source).
    pub(crate) refreshes: bool,
    /// What it multiplies.
    pub(crate) scales: Scales,
}

/// Which correction factors the experiment has at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modelled {
    /// The sensor has a thickness.
    pub(crate) sensor: bool,
    /// The polarization of the beam is not switched off.
    pub(crate) polarization: bool,
}

/// How the three correction factors are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CorrectionRules {
    pub(crate) capture: Rule,
    pub(crate) polarization: Rule,
    pub(crate) solid_angle: Rule,
    /// Whether a layer's capture fraction is its own or that of the last layer.
    own_layer: bool,
}

impl CorrectionRules {
    /// The rules that the flags of `sampling` and the fixes ask for.
    ///
    /// Here are three oddities of the C program. `corrections`: a factor that is not asked for at
    /// every sub-pixel serves the whole pixel. `thickness`: the layers of the sensor are summed
    /// undivided, and the capture fraction of the last one scales them all. `oversample-flags`: a
    /// factor that is asked for at every sub-pixel multiplies the running sum. Putting any of them
    /// right makes factors multiply the terms they belong to, so no running sum is left, and leaves
    /// a factor that is not modelled at 1.
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
        // Asking for a factor at every sub-pixel overrules that there is none, unless put right: an
        // unpolarized beam is corrected, and a sensor without thickness captures nothing.
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

    /// Whether the layers of the sensor are weighted each by its own capture fraction.
    pub(crate) fn weighs_layers(&self) -> bool {
        self.own_layer && self.capture.scales == Scales::Terms
    }

    /// The layer whose capture fraction counts in `layer` of a sensor of `layers`.
    pub(crate) fn capturing_layer(&self, layer: u32, layers: u32) -> u32 {
        if self.own_layer { layer } else { layers - 1 }
    }

    /// Whether some factor multiplies what `scales` says.
    pub(crate) fn any(&self, scales: Scales) -> bool {
        [self.capture, self.polarization, self.solid_angle]
            .iter()
            .any(|r| r.scales == scales)
    }
}

/// How the structure factor at a fractional index is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookup {
    /// The listed value of the nearest whole index.
    #[default]
    Nearest,
    /// Lagrange's cubic through the 4 x 4 x 4 neighbours.
    Tricubic,
}

/// The steps of the spindle during the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhiSweep {
    /// Angle of the first step in radians.
    pub start_rad: f64,
    /// Range of the sweep in radians, for the record; the steps alone are rendered.
    pub range_rad: f64,
    /// Angle from one step to the next in radians.
    pub step_rad: f64,
    /// Number of steps, at least 1.
    pub count: u32,
}

impl PhiSweep {
    /// The angle of each step in radians: `start + k step`.
    pub fn angles_rad(&self) -> impl Iterator<Item = f64> + '_ {
        phi_angles_rad(self.start_rad, self.step_rad, self.count)
    }
}

impl Default for PhiSweep {
    fn default() -> Self {
        Self {
            start_rad: 0.0,
            range_rad: 0.0,
            step_rad: 0.0,
            count: 1,
        }
    }
}

//! How finely a pixel is sampled, and which corrections are taken at each sub-pixel.

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

/// How the structure factor at a fractional index is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
        (0..self.count).map(|k| self.start_rad + self.step_rad * f64::from(k))
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

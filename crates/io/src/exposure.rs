//! The experiment as an image header states it.

use std::borrow::Cow;

/// The bit of a pixel without a sensor: bit 0 of the `pixel_mask` of NXmx.
pub const GAP: u16 = 1;

/// The bit of a dead pixel: bit 1.
pub const DEAD: u16 = 1 << 1;

/// The bit of a noisy pixel: bit 4.
pub const NOISY: u16 = 1 << 4;

/// The bit of a pixel that a user masks, for example behind the beam stop: bit 8.
pub const BY_USER: u16 = 1 << 8;

/// The count of a masked pixel, as DECTRIS writes it.
const MASKED_COUNT: i32 = -1;

/// The count of a defective pixel.
const DEFECT_COUNT: i32 = -2;

/// The counts with negative numbers for masked pixels: -2 for defective ones, -1 for others. `masked` has
/// bits as [`Exposure::masked`] for each pixel, or is empty.
pub fn marked<'c>(counts: &'c [i32], masked: &[u16]) -> Cow<'c, [i32]> {
    if masked.iter().all(|&bits| bits == 0) {
        return counts.into();
    }
    let mut marked = counts.to_vec();
    for (count, bits) in marked.iter_mut().zip(masked) {
        match bits {
            0 => {}
            bits if bits & (DEAD | NOISY) != 0 => *count = DEFECT_COUNT,
            _ => *count = MASKED_COUNT,
        }
    }
    marked.into()
}

/// Beam, detector and spindle of one image, for headers that state the geometry.
///
/// All vectors are in the imgCIF frame, which DIALS uses too. It is right-handed, its origin is the
/// sample, and z points from the sample towards the source: the beam travels along -z.
///
/// ```
/// use nanobragg_io::Exposure;
///
/// let exposure = Exposure {
///     pixel_mm: 0.1,
///     origin_mm: [-5.0, 4.0, -100.0],
///     ..Exposure::default()
/// };
/// assert_eq!(exposure.distance_mm(), 100.0);
/// assert_eq!(exposure.beam_px(), Some([50.0, 40.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    /// Edge of a pixel in millimetres.
    pub pixel_mm: f64,
    /// The outer corner of the first pixel in millimetres.
    pub origin_mm: [f64; 3],
    /// Unit vector along the fast axis.
    pub fast: [f64; 3],
    /// Unit vector along the slow axis, perpendicular to `fast`.
    pub slow: [f64; 3],
    /// Wavelength in angstrom.
    pub wavelength_angstrom: f64,
    /// Wavelength in angstrom and weight of each line of the spectrum, of which `wavelength_angstrom` is the mean;
    /// empty for a beam of one wavelength.
    pub spectrum: Vec<[f64; 2]>,
    /// Unit vector along the spindle. A positive angle is a right-handed turn about it.
    pub spindle: [f64; 3],
    /// Angle of the spindle at the start of the image, in degrees.
    pub start_degrees: f64,
    /// Angle by which it turns during the image, in degrees; 0 for a still.
    pub width_degrees: f64,
    /// Two-theta of the detector in degrees. It is for people: `origin_mm`, `fast` and `slow`
    /// already contain it.
    pub twotheta_degrees: f64,
    /// Thickness of a silicon sensor in millimetres; 0 for a detector without thickness.
    pub sensor_mm: f64,
    /// Duration of the image in seconds. 0 is written as 1, because readers need a duration.
    pub exposure_s: f64,
    /// Photons per second in the beam; 0 if not known.
    pub flux_per_s: f64,
    /// Fraction of the light that is polarized along `polarization_axis`, from 0 to 1.
    pub polarization_fraction: f64,
    /// Unit vector along the electric field.
    pub polarization_axis: [f64; 3],
    /// The largest count that is a measurement. A pixel at the limit of its counter has one more.
    pub cutoff: i32,
    /// Counts per photon.
    pub gain: f64,
    /// The part of every count that is no signal, such as the offset of an analogue-to-digital converter.
    pub offset_counts: f64,
    /// The material of a sensor with a thickness, as NXmx names it.
    pub sensor_material: &'static str,
    /// The name of the detector; empty if there is none.
    pub model: String,
    /// The name of the module of which the panel is a chip; empty if it is none.
    pub module: String,
    /// Why a pixel is masked, `[slow][fast]`: the lowest bits of the `pixel_mask` of NXmx, such as
    /// [`GAP`], and 0 for a pixel that is not. Empty if none is. Counts have -1 there, or -2 if the pixel is
    /// defective.
    pub masked: Vec<u16>,
}

/// A still at 1 A, with a detector perpendicular to the beam at 100 mm and its first pixel in the
/// beam.
impl Default for Exposure {
    fn default() -> Self {
        Self {
            pixel_mm: 0.1,
            origin_mm: [0.0, 0.0, -100.0],
            fast: [1.0, 0.0, 0.0],
            slow: [0.0, -1.0, 0.0],
            wavelength_angstrom: 1.0,
            spectrum: Vec::new(),
            spindle: [1.0, 0.0, 0.0],
            start_degrees: 0.0,
            width_degrees: 0.0,
            twotheta_degrees: 0.0,
            sensor_mm: 0.0,
            exposure_s: 1.0,
            flux_per_s: 0.0,
            polarization_fraction: 0.5,
            polarization_axis: [1.0, 0.0, 0.0],
            cutoff: i32::MAX - 1,
            gain: 1.0,
            offset_counts: 0.0,
            sensor_material: "Si",
            model: String::new(),
            module: String::new(),
            masked: Vec::new(),
        }
    }
}

impl Exposure {
    /// The largest difference between a direction and an axis that counts as none. Over ten
    /// thousand pixels it is 1e-8 pixels, which no header can state.
    const AXIS_TOLERANCE: f64 = 1e-12;

    /// The unit vector fast x slow.
    pub fn normal(&self) -> [f64; 3] {
        cross(self.fast, self.slow)
    }

    /// The distance of the detector's plane from the sample in millimetres, not negative.
    pub fn distance_mm(&self) -> f64 {
        dot(self.origin_mm, self.normal()).abs()
    }

    /// Where the direct beam meets the plane of the detector, in pixels along fast and slow from
    /// the outer corner of the first pixel. `None` if the beam is parallel to the plane.
    pub fn beam_px(&self) -> Option<[f64; 2]> {
        // The beam is at t (0, 0, -1) after a path t. It is in the plane where its projection on
        // the normal is that of the origin: t (-n_z) = origin . n.
        let normal = self.normal();
        let along = -normal[2];
        let travelled = dot(self.origin_mm, normal) / along;
        if along == 0.0 || !travelled.is_finite() {
            return None;
        }
        let [x, y, z] = self.origin_mm;
        let from_corner = [-x, -y, -travelled - z];
        Some([self.fast, self.slow].map(|axis| dot(from_corner, axis) / self.pixel_mm))
    }

    /// Whether fast is x, slow is -y and the spindle is x, as readers assume if a header states no
    /// axes.
    pub fn has_default_axes(&self) -> bool {
        let near = |one: [f64; 3], other: [f64; 3]| {
            one.iter()
                .zip(other)
                .all(|(a, b)| (a - b).abs() <= Self::AXIS_TOLERANCE)
        };
        near(self.fast, [1.0, 0.0, 0.0])
            && near(self.slow, [0.0, -1.0, 0.0])
            && near(self.spindle, [1.0, 0.0, 0.0])
            && self.origin_mm[2] < 0.0
    }

    /// Whether a pixel is masked.
    pub fn is_masked(&self) -> bool {
        self.masked.iter().any(|&bits| bits != 0)
    }

    /// The text for the detector.
    pub(crate) fn description(&self) -> &str {
        match self.model.as_str() {
            "" => "simulated by nanoBragg",
            model => model,
        }
    }

    /// The duration to be written, never 0.
    pub(crate) fn duration_s(&self) -> f64 {
        if self.exposure_s > 0.0 {
            self.exposure_s
        } else {
            1.0
        }
    }
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn cross([ax, ay, az]: [f64; 3], [bx, by, bz]: [f64; 3]) -> [f64; 3] {
    [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_turned_to_the_side_has_its_beam_at_distance_times_the_tangent() {
        // Turned by 30 degrees about y, 100 mm away along its normal, whose foot is at (200, 0) px.
        let (sin, cos) = 30_f64.to_radians().sin_cos();
        let fast = [cos, 0.0, sin];
        let normal = [sin, 0.0, -cos];
        let origin_mm = [0, 1, 2].map(|i: usize| 100.0 * normal[i] - 20.0 * fast[i]);
        let exposure = Exposure {
            fast,
            origin_mm,
            ..Exposure::default()
        };
        assert!((exposure.distance_mm() - 100.0).abs() < 1e-12);
        let [f, s] = exposure.beam_px().unwrap();
        assert!((f - (200.0 - 1000.0 * sin / cos)).abs() < 1e-9, "{f}");
        assert!(s.abs() < 1e-9 && !exposure.has_default_axes());
    }

    #[test]
    fn a_detector_parallel_to_the_beam_has_no_beam_centre() {
        let exposure = Exposure {
            fast: [0.0, 0.0, 1.0],
            ..Exposure::default()
        };
        assert_eq!(exposure.beam_px(), None);
        assert!(Exposure::default().has_default_axes());
    }
}

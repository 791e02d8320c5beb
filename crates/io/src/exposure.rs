//! What a header says of one image, or of each image of a series.

/// Where an image was taken, for headers that carry a whole geometry.
///
/// All vectors stand in the imgCIF frame, in which DIALS works too: the sample at the origin, z
/// from the sample towards the source, so that the beam travels along -z; right-handed.
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
    /// Outer corner of the first pixel in millimetres.
    pub origin_mm: [f64; 3],
    /// Unit vector along the fast axis.
    pub fast: [f64; 3],
    /// Unit vector along the slow axis, perpendicular to `fast`.
    pub slow: [f64; 3],
    /// Wavelength in angstrom.
    pub wavelength_angstrom: f64,
    /// Unit vector along the spindle; turns are right-handed about it.
    pub spindle: [f64; 3],
    /// Angle of the spindle where the image begins, in degrees.
    pub start_degrees: f64,
    /// Angle by which it turns during the image, in degrees; 0 for a still.
    pub width_degrees: f64,
    /// Two-theta of the detector in degrees, for people.
    pub twotheta_degrees: f64,
    /// Thickness of a silicon sensor in millimetres; 0 for a detector that is a surface.
    pub sensor_mm: f64,
    /// Duration of the image in seconds; a duration of 0 is written as 1, which readers need.
    pub exposure_s: f64,
    /// Photons per second in the beam; 0 where it is not known.
    pub flux_per_s: f64,
    /// Fraction of the light that is polarized along `polarization_axis`, from 0 to 1.
    pub polarization_fraction: f64,
    /// Unit vector along the electric field.
    pub polarization_axis: [f64; 3],
    /// The largest count that a pixel can hold.
    pub cutoff: i32,
}

/// A still at 1 A of a detector that is square to the beam 100 mm away, its first pixel in the beam.
impl Default for Exposure {
    fn default() -> Self {
        Self {
            pixel_mm: 0.1,
            origin_mm: [0.0, 0.0, -100.0],
            fast: [1.0, 0.0, 0.0],
            slow: [0.0, -1.0, 0.0],
            wavelength_angstrom: 1.0,
            spindle: [1.0, 0.0, 0.0],
            start_degrees: 0.0,
            width_degrees: 0.0,
            twotheta_degrees: 0.0,
            sensor_mm: 0.0,
            exposure_s: 1.0,
            flux_per_s: 0.0,
            polarization_fraction: 0.5,
            polarization_axis: [1.0, 0.0, 0.0],
            cutoff: i32::MAX,
        }
    }
}

impl Exposure {
    /// How far a direction may be from an axis to count as along it: what headers of nine digits
    /// could tell apart on a detector of ten thousand pixels.
    const SQUARE: f64 = 1e-12;

    /// The unit vector fast x slow.
    pub fn normal(&self) -> [f64; 3] {
        cross(self.fast, self.slow)
    }

    /// The distance of the detector's plane from the sample in millimetres, not negative.
    pub fn distance_mm(&self) -> f64 {
        dot(self.origin_mm, self.normal()).abs()
    }

    /// Where the direct beam meets the detector, in pixels along fast and slow from the outer corner
    /// of the first pixel; `None` where it never does.
    pub fn beam_px(&self) -> Option<[f64; 2]> {
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

    /// Whether fast is x, slow is -y and the spindle is x, which is what readers of a header without
    /// axes take for granted.
    pub fn is_plain(&self) -> bool {
        let near = |one: [f64; 3], other: [f64; 3]| {
            one.iter()
                .zip(other)
                .all(|(a, b)| (a - b).abs() <= Self::SQUARE)
        };
        near(self.fast, [1.0, 0.0, 0.0])
            && near(self.slow, [0.0, -1.0, 0.0])
            && near(self.spindle, [1.0, 0.0, 0.0])
            && self.origin_mm[2] < 0.0
    }

    /// The duration to be written.
    pub(crate) fn duration_s(&self) -> f64 {
        if self.exposure_s > 0.0 {
            self.exposure_s
        } else {
            1.0
        }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross([ax, ay, az]: [f64; 3], [bx, by, bz]: [f64; 3]) -> [f64; 3] {
    [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_swung_to_the_side_has_its_beam_where_the_planes_meet() {
        // Turned by 30 degrees about y, 100 mm away along its normal, the near point at (200, 0) px.
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
        assert!(s.abs() < 1e-9 && !exposure.is_plain());
    }

    #[test]
    fn a_detector_along_the_beam_has_no_beam_spot() {
        let exposure = Exposure {
            fast: [0.0, 0.0, 1.0],
            ..Exposure::default()
        };
        assert_eq!(exposure.beam_px(), None);
        assert!(Exposure::default().is_plain());
    }
}

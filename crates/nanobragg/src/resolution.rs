//! The resolution of a rectangle of pixels.

use std::f64::consts::FRAC_PI_2;

use nanobragg_geometry::vector::{norm, sub, unit};
use nanobragg_geometry::{BeamFrame, Detector, Panel};

/// The resolution along the border of a rectangle of pixels, in Angstrom; infinite in the direct beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// In the middle of each side: first fast, last fast, first slow, last slow.
    pub sides_angstrom: [f64; 4],
    /// At each corner: first fast and slow, last fast and first slow, first fast and last slow, last
    /// fast and slow.
    pub corners_angstrom: [f64; 4],
}

impl Resolution {
    /// The border of the pixels of a panel from `first` to `end` (excluded), each `[fast, slow]`, for a
    /// beam along the given direction.
    pub fn of(
        (panel, beam): (&Panel, [f64; 3]),
        wavelength_m: f64,
        first: [u32; 2],
        end: [u32; 2],
    ) -> Self {
        let [[fast_0, slow_0], [fast_1, slow_1]] = [first, end].map(|at| at.map(f64::from));
        let (fast, slow) = ((fast_0 + fast_1) / 2.0, (slow_0 + slow_1) / 2.0);
        let at = |at_px| spacing_at((panel, beam), wavelength_m * 1e10, at_px);
        Self {
            sides_angstrom: [
                [fast_0, slow],
                [fast_1, slow],
                [fast, slow_0],
                [fast, slow_1],
            ]
            .map(at),
            corners_angstrom: [
                [fast_0, slow_0],
                [fast_1, slow_0],
                [fast_0, slow_1],
                [fast_1, slow_1],
            ]
            .map(at),
        }
    }

    /// The finest resolution on the border.
    pub fn finest_angstrom(&self) -> f64 {
        self.sides_angstrom
            .into_iter()
            .chain(self.corners_angstrom)
            .fold(f64::INFINITY, f64::min)
    }
}

/// The spacing in Angstrom at a point of a panel, in pixels from the outer corner of its first pixel, for a beam along
/// a unit vector; infinite in the direct beam. `lambda = 2 d sin(theta)`, and the unit vectors along the scattered and
/// the direct beam differ by `2 sin(theta)`.
pub fn spacing_at(
    (panel, beam): (&Panel, [f64; 3]),
    wavelength_angstrom: f64,
    [fast, slow]: [f64; 2],
) -> f64 {
    let [first_fast, first_slow] = panel.first_pixel().map(f64::from);
    let pixel_m = panel.pixel_size_m();
    let [fast_m, slow_m] = [fast + first_fast, slow + first_slow].map(|px| px * pixel_m);
    let direction = unit(panel.position_m(fast_m, slow_m, 0.0));
    wavelength_angstrom / norm(sub(direction, beam))
}

/// The distance in metres at which a flat detector, normal to the beam, has the spacing `d_a` at `radius_m` from the
/// beam: `radius / tan 2theta` with Bragg's law, `lambda = 2 d sin theta`. `None` if the spacing is at or beyond
/// 2 theta = 90 degrees, or not reached at all.
///
/// ```
/// // 2 A at 1 A: sin theta = 1/4, theta = 14.478 degrees, tan 2theta = 0.5533.
/// let distance_m = nanobragg::distance_for_resolution(2.0, 1e-10, 0.1).unwrap_or_default();
/// assert!((distance_m - 0.1 / 0.553_283).abs() < 1e-6);
/// ```
pub fn distance_for_resolution(d_a: f64, wavelength_m: f64, radius_m: f64) -> Option<f64> {
    let two_theta = 2.0 * (wavelength_m / (2.0 * d_a * 1e-10)).asin();
    (two_theta > 0.0 && two_theta < FRAC_PI_2).then(|| radius_m / two_theta.tan())
}

/// The finest resolution on the border of the detector, in A.
pub(crate) fn finest_a(detector: &Detector, beam: &BeamFrame, wavelength_m: f64) -> f64 {
    let finest = detector.panels().iter().map(|panel| {
        let whole = [panel.pixels_fast(), panel.pixels_slow()];
        Resolution::of((panel, beam.direction()), wavelength_m, [0, 0], whole).finest_angstrom()
    });
    finest.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg_geometry::{DetectorSpec, Laboratory, Length};

    #[test]
    fn a_side_at_45_degrees_resolves_lambda_over_2_sin() {
        // The beam goes through the middle of 200 x 200 mm at a distance of 100 mm. The convention of XDS
        // is used, because the centre of MOSFLM is half a pixel off.
        let laboratory = Laboratory::new(&DetectorSpec {
            convention: nanobragg_geometry::Convention::Xds,
            pixels_fast: Some(200),
            pixels_slow: Some(200),
            pixel_size: Length::from_mm(1.0),
            distance: Length::from_mm(100.0),
            ..DetectorSpec::default()
        })
        .unwrap();
        let place = (laboratory.panel(), laboratory.beam.direction());
        let resolution = Resolution::of(place, 1e-10, [0, 0], [200, 200]);
        let side = 1.0 / (2.0 * 22.5_f64.to_radians().sin());
        for d in resolution.sides_angstrom {
            assert!((d / side - 1.0).abs() < 1e-12, "{d} {side}");
        }
        let corner = 1.0 / (2.0 * (2.0_f64.sqrt().atan() / 2.0).sin());
        assert!((resolution.finest_angstrom() / corner - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_distance_of_a_resolution_is_that_of_bragg_s_law() {
        // By hand: theta = 22.5 degrees is at 45 degrees, as far from the beam as from the sample.
        let d_a = 1.0 / (2.0 * 22.5_f64.to_radians().sin());
        let distance_m = distance_for_resolution(d_a, 1e-10, 0.2).unwrap();
        assert!((distance_m - 0.2).abs() < 1e-15);
        // cos 2theta = 1 - 2 sin^2 theta, without an arc: 1.5418 A at 1.5 A.
        let sine = 1.5418 / 3.0_f64;
        let cosine = 1.0 - 2.0 * sine * sine;
        let distance_m = distance_for_resolution(1.5, 1.5418e-10, 0.211_818).unwrap();
        let expected = 0.211_818 * cosine / (1.0 - cosine * cosine).sqrt();
        assert!((distance_m / expected - 1.0).abs() < 1e-12);
        // More than 90 degrees, and a spacing below half of the wavelength.
        for d_a in [0.7, 0.49] {
            assert_eq!(distance_for_resolution(d_a, 1e-10, 0.2), None);
        }
    }
}

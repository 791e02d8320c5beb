//! A beam that comes from a slightly different direction than the detector was placed for.

use crate::detector::layout::Laboratory;
use crate::detector::place::{Placement, away_from_zero};
use crate::detector::resolve::centre_input;
use crate::detector::spec::{DetectorSpec, Surface};
use crate::error::Error;
use crate::vector::{dot, norm};

impl Laboratory {
    /// The same laboratory with the beam turned as by [`BeamFrame::turned`](crate::BeamFrame::turned). Detector, sample and spindle
    /// stay. What is stated of the beam on the detector follows: the beam spot, the distance along the beam
    /// and the beam centre of the convention. `spec` is what the laboratory was made of.
    ///
    /// Without a tilt nothing changes, to the bit. The distance of a curved detector, which is its radius, stays.
    ///
    /// # Errors
    /// [`Error::NoDirection`] if the electric vector is along the beam, so that there is nothing to turn about.
    pub fn with_beam_turned(
        mut self,
        tilt_rad: [f64; 2],
        spec: &DetectorSpec,
    ) -> Result<Self, Error> {
        if tilt_rad == [0.0; 2] {
            return Ok(self);
        }
        if norm(self.beam.vertical()) == 0.0 {
            return Err(Error::NoDirection {
                field: "vertical of a tilted beam",
                vector: self.beam.vertical(),
            });
        }
        self.beam = self.beam.turned(tilt_rad);
        let beam = self.beam.direction();
        for panel in self.detector.panels_mut() {
            if panel.surface == Surface::Flat {
                panel.placement = panel.placement.seen_along(beam);
            }
        }
        let first = self.detector.first();
        let [size_fast_m, size_slow_m] = self.layout.size_m;
        let centre = centre_input(spec, size_fast_m, size_slow_m);
        self.layout.centre.beam_m = centre.beam_from_spot([first.f_beam_m(), first.s_beam_m()]);
        Ok(self)
    }
}

impl Placement<f64> {
    /// The same plane with the beam spot and the distance of another beam.
    fn seen_along(&self, beam: [f64; 3]) -> Self {
        let distance_m = self.close_distance_m / away_from_zero(dot(beam, self.normal));
        let to_spot: [f64; 3] = std::array::from_fn(|i| distance_m * beam[i] - self.pix0_m[i]);
        Self {
            distance_m,
            f_beam_m: dot(self.fast, to_spot),
            s_beam_m: dot(self.slow, to_spot),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::Convention;
    use crate::units::{Angle, Length};

    #[test]
    fn the_beam_spot_moves_by_the_distance_times_the_tangent() {
        // The detector faces the beam: towards the electric vector or the vertical, tan(angle) of the distance.
        for convention in Convention::ALL {
            let spec = DetectorSpec {
                convention,
                distance: Length::from_mm(200.0),
                ..DetectorSpec::default()
            };
            let straight = Laboratory::new(&spec).unwrap();
            for (axis, angle_rad) in [(0, 0.003), (1, -0.002)] {
                let mut tilt_rad = [0.0; 2];
                tilt_rad[axis] = angle_rad;
                let turned = straight.clone().with_beam_turned(tilt_rad, &spec).unwrap();
                let towards = [straight.beam.polarization(), straight.beam.vertical()][axis];
                let (before, after) = (straight.panel(), turned.panel());
                assert_eq!(after.pix0_m(), before.pix0_m());
                let moved_m = 0.2 * angle_rad.tan();
                let [fast, slow] = [before.fast(), before.slow()].map(|v| dot(v, towards));
                let along = [
                    after.f_beam_m() - before.f_beam_m(),
                    after.s_beam_m() - before.s_beam_m(),
                ];
                for (found, part) in along.into_iter().zip([fast, slow]) {
                    assert!(
                        (found - moved_m * part).abs() < 1e-15,
                        "{convention} {axis}"
                    );
                }
                let distance_m = 0.2 / angle_rad.cos();
                assert!((after.distance_m() - distance_m).abs() < 1e-15);
                // The spot is where the ray of the beam meets the panel.
                let (fast_px, slow_px) = after.pixel_at(turned.beam.direction()).unwrap();
                let spot_px = [after.f_beam_m(), after.s_beam_m()].map(|m| m / 1e-4);
                assert!((fast_px - spot_px[0]).abs() + (slow_px - spot_px[1]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_turned_frame_keeps_its_right_angles_and_no_tilt_keeps_every_bit() {
        let spec = DetectorSpec {
            rotations: [1.0, 2.0, 3.0].map(Angle::from_degrees),
            ..DetectorSpec::default()
        };
        let laboratory = Laboratory::new(&spec).unwrap();
        let turned = laboratory.beam.turned([0.02, -0.05]);
        let (d, p, v) = (turned.direction(), turned.polarization(), turned.vertical());
        for product in [dot(d, p), dot(d, v), dot(p, v)] {
            assert!(product.abs() < 1e-15);
        }
        assert!((norm(d) - 1.0).abs() < 1e-15);
        let same = laboratory
            .clone()
            .with_beam_turned([0.0; 2], &spec)
            .unwrap();
        assert_eq!(same, laboratory);
    }
}

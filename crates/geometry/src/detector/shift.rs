//! Moving a detector in its own plane.

use crate::detector::layout::Laboratory;
use crate::detector::resolve::centre_input;
use crate::detector::spec::DetectorSpec;
use crate::error::Error;
use crate::units::Length;

impl DetectorSpec {
    /// The same detector with its beam centre moved along fast and slow by the given lengths. The
    /// new centre is stated in the way that the convention uses.
    ///
    /// Beam spot and near point move by the same amount, so the result does not depend on the
    /// pivot. In the laboratory the detector moves in the opposite direction. If the corner of the
    /// first pixel places the detector, the corner is moved instead.
    ///
    /// # Errors
    /// Those of [`Laboratory::new`].
    pub fn with_beam_moved(&self, fast: Length, slow: Length) -> Result<Self, Error> {
        let laboratory = Laboratory::new(self)?;
        let (panel, input) = (laboratory.panel(), &laboratory.layout.input);
        let mut moved = self.clone();
        if let Some(pix0_m) = input.pix0_m {
            // The beam stays, so a beam spot farther along fast needs a corner farther back.
            let (f, s) = (panel.fast(), panel.slow());
            moved.pix0_m = Some(std::array::from_fn(|i| {
                pix0_m[i] - fast.m() * f[i] - slow.m() * s[i]
            }));
            return Ok(moved);
        }
        let [size_fast_m, size_slow_m] = laboratory.layout.size_m;
        let centre = centre_input(self, size_fast_m, size_slow_m);
        // Both ways of giving a centre are set; the convention uses its own and ignores the other.
        let [x, y] = centre.beam_from_spot([input.f_beam_m + fast.m(), input.s_beam_m + slow.m()]);
        let pixels = |near_m: f64| near_m / panel.pixel_size_m() + 0.5;
        moved.x_beam = Some(Length::from_m(x));
        moved.y_beam = Some(Length::from_m(y));
        moved.org_x = Some(pixels(input.f_close_m + fast.m()));
        moved.org_y = Some(pixels(input.s_close_m + slow.m()));
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::Convention;
    use crate::detector::spec::GeometryFixes;
    use crate::pivot::Pivot;
    use crate::units::Angle;

    #[test]
    fn the_corner_moves_against_the_beam_in_every_convention() {
        let fixes = GeometryFixes {
            pivot: true,
            beam_centre: true,
            ignored_input: true,
            ..GeometryFixes::default()
        };
        for convention in Convention::ALL {
            for (pivot, pix0_m) in [
                (Pivot::Beam, None),
                (Pivot::Sample, Some([0.1, 0.02, 0.03])),
            ] {
                for fixes in [GeometryFixes::default(), fixes] {
                    let spec = DetectorSpec {
                        convention,
                        explicit_pivot: Some(pivot),
                        pix0_m,
                        fixes,
                        rotations: [3.0, -2.0, 5.0].map(Angle::from_degrees),
                        twotheta: Angle::from_degrees(4.0),
                        ..DetectorSpec::default()
                    };
                    let before = Laboratory::new(&spec).unwrap().panel().clone();
                    let moved = spec
                        .with_beam_moved(Length::from_mm(2.0), Length::from_mm(-3.0))
                        .unwrap();
                    let after = Laboratory::new(&moved).unwrap().panel().clone();
                    for i in 0..3 {
                        let expected =
                            before.pix0_m()[i] - 2e-3 * before.fast()[i] + 3e-3 * before.slow()[i];
                        let off = (after.pix0_m()[i] - expected).abs();
                        assert!(off < 1e-15, "{convention} {pivot}: {off}");
                    }
                }
            }
        }
    }
}

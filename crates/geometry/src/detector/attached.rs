//! The panels after the first, rigidly attached to it.
//!
//! The flags of the C program place one panel. The other panels keep their positions relative to
//! that one, so a distance, a beam centre or a rotation moves the detector as a rigid body.

use nanobragg_numeric::Scalar;
use serde::{Deserialize, Serialize};

use crate::detector::place::{Placement, away_from_zero};
use crate::detector::sensor::SensorSpec;
use crate::error::Error;
use crate::in_unit;
use crate::units::Length;
use crate::vector::{cross, dot, norm};

/// The largest difference of the length of an axis from 1, and of the cosine between two axes
/// from 0.
pub const AXIS_TOLERANCE: f64 = 1e-6;

/// The description of a panel in the frame of the first panel. The origin of this frame is the
/// corner of that panel's first pixel. Its axes are that panel's fast, slow and normal, where the
/// normal points away from the sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachedPanel {
    /// The name. `None` for a name made from the number of the panel, `Panel_1`.
    #[serde(default)]
    pub name: Option<String>,
    /// The outer corner of its first pixel.
    #[serde(rename = "origin_mm", with = "in_unit::mm")]
    pub origin: [Length; 3],
    /// The unit vector along increasing fast pixel.
    pub fast: [f64; 3],
    /// The unit vector along increasing slow pixel, at right angles to fast.
    pub slow: [f64; 3],
    /// The number of pixels along fast.
    pub pixels_fast: u32,
    /// The number of pixels along slow.
    pub pixels_slow: u32,
    /// The edge of the square pixels.
    #[serde(rename = "pixel_size_mm", with = "in_unit::mm")]
    pub pixel_size: Length,
    /// The sensor.
    #[serde(default)]
    pub sensor: SensorSpec,
    /// The smallest and the largest count that can be trusted.
    #[serde(default, rename = "trusted_range_counts")]
    pub trusted_range: Option<[f64; 2]>,
}

impl AttachedPanel {
    /// The plane of this panel in the laboratory, from the plane of the `first` panel and the
    /// direction of the beam.
    ///
    /// With F, S, O the axes of the first panel, a vector (x, y, z) of this description is
    /// `x F + y S + z O` in the laboratory.
    pub fn placed<T: Scalar>(&self, first: &Placement<T>, beam: [T; 3]) -> Placement<T> {
        let to_laboratory = |[x, y, z]: [f64; 3]| -> [T; 3] {
            let [x, y, z] = [x, y, z].map(T::from_f64);
            std::array::from_fn(|i| x * first.fast[i] + y * first.slow[i] + z * first.normal[i])
        };
        let offset = to_laboratory(self.origin.map(Length::m));
        let pix0_m: [T; 3] = std::array::from_fn(|i| first.pix0_m[i] + offset[i]);
        let (fast, slow) = (to_laboratory(self.fast), to_laboratory(self.slow));
        // A description may have axes of either handedness. The normal that points away from the
        // sample has a positive distance along it, which solid angles need.
        let mut normal = cross(fast, slow);
        if dot(pix0_m, normal).value() < 0.0 {
            normal = normal.map(|x| -x);
        }
        // The beam spot is at `distance beam`; its component along the normal is the close distance.
        let close_distance_m = dot(pix0_m, normal);
        let distance_m = close_distance_m / away_from_zero(dot(beam, normal));
        let to_spot: [T; 3] = std::array::from_fn(|i| distance_m * beam[i] - pix0_m[i]);
        Placement {
            pix0_m,
            fast,
            slow,
            normal,
            distance_m,
            close_distance_m,
            f_beam_m: dot(fast, to_spot),
            s_beam_m: dot(slow, to_spot),
            f_close_m: -dot(pix0_m, fast),
            s_close_m: -dot(pix0_m, slow),
        }
    }

    /// Checks the numbers of the panel.
    ///
    /// # Errors
    /// [`Error::Panel`] with `name` and the field, if a number is not finite, there is no pixel, or
    /// fast and slow are not perpendicular unit vectors.
    pub(super) fn check(&self, name: &str) -> Result<(), Error> {
        let refuse = |field, value: f64, allowed| {
            Err(Error::Panel {
                panel: name.to_owned(),
                field,
                value,
                allowed,
            })
        };
        let check_finite = |field, value: f64| {
            if value.is_finite() {
                return Ok(());
            }
            refuse(field, value, "a finite number")
        };
        for origin in self.origin {
            check_finite("origin (m)", origin.m())?;
        }
        for x in self.fast {
            check_finite("fast", x)?;
        }
        for x in self.slow {
            check_finite("slow", x)?;
        }
        for (field, pixels) in [
            ("pixels_fast", self.pixels_fast),
            ("pixels_slow", self.pixels_slow),
        ] {
            if pixels == 0 {
                return refuse(field, 0.0, "1 or above");
            }
        }
        let pixel_m = self.pixel_size.m();
        if !(pixel_m > 0.0 && pixel_m.is_finite()) {
            return refuse("pixel_size (m)", pixel_m, "above 0");
        }
        for (field, axis) in [("length of fast", self.fast), ("length of slow", self.slow)] {
            let length = norm(axis);
            if (length - 1.0).abs() > AXIS_TOLERANCE {
                return refuse(field, length, "1 within 1e-6");
            }
        }
        let cosine = dot(self.fast, self.slow);
        if cosine.abs() > AXIS_TOLERANCE {
            return refuse("cosine between fast and slow", cosine, "0 within 1e-6");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::layout::Laboratory;
    use crate::detector::spec::{DetectorSpec, Surface};
    use crate::units::Angle;
    use crate::vector::{sub, unit};

    /// A panel beside the first and tilted relative to it.
    fn beside() -> AttachedPanel {
        let tilt: f64 = 0.1;
        AttachedPanel {
            name: None,
            origin: [110.0, 3.0, 1.0].map(Length::from_mm),
            fast: [tilt.cos(), 0.0, tilt.sin()],
            slow: [0.0, 1.0, 0.0],
            pixels_fast: 40,
            pixels_slow: 30,
            pixel_size: Length::from_mm(0.2),
            sensor: SensorSpec::default(),
            trusted_range: Some([0.0, 1e5]),
        }
    }

    fn spec(others: Vec<AttachedPanel>) -> DetectorSpec {
        DetectorSpec {
            others,
            ..DetectorSpec::default()
        }
    }

    #[test]
    fn a_panel_keeps_its_place_relative_to_the_first() {
        let turned = DetectorSpec {
            rotations: [3.0, -8.0, 20.0].map(Angle::from_degrees),
            twotheta: Angle::from_degrees(15.0),
            distance: Length::from_mm(80.0),
            ..spec(vec![beside()])
        };
        for spec in [spec(vec![beside()]), turned] {
            let laboratory = Laboratory::new(&spec).unwrap();
            let [first, other] = laboratory.detector.panels() else {
                panic!("there are two panels");
            };
            let offset = first.in_own_frame(sub(other.pix0_m(), first.pix0_m()));
            for (found, expected) in offset.into_iter().zip(beside().origin) {
                assert!((found - expected.m()).abs() < 1e-15);
            }
            let fast = first.in_own_frame(other.fast());
            assert!(norm(sub(fast, beside().fast)) < 1e-15);
            assert!(other.close_distance_m() > 0.0);
            assert_eq!(other.trusted_range(), Some([0.0, 1e5]));
        }
    }

    #[test]
    fn the_beam_spot_of_an_attached_panel_is_where_the_beam_meets_its_plane() {
        let laboratory = Laboratory::new(&spec(vec![beside()])).unwrap();
        let other = &laboratory.detector.panels()[1];
        let spot = other.position_m(other.f_beam_m(), other.s_beam_m(), 0.0);
        assert!(norm(sub(unit(spot), laboratory.beam.direction())) < 1e-12);
        assert!((norm(spot) - other.distance_m()).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_panel_is_an_error_with_its_name_and_field() {
        type Change = fn(&mut AttachedPanel);
        let changes: [(&str, Change); 4] = [
            ("pixels_slow is 0; it must be 1 or above", |panel| {
                panel.pixels_slow = 0;
            }),
            ("length of fast is 2; it must be 1 within 1e-6", |panel| {
                panel.fast = [2.0, 0.0, 0.0];
            }),
            (
                "cosine between fast and slow is 1; it must be 0 within 1e-6",
                |panel| panel.slow = panel.fast,
            ),
            ("pixel_size (m) is 0; it must be above 0", |panel| {
                panel.pixel_size = Length::default();
            }),
        ];
        for (message, change) in changes {
            let mut panel = AttachedPanel {
                name: Some("q1a3".to_owned()),
                fast: [1.0, 0.0, 0.0],
                ..beside()
            };
            change(&mut panel);
            let error = Laboratory::new(&spec(vec![panel])).unwrap_err();
            assert_eq!(error.to_string(), format!("panel \"q1a3\": {message}"));
        }
    }

    #[test]
    fn two_panels_with_one_name_and_curved_detectors_of_two_panels_are_errors() {
        assert!(matches!(
            Laboratory::new(&spec(vec![
                AttachedPanel { name: Some("a".to_owned()), ..beside() },
                AttachedPanel { name: Some("a".to_owned()), ..beside() },
            ])),
            Err(Error::PanelName { name }) if name == "a"
        ));
        let curved = DetectorSpec {
            surface: Surface::Curved,
            ..spec(vec![beside()])
        };
        assert_eq!(Laboratory::new(&curved), Err(Error::CurvedPanels));
    }
}

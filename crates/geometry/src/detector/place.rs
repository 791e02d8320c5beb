//! The plane of a detector from beam centre, distance and rotations.

use nanobragg_numeric::Scalar;

use crate::pivot::Pivot;
use crate::rotation::{rotate_about, rotate_xyz};
use crate::vector::dot;

/// The numbers that place a detector: axes before rotation, the two centres, the distance, and the
/// rotations. The axes are unit vectors, except `twotheta_axis`, which can have any length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacementInput<T> {
    /// Along the beam.
    pub beam: [T; 3],
    /// Along increasing fast pixel.
    pub fast: [T; 3],
    /// Along increasing slow pixel.
    pub slow: [T; 3],
    /// Normal to the detector.
    pub normal: [T; 3],
    /// The axis of the two-theta rotation.
    pub twotheta_axis: [T; 3],
    /// Rotations about laboratory X, Y and Z, applied in this order, in radians.
    pub rotations_rad: [T; 3],
    /// The rotation about the two-theta axis, applied last, in radians.
    pub twotheta_rad: T,
    /// The beam spot along fast, in metres from the corner of the first pixel.
    pub f_beam_m: T,
    /// The beam spot along slow, in metres.
    pub s_beam_m: T,
    /// The near point along fast, before rotation, in metres.
    pub f_close_m: T,
    /// The near point along slow, before rotation, in metres.
    pub s_close_m: T,
    /// The distance from sample to beam spot, in metres. Ignored if the close distance is given.
    pub distance_m: T,
    /// The distance from sample to detector plane along its normal, in metres.
    pub close_distance_m: Option<T>,
    /// The point that stays in place under the rotations.
    pub pivot: Pivot,
    /// The corner of the first pixel, in metres. If it is given, centres and distances are ignored,
    /// and the rotations turn only the axes.
    pub pix0_m: Option<[T; 3]>,
    /// Whether distances along the beam and the beam spot are those of the detector after two-theta (the
    /// oddity `twotheta-distance`, put right).
    pub distance_has_twotheta: bool,
}

/// The plane of a detector in the laboratory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement<T> {
    /// The outer corner of the first pixel, in metres from the sample.
    pub pix0_m: [T; 3],
    /// Along increasing fast pixel.
    pub fast: [T; 3],
    /// Along increasing slow pixel.
    pub slow: [T; 3],
    /// Normal to the detector.
    pub normal: [T; 3],
    /// The distance from sample to beam spot, in metres. Negative if the normal points against the
    /// beam: the detector then lies upstream of the sample.
    pub distance_m: T,
    /// The distance from sample to detector plane along its normal, in metres.
    pub close_distance_m: T,
    /// The beam spot along fast, in metres from the corner of the first pixel.
    pub f_beam_m: T,
    /// The beam spot along slow, in metres.
    pub s_beam_m: T,
    /// The near point along fast, in metres.
    pub f_close_m: T,
    /// The near point along slow, in metres.
    pub s_close_m: T,
}

impl<T: Copy> PlacementInput<T> {
    /// The same input in another number type. `lift` converts each number.
    pub fn map<U>(&self, lift: impl Fn(T) -> U) -> PlacementInput<U> {
        PlacementInput {
            beam: self.beam.map(&lift),
            fast: self.fast.map(&lift),
            slow: self.slow.map(&lift),
            normal: self.normal.map(&lift),
            twotheta_axis: self.twotheta_axis.map(&lift),
            rotations_rad: self.rotations_rad.map(&lift),
            twotheta_rad: lift(self.twotheta_rad),
            f_beam_m: lift(self.f_beam_m),
            s_beam_m: lift(self.s_beam_m),
            f_close_m: lift(self.f_close_m),
            s_close_m: lift(self.s_close_m),
            distance_m: lift(self.distance_m),
            close_distance_m: self.close_distance_m.map(&lift),
            pivot: self.pivot,
            pix0_m: self.pix0_m.map(|corner| corner.map(&lift)),
            distance_has_twotheta: self.distance_has_twotheta,
        }
    }
}

impl<T: Copy> Placement<T> {
    /// The same plane in another number type. `lift` converts each number.
    pub fn map<U>(&self, lift: impl Fn(T) -> U) -> Placement<U> {
        Placement {
            pix0_m: self.pix0_m.map(&lift),
            fast: self.fast.map(&lift),
            slow: self.slow.map(&lift),
            normal: self.normal.map(&lift),
            distance_m: lift(self.distance_m),
            close_distance_m: lift(self.close_distance_m),
            f_beam_m: lift(self.f_beam_m),
            s_beam_m: lift(self.s_beam_m),
            f_close_m: lift(self.f_close_m),
            s_close_m: lift(self.s_close_m),
        }
    }
}

/// The plane of a detector.
///
/// 1. `ratio = b . o'` is the cosine between beam and detector normal, where `o'` is the normal
///    after the X, Y and Z rotations but before two-theta. It converts a distance along the beam to
///    one along the normal: `close_distance = |ratio distance|` unless given, and `distance =
///    close_distance / ratio`. A ratio of 0 becomes the smallest positive normal number.
/// 2. The axes are rotated: about X, Y, Z, then by two-theta.
/// 3. Pivot at the sample: the corner of the unrotated detector is `-F f - S s + close_distance o`,
///    with (F, S) the near point. It is rotated about the sample like a vector.
/// 4. Pivot at the beam: the corner is `-F f - S s + distance b` with the rotated axes and (F, S)
///    the beam spot.
/// 5. Both distances and both centres are computed again from the corner and the rotated axes.
///
/// The ratio of the reference program does not include two-theta, also in steps 4 and 5. The `distance`
/// and the beam spot of a detector with two-theta are therefore not those of the point where the beam
/// meets the plane, and a close distance given with a pivot at the beam is not that of the detector. With
/// [`distance_has_twotheta`](PlacementInput::distance_has_twotheta) the ratio of these two steps is that of
/// the final normal. A pivot at the sample keeps the ratio without two-theta: the detector is put at its
/// distance and then swung.
pub fn place<T: Scalar>(input: &PlacementInput<T>) -> Placement<T> {
    let PlacementInput { beam, pivot, .. } = *input;
    let tilt = |v: [T; 3]| rotate_xyz(v, input.rotations_rad);
    let swing = |v: [T; 3]| rotate_about(v, input.twotheta_axis, input.twotheta_rad);

    // A plane parallel to the beam has a ratio of 0 and no beam spot. The tiny ratio avoids the
    // division by zero.
    let tilted_normal = tilt(input.normal);
    let ratio = away_from_zero(dot(beam, tilted_normal));
    let fast = swing(tilt(input.fast));
    let slow = swing(tilt(input.slow));
    let normal = swing(tilted_normal);
    let final_ratio = if input.distance_has_twotheta {
        away_from_zero(dot(beam, normal))
    } else {
        ratio
    };
    let close_distance = match (input.close_distance_m, pivot) {
        (Some(given), _) => given,
        (None, Pivot::Sample) => abs(ratio * input.distance_m),
        (None, Pivot::Beam) => abs(final_ratio * input.distance_m),
    };
    let pix0 = match (input.pix0_m, pivot) {
        (Some(given), _) => given,
        (None, Pivot::Sample) => {
            // The sample is the origin, so rotating the position vector of the corner turns the
            // detector about the sample.
            let near_point = [input.f_close_m, input.s_close_m];
            let untilted = corner(
                near_point,
                input.fast,
                input.slow,
                close_distance,
                input.normal,
            );
            swing(tilt(untilted))
        }
        (None, Pivot::Beam) => {
            // The rotated plane is put so that its point (F, S) lies on the beam: the rotations
            // tilt the detector about that point.
            let beam_spot = [input.f_beam_m, input.s_beam_m];
            let distance = close_distance / final_ratio;
            corner(beam_spot, fast, slow, distance, beam)
        }
    };

    // The foot of the normal is at `close_distance normal`, so its coordinates along fast and slow,
    // seen from the corner, are the negative ones of pix0. The beam spot is at `distance beam`.
    let close_distance = dot(pix0, normal);
    let distance = close_distance / final_ratio;
    let to_spot = [
        distance * beam[0] - pix0[0],
        distance * beam[1] - pix0[1],
        distance * beam[2] - pix0[2],
    ];
    Placement {
        pix0_m: pix0,
        fast,
        slow,
        normal,
        distance_m: distance,
        close_distance_m: close_distance,
        f_beam_m: dot(fast, to_spot),
        s_beam_m: dot(slow, to_spot),
        f_close_m: -dot(pix0, fast),
        s_close_m: -dot(pix0, slow),
    }
}

/// The corner of a detector whose point (F, S) is at `reach along`: `-F f - S s + reach along`.
fn corner<T: Scalar>(
    [f, s]: [T; 2],
    fast: [T; 3],
    slow: [T; 3],
    reach: T,
    along: [T; 3],
) -> [T; 3] {
    [
        -f * fast[0] - s * slow[0] + reach * along[0],
        -f * fast[1] - s * slow[1] + reach * along[1],
        -f * fast[2] - s * slow[2] + reach * along[2],
    ]
}

/// `x`, or the smallest positive normal number if `x` is zero.
pub(super) fn away_from_zero<T: Scalar>(x: T) -> T {
    if x.value() == 0.0 {
        x + T::from_f64(f64::MIN_POSITIVE)
    } else {
        x
    }
}

/// The magnitude of `x`, with the derivative of `x` or of `-x`.
fn abs<T: Scalar>(x: T) -> T {
    if x.value() < 0.0 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::Convention;
    use crate::vector::norm;

    fn mosflm() -> PlacementInput<f64> {
        let axes = Convention::Mosflm.axes();
        PlacementInput {
            beam: axes.beam,
            fast: axes.fast,
            slow: axes.slow,
            normal: axes.normal,
            twotheta_axis: axes.twotheta,
            rotations_rad: [0.0; 3],
            twotheta_rad: 0.0,
            f_beam_m: 0.25,
            s_beam_m: 0.5,
            f_close_m: 0.25,
            s_close_m: 0.5,
            distance_m: 2.0,
            close_distance_m: None,
            pivot: Pivot::Beam,
            pix0_m: None,
            distance_has_twotheta: false,
        }
    }

    #[test]
    fn without_rotations_the_pivot_does_not_matter() {
        let beam = place(&mosflm());
        let sample = place(&PlacementInput {
            pivot: Pivot::Sample,
            ..mosflm()
        });
        assert_eq!(beam, sample);
        assert_eq!(beam.pix0_m, [2.0, 0.5, -0.25]);
    }

    #[test]
    fn swinging_about_the_sample_keeps_the_corner_equally_far() {
        let swung = place(&PlacementInput {
            pivot: Pivot::Sample,
            twotheta_rad: 0.7,
            ..mosflm()
        });
        assert!((norm(swung.pix0_m) - norm(place(&mosflm()).pix0_m)).abs() < 1e-15);
        assert!((swung.close_distance_m - 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_detector_edge_on_to_the_beam_is_placed_without_dividing_by_zero() {
        let edge_on = PlacementInput {
            normal: [0.0, 1.0, 0.0],
            ..mosflm()
        };
        assert!(place(&edge_on).pix0_m.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn a_given_corner_is_kept() {
        let pix0 = [1.0, 0.25, -0.5];
        let placed = place(&PlacementInput {
            pix0_m: Some(pix0),
            ..mosflm()
        });
        assert_eq!(placed.pix0_m, pix0);
        assert_eq!(
            (placed.f_beam_m, placed.s_beam_m, placed.distance_m),
            (0.5, 0.25, 1.0)
        );
    }
}

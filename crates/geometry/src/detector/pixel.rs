//! The position of a point of the detector in the laboratory.

use nanobragg_numeric::{Real, Scalar};

use crate::rotation::rotate_about;
use crate::vector::dot;

/// The coordinate in metres, along fast or slow, of the middle of a sub-pixel:
/// `sub (oversample pixel + index) + sub/2`, from the outer corner of the first pixel.
///
/// `index` is the sub-pixel in its pixel, from 0 to `oversample` - 1. `subpixel_m` is the pixel size
/// divided by `oversample`.
#[inline(always)]
pub fn subpixel_offset(pixel: u32, index: u32, oversample: u32, subpixel_m: f64) -> f64 {
    // The sub-pixels are counted in integers and multiplied once, as in the reference program:
    // `pixel px + index sub` is rounded differently.
    let steps = u64::from(pixel) * u64::from(oversample) + u64::from(index);
    subpixel_m * (steps as f64) + subpixel_m / 2.0
}

/// The position in metres of a point of a flat detector:
/// `f_m fast + s_m slow + o_m normal + pix0`.
///
/// `o_m` is the depth in the sensor and `pix0` the outer corner of the first pixel. The four terms
/// are added in this order.
#[inline(always)]
pub fn flat_position<T: Real>(
    f_m: T,
    s_m: T,
    o_m: T,
    fast: [T; 3],
    slow: [T; 3],
    normal: [T; 3],
    pix0: [T; 3],
) -> [T; 3] {
    [
        f_m * fast[0] + s_m * slow[0] + o_m * normal[0] + pix0[0],
        f_m * fast[1] + s_m * slow[1] + o_m * normal[1] + pix0[1],
        f_m * fast[2] + s_m * slow[2] + o_m * normal[2] + pix0[2],
    ]
}

/// The position in metres of a point of the curved detector of the reference program, from the
/// position `flat` of the point on the flat detector.
///
/// The beam spot `distance_m beam` is turned about slow by the angle `flat.y / distance_m` and then
/// about fast by `flat.z / distance_m`, so every pixel is `distance_m` from the sample. This has two
/// flaws, which [`curved_position_own_frame`] does not have:
///
/// - y and z are those of the laboratory. They belong to the detector's axes only in the frame of
///   MOSFLM without rotations.
/// - They are exchanged. In that frame fast is along z, but the turn about slow, which moves the
///   spot along fast, is by y. The picture is mirrored at a diagonal.
#[inline]
pub fn curved_position<T: Scalar>(
    flat: [T; 3],
    distance_m: T,
    beam: [T; 3],
    fast: [T; 3],
    slow: [T; 3],
) -> [T; 3] {
    let spot = [
        distance_m * beam[0],
        distance_m * beam[1],
        distance_m * beam[2],
    ];
    let turned = rotate_about(spot, slow, flat[1] / distance_m);
    rotate_about(turned, fast, flat[2] / distance_m)
}

/// The position in metres of a point of a detector curved around the sample, from the position
/// `flat` of the point on the flat detector.
///
/// The near point `distance_m normal` is turned about slow by the angle `f / distance_m` and then
/// about fast by `-s / distance_m`, where `f` and `s` are the components of `flat` along the two
/// axes. A step from the near point along an axis of the detector becomes an arc of the same length
/// in the same direction.
///
/// The three axes must be orthonormal. They can have either handedness.
#[inline]
pub fn curved_position_own_frame<T: Scalar>(
    flat: [T; 3],
    distance_m: T,
    fast: [T; 3],
    slow: [T; 3],
    normal: [T; 3],
) -> [T; 3] {
    let constant = |v: [f64; 3]| v.map(T::from_f64);
    // The mapping of the reference program is used in the frame with the axes normal, -slow, fast.
    // It takes the angle about slow from y and the angle about fast from z, so f is put in y and -s
    // in z. The coordinates are right-handed there for a detector of either handedness: for a
    // left-handed one the last step below mirrors them.
    let own = [dot(flat, normal), dot(flat, fast), -dot(flat, slow)];
    let [n, minus_s, f] = curved_position(
        own,
        distance_m,
        constant([1.0, 0.0, 0.0]),
        constant([0.0, 0.0, 1.0]),
        constant([0.0, -1.0, 0.0]),
    );
    [
        n * normal[0] - minus_s * slow[0] + f * fast[0],
        n * normal[1] - minus_s * slow[1] + f * fast[1],
        n * normal[2] - minus_s * slow[2] + f * fast[2],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::Convention;
    use crate::vector::norm;

    #[test]
    fn the_first_subpixel_lies_half_a_subpixel_from_the_corner() {
        assert_eq!(subpixel_offset(0, 0, 4, 0.25), 0.125);
        assert_eq!(subpixel_offset(3, 1, 4, 0.25), 3.375);
    }

    #[test]
    fn a_subpixel_far_out_does_not_overflow() {
        let far = subpixel_offset(u32::MAX, 0, u32::MAX, 1.0);
        assert_eq!(far, u32::MAX as f64 * u32::MAX as f64);
    }

    #[test]
    fn the_origin_of_the_flat_detector_is_pix0() {
        let axes = Convention::Xds.axes();
        let pix0 = [-1.0, -2.0, 3.0];
        let at = |f, s, o| flat_position(f, s, o, axes.fast, axes.slow, axes.normal, pix0);
        assert_eq!(at(0.0, 0.0, 0.0), pix0);
        assert_eq!(at(1.0, 2.0, 0.5), [0.0, 0.0, 3.5]);
    }

    #[test]
    fn every_point_of_the_curved_detector_is_equally_far() {
        let axes = Convention::Mosflm.axes();
        for flat in [[0.1, 0.02, -0.03], [0.1, -0.05, 0.01], [0.1, 0.0, 0.0]] {
            let bent = curved_position(flat, 0.1, axes.beam, axes.fast, axes.slow);
            assert!((norm(bent) - 0.1).abs() < 1e-16, "{bent:?}");
        }
    }

    #[test]
    fn the_curved_mapping_of_the_reference_exchanges_y_and_z() {
        let axes = Convention::Mosflm.axes();
        let bent = curved_position([0.1, 1e-5, 3e-5], 0.1, axes.beam, axes.fast, axes.slow);
        assert!(
            (bent[1] - 3e-5).abs() < 1e-11 && (bent[2] - 1e-5).abs() < 1e-11,
            "{bent:?}"
        );
    }

    #[test]
    fn a_small_step_on_the_curved_detector_is_a_step_on_the_flat_one() {
        for convention in Convention::ALL {
            let axes = convention.axes();
            let (f, s) = (2e-6, -3e-6);
            let flat =
                std::array::from_fn(|i| 0.1 * axes.normal[i] + f * axes.fast[i] + s * axes.slow[i]);
            let bent = curved_position_own_frame(flat, 0.1, axes.fast, axes.slow, axes.normal);
            for i in 0..3 {
                assert!(
                    (bent[i] - flat[i]).abs() < 1e-9,
                    "{convention}: {bent:?} {flat:?}"
                );
            }
        }
    }
}

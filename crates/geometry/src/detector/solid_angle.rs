//! The solid angle of a pixel.

use nanobragg_numeric::Real;

/// The solid angle of a square pixel seen from the sample, in steradian:
/// `px^2/R^2 * close_distance/R`. The last factor is the cosine of the angle of incidence.
///
/// # Units
/// `pixel_size_m`, the distance along the detector normal `close_distance_m` and the distance from
/// sample to pixel `path_m` in metres.
#[inline(always)]
pub fn solid_angle<T: Real>(pixel_size_m: T, close_distance_m: T, path_m: T) -> T {
    pixel_size_m * pixel_size_m / path_m / path_m * close_distance_m / path_m
}

/// The factor that replaces the solid angle for a point pixel: `1/R^2`, in m^-2. It depends neither
/// on the pixel size nor on the angle of incidence.
#[inline(always)]
pub fn point_solid_angle<T: Real>(path_m: T) -> T {
    T::from_f64(1.0) / path_m / path_m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_at_the_near_point_spans_its_area_over_the_distance_squared() {
        assert_eq!(solid_angle(0.5, 2.0, 2.0), 0.0625);
    }

    #[test]
    fn a_hemisphere_of_plane_pixels_fills_almost_two_pi() {
        let (pixel_size_m, distance_m, half) = (0.05, 1.0, 1000);
        let mut sum = 0.0;
        for fast in -half..half {
            for slow in -half..half {
                let f = (f64::from(fast) + 0.5) * pixel_size_m;
                let s = (f64::from(slow) + 0.5) * pixel_size_m;
                let path = (f * f + s * s + distance_m * distance_m).sqrt();
                sum += solid_angle(pixel_size_m, distance_m, path);
            }
        }
        let edge = f64::from(half) * pixel_size_m;
        let exact = 4.0 * (edge * edge / (distance_m * (2.0 * edge * edge + 1.0).sqrt())).atan();
        assert!((sum - exact).abs() < 1e-3, "{sum} is not {exact}");
    }

    #[test]
    fn a_point_pixel_depends_only_on_the_inverse_square() {
        assert_eq!(point_solid_angle(0.5), 4.0);
    }
}

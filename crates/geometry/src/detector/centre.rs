//! Beam centres in each convention.
//!
//! | | default X, Y | beam spot F, S |
//! |---|---|---|
//! | MOSFLM | (size_s + px)/2, (size_f + px)/2 | Y + px/2, X + px/2 |
//! | DENZO | (size_s + px)/2, (size_f + px)/2 | Y, X |
//! | ADXV | (size_f + px)/2, (size_s - px)/2 | X, size_s - Y |
//! | XDS, DIALS, CUSTOM | the near point | X, Y |
//!
//! X and Y are the user's `-Xbeam` and `-Ybeam`. F and S are measured from the outer corner of the
//! first pixel along fast and slow; px is the pixel size. The near point is where the detector is
//! closest to the sample. It is given by `-ORGX` and `-ORGY`; by default it is the middle of the
//! detector.

use nanobragg_numeric::Real;

use crate::convention::Convention;

/// The user's numbers for the centre of a detector, and the sizes that they refer to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CentreInput<T> {
    /// The convention that defines the numbers.
    pub convention: Convention,
    /// The pixel size in metres.
    pub pixel_size_m: T,
    /// The size of the detector along fast, in metres.
    pub size_fast_m: T,
    /// The size of the detector along slow, in metres.
    pub size_slow_m: T,
    /// `-Xbeam`, `-Ybeam` in metres.
    pub beam_m: [Option<T>; 2],
    /// `-Xclose`, `-Yclose` in metres.
    pub close_m: [Option<T>; 2],
    /// `-ORGX`, `-ORGY` in pixels; 1 is the middle of the first pixel.
    pub org: [Option<T>; 2],
}

/// The two centres of a detector, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeamCentre<T> {
    /// X and Y of the beam centre as the convention defines them, for image headers.
    pub beam_m: [T; 2],
    /// X and Y of the near point as given by `-Xclose` and `-Yclose`, for reports.
    pub close_m: [T; 2],
    /// The beam spot along fast and slow.
    pub spot_m: [T; 2],
    /// The near point along fast and slow.
    pub near_m: [T; 2],
}

impl<T: Real> CentreInput<T> {
    /// The centres as the reference program computes them. Each convention uses only its own way of
    /// giving a centre and ignores the others.
    pub fn resolve(&self) -> BeamCentre<T> {
        let middle = [half(self.size_fast_m), half(self.size_slow_m)];
        let mut near_m = pick(self.near_from_org(), middle);
        let close_m = pick(self.close_m, near_m);
        let beam_m = pick(self.beam_m, self.default_beam(close_m));
        let spot_m = self.spot_from_beam(beam_m);
        // Custom geometry has one centre. Its beam spot is also the point that a turn about the
        // sample keeps.
        if self.convention == Convention::Custom {
            near_m = spot_m;
        }
        BeamCentre {
            beam_m,
            close_m,
            spot_m,
            near_m,
        }
    }

    /// The centres if every way of giving them is valid in every convention: the convention's own
    /// way first, then the others, for each axis separately. The result is both the beam spot and
    /// the near point, so that it is the point at the pivot for either pivot.
    pub fn resolve_any(&self) -> BeamCentre<T> {
        let own = self.resolve();
        if self.convention == Convention::Custom {
            return own;
        }
        let spot = self.given_spot();
        let org = self.near_from_org();
        let close = self.close_m;
        let centre = |axis: usize| match self.convention {
            Convention::Xds | Convention::Dials => org[axis]
                .or(close[axis])
                .or(spot[axis])
                .unwrap_or(own.near_m[axis]),
            _ => spot[axis]
                .or(org[axis])
                .or(close[axis])
                .unwrap_or(own.spot_m[axis]),
        };
        let centre = [centre(0), centre(1)];
        BeamCentre {
            beam_m: self.beam_from_spot(centre),
            spot_m: centre,
            near_m: centre,
            ..own
        }
    }

    /// The near point in metres from `-ORGX` and `-ORGY`.
    fn near_from_org(&self) -> [Option<T>; 2] {
        // XDS counts from 1 at the middle of the first pixel, so its outer edge is at 0.5.
        self.org
            .map(|org| org.map(|org| (org - T::from_f64(0.5)) * self.pixel_size_m))
    }

    /// X and Y of the beam centre if the user gives none.
    fn default_beam(&self, close_m: [T; 2]) -> [T; 2] {
        let px = self.pixel_size_m;
        match self.convention {
            Convention::Mosflm | Convention::Denzo => {
                [half(self.size_slow_m + px), half(self.size_fast_m + px)]
            }
            Convention::Adxv => [half(self.size_fast_m + px), half(self.size_slow_m - px)],
            Convention::Xds | Convention::Dials | Convention::Custom => close_m,
        }
    }

    /// The beam spot along fast and slow from the beam centre X, Y.
    fn spot_from_beam(&self, [x, y]: [T; 2]) -> [T; 2] {
        let half_pixel = T::from_f64(0.5) * self.pixel_size_m;
        match self.convention {
            // X runs along slow and Y along fast, from the middle of the first pixel.
            Convention::Mosflm => [y + half_pixel, x + half_pixel],
            Convention::Denzo => [y, x],
            // Y runs against slow, from the far edge of the detector.
            Convention::Adxv => [x, self.size_slow_m - y],
            Convention::Xds | Convention::Dials | Convention::Custom => [x, y],
        }
    }

    /// The beam centre X, Y from the beam spot along fast and slow; the inverse of
    /// `spot_from_beam`.
    pub fn beam_from_spot(&self, [f, s]: [T; 2]) -> [T; 2] {
        let half_pixel = T::from_f64(0.5) * self.pixel_size_m;
        match self.convention {
            Convention::Mosflm => [s - half_pixel, f - half_pixel],
            Convention::Denzo => [s, f],
            Convention::Adxv => [f, self.size_slow_m - s],
            Convention::Xds | Convention::Dials | Convention::Custom => [f, s],
        }
    }

    /// The beam spot along fast and slow, each only if the user gave the number that it comes from:
    /// `-Xbeam` or `-Ybeam`.
    fn given_spot(&self) -> [Option<T>; 2] {
        let zero = T::from_f64(0.0);
        let [f, s] = self.spot_from_beam(self.beam_m.map(|beam| beam.unwrap_or(zero)));
        let [x_given, y_given] = self.beam_m.map(|beam| beam.is_some());
        let (f_given, s_given) = match self.convention {
            Convention::Mosflm | Convention::Denzo => (y_given, x_given),
            _ => (x_given, y_given),
        };
        [f_given.then_some(f), s_given.then_some(s)]
    }
}

fn half<T: Real>(x: T) -> T {
    x / T::from_f64(2.0)
}

/// The given numbers over the defaults.
fn pick<T: Copy>(given: [Option<T>; 2], default: [T; 2]) -> [T; 2] {
    [
        given[0].unwrap_or(default[0]),
        given[1].unwrap_or(default[1]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detector of 8 x 4 m in pixels of 1 m: halves and sums are exact.
    fn input(convention: Convention) -> CentreInput<f64> {
        CentreInput {
            convention,
            pixel_size_m: 1.0,
            size_fast_m: 8.0,
            size_slow_m: 4.0,
            beam_m: [None; 2],
            close_m: [None; 2],
            org: [None; 2],
        }
    }

    #[test]
    fn defaults_follow_the_table() {
        let spot = |convention| input(convention).resolve().spot_m;
        assert_eq!(spot(Convention::Mosflm), [5.0, 3.0]);
        assert_eq!(spot(Convention::Denzo), [4.5, 2.5]);
        assert_eq!(spot(Convention::Adxv), [4.5, 2.5]);
        assert_eq!(spot(Convention::Xds), [4.0, 2.0]);
        assert_eq!(spot(Convention::Dials), [4.0, 2.0]);
        assert_eq!(spot(Convention::Custom), [4.0, 2.0]);
    }

    #[test]
    fn a_given_beam_centre_follows_the_table() {
        let spot = |convention| {
            CentreInput {
                beam_m: [Some(1.0), Some(3.0)],
                ..input(convention)
            }
            .resolve()
            .spot_m
        };
        assert_eq!(spot(Convention::Mosflm), [3.5, 1.5]);
        assert_eq!(spot(Convention::Denzo), [3.0, 1.0]);
        assert_eq!(spot(Convention::Adxv), [1.0, 1.0]);
        assert_eq!(spot(Convention::Xds), [1.0, 3.0]);
    }

    #[test]
    fn an_xds_origin_counts_pixels_from_a_half() {
        let input = CentreInput {
            org: [Some(3.5), None],
            ..input(Convention::Xds)
        };
        assert_eq!(input.resolve().near_m, [3.0, 2.0]);
    }

    #[test]
    fn a_close_centre_reaches_headers_under_xds_and_the_geometry_under_custom() {
        let close_m = [Some(1.0), Some(1.5)];
        let xds = CentreInput {
            close_m,
            ..input(Convention::Xds)
        }
        .resolve();
        assert_eq!((xds.beam_m, xds.near_m), ([1.0, 1.5], [4.0, 2.0]));
        let custom = CentreInput {
            close_m,
            ..input(Convention::Custom)
        }
        .resolve();
        assert_eq!((custom.spot_m, custom.near_m), ([1.0, 1.5], [1.0, 1.5]));
    }

    #[test]
    fn with_the_fix_every_way_of_giving_a_centre_is_valid() {
        let given = CentreInput {
            org: [Some(3.5), None],
            ..input(Convention::Mosflm)
        };
        let centre = given.resolve_any();
        assert_eq!((centre.spot_m, centre.beam_m), ([3.0, 3.0], [2.5, 2.5]));
        let given = CentreInput {
            beam_m: [None, Some(0.5)],
            ..input(Convention::Dials)
        };
        assert_eq!(given.resolve_any().near_m, [4.0, 0.5]);
    }

    #[test]
    fn without_a_centre_of_another_kind_both_readings_agree_on_the_spot() {
        for convention in Convention::ALL {
            for beam_m in [[None, None], [Some(0.25), None], [Some(1.75), Some(3.0)]] {
                let input = CentreInput {
                    beam_m,
                    ..input(convention)
                };
                assert_eq!(
                    input.resolve_any().spot_m,
                    input.resolve().spot_m,
                    "{convention}"
                );
            }
        }
    }
}

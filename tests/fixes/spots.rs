//! A crystal with three reflections of known rays, and the points where the rays meet a detector.

use std::sync::Arc;

use nanobragg::crystal::Reflection;
use nanobragg::geometry::vector::{add, dot, norm, scale, sub};
use nanobragg::{Convention, Experiment, FactorGrid, GridLimit, Hkl, Pivot, RunOptions};
use nanobragg_tests::tolerances::SPOT_PIXELS;

use crate::laboratory::{experiment, render};

/// Edge of the cubic cell in wavelengths. Reflections with one index -1 along the beam, and other indices
/// whose squares add up to 25, are on the Ewald sphere, because 1 + 25 = 2 * 13.
const EDGE: f64 = 13.0;

/// The two other indices, without symmetry.
const ACROSS: [[i32; 2]; 3] = [[3, 4], [5, 0], [-4, 3]];

/// The edge of a pixel in mm.
pub(crate) const PIXEL_MM: f64 = 0.6;

/// The distance in mm, along the beam or along the normal.
pub(crate) const DISTANCE_MM: f64 = 60.0;

/// The position of the centre, along fast and slow in pixels.
pub(crate) const CENTRE: [f64; 2] = [62.5, 57.0];

/// The crystal and the size of the detector.
pub(crate) const CRYSTAL: &str = "-cell 13 -default_F 1 -lambda 1 -N 14 -round_xtal -pixel 0.6 \
                                  -detpixels_x 120 -detpixels_y 115 -oversample 3 -nopolar";

/// Rotations about X, Y, Z in degrees.
pub(crate) const TILT_DEG: [f64; 3] = [4.0, -7.0, 5.0];

/// Indices and rays of the reflections, for a beam along x or z.
fn reflections(beam: [f64; 3]) -> Vec<([i32; 3], [f64; 3])> {
    let along_x = beam[0] == 1.0;
    let index = |[p, q]: [i32; 2]| if along_x { [-1, p, q] } else { [p, q, -1] };
    ACROSS
        .map(|across| {
            let hkl = index(across);
            let ray = add(beam, hkl.map(|index| f64::from(index) / EDGE));
            assert!((norm(ray) - 1.0).abs() < 1e-12);
            (hkl, ray)
        })
        .to_vec()
}

/// The experiment of a command line with only the three reflections.
pub(crate) fn three_spots(line: &str) -> Experiment {
    let mut experiment = experiment(line);
    let listed: Vec<Reflection> = reflections(experiment.beam.direction())
        .into_iter()
        .map(|(hkl, _)| Reflection {
            hkl: Hkl(hkl),
            amplitude: 100.0,
        })
        .collect();
    let grid = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap();
    experiment.factors = Arc::new(grid);
    experiment
}

/// Checks that the spots of an image are where the rays meet the detector, along fast and slow in pixels.
pub(crate) fn assert_spots(line: &str, place: impl Fn([f64; 3]) -> [f64; 2]) {
    let missed = spots_missed(line, place);
    assert!(missed.is_empty(), "{line}: {missed:?}");
}

/// The expected positions at which the image has no spot.
pub(crate) fn spots_missed(line: &str, place: impl Fn([f64; 3]) -> [f64; 2]) -> Vec<[f64; 2]> {
    const REACH: i64 = 3;
    let experiment = three_spots(line);
    let panel = experiment.detector.first();
    let image = render(&experiment, &RunOptions::default());
    let (fast, slow) = (
        i64::from(panel.pixels_fast()),
        i64::from(panel.pixels_slow()),
    );
    let brightest = f64::from(image.iter().copied().fold(0.0, f32::max));
    let mut places: Vec<[f64; 2]> = reflections(experiment.beam.direction())
        .into_iter()
        .map(|(_, ray)| place(ray))
        .collect();
    places.retain(|&[f, s]| {
        let (at_f, at_s) = (f.floor() as i64, s.floor() as i64);
        let (mut sum, mut moment) = (0.0, [0.0; 2]);
        for i in (at_s - REACH).max(0)..(at_s + REACH + 1).min(slow) {
            for j in (at_f - REACH).max(0)..(at_f + REACH + 1).min(fast) {
                let photons = f64::from(image[(i * fast + j) as usize]);
                sum += photons;
                moment[0] += photons * (j as f64 + 0.5);
                moment[1] += photons * (i as f64 + 0.5);
            }
        }
        let is_found = sum > 0.2 * brightest
            && (moment[0] / sum - f).abs() < SPOT_PIXELS
            && (moment[1] / sum - s).abs() < SPOT_PIXELS;
        !is_found
    });
    places
}

/// A flat detector that is constructed from the pivot, the point that stays when the detector rotates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawing {
    convention: Convention,
    tilt_deg: [f64; 3],
    pivot: Pivot,
    /// The distance from the sample to the pivot, which is the beam spot or the near point.
    reach_mm: f64,
}

impl Drawing {
    /// A detector at [`DISTANCE_MM`] along the beam, or along its normal.
    pub(crate) fn new(
        convention: Convention,
        tilt_deg: [f64; 3],
        pivot: Pivot,
        along_normal: bool,
    ) -> Self {
        let axes = convention.axes();
        let cosine = dot(turned(axes.normal, tilt_deg), axes.beam);
        let reach_mm = match (pivot, along_normal) {
            (Pivot::Beam, false) | (Pivot::Sample, true) => DISTANCE_MM,
            (Pivot::Beam, true) => DISTANCE_MM / cosine,
            (Pivot::Sample, false) => DISTANCE_MM * cosine,
        };
        Self {
            convention,
            tilt_deg,
            pivot,
            reach_mm,
        }
    }

    /// The intersection of a ray with the detector, along fast and slow in pixels.
    pub(crate) fn meets(&self, ray: [f64; 3]) -> [f64; 2] {
        let axes = self.convention.axes();
        let [fast, slow, normal] =
            [axes.fast, axes.slow, axes.normal].map(|axis| turned(axis, self.tilt_deg));
        let pivot_mm = match self.pivot {
            Pivot::Beam => scale(self.reach_mm, axes.beam),
            Pivot::Sample => scale(self.reach_mm, normal),
        };
        let path_mm = dot(pivot_mm, normal) / dot(ray, normal);
        let from_pivot_mm = sub(scale(path_mm, ray), pivot_mm);
        [
            CENTRE[0] + dot(from_pivot_mm, fast) / PIXEL_MM,
            CENTRE[1] + dot(from_pivot_mm, slow) / PIXEL_MM,
        ]
    }
}

/// A vector rotated about X, then Y, then Z.
fn turned(vector: [f64; 3], [about_x, about_y, about_z]: [f64; 3]) -> [f64; 3] {
    let [x, y, z] = vector;
    let (s, c) = about_x.to_radians().sin_cos();
    let (y, z) = (y * c - z * s, y * s + z * c);
    let (s, c) = about_y.to_radians().sin_cos();
    let (x, z) = (x * c + z * s, z * c - x * s);
    let (s, c) = about_z.to_radians().sin_cos();
    [x * c - y * s, x * s + y * c, z]
}

/// The flags `-Xbeam`, `-Ybeam` that put the centre at [`CENTRE`] for the convention.
pub(crate) fn beam_flags(convention: Convention) -> String {
    let [f_mm, s_mm] = CENTRE.map(|pixels| pixels * PIXEL_MM);
    let [x, y] = match convention {
        Convention::Mosflm => [s_mm - PIXEL_MM / 2.0, f_mm - PIXEL_MM / 2.0],
        Convention::Denzo => [s_mm, f_mm],
        Convention::Adxv => [f_mm, 115.0 * PIXEL_MM - s_mm],
        Convention::Xds | Convention::Dials | Convention::Custom => [f_mm, s_mm],
    };
    format!("-Xbeam {x} -Ybeam {y}")
}

/// The equivalent flags `-ORGX`, `-ORGY`; 0.5 is the corner of the first pixel.
pub(crate) fn org_flags() -> String {
    format!("-ORGX {} -ORGY {}", CENTRE[0] + 0.5, CENTRE[1] + 0.5)
}

/// The equivalent flags `-Xclose`, `-Yclose`.
pub(crate) fn close_flags() -> String {
    let [f_mm, s_mm] = CENTRE.map(|pixels| pixels * PIXEL_MM);
    format!("-Xclose {f_mm} -Yclose {s_mm}")
}

//! Structure factors by way of a map of the density: fast, and as exact as the map is fine.

use nanobragg_crystal::GridLimit;
use rustfft::num_complex::Complex64;

use crate::ball::Ball;
use crate::error::Error;
use crate::frame::Frame;
use crate::map::{Map, points};
use crate::scatterer::Scatterer;

/// Points of the map for each half of the resolution: 1 would be the least that holds the waves.
const SAMPLING_RATE: f64 = 1.5;

/// Below this density, in e/A^3, an atom ends.
const CUTOFF: f64 = 1e-5;

/// The atoms of the asymmetric unit as the transform of their map.
#[derive(Debug)]
pub(crate) struct DensityFactors {
    map: Map,
    blur_a2: f64,
    voxel_a3: f64,
}

impl DensityFactors {
    /// Builds the map and transforms it.
    ///
    /// All atoms are blurred alike, so that the sharpest of them is wide against the spacing D of
    /// the map, `B >= 8 pi^2 D^2/1.1`; [`at`](Self::at) takes the blur back.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the map does not fit the limit.
    ///
    /// # Source
    /// Ten Eyck, Acta Cryst. A33 (1977) 486.
    pub(crate) fn new(
        frame: &Frame,
        scatterers: &[Scatterer],
        dmin_a: f64,
        limit: GridLimit,
    ) -> Result<Self, Error> {
        let spacing_a = dmin_a / (2.0 * SAMPLING_RATE);
        let size = points(frame, spacing_a, &[]);
        let mut map = Map::zeros(size, dmin_a, limit)?;
        let blur_a2 = blur_a2(scatterers, spacing_a);
        for scatterer in scatterers {
            let density = scatterer.density(blur_a2);
            let ball = Ball {
                middle: scatterer.position,
                radius_a: density.radius_a(CUTOFF),
            };
            ball.visit(frame, size, |point, r| {
                let [real, imaginary] = density.at(r);
                map.values[point] += Complex64::new(real, imaginary);
            });
        }
        map.transform();
        let voxel_a3 = frame.volume_a3() / size.iter().map(|n| *n as f64).product::<f64>();
        Ok(Self {
            map,
            blur_a2,
            voxel_a3,
        })
    }

    /// Real and imaginary part of the sum over the asymmetric unit, in electrons.
    pub(crate) fn at(&self, hkl: [i32; 3], s_squared: f64) -> [f64; 2] {
        let scale = self.voxel_a3 * (0.25 * self.blur_a2 * s_squared).exp();
        let value = self.map.around(hkl);
        [value.re * scale, value.im * scale]
    }
}

/// What is added to every B, in A^2.
fn blur_a2(scatterers: &[Scatterer], spacing_a: f64) -> f64 {
    /// Enough for the ions with Gaussians of slightly negative b, of which -0.76 is the least.
    const LEAST_B_A2: f64 = 1.0;
    let wanted = (8.0 * std::f64::consts::PI.powi(2) / 1.1 * spacing_a * spacing_a).max(LEAST_B_A2);
    let sharpest = scatterers
        .iter()
        .map(Scatterer::least_b_a2)
        .fold(f64::INFINITY, f64::min);
    (wanted - sharpest).max(0.0)
}

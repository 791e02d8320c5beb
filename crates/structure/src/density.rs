//! Structure factors by the Fourier transform of a map of the density. A finer map is more exact.

use nanobragg_crystal::GridLimit;
use rustfft::num_complex::Complex64;

use crate::ball::Ball;
use crate::error::Error;
use crate::frame::CellFrame;
use crate::map::{Map, points};
use crate::scatterer::Scatterer;

/// The number of points of the map per half of the resolution. The least number that represents all
/// waves is 1.
const SAMPLING_RATE: f64 = 1.5;

/// The density, in e/A^3, at which an atom is cut off.
const CUTOFF: f64 = 1e-5;

/// The transform of the map of the atoms of the asymmetric unit.
#[derive(Debug)]
pub(crate) struct DensityFactors {
    map: Map,
    blur_a2: f64,
    voxel_a3: f64,
}

impl DensityFactors {
    /// Builds the map and transforms it.
    ///
    /// The same blur is added to all atoms, so that the sharpest of them is wide compared with the
    /// spacing D of the map: `B >= 8 pi^2 D^2/1.1`. A sharper atom would have waves that the map cannot
    /// represent. [`at`](Self::at) removes the blur from the transform.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the map needs more memory than the limit.
    ///
    /// # Source
    /// Ten Eyck, Acta Cryst. A33 (1977) 486.
    pub(crate) fn new(
        frame: &CellFrame,
        scatterers: &[Scatterer],
        dmin_a: f64,
        limit: GridLimit,
    ) -> Result<Self, Error> {
        let spacing_a = dmin_a / (2.0 * SAMPLING_RATE);
        // The map need not have the symmetry of the group, because the operations act on the indices.
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

/// The blur that is added to every B, in A^2.
fn blur_a2(scatterers: &[Scatterer], spacing_a: f64) -> f64 {
    /// Some Gaussians of ions have a slightly negative b, the smallest being -0.76. The sum of b and B
    /// must be positive.
    const LEAST_B_A2: f64 = 1.0;
    let wanted = (8.0 * std::f64::consts::PI.powi(2) / 1.1 * spacing_a * spacing_a).max(LEAST_B_A2);
    let sharpest = scatterers
        .iter()
        .map(Scatterer::least_b_a2)
        .fold(f64::INFINITY, f64::min);
    (wanted - sharpest).max(0.0)
}

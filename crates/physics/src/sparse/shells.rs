//! Bounds on structure factors by resolution.

use nanobragg_crystal::FactorGrid;
use nanobragg_geometry::vector;

use crate::scene::Scene;

/// The number of shells: enough that each is thin compared with the fall-off of structure factors.
const SHELLS: usize = 256;

/// The squares of the largest structure factors of a list, by the length of the scattering vector.
#[derive(Debug)]
pub(super) struct Shells {
    /// The thickness of a shell in 1/m; infinite if there is one shell for all lengths.
    step_per_m: f64,
    /// The largest square of every shell. Beyond the last shell all are 0.
    largest: Vec<f64>,
}

impl Shells {
    /// The shells of every distinct list, and for each source the place of its own.
    pub(super) fn of_sources(scene: &Scene) -> (Vec<Self>, Vec<usize>) {
        let mut grids: Vec<&FactorGrid> = Vec::new();
        let places = (0..scene.sources.len()).map(|source| {
            let own = scene.factors_of(source);
            // Neighbours share lists.
            let known = grids.iter().rposition(|grid| std::ptr::eq(*grid, own));
            known.unwrap_or_else(|| {
                grids.push(own);
                grids.len() - 1
            })
        });
        let places: Vec<usize> = places.collect();
        let shells = grids.iter().map(|grid| Self::new(scene, grid)).collect();
        (shells, places)
    }

    fn new(scene: &Scene, factors: &FactorGrid) -> Self {
        let all = factors
            .values()
            .iter()
            .copied()
            .chain([factors.default_f()]);
        let one = Self {
            step_per_m: f64::INFINITY,
            largest: vec![all.fold(0.0, |largest, f| f64::max(largest, f * f))],
        };
        // Without a limit of resolution there are structure factors everywhere, or cells differ.
        let (Some(reach_squared), Some(bounds)) =
            (scene.bounds.reach_squared_per_m2, factors.bounds())
        else {
            return one;
        };
        let [a, b, c] = scene.setup.numbers.lattice.reciprocal_per_angstrom;
        let at = |hkl: [f64; 3]| {
            let q: [f64; 3] =
                std::array::from_fn(|i| hkl[0] * a[i] + hkl[1] * b[i] + hkl[2] * c[i]);
            vector::norm(q) * 1e10
        };
        let corners = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        let half_diagonal = corners.map(|[k, l]| at([0.5, 0.5 * k, 0.5 * l]));
        // The scattering vector nearest to a reflection is within half a diagonal of the reciprocal cell.
        let away = half_diagonal.into_iter().fold(0.0, f64::max) * (1.0 + 1e-6);
        let step_per_m = reach_squared.sqrt() / (SHELLS - 1) as f64;
        let mut largest = vec![0.0; SHELLS];
        let [h_stride, k_stride, _] = factors.strides();
        for (offset, f) in factors.values().iter().enumerate() {
            if *f == 0.0 {
                continue;
            }
            let index = [
                offset / h_stride,
                offset % h_stride / k_stride,
                offset % k_stride,
            ];
            let hkl = [0, 1, 2].map(|i| f64::from(bounds.min[i]) + index[i] as f64);
            let length = at(hkl);
            let first = ((length - away) / step_per_m).max(0.0) as usize;
            let last = (((length + away) / step_per_m) as usize).min(SHELLS - 1);
            for square in largest.iter_mut().take(last + 1).skip(first) {
                *square = f64::max(*square, f * f);
            }
        }
        Self {
            step_per_m,
            largest,
        }
    }

    /// The largest square of all.
    pub(super) fn largest(&self) -> f64 {
        self.largest.iter().copied().fold(0.0, f64::max)
    }

    /// The largest square among the reflections nearest to scattering vectors of these lengths in 1/m.
    pub(super) fn between(&self, [shortest, longest]: [f64; 2]) -> f64 {
        if self.step_per_m.is_infinite() {
            return self.largest[0];
        }
        let first = (shortest / self.step_per_m).max(0.0) as usize;
        let last = (longest / self.step_per_m) as usize;
        let shells = self
            .largest
            .iter()
            .skip(first)
            .take(last.saturating_sub(first).saturating_add(1));
        shells.copied().fold(0.0, f64::max)
    }
}

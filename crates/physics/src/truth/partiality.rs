//! The fraction of a reflection that was recorded.

use std::sync::OnceLock;

use nanobragg_crystal::{LatticeShape, rotate_by_phi};
use nanobragg_geometry::vector;

use crate::scene::{Orientation, Scene, fill_orientations_turned};

/// The crossing has ended if w stays below this fraction of its largest value ...
const FAINT: f64 = 1e-4;

/// ... for this number of steps: the transform of a parallelepiped has zeros between its fringes.
const FAINT_STEPS: usize = 16;

/// The largest number of terms outside the image, on each side. A longer crossing is cut.
const MOST_TERMS: usize = 10_000;

/// The data from which the partiality of every reflection of an image is computed.
pub(super) struct Crossing<'s> {
    scene: &'s Scene,
    /// The sum over sources and domains of `w Fl(0)^2`, for each lattice.
    peaks: Vec<f64>,
    /// The number of domains of a lattice.
    domains: usize,
    /// The cells of the steps of the image.
    inside: Vec<Vec<Cell>>,
    /// The cells of the steps before and behind the image, by their distance from it. They are computed when
    /// the first reflection needs them.
    outside: [Vec<OnceLock<Vec<Cell>>>; 2],
}

/// The cell in an orientation.
struct Cell {
    /// a, b, c in metres, with the weight.
    orientation: Orientation,
    lattice: LatticeShape,
    /// b x c, c x a, a x b in square metres.
    normals_m2: [[f64; 3]; 3],
    volume_m3: f64,
}

impl<'s> Crossing<'s> {
    pub(super) fn new(scene: &'s Scene) -> Self {
        let domains = scene.setup.domains.len().max(1);
        let cells = scene.setup.lattices.len() * domains;
        let phi = &scene.setup.phi;
        let most_steps = match phi.count < 2 || phi.step_rad == 0.0 {
            true => 0,
            false => (MOST_TERMS / (scene.sources.len() * domains).max(1)).max(FAINT_STEPS),
        };
        let steps = scene.orientations.chunks(cells);
        let side = || std::iter::repeat_with(OnceLock::new).take(most_steps);
        let inside: Vec<_> = steps.map(|step| Cell::of_step(scene, step)).collect();
        let sources: f64 = scene.sources.iter().map(|source| source.weight).sum();
        let first = inside.first().map_or(&[][..], Vec::as_slice);
        let peaks = first.chunks(domains).map(|lattice| {
            let peaks = lattice.iter();
            let peaks = peaks.map(|cell| cell.orientation.weight * cell.lattice.peak().powi(2));
            sources * peaks.sum::<f64>()
        });
        Self {
            scene,
            peaks: peaks.collect(),
            domains,
            inside,
            outside: [side().collect(), side().collect()],
        }
    }

    /// The partiality as defined in `ReflectionTruth`.
    pub(super) fn partiality(&self, lattice: usize, hkl: [i32; 3]) -> f64 {
        let at = (lattice, hkl);
        let (mut recorded, mut largest) = (0.0, 0.0_f64);
        for cells in &self.inside {
            let w = self.weight(at, cells);
            recorded += w;
            largest = largest.max(w);
        }
        if self.outside[0].is_empty() {
            return recorded / self.inside.len().max(1) as f64;
        }
        let last = f64::from(self.scene.setup.phi.count - 1);
        let mut whole = recorded;
        for (steps, from, direction) in
            [(&self.outside[0], last, 1.0), (&self.outside[1], 0.0, -1.0)]
        {
            let mut faint = 0;
            for (away, cells) in (1_u32..).zip(steps) {
                let index = from + direction * f64::from(away);
                let w = self.weight(at, cells.get_or_init(|| self.cells_at(index)));
                whole += w;
                largest = largest.max(w);
                faint = if w < FAINT * largest { faint + 1 } else { 0 };
                if faint == FAINT_STEPS {
                    break;
                }
            }
        }
        if whole > 0.0 { recorded / whole } else { 0.0 }
    }

    /// The cells at a step, which may be outside the image.
    fn cells_at(&self, index: f64) -> Vec<Cell> {
        let setup = &self.scene.setup;
        let phi = &setup.phi;
        let phi_rad = phi.start_rad + phi.lead_rad() + phi.step_rad * index;
        let mut step = Vec::new();
        let turned = |cell| rotate_by_phi(cell, setup.spindle, phi_rad);
        fill_orientations_turned(setup, &setup.numbers, turned, &mut step);
        Cell::of_step(self.scene, &step)
    }

    /// The sum of `w Fl(dh)^2` over sources and the `cells` of a lattice, divided by that of `w Fl(0)^2`.
    fn weight(&self, (lattice, hkl): (usize, [i32; 3]), cells: &[Cell]) -> f64 {
        let sources = &self.scene.sources[..];
        let mut sum = 0.0;
        for cell in cells.iter().skip(lattice * self.domains).take(self.domains) {
            let point = cell.reciprocal_point(hkl);
            for source in sources {
                let radius = 1.0 / source.wavelength_m;
                let from_centre = vector::add(point, vector::scale(radius, source.incident));
                // The excitation error: the vector from the reflection to the Ewald sphere along the radius.
                let stretch = radius / vector::norm(from_centre) - 1.0;
                let offset_per_m = vector::scale(stretch, from_centre);
                let edges_m = &cell.orientation.edges_m;
                let offset = edges_m.map(|edge| vector::dot(edge, offset_per_m));
                let amplitude = cell.lattice.factor(offset, [0.0; 3]);
                sum += source.weight * cell.orientation.weight * amplitude * amplitude;
            }
        }
        match self.peaks.get(lattice) {
            Some(&peak) if peak > 0.0 => sum / peak,
            Some(_) | None => 0.0,
        }
    }
}

impl Cell {
    /// The cells of one phi step.
    fn of_step(scene: &Scene, step: &[Orientation]) -> Vec<Self> {
        let view = scene.view(0);
        let cells = step.iter().enumerate();
        cells
            .map(|(place, orientation)| Self::new(*orientation, *view.lattice_at(place)))
            .collect()
    }

    fn new(orientation: Orientation, lattice: LatticeShape) -> Self {
        let [a, b, c] = orientation.edges_m;
        let normals_m2 = [
            vector::cross(b, c),
            vector::cross(c, a),
            vector::cross(a, b),
        ];
        Self {
            orientation,
            lattice,
            normals_m2,
            volume_m3: vector::dot(a, normals_m2[0]),
        }
    }

    /// `h a* + k b* + l c*` in 1/m.
    fn reciprocal_point(&self, hkl: [i32; 3]) -> [f64; 3] {
        let [x, y, z] = std::array::from_fn(|i| {
            vector::scale(f64::from(hkl[i]) / self.volume_m3, self.normals_m2[i])
        });
        vector::add(vector::add(x, y), z)
    }
}

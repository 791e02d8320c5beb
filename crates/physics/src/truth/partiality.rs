//! The fraction of a reflection that was recorded.

use std::sync::OnceLock;

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::{rotate_by, vector};

use crate::scene::{Orientation, Scene};

/// The crossing has ended if w stays below this fraction of its largest value ...
const FAINT: f64 = 1e-4;

/// ... for this number of steps: the transform of a parallelepiped has zeros between its fringes.
const FAINT_STEPS: usize = 16;

/// The largest number of terms outside the image, on each side. A longer crossing is cut.
const MOST_TERMS: usize = 10_000;

/// The data from which the partiality of every reflection of an image is computed.
pub(super) struct Crossing<'s> {
    scene: &'s Scene,
    /// `Fl(0)`.
    peak: f64,
    /// The cells of the steps of the image.
    inside: Vec<Vec<Cell>>,
    /// The cells of the steps before and behind the image, by their distance from it. They are computed when
    /// the first reflection needs them.
    outside: [Vec<OnceLock<Vec<Cell>>>; 2],
}

/// The cell in an orientation.
struct Cell {
    /// a, b, c in metres.
    edges_m: Orientation,
    /// b x c, c x a, a x b in square metres.
    normals_m2: [[f64; 3]; 3],
    volume_m3: f64,
}

impl<'s> Crossing<'s> {
    pub(super) fn new(scene: &'s Scene) -> Self {
        let domains = scene.setup.domains.len().max(1);
        let phi = &scene.setup.phi;
        let most_steps = match phi.count < 2 || phi.step_rad == 0.0 {
            true => 0,
            false => (MOST_TERMS / (scene.sources.len() * domains).max(1)).max(FAINT_STEPS),
        };
        let steps = scene.orientations.chunks(domains);
        let side = || std::iter::repeat_with(OnceLock::new).take(most_steps);
        Self {
            scene,
            peak: scene.lattice.factor([0.0; 3], [0.0; 3]),
            inside: steps
                .map(|step| step.iter().copied().map(Cell::new).collect())
                .collect(),
            outside: [side().collect(), side().collect()],
        }
    }

    /// The partiality as defined in `ReflectionTruth`.
    pub(super) fn partiality(&self, hkl: [i32; 3]) -> f64 {
        let (mut recorded, mut largest) = (0.0, 0.0_f64);
        for domains in &self.inside {
            let w = self.weight(hkl, domains);
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
            for (away, domains) in (1_u32..).zip(steps) {
                let index = from + direction * f64::from(away);
                let w = self.weight(hkl, domains.get_or_init(|| self.domains_at(index)));
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
    fn domains_at(&self, index: f64) -> Vec<Cell> {
        let setup = &self.scene.setup;
        let phi = &setup.phi;
        let phi_rad = phi.start_rad + phi.lead_rad() + phi.step_rad * index;
        let cell = rotate_by_phi(setup.numbers.direct_m, setup.spindle, phi_rad);
        let domains = setup.domains.iter();
        domains
            .map(|domain| Cell::new(cell.map(|edge| rotate_by(domain, edge))))
            .collect()
    }

    /// The mean over sources and `domains` of `(Fl(dh) / Fl(0))^2`.
    fn weight(&self, hkl: [i32; 3], domains: &[Cell]) -> f64 {
        let sources = &self.scene.sources[..];
        let mut sum = 0.0;
        for cell in domains {
            let point = cell.reciprocal_point(hkl);
            for source in sources {
                let radius = 1.0 / source.wavelength_m;
                let from_centre = vector::add(point, vector::scale(radius, source.incident));
                // The excitation error: the vector from the reflection to the Ewald sphere along the radius.
                let stretch = radius / vector::norm(from_centre) - 1.0;
                let offset_per_m = vector::scale(stretch, from_centre);
                let offset = cell.edges_m.map(|edge| vector::dot(edge, offset_per_m));
                let ratio = self.scene.lattice.factor(offset, [0.0; 3]) / self.peak;
                sum += ratio * ratio;
            }
        }
        sum / (sources.len() * domains.len()).max(1) as f64
    }
}

impl Cell {
    fn new(edges_m: Orientation) -> Self {
        let [a, b, c] = edges_m;
        let normals_m2 = [
            vector::cross(b, c),
            vector::cross(c, a),
            vector::cross(a, b),
        ];
        Self {
            edges_m,
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

//! The fraction of a reflection that was recorded.

use nanobragg_crystal::rotate_by_phi;
use nanobragg_geometry::{rotate_by, vector};

use crate::scene::{Orientation, Scene};

/// The crossing has ended if w stays below this fraction of its largest value ...
const FAINT: f64 = 1e-4;

/// ... for this number of steps: the transform of a parallelepiped has zeros between its fringes.
const FAINT_STEPS: u32 = 16;

/// The largest number of terms outside the image, on each side. A longer crossing is cut.
const MOST_TERMS: usize = 10_000;

/// The data from which the partiality of every reflection of an image is computed.
pub(super) struct Crossing<'s> {
    scene: &'s Scene,
    /// `Fl(0)`.
    peak: f64,
    /// The largest number of steps outside the image, on each side.
    most_steps: u32,
}

impl<'s> Crossing<'s> {
    pub(super) fn new(scene: &'s Scene) -> Self {
        let domains = scene.setup.domains.len();
        let most_steps = MOST_TERMS / (scene.sources.len() * domains).max(1);
        Self {
            scene,
            peak: scene.lattice.factor([0.0; 3], [0.0; 3]),
            most_steps: most_steps.max(FAINT_STEPS as usize) as u32,
        }
    }

    /// The partiality as defined in `ReflectionTruth`.
    pub(super) fn partiality(&self, hkl: [i32; 3]) -> f64 {
        let phi = &self.scene.setup.phi;
        let domains = self.scene.setup.domains.len();
        let steps = self.scene.orientations.chunks(domains.max(1));
        let inside: Vec<f64> = steps.map(|domains| self.weight(hkl, domains)).collect();
        let recorded: f64 = inside.iter().sum();
        if phi.count < 2 || phi.step_rad == 0.0 {
            return recorded / inside.len().max(1) as f64;
        }
        let mut largest = inside.iter().copied().fold(0.0, f64::max);
        let mut whole = recorded;
        let first_rad = phi.start_rad + phi.lead_rad();
        for backwards in [false, true] {
            let mut faint = 0;
            for away in 1..=self.most_steps {
                let index = if backwards {
                    -f64::from(away)
                } else {
                    f64::from(phi.count - 1) + f64::from(away)
                };
                let w = self.weight(hkl, &self.domains_at(first_rad + phi.step_rad * index));
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

    fn domains_at(&self, phi_rad: f64) -> Vec<Orientation> {
        let setup = &self.scene.setup;
        let cell = rotate_by_phi(setup.numbers.direct_m, setup.spindle, phi_rad);
        let domains = setup.domains.iter();
        domains
            .map(|domain| cell.map(|edge| rotate_by(domain, edge)))
            .collect()
    }

    /// The mean over sources and `domains` of `(Fl(dh) / Fl(0))^2`.
    fn weight(&self, hkl: [i32; 3], domains: &[Orientation]) -> f64 {
        let sources = &self.scene.sources[..];
        let mut sum = 0.0;
        for cell in domains {
            let point = reciprocal_point(cell, hkl);
            for source in sources {
                let radius = 1.0 / source.wavelength_m;
                let from_centre = vector::add(point, vector::scale(radius, source.incident));
                // The excitation error: the vector from the reflection to the Ewald sphere along the radius.
                let stretch = radius / vector::norm(from_centre) - 1.0;
                let offset_per_m = vector::scale(stretch, from_centre);
                let offset = cell.map(|edge| vector::dot(edge, offset_per_m));
                let ratio = self.scene.lattice.factor(offset, [0.0; 3]) / self.peak;
                sum += ratio * ratio;
            }
        }
        sum / (sources.len() * domains.len()).max(1) as f64
    }
}

/// `h a* + k b* + l c*` in 1/m of a direct cell in metres.
fn reciprocal_point([a, b, c]: &Orientation, hkl: [i32; 3]) -> [f64; 3] {
    let normals = [
        vector::cross(*b, *c),
        vector::cross(*c, *a),
        vector::cross(*a, *b),
    ];
    let volume = vector::dot(*a, normals[0]);
    let [x, y, z] = std::array::from_fn(|i| vector::scale(f64::from(hkl[i]) / volume, normals[i]));
    vector::add(vector::add(x, y), z)
}

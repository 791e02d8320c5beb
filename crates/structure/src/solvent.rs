//! The bulk solvent: a constant electron density between the molecules.

use nanobragg_crystal::GridLimit;
use nanobragg_geometry::vector::norm;
use rustfft::num_complex::Complex64;

use crate::ball::Ball;
use crate::element::Element;
use crate::error::Error;
use crate::frame::CellFrame;
use crate::map::{Map, points, wrap};
use crate::model::Model;

/// The flat bulk solvent.
///
/// ```text
/// F_solvent(h) = k exp(-B s^2/4) * sum over solvent points of exp(2 pi i h.x) V/N
/// ```
/// The mask has two steps. First, a point is solvent if its distance from every atom exceeds the van
/// der Waals radius of the atom plus the radius of the probe. Second, every point within the shrinkage
/// of such a point is solvent too. Small holes, which no solvent molecule can enter, stay empty in this
/// way. Hydrogen atoms and atoms with an occupancy of 0 are ignored.
///
/// # Source
/// Jiang and Bruenger, J. Mol. Biol. 243 (1994) 100, for the mask. The radius of the probe and the
/// shrinkage are those of the Computational Crystallography Toolbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solvent {
    /// The electron density k in e/A^3. That of water is 0.33.
    pub density_per_a3: f64,
    /// B in A^2, which smooths the edge of the solvent.
    pub b_a2: f64,
    /// The radius of the probe in A, which is added to the radius of every atom.
    pub probe_a: f64,
    /// The shrinkage of the mask of the molecules in A.
    pub shrink_a: f64,
    /// The largest distance between points of the mask, in A.
    pub spacing_a: f64,
}

impl Default for Solvent {
    /// 0.35 e/A^3 and B of 46 A^2, which fit most proteins; probe 1.1 A, shrinkage 0.9 A, mask 0.6 A.
    fn default() -> Self {
        Self {
            density_per_a3: 0.35,
            b_a2: 46.0,
            probe_a: 1.1,
            shrink_a: 0.9,
            spacing_a: 0.6,
        }
    }
}

/// The transform of the solvent.
#[derive(Debug)]
pub(crate) struct SolventFactors {
    map: Map,
    solvent: Solvent,
    voxel_a3: f64,
}

impl SolventFactors {
    /// Builds the mask of all atoms in the cell and transforms it.
    ///
    /// The mask is finer than requested if the resolution needs it.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the map needs more memory than the limit.
    pub(crate) fn new(
        model: &Model,
        solvent: Solvent,
        dmin_a: f64,
        limit: GridLimit,
    ) -> Result<Self, Error> {
        let frame = &model.frame;
        // Two points per dmin are the least that represent all waves.
        let spacing_a = solvent.spacing_a.min(dmin_a / 2.0);
        let size = points(frame, spacing_a, model.space_group.operations());
        let mut map = Map::zeros(size, dmin_a, limit)?;
        let mask = shrunk(&mask(model, &solvent, size), frame, size, solvent.shrink_a);
        for (value, is_solvent) in map.values.iter_mut().zip(mask) {
            *value = Complex64::new(if is_solvent { 1.0 } else { 0.0 }, 0.0);
        }
        map.transform();
        let voxel_a3 = frame.volume_a3() / size.iter().map(|n| *n as f64).product::<f64>();
        Ok(Self {
            map,
            solvent,
            voxel_a3,
        })
    }

    /// The fraction of the cell that is solvent.
    pub(crate) fn fraction(&self) -> f64 {
        // The transform at 0 0 0 is the number of solvent points.
        self.map.around([0; 3]).re / self.map.values.len() as f64
    }

    /// Real and imaginary part, in electrons.
    pub(crate) fn at(&self, hkl: [i32; 3], s_squared: f64) -> [f64; 2] {
        let smoothing = (-0.25 * self.solvent.b_a2 * s_squared).exp();
        let scale = self.solvent.density_per_a3 * self.voxel_a3 * smoothing;
        let value = self.map.around(hkl);
        [value.re * scale, value.im * scale]
    }
}

/// One flag per point: whether it is outside every atom of the cell, with the probe.
fn mask(model: &Model, solvent: &Solvent, size: [usize; 3]) -> Vec<bool> {
    let mut mask = vec![true; size.iter().product()];
    let atoms = model.atoms.iter();
    for atom in atoms.filter(|atom| atom.occupancy > 0.0 && atom.element != Element::HYDROGEN) {
        let radius_a = atom.element.van_der_waals_radius_a() + solvent.probe_a;
        // The union of the atoms is not a sum, so the operations cannot act on its transform. All atoms
        // of the cell are masked.
        for operation in model.space_group.operations() {
            let ball = Ball {
                middle: operation.apply(atom.position),
                radius_a,
            };
            ball.visit(&model.frame, size, |point, _| mask[point] = false);
        }
    }
    mask
}

/// The mask with the solvent extended by `shrink_a`.
fn shrunk(mask: &[bool], frame: &CellFrame, size: [usize; 3], shrink_a: f64) -> Vec<bool> {
    let steps = steps_within(frame, size, shrink_a);
    let [_, nb, nc] = size;
    let is_solvent_near = |point: usize| {
        let place = [point / (nb * nc), point / nc % nb, point % nc];
        steps.iter().any(|step| {
            let [a, b, c] = std::array::from_fn(|i| wrap(place[i] as i64 + step[i], size[i]));
            mask[(a * nb + b) * nc + c]
        })
    };
    let points = mask.iter().enumerate();
    points
        .map(|(point, is_solvent)| *is_solvent || is_solvent_near(point))
        .collect()
}

/// The steps from a point to all points within a distance.
fn steps_within(frame: &CellFrame, size: [usize; 3], distance_a: f64) -> Vec<[i64; 3]> {
    let reciprocal = frame.reciprocal_lengths_per_a();
    let [a, b, c] = std::array::from_fn(|i| {
        let reach = (distance_a * reciprocal[i] * size[i] as f64).floor() as i64;
        -reach..=reach
    });
    let mut steps = Vec::new();
    for i in a {
        for j in b.clone() {
            for k in c.clone() {
                let step = [i, j, k];
                let fraction = std::array::from_fn(|n| step[n] as f64 / size[n] as f64);
                if norm(frame.difference_a(fraction)) <= distance_a {
                    steps.push(step);
                }
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomalous::Dispersion;
    use crate::model::{Atom, Displacement};
    use nanobragg_crystal::{CellSpec, SpaceGroup};

    /// One carbon in a box of 12 A.
    fn carbon(solvent: Solvent) -> SolventFactors {
        let cell = CellSpec::from_values(&[12.0]).unwrap();
        let model = Model {
            frame: CellFrame::new(cell).unwrap(),
            space_group: SpaceGroup::p1(),
            atoms: vec![Atom {
                element: Element::from_symbol("C").unwrap(),
                charge: 0,
                position: [0.9, 0.5, 0.1],
                occupancy: 1.0,
                displacement: Displacement::Isotropic { b_a2: 20.0 },
            }],
            dispersion: Dispersion::default(),
        };
        SolventFactors::new(&model, solvent, 2.0, GridLimit::default()).unwrap()
    }

    #[test]
    fn one_atom_excludes_the_solvent_from_a_ball() {
        // A grid of 0.1 A counts the ball to about a thousandth of its volume.
        let solvent = Solvent {
            shrink_a: 0.0,
            spacing_a: 0.1,
            ..Solvent::default()
        };
        let radius: f64 = 1.775 + 1.1;
        let ball_a3 = 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3);
        let kept_out_a3 = (1.0 - carbon(solvent).fraction()) * 12.0_f64.powi(3);
        assert!(
            (kept_out_a3 / ball_a3 - 1.0).abs() < 0.005,
            "{kept_out_a3} {ball_a3}"
        );
    }

    #[test]
    fn the_solvent_extends_by_the_shrinkage() {
        let solvent = Solvent {
            spacing_a: 0.1,
            ..Solvent::default()
        };
        let radius: f64 = 1.775 + 1.1 - 0.9;
        let ball_a3 = 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3);
        let kept_out_a3 = (1.0 - carbon(solvent).fraction()) * 12.0_f64.powi(3);
        // The steps of the grid reach only to between 0.8 and 0.9 A.
        assert!(
            (kept_out_a3 / ball_a3 - 1.0).abs() < 0.03,
            "{kept_out_a3} {ball_a3}"
        );
    }

    #[test]
    fn the_solvent_scatters_like_its_hole_with_the_opposite_sign() {
        // Except at the origin, the solvent scatters like the hole in it with the opposite sign. The hole
        // is a ball around the atom:
        // F = -k exp(-B s^2/4) 4 pi R^3 (sin x - x cos x)/x^3 exp(2 pi i h.r), x = 2 pi s R.
        let solvent = Solvent {
            shrink_a: 0.0,
            spacing_a: 0.1,
            ..Solvent::default()
        };
        let [real, imaginary] = carbon(solvent).at([1, 1, 0], 2.0 / 144.0);
        let radius = 1.775 + 1.1;
        let s = (2.0_f64 / 144.0).sqrt();
        let x = std::f64::consts::TAU * s * radius;
        let ball =
            4.0 * std::f64::consts::PI * radius.powi(3) * (x.sin() - x * x.cos()) / x.powi(3);
        let amplitude = -0.35 * (-46.0 * s * s / 4.0).exp() * ball;
        let phase = std::f64::consts::TAU * 1.4;
        assert!((real - amplitude * phase.cos()).abs() < 0.01 * amplitude.abs());
        assert!((imaginary - amplitude * phase.sin()).abs() < 0.01 * amplitude.abs());
    }
}

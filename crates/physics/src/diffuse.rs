//! Diffuse scattering: the halo that correlated displacements of the atoms put around every reflection.
//!
//! ```text
//! I(h) = N  mean over Laue operations of  x exp(-x)  sum over reflections g of F(g)^2 P(h - g)
//! x    = 4 pi^2 s.U s      U = diag(sigma^2): squared displacements along the principal axes, in A^2
//! y^2  = 4 pi^2 |G ds|^2   G = diag(gamma): lengths over which displacements are correlated, in A
//! liquid-like   P = 8 pi det(G)/V / (1 + y^2)^2
//! acoustic      P = 2 pi^2 det(G)/V / (Y - atan Y) / (1 + y^2) up to y = Y, Y^3 = 6 pi^2 det(G)/V, and 0 beyond
//! ```
//!
//! s is the scattering vector of the pixel in 1/A and ds that of the offset `h - g`, both in the axes of the
//! crystal. N is the number of cells and V the volume of one. The integral of P over all indices is 1, so that
//! the halo of a reflection holds `x exp(-x)` times the photons of its spot, `N F^2`. With the decrease of the
//! spot by `exp(-x)` this is the first order of a series whose sum is 1: displacements move photons, and
//! neither make nor destroy them.
//!
//! Both forms are quadratic in the indices and do not depend on the orientation: a halo turns with its mosaic
//! domain.
//!
//! # Source
//! Liquid-like motions: Caspar, Clarage, Salunke and Clarage, Nature 332 (1988) 659; Wall, Clarage and
//! Phillips, Structure 5 (1997) 1599. Acoustic modes: Warren, X-ray Diffraction (1969), 11.2 and 11.3, in the
//! limit of high temperatures, with one elastic constant for all polarizations of a mode and with the cut-off
//! of Debye. The term 1 beside `y^2` ends the rise at waves as long as gamma: `1/k^2` has no limit at the spot.

use std::f64::consts::PI;
use std::fmt;

use nanobragg_crystal::nearest_index;
use nanobragg_geometry::vector;
use nanobragg_numeric::Scalar;
use serde::{Deserialize, Serialize};

/// A point group has at most 24 operations up to the sign.
pub(crate) const MOST_OPERATIONS: usize = 24;

/// The largest number of neighbours along each index.
pub const MOST_NEIGHBOURS: u32 = 5;

/// The shape of the halo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiffuseModel {
    /// Liquid-like motions: the correlation of displacements falls as `exp(-r/gamma)`.
    #[default]
    #[serde(rename = "llm")]
    LiquidLike,
    /// Acoustic phonons: `1/k^2` from waves as long as gamma to the boundary of the zone.
    Acoustic,
}

impl fmt::Display for DiffuseModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LiquidLike => "liquid-like motions",
            Self::Acoustic => "acoustic phonons",
        })
    }
}

/// The principal axes of the tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiffuseAxes {
    /// a, the perpendicular to it in the plane of a and b, and c*.
    #[default]
    Cell,
    /// The first two of these turned by -45 degrees about c*: a - b, a + b and c in a tetragonal cell.
    Diagonal,
}

/// The diffuse scattering of a crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Diffuse {
    /// The shape of the halo.
    pub model: DiffuseModel,
    /// The axes of `gamma` and `sigma`.
    pub axes: DiffuseAxes,
    /// The numbers of which an image is a smooth function.
    pub numbers: DiffuseNumbers<f64>,
    /// Reflections to each side of the nearest one, along each index, whose halos reach a pixel; at most
    /// [`MOST_NEIGHBOURS`].
    pub neighbours: u32,
    /// The rotations of the space group, acting on coordinates in the cell. Their sign and their order have no
    /// effect. Empty counts as the identity.
    pub operations: Vec<[[i32; 3]; 3]>,
    /// Whether the factor `exp(-x)` is there. Without it the structure factors already have it.
    pub is_damped: bool,
}

/// The continuous numbers of [`Diffuse`], in Angstrom along the principal axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiffuseNumbers<T> {
    /// Correlation lengths, above 0.
    pub gamma_angstrom: [T; 3],
    /// Root mean square displacements, at least 0.
    pub sigma_angstrom: [T; 3],
}

impl Diffuse {
    /// The rotations, those that differ in sign only counted once.
    pub fn rotation_count(&self) -> usize {
        up_to_sign(&self.operations).len()
    }
}

impl<T: Copy> DiffuseNumbers<T> {
    /// The same numbers in another number type.
    pub(crate) fn map<U>(&self, lift: impl Fn(T) -> U) -> DiffuseNumbers<U> {
        DiffuseNumbers {
            gamma_angstrom: self.gamma_angstrom.map(&lift),
            sigma_angstrom: self.sigma_angstrom.map(&lift),
        }
    }
}

/// A quadratic form in three indices: the factors of hh, kk, ll, hk, hl and kl.
pub(crate) type Form<T> = [T; 6];

/// [`Diffuse`] for one cell, ready to be summed.
#[derive(Debug, Clone)]
pub(crate) struct Halo<T> {
    pub(crate) model: DiffuseModel,
    pub(crate) neighbours: i32,
    pub(crate) is_damped: bool,
    /// The factor of P.
    pub(crate) scale: T,
    /// The square of y at which an acoustic halo ends.
    pub(crate) end: f64,
    pub(crate) operations: Vec<Operation<T>>,
    /// The operations whose forms differ, without derivatives, for lanes.
    pub(crate) distinct: Vec<Operation<f64>>,
}

/// One Laue operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<T> {
    /// `y^2` of an offset.
    pub(crate) distance: Form<T>,
    /// x of the indices of a pixel.
    pub(crate) displacement: Form<T>,
    /// The weight of the operation in the mean.
    pub(crate) weight: f64,
}

impl<T: Scalar> Halo<T> {
    /// The halos of a crystal whose edges, at any orientation, are `direct_m`.
    pub(crate) fn new(
        diffuse: &Diffuse,
        numbers: &DiffuseNumbers<T>,
        direct_m: &[[T; 3]; 3],
    ) -> Self {
        let real = T::from_f64;
        let direct = direct_m.map(|edge| vector::scale(real(1e10), edge));
        let [a, b, c] = direct;
        let normal = vector::cross(a, b);
        let volume = vector::dot(normal, c);
        let reciprocal = [vector::cross(b, c), vector::cross(c, a), normal]
            .map(|cross| vector::scale(real(1.0) / volume, cross));
        let [ga, gb, gc] = numbers.gamma_angstrom;
        // A left-handed cell has a negative volume.
        let volume = if volume.value() < 0.0 {
            -volume
        } else {
            volume
        };
        let correlated = ga * gb * gc / volume;
        let (factor, end) = match diffuse.model {
            DiffuseModel::LiquidLike => (real(8.0 * PI) * correlated, f64::INFINITY),
            DiffuseModel::Acoustic => {
                let end = cube_root(real(6.0 * PI * PI) * correlated);
                let waves = end - end.atan2(real(1.0));
                (
                    real(2.0 * PI * PI) * correlated / waves,
                    end.value() * end.value(),
                )
            }
        };
        let frame = frame(diffuse.axes, a, normal).map(|axis| {
            let along = reciprocal.map(|edge| vector::dot(axis, edge));
            vector::scale(real(2.0 * PI), along)
        });
        let rotations = up_to_sign(&diffuse.operations);
        let weight = 1.0 / rotations.len() as f64;
        let operations = rotations.iter().map(|rotation| {
            let turned = frame.map(|axis| turned(rotation, axis));
            Operation {
                distance: form(turned, numbers.gamma_angstrom),
                displacement: form(turned, numbers.sigma_angstrom),
                weight,
            }
        });
        let operations: Vec<_> = operations.collect();
        Self {
            model: diffuse.model,
            neighbours: diffuse.neighbours.min(MOST_NEIGHBOURS) as i32,
            is_damped: diffuse.is_damped,
            scale: factor,
            end,
            distinct: distinct(&operations),
            operations,
        }
    }

    /// Visits the reflections whose halos reach the indices `hkl`: their indices, and the factor by which each
    /// multiplies the square of its structure factor. With the number of cells as `scale`, the sum of the products
    /// is `I(h)`, in the unit of `F^2 Fl^2`.
    pub(crate) fn visit(&self, hkl: [T; 3], scale: T, mut tell: impl FnMut([f64; 3], T)) {
        let scale = scale * self.scale;
        let zero = T::from_f64(0.0);
        let mut strengths = [zero; MOST_OPERATIONS];
        for (strength, operation) in strengths.iter_mut().zip(&self.operations) {
            let x = value(&operation.displacement, hkl);
            let damping = if self.is_damped {
                (-x).exp()
            } else {
                T::from_f64(1.0)
            };
            *strength = scale * T::from_f64(operation.weight) * x * damping;
        }
        let nearest = hkl.map(|index| nearest_index(index.value()));
        for by in self.neighbourhood() {
            let reflection: [f64; 3] = std::array::from_fn(|i| nearest[i] + by[i]);
            let offset = std::array::from_fn(|i| hkl[i] - T::from_f64(reflection[i]));
            let mut factor = zero;
            for (strength, operation) in strengths.iter().zip(&self.operations) {
                factor += *strength * self.profile(value(&operation.distance, offset));
            }
            tell(reflection, factor);
        }
    }

    /// The offsets from the nearest reflection of all whose halos are summed, in the order of the sum.
    pub(crate) fn neighbourhood(&self) -> impl Iterator<Item = [f64; 3]> + use<T> {
        let most = self.neighbours;
        let along = move || (-most..=most).map(f64::from);
        along().flat_map(move |h| along().flat_map(move |k| along().map(move |l| [h, k, l])))
    }

    /// P over its factor, at `y^2`.
    fn profile(&self, squared: T) -> T {
        let one = T::from_f64(1.0);
        let falling = one / (one + squared);
        match self.model {
            DiffuseModel::LiquidLike => falling * falling,
            DiffuseModel::Acoustic if squared.value() <= self.end => falling,
            DiffuseModel::Acoustic => T::from_f64(0.0),
        }
    }
}

/// The operations without derivatives, those with the same forms in one.
fn distinct<T: Scalar>(operations: &[Operation<T>]) -> Vec<Operation<f64>> {
    let mut distinct: Vec<Operation<f64>> = Vec::new();
    for operation in operations {
        let (distance, displacement) = (
            operation.distance.map(T::value),
            operation.displacement.map(T::value),
        );
        let known = distinct.iter_mut().find(|known| {
            is_same(&known.distance, &distance) && is_same(&known.displacement, &displacement)
        });
        match known {
            Some(known) => known.weight += operation.weight,
            None => distinct.push(Operation {
                distance,
                displacement,
                weight: operation.weight,
            }),
        }
    }
    distinct
}

/// Whether two forms differ by rounding errors only.
fn is_same(one: &Form<f64>, other: &Form<f64>) -> bool {
    let largest = one.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let mut pairs = one.iter().zip(other);
    pairs.all(|(x, y)| (x - y).abs() <= 1e-12 * largest)
}

/// The principal axes as unit vectors, of a and a vector along c*.
fn frame<T: Scalar>(axes: DiffuseAxes, a: [T; 3], normal: [T; 3]) -> [[T; 3]; 3] {
    let (x, z) = (vector::unit(a), vector::unit(normal));
    let y = vector::cross(z, x);
    match axes {
        DiffuseAxes::Cell => [x, y, z],
        DiffuseAxes::Diagonal => {
            let half = T::from_f64(0.5_f64.sqrt());
            let between = [vector::sub(x, y), vector::add(x, y)];
            let [x, y] = between.map(|sum| vector::scale(half, sum));
            [x, y, z]
        }
    }
}

/// The rotations without those that are the negative of another.
fn up_to_sign(rotations: &[[[i32; 3]; 3]]) -> Vec<[[i32; 3]; 3]> {
    let mut kept = vec![[[1, 0, 0], [0, 1, 0], [0, 0, 1]]];
    for rotation in rotations {
        let negative = rotation.map(|row| row.map(|x| -x));
        if !kept.contains(rotation) && !kept.contains(&negative) && kept.len() < MOST_OPERATIONS {
            kept.push(*rotation);
        }
    }
    kept
}

/// The components along an axis of h R, as a linear function of h: `axis` are those of h.
fn turned<T: Scalar>(rotation: &[[i32; 3]; 3], axis: [T; 3]) -> [T; 3] {
    rotation.map(|row| vector::dot(row.map(|x| T::from_f64(f64::from(x))), axis))
}

/// The sum of the squares of the components along three axes, each times its factor.
fn form<T: Scalar>(axes: [[T; 3]; 3], factors: [T; 3]) -> Form<T> {
    let mut form = [T::from_f64(0.0); 6];
    for (axis, factor) in axes.into_iter().zip(factors) {
        let [h, k, l] = vector::scale(factor, axis);
        let two = T::from_f64(2.0);
        let products = [h * h, k * k, l * l, two * h * k, two * h * l, two * k * l];
        for (sum, product) in form.iter_mut().zip(products) {
            *sum += product;
        }
    }
    form
}

fn value<T: Scalar>(form: &Form<T>, [h, k, l]: [T; 3]) -> T {
    let [hh, kk, ll, hk, hl, kl] = *form;
    h * (hh * h + hk * k + hl * l) + k * (kk * k + kl * l) + ll * l * l
}

/// The cube root. Two steps of Newton's method give the first and second derivatives.
fn cube_root<T: Scalar>(x: T) -> T {
    let mut root = T::from_f64(x.value().cbrt());
    for _ in 0..2 {
        let square = root * root;
        root = root - (square * root - x) / (T::from_f64(3.0) * square);
    }
    root
}

#[cfg(test)]
mod tests;

//! Bounds of a scene in reciprocal space: where nothing scatters, and how large Miller indices become.

use nanobragg_geometry::vector;
use nanobragg_numeric::Scalar;

use super::setup::Setup;
use super::{Orientation, SourceRow};

/// Bounds that no pixel of a scene exceeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// A bound on the magnitude of every Miller index.
    pub(crate) largest_index: f64,
    /// The longest a, b and c of all orientations in metres, enlarged slightly for rounding errors. An
    /// index is at most this length times the length of the scattering vector.
    pub(crate) longest_edges_m: [f64; 3],
    /// The square of the length of the scattering vector beyond which every structure factor is 0; `None`
    /// if there is no such limit.
    pub(crate) reach_squared_per_m2: Option<f64>,
}

impl Bounds {
    pub(super) fn new<T: Scalar>(
        setup: &Setup,
        sources: &[SourceRow<T>],
        orientations: &[Orientation<T>],
    ) -> Self {
        Self {
            largest_index: largest_index(sources, orientations),
            longest_edges_m: [0, 1, 2].map(|axis| {
                let lengths_m = orientations.iter().map(|o| length(o.edges_m[axis]));
                lengths_m.fold(0.0, f64::max) * (1.0 + 1e-9)
            }),
            reach_squared_per_m2: reach_squared_per_m2(setup, orientations),
        }
    }
}

fn length<T: Scalar>(edge: [T; 3]) -> f64 {
    vector::norm(edge.map(T::value))
}

/// Twice the longest edge, divided by the shortest wavelength: `|q|` is at most 2 / wavelength.
fn largest_index<T: Scalar>(sources: &[SourceRow<T>], orientations: &[Orientation<T>]) -> f64 {
    let longest_m = orientations.iter().flat_map(|o| o.edges_m).map(length);
    let shortest_m = sources.iter().map(|source| source.wavelength_m.value());
    2.0 * longest_m.fold(0.0, f64::max) / shortest_m.fold(f64::INFINITY, f64::min)
}

/// The square of the largest distance from the origin of reciprocal space at which the nearest reflection
/// can have a structure factor other than 0. The distance is the length of the longest such reciprocal
/// vector plus half of the longest diagonal of the reciprocal cell.
///
/// There is no limit if unlisted reflections are not 0, or if an orientation is not a rotation of the
/// cell (for example about a spindle axis of zero length).
fn reach_squared_per_m2<T: Scalar>(setup: &Setup, orientations: &[Orientation<T>]) -> Option<f64> {
    if setup
        .all_factors()
        .any(|factors| factors.default_f() != 0.0)
    {
        return None;
    }
    let cell = setup.numbers.direct_m;
    let keeps_shape = |orientation: &Orientation<T>| {
        let turned = orientation.edges_m.map(|edge| edge.map(T::value));
        (0..3).all(|i| {
            (0..3).all(|j| {
                let (p, q) = (
                    vector::dot(cell[i], cell[j]),
                    vector::dot(turned[i], turned[j]),
                );
                (p - q).abs() <= 1e-9 * vector::norm(cell[i]) * vector::norm(cell[j])
            })
        })
    };
    if !orientations.iter().all(keeps_shape) {
        return None;
    }
    let [a, b, c] = setup.numbers.lattice.reciprocal_per_angstrom;
    let point = |h: f64, k: f64, l: f64| {
        vector::add(
            vector::add(vector::scale(h, a), vector::scale(k, b)),
            vector::scale(l, c),
        )
    };
    let mut longest_squared = None;
    for factors in setup.all_factors() {
        let Some(bounds) = factors.bounds() else {
            continue;
        };
        let longest = longest_squared.get_or_insert(0.0_f64);
        let [h_stride, k_stride, _] = factors.strides();
        for (h, plane) in (bounds.min[0]..).zip(factors.values().chunks(h_stride)) {
            for (k, row) in (bounds.min[1]..).zip(plane.chunks(k_stride)) {
                // The squared length is convex along a row, so its largest value is at one of the ends.
                let listed = |factor: &f64| *factor != 0.0;
                let ends = row
                    .iter()
                    .position(listed)
                    .zip(row.iter().rposition(listed));
                for index in ends.into_iter().flat_map(|(first, last)| [first, last]) {
                    let l = f64::from(bounds.min[2]) + index as f64;
                    let q = point(f64::from(h), f64::from(k), l);
                    *longest = longest.max(vector::dot(q, q));
                }
            }
        }
    }
    let half_diagonal = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
        .map(|[k, l]| vector::norm(point(0.5, 0.5 * k, 0.5 * l)))
        .into_iter()
        .fold(0.0, f64::max);
    let reach_per_m = (longest_squared?.sqrt() + half_diagonal) * (1.0 + 1e-6) * 1e10;
    Some(reach_per_m * reach_per_m)
}

//! The points of a map near a place.

use nalgebra::Vector3;

use crate::frame::Frame;
use crate::map::wrap;

/// All that is within a distance of a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ball {
    /// The place, in fractions of the cell.
    pub(crate) middle: [f64; 3],
    /// The distance in A.
    pub(crate) radius_a: f64,
}

impl Ball {
    /// Calls `visit` with the index of each point of a map `[a][b][c]` and its place in A from the
    /// middle. A ball wider than the cell meets points more than once, as many atoms' it would.
    pub(crate) fn visit(
        &self,
        frame: &Frame,
        size: [usize; 3],
        mut visit: impl FnMut(usize, &Vector3<f64>),
    ) {
        let reciprocal = frame.reciprocal_lengths_per_a();
        let middle: [f64; 3] =
            std::array::from_fn(|i| self.middle[i].rem_euclid(1.0) * size[i] as f64);
        let [along_a, along_b, along_c] = std::array::from_fn(|i| {
            let reach = self.radius_a * reciprocal[i] * size[i] as f64;
            (middle[i] - reach).ceil() as i64..=(middle[i] + reach).floor() as i64
        });
        let steps: [Vector3<f64>; 3] =
            std::array::from_fn(|i| frame.orthogonal_matrix().column(i) / size[i] as f64);
        let offset = |i: usize, index: i64| steps[i] * (index as f64 - middle[i]);
        for a in along_a {
            let from_a = offset(0, a);
            for b in along_b.clone() {
                let from_b = from_a + offset(1, b);
                let line = (wrap(a, size[0]) * size[1] + wrap(b, size[1])) * size[2];
                for c in along_c.clone() {
                    let r = from_b + offset(2, c);
                    if r.norm_squared() <= self.radius_a * self.radius_a {
                        visit(line + wrap(c, size[2]), &r);
                    }
                }
            }
        }
    }
}

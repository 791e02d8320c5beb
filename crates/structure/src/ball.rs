//! The points of a map in a ball.

use nalgebra::Vector3;

use crate::frame::CellFrame;
use crate::map::wrap;

/// A ball in the cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ball {
    /// Its middle, in fractions of the cell.
    pub(crate) middle: [f64; 3],
    /// Its radius in A.
    pub(crate) radius_a: f64,
}

impl Ball {
    /// Calls `visit` with the index of each point of a map `[a][b][c]` in the ball and with the vector
    /// in A from the middle to the point. Points outside the cell are moved into it. A ball wider than
    /// the cell visits a point several times; each visit is for the atom of another cell.
    pub(crate) fn visit(
        &self,
        frame: &CellFrame,
        size: [usize; 3],
        mut visit: impl FnMut(usize, &Vector3<f64>),
    ) {
        let reciprocal = frame.reciprocal_lengths_per_a();
        let middle: [f64; 3] =
            std::array::from_fn(|i| self.middle[i].rem_euclid(1.0) * size[i] as f64);
        let [along_a, along_b, along_c] = std::array::from_fn(|i| {
            // Planes of constant fraction are 1/a* apart per cell, so the ball reaches over r a* of
            // a cell. This is more than r/a if the axes are oblique.
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

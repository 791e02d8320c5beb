//! The laboratory of dxtbx and imgCIF, and how it lies in that of a run.
//!
//! ```text
//!            y
//!            |      x  along the spindle
//!            |      z  from the sample towards the source, so the beam runs along -z
//!   beam <---o---- z        (o: the sample)
//!           /
//!          x  spindle
//! ```
//!
//! The laboratory of a run depends on its convention. The rotation between the two exchanges axes
//! and changes signs, and nothing else, so that it rounds no number:
//!
//! | convention | dxtbx x, y, z | dxtbx fast, slow | XDS x, y, z |
//! |---|---|---|---|
//! | MOSFLM, DENZO, custom as not given | z, y, -x | x, -y | z, -y, x |
//! | XDS | x, -y, -z | x, -y | x, y, z |
//! | ADXV | x, -y, -z | x, y | x, y, z |
//! | DIALS | y, x, -z | y, x | y, -x, z |
//!
//! [`Frame::of`] finds it for any axes: z is the axis nearest to the source, x the one nearest to
//! the spindle of those at right angles to z, and y completes a right-handed set. The laboratory of
//! XDS is dxtbx's turned by half a turn about x ([`turned_about_x`]). What is read from a file comes
//! into the laboratory of MOSFLM ([`run_from_exchange`]), where the beam runs along x.

use nanobragg_geometry::vector::{cross, dot};

const X: [f64; 3] = [1.0, 0.0, 0.0];
const Y: [f64; 3] = [0.0, 1.0, 0.0];
const Z: [f64; 3] = [0.0, 0.0, 1.0];

/// The axes of the exchange laboratory, in the laboratory of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    x: [f64; 3],
    y: [f64; 3],
    z: [f64; 3],
}

impl Frame {
    /// The frame of a run with its spindle and its beam (from source to sample) along these vectors.
    ///
    /// Of several axes that are equally near, MOSFLM's is taken.
    pub fn of(spindle: [f64; 3], beam: [f64; 3]) -> Self {
        let candidates = [X, Z, Y].map(negated).into_iter().chain([X, Y, Z]);
        let z = nearest(candidates, negated(beam));
        let candidates = [Z, X, Y].into_iter().chain([Z, X, Y].map(negated));
        let x = nearest(candidates.filter(|axis| dot(*axis, z) == 0.0), spindle);
        Self {
            x,
            y: cross(z, x),
            z,
        }
    }

    /// A vector of the run in the exchange laboratory.
    pub fn from_run(&self, v: [f64; 3]) -> [f64; 3] {
        [self.x, self.y, self.z].map(|axis| dot(axis, v))
    }
}

/// A vector of the exchange laboratory in that of a run which takes its geometry from a file:
/// `(-z, y, x)`, the laboratory of MOSFLM.
pub fn run_from_exchange([x, y, z]: [f64; 3]) -> [f64; 3] {
    [-z, y, x]
}

/// The inverse of [`run_from_exchange`].
pub fn exchange_from_run([x, y, z]: [f64; 3]) -> [f64; 3] {
    [z, y, -x]
}

/// Half a turn about x: from dxtbx's laboratory to XDS's, or back.
pub fn turned_about_x([x, y, z]: [f64; 3]) -> [f64; 3] {
    [x, -y, -z]
}

fn negated(v: [f64; 3]) -> [f64; 3] {
    v.map(|x| 0.0 - x)
}

/// The first of `axes` that no other is nearer to `direction` than.
fn nearest(axes: impl Iterator<Item = [f64; 3]>, direction: [f64; 3]) -> [f64; 3] {
    let farther = |best: [f64; 3], axis: [f64; 3]| {
        if dot(axis, direction) > dot(best, direction) {
            axis
        } else {
            best
        }
    };
    axes.reduce(farther).unwrap_or(Z)
}

#[cfg(test)]
mod tests {
    use nanobragg_geometry::Convention;

    use super::*;

    fn frame(convention: Convention) -> Frame {
        let axes = convention.axes();
        Frame::of(axes.spindle, axes.beam)
    }

    #[test]
    fn every_convention_has_its_spindle_along_x_and_its_beam_against_z() {
        for convention in Convention::ALL {
            let (axes, frame) = (convention.axes(), frame(convention));
            assert_eq!(frame.from_run(axes.spindle), X, "{convention}");
            assert_eq!(frame.from_run(axes.beam), [0.0, 0.0, -1.0], "{convention}");
        }
    }

    #[test]
    fn every_frame_is_a_proper_rotation() {
        let directions = [X, Y, Z, [0.6, -0.8, 0.0], [-0.3, 0.2, -0.9], [0.0; 3]];
        for spindle in directions {
            for beam in directions {
                let Frame { x, y, z } = Frame::of(spindle, beam);
                assert_eq!(cross(x, y), z, "{spindle:?} {beam:?}");
                assert_eq!([dot(x, x), dot(y, y), dot(x, y)], [1.0, 1.0, 0.0]);
            }
        }
    }

    #[test]
    fn the_frame_of_mosflm_is_that_of_the_header_key_dials_origin() {
        let frame = frame(Convention::Mosflm);
        assert_eq!(frame.from_run([1.0, 2.0, 3.0]), [3.0, 2.0, -1.0]);
        assert_eq!(
            run_from_exchange(frame.from_run([1.0, 2.0, 3.0])),
            [1.0, 2.0, 3.0]
        );
    }

    #[test]
    fn the_fast_axis_of_common_conventions_is_x() {
        for convention in [Convention::Mosflm, Convention::Xds, Convention::Adxv] {
            assert_eq!(frame(convention).from_run(convention.axes().fast), X);
        }
        let slow = |c: Convention| turned_about_x(frame(c).from_run(c.axes().slow));
        assert_eq!(slow(Convention::Xds), Y);
        assert_eq!(slow(Convention::Mosflm), Y);
        assert_eq!(slow(Convention::Adxv), negated(Y));
    }

    #[test]
    fn a_beam_a_little_off_does_not_turn_the_frame() {
        let straight = Frame::of(Z, X);
        assert_eq!(Frame::of([0.01, -0.02, 0.9], [0.99, 0.1, -0.05]), straight);
    }
}

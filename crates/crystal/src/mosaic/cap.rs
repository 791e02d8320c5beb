//! The model of the C program: rotations by at most the spread, about axes of the laboratory.

use std::f64::consts::PI;

use nanobragg_numeric::Scalar;
use nanobragg_numeric::random::MinimalStandard;

use super::draw::axis_rotation;

/// A random rotation about a random axis, as a matrix by rows.
///
/// It is computed from three uniform deviates r1, r2, r3 in [-1, 1), drawn in this order:
/// ```text
/// axis  = (sqrt(1 - r2^2) sin(pi r1), sqrt(1 - r2^2) cos(pi r1), r2)
/// angle = spread (1 - r3^2)^(1/3)
/// ```
/// The axis is uniform on the sphere, because zones of equal height have equal areas. The angle is
/// computed in `f32` and everything else in `f64`, as in the C program. The cube root is the `powf`
/// of the platform's C library: with a spread of 90 its last bit changes pixels by a percent.
pub fn cap_rotation(spread_rad: f32, stream: &mut MinimalStandard) -> [[f64; 3]; 3] {
    let turn = DomainTurn::draw(stream);
    axis_rotation(turn.axis, f64::from(spread_rad * turn.share))
}

/// The rotation of a mosaic domain of the C program: its axis, and its angle as a share of the spread.
/// Neither depends on the spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainTurn {
    /// The axis, a unit vector.
    pub axis: [f64; 3],
    /// The angle divided by the spread, from 0 to 1.
    pub share: f32,
}

impl DomainTurn {
    /// Draws the three deviates of [`cap_rotation`].
    fn draw(stream: &mut MinimalStandard) -> Self {
        let [r1, r2, r3] = std::array::from_fn(|_| stream.symmetric());
        let equator = (1.0 - r2 * r2).sqrt();
        Self {
            axis: [equator * (PI * r1).sin(), equator * (PI * r1).cos(), r2],
            // The exponent 1/3 is rounded to `f32`, as in the C program.
            share: ((1.0 - r3 * r3) as f32).powf((1.0_f64 / 3.0) as f32),
        }
    }

    /// The turns of the first `count` domains of a crystal. The first domain is not turned.
    pub fn of_domains(seed: i64, count: usize) -> Vec<Self> {
        let mut stream = MinimalStandard::from_seed(seed);
        let mut turns: Vec<_> = (0..count).map(|_| Self::draw(&mut stream)).collect();
        if let Some(first) = turns.first_mut() {
            first.share = 0.0;
        }
        turns
    }

    /// The rotation, as a matrix by rows, for a spread near `drawn_rad`.
    ///
    /// The angle is that for `drawn_rad`, computed in `f32`, plus the difference between the two
    /// spreads times the share. At `drawn_rad` this is [`cap_rotation`] to the bit. The derivative is
    /// that of the product `spread share` without the rounding to `f32`, which has none.
    pub fn rotation_near<T: Scalar>(&self, drawn_rad: f64, spread_rad: T) -> [[T; 3]; 3] {
        let drawn = f64::from(drawn_rad as f32 * self.share);
        let beyond = (spread_rad - T::from_f64(drawn_rad)) * T::from_f64(f64::from(self.share));
        axis_rotation(self.axis.map(T::from_f64), T::from_f64(drawn) + beyond)
    }
}

/// The angle over the spread below which a fraction `p` of the domains has its angle.
///
/// The angle is below `t` spreads where `r3^2 > 1 - t^3`, so that `p = 1 - sqrt(1 - t^3)`. The root mean square
/// angle is 0.8598 spreads: its square is the integral of `(1 - r^2)^(2/3)` from 0 to 1, which is
/// `sqrt(pi)/2 Gamma(5/3)/Gamma(13/6)`.
pub(super) fn quantile(p: f64) -> f64 {
    let r = 1.0 - p;
    (1.0 - r * r).cbrt()
}

//! The frame of the direct beam.

use crate::rotation::rotate_about;
use crate::vector::{cross, unit};

/// The direct beam and two directions across it, all of unit length.
///
/// ```
/// use nanobragg_geometry::BeamFrame;
///
/// let frame = BeamFrame::new([2.0, 0.0, 0.0], [0.0, 0.0, 1.0]);
/// assert_eq!(frame.direction(), [1.0, 0.0, 0.0]);
/// assert_eq!(frame.vertical(), [0.0, -1.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeamFrame {
    direction: [f64; 3],
    polarization: [f64; 3],
    vertical: [f64; 3],
}

impl BeamFrame {
    /// The frame of a beam along `direction` with its electric vector along `polarization`. Both
    /// are normalised; a zero vector stays zero.
    pub fn new(direction: [f64; 3], polarization: [f64; 3]) -> Self {
        Self::from_unit(unit(direction), unit(polarization))
    }

    /// The frame of two vectors that are already of unit length. They are not normalised again: a
    /// second division by their length can change the last bit.
    pub(crate) fn from_unit(direction: [f64; 3], polarization: [f64; 3]) -> Self {
        let vertical = unit(cross(direction, polarization));
        Self {
            direction,
            polarization,
            vertical,
        }
    }

    /// The direction from source to sample.
    pub const fn direction(&self) -> [f64; 3] {
        self.direction
    }

    /// The electric vector of a fully polarized beam.
    pub const fn polarization(&self) -> [f64; 3] {
        self.polarization
    }

    /// The direction across beam and electric vector, `unit(direction x polarization)`.
    pub const fn vertical(&self) -> [f64; 3] {
        self.vertical
    }

    /// The frame turned by two angles in radians: towards the electric vector, then towards
    /// [`vertical`](Self::vertical). The three directions keep their angles with each other.
    pub fn turned(&self, tilt_rad: [f64; 2]) -> Self {
        Self {
            direction: self.turn(self.direction, tilt_rad),
            polarization: self.turn(self.polarization, tilt_rad),
            vertical: self.turn(self.vertical, tilt_rad),
        }
    }

    /// A vector turned as the frame is by [`turned`](Self::turned).
    pub fn turn(&self, vector: [f64; 3], [horizontal_rad, vertical_rad]: [f64; 2]) -> [f64; 3] {
        let swung = rotate_about(vector, self.vertical, horizontal_rad);
        // `polarization x direction` is minus the vertical.
        rotate_about(swung, self.polarization, -vertical_rad)
    }
}

//! The axis that turns the crystal.

/// A goniometer of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goniometer {
    spindle: [f64; 3],
}

impl Goniometer {
    /// A goniometer whose spindle lies along `spindle`. The vector is not normalised here, because
    /// the C program rotates about axes of any length.
    pub const fn new(spindle: [f64; 3]) -> Self {
        Self { spindle }
    }

    /// The vector of the spindle. A positive phi turns the crystal about it right-handed.
    pub const fn spindle(&self) -> [f64; 3] {
        self.spindle
    }
}

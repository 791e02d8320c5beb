use std::ops::AddAssign;

use nanobragg_io::{Image, PixelState};

/// Pixels that a comparison leaves out, because one of the images has no measurement there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Gaps and defective pixels of either image.
    pub masked: usize,
    /// Of the others, those that are overloads in either image.
    pub overloaded: usize,
}

impl LeftOut {
    /// Leaves out of both images what is no measurement in one of them: these pixels become NaN. The
    /// states are those of the pixels of each image.
    pub fn from_both(images: [&mut Image<f32>; 2], states: [Vec<PixelState>; 2]) -> Self {
        let mut left_out = Self::default();
        let [a, b] = images;
        let pixels = a.rows_mut().flatten().zip(b.rows_mut().flatten());
        let [states_a, states_b] = states;
        for ((a, b), states) in pixels.zip(states_a.into_iter().zip(states_b)) {
            match states {
                (PixelState::Masked, _) | (_, PixelState::Masked) => left_out.masked += 1,
                (PixelState::Overloaded, _) | (_, PixelState::Overloaded) => {
                    left_out.overloaded += 1;
                }
                (PixelState::Measured, PixelState::Measured) => continue,
            }
            (*a, *b) = (f32::NAN, f32::NAN);
        }
        left_out
    }

    /// All of them.
    pub fn pixels(self) -> usize {
        self.masked + self.overloaded
    }
}

impl AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.masked += other.masked;
        self.overloaded += other.overloaded;
    }
}

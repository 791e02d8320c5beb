//! Pixels that measure nothing.

use serde::{Deserialize, Serialize};

use super::check_fraction;
use crate::{Context, Draw, Error, Moments, ResponseStage, Strip};

/// Dead pixels: a random fraction, which the seed chooses, and those of a list. They are the same in every
/// image of a detector. Their count is 0, also without an offset, and files mark them as masked.
///
/// ```text
/// no change of mean' and variance' of the other pixels; a dead pixel has no prediction
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadPixels {
    /// The probability of a pixel to be dead.
    pub fraction: f64,
    /// The seed of this choice.
    pub seed: i64,
    /// Further dead pixels: panel, and position along fast and slow, all from 0. Positions outside the
    /// detector have no effect.
    pub list: Vec<[usize; 3]>,
}

impl DeadPixels {
    /// Which pixels of a panel are dead, `[slow][fast]`.
    pub fn of_panel(&self, panel: usize, width: usize, height: usize) -> Vec<bool> {
        let mut pixels = vec![0.0; width * height];
        self.mark(&mut Strip {
            pixels: &mut pixels,
            width,
            panel,
            first_fast: 0,
            first_slow: 0,
        });
        pixels.into_iter().map(f64::is_nan).collect()
    }

    /// Sets dead pixels to NaN, which becomes a count of 0.
    fn mark(&self, strip: &mut Strip<'_>) {
        strip.rows(Draw::DeadPixels, self.seed, |noise, first, row| {
            noise.uniform(first, row, |pixel, uniform| {
                if uniform < self.fraction {
                    *pixel = f64::NAN;
                }
            });
        });
        for &[panel, fast, slow] in &self.list {
            if panel != strip.panel || fast < strip.first_fast || slow < strip.first_slow {
                continue;
            }
            let fast = fast - strip.first_fast;
            let mut rows = strip.pixels.chunks_mut(strip.width.max(1));
            let row = rows.nth(slow - strip.first_slow).unwrap_or_default();
            if let Some(pixel) = row.get_mut(fast) {
                *pixel = f64::NAN;
            }
        }
    }
}

impl ResponseStage for DeadPixels {
    fn check(&self) -> Result<(), Error> {
        check_fraction("dead_pixels.fraction", self.fraction)
    }

    fn apply(&self, strip: &mut Strip<'_>, _: &mut Context) {
        self.mark(strip);
    }

    fn predict(&self, _: &mut Moments) {}
}

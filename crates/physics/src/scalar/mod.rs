//! The scalar sum: one pixel after the other, in any kind of number.
//!
//! | file | what it is |
//! |---|---|
//! | `sum` | the sum as it is defined |
//! | `observer` | what looks on while it is worked |

mod observer;
mod sum;

pub(crate) use observer::{Observer, Subpixel, Term, Unobserved};
pub(crate) use sum::{Corrections, Pixel, PixelSum, sum_pixel};

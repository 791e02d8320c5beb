//! The scalar sum: one pixel after the other, in any number type.
//!
//! | file | content |
//! |---|---|
//! | `sum` | the definition of the sum |
//! | `observer` | what observes it |

mod observer;
mod sum;

pub(crate) use observer::{DiffuseTerm, Observer, Subpixel, Term, Unobserved};
pub(crate) use sum::{Corrections, Pixel, PixelSum, sum_pixel};

//! Derivatives of an image.
//!
//! An image is a function of the [`Numbers`] of an experiment: cell vectors, sources, placement of the
//! detector and so on. Nothing here knows what a user calls a parameter; who does gives, for each of
//! them, the rate at which every number follows it, a [`Tangent`].
//!
//! ```text
//! general path   a Scene<Dual<N>> through the scalar sum, term by term: everything there is
//! fast path      per pixel dI/dh summed once, then a small product for every parameter: blocks of
//!                pixels, for a parallelepiped with the nearest structure factor on a flat detector
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `numbers` | the numbers, in any number type, and their tangents |
//! | `tape` | the same sum backwards, for the derivatives by every structure factor |
//! | `tables` | the fast path's view of the tangents |
//! | `exceptions` | the pixel that the fast path leaves to the general one |
//! | `sweep` | rows in parallel |
//! | `sums` | what a row says of the structure factors |
//! | `forward` | images of derivatives |
//! | `backward` | derivatives of a number that depends on the image |

mod backward;
mod exceptions;
mod forward;
mod numbers;
pub(crate) mod sums;
mod sweep;
pub(crate) mod tables;
mod tape;

pub use backward::{Pullback, pullback, weighted_sum};
pub use forward::{derivatives_into, photons};
pub use numbers::{Numbers, PanelNumbers, SourceNumbers, Tangent};

//! Derivatives of an image.
//!
//! An image is a function of the [`Numbers`] of an experiment: cell vectors, sources, placement of the
//! detector and so on. This module has no names of parameters. A caller describes a parameter by a
//! [`Tangent`]: the derivative of every number by the parameter.
//!
//! ```text
//! general path   a Scene<Dual<N>> through the scalar sum, term by term: supports every scene
//! fast path      per pixel dI/dh summed once, then a small product for every parameter: blocks of
//!                pixels, for a parallelepiped with the nearest structure factor on a flat detector
//! ```
//!
//! | file | content |
//! |---|---|
//! | `numbers` | the numbers, in any number type, and their tangents |
//! | `tape` | the sum backwards, for the derivatives by every structure factor |
//! | `tables` | the tangents in tables for the fast path |
//! | `exceptions` | the pixel that needs the general path |
//! | `sweep` | rows in parallel |
//! | `sums` | sums of a row by structure factor |
//! | `forward` | images of derivatives |
//! | `layers` | the layers of amorphous material, added to the images and sums of the crystal |
//! | `backward` | derivatives of a number that depends on the image |

mod backward;
mod exceptions;
mod forward;
mod layers;
mod numbers;
pub(crate) mod sums;
mod sweep;
pub(crate) mod tables;
mod tape;

pub use backward::{Pullback, pullback, weighted_sum};
pub use forward::{derivatives_into, photons};
pub use numbers::{Numbers, PanelNumbers, SourceNumbers, Tangent};

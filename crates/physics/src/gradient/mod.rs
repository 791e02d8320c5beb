//! Derivatives of an image.
//!
//! An image is a function of the numbers in a [`Scene`]: cell vectors, sources, placement of the
//! detector and so on. Nothing here knows what a user calls a parameter; who does gives, for each of
//! them, the rate at which every number of the scene follows it, a [`Tangent`].
//!
//! ```text
//! general path   Scene<Dual<N>> through the reference's sum, term by term: everything there is
//! fast path      per pixel dI/dh summed once, then a small product for every parameter: blocks of
//!                pixels, for a parallelepiped with the nearest structure factor on a flat detector
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `scene` | the numbers, in any number type, and their tangents |
//! | `state` | what one pixel of a run leaves behind for the next |
//! | `pixel` | the general path: the reference's sum in any number type |
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
mod pixel;
mod scene;
mod state;
pub(crate) mod sums;
mod sweep;
pub(crate) mod tables;
mod tape;

pub use backward::{Pullback, pullback, weighted_sum};
pub use forward::{derivatives_into, photons};
pub use scene::{Scene, ScenePanel, SceneSource, Tangent};

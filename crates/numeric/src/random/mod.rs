//! Repeatable random numbers: uniform, Gaussian and Poisson.
//!
//! There are two kinds. The streams of the C program are sequences: [`MinimalStandard`] gives uniform
//! deviates; [`GaussianDeviates`] and [`PoissonNoise`] use them. All round to `f32` at the same places as
//! the C program: if one bit differed, one deviate might be accepted instead of rejected, and all later
//! deviates would differ.
//!
//! [`CounterNoise`] has no sequence: a deviate depends only on the seed and on the pixel. All its numbers
//! are `f64`.

mod counter;
mod counter_poisson;
mod deviates;
mod estimates;
mod log_gamma;
mod minimal_standard;
mod normal;
mod poisson;

pub use counter::{CounterNoise, PixelNoise};
pub use deviates::GaussianDeviates;
pub use log_gamma::log_gamma;
pub use minimal_standard::{MinimalStandard, SharedTable, UniformDeviates};
pub use normal::normal_quantile;
pub use poisson::PoissonNoise;

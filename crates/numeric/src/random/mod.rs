//! Repeatable random numbers: uniform, Gaussian and Poisson.
//!
//! [`MinimalStandard`] gives uniform deviates; [`GaussianDeviates`] and [`PoissonNoise`] use them. All
//! round to `f32` at the same places as the C program: if one bit differed, one deviate might be accepted
//! instead of rejected, and all later deviates would differ.

mod deviates;
mod log_gamma;
mod minimal_standard;
mod poisson;

pub use deviates::GaussianDeviates;
pub use log_gamma::log_gamma;
pub use minimal_standard::{MinimalStandard, SharedTable, UniformDeviates};
pub use poisson::PoissonNoise;

//! Repeatable chance: one uniform stream, and the deviates made from it.
//!
//! [`MinimalStandard`] is the stream; [`GaussianDeviates`] and [`PoissonNoise`] shape its uniform
//! deviates. All of them round to `f32` at the same places as the C program, because
//! a single bit decides whether a deviate is accepted, and from there on all that follows differs.

mod deviates;
mod log_gamma;
mod minimal_standard;
mod poisson;

pub use deviates::GaussianDeviates;
pub use log_gamma::log_gamma;
pub use minimal_standard::MinimalStandard;
pub use poisson::PoissonNoise;

//! Number types and random numbers for all formulas of nanoBragg.
//!
//! A formula is written once, generic over its number type: [`Real`] (the four operations and a
//! square root, so that SIMD lanes qualify) or [`Scalar`] (one number, with sine, cosine and
//! exponential, whose value may be branched on). [`Dual`] is a scalar that carries derivatives, so
//! that the same formula gives a gradient.
//!
//! Mosaic domains, random orientations and the photon noise of the C program use the same random number
//! generator, [`MinimalStandard`], each with its own seed:
//!
//! | purpose | function | uniform deviates used |
//! |---|---|---|
//! | a mosaic domain, a random misset | [`MinimalStandard::symmetric`] | 3 |
//! | a pixel of mean 0 | [`PoissonNoise::count`] | 1 |
//! | a pixel of mean m < 12 | [`PoissonNoise::count`] | its count plus 1 |
//! | a pixel of mean 12 to 1e6 | [`PoissonNoise::count`] | 2 or more for each try |
//! | a brighter pixel | [`PoissonNoise::count`] | 2 or more for every second pixel |
//!
//! The random numbers are stable: a seed gives the same deviates in every release, and the same as
//! in the C program. Counts also depend on the platform's `exp`, `ln` and `tan`.
//!
//! [`CounterNoise`] gives deviates that depend on the position of a pixel and not on other pixels.
//!
//! ```
//! use nanobragg_numeric::{MinimalStandard, PoissonNoise};
//!
//! assert_eq!(MinimalStandard::from_seed(1).uniform(), 0.41599935);
//!
//! let mut noise = PoissonNoise::from_seed(1);
//! assert_eq!(noise.count(100.0), 86.0);
//! ```

#![forbid(unsafe_code)]

pub mod dual;
pub mod random;
pub mod real;

pub use dual::Dual;
pub use random::{
    CounterNoise, GaussianDeviates, MinimalStandard, PixelNoise, PoissonNoise, log_gamma,
    normal_quantile,
};
pub use random::{SharedTable, UniformDeviates};
pub use real::{Real, Scalar};

//! The accuracy that a run asks for, and what it left out for it.

use thiserror::Error;

/// What a run with an accuracy left out of an image.
///
/// Terms of the sum are not negative, so no pixel is brighter than in the full sum. A pixel is darker by at
/// most `error_photons`, and by the rounding of an `f32`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Omission {
    /// The error that was allowed: the accuracy times the photons of a pixel of the image that was summed in
    /// full.
    pub allowed_photons: f64,
    /// The bound on the error that was kept, in photons: the sum of the bounds of all terms that were left
    /// out, in the pixel where this sum is largest.
    pub error_photons: f64,
    /// The terms that were summed, padding of vectors included.
    pub terms: f64,
    /// The terms of the full sum.
    pub all_terms: f64,
}

/// Why every term was summed although a run asked for an accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EveryTerm {
    /// Structure factors are interpolated.
    #[error("interpolated structure factors have no bound")]
    Interpolation,
    /// Corrections multiply the running sum, so that a term of 0 changes a pixel.
    #[error("the oddity oversample-flags multiplies all earlier terms by each correction")]
    RunningSum,
    /// Water whose photons are corrected term by term.
    #[error("water that is corrected term by term is everywhere")]
    Water,
    /// Numbers without a bound, for example a spot that grows outwards.
    #[error("no bound is known for the numbers of this scene")]
    Unbounded,
    /// Diffuse scattering.
    #[error("diffuse scattering is between the spots too")]
    Diffuse,
    /// The scalar backend renders the scene.
    #[error("the scalar backend sums every term")]
    Scalar,
}

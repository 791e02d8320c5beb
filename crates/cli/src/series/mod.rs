//! `-frames` and `-shots`: a series of images from one command line.
//!
//! `nanobragg::series` renders the series; `docs/SERIES.md` describes it.

mod carry_out;
mod error;

pub use carry_out::base_seeds;
pub(crate) use carry_out::{Asked, carry_out};
pub use error::SeriesError;

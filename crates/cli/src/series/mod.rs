//! `-frames` and `-shots`: many images by one command line.
//!
//! `nanobragg::series` renders them; `docs/SERIES.md` tells it all.

mod carry_out;
mod error;

pub use carry_out::base_seeds;
pub(crate) use carry_out::{Asked, carry_out};
pub use error::SeriesError;

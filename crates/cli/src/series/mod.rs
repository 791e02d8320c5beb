//! `-frames` and `-shots`: many images by one command line.
//!
//! | file | |
//! |---|---|
//! | `names` | the number of a frame in the names of its outputs |
//! | `log` | what of a series is complete, and how it is found again |
//! | `frame` | one frame: rendered, written, and what is said of it |
//! | `whole` | the one NeXus file of all frames |
//! | `course` | the whole series, frame by frame or some at a time |
//!
//! What a frame is, `nanobragg::series` decides; `docs/SERIES.md` tells it all.

mod course;
mod error;
mod frame;
mod log;
mod names;
mod whole;

pub use course::base_seeds;
pub(crate) use course::carry_out;
pub use error::SeriesError;
pub(crate) use whole::Place;

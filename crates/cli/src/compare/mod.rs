//! `nanoBragg compare`: two images side by side, or this program beside the C program.
//!
//! ```text
//! compare A B                      files -> Comparison -> text, JSON, picture
//! compare --reference C -- ARGS    C ARGS, nanoBragg ARGS -> float images -> the same, with times
//! ```
//!
//! | step | file |
//! |---|---|
//! | words to a [`Request`] | `request` |
//! | two image files of any format | `files` |
//! | both programs on the same arguments | `reference`, `child` |
//! | what was found, for people and for programs | `text`, `json` |
//! | all of that, one after the other | `carry_out` |
//!
//! ```
//! use nanobragg_cli::compare::{Asked, Request, Subject};
//!
//! let Asked::Compare(request) = Request::from_words(["a.bin", "b.img", "-tolerance", "1e-3"])? else {
//!     panic!("no help was asked for")
//! };
//! assert_eq!(request.tolerance.relative(), 1e-3);
//! assert!(matches!(request.subject, Subject::Files { .. }));
//! # Ok::<(), nanobragg_cli::compare::CompareError>(())
//! ```

mod carry_out;
mod child;
mod error;
mod files;
mod json;
mod reference;
mod report;
mod request;
mod text;

pub use carry_out::compare;
pub use error::CompareError;
pub use request::{Asked, Request, Sides, Subject};
pub(crate) use request::{in_one_line, with_two_dashes};

//! `nanoBragg compare`: compares two images, or this program with the C program.
//!
//! ```text
//! compare A B                      files -> Comparison -> text, JSON, picture
//! compare --reference C -- ARGS    C ARGS, nanoBragg ARGS -> float images -> the same, with run times
//! ```
//!
//! | step | file |
//! |---|---|
//! | words to a [`CompareRequest`] | `request` |
//! | both programs on the same arguments | `reference` |
//! | the complete comparison | `carry_out` |
//!
//! ```
//! use nanobragg_cli::Command;
//! use nanobragg_cli::compare::{CompareRequest, Subject};
//!
//! let Command::Run(request) = CompareRequest::from_words(["a.bin", "b.img", "-tolerance", "1e-3"])? else {
//!     panic!("no help was asked for")
//! };
//! assert_eq!(request.tolerance.relative(), 1e-3);
//! assert!(matches!(request.subject, Subject::Files { .. }));
//! # Ok::<(), nanobragg_cli::compare::CompareError>(())
//! ```

mod carry_out;
mod error;
mod reference;
mod request;

pub use carry_out::compare;
pub use error::CompareError;
pub(crate) use request::TOOL;
pub use request::{CompareRequest, Subject};

//! `nanoBragg refine`: fits an experiment to an image, or one with several images to all of them.
//!
//! ```text
//! refine FLAGS -- ARGS    ARGS -> ExperimentSpec, target image -> Refinement -> text, JSON, pictures
//! ```
//!
//! | step | file |
//! |---|---|
//! | words to a [`RefineRequest`] | `request` |
//! | the experiment and the target of each image | `images` |
//! | the flags of the refined experiment | `arguments` |
//! | the complete refinement | `carry_out` |
//!
//! ```
//! use nanobragg_cli::Command;
//! use nanobragg_cli::refine::{RefineRequest};
//!
//! let words = ["-target", "a.img", "-refine", "cell,distance", "--", "-cell", "70"];
//! let Command::Run(request) = RefineRequest::from_words(words)? else {
//!     panic!("no help was asked for")
//! };
//! assert_eq!(request.wanted.selection.len(), 2);
//! # Ok::<(), nanobragg_cli::refine::RefineError>(())
//! ```

mod arguments;
mod carry_out;
mod error;
mod images;
mod request;

pub use carry_out::refine;
pub use error::RefineError;
pub use request::RefineRequest;
pub(crate) use request::TOOL;

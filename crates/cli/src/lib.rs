//! The command line of `nanoBragg`: from the words of a user to [`Args`], and from [`Args`] to images
//! with the `nanobragg` library.
//!
//! Flags are defined once, in the tables of [`args`]: name, aliases, values, allowed range, help text,
//! and effect on [`Args`]. The parser, `--help` and the error messages read these tables.
//!
//! | step | module | from | to |
//! |---|---|---|---|
//! | spelling | [`argv`] | `-N 5`, `--N 5`, `--N=5` | flags in the order typed, each with its words |
//! | meaning | [`args`], `invocation` | flags in order, the last one wins | [`Args`] |
//! | execution | `specs`, `resolve`, `simulate`, `output_names`, `run` | [`Args`] | images on disk |
//! | series | `series` | [`Args`] | images on disk, and a log of the images |
//! | plans, records | `plan`, `record`, `rerun`, `diff` | [`Args`], records | plans, records, differences |
//! | other tools | [`new`], [`convert`], [`materials`], [`orient`], [`add`], [`verify`] | a structure, a file of reflections, a name, a cell, two images, a log | an experiment file, another format, a table, a matrix, a sum, whether files were changed |
//! | figures | `plot` | images, truth tables | pictures, curves |
//! | shells | [`shell`] | the tables of flags | completions, the manual page |
//! | companion programs | [`companions`] | the words of C's noisify, nonBragg | their files |
//! | comparison | [`compare`] | two images, or two programs | figures, a picture, JSON |
//! | live view | [`view`] | words and files of a page | photons, decisions, spots; a server for the page |
//! | refinement | [`refine`] | a target image | refined parameters, JSON, pictures |
//! | messages | [`help`], [`log`], [`progress`], [`report`], `printout`, `console`, `hint` | | text |
//!
//! ```
//! use nanobragg_cli::{Args, Invocation};
//!
//! let words = ["-N", "5", "-Na", "3", "-cell", "70", "80", "-misset", "1", "-2", "3"];
//! let Invocation::Run(args) = Invocation::from_words(words)? else {
//!     panic!("no help was asked for")
//! };
//! assert_eq!(args.crystal.cells, [Some(3), Some(5), Some(5)]);
//! assert_eq!(args.crystal.cell, Some(vec![70.0, 80.0]));
//! # Ok::<(), nanobragg_cli::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod add;
pub mod args;
pub mod argv;
mod base;
pub mod companions;
pub mod compare;
mod console;
pub mod convert;
pub mod detectors;
pub mod devices;
mod diff;
mod error;
mod exchange;
pub mod help;
mod hint;
mod invocation;
pub mod log;
pub mod materials;
pub mod new;
pub mod orient;
mod outcome;
mod output_names;
#[cfg(feature = "plot")]
mod page;
mod plan;
#[cfg(feature = "plot")]
pub mod plot;
mod printout;
// A page has neither an exit status nor signals.
#[cfg(not(target_family = "wasm"))]
pub mod program;
pub mod progress;
mod record;
pub mod refine;
pub mod report;
mod rerun;
mod resolve;
mod run;
mod series;
pub mod shell;
#[cfg(not(target_family = "wasm"))]
mod signals;
mod simulate;
mod specs;
mod subcommand;
pub mod verify;
pub mod view;

pub use args::{Args, Base};
pub use error::Error;
pub use invocation::Invocation;
pub use outcome::{Outcome, RunError};
pub use record::RecordError;
pub use resolve::{DEFAULT_DUMP, Inputs, Job, Prepared};
pub use run::run;
pub use series::{SeriesError, base_seeds};
pub use simulate::{options, warnings};
pub use subcommand::{Command, ToolError};

//! What the tests of this package share. The tests themselves stand beside this folder.
//!
//! | test file | holds the program to |
//! |---|---|
//! | `golden.rs` | the C program's images for 129 command lines, through the library and the binary |
//! | `backends.rs` | the scenes of [`suite`], which every backend must pass at every level and on any number of threads |
//! | `properties.rs` | what must hold for any experiment: turn the laboratory, crop, mask, add threads |
//! | `panels.rs` | detectors of several panels: cut, tilted, masked, differentiated |
//! | `value_stability.rs` | the C program's random numbers, one by one |
//! | `cli.rs` | spelling of flags, help, messages, exit status |
//! | `report.rs` | what a run says on standard output |
//! | `oddities.rs` | a warning for each oddity that changes the run, and for no other |
//! | `fixes/` | what `-fix` makes of each oddity, against derivations of its own |
//! | `outputs.rs` | which files a run leaves, and that they are complete or untouched |
//! | `bad_input/` | the right image or a refusal that names the culprit, whatever it is fed (docs/RELIABILITY.md) |
//! | `corpus.rs` | what the fuzz targets promise, for their corpus |
//! | `compare.rs` | `nanoBragg compare`: figures, formats, both programs side by side, refusals |
//! | `structure_factors.rs` | MTZ, mmCIF and text in, `nanoBragg hkl`, `nanoBragg orient` |
//! | `experiment_file.rs` | `-experiment` and `-save-experiment` |
//! | `plan_and_record.rs` | `-plan`, `-record`, `-rerun` and `-diff` |
//! | `differential.rs` | the images of a C binary at hand, for random command lines |
//!
//! A golden case is written once, as a command line ([`cases`]), and run in every way that [`ways`]
//! lists. Two sets of images are compared by [`compare`], within the bounds of [`tolerances`] and no
//! others. [`strategies`] draws random experiments, [`binary`] runs the program in a folder of its own.
//!
//! ```
//! use nanobragg_tests::cases;
//!
//! let cases = cases::all();
//! assert_eq!(cases.len(), 129);
//! assert_eq!(cases[0].name, "cubic");
//! ```

#![forbid(unsafe_code)]

pub mod binary;
pub mod cases;
pub mod compare;
pub mod picture;
pub mod products;
pub mod strategies;
pub mod suite;
pub mod tolerances;
pub mod ways;

//! The parts that the tests of this package share. The tests are in the parent folder.
//!
//! | test file | tests |
//! |---|---|
//! | `golden.rs` | equality with the C program's images for 129 command lines, in library and binary |
//! | `backends.rs` | the scenes of [`suite`] with every backend, level and number of threads |
//! | `properties.rs` | properties of any experiment: rotate the laboratory, crop, mask, add threads |
//! | `panels.rs` | detectors with several panels: cut, tilted, masked, differentiated |
//! | `gradients/` | derivatives of images, compared with central differences |
//! | `value_stability.rs` | equality with the C program's random numbers |
//! | `cli.rs` | spelling of flags, help, messages, exit status |
//! | `report.rs` | the report of a run on standard output |
//! | `oddities.rs` | a warning for each oddity that changes the run, and for no other |
//! | `fixes/` | the effect of `-fix` on each oddity, compared with independent derivations |
//! | `outputs.rs` | the output files of a run, which are complete or unchanged |
//! | `series/` | `-frames` and `-shots` |
//! | `bad_input/` | bad input: the right image or an error that names the cause (docs/RELIABILITY.md) |
//! | `corpus.rs` | the checks of the fuzz targets, for their corpus |
//! | `compare.rs` | `nanoBragg compare`: figures, formats, runs of both programs, errors |
//! | `plot.rs` | `nanoBragg plot`, and the pages of `-report` |
//! | `refine.rs` | `nanoBragg refine` |
//! | `accuracy.rs` | images with `-accuracy`, which are within their bound of those of every term |
//! | `structure_factors.rs` | MTZ, mmCIF and text as input, `nanoBragg hkl`, `nanoBragg orient` |
//! | `coordinates.rs` | images from coordinates of atoms |
//! | `energies.rs` | structure factors at the energy of each source, and their fall-off |
//! | `exchange.rs` | geometry from and to files of other programs |
//! | `experiment_file.rs` | `-experiment` and `-save-experiment` |
//! | `plan_and_record.rs` | `-plan`, `-record`, `-rerun` and `-diff` |
//! | `toolbox.rs` | the companion programs, compared with the files of the C programs |
//! | `differential.rs` | random command lines, compared with a C binary if there is one |
//!
//! A golden case is a command line ([`cases`]) and runs in all [`ways`]. [`compare`] compares two sets of
//! images within the [`tolerances`]. [`strategies`] generates random experiments, [`binary`] runs the
//! program in a temporary folder.
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
pub mod toolbox;
pub mod ways;

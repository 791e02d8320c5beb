//! Fits the numbers of an experiment to an image, or of several to as many images.
//!
//! [`refine`] starts from an [`ExperimentSpec`](nanobragg::ExperimentSpec) that is nearly right and fits
//! it to a [`Target`] by maximum likelihood. It returns cell, missetting angles, distance, fluence and
//! others with their standard uncertainties and correlations. The protocol and the formulas are in
//! `docs/REFINE.md`. [`refine_images`] does this for several images that share numbers.
//!
//! ```text
//! ExperimentSpec, Target, RefineSpec --refine--> Refinement
//!     for each attempt: for each stage: Levenberg-Marquardt on the normal equations
//! ```
//!
//! | step | file |
//! |---|---|
//! | the request | `spec`, `target`, `likelihood` |
//! | the free numbers: tied, bounded, restrained | `free` |
//! | the stages, from wide to narrow | `stage` |
//! | one stage: its images and the sums over their pixels | `fit`, `image_fit` |
//! | one stage as a least-squares problem | `problem`, `normal` |
//! | from start to result | `refine`, `attempt`, `covariance`, `refinement` |
//! | the result for people and for programs | `text`, `json`, `pictures` |
//!
//! An example that refines the fluence of a small crystal. The image is in proportion to it:
//!
//! ```
//! use nanobragg::gradient::{Parameter, with_value};
//! use nanobragg::{CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, RunOptions};
//! use nanobragg_refine::{Likelihood, RefineSpec, Schedule, Selection, Target, Variance, refine};
//!
//! let truth = ExperimentSpec {
//!     detector: DetectorSpec {
//!         pixels_fast: Some(16),
//!         pixels_slow: Some(16),
//!         ..DetectorSpec::default()
//!     },
//!     crystal: CrystalSpec {
//!         cell: Some(CellSpec::from_values(&[100.0])?),
//!         cells: [5; 3],
//!         ..CrystalSpec::default()
//!     },
//!     factors: FactorsSpec::Constant(100.0),
//!     ..ExperimentSpec::default()
//! };
//! let truth = with_value(&truth, Parameter::Fluence, 1e28)?;
//! let options = RunOptions::default();
//! let image = nanobragg::simulate(&truth.resolve()?.experiment, &options)?;
//!
//! let start = with_value(&truth, Parameter::Fluence, 3e28)?;
//! let wanted = RefineSpec {
//!     selection: vec![Selection::One(Parameter::Fluence)],
//!     likelihood: Likelihood::Gaussian(Variance::Fixed { sigma: 1.0 }),
//!     schedule: Schedule::Final,
//!     ..RefineSpec::default()
//! };
//! let target = Target::of_photons(&image.photons);
//! let refined = refine(&start, &target, &wanted, &options, &mut |_| {})?;
//! assert!((refined.estimates[0].value / 1e28 - 1.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod attempt;
mod covariance;
mod error;
mod fit;
mod free;
mod image_fit;
mod json;
mod likelihood;
mod normal;
mod pictures;
mod problem;
mod refine;
mod refinement;
mod spec;
mod stage;
mod target;
mod text;

pub use error::Error;
pub use free::{Free, FreeSet};
pub use likelihood::{Likelihood, POISSON_FLOOR, Variance};
pub use nanobragg::gradient::CrystalSystem;
pub use pictures::Pictures;
pub use refine::{refine, refine_images};
pub use refinement::{Ending, Estimate, ImageRecord, Iteration, Refinement, StageRecord};
pub use spec::{Bounds, RefineSpec, Restraint, Schedule, Selection, Stage, parameter};
pub use target::Target;

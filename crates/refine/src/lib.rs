//! x
#![forbid(unsafe_code)]
#![allow(missing_docs)]
mod attempt;
mod blur;
mod covariance;
mod error;
mod free;
mod likelihood;
mod normal;
mod problem;
mod refine;
mod refinement;
mod spec;
mod stage;
mod system;
mod target;
pub use error::Error;
pub use free::{Free, FreeSet};
pub use likelihood::{Likelihood, POISSON_FLOOR, Variance};
pub use spec::{Bounds, RefineSpec, Restraint, Schedule, Selection, Stage, parameter};
pub use system::CrystalSystem;
pub use target::Target;
pub use refine::refine;
pub use refinement::{Ending, Estimate, Iteration, Refinement, StageRecord};

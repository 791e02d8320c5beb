//! Many images of one experiment: a rotation in frames, or shots at crystals in random orientations.
//!
//! A frame is a function of the experiment, the series and its number, and of nothing else. So any
//! frame can be rendered alone, in any order and on any machine, and is the same to the bit.
//!
//! | file | |
//! |---|---|
//! | `spec` | [`SeriesSpec`], and one [`Frame`] of it |
//! | `vary` | [`VariationSpec`]: what varies from frame to frame, and the values of one frame |
//! | `quantity` | [`Quantity`]: what can vary, its value in an experiment, and how it is set |
//! | `distribution` | [`Distribution`] of the values of a quantity |
//! | `stated` | the warnings of files that state quantities of the first frame for all |
//! | `seeds` | the seeds of a frame, from a base seed and its number |
//! | `shard` | [`Shard`]: the part of a series that one job of many does |
//! | `names` | [`SeriesFiles`]: the number of a frame in the names of its files |
//! | `run` | [`SeriesRun`]: the whole series, frame by frame or some at a time |
//! | `log` | which frames are complete, and how a series is gone on with |
//! | `verify` | whether the files are still what the log says |
//! | `file` | an HDF5 file of several frames, with their tables |
//! | `store` | all such files of a run, their master file, and the joining of parts |
//!
//! ```
//! use nanobragg::series::{SeriesKind, SeriesSpec};
//! use nanobragg::{Angle, ExperimentSpec, PhiSpec, StepSpec};
//!
//! let spec = ExperimentSpec {
//!     phi: PhiSpec {
//!         start: Angle::from_degrees(30.0),
//!         sweep: StepSpec { range: Some(Angle::from_degrees(0.1).radians()), ..StepSpec::default() },
//!     },
//!     ..ExperimentSpec::default()
//! };
//! let series = SeriesSpec::new(SeriesKind::Rotation, 1800);
//! let fourth = series.frame(&spec, 4)?;
//! assert_eq!(fourth.phi_deg, 30.3);
//! assert_eq!(fourth.spec.phi.start, Angle::from_degrees(30.3));
//! # Ok::<(), nanobragg::Error>(())
//! ```

mod distribution;
mod file;
mod log;
mod names;
mod quantity;
mod run;
mod seeds;
mod shard;
mod spec;
mod stated;
mod store;
mod stream;
mod vary;
mod verify;

pub use distribution::{Distribution, Width};
pub(crate) use file::ImagePlace;
pub use log::SeriesIdentity;
pub use names::{SeriesFiles, is_numbered, numbered, of_part};
pub use quantity::Quantity;
pub use run::{FrameReport, SeriesObserver, SeriesRequest, SeriesRun};
pub use seeds::{BaseSeeds, frame_seed};
pub use shard::Shard;
pub use spec::{Frame, SeriesKind, SeriesSpec};
pub use store::PartOfSeries;
pub use vary::{Values, VariationSpec};
pub use verify::{FaultKind, FileFault, Verification, verify};

//! From photons to counts: the stages of a detector.
//!
//! A [`ResponseSpec`] describes the detector. A [`Response`] is this detector for one image: it applies
//! its stages in order to the expected photons of each panel and returns [`Counts`]. A writer only
//! encodes them.
//!
//! ```text
//! photons -> flicker -> calibration -> counting -> dead_time -> point_spread -> gain -> hot_pixels -> read_out
//!         -> noisy_pixels -> offset -> dead_pixels -> clipped integers
//! ```
//!
//! | image | from | stages | conversion to integers |
//! |---|---|---|---|
//! | noise | [`Response::measured`] | all stages of the spec | truncation |
//! | integer | [`Response::integers`] | a scale, the offset | rounding |
//! | grey | [`Response::greys`] | a scale | truncation |
//!
//! The same stages predict mean and variance of a pixel, [`ResponseSpec::predict`]. A stage is one file
//! in `stages`, which implements [`ResponseStage`], and one line in the list of `stages/mod.rs`. The
//! formulas are in `docs/RESPONSE.md`.
//!
//! ```
//! use nanobragg_response::{Counts, PanelPhotons, Response, ResponseSpec, Window};
//!
//! let panels = [PanelPhotons {
//!     panel: 0,
//!     pixels: &[0.0, 100.0, 1e6],
//!     width: 3,
//!     window: Window::ALL,
//! }];
//! let spec = ResponseSpec::default();
//! let noise: Counts<Vec<Vec<u16>>> = Response::measured(&spec, 1)?.apply(&panels, &|| true)?;
//! assert_eq!(noise.pixels, [[40, 144, 65535]]);
//! assert_eq!(noise.overloads, 1);
//!
//! let scaled: Counts<Vec<Vec<u16>>> = Response::integers(&spec, 0.055)?.apply(&panels, &|| true)?;
//! assert_eq!(scaled.pixels, [[40, 46, 55040]]);
//! # Ok::<(), nanobragg_response::Error>(())
//! ```

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod context;
mod digitise;
mod error;
pub mod noisify;
mod psf;
mod response;
mod stage;
mod stages;
mod threads;

pub use context::{Context, Draw, NoiseStream};
pub use digitise::Count;
pub use error::Error;
pub use psf::PointSpreadKernel;
pub use response::{Counts, PanelPhotons, Response, Window};
pub use stage::{Moments, ResponseStage, Strip};
pub use stages::*;

//! From photons to counts: the stages of a detector.
//!
//! A [`ResponseSpec`] says what the detector is like, and a [`Response`] is that detector for one
//! image. It takes the expected photons of each panel through its stages, in order, and returns
//! [`Counts`], which a writer only has to encode.
//!
//! ```text
//! photons -> calibration -> counting -> point_spread -> gain -> read_out -> offset -> clipped whole numbers
//! ```
//!
//! | image | made by | stages | numbers become whole by |
//! |---|---|---|---|
//! | noise | [`Response::measured`] | all that the spec names | truncation |
//! | integer | [`Response::integers`] | a scale, the offset | rounding |
//! | grey | [`Response::greys`] | a scale | truncation |
//!
//! The same stages predict: [`ResponseSpec::predict`] gives mean and variance of a pixel. A stage is
//! one file in `stages`, which implements [`ResponseStage`], and one line in the list of
//! `stages/mod.rs`. The formulas
//! are in `docs/RESPONSE.md`.
//!
//! ```
//! use nanobragg_response::{Counts, PanelPhotons, Response, ResponseSpec, Window};
//!
//! let panels = [PanelPhotons {
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

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod digitise;
mod error;
mod response;
mod stage;
mod stages;

pub use digitise::Count;
pub use error::Error;
pub use response::{Counts, PanelPhotons, Response, Window};
pub use stage::{Context, Moments, ResponseStage, Strip};
pub use stages::*;

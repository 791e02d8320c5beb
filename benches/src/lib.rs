//! What the benches render and read: scenes, and reflection lists of any size.
//!
//! Everything is computed from fixed numbers, so that two runs, and two machines, measure the same
//! work.
//!
//! | scene | pixels | terms a pixel | what it stresses |
//! |---|---|---|---|
//! | [`headline`] | 2463 x 2527 | 2 sources x 10 phi steps | the whole program on a large detector |
//! | [`headline_small`] | 247 x 253 | the same, in pixels ten times as wide | the kernel alone |
//! | [`lysozyme`] | 487 x 407 | 2 layers x 64 sub-pixels x 3 wavelengths x 5 x 15 domains | a realistic crystal |
//! | [`fine_spots`] | 2463 x 2527 | 20 domains | spots narrower than the space between them |
//! | [`xfel_shot`] | 1024 x 1024 | 4 sub-pixels x 10 wavelengths x 10 domains | a shot, coarsely |
//! | [`tricubic`] | as asked | 50 domains | interpolation between structure factors |
//!
//! ```
//! use nanobragg_benches::{headline_small, reflections_within};
//!
//! assert_eq!(reflections_within([10.0, 20.0, 30.0], 4.9).len(), 209);
//! let experiment = headline_small()?.resolve()?.experiment;
//! assert_eq!(experiment.sources.len() * experiment.phi.count as usize, 20);
//! # Ok::<(), nanobragg::Error>(())
//! ```
#![forbid(unsafe_code)]

mod reflections;
mod scenes;

pub use reflections::{HEADLINE_EDGES_ANGSTROM, hkl_text, reflections_box, reflections_within};
pub use scenes::{
    HEADLINE_D_MIN_ANGSTROM, fine_spots, headline, headline_factors, headline_small, lysozyme,
    tricubic, xfel_shot,
};

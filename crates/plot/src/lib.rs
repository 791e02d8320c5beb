//! Pictures of diffraction images, figures of what is in them, and reports of runs.
//!
//! ```text
//! file -> Picture (all panels in one, with the geometry) -> Figure (SVG) -> PNG, PDF, a terminal
//!                                                                        -> Report (HTML)
//! ```
//!
//! | module | |
//! |---|---|
//! | [`geometry`] | where pixels are: resolution, rings |
//! | [`picture`] | an image from a file, with what of it is a measurement |
//! | [`colour`] | values to colours |
//! | [`truth`] | the spots of a truth table |
//! | [`image_figure`], [`curves`], [`sheet`] | the figures |
//! | [`canvas`] | a figure as SVG, PNG, PDF |
//! | [`terminal`] | a figure in a terminal |
//! | [`report`] | one page of HTML |
//!
//! Axes, ticks and text are those of [plotters](https://docs.rs/plotters); [resvg](https://docs.rs/resvg) turns SVG
//! into pixels and [svg2pdf](https://docs.rs/svg2pdf) into PDF.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod canvas;
pub mod colour;
pub mod curves;
mod error;
pub mod geometry;
pub mod image_figure;
mod overlay;
pub mod picture;
pub mod report;
pub mod sheet;
pub mod terminal;
pub mod truth;

pub use canvas::Figure;
pub use colour::{ColourMap, Colours, Scale};
pub use error::{Error, Result};
pub use geometry::Geometry;
pub use picture::Picture;

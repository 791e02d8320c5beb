//! Point spread functions: profiles integrated over pixels, and their convolution with an image.

mod convolve;
mod integral;
mod kernel;

pub(crate) use convolve::{convolve, convolve_separable};
pub(crate) use integral::{FIBER_SCALE, fiber_quadrant, gauss_edges};
pub use kernel::PointSpreadKernel;

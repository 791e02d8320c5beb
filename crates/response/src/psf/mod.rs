//! Point spread functions: profiles, integrated over pixels.

mod integral;

pub(crate) use integral::{FIBER_SCALE, fiber_quadrant, gauss_edges};

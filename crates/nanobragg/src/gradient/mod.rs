//! Derivatives of an image by the numbers of its experiment.
//!
//! Derivatives are exact, not differences of images. The formulas of the image are evaluated in numbers
//! that carry derivatives, or are differentiated by hand where that is faster. `docs/GRADIENTS.md` says
//! what each [`Parameter`] moves, where there is no derivative, and how much time each function takes.
//!
//! | function | result | use |
//! |---|---|---|
//! | [`render_jvp`] | the image's derivative along one direction | a step of a line search |
//! | [`render_jacobian`] | one image of derivatives a parameter | least squares with few parameters |
//! | [`render_jacobian_into`] | the same, in the memory of an earlier one | every step of a fit |
//! | [`render_vjp`] | from dL/dpixel: dL by every parameter and structure factor | descent, many parameters |
//! | [`render_hvp`] | from dL/dpixel and a direction: the change of dL/dparameter along it | Newton's method |
//! | [`render_photons`] | the image in double precision with shifted parameters | checking the others |
//!
//! [`value`] and [`with_value`] read and set a parameter of a specification.
//!
//! ```
//! use nanobragg::gradient::{Parameter, render_jacobian, render_vjp, value, with_value};
//! use nanobragg::{CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, RunOptions};
//!
//! let spec = ExperimentSpec {
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
//! let options = RunOptions::default();
//! let parameters = [Parameter::CellA, Parameter::Distance];
//! let jacobian = render_jacobian(&spec, &parameters, &options)?;
//!
//! // A small step of a changes the image as predicted by its derivative.
//! let a = value(&spec, Parameter::CellA)?;
//! let moved = with_value(&spec, Parameter::CellA, a + 1e-4)?;
//! let moved = render_jacobian(&moved, &[], &options)?;
//! let difference = (moved.photons[40] - jacobian.photons[40]) / 1e-4;
//! assert!((difference / jacobian.derivatives[40] - 1.0).abs() < 1e-3);
//!
//! // Backwards: the derivative of the total number of photons by both parameters.
//! let vjp = render_vjp(&spec, &[1.0; 16 * 16], &parameters, &options)?;
//! let summed: f64 = jacobian.images().nth(1).into_iter().flatten().sum();
//! assert!((vjp.parameters[1] / summed - 1.0).abs() < 1e-9);
//! # Ok::<(), nanobragg::Error>(())
//! ```

mod base;
mod factors;
mod parameter;
mod render;
mod scene;
mod system;
mod value;

pub use factors::FactorGradient;
pub use parameter::Parameter;
pub use render::{
    Jacobian, Jvp, Vjp, render_hvp, render_jacobian, render_jacobian_into, render_jvp,
    render_photons, render_vjp,
};
pub use system::CrystalSystem;
pub use value::{value, with_value};

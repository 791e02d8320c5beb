//! Images of derivatives, and derivatives along directions and of weighted sums.

use std::sync::Arc;

use nanobragg_numeric::Dual;
use nanobragg_physics::RunOptions;
use nanobragg_physics::gradient::{
    Numbers, Tangent, derivatives_into, photons, pullback, weighted_sum,
};

use super::base::Base;
use super::factors::{FactorGradient, Tables};
use super::parameter::Parameter;
use super::scene::Shifts;
use crate::error::Error;
use crate::spec::ExperimentSpec;

/// The number of parameters whose second derivatives are computed together.
const TOGETHER: usize = 4;

/// An image and its derivatives by several parameters.
///
/// All images are of the whole detector, with one panel after the other. They are 0 outside the region of
/// interest and under the mask. If all panels have the same number of fast pixels, an image has this
/// number of fast pixels and the slow pixels of all panels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Jacobian {
    /// Photons per pixel, shape `[slow][fast]`.
    pub photons: Vec<f64>,
    /// Photons per pixel and unit of the parameter, shape `[parameter][slow][fast]`.
    pub derivatives: Vec<f64>,
    /// Pixels along the fast axis.
    pub fast: usize,
    /// Pixels along the slow axis.
    pub slow: usize,
}

impl Jacobian {
    /// The derivatives by each parameter, each of shape `[slow][fast]`.
    pub fn images(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.derivatives.chunks(self.photons.len().max(1))
    }
}

/// An image and its derivative along one direction, both of shape `[slow][fast]`, as in [`Jacobian`].
#[derive(Debug, Clone, PartialEq)]
pub struct Jvp {
    /// Photons per pixel.
    pub photons: Vec<f64>,
    /// The sum over the parameters of the derivative times the component of the direction.
    pub derivative: Vec<f64>,
    /// Pixels along the fast axis.
    pub fast: usize,
    /// Pixels along the slow axis.
    pub slow: usize,
}

/// The derivatives of a number L that depends on the image.
#[derive(Debug, Clone)]
pub struct Vjp {
    /// Photons per pixel, shape `[slow][fast]`.
    pub photons: Vec<f64>,
    /// dL by each parameter, in the order of the parameters.
    pub parameters: Vec<f64>,
    /// dL by every structure factor of the grid.
    pub factors: FactorGradient,
}

/// The image and its derivative by each of `parameters`, all in one pass.
///
/// Always every term in double precision; [`RunOptions::precision`] and [`RunOptions::accuracy`] have no effect.
///
/// # Errors
/// [`Error::NoDerivative`] if the image has no derivative by a parameter. Also the errors of
/// [`ExperimentSpec::resolve`] and of a run.
pub fn render_jacobian(
    spec: &ExperimentSpec,
    parameters: &[Parameter],
    options: &RunOptions<'_>,
) -> Result<Jacobian, Error> {
    let mut jacobian = Jacobian::default();
    render_jacobian_into(spec, parameters, options, &mut jacobian)?;
    Ok(jacobian)
}

/// [`render_jacobian`] into an earlier Jacobian of any experiment, whose memory is used again if it is
/// large enough. After an error its contents are meaningless.
///
/// For a sequence of Jacobians this saves the time in which the system provides new memory: a third of
/// the total for an image of millions of pixels.
///
/// # Errors
/// As [`render_jacobian`].
pub fn render_jacobian_into(
    spec: &ExperimentSpec,
    parameters: &[Parameter],
    options: &RunOptions<'_>,
    into: &mut Jacobian,
) -> Result<(), Error> {
    let base = Base::new(spec, options)?;
    let tangents = tangents(&base, parameters)?;
    [into.fast, into.slow] = base.shape();
    derivatives_into(
        &base.tables(),
        &tangents,
        options,
        &mut into.photons,
        &mut into.derivatives,
    )?;
    let tables = Tables::new(&base, parameters)?;
    let images = into.derivatives.chunks_mut(into.photons.len().max(1));
    for (&parameter, image) in parameters.iter().zip(images) {
        if let Some(derivative) = tables.derivative(&[(parameter, 1.0)], options)? {
            add(image, &derivative);
        }
    }
    Ok(())
}

/// The image and its derivative along `direction`: parameters, each with its component.
///
/// # Errors
/// As [`render_jacobian`].
pub fn render_jvp(
    spec: &ExperimentSpec,
    direction: &[(Parameter, f64)],
    options: &RunOptions<'_>,
) -> Result<Jvp, Error> {
    let base = Base::new(spec, options)?;
    let parameters: Vec<_> = direction.iter().map(|(parameter, _)| *parameter).collect();
    let tangents = tangents(&base, &parameters)?;
    let components = direction.iter().map(|(_, component)| *component);
    let combined = Tangent::combined(components.zip(&tangents));
    let (mut photons, mut derivative) = (Vec::new(), Vec::new());
    derivatives_into(
        &base.tables(),
        combined.as_slice(),
        options,
        &mut photons,
        &mut derivative,
    )?;
    // Without parameters the derivative is 0.
    derivative.resize(photons.len(), 0.0);
    if let Some(by_factors) = Tables::new(&base, &parameters)?.derivative(direction, options)? {
        add(&mut derivative, &by_factors);
    }
    let [fast, slow] = base.shape();
    Ok(Jvp {
        photons,
        derivative,
        fast,
        slow,
    })
}

/// The derivatives of a number L by each of `parameters` and by every structure factor of the grid. `weights`
/// are the derivatives of L by every pixel, shape `[slow][fast]`. This needs no image of derivatives.
///
/// # Errors
/// As [`render_jacobian`], and [`Error::Physics`] unless there is a weight for every pixel.
pub fn render_vjp(
    spec: &ExperimentSpec,
    weights: &[f64],
    parameters: &[Parameter],
    options: &RunOptions<'_>,
) -> Result<Vjp, Error> {
    let base = Base::new(spec, options)?;
    let tangents = tangents(&base, parameters)?;
    let mut pulled = pullback(&base.tables(), &tangents, weights, options)?;
    let tables = Tables::new(&base, parameters)?;
    for (&parameter, sum) in parameters.iter().zip(&mut pulled.parameters) {
        if let Some(derivative) = tables.derivative(&[(parameter, 1.0)], options)? {
            let products = derivative.iter().zip(weights);
            *sum += products.map(|(slope, weight)| slope * weight).sum::<f64>();
        }
    }
    Ok(Vjp {
        photons: pulled.photons,
        parameters: pulled.parameters,
        factors: FactorGradient::new(
            Arc::clone(&base.resolved.experiment.factors),
            pulled.factors,
        ),
    })
}

/// The change of `sum of weights times dphotons/dparameter` along a direction, for each of `parameters`.
/// `weights` are the derivatives of a number L by every pixel, shape `[slow][fast]`.
///
/// This is the product of the direction with the second derivatives of the image, summed with the
/// weights. If L is linear in the image, it is the product of the Hessian of L with the direction. For
/// any other L, add the effect of the change of its weights: [`render_vjp`] of `d2L/dpixel2` times
/// [`render_jvp`]. The computation takes the general path: the time of ten plain renders or more.
/// As [`render_vjp`].
pub fn render_hvp(
    spec: &ExperimentSpec,
    weights: &[f64],
    parameters: &[Parameter],
    direction: &[(Parameter, f64)],
    options: &RunOptions<'_>,
) -> Result<Vec<f64>, Error> {
    type Second = Dual<TOGETHER, Dual<1>>;
    let base = Base::new(spec, options)?;
    for &parameter in parameters.iter().chain(direction.iter().map(|(p, _)| p)) {
        base.check(parameter)?;
        if base.moves_factors(parameter) {
            return Err(Error::NoDerivative {
                parameter,
                reason: "it moves structure factors, of which there are first derivatives only",
            });
        }
    }
    let tables = base.tables();
    let along = direction.iter().map(|&(parameter, component)| {
        let step = Dual {
            real: 0.0,
            derivatives: [component],
        };
        (parameter, Second::constant(step))
    });
    let mut product = Vec::with_capacity(parameters.len());
    for group in parameters.chunks(TOGETHER) {
        let by = (group.iter().enumerate())
            .map(|(index, &parameter)| (parameter, Second::variable(Dual::constant(0.0), index)));
        let shifts: Vec<_> = along.clone().chain(by).collect();
        let numbers: Numbers<Second> = base.numbers(&Shifts(&shifts))?;
        let sum = weighted_sum(&tables, &numbers, weights, options)?;
        let rates = sum.derivatives.map(|by| by.derivatives);
        product.extend(rates.as_flattened().iter().take(group.len()));
    }
    Ok(product)
}

/// The image in double precision, shape `[slow][fast]`, with each of `shifts` added to its parameter.
///
/// The number of sub-pixels, the phi steps that are kept and the pixel in which interpolation ends are
/// those of the unshifted experiment. Images at neighbouring shifts are therefore values of one smooth
/// function, whose derivatives the other functions compute; this includes fractional numbers of cells.
///
/// # Errors
/// As [`render_jacobian`].
pub fn render_photons(
    spec: &ExperimentSpec,
    shifts: &[(Parameter, f64)],
    options: &RunOptions<'_>,
) -> Result<Vec<f64>, Error> {
    let base = Base::new(spec, options)?;
    for (parameter, _) in shifts {
        base.check(*parameter)?;
    }
    let numbers = base.numbers(&Shifts(shifts))?;
    let parameters: Vec<_> = shifts.iter().map(|(parameter, _)| *parameter).collect();
    let scene = match parameters.iter().any(|one| base.moves_factors(*one)) {
        true => Tables::new(&base, &parameters)?.moved(shifts)?,
        false => base.tables(),
    };
    Ok(photons(&scene, &numbers, options)?)
}

fn add(sum: &mut [f64], by: &[f64]) {
    for (sum, by) in sum.iter_mut().zip(by) {
        *sum += by;
    }
}

/// The derivatives of the numbers of the experiment by each of `parameters`.
fn tangents(base: &Base<'_>, parameters: &[Parameter]) -> Result<Vec<Tangent>, Error> {
    let tangent = |&parameter: &Parameter| {
        base.check(parameter)?;
        let shift = [(parameter, Dual::<1>::variable(0.0, 0))];
        Ok(Tangent::of(&base.numbers(&Shifts(&shift))?))
    };
    parameters.iter().map(tangent).collect()
}

impl Base<'_> {
    /// The numbers of fast and slow pixels of an image: the panels one below the other. If panels differ
    /// in their number of fast pixels, all pixels are in one row.
    fn shape(&self) -> [usize; 2] {
        let detector = &self.resolved.experiment.detector;
        let pixels = detector.pixel_count();
        let fast = detector.first().pixels_fast();
        if detector
            .panels()
            .iter()
            .all(|panel| panel.pixels_fast() == fast)
        {
            [fast as usize, pixels / fast as usize]
        } else {
            [pixels, 1]
        }
    }
}

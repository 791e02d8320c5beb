//! One stage as a least-squares problem for the minimiser.

use std::borrow::Cow;
use std::cell::RefCell;
use std::f64::consts::PI;

use levenberg_marquardt::LeastSquaresProblem;
use nalgebra::{DMatrix, DVector, Dyn, Owned};
use nanobragg::response::PointSpread;
use nanobragg::{ExperimentSpec, RunOptions, simulate};

use crate::Error;
use crate::free::FreeSet;
use crate::likelihood::{Likelihood, POISSON_FLOOR, PixelTerm};
use crate::normal::Normal;
use crate::target::Panels;
use nanobragg::gradient::{self, Jacobian};

/// The misfit of a step to an impossible experiment. Every other step is better.
const IMPOSSIBLE: f64 = 1e150;

/// A stage: its experiment, target and weights.
pub(crate) struct Fit<'a> {
    /// The experiment of the stage, with its pixels as the mask.
    pub(crate) spec: ExperimentSpec,
    /// One flag per pixel: whether the stage uses it.
    pub(crate) selected: Vec<bool>,
    pub(crate) free: FreeSet,
    /// The factor on the prediction. It is refined if `scale_is_free`.
    pub(crate) scale: f64,
    pub(crate) scale_is_free: bool,
    /// Photons, blurred as in this stage.
    pub(crate) target: Vec<f64>,
    pub(crate) blur: Option<PointSpread>,
    pub(crate) panels: Panels,
    pub(crate) weighting: Weighting,
    /// Centre and standard deviation of the prior of each value.
    pub(crate) priors: Vec<[f64; 2]>,
    pub(crate) options: &'a RunOptions<'a>,
    /// The images of the last step. Their memory is used again for the next step.
    pub(crate) images: RefCell<Jacobian>,
}

/// The misfit of a pixel.
pub(crate) enum Weighting {
    /// The deviance of a Poisson count.
    Deviance,
    /// The squared residual times the weight of the pixel.
    Weights(Vec<f64>),
}

impl Weighting {
    /// The weighting of a likelihood. Variances that depend on the photons are those of `predicted`.
    pub(crate) fn of(likelihood: &Likelihood, predicted: &[f64], panels: Panels) -> Self {
        match likelihood {
            Likelihood::Poisson => Self::Deviance,
            Likelihood::Gaussian(variance) => {
                let mut weights = variance.of(predicted, panels);
                weights
                    .iter_mut()
                    .for_each(|weight| *weight = 1.0 / *weight);
                Self::Weights(weights)
            }
        }
    }
}

impl Fit<'_> {
    /// The number of numbers that the minimiser changes.
    pub(crate) fn numbers(&self) -> usize {
        self.free.len() + usize::from(self.scale_is_free)
    }

    /// The values of the free numbers, the scale, and the derivatives of all of them by `u`. If the
    /// scale is refined, it is the last number of `u`.
    pub(crate) fn values(&self, u: &[f64]) -> (Vec<f64>, f64, Vec<f64>) {
        let (mut values, mut rates): (Vec<f64>, Vec<f64>) = (self.free.iter().zip(u))
            .map(|(free, &u)| free.value(u))
            .map(|[value, rate]| (value, rate))
            .unzip();
        values.truncate(self.free.len());
        let mut scale = self.scale;
        if self.scale_is_free {
            scale *= u.last().copied().unwrap_or(1.0);
            rates.push(self.scale);
        }
        (values, scale, rates)
    }

    /// The predicted photons, blurred, without the scale.
    pub(crate) fn predict(&self, values: &[f64]) -> Result<Vec<f64>, Error> {
        let spec = self.free.apply(&self.spec, values)?;
        let resolved = spec.resolve()?;
        let image = simulate(&resolved.experiment, self.options)?;
        let photons: Vec<f64> = image.photons.pixels().iter().map(|&p| p.into()).collect();
        Ok(self.blurred(photons.into()).into_owned())
    }

    /// An image with the blur of the stage.
    fn blurred<'p>(&self, photons: Cow<'p, [f64]>) -> Cow<'p, [f64]> {
        match &self.blur {
            Some(blur) => self.panels.spread(blur, &photons).into(),
            None => photons,
        }
    }

    /// The misfit without derivatives, which the fast kernel renders.
    pub(crate) fn misfit(&self, u: &[f64]) -> Result<f64, Error> {
        let (values, scale, _) = self.values(u);
        let predicted = self.predict(&values)?;
        let mut misfit = 0.0;
        for (pixel, &model) in predicted.iter().enumerate() {
            if self.selected[pixel] {
                misfit += self.term(pixel, scale * model).misfit;
            }
        }
        Ok(misfit + self.restraints(&values).misfit)
    }

    /// The normal equations for the values of the free numbers, and for the scale as the last one.
    pub(crate) fn normal(&self, u: &[f64]) -> Result<Normal, Error> {
        let (values, scale, _) = self.values(u);
        let spec = self.free.apply(&self.spec, &values)?;
        let parameters = self.free.parameters();
        let mut jacobian = self.images.borrow_mut();
        gradient::render_jacobian_into(&spec, &parameters, self.options, &mut jacobian)?;
        let Jacobian {
            photons,
            derivatives,
            ..
        } = &mut *jacobian;
        let mut columns: Vec<Cow<'_, [f64]>> = Vec::new();
        let mut derivatives = derivatives.chunks_mut(photons.len().max(1));
        for free in self.free.iter() {
            // Tied parameters move together, so the derivative is the sum over them.
            let sum = derivatives.next().unwrap_or_default();
            for _ in 1..free.parameters().len() {
                let tied = derivatives.next().unwrap_or_default();
                sum.iter_mut().zip(tied).for_each(|(sum, d)| *sum += *d);
            }
            // The blur is linear, so the derivative of a blurred image is the blurred derivative.
            columns.push(self.blurred(Cow::Borrowed(sum)));
        }
        let predicted = self.blurred(Cow::Borrowed(photons));
        let n = self.numbers();
        let mut normal = Normal::zeros(n);
        let mut row = vec![0.0; n];
        for (pixel, &model) in predicted.iter().enumerate() {
            if !self.selected[pixel] {
                continue;
            }
            let term = self.term(pixel, scale * model);
            for (to, column) in row.iter_mut().zip(&columns) {
                *to = scale * column[pixel];
            }
            if self.scale_is_free {
                row[n - 1] = model;
            }
            normal.misfit += term.misfit;
            // The lower triangle only; `symmetric` fills the upper one.
            for i in 0..n {
                normal.gradient[i] += term.slope * row[i];
                for j in 0..=i {
                    normal.matrix[(i, j)] += term.weight * row[i] * row[j];
                }
            }
        }
        let restraints = self.restraints(&values);
        normal.misfit += restraints.misfit;
        normal.gradient += restraints.gradient;
        normal.matrix += restraints.matrix;
        Ok(normal.symmetric())
    }

    /// The weights of a stage before the last: the inverse of the counting noise of the blurred target
    /// plus its mean. The mean limits the weight of dark pixels.
    pub(crate) fn rough_weights(&self, blur_pixels: f64) -> Vec<f64> {
        let pairs = self.target.iter().zip(&self.selected);
        let photons = pairs.filter(|(_, selected)| **selected).map(|(t, _)| *t);
        let (count, total) = photons.fold((0.0, 0.0), |(n, sum), t| (n + 1.0, sum + t));
        let mean = f64::max(total / f64::max(count, 1.0), f64::MIN_POSITIVE);
        // A Gaussian of standard deviation s divides the variance of independent pixels by
        // 4 pi s^2, the inverse of the integral of its square.
        let averaged = (4.0 * PI * blur_pixels * blur_pixels).max(1.0);
        let weight = |&t: &f64| averaged / (t.max(0.0) + mean);
        self.target.iter().map(weight).collect()
    }

    /// The factor on the prediction with the least weighted squares of `target - factor prediction`,
    /// and the cosine of the angle between the two images.
    pub(crate) fn scale_and_overlap(&self, predicted: &[f64], weights: &[f64]) -> (f64, f64) {
        let (mut tm, mut tt, mut mm) = (0.0, 0.0, 0.0);
        for (i, (&m, &w)) in predicted.iter().zip(weights).enumerate() {
            if self.selected[i] {
                let t = self.target[i];
                tm += w * t * m;
                tt += w * t * t;
                mm += w * m * m;
            }
        }
        (tm / mm, tm / (tt * mm).sqrt())
    }

    /// The squared residuals of a stage without blur, divided by their expectation from noise.
    pub(crate) fn goodness(&self, values: &[f64], likelihood: &Likelihood) -> Result<f64, Error> {
        let mut predicted = self.predict(values)?;
        predicted.iter_mut().for_each(|m| *m *= self.scale);
        let (variances, floor) = match likelihood {
            Likelihood::Poisson => (predicted.clone(), POISSON_FLOOR),
            Likelihood::Gaussian(variance) => (variance.of(&predicted, self.panels), 0.0),
        };
        let (mut found, mut expected) = (0.0, 0.0);
        for (i, (m, variance)) in predicted.iter().zip(variances).enumerate() {
            if !self.selected[i] {
                continue;
            }
            let residual = self.target[i] - m;
            let weight = 1.0 / (variance + floor);
            found += weight * residual * residual;
            expected += weight * variance;
        }
        Ok(found / expected)
    }

    /// The sums of the priors and of the user's restraints: each is a squared residual.
    fn restraints(&self, values: &[f64]) -> Normal {
        let mut normal = Normal::zeros(self.numbers());
        for (i, (value, [centre, sigma])) in values.iter().zip(&self.priors).enumerate() {
            let weight = sigma.powi(-2);
            let off = value - centre;
            normal.misfit += weight * off * off;
            normal.gradient[i] += weight * off;
            normal.matrix[(i, i)] += weight;
        }
        for (i, (free, value)) in self.free.iter().zip(values).enumerate() {
            let Some(restraint) = free.restraint() else {
                continue;
            };
            let weight = restraint.sigma.powi(-2);
            let off = value - restraint.value;
            normal.misfit += weight * off * off;
            normal.gradient[i] += weight * off;
            normal.matrix[(i, i)] += weight;
        }
        normal
    }

    /// The term of one pixel in the sums.
    fn term(&self, pixel: usize, model: f64) -> PixelTerm {
        let target = self.target[pixel];
        match &self.weighting {
            Weighting::Deviance => PixelTerm::deviance(target, model),
            Weighting::Weights(weights) => PixelTerm::square(target, model, weights[pixel]),
        }
    }
}

/// A step that was evaluated with derivatives, because it improved the fit.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The number of such steps before it.
    pub(crate) index: usize,
    pub(crate) u: Vec<f64>,
    pub(crate) normal: Normal,
}

/// A [`Fit`] with the interface of the minimiser.
pub(crate) struct Problem<'f, 'a> {
    pub(crate) fit: &'f Fit<'a>,
    u: DVector<f64>,
    /// Added to the misfit, so that it is a sum of squares.
    constant: f64,
    /// The minimiser asks for residuals through a shared reference.
    state: RefCell<MinimiserState<'f>>,
}

/// The results of the evaluations so far.
struct MinimiserState<'f> {
    best: Option<Step>,
    /// Residuals and Jacobian of the best step.
    last: Option<(DVector<f64>, DMatrix<f64>)>,
    evaluations: usize,
    error: Option<Error>,
    observe: &'f mut dyn FnMut(&Step),
}

impl<'f, 'a> Problem<'f, 'a> {
    /// The problem of a stage. `observe` is called after each step that improves the fit.
    pub(crate) fn new(fit: &'f Fit<'a>, observe: &'f mut dyn FnMut(&Step)) -> Self {
        let pixels = fit.selected.iter().filter(|&&used| used).count();
        // The matrix of a deviance is an expectation, so the squares of the other residuals can exceed
        // the misfit. One per pixel leaves room for the last residual.
        let constant = match fit.weighting {
            Weighting::Deviance => pixels as f64,
            Weighting::Weights(_) => 0.0,
        };
        Self {
            u: DVector::from_element(fit.numbers(), 1.0),
            constant,
            state: RefCell::new(MinimiserState {
                best: None,
                last: None,
                evaluations: 0,
                error: None,
                observe,
            }),
            fit,
        }
    }

    /// The best step, the number of steps that improved the fit, and the error that ended it.
    pub(crate) fn end(self) -> (Option<Step>, usize, Option<Error>) {
        let state = self.state.into_inner();
        (state.best, state.evaluations, state.error)
    }

    /// The residuals at the present numbers.
    ///
    /// A step is first rendered without derivatives, which is much faster. Only a step that improves
    /// the fit is rendered with them. For any other step the minimiser uses the sum of the squared
    /// residuals alone, so all of it is put in the last residual.
    fn evaluate(&self) -> Result<DVector<f64>, Error> {
        let u = self.u.as_slice();
        let mut state = self.state.borrow_mut();
        let n = self.fit.numbers();
        let rejected = |misfit: f64| {
            let mut residuals = DVector::zeros(n + 1);
            residuals[n] = misfit.max(0.0).sqrt();
            residuals
        };
        if let Some(best) = &state.best {
            let misfit = match self.fit.misfit(u) {
                Ok(misfit) => misfit,
                Err(error) if is_fatal(&error) => return Err(error),
                // A step can lead to an impossible experiment, such as a cell without volume.
                Err(_) => return Ok(rejected(IMPOSSIBLE)),
            };
            if !misfit.is_finite() {
                return Ok(rejected(IMPOSSIBLE));
            }
            if misfit > best.normal.misfit {
                return Ok(rejected(misfit + self.constant));
            }
        }
        let normal = match self.fit.normal(u) {
            Err(error) if state.best.is_none() || is_fatal(&error) => return Err(error),
            Err(_) => return Ok(rejected(IMPOSSIBLE)),
            Ok(normal) => normal,
        };
        if !normal.misfit.is_finite() {
            return Ok(rejected(IMPOSSIBLE));
        }
        let (_, _, rates) = self.fit.values(u);
        let mut by_u = normal.by(&rates);
        by_u.misfit += self.constant;
        let (residuals, jacobian) = by_u.as_least_squares();
        state.last = Some((residuals.clone(), jacobian));
        let step = Step {
            index: state.evaluations,
            u: u.to_vec(),
            normal,
        };
        state.evaluations += 1;
        (state.observe)(&step);
        state.best = Some(step);
        Ok(residuals)
    }
}

/// Whether the error must end the refinement: an interruption by the user.
fn is_fatal(error: &Error) -> bool {
    use nanobragg::physics::Error as Physics;
    matches!(
        error,
        Error::Experiment(nanobragg::Error::Physics(Physics::Cancelled))
    )
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_, '_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, u: &DVector<f64>) {
        self.u.copy_from(u);
    }

    fn params(&self) -> DVector<f64> {
        self.u.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        match self.evaluate() {
            Ok(residuals) => Some(residuals),
            Err(error) => {
                self.state.borrow_mut().error = Some(error);
                None
            }
        }
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        // The minimiser asks only at steps that it accepts, and those were evaluated with derivatives.
        let state = self.state.borrow();
        state.last.as_ref().map(|(_, jacobian)| jacobian.clone())
    }
}

//! One stage as a least-squares problem.

use std::borrow::Cow;
use std::cell::RefCell;
use std::f64::consts::PI;

use levenberg_marquardt::LeastSquaresProblem;
use nalgebra_of_minimiser::{DMatrix, DVector, Dyn, Owned};
use nanobragg::response::PointSpread;
use nanobragg::{ExperimentSpec, RunOptions, simulate};

use crate::Error;
use crate::free::FreeSet;
use crate::likelihood::{Likelihood, POISSON_FLOOR, Term};
use crate::normal::Normal;
use nanobragg::gradient::{self, Jacobian};

/// What the residuals of a step that cannot be are worth: any other step is better.
const HOPELESS: f64 = 1e150;

/// A stage, ready to be evaluated.
pub(crate) struct Fit<'a> {
    /// The experiment of the stage, with the pixels that it looks at.
    pub(crate) spec: ExperimentSpec,
    pub(crate) looked_at: Vec<bool>,
    pub(crate) free: FreeSet,
    /// Factor on the prediction; free if `scale_is_free`.
    pub(crate) scale: f64,
    pub(crate) scale_is_free: bool,
    /// Photons, smeared if the stage smears.
    pub(crate) target: Vec<f64>,
    pub(crate) blur: Option<PointSpread>,
    pub(crate) pixels_fast: usize,
    pub(crate) weighting: Weighting,
    /// Centre and standard deviation of what is known of the values from the start.
    pub(crate) priors: Vec<[f64; 2]>,
    pub(crate) options: &'a RunOptions<'a>,
    /// The images of the last step, whose memory serves the next.
    pub(crate) images: RefCell<Jacobian>,
}

/// How a pixel is weighed.
pub(crate) enum Weighting {
    /// By the deviance of a count.
    Deviance,
    /// By these weights.
    Weights(Vec<f64>),
}

impl Weighting {
    pub(crate) fn of(likelihood: &Likelihood, predicted: &[f64], pixels_fast: usize) -> Self {
        match likelihood {
            Likelihood::Poisson => Self::Deviance,
            Likelihood::Gaussian(variance) => {
                let mut weights = variance.of(predicted, pixels_fast);
                weights
                    .iter_mut()
                    .for_each(|weight| *weight = 1.0 / *weight);
                Self::Weights(weights)
            }
        }
    }
}

impl Fit<'_> {
    pub(crate) fn numbers(&self) -> usize {
        self.free.len() + usize::from(self.scale_is_free)
    }

    /// Values of the free parameters and the scale, and their derivatives by `u`.
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

    /// Photons predicted, smeared, without the scale.
    pub(crate) fn predict(&self, values: &[f64]) -> Result<Vec<f64>, Error> {
        let spec = self.free.apply(&self.spec, values)?;
        let resolved = spec.resolve()?;
        let image = simulate(&resolved.experiment, self.options)?;
        let photons: Vec<f64> = image.photons.pixels().iter().map(|&p| p.into()).collect();
        Ok(self.smeared(photons.into()).into_owned())
    }

    fn smeared<'p>(&self, photons: Cow<'p, [f64]>) -> Cow<'p, [f64]> {
        match &self.blur {
            Some(blur) => blur.spread(&photons, self.pixels_fast).into(),
            None => photons,
        }
    }

    /// The misfit alone.
    pub(crate) fn misfit(&self, u: &[f64]) -> Result<f64, Error> {
        let (values, scale, _) = self.values(u);
        let predicted = self.predict(&values)?;
        let mut misfit = 0.0;
        for (pixel, &model) in predicted.iter().enumerate() {
            if self.looked_at[pixel] {
                misfit += self.term(pixel, scale * model).misfit;
            }
        }
        Ok(misfit + self.restraints(&values).misfit)
    }

    /// The normal equations by the values of the free parameters, the scale last.
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
            let sum = derivatives.next().unwrap_or_default();
            for _ in 1..free.parameters().len() {
                let tied = derivatives.next().unwrap_or_default();
                sum.iter_mut().zip(tied).for_each(|(sum, d)| *sum += *d);
            }
            columns.push(self.smeared(Cow::Borrowed(sum)));
        }
        let predicted = self.smeared(Cow::Borrowed(photons));
        let n = self.numbers();
        let mut normal = Normal::zeros(n);
        let mut row = vec![0.0; n];
        for (pixel, &model) in predicted.iter().enumerate() {
            if !self.looked_at[pixel] {
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

    /// The weights of a stage before the last: noise of the target as it is smeared, and of its mean,
    /// so that a dark pixel does not weigh infinitely.
    pub(crate) fn rough_weights(&self, blur_pixels: f64) -> Vec<f64> {
        let looked = self.target.iter().zip(&self.looked_at);
        let looked = looked.filter(|(_, looked)| **looked).map(|(t, _)| *t);
        let (count, total) = looked.fold((0.0, 0.0), |(n, sum), t| (n + 1.0, sum + t));
        let mean = f64::max(total / f64::max(count, 1.0), f64::MIN_POSITIVE);
        // A Gaussian averages the noise of this many pixels.
        let averaged = (4.0 * PI * blur_pixels * blur_pixels).max(1.0);
        let weight = |&t: &f64| averaged / (t.max(0.0) + mean);
        self.target.iter().map(weight).collect()
    }

    /// The factor that brings the prediction nearest to the target, and the cosine of the angle
    /// between them.
    pub(crate) fn scale_and_overlap(&self, predicted: &[f64], weights: &[f64]) -> (f64, f64) {
        let (mut tm, mut tt, mut mm) = (0.0, 0.0, 0.0);
        for (i, (&m, &w)) in predicted.iter().zip(weights).enumerate() {
            if self.looked_at[i] {
                let t = self.target[i];
                tm += w * t * m;
                tt += w * t * t;
                mm += w * m * m;
            }
        }
        (tm / mm, tm / (tt * mm).sqrt())
    }

    /// The squared residuals of an unsmeared stage over what noise explains.
    pub(crate) fn goodness(&self, values: &[f64], likelihood: &Likelihood) -> Result<f64, Error> {
        let mut predicted = self.predict(values)?;
        predicted.iter_mut().for_each(|m| *m *= self.scale);
        let (variances, floor) = match likelihood {
            Likelihood::Poisson => (predicted.clone(), POISSON_FLOOR),
            Likelihood::Gaussian(variance) => (variance.of(&predicted, self.pixels_fast), 0.0),
        };
        let (mut found, mut expected) = (0.0, 0.0);
        for (i, (m, variance)) in predicted.iter().zip(variances).enumerate() {
            if !self.looked_at[i] {
                continue;
            }
            let residual = self.target[i] - m;
            let weight = 1.0 / (variance + floor);
            found += weight * residual * residual;
            expected += weight * variance;
        }
        Ok(found / expected)
    }

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

    fn term(&self, pixel: usize, model: f64) -> Term {
        let target = self.target[pixel];
        match &self.weighting {
            Weighting::Deviance => Term::deviance(target, model),
            Weighting::Weights(weights) => Term::square(target, model, weights[pixel]),
        }
    }
}

/// A step that was evaluated with derivatives.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// How many came before it.
    pub(crate) index: usize,
    pub(crate) u: Vec<f64>,
    pub(crate) normal: Normal,
}

/// A [`Fit`] as the minimiser sees it.
pub(crate) struct Problem<'f, 'a> {
    pub(crate) fit: &'f Fit<'a>,
    u: DVector<f64>,
    /// Added to the misfit, so that it is a sum of squares.
    constant: f64,
    course: RefCell<Course<'f>>,
}

struct Course<'f> {
    best: Option<Step>,
    last: Option<(DVector<f64>, DMatrix<f64>)>,
    evaluations: usize,
    error: Option<Error>,
    told: &'f mut dyn FnMut(&Step),
}

impl<'f, 'a> Problem<'f, 'a> {
    pub(crate) fn new(fit: &'f Fit<'a>, told: &'f mut dyn FnMut(&Step)) -> Self {
        let pixels = fit.looked_at.iter().filter(|&&used| used).count();
        let constant = match fit.weighting {
            Weighting::Deviance => pixels as f64,
            Weighting::Weights(_) => 0.0,
        };
        Self {
            u: DVector::from_element(fit.numbers(), 1.0),
            constant,
            course: RefCell::new(Course {
                best: None,
                last: None,
                evaluations: 0,
                error: None,
                told,
            }),
            fit,
        }
    }

    pub(crate) fn end(self) -> (Option<Step>, usize, Option<Error>) {
        let course = self.course.into_inner();
        (course.best, course.evaluations, course.error)
    }

    fn evaluate(&self) -> Result<DVector<f64>, Error> {
        let u = self.u.as_slice();
        let mut course = self.course.borrow_mut();
        let n = self.fit.numbers();
        let hopeless = |misfit: f64| {
            let mut residuals = DVector::zeros(n + 1);
            residuals[n] = misfit.max(0.0).sqrt();
            residuals
        };
        if let Some(best) = &course.best {
            let misfit = match self.fit.misfit(u) {
                Ok(misfit) => misfit,
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => return Ok(hopeless(HOPELESS)),
            };
            if !misfit.is_finite() {
                return Ok(hopeless(HOPELESS));
            }
            if misfit > best.normal.misfit {
                return Ok(hopeless(misfit + self.constant));
            }
        }
        let normal = match self.fit.normal(u) {
            Err(error) if course.best.is_none() || is_fatal(&error) => return Err(error),
            Err(_) => return Ok(hopeless(HOPELESS)),
            Ok(normal) => normal,
        };
        if !normal.misfit.is_finite() {
            return Ok(hopeless(HOPELESS));
        }
        let (_, _, rates) = self.fit.values(u);
        let mut by_u = normal.by(&rates);
        by_u.misfit += self.constant;
        let (residuals, jacobian) = by_u.as_least_squares();
        course.last = Some((residuals.clone(), jacobian));
        let step = Step {
            index: course.evaluations,
            u: u.to_vec(),
            normal,
        };
        course.evaluations += 1;
        (course.told)(&step);
        course.best = Some(step);
        Ok(residuals)
    }
}

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
                self.course.borrow_mut().error = Some(error);
                None
            }
        }
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let course = self.course.borrow();
        course.last.as_ref().map(|(_, jacobian)| jacobian.clone())
    }
}

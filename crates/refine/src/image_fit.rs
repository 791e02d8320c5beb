//! One image of a stage: its prediction, and its sums over pixels.

use std::borrow::Cow;
use std::f64::consts::PI;

use nanobragg::gradient::{self, Jacobian};
use nanobragg::response::PointSpread;
use nanobragg::{ExperimentSpec, RunOptions, simulate};

use crate::Error;
use crate::free::FreeSet;
use crate::likelihood::{Likelihood, POISSON_FLOOR, PixelTerm};
use crate::normal::Normal;
use crate::target::Panels;

/// An image of a stage: its experiment, target and weights.
pub(crate) struct ImageFit {
    /// The place of the image among those of the refinement.
    pub(crate) index: usize,
    /// The experiment of the stage, with its pixels as the mask.
    pub(crate) spec: ExperimentSpec,
    /// One flag per pixel: whether the stage uses it.
    pub(crate) selected: Vec<bool>,
    /// The factor on the prediction.
    pub(crate) scale: f64,
    /// Photons, blurred as in this stage.
    pub(crate) target: Vec<f64>,
    pub(crate) blur: Option<PointSpread>,
    pub(crate) panels: Panels,
    pub(crate) weighting: Weighting,
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

/// Weighted sums over the pixels of products of target t and prediction m.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overlap {
    pub(crate) tm: f64,
    pub(crate) tt: f64,
    pub(crate) mm: f64,
}

impl Overlap {
    /// The factor on the prediction with the least weighted squares of `target - factor prediction`.
    pub(crate) fn scale(self) -> f64 {
        self.tm / self.mm
    }

    /// The cosine of the angle between target and prediction.
    pub(crate) fn cosine(self) -> f64 {
        self.tm / (self.tt * self.mm).sqrt()
    }
}

impl ImageFit {
    /// The number of selected pixels.
    pub(crate) fn pixels(&self) -> usize {
        self.selected.iter().filter(|&&used| used).count()
    }

    /// The number of pixels whose misfit is a deviance.
    pub(crate) fn counted_pixels(&self) -> usize {
        match self.weighting {
            Weighting::Deviance => self.pixels(),
            Weighting::Weights(_) => 0,
        }
    }

    /// The predicted photons, blurred, without the scale.
    pub(crate) fn predict(
        &self,
        free: &FreeSet,
        values: &[f64],
        options: &RunOptions<'_>,
    ) -> Result<Vec<f64>, Error> {
        let spec = free.apply(&self.spec, self.index, values)?;
        let resolved = spec.resolve()?;
        let image = simulate(&resolved.experiment, options)?;
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

    /// The misfit of the pixels, without restraints and derivatives.
    pub(crate) fn misfit(
        &self,
        free: &FreeSet,
        values: &[f64],
        scale: f64,
        options: &RunOptions<'_>,
    ) -> Result<f64, Error> {
        let predicted = self.predict(free, values, options)?;
        let mut misfit = 0.0;
        for (pixel, &model) in predicted.iter().enumerate() {
            if self.selected[pixel] {
                misfit += self.term(pixel, scale * model).misfit;
            }
        }
        Ok(misfit)
    }

    /// The normal equations of the pixels for the free numbers of this image, and for the scale as the last
    /// one if it is free. Only the lower triangle of the matrix is filled.
    pub(crate) fn normal(
        &self,
        free: &FreeSet,
        values: &[f64],
        scale: f64,
        scale_is_free: bool,
        options: &RunOptions<'_>,
        jacobian: &mut Jacobian,
    ) -> Result<Normal, Error> {
        let spec = free.apply(&self.spec, self.index, values)?;
        let parameters = free.parameters(self.index);
        gradient::render_jacobian_into(&spec, &parameters, options, jacobian)?;
        let Jacobian {
            photons,
            derivatives,
            ..
        } = jacobian;
        let mut columns: Vec<Cow<'_, [f64]>> = Vec::new();
        let mut derivatives = derivatives.chunks_mut(photons.len().max(1));
        for free in free.of_image(self.index) {
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
        let n = columns.len() + usize::from(scale_is_free);
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
            if scale_is_free {
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
        Ok(normal)
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

    /// The products of target and prediction.
    pub(crate) fn overlap(&self, predicted: &[f64], weights: &[f64]) -> Overlap {
        let mut sums = Overlap::default();
        for (i, (&m, &w)) in predicted.iter().zip(weights).enumerate() {
            if self.selected[i] {
                let t = self.target[i];
                sums.tm += w * t * m;
                sums.tt += w * t * t;
                sums.mm += w * m * m;
            }
        }
        sums
    }

    /// The squared residuals of a stage without blur, and their expectation from noise.
    pub(crate) fn residuals(
        &self,
        free: &FreeSet,
        values: &[f64],
        likelihood: &Likelihood,
        options: &RunOptions<'_>,
    ) -> Result<[f64; 2], Error> {
        let mut predicted = self.predict(free, values, options)?;
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
        Ok([found, expected])
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

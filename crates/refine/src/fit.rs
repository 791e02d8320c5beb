//! One stage of a refinement: its images, its numbers, and the sums over all of them.

use std::cell::RefCell;

use nanobragg::RunOptions;
use nanobragg::gradient::Jacobian;

use crate::Error;
use crate::free::FreeSet;
use crate::image_fit::ImageFit;
use crate::likelihood::Likelihood;
use crate::normal::Normal;
use crate::refinement::ImageRecord;

/// A stage: its images, free numbers and priors.
pub(crate) struct Fit<'a> {
    pub(crate) images: Vec<ImageFit>,
    pub(crate) free: FreeSet,
    /// Whether the factor on the prediction of each image is refined.
    pub(crate) scale_is_free: bool,
    /// Centre and standard deviation of the prior of each value.
    pub(crate) priors: Vec<[f64; 2]>,
    pub(crate) options: &'a RunOptions<'a>,
    /// The derivatives of the last image. Their memory is used again for the next one.
    pub(crate) jacobian: RefCell<Jacobian>,
}

/// The values of the numbers that the minimiser changes.
pub(crate) struct Values {
    /// Of the free numbers.
    pub(crate) free: Vec<f64>,
    /// The factor on the prediction of each image.
    pub(crate) scales: Vec<f64>,
    /// The derivatives of all numbers by `u`.
    pub(crate) rates: Vec<f64>,
}

impl Fit<'_> {
    /// The number of numbers that the minimiser changes.
    pub(crate) fn numbers(&self) -> usize {
        let scales = if self.scale_is_free {
            self.images.len()
        } else {
            0
        };
        self.free.len() + scales
    }

    /// The values at `u`. If the scales are refined, they are the last numbers of `u`, one for each image.
    pub(crate) fn values(&self, u: &[f64]) -> Values {
        let (free, mut rates): (Vec<f64>, Vec<f64>) = (self.free.iter().zip(u))
            .map(|(free, &u)| free.value(u))
            .map(|[value, rate]| (value, rate))
            .unzip();
        let mut scales: Vec<f64> = self.images.iter().map(|image| image.scale).collect();
        if self.scale_is_free {
            rates.extend(&scales);
            let factors = u.iter().skip(self.free.len());
            (scales.iter_mut().zip(factors)).for_each(|(scale, u)| *scale *= u);
        }
        Values {
            free,
            scales,
            rates,
        }
    }

    /// The number of pixels whose misfit is a deviance.
    pub(crate) fn counted_pixels(&self) -> usize {
        self.images.iter().map(ImageFit::counted_pixels).sum()
    }

    /// The misfit without derivatives, which the fast kernel renders.
    pub(crate) fn misfit(&self, u: &[f64]) -> Result<f64, Error> {
        let values = self.values(u);
        let mut misfit = 0.0;
        for (image, &scale) in self.images.iter().zip(&values.scales) {
            misfit += image.misfit(&self.free, &values.free, scale, self.options)?;
        }
        Ok(misfit + self.restraints(&values.free).misfit)
    }

    /// The normal equations for the values of the free numbers, and for the scales as the last ones.
    ///
    /// An image has only the numbers that all share and its own. The other elements of the matrix stay 0.
    pub(crate) fn normal(&self, u: &[f64]) -> Result<Normal, Error> {
        let values = self.values(u);
        let mut normal = Normal::zeros(self.numbers());
        let mut jacobian = self.jacobian.borrow_mut();
        for (index, (image, &scale)) in self.images.iter().zip(&values.scales).enumerate() {
            let scale_at = self.scale_is_free.then_some(self.free.len() + index);
            let mut places = self.free.places(index);
            places.extend(scale_at);
            let of_image = image.normal(
                &self.free,
                &values.free,
                scale,
                scale_at.is_some(),
                self.options,
                &mut jacobian,
            )?;
            normal.add_at(&places, &of_image);
        }
        normal.add(&self.restraints(&values.free));
        Ok(normal.symmetric())
    }

    /// The squared residuals of a stage without blur, divided by their expectation from noise, and the
    /// record of each image.
    pub(crate) fn goodness(
        &self,
        values: &[f64],
        likelihood: &Likelihood,
    ) -> Result<(f64, Vec<ImageRecord>), Error> {
        let (mut found, mut expected) = (0.0, 0.0);
        let mut records = Vec::new();
        for image in &self.images {
            let [of_image, noise] =
                image.residuals(&self.free, values, likelihood, self.options)?;
            found += of_image;
            expected += noise;
            records.push(ImageRecord {
                pixels: image.pixels(),
                goodness: of_image / noise,
            });
        }
        Ok((found / expected, records))
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
}

//! From the sums of a block to photons and derivatives.

use super::super::block::{BLOCK, Block, Column};
use super::super::correct::corrections;
use super::block::{Derivatives, RayColumns};
use crate::sampling::{CorrectionRules, Rule, Scales};
use crate::scene::View;

/// `value` if the correction multiplies the finished pixel, otherwise `neutral`.
#[inline(always)]
pub(super) fn of_pixel(rule: Rule, value: f64, neutral: f64) -> f64 {
    if rule.scales == Scales::Pixel {
        value
    } else {
        neutral
    }
}

impl Derivatives<'_> {
    /// The product of the corrections of every finished pixel.
    #[inline(always)]
    pub(super) fn corrections(rules: &CorrectionRules, block: &Block) -> Column {
        let mut product = [0.0; BLOCK];
        for i in 0..BLOCK {
            product[i] = corrections(rules, Scales::Pixel, block, i);
        }
        product
    }

    /// The derivative of this product by a tangent that moves rays.
    #[inline(always)]
    fn corrections_rate(rules: &CorrectionRules, ray: &RayColumns, block: &Block) -> Column {
        let mut rate = [0.0; BLOCK];
        for i in 0..BLOCK {
            let c = of_pixel(rules.capture, block.capture[i], 1.0);
            let p = of_pixel(rules.polarization, block.polarization[i], 1.0);
            let s = of_pixel(rules.solid_angle, block.solid_angle_sr[i], 1.0);
            rate[i] = of_pixel(rules.capture, ray.capture[i], 0.0) * p * s
                + of_pixel(rules.polarization, ray.polarization[i], 0.0) * c * s
                + of_pixel(rules.solid_angle, ray.solid_angle_sr[i], 0.0) * c * p;
        }
        rate
    }

    #[inline(always)]
    pub(super) fn photons(view: &View<'_>, corrections: &Column, block: &Block) -> Column {
        let per_step = view.scalars.photons_per_electron / view.steps;
        let mut photons = [0.0; BLOCK];
        for i in 0..BLOCK {
            photons[i] = per_step * corrections[i] * block.intensity[i];
        }
        photons
    }

    /// Fills `slopes` with the derivatives of the photons by each tangent.
    #[inline(always)]
    pub(super) fn fill_slopes(&mut self, view: &View<'_>, corrections: &Column, block: &Block) {
        let tables = self.tables;
        let [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = &self.sums.by_cell;
        for (tangent, [a, b, c]) in &tables.cells_m {
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                let by_a = a[0] * ax[i] + a[1] * ay[i] + a[2] * az[i];
                let by_b = b[0] * bx[i] + b[1] * by[i] + b[2] * bz[i];
                let by_c = c[0] * cx[i] + c[1] * cy[i] + c[2] * cz[i];
                sum[i] += by_a + by_b + by_c;
            }
        }
        let per_step = view.scalars.photons_per_electron / view.steps;
        let intensity = &block.intensity;
        for (tangent, slope) in self.slopes.iter_mut().enumerate() {
            let by_fluence = tables.scalars[tangent].photons_per_electron / view.steps;
            let sum = &self.sums.by_tangent[tangent];
            for i in 0..BLOCK {
                slope[i] = corrections[i] * (per_step * sum[i] + by_fluence * intensity[i]);
            }
        }
        for (rates, ray) in tables.rays.iter().zip(&self.rays) {
            let rate = Self::corrections_rate(&view.rules, ray, block);
            let slope = &mut self.slopes[rates.tangent];
            for i in 0..BLOCK {
                slope[i] += per_step * rate[i] * intensity[i];
            }
        }
    }

    /// Adds to `sums` the derivatives by each tangent, summed over the pixels with their weights.
    ///
    /// The derivatives by the cell are summed over the pixels before they are multiplied by the tangents,
    /// so a tangent of the crystal takes almost no time.
    #[inline(always)]
    pub(super) fn add_slopes(
        &self,
        view: &View<'_>,
        corrections: &Column,
        block: &Block,
        sums: &mut [f64],
    ) {
        let tables = self.tables;
        let per_step = view.scalars.photons_per_electron / view.steps;
        let by_intensity = self.weighted(corrections, &block.intensity);
        for (tangent, sum) in sums.iter_mut().enumerate() {
            let own = self.weighted(corrections, &self.sums.by_tangent[tangent]);
            let by_fluence = tables.scalars[tangent].photons_per_electron / view.steps;
            *sum += per_step * own + by_fluence * by_intensity;
        }
        if !tables.cells_m.is_empty() {
            let mut by_cell = [[0.0; 3]; 3];
            for (sums, columns) in by_cell.iter_mut().zip(&self.sums.by_cell) {
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = self.weighted(corrections, column);
                }
            }
            for (tangent, cell_m) in &tables.cells_m {
                let rates = cell_m.as_flattened().iter().zip(by_cell.as_flattened());
                sums[*tangent] += per_step * rates.map(|(rate, by)| rate * by).sum::<f64>();
            }
        }
        for (rates, ray) in tables.rays.iter().zip(&self.rays) {
            let rate = Self::corrections_rate(&view.rules, ray, block);
            sums[rates.tangent] += per_step * self.weighted(&rate, &block.intensity);
        }
    }

    /// The sum of `a b` times the weight over the pixels, in eight partial sums. A pixel without weight
    /// counts as 0, even if its numbers are NaN.
    #[inline(always)]
    fn weighted(&self, a: &Column, b: &Column) -> f64 {
        let mut sums = [0.0; 8];
        for start in (0..BLOCK).step_by(8) {
            for lane in 0..8 {
                let i = start + lane;
                let weight = self.weights[i];
                let product = weight * (a[i] * b[i]);
                sums[lane] += if weight != 0.0 { product } else { 0.0 };
            }
        }
        sums.iter().sum()
    }

    /// Whether [`scale_factors`](Self::scale_factors) used the final factors of every pixel.
    #[inline(always)]
    pub(super) fn knew_scale(&self, view: &View<'_>, block: &Block) -> bool {
        let mut is_known = !self.met_zero;
        if view.rules.capture.scales == Scales::Pixel {
            for i in 0..BLOCK {
                is_known &= self.weights[i] == 0.0 || block.capture[i] == self.final_capture[i];
            }
        }
        is_known
    }
}

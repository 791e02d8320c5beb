//! The terms of a source, and what each adds to the derivatives.

use nanobragg_geometry::vector;

use super::super::block::{BLOCK, Column};
use super::super::extent::Extent;
use super::super::fast::scatter;
use super::super::lane::{Arithmetic, round_to_even};
use super::super::lookup::{OUTSIDE, find_nearest, gather_nearest};
use super::block::SlopeBlock;
use crate::gradient::tables::Tables;
use crate::plan::{Orientation, Plan};
use crate::sampling::{Rule, Scales};

/// Added to an offset, it changes none but 0, whose 0/0 it makes into a limit.
const TINY: f64 = 1e-40;

/// `sin(pi r)/r` by z = r^2, for |r| <= 1/2, and its derivative by z.
///
/// # Source
/// Polynomial through the eight Chebyshev points of [0, 1/4]; relative errors below 2e-16 and 5e-14.
#[inline(always)]
fn sine_over<A: Arithmetic>(z: f64) -> (f64, f64) {
    // Two chains that do not wait for each other: even and odd powers.
    let z2 = z * z;
    let chain = |powers: [f64; 4]| {
        let [c0, c1, c2, c3] = powers;
        A::multiply_add(A::multiply_add(A::multiply_add(c3, z2, c2), z2, c1), z2, c0)
    };
    let even = chain([
        std::f64::consts::PI,
        2.550_164_039_861_867_7,
        0.082_145_878_816_310_43,
        4.659_870_158_043_378e-4,
    ]);
    let odd = chain([
        -5.167_712_780_049_785_5,
        -0.599_264_528_825_224,
        -0.007_370_364_326_530_415_5,
        -2.113_362_735_205_297e-5,
    ]);
    let even_slope = chain([
        -5.167_712_780_049_785_5,
        -1.797_793_586_475_672,
        -0.036_851_821_632_652_076,
        -1.479_353_914_643_708e-4,
    ]);
    let odd_slope = A::multiply_add(
        A::multiply_add(0.002_795_922_094_826_027, z2, 0.328_583_515_265_241_7),
        z2,
        5.100_328_079_723_735,
    );
    (
        A::multiply_add(odd, z, even),
        A::multiply_add(odd_slope, z, even_slope),
    )
}

/// The grating function along one axis, with what its derivatives are made of.
///
/// With r = n d - m the reduced argument, P(z) = sin(pi r)/r and Q its derivative:
/// ```text
/// G     = r P(r^2) / D          D = d P(d^2)
/// dG/dd = (m P_n P_1 + 2 (n d r^2 Q_n P_1 - r d^2 P_n Q_1)) / D^2
/// dG/dn = d (P_n + 2 r^2 Q_n) / D
/// ```
/// Within the first fringe m is 0 and nothing cancels, down to d = 0.
#[derive(Clone, Copy)]
struct Grating {
    /// `r P`.
    above: f64,
    /// D.
    below: f64,
    /// `D^2 dG/dd`.
    by_offset: f64,
    /// `D dG/dn`.
    by_count: f64,
}

#[inline(always)]
fn grating<A: Arithmetic>(offset: f64, n: f64) -> Grating {
    let d = offset + TINY;
    let turns = n * d;
    let m = round_to_even(turns);
    let r = turns - m;
    let (zn, z1) = (r * r, d * d);
    let (pn, qn) = sine_over::<A>(zn);
    let (p1, q1) = sine_over::<A>(z1);
    Grating {
        above: r * pn,
        below: d * p1,
        by_offset: m * pn * p1 + 2.0 * (turns * zn * qn * p1 - r * z1 * pn * q1),
        by_count: d * (pn + 2.0 * zn * qn),
    }
}

impl SlopeBlock {
    /// Adds every phi step and domain of one source at one sub-pixel of every pixel.
    #[inline(always)]
    pub(super) fn sum_source<A: Arithmetic>(
        &mut self,
        plan: &Plan<'_>,
        tables: &Tables,
        index: usize,
        layer: u32,
    ) {
        let source = &plan.sources[index];
        let water = plan.water_in_layer(layer);
        let lives = scatter::<A>(plan, source, &mut self.base);
        if !lives && water == 0.0 {
            return;
        }
        self.correct_polarization(plan, tables, index, water != 0.0);
        let by_terms = plan.rules.any(Scales::Terms);
        if by_terms {
            std::mem::swap(&mut self.sums, &mut self.earlier);
            self.sums.clear();
            self.weigh(plan);
        }
        if water != 0.0 {
            for i in 0..BLOCK {
                self.sums.intensity[i] += water;
            }
            for (sum, scalars) in self.sums.by_tangent.iter_mut().zip(&tables.scalars) {
                for i in 0..BLOCK {
                    sum[i] += scalars.water_per_source;
                }
            }
        }
        let extent = Extent::of(&self.base);
        if lives && !extent.is_beyond_list(plan) {
            let is_inside = extent.is_inside_grid(plan);
            self.by_scattering = [[0.0; BLOCK]; 3];
            for (place, orientation) in plan.orientations.iter().enumerate() {
                let any_scatters = if is_inside {
                    find_nearest::<A, true>(plan, orientation, &mut self.base);
                    gather_nearest::<true>(plan, &mut self.base)
                } else {
                    find_nearest::<A, false>(plan, orientation, &mut self.base);
                    gather_nearest::<false>(plan, &mut self.base)
                };
                if any_scatters {
                    self.add_term::<A>(plan, tables, place, orientation);
                }
            }
            if !tables.rays.is_empty() {
                self.add_rays(plan, tables, index);
            }
        }
        if by_terms {
            self.flush(plan);
            self.close_source(plan, tables);
        }
    }

    /// Adds one phi step and domain, whose structure factors are looked up.
    #[inline(always)]
    fn add_term<A: Arithmetic>(
        &mut self,
        plan: &Plan<'_>,
        tables: &Tables,
        place: usize,
        orientation: &Orientation,
    ) {
        let sizes = !tables.sizes.is_empty();
        self.differentiate::<A>(plan, sizes);
        if !tables.cells_m.is_empty() {
            self.add_by_cell::<A>(&tables.rotations[place]);
        }
        if !tables.rays.is_empty() || !tables.turns.is_empty() {
            self.add_by_scattering::<A>(tables, place, orientation);
        }
        if sizes {
            self.add_by_size(tables);
        }
        if !tables.factors.is_empty() {
            self.add_by_factors(tables);
        }
        if self.wants_factors {
            self.await_factors(plan);
        }
    }

    /// The term of every pixel: added, and its derivatives by h, k, l.
    #[inline(always)]
    fn differentiate<A: Arithmetic>(&mut self, plan: &Plan<'_>, sizes: bool) {
        let [na, nb, nc] = plan.cells;
        let [dh, dk, dl] = &self.base.offset;
        let [by_h, by_k, by_l] = &mut self.by_index;
        for i in 0..BLOCK {
            let (h, k, l) = (
                grating::<A>(dh[i], na),
                grating::<A>(dk[i], nb),
                grating::<A>(dl[i], nc),
            );
            let (hk, kl, hl) = (h.below * k.below, k.below * l.below, h.below * l.below);
            let inverse = 1.0 / (hk * l.below);
            let (ih, ik, il) = (inverse * kl, inverse * hl, inverse * hk);
            let (gh, gk, gl) = (h.above * ih, k.above * ik, l.above * il);
            let factor = self.base.cell_factor[i];
            let factor = if self.base.live[i] != 0.0 {
                factor
            } else {
                0.0
            };
            let (ah, ak, al) = (gh * gh, gk * gk, gl * gl);
            let (akl, ahl, ahk) = (ak * al, ah * al, ah * ak);
            let squared = factor * factor;
            let twice = squared + squared;
            self.lattice_squared[i] = ah * akl;
            self.sums.intensity[i] += squared * (ah * akl);
            by_h[i] = twice * akl * gh * h.by_offset * (ih * ih);
            by_k[i] = twice * ahl * gk * k.by_offset * (ik * ik);
            by_l[i] = twice * ahk * gl * l.by_offset * (il * il);
            if sizes {
                self.by_size[0][i] = twice * akl * gh * h.by_count * ih;
                self.by_size[1][i] = twice * ahl * gk * k.by_count * ik;
                self.by_size[2][i] = twice * ahk * gl * l.by_count * il;
            }
        }
    }

    /// The derivatives by a, b, c at phi = 0: those by h, k, l times the scattering vector in the
    /// frame of the cell, whose components are its products with the columns of the rotation.
    #[inline(always)]
    fn add_by_cell<A: Arithmetic>(&mut self, columns: &[[f64; 3]; 3]) {
        let [qx, qy, qz] = &self.base.scattering_per_m;
        let [by_h, by_k, by_l] = &self.by_index;
        let [of_a, of_b, of_c] = &mut self.sums.by_cell;
        for (j, column) in columns.iter().enumerate() {
            let (of_a, of_b, of_c) = (&mut of_a[j], &mut of_b[j], &mut of_c[j]);
            for i in 0..BLOCK {
                let p = A::multiply_add(column[0], qx[i], column[1] * qy[i]);
                let p = A::multiply_add(column[2], qz[i], p);
                of_a[i] = A::multiply_add(by_h[i], p, of_a[i]);
                of_b[i] = A::multiply_add(by_k[i], p, of_b[i]);
                of_c[i] = A::multiply_add(by_l[i], p, of_c[i]);
            }
        }
    }

    /// The derivative by the scattering vector, and by turns of this orientation.
    #[inline(always)]
    fn add_by_scattering<A: Arithmetic>(
        &mut self,
        tables: &Tables,
        place: usize,
        orientation: &Orientation,
    ) {
        let [a, b, c] = orientation;
        let [by_h, by_k, by_l] = &self.by_index;
        let mut force = [[0.0; BLOCK]; 3];
        for (axis, force) in force.iter_mut().enumerate() {
            let total = &mut self.by_scattering[axis];
            for i in 0..BLOCK {
                let own = A::multiply_add(by_h[i], a[axis], by_k[i] * b[axis]);
                let own = A::multiply_add(by_l[i], c[axis], own);
                force[i] = own;
                total[i] += own;
            }
        }
        let [fx, fy, fz] = &force;
        let [qx, qy, qz] = &self.base.scattering_per_m;
        for (tangent, rates) in &tables.turns {
            let rate = rates[place];
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                let torque = vector::cross([fx[i], fy[i], fz[i]], [qx[i], qy[i], qz[i]]);
                sum[i] += rate[0] * torque[0] + rate[1] * torque[1] + rate[2] * torque[2];
            }
        }
    }

    #[inline(always)]
    fn add_by_size(&mut self, tables: &Tables) {
        let [by_a, by_b, by_c] = &self.by_size;
        for (tangent, rates) in &tables.sizes {
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                sum[i] += rates[0] * by_a[i] + rates[1] * by_b[i] + rates[2] * by_c[i];
            }
        }
    }

    /// The derivatives by single structure factors, `2 F Fl^2` where they were looked up.
    #[inline(always)]
    fn add_by_factors(&mut self, tables: &Tables) {
        for (tangent, place, rate) in &tables.factors {
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                let slope = 2.0 * self.base.cell_factor[i] * self.lattice_squared[i];
                let is_it = (self.base.place[i] == *place) & (self.base.live[i] != 0.0);
                sum[i] += if is_it { rate * slope } else { 0.0 };
            }
        }
    }

    /// Keeps the derivatives by the structure factors just looked up until others are: most terms
    /// of a pixel, and most neighbours of one term, look up the same.
    #[inline(always)]
    fn await_factors(&mut self, plan: &Plan<'_>) {
        let mut differs = !self.has_pending;
        for i in 0..BLOCK {
            differs |= self.base.place[i] != self.pending_place[i];
        }
        if differs {
            self.flush(plan);
            self.pending_place = self.base.place;
            self.pending = [0.0; BLOCK];
            self.has_pending = true;
        }
        for i in 0..BLOCK {
            let slope = 2.0 * self.base.cell_factor[i] * self.lattice_squared[i];
            self.pending[i] += if self.base.live[i] != 0.0 { slope } else { 0.0 };
        }
    }

    /// Tells of what was kept, with the factors of the finished pixel.
    pub(super) fn flush(&mut self, plan: &Plan<'_>) {
        if !std::mem::take(&mut self.has_pending) {
            return;
        }
        let rules = &plan.rules;
        let per_step = plan.photons_per_electron / plan.steps;
        let factor = |rule: Rule, column: &Column, i: usize| {
            if rule.scales == Scales::Pixel {
                column[i]
            } else {
                1.0
            }
        };
        for i in 0..BLOCK {
            let (weight, place) = (self.weights[i], self.pending_place[i]);
            if weight == 0.0 {
                continue;
            }
            let scale = factor(rules.capture, &self.final_capture, i)
                * factor(rules.polarization, &self.base.polarization, i)
                * factor(rules.solid_angle, &self.base.solid_angle_sr, i);
            self.met_zero |= scale == 0.0;
            if place == OUTSIDE || self.pending[i] == 0.0 {
                continue;
            }
            let rate = self.pending[i] * self.term_weight[i] * scale * per_step * weight;
            match self.factor_rates.last_mut() {
                Some((last, sum)) if *last == place => *sum += rate,
                _ => self.factor_rates.push((place, rate)),
            }
        }
    }

    /// The product of the corrections that multiply single terms.
    #[inline(always)]
    fn weigh(&mut self, plan: &Plan<'_>) {
        let rules = &plan.rules;
        for i in 0..BLOCK {
            let mut weight = 1.0;
            if rules.capture.scales == Scales::Terms {
                weight *= self.base.capture[i];
            }
            if rules.polarization.scales == Scales::Terms {
                weight *= self.base.polarization[i];
            }
            if rules.solid_angle.scales == Scales::Terms {
                weight *= self.base.solid_angle_sr[i];
            }
            self.term_weight[i] = weight;
        }
    }

    /// Adds the terms of one source, weighed, to the sums before it.
    #[inline(always)]
    fn close_source(&mut self, plan: &Plan<'_>, tables: &Tables) {
        std::mem::swap(&mut self.sums, &mut self.earlier);
        let (total, own, weight) = (&mut self.sums, &self.earlier, &self.term_weight);
        let add = |total: &mut Column, own: &Column| {
            for i in 0..BLOCK {
                total[i] += weight[i] * own[i];
            }
        };
        add(&mut total.intensity, &own.intensity);
        if !tables.cells_m.is_empty() {
            for a in 0..3 {
                for j in 0..3 {
                    add(&mut total.by_cell[a][j], &own.by_cell[a][j]);
                }
            }
        }
        for (total, own) in total.by_tangent.iter_mut().zip(&own.by_tangent) {
            add(total, own);
        }
        let rules = &plan.rules;
        for (rates, ray) in tables.rays.iter().zip(&self.rays) {
            let sum = &mut total.by_tangent[rates.tangent];
            for i in 0..BLOCK {
                let of = |rule: Rule, value: f64, rate: f64| {
                    if rule.scales == Scales::Terms {
                        (value, rate)
                    } else {
                        (1.0, 0.0)
                    }
                };
                let (c, by_c) = of(rules.capture, self.base.capture[i], ray.capture[i]);
                let (p, by_p) = of(
                    rules.polarization,
                    self.base.polarization[i],
                    ray.polarization[i],
                );
                let (s, by_s) = of(
                    rules.solid_angle,
                    self.base.solid_angle_sr[i],
                    ray.solid_angle_sr[i],
                );
                let by_weight = by_c * p * s + c * by_p * s + c * p * by_s;
                sum[i] += by_weight * own.intensity[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lane::{Fused, Separate};
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn a_grating_and_its_slopes_are_those_of_the_sines() {
        for n in [1.0, 2.0, 7.0, 40.0] {
            for i in -50..=50 {
                let d = f64::from(i) / 100.0 * 0.999 + 1e-3;
                let g = grating::<Separate>(d, n);
                let (sine, cosine) = (f64::sin(PI * d), f64::cos(PI * d));
                let (sine_n, cosine_n) = (f64::sin(PI * n * d), f64::cos(PI * n * d));
                let sign = if (n * d).round_ties_even() % 2.0 == 0.0 {
                    1.0
                } else {
                    -1.0
                };
                let slope = PI * (n * cosine_n * sine - sine_n * cosine) / (sine * sine);
                let by_count = PI * d * cosine_n / sine;
                let close = |x: f64, y: f64, scale: f64| (sign * x - y).abs() < 1e-11 * scale;
                assert!(close(g.above / g.below, sine_n / sine, n), "{n} {d}");
                assert!(
                    close(g.by_offset / g.below.powi(2), slope, n * n * n),
                    "{n} {d}"
                );
                assert!(close(g.by_count / g.below, by_count, n), "{n} {d}");
            }
        }
    }

    #[test]
    fn a_grating_keeps_its_digits_at_a_whole_index() {
        for d in [1e-3, 1e-6, 1e-9, 1e-12] {
            let g = grating::<Fused>(d, 5.0);
            let x2 = (PI * d).powi(2);
            // n (1 - (n^2 - 1) x^2/6 + (n^2 - 1)(3 n^2 - 7) x^4/360)
            let slope = 5.0 * PI * PI * d * 24.0 * (-1.0 / 3.0 + 68.0 * x2 / 90.0);
            let own = g.by_offset / g.below.powi(2);
            assert!(
                (own / slope - 1.0).abs() < 1e-12 + 1e4 * x2 * x2,
                "{d}: {own} {slope}"
            );
        }
        let g = grating::<Separate>(0.0, 5.0);
        assert!((g.above / g.below - 5.0).abs() < 1e-14);
        assert!((g.by_offset / g.below.powi(2)).abs() < 1e-30);
    }
}

//! The terms of a source, and the contribution of each to the derivatives.

use nanobragg_geometry::vector;

use super::super::block::{BLOCK, Block, Column};
use super::super::correct::corrections;
use super::super::lane::Arithmetic;
use super::super::lookup::OUTSIDE;
use super::block::Derivatives;
use super::finish::of_pixel;
use crate::gradient::tables::Tables;
use crate::sampling::{Rule, Scales};
use crate::scene::{Orientation, View};

/// The number of pixels whose places in the grid are compared together.
const GROUP: usize = 8;

/// Added to an offset, it changes only 0, and turns the quotient 0/0 into its limit.
const TINY: f64 = 1e-40;

/// `pi cos(pi r) - sin(pi r)/r` divided by `z = r^2`, for |r| <= 1/2, in powers of z and in the unit of
/// [`Arithmetic::sin_pi`]. It is twice the derivative of `sin(pi r)/r` by z.
///
/// # Source
/// Minimax polynomial of six terms with an exact first term (Remez exchange in extended precision);
/// relative error 5e-12.
const SLOPE_OF_SINE: [f64; 6] = [
    -23_111.402_317_108_21,
    22_810.039_785_010_948,
    -8_040.215_795_299_863,
    1_469.496_642_723_495_4,
    -164.674_593_684_520_06,
    12.011_636_682_613_483,
];

/// The grating function along one axis, with the parts of its derivatives.
///
/// With r = n d - m the reduced argument, P = sin(pi r)/r, E = pi cos(pi r) - P and C = P + E, each at n
/// or at 1, in the unit of [`Arithmetic::sin_pi`]:
/// ```text
/// G     = r P_n / D            D = d P_1
/// dG/dd = ((m C_n + r E_n) P_1 - r P_n E_1) / D^2
/// dG/dn = d C_n / D
/// ```
/// In the first fringe m is 0 and there is no cancellation, down to d = 0.
#[derive(Clone, Copy)]
struct Grating {
    /// `r P_n`.
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
    let (m, r) = A::turns(n, d);
    let parts = |x: f64| {
        let z = x * x;
        let slope = z * A::polynomial(&SLOPE_OF_SINE, z);
        (A::sine_over_turn(z), slope)
    };
    let ((p_n, e_n), (p_1, e_1)) = (parts(r), parts(d));
    let above = r * p_n;
    let c_n = p_n + e_n;
    let rising = A::multiply_add(r, e_n, m * c_n);
    Grating {
        above,
        below: d * p_1,
        by_offset: A::multiply_add(p_1, rising, -(above * e_1)),
        by_count: d * c_n,
    }
}

impl Derivatives<'_> {
    #[inline(always)]
    pub(super) fn open_source(&mut self, view: &View<'_>, water: f64, block: &Block) {
        self.is_lit = false;
        if view.rules.any(Scales::Terms) {
            std::mem::swap(&mut self.sums, &mut self.earlier);
            self.sums.clear();
            self.weigh(view, block);
        }
        if self.wants_factors {
            self.scale_factors(view, block);
        }
        if water != 0.0 {
            self.is_dark = false;
            let weight = view.source_amplitude * view.source_amplitude;
            for (sum, scalars) in self.sums.by_tangent.iter_mut().zip(&self.tables.scalars) {
                for i in 0..BLOCK {
                    sum[i] += scalars.water_per_source * weight;
                }
            }
        }
    }

    /// Adds the terms of one phi step and domain. Their structure factors are in `block`.
    #[inline(always)]
    pub(super) fn add_term<A: Arithmetic>(
        &mut self,
        view: &View<'_>,
        place: usize,
        orientation: &Orientation,
        block: &mut Block,
    ) {
        let tables = self.tables;
        if !self.is_lit {
            self.is_lit = true;
            self.is_dark = false;
            self.by_scattering = [[0.0; BLOCK]; 3];
        }
        let rotation = &tables.rotations[place];
        if tables.turns.is_empty() && tables.sizes.is_empty() {
            self.differentiate::<A, false>(view, rotation, orientation, block);
        } else {
            self.differentiate::<A, true>(view, rotation, orientation, block);
            self.add_by_turn(tables, place, orientation, block);
            self.add_by_size(tables);
        }
        if !tables.scales.is_empty() {
            self.add_by_scale(view, orientation, block);
        }
        if !tables.factors.is_empty() {
            self.add_by_factors(tables, block);
        }
        if self.wants_factors {
            self.await_factors(block);
        }
    }

    /// Adds the term of every pixel and its derivatives by the cell and by the scattering vector. `KEPT`: the
    /// derivatives by h, k, l and by the numbers of cells are also stored, for tangents of turns and sizes.
    ///
    /// With `a` the product of the numerators and `b` that of the denominators, the term is `(F a/b)^2`. Its
    /// derivative by one index replaces the numerator of that axis by `by_offset` over the denominator. One
    /// loop computes everything, so that no intermediate number is stored and read again.
    #[inline(always)]
    fn differentiate<A: Arithmetic, const KEPT: bool>(
        &mut self,
        view: &View<'_>,
        rotation: &[[f64; 3]; 3],
        orientation: &Orientation,
        block: &mut Block,
    ) {
        let [na, nb, nc] = view.lattice.cells;
        // The factor of a term is F times the root of its weight.
        let root_weight = view.source_amplitude * orientation.amplitude;
        for i in 0..BLOCK {
            let (h, k, l) = (
                grating::<A>(block.offset[0][i], na),
                grating::<A>(block.offset[1][i], nb),
                grating::<A>(block.offset[2][i], nc),
            );
            let factor = block.cell_factor[i];
            let factor = if block.live[i] != 0.0 { factor } else { 0.0 };
            let inverse = 1.0 / (h.below * k.below * l.below);
            let lattice = h.above * k.above * l.above * inverse;
            let amplitude = factor * lattice;
            let twice = (amplitude + amplitude) * (factor * inverse);
            self.by_factor[i] = (amplitude + amplitude) * lattice * root_weight;
            block.intensity[i] = A::multiply_add(amplitude, amplitude, block.intensity[i]);
            let (ch, ck, cl) = (h.above * h.below, k.above * k.below, l.above * l.below);
            let scale = twice * inverse;
            let (sh, sk) = (scale * ch, scale * ck);
            let by_index = [
                sk * cl * h.by_offset,
                sh * cl * k.by_offset,
                sh * ck * l.by_offset,
            ];
            self.add_by_cell::<A>(i, by_index, rotation, block);
            self.add_by_scattering::<A>(i, by_index, orientation);
            if KEPT {
                self.by_index[0][i] = by_index[0];
                self.by_index[1][i] = by_index[1];
                self.by_index[2][i] = by_index[2];
                self.by_size[0][i] = twice * k.above * l.above * h.by_count;
                self.by_size[1][i] = twice * h.above * l.above * k.by_count;
                self.by_size[2][i] = twice * h.above * k.above * l.by_count;
            }
        }
    }

    /// Adds the derivatives of lane `i` by a, b, c at phi = 0: the derivatives by h, k, l times the
    /// scattering vector in the frame of the cell. The components of this vector are the products of the
    /// scattering vector with the columns of the rotation.
    #[inline(always)]
    fn add_by_cell<A: Arithmetic>(
        &mut self,
        i: usize,
        by_index: [f64; 3],
        columns: &[[f64; 3]; 3],
        block: &Block,
    ) {
        let [qx, qy, qz] = &block.scattering_per_m;
        for (j, column) in columns.iter().enumerate() {
            let p = A::multiply_add(column[0], qx[i], column[1] * qy[i]);
            let p = A::multiply_add(column[2], qz[i], p);
            for (sums, by) in self.sums.by_cell.iter_mut().zip(by_index) {
                sums[j][i] = A::multiply_add(by, p, sums[j][i]);
            }
        }
    }

    /// Adds the derivative of lane `i` by the scattering vector.
    #[inline(always)]
    fn add_by_scattering<A: Arithmetic>(
        &mut self,
        i: usize,
        by_index: [f64; 3],
        orientation: &Orientation,
    ) {
        for (axis, sum) in self.by_scattering.iter_mut().enumerate() {
            for (edge, by) in orientation.edges_m.iter().zip(by_index) {
                sum[i] = A::multiply_add(by, edge[axis], sum[i]);
            }
        }
    }

    /// Adds the derivatives by rotations of this orientation.
    #[inline(always)]
    fn add_by_turn(
        &mut self,
        tables: &Tables,
        place: usize,
        orientation: &Orientation,
        block: &Block,
    ) {
        let [a, b, c] = &orientation.edges_m;
        let [by_h, by_k, by_l] = &self.by_index;
        let [qx, qy, qz] = &block.scattering_per_m;
        for (tangent, rates) in &tables.turns {
            let rate = rates[place];
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                // With da = rate x a the index changes by (rate x a).q = rate.(a x q).
                let force = |x: usize| by_h[i] * a[x] + by_k[i] * b[x] + by_l[i] * c[x];
                let force = [force(0), force(1), force(2)];
                let torque = vector::cross(force, [qx[i], qy[i], qz[i]]);
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

    /// Adds the derivatives by the weight of the lattice: the term itself times the relative rate.
    #[inline(always)]
    fn add_by_scale(&mut self, view: &View<'_>, orientation: &Orientation, block: &Block) {
        let root_weight = view.source_amplitude * orientation.amplitude;
        if root_weight == 0.0 {
            return;
        }
        let per_root = 0.5 / root_weight;
        for (tangent, rate) in &self.tables.scales {
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                // `by_factor` is `2 F w Fl^2`, and the cell factor is F times the root of w.
                sum[i] += rate * per_root * self.by_factor[i] * block.cell_factor[i];
            }
        }
    }

    /// Adds the derivatives by single structure factors, `2 F Fl^2`, in the lanes that looked them up.
    #[inline(always)]
    fn add_by_factors(&mut self, tables: &Tables, block: &Block) {
        for (tangent, place, rate) in &tables.factors {
            let sum = &mut self.sums.by_tangent[*tangent];
            for i in 0..BLOCK {
                let is_it = block.place[i] == *place;
                sum[i] += if is_it { rate * self.by_factor[i] } else { 0.0 };
            }
        }
    }

    /// Sums the derivatives by the current structure factors until a lane looks up another one: most
    /// terms of a pixel look up the same.
    #[inline(always)]
    fn await_factors(&mut self, block: &Block) {
        for start in (0..BLOCK).step_by(GROUP) {
            let mut differs = false;
            for i in start..start + GROUP {
                differs |= block.place[i] != self.pending_place[i];
            }
            if differs {
                self.tell_changed(start, block);
            }
        }
        for i in 0..BLOCK {
            self.pending[i] += self.by_factor[i];
        }
    }

    /// Records the sums of the lanes of a group that now look up another structure factor.
    fn tell_changed(&mut self, start: usize, block: &Block) {
        for i in start..start + GROUP {
            let place = block.place[i];
            if place != self.pending_place[i] {
                self.tell(i);
                self.pending_place[i] = place;
                self.pending[i] = 0.0;
            }
        }
    }

    pub(super) fn flush(&mut self) {
        for i in 0..BLOCK {
            self.tell(i);
        }
        self.pending = [0.0; BLOCK];
    }

    /// Records the sum of lane `i`, multiplied by the factors of the finished pixel.
    #[inline(always)]
    fn tell(&mut self, i: usize) {
        let (place, rate) = (
            self.pending_place[i],
            self.pending[i] * self.factor_scale[i],
        );
        if place == OUTSIDE || rate == 0.0 {
            return;
        }
        match self.factor_rates.last_mut() {
            Some((last, sum)) if *last == place => *sum += rate,
            _ => self.factor_rates.push((place, rate)),
        }
    }

    /// Computes `factor_scale`: the factors of the finished pixel times its weight. They are known when
    /// the first source reaches the pixel.
    #[inline(always)]
    fn scale_factors(&mut self, view: &View<'_>, block: &Block) {
        let rules = &view.rules;
        let per_step = view.scalars.photons_per_electron / view.steps;
        let mut met_zero = false;
        for i in 0..BLOCK {
            let scale = of_pixel(rules.capture, self.final_capture[i], 1.0)
                * of_pixel(rules.polarization, block.polarization[i], 1.0)
                * of_pixel(rules.solid_angle, block.solid_angle_sr[i], 1.0);
            let weight = self.weights[i];
            met_zero |= (weight != 0.0) & (block.live[i] != 0.0) & (scale == 0.0);
            self.factor_scale[i] = if weight == 0.0 {
                0.0
            } else {
                scale * per_step * weight * self.term_weight[i]
            };
        }
        self.met_zero |= met_zero;
    }

    /// The product of the corrections that multiply single terms.
    #[inline(always)]
    fn weigh(&mut self, view: &View<'_>, block: &Block) {
        for i in 0..BLOCK {
            self.term_weight[i] = corrections(&view.rules, Scales::Terms, block, i);
        }
    }

    /// Multiplies the terms of one source by their weight and adds them to the earlier sums.
    #[inline(always)]
    pub(super) fn close_source(&mut self, view: &View<'_>, block: &Block) {
        let tables = self.tables;
        std::mem::swap(&mut self.sums, &mut self.earlier);
        let (total, own, weight) = (&mut self.sums, &self.earlier, &self.term_weight);
        let add = |total: &mut Column, own: &Column| {
            for i in 0..BLOCK {
                total[i] += weight[i] * own[i];
            }
        };
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
        let rules = &view.rules;
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
                let (c, by_c) = of(rules.capture, block.capture[i], ray.capture[i]);
                let (p, by_p) = of(
                    rules.polarization,
                    block.polarization[i],
                    ray.polarization[i],
                );
                let (s, by_s) = of(
                    rules.solid_angle,
                    block.solid_angle_sr[i],
                    ray.solid_angle_sr[i],
                );
                let by_weight = by_c * p * s + c * by_p * s + c * p * by_s;
                sum[i] += by_weight * block.intensity[i];
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
                // Never 0, where the quotient of sines is undefined, and at most 1/2, the range of the
                // polynomials.
                let d = f64::from(i) / 100.0 * 0.997 + 1e-3;
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

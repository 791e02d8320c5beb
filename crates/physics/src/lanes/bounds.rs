//! Bounds on the terms of a small area, for many terms at once.
//!
//! Indices are linear functions of the place in the area. `sparse` explains what the bounds are for.
//!
//! No operation is fused: what is left out must not depend on the instructions.

use std::f64::consts::PI;

use super::lane::{Arithmetic, Separate, round_to_even};
use super::level::{Level, Task, run_at};
use super::lookup::OUTSIDE;
use crate::scene::View;
use crate::sparse::{Envelope, Fall, Profile, SLOPE_LOST, Scattering};

/// Terms that are bounded together.
const PACK: usize = 8;

type Lanes = [f64; PACK];

/// Some terms near a base area, each of one source and one orientation, in packs of 8.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    packs: Vec<Pack>,
    len: usize,
}

/// Eight terms. A lane without a term has a weight of 0.
#[derive(Debug, Clone, Default)]
struct Pack {
    /// The indices at the middle of the base area.
    middle: [Lanes; 3],
    /// Their change from there to the edges along fast and slow.
    fast: [Lanes; 3],
    slow: [Lanes; 3],
    /// The product of the two changes. Its own product with an index is the same all over the area.
    normal: [Lanes; 3],
    /// What the envelope depends on: [`Envelope::numbers`].
    numbers: [Lanes; 3],
    /// All weights times the square of the largest lattice factor.
    weight: Lanes,
    /// The largest squared structure factor nearby.
    squared: Lanes,
    source: [u32; PACK],
    /// The number of the orientation.
    place: [u32; PACK],
}

/// An area within a base area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Its middle, in units of the changes of a row.
    pub(crate) at: [f64; 2],
    /// Its half edge in the same units.
    pub(crate) half: f64,
    /// What the linear functions are wrong by at most, on each axis.
    pub(crate) slack: [f64; 3],
}

/// One of the [`Rows`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) source: usize,
    pub(crate) place: usize,
    pub(crate) middle: [f64; 3],
    pub(crate) fast: [f64; 3],
    pub(crate) slow: [f64; 3],
    pub(crate) weight: f64,
    pub(crate) squared: f64,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.packs.clear();
        self.len = 0;
    }

    /// The number of terms.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn row(&self, index: usize) -> Option<Row> {
        let pack = self.packs.get(index / PACK)?;
        let lane = index % PACK;
        let of = |columns: &[Lanes; 3]| [0, 1, 2].map(|axis| columns[axis][lane]);
        Some(Row {
            source: pack.source[lane] as usize,
            place: pack.place[lane] as usize,
            middle: of(&pack.middle),
            fast: of(&pack.fast),
            slow: of(&pack.slow),
            weight: pack.weight[lane],
            squared: pack.squared[lane],
        })
    }

    /// Replaces the rows by those of `from` whose bound is above the limit.
    pub(crate) fn keep(&mut self, from: &Self, bounds: &[f64], limit: f64) {
        self.clear();
        for (pack, bounds) in from.packs.iter().zip(bounds.chunks(PACK)) {
            for (lane, bound) in bounds.iter().enumerate() {
                if bound.abs() <= limit {
                    continue;
                }
                let own = self.len % PACK;
                if own == 0 {
                    self.packs.push(Pack::default());
                }
                let Some(last) = self.packs.last_mut() else {
                    continue;
                };
                for axis in 0..3 {
                    last.middle[axis][own] = pack.middle[axis][lane];
                    last.fast[axis][own] = pack.fast[axis][lane];
                    last.slow[axis][own] = pack.slow[axis][lane];
                    last.normal[axis][own] = pack.normal[axis][lane];
                    last.numbers[axis][own] = pack.numbers[axis][lane];
                }
                last.weight[own] = pack.weight[lane];
                last.squared[own] = pack.squared[lane];
                last.source[own] = pack.source[lane];
                last.place[own] = pack.place[lane];
                self.len += 1;
            }
        }
    }

    /// The source and the orientation of every row whose bound is above the limit.
    pub(crate) fn above<'r>(
        &'r self,
        bounds: &'r [f64],
        limit: f64,
    ) -> impl Iterator<Item = (usize, u32)> + 'r {
        let packs = self.packs.iter().zip(bounds.chunks(PACK));
        packs.flat_map(move |(pack, bounds)| {
            let lanes = bounds.iter().enumerate();
            let above = lanes.filter(move |(_, bound)| bound.abs() > limit);
            above.map(|(lane, _)| (pack.source[lane] as usize, pack.place[lane]))
        })
    }
}

/// A large limit for which the sum of all bounds up to it, and of the limit for each bound above it, is at most
/// `budget`. Also the sum of the bounds up to it, and whether all are.
pub(crate) fn limit_of(level: Level, bounds: &[f64], budget: f64) -> Limit {
    run_at(level, LimitOf(bounds, budget))
}

/// The largest bound of terms that are left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) limit: f64,
    /// The sum of the bounds of all terms that are left out.
    pub(crate) lost: f64,
    /// The number of the others.
    pub(crate) kept: usize,
}

struct LimitOf<'b>(&'b [f64], f64);

impl Task for LimitOf<'_> {
    type Output = Limit;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Limit {
        /// Each round gives what the bounds below the limit do not use to the others.
        const ROUNDS: usize = 3;
        let Self(bounds, budget) = self;
        let (packs, _) = bounds.as_chunks::<PACK>();
        let mut limit = budget / bounds.len().max(1) as f64;
        let mut found = Limit {
            limit,
            lost: 0.0,
            kept: 0,
        };
        for _ in 0..ROUNDS {
            let (mut below, mut above) = ([0.0; PACK], [0.0; PACK]);
            for pack in packs {
                for j in 0..PACK {
                    let bound = pack[j].abs();
                    let is_below = bound <= limit;
                    below[j] += if is_below { bound } else { 0.0 };
                    above[j] += if is_below { 0.0 } else { 1.0 };
                }
            }
            let above: f64 = above.iter().sum();
            found = Limit {
                limit,
                lost: below.iter().sum(),
                kept: above as usize,
            };
            let next = (budget - found.lost) / above;
            if above == 0.0 || next <= limit {
                break;
            }
            limit = next;
        }
        found
    }
}

/// The rows of a source that are to be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adding<'r> {
    pub(crate) source: usize,
    /// The scattering vectors of the base area.
    pub(crate) scattering: &'r Scattering,
    /// The largest squared structure factor near them.
    pub(crate) squared: f64,
    /// Every so many orientations, and the first of them.
    pub(crate) step: usize,
    pub(crate) first: usize,
}

/// Adds the rows of a source to `rows`. `envelopes` are those of the runs of orientations, or one for all.
pub(crate) fn add_rows(
    level: Level,
    view: &View<'_>,
    envelopes: &[Envelope],
    adding: &Adding<'_>,
    rows: &mut Rows,
) {
    run_at(level, AddRows(view, envelopes, adding, rows));
}

struct AddRows<'r>(&'r View<'r>, &'r [Envelope], &'r Adding<'r>, &'r mut Rows);

impl Task for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self(view, envelopes, adding, rows) = self;
        let Some(base) = envelopes.first() else {
            return;
        };
        let [middle, fast, slow] = adding.scattering.vectors();
        let of_source = view.sources[adding.source].weight;
        let places = (adding.first..view.orientations.len()).step_by(adding.step);
        for place in places {
            let orientation = &view.orientations[place];
            let envelope = envelopes.get(view.run_number(place)).unwrap_or(base);
            let along = |q: [f64; 3]| {
                orientation
                    .edges_m
                    .map(|edge| edge[0] * q[0] + edge[1] * q[1] + edge[2] * q[2])
            };
            let (index, fast, slow) = (along(middle), along(fast), along(slow));
            let normal = [
                fast[1] * slow[2] - fast[2] * slow[1],
                fast[2] * slow[0] - fast[0] * slow[2],
                fast[0] * slow[1] - fast[1] * slow[0],
            ];
            let numbers = envelope.numbers(base, &fast, &slow, &normal);
            let own = rows.len % PACK;
            if own == 0 {
                rows.packs.push(Pack::default());
            }
            let Some(last) = rows.packs.last_mut() else {
                return;
            };
            for axis in 0..3 {
                last.middle[axis][own] = index[axis];
                last.fast[axis][own] = fast[axis];
                last.slow[axis][own] = slow[axis];
                last.normal[axis][own] = normal[axis];
                last.numbers[axis][own] = numbers[axis];
            }
            last.weight[own] = of_source * orientation.weight * envelope.peak_squared;
            last.squared[own] = adding.squared;
            last.source[own] = adding.source as u32;
            last.place[own] = place as u32;
            rows.len += 1;
        }
    }
}

/// Fills `out` with a bound for each row, and for each lane without one: the largest term anywhere in the area. A
/// bound is negative where several reflections are near the area. Its magnitude is then a bound too, and a look at
/// each reflection may lower it.
pub(crate) fn bound_terms(
    level: Level,
    view: &View<'_>,
    envelope: &Envelope,
    rows: &Rows,
    node: &Node,
    out: &mut Vec<f64>,
) {
    run_at(level, BoundTerms(view, envelope, rows, node, out));
}

struct BoundTerms<'r>(
    &'r View<'r>,
    &'r Envelope,
    &'r Rows,
    &'r Node,
    &'r mut Vec<f64>,
);

impl Task for BoundTerms<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self(view, envelope, rows, node, out) = self;
        out.clear();
        for pack in &rows.packs {
            out.extend_from_slice(&bound_pack(view, envelope, pack, node));
        }
    }
}

#[inline(always)]
fn bound_pack(view: &View<'_>, envelope: &Envelope, pack: &Pack, node: &Node) -> Lanes {
    let mut nearest = [[0.0; PACK]; 3];
    let mut offset = [[0.0; PACK]; 3];
    let mut half = [[0.0; PACK]; 3];
    let mut normal = [[0.0; PACK]; 3];
    // The step to the other reflection that is nearest somewhere in the area; 0 if there is none.
    let mut step = [[0.0; PACK]; 3];
    let mut across = [0.0; PACK];
    let (mut crowded, mut wide) = ([0.0; PACK], [0.0; PACK]);
    let [x, y] = node.at;
    // The normal is a product of two lengths.
    let shrunk = node.half * node.half;
    for axis in 0..3 {
        for j in 0..PACK {
            let (fast, slow) = (pack.fast[axis][j], pack.slow[axis][j]);
            let index = pack.middle[axis][j] + x * fast + y * slow;
            nearest[axis][j] = round_to_even(index);
            let (d, own) = (
                index - nearest[axis][j],
                (fast.abs() + slow.abs()) * node.half + node.slack[axis],
            );
            (offset[axis][j], half[axis][j]) = (d, own);
            let has_other = d.abs() + own > 0.5;
            step[axis][j] = if has_other { 1.0_f64.copysign(d) } else { 0.0 };
            crowded[j] = if has_other { 1.0 } else { crowded[j] };
            wide[j] = if own < 0.5 { wide[j] } else { 1.0 };
            normal[axis][j] = pack.normal[axis][j] * shrunk;
            across[j] += normal[axis][j] * d;
        }
    }
    // With several reflections the one nearest to the plane counts.
    let is_crowded = crowded.iter().any(|&crowded| crowded != 0.0);
    if is_crowded {
        let here = across;
        for corner in 1..8 {
            for j in 0..PACK {
                let mut there = here[j];
                for axis in 0..3 {
                    there -= f64::from(corner >> axis & 1) * (normal[axis][j] * step[axis][j]);
                }
                let nearer = there.abs() < across[j].abs();
                across[j] = if nearer { there } else { across[j] };
            }
        }
    }
    for j in 0..PACK {
        let slack = normal[0][j].abs() * node.slack[0]
            + normal[1][j].abs() * node.slack[1]
            + normal[2][j].abs() * node.slack[2];
        let clear = across[j].abs() - slack;
        across[j] = if (wide[j] != 0.0) | (clear < 0.0) {
            0.0
        } else {
            clear
        };
    }
    let mut part = [1.0; PACK];
    match envelope.fall {
        Fall::Grating { .. } => {
            for j in 0..PACK {
                let (mut falls, mut sum, mut largest) = (1.0, 0.0, 0.0);
                for axis in 0..3 {
                    let cells = pack.numbers[axis][j];
                    let d = offset[axis][j].abs();
                    let near = d - half[axis][j];
                    let near = if near > 0.0 { near } else { 0.0 };
                    let far = d + half[axis][j];
                    let far = if far < 0.5 { far } else { 0.5 };
                    let fall = cells * near * (PI - SLOPE_LOST * near);
                    falls *= if fall > 1.0 { fall } else { 1.0 };
                    // The chord of `1/(pi - SLOPE_LOST d)` between 0 and 1/2 is above it.
                    let per_slope = 1.0 / PI + far * (1.0 - 2.0 / PI);
                    // A lane without a term has no cells.
                    let a = normal[axis][j].abs() * per_slope / cells.max(1.0);
                    sum += a;
                    largest = if a > largest { a } else { largest };
                }
                let beyond = across[j] - sum;
                let by_plane = 1.0 + beyond / largest;
                let by_plane = if beyond > 0.0 { by_plane } else { 1.0 };
                let fall = if falls > by_plane { falls } else { by_plane };
                part[j] = 1.0 / (fall * fall);
            }
        }
        Fall::Ellipsoid { form, profile, .. } => {
            let wrong: f64 = (0..3).map(|i| form[i][i].sqrt() * node.slack[i]).sum();
            let per_shrunk = if shrunk > 0.0 { 1.0 / shrunk } else { 0.0 };
            let mut values = [f64::INFINITY; PACK];
            for corner in 0..if is_crowded { 8 } else { 1 } {
                for j in 0..PACK {
                    let at = |axis: usize| {
                        offset[axis][j] - f64::from(corner >> axis & 1) * step[axis][j]
                    };
                    let d = [at(0), at(1), at(2)];
                    let along =
                        |i: usize| form[i][0] * d[0] + form[i][1] * d[1] + form[i][2] * d[2];
                    let value = d[0] * along(0) + d[1] * along(1) + d[2] * along(2);
                    values[j] = if value < values[j] { value } else { values[j] };
                }
            }
            for j in 0..PACK {
                let [stretch, corner, per_normal] =
                    [pack.numbers[0][j], pack.numbers[1][j], pack.numbers[2][j]];
                let value = if (values[j] > 0.0) & (wide[j] == 0.0) {
                    values[j]
                } else {
                    0.0
                };
                let by_middle = stretch * (value.sqrt() - wrong) - corner * node.half;
                // The normal of a row is not shrunk.
                let by_plane = across[j] * per_normal * per_shrunk;
                let radius = if by_plane > by_middle {
                    by_plane
                } else {
                    by_middle
                };
                let radius = if radius > 0.0 { radius } else { 0.0 };
                part[j] = radius * radius * (1.0 - 1e-9);
            }
            match profile {
                Profile::Gauss => part = part.map(|squared| Separate::exp2(-2.0 * squared)),
                Profile::Ball => part = part.map(|squared| Profile::Ball.at(squared)),
                Profile::Tophat => part = part.map(|squared| Profile::Tophat.at(squared)),
            }
        }
        Fall::None => {}
    }
    let grid = &view.lane_grid;
    let mut places = [0; PACK];
    for j in 0..PACK {
        places[j] = grid.place_or_outside([nearest[0][j], nearest[1][j], nearest[2][j]]);
    }
    let mut bounds = [0.0; PACK];
    for j in 0..PACK {
        let factors = view.factors_of(pack.source[j] as usize);
        let squared = |place| {
            let factor = match place {
                OUTSIDE => factors.default_f(),
                place => (factors.values().get(place as usize).copied()).unwrap_or_default(),
            };
            factor * factor
        };
        // Room for the rounding of all this.
        let common = pack.weight[j] * part[j] * (1.0 + 1e-9);
        bounds[j] = if wide[j] != 0.0 {
            -(common * pack.squared[j])
        } else if crowded[j] != 0.0 {
            let mut largest = 0.0;
            for corner in 0..8 {
                let hkl = [0, 1, 2]
                    .map(|axis| nearest[axis][j] + f64::from(corner >> axis & 1) * step[axis][j]);
                largest = f64::max(largest, squared(grid.place_or_outside(hkl)));
            }
            -(common * largest)
        } else {
            common * squared(places[j])
        };
    }
    bounds
}

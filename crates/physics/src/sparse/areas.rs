//! The areas of a tile, and the terms of each.

use std::ops::Range;

use nanobragg_crystal::{Shape, nearest_index};

use super::envelope::Span;
use super::patch::{Area, Patch, Scattering};
use super::tile::{Found, Memory, Tile};
use crate::lanes::{self, Adding, LEAF, Leaf, Limit, Node, Row, Rows};

// What the parts of the work take, in nanoseconds of a processor of about 2024. Only their ratios count.

/// A test of a term in a leaf, with its share of the tests in larger areas.
const TEST: f64 = 12.0;
/// What it takes longer where several reflections are near.
const CROWDED: f64 = 15.0;
/// A look at the reflections near a leaf.
const LOOK: f64 = 150.0;
/// A leaf and its share of larger areas, without terms.
const AREA: f64 = 300.0;
/// The directions of the sub-pixels of a leaf.
const PLACE: f64 = 300.0;

/// A term of a leaf.
fn cost_of_term(shape: Shape) -> f64 {
    match shape {
        Shape::Square => 110.0,
        Shape::Round => 160.0,
        // Most blocks end at the exponent.
        Shape::Gauss => 60.0,
        Shape::Tophat => 180.0,
    }
}

/// The part of what is left of a budget that an area may spend. Smaller areas have better bounds, so a leaf may spend
/// all, the areas of four leaves most of it, and larger ones less.
const LATE: f64 = 0.6;
const EARLY: f64 = 0.25;

impl Tile<'_, '_> {
    /// Whether it takes less time to sum all terms of the tile than to find out which to leave out, from a look at
    /// some places.
    pub(super) fn is_faster_in_full(&self, budget: f64, memory: &mut Memory) -> bool {
        /// Looked at: leaves, and about as many terms in each.
        const LEAVES: u32 = 8;
        const TERMS: usize = 64;
        let view = self.view;
        let (area, orientations) = (self.area(), view.orientations.len());
        let all = view.sources.len() * orientations;
        let step = all.div_ceil(TERMS);
        let (level, _) = self.sparse.kernel;
        let leaves = area.size / LEAF;
        let term = cost_of_term(view.lattice.shape);
        let (mut in_part, mut in_full) = (0.0, 0.0);
        for number in 0..LEAVES {
            // Steps that visit all columns and rows.
            let at = [number * 5 + 1, number * 3 + 2].map(|n| n % leaves * LEAF);
            let leaf = Area {
                first: [0, 1].map(|i| area.first[i] + at[i]),
                size: LEAF,
            };
            let Some(patch) = Patch::of(view, &leaf, 0) else {
                return true;
            };
            if self.bound_terms(Some(&patch)) <= budget {
                // Full rows find out too that nothing scatters there.
                continue;
            }
            memory.rows[0].clear();
            for (index, source) in view.sources.iter().enumerate() {
                let first = (step - index * orientations % step) % step;
                if first < orientations {
                    let scattering = patch.scatter(source);
                    self.add_rows(index, &scattering, first, step, &mut memory.rows[0]);
                }
            }
            let own = Base::new(self, &leaf, &patch);
            self.bound(&memory.rows[0], &own.node(&own.root()), &mut memory.bounds);
            let limit = lanes::limit_of(level, &memory.bounds, budget / step as f64);
            let crowded = |limit: f64| {
                let below = memory.bounds.iter().filter(|bound| **bound < -limit);
                below.count() as f64
            };
            let looked_at = crowded(0.0) * CROWDED + crowded(limit.limit) * LOOK;
            let kept = limit.kept as f64 * term;
            in_part += step as f64 * (looked_at + kept + memory.rows[0].len() as f64 * TEST);
            in_part += if limit.kept > 0 { PLACE + AREA } else { AREA };
            in_full += PLACE + step as f64 * memory.rows[0].len() as f64 * term;
            // Two leaves are enough where nothing can be left out.
            if number > 0 && in_part > in_full {
                break;
            }
        }
        in_part > 0.9 * in_full
    }

    /// Sums the terms of a layer that are not left out.
    pub(super) fn sum_layer(
        &self,
        layer: u32,
        budget: f64,
        memory: &mut Memory,
        found: &mut Found,
    ) {
        memory.wide.clear();
        memory.wide.push(self.area());
        while let Some(area) = memory.wide.pop() {
            if self.is_passed_over(&area) {
                continue;
            }
            let patch = Patch::of(self.view, &area, layer);
            // All terms at once, from structure factors alone.
            let all = self.bound_terms(patch.as_ref());
            if all <= budget {
                memory.ledger.enter(&area, budget, all);
                continue;
            }
            let is_leaf = area.size <= LEAF;
            match patch {
                Some(patch) if is_leaf || self.sparse.is_linear(&patch, area.size) => {
                    self.sum_base(&area, &patch, layer, budget, memory, found);
                }
                None if is_leaf => self.sum_whole(&area, layer, memory, found),
                _ => memory.wide.extend(area.quarters()),
            }
        }
    }

    /// The same over an area in which indices are linear.
    fn sum_base(
        &self,
        area: &Area,
        patch: &Patch,
        layer: u32,
        budget: f64,
        memory: &mut Memory,
        found: &mut Found,
    ) {
        /// Rows that fit in a cache, about.
        const ROWS: usize = 1 << 14;
        let (sources, orientations) = (self.view.sources.len(), self.view.orientations.len());
        let at_once = (ROWS / orientations).clamp(1, sources);
        for first in (0..sources).step_by(at_once) {
            let some = first..sources.min(first + at_once);
            let budget = budget * some.len() as f64 / sources as f64;
            memory.rows[0].clear();
            for source in some {
                let scattering = patch.scatter(&self.view.sources[source]);
                self.add_rows(source, &scattering, 0, 1, &mut memory.rows[0]);
            }
            self.sum_parts(&Base::new(self, area, patch), layer, budget, memory, found);
        }
    }

    /// The same for the rows of a base area: halves the area until it is a leaf.
    fn sum_parts(
        &self,
        base: &Base,
        layer: u32,
        budget: f64,
        memory: &mut Memory,
        found: &mut Found,
    ) {
        let (kernel, _) = self.sparse.kernel;
        memory.areas.clear();
        memory.areas.push(base.root());
        while let Some(part) = memory.areas.pop() {
            if self.is_passed_over(&part.area) {
                continue;
            }
            let is_leaf = part.area.size <= LEAF;
            let node = base.node(&part);
            let Ok([above, own]) = memory.rows.get_disjoint_mut([part.level, part.level + 1])
            else {
                return;
            };
            self.bound(above, &node, &mut memory.bounds);
            let limit = if is_leaf {
                let allowed = memory.ledger.allowed(&part.area, budget);
                self.look_closer(above, &node, allowed - part.lost, &mut memory.bounds)
            } else {
                let spend = if part.area.size > 2 * LEAF {
                    EARLY
                } else {
                    LATE
                };
                lanes::limit_of(kernel, &memory.bounds, spend * (budget - part.lost))
            };
            let lost = part.lost + limit.lost;
            if is_leaf || limit.kept == 0 {
                memory.ledger.enter(&part.area, budget, lost);
            }
            if limit.kept == 0 {
                continue;
            }
            if is_leaf {
                self.sum_leaf(&part.area, layer, part.level, limit.limit, memory, found);
            } else {
                own.keep(above, &memory.bounds, limit.limit);
                let level = part.level + 1;
                let quarters = part.area.quarters();
                let quarters = quarters.map(|area| Part { level, area, lost });
                memory.areas.extend(quarters);
            }
        }
    }

    /// Whether an area is of no interest. With sub-pixels it may be of interest for what its pixels leave to others,
    /// although none of them is rendered: what is left out must not depend on how a panel is cut.
    fn is_passed_over(&self, area: &Area) -> bool {
        self.view.setup.oversample == 1 && !self.meets(area)
    }

    /// Whether a pixel of the area is rendered.
    fn meets(&self, area: &Area) -> bool {
        let pixels = self.pixels_of(area);
        let [fast, slow] = &pixels;
        let Some(mask) = self.view.panel.mask() else {
            return !fast.is_empty() && !slow.is_empty();
        };
        slow.clone().any(|slow| {
            let row = mask.row(slow as usize);
            let row = row.get(fast.start as usize..fast.end as usize);
            row.unwrap_or_default().contains(&true)
        })
    }

    /// The rendered pixels that the area meets, by their number on the panel.
    fn pixels_of(&self, area: &Area) -> [Range<u32>; 2] {
        let oversample = self.view.setup.oversample;
        [0, 1].map(|axis| {
            let corner = self.view.panel.first_pixel()[axis];
            let first = (area.first[axis] / oversample).saturating_sub(corner);
            let last = (area.first[axis] + area.size - 1) / oversample;
            let Range { start, end } = self.pixels[axis];
            // Behind the last pixel; 0 if all are before the corner.
            let behind = (last + 1).saturating_sub(corner);
            start.max(first)..end.min(behind).max(start.max(first))
        })
    }

    /// The bounds of rows in an area.
    fn bound(&self, rows: &Rows, node: &Node, bounds: &mut Vec<f64>) {
        let (level, _) = self.sparse.kernel;
        lanes::bound_terms(
            level,
            self.view,
            self.sparse.envelope_at(0),
            rows,
            node,
            bounds,
        );
    }

    /// Adds a row for every `step`th orientation of a source from `first` on.
    fn add_rows(
        &self,
        source: usize,
        scattering: &Scattering,
        first: usize,
        step: usize,
        rows: &mut Rows,
    ) {
        let adding = Adding {
            source,
            scattering,
            squared: self.largest_squared(source, scattering.lengths()),
            first,
            step,
        };
        let (level, _) = self.sparse.kernel;
        lanes::add_rows(level, self.view, &self.sparse.envelopes, &adding, rows);
    }

    /// The limit for a leaf, after a look at each reflection where several are near and the bound is too large to
    /// leave the term out.
    fn look_closer(&self, rows: &Rows, node: &Node, budget: f64, bounds: &mut [f64]) -> Limit {
        let (level, _) = self.sparse.kernel;
        let first = lanes::limit_of(level, bounds, budget);
        let mut is_lower = false;
        for (index, bound) in bounds.iter_mut().enumerate() {
            if *bound < -first.limit
                && let Some(row) = rows.row(index)
            {
                *bound = self.brightest(&row, node).min(bound.abs());
                is_lower = true;
            }
        }
        match is_lower {
            true => lanes::limit_of(level, bounds, budget),
            false => first,
        }
    }

    /// A bound on a term anywhere in an area, from each reflection near it.
    fn brightest(&self, row: &Row, node: &Node) -> f64 {
        /// With more reflections near an area than this, it is too large to look at each.
        const MOST_REFLECTIONS: f64 = 64.0;
        let envelope = self.sparse.envelope_at(row.place);
        let factors = self.view.factors_of(row.source);
        let [x, y] = node.at;
        let middle = [0, 1, 2].map(|i| row.middle[i] + x * row.fast[i] + y * row.slow[i]);
        let shrunk = |edge: [f64; 3]| edge.map(|change| change * node.half);
        let span = Span::new(shrunk(row.fast), shrunk(row.slow), node.slack);
        let ends = [0, 1, 2]
            .map(|i| [-1.0, 1.0].map(|sign| nearest_index(middle[i] + sign * span.half[i])));
        let counts = ends.map(|[first, last]| last - first + 1.0);
        let count: f64 = counts.iter().product();
        if count.is_nan() || count > MOST_REFLECTIONS {
            return row.weight * row.squared;
        }
        let mut brightest = 0.0;
        let [along_h, along_k, along_l] = ends.map(|[first, last]| first as i64..=last as i64);
        for h in along_h {
            for k in along_k.clone() {
                for l in along_l.clone() {
                    let factor = factors.nearest([h, k, l]);
                    let squared = factor * factor;
                    if squared > brightest {
                        let reflection = [h, k, l].map(|index| index as f64);
                        let offset = [0, 1, 2].map(|i| middle[i] - reflection[i]);
                        brightest = f64::max(brightest, squared * envelope.over(offset, &span));
                    }
                }
            }
        }
        row.weight * brightest * (1.0 + 1e-9)
    }

    /// Sums the rows of a level whose bounds are above the limit, in a leaf.
    fn sum_leaf(
        &self,
        area: &Area,
        layer: u32,
        level: usize,
        limit: f64,
        memory: &mut Memory,
        found: &mut Found,
    ) {
        memory.places.clear();
        memory.groups.clear();
        for (source, place) in memory.rows[level].above(&memory.bounds, limit) {
            let at = memory.places.len();
            match memory.groups.last_mut() {
                Some((last, range)) if *last == source => range.end = at + 1,
                _ => memory.groups.push((source, at..at + 1)),
            }
            memory.places.push(place);
        }
        self.sum_places(area, layer, memory, found);
    }

    /// Sums all terms in a leaf.
    fn sum_whole(&self, area: &Area, layer: u32, memory: &mut Memory, found: &mut Found) {
        let orientations = self.view.orientations.len();
        memory.places.clear();
        memory.places.extend(0..orientations as u32);
        memory.groups.clear();
        let sources = 0..self.view.sources.len();
        memory
            .groups
            .extend(sources.map(|source| (source, 0..orientations)));
        self.sum_places(area, layer, memory, found);
    }

    fn sum_places(&self, area: &Area, layer: u32, memory: &mut Memory, found: &mut Found) {
        let view = self.view;
        if !self.meets(area) {
            return;
        }
        let leaf = Leaf {
            first: area.first,
            layer,
        };
        let groups = memory.groups.iter();
        let terms = groups.map(|(source, range)| (*source, &memory.places[range.clone()]));
        let sums = lanes::sum_leaf(self.sparse.kernel, view, &leaf, terms, &mut memory.leaf);
        let terms: usize = memory.groups.iter().map(|(_, range)| range.len()).sum();
        found.terms += (terms * lanes::LANES) as f64;
        memory.has_sums = true;
        // The pixel of the tile that a sub-pixel is in. The area may reach beyond the tile.
        let edge = self.sparse.size.pixels;
        let own = self.area().first;
        let [columns, rows]: [[u32; LEAF as usize]; 2] = [0, 1].map(|axis| {
            let first = area.first[axis] - own[axis];
            std::array::from_fn(|i| (first + i as u32) / view.setup.oversample)
        });
        let pixel = |i: usize| {
            let [x, y] = [columns[i % columns.len()], rows[i / columns.len()]];
            (x < edge && y < edge).then_some((y * edge + x) as usize)
        };
        for (i, sum) in sums.iter().enumerate() {
            if let Some(pixel) = pixel(i) {
                memory.sums[pixel] += sum;
            }
        }
        if memory.parts.is_empty() {
            return;
        }
        for i in 0..lanes::LANES {
            let Some(parts) = pixel(i).map(|pixel| &mut memory.parts[pixel]) else {
                continue;
            };
            for (name, sum) in memory.leaf.parts(i).filter(|(_, sum)| *sum != 0.0) {
                match parts.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, earlier)) => *earlier += sum,
                    None => parts.push((name, sum)),
                }
            }
        }
    }
}

/// An area in which indices are linear functions of the place.
struct Base {
    area: Area,
    /// What they are wrong by at most, on each axis.
    slack: [f64; 3],
}

impl Base {
    fn new(tile: &Tile<'_, '_>, area: &Area, patch: &Patch) -> Self {
        let bounds = &tile.view.bounds;
        let per_m = patch.slack * tile.sparse.longest_per_m;
        // Rounding of indices is far below this part of them.
        let rounding = 1e-9 * (1.0 + bounds.largest_index);
        Self {
            area: *area,
            slack: bounds
                .longest_edges_m
                .map(|edge_m| edge_m * per_m + rounding),
        }
    }

    /// The whole area.
    fn root(&self) -> Part {
        Part {
            level: 0,
            area: self.area,
            lost: 0.0,
        }
    }

    /// A part in units of half the edge of the area.
    fn node(&self, part: &Part) -> Node {
        let whole = f64::from(self.area.size);
        let size = f64::from(part.area.size);
        let at = [0, 1].map(|axis| {
            let first = f64::from(part.area.first[axis] - self.area.first[axis]);
            (2.0 * first + size) / whole - 1.0
        });
        Node {
            at,
            // From the middle of the first sub-pixel to that of the last.
            half: (size - 1.0) / whole,
            slack: self.slack,
        }
    }
}

/// A part of a base area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// How often the base area was halved.
    level: usize,
    area: Area,
    /// What was lost with terms that were left out before.
    lost: f64,
}

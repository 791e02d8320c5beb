//! The tables of a scene in the bytes of the kernel.

use std::ops::Range;
use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, LatticeShape, Shape, SpotMetric};
use nanobragg_geometry::vector;
use nanobragg_physics::{DeviceFault, HaloTable, OrientationTable, SourceTable, Tables};

use crate::fixed::{self, Factors};
use crate::plan::Arithmetic;

/// `0.63 / log2(e)`: [`LatticeShape::gaussian_form`] is the negative squared radius over it.
const RADIUS_SQUARED_OF_FORM: f64 = 0.63 * std::f64::consts::LN_2;

/// The squared radius where a top-hat ends.
const TOPHAT_RADIUS_SQUARED: f64 = 0.3969;

/// Bytes of a table, with numbers in the precision of the kernel.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    arithmetic: Arithmetic,
    pub(crate) bytes: Vec<u8>,
}

impl Bytes {
    pub(crate) fn new(arithmetic: Arithmetic) -> Self {
        Self {
            arithmetic,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn whole(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.bytes.extend(number.to_le_bytes());
        }
    }

    pub(crate) fn signed(&mut self, numbers: impl IntoIterator<Item = i32>) {
        self.whole(numbers.into_iter().map(|number| number as u32));
    }

    pub(crate) fn single(&mut self, numbers: impl IntoIterator<Item = f32>) {
        self.whole(numbers.into_iter().map(f32::to_bits));
    }

    pub(crate) fn real(&mut self, numbers: impl IntoIterator<Item = f64>) {
        for number in numbers {
            match self.arithmetic {
                Arithmetic::Fixed => self.bytes.extend((number as f32).to_le_bytes()),
                Arithmetic::Double => self.bytes.extend(number.to_le_bytes()),
            }
        }
    }
}

/// The distinct lists of structure factors of a scene, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Grids {
    /// Each with the place where it begins.
    grids: Vec<(Arc<FactorGrid>, u32)>,
    /// The largest structure factor, which is 1 on the device.
    pub(crate) largest: f64,
    /// Numbers of all lists together.
    pub(crate) count: u64,
}

impl Grids {
    /// # Errors
    /// If the lists have different ranges, or too large numbers.
    pub(crate) fn of(tables: &Tables<'_>) -> Result<Self, DeviceFault> {
        let mut grids: Vec<(Arc<FactorGrid>, u32)> = Vec::new();
        let (mut largest, mut count) = (0.0_f64, 0_u64);
        for source in tables.sources() {
            if grids
                .iter()
                .any(|(own, _)| Arc::ptr_eq(own, source.factors))
            {
                continue;
            }
            if grids
                .first()
                .is_some_and(|(first, _)| first.bounds() != source.factors.bounds())
            {
                return Err(DeviceFault::DifferentGrids);
            }
            let place = u32::try_from(count).ok().filter(|place| *place < 1 << 31);
            let default_f = source.factors.default_f();
            let values = source.factors.values().iter();
            largest = values.fold(largest.max(default_f.abs()), |most, f| most.max(f.abs()));
            count += source.factors.values().len() as u64 + 1;
            grids.push((
                Arc::clone(source.factors),
                place.ok_or(DeviceFault::TooLarge)?,
            ));
        }
        if !(largest > 0.0 && largest.is_finite()) || count >= 1 << 31 {
            return Err(DeviceFault::TooLarge);
        }
        Ok(Self {
            grids,
            largest,
            count,
        })
    }

    #[cfg(feature = "wgpu")]
    pub(crate) fn are(&self, other: &Self) -> bool {
        let pairs = self.grids.iter().zip(&other.grids);
        self.grids.len() == other.grids.len()
            && pairs.into_iter().all(|(a, b)| Arc::ptr_eq(&a.0, &b.0))
    }

    fn place(&self, factors: &Arc<FactorGrid>) -> u32 {
        let own = self.grids.iter().find(|(own, _)| Arc::ptr_eq(own, factors));
        own.map_or(0, |(_, place)| *place)
    }

    /// Of each list the value outside its range and then the values, as parts of the largest.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Bytes::new(Arithmetic::Fixed);
        bytes.bytes.reserve_exact(self.count as usize * 4);
        for (grid, _) in &self.grids {
            let all = std::iter::once(grid.default_f()).chain(grid.values().iter().copied());
            bytes.single(all.map(|f| (f / self.largest) as f32));
        }
        bytes.bytes
    }

    /// The least and the largest indices, and the steps from one to the next, each with a fourth number.
    pub(crate) fn ranges(&self) -> [i32; 12] {
        let grid = self.grids.first().map(|(grid, _)| grid);
        let Some((grid, bounds)) = grid.and_then(|grid| Some((grid, grid.bounds()?))) else {
            // No index is between 1 and 0.
            return [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        };
        let ([h, k, l], [to_h, to_k, to_l]) = (bounds.min, bounds.max);
        let strides = grid.strides().map(|stride| stride as i32);
        [
            h, k, l, 0, to_h, to_k, to_l, 0, strides[0], strides[1], strides[2], 0,
        ]
    }
}

/// Some terms, as many as the kernel sums at a time.
#[derive(Debug)]
pub struct Chunk {
    pub(crate) sources: u32,
    /// Binding 2.
    pub source_bytes: Vec<u8>,
    /// Binding 4.
    pub term_bytes: Vec<u8>,
    /// The number of terms.
    pub terms: u32,
}

/// The bytes of a term.
pub(crate) const fn term_bytes(arithmetic: Arithmetic) -> u64 {
    match arithmetic {
        Arithmetic::Fixed => 160,
        Arithmetic::Double => 112,
    }
}

/// The terms of a scene.
pub(crate) struct TermTables<'t> {
    arithmetic: Arithmetic,
    sources: Vec<SourceTable<'t>>,
    orientations: Vec<OrientationTable<'t>>,
    /// The amplitude of each shape with all cells in phase.
    peaks: Vec<f64>,
    /// The largest of them, which is 1 on the device.
    pub(crate) largest_peak: f64,
    dmin_m: f64,
}

impl<'t> TermTables<'t> {
    /// # Errors
    /// If crystals are empty or too large.
    pub(crate) fn new(arithmetic: Arithmetic, tables: &Tables<'t>) -> Result<Self, DeviceFault> {
        let peaks: Vec<f64> = tables.shapes().map(peak).collect();
        let largest_peak = peaks
            .iter()
            .fold(0.0, |most: f64, peak| most.max(peak.abs()));
        if !(largest_peak > 0.0 && largest_peak.is_finite()) {
            return Err(DeviceFault::TooLarge);
        }
        Ok(Self {
            arithmetic,
            sources: tables.sources().collect(),
            orientations: tables.orientations().collect(),
            peaks,
            largest_peak,
            dmin_m: tables.dmin_m(),
        })
    }

    /// The terms in chunks of at most `most` terms, by source and then by orientation.
    pub(crate) fn chunks(&self, grids: &Grids, most: usize) -> Vec<Chunk> {
        let count = self.orientations.len();
        let mut chunks = Vec::new();
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        let mut room = most;
        for source in 0..self.sources.len() {
            let mut first = 0;
            while first < count {
                let end = count.min(first + room);
                parts.push((source, first..end));
                room -= end - first;
                first = end;
                if room == 0 {
                    chunks.push(self.chunk(grids, &std::mem::take(&mut parts)));
                    room = most;
                }
            }
        }
        if !parts.is_empty() {
            chunks.push(self.chunk(grids, &parts));
        }
        chunks
    }

    fn chunk(&self, grids: &Grids, parts: &[(usize, Range<usize>)]) -> Chunk {
        let mut sources = Bytes::new(self.arithmetic);
        let mut terms = Bytes::new(self.arithmetic);
        let (mut written, mut summed) = (0, 0);
        for (number, places) in parts {
            let source = &self.sources[*number];
            let count = places.len() as u32;
            // (lambda / dmin)^2, the square of the distance of two unit vectors.
            let limit = (source.wavelength_m / self.dmin_m).powi(2);
            sources.whole([written, count]);
            // Water is added with the first part of the terms of a source.
            let weight = if places.start == 0 {
                source.weight
            } else {
                0.0
            };
            sources.real([limit, weight]);
            sources.real(source.incident);
            sources.real(source.electric);
            sources.real(source.magnetic);
            for orientation in &self.orientations[places.clone()] {
                self.term(grids, source, orientation, &mut terms);
            }
            written += count;
            summed += count;
            if self.dmin_m > 0.0 && self.arithmetic == Arithmetic::Fixed {
                self.limit(source, limit, &mut terms);
                written += 1;
            }
        }
        Chunk {
            sources: parts.len() as u32,
            source_bytes: sources.bytes,
            term_bytes: terms.bytes,
            terms: summed,
        }
    }

    fn term(
        &self,
        grids: &Grids,
        source: &SourceTable<'_>,
        orientation: &OrientationTable<'_>,
        terms: &mut Bytes,
    ) {
        // h = a.d/lambda - a.s/lambda.
        let by = orientation
            .edges_m
            .map(|edge| edge.map(|x| x / source.wavelength_m));
        let constants = by.map(|edge| -vector::dot(edge, source.incident));
        let weight = source.weight * orientation.weight;
        let amplitude = weight.sqrt() * self.amplitude(orientation.shape);
        match self.arithmetic {
            Arithmetic::Fixed => {
                let factors: [Factors; 3] =
                    std::array::from_fn(|i| Factors::new(by[i], constants[i]));
                terms.signed(factors.iter().flat_map(|own| own.whole));
                terms.signed(factors.iter().flat_map(|own| own.rest));
                terms.single(factors.iter().flat_map(|own| own.rough));
            }
            Arithmetic::Double => terms.real(by.into_iter().flatten().chain(constants)),
        }
        terms.real([amplitude]);
        terms.whole([grids.place(source.factors), orientation.shape as u32]);
        if self.arithmetic == Arithmetic::Fixed {
            terms.whole([0]);
        }
    }

    /// The amplitude of a shape, as the kernel multiplies its lattice factor by it. That of a parallelepiped is not
    /// divided by its cells in fixed point.
    fn amplitude(&self, shape: usize) -> f64 {
        let own = match self.arithmetic {
            Arithmetic::Fixed => 1.0,
            Arithmetic::Double => self.peaks.get(shape).copied().unwrap_or(0.0),
        };
        own / self.largest_peak
    }

    /// What stands in fixed point behind the terms of a source: the factors of the cosine over 4, and its limit.
    fn limit(&self, source: &SourceTable<'_>, limit: f64, terms: &mut Bytes) {
        let cosine = Factors::new(source.incident.map(|x| 0.25 * x), 0.0);
        terms.signed(cosine.whole);
        terms.signed([fixed::cosine_limit(1.0 - 0.5 * limit), 0, 0, 0, 0, 0, 0, 0]);
        terms.signed(cosine.rest);
        terms.signed([0; 8]);
        terms.single(cosine.rough);
        terms.single([0.0; 8]);
        terms.whole([0; 4]);
    }
}

/// The amplitude of a shape with all cells in phase.
fn peak(shape: &LatticeShape) -> f64 {
    if shape.shape == Shape::Square {
        // Its size tensor has no other numbers.
        return shape.cells.into_iter().product();
    }
    shape.peak()
}

/// The number of a shape in the kernel.
pub(crate) fn shape_number(shape: Shape) -> f64 {
    match shape {
        Shape::Square => 0.0,
        Shape::Round => 1.0,
        Shape::Gauss => 2.0,
        Shape::Tophat => 3.0,
    }
}

/// The operations that the kernel has room for in diffuse scattering.
const OPERATIONS: usize = 24;

/// The diffuse scattering and the shapes of a scene.
pub(crate) fn shape_bytes(
    arithmetic: Arithmetic,
    tables: &Tables<'_>,
    halo: Option<&HaloTable>,
) -> Vec<u8> {
    let mut bytes = Bytes::new(arithmetic);
    if arithmetic == Arithmetic::Double {
        bytes.real([halo.map_or(0.0, |halo| halo.end.min(f64::MAX))]);
        let operations = halo.map_or(&[][..], |halo| &halo.operations);
        for own in operations {
            bytes.real(own.distance.into_iter().chain(own.displacement));
            bytes.real([own.weight]);
        }
        bytes.real(std::iter::repeat_n(
            0.0,
            13 * (OPERATIONS - operations.len()),
        ));
    }
    for shape in tables.shapes() {
        let [a, b, c] = shape.cells;
        match arithmetic {
            Arithmetic::Fixed => bytes.signed([a as i32, b as i32, c as i32, 0]),
            Arithmetic::Double => {
                bytes.real(shape.cells);
                // The kernel compares with 1, or takes 2 to the negative power of it.
                let scale = match shape.shape {
                    Shape::Gauss => -1.0,
                    Shape::Tophat => -RADIUS_SQUARED_OF_FORM / TOPHAT_RADIUS_SQUARED,
                    _ => -RADIUS_SQUARED_OF_FORM,
                };
                let metric = match shape.shape {
                    // The radius of an ellipsoid is always in indices.
                    Shape::Round => SpotMetric::Hkl,
                    _ => shape.metric,
                };
                let form = LatticeShape { metric, ..*shape }.gaussian_form();
                bytes.real(form.map(|x| x * scale));
                // The kernel multiplies by the square of the amplitude, which has the peak in it.
                let scale = halo.map_or(0.0, |halo| halo.scale);
                bytes.real([scale * shape.all_cells() / peak(shape).powi(2)]);
            }
        }
    }
    bytes.bytes
}

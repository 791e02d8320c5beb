//! The tables of a scene in the bytes of the kernel.

use std::ops::Range;
use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, LatticeShape, Shape, SpotMetric};
use nanobragg_geometry::{Panel, PixelKind, Surface, vector};
use nanobragg_physics::{DeviceFault, OrientationTable, SourceTable, Tables};

use crate::fixed::{self, Factors};
use crate::gpu::Arithmetic;

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
pub(crate) struct Chunk {
    pub(crate) sources: u32,
    pub(crate) source_bytes: Vec<u8>,
    pub(crate) term_bytes: Vec<u8>,
    /// The number of terms.
    pub(crate) terms: u32,
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

/// The shapes of a scene.
pub(crate) fn shape_bytes(arithmetic: Arithmetic, tables: &Tables<'_>) -> Vec<u8> {
    let mut bytes = Bytes::new(arithmetic);
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
            }
        }
    }
    bytes.bytes
}

/// A panel in the bytes of the kernel.
#[derive(Debug)]
pub(crate) struct PanelTables {
    pub(crate) bytes: Vec<u8>,
    /// The plane, from which the kernel works out directions; `None` if it needs a table of them.
    pub(crate) plane: Option<Vec<u8>>,
}

impl PanelTables {
    /// `scale` is what the sums of the kernel are multiplied by.
    pub(crate) fn new(
        arithmetic: Arithmetic,
        tables: &Tables<'_>,
        number: usize,
        scale: f64,
    ) -> Self {
        let panel = &tables.panels()[number];
        let plane = Plane::new(tables, panel).filter(|plane| match arithmetic {
            Arithmetic::Fixed => plane.fits(tables, panel),
            Arithmetic::Double => true,
        });
        let unit_m = match (&plane, arithmetic) {
            (Some(plane), Arithmetic::Fixed) => fixed::unit_m(plane.farthest_m),
            _ => 1.0,
        };
        let sensor = panel.sensor();
        let mut bytes = Bytes::new(arithmetic);
        bytes.real(panel.normal());
        bytes.real([
            panel.pixel_size_m().powi(2) * panel.close_distance_m(),
            sensor.layer_step_m * sensor.mu_per_m,
            tables.kahn_factor(),
            unit_m,
            tables.water(number).0 / scale,
        ]);
        let plane = plane.map(|plane| {
            let mut bytes = Bytes::new(arithmetic);
            let vectors = [plane.fast_m, plane.slow_m];
            for vector in vectors.into_iter().chain(plane.first_m) {
                match arithmetic {
                    Arithmetic::Fixed => {
                        bytes.signed(vector.into_iter().flat_map(|x| fixed::words(x / unit_m)));
                    }
                    Arithmetic::Double => bytes.real(vector),
                }
            }
            bytes.bytes
        });
        Self {
            bytes: bytes.bytes,
            plane,
        }
    }
}

/// A flat panel by its sub-pixels.
struct Plane {
    /// From one sub-pixel to the next.
    fast_m: [f64; 3],
    slow_m: [f64; 3],
    /// The first sub-pixel of each layer.
    first_m: Vec<[f64; 3]>,
    farthest_m: f64,
}

impl Plane {
    fn new(tables: &Tables<'_>, panel: &Panel) -> Option<Self> {
        if panel.surface() == Surface::Curved {
            return None;
        }
        let subpixel_m = panel.pixel_size_m() / f64::from(tables.oversample());
        let sensor = panel.sensor();
        let depths = (0..sensor.layers).map(|layer| f64::from(layer) * sensor.layer_step_m);
        let half_m = 0.5 * subpixel_m;
        let first = depths
            .clone()
            .map(|depth_m| panel.position_m(half_m, half_m, depth_m));
        let region = panel.roi();
        let ends = |range: std::ops::RangeInclusive<u32>, first: u32| {
            let [start, end] = [*range.start(), *range.end() + 1];
            [start, end].map(|pixel| f64::from(pixel + first) * panel.pixel_size_m())
        };
        let [first_fast, first_slow] = panel.first_pixel();
        let (fast, slow) = (
            ends(region.fast(), first_fast),
            ends(region.slow(), first_slow),
        );
        let corners = depths.flat_map(|depth_m| {
            fast.into_iter().flat_map(move |f_m| {
                slow.into_iter()
                    .map(move |s_m| vector::norm(panel.position_m(f_m, s_m, depth_m)))
            })
        });
        Some(Self {
            fast_m: vector::scale(subpixel_m, panel.fast()),
            slow_m: vector::scale(subpixel_m, panel.slow()),
            first_m: first.collect(),
            farthest_m: corners.fold(0.0, f64::max),
        })
    }

    /// Whether fixed point is good enough for its directions.
    fn fits(&self, tables: &Tables<'_>, panel: &Panel) -> bool {
        let depth_m = panel.sensor().layer_step_m.abs() * f64::from(panel.sensor().layers);
        let nearest_m = panel.close_distance_m().abs() - depth_m;
        let [fast, slow] = panel.first_pixel().map(f64::from);
        let pixels = fast + slow + f64::from(panel.pixels_fast()) + f64::from(panel.pixels_slow());
        let steps = pixels * f64::from(tables.oversample());
        fixed::fits_plane(nearest_m, self.farthest_m, steps)
    }
}

/// The directions of the sub-pixels of some rows, layer by layer.
pub(crate) fn direction_bytes(
    arithmetic: Arithmetic,
    tables: &Tables<'_>,
    panel: &Panel,
    rows: Range<u32>,
) -> Vec<u8> {
    let oversample = tables.oversample();
    let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
    let [first_fast, first_slow] = panel.first_pixel();
    let middle_m = |number: u32| (f64::from(number) + 0.5) * subpixel_m;
    let region = panel.roi().fast();
    let fast =
        (region.start() + first_fast) * oversample..(region.end() + 1 + first_fast) * oversample;
    let slow = (rows.start + first_slow) * oversample..(rows.end + first_slow) * oversample;
    let mut bytes = Bytes::new(arithmetic);
    for layer in 0..panel.sensor().layers {
        let depth_m = f64::from(layer) * panel.sensor().layer_step_m;
        for s in slow.clone() {
            for f in fast.clone() {
                let position_m = panel.position_m(middle_m(f), middle_m(s), depth_m);
                let (direction, path_m) = (vector::unit(position_m), vector::norm(position_m));
                match arithmetic {
                    Arithmetic::Fixed => {
                        let (hi, lo) = fixed::split_direction(direction);
                        bytes.signed(hi);
                        bytes.whole([0]);
                        bytes.single(lo);
                        bytes.single([path_m as f32]);
                    }
                    Arithmetic::Double => {
                        bytes.real(direction);
                        bytes.real([path_m]);
                    }
                }
            }
        }
    }
    bytes.bytes
}

/// Whether the solid angle is that of a point.
pub(crate) fn is_point(panel: &Panel) -> bool {
    panel.pixel_kind() == PixelKind::Point
}

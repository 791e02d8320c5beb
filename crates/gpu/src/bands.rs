//! Rows of pixels, one band after the other.
//!
//! A band is so small that the kernel takes a few hundredths of a second for it and some of the terms: a driver ends
//! what takes longer, and a run can be stopped between two bands. The device works on one band while the photons of
//! the band before it are worked out here.

use std::ops::Range;
use std::time::{Duration, Instant};

use nanobragg_geometry::Panel;
use nanobragg_physics::{DeviceFault, Job, Lookup, Tables, Take, Terms};
use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, ComputePipeline, MapMode, PollType, SubmissionIndex,
};

use crate::gpu::{Arithmetic, Gpu};
use crate::tables::{
    self, Bytes, Chunk, Grids, PanelTables, TermTables, direction_bytes, shape_bytes, shape_number,
};

/// The kernel takes about so long for a band and a chunk.
const TARGET: Duration = Duration::from_millis(30);

/// The first band has about so many terms: a fast CPU sums them in a few hundredths of a second.
const FIRST_TERMS: f64 = 1e7;

/// The most pixels of a band, and the bytes of its directions.
const MOST_PIXELS: u32 = 1 << 22;
const MOST_DIRECTIONS: u64 = 32 << 20;

/// The most turns of all loops of the kernel for a pixel. Mesa's drivers in software leave a kernel after 65 535.
const MOST_TURNS: u64 = 60_000;

/// The most bytes of all terms.
const ALL_TERMS: u64 = 1 << 30;

/// Threads of a group in the kernel.
const GROUP: u32 = 64;

/// The rows of a dispatch that every device allows.
const MOST_ROWS: u32 = 65_535;

/// The terms of a scene on a GPU.
pub(crate) struct OnDevice<'t> {
    gpu: &'t Gpu,
    tables: Tables<'t>,
    arithmetic: Arithmetic,
    grids: Grids,
    factors: Buffer,
    shapes: Buffer,
    chunks: Vec<ChunkTables>,
    /// What a sum of the device is multiplied by.
    scale: f64,
}

/// A chunk of terms on the device.
struct ChunkTables {
    sources: u32,
    terms: u32,
    source_table: Buffer,
    term_table: Buffer,
}

impl<'t> OnDevice<'t> {
    /// # Errors
    /// If the tables of the scene do not fit.
    pub(crate) fn check(
        gpu: &Gpu,
        tables: &Tables<'_>,
        arithmetic: Arithmetic,
        grids: &Grids,
    ) -> Result<(), DeviceFault> {
        TermTables::new(arithmetic, tables)?;
        most_terms(gpu, tables, arithmetic)?;
        let terms = tables.sources().len() as u64 * (tables.orientations().len() as u64 + 1);
        let memory = |most: u64| DeviceFault::Memory {
            mebibytes: most >> 20,
        };
        if grids.count * 4 > gpu.largest_table {
            return Err(memory(gpu.largest_table));
        }
        if terms.saturating_mul(tables::term_bytes(arithmetic)) > ALL_TERMS {
            return Err(memory(ALL_TERMS));
        }
        Ok(())
    }

    pub(crate) fn new(gpu: &'t Gpu, tables: Tables<'t>) -> Result<Self, DeviceFault> {
        let arithmetic = gpu.arithmetic(&tables)?;
        let grids = Grids::of(&tables)?;
        let terms = TermTables::new(arithmetic, &tables)?;
        let chunks = terms.chunks(&grids, most_terms(gpu, &tables, arithmetic)?);
        let upload = |chunk: &Chunk| ChunkTables {
            sources: chunk.sources,
            terms: chunk.terms,
            source_table: gpu.buffer(&chunk.source_bytes, BufferUsages::STORAGE),
            term_table: gpu.buffer(&chunk.term_bytes, BufferUsages::STORAGE),
        };
        let scale = (grids.largest * terms.largest_peak).powi(2);
        Ok(Self {
            factors: gpu.factors(&grids),
            shapes: gpu.buffer(&shape_bytes(arithmetic, &tables), BufferUsages::STORAGE),
            chunks: chunks.iter().map(upload).collect(),
            gpu,
            tables,
            arithmetic,
            grids,
            scale,
        })
    }

    fn kernel(&self, panel: usize, lookup: Lookup, has_table: bool) -> ComputePipeline {
        let weights = self.tables.term_weights(panel);
        let yes = |is: bool| if is { 1.0 } else { 0.0 };
        let own = &self.tables.panels()[panel];
        let mut constants = vec![
            ("HAS_TABLE", yes(has_table)),
            ("HAS_LIMIT", yes(self.tables.dmin_m() > 0.0)),
            ("HAS_MASK", yes(own.mask().is_some())),
            ("WEIGHS_POLARIZATION", yes(weights.polarization)),
            ("WEIGHS_SOLID_ANGLE", yes(weights.solid_angle)),
            ("IS_POINT", yes(tables::is_point(own))),
            (
                "CAPTURE",
                match weights.capture {
                    None => 0.0,
                    Some(capture) if capture.each_subpixel => 2.0,
                    Some(_) => 1.0,
                },
            ),
            (
                "CAPTURES_BY_LAYER",
                yes(weights.capture.is_some_and(|capture| capture.own_layer)),
            ),
        ];
        let (water, in_each_layer) = self.tables.water(panel);
        constants.push((
            "WATER",
            match (water == 0.0, in_each_layer) {
                (true, _) => 0.0,
                (false, false) => 1.0,
                (false, true) => 2.0,
            },
        ));
        if self.arithmetic == Arithmetic::Double {
            let shape = self.tables.shapes().next();
            constants.extend([
                ("SHAPE", shape.map_or(0.0, |own| shape_number(own.shape))),
                ("IS_CUBIC", yes(lookup == Lookup::Tricubic)),
                ("LOOKS_UP_DARK", yes(self.tables.looks_up_dark_terms())),
            ]);
        }
        self.gpu.kernel(self.arithmetic, &constants)
    }
}

/// The most terms of a chunk.
fn most_terms(
    gpu: &Gpu,
    tables: &Tables<'_>,
    arithmetic: Arithmetic,
) -> Result<usize, DeviceFault> {
    let layers = tables.panels().iter().map(|panel| panel.sensor().layers);
    let subpixels = u64::from(tables.oversample()).pow(2) * u64::from(layers.max().unwrap_or(1));
    // Each source is one more turn, and has one more row in the table for its limit.
    let turns = (MOST_TURNS / subpixels.max(1)).saturating_sub(1) / 2;
    let most = turns.min(gpu.largest_table / tables::term_bytes(arithmetic) / 2);
    match usize::try_from(most) {
        Ok(most) if most > 0 => Ok(most),
        _ => Err(DeviceFault::TooLarge),
    }
}

impl Terms for OnDevice<'_> {
    fn sum(&self, job: &Job, take: &mut Take<'_>) -> Result<Option<[u32; 2]>, DeviceFault> {
        let panel = &self.tables.panels()[job.panel];
        let own = PanelTables::new(self.arithmetic, &self.tables, job.panel, self.scale);
        let storage = |bytes: &[u8]| self.gpu.buffer(bytes, BufferUsages::STORAGE);
        let columns = panel.roi().fast().count() as u32;
        let subpixels =
            u64::from(self.tables.oversample()).pow(2) * u64::from(panel.sensor().layers);
        let run = Run {
            on: self,
            panel,
            columns,
            kernel: self.kernel(job.panel, job.lookup, own.plane.is_none()),
            panel_table: storage(&own.bytes),
            plane: own.plane.as_deref().map(storage),
        };
        let mut most_rows = MOST_ROWS.min(MOST_PIXELS / columns.max(1));
        if run.plane.is_none() {
            let row = 32 * u64::from(columns) * subpixels;
            let most = MOST_DIRECTIONS.min(self.gpu.largest_table) / row;
            most_rows = most_rows.min(u32::try_from(most).unwrap_or(u32::MAX));
        }
        let most_rows = most_rows.max(1);
        let largest = self
            .chunks
            .iter()
            .map(|chunk| chunk.terms)
            .max()
            .unwrap_or(1);
        let row_terms = f64::from(columns) * subpixels as f64 * f64::from(largest);
        let mut height = (FIRST_TERMS / row_terms).max(1.0).min(f64::from(most_rows));
        let mut first = job.rows.start;
        let mut begun: Option<Begun> = None;
        let mut then = Instant::now();
        let mut sums = Vec::new();
        loop {
            let next = (first < job.rows.end).then(|| {
                let end = job.rows.end.min(first.saturating_add(height as u32));
                let rows = first..end;
                first = end;
                run.begin(rows)
            });
            if let Some(done) = std::mem::replace(&mut begun, next) {
                let left = run.end(&done, &mut sums)?;
                // The time from the end of one band to that of the next is what one takes.
                let took = then.elapsed().as_secs_f64() / self.chunks.len() as f64;
                then = Instant::now();
                height = (height * (TARGET.as_secs_f64() / took).clamp(0.25, 4.0))
                    .clamp(1.0, f64::from(most_rows));
                let taken = take(done.rows.clone(), &sums);
                let left = left
                    .filter(|_| job.lookup == Lookup::Tricubic && self.tables.interpolation_ends());
                if let Some(pixel) = left {
                    let place = [
                        panel.roi().fast().start() + pixel % columns,
                        done.rows.start + pixel / columns,
                    ];
                    return Ok(Some(place));
                }
                if taken.is_break() {
                    return Ok(None);
                }
            }
            if begun.is_none() {
                return Ok(None);
            }
        }
    }
}

/// The bands of a panel.
struct Run<'r, 't> {
    on: &'r OnDevice<'t>,
    panel: &'r Panel,
    columns: u32,
    kernel: ComputePipeline,
    panel_table: Buffer,
    plane: Option<Buffer>,
}

/// A band that the device works on.
struct Begun {
    rows: Range<u32>,
    results: Buffer,
    submission: SubmissionIndex,
}

impl Run<'_, '_> {
    /// Hands a band to the device.
    fn begin(&self, rows: Range<u32>) -> Begun {
        let Self { on, panel, .. } = self;
        let (gpu, columns) = (on.gpu, self.columns);
        let count = rows.len() as u32;
        let table;
        let places = match &self.plane {
            Some(plane) => plane,
            None => {
                let bytes = direction_bytes(on.arithmetic, &on.tables, panel, rows.clone());
                table = gpu.buffer(&bytes, BufferUsages::STORAGE);
                &table
            }
        };
        let used = gpu.buffer(&self.used_bits(&rows), BufferUsages::STORAGE);
        let sum_bytes = u64::from(columns) * u64::from(count) * 4;
        let empty = |size: u64, usage: BufferUsages| {
            gpu.device.create_buffer(&BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        // A new buffer is zeroed.
        let sums = empty(sum_bytes, BufferUsages::STORAGE | BufferUsages::COPY_SRC);
        let left = gpu.buffer(&[0xff; 4], BufferUsages::STORAGE | BufferUsages::COPY_SRC);
        let results = empty(
            sum_bytes + 4,
            BufferUsages::MAP_READ | BufferUsages::COPY_DST,
        );
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for chunk in &on.chunks {
            let band = gpu.buffer(&self.band_bytes(&rows, chunk), BufferUsages::UNIFORM);
            let buffers = [
                &band,
                &on.factors,
                &chunk.source_table,
                &self.panel_table,
                &chunk.term_table,
                &on.shapes,
                places,
                &used,
                &sums,
                &left,
            ];
            let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
                .zip(buffers)
                .map(|(binding, buffer)| wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.as_entire_binding(),
                })
                .collect();
            let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &gpu.layout,
                entries: &entries,
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.kernel);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(columns.div_ceil(GROUP), count, 1);
            drop(pass);
            // A chunk is a submission of its own, so that none takes too long.
            let done = std::mem::replace(
                &mut encoder,
                gpu.device
                    .create_command_encoder(&wgpu::CommandEncoderDescriptor::default()),
            );
            gpu.queue.submit([done.finish()]);
        }
        encoder.copy_buffer_to_buffer(&sums, 0, &results, 0, sum_bytes);
        encoder.copy_buffer_to_buffer(&left, 0, &results, sum_bytes, 4);
        let submission = gpu.queue.submit([encoder.finish()]);
        results.map_async(MapMode::Read, .., |_| {});
        Begun {
            rows,
            results,
            submission,
        }
    }

    /// Waits for a band. Fills `sums`, and returns the pixel in which an index left the range.
    fn end(&self, band: &Begun, sums: &mut Vec<f64>) -> Result<Option<u32>, DeviceFault> {
        let gpu = self.on.gpu;
        let waited = gpu.device.poll(PollType::Wait {
            submission_index: Some(band.submission.clone()),
            timeout: None,
        });
        waited.map_err(|_| DeviceFault::Failed)?;
        gpu.check()?;
        let view = band
            .results
            .get_mapped_range(..)
            .map_err(|_| DeviceFault::Failed)?;
        let word = |bytes: &[u8]| -> u32 { bytes.try_into().map_or(0, u32::from_le_bytes) };
        let (pixels, left) = view.split_at(view.len() - 4);
        sums.clear();
        let scale = self.on.scale;
        sums.extend(
            pixels
                .chunks_exact(4)
                .map(|bytes| f64::from(f32::from_bits(word(bytes))) * scale),
        );
        Ok(Some(word(left)).filter(|pixel| *pixel != u32::MAX))
    }

    fn band_bytes(&self, rows: &Range<u32>, chunk: &ChunkTables) -> Vec<u8> {
        let [first_fast, first_slow] = self.panel.first_pixel();
        let mut bytes = Bytes::new(self.on.arithmetic);
        bytes.whole([
            self.panel.roi().fast().start() + first_fast,
            rows.start + first_slow,
            self.columns,
            rows.len() as u32,
            self.on.tables.oversample(),
            self.panel.sensor().layers,
            chunk.sources,
            0,
        ]);
        bytes.signed(self.on.grids.ranges());
        bytes.bytes
    }

    /// One bit for each pixel of some rows; empty without a mask.
    fn used_bits(&self, rows: &Range<u32>) -> Vec<u8> {
        if self.panel.mask().is_none() {
            return Vec::new();
        }
        let pixels = rows.clone().flat_map(|slow| {
            let fast = self.panel.roi().fast();
            fast.map(move |fast| self.panel.uses(fast, slow))
        });
        let count = rows.len() * self.columns as usize;
        let mut bits = vec![0_u8; count.div_ceil(32) * 4];
        for (number, _) in pixels.enumerate().filter(|(_, is_used)| *is_used) {
            bits[number / 8] |= 1 << (number % 8);
        }
        bits
    }
}

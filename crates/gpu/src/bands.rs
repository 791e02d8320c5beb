//! Rows of pixels, one band after the other.
//!
//! A band is so small that the kernel takes a few hundredths of a second for it and some of the terms: a driver ends
//! what takes longer, and a run can be stopped between two bands. The device works on one band while the photons of
//! the band before it are worked out here.

use std::ops::Range;
use std::time::{Duration, Instant};

use nanobragg_physics::{DeviceFault, Job, Lookup, Tables, Take, Terms};
use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, ComputePipeline, MapMode, PollType, SubmissionIndex,
};

use crate::gpu::Gpu;
use crate::plan::{Arithmetic, Pass, Plan};

/// The kernel takes about so long for a pass of a band.
const TARGET: Duration = Duration::from_millis(30);

/// A band of several passes is at most so many times as long: a run can be stopped between two bands.
const MOST_TARGETS: usize = 10;

/// The first band has about so many terms: a fast CPU sums them in a few hundredths of a second.
const FIRST_TERMS: f64 = 1e7;

/// The most pixels of a band, and the bytes of its directions.
const MOST_PIXELS: u32 = 1 << 22;
const MOST_DIRECTIONS: u64 = 32 << 20;

/// Threads of a group in the kernel.
const GROUP: u32 = 64;

/// The rows of a dispatch that every device allows.
const MOST_ROWS: u32 = 65_535;

/// The terms of a scene on a GPU.
pub(crate) struct OnDevice<'t> {
    gpu: &'t Gpu,
    plan: Plan<'t>,
    factors: Buffer,
    shapes: Buffer,
    /// The sources and the terms of each chunk.
    chunks: Vec<[Buffer; 2]>,
}

impl<'t> OnDevice<'t> {
    pub(crate) fn new(gpu: &'t Gpu, tables: Tables<'t>) -> Result<Self, DeviceFault> {
        let plan = Plan::new(tables, gpu.abilities())?;
        let storage = |bytes: &[u8]| gpu.buffer(bytes, BufferUsages::STORAGE);
        let chunks = plan.chunks().iter();
        Ok(Self {
            factors: gpu.factors(&plan.grids),
            shapes: storage(&plan.shape_bytes()),
            chunks: chunks
                .map(|chunk| [&chunk.source_bytes, &chunk.term_bytes].map(|bytes| storage(bytes)))
                .collect(),
            gpu,
            plan,
        })
    }
}

impl Terms for OnDevice<'_> {
    fn sum(&self, job: &Job, take: &mut Take<'_>) -> Result<Option<[u32; 2]>, DeviceFault> {
        let Self { gpu, plan, .. } = self;
        let panel = &plan.tables.panels()[job.panel];
        let own = plan.panel(job.panel);
        let constants = plan.constants(job.panel, &own, job.lookup);
        let storage = |bytes: &[u8]| gpu.buffer(bytes, BufferUsages::STORAGE);
        let columns = panel.roi().fast().count() as u32;
        let subpixels =
            u64::from(plan.tables.oversample()).pow(2) * u64::from(panel.sensor().layers);
        let run = Run {
            on: self,
            panel: job.panel,
            columns,
            kernel: gpu.kernel(plan.arithmetic(), &constants),
            panel_table: storage(&own.bytes),
            plane: own.plane.as_deref().map(storage),
            passes: plan.passes(job.panel),
        };
        let mut most_rows = MOST_ROWS.min(MOST_PIXELS / columns.max(1));
        if run.plane.is_none() {
            let row = 32 * u64::from(columns) * subpixels;
            let most = MOST_DIRECTIONS.min(gpu.abilities().largest_table) / row;
            most_rows = most_rows.min(u32::try_from(most).unwrap_or(u32::MAX));
        }
        let most_rows = most_rows.max(1);
        let largest = plan.chunks().iter().map(|chunk| chunk.terms).max();
        let row_terms = f64::from(columns) * subpixels as f64 * f64::from(largest.unwrap_or(1));
        let mut height = (FIRST_TERMS / (row_terms * plan.effort()))
            .max(1.0)
            .min(f64::from(most_rows));
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
                let parts = run.passes.len().clamp(1, MOST_TARGETS);
                let took = then.elapsed().as_secs_f64() / parts as f64;
                then = Instant::now();
                height = (height * (TARGET.as_secs_f64() / took).clamp(0.25, 4.0))
                    .clamp(1.0, f64::from(most_rows));
                let taken = take(done.rows.clone(), &sums);
                let left = left
                    .filter(|_| job.lookup == Lookup::Tricubic && plan.tables.interpolation_ends());
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
    panel: usize,
    columns: u32,
    kernel: ComputePipeline,
    panel_table: Buffer,
    plane: Option<Buffer>,
    passes: Vec<Pass>,
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
        let OnDevice { gpu, plan, .. } = self.on;
        let (columns, count) = (self.columns, rows.len() as u32);
        let storage = |bytes: &[u8]| gpu.buffer(bytes, BufferUsages::STORAGE);
        let table;
        let places = match &self.plane {
            Some(plane) => plane,
            None => {
                table = storage(&plan.direction_bytes(self.panel, &rows));
                &table
            }
        };
        let used = storage(&plan.used_bits(self.panel, &rows));
        let sum_bytes = u64::from(columns) * u64::from(count) * plan.arithmetic().sum_bytes();
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
        for pass in &self.passes {
            let Some([sources, terms]) = self.on.chunks.get(pass.chunk) else {
                continue;
            };
            let band = plan.band_bytes(self.panel, &rows, pass);
            let band = gpu.buffer(&band, BufferUsages::UNIFORM);
            let buffers = [
                &band,
                &self.on.factors,
                sources,
                &self.panel_table,
                terms,
                &self.on.shapes,
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
            // A pass is a submission of its own, so that none takes too long.
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
        let scale = self.on.plan.scale();
        match self.on.plan.arithmetic() {
            Arithmetic::Fixed => sums.extend(
                (pixels.chunks_exact(4))
                    .map(|bytes| f64::from(f32::from_bits(word(bytes))) * scale),
            ),
            Arithmetic::Double => sums.extend(
                (pixels.chunks_exact(8))
                    .map(|bytes| bytes.try_into().map_or(0.0, f64::from_le_bytes) * scale),
            ),
        }
        Ok(Some(word(left)).filter(|pixel| *pixel != u32::MAX))
    }
}

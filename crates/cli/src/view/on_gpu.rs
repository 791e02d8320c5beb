//! A picture whose terms the page sums on the GPU of its browser.
//!
//! The page asks for the tables of the kernel, sums the terms, gives the sums back and asks for the picture. The
//! kernel is that of the crate `gpu`, in fixed point.

use std::ops::Range;

use nanobragg::physics::{Device, DeviceFault, Job, Tables, Take, Terms};
use nanobragg::{Lookup, Precision, Roi};
use nanobragg_gpu::{Abilities, Plan};
use serde_json::{Map, Value, json};

use super::{Answer, Shown};

/// Tables in one piece of memory.
#[derive(Default)]
struct Pack(Vec<f32>);

impl Pack {
    /// Where a table begins and how long it is, in bytes.
    fn put(&mut self, bytes: &[u8]) -> [usize; 2] {
        let first = self.0.len() * 4;
        // Every table is of words of 4 bytes. Numbers of all kinds travel as the bits of one.
        let words = bytes.chunks_exact(4);
        let words = words.map(|word| word.try_into().map_or(0, u32::from_le_bytes));
        let words = words.map(f32::from_bits);
        self.0.extend(words);
        [first, bytes.len()]
    }
}

impl Shown {
    /// The kernel, and its tables for bands of so many rows: `photons` has their bytes, the JSON where each begins and
    /// how long it is. Or `unsupported`, a reason why this processor has to render the image.
    pub(super) fn tables(&self, largest_table: u64, rows: u32) -> Answer {
        let tables = Tables::new(&self.scene, Precision::Single);
        let abilities = Abilities {
            has_double: false,
            largest_table,
        };
        let plan = match abilities
            .check(&tables)
            .and_then(|()| Plan::new(tables, abilities))
        {
            Ok(plan) => plan,
            Err(fault) => {
                return Answer {
                    json: json!({ "unsupported": fault.to_string() }),
                    photons: Vec::new(),
                };
            }
        };
        let mut pack = Pack::default();
        let factors = pack.put(&plan.factor_bytes());
        let shapes = pack.put(&plan.shape_bytes());
        let chunks: Vec<Value> = (plan.chunks().iter())
            .map(|chunk| json!([pack.put(&chunk.source_bytes), pack.put(&chunk.term_bytes)]))
            .collect();
        let lookup = tables.lookup();
        let panels = tables.panels().iter().enumerate();
        let panels: Vec<Value> = panels
            .map(|(number, own)| bands(&plan, (number, own.roi()), rows.max(1), lookup, &mut pack))
            .collect();
        Answer {
            json: json!({
                "kernel": plan.arithmetic().kernel(),
                "factors": factors,
                "shapes": shapes,
                "chunks": chunks,
                "panels": panels,
            }),
            photons: pack.0,
        }
    }
}

/// A panel, in bands of so many rows.
fn bands(
    plan: &Plan<'_>,
    (number, region): (usize, Roi),
    most: u32,
    lookup: Lookup,
    pack: &mut Pack,
) -> Value {
    let own = plan.panel(number);
    let constants = plan.constants(number, &own, lookup);
    let constants: Map<String, Value> = (constants.into_iter())
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let (first, end) = (*region.slow().start(), *region.slow().end() + 1);
    let plane = own.plane.as_deref().map(|bytes| pack.put(bytes));
    let bands = (first..end).step_by(most as usize).map(|start| {
        let rows: Range<u32> = start..end.min(start.saturating_add(most));
        let places = plane.unwrap_or_else(|| pack.put(&plan.direction_bytes(number, &rows)));
        let used = pack.put(&plan.used_bits(number, &rows));
        let passes = plan
            .passes(number)
            .into_iter()
            .map(|pass| json!([pass.chunk, pack.put(&plan.band_bytes(number, &rows, &pass))]));
        let passes: Vec<Value> = passes.collect();
        json!({ "rows": rows.len(), "places": places, "used": used, "passes": passes })
    });
    let bands: Vec<Value> = bands.collect();
    json!({
        "constants": constants,
        "panel": pack.put(&own.bytes),
        "columns": region.fast().count(),
        "bands": bands,
    })
}

/// The sums of a page in place of a device: one for each pixel of all regions of interest.
pub(super) struct Summed(pub(super) Vec<f32>);

impl Device for Summed {
    fn name(&self, _: &Tables<'_>) -> &'static str {
        "WebGPU, fixed point"
    }

    fn supports(&self, tables: &Tables<'_>) -> Result<(), DeviceFault> {
        let regions = tables
            .panels()
            .iter()
            .map(|panel| panel.roi().pixel_count());
        match regions.sum::<u64>() == self.0.len() as u64 {
            true => Ok(()),
            false => Err(DeviceFault::Failed),
        }
    }

    fn prepare<'t>(&'t self, tables: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault> {
        let abilities = Abilities {
            has_double: false,
            largest_table: u64::MAX,
        };
        let scale = abilities.scale(&tables)?;
        Ok(Box::new(Given {
            sums: &self.0,
            tables,
            scale,
        }))
    }
}

struct Given<'t> {
    sums: &'t [f32],
    tables: Tables<'t>,
    scale: f64,
}

impl Terms for Given<'_> {
    fn sum(&self, job: &Job, take: &mut Take<'_>) -> Result<Option<[u32; 2]>, DeviceFault> {
        let mut panels = self.tables.panels().iter();
        let before = panels.by_ref().take(job.panel);
        let before: u64 = before.map(|panel| panel.roi().pixel_count()).sum();
        let region = panels.next().ok_or(DeviceFault::Failed)?.roi();
        let columns = region.fast().count();
        let first = before as usize + columns * (job.rows.start - region.slow().start()) as usize;
        let own = self.sums.get(first..first + columns * job.rows.len());
        let own = own.ok_or(DeviceFault::Failed)?.iter();
        let own: Vec<f64> = own.map(|sum| f64::from(*sum) * self.scale).collect();
        let _ = take(job.rows.clone(), &own);
        Ok(None)
    }
}

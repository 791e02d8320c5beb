//! An open GPU.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nanobragg_crystal::{LatticeShape, Shape};
use nanobragg_physics::{Device, DeviceFault, Lookup, NeedsDouble, Precision, Tables, Terms};
use wgpu::util::DeviceExt;
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, Buffer,
    BufferBindingType, BufferUsages, ComputePipeline, Features, ShaderStages,
};

use crate::adapters::{Adapter, NoGpu, describe};
use crate::bands::OnDevice;
use crate::fixed;
use crate::tables::Grids;

/// The numbers of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arithmetic {
    /// Indices in fixed point, all other numbers in single precision.
    Fixed,
    /// Double precision.
    Double,
}

/// An open GPU.
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    /// The largest table in bytes.
    pub(crate) largest_table: u64,
    pub(crate) layout: BindGroupLayout,
    adapter: Adapter,
    has_failed: Arc<AtomicBool>,
    kernels: Mutex<BTreeMap<String, ComputePipeline>>,
    /// The structure factors of the last scene.
    grids: Mutex<Option<(Grids, Buffer)>>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gpu").field(&self.adapter).finish()
    }
}

impl Gpu {
    pub(crate) fn of(adapter: wgpu::Adapter) -> Result<Self, NoGpu> {
        let described = describe(&adapter);
        let descriptor = wgpu::DeviceDescriptor {
            required_features: adapter.features() & Features::SHADER_F64,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| NoGpu::Open {
            adapter: described.to_string(),
            reason: error.to_string(),
        })?;
        // Without these a lost device or too little memory would end the program.
        let has_failed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_failed);
        device.on_uncaptured_error(Arc::new(move |error| {
            tracing::debug!("GPU: {error}");
            flag.store(true, Ordering::Relaxed);
        }));
        let flag = Arc::clone(&has_failed);
        device.set_device_lost_callback(move |_, reason| {
            tracing::debug!("GPU lost: {reason}");
            flag.store(true, Ordering::Relaxed);
        });
        let limits = device.limits();
        Ok(Self {
            layout: layout(&device),
            largest_table: limits
                .max_storage_buffer_binding_size
                .min(limits.max_buffer_size),
            device,
            queue,
            adapter: described,
            has_failed,
            kernels: Mutex::default(),
            grids: Mutex::default(),
        })
    }

    /// What it is.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The numbers for a scene: double precision if the GPU has it, unless single precision is asked for and fixed
    /// point is good enough.
    ///
    /// # Errors
    /// If it needs double precision, and the GPU has none.
    pub fn arithmetic(&self, tables: &Tables<'_>) -> Result<Arithmetic, DeviceFault> {
        let is_wanted = tables.precision() == Precision::Double;
        match needs_double(tables) {
            None if !(is_wanted && self.adapter.has_double) => Ok(Arithmetic::Fixed),
            Some(why) if !self.adapter.has_double => Err(DeviceFault::NoDouble(why)),
            _ => Ok(Arithmetic::Double),
        }
    }

    /// # Errors
    /// [`DeviceFault::Failed`] once anything has failed.
    pub(crate) fn check(&self) -> Result<(), DeviceFault> {
        match self.has_failed.load(Ordering::Relaxed) {
            true => Err(DeviceFault::Failed),
            false => Ok(()),
        }
    }

    pub(crate) fn buffer(&self, contents: &[u8], usage: BufferUsages) -> Buffer {
        // A binding of no bytes is not allowed.
        let padded: Cow<'_, [u8]> = match contents.is_empty() {
            true => Cow::Owned(vec![0; 16]),
            false => Cow::Borrowed(contents),
        };
        let descriptor = wgpu::util::BufferInitDescriptor {
            label: None,
            contents: &padded,
            usage,
        };
        self.device.create_buffer_init(&descriptor)
    }

    /// The structure factors on the device: those of the scene before if they are the same.
    pub(crate) fn factors(&self, grids: &Grids) -> Buffer {
        let mut kept = self.grids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((own, buffer)) = kept.as_ref()
            && own.are(grids)
        {
            return buffer.clone();
        }
        // The old ones make room first.
        *kept = None;
        let buffer = self.buffer(&grids.bytes(), BufferUsages::STORAGE);
        *kept = Some((grids.clone(), buffer.clone()));
        buffer
    }

    /// The compiled kernel with these constants.
    pub(crate) fn kernel(
        &self,
        arithmetic: Arithmetic,
        constants: &[(&str, f64)],
    ) -> ComputePipeline {
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{arithmetic:?} {constants:?}");
        let compiled = kernels.entry(key).or_insert_with(|| {
            let numbers = match arithmetic {
                Arithmetic::Fixed => include_str!("kernel/fixed.wgsl"),
                Arithmetic::Double => include_str!("kernel/double.wgsl"),
            };
            let text = [numbers, include_str!("kernel/sum.wgsl")].concat();
            let module = self
                .device
                .create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: None,
                    source: wgpu::ShaderSource::Wgsl(text.into()),
                });
            let layouts = wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&self.layout)],
                immediate_size: 0,
            };
            let layout = self.device.create_pipeline_layout(&layouts);
            let descriptor = wgpu::ComputePipelineDescriptor {
                label: None,
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    ..wgpu::PipelineCompilationOptions::default()
                },
                cache: None,
            };
            self.device.create_compute_pipeline(&descriptor)
        });
        compiled.clone()
    }
}

impl Device for Gpu {
    fn name(&self, tables: &Tables<'_>) -> &'static str {
        match self.arithmetic(tables) {
            Ok(Arithmetic::Double) => "gpu, double precision",
            _ => "gpu, fixed point",
        }
    }

    fn supports(&self, tables: &Tables<'_>) -> Result<(), DeviceFault> {
        self.check()?;
        let arithmetic = self.arithmetic(tables)?;
        let is_counted = tables.panels().iter().all(|panel| {
            let [fast, slow] = panel.first_pixel().map(f64::from);
            let size = [panel.pixels_fast(), panel.pixels_slow()].map(f64::from);
            let last = (fast + size[0]).max(slow + size[1]);
            last * f64::from(tables.oversample()) < f64::from(i32::MAX)
        });
        if !is_counted || tables.largest_index() >= f64::from(i32::MAX) {
            return Err(DeviceFault::TooLarge);
        }
        let grids = Grids::of(tables)?;
        OnDevice::check(self, tables, arithmetic, &grids)
    }

    fn prepare<'t>(&'t self, tables: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault> {
        self.check()?;
        Ok(Box::new(OnDevice::new(self, tables)?))
    }
}

/// What a scene needs double precision for; `None` if fixed point is good enough.
fn needs_double(tables: &Tables<'_>) -> Option<NeedsDouble> {
    let whole = |n: f64| n.fract() == 0.0 && (1.0..1e6).contains(&n);
    let is_grating =
        |own: &LatticeShape| own.shape == Shape::Square && own.cells.into_iter().all(whole);
    if !tables.shapes().all(is_grating) {
        return Some(NeedsDouble::Shape);
    }
    if tables.lookup() == Lookup::Tricubic {
        return Some(NeedsDouble::Interpolation);
    }
    let cells = tables.shapes().flat_map(|shape| shape.cells);
    if !fixed::is_good(cells.fold(0.0, f64::max), tables.largest_index()) {
        return Some(NeedsDouble::Size);
    }
    let mut panels = 0..tables.panels().len();
    let captures = panels.any(|panel| tables.term_weights(panel).capture.is_some());
    captures.then_some(NeedsDouble::Layers)
}

/// The bindings of the kernel: the band, seven tables, and two results.
fn layout(device: &wgpu::Device) -> BindGroupLayout {
    let entries: Vec<BindGroupLayoutEntry> = (0..10)
        .map(|binding| BindGroupLayoutEntry {
            binding,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer {
                ty: match binding {
                    0 => BufferBindingType::Uniform,
                    1..8 => BufferBindingType::Storage { read_only: true },
                    _ => BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let descriptor = BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    };
    device.create_bind_group_layout(&descriptor)
}

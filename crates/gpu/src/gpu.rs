//! An open GPU.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nanobragg_physics::{Device, DeviceFault, Tables, Terms};
use wgpu::util::DeviceExt;
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, Buffer,
    BufferBindingType, BufferUsages, ComputePipeline, Features, ShaderStages,
};

use crate::adapters::{Adapter, NoGpu, describe};
use crate::bands::OnDevice;
use crate::plan::{Abilities, Arithmetic};
use crate::tables::Grids;

/// An open GPU.
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) layout: BindGroupLayout,
    adapter: Adapter,
    abilities: Abilities,
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
            abilities: Abilities {
                has_double: described.has_double,
                largest_table: limits
                    .max_storage_buffer_binding_size
                    .min(limits.max_buffer_size),
            },
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

    pub(crate) fn abilities(&self) -> Abilities {
        self.abilities
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
            let module = self
                .device
                .create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: None,
                    source: wgpu::ShaderSource::Wgsl(arithmetic.kernel().into()),
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
        let arithmetic = self.abilities.arithmetic(tables);
        arithmetic.unwrap_or(Arithmetic::Fixed).name()
    }

    fn supports(&self, tables: &Tables<'_>) -> Result<(), DeviceFault> {
        self.check()?;
        self.abilities.check(tables)
    }

    fn prepare<'t>(&'t self, tables: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault> {
        self.check()?;
        Ok(Box::new(OnDevice::new(self, tables)?))
    }
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

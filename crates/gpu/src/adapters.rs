//! The GPUs of this machine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use thiserror::Error;
use wgpu::{Backends, DeviceType, Features, Instance, InstanceDescriptor};

use crate::gpu::Gpu;

/// A GPU that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Its name, for example that of the card.
    pub name: String,
    /// The interface to it: Vulkan, Metal or Dx12.
    pub interface: String,
    /// Its driver.
    pub driver: String,
    /// Whether it is a program on this processor. It is slower than the vectors of this program.
    pub is_software: bool,
    /// Whether it has double precision.
    pub has_double: bool,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.name, self.interface)?;
        if !self.driver.is_empty() {
            write!(f, ", {}", self.driver)?;
        }
        if self.is_software {
            f.write_str(", software")?;
        }
        f.write_str(")")
    }
}

/// Which GPU is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// The first that is not software.
    Real,
    /// The first, also if it is software.
    First,
    /// By its place in the list of [`adapters`].
    Number(usize),
}

/// Why there is no GPU.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoGpu {
    /// No driver offers one.
    #[error("no driver for Vulkan, Metal or DirectX 12 offers a GPU")]
    None,
    /// The number is not that of one.
    #[error("there is no GPU {number}: {count} were found, and the first has the number 0")]
    Number {
        /// The wanted number.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// It could not be opened.
    #[error("{adapter} cannot be opened: {reason}")]
    Open {
        /// Its name.
        adapter: String,
        /// What its driver says.
        reason: String,
    },
}

fn found() -> Vec<wgpu::Adapter> {
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut found = pollster::block_on(instance.enumerate_adapters(backends));
    // Software last; the order is otherwise that of the drivers.
    found.sort_by_key(|adapter| adapter.get_info().device_type == DeviceType::Cpu);
    found
}

pub(crate) fn describe(adapter: &wgpu::Adapter) -> Adapter {
    let info = adapter.get_info();
    Adapter {
        name: info.name,
        interface: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        is_software: info.device_type == DeviceType::Cpu,
        has_double: adapter.features().contains(Features::SHADER_F64),
    }
}

/// The GPUs of this machine, real ones first.
pub fn adapters() -> Vec<Adapter> {
    found().iter().map(describe).collect()
}

impl Gpu {
    /// Opens a GPU.
    ///
    /// # Errors
    /// If there is none, or if its driver refuses.
    pub fn open(choice: Choice) -> Result<Self, NoGpu> {
        let mut found = found();
        let count = found.len();
        let place = match choice {
            Choice::Real | Choice::First => 0,
            Choice::Number(number) => number,
        };
        if choice == Choice::Real {
            found.retain(|adapter| adapter.get_info().device_type != DeviceType::Cpu);
        }
        if place >= found.len() {
            return Err(match choice {
                Choice::Number(number) if count > 0 => NoGpu::Number { number, count },
                _ => NoGpu::None,
            });
        }
        Self::of(found.swap_remove(place))
    }
}

/// An open GPU of this process. It is opened once, and kept with its kernels and structure factors.
///
/// # Errors
/// As [`Gpu::open`].
pub fn shared(choice: Choice) -> Result<&'static Gpu, NoGpu> {
    type Opened = BTreeMap<Choice, Result<&'static Gpu, NoGpu>>;
    static OPENED: OnceLock<Mutex<Opened>> = OnceLock::new();
    let opened = OPENED.get_or_init(Mutex::default);
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    let open = || Gpu::open(choice).map(|gpu| -> &'static Gpu { Box::leak(Box::new(gpu)) });
    opened.entry(choice).or_insert_with(open).clone()
}

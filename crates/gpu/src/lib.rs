//! Sums the terms of an image on a GPU.
//!
//! A [`Gpu`] is a [`Device`](nanobragg_physics::Device): it takes the tables of a scene and gives back one sum for
//! each pixel. One text in WGSL serves Vulkan, Metal and DirectX. It is compiled for one of two kinds of numbers,
//! [`Arithmetic`]: double precision, which not every GPU has, and fixed point, which is faster. `docs/GPU.md` has
//! their errors.
//!
//! Without the feature `wgpu` there is only the [`Plan`]: the kernel and its tables, for another interface to a GPU.
//!
//! | file | content |
//! |---|---|
//! | `plan` | what a GPU does for a scene, and whether it can |
//! | `tables`, `panel` | the tables of a scene in the bytes of the kernel |
//! | `fixed` | numbers in fixed point and their error |
//! | `kernel/` | the kernel: `sum` behind `fixed` or `double` |
//! | `adapters` | the GPUs of this machine; which one is meant |
//! | `gpu` | an open GPU and its compiled kernels |
//! | `bands` | rows of pixels, one band after the other |

#[cfg(feature = "wgpu")]
mod adapters;
#[cfg(feature = "wgpu")]
mod bands;
mod fixed;
#[cfg(feature = "wgpu")]
mod gpu;
mod panel;
mod plan;
mod tables;

#[cfg(feature = "wgpu")]
pub use adapters::{Adapter, Choice, NoGpu, adapters, shared};
pub use fixed::index_error;
#[cfg(feature = "wgpu")]
pub use gpu::Gpu;
pub use panel::PanelTables;
pub use plan::{Abilities, Arithmetic, Pass, Plan};
pub use tables::Chunk;

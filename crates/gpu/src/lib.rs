//! Sums the terms of an image on a GPU.
//!
//! A [`Gpu`] is a [`Device`](nanobragg_physics::Device): it takes the tables of a scene and gives back one sum for
//! each pixel. One text in WGSL serves Vulkan, Metal and DirectX. It is compiled for one of two kinds of numbers,
//! [`Arithmetic`]: double precision, which not every GPU has, and fixed point, which is faster. `docs/GPU.md` has
//! their errors.
//!
//! | file | content |
//! |---|---|
//! | `adapters` | the GPUs of this machine; which one is meant |
//! | `gpu` | an open GPU: what it supports, compiled kernels |
//! | `fixed` | numbers in fixed point and their error |
//! | `tables` | the tables of a scene in the bytes of the kernel |
//! | `bands` | rows of pixels, one band after the other |
//! | `kernel/` | the kernel: `sum` behind `fixed` or `double` |

mod adapters;
mod bands;
mod fixed;
mod gpu;
mod tables;

pub use adapters::{Adapter, Choice, NoGpu, adapters, shared};
pub use fixed::index_error;
pub use gpu::{Arithmetic, Gpu};

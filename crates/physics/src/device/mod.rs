//! Devices: processors beside this one that sum terms, such as a GPU.
//!
//! A device gets the [`Tables`] of a scene and sums the terms of many pixels. The rest stays here: the factors
//! of whole pixels, the background, and what depends on the order of pixels ([`compat`](crate::compat)). A
//! device therefore needs no threads, and of the oddities of the C program only the [`RunningSum`].

mod image;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use nanobragg_crystal::{FactorGrid, LatticeShape};
use nanobragg_geometry::Panel;
use thiserror::Error;

use crate::diffuse::DiffuseModel;
use crate::lanes::Precision;
use crate::sampling::{Lookup, Rule, Scales};
use crate::scene::Scene;

pub(crate) use image::DeviceImage;

/// A processor that sums terms.
pub trait Device: Send + Sync {
    /// The name in reports, with the arithmetic that it has for a scene.
    fn name(&self, tables: &Tables<'_>) -> &'static str;

    /// Whether the device can sum the terms of a scene.
    ///
    /// # Errors
    /// The reason if it cannot.
    fn supports(&self, tables: &Tables<'_>) -> Result<(), DeviceFault>;

    /// Moves the tables of a supported scene to the device.
    ///
    /// # Errors
    /// If the device fails.
    fn prepare<'t>(&'t self, tables: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault>;
}

/// Takes the sums of some rows, and breaks to have no more.
pub type Take<'t> = dyn FnMut(Range<u32>, &[f64]) -> ControlFlow<()> + 't;

/// The terms of a scene on a device.
pub trait Terms {
    /// Sums the terms of the pixels in `rows` of the region of interest. Calls `take` for some complete rows
    /// at a time, in their order, with one sum per pixel, shape `[slow][fast]` of the region; the sums of masked
    /// pixels have no meaning. A sum is that of the weighted squared amplitudes, in squared electrons, of all
    /// layers, sub-pixels, sources and orientations, each times its [`TermWeights`], of the diffuse scattering and of
    /// the water; or the [`RunningSum`]. A negative sum stands for a pixel that is left to this processor. Stops if
    /// `take` breaks.
    ///
    /// Returns the first pixel `[fast, slow]` that is not masked in which an index is too close to the edge of
    /// the grid to interpolate, if that ends interpolation; the sums from there on have no meaning.
    ///
    /// # Errors
    /// If the device fails. The rows that were taken are complete.
    fn sum(&self, job: &Job, take: &mut Take<'_>) -> Result<Option<[u32; 2]>, DeviceFault>;
}

/// The rows that a device sums.
#[derive(Debug, Clone)]
pub struct Job {
    /// The number of the panel.
    pub panel: usize,
    /// Rows of the panel, all in the region of interest.
    pub rows: Range<u32>,
    /// How structure factors are looked up.
    pub lookup: Lookup,
}

/// Why a device does not sum the terms of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceFault {
    /// There is none.
    #[error("no driver for Vulkan, Metal or DirectX 12 offers a GPU that can be opened")]
    Absent,
    /// The program cannot open any.
    #[error("this program was built without GPUs")]
    NotBuilt,
    /// Structure factors of different ranges of indices for different sources.
    #[error("the structure factors of the sources have different ranges of indices")]
    DifferentGrids,
    /// The photons are divided among reflections.
    #[error("a device does not divide photons among reflections")]
    Truth,
    /// Terms may be left out.
    #[error("a device sums every term, and an accuracy leaves terms out")]
    Accuracy,
    /// The scene needs double precision, which the device does not have.
    #[error("{0} need double precision, which the device does not have")]
    NoDouble(NeedsDouble),
    /// A number of the scene that the device cannot hold.
    #[error("an index, a factor or a count of this scene is too large for the device")]
    TooLarge,
    /// Tables that do not fit.
    #[error("a table of this scene is larger than {mebibytes} MiB, the most that the device takes")]
    Memory {
        /// The largest table of the device.
        mebibytes: u64,
    },
    /// The device ran out of memory, or was lost.
    #[error("the device failed or ran out of memory")]
    Failed,
}

/// What needs double precision on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NeedsDouble {
    /// Spots that are no parallelepipeds of whole cells.
    Shape,
    /// Interpolated structure factors.
    Interpolation,
    /// Crystals or cells so large that a rounded index moves a spot.
    Size,
    /// Layers of a sensor that each have a weight.
    Layers,
    /// Corrections of the running sum.
    RunningSum,
    /// Diffuse scattering.
    Diffuse,
}

impl std::fmt::Display for NeedsDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shape => "spots other than those of a parallelepiped of whole cells",
            Self::Interpolation => "interpolated structure factors",
            Self::Size => "crystals of this size",
            Self::Layers => "layers of a sensor with weights of their own",
            Self::RunningSum => "sums with the oddity oversample-flags",
            Self::Diffuse => "halos of diffuse scattering",
        })
    }
}

/// The tables of a scene, for a device.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'s> {
    scene: &'s Scene,
    precision: Precision,
}

/// A source of a scene.
#[derive(Debug, Clone, Copy)]
pub struct SourceTable<'s> {
    /// Unit vector along the beam.
    pub incident: [f64; 3],
    /// Wavelength in metres.
    pub wavelength_m: f64,
    /// Unit vector of the electric field.
    pub electric: [f64; 3],
    /// Unit vector of the magnetic field.
    pub magnetic: [f64; 3],
    /// The factor on its terms.
    pub weight: f64,
    /// Its structure factors.
    pub factors: &'s Arc<FactorGrid>,
}

/// The cell of one phi step, lattice and mosaic domain.
#[derive(Debug, Clone, Copy)]
pub struct OrientationTable<'s> {
    /// a, b, c in metres.
    pub edges_m: &'s [[f64; 3]; 3],
    /// The factor on its terms.
    pub weight: f64,
    /// The number of its shape in [`Tables::shapes`].
    pub shape: usize,
}

/// Which factors multiply single terms. All others are those of the whole pixel, and no business of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermWeights {
    /// The polarization factor of the sub-pixel and the source.
    pub polarization: bool,
    /// The solid angle of the sub-pixel, in steradian.
    pub solid_angle: bool,
    /// The capture fraction.
    pub capture: Option<Capture>,
}

/// The capture fraction that multiplies single terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// Whether it is that of the sub-pixel. Otherwise it is that of the first sub-pixel of the pixel.
    pub each_subpixel: bool,
    /// Whether it is that of the layer. Otherwise it is that of the last layer.
    pub own_layer: bool,
}

/// Which factors multiply the sum of all terms so far, after each term (the oddity `oversample-flags`). A factor is
/// that of the layer, the sub-pixel and the source of the term.
///
/// A term whose lattice factor is 0 multiplies nothing, except with [`Tables::looks_up_dark_terms`]. Water and
/// diffuse scattering are added without a multiplication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningSum {
    /// The polarization factor.
    pub polarization: bool,
    /// The solid angle in steradian.
    pub solid_angle: bool,
    /// The capture fraction.
    pub capture: bool,
    /// What the sum begins with, in squared electrons.
    pub start: f64,
}

/// The diffuse scattering of a scene, as a sum over reflections g around the indices h of a term:
/// `cells scale weight sum over operations of w x exp(-x) sum over g of F(g)^2 P(h - g)` with the number of cells of
/// its shape, and `x` and `y^2` by the forms of the operation.
#[derive(Debug, Clone, PartialEq)]
pub struct HaloTable {
    /// P is `1/(1 + y^2)^2` for liquid-like motions, and `1/(1 + y^2)` up to the end for acoustic phonons.
    pub model: DiffuseModel,
    /// Reflections to each side of the nearest one along each index.
    pub neighbours: u32,
    /// Whether the factor `exp(-x)` is there.
    pub is_damped: bool,
    /// The factor.
    pub scale: f64,
    /// The largest `y^2`.
    pub end: f64,
    /// The operations whose forms differ.
    pub operations: Vec<OperationTable>,
}

/// One Laue operation of a [`HaloTable`]. A form has the factors of hh, kk, ll, hk, hl and kl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperationTable {
    /// `y^2` of an offset of indices.
    pub distance: [f64; 6],
    /// x of indices.
    pub displacement: [f64; 6],
    /// Its weight in the mean.
    pub weight: f64,
}

impl<'s> Tables<'s> {
    /// The tables of a scene, which is rendered in this precision.
    pub fn new(scene: &'s Scene, precision: Precision) -> Self {
        Self { scene, precision }
    }

    /// The wanted precision of indices and of the interference function.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The sources.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = SourceTable<'s>> + use<'s> {
        let scene = self.scene;
        let setup = &scene.setup;
        scene
            .sources
            .iter()
            .enumerate()
            .map(move |(index, source)| {
                let own = setup.factors_by_source.get(index);
                SourceTable {
                    incident: source.incident,
                    wavelength_m: source.wavelength_m,
                    electric: source.polarization.electric,
                    magnetic: source.polarization.magnetic,
                    weight: source.weight,
                    factors: own.unwrap_or(&setup.factors),
                }
            })
    }

    /// The orientations.
    pub fn orientations(&self) -> impl ExactSizeIterator<Item = OrientationTable<'s>> + use<'s> {
        let scene = self.scene;
        let all = scene.orientations.iter().enumerate();
        all.map(move |(place, orientation)| OrientationTable {
            edges_m: &orientation.edges_m,
            weight: orientation.weight,
            shape: scene.run_number(place),
        })
    }

    /// The shapes and sizes of the crystal and of its domains.
    pub fn shapes(&self) -> impl Iterator<Item = &'s LatticeShape> + use<'s> {
        let scene = self.scene;
        let one = std::iter::once(&scene.lattice).filter(|_| scene.size_runs.is_empty());
        one.chain(scene.size_runs.iter().map(|run| &run.lattice))
    }

    /// A bound on every index.
    pub fn largest_index(&self) -> f64 {
        self.scene.bounds.largest_index
    }

    /// The panels.
    pub fn panels(&self) -> &'s [Panel] {
        self.scene.panels()
    }

    /// Which factors multiply the terms of the pixels of a panel.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn term_weights(&self, panel: usize) -> TermWeights {
        let rules = self.scene.view(panel).rules;
        TermWeights {
            polarization: rules.polarization.scales == Scales::Terms,
            solid_angle: rules.solid_angle.scales == Scales::Terms,
            capture: (rules.capture.scales == Scales::Terms).then_some(Capture {
                each_subpixel: rules.capture.refreshes,
                own_layer: rules.has_own_layers(),
            }),
        }
    }

    /// Which factors multiply the running sum of the pixels of a panel; `None` if none does. With a running sum no
    /// factor multiplies single terms.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn running_sum(&self, panel: usize) -> Option<RunningSum> {
        let view = self.scene.view(panel);
        let rules = view.rules;
        let scales = |rule: Rule| rule.scales == Scales::RunningSum;
        rules.any(Scales::RunningSum).then_some(RunningSum {
            polarization: scales(rules.polarization),
            solid_angle: scales(rules.solid_angle),
            capture: scales(rules.capture),
            start: view.scalars.background,
        })
    }

    /// The diffuse scattering, if there is any.
    pub fn halo(&self) -> Option<HaloTable> {
        let halo = self.scene.diffuse.as_ref()?;
        let operations = halo.distinct.iter().map(|own| OperationTable {
            distance: own.distance,
            displacement: own.displacement,
            weight: own.weight,
        });
        Some(HaloTable {
            model: halo.model,
            neighbours: halo.neighbours.unsigned_abs(),
            is_damped: halo.is_damped,
            scale: halo.scale,
            end: halo.end,
            operations: operations.collect(),
        })
    }

    /// What water adds to the terms of each source of weight 1 at each sub-pixel, and whether it does so in each layer.
    /// Otherwise it is added in the first layer only.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn water(&self, panel: usize) -> (f64, bool) {
        let view = self.scene.view(panel);
        (view.scalars.water_per_source, view.rules.weighs_layers())
    }

    /// Sub-pixels along each edge of a pixel.
    pub fn oversample(&self) -> u32 {
        self.scene.setup.oversample
    }

    /// Kahn's factor.
    pub fn kahn_factor(&self) -> f64 {
        self.scene.kahn_factor
    }

    /// Spacing in metres below which nothing is summed; 0 for no limit.
    pub fn dmin_m(&self) -> f64 {
        self.scene.setup.dmin_m
    }

    /// How structure factors are looked up at first.
    pub fn lookup(&self) -> Lookup {
        self.scene.setup.lookup
    }

    /// Whether an index too close to the edge of the grid ends interpolation for all later pixels.
    pub fn interpolation_ends(&self) -> bool {
        let fixes = self.scene.setup.fixes;
        !fixes.contains(crate::fixes::Oddity::Interpolation)
    }

    /// Whether a term whose lattice factor is 0 is looked up all the same, which can end interpolation.
    pub fn looks_up_dark_terms(&self) -> bool {
        self.scene.setup.has_water
    }
}

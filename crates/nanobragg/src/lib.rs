//! Absolute X-ray scattering of a small perfect crystal onto an area detector.
//!
//! This crate is the interface for programs, notebooks and other crates. Specify an experiment
//! ([`ExperimentSpec`]), resolve it ([`Resolved`]), and render it ([`simulate`]). The models are in the
//! crates below and are re-exported here.
//!
//! ```text
//! ExperimentSpec --resolve--> Experiment --simulate--> Simulated --Response--> Counts --> files
//!                             (Detector, Crystal, SourceList, FactorGrid, ...)
//! ```
//!
//! ```
//! use nanobragg::{CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length};
//! use nanobragg::{RunOptions, simulate};
//!
//! let spec = ExperimentSpec {
//!     detector: DetectorSpec {
//!         pixels_fast: Some(61),
//!         pixels_slow: Some(47),
//!         pixel_size: Length::from_mm(0.9),
//!         distance: Length::from_mm(80.0),
//!         ..DetectorSpec::default()
//!     },
//!     crystal: CrystalSpec {
//!         cell: Some(CellSpec::from_values(&[100.0, 100.0, 100.0])?),
//!         cells: [5; 3],
//!         ..CrystalSpec::default()
//!     },
//!     factors: FactorsSpec::Constant(100.0),
//!     ..ExperimentSpec::default()
//! };
//! let resolved = spec.resolve()?;
//! let image = simulate(&resolved.experiment, &RunOptions::default())?;
//! assert_eq!(image.photons.fast(), 61);
//! assert_eq!(image.statistics.pixels, 61 * 47);
//! # Ok::<(), nanobragg::Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod adaptive;
mod add;
mod assembled;
mod background;
pub mod compare;
pub mod convert;
mod detectors;
mod diffuse;
mod error;
pub mod exchange;
mod experiment_file;
mod exposure;
pub mod factors;
mod fields;
mod glance;
pub mod gradient;
mod header;
mod images;
mod lattices;
mod mask;
mod memory;
mod oddity;
pub mod outputs;
mod point_spread;
mod proposal;
mod radial_profile;
mod resolution;
mod resolve;
pub mod series;
mod source_list;
mod spec;
mod spots;
mod tree;
mod warning;

pub use adaptive::{AutoSpec, Sampled, SamplingChoice};
pub use add::add;
pub use assembled::{Assembly, PlacedPanel, assembled};
pub use background::{LayerDecision, LayerSpec, MaterialSpec};
pub use detectors::{PRESETS, Preset, PresetCounts, PresetLayout};
pub use diffuse::DiffuseSpec;
pub use error::Error;
pub use experiment_file::{FileLanguage, Version};
pub use exposure::{exposure, exposures};
pub use factors::{FactorsSpec, Loaded};
pub use fields::MEMORY_LIMIT;
pub use glance::{Glance, glance};
pub use header::{
    HEADER_KEYS, HeaderKind, apply_header, header_number, read_otherwise_by_c, smv_fields,
    smv_fields_of_panel,
};
pub use images::{NotFinite, Simulated, StackedPanel, count_photons, simulate};
pub use lattices::{LatticeSpec, LatticesSpec, TwinSpec};
pub use mask::{MaskedRegion, mask_from, mask_of};
pub use memory::{bytes_needed, check_memory, factor_bytes, factor_tables};
pub use point_spread::read_point_spread;
pub use proposal::{Proposal, ProposalSpec, Sample};
pub use radial_profile::{CountsToF, RadialPoint, RadialProfile};
pub use resolution::{Resolution, distance_for_resolution, spacing_at};
pub use resolve::{Decisions, Resolved};
pub use spec::{
    BeamSpec, ExperimentSpec, MaskSpec, PhiSpec, RoiSpec, SamplingSpec, SourceWeights, SourcesSpec,
};
pub use spots::{DIRECT_BEAM_ORDER, DirectBeam, Spots};
pub use warning::Warning;

pub use nanobragg_crystal as crystal;
pub use nanobragg_geometry as geometry;
pub use nanobragg_io as io;
pub use nanobragg_materials as materials;
pub use nanobragg_numeric as numeric;
pub use nanobragg_physics as physics;
pub use nanobragg_response as response;
pub use nanobragg_sources as sources;
pub use nanobragg_structure as structure;

pub use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, DomainSpec, FactorGrid, GridLimit, Hkl, Misset, MosaicModel,
    MosaicSampling, MosaicSpec, Shape, SpotMetric, TwinLaw,
};
pub use nanobragg_geometry::{
    Angle, Attenuation, BeamFrame, BeamStop, BeamStopSpec, Convention, CustomAxes, Detector,
    DetectorSpec, Gaps, Goniometer, HolderSpec, Laboratory, Layout, Length, Mask, Panel, Pivot,
    PixelKind, Roi, SensorMaterial, SensorSpec, Surface,
};
pub use nanobragg_physics::{
    BackgroundLayer, Cancel, EveryTerm, Experiment, Fixes, Frame, LastSample, LatticeCopy, Level,
    Lookup, Oddity, Omission, PanelImage, PhiSweep, PixelPlace, PixelTrace, Polarization,
    Precision, Progress, ReflectionTruth, RunOptions, Sampling, Scene, Statistics, Truth,
    TruthWishes, render_with_truth, trace_pixel,
};
pub use nanobragg_response::{Counts, NoiseStream, Offset, Response, ResponseSpec};
pub use nanobragg_sources::{
    DispersionSpec, DivergenceSpec, FluenceSpec, Outline, Profile, Source, SourceList,
    SpectrumFrom, SpectrumSpec, SpectrumSteps, SpectrumUnit, StepSpec,
};

/// The tests compile and run the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

//! An experiment for a structure: the numbers of a usual beamline, and why each of them.
//!
//! Cell, space group, resolution and wavelength come from the file of the structure. The detector stands where this
//! resolution is at its edge.

mod reasons;
mod sample;

use std::path::{Path, PathBuf};

use nanobragg_crystal::{
    CellSpec, CrystalSpec, DomainSpec, Misset, MosaicModel, MosaicSampling, MosaicSpec, Shape,
};
use nanobragg_geometry::vector::{dot, scale, sub};
use nanobragg_geometry::{Angle, BeamStopSpec, Length, Pivot};
use nanobragg_physics::Polarization;
use nanobragg_sources::{FluenceSpec, StepSpec};
use nanobragg_structure::{Dispersion, Solvent};
use serde_json::Value;

use crate::background::{LayerSpec, MaterialSpec};
use crate::detectors::Preset;
use crate::error::Error;
use crate::experiment_file::of_lines;
use crate::factors::{AnomalousSpec, CoordinatesSpec, FactorsSpec, ListSpec};
use crate::resolution::distance_for_resolution;
use crate::spec::{BeamSpec, ExperimentSpec, PhiSpec};
pub use sample::Sample;

/// The resolution of a file that states none, in Angstrom: about the median of the Protein Data Bank.
const USUAL_DMIN_A: f64 = 2.0;

/// The wavelength where the file states none, in Angstrom.
const USUAL_WAVELENGTH_A: f64 = 1.0;

/// The largest angle to which the detector reaches with its edge. Beyond it sensors see photons at a slant.
const MOST_TWO_THETA_DEG: f64 = 65.0;

/// The edge of a block of the crystal in Angstrom: spots of one or two pixels, which few samples resolve.
const BLOCK_A: f64 = 600.0;

/// The smallest number of cells along an edge of a block. Up to 2, structure factors are interpolated.
const LEAST_CELLS: f64 = 4.0;

/// The edge of the crystal and of the beam.
const CRYSTAL_MM: f64 = 0.05;

/// The volume of a cube of this edge.
const CRYSTAL_MM3: f64 = 1.25e-4;

/// The usual distance of the beam stop from the crystal, which is half way to a detector that is near.
const BEAM_STOP_MM: f64 = 30.0;

/// The rotation of the image.
const OSCILLATION_DEG: f64 = 0.1;

/// The largest number of steps of the rotation, which is for cells of viruses.
const MOST_PHI_STEPS: f64 = 20.0;

/// What an experiment is proposed for.
#[derive(Debug, Clone)]
pub struct ProposalSpec {
    /// Coordinates (PDB, CIF) or reflections (MTZ, mmCIF, XDS_ASCII, text).
    pub path: PathBuf,
    /// The detector.
    pub detector: &'static Preset,
    /// The wavelength; that of the file if not given.
    pub wavelength: Option<Length>,
    /// The resolution in Angstrom at the edge of the detector; that of the file if not given.
    pub dmin_a: Option<f64>,
    /// The cell, in place of that of the file.
    pub cell: Option<CellSpec>,
    /// The name of the space group, in place of that of the file.
    pub space_group: Option<String>,
}

/// A proposed experiment.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The sample in the file.
    pub sample: Sample,
    /// The detector.
    pub detector: &'static Preset,
    /// Its distance in millimetres.
    pub distance_mm: f64,
    /// The resolution in Angstrom that it should have at its edge.
    pub dmin_a: f64,
    /// The resolution that it has there: a little finer, or coarser where [`dmin_a`](Self::dmin_a) is out of reach.
    pub edge_a: f64,
    /// The wavelength.
    pub wavelength: Length,
    asked: ProposalSpec,
    /// The experiment but for the detector, which the file names.
    spec: ExperimentSpec,
}

impl Proposal {
    /// Reads the file of a structure and chooses the experiment.
    ///
    /// # Errors
    /// Those of the readers; [`NoCell`](nanobragg_structure::Error::NoCell) for a file without a cell, and
    /// [`Error::SensorEnergy`] for a wavelength that the detector is not made for.
    pub fn new(asked: ProposalSpec) -> Result<Self, Error> {
        let sample = Sample::read(&asked)?;
        let of_file = sample.wavelength_a.map(Length::from_angstrom);
        let usual = Length::from_angstrom(USUAL_WAVELENGTH_A);
        let wavelength = asked.wavelength.or(of_file).unwrap_or(usual);
        let dmin_a = asked.dmin_a.or(sample.dmin_a).unwrap_or(USUAL_DMIN_A);
        let mut spec = experiment(&sample, wavelength, dmin_a);

        spec.detector.distance = Length::from_mm(100.0);
        let edge_m = edge_m(&spec, asked.detector)?;
        let least_m = edge_m / MOST_TWO_THETA_DEG.to_radians().tan();
        let wanted_m = distance_for_resolution(dmin_a, wavelength.m(), edge_m);
        let distance_m = wanted_m.unwrap_or(least_m).max(least_m);
        // Whole millimetres, and rather too near than too far.
        let distance_mm = (distance_m * 1000.0).floor().max(1.0);
        spec.detector.distance = Length::from_mm(distance_mm);
        let stop_mm = BEAM_STOP_MM.min(0.5 * distance_mm);
        spec.background = vec![layer("water", CRYSTAL_MM), layer("air", stop_mm)];
        spec.beam_stop = Some(beam_stop(stop_mm));
        let two_theta = (edge_m * 1000.0 / distance_mm).atan();
        let edge_a = wavelength.m() * 1e10 / (2.0 * (two_theta / 2.0).sin());

        let decisions = placed(&spec, asked.detector)?.resolve()?.decisions;
        let oddities = decisions.oddities.iter();
        spec.fixes = oddities.fold(spec.fixes, |fixes, oddity| fixes.with(*oddity));
        spec.sampling.oversample = Some(decisions.recommended_oversample);
        spec.factors = factors(&asked, &sample);
        spec.crystal.cell = asked.cell;
        Ok(Self {
            sample,
            detector: asked.detector,
            distance_mm,
            dmin_a,
            edge_a,
            wavelength,
            asked,
            spec,
        })
    }

    /// The text of an experiment file at `path` (TOML), with a reason for every line. `head` is a comment at its begin.
    ///
    /// # Errors
    /// [`Error::NotInAFile`] for a path that is not UTF-8.
    pub fn to_text(&self, path: &Path, head: &str) -> Result<String, Error> {
        let mut tree = self.spec.to_tree_at(path)?;
        if let Some(Value::Object(detector)) = tree.get_mut("detector") {
            detector.insert("preset".to_owned(), self.detector.name.into());
        }
        let head: String = head.lines().map(|line| format!("# {line}\n")).collect();
        Ok(format!("{head}{}", of_lines(&tree, &self.reasons())))
    }
}

/// The experiment, with structure factors that do not matter before the file is read for a run.
fn experiment(sample: &Sample, wavelength: Length, dmin_a: f64) -> ExperimentSpec {
    let edges_a = sample.cell.lengths_angstrom;
    let cells = edges_a.map(|edge_a| (BLOCK_A / edge_a).round().max(LEAST_CELLS));
    let largest_a = cells
        .iter()
        .zip(edges_a)
        .fold(0.0, |most: f64, (n, edge_a)| most.max(n * edge_a));
    // A block reflects over an angle of d over its edge; two steps for the sharpest reflections.
    let step_deg = (dmin_a / largest_a).to_degrees() / 2.0;
    let phi_steps = (OSCILLATION_DEG / step_deg)
        .ceil()
        .clamp(1.0, MOST_PHI_STEPS);
    ExperimentSpec {
        noise_seed: Some(1),
        crystal: CrystalSpec {
            cell: Some(sample.cell),
            misset: Some(Misset::Angles([10.0, 20.0, 30.0].map(radians))),
            cells: cells.map(|n| n as i64),
            shape: Shape::Gauss,
            domain: DomainSpec {
                crystal_mm3: Some(CRYSTAL_MM3),
                ..DomainSpec::default()
            },
            mosaic: MosaicSpec {
                spread_rad: Some(radians(0.1)),
                model: Some(MosaicModel::Gaussian),
                sampling: Some(MosaicSampling::Even),
                domains: Some(10),
                ..MosaicSpec::default()
            },
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(1.0),
        beam: BeamSpec {
            wavelength: Some(wavelength),
            fluence: FluenceSpec {
                flux_per_s: Some(1e12),
                exposure_s: Some(0.01),
                beam_size_m: Some(Length::from_mm(CRYSTAL_MM).m()),
                ..FluenceSpec::default()
            },
            polarization: Polarization {
                kahn_factor: 0.98,
                ..Polarization::default()
            },
            ..BeamSpec::default()
        },
        phi: PhiSpec {
            sweep: StepSpec {
                range: Some(radians(OSCILLATION_DEG)),
                count: Some(phi_steps as i64),
                ..StepSpec::default()
            },
            ..PhiSpec::default()
        },
        ..ExperimentSpec::default()
    }
}

fn radians(degrees: f64) -> f64 {
    Angle::from_degrees(degrees).radians()
}

fn beam_stop(distance_mm: f64) -> BeamStopSpec {
    BeamStopSpec {
        diameter: Length::from_mm(2.0),
        distance: Length::from_mm(distance_mm),
        penumbra: None,
        transmission: 0.0,
        holder: None,
        mask: false,
    }
}

fn layer(material: &str, thickness_mm: f64) -> LayerSpec {
    LayerSpec {
        material: MaterialSpec::Name(material.to_owned()),
        thickness: Some(Length::from_mm(thickness_mm)),
        ..LayerSpec::default()
    }
}

/// The atoms or the reflections of the file.
fn factors(asked: &ProposalSpec, sample: &Sample) -> FactorsSpec {
    let (path, space_group) = (asked.path.clone(), asked.space_group.clone());
    match sample.has_atoms {
        true => FactorsSpec::Coordinates(CoordinatesSpec {
            path,
            space_group,
            solvent: Some(Solvent::default()),
            anomalous: Dispersion::new(),
            at_energies: AnomalousSpec::default(),
            is_strict: false,
            default_f: 0.0,
        }),
        false => FactorsSpec::List(ListSpec {
            path,
            space_group,
            ..ListSpec::default()
        }),
    }
}

/// The same experiment with the detector of a name.
fn placed(spec: &ExperimentSpec, detector: &Preset) -> Result<ExperimentSpec, Error> {
    let mut spec = spec.clone();
    detector.place(&mut spec, Pivot::Beam)?;
    Ok(spec)
}

/// The distance from the beam to the nearest side of the detector: of the rectangle about all its panels.
fn edge_m(spec: &ExperimentSpec, detector: &Preset) -> Result<f64, Error> {
    let experiment = placed(spec, detector)?.resolve()?.experiment;
    let (beam, panels) = (experiment.beam.direction(), experiment.detector.panels());
    let first = experiment.detector.first();
    let axes = [first.fast(), first.slow()];
    let mut sides = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    for panel in panels {
        let [fast_m, slow_m] =
            [panel.pixels_fast(), panel.pixels_slow()].map(|n| f64::from(n) * panel.pixel_size_m());
        for corner in [[0.0, 0.0], [fast_m, 0.0], [0.0, slow_m], [fast_m, slow_m]] {
            let position = panel.position_m(corner[0], corner[1], 0.0);
            let across = sub(position, scale(dot(position, beam), beam));
            for (side, axis) in sides.iter_mut().zip(axes) {
                let place = dot(across, axis);
                *side = [side[0].min(place), side[1].max(place)];
            }
        }
    }
    let nearest = sides.iter().flatten().map(|side| side.abs());
    Ok(nearest.fold(f64::INFINITY, f64::min))
}

#[cfg(test)]
mod tests;

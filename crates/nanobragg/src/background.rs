//! Layers of amorphous material in the beam, as specified by a user.

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_geometry::{Detector, Length, in_unit, vector};
use nanobragg_materials::{Material, Profile, StolUnit, named, table};
use nanobragg_physics::{AVOGADRO_PER_MOL, BackgroundLayer, Oddity};
use nanobragg_sources::{Fluence, SourceList};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::resolve::{above_zero, at_least_zero};
use crate::spec::ExperimentSpec;
use crate::warning::Warning;

/// The defaults of the program nonBragg for a table, which are those of water.
const TABLE_DENSITY_G_PER_CM3: f64 = 1.0;
const TABLE_MOLAR_MASS_G_PER_MOL: f64 = 18.0;

/// The default thickness, as in nonBragg.
const THICKNESS: Length = Length::from_m(1e-4);

/// The largest likely density: above that of every element.
const DENSEST_G_PER_CM3: f64 = 23.0;

/// Sources that are looked at for the largest angle of the detector.
const SOURCES_LOOKED_AT: usize = 1000;

/// A layer of amorphous material in the beam as specified by a user.
///
/// ```
/// use nanobragg::{ExperimentSpec, LayerSpec, Length, MaterialSpec, RunOptions, simulate};
///
/// let mut spec = ExperimentSpec::default();
/// spec.detector.pixels_fast = Some(32);
/// spec.detector.pixels_slow = Some(32);
/// spec.background.push(LayerSpec {
///     material: MaterialSpec::Points {
///         points: vec![[0.0, 2.57], [0.5, 2.0], [1.0, 1.0]],
///         unit: Default::default(),
///     },
///     thickness: Some(Length::from_mm(0.03)),
///     ..LayerSpec::default()
/// });
/// let image = simulate(&spec.resolve()?.experiment, &RunOptions::default())?;
/// assert!(image.statistics.mean > 0.0);
/// # Ok::<(), nanobragg::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerSpec {
    /// The material.
    pub material: MaterialSpec,
    /// The thickness along the beam; 0.1 mm if not given.
    #[serde(rename = "thickness_mm", with = "in_unit::mm")]
    pub thickness: Option<Length>,
    /// The width across the beam. The beam clips it; if not given, it is that of the beam.
    #[serde(rename = "width_mm", with = "in_unit::mm")]
    pub width: Option<Length>,
    /// The height across the beam, as the width.
    #[serde(rename = "height_mm", with = "in_unit::mm")]
    pub height: Option<Length>,
    /// The density in g/cm^3; that of the material if not given, 1 for a table.
    pub density_g_per_cm3: Option<f64>,
    /// The mass of a mole of molecules in g/mol; that of the material if not given, 18 for a table.
    pub molar_mass_g_per_mol: Option<f64>,
    /// The number of molecules in the beam, in place of that of volume and density; 0 counts as not given.
    pub molecules: Option<f64>,
    /// Whether the layer absorbs what it scatters, with the coefficient of the material at its density.
    pub absorbs: bool,
    /// The linear absorption coefficient in 1/mm, in place of that of the material.
    pub absorption_per_mm: Option<f64>,
}

/// The material of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialSpec {
    /// A known material: `water`, `air`.
    Name(String),
    /// A text table of two columns.
    Table {
        /// The file.
        path: PathBuf,
        /// What its first column is.
        #[serde(default)]
        unit: StolUnit,
    },
    /// These pairs of sin(theta)/lambda and F.
    Points {
        /// The pairs.
        points: Vec<[f64; 2]>,
        /// What the first number is.
        #[serde(default)]
        unit: StolUnit,
    },
}

impl Default for MaterialSpec {
    fn default() -> Self {
        Self::Name("water".to_owned())
    }
}

impl MaterialSpec {
    /// The name in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Table { path, .. } => path.display().to_string(),
            Self::Points { points, .. } => format!("{} points", points.len()),
        }
    }

    /// The material, with warnings about its table.
    fn read(&self, wavelength_m: f64) -> Result<(Material, Vec<Warning>), Error> {
        let (profile, warnings) = match self {
            Self::Name(name) => return Ok((named(name, wavelength_m * 1e10)?, Vec::new())),
            Self::Table { path, unit } => {
                let table = table::read(path, *unit)?;
                let warnings = table.warnings.into_iter().map(Warning::Material);
                (table.profile, warnings.collect())
            }
            Self::Points { points, unit } => {
                let points = points.iter().map(|&[stol, f]| (stol, f));
                (Profile::in_unit(points, *unit)?, Vec::new())
            }
        };
        let material = Material {
            profile,
            density_g_per_cm3: TABLE_DENSITY_G_PER_CM3,
            molar_mass_g_per_mol: TABLE_MOLAR_MASS_G_PER_MOL,
            absorption_per_m: 0.0,
        };
        Ok((material, warnings))
    }
}

/// The numbers of a layer from which its molecules are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerDecision {
    /// The density in g/cm^3.
    pub density_g_per_cm3: f64,
    /// Whether the number of molecules was given, so that thickness and density do not change it.
    pub molecules_are_given: bool,
    /// Whether the absorption coefficient follows from the density.
    pub absorption_follows_density: bool,
}

/// The layers of an experiment, resolved, and what may surprise about them.
pub(crate) struct ResolvedLayers {
    pub(crate) layers: Vec<BackgroundLayer>,
    pub(crate) decisions: Vec<LayerDecision>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) oddities: Vec<Oddity>,
}

impl ExperimentSpec {
    /// The factor on all layers.
    pub fn background_scale(&self) -> f64 {
        self.background_scale.unwrap_or(1.0)
    }

    /// The layers in a beam of `fluence` and `wavelength_m`.
    pub(crate) fn layers(
        &self,
        fluence: &Fluence,
        wavelength_m: f64,
        detector: &Detector,
        sources: &SourceList,
    ) -> Result<ResolvedLayers, Error> {
        let mut resolved = ResolvedLayers {
            layers: Vec::with_capacity(self.background.len()),
            decisions: Vec::new(),
            warnings: Vec::new(),
            oddities: Vec::new(),
        };
        if self.background.is_empty() {
            return Ok(resolved);
        }
        let scale = at_least_zero("the scale of the background", self.background_scale())?;
        let reach_per_m = largest_stol_per_m(detector, sources);
        for spec in &self.background {
            let (material, warnings) = spec.material.read(wavelength_m)?;
            resolved.warnings.extend(warnings);
            let (mut layer, decision) = spec.layer(material, fluence, &mut resolved.warnings)?;
            layer.molecules *= scale;
            let [_, ends_at_per_m] = layer.profile.range_per_m();
            if self.fixes.contains(Oddity::TableEnds) {
                layer.profile = Arc::new((*layer.profile).clone().with_constant_ends());
            } else if ends_at_per_m < reach_per_m {
                resolved.warnings.push(Warning::TableEnds {
                    name: layer.name.clone(),
                    ends_at: ends_at_per_m * 1e-10,
                    reach: reach_per_m * 1e-10,
                });
                resolved.oddities.push(Oddity::TableEnds);
            }
            resolved.layers.push(layer);
            resolved.decisions.push(decision);
        }
        Ok(resolved)
    }
}

impl LayerSpec {
    fn layer(
        &self,
        material: Material,
        fluence: &Fluence,
        warnings: &mut Vec<Warning>,
    ) -> Result<(BackgroundLayer, LayerDecision), Error> {
        let name = self.material.name();
        let thickness = self.thickness.unwrap_or(THICKNESS);
        let thickness_m = at_least_zero("the thickness of a layer (m)", thickness.m())?;
        let across = |quantity, given: Option<Length>| {
            let beam_m = fluence.beam_size_m;
            let whole_m = if beam_m >= 0.0 { beam_m } else { THICKNESS.m() };
            let given_m = at_least_zero(quantity, given.map_or(whole_m, Length::m))?;
            Ok::<f64, Error>(if beam_m >= 0.0 {
                given_m.min(beam_m)
            } else {
                given_m
            })
        };
        let width_m = across("the width of a layer (m)", self.width)?;
        let height_m = across("the height of a layer (m)", self.height)?;
        let own_density = material.density_g_per_cm3;
        let density = self.density_g_per_cm3.unwrap_or(own_density);
        let density = at_least_zero("the density of a layer (g/cm^3)", density)?;
        if density > DENSEST_G_PER_CM3 {
            warnings.push(Warning::DenseLayer {
                name: name.clone(),
                density_g_per_cm3: density,
            });
        }
        let molar_mass = self.molar_mass_g_per_mol;
        let molar_mass = above_zero(
            "the molar mass of a layer (g/mol)",
            molar_mass.unwrap_or(material.molar_mass_g_per_mol),
        )?;
        let given = self.molecules.filter(|molecules| *molecules != 0.0);
        let molecules = match given {
            Some(molecules) => at_least_zero("the number of molecules of a layer", molecules)?,
            None => {
                let volume_m3 = thickness_m * width_m * height_m;
                volume_m3 * (density * 1e6) * AVOGADRO_PER_MOL / molar_mass
            }
        };
        let absorption_per_m = match self.absorption_per_mm {
            Some(per_mm) => at_least_zero("the absorption of a layer (1/mm)", per_mm)? * 1e3,
            None if self.absorbs && material.absorption_per_m == 0.0 => {
                return Err(Error::NoAbsorption { name });
            }
            None if self.absorbs => material.absorption_per_m * (density / own_density),
            None => 0.0,
        };
        let decision = LayerDecision {
            density_g_per_cm3: density,
            molecules_are_given: given.is_some(),
            absorption_follows_density: self.absorption_per_mm.is_none() && self.absorbs,
        };
        let layer = BackgroundLayer {
            name,
            profile: Arc::new(material.profile),
            molecules,
            thickness_m,
            absorption_per_m,
        };
        Ok((layer, decision))
    }
}

/// The largest sin(theta)/lambda of the rendered pixels in 1/m. It is at a corner of a region: the directions
/// within an angle of the beam meet a plane in a convex region.
fn largest_stol_per_m(detector: &Detector, sources: &SourceList) -> f64 {
    let corners = detector.panels().iter().flat_map(|panel| {
        let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
        let ends = [*slow.start(), *slow.end()];
        [*fast.start(), *fast.end()]
            .into_iter()
            .flat_map(move |fast| ends.map(|slow| vector::unit(panel.middle_m(fast, slow))))
    });
    let of_corner = |corner: [f64; 3]| {
        let sources = sources.iter().take(SOURCES_LOOKED_AT);
        let stol = sources.map(move |source| {
            0.5 * vector::norm(vector::sub(corner, source.incident())) / source.wavelength_m
        });
        stol.fold(0.0, f64::max)
    };
    corners.map(of_corner).fold(0.0, f64::max)
}

//! From the specification of a user to the experiment that physics renders.

use std::sync::Arc;

use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, FactorGrid, GridLimit, Misset, SpaceGroup, SpotMetric,
    recommended_oversample,
};
use nanobragg_geometry::{
    BeamFrame, BeamStop, Detector, DetectorSpec, GeometryFixes, Laboratory, Layout, Mask, Panel,
    Roi,
};
use nanobragg_physics::{Experiment, LatticeCopy, Lookup, Oddity, PhiSweep, RunOptions, Sampling};
use nanobragg_sources::{Dispersion, Divergence, Fluence, SpectrumSteps, phi_steps};

use crate::adaptive::{self, SamplingChoice};
use crate::background::LayerDecision;
use crate::detectors::{follows_wavelength, with_attenuation};
use crate::error::Error;
use crate::factors::Loaded;
use crate::mask::masks_of;
use crate::source_list::Bands;
use crate::spec::{ExperimentSpec, MaskSpec, SourceWeights, SourcesSpec};
use crate::warning::{Warning, of_steps};

/// The lattices with their weights times the scale of the crystal.
fn scaled(lattices: Vec<LatticeCopy>, scale: f64) -> Vec<LatticeCopy> {
    let scaled = |lattice: LatticeCopy| LatticeCopy {
        weight: lattice.weight * scale,
        ..lattice
    };
    lattices.into_iter().map(scaled).collect()
}

/// The largest number of orientations (phi steps x lattices x mosaic domains) in a table: 720 MB.
const MAX_ORIENTATIONS: f64 = 1e7;

const MAX_OVERSAMPLE: u32 = 10_000;

/// The largest number of terms in the sum of one pixel.
const MAX_TERMS: f64 = 1e15;

/// A resolved experiment with the decisions that were made.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The experiment that physics renders.
    pub experiment: Experiment,
    /// The choices for everything that the user did not specify.
    pub decisions: Decisions,
}

/// The decisions made in resolving an experiment, for a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// The placement of the detector by conventions, centres and rotations.
    pub layout: Layout,
    /// The nominal wavelength in metres ([`BeamSpec::nominal_wavelength`](crate::BeamSpec::nominal_wavelength)).
    pub wavelength_m: f64,
    /// The wavelength in metres that files and tables state: that given, or the mean of listed sources. Of a
    /// spectrum it is the mean.
    pub central_wavelength_m: f64,
    /// The space group of the reflections or atoms that structure factors come from, if they have one.
    pub space_group: Option<SpaceGroup>,
    /// The divergence of the grid of sources.
    pub divergence: Divergence,
    /// The dispersion of the grid of sources.
    pub dispersion: Dispersion,
    /// The steps of the spectrum of the grid, in place of a dispersion.
    pub spectrum: Option<SpectrumSteps>,
    /// The intensity of the beam.
    pub fluence: Fluence,
    /// Whether the lookup was chosen automatically.
    pub lookup_is_automatic: bool,
    /// Whether the number of sub-pixels was chosen automatically.
    pub oversample_is_automatic: bool,
    /// Sub-pixels along an edge, as recommended for the size of the crystal.
    pub recommended_oversample: u32,
    /// The numbers of samples that were chosen from an allowed error.
    pub sampling: Vec<SamplingChoice>,
    /// Whether the automatic scales of integers and greys leave out the direct beam: if F(000) is not 0 and the
    /// structure factors come from atoms or from a file with symmetry, which the C program does not read.
    pub scales_leave_out_beam: bool,
    /// The density and other numbers of each layer of the background.
    pub layers: Vec<LayerDecision>,
    /// The oddities of the C program that change this image.
    pub oddities: Vec<Oddity>,
    /// All other warnings.
    pub warnings: Vec<Warning>,
}

impl ExperimentSpec {
    /// Chooses everything that is not specified and checks that the parts fit together. Reads structure
    /// factors and a mask if they are in files.
    ///
    /// # Errors
    /// The first error, with the wrong quantity and its value; see [`Error`].
    pub fn resolve(&self) -> Result<Resolved, Error> {
        self.resolve_with(&RunOptions::default())
    }

    /// [`resolve`](Self::resolve), with the threads and vector instructions that numbers of samples are chosen with.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and if the trials are cancelled.
    pub fn resolve_with(&self, options: &RunOptions<'_>) -> Result<Resolved, Error> {
        if let Some(MaskSpec::File(_)) = self.mask {
            return self.load_and_resolve(options);
        }
        let Some(held) = self.factors.in_memory() else {
            return self.load_and_resolve(options);
        };
        if let Some(auto) = self.sampling.auto {
            return adaptive::resolve(self, auto, options);
        }
        let _span = tracing::info_span!("resolve").entered();
        let fixes = self.fixes;
        self.response.check()?;
        let straight = Laboratory::new(&self.detector_spec())?;
        // What stands in the beam, and sources with directions of their own, are placed before it is tilted.
        let straight_beam = straight.beam;
        let laboratory = self.tilted(straight, &self.detector_spec())?;
        let nominal_m = self.nominal_wavelength_m()?;
        let wavelength_m = above_zero("the wavelength (m)", nominal_m)?;
        let fluence = Fluence::new(&self.beam.fluence)?;
        let has_no_crystal = held.are_zero();
        let crystal = Crystal::new(&CrystalSpec {
            wavelength_m,
            beam_size_m: fluence.beam_size_m,
            misset: self.misset(),
            upright_c_star: fixes.contains(Oddity::CStar),
            spot_metric: match fixes.contains(Oddity::SpotWidth) {
                true => SpotMetric::Hkl,
                false => self.crystal.spot_metric,
            },
            cell: self.cell_or_placeholder(has_no_crystal)?,
            ..self.crystal.clone()
        })?;
        let (lattices, of_lattices) = self.lattices.resolve(crystal.direct().vectors())?;
        let divergence = Divergence::new(&self.beam.divergence)?;
        let dispersion = Dispersion::new(&self.beam.dispersion)?;
        let spectrum = self.spectrum(wavelength_m, &dispersion)?;
        let bands = Bands {
            divergence,
            dispersion,
            spectrum: spectrum.as_ref(),
        };
        let sources = self.sources(&straight_beam, wavelength_m, bands)?;
        let central_wavelength_m = match self.beam.sources {
            _ if spectrum.is_some() => sources.mean_wavelength_m(),
            SourcesSpec::File(_) | SourcesSpec::List(_) if self.beam.wavelength.is_none() => {
                sources.mean_wavelength_m()
            }
            _ => wavelength_m,
        };
        // The sources need the direction of the beam, and the sensor needs the wavelength of the sources.
        let laboratory = match self.attenuation_follows_wavelength() {
            true => {
                let spec = with_attenuation(self.detector_spec(), central_wavelength_m)?;
                self.tilted(Laboratory::new(&spec)?, &spec)?
            }
            false => laboratory,
        };
        let detector = self.rendered_parts(laboratory.detector)?;
        let detector = self.shaded(detector, &straight_beam, fluence.beam_size_m)?;
        if has_no_crystal && self.background.is_empty() {
            return Err(Error::NoStructureFactors);
        }
        let mut warnings: Vec<Warning> = Vec::new();
        warnings.extend(
            laboratory
                .layout
                .warnings
                .iter()
                .cloned()
                .map(Warning::Detector),
        );
        warnings.extend(crystal.warnings().iter().cloned().map(Warning::Crystal));
        warnings.extend(self.of_sources(central_wavelength_m));
        warnings.extend(self.of_long_wavelengths(&sources));
        warnings.extend(self.of_odd_wavelength(central_wavelength_m));
        warnings.extend(of_lattices);
        let background = self.layers(&fluence, central_wavelength_m, &detector, &sources)?;
        warnings.extend(background.warnings);
        let (sampling, recommended) =
            self.sampling(&detector, &crystal, wavelength_m, &mut warnings)?;

        let sweep = phi_steps(self.phi.sweep)?;
        warnings.extend(of_steps(
            "phi",
            "deg",
            f64::to_degrees,
            &self.phi.sweep,
            sweep,
        ));
        warnings.extend(self.of_source_steps(&divergence, &dispersion));
        let tables = held.tables(&sources)?;
        let lookup = self.lookup(tables.first(), &crystal);
        let tables = self.fallen_off(tables, &crystal, (&detector, &laboratory.beam), &sources)?;
        let diffuse = self.diffuse.as_ref();
        let experiment = Experiment {
            diffuse: diffuse
                .map(|spec| spec.resolve(crystal.lattice()))
                .transpose()?,
            lookup,
            lattices: scaled(lattices, crystal.intensity_scale()),
            factors: Arc::clone(tables.first()),
            factors_by_source: tables.by_source(),
            sources,
            phi: PhiSweep {
                start_rad: self.phi.start.radians(),
                range_rad: sweep.range,
                step_rad: sweep.step,
                count: sweep.count,
                is_centred: fixes.contains(Oddity::HalfStep),
            },
            sampling,
            polarization: self.beam.polarization,
            fluence_per_m2: fluence.fluence_per_m2,
            water_m: at_least_zero("the water (m)", self.water.m())?,
            background: background.layers,
            background_tolerance: at_least_zero(
                "the tolerance of the background",
                self.background_tolerance.unwrap_or(0.0),
            )?,
            weighs_sources: self.beam.sources != SourcesSpec::Grid
                && self.beam.weights == SourceWeights::Ignore,
            dmin_m: finite("dmin (m)", self.dmin.m())?,
            fixes,
            detector,
            beam: laboratory.beam,
            goniometer: laboratory.goniometer,
            crystal,
        };
        check_terms(&experiment)?;
        let mut oddities = self.oddities(&experiment, &laboratory.layout);
        oddities.extend(background.oddities);
        oddities.dedup();
        Ok(Resolved {
            experiment,
            decisions: Decisions {
                layout: laboratory.layout,
                wavelength_m,
                central_wavelength_m,
                space_group: None,
                divergence,
                dispersion,
                spectrum,
                fluence,
                lookup_is_automatic: self.lookup.is_none(),
                oversample_is_automatic: self.sampling.oversample.is_none(),
                recommended_oversample: recommended,
                sampling: Vec::new(),
                scales_leave_out_beam: false,
                layers: background.decisions,
                oddities,
                warnings,
            },
        })
    }

    fn load_and_resolve(&self, options: &RunOptions<'_>) -> Result<Resolved, Error> {
        let loaded = self.load(GridLimit::default())?;
        loaded.resolve(&loaded.spec, options)
    }

    /// Detector, beam and spindle alone: no file is read, and no pixel is masked.
    ///
    /// # Errors
    /// [`Error::Geometry`] for a detector or a beam that cannot be.
    pub fn laboratory(&self) -> Result<Laboratory, Error> {
        let spec = self.detector_spec();
        self.tilted(Laboratory::new(&spec)?, &spec)
    }

    /// The detector, with the fixes that concern it.
    pub(crate) fn detector_spec(&self) -> DetectorSpec {
        let fixes = self.fixes;
        DetectorSpec {
            fixes: GeometryFixes {
                pivot: fixes.contains(Oddity::Pivot),
                beam_centre: fixes.contains(Oddity::BeamCentre),
                thickness: fixes.contains(Oddity::Thickness),
                curved: fixes.contains(Oddity::Curved),
                ignored_input: fixes.contains(Oddity::IgnoredInput),
                twotheta_distance: fixes.contains(Oddity::TwothetaDistance),
            },
            ..self.detector.clone()
        }
    }

    /// The cell. An experiment with layers only needs none, and gets one that scatters nothing.
    fn cell_or_placeholder(&self, has_no_crystal: bool) -> Result<Option<CellSpec>, Error> {
        let is_given = self.crystal.cell.is_some() || self.crystal.matrix.is_some();
        if is_given || !has_no_crystal || self.background.is_empty() {
            return Ok(self.crystal.cell);
        }
        Ok(Some(CellSpec::from_values(&[1.0])?))
    }

    /// Whether the attenuation of a sensor is that of its material at the wavelength.
    pub(crate) fn attenuation_follows_wavelength(&self) -> bool {
        let others = self.detector.others.iter().map(|other| &other.sensor);
        (others.chain([&self.detector.sensor])).any(follows_wavelength)
    }

    /// The misset. With the fix, a random misset is uniform over all rotations.
    pub(crate) fn misset(&self) -> Option<Misset> {
        match self.crystal.misset {
            Some(Misset::Random { seed }) if self.fixes.contains(Oddity::MissetRandom) => {
                Some(Misset::RandomUniform { seed })
            }
            other => other,
        }
    }

    /// The detector with the region of interest and the mask of every panel.
    fn rendered_parts(&self, detector: Detector) -> Result<Detector, Error> {
        let panels = detector.panels();
        let of_regions = match &self.mask {
            Some(MaskSpec::Regions(regions)) => masks_of(regions, panels)?,
            None | Some(MaskSpec::File(_) | MaskSpec::Pixels(_) | MaskSpec::Panels(_)) => {
                vec![None; panels.len()]
            }
        };
        let masks: Vec<Option<&Mask>> = match &self.mask {
            None | Some(MaskSpec::File(_) | MaskSpec::Regions(_)) => {
                of_regions.iter().map(Option::as_ref).collect()
            }
            Some(MaskSpec::Pixels(mask)) => vec![Some(mask); panels.len()],
            Some(MaskSpec::Panels(masks)) => masks.iter().map(Some).collect(),
        };
        if masks.len() != panels.len() {
            return Err(Error::PanelMasks {
                masks: masks.len(),
                panels: panels.len(),
            });
        }
        let panels = panels.iter().zip(masks).map(|(panel, mask)| {
            let (pixels_fast, pixels_slow) = (panel.pixels_fast(), panel.pixels_slow());
            let roi = Roi::new(self.roi.fast, self.roi.slow, pixels_fast, pixels_slow)?;
            Ok(panel.clone().with_roi(roi)?.with_mask(mask.cloned())?)
        });
        Ok(Detector::new(panels.collect::<Result<_, Error>>()?)?)
    }

    /// The detector with the shadow of the beam stop.
    fn shaded(
        &self,
        detector: Detector,
        beam: &BeamFrame,
        beam_size_m: f64,
    ) -> Result<Detector, Error> {
        let Some(spec) = &self.beam_stop else {
            return Ok(detector);
        };
        let stop = BeamStop::new(spec, beam, detector.first(), beam_size_m)?;
        let panels = detector.panels().iter().cloned();
        Ok(Detector::new(
            panels.map(|panel| stop.cast_on(panel)).collect(),
        )?)
    }

    /// Interpolation as asked for, or by the number of cells; never without a list.
    fn lookup(&self, factors: &FactorGrid, crystal: &Crystal) -> Lookup {
        if factors.is_empty() {
            return Lookup::Nearest;
        }
        let by_size = self.fixes.contains(Oddity::SizeLookup);
        self.lookup
            .unwrap_or(if crystal.interpolates_by_default(by_size) {
                Lookup::Tricubic
            } else {
                Lookup::Nearest
            })
    }

    /// The given or recommended number of sub-pixels, and the recommended number: that of the panel which
    /// needs most.
    fn sampling(
        &self,
        detector: &Detector,
        crystal: &Crystal,
        wavelength_m: f64,
        warnings: &mut Vec<Warning>,
    ) -> Result<(Sampling, u32), Error> {
        let crystal_m = crystal.largest_domain_m();
        let of_panel = |panel: &Panel| {
            let (distance_m, pixel_m) = (panel.distance_m(), panel.pixel_size_m());
            let recommended = recommended_oversample(crystal_m, wavelength_m, distance_m, pixel_m);
            (recommended, wavelength_m * distance_m / pixel_m)
        };
        let panels = detector.panels().iter().map(of_panel);
        let (recommended, reciprocal_pixel_m) = panels
            .reduce(|most, other| if other.0 > most.0 { other } else { most })
            .unwrap_or((1, f64::INFINITY));
        let oversample = self.sampling.oversample.unwrap_or(recommended).max(1);
        if oversample > MAX_OVERSAMPLE {
            return Err(Error::OutOfRange {
                quantity: "the number of sub-pixels along the edge of a pixel",
                value: f64::from(oversample),
                allowed: "at most 10000; a crystal this large needs a larger detector distance, \
                          smaller pixels or an oversampling of your own",
            });
        }
        if oversample < recommended {
            warnings.push(Warning::CoarseSampling {
                oversample,
                recommended,
                crystal_m,
                reciprocal_pixel_m,
            });
        }
        let sampling = Sampling {
            oversample,
            per_subpixel_capture: self.sampling.per_subpixel_capture,
            per_subpixel_polarization: self.sampling.per_subpixel_polarization,
            per_subpixel_solid_angle: self.sampling.per_subpixel_solid_angle,
        };
        Ok((sampling, recommended))
    }
}

impl Loaded {
    /// Resolves `spec`, whose files are those of this one. Warnings about the files come first.
    ///
    /// # Errors
    /// As [`ExperimentSpec::resolve_with`], and [`Error::DumpOfAnotherCell`].
    pub fn resolve(
        &self,
        spec: &ExperimentSpec,
        options: &RunOptions<'_>,
    ) -> Result<Resolved, Error> {
        let mut resolved = spec.resolve_with(options)?;
        let warnings = self.warnings(resolved.experiment.crystal.lattice())?;
        resolved.decisions.warnings.splice(..0, warnings);
        let factors = &resolved.experiment.factors;
        let f000 = factors
            .offset([0; 3])
            .and_then(|offset| factors.values().get(offset));
        resolved.decisions.scales_leave_out_beam = f000.is_some_and(|f| *f != 0.0)
            && (self.coordinates.is_some() || self.factor_file.is_some());
        let of_list = self.factor_file.as_ref().map(|file| &file.space_group);
        let of_atoms = self
            .coordinates
            .as_ref()
            .map(|atoms| &atoms.model.space_group);
        resolved.decisions.space_group = of_list.or(of_atoms).cloned();
        Ok(resolved)
    }
}

/// Refuses sums with too many terms.
fn check_terms(experiment: &Experiment) -> Result<(), Error> {
    let phi_steps = experiment.phi.count;
    let domains = experiment.crystal.mosaic().domains().len();
    let lattices = experiment.lattices.len();
    let orientations = f64::from(phi_steps) * lattices as f64 * domains as f64;
    let terms = experiment.terms_a_pixel();
    let limit = if orientations > MAX_ORIENTATIONS {
        MAX_ORIENTATIONS
    } else {
        MAX_TERMS
    };
    if orientations > MAX_ORIENTATIONS || terms > MAX_TERMS {
        return Err(Error::TooManyTerms {
            terms,
            sources: experiment.sources.len(),
            phi_steps,
            lattices,
            domains,
            oversample: experiment.sampling.oversample,
            layers: experiment.detector.first().sensor().layers,
            limit,
        });
    }
    Ok(())
}

fn finite(quantity: &'static str, value: f64) -> Result<f64, Error> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(Error::OutOfRange {
        quantity,
        value,
        allowed: "a finite number",
    })
}

pub(crate) fn at_least_zero(quantity: &'static str, value: f64) -> Result<f64, Error> {
    if value >= 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::OutOfRange {
        quantity,
        value,
        allowed: "0 or above",
    })
}

pub(crate) fn above_zero(quantity: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::OutOfRange {
        quantity,
        value,
        allowed: "above 0",
    })
}

//! From flags to an experiment: files are read, units converted, and what the flags say by their
//! order is put into the places that it means.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nanobragg::crystal::{Reflection, read};
use nanobragg::exchange::Geometry;
use nanobragg::io::smv;
use nanobragg::{
    Angle, Attenuation, BeamSpec, CellSpec, CrystalSpec, CustomAxes, DetectorSpec, DispersionSpec,
    DivergenceSpec, ExperimentSpec, FactorGrid, Fixes, FluenceSpec, GridLimit, HeaderKind, Length,
    Lookup, Mask, Misset, MosaicSpec, Oddity, Outline, PhiSpec, PixelKind, Polarization, Resolved,
    RoiSpec, SamplingSpec, SensorSpec, Shape, SourcesSpec, StepSpec, Surface, apply_header,
    check_memory,
};

use crate::args::{self, Args, DistanceFlag, VectorArgs};
use crate::coordinates::{self, Coordinates};
use crate::exchange::{self, Source};
use crate::factor_file::{self, FactorFile};
use crate::run::RunError;

/// Where the structure factors of an earlier run are kept if no flag says otherwise.
pub const DEFAULT_DUMP: &str = "Fdump.bin";

/// Seed of the mosaic domains if no flag says otherwise.
pub(crate) const DEFAULT_MOSAIC_SEED: i64 = 12_345_678;

/// What a program has in memory already; it stands in for the files that flags would name.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Instead of the file of `-hkl` or a dump.
    pub reflections: Option<Arc<[Reflection]>>,
    /// Over the mask of `-mask`, whose header is taken all the same.
    pub mask: Option<Mask>,
}

/// A command line resolved.
#[derive(Debug)]
pub struct Job {
    /// The experiment as it was asked for.
    pub(crate) spec: ExperimentSpec,
    /// The experiment with what was decided on the way.
    pub resolved: Resolved,
    /// Seed of the noise.
    pub noise_seed: i64,
    /// Where the structure factors came from.
    pub factors_from: FactorsFrom,
    /// The atoms that they were worked out from.
    pub coordinates: Option<Coordinates>,
    /// What is known of the file of structure factors, unless it was taken as it is.
    pub factor_file: Option<FactorFile>,
    /// The oddities that only the command line and the headers can tell.
    pub oddities: Vec<Oddity>,
    /// What the headers gave, flags that win over them aside.
    pub(crate) header_keys: Vec<(&'static str, HeaderKind)>,
    /// The files of other programs that the geometry was taken from.
    pub(crate) geometry_from: Vec<Source>,
    /// The geometry as other programs are told of it, if it is to be written.
    pub(crate) geometry: Option<Geometry>,
    /// How long the experiment took to resolve once its files were read, in seconds.
    pub(crate) resolve_s: f64,
}

/// The keys of a header that can decide something.
const HEADER_KEYS: [&str; 12] = [
    "SIZE1",
    "SIZE2",
    "PIXEL_SIZE",
    "DISTANCE",
    "CLOSE_DISTANCE",
    "WAVELENGTH",
    "BEAM_CENTER_X",
    "BEAM_CENTER_Y",
    "ORGX",
    "ORGY",
    "PHI",
    "OSC_RANGE",
];

/// The keys that a header gives a number for.
fn keys_in(header: &smv::Header, kind: HeaderKind) -> Vec<(&'static str, HeaderKind)> {
    let is_given = |key: &&str| matches!(header.number(key), Ok(Some(_)));
    let given = HEADER_KEYS.into_iter().filter(is_given);
    given.map(|key| (key, kind)).collect()
}

/// Where the structure factors came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorsFrom {
    /// A list of reflections, which is dumped for the next run.
    List,
    /// Atoms, by way of which they are worked out and dumped for the next run.
    Coordinates,
    /// The dump of an earlier run.
    Dump,
    /// Neither: every reflection has the default.
    Default,
}

impl Job {
    /// Reads the files that `args` names and resolves the experiment.
    ///
    /// # Errors
    /// The first file that cannot be read or understood, or the first thing that cannot be.
    pub fn from_args(args: &Args) -> Result<Self, RunError> {
        let prepared = Prepared::from_args(args)?;
        prepared.resolve(&prepared.spec, prepared.noise_seed, args)
    }

    /// What the files of other programs gave, with the flag of each.
    pub(crate) fn file_keys(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
        self.geometry_from.iter().flat_map(Source::keys)
    }

    /// The file that the detector was taken from.
    pub(crate) fn detector_from(&self) -> Option<&Source> {
        let gives = |source: &&Source| source.described.panel.is_some();
        self.geometry_from.iter().rfind(gives)
    }

    /// The file that the cell was taken from.
    pub(crate) fn cell_from(&self) -> Option<&Source> {
        self.geometry_from.iter().rfind(|source| source.has_cell())
    }
}

/// A command line whose files are read: what one image of a series has in common with the next.
#[derive(Debug)]
pub struct Prepared {
    /// What the flags and files describe.
    pub spec: ExperimentSpec,
    /// Seed of the noise.
    pub noise_seed: i64,
    factors_from: FactorsFrom,
    coordinates: Option<Coordinates>,
    factor_file: Option<FactorFile>,
    oddities: Vec<Oddity>,
    header_keys: Vec<(&'static str, HeaderKind)>,
    geometry_from: Vec<Source>,
}

impl Prepared {
    /// Reads the files that `args` names.
    ///
    /// # Errors
    /// The first file that cannot be read or understood.
    pub fn from_args(args: &Args) -> Result<Self, RunError> {
        Self::with_inputs(args, Inputs::default())
    }

    /// The same with some of the files in memory.
    ///
    /// # Errors
    /// As [`from_args`](Self::from_args).
    pub fn with_inputs(args: &Args, inputs: Inputs) -> Result<Self, RunError> {
        let mut oddities = Vec::new();
        let fixes = fixes(args);
        let mut spec = ExperimentSpec {
            fixes,
            ..ExperimentSpec::default()
        };
        let mut header_twotheta_deg = 0.0;
        let mut header_keys = Vec::new();
        if let Some(path) = &args.detector.mask_path {
            let (header, image) = smv::read(path)?;
            let used = image.pixels().iter().map(|&value| value != 0).collect();
            spec.mask = Mask::new(image.fast(), used);
            let twotheta = apply_header(&mut spec, &header, HeaderKind::Mask, path)?;
            header_keys.extend(keys_in(&header, HeaderKind::Mask));
            header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
        }
        if let Some(path) = &args.detector.image_path {
            let (header, _) = smv::read(path)?;
            let twotheta = apply_header(&mut spec, &header, HeaderKind::Image, path)?;
            header_keys.extend(keys_in(&header, HeaderKind::Image));
            header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
        }
        if header_twotheta_deg != 0.0 && args.detector.twotheta_deg.is_none() {
            if fixes.contains(Oddity::IgnoredInput) {
                spec.detector.twotheta = Angle::from_degrees(header_twotheta_deg);
            } else {
                oddities.push(Oddity::IgnoredInput);
            }
        }
        if spec.detector.close_distance.is_some() && args.detector.distance_mm.is_some() {
            if fixes.contains(Oddity::HeaderDistance) {
                spec.detector.close_distance = None;
            } else if args.detector.close_distance_mm.is_none() {
                oddities.push(Oddity::HeaderDistance);
            }
        }
        let geometry_from = exchange::sources(args)?;
        for source in &geometry_from {
            source.place(&mut spec, args)?;
        }

        let noise_seed = args.noise.seed.unwrap_or_else(seed_from_clock);
        apply_detector(&mut spec.detector, args);
        apply_beam(&mut spec.beam, args);
        spec.crystal = crystal(args, noise_seed, &geometry_from, spec.beam.wavelength)?;
        apply_sampling(&mut spec, args);
        let reading = args.coordinates.path.as_deref();
        let reading = reading
            .map(|path| coordinates::read(path, args))
            .transpose()?;
        let mut coordinates = None;
        let (factors, factors_from, factor_file) = match reading {
            Some(reading) => {
                if spec.crystal.cell.is_none() && spec.crystal.matrix.is_none() {
                    spec.crystal.cell = Some(*reading.model.frame.cell());
                }
                let limit = memory_limit(args);
                let (grid, atoms) = coordinates::factors(reading, args, &spec, limit)?;
                coordinates = Some(atoms);
                (grid, FactorsFrom::Coordinates, None)
            }
            None => factors(args, inputs.reflections.as_deref())?,
        };
        if spec.crystal.cell.is_none() && spec.crystal.matrix.is_none() {
            spec.crystal.cell = factor_file.as_ref().and_then(|file| file.cell);
        }
        spec.factors = Arc::new(factors);
        spec.mask = inputs.mask.or(spec.mask);
        Ok(Self {
            spec,
            noise_seed,
            factors_from,
            coordinates,
            factor_file,
            oddities,
            header_keys,
            geometry_from,
        })
    }

    /// Resolves `spec`, which is that of the command line or a frame of it.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn resolve(
        &self,
        spec: &ExperimentSpec,
        noise_seed: i64,
        args: &Args,
    ) -> Result<Job, RunError> {
        let begun = Instant::now();
        let resolved = spec.resolve()?;
        let resolve_s = begun.elapsed().as_secs_f64();
        check_memory(&resolved.experiment, memory_limit(args))?;
        let writes_geometry = args.output.expt_path.is_some() || args.output.xds_path.is_some();
        let geometry = writes_geometry
            .then(|| Geometry::of(&resolved))
            .transpose()?;
        let mut factor_file = self.factor_file.clone();
        if let Some(file) = &mut factor_file {
            let warning = file.cell_warning(resolved.experiment.crystal.lattice());
            file.warnings.extend(warning);
        }
        Ok(Job {
            spec: spec.clone(),
            resolved,
            noise_seed,
            factors_from: self.factors_from,
            coordinates: self.coordinates.clone(),
            factor_file,
            oddities: self.oddities.clone(),
            header_keys: self.header_keys.clone(),
            geometry_from: self.geometry_from.clone(),
            geometry,
            resolve_s,
        })
    }
}

/// The oddities to put right, by the names that the flag has checked.
fn fixes(args: &Args) -> Fixes {
    let named = args
        .running
        .fixes
        .iter()
        .filter_map(|name| Oddity::from_name(name));
    named.fold(Fixes::none(), Fixes::with)
}

/// A seed that differs from run to run: seconds since 1970.
pub(crate) fn seed_from_clock() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(1, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(1))
}

fn mm(value: Option<f64>) -> Option<Length> {
    value.map(Length::from_mm)
}

/// Replaces what is there by what was given.
fn put<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// Lays the flags over what the headers said.
fn apply_detector(spec: &mut DetectorSpec, args: &Args) {
    let given = &args.detector;
    put(&mut spec.pixel_size, mm(given.pixel_mm));
    put(&mut spec.size_fast, mm(given.size_mm[0]));
    put(&mut spec.size_slow, mm(given.size_mm[1]));
    spec.pixels_fast = given.pixels[0].or(spec.pixels_fast);
    spec.pixels_slow = given.pixels[1].or(spec.pixels_slow);
    put(&mut spec.distance, mm(given.distance_mm));
    spec.close_distance = mm(given.close_distance_mm).or(spec.close_distance);
    spec.x_beam = mm(given.beam_centre_mm.x).or(spec.x_beam);
    spec.y_beam = mm(given.beam_centre_mm.y).or(spec.y_beam);
    spec.x_close = mm(given.close_centre_mm.x);
    spec.y_close = mm(given.close_centre_mm.y);
    spec.org_x = given.org_px.x.or(spec.org_x);
    spec.org_y = given.org_px.y.or(spec.org_y);
    put(&mut spec.convention, given.convention.map(convention));
    spec.axes = axes(spec.axes, &args.vectors);
    spec.pix0_m = args.vectors.pix0_m;
    spec.pivot = given.pivot_of_last_flag.map(pivot).or(spec.pivot);
    spec.explicit_pivot = given
        .pivot
        .map(pivot)
        .or(given.last_distance.map(|flag| match flag {
            DistanceFlag::Distance => nanobragg::Pivot::Beam,
            DistanceFlag::CloseDistance => nanobragg::Pivot::Sample,
        }));
    let degrees = |value: Option<f64>| Angle::from_degrees(value.unwrap_or(0.0));
    spec.rotations = given.rotations_deg.map(degrees);
    put(
        &mut spec.twotheta,
        given.twotheta_deg.map(Angle::from_degrees),
    );
    spec.surface = if given.curved {
        Surface::Curved
    } else {
        Surface::Flat
    };
    spec.pixel_kind = if given.point_pixel {
        PixelKind::Point
    } else {
        PixelKind::Facet
    };
    spec.sensor = SensorSpec {
        attenuation: match given.attenuation_um {
            None => spec.sensor.attenuation,
            Some(depth) if depth.is_infinite() => Attenuation::Transparent,
            Some(depth) => Attenuation::Depth(Length::from_um(depth)),
        },
        thickness: (given.thickness_um).map_or(spec.sensor.thickness, Length::from_um),
        layers: given.thickness_steps.map(i64::from),
    };
}

/// The axes given over those of a file.
fn axes(file: CustomAxes, given: &VectorArgs) -> CustomAxes {
    // A normal that belongs to another plane is made anew, as one of length 0 is.
    let is_turned = given.fast.is_some() || given.slow.is_some();
    let normal = match file.normal {
        Some(_) if is_turned => Some([0.0; 3]),
        normal => normal,
    };
    CustomAxes {
        beam: given.beam.or(file.beam),
        fast: given.fast.or(file.fast),
        slow: given.slow.or(file.slow),
        normal: given.normal.or(normal),
        twotheta: given.twotheta.or(file.twotheta),
        polarization: given.polarization.or(file.polarization),
        spindle: given.spindle.or(file.spindle),
    }
}

fn convention(convention: args::Convention) -> nanobragg::Convention {
    match convention {
        args::Convention::Mosflm => nanobragg::Convention::Mosflm,
        args::Convention::Xds => nanobragg::Convention::Xds,
        args::Convention::Adxv => nanobragg::Convention::Adxv,
        args::Convention::Denzo => nanobragg::Convention::Denzo,
        args::Convention::Dials => nanobragg::Convention::Dials,
        args::Convention::Custom => nanobragg::Convention::Custom,
    }
}

fn pivot(pivot: args::Pivot) -> nanobragg::Pivot {
    match pivot {
        args::Pivot::Beam => nanobragg::Pivot::Beam,
        args::Pivot::Sample => nanobragg::Pivot::Sample,
    }
}

fn apply_beam(spec: &mut BeamSpec, args: &Args) {
    let given = &args.beam;
    put(
        &mut spec.wavelength,
        given.wavelength_a.map(Length::from_angstrom),
    );
    spec.fluence = FluenceSpec {
        fluence_per_m2: given.fluence_per_m2,
        flux_per_s: given.flux_per_s,
        exposure_s: given.exposure_s,
        beam_size_m: given.size_mm.map(|size| size / 1000.0),
    };
    spec.polarization = Polarization {
        kahn_factor: (given.polarization).unwrap_or(spec.polarization.kahn_factor),
        off: given.no_polarization,
    };
    if let Some(path) = &given.source_path {
        spec.sources = SourcesSpec::File(path.clone());
    }
    let fan = |range_mrad: Option<f64>, step_mrad: Option<f64>, count: Option<u32>| StepSpec {
        range: range_mrad.map(|mrad| mrad / 1000.0),
        step: step_mrad.map(|mrad| mrad / 1000.0),
        count: count.map(i64::from),
    };
    let [horizontal_mrad, vertical_mrad] = given.divergence_mrad;
    let [horizontal_step_mrad, vertical_step_mrad] = given.divergence_step_mrad;
    let [horizontal_count, vertical_count] = given.divergence_steps;
    spec.divergence = DivergenceSpec {
        horizontal: fan(horizontal_mrad, horizontal_step_mrad, horizontal_count),
        vertical: fan(vertical_mrad, vertical_step_mrad, vertical_count),
        outline: if given.square_divergence {
            Outline::Square
        } else {
            Outline::Round
        },
    };
    spec.dispersion = DispersionSpec {
        range: given.dispersion_percent.map(|percent| percent / 100.0),
        count: given.dispersion_steps.map(i64::from),
    };
}

fn crystal(
    args: &Args,
    noise_seed: i64,
    files: &[Source],
    wavelength: Length,
) -> Result<CrystalSpec, RunError> {
    let given = &args.crystal;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    let mut said = CrystalSpec::default();
    if let Some(path) = &given.matrix_path {
        said.matrix = Some(read::matrix::read(path)?);
    } else {
        for file in files {
            file.described.orient(&mut said, wavelength);
        }
    }
    if let Some(cell) = &given.cell {
        said.cell = Some(CellSpec::from_values(cell)?);
    }
    Ok(CrystalSpec {
        misset: given.misset.as_ref().map(|misset| match misset {
            args::Misset::Degrees(angles) => Misset::Angles(angles.map(radians)),
            args::Misset::Random => Misset::Random {
                seed: args.noise.misset_seed.unwrap_or(noise_seed),
            },
        }),
        cells: given.cells.map(|n| n.map_or(1, i64::from)),
        size_m: given.size_mm.map(|size| size.map_or(0.0, |mm| mm / 1000.0)),
        shape: match given.shape {
            args::Shape::Square => Shape::Square,
            args::Shape::Round => Shape::Round,
            args::Shape::Gauss => Shape::Gauss,
            args::Shape::Tophat => Shape::Tophat,
        },
        fudge: given.fudge.unwrap_or(1.0),
        mosaic: MosaicSpec {
            spread_rad: given.mosaic_deg.map(radians),
            domains: given.mosaic_domains.map(i64::from),
            seed: args.noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED),
        },
        ..said
    })
}

fn apply_sampling(spec: &mut ExperimentSpec, args: &Args) {
    let given = &args.sampling;
    let radians = |degrees: f64| Angle::from_degrees(degrees).radians();
    let header = spec.phi;
    spec.phi = PhiSpec {
        start: given.phi_deg.map_or(header.start, Angle::from_degrees),
        sweep: StepSpec {
            range: given.osc_deg.map(radians).or(header.sweep.range),
            step: given.phistep_deg.map(radians),
            count: given.phisteps.map(i64::from),
        },
    };
    spec.sampling = SamplingSpec {
        oversample: given.oversample,
        per_subpixel_capture: given.oversample_thick,
        per_subpixel_polarization: given.oversample_polar,
        per_subpixel_solid_angle: given.oversample_omega,
    };
    if let Some([fast_min, fast_max, slow_min, slow_max]) = given.roi {
        spec.roi = RoiSpec {
            fast: [fast_min, fast_max],
            slow: [slow_min, slow_max],
        };
    }
    spec.lookup = args.factors.lookup.map(|lookup| match lookup {
        args::Lookup::Nearest => Lookup::Nearest,
        args::Lookup::Tricubic => Lookup::Tricubic,
    });
    spec.dmin = given.dmin_a.map(Length::from_angstrom).unwrap_or_default();
    spec.water = args.beam.water_um.map(Length::from_um).unwrap_or_default();
}

/// The structure factors: `in_memory`, or from the list if one is named, otherwise from the dump if
/// there is one.
fn factors(
    args: &Args,
    in_memory: Option<&[Reflection]>,
) -> Result<(FactorGrid, FactorsFrom, Option<FactorFile>), RunError> {
    let given = &args.factors;
    let default_f = given.default_f.unwrap_or(0.0);
    let limit = memory_limit(args);
    if let Some(reflections) = in_memory {
        let grid = FactorGrid::from_reflections(reflections, default_f, limit)?;
        return Ok((grid, FactorsFrom::List, None));
    }
    if let Some(path) = &given.hkl_path {
        let (reflections, file) = factor_file::read(path, given)?;
        let grid = FactorGrid::from_reflections(&reflections, default_f, limit)?;
        return Ok((grid, FactorsFrom::List, file));
    }
    let dump = dump_path(args);
    // What is there and cannot be looked at is an error; only what is not there is not missed.
    if !matches!(dump.try_exists(), Ok(false)) {
        return Ok((
            read::fdump::read(dump, default_f, limit)?,
            FactorsFrom::Dump,
            None,
        ));
    }
    Ok((FactorGrid::empty(default_f), FactorsFrom::Default, None))
}

/// What `-max_memory` allows.
pub(crate) fn memory_limit(args: &Args) -> GridLimit {
    let bytes = |gib: f64| GridLimit {
        // Saturates: more than there is of 64 bits is no limit.
        max_bytes: (gib * (1_u64 << 30) as f64) as u64,
    };
    args.running
        .max_memory_gib
        .map_or_else(GridLimit::default, bytes)
}

/// Where the structure factors are dumped to and read back from.
pub(crate) fn dump_path(args: &Args) -> &Path {
    args.factors
        .dump_path
        .as_deref()
        .unwrap_or(Path::new(DEFAULT_DUMP))
}

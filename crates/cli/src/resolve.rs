//! From flags to an experiment: files are read, units converted, and what the flags say by their
//! order is put into the places that it means.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nanobragg::crystal::Reflection;
use nanobragg::exchange::Geometry;
use nanobragg::factors::{Coordinates, FactorFile};
use nanobragg::geometry::{AttachedPanel, Laboratory};
use nanobragg::io::any::AnyImage;
use nanobragg::io::smv;
use nanobragg::{
    Angle, ExperimentSpec, FactorGrid, FactorsSpec, Fixes, GridLimit, HEADER_KEYS, HeaderKind,
    Loaded, MaskSpec, Oddity, Resolved, SourceList, SourcesSpec, apply_header, check_memory,
    header_number, mask_from, read_otherwise_by_c,
};

use crate::args::Args;
use crate::exchange::{self, Source};
use crate::outcome::RunError;
use crate::specs::{apply_beam, apply_crystal, apply_detector, apply_sampling};

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
    pub mask: Option<MaskSpec>,
    /// The detector, in the laboratory: over that of files, and under what flags say of it.
    pub panels: Vec<AttachedPanel>,
    /// Instead of the file of `-sourcefile` or a grid.
    pub sources: Option<SourceList>,
}

/// A command line resolved.
#[derive(Debug)]
pub struct Job {
    /// The experiment as it was asked for, with its files in memory.
    pub spec: ExperimentSpec,
    /// The same with the names of structure factors, mask and sources.
    pub named: ExperimentSpec,
    /// The experiment with what was decided on the way.
    pub resolved: Resolved,
    /// Seed of the noise.
    pub noise_seed: i64,
    /// The atoms that they were worked out from.
    pub coordinates: Option<Coordinates>,
    /// What is known of the file of structure factors, unless it was taken as it is.
    pub factor_file: Option<FactorFile>,
    /// The oddities that only the command line and the headers can tell.
    pub oddities: Vec<Oddity>,
    /// What the headers gave, flags that win over them aside.
    pub(crate) header_keys: Vec<(&'static str, HeaderKind)>,
    /// Where the C program takes other numbers from the headers.
    pub(crate) header_warnings: Vec<String>,
    /// The files of other programs that the geometry was taken from.
    pub(crate) geometry_from: Vec<Source>,
    /// The geometry as other programs are told of it, if it is to be written.
    pub(crate) geometry: Option<Geometry>,
    /// How long the experiment took to resolve once its files were read, in seconds.
    pub(crate) resolve_s: f64,
}

/// The keys that a header gives a number for.
fn keys_in(header: &smv::Header, kind: HeaderKind) -> Vec<(&'static str, HeaderKind)> {
    let is_given = |key: &&str| matches!(header_number(header, key), Ok(Some(_)));
    let given = HEADER_KEYS.into_iter().filter(is_given);
    given.map(|key| (key, kind)).collect()
}

/// Takes the geometry of files of other programs, of memory and of flags into `spec`, in this order.
fn lay_out(
    spec: &mut ExperimentSpec,
    geometry_from: &[Source],
    panels: &[AttachedPanel],
    args: &Args,
) -> Result<(), RunError> {
    for source in geometry_from {
        source.place(spec, args)?;
    }
    exchange::place(panels, &mut spec.detector, args)?;
    apply_detector(&mut spec.detector, args);
    apply_beam(&mut spec.beam, args);
    apply_sampling(spec, args);
    Ok(())
}

/// Gives a detector of which nothing tells the pixels those of the mask.
fn size_as(spec: &mut ExperimentSpec, mask: Option<[usize; 2]>, args: &Args) {
    let Some([fast, slow]) = mask.map(|sides| sides.map(|side| u32::try_from(side).ok())) else {
        return;
    };
    let given = args.detector.size_mm;
    let detector = &mut spec.detector;
    if detector.pixels_fast.is_none() && given[0].is_none() {
        detector.pixels_fast = fast;
    }
    if detector.pixels_slow.is_none() && given[1].is_none() {
        detector.pixels_slow = slow;
    }
}

impl Job {
    /// Reads the files that `args` names and resolves the experiment.
    ///
    /// # Errors
    /// The first file that cannot be read or understood, or the first thing that cannot be.
    pub fn from_args(args: &Args) -> Result<Self, RunError> {
        let prepared = Prepared::from_args(args)?;
        prepared.resolve(&prepared.loaded.spec, prepared.noise_seed, args)
    }

    /// What the files of other programs gave, with the flag of each.
    pub(crate) fn file_keys(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
        self.geometry_from.iter().flat_map(Source::keys)
    }

    /// The file that the detector was taken from.
    pub(crate) fn detector_from(&self) -> Option<&Source> {
        let gives = |source: &&Source| !source.described.panels.is_empty();
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
    /// What the flags and files describe, with the files in memory.
    pub loaded: Loaded,
    /// The same with the names of structure factors, mask and sources.
    named: ExperimentSpec,
    /// Seed of the noise.
    pub noise_seed: i64,
    oddities: Vec<Oddity>,
    header_keys: Vec<(&'static str, HeaderKind)>,
    header_warnings: Vec<String>,
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
        let args = &*args.with_base()?;
        let mut oddities = Vec::new();
        let mut named = args.base_that_yields();
        named.fixes = fixes(args, named.fixes);
        let mut mask = None;
        let mut header_twotheta_deg = 0.0;
        let mut header_keys = Vec::new();
        let mut header_warnings = Vec::new();
        // The same without what the header of a mask says.
        let mut bare = None;
        if let Some(path) = &args.detector.mask_path {
            let image = AnyImage::read(path)?;
            named.mask = Some(MaskSpec::File(path.clone()));
            let header = match &image {
                AnyImage::Shaped(image) => image.header.as_ref(),
                AnyImage::RawFloats(_) => None,
            };
            let is_taken = !named.fixes.contains(Oddity::MaskHeader);
            if let Some(header) = header.filter(|_| is_taken) {
                bare = Some(named.clone());
                let twotheta = apply_header(&mut named, header, HeaderKind::Mask, path)?;
                header_keys.extend(keys_in(header, HeaderKind::Mask));
                header_warnings.extend(read_otherwise_by_c(header, path));
                header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
            }
            mask = Some(image);
        }
        if let Some(path) = &args.detector.image_path {
            let (header, _) = smv::read(path)?;
            let twotheta = apply_header(&mut named, &header, HeaderKind::Image, path)?;
            if let Some(bare) = &mut bare {
                apply_header(bare, &header, HeaderKind::Image, path)?;
            }
            header_keys.extend(keys_in(&header, HeaderKind::Image));
            header_warnings.extend(read_otherwise_by_c(&header, path));
            header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
        }
        if header_twotheta_deg != 0.0 && args.detector.twotheta_deg.is_none() {
            if named.fixes.contains(Oddity::IgnoredInput) {
                named.detector.twotheta = Angle::from_degrees(header_twotheta_deg);
            } else {
                oddities.push(Oddity::IgnoredInput);
            }
        }
        if named.detector.close_distance.is_some() && args.detector.distance_mm.is_some() {
            if named.fixes.contains(Oddity::HeaderDistance) {
                named.detector.close_distance = None;
            } else if args.detector.close_distance_mm.is_none() {
                oddities.push(Oddity::HeaderDistance);
            }
        }
        let geometry_from = exchange::sources(args)?;
        lay_out(&mut named, &geometry_from, &inputs.panels, args)?;
        let mask_sides = mask.as_ref().and_then(AnyImage::sides);
        size_as(&mut named, mask_sides, args);
        if let Some(mut bare) = bare {
            lay_out(&mut bare, &geometry_from, &inputs.panels, args)?;
            size_as(&mut bare, mask_sides, args);
            let geometry = |spec: &ExperimentSpec| {
                let laboratory = Laboratory::new(&spec.detector).ok();
                let detector = laboratory.map(|laboratory| laboratory.detector);
                (detector, spec.beam.wavelength, spec.phi)
            };
            if geometry(&bare) != geometry(&named) {
                oddities.push(Oddity::MaskHeader);
            }
        }

        let noise_seed = args.noise.seed.unwrap_or_else(seed_from_clock);
        if let Some(sources) = inputs.sources {
            named.beam.sources = SourcesSpec::List(sources);
        }
        let wavelength = named.beam.nominal_wavelength();
        apply_crystal(
            &mut named.crystal,
            args,
            noise_seed,
            &geometry_from,
            wavelength,
        )?;
        named.factors = args.factors();
        let limit = memory_limit(args);
        if let Some(reflections) = &inputs.reflections {
            let default_f = named.factors.default_f();
            named.factors = FactorGrid::from_reflections(reflections, default_f, limit)?.into();
        }
        named.mask = inputs.mask.or(named.mask);
        let read = ExperimentSpec {
            mask: match (&named.mask, mask) {
                // Read already.
                (Some(MaskSpec::File(_)), Some(image)) => {
                    mask_from(image, &named.detector)?.map(MaskSpec::Pixels)
                }
                _ => named.mask.clone(),
            },
            ..named.clone()
        };
        Ok(Self {
            loaded: read.load(limit)?,
            named,
            noise_seed,
            oddities,
            header_keys,
            header_warnings,
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
        let resolved = self.loaded.resolve(spec)?;
        let resolve_s = begun.elapsed().as_secs_f64();
        check_memory(&resolved.experiment, memory_limit(args))?;
        let writes_geometry = args.output.files.have_geometry();
        let geometry = writes_geometry
            .then(|| Geometry::of(&resolved))
            .transpose()?;
        Ok(Job {
            spec: spec.clone(),
            named: self.named(spec),
            resolved,
            noise_seed,
            coordinates: self.loaded.coordinates.clone(),
            factor_file: self.loaded.factor_file.clone(),
            oddities: self.oddities.clone(),
            header_keys: self.header_keys.clone(),
            header_warnings: self.header_warnings.clone(),
            geometry_from: self.geometry_from.clone(),
            geometry,
            resolve_s,
        })
    }

    /// A specification whose files are in memory, with their names: what changed since they were read
    /// stays as it is.
    fn named(&self, spec: &ExperimentSpec) -> ExperimentSpec {
        let mut named = spec.clone();
        if let (FactorsSpec::Grid(read), FactorsSpec::Grid(now)) =
            (&self.loaded.spec.factors, &spec.factors)
            && Arc::ptr_eq(read, now)
        {
            named.factors = self.named.factors.clone();
        }
        if spec.crystal.cell == self.loaded.spec.crystal.cell {
            named.crystal.cell = self.named.crystal.cell;
        }
        named.mask = self.named.mask.clone();
        named.beam.sources = self.named.beam.sources.clone();
        named
    }
}

/// The oddities to put right: those of `base`, and those of the flag, which has checked their names.
fn fixes(args: &Args, base: Fixes) -> Fixes {
    let named = args
        .running
        .fixes
        .iter()
        .filter_map(|name| Oddity::from_name(name));
    named.fold(base, Fixes::with)
}

/// A seed that differs from run to run: seconds since 1970.
pub(crate) fn seed_from_clock() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(1, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(1))
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

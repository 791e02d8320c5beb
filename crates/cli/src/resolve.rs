//! From flags to an experiment: reads files, converts units, and applies the flags.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nanobragg::crystal::Reflection;
use nanobragg::crystal::read::matrix;
use nanobragg::exchange::Geometry;
use nanobragg::exchange::crystfel::DataLayout;
use nanobragg::factors::{Coordinates, FactorFile};
use nanobragg::geometry::vector::{cross, dot, norm};
use nanobragg::geometry::{AttachedPanel, Laboratory};
use nanobragg::io::any::{AnyImage, Format, Place, format_of};
use nanobragg::io::smv;
use nanobragg::outputs::OutputKind;
use nanobragg::sources::spectrum::SpectrumFrom;
use nanobragg::{
    Angle, Cancel, ExperimentSpec, FactorGrid, FactorsSpec, Fixes, GridLimit, HEADER_KEYS,
    HeaderKind, Length, Loaded, MaskSpec, Oddity, Resolved, SourceList, SourcesSpec, apply_header,
    check_memory, header_number, mask_from, read_otherwise_by_c,
};

use crate::args::Args;
use crate::exchange::{self, Source};
use crate::outcome::RunError;
use crate::simulate::options;
use crate::specs::{
    apply_background, apply_beam, apply_crystal, apply_detector, apply_lattices, apply_response,
    apply_sampling, apply_variation,
};

/// What to do with an image of another format than SMV whose geometry is asked for.
fn not_an_smv(path: &Path) -> Option<nanobragg::io::Error> {
    let what = match format_of(path).ok()?? {
        Format::Cbf => "a CBF; dials.import makes an .expt of it, whose geometry -expt reads",
        Format::Tiff => "a TIFF, whose geometry is not read; -img reads SMV and NeXus",
        Format::Npy => "an array of NumPy, which has no geometry; -img reads SMV and NeXus",
        Format::Float | Format::Smv | Format::Pgm | Format::Hdf5 => return None,
    };
    Some(nanobragg::io::Error::Foreign { what }.in_file(path))
}

/// A warning if a mask has 0 where a pixel is good.
fn inverted_mask(path: &Path) -> Option<String> {
    let dataset = Place::of(path).dataset?;
    dataset.ends_with("/pixel_mask").then(|| {
        format!(
            "{}: in a pixel_mask of NeXus 0 is a good pixel, and -mask leaves out where it is 0; give it an array that is 0 \
             where the pixel_mask is not (numpy.save)",
            path.display()
        )
    })
}

/// What a matrix file states after its matrix and the run does not have: missetting angles, and another cell.
fn matrix_warnings(
    path: &Path,
    rows: [[f64; 3]; 3],
    wavelength: Length,
) -> Result<Vec<String>, RunError> {
    // A pipe is read once.
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let Some(after) = matrix::read_after(path)? else {
        return Ok(Vec::new());
    };
    let mut warnings = Vec::new();
    let path = path.display();
    let [phi_x, phi_y, phi_z] = after.missets_deg;
    if after.missets_deg != [0.0; 3] {
        warnings.push(format!(
            "{path}: its missetting angles {phi_x} {phi_y} {phi_z} have no effect; -misset turns the crystal"
        ));
    }
    let wavelength_a = wavelength.m() * 1e10;
    let [[xa, xb, xc], [ya, yb, yc], [za, zb, zc]] = rows;
    let star = [[xa, ya, za], [xb, yb, zb], [xc, yc, zc]];
    let [a_star, b_star, c_star] = star.map(|own| own.map(|value| value / wavelength_a));
    let volume = dot(a_star, cross(b_star, c_star)).abs();
    let pairs = [(b_star, c_star), (c_star, a_star), (a_star, b_star)];
    let [a, b, c] = pairs.map(|(one, other)| norm(cross(one, other)) / volume);
    let [stated_a, stated_b, stated_c, ..] = after.cell;
    let pairs = [(a, stated_a), (b, stated_b), (c, stated_c)];
    // Files have five digits.
    if pairs
        .iter()
        .any(|(edge, stated)| (edge / stated - 1.0).abs() > 1e-3)
    {
        warnings.push(format!(
            "{path}: at {wavelength_a} A its matrix is that of a cell of {a:.2} {b:.2} {c:.2} A, and it states {stated_a} \
             {stated_b} {stated_c} A: -lambda should be that of the matrix"
        ));
    }
    Ok(warnings)
}

/// The default file for structure factors of an earlier run.
pub const DEFAULT_DUMP: &str = "Fdump.bin";

/// The default seed of the mosaic domains.
pub(crate) const DEFAULT_MOSAIC_SEED: i64 = 12_345_678;

/// Data in memory, which replace the files of flags.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Replaces the file of `-hkl` or a dump.
    pub reflections: Option<Arc<[Reflection]>>,
    /// Replaces the mask of `-mask`, whose header is still used.
    pub mask: Option<MaskSpec>,
    /// The detector in the laboratory frame. It replaces the detector of files, and flags override it.
    pub panels: Vec<AttachedPanel>,
    /// Replaces the file of `-sourcefile` or a grid.
    pub sources: Option<SourceList>,
    /// Replaces the file of `-spectrum`: rows of an energy in eV and a weight, or a weight of each of several
    /// spectra.
    pub spectrum: Option<Vec<Vec<f64>>>,
    /// Replaces the file of `-mosaic_file`: rows of the nine numbers of a rotation and perhaps a weight.
    pub mosaic_matrices: Option<Vec<Vec<f64>>>,
    /// What an earlier command line has read, whose structure factors are taken if they are the same.
    pub earlier: Option<Loaded>,
}

/// A resolved command line.
#[derive(Debug)]
pub struct Job {
    /// The requested experiment, with its files in memory.
    pub spec: ExperimentSpec,
    /// The same, with the file names of structure factors, mask and sources.
    pub named: ExperimentSpec,
    /// The resolved experiment and the decisions.
    pub resolved: Resolved,
    /// Seed of the noise.
    pub noise_seed: i64,
    /// The atoms from which the structure factors were computed.
    pub coordinates: Option<Coordinates>,
    /// Information about the file of structure factors, unless it was used unchanged.
    pub factor_file: Option<FactorFile>,
    /// The oddities that only the command line and the headers show.
    pub oddities: Vec<Oddity>,
    /// The header keys that were used, except those that flags override.
    pub(crate) header_keys: Vec<(&'static str, HeaderKind)>,
    /// Warnings about values of the experiment file that are taken for something else, and about headers
    /// from which the C program takes other numbers.
    pub(crate) file_warnings: Vec<String>,
    /// The files of other programs with the geometry.
    pub(crate) geometry_from: Vec<Source>,
    /// The geometry for other programs, if it is written.
    pub(crate) geometry: Option<Geometry>,
    /// The time to resolve the experiment after its files were read, in seconds.
    pub(crate) resolve_s: f64,
}

/// The keys with a number in a header.
fn keys_in(header: &smv::Header, kind: HeaderKind) -> Vec<(&'static str, HeaderKind)> {
    let is_given = |key: &&str| matches!(header_number(header, key), Ok(Some(_)));
    let given = HEADER_KEYS.into_iter().filter(is_given);
    given.map(|key| (key, kind)).collect()
}

/// Copies the geometry of other programs' files, of memory and of flags to `spec`, in this order.
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
    apply_beam(&mut spec.beam, args)?;
    for source in geometry_from {
        source.described.count(spec);
    }
    apply_sampling(spec, args);
    apply_background(spec, args);
    apply_response(spec, args)
}

/// Gives the detector the size of the mask if no other input has its number of pixels.
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
    /// Reads the files in `args` and resolves the experiment.
    ///
    /// # Errors
    /// The first file that cannot be read or parsed, or the first error of the experiment.
    pub fn from_args(args: &Args, stop: &Cancel) -> Result<Self, RunError> {
        let prepared = Prepared::from_args(args)?;
        let spec = prepared.loaded.spec.of_single_image()?;
        prepared.resolve(&spec, prepared.noise_seed, args, stop)
    }

    /// The values from files of other programs, with the flag of each file.
    pub(crate) fn file_keys(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
        self.geometry_from.iter().flat_map(Source::keys)
    }

    /// The datasets that the geometry of CrystFEL names in which the detector was read.
    pub(crate) fn data_layout(&self) -> Option<Arc<DataLayout>> {
        layout_of(&self.geometry_from)
    }

    /// The file with the detector.
    pub(crate) fn detector_from(&self) -> Option<&Source> {
        let gives = |source: &&Source| !source.described.panels.is_empty();
        self.geometry_from.iter().rfind(gives)
    }

    /// The file with the cell.
    pub(crate) fn cell_from(&self) -> Option<&Source> {
        self.geometry_from.iter().rfind(|source| source.has_cell())
    }
}

/// A command line whose files are read: the common part of all images of a series.
#[derive(Debug)]
pub struct Prepared {
    /// The experiment of flags and files, with the files in memory.
    pub loaded: Loaded,
    /// The same, with the file names of structure factors, mask and sources.
    named: ExperimentSpec,
    /// Seed of the noise.
    pub noise_seed: i64,
    oddities: Vec<Oddity>,
    header_keys: Vec<(&'static str, HeaderKind)>,
    file_warnings: Vec<String>,
    geometry_from: Vec<Source>,
}

fn layout_of(geometry_from: &[Source]) -> Option<Arc<DataLayout>> {
    let gives = |source: &&Source| !source.described.panels.is_empty();
    let last = geometry_from.iter().rfind(gives)?;
    last.described.data_layout.clone()
}

impl Prepared {
    /// The datasets that the geometry of CrystFEL names in which the detector was read.
    pub fn data_layout(&self) -> Option<Arc<DataLayout>> {
        layout_of(&self.geometry_from)
    }

    /// Reads the files in `args`.
    ///
    /// # Errors
    /// The first file that cannot be read or parsed.
    pub fn from_args(args: &Args) -> Result<Self, RunError> {
        Self::with_inputs(args, Inputs::default())
    }

    /// The same, with some of the files in memory.
    ///
    /// # Errors
    /// The errors of [`from_args`](Self::from_args).
    pub fn with_inputs(args: &Args, inputs: Inputs) -> Result<Self, RunError> {
        let mut args = args.with_base()?;
        if let Some(rows) = inputs.spectrum {
            args.to_mut().beam.spectrum = Some(SpectrumFrom::Lines(rows));
        }
        if inputs.mosaic_matrices.is_some() {
            args.to_mut().crystal.mosaic_matrices = inputs.mosaic_matrices;
        }
        let args = &*args;
        let mut oddities = Vec::new();
        let mut named = args.base_that_yields()?;
        named.fixes = fixes(args, named.fixes);
        let mut mask = None;
        let mut header_twotheta_deg = 0.0;
        let mut header_keys = Vec::new();
        let of_base = args.base.iter().flat_map(|base| &base.warnings);
        let mut file_warnings: Vec<String> = of_base.map(ToString::to_string).collect();
        // The same without the values of the mask's header.
        let mut bare = None;
        if let Some(path) = &args.detector.mask_path {
            let image = AnyImage::read(path)?;
            file_warnings.extend(inverted_mask(path));
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
                file_warnings.extend(read_otherwise_by_c(header, path));
                header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
            }
            mask = Some(image);
        }
        let smv_image = match exchange::nexus_image(args)? {
            Some(_) => None,
            None => args.detector.image_path.as_ref(),
        };
        let mut image = None;
        if let Some(path) = smv_image {
            let (header, _) = smv::read(path).map_err(|error| not_an_smv(path).unwrap_or(error))?;
            let twotheta = apply_header(&mut named, &header, HeaderKind::Image, path)?;
            if let Some(bare) = &mut bare {
                apply_header(bare, &header, HeaderKind::Image, path)?;
            }
            header_keys.extend(keys_in(&header, HeaderKind::Image));
            file_warnings.extend(read_otherwise_by_c(&header, path));
            header_twotheta_deg = twotheta.map_or(header_twotheta_deg, Angle::degrees);
            image = Some((path.as_path(), header));
        }
        let image = image.as_ref().map(|(path, header)| (*path, header));
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
        let geometry_from = exchange::sources(args, image)?;
        lay_out(&mut named, &geometry_from, &inputs.panels, args)?;
        let absent = image.filter(|_| inputs.panels.is_empty());
        file_warnings.extend(
            absent
                .and_then(|image| exchange::absent_in_header(image, &geometry_from, &named, args)),
        );
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
        let mut flags: Vec<_> = geometry_from.iter().map(|source| source.flag).collect();
        if image.is_some() && !flags.contains(&"img") {
            flags.insert(0, "img");
        }
        apply_crystal(
            &mut named.crystal,
            args,
            noise_seed,
            &geometry_from,
            wavelength,
        )?;
        if let (Some(path), Some(rows)) = (&args.crystal.matrix_path, named.crystal.matrix) {
            file_warnings.extend(matrix_warnings(path, rows, wavelength)?);
        }
        apply_variation(&mut named.series, args);
        file_warnings.extend(exchange::absent_wavelength(&flags, &named));
        apply_lattices(&mut named.lattices, args, &geometry_from)?;
        named.factors = args.factors();
        let limit = memory_limit(args);
        if let Some(reflections) = &inputs.reflections {
            let default_f = named.factors.default_f();
            named.factors = FactorGrid::from_reflections(reflections, default_f, limit)?.into();
        }
        named.mask = inputs.mask.or(named.mask);
        let read = ExperimentSpec {
            mask: match (&named.mask, mask) {
                // This mask was read above.
                (Some(MaskSpec::File(_)), Some(image)) => {
                    mask_from(image, &named.detector)?.map(MaskSpec::Pixels)
                }
                _ => named.mask.clone(),
            },
            ..named.clone()
        };
        Ok(Self {
            loaded: read.load_after(limit, inputs.earlier.as_ref())?,
            named,
            noise_seed,
            oddities,
            header_keys,
            file_warnings,
            geometry_from,
        })
    }

    /// Computes the structure factors of atoms again if `spec`, which came from this experiment, sees finer ones than
    /// there are; whether it did so.
    ///
    /// # Errors
    /// As [`with_inputs`](Self::with_inputs).
    pub fn reach(&mut self, spec: &ExperimentSpec, args: &Args) -> Result<bool, RunError> {
        let limit = memory_limit(args);
        let Some(finer) = self.named.load_finer(spec, &self.loaded, limit)? else {
            return Ok(false);
        };
        self.loaded = finer;
        Ok(true)
    }

    /// Resolves `spec`, the experiment of the command line or of one frame.
    ///
    /// # Errors
    /// The first error of the experiment.
    pub fn resolve(
        &self,
        spec: &ExperimentSpec,
        noise_seed: i64,
        args: &Args,
        stop: &Cancel,
    ) -> Result<Job, RunError> {
        let begun = Instant::now();
        let job = self.job(spec, noise_seed, args, stop)?;
        let resolve_s = begun.elapsed().as_secs_f64();
        Ok(Job { resolve_s, ..job })
    }

    /// The same without a clock, which a browser does not have.
    pub(crate) fn job(
        &self,
        spec: &ExperimentSpec,
        noise_seed: i64,
        args: &Args,
        stop: &Cancel,
    ) -> Result<Job, RunError> {
        let resolved = (self.loaded).resolve(spec, &options(args, None, stop)?)?;
        check_memory(&resolved.experiment, memory_limit(args))?;
        let writes_geometry = args.output.files.have_geometry();
        let geometry = writes_geometry
            .then(|| Geometry::of(&resolved))
            .transpose()?;
        let mut file_warnings = self.file_warnings.clone();
        let lattices = resolved.experiment.lattices.len();
        if lattices > 1 && args.output.files.get(OutputKind::Xds).is_some() {
            file_warnings.push(format!(
                "the XDS.INP has the first lattice of {lattices}: XDS knows one"
            ));
        }
        Ok(Job {
            spec: spec.clone(),
            named: self.named(spec),
            resolved,
            noise_seed,
            coordinates: self.loaded.coordinates.clone(),
            factor_file: self.loaded.factor_file.clone(),
            oddities: self.oddities.clone(),
            header_keys: self.header_keys.clone(),
            file_warnings,
            geometry_from: self.geometry_from.clone(),
            geometry,
            resolve_s: 0.0,
        })
    }

    /// The specification with file names in place of data in memory. Data that have changed since they were
    /// read stay.
    fn named(&self, spec: &ExperimentSpec) -> ExperimentSpec {
        let mut named = spec.clone();
        let both = (&self.loaded.spec.factors, &spec.factors);
        let is_read = matches!(both, (FactorsSpec::Grid(read), FactorsSpec::Grid(now)) if Arc::ptr_eq(read, now))
            || matches!(both, (FactorsSpec::ByEnergy(read), FactorsSpec::ByEnergy(now)) if Arc::ptr_eq(read, now));
        if is_read {
            named.factors = self.named.factors.clone();
        }
        if spec.crystal.cell == self.loaded.spec.crystal.cell {
            named.crystal.cell = self.named.crystal.cell;
        }
        named.mask = self.named.mask.clone();
        named.beam.sources = self.named.beam.sources.clone();
        named.beam.spectrum = self.named.beam.spectrum.clone();
        named.crystal.mosaic.contents = None;
        named
    }
}

/// The oddities to correct: from `base` and from the flag, whose names are already checked.
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

/// The limit of `-max_memory`.
pub(crate) fn memory_limit(args: &Args) -> GridLimit {
    let bytes = |gib: f64| GridLimit {
        // The cast saturates: a number beyond 64 bits means no limit.
        max_bytes: (gib * (1_u64 << 30) as f64) as u64,
    };
    args.running
        .max_memory_gib
        .map_or_else(GridLimit::default, bytes)
}

/// The file to which structure factors are dumped, and from which they are read.
pub(crate) fn dump_path(args: &Args) -> &Path {
    args.factors
        .dump_path
        .as_deref()
        .unwrap_or(Path::new(DEFAULT_DUMP))
}

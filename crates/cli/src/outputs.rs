//! The files of a run: opened before the long part, complete or untouched after it.

use std::path::{Path, PathBuf};

use nanobragg::crystal::read::fdump;
use nanobragg::io::printf::general as g;
use nanobragg::io::{self, Output, float, pgm, png, smv};
use nanobragg::{FactorGrid, Simulated, smv_fields};
use tracing::{info_span, warn};

use crate::args::{Args, PngScale};
use crate::resolve::{Job, dump_path};
use crate::run::RunError;

/// Added to every integer if no flag says otherwise.
const DEFAULT_ADC: f64 = 40.0;

/// The outputs of a run, each open beside the file that it will replace.
#[derive(Debug)]
pub(crate) struct Outputs {
    float: Output,
    int: Output,
    pgm: Option<Output>,
    noise: Option<Output>,
    png: Option<Output>,
}

impl Outputs {
    /// Opens every output, so that one that cannot be written is known before anything is rendered.
    ///
    /// # Errors
    /// [`RunError::SameFile`] if two outputs, or an output and an input, are the same file; an error
    /// naming the file that cannot be written.
    pub(crate) fn open(args: &Args) -> Result<Self, RunError> {
        let named = |path: &Option<PathBuf>, default: &str| {
            path.clone().unwrap_or_else(|| PathBuf::from(default))
        };
        let given = &args.output;
        let float = named(&given.float_path, "floatimage.bin");
        let int = named(&given.int_path, "intimage.img");
        let pgm = given.pgm.then(|| named(&given.pgm_path, "image.pgm"));
        let noise = args
            .noise
            .wanted
            .then(|| named(&args.noise.path, "noiseimage.img"));
        let outputs = [
            ("floatfile", Some(&float)),
            ("intfile", Some(&int)),
            ("pgmfile", pgm.as_ref()),
            ("noisefile", noise.as_ref()),
            ("pngfile", given.png_path.as_ref()),
        ];
        refuse_collisions(args, &outputs)?;
        let open = |path: Option<&PathBuf>| path.map(Output::create).transpose();
        Ok(Self {
            float: Output::create(&float)?,
            int: Output::create(&int)?,
            pgm: open(pgm.as_ref())?,
            noise: open(noise.as_ref())?,
            png: open(given.png_path.as_ref())?,
        })
    }

    /// Writes the image in every form asked for. `say` is told of each file, `go_on` is asked before
    /// each.
    ///
    /// # Errors
    /// The first file that cannot be written; those before it are complete, those after it as they
    /// were.
    pub(crate) fn write(
        self,
        job: &Job,
        image: &Simulated,
        args: &Args,
        say: &dyn Fn(&str),
        go_on: &dyn Fn() -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let _span = info_span!("write").entered();
        let adc = args.output.adc.unwrap_or(DEFAULT_ADC);
        let int_scale = image.integer_scale(args.output.int_scale);
        let header = smv_fields(&job.resolved)?;

        go_on()?;
        write(self.float, say, |out| float::write(out, &image.photons))?;

        go_on()?;
        say(&format!("intfile_scale = {}\n", g(int_scale)));
        write(self.int, say, |out| {
            smv::write(out, &header, &image.integers(int_scale, adc))
        })?;

        if let Some(output) = self.pgm {
            go_on()?;
            let scale = image.grey_scale(args.output.pgm_scale, int_scale);
            say(&format!("pgm_scale = {}\n", g(scale)));
            write(output, say, |out| {
                pgm::write(out, &image.greys(scale), scale)
            })?;
        }
        if let Some(output) = self.png {
            go_on()?;
            let grey = match args.output.png_scale {
                PngScale::Log => png::Grey::Logarithmic,
                PngScale::Sqrt => png::Grey::SquareRoot,
            };
            write(output, say, |out| png::write(out, &image.photons, grey))?;
        }
        if let Some(output) = self.noise {
            go_on()?;
            let noise = image.noisy_counts(job.noise_seed, adc);
            go_on()?;
            say(&format!(
                "{:.0} photons on noise image ({} overloads)\n",
                noise.photons, noise.overloads
            ));
            write(output, say, |out| smv::write(out, &header, &noise.counts))?;
        }
        Ok(())
    }
}

/// Fills one output and puts it in place.
fn write(
    mut output: Output,
    say: &dyn Fn(&str),
    fill: impl FnOnce(&mut Output) -> io::Result<()>,
) -> Result<(), RunError> {
    say(&format!("writing {}\n", output.path().display()));
    fill(&mut output)?;
    Ok(output.commit()?)
}

/// Keeps the structure factors for the next run. Not being able to is no reason to stop.
pub(crate) fn write_dump(args: &Args, factors: &FactorGrid) {
    let path = dump_path(args);
    let written = Output::create(path).and_then(|mut output| {
        fdump::write(factors, &mut output)?;
        output.commit()
    });
    if let Err(error) = written {
        warn!("the structure factors are not kept for the next run: {error}");
    }
}

/// Refuses outputs that are the same file as another output or as an input.
fn refuse_collisions(
    args: &Args,
    outputs: &[(&'static str, Option<&PathBuf>)],
) -> Result<(), RunError> {
    let inputs = [
        ("hkl", &args.factors.hkl_path),
        ("mat", &args.crystal.matrix_path),
        ("sourcefile", &args.beam.source_path),
        ("img", &args.detector.image_path),
        ("mask", &args.detector.mask_path),
    ];
    let dump = dump_path(args).to_path_buf();
    let mut taken: Vec<(&'static str, PathBuf)> = inputs
        .into_iter()
        .filter_map(|(flag, path)| path.as_deref().map(|path| (flag, identity(path))))
        .chain([("dump", identity(&dump))])
        .collect();
    for (flag, path) in outputs {
        let Some(path) = path else { continue };
        if is_device(path) {
            continue;
        }
        let here = identity(path);
        if let Some((other, _)) = taken.iter().find(|(_, there)| *there == here) {
            return Err(RunError::SameFile {
                path: path.to_path_buf(),
                output: flag,
                other,
            });
        }
        taken.push((flag, here));
    }
    Ok(())
}

/// Whether many outputs may go there, as to `/dev/null`.
fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// A path by which two names of one file compare equal, whether it exists or not.
fn identity(path: &Path) -> PathBuf {
    if let Ok(canonical) = path.canonicalize() {
        return canonical;
    }
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return path.to_path_buf(),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}

//! Where the outputs of a run are to stand, and which of them would destroy another.

use std::path::{Path, PathBuf};

use nanobragg::io::Exposure;
use nanobragg::{Resolved, exposures};
use tracing::warn;

use crate::args::Args;
use crate::formats::{PhotonFormat, WideFormat};
use crate::record::inputs;
use crate::resolve::dump_path;
use crate::run::RunError;

/// Links followed one after the other; a circle of them cannot be written anyway.
const MOST_LINKS: usize = 40;

/// Where the outputs of a run are to stand.
pub(crate) struct Names {
    pub(crate) float: PathBuf,
    pub(crate) int: PathBuf,
    pub(crate) pgm: Option<PathBuf>,
    pub(crate) noise: Option<PathBuf>,
    pub(crate) png: Option<PathBuf>,
    pub(crate) expt: Option<PathBuf>,
    pub(crate) xds: Option<PathBuf>,
    pub(crate) copies: Vec<(&'static str, WideFormat, PathBuf)>,
    pub(crate) truth: Option<PathBuf>,
}

impl Names {
    pub(crate) fn of(args: &Args) -> Self {
        let named = |path: &Option<PathBuf>, default: &str| {
            path.clone().unwrap_or_else(|| PathBuf::from(default))
        };
        let given = &args.output;
        let noise = &args.noise;
        Self {
            float: named(&given.float_path, "floatimage.bin"),
            int: named(&given.int_path, "intimage.img"),
            pgm: given.pgm.then(|| named(&given.pgm_path, "image.pgm")),
            noise: noise.wanted.then(|| named(&noise.path, "noiseimage.img")),
            png: given.png_path.clone(),
            expt: given.expt_path.clone(),
            xds: given.xds_path.clone(),
            copies: [
                ("cbffile", WideFormat::Cbf, &given.cbf_path),
                ("tiffile", WideFormat::Tiff, &given.tiff_path),
                ("nexusfile", WideFormat::Nexus, &given.nexus_path),
            ]
            .into_iter()
            .filter_map(|(flag, format, path)| Some((flag, format, path.clone()?)))
            .collect(),
            truth: given.truth_path.clone(),
        }
    }

    /// What headers say of every panel, if a file has one that carries a geometry; a warning where a header says
    /// less than there is.
    pub(crate) fn exposures(&self, resolved: &Resolved) -> Result<Vec<Exposure>, RunError> {
        if PhotonFormat::of(&self.float).is_none() {
            return Err(RunError::NoPhotons {
                path: self.float.clone(),
            });
        }
        let counts = [Some(&self.int), self.noise.as_ref(), Some(&self.float)];
        let named = counts.into_iter().flatten();
        let named = named.filter_map(|path| Some((WideFormat::of(path)?, path)));
        let copies = self.copies.iter().map(|(_, format, path)| (*format, path));
        let files: Vec<_> = named.chain(copies).collect();
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let exposures = exposures(resolved)?;
        let warning = |(format, path): &(WideFormat, &PathBuf)| {
            exposures
                .iter()
                .find_map(|exposure| format.warning(exposure, path))
        };
        if let Some(warning) = files.iter().find_map(warning) {
            warn!("{warning}");
        }
        Ok(exposures)
    }

    /// Every image and table, with its flag.
    fn all(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let copies = self.copies.iter();
        let copies = copies.map(|(flag, _, path)| (*flag, Some(path.as_path())));
        [
            ("floatfile", Some(self.float.as_path())),
            ("intfile", Some(self.int.as_path())),
            ("pgmfile", self.pgm.as_deref()),
            ("noisefile", self.noise.as_deref()),
            ("pngfile", self.png.as_deref()),
            ("exptfile", self.expt.as_deref()),
            ("xdsfile", self.xds.as_deref()),
            ("truthfile", self.truth.as_deref()),
        ]
        .into_iter()
        .chain(copies)
        .filter_map(|(flag, path)| Some((flag, path?)))
    }

    /// Refuses outputs that are the same file as another output or as an input.
    pub(crate) fn refuse_collisions(&self, args: &Args) -> Result<(), RunError> {
        let running = &args.running;
        let mut taken: Vec<(&'static str, PathBuf)> = inputs::named(args)
            .into_iter()
            .chain(running.rerun_path.clone().map(|path| ("rerun", path)))
            .map(|(flag, path)| (flag, identity(&path)))
            .collect();
        // Without a list the dump is read, and it may be named twice like any input.
        let is_written = args.makes_factors();
        let dump = is_written.then(|| ("dump", dump_path(args)));
        let record = running.record_path.as_deref();
        let record = record.map(|path| ("record", path));
        let saved = running.save_experiment_path.as_deref();
        let saved = saved.map(|path| ("save-experiment", path));
        let named = dump.into_iter().chain(self.all());
        for (flag, path) in named.chain(record).chain(saved) {
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
}

/// Where the image of one panel stands, if a file is to hold one: `image_p0002.img` of `image.img`
/// for the panel of number 2.
pub(crate) fn of_panel(path: &Path, index: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_p{index:04}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Refuses a command line whose outputs would destroy each other or an input, without opening any.
///
/// # Errors
/// [`RunError::SameFile`] naming both.
pub(crate) fn refuse_collisions(args: &Args) -> Result<(), RunError> {
    Names::of(args).refuse_collisions(args)
}

/// The images and tables that a command line names or has by default, each with its flag.
pub(crate) fn named(args: &Args) -> Vec<(&'static str, PathBuf)> {
    let names = Names::of(args);
    let owned = |(flag, path): (&'static str, &Path)| (flag, path.to_path_buf());
    names.all().map(owned).collect()
}

/// Whether many outputs may go there, as to `/dev/null`.
pub(crate) fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// A path by which two names of one file compare equal, whether it exists or not.
fn identity(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if let Ok(canonical) = path.canonicalize() {
            return canonical;
        }
        // A link to what is not there yet.
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return path,
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

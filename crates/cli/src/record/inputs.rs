//! The input files of a run.

use std::io;
use std::path::{Path, PathBuf};

use nanobragg::exchange::crystfel;
use nanobragg::io::any::file_of;
use nanobragg::{MaskSpec, SourcesSpec, SpectrumFrom};

use super::RecordError;
use crate::args::Args;
use nanobragg::outputs::FileEntry;

/// The input files of a command line and of its experiment file, with their flags. A dump is an input if
/// it exists and no list of reflections is given.
pub(crate) fn named(args: &Args) -> Vec<(&'static str, PathBuf)> {
    let base = args.base();
    let sources = base.and_then(|base| match &base.beam.sources {
        SourcesSpec::File(path) => Some(path),
        SourcesSpec::Grid | SourcesSpec::List(_) => None,
    });
    let given = args.beam.spectrum.as_ref();
    let of_base = || base.and_then(|base| Some(&base.beam.spectrum.as_ref()?.from));
    let spectrum = given.or_else(of_base).and_then(|from| match from {
        SpectrumFrom::File { path, .. } => Some(path),
        SpectrumFrom::Named(_) | SpectrumFrom::Lines(_) => None,
    });
    let mask = base.and_then(|base| match &base.mask {
        Some(MaskSpec::File(path)) => Some(path),
        Some(MaskSpec::Pixels(_) | MaskSpec::Panels(_) | MaskSpec::Regions(_)) | None => None,
    });
    let mosaic = base.and_then(|base| base.crystal.mosaic.file.as_ref());
    // The file, whichever of its images is the mask.
    let mask = args.detector.mask_path.as_ref().or(mask);
    let mask = mask.map(|path| file_of(path).0);
    let image = args.detector.image_path.as_ref();
    let image = image.map(|path| file_of(path).0);
    let all = args.factors();
    let factors = |of: &str| {
        let mut named = all.paths().into_iter();
        named.find(|(field, _)| *field == of).map(|(_, path)| path)
    };
    let several = all.paths().into_iter();
    let several = several.filter(|(field, _)| ["hkl_at", "anomalous"].contains(field));
    let geom = args.detector.geom_path.as_deref();
    let masks = geom.map(crystfel::mask_files).unwrap_or_default();
    [
        ("experiment", args.running.experiment_path.as_ref()),
        ("hkl", factors("hkl")),
        ("pdb", factors("coordinates")),
        ("mat", args.crystal.matrix_path.as_ref()),
        ("spectrum", spectrum),
        ("sourcefile", args.beam.source_path.as_ref().or(sources)),
        ("mosaic_file", args.crystal.mosaic_path.as_ref().or(mosaic)),
        ("img", image.as_ref()),
        ("mask", mask.as_ref()),
        ("expt", args.detector.expt_path.as_ref()),
        ("xdsinp", args.detector.xds_path.as_ref()),
        ("geom", args.detector.geom_path.as_ref()),
        ("cellfile", args.crystal.cell_path.as_ref()),
        ("lattice", args.crystal.lattice_path.as_ref()),
        ("psf", args.response.point_spread_file()),
        ("dump", factors("dump")),
    ]
    .into_iter()
    .filter_map(|(flag, path)| Some((flag, path?)))
    .chain(several)
    .chain(masks.iter().map(|path| ("geom", path)))
    .map(|(flag, path)| (flag, path.clone()))
    .collect()
}

/// The fingerprints of the inputs.
///
/// # Errors
/// [`RecordError::InputNotFile`] for a pipe or a device, [`RecordError::Unreadable`].
pub(crate) fn entries(args: &Args) -> Result<Vec<FileEntry>, RecordError> {
    let entry = |(flag, path): (&str, PathBuf)| {
        let unreadable = |source| RecordError::Unreadable {
            path: path.clone(),
            source,
        };
        if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
            return Err(RecordError::InputNotFile { path });
        }
        FileEntry::of_file(flag, &path).map_err(unreadable)
    };
    named(args).into_iter().map(entry).collect()
}

/// Checks that the inputs of `args` are equal to the inputs of a recorded run.
///
/// # Errors
/// [`RecordError::InputChanged`], [`RecordError::InputGone`] or [`RecordError::InputNew`], with the file.
pub(crate) fn unchanged(
    args: &Args,
    recorded: &[FileEntry],
    record: &Path,
) -> Result<(), RecordError> {
    let here = named(args);
    let record = || record.to_owned();
    for (index, entry) in recorded.iter().enumerate() {
        // Of several files of one flag the order counts.
        let before = recorded.iter().take(index);
        let before = before.filter(|other| other.flag == entry.flag).count();
        let mut of_flag = here.iter().filter(|(flag, _)| *flag == entry.flag);
        let path = of_flag.nth(before);
        let gone = |input: PathBuf| RecordError::InputGone {
            input,
            record: record(),
        };
        let (flag, path) = path.ok_or_else(|| gone(PathBuf::from(&entry.path)))?;
        let found = match FileEntry::of_file(flag, path) {
            Ok(found) => found,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(gone(path.clone()));
            }
            Err(source) => {
                return Err(RecordError::Unreadable {
                    path: path.clone(),
                    source,
                });
            }
        };
        if found.sha256 != entry.sha256 {
            return Err(RecordError::InputChanged {
                input: path.clone(),
                record: record(),
            });
        }
    }
    match here
        .iter()
        .find(|(flag, _)| recorded.iter().all(|entry| entry.flag != *flag))
    {
        Some((_, input)) => Err(RecordError::InputNew {
            input: input.clone(),
            record: record(),
        }),
        None => Ok(()),
    }
}

//! The paths of the outputs of a run, and checks that no output overwrites another file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nanobragg_io::Exposure;
use tracing::warn;

use super::format::{PhotonFormat, WideFormat};
use crate::error::Error;
use crate::exposure::exposures;
use crate::resolve::Resolved;

/// The largest number of links that are followed; a cycle of links cannot be written anyway.
const MOST_LINKS: usize = 40;

/// A kind of file that can be written for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputKind {
    /// Photons as floats: raw, or TIFF or NeXus by the extension.
    Float,
    /// Scaled counts without noise: SMV, or CBF, TIFF or NeXus by the extension.
    Int,
    /// An 8-bit greymap.
    Pgm,
    /// Counts with noise: SMV, or CBF, TIFF or NeXus by the extension.
    Noise,
    /// A PNG picture for viewing.
    Png,
    /// An ExperimentList of dxtbx.
    Expt,
    /// An `XDS.INP`.
    Xds,
    /// A table of the reflections in the image: JSON or CSV by the extension.
    Truth,
    /// The counts with noise as CBF, or those without noise if there are none with noise.
    Cbf,
    /// The same counts as TIFF.
    Tiff,
    /// The same counts as NeXus.
    Nexus,
}

impl OutputKind {
    /// The name in logs and records, which is the name of the flag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "floatfile",
            Self::Int => "intfile",
            Self::Pgm => "pgmfile",
            Self::Noise => "noisefile",
            Self::Png => "pngfile",
            Self::Expt => "exptfile",
            Self::Xds => "xdsfile",
            Self::Truth => "truthfile",
            Self::Cbf => "cbffile",
            Self::Tiff => "tiffile",
            Self::Nexus => "nexusfile",
        }
    }

    /// The format of a second file of the counts; `None` for all other kinds.
    pub(super) const fn copy_format(self) -> Option<WideFormat> {
        match self {
            Self::Cbf => Some(WideFormat::Cbf),
            Self::Tiff => Some(WideFormat::Tiff),
            Self::Nexus => Some(WideFormat::Nexus),
            Self::Float
            | Self::Int
            | Self::Pgm
            | Self::Noise
            | Self::Png
            | Self::Expt
            | Self::Xds
            | Self::Truth => None,
        }
    }
}

/// The paths of the outputs of an image, at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputFiles(BTreeMap<OutputKind, PathBuf>);

impl OutputFiles {
    /// The path of an output, if it is requested.
    pub fn get(&self, kind: OutputKind) -> Option<&Path> {
        self.0.get(&kind).map(PathBuf::as_path)
    }

    /// Requests an output at `path`, which replaces an earlier path.
    pub fn set(&mut self, kind: OutputKind, path: PathBuf) {
        self.0.insert(kind, path);
    }

    /// Requests an output unless this kind is requested already.
    pub fn set_default(&mut self, kind: OutputKind, path: &str) {
        self.0.entry(kind).or_insert_with(|| path.into());
    }

    /// Removes the request for this kind of output.
    pub fn remove(&mut self, kind: OutputKind) {
        self.0.remove(&kind);
    }

    /// Adds the outputs of `others`, whose paths replace earlier ones.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend(others.0.clone());
    }

    /// Every output, in the order of [`OutputKind`].
    pub fn iter(&self) -> impl Iterator<Item = (OutputKind, &Path)> {
        self.0.iter().map(|(kind, path)| (*kind, path.as_path()))
    }

    /// The same outputs at other paths.
    pub fn map(&self, path: impl Fn(&Path) -> PathBuf) -> Self {
        Self(
            self.0
                .iter()
                .map(|(kind, old)| (*kind, path(old)))
                .collect(),
        )
    }

    /// The bytes that the images with `pixels` pixels take at most, headers, tables and geometry not counted.
    pub fn most_bytes(&self, pixels: u64) -> u64 {
        let a_pixel = self.iter().map(|(kind, path)| match kind {
            _ if is_device(path) => 0,
            OutputKind::Float | OutputKind::Cbf | OutputKind::Tiff | OutputKind::Nexus => 4,
            OutputKind::Int | OutputKind::Noise if WideFormat::of(path).is_some() => 4,
            OutputKind::Int | OutputKind::Noise => 2,
            OutputKind::Pgm | OutputKind::Png => 1,
            OutputKind::Expt | OutputKind::Xds | OutputKind::Truth => 0,
        });
        pixels.saturating_mul(a_pixel.sum())
    }

    /// Whether a geometry file for another program is requested.
    pub fn have_geometry(&self) -> bool {
        self.get(OutputKind::Expt).is_some() || self.get(OutputKind::Xds).is_some()
    }

    /// The header contents of every panel if any file carries a geometry. Logs a warning if a header
    /// cannot hold the whole geometry.
    ///
    /// # Errors
    /// [`Error::NoPhotons`], or a geometry that no header can describe.
    pub(super) fn exposures(&self, resolved: &Resolved) -> Result<Vec<Exposure>, Error> {
        if let Some(path) = self.get(OutputKind::Float)
            && PhotonFormat::of(path).is_none()
        {
            return Err(Error::NoPhotons {
                path: path.to_path_buf(),
            });
        }
        let counts = [OutputKind::Int, OutputKind::Noise, OutputKind::Float];
        let named = counts.into_iter().filter_map(|kind| self.get(kind));
        let named = named.filter_map(|path| Some((WideFormat::of(path)?, path)));
        let copies = self.iter();
        let copies = copies.filter_map(|(kind, path)| Some((kind.copy_format()?, path)));
        let files: Vec<_> = named.chain(copies).collect();
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let exposures = exposures(resolved)?;
        let warning = |(format, path): &(WideFormat, &Path)| {
            exposures
                .iter()
                .find_map(|exposure| format.warning(exposure, path))
        };
        if let Some(warning) = files.iter().find_map(warning) {
            warn!("{warning}");
        }
        Ok(exposures)
    }
}

/// Refuses written files that are the same file as another written file or as a read file. Each file has
/// a name for the message. Devices may be written several times.
///
/// # Errors
/// [`Error::SameFile`] with both names.
pub fn refuse_collisions<'p>(
    read: impl IntoIterator<Item = (&'static str, PathBuf)>,
    written: impl IntoIterator<Item = (&'static str, &'p Path)>,
) -> Result<(), Error> {
    let read = read.into_iter();
    let mut taken: Vec<(&'static str, PathBuf)> =
        read.map(|(name, path)| (name, identity(&path))).collect();
    for (output, path) in written {
        if is_device(path) {
            continue;
        }
        let here = identity(path);
        if let Some((other, _)) = taken.iter().find(|(_, there)| *there == here) {
            return Err(Error::SameFile {
                path: path.to_path_buf(),
                output,
                other,
            });
        }
        taken.push((output, here));
    }
    Ok(())
}

/// The path of the image of one panel if a file holds one panel: `image_p0002.img` for panel 2 of `image.img`.
pub(super) fn of_panel(path: &Path, index: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_p{index:04}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Whether the path is a device, such as `/dev/null`, to which several outputs may go.
pub fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// A path that is equal for two names of the same file, whether the file exists or not.
fn identity(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if let Ok(canonical) = path.canonicalize() {
            return canonical;
        }
        // The target of a link may not exist yet.
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

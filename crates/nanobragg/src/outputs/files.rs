//! The paths of the outputs of a run, and checks that no output overwrites another file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanobragg_io::hdf5::Compression;
use nanobragg_io::nexus::{View, check_views};
use nanobragg_io::{Exposure, folder_of};
use nanobragg_response::ResponseSpec;
use tracing::warn;

use super::format::{PhotonFormat, WideFormat};
use crate::error::Error;
use crate::exchange::crystfel::{DataLayout, ImageName, Layout};
use crate::exchange::xds::{ImageFormat, Images};
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
    /// A geometry of CrystFEL.
    Geom,
    /// A stream of CrystFEL.
    Stream,
    /// A list of solutions for CrystFEL.
    Solutions,
    /// A table of the reflections in the image: JSON or CSV by the extension.
    Truth,
    /// Which reflection is in each pixel: NPY or a format of counts by the extension, otherwise raw.
    Labels,
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
            Self::Geom => "geomfile",
            Self::Stream => "streamfile",
            Self::Solutions => "solfile",
            Self::Truth => "truthfile",
            Self::Labels => "labelfile",
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
            | Self::Geom
            | Self::Stream
            | Self::Solutions
            | Self::Truth
            | Self::Labels => None,
        }
    }
}

/// The paths of the outputs of an image, at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputFiles {
    paths: BTreeMap<OutputKind, PathBuf>,
    /// What the headers of SMV images contain.
    pub smv_header: SmvHeader,
    /// Whether files of one image, SMV, CBF and PGM, hold one picture of all panels, not a panel each.
    pub assembles: bool,
    /// The compression of HDF5 files.
    pub compression: Compression,
    /// The images of a data file of a series, whose NeXus file is then a master file.
    pub images_per_file: Option<u32>,
    /// The image, of integers or with noise, whose counts are in the further files of counts (`-cbffile` and so on)
    /// although it has no file of its own.
    pub counts_without_file: Option<OutputKind>,
    /// What the geometry of CrystFEL says of files and groups from which the detector comes: the datasets that HDF5 files
    /// have besides those of NXmx.
    pub data_layout: Option<Arc<DataLayout>>,
}

/// What the header of an SMV image contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmvHeader {
    /// The lines of the C program, and behind its end those that make dxtbx place the detector.
    #[default]
    Dials,
    /// The lines of the C program.
    C,
}

impl OutputFiles {
    /// The path of an output, if it is requested.
    pub fn get(&self, kind: OutputKind) -> Option<&Path> {
        self.paths.get(&kind).map(PathBuf::as_path)
    }

    /// Requests an output at `path`, which replaces an earlier path.
    pub fn set(&mut self, kind: OutputKind, path: PathBuf) {
        self.paths.insert(kind, path);
    }

    /// Requests an output unless this kind is requested already.
    pub fn set_default(&mut self, kind: OutputKind, path: &str) {
        self.paths.entry(kind).or_insert_with(|| path.into());
    }

    /// Removes the request for this kind of output.
    pub fn remove(&mut self, kind: OutputKind) {
        self.paths.remove(&kind);
    }

    /// Adds the outputs of `others`, whose paths replace earlier ones.
    pub fn extend(&mut self, others: &Self) {
        self.paths.extend(others.paths.clone());
    }

    /// Every output, in the order of [`OutputKind`].
    pub fn iter(&self) -> impl Iterator<Item = (OutputKind, &Path)> {
        self.paths
            .iter()
            .map(|(kind, path)| (*kind, path.as_path()))
    }

    /// The same outputs at other paths.
    pub fn map(&self, path: impl Fn(&Path) -> PathBuf) -> Self {
        let paths = self.paths.iter().map(|(kind, old)| (*kind, path(old)));
        Self {
            paths: paths.collect(),
            ..self.clone()
        }
    }

    /// The bytes that the images with `pixels` pixels take at most, headers, tables and geometry not counted.
    pub fn most_bytes(&self, pixels: u64) -> u64 {
        let a_pixel = self.iter().map(|(kind, path)| match kind {
            _ if is_device(path) => 0,
            OutputKind::Float
            | OutputKind::Labels
            | OutputKind::Cbf
            | OutputKind::Tiff
            | OutputKind::Nexus => 4,
            OutputKind::Int | OutputKind::Noise if WideFormat::of(path).is_some() => 4,
            OutputKind::Int | OutputKind::Noise => 2,
            OutputKind::Pgm | OutputKind::Png => 1,
            OutputKind::Expt
            | OutputKind::Xds
            | OutputKind::Geom
            | OutputKind::Stream
            | OutputKind::Solutions
            | OutputKind::Truth => 0,
        });
        pixels.saturating_mul(a_pixel.sum())
    }

    /// Whether an output tells which reflections are in the image.
    pub fn have_truth(&self) -> bool {
        let kinds = [OutputKind::Truth, OutputKind::Labels, OutputKind::Stream];
        kinds.into_iter().any(|kind| self.get(kind).is_some())
    }

    /// Whether a geometry file for another program is requested.
    pub fn have_geometry(&self) -> bool {
        let kinds = [
            OutputKind::Expt,
            OutputKind::Xds,
            OutputKind::Geom,
            OutputKind::Stream,
            OutputKind::Solutions,
        ];
        kinds.into_iter().any(|kind| self.get(kind).is_some())
    }

    /// The datasets of HDF5 files for a geometry of CrystFEL.
    ///
    /// # Errors
    /// A dataset where those of NXmx are.
    pub(super) fn views(&self, exposures: &[Exposure]) -> Result<Vec<View>, Error> {
        let layout = self.data_layout.as_ref();
        let views = layout.map_or_else(Vec::new, |layout| layout.views(exposures));
        check_views(exposures, &views)?;
        Ok(views)
    }

    /// What headers say of every panel, if a file has one that carries a geometry.
    ///
    /// # Errors
    /// [`Error::NoPhotons`], or a geometry that no header can state.
    pub(super) fn exposures(
        &self,
        resolved: &Resolved,
        response: &ResponseSpec,
    ) -> Result<Vec<Exposure>, Error> {
        if let Some(path) = self.get(OutputKind::Float)
            && PhotonFormat::of(path).is_none()
        {
            return Err(Error::NoPhotons {
                path: path.to_path_buf(),
            });
        }
        match self.with_headers().is_empty() {
            true => Ok(Vec::new()),
            false => exposures(resolved, response),
        }
    }

    /// The image that another program would process, and its format: of counts with noise or, if there is
    /// none, without; a format that XDS reads before others.
    pub fn processed(&self) -> Option<(&Path, Option<ImageFormat>)> {
        let noise = self.get(OutputKind::Noise);
        let counts = noise.or(self.get(OutputKind::Int)).map(|path| {
            let format = match WideFormat::of(path) {
                None => Some(ImageFormat::Smv),
                Some(WideFormat::Cbf) => Some(ImageFormat::Cbf),
                Some(WideFormat::Tiff | WideFormat::Nexus) => None,
            };
            (path, format)
        });
        let copy = (self.get(OutputKind::Cbf)).map(|path| (path, Some(ImageFormat::Cbf)));
        counts
            .filter(|(_, format)| format.is_some())
            .or(copy)
            .or(counts)
    }

    /// How the pixels lie in the file that CrystFEL would read: as in our HDF5 unless there is a CBF and no HDF5.
    pub(crate) fn layout(&self) -> Layout {
        let is = |format| {
            let named = [OutputKind::Int, OutputKind::Noise].into_iter();
            let mut named = named.filter_map(|kind| self.get(kind));
            let mut copies = self.iter().filter_map(|(kind, _)| kind.copy_format());
            named.any(|path| WideFormat::of(path) == Some(format))
                || copies.any(|copy| copy == format)
        };
        match is(WideFormat::Cbf) && !is(WideFormat::Nexus) && !self.assembles {
            true => Layout::Image,
            false => Layout::Hdf5,
        }
    }

    /// The file that CrystFEL would read, as its streams name it: HDF5 before CBF before others. `number` is that of
    /// the image, counted from 1.
    pub(crate) fn image_name(&self, number: u32) -> ImageName {
        let all = [
            OutputKind::Nexus,
            OutputKind::Noise,
            OutputKind::Int,
            OutputKind::Cbf,
        ];
        let named = all.into_iter().filter_map(|kind| {
            let path = self.get(kind)?;
            Some((path, kind.copy_format().or(WideFormat::of(path))))
        });
        let named: Vec<_> = named.collect();
        let of = |format| named.iter().find(|(_, found)| *found == Some(format));
        let nexus = of(WideFormat::Nexus);
        let chosen = nexus
            .or_else(|| of(WideFormat::Cbf))
            .or_else(|| named.first());
        ImageName {
            file: chosen.map_or(String::new(), |(path, _)| path.display().to_string()),
            event: if nexus.is_some() { "//0" } else { "//" }.to_owned(),
            number,
        }
    }

    /// What an `XDS.INP` says of an image that has no number.
    pub(super) fn of_xds(&self, response: &ResponseSpec) -> Images {
        Images::new(self.processed().and_then(|(_, format)| format), response)
    }

    /// The files whose headers state the geometry, with their formats.
    fn with_headers(&self) -> Vec<(OutputKind, WideFormat)> {
        let named = [
            OutputKind::Int,
            OutputKind::Noise,
            OutputKind::Float,
            OutputKind::Labels,
        ];
        let named = named
            .into_iter()
            .filter_map(|kind| Some((kind, WideFormat::of(self.get(kind)?)?)));
        let copies = self.iter();
        let copies = copies.filter_map(|(kind, _)| Some((kind, kind.copy_format()?)));
        named.chain(copies).collect()
    }

    /// Warns of what the headers of these files cannot state or what DIALS does not read there: of each
    /// thing once.
    ///
    /// # Errors
    /// A geometry that no header can state.
    pub fn warn_of_headers(
        &self,
        resolved: &Resolved,
        response: &ResponseSpec,
    ) -> Result<(), Error> {
        let files = self.with_headers();
        if files.is_empty() {
            return Ok(());
        }
        let of_counts = exposures(resolved, response)?;
        let mut of_photons = of_counts.clone();
        for exposure in &mut of_photons {
            exposure.offset_counts = 0.0;
        }
        let mut warned = BTreeSet::new();
        for (kind, format) in files {
            let exposures = match kind {
                OutputKind::Float | OutputKind::Labels => &of_photons,
                _ => &of_counts,
            };
            warned.extend(exposures.iter().flat_map(|one| format.warnings(one)));
            if let (WideFormat::Nexus, Some(layout)) = (format, &self.data_layout) {
                warned.extend(layout.warnings(exposures));
            }
        }
        for warning in warned {
            warn!("{warning}");
        }
        Ok(())
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
pub(crate) fn of_panel(path: &Path, index: usize) -> PathBuf {
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
    match (folder_of(&path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

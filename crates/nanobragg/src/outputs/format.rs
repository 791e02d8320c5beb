//! The format of an image file, from its extension.

use std::io::Write;
use std::path::Path;

use nanobragg_io::hdf5::Compression;
use nanobragg_io::nexus::View;
use nanobragg_io::{Exposure, Image, Result, cbf, nexus, tiff};

/// A format that holds 32-bit counts and the geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WideFormat {
    /// `.cbf`
    Cbf,
    /// `.tif`, `.tiff`
    Tiff,
    /// `.h5`, `.hdf5`, `.nxs`
    Nexus,
}

impl WideFormat {
    /// The format for the extension of `path`; `None` if it is that of the C program.
    pub fn of(path: &Path) -> Option<Self> {
        Self::from_extension(path.extension()?.to_str()?)
    }

    /// The format for this extension, in upper or lower case.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "cbf" => Some(Self::Cbf),
            "tif" | "tiff" => Some(Self::Tiff),
            "h5" | "hdf5" | "nxs" => Some(Self::Nexus),
            _ => None,
        }
    }

    /// What to warn of where a header in this format says less than there is, or more than DIALS reads.
    pub fn warnings(self, exposure: &Exposure) -> Vec<String> {
        let axes = self.axes_warning(exposure).into_iter();
        axes.chain(self.offset_warning(exposure)).collect()
    }

    /// CBF and TIFF have the lines of miniCBF, which cannot state a tilted detector.
    fn axes_warning(self, exposure: &Exposure) -> Option<String> {
        let (name, instead) = match self {
            Self::Cbf => ("CBF", "its imgCIF tables do"),
            Self::Tiff => ("TIFF", "a CBF or NeXus file can"),
            Self::Nexus => return None,
        };
        (!exposure.has_default_axes()).then(|| {
            format!(
                "the miniCBF lines of a {name} cannot state a detector that is tilted or whose fast and \
                 slow are not x and -y of imgCIF, nor a spindle that is not x; {instead}"
            )
        })
    }

    /// CBF and NeXus state the offset, but dxtbx does not read it there.
    fn offset_warning(self, exposure: &Exposure) -> Option<String> {
        match self {
            Self::Cbf | Self::Nexus => {}
            Self::Tiff => return None,
        }
        let offset = exposure.offset_counts;
        (offset != 0.0).then(|| {
            format!(
                "DIALS takes the offset of {offset} counts in a CBF or NeXus file for photons; -adc 0 leaves \
                 it out, or give DIALS the file of -exptfile as reference geometry"
            )
        })
    }

    /// Whether a file of this format holds all panels of a detector.
    pub const fn holds_panels(self) -> bool {
        match self {
            Self::Cbf => false,
            Self::Tiff | Self::Nexus => true,
        }
    }

    /// Writes the counts of every panel, or of the one panel that a CBF holds. `compression` is that of HDF5, which
    /// also has these datasets for other programs.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write_counts(
        self,
        out: &mut dyn Write,
        exposures: &[Exposure],
        panels: &[Image<i32>],
        compression: Compression,
        views: &[View],
    ) -> Result<()> {
        match (self, exposures, panels) {
            (Self::Cbf, [exposure, ..], [counts, ..]) => cbf::write(out, exposure, counts),
            (Self::Cbf, ..) => Ok(()),
            (Self::Tiff, ..) => tiff::write_counts(out, exposures, panels),
            (Self::Nexus, ..) => nexus::write_counts(out, exposures, panels, compression, views),
        }
    }
}

/// The format of the photons of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhotonFormat {
    /// Floats without a header.
    Raw,
    Tiff,
    Nexus,
}

impl PhotonFormat {
    /// The format for the extension of `path`; `None` if the format cannot hold floats.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match WideFormat::of(path) {
            None => Some(Self::Raw),
            Some(WideFormat::Tiff) => Some(Self::Tiff),
            Some(WideFormat::Nexus) => Some(Self::Nexus),
            Some(WideFormat::Cbf) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_whatever_its_case() {
        let of = |name: &str| WideFormat::of(Path::new(name));
        assert_eq!(of("a.cbf"), Some(WideFormat::Cbf));
        assert_eq!(of("out/a.TIFF"), Some(WideFormat::Tiff));
        assert_eq!(of("a.img.nxs"), Some(WideFormat::Nexus));
        for native in ["a.img", "a", "cbf", ".cbf", "a.cbf.img", "a.bin"] {
            assert_eq!(of(native), None, "{native}");
        }
    }

    #[test]
    fn a_cbf_has_no_place_for_photons() {
        assert_eq!(PhotonFormat::of(Path::new("a.cbf")), None);
        assert_eq!(
            PhotonFormat::of(Path::new("a.bin")),
            Some(PhotonFormat::Raw)
        );
    }
}

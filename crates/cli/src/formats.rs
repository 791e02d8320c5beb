//! Which format an image file has: by its extension, or by the flag that names it.

use std::io::Write;
use std::path::Path;

use nanobragg::io::{Exposure, Image, Result, cbf, nexus, tiff};

/// A format that holds counts of 32 bits and the geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WideFormat {
    /// `.cbf`
    Cbf,
    /// `.tif`, `.tiff`
    Tiff,
    /// `.h5`, `.hdf5`, `.nxs`
    Nexus,
}

impl WideFormat {
    /// The format that the extension of `path` calls for; `None` where it calls for that of the C
    /// program.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "cbf" => Some(Self::Cbf),
            "tif" | "tiff" => Some(Self::Tiff),
            "h5" | "hdf5" | "nxs" => Some(Self::Nexus),
            _ => None,
        }
    }

    /// Whether it carries the lines of miniCBF, which cannot state a tilted detector.
    pub(crate) fn has_lines(self) -> bool {
        matches!(self, Self::Cbf | Self::Tiff)
    }

    /// Writes counts.
    pub(crate) fn write_counts(
        self,
        out: &mut dyn Write,
        exposure: &Exposure,
        counts: &Image<i32>,
    ) -> Result<()> {
        match self {
            Self::Cbf => cbf::write(out, exposure, counts),
            Self::Tiff => tiff::write_counts(out, exposure, counts),
            Self::Nexus => nexus::write_counts(out, exposure, counts),
        }
    }
}

/// The format of the photons of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhotonFormat {
    /// Floats and nothing else.
    Raw,
    /// TIFF.
    Tiff,
    /// NeXus.
    Nexus,
}

impl PhotonFormat {
    /// The format that the extension of `path` calls for; `None` where it has no place for floats.
    pub(crate) fn of(path: &Path) -> Option<Self> {
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

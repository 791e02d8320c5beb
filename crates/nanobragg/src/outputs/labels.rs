//! The label image: which reflection of the truth table each pixel belongs to.

use std::io::Write;
use std::path::Path;

use nanobragg_io::hdf5::Compression;
use nanobragg_io::{Exposure, Image, Result, npy};
use nanobragg_physics::{Experiment, Truth};

use super::format::WideFormat;

/// The format of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelFormat {
    /// 32-bit numbers without a header, little-endian.
    Raw,
    /// An array of NumPy.
    Npy,
    /// A format of counts.
    Counts(WideFormat),
}

impl LabelFormat {
    /// The format for the extension of `path`.
    pub(super) fn of(path: &Path) -> Self {
        let is_npy = |extension: &std::ffi::OsStr| extension.eq_ignore_ascii_case("npy");
        match WideFormat::of(path) {
            Some(format) => Self::Counts(format),
            None if path.extension().is_some_and(is_npy) => Self::Npy,
            None => Self::Raw,
        }
    }

    /// Writes the labels of every panel, or of the one panel that a file holds.
    pub(super) fn write(
        self,
        out: &mut dyn Write,
        exposures: &[Exposure],
        panels: &[Image<i32>],
        compression: Compression,
    ) -> Result<()> {
        match self {
            Self::Raw => panels.iter().try_for_each(|panel| write_raw(out, panel)),
            Self::Npy => {
                let first = panels
                    .first()
                    .map_or([0; 2], |one| [one.slow(), one.fast()]);
                let stack = [panels.len(), first[0], first[1]];
                let shape = if panels.len() == 1 {
                    &stack[1..]
                } else {
                    &stack
                };
                npy::write_header(&mut *out, "<u4", shape)?;
                panels.iter().try_for_each(|panel| write_raw(out, panel))
            }
            Self::Counts(format) => {
                // Labels have no offset, and those of masked pixels are 0 already.
                let bare = exposures.iter().map(|exposure| Exposure {
                    offset_counts: 0.0,
                    masked: Vec::new(),
                    ..exposure.clone()
                });
                format.write_counts(out, &bare.collect::<Vec<_>>(), panels, compression, &[])
            }
        }
    }
}

fn write_raw(out: &mut dyn Write, panel: &Image<i32>) -> Result<()> {
    for row in panel.rows() {
        let bytes: Vec<u8> = row.iter().flat_map(|label| label.to_le_bytes()).collect();
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// The labels of the panels, one below the other; 0 everywhere if there are none in `truth`.
pub(crate) fn stacked_labels(experiment: &Experiment, truth: Option<&Truth>) -> Result<Image<i32>> {
    let panels = experiment.detector.panels().iter().enumerate();
    let images = panels.map(|(index, panel)| {
        let labels = truth.and_then(|truth| truth.labels.get(index));
        let labels = match labels {
            // A table has fewer than 2^31 rows.
            Some(labels) => labels.iter().map(|&label| label as i32).collect(),
            None => vec![0; panel.pixel_count()],
        };
        let (fast, slow) = (panel.pixels_fast() as usize, panel.pixels_slow() as usize);
        Image::new(fast, slow, labels)
    });
    let mut images = images.collect::<Result<Vec<_>>>()?;
    match images.len() {
        1 => Ok(images.remove(0)),
        _ => Image::stacked(&images),
    }
}

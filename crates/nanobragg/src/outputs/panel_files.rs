//! The content of output files, of one panel or of all of them.

use std::io::Write;
use std::ops::Range;
use std::slice::from_ref;

use nanobragg_io::{Image, Output};

use super::files::OutputKind;
use super::fingerprint::{FileEntry, Hashing};
use crate::error::Error;
use crate::images::Simulated;

/// Writes the images of the panels in the range.
pub(super) type PanelFilling<'f, T> =
    &'f dyn Fn(&mut dyn Write, Range<usize>, &[Image<T>]) -> nanobragg_io::Result<()>;

/// The files of an image: one for all panels, or one for each panel.
pub(super) struct PanelFiles {
    kind: OutputKind,
    outputs: Vec<Output>,
    hashes: bool,
}

impl PanelFiles {
    pub(super) const fn new(kind: OutputKind, outputs: Vec<Output>, hashes: bool) -> Self {
        Self {
            kind,
            outputs,
            hashes,
        }
    }

    /// Writes `stacked`, an image with the panels of `simulated`.
    pub(super) fn fill<T: Copy>(
        self,
        simulated: &Simulated,
        stacked: &Image<T>,
        write: PanelFilling<'_, T>,
    ) -> Result<Vec<(Output, FileEntry)>, Error> {
        let (kind, hashes) = (self.kind, self.hashes);
        let copies;
        let panels = match simulated.panels() {
            // The image of one panel is borrowed, not copied.
            [_] => from_ref(stacked),
            several => {
                let each = several.iter().map(|panel| panel.of(stacked));
                copies = each.collect::<Result<Vec<_>, _>>()?;
                copies.as_slice()
            }
        };
        if self.outputs.len() == 1 {
            let outputs = self.outputs.into_iter();
            let all = outputs.map(|output| {
                filled(output, kind, hashes, &|out| {
                    write(out, 0..panels.len(), panels)
                })
            });
            return all.collect();
        }
        let outputs = self.outputs.into_iter().zip(panels).enumerate();
        let each = outputs.map(|(index, (output, panel))| {
            filled(output, kind, hashes, &|out| {
                write(out, index..index + 1, from_ref(panel))
            })
        });
        each.collect()
    }
}

/// A function that writes the content of an output.
pub(super) type Filling<'f> = &'f dyn Fn(&mut dyn Write) -> nanobragg_io::Result<()>;

/// Writes the content of one output completely, without moving it to its final path.
pub(super) fn filled(
    mut output: Output,
    kind: OutputKind,
    hashes: bool,
    write: Filling<'_>,
) -> Result<(Output, FileEntry), Error> {
    let path = output.path().to_path_buf();
    let mut hashing = Hashing::new(&mut output, hashes);
    write(&mut hashing)?;
    hashing.flush().map_err(nanobragg_io::Error::from)?;
    let entry = hashing.entry(kind.name(), &path);
    Ok((output, entry))
}

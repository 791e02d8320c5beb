//! One picture of all panels in place of a file for each.

use nanobragg_geometry::Detector;
use nanobragg_io::{Exposure, GAP, Image};
use nanobragg_response::ResponseSpec;

use crate::assembled::Assembly;
use crate::error::Error;
use crate::exposure::{exposures, masked_bits};
use crate::header::size_and_centre;
use crate::resolve::Resolved;

/// The picture of a detector of several panels, as files of one image hold it.
#[derive(Debug)]
pub(super) struct Picture {
    assembly: Assembly,
    /// The experiment with the picture for its detector.
    pub(super) resolved: Resolved,
    /// Why each pixel counts nothing: also where there is no panel.
    pub(super) bits: Vec<u16>,
}

impl Picture {
    /// The picture of this detector.
    ///
    /// # Errors
    /// [`Error::NoPicture`] if the panels are too far apart.
    pub(super) fn of(resolved: &Resolved, response: &ResponseSpec) -> Result<Self, Error> {
        let detector = &resolved.experiment.detector;
        let assembly = Assembly::of(detector);
        let panel = assembly.panel(detector).ok_or(Error::NoPicture)?;
        let masks = (detector.panels().iter().enumerate()).map(|(index, panel)| {
            let [fast, slow] = [panel.pixels_fast(), panel.pixels_slow()].map(|side| side as usize);
            let mut bits = masked_bits(response, index, panel);
            bits.resize(fast * slow, 0);
            Image::new(fast, slow, bits)
        });
        let masks = masks.collect::<Result<Vec<_>, _>>()?;
        let bits = assembly.picture(&masks, GAP)?.into_pixels();
        let mut of_picture = resolved.clone();
        let layout = &mut of_picture.decisions.layout;
        (layout.size_m, layout.centre.beam_m) = size_and_centre(&panel, layout.convention);
        of_picture.experiment.detector = Detector::from(panel);
        Ok(Self {
            assembly,
            resolved: of_picture,
            bits,
        })
    }

    /// What the header of a file with the picture says.
    ///
    /// # Errors
    /// Those of [`exposures`].
    pub(super) fn exposure(&self, response: &ResponseSpec) -> Result<Option<Exposure>, Error> {
        let exposures = exposures(&self.resolved, response)?;
        Ok(exposures.into_iter().next().map(|exposure| Exposure {
            masked: self.bits.clone(),
            ..exposure
        }))
    }

    /// The picture of the images of the panels, with 0 where there is no panel.
    pub(super) fn of_images<T: Copy + Default>(
        &self,
        panels: &[Image<T>],
    ) -> Result<Image<T>, nanobragg_io::Error> {
        self.assembly.picture(panels, T::default())
    }
}

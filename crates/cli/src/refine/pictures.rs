//! What the fit looks like: target and prediction before and after, and what is left over.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nanobragg::compare::three_panels;
use nanobragg::io::{Image, Output, png};
use nanobragg::{ExperimentSpec, RunOptions, simulate};
use nanobragg_refine::Target;

use super::RefineError;

/// What the names of the pictures end with.
const ENDINGS: [&str; 3] = ["_before.png", "_after.png", "_residual.png"];

/// Photons of noise in a pixel that expects none, so that a residual can be told in its terms.
const DARK_VARIANCE: f32 = 1.0;

/// Three pictures that are written at the end.
pub(super) struct Pictures([Output; 3]);

impl Pictures {
    /// The names of the pictures.
    pub(super) fn paths(prefix: &Path) -> [PathBuf; 3] {
        ENDINGS.map(|ending| {
            let mut path = OsString::from(prefix);
            path.push(ending);
            path.into()
        })
    }

    /// Opens them.
    pub(super) fn create(prefix: &Path) -> Result<Self, RefineError> {
        let [before, after, residual] = Self::paths(prefix);
        Ok(Self([
            Output::create(before)?,
            Output::create(after)?,
            Output::create(residual)?,
        ]))
    }

    /// Draws target, difference and prediction before and after, and the residual after, as a
    /// multiple of its noise; not yet in their places.
    pub(super) fn draw(
        &mut self,
        target: &Target,
        [before, after]: [&ExperimentSpec; 2],
        options: &RunOptions<'_>,
    ) -> Result<(), RefineError> {
        let seen = seen(target)?;
        let image = |spec: &ExperimentSpec| -> Result<Image<f32>, nanobragg::Error> {
            Ok(simulate(&spec.resolve()?.experiment, options)?.photons)
        };
        let failed = |fault| RefineError::from(crate::run::RunError::from(fault));
        let [before, after] = [
            image(before).map_err(failed)?,
            image(after).map_err(failed)?,
        ];
        let residuals = seen.pixels().iter().zip(after.pixels()).zip(target.used());
        let residuals = residuals.map(|((t, m), used)| {
            let off = (t - m).abs() / (m + DARK_VARIANCE).sqrt();
            if *used { off } else { 0.0 }
        });
        let residuals = Image::new(seen.fast(), seen.slow(), residuals.collect())?;
        let panels = [
            three_panels(&seen, &before).map_err(failed)?,
            three_panels(&seen, &after).map_err(failed)?,
            residuals,
        ];
        let greys = [
            png::Grey::Logarithmic,
            png::Grey::Logarithmic,
            png::Grey::SquareRoot,
        ];
        for ((output, picture), grey) in self.0.iter_mut().zip(&panels).zip(greys) {
            png::write(output, picture, grey)?;
        }
        Ok(())
    }

    /// Puts them in their places.
    pub(super) fn commit(self) -> Result<(), RefineError> {
        self.0
            .into_iter()
            .try_for_each(|output| output.commit().map(drop))?;
        Ok(())
    }
}

/// The target with nothing where it is not used.
fn seen(target: &Target) -> Result<Image<f32>, nanobragg::io::Error> {
    let photons = target.photons();
    let pixels = photons.pixels().iter().zip(target.used());
    let pixels = pixels.map(|(&photons, &used)| if used { photons as f32 } else { 0.0 });
    Image::new(photons.fast(), photons.slow(), pixels.collect())
}

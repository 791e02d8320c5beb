//! What the fit looks like: target and prediction before and after, and what is left over.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nanobragg::compare::three_panels;
use nanobragg::io::{Image, Output, png};
use nanobragg::{ExperimentSpec, RunOptions, simulate};

use crate::{Error, Target};

/// What the names of the pictures end with.
const ENDINGS: [&str; 3] = ["_before.png", "_after.png", "_residual.png"];

/// Photons of noise in a pixel that expects none, so that a residual can be told in its terms.
const DARK_VARIANCE: f32 = 1.0;

/// Three pictures that are written at the end: before, after, and what is left over.
#[derive(Debug)]
pub struct Pictures([Output; 3]);

impl Pictures {
    /// The names of the pictures, which begin with `prefix`.
    pub fn paths(prefix: &Path) -> [PathBuf; 3] {
        ENDINGS.map(|ending| {
            let mut path = OsString::from(prefix);
            path.push(ending);
            path.into()
        })
    }

    /// Opens them.
    ///
    /// # Errors
    /// For a file that cannot be created.
    pub fn create(prefix: &Path) -> Result<Self, Error> {
        let [before, after, residual] = Self::paths(prefix);
        let create = |path| Output::create(path).map_err(nanobragg::Error::from);
        Ok(Self([create(before)?, create(after)?, create(residual)?]))
    }

    /// Draws target, difference and prediction before and after, and the residual after, as a
    /// multiple of its noise; not yet in their places.
    ///
    /// # Errors
    /// An experiment that cannot be rendered, or a file that cannot be written.
    pub fn draw(
        &mut self,
        target: &Target,
        [before, after]: [&ExperimentSpec; 2],
        options: &RunOptions<'_>,
    ) -> Result<(), Error> {
        let seen = seen(target).map_err(nanobragg::Error::from)?;
        let image = |spec: &ExperimentSpec| -> Result<Image<f32>, nanobragg::Error> {
            Ok(simulate(&spec.resolve()?.experiment, options)?.photons)
        };
        let [before, after] = [image(before)?, image(after)?];
        let residuals = seen.pixels().iter().zip(after.pixels()).zip(target.used());
        let residuals = residuals.map(|((t, m), used)| {
            let off = (t - m).abs() / (m + DARK_VARIANCE).sqrt();
            if *used { off } else { 0.0 }
        });
        let residuals = Image::new(seen.fast(), seen.slow(), residuals.collect());
        let residuals = residuals.map_err(nanobragg::Error::from)?;
        let panels = [
            three_panels(&seen, &before)?,
            three_panels(&seen, &after)?,
            residuals,
        ];
        let greys = [
            png::Grey::Logarithmic,
            png::Grey::Logarithmic,
            png::Grey::SquareRoot,
        ];
        for ((output, picture), grey) in self.0.iter_mut().zip(&panels).zip(greys) {
            png::write(output, picture, grey).map_err(nanobragg::Error::from)?;
        }
        Ok(())
    }

    /// Puts them in their places.
    ///
    /// # Errors
    /// For a file that cannot be put there.
    pub fn commit(self) -> Result<(), Error> {
        self.0
            .into_iter()
            .try_for_each(|output| output.commit().map(drop))
            .map_err(nanobragg::Error::from)?;
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

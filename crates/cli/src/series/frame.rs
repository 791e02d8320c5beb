//! One frame of a series: rendered, written, and what is said of it.

use std::sync::Arc;

use nanobragg::series::{Frame, SeriesKind, SeriesSpec};
use nanobragg::{Cancel, Misset, Oddity, Scene};
use serde_json::{Value, json};

use super::names;
use super::whole::Whole;
use crate::args::Args;
use crate::outputs::Outputs;
use crate::resolve::{Job, Prepared};
use crate::run::{RunError, picture, stop_unless_wanted};

/// What every frame is made from.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    pub(super) args: &'a Args,
    pub(super) series: SeriesSpec,
    pub(super) prepared: Prepared,
    pub(super) stop: &'a Cancel,
    /// Threads for one frame.
    pub(super) threads: Option<u32>,
    /// The one file of all frames, if there is to be one.
    pub(super) whole: Option<Arc<Whole>>,
}

/// A frame whose files are in place.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) number: u32,
    /// For the log.
    pub(super) entry: Value,
    /// For people.
    pub(super) line: String,
    /// Whether an index left the grid of structure factors (the oddity `interpolation`).
    pub(super) left_grid: bool,
}

impl Maker<'_> {
    /// The frame resolved.
    ///
    /// # Errors
    /// What there cannot be.
    pub(super) fn job(&self, number: u32) -> Result<(Frame, Job), RunError> {
        let frame = self.series.frame(&self.prepared.loaded.spec, number)?;
        let job = self
            .prepared
            .resolve(&frame.spec, frame.noise_seed, self.args)?;
        Ok((frame, job))
    }

    /// Renders a frame and puts its files in place.
    ///
    /// # Errors
    /// What a single run can fail of; no file of the frame is then changed.
    pub(super) fn make(&self, number: u32) -> Result<Made, RunError> {
        let mut args = names::args_of(self.args, number);
        args.running.threads = self.threads;
        let (frame, job) = self.job(number)?;
        let mut outputs = Outputs::open(&args, &job.resolved, true)?;
        let whole = self.whole.as_ref();
        outputs.also_to(whole.and_then(|whole| whole.place(number)));
        let go_on = || stop_unless_wanted(self.stop);
        let experiment = &job.resolved.experiment;
        let scene = Scene::new(experiment);
        let (image, truth) = picture(&scene, experiment, &args, None, self.stop)?;
        drop(scene);
        let written = outputs.write(&job, &image, truth.as_ref(), &args, &|_| {}, &go_on)?;
        let misset_deg = experiment
            .crystal
            .misset_rad()
            .map(|misset_rad| misset_rad.map(f64::to_degrees));
        let statistics = &image.statistics;
        let entry = json!({
            "number": number,
            "phi_deg": frame.phi_deg,
            "osc_deg": experiment.phi.range_rad.to_degrees(),
            "misset_deg": misset_deg,
            "reciprocal_per_angstrom": experiment.crystal.reciprocal().vectors(),
            "noise_seed": frame.noise_seed,
            "alone": self.alone(&frame),
            "max_photons": statistics.max_photons,
            "mean_photons": statistics.mean,
            "outputs": written,
        });
        let setting = match (self.series.kind, misset_deg) {
            (SeriesKind::Shots, Some([x, y, z])) => format!("misset {x:.3} {y:.3} {z:.3}"),
            _ => format!("phi {}", frame.phi_deg),
        };
        Ok(Made {
            number,
            entry,
            line: format!(
                "{number}: {setting}, max_I = {:.4e}\n",
                statistics.max_photons
            ),
            left_grid: image.left_grid_at.is_some(),
        })
    }

    /// The flags that, after those of the series without `-frames` or `-shots`, render a frame alone.
    fn alone(&self, frame: &Frame) -> Vec<String> {
        let mut words = vec!["-seed".to_owned(), frame.noise_seed.to_string()];
        match self.series.kind {
            SeriesKind::Rotation => {
                words.extend(["-phi".to_owned(), frame.phi_deg.to_string()]);
            }
            SeriesKind::Shots => {
                let fixed = Oddity::MissetRandom.name();
                words.extend(["-misset", "random", "-fix", fixed].map(str::to_owned));
                let mosaic_seed = frame.spec.crystal.mosaic.seed;
                words.extend(["-mosaic_seed".to_owned(), mosaic_seed.to_string()]);
            }
        }
        if let Some(Misset::Random { seed } | Misset::RandomUniform { seed }) =
            frame.spec.crystal.misset
        {
            words.extend(["-misset_seed".to_owned(), seed.to_string()]);
        }
        words
    }
}

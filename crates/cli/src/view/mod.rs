//! The live view: what the page asks of an experiment, and the answers. The page is the same in a browser, where the
//! crate `nanobragg-web` gives the answers, and with `nanoBragg view`, where [`serve`] does.
//!
//! | file | |
//! |---|---|
//! | `about` | the experiment in the numbers of the page |
//! | `on_gpu` | the terms summed by the page, on the GPU of its browser |
//! | `server` | the page and the answers over HTTP, on this machine only |
//! | `request` | the words after `nanoBragg view` |
//!
//! The words of a command line are the experiment. A slider adds words, and the last of several flags wins; "copy as
//! command line" therefore gives the very words that were rendered.

mod about;
#[cfg(feature = "webgpu")]
mod on_gpu;
#[cfg(feature = "view")]
mod request;
#[cfg(feature = "view")]
mod server;

use std::path::Path;

use nanobragg::physics::{Device, render};
use nanobragg::{
    Cancel, Detector, ExperimentSpec, Frame, Loaded, Lookup, Oddity, Panel, PixelPlace, Roi,
    RunOptions, Scene, StackedPanel, TruthWishes, render_with_truth, spacing_at, trace_pixel,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Args, Task};
use crate::resolve::{Inputs, Job, Prepared};
use crate::simulate::options;
use crate::{Invocation, RunError};

#[cfg(feature = "view")]
pub use request::ViewRequest;
#[cfg(feature = "view")]
pub(crate) use request::page;
#[cfg(feature = "view")]
pub use server::serve;

/// The seed of the noise where no word gives one: a browser has no clock to take it from.
const SEED: i64 = 1;

/// A question of the page: an experiment and what is asked of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    /// The words of a command line, without the program.
    pub words: Vec<String>,
    /// What is asked.
    pub ask: Ask,
}

/// What a page can ask.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The photons of one of `of` bands of rows. The first band comes with everything about the experiment.
    Picture {
        /// The number of the band, counted from 0.
        band: usize,
        /// The number of bands.
        of: usize,
    },
    /// The kernel of a GPU and its tables, for bands of so many rows.
    #[cfg(feature = "webgpu")]
    Tables {
        /// The largest table that the GPU takes, in bytes.
        largest_table: u64,
        /// Rows of a band.
        rows: u32,
    },
    /// The whole picture from the sums that [`View::sums`] was given, with everything about the experiment.
    #[cfg(feature = "webgpu")]
    Summed,
    /// What is under a pixel of the stacked image.
    Pixel {
        /// Column.
        fast: u32,
        /// Row of the stacked image.
        slow: u32,
    },
    /// The brightest reflections.
    Spots {
        /// The largest number of them.
        most: usize,
    },
    /// The experiment as a TOML file.
    File,
}

/// The answer to a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The answer. For a picture `rows` are the first row and that behind the last, of `slow` rows of `fast` pixels
    /// (panels one below the other).
    pub json: Value,
    /// The photons of the rows of a picture, shape `[row][fast]`; otherwise empty.
    pub photons: Vec<f32>,
}

/// Answers questions. Structure factors and the tables of the last experiment are kept for the next question.
#[derive(Debug, Default)]
pub struct View {
    loaded: Option<Loaded>,
    shown: Option<Shown>,
    #[cfg(feature = "webgpu")]
    sums: Vec<f32>,
}

/// An experiment that is ready to be rendered.
#[derive(Debug)]
struct Shown {
    words: Vec<String>,
    args: Args,
    job: Job,
    scene: Scene,
    panels: Vec<StackedPanel>,
    /// What rendering found, without its pixels.
    frame: Option<Frame>,
}

impl View {
    /// Forgets what was read, because a file has changed.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes the sums of a kernel, one for each pixel of all regions of interest, for [`Ask::Summed`].
    #[cfg(feature = "webgpu")]
    pub fn sums(&mut self, sums: Vec<f32>) {
        self.sums = sums;
    }

    /// The files of the experiment file and of structure factors that are shown; `None` before the first picture.
    #[cfg(feature = "view")]
    fn files(&self) -> Option<Vec<std::path::PathBuf>> {
        let shown = self.shown.as_ref()?;
        let factors = shown
            .job
            .named
            .factors
            .paths()
            .into_iter()
            .map(|(_, path)| path);
        Some(
            factors
                .chain(&shown.args.running.experiment_path)
                .cloned()
                .collect(),
        )
    }

    /// Answers a question. Rendering stops soon after `stop` is raised.
    ///
    /// # Errors
    /// One sentence: a wrong word, a file that cannot be read or understood, an experiment that does not resolve.
    pub fn answer(&mut self, question: &Question, stop: &Cancel) -> Result<Answer, String> {
        let sentence = |error: RunError| error.to_string();
        if self
            .shown
            .as_ref()
            .is_none_or(|shown| shown.words != question.words)
        {
            let shown = self.show(&question.words, stop)?;
            self.shown = Some(shown);
        }
        let Some(shown) = &mut self.shown else {
            return Ok(Answer::default());
        };
        match question.ask {
            Ask::Picture { band, of } => shown.picture([band, of], None, stop).map_err(sentence),
            #[cfg(feature = "webgpu")]
            Ask::Tables {
                largest_table,
                rows,
            } => Ok(shown.tables(largest_table, rows)),
            #[cfg(feature = "webgpu")]
            Ask::Summed => {
                let sums = on_gpu::Summed(std::mem::take(&mut self.sums));
                shown.picture([0, 1], Some(&sums), stop).map_err(sentence)
            }
            Ask::Pixel { fast, slow } => shown.pixel(fast, slow, stop).map_err(sentence),
            Ask::Spots { most } => shown.spots(most, stop).map_err(sentence),
            Ask::File => shown.file().map_err(sentence),
        }
    }

    fn show(&mut self, words: &[String], stop: &Cancel) -> Result<Shown, String> {
        let mut args = match Invocation::from_words(words).map_err(|error| error.to_string())? {
            Invocation::Run(args) => *args,
            Invocation::Show(_) => {
                return Err("the words ask for help, and not for an image".to_owned());
            }
        };
        if !matches!(args.task(), Task::Simulate) {
            return Err("the view shows one image; leave out -plan, -rerun, -diff and the flags of a series".to_owned());
        }
        if args.running.experiment_path.is_none() && cfg!(target_family = "wasm") {
            // A browser has no folder in which the dump of an earlier run could lie.
            args.set_base(ExperimentSpec::default());
        }
        self.prepare(args, words, stop)
            .map_err(|error| error.to_string())
    }

    fn prepare(&mut self, args: Args, words: &[String], stop: &Cancel) -> Result<Shown, RunError> {
        let mut args = args.with_base()?.into_owned();
        args.noise.seed.get_or_insert(SEED);
        let inputs = Inputs {
            earlier: self.loaded.take(),
            ..Inputs::default()
        };
        let prepared = Prepared::with_inputs(&args, inputs)?;
        self.loaded = Some(prepared.loaded.clone());
        let spec = prepared.loaded.spec.of_single_image()?;
        let job = prepared.job(&spec, prepared.noise_seed, &args, stop)?;
        let scene = Scene::new(&job.resolved.experiment);
        Ok(Shown {
            words: words.to_vec(),
            panels: StackedPanel::all(&job.resolved.experiment.detector),
            args,
            job,
            scene,
            frame: None,
        })
    }
}

impl Shown {
    fn detector(&self) -> &Detector {
        &self.job.resolved.experiment.detector
    }

    /// The number of columns and rows of the stacked image.
    fn size(&self) -> [usize; 2] {
        let fast = self.panels.iter().map(|panel| panel.fast).max();
        [
            fast.unwrap_or(0),
            self.panels.last().map_or(0, |last| last.rows.end),
        ]
    }

    /// Whether bands of rows are those of the whole image: two oddities of the C program depend on the order of pixels.
    fn has_bands(&self) -> bool {
        let resolved = &self.job.resolved;
        resolved.experiment.lookup == Lookup::Nearest
            && !resolved.decisions.oddities.contains(&Oddity::PhiZero)
    }

    fn picture(
        &mut self,
        [band, of]: [usize; 2],
        device: Option<&dyn Device>,
        stop: &Cancel,
    ) -> Result<Answer, RunError> {
        let [fast, slow] = self.size();
        let of = if self.has_bands() { of.max(1) } else { 1 };
        let edge = |band: usize| (slow * band.min(of)).div_ceil(of);
        let rows = edge(band)..edge(band + 1);
        let mut photons = vec![0.0; rows.len() * fast];
        let mut parts = Vec::new();
        let mut starts = Vec::new();
        for (panel, stacked) in self.detector().panels().iter().zip(&self.panels) {
            let roi = panel.roi();
            let ends = [
                (stacked.rows.start + *roi.slow().start() as usize).max(rows.start),
                (stacked.rows.start + *roi.slow().end() as usize + 1).min(rows.end),
            ];
            let [first, end] = ends.map(|row| row as i64 - stacked.rows.start as i64);
            if first >= end {
                continue;
            }
            let columns = [*roi.fast().start(), *roi.fast().end()].map(i64::from);
            let size = [panel.pixels_fast(), panel.pixels_slow()];
            let roi = Roi::new(columns, [first, end - 1], size[0], size[1]);
            let part = roi.and_then(|roi| panel.clone().with_roi(roi));
            parts.push(part.map_err(nanobragg::Error::from)?);
            starts.push((stacked.rows.start, first as usize..end as usize));
        }
        if !parts.is_empty() {
            let mut experiment = self.job.resolved.experiment.clone();
            experiment.detector = Detector::new(parts).map_err(nanobragg::Error::from)?;
            let options = options(&self.args, None, stop)?;
            let options = RunOptions {
                device: device.or(options.device),
                ..options
            };
            let mut frame = render(&Scene::new(&experiment), &options)?;
            for (image, (start, own)) in std::mem::take(&mut frame.panels).iter().zip(starts) {
                let width = image.pixels_fast as usize;
                let pixels = image.pixels.chunks(width).enumerate();
                for (row, pixels) in pixels.skip(own.start).take(own.len()) {
                    let to = (start + row - rows.start) * fast;
                    if let Some(line) = photons.get_mut(to..to + width) {
                        line.copy_from_slice(pixels);
                    }
                }
            }
            self.frame = Some(frame);
        }
        let about = (band == 0).then(|| self.about()).transpose()?;
        let json =
            json!({ "rows": [rows.start, rows.end], "fast": fast, "slow": slow, "about": about });
        Ok(Answer { json, photons })
    }

    fn pixel(&mut self, fast: u32, slow: u32, stop: &Cancel) -> Result<Answer, RunError> {
        if self.frame.is_none() {
            self.picture([0, 1], None, stop)?;
        }
        let holds = |panel: &StackedPanel| panel.rows.contains(&(slow as usize));
        let Some(number) = self.panels.iter().position(holds) else {
            return Ok(Answer::default());
        };
        let first_row = self
            .panels
            .get(number)
            .map_or(0, |panel| panel.rows.start as u32);
        let panel = self.detector().panels().get(number);
        let place = PixelPlace {
            panel: number,
            slow: slow - first_row,
            fast,
        };
        let frame = self.frame.as_ref();
        let trace = frame.and_then(|frame| trace_pixel(&self.scene, frame, place));
        let middle = [f64::from(fast) + 0.5, f64::from(place.slow) + 0.5];
        let largest = trace.as_ref().and_then(|trace| trace.largest.as_ref());
        let largest = largest.filter(|term| term.intensity() > 0.0);
        let json = json!({
            "panel": panel.map(Panel::name),
            "fast": fast,
            "slow": place.slow,
            "d": panel.map(|panel| self.spacing_a(panel, middle)),
            "photons": trace.as_ref().map(|trace| trace.photons),
            "hkl": largest.map(|term| term.hkl),
            "f": largest.map(|term| term.cell_factor),
        });
        Ok(Answer {
            json,
            photons: Vec::new(),
        })
    }

    /// The resolution in Angstrom at a point of a panel, in pixels from its corner; infinite in the direct beam.
    fn spacing_a(&self, panel: &Panel, at_px: [f64; 2]) -> f64 {
        let resolved = &self.job.resolved;
        let beam = resolved.experiment.beam.direction();
        let wavelength_a = resolved.decisions.central_wavelength_m * 1e10;
        spacing_at((panel, beam), wavelength_a, at_px)
    }

    fn spots(&self, most: usize, stop: &Cancel) -> Result<Answer, RunError> {
        let wishes = TruthWishes::default();
        let (_, truth) =
            render_with_truth(&self.scene, &wishes, &options(&self.args, None, stop)?)?;
        let mut found = truth.reflections;
        let count = found.len();
        found.sort_by(|a, b| b.photons.total_cmp(&a.photons));
        let panels = self.detector().panels();
        let spots = found.iter().take(most).filter_map(|spot| {
            let panel = panels.get(spot.panel)?;
            let row = self.panels.get(spot.panel)?.rows.start as f64;
            Some(json!({
                "hkl": spot.hkl,
                "photons": spot.photons,
                "fast": spot.fast_px,
                "slow": spot.slow_px + row,
                "d": self.spacing_a(panel, [spot.fast_px, spot.slow_px]),
                "partiality": spot.partiality,
            }))
        });
        let json = json!({ "count": count, "spots": spots.collect::<Vec<_>>() });
        Ok(Answer {
            json,
            photons: Vec::new(),
        })
    }

    /// As `-save-experiment` writes it.
    fn file(&self) -> Result<Answer, RunError> {
        let spec = ExperimentSpec {
            noise_seed: Some(self.job.noise_seed),
            ..self.job.named.clone()
        };
        let json = json!({ "toml": spec.to_text(Path::new("experiment.toml"))? });
        Ok(Answer {
            json,
            photons: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg::simulate;

    fn ask(view: &mut View, line: &str, ask: Ask) -> Result<Answer, String> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        view.answer(&Question { words, ask }, &Cancel::new())
    }

    const CRYSTAL: &str = "-default_F 100 -cell 70 80 90 90 90 90 -N 4 -lambda 1 -oversample 1 -detpixels 40 -pixel 2";

    #[test]
    fn bands_of_rows_are_those_of_the_image() {
        // The last has an oddity that follows the order of pixels, and comes whole from the first.
        for more in ["", "-roi 3 30 11 29", "-osc 1 -phi 5 -phisteps 2"] {
            let line = format!("{CRYSTAL} {more}");
            let Ok(Invocation::Run(args)) = Invocation::from_words(line.split_whitespace()) else {
                panic!("{line}")
            };
            let job = Job::from_args(&args, &Cancel::new()).unwrap();
            let image = simulate(&job.resolved.experiment, &RunOptions::default()).unwrap();
            let mut view = View::default();
            let mut found = vec![f32::NAN; 40 * 40];
            for band in 0..3 {
                let answer = ask(&mut view, &line, Ask::Picture { band, of: 3 }).unwrap();
                let first = answer.json["rows"][0].as_u64().unwrap() as usize * 40;
                found[first..first + answer.photons.len()].copy_from_slice(&answer.photons);
                assert_eq!(answer.json["about"].is_object(), band == 0);
            }
            assert!(image.statistics.max_photons > 0.0);
            assert_eq!(found, image.photons.pixels(), "{more}");
        }
    }

    #[test]
    fn what_is_wrong_is_one_sentence_and_what_was_right_is_answered_after_it() {
        let mut view = View::default();
        for (line, said) in [
            ("-N", "-N"),
            ("-help", "help"),
            ("-default_F 1 -shots 3", "series"),
            ("-experiment nowhere.toml", "nowhere.toml"),
            ("-default_F 1 -cell 70 80 90 90 90 1000", "cell"),
        ] {
            let error = ask(&mut view, line, Ask::File).unwrap_err();
            assert!(
                error.contains(said) && !error.contains('\n'),
                "{line}: {error}"
            );
        }
        let file = ask(&mut view, CRYSTAL, Ask::File).unwrap();
        assert!(
            file.json["toml"]
                .as_str()
                .unwrap()
                .contains("pixels_fast = 40")
        );
        let spots = ask(&mut view, CRYSTAL, Ask::Spots { most: 3 }).unwrap();
        assert_eq!(spots.json["spots"].as_array().unwrap().len(), 3);
    }
}

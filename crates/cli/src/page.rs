//! `-report`: one page of HTML about a run or a series. What it says of images is made by `nanobragg_plot::report`.

use std::io::Write;
use std::path::{Path, PathBuf};

use nanobragg::ExperimentSpec;
use nanobragg::io::Output;
use nanobragg::io::any::Place;
use nanobragg::outputs::{FileEntry, OutputKind};
use nanobragg::series::SeriesFiles;
use nanobragg_plot::report::{Block, Page, SeriesFacts, Table, most_pictures};
use nanobragg_plot::{Geometry, Picture};

use crate::args::Args;
use crate::outcome::RunError;
use crate::plan;
use crate::resolve::Job;
use crate::shell::single_quoted;
use crate::simulate::warnings;

/// The outputs whose images a report of a series shows, the first that there is.
const SHOWN: [OutputKind; 6] = [
    OutputKind::Noise,
    OutputKind::Cbf,
    OutputKind::Nexus,
    OutputKind::Tiff,
    OutputKind::Int,
    OutputKind::Float,
];

/// A page that is not written yet.
pub(crate) struct Report {
    page: Page,
    output: Output,
    /// The sections behind those about images.
    last: Vec<(String, Vec<Block>)>,
    geometry: Geometry,
}

impl Report {
    /// The page of a run, if one is asked for; `words` are those of the command line.
    ///
    /// # Errors
    /// A file that cannot be created, or an experiment that cannot be in a file.
    pub(crate) fn of(args: &Args, job: &Job, words: &[String]) -> Result<Option<Self>, RunError> {
        let Some(path) = &args.running.report_path else {
            return Ok(None);
        };
        let output = Output::create(path)?;
        let mut page = Page {
            title: "nanoBragg report".to_owned(),
            ..Page::default()
        };
        let quoted = words.iter().map(|word| quoted(word));
        let command = quoted.fold("nanoBragg".to_owned(), |line, word| line + " " + &word);
        let version = format!("nanoBragg {}", env!("CARGO_PKG_VERSION"));
        page.add(
            "Command line",
            vec![Block::Code(command), Block::Text(version)],
        );
        let mut warned: Vec<String> = args.warnings.iter().map(ToString::to_string).collect();
        warned.extend(warnings(job));
        page.add(
            "Warnings",
            match warned.is_empty() {
                true => vec![Block::Text("There are none.".to_owned())],
                false => vec![Block::List(warned)],
            },
        );
        let mut table = Table::new(&["setting", "value", "because"]);
        for decision in plan::decisions(job, args)? {
            let text = |key: &str| {
                decision
                    .get(key)
                    .and_then(|text| text.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            table.add(["setting", "value", "because"].map(text));
        }
        let spec = ExperimentSpec {
            noise_seed: Some(job.noise_seed),
            ..job.named.clone()
        };
        let experiment = spec.to_text(path.with_extension("toml").as_path());
        // Data that are only in memory have no file.
        let experiment = experiment.unwrap_or_else(|error| error.to_string());
        Ok(Some(Self {
            page,
            output,
            last: vec![
                ("Decisions".to_owned(), vec![Block::Table(table)]),
                ("Experiment file".to_owned(), vec![Block::Code(experiment)]),
            ],
            geometry: Geometry::of(&job.resolved),
        }))
    }

    /// The page.
    pub(crate) fn page(&mut self) -> &mut Page {
        &mut self.page
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.output.path()
    }

    /// Adds the images of a series, read from their files.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn add_series(
        &mut self,
        files: &SeriesFiles,
        numbers: &[u32],
    ) -> Result<(), RunError> {
        let mut facts = SeriesFacts::default();
        let is_shown = most_pictures(numbers.len());
        for (place, &number) in numbers.iter().enumerate() {
            if let Some(path) = image_of(files, number, place + 1) {
                let picture = Picture::read(&path, None, Some(&self.geometry))?;
                facts.add(picture, is_shown(place));
            }
        }
        Ok(facts.add_to(&mut self.page)?)
    }

    /// Writes the page; `files` are the outputs of the run.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn write(mut self, files: &[FileEntry]) -> Result<(), RunError> {
        let mut table = Table::new(&["file", "bytes", "SHA-256"]);
        for entry in files {
            table.add([
                entry.path.clone(),
                entry.bytes.to_string(),
                entry.sha256.clone(),
            ]);
        }
        if !files.is_empty() {
            self.page.add("Files", vec![Block::Table(table)]);
        }
        self.page.sections.append(&mut self.last);
        self.output
            .write_all(self.page.html().as_bytes())
            .map_err(nanobragg::io::Error::from)?;
        self.output.commit()?;
        Ok(())
    }
}

/// The file of an image of a series, which is image `place` of a file of several.
fn image_of(files: &SeriesFiles, number: u32, place: usize) -> Option<PathBuf> {
    let (own, of_all) = (files.of_frame(number), files.of_all());
    SHOWN.into_iter().find_map(|kind| {
        if let Some(path) = own.get(kind).filter(|path| path.exists()) {
            return Some(path.to_path_buf());
        }
        let path = of_all.get(kind).filter(|path| path.exists())?;
        let numbered = PathBuf::from(format!("{}#{place}", path.display()));
        (Place::of(&numbered).number == Some(place)).then_some(numbered)
    })
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => single_quoted(word),
    }
}

//! `-plan`: describes a run without carrying it out.
//!
//! | file | |
//! |---|---|
//! | `decision`, `decisions`, `instrument` | decisions and reasons |
//! | `reflections` | missing reflections |
//! | `trial` | renders a few pixels, to estimate brightness and time |
//! | `text` | the plan as text |

mod decision;
mod decisions;
mod instrument;
mod reflections;
mod text;
mod trial;

use nanobragg::factors::read_list;
use nanobragg::{Cancel, DirectBeam, FactorsSpec, Panel, Resolution, bytes_needed, factor_bytes};
use serde_json::{Value, json};

use crate::args::{Args, PlanFormat};
use crate::base;
use crate::console::Console;
use crate::outcome::RunError;
use crate::output_names;
use crate::record::{self, settings};
use crate::resolve::Job;
use crate::series;
use crate::simulate::level;
use decision::{Because, Decision};
use reflections::{Completeness, Sphere};
use trial::Trial;

/// The description of a run.
struct Outlook<'j> {
    job: &'j Job,
    args: &'j Args,
    /// The number of images.
    images: usize,
    decisions: Vec<Decision>,
    /// The resolution of the first panel.
    detector: Resolution,
    /// The resolution of its rendered region.
    region: Resolution,
    /// The resolutions of the other panels.
    others: Vec<Resolution>,
    /// The resolution limit of the counted reflections, in Angstrom.
    limit_angstrom: f64,
    /// `None` if no reflection was read.
    completeness: Option<Completeness>,
    /// Terms of the sum of one pixel, including layers.
    terms_a_pixel: f64,
    /// The largest disk space of the images, without compression.
    disk_bytes: u64,
    image_bytes: u64,
    factor_bytes: u64,
    trial: Trial,
}

/// Every decision with its reason, as in the plan.
///
/// # Errors
/// [`RunError::LevelNotAvailable`].
pub(crate) fn decisions(job: &Job, args: &Args) -> Result<Vec<Value>, RunError> {
    let decisions = decisions::all(job, args, level(args)?);
    Ok(decisions.iter().map(Decision::json).collect())
}

/// Prints the plan of a command line. No output is opened.
///
/// # Errors
/// The errors of the run before it renders.
pub(crate) fn say(args: &Args, format: PlanFormat, stop: &Cancel) -> Result<(), RunError> {
    output_names::refuse_collisions(args)?;
    let series = args.series.count().map(|_| series::Asked::of(args));
    let series = series.transpose()?;
    let (args, job, images) = match &series {
        Some(asked) => (&asked.args, asked.first_job(stop)?, asked.numbers.len()),
        None => (args, Job::from_args(args, stop)?, 1),
    };
    base::save(args, &job)?;
    let mut outlook = Outlook::of(&job, args, images, stop)?;
    let variation = series.as_ref().map(series::Asked::variation);
    for (quantity, value) in variation.transpose()?.unwrap_or_default() {
        let is_of_flag = args.series.vary.iter().any(|(given, _)| *given == quantity);
        outlook.decisions.push(Decision {
            setting: quantity.name(),
            value,
            because: match is_of_flag {
                true => Because::Flag("vary"),
                false => Because::rule("the experiment file lets it vary"),
            },
        });
    }
    Console::of(args).anyway(|out| match format {
        PlanFormat::Text => out.write_all(text::of(&outlook).as_bytes()),
        PlanFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &outlook.json())?;
            writeln!(out)
        }
    });
    Ok(())
}

impl<'j> Outlook<'j> {
    fn of(job: &'j Job, args: &'j Args, images: usize, stop: &Cancel) -> Result<Self, RunError> {
        let experiment = &job.resolved.experiment;
        let panel = experiment.detector.first();
        let of = |panel: &Panel, first, end| {
            let place = (panel, experiment.beam.direction());
            Resolution::of(
                place,
                job.resolved.decisions.central_wavelength_m,
                first,
                end,
            )
        };
        let whole = |panel: &Panel| of(panel, [0, 0], [panel.pixels_fast(), panel.pixels_slow()]);
        let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
        let region = of(
            panel,
            [*fast.start(), *slow.start()],
            [*fast.end() + 1, *slow.end() + 1],
        );
        let detector = whole(panel);
        let panels = experiment.detector.panels().iter();
        let others: Vec<Resolution> = panels.skip(1).map(whole).collect();
        let finest = others.iter().map(Resolution::finest_angstrom);
        let limit_angstrom = finest
            .fold(detector.finest_angstrom(), f64::min)
            .max(experiment.dmin_m * 1e10);
        let offset = job.spec.response.offset.unwrap_or_default().counts;
        let pixels = experiment.detector.pixel_count() as u64;
        let files = output_names::named(args);
        let beam = DirectBeam::of(&job.resolved);
        Ok(Self {
            job,
            args,
            images,
            decisions: decisions::all(job, args, level(args)?),
            detector,
            region,
            others,
            limit_angstrom,
            completeness: completeness(job, limit_angstrom)?,
            terms_a_pixel: experiment.terms_a_pixel(),
            disk_bytes: files.most_bytes(pixels).saturating_mul(images as u64),
            image_bytes: bytes_needed(experiment),
            factor_bytes: factor_bytes(experiment),
            trial: trial::run(experiment, args, offset, beam.as_ref(), stop)?,
        })
    }

    /// The number of terms of all pixels.
    fn evaluations(&self) -> f64 {
        self.terms_a_pixel * self.trial.pixels_in_all as f64
    }

    /// The time to render all images, in seconds.
    fn render_s(&self) -> f64 {
        self.trial.render_s * self.images as f64
    }

    fn json(&self) -> Value {
        let resolution = |resolution: &Resolution| {
            json!({
                "sides_angstrom": resolution.sides_angstrom,
                "corners_angstrom": resolution.corners_angstrom,
                "finest_angstrom": resolution.finest_angstrom(),
            })
        };
        let missing = self.completeness.map(|found| {
            json!({
                "limit_angstrom": self.limit_angstrom,
                "expected": found.expected,
                "expected_is_counted": found.is_counted,
                "listed": found.listed,
                "missing": found.missing(),
                "missing_example_hkl": found.example.map(|(hkl, _)| hkl),
                "missing_example_angstrom": found.example.map(|(_, d)| d),
                "listed_without_friedel_mate": found.without_mate,
            })
        });
        let trial = &self.trial;
        json!({
            "format": "nanoBragg plan",
            "format_version": 1,
            "program": { "name": "nanoBragg", "version": env!("CARGO_PKG_VERSION") },
            "decisions": self.decisions.iter().map(Decision::json).collect::<Vec<_>>(),
            "fixes": record::fixes(self.job),
            "oddities": record::oddities(self.job, false),
            "warnings": record::warnings(self.job, self.args),
            "experiment": self.job.tree(),
            "images": settings::images(self.job, self.args),
            "accuracy": self.args.running.accuracy,
            "seeds": settings::seeds(self.job, self.args),
            "resolution": {
                "detector": resolution(&self.detector),
                "region": resolution(&self.region),
                "other_panels": self.others.iter().map(resolution).collect::<Vec<_>>(),
            },
            "reflections": missing,
            "estimate": {
                "pixels_tried": trial.pixels,
                "pixels_rendered": trial.pixels_in_all,
                "terms_ratio": trial.terms_ratio,
                "leaves_out_beam": self.job.resolved.decisions.scales_leave_out_beam,
                "brightest_photons": trial.brightest_photons,
                "brightest_fast_slow": [trial.brightest_at.fast, trial.brightest_at.slow],
                "overloads": trial.overloads,
                "render_s": trial.render_s,
                "images": self.images,
                "render_all_s": self.render_s(),
                "disk_bytes": self.disk_bytes,
            },
            "terms_a_pixel": self.terms_a_pixel,
            "evaluations": self.evaluations(),
            "memory": {
                "images_and_tables_bytes": self.image_bytes,
                "structure_factors_bytes": self.factor_bytes,
            },
            "machine": record::machine(self.args, level(self.args).ok().flatten()),
        })
    }
}

/// The completeness of the listed reflections up to `d_angstrom`; `None` if no reflection was read.
fn completeness(job: &Job, d_angstrom: f64) -> Result<Option<Completeness>, RunError> {
    let experiment = &job.resolved.experiment;
    let lattice = experiment.crystal.lattice();
    let sphere = Sphere::new(
        experiment.crystal.reciprocal().vectors(),
        lattice.lengths_angstrom,
        lattice.volume_a3,
        d_angstrom,
    );
    Ok(match &job.named.factors {
        FactorsSpec::Constant(_) => None,
        // The file is read again, because the grid does not distinguish listed reflections from defaults.
        // A pipe cannot be read again.
        FactorsSpec::List(list) if list.path.is_file() => {
            let (reflections, _) = read_list(list, job.named.crystal.cell.as_ref())?;
            Some(sphere.completeness(&reflections))
        }
        FactorsSpec::List(_)
        | FactorsSpec::Lists(_)
        | FactorsSpec::ByEnergy(_)
        | FactorsSpec::Coordinates(_)
        | FactorsSpec::Dump { .. }
        | FactorsSpec::Grid(_) => experiment
            .factors
            .bounds()
            .map(|bounds| sphere.completeness_of_box(&bounds)),
    })
}

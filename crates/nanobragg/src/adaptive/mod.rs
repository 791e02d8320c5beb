//! The numbers of sub-pixels, phi steps and mosaic domains that an allowed error needs.
//!
//! A pixel is a mean over its area, over the rotation and over the domains, and each of them is a sum over samples.
//! Here a few pixels about the brightest reflections are rendered with more and more samples until more of them
//! change nothing that counts. `docs/PHYSICS.md` has the rules.

mod probes;

use std::f64::consts::SQRT_2;
use std::fmt;

use nanobragg_physics::{Oddity, RunOptions, Scene, render};
use nanobragg_sources::phi_steps;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::resolve::Resolved;
use crate::spec::ExperimentSpec;
use crate::warning::Warning;
use probes::Probes;

pub(crate) use probes::expected;

/// The largest work of one trial: rows of pixels that lanes render together, times the terms of a pixel.
const MOST_WORK: f64 = 3e7;

/// The samples of a later sum while those of an earlier one are chosen.
const FEW: f64 = 16.0;

/// The first number of domains that is tried. Domains whose spots do not overlap change a trial wholly, so that it
/// does not end too early.
const FIRST_DOMAINS: f64 = 8.0;

/// What is chosen from an allowed error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoSpec {
    /// The sub-pixels along an edge of a pixel.
    pub oversample: bool,
    /// The steps of the spindle.
    pub phi_steps: bool,
    /// The mosaic domains.
    pub mosaic_domains: bool,
    /// The allowed error of a pixel, as a part of the brightest pixel; the sum of all that is chosen.
    pub error: f64,
}

impl Default for AutoSpec {
    fn default() -> Self {
        Self {
            oversample: false,
            phi_steps: false,
            mosaic_domains: false,
            error: 0.01,
        }
    }
}

/// What a pixel is a sum over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampled {
    /// Sub-pixels along an edge.
    SubPixels,
    /// Steps of the spindle.
    PhiSteps,
    /// Mosaic domains.
    MosaicDomains,
}

impl Sampled {
    /// All of them, in the order in which they are chosen.
    pub const ALL: [Self; 3] = [Self::SubPixels, Self::PhiSteps, Self::MosaicDomains];
}

impl fmt::Display for Sampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubPixels => "sub-pixels along an edge",
            Self::PhiSteps => "phi steps",
            Self::MosaicDomains => "mosaic domains",
        })
    }
}

/// A number of samples that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SamplingChoice {
    /// Of what.
    pub sampled: Sampled,
    /// The number.
    pub number: u32,
    /// The error of the tried pixels, as a part of the brightest of them.
    pub error: f64,
    /// The part of the allowed error that it may take.
    pub allowed: f64,
    /// The number of samples of the trial that the error was measured with.
    pub against: u32,
}

impl fmt::Display for SamplingChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            allowed,
            against,
            ..
        } = self;
        let kept = if error <= allowed { "" } else { "not kept: " };
        write!(
            f,
            "{kept}error {error:.2e} of the brightest pixel, {allowed:.2e} allowed, measured with {against}"
        )
    }
}

/// Resolves an experiment some of whose numbers are to be chosen.
///
/// Only the threads and the cancellation of `options` count: instructions must not change what is chosen.
pub(crate) fn resolve(
    spec: &ExperimentSpec,
    auto: AutoSpec,
    options: &RunOptions<'_>,
) -> Result<Resolved, Error> {
    let chooses = auto.oversample || auto.phi_steps || auto.mosaic_domains;
    let allowed = match auto.error > 0.0 && auto.error <= 1.0 {
        true if chooses => None,
        true => Some("left out, as no number of samples is chosen by it (auto)"),
        false => Some("above 0 and at most 1"),
    };
    if let Some(allowed) = allowed {
        return Err(Error::OutOfRange {
            quantity: "the allowed error of sampling",
            value: auto.error,
            allowed,
        });
    }
    refuse_given(spec, auto)?;
    let mut spec = spec.clone();
    spec.sampling.auto = None;
    let options = RunOptions {
        threads: options.threads,
        cancel: options.cancel,
        ..RunOptions::default()
    };
    let chosen = choices(&spec, auto, &options)?;
    let (choices, has_spots) = chosen.map_or((Vec::new(), false), |choices| (choices, true));
    for choice in &choices {
        choice.sampled.set(&mut spec, choice.number)?;
    }
    let mut resolved = spec.resolve()?;
    let decisions = &mut resolved.decisions;
    if auto.oversample {
        decisions.oversample_is_automatic = true;
        // The rule of thumb, which the trial replaces.
        let is_thumb = |warning: &Warning| matches!(warning, Warning::CoarseSampling { .. });
        decisions.warnings.retain(|warning| !is_thumb(warning));
    }
    if !has_spots {
        decisions.warnings.push(Warning::NothingToSample);
    }
    let missed = choices
        .iter()
        .filter(|choice| choice.error > choice.allowed);
    (decisions.warnings).extend(missed.copied().map(Warning::SamplingMissed));
    decisions.sampling = choices;
    Ok(resolved)
}

/// A number cannot be given and chosen.
fn refuse_given(spec: &ExperimentSpec, auto: AutoSpec) -> Result<(), Error> {
    let sweep = &spec.phi.sweep;
    let given = [
        (
            "the number of sub-pixels beside sampling.auto.oversample",
            auto.oversample,
            spec.sampling.oversample.map(f64::from),
        ),
        (
            "the number of phi steps beside sampling.auto.phi_steps",
            auto.phi_steps,
            sweep.count.map(|count| count as f64),
        ),
        (
            "the number of mosaic domains beside sampling.auto.mosaic_domains",
            auto.mosaic_domains,
            spec.crystal.mosaic.domains.map(|count| count as f64),
        ),
    ];
    for (quantity, is_chosen, value) in given {
        if let (true, Some(value)) = (is_chosen, value) {
            return Err(Error::OutOfRange {
                quantity,
                value,
                allowed: "left out",
            });
        }
    }
    Ok(())
}

impl Sampled {
    /// Gives the number of samples.
    fn set(self, spec: &mut ExperimentSpec, number: u32) -> Result<(), Error> {
        match self {
            Self::SubPixels => spec.sampling.oversample = Some(number),
            Self::PhiSteps => {
                spec.phi.sweep.range = Some(phi_steps(spec.phi.sweep)?.range);
                spec.phi.sweep.step = None;
                spec.phi.sweep.count = Some(number.into());
            }
            Self::MosaicDomains => spec.crystal.mosaic.domains = Some(number.into()),
        }
        Ok(())
    }
}

/// Chooses the numbers of samples, one after the other; `None` if there are no spots.
fn choices(
    spec: &ExperimentSpec,
    auto: AutoSpec,
    options: &RunOptions<'_>,
) -> Result<Option<Vec<SamplingChoice>>, Error> {
    let mut spec = spec.clone();
    // What varies slowly is not tried.
    spec.diffuse = None;
    if spec.factors.in_memory().is_some_and(|held| held.are_zero()) {
        return Ok(None);
    }
    spec.background.clear();
    spec.water = Default::default();
    let resolved = spec.resolve()?.experiment;
    let mosaic = resolved.crystal.mosaic();
    let varies = [
        auto.oversample,
        auto.phi_steps && resolved.phi.range_rad > 0.0,
        auto.mosaic_domains && mosaic.domains().len() > 1 && !mosaic.is_listed(),
    ];
    let open: Vec<Sampled> = (Sampled::ALL.into_iter().zip(varies))
        .filter_map(|(sampled, varies)| varies.then_some(sampled))
        .collect();
    let Some(probes) = Probes::of(&resolved)? else {
        return Ok(None);
    };
    let least = |sampled| match sampled {
        Sampled::SubPixels => probes.cycles[0].ceil().max(1.0),
        Sampled::PhiSteps => probes.cycles[1].ceil().max(1.0),
        Sampled::MosaicDomains => FIRST_DOMAINS,
    };
    for &sampled in &open {
        let few = match sampled {
            Sampled::SubPixels => 1.0,
            Sampled::PhiSteps => least(sampled).min(FEW),
            Sampled::MosaicDomains => FEW,
        };
        sampled.set(&mut spec, few as u32)?;
    }
    let allowed = auto.error / open.len() as f64;
    let mut chosen = Vec::new();
    for &sampled in &open {
        let trial = Trial::new(&spec, &probes, sampled, options)?;
        let choice = trial.choose(least(sampled), allowed)?;
        sampled.set(&mut spec, choice.number)?;
        chosen.push(choice);
    }
    // Sums over many samples of the others are smoother than those over few, and may need fewer of their own.
    let last = chosen.len().saturating_sub(1);
    for choice in chosen.iter_mut().take(last) {
        let trial = Trial::new(&spec, &probes, choice.sampled, options)?;
        if let Some(fewer) = trial.fewer(choice)? {
            *choice = fewer;
            choice.sampled.set(&mut spec, choice.number)?;
        }
    }
    Ok(Some(chosen))
}

/// Renders the probes with different numbers of samples.
struct Trial<'t> {
    spec: &'t ExperimentSpec,
    probes: &'t Probes,
    sampled: Sampled,
    options: &'t RunOptions<'t>,
    /// The work of one sample.
    work: f64,
}

impl<'t> Trial<'t> {
    fn new(
        spec: &'t ExperimentSpec,
        probes: &'t Probes,
        sampled: Sampled,
        options: &'t RunOptions<'t>,
    ) -> Result<Self, Error> {
        let mut one = spec.clone();
        sampled.set(&mut one, 1)?;
        let terms = one.resolve()?.experiment.terms_a_pixel();
        Ok(Self {
            spec,
            probes,
            sampled,
            options,
            work: terms * probes.rows as f64,
        })
    }

    /// The photons of the probes; `None` if they would take too long.
    fn photons(&self, number: f64) -> Result<Option<Vec<f32>>, Error> {
        let samples = match self.sampled {
            Sampled::SubPixels => number * number,
            Sampled::PhiSteps | Sampled::MosaicDomains => number,
        };
        if self.work * samples > MOST_WORK {
            return Ok(None);
        }
        let mut spec = self.spec.clone();
        self.sampled.set(&mut spec, number as u32)?;
        let mut experiment = spec.resolve()?.experiment;
        experiment.detector = self.probes.detector.clone();
        // The one cell that differs would be in another pixel than in the image.
        let fixes = experiment.fixes.with(Oddity::PhiZero);
        // Sums that are multiplied again at every sub-pixel have no limit.
        experiment.fixes = fixes.with(Oddity::OversampleFlags);
        let frame = render(&Scene::new(&experiment), self.options)?;
        let pixels = frame.panels.into_iter().flat_map(|panel| panel.pixels);
        Ok(Some(pixels.collect()))
    }

    /// At most half of the samples of a choice, if they do. Half of the samples have at least twice the error, so that
    /// the error is at most twice the difference.
    fn fewer(&self, choice: &SamplingChoice) -> Result<Option<SamplingChoice>, Error> {
        let number = f64::from(choice.number);
        let Some(fine) = self.photons(number)? else {
            return Ok(None);
        };
        for fewer in ladder().take_while(|fewer| 2.0 * fewer <= number) {
            let photons = self.photons(fewer)?;
            let error = photons.map_or(f64::INFINITY, |coarse| 2.0 * distance(&coarse, &fine));
            if error <= choice.allowed {
                return Ok(Some(SamplingChoice {
                    number: fewer as u32,
                    error,
                    against: choice.number,
                    ..*choice
                }));
            }
        }
        Ok(None)
    }

    /// The least number from a ladder that keeps the allowed error.
    fn choose(&self, least: f64, allowed: f64) -> Result<SamplingChoice, Error> {
        let choice = |number: f64, error: f64, against: f64| SamplingChoice {
            sampled: self.sampled,
            number: number as u32,
            error,
            allowed,
            against: against as u32,
        };
        let mut number = least;
        let Some(mut coarse) = self.photons(number)? else {
            return Ok(choice(number, f64::INFINITY, number));
        };
        let mut change = f64::INFINITY;
        let is_random = self.sampled == Sampled::MosaicDomains;
        while let Some(fine) = self.photons(2.0 * number)? {
            change = distance(&coarse, &fine);
            // Of independent errors, that of the finer set is at most that of the coarser one.
            if is_random && SQRT_2 * change <= allowed {
                return Ok(choice(number, SQRT_2 * change, 2.0 * number));
            }
            number *= 2.0;
            coarse = fine;
            if !is_random && change <= allowed / 4.0 {
                break;
            }
        }
        let finest = number;
        if is_random {
            return Ok(choice(finest, SQRT_2 * change, finest));
        }
        for fewer in ladder().take_while(|fewer| *fewer < finest) {
            let Some(photons) = self.photons(fewer)? else {
                break;
            };
            let error = distance(&photons, &coarse) + change;
            if error <= allowed {
                return Ok(choice(fewer, error, finest));
            }
        }
        Ok(choice(finest, change, finest))
    }
}

/// 1, 2, 3, 4, 6, 8, 12, 16, ...
fn ladder() -> impl Iterator<Item = f64> {
    let powers = std::iter::successors(Some(2.0), |power| Some(2.0 * power));
    std::iter::once(1.0).chain(powers.flat_map(|power: f64| [power, 1.5 * power]))
}

/// The largest difference of two pixels as a part of the brightest of `fine`; infinite if all are dark.
fn distance(coarse: &[f32], fine: &[f32]) -> f64 {
    let brightest = fine.iter().copied().fold(0.0, f32::max);
    if brightest <= 0.0 {
        return f64::INFINITY;
    }
    let pairs = coarse.iter().zip(fine);
    let differences = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
    differences.fold(0.0, f64::max) / f64::from(brightest)
}

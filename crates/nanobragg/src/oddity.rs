//! The oddities of the C program that are kept, by name.

use std::fmt;

use nanobragg_geometry::PixelKind;
use nanobragg_physics::Experiment;

/// Something the C program does that a physicist would not expect, and that is reproduced.
///
/// Each has a name and a paragraph in `docs/QUIRKS.md`. A run in which one changes the image says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// Q1: a step at phi = 0 exactly keeps the orientation of the step before it.
    PhiZero,
    /// Q2: named conventions ignore the pivot asked for.
    Pivot,
    /// Q3: some ways of giving the beam centre are not listened to.
    BeamCentre,
    /// Q4: one solid angle, polarization and capture fraction serve a whole pixel.
    Corrections,
    /// Q5: the layers of the sensor are summed undivided and scaled by the last one's capture.
    Thickness,
    /// Q6: corrections taken at every sub-pixel multiply the running sum.
    OversampleFlags,
    /// Q7: one index outside the grid ends interpolation for the rest of the run.
    Interpolation,
    /// Q8: the water background is scaled twice.
    Water,
    /// Q9: a random misset takes a spread of 90 as radians.
    MissetRandom,
    /// Q10: a curved detector fits the frame of MOSFLM only.
    Curved,
    /// Q11: some input is read and not used.
    IgnoredInput,
    /// Q12: some flags have no effect.
    NoEffect,
    /// Q13: a CLOSE_DISTANCE in a header makes an explicit distance ineffective.
    HeaderDistance,
}

impl Oddity {
    /// The name, as in `docs/QUIRKS.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhiZero => "phi-zero",
            Self::Pivot => "pivot",
            Self::BeamCentre => "beam-centre",
            Self::Corrections => "corrections",
            Self::Thickness => "thickness",
            Self::OversampleFlags => "oversample-flags",
            Self::Interpolation => "interpolation",
            Self::Water => "water",
            Self::MissetRandom => "misset-random",
            Self::Curved => "curved",
            Self::IgnoredInput => "ignored-input",
            Self::NoEffect => "no-effect",
            Self::HeaderDistance => "header-distance",
        }
    }

    /// What it does, in a sentence.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::PhiZero => {
                "a step at exactly phi = 0 is rendered at the orientation of the step before it"
            }
            Self::Pivot => "the convention decides the pivot, not the flags",
            Self::BeamCentre => "this way of giving the beam centre does not place the beam",
            Self::Corrections => {
                "one solid angle, polarization and capture fraction serve all sub-pixels and \
                 sources of a pixel"
            }
            Self::Thickness => {
                "the layers of the sensor are added undivided and scaled by the capture fraction \
                 of the last one"
            }
            Self::OversampleFlags => {
                "corrections taken at every sub-pixel multiply the running sum, not the term"
            }
            Self::Interpolation => {
                "an index near the edge of the grid ended interpolation for the rest of the image"
            }
            Self::Water => "the water background is scaled by the fluence twice",
            Self::MissetRandom => {
                "the random orientation takes a spread of 90 as radians and is not uniform"
            }
            Self::Curved => "a curved detector is bent along laboratory y and z",
            Self::IgnoredInput => "this input is read and not used",
            Self::NoEffect => "this flag has no effect",
            Self::HeaderDistance => {
                "a CLOSE_DISTANCE in a header makes the distance given ineffective"
            }
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (oddity '{}' of the C program)",
            self.effect(),
            self.name()
        )
    }
}

/// The oddities that can be told from a resolved experiment alone.
pub(crate) fn of_experiment(experiment: &Experiment) -> Vec<Oddity> {
    let sampling = &experiment.sampling;
    let sensor = experiment.detector.sensor();
    let several_directions = {
        let mut directions = experiment.sources.iter().map(|source| source.direction);
        let first = directions.next();
        directions.any(|direction| Some(direction) != first)
    };
    let polarization_varies = !experiment.polarization.off && !sampling.per_subpixel_polarization;
    let solid_angle_varies = !sampling.per_subpixel_solid_angle;
    let is_point = experiment.detector.pixel_kind() == PixelKind::Point;
    let subpixels_differ = sampling.oversample > 1;
    let corrections = (subpixels_differ && (solid_angle_varies || polarization_varies))
        || (several_directions && polarization_varies)
        || (sensor.layers > 1 && solid_angle_varies && !is_point);

    let phis = || experiment.phi.angles_rad();
    let rests_at_zero = phis().any(|phi| phi == 0.0) && phis().any(|phi| phi != 0.0);

    [
        (Oddity::PhiZero, rests_at_zero),
        (Oddity::Corrections, corrections),
        (Oddity::Thickness, sensor.is_modelled()),
        (Oddity::OversampleFlags, sampling.corrects_each_subpixel()),
        (Oddity::Water, experiment.water_m > 0.0),
    ]
    .into_iter()
    .filter_map(|(oddity, holds)| holds.then_some(oddity))
    .collect()
}

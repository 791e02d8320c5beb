//! A series, and what each of its frames is.

use nanobragg_crystal::Misset;
use nanobragg_geometry::Angle;
use nanobragg_response::NoiseStream;
use nanobragg_sources::phi_steps;

use super::seeds::{BaseSeeds, Purpose, frame_seed, seed_for};
use super::{Shard, Values};
use crate::error::Error;
use crate::spec::ExperimentSpec;

/// Spindle angles of frames are multiples of a billionth of a degree: they can then be typed.
const PER_DEGREE: f64 = 1e9;

/// What changes from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesKind {
    /// The spindle goes on: each frame begins where the one before it ended.
    Rotation,
    /// Each frame is a crystal of its own in a random orientation, with mosaic domains of its own.
    Shots,
}

/// Many images of one experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSpec {
    /// What changes from frame to frame.
    pub kind: SeriesKind,
    /// How many frames there are; they are numbered from 1.
    pub count: u32,
    /// The seeds of the whole series.
    pub seeds: BaseSeeds,
}

/// One frame of a series.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its number, from 1.
    pub number: u32,
    /// The experiment, as it would be described to render this frame alone.
    pub spec: ExperimentSpec,
    /// Angle of its first spindle step in degrees.
    pub phi_deg: f64,
    /// Seed of its noise.
    pub noise_seed: i64,
    /// The values of the quantities that vary.
    pub values: Values,
}

impl SeriesSpec {
    /// A series with the base seed 1.
    pub const fn new(kind: SeriesKind, count: u32) -> Self {
        Self {
            kind,
            count,
            seeds: BaseSeeds::all(1),
        }
    }

    /// The numbers from the first to the last of `only`, or all, that belong to the part `shard`, ascending.
    pub fn numbers(&self, only: Option<[u32; 2]>, shard: Option<Shard>) -> Vec<u32> {
        let [first, last] = only.unwrap_or([1, self.count]);
        (first..=last)
            .filter(|number| shard.is_none_or(|shard| shard.contains(*number)))
            .collect()
    }

    /// The random numbers of the noise of its frames: those of `spec`, or the counter stream if it does not say. With the
    /// counter stream a part of a frame has the same counts as the complete frame.
    pub fn noise_stream(&self, spec: &ExperimentSpec) -> NoiseStream {
        spec.response.noise_stream.unwrap_or(NoiseStream::Counter)
    }

    /// The seed of the quantities that vary in the frame of this number.
    pub(super) fn vary_seed(&self, number: u32) -> i64 {
        seed_for(Purpose::Vary, self.seeds.vary, number)
    }

    /// The frame of this number.
    ///
    /// In a rotation, frame n begins at `phi + (n - 1) osc`, rounded to a billionth of a degree, where
    /// phi is the start and osc the range of the sweep of `spec`. Of shots, frame n has a uniformly
    /// random orientation and mosaic domains from seeds of its own. The noise has a seed of its own in
    /// both, for the random numbers of [`noise_stream`](Self::noise_stream).
    ///
    /// Quantities that vary have values that depend on their names, the base seed and the number.
    ///
    /// # Errors
    /// [`Error::NoSuchFrame`]; [`Error::Variation`] for a quantity that cannot vary as specified, and
    /// [`Error::OfImage`] for values that cannot be drawn and a cell that no crystal has;
    /// [`Error::NoOscillation`] for a rotation of several frames whose sweep has no range; those of the sweep.
    pub fn frame(&self, spec: &ExperimentSpec, number: u32) -> Result<Frame, Error> {
        let count = self.count;
        if !(1..=count).contains(&number) {
            return Err(Error::NoSuchFrame { number, count });
        }
        spec.check_variation()?;
        let drawn = spec.drawn(self.vary_seed(number));
        let (mut spec, values) = drawn.map_err(|source| of_image(number, source))?;
        if !values.is_empty() {
            spec.check_cell().map_err(|source| Error::OfImage {
                number,
                having: format!(" would have {}", words_of(&values)),
                source: Box::new(source),
            })?;
        }
        spec.response.noise_stream = Some(self.noise_stream(&spec));
        let mut phi_deg = spec.phi.start.degrees();
        match self.kind {
            SeriesKind::Rotation => {
                let osc_deg = Angle::from_radians(phi_steps(spec.phi.sweep)?.range).degrees();
                if osc_deg <= 0.0 && count > 1 {
                    return Err(Error::NoOscillation);
                }
                let exact_deg = phi_deg + f64::from(number - 1) * osc_deg;
                phi_deg = (exact_deg * PER_DEGREE).round() / PER_DEGREE;
                spec.phi.start = Angle::from_degrees(phi_deg);
            }
            SeriesKind::Shots => {
                spec.crystal.misset = Some(Misset::RandomUniform {
                    seed: seed_for(Purpose::Misset, self.seeds.misset, number),
                });
                spec.crystal.mosaic.seed = seed_for(Purpose::Mosaic, self.seeds.mosaic, number);
            }
        }
        Ok(Frame {
            number,
            spec,
            phi_deg,
            noise_seed: frame_seed(self.seeds.noise, number),
            values,
        })
    }
}

/// The error of this image.
pub(super) fn of_image(number: u32, source: Error) -> Error {
    Error::OfImage {
        number,
        having: String::new(),
        source: Box::new(source),
    }
}

/// The values in words: `cell_a 78.2, N 12`.
fn words_of(values: &Values) -> String {
    let words = values
        .iter()
        .map(|(quantity, value)| format!("{quantity} {value}"));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::PhiSpec;
    use nanobragg_sources::StepSpec;

    fn sweep(start_deg: f64, range_deg: Option<f64>) -> ExperimentSpec {
        ExperimentSpec {
            phi: PhiSpec {
                start: Angle::from_degrees(start_deg),
                sweep: StepSpec {
                    range: range_deg.map(|deg| Angle::from_degrees(deg).radians()),
                    ..StepSpec::default()
                },
            },
            ..ExperimentSpec::default()
        }
    }

    #[test]
    fn frames_of_a_rotation_begin_at_angles_that_can_be_typed() {
        let series = SeriesSpec::new(SeriesKind::Rotation, 3600);
        let spec = sweep(10.0, Some(0.1));
        for (number, phi_deg) in [(1, 10.0), (4, 10.3), (1235, 133.4), (3600, 369.9)] {
            let frame = series.frame(&spec, number).unwrap();
            assert_eq!(frame.phi_deg, phi_deg);
            assert_eq!(frame.spec.phi.start, Angle::from_degrees(phi_deg));
            assert_eq!(frame.spec.phi.sweep, spec.phi.sweep);
        }
    }

    #[test]
    fn a_rotation_that_does_not_turn_is_refused() {
        let still = sweep(0.0, None);
        let of = |count| SeriesSpec::new(SeriesKind::Rotation, count).frame(&still, 1);
        assert!(matches!(of(2), Err(Error::NoOscillation)));
        assert!(of(1).is_ok());
    }

    #[test]
    fn numbers_begin_at_1_and_end_at_the_count() {
        let series = SeriesSpec::new(SeriesKind::Shots, 5);
        for number in [0, 6] {
            let frame = series.frame(&ExperimentSpec::default(), number);
            assert!(matches!(frame, Err(Error::NoSuchFrame { .. })), "{number}");
        }
    }

    #[test]
    fn a_shot_depends_on_its_number_and_not_on_the_length_of_the_series() {
        let spec = ExperimentSpec::default();
        let shot = |count, number| {
            let series = SeriesSpec::new(SeriesKind::Shots, count);
            let frame = series.frame(&spec, number).unwrap();
            (
                frame.spec.crystal.misset,
                frame.spec.crystal.mosaic.seed,
                frame.noise_seed,
            )
        };
        assert_eq!(shot(10, 3), shot(1000, 3));
        assert_ne!(shot(10, 3), shot(10, 4));
    }
}

//! The values of the flags, [`Args`], and the tables of flags.
//!
//! Each file in this folder has one group of flags: their struct and their table. Flags change `Args` in
//! the order typed, so that the last of several flags wins: `-N 5 -Na 3` gives 3, 5, 5 cells,
//! `-Na 3 -N 5` gives 5, 5, 5.
//!
//! Fields have the units of the command line, which are in their names. `None` means "not given".

mod background;
mod beam;
mod beam_stop;
mod coordinates;
mod crystal;
mod defects;
mod detector;
mod diffuse;
pub mod flag;
mod noise;
mod output;
mod range;
mod response;
mod running;
mod sampling;
mod series;
mod structure_factors;
mod task;
mod value;
mod vectors;
mod warning;

use std::ffi::OsString;
use std::sync::Arc;

pub use background::BackgroundArgs;
pub use beam::BeamArgs;
pub use beam_stop::BeamStopArgs;
pub use coordinates::CoordinateArgs;
pub(crate) use coordinates::correction;
pub use crystal::CrystalArgs;
pub use detector::{Centre, DetectorArgs};
pub use diffuse::DiffuseArgs;
pub use noise::NoiseArgs;
pub use output::OutputArgs;
pub use range::{Range, WholeRange};
pub use response::ResponseArgs;
pub use running::{DeviceWord, FIXES, LEVELS, PlanFormat, RunningArgs, Verbosity};
pub use sampling::{AutoArgs, SamplingArgs};
pub use series::SeriesArgs;
pub use structure_factors::FactorArgs;
pub use task::Task;
pub(crate) use value::apply;
pub use vectors::VectorArgs;
pub use warning::Warning;

use nanobragg::ExperimentSpec;

use crate::Error;
use flag::{FlagSpec, Group};

/// The values of all flags. The last of several flags wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Args {
    /// Cell, orientation, size and shape.
    pub crystal: CrystalArgs,
    /// The diffuse scattering of the crystal.
    pub diffuse: DiffuseArgs,
    /// The source of structure factors.
    pub factors: FactorArgs,
    /// The atoms from which structure factors are computed.
    pub coordinates: CoordinateArgs,
    /// Pixels, placement and sensor.
    pub detector: DetectorArgs,
    /// Axes of the laboratory and the detector.
    pub vectors: VectorArgs,
    /// Spectrum, divergence, intensity.
    pub beam: BeamArgs,
    /// Amorphous material in the beam.
    pub background: BackgroundArgs,
    /// The beam stop.
    pub beam_stop: BeamStopArgs,
    /// The sums of a pixel.
    pub sampling: SamplingArgs,
    /// Files to write and their scales.
    pub output: OutputArgs,
    /// The stages of the detector.
    pub response: ResponseArgs,
    /// A series of images.
    pub series: SeriesArgs,
    /// Noise, and seeds.
    pub noise: NoiseArgs,
    /// Threads, messages, corrections of oddities.
    pub running: RunningArgs,
    /// The flags on the command line, by name, in the order typed.
    pub given: Vec<&'static str>,
    /// Warnings about the flags.
    pub warnings: Vec<Warning>,
    /// The experiment that the flags override.
    pub base: Option<Base>,
}

/// The experiment that flags override.
#[derive(Debug, Clone)]
pub struct Base {
    pub(crate) spec: Arc<ExperimentSpec>,
    /// What the values of its file are taken for.
    pub(crate) warnings: Vec<nanobragg::Warning>,
}

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spec, &other.spec)
    }
}

impl Args {
    /// Applies a flag.
    ///
    /// # Errors
    /// The first value that the flag does not allow.
    pub(crate) fn take(
        &mut self,
        spec: &'static FlagSpec,
        words: &[OsString],
    ) -> Result<(), Error> {
        value::apply(spec, words, self)?;
        if let Some(replaced) = spec.replaced {
            let numbers = words.iter().filter_map(|word| word.to_str()?.parse().ok());
            let value = numbers
                .into_iter()
                .find(|value| (replaced.is_replaced)(*value));
            let by = replaced.by;
            let flag = spec.name;
            (self.warnings).extend(value.map(|value| Warning::Replaced { flag, value, by }));
        }
        if spec.ignored {
            self.warnings.push(Warning::NoEffect { flag: spec.name });
        }
        self.given.push(spec.name);
        Ok(())
    }

    /// Refuses flags that exclude each other, and collects warnings about values.
    ///
    /// # Errors
    /// The first pair of flags, or the flag that needs another one.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        task::check(self)?;
        beam::check(self)?;
        series::check(self)?;
        defects::check(self)?;
        self.warnings.extend(warning::of_values(self));
        Ok(())
    }

    /// Whether the flag of this name (not an alias) was on the command line.
    pub fn gives(&self, name: &str) -> bool {
        self.given.contains(&name)
    }
}

/// The groups of flags, in the order of the help.
pub fn groups() -> [&'static Group; 16] {
    [
        &crystal::GROUP,
        &diffuse::GROUP,
        &structure_factors::GROUP,
        &coordinates::GROUP,
        &detector::GROUP,
        &vectors::GROUP,
        &beam::GROUP,
        &background::GROUP,
        &beam_stop::GROUP,
        &sampling::GROUP,
        &output::GROUP,
        &noise::GROUP,
        &defects::GROUP,
        &response::GROUP,
        &series::GROUP,
        &running::GROUP,
    ]
}

/// All flags.
pub fn flags() -> impl Iterator<Item = &'static FlagSpec> {
    groups().into_iter().flat_map(|group| group.flags)
}

/// The flag with this name or alias, without dashes.
pub fn find(name: &str) -> Option<&'static FlagSpec> {
    flags().find(|spec| spec.names().any(|known| known == name))
}

/// A count; 0 or less means "not given" or "automatic".
fn positive(count: i64) -> Option<u32> {
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// A count in a range up to [`WholeRange::MOST`]; a negative number becomes 0.
fn count(count: i64) -> u32 {
    u32::try_from(count.clamp(0, WholeRange::MOST)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod literals;
#[cfg(test)]
mod tests;

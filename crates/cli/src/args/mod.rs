//! What the user asked for: [`Args`], and the tables of flags that fill it.
//!
//! Each file beside this one holds one group of flags: the struct they fill and the table that
//! defines them. A flag changes `Args` when its turn comes, in the order typed, so that the last of
//! several flags on one subject wins: `-N 5 -Na 3` asks for 3, 5, 5 cells, `-Na 3 -N 5` for 5, 5, 5.
//!
//! Fields keep the units of the command line and say them in their names; `None` is "not given".

mod beam;
mod coordinates;
mod crystal;
mod detector;
pub mod flag;
mod noise;
mod output;
mod range;
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

pub use beam::BeamArgs;
pub use coordinates::CoordinateArgs;
pub(crate) use coordinates::correction;
pub use crystal::CrystalArgs;
pub use detector::{Centre, DetectorArgs};
pub use noise::NoiseArgs;
pub use output::OutputArgs;
pub use range::{Range, WholeRange};
pub use running::{FIXES, LEVELS, PlanFormat, RunningArgs, Verbosity};
pub use sampling::SamplingArgs;
pub use series::SeriesArgs;
pub use structure_factors::FactorArgs;
pub use task::Task;
pub(crate) use value::apply;
pub use vectors::VectorArgs;
pub use warning::Warning;

use nanobragg::ExperimentSpec;

use crate::Error;
use flag::{FlagSpec, Group};

/// Everything the flags say, the last of each kind winning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Args {
    /// Cell, orientation, size and shape.
    pub crystal: CrystalArgs,
    /// Where structure factors come from.
    pub factors: FactorArgs,
    /// Atoms that structure factors are worked out from.
    pub coordinates: CoordinateArgs,
    /// Pixels, placement and sensor.
    pub detector: DetectorArgs,
    /// Axes of the laboratory and the detector.
    pub vectors: VectorArgs,
    /// Spectrum, divergence, intensity.
    pub beam: BeamArgs,
    /// What the sum runs over.
    pub sampling: SamplingArgs,
    /// Files to write and their scales.
    pub output: OutputArgs,
    /// Many images.
    pub series: SeriesArgs,
    /// Noise, and seeds.
    pub noise: NoiseArgs,
    /// Threads, messages, corrections of oddities.
    pub running: RunningArgs,
    /// The flags on the command line, by name, in the order typed.
    pub given: Vec<&'static str>,
    /// What the user should hear about the flags themselves.
    pub warnings: Vec<Warning>,
    /// The experiment that the flags are laid over.
    pub base: Option<Base>,
}

/// The experiment that flags are laid over.
#[derive(Debug, Clone)]
pub struct Base(pub(crate) Arc<ExperimentSpec>);

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Args {
    /// Lets a flag have its effect.
    ///
    /// # Errors
    /// The first value that it cannot take.
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

    /// Refuses flags that do not go together, and warns of values that may surprise.
    ///
    /// # Errors
    /// The first pair of flags, or the flag that lacks another one.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        task::check(self)?;
        series::check(self)?;
        self.warnings.extend(warning::of_values(self));
        Ok(())
    }

    /// Whether the flag of this name (not an alias) was on the command line.
    pub fn gives(&self, name: &str) -> bool {
        self.given.contains(&name)
    }
}

/// The groups of flags, in the order of the help.
pub fn groups() -> [&'static Group; 11] {
    [
        &crystal::GROUP,
        &structure_factors::GROUP,
        &coordinates::GROUP,
        &detector::GROUP,
        &vectors::GROUP,
        &beam::GROUP,
        &sampling::GROUP,
        &output::GROUP,
        &noise::GROUP,
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

/// A count of which 0 or less means "not given" or "automatic".
fn positive(count: i64) -> Option<u32> {
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// A count within a range that ends below [`WholeRange::MOST`]; below 0 it is 0.
fn count(count: i64) -> u32 {
    u32::try_from(count.clamp(0, WholeRange::MOST)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod literals;
#[cfg(test)]
mod tests;

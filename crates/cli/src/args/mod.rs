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

use crate::Error;
use crate::argv::{self, Given, Spelled};
use crate::base::Base;
use flag::{FlagSpec, Group};

/// A command line, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Simulate.
    Run(Box<Args>),
    /// Print this text (help or version) and be done.
    Show(String),
}

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

impl Invocation {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// See [`Error`]: the first flag that is unknown, or whose values cannot be taken.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, Error> {
        match argv::parse(words)? {
            Spelled::Flags(given) => Ok(Self::Run(Box::new(Args::from_given(&given)?))),
            Spelled::Show(text) => Ok(Self::Show(text)),
        }
    }
}

impl Args {
    /// Lets flags take effect in the order typed.
    ///
    /// # Errors
    /// The first value that its flag cannot take.
    pub fn from_given(given: &[Given]) -> Result<Self, Error> {
        let mut args = Self::default();
        for Given { spec, words } in given {
            value::apply(spec, words, &mut args)?;
            if spec.ignored {
                args.warnings.push(Warning::NoEffect { flag: spec.name });
            }
            args.given.push(spec.name);
        }
        task::check(&args)?;
        series::check(&args)?;
        args.warnings.extend(warning::of_values(&args));
        Ok(args)
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
mod tests;

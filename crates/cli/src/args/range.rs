use std::fmt;

use nanobragg::ExperimentSpec;

/// The numbers that a flag allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Any finite number.
    Any,
    /// Finite and above 0.
    AboveZero,
    /// Finite and not below 0.
    ZeroOrMore,
    /// From 0 to 1.
    Fraction,
    /// Above 0, and at most 1.
    AboveZeroToOne,
    /// Not below 0; `inf` is allowed.
    ZeroToInfinity,
}

impl Range {
    /// The largest magnitude of numbers other than photons and scales.
    pub const MOST: f64 = ExperimentSpec::MOST_MAGNITUDE;
    /// The largest number of photons, and the largest scale.
    pub const MOST_PHOTONS: f64 = ExperimentSpec::MOST_PHOTONS;
    /// The smallest number of a flag that needs a number above 0.
    pub const LEAST: f64 = ExperimentSpec::LEAST_MAGNITUDE;

    /// Whether `value` is allowed; NaN is not.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Any => value.is_finite(),
            Self::AboveZero => value.is_finite() && value > 0.0,
            Self::ZeroOrMore => value.is_finite() && value >= 0.0,
            Self::Fraction => (0.0..=1.0).contains(&value),
            Self::AboveZeroToOne => value > 0.0 && value <= 1.0,
            Self::ZeroToInfinity => value >= 0.0,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any finite number",
            Self::AboveZero => "a number above 0",
            Self::ZeroOrMore => "a number, 0 or more",
            Self::Fraction => "a number from 0 to 1",
            Self::AboveZeroToOne => "a number above 0 and at most 1",
            Self::ZeroToInfinity => "a number, 0 or more, or inf",
        })
    }
}

/// The whole numbers that a flag allows, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeRange {
    /// The least.
    pub least: i64,
    /// The greatest.
    pub most: i64,
}

impl WholeRange {
    /// The largest count.
    pub const MOST: i64 = ExperimentSpec::MOST_COUNT;

    /// All numbers: seeds.
    pub const ANY: Self = Self {
        least: i64::MIN,
        most: i64::MAX,
    };
    /// Counts for which 0 or less means "automatic" or "not given".
    pub const COUNT: Self = Self {
        least: i64::MIN,
        most: Self::MOST,
    };
    /// Counts of at least one.
    pub const ONE_OR_MORE: Self = Self {
        least: 1,
        most: Self::MOST,
    };
    /// Positions and counts of at least zero.
    pub const ZERO_OR_MORE: Self = Self {
        least: 0,
        most: Self::MOST,
    };

    /// Whether `value` is allowed.
    pub fn contains(self, value: i64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

impl fmt::Display for WholeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (i64::MIN, i64::MAX) => f.write_str("a whole number"),
            (i64::MIN, most) => write!(f, "a whole number, at most {most}"),
            (least, most) => write!(f, "a whole number from {least} to {most}"),
        }
    }
}

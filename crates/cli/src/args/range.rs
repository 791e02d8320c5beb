use std::fmt;

/// Which numbers a flag allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Any finite number.
    Any,
    /// Finite and above 0.
    AboveZero,
    /// Finite and not below 0.
    ZeroOrMore,
    /// Not below 0, and `inf` too.
    ZeroToInfinity,
}

impl Range {
    /// The largest magnitude of anything but photons and scales. No length, angle or energy of an
    /// experiment comes near it, and products of several such numbers stay finite.
    pub const MOST: f64 = 1e15;
    /// The largest number of photons, and the largest scale.
    pub const MOST_PHOTONS: f64 = 1e60;
    /// The smallest number where one has to be above 0.
    pub const LEAST: f64 = 1e-15;

    /// Whether `value` is allowed; NaN never is.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Any => value.is_finite(),
            Self::AboveZero => value.is_finite() && value > 0.0,
            Self::ZeroOrMore => value.is_finite() && value >= 0.0,
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
            Self::ZeroToInfinity => "a number, 0 or more, or inf",
        })
    }
}

/// Which whole numbers a flag allows, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeRange {
    /// The least.
    pub least: i64,
    /// The greatest.
    pub most: i64,
}

impl WholeRange {
    /// The greatest count of anything: far beyond use, and safe to square in 64 bits.
    pub const MOST: i64 = 1_000_000_000;

    /// Anything that fits: seeds.
    pub const ANY: Self = Self {
        least: i64::MIN,
        most: i64::MAX,
    };
    /// Counts where 0 or less has a meaning: "automatic", "not given".
    pub const COUNT: Self = Self {
        least: i64::MIN,
        most: Self::MOST,
    };
    /// Counts of at least one.
    pub const ONE_OR_MORE: Self = Self {
        least: 1,
        most: Self::MOST,
    };
    /// Places and counts of at least zero.
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

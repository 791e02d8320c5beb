//! How a quantity is distributed over the images of a series.

use std::fmt;
use std::str::FromStr;

use nanobragg_io::printf::general;
use nanobragg_numeric::PixelNoise;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::spec::ExperimentSpec;

/// The most draws of one value. A normal distribution is cut where a quantity has no meaning, by drawing again.
const MOST_DRAWS: usize = 1000;

/// The significant digits of a drawn value, so that it can be typed.
const DIGITS: usize = 10;

/// A distribution of values. `base` is the value of the experiment.
///
/// | in a file | with `-vary` | value |
/// |---|---|---|
/// | `12.5` | `12.5` | 12.5 in every image |
/// | `{ normal = 0.3 }` | `normal:0.3` | base + 0.3 z, where z is normal with mean 0 and variance 1 |
/// | `{ lognormal = 0.3 }` | `lognormal:0.3` | base exp(0.3 z) |
/// | `{ uniform = [-0.1, 0.2] }` | `uniform:-0.1,0.2` | base + d, d uniform from -0.1 to 0.2 |
/// | `{ between = [10, 30] }` | `between:10,30` | uniform from 10 to 30 |
/// | `{ choice = [10, 20] }` | `choice:10,20` | one of them, each as often |
///
/// The widths of `normal` and `uniform` can be in percent of the base: `"0.5 %"` in a file, `normal:0.5%`.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// The same value in every image.
    Value(f64),
    /// A normal distribution about the base, with this standard deviation.
    Normal(Width),
    /// A distribution whose logarithm is normal, about that of the base, with this standard deviation.
    Lognormal(f64),
    /// A uniform distribution of the difference from the base, between these two.
    Uniform([Width; 2]),
    /// A uniform distribution between two values.
    Between([f64; 2]),
    /// Equally probable values.
    Choice(Vec<f64>),
}

/// A difference from the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// In the unit of the quantity.
    Absolute(f64),
    /// In percent of the base.
    Percent(f64),
}

impl Width {
    /// The difference in the unit of the quantity.
    fn of(self, base: f64) -> f64 {
        match self {
            Self::Absolute(by) => by,
            Self::Percent(percent) => base * percent / 100.0,
        }
    }

    const fn number(self) -> f64 {
        match self {
            Self::Absolute(number) | Self::Percent(number) => number,
        }
    }

    fn is_of_zero(self, base: f64) -> bool {
        matches!(self, Self::Percent(_)) && base == 0.0
    }
}

/// The values that a quantity can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Allowed {
    /// From the first to the second.
    Range(f64, f64),
    /// A whole number from 1 to this; what is drawn is rounded to it.
    Whole(i64),
}

impl Allowed {
    /// Any number that an experiment can have.
    pub(super) const ANY: Self = Self::within(ExperimentSpec::MOST_MAGNITUDE);
    /// The same above 0.
    pub(super) const POSITIVE: Self = Self::Range(
        ExperimentSpec::LEAST_MAGNITUDE,
        ExperimentSpec::MOST_MAGNITUDE,
    );
    /// The same from 0.
    pub(super) const ZERO_OR_MORE: Self = Self::Range(0.0, ExperimentSpec::MOST_MAGNITUDE);
    /// Photons, or a scale of them.
    pub(super) const PHOTONS: Self = Self::Range(0.0, ExperimentSpec::MOST_PHOTONS);
    /// A count.
    pub(super) const COUNT: Self = Self::Whole(ExperimentSpec::MOST_COUNT);

    /// At most this far from 0.
    pub(super) const fn within(most: f64) -> Self {
        Self::Range(-most, most)
    }

    fn allows(self, value: f64) -> bool {
        match self {
            Self::Range(least, most) => (least..=most).contains(&value),
            Self::Whole(most) => (0.5..=most as f64).contains(&value),
        }
    }

    /// Whether a value that is not drawn is allowed.
    fn allows_given(self, value: f64) -> bool {
        let is_whole = value >= 1.0 && value.fract() == 0.0;
        self.allows(value) && (is_whole || matches!(self, Self::Range(..)))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(least, most) => write!(f, "from {} to {}", general(*least), general(*most)),
            Self::Whole(most) => write!(f, "a whole number from 1 to {most}"),
        }
    }
}

impl Distribution {
    /// Checks the numbers, as far as it can be done without the base.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check_stated(&self, allowed: Allowed) -> Result<(), String> {
        let each = |values: &[f64]| {
            let refused = values.iter().find(|value| !allowed.allows_given(**value));
            refused.map_or(Ok(()), |value| {
                let value = general(*value);
                Err(format!("{value} is not allowed, it must be {allowed}"))
            })
        };
        match self {
            Self::Value(value) => each(&[*value]),
            Self::Normal(width) => at_least_zero("the width", width.number()),
            Self::Lognormal(width) => at_least_zero("the width", *width),
            Self::Uniform(_) => Ok(()),
            Self::Between(ends) => check_range(*ends, allowed),
            Self::Choice(values) if values.is_empty() => {
                Err("there is nothing to choose from".to_owned())
            }
            Self::Choice(values) => each(values),
        }
    }

    /// Checks the numbers, for a quantity of this base.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(&self, base: f64, allowed: Allowed) -> Result<(), String> {
        self.check_stated(allowed)?;
        match self {
            Self::Normal(width) if width.is_of_zero(base) => {
                Err("a percentage of 0 is 0; give its width in the unit".to_owned())
            }
            Self::Lognormal(_) if base.is_nan() || base <= 0.0 => Err(format!(
                "a lognormal distribution needs a value above 0 to be about; it is {base}"
            )),
            Self::Uniform(ends) if ends.iter().any(|end| end.is_of_zero(base)) => {
                Err("a percentage of 0 is 0; give its ends in the unit".to_owned())
            }
            Self::Uniform(ends) => check_range(ends.map(|end| base + end.of(base)), allowed),
            _ => Ok(()),
        }
    }

    /// A value, from the uniform deviates of `noise`.
    ///
    /// # Errors
    /// If a thousand draws are not allowed.
    pub(super) fn draw(
        &self,
        base: f64,
        allowed: Allowed,
        noise: &mut PixelNoise,
    ) -> Result<f64, String> {
        for _ in 0..MOST_DRAWS {
            let value = match self {
                Self::Value(value) => return Ok(*value),
                Self::Choice(values) => {
                    let at = (noise.uniform() * values.len() as f64) as usize;
                    return Ok(values.get(at).copied().unwrap_or(base));
                }
                Self::Normal(sigma) => base + sigma.of(base) * noise.gaussian(),
                Self::Lognormal(sigma) => base * (sigma * noise.gaussian()).exp(),
                Self::Uniform([low, high]) => {
                    let (low, high) = (low.of(base), high.of(base));
                    base + low + (high - low) * noise.uniform()
                }
                Self::Between([low, high]) => low + (high - low) * noise.uniform(),
            };
            if allowed.allows(value) {
                return Ok(match allowed {
                    Allowed::Whole(_) => value.round(),
                    Allowed::Range(..) => rounded(value),
                });
            }
        }
        Err(format!("none of {MOST_DRAWS} draws is {allowed}"))
    }
}

fn check_range([low, high]: [f64; 2], allowed: Allowed) -> Result<(), String> {
    if low.is_nan() || high.is_nan() || low > high {
        return Err(format!("the range from {low} to {high} is reversed"));
    }
    let end = [low, high].into_iter().find(|end| !allowed.allows(*end));
    end.map_or(Ok(()), |end| {
        let end = general(end);
        Err(format!("it reaches {end}, and must be {allowed}"))
    })
}

fn at_least_zero(what: &str, number: f64) -> Result<(), String> {
    match number >= 0.0 && number.is_finite() {
        true => Ok(()),
        false => Err(format!("{what} is {number}, it must be 0 or above")),
    }
}

/// The number with ten significant digits.
fn rounded(value: f64) -> f64 {
    let text = format!("{value:.*e}", DIGITS - 1);
    text.parse().unwrap_or(value)
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(number) => write!(f, "{number}"),
            Self::Percent(number) => write!(f, "{number}%"),
        }
    }
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().strip_suffix('%') {
            Some(percent) => number(percent).map(Self::Percent),
            None => number(text).map(Self::Absolute),
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|n: &f64| n.is_finite());
    number.ok_or_else(|| format!("{text:?} is not a number"))
}

fn pair<T: FromStr<Err = String>>(text: &str) -> Result<[T; 2], String> {
    let ends = text.split_once(',');
    let (low, high) = ends.ok_or_else(|| format!("{text:?} is not two numbers with a comma"))?;
    Ok([low.parse()?, high.parse()?])
}

/// A number of which a text that is none is told.
struct Number(f64);

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        number(text).map(Self)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Normal(sigma) => write!(f, "normal:{sigma}"),
            Self::Lognormal(sigma) => write!(f, "lognormal:{sigma}"),
            Self::Uniform([low, high]) => write!(f, "uniform:{low},{high}"),
            Self::Between([low, high]) => write!(f, "between:{low},{high}"),
            Self::Choice(values) => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                write!(f, "choice:{}", values.join(","))
            }
        }
    }
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((kind, numbers)) = text.split_once(':') else {
            return number(text).map(Self::Value);
        };
        match kind.trim() {
            "normal" => Ok(Self::Normal(numbers.parse()?)),
            "lognormal" => Ok(Self::Lognormal(number(numbers)?)),
            "uniform" => Ok(Self::Uniform(pair(numbers)?)),
            "between" => Ok(Self::Between(pair(numbers)?.map(|Number(number)| number))),
            "choice" => {
                let values = numbers.split(',').map(number);
                Ok(Self::Choice(values.collect::<Result<_, _>>()?))
            }
            kind => Err(format!(
                "{kind:?} is not a distribution; there are normal, lognormal, uniform, between and choice"
            )),
        }
    }
}

/// A distribution in a file; one of the fields is there.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<Width>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lognormal: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uniform: Option<[Width; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    between: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<Vec<f64>>,
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = Entry::default();
        match self {
            Self::Value(value) => return serializer.serialize_f64(*value),
            Self::Normal(sigma) => entry.normal = Some(*sigma),
            Self::Lognormal(sigma) => entry.lognormal = Some(*sigma),
            Self::Uniform(ends) => entry.uniform = Some(*ends),
            Self::Between(ends) => entry.between = Some(*ends),
            Self::Choice(values) => entry.choice = Some(values.clone()),
        }
        entry.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Distribution;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a distribution such as { normal = 0.3 }")
            }

            fn visit_f64<E>(self, value: f64) -> Result<Distribution, E> {
                Ok(Distribution::Value(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Distribution, E> {
                Ok(Distribution::Value(value as f64))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Distribution, E> {
                Ok(Distribution::Value(value as f64))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Distribution, A::Error> {
                let entry = Entry::deserialize(MapAccessDeserializer::new(map))?;
                let one = [
                    entry.normal.map(Distribution::Normal),
                    entry.lognormal.map(Distribution::Lognormal),
                    entry.uniform.map(Distribution::Uniform),
                    entry.between.map(Distribution::Between),
                    entry.choice.map(Distribution::Choice),
                ];
                let mut given = one.into_iter().flatten();
                match (given.next(), given.next()) {
                    (Some(one), None) => Ok(one),
                    _ => Err(A::Error::custom(
                        "needs one of normal, lognormal, uniform, between and choice",
                    )),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Width {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absolute(number) => serializer.serialize_f64(*number),
            Self::Percent(number) => serializer.serialize_str(&format!("{number} %")),
        }
    }
}

impl<'de> Deserialize<'de> for Width {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use nanobragg_geometry::in_unit::Written;
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self::Absolute(number)),
            Written::Text(text) => text.parse().map_err(|_| {
                D::Error::custom(format!(
                    "found {text:?}, expected a number, or a text such as \"0.5 %\""
                ))
            }),
        }
    }
}

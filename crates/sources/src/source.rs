//! A source, and the list of all sources.

use std::ops::Deref;

use nanobragg_geometry::vector::{norm, unit};

use nanobragg_geometry::in_unit;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::file::NamedLine;

/// Distance from the sample to the sources of a grid, in metres. The image depends only on the
/// directions.
pub const SOURCE_DISTANCE_M: f64 = 10.0;

/// A point source of one wavelength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Unit vector from the sample to the source, in the laboratory frame.
    pub direction: [f64; 3],
    /// The position in the laboratory frame, with the sample at the origin.
    pub position_m: [f64; 3],
    /// The wavelength.
    pub wavelength_m: f64,
    /// The weight in the list, for the trace only. It does not change the image.
    pub recorded_weight: f64,
    /// The factor on what the source adds to the image. It is 1 unless weights are asked for; then its mean
    /// over the sources is 1.
    pub weight: f64,
}

impl Source {
    /// The source at `position_m`. `None` if the position has no direction: it is the origin, or so
    /// near or far that its squared length is outside the range of `f64`.
    pub fn at(position_m: [f64; 3], wavelength_m: f64, recorded_weight: f64) -> Option<Self> {
        let direction = unit(position_m);
        // The squared length of a tiny vector loses digits, and then the direction is not a unit
        // vector. The comparison is also false for NaN.
        let is_unit = (norm(direction) - 1.0).abs() < 1e-9;
        is_unit.then_some(Self {
            direction,
            position_m,
            wavelength_m,
            recorded_weight,
            weight: 1.0,
        })
    }

    /// Unit vector along the incident beam, from the source to the sample.
    pub fn incident(&self) -> [f64; 3] {
        self.direction.map(|component| -component)
    }
}

/// One or more sources, in the order in which their contributions are added.
///
/// It comes from [`SourceList::grid`], [`SourceList::read`], [`SourceList::parse`] or
/// [`SourceList::from_sources`], and is used as a slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<SourceEntry>", into = "Vec<SourceEntry>")]
pub struct SourceList(Vec<Source>);

/// A source of a list in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    position_m: [f64; 3],
    #[serde(rename = "wavelength_angstrom", with = "in_unit::angstrom")]
    wavelength_m: f64,
    #[serde(rename = "weight", default = "unit_weight")]
    recorded_weight: f64,
}

const fn unit_weight() -> f64 {
    1.0
}

impl From<SourceList> for Vec<SourceEntry> {
    fn from(list: SourceList) -> Self {
        let entry = |source: Source| SourceEntry {
            position_m: source.position_m,
            wavelength_m: source.wavelength_m,
            recorded_weight: source.recorded_weight,
        };
        list.0.into_iter().map(entry).collect()
    }
}

impl TryFrom<Vec<SourceEntry>> for SourceList {
    type Error = Error;

    fn try_from(entries: Vec<SourceEntry>) -> Result<Self> {
        let sources = entries.iter().enumerate().map(|(index, entry)| {
            let place = NamedLine {
                name: "source",
                line: index + 1,
            };
            place.source_at(entry.position_m, entry.wavelength_m, entry.recorded_weight)
        });
        Self::from_sources(sources.collect::<Result<_>>()?)
    }
}

impl SourceList {
    /// The mean wavelength in metres of the sources, each with its weight in the image.
    pub fn mean_wavelength_m(&self) -> f64 {
        let sum: f64 = self
            .0
            .iter()
            .map(|source| source.weight * source.wavelength_m)
            .sum();
        // Exact for sources of one wavelength, where a sum would round.
        match self.0.as_slice() {
            [first, others @ ..] if others.iter().all(|s| s.wavelength_m == first.wavelength_m) => {
                first.wavelength_m
            }
            sources => sum / sources.iter().map(|source| source.weight).sum::<f64>(),
        }
    }

    /// The shortest wavelength in metres.
    pub fn shortest_m(&self) -> f64 {
        let wavelengths_m = self.0.iter().map(|source| source.wavelength_m);
        wavelengths_m.fold(f64::INFINITY, f64::min)
    }

    /// The same sources, each with its recorded weight over the mean of all recorded weights as its weight in the
    /// image. Equal weights become exactly 1.
    ///
    /// # Errors
    /// [`Error::Weights`] for a weight below 0 and weights whose sum is not finite and above 0.
    ///
    /// # Source
    /// The program simtbx divides the fluxes of beams in the same way; there a flux of 0 is taken for 1/n.
    pub fn weighted(mut self) -> Result<Self> {
        let refused = |problem| Err(Error::Weights { problem });
        for (number, source) in (1..).zip(&self.0) {
            let weight = source.recorded_weight;
            if !(weight >= 0.0 && weight.is_finite()) {
                return refused(format!("source {number} has {weight}; expected 0 or above"));
            }
        }
        let weights = self.0.iter().map(|source| source.recorded_weight);
        let total: f64 = weights.clone().sum();
        if !(total.is_normal() && total > 0.0) {
            return refused(format!(
                "they add up to {total}; expected a finite number above 0"
            ));
        }
        let first = weights.clone().next().unwrap_or(1.0);
        let mean = match weights.clone().all(|weight| weight == first) {
            true => first,
            false => total / self.0.len() as f64,
        };
        for source in &mut self.0 {
            source.weight = source.recorded_weight / mean;
        }
        Ok(self)
    }

    /// Whether the recorded weights differ.
    pub fn records_differ(&self) -> bool {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let mut pairs = pairs.map(|(one, next)| one.recorded_weight != next.recorded_weight);
        pairs.any(|differs| differs)
    }

    /// Whether the weights of the sources in the image differ.
    pub fn has_weights(&self) -> bool {
        self.0.iter().any(|source| source.weight != 1.0)
    }

    /// The list of these sources.
    ///
    /// # Errors
    /// [`Error::NoSources`] if there are none.
    pub fn from_sources(sources: Vec<Source>) -> Result<Self> {
        Self::named("source list", sources)
    }

    /// The list of these sources. `name` is its name in messages.
    pub(crate) fn named(name: &str, sources: Vec<Source>) -> Result<Self> {
        if sources.is_empty() {
            return Err(Error::NoSources {
                name: name.to_owned(),
            });
        }
        Ok(Self(sources))
    }

    /// The sources.
    pub fn as_slice(&self) -> &[Source] {
        &self.0
    }
}

impl Deref for SourceList {
    type Target = [Source];

    fn deref(&self) -> &[Source] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a SourceList {
    type Item = &'a Source;
    type IntoIter = std::slice::Iter<'a, Source>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_incident_beam_runs_from_source_to_sample() {
        let source = Source::at([-3.0, 0.0, 4.0], 1e-10, 1.0).unwrap();
        assert_eq!(source.direction, [-0.6, 0.0, 0.8]);
        assert_eq!(source.incident(), [0.6, 0.0, -0.8]);
    }

    #[test]
    fn a_position_without_a_direction_is_not_a_source() {
        for position in [
            [0.0; 3],
            [1e200, 0.0, 0.0],
            [1e-170, 0.0, 0.0],
            [f64::NAN, 1.0, 0.0],
        ] {
            assert_eq!(Source::at(position, 1e-10, 1.0), None);
        }
    }

    fn listed(weights: &[f64]) -> SourceList {
        let source = |(k, &weight): (usize, &f64)| {
            Source::at([-10.0, 0.0, 0.0], 1e-10 + 1e-12 * k as f64, weight).unwrap()
        };
        SourceList::from_sources(weights.iter().enumerate().map(source).collect()).unwrap()
    }

    #[test]
    fn weights_that_are_used_have_a_mean_of_1() {
        let used = listed(&[1.0, 0.0, 5.0]).weighted().unwrap();
        let weights: Vec<f64> = used.iter().map(|source| source.weight).collect();
        assert_eq!(weights, [0.5, 0.0, 2.5]);
        assert!((used.mean_wavelength_m() - (0.5 * 1e-10 + 2.5 * 1.02e-10) / 3.0).abs() < 1e-24);
        assert!(used.has_weights());
    }

    #[test]
    fn equal_weights_change_nothing() {
        let list = listed(&[0.1; 7]);
        assert_eq!(list.clone().weighted().unwrap(), list);
        assert!(!list.has_weights());
    }

    #[test]
    fn weights_that_no_source_can_have_are_named() {
        let message = |weights: &[f64]| listed(weights).weighted().unwrap_err().to_string();
        assert_eq!(
            message(&[1.0, -3.0]),
            "the weights of the sources: source 2 has -3; expected 0 or above"
        );
        assert!(message(&[0.0, 0.0]).contains("they add up to 0"));
        assert!(message(&[f64::MAX; 2]).contains("they add up to inf"));
        assert!(message(&[f64::NAN]).contains("source 1 has NaN"));
    }

    #[test]
    fn a_list_has_at_least_one_source() {
        assert!(matches!(
            SourceList::from_sources(vec![]),
            Err(Error::NoSources { .. })
        ));
    }
}

//! What varies from image to image, and the values of one image.

use std::collections::BTreeMap;

use nanobragg_numeric::CounterNoise;
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::quantity::Quantity;
use crate::error::Error;
use crate::gradient::CrystalSystem;
use crate::spec::ExperimentSpec;

/// Tells the random numbers of values from those of pixels.
const PURPOSE: u8 = 200;

/// How the images of a series vary: the table `series` of an experiment file.
///
/// [`SeriesSpec::frame`](super::SeriesSpec::frame) draws the values of an image.
/// [`ExperimentSpec::resolve`] does not look at it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VariationSpec {
    /// The crystal system that ties edges and angles of the cell which vary; `None` is that with the most
    /// constraints that the cell obeys.
    pub crystal_system: Option<CrystalSystem>,
    /// The distribution of each quantity that varies.
    pub vary: BTreeMap<Quantity, Distribution>,
}

/// The values of quantities in one image, in the units of [`Quantity::unit`].
pub type Values = Vec<(Quantity, f64)>;

impl ExperimentSpec {
    /// The same experiment with the values that do not vary from image to image, for an image that is not one
    /// of a series.
    ///
    /// # Errors
    /// [`Error::Variation`] for a quantity with a distribution, and the errors of a series.
    pub fn of_single_image(&self) -> Result<Self, Error> {
        let varying = (self.series.vary.iter())
            .find(|(_, distribution)| !matches!(distribution, Distribution::Value(_)));
        if let Some((quantity, _)) = varying {
            let reason = "an image that is not one of a series needs a value, not a distribution";
            return Err(quantity.refusal(reason.to_owned()));
        }
        self.check_variation()?;
        let (spec, _) = self.drawn(0)?;
        Ok(spec)
    }

    /// The same experiment without the quantities that have a distribution.
    pub fn without_distributions(&self) -> Self {
        let mut spec = self.clone();
        let vary = &mut spec.series.vary;
        vary.retain(|_, distribution| matches!(distribution, Distribution::Value(_)));
        spec
    }

    /// Checks what varies, before an image is drawn.
    ///
    /// # Errors
    /// [`Error::Variation`], and those of an experiment without the quantity.
    pub(super) fn check_variation(&self) -> Result<(), Error> {
        for (&quantity, distribution) in &self.series.vary {
            quantity.check(self)?;
            let checked = distribution.check(quantity.base(self)?, quantity.allowed());
            checked.map_err(|reason| quantity.refusal(reason))?;
            self.tied(quantity)?;
        }
        Ok(())
    }

    /// The experiment of an image whose values are drawn with this seed, and the values.
    ///
    /// # Errors
    /// [`Error::Variation`], and those of an experiment without the quantity.
    pub(super) fn drawn(&self, seed: i64) -> Result<(Self, Values), Error> {
        let values = self.values(seed)?;
        let mut spec = self.clone();
        spec.series = VariationSpec::default();
        for &(quantity, value) in &values {
            for tied in self.tied(quantity)? {
                spec.set(self, tied, value)?;
            }
        }
        Ok((spec, values))
    }

    /// The values of an image that are drawn with this seed.
    ///
    /// # Errors
    /// As [`drawn`](Self::drawn).
    pub(super) fn values(&self, seed: i64) -> Result<Values, Error> {
        let value = |(&quantity, distribution): (&Quantity, &Distribution)| {
            let (base, allowed) = (quantity.base(self)?, quantity.allowed());
            let mut noise = CounterNoise::new(seed, PURPOSE, 0).pixel(words_of(quantity.name()));
            let drawn = distribution.draw(base, allowed, &mut noise);
            Ok((quantity, drawn.map_err(|reason| quantity.refusal(reason))?))
        };
        self.series.vary.iter().map(value).collect()
    }

    /// The quantities that have the value of this one: those that the crystal system ties to it.
    fn tied(&self, quantity: Quantity) -> Result<Vec<Quantity>, Error> {
        let Some(parameter) = quantity.of_cell() else {
            return Ok(vec![quantity]);
        };
        let cell = self.cell_numbers()?;
        let system = match self.series.crystal_system {
            Some(system) => match system.fault(&cell) {
                Some(fault) => {
                    let reason = format!("the cell is not {}: {fault}", system.name());
                    return Err(quantity.refusal(reason));
                }
                None => system,
            },
            None => CrystalSystem::of_cell(&cell),
        };
        let mut groups = system.free().iter();
        let name = system.name();
        let reason = match groups.find(|group| group.contains(&parameter)) {
            Some([first, ..]) if *first != parameter => {
                format!("it is {first} in a cell that is {name}")
            }
            Some(group) => {
                let is_tied =
                    |known: &Quantity| known.of_cell().is_some_and(|p| group.contains(&p));
                return Ok(Quantity::ALL.iter().copied().filter(is_tied).collect());
            }
            None => format!("it is fixed in a cell that is {name}"),
        };
        Err(quantity.refusal(format!("{reason}; another crystal system frees it")))
    }
}

/// A number of 64 bits for a name, in two words: FNV-1a.
///
/// # Source
/// G. Fowler, L. C. Noll, K.-P. Vo and D. Eastlake, RFC 9923.
fn words_of(name: &str) -> [u32; 2] {
    let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    [hash as u32, (hash >> 32) as u32]
}

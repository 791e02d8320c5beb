//! Mosaic domains: the blocks of a crystal, each turned and strained a little.

mod anisotropic;
mod cap;
mod draw;
mod gaussian;
mod listed;
mod points;
mod strain;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use nanobragg_geometry::in_unit;
use nanobragg_geometry::rotation::{IDENTITY, rotate_by, transposed};
use nanobragg_numeric::Scalar;

use serde::{Deserialize, Serialize};

use crate::basis::DirectBasis;
use crate::error::{Error, Warning, finite};

use anisotropic::check_widths;
use draw::{Axes, Draw};
use points::Points;

pub use cap::{DomainTurn, cap_rotation};
pub use draw::{MosaicNumbers, Spread};
pub use listed::ListedDomains;

/// The number of domains if a mosaic spread is given without one.
const DEFAULT_DOMAINS: usize = 10;

/// The largest number of domains. Each takes 72 bytes.
pub const MAX_DOMAINS: i64 = 10_000_000;

/// The largest strain in percent. Beyond it, the lattice of a domain is another one.
const MAX_STRAIN_PERCENT: f64 = 10.0;

/// How the rotation angles of the domains are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MosaicModel {
    /// Angles up to the spread, which is a sharp limit: the model of the C program ([`cap_rotation`]).
    Cap,
    /// Angles with a Gaussian distribution, whose standard deviation is the spread.
    Gaussian,
}

impl MosaicModel {
    /// The names, as in files.
    pub const NAMES: &'static [&'static str] = &["cap", "gaussian"];

    /// The model of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Cap, Self::Gaussian]
            .into_iter()
            .find(|model| model.name() == name)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Gaussian => "gaussian",
        }
    }

    /// The angle divided by the spread, below which a fraction `p` of the domains has its angle.
    fn quantile(self, p: f64) -> f64 {
        match self {
            Self::Cap => cap::quantile(p),
            Self::Gaussian => gaussian::quantile(p),
        }
    }
}

/// How a number of domains stands for the distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MosaicSampling {
    /// Each domain is drawn on its own.
    Random,
    /// Half of the domains are drawn; the others have the inverse rotations and opposite strains.
    Pairs,
    /// As pairs, but the half is a set of low discrepancy, which has neither holes nor clusters.
    Even,
}

impl MosaicSampling {
    /// The names, as in files.
    pub const NAMES: &'static [&'static str] = &["random", "pairs", "even"];

    /// The sampling of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Random, Self::Pairs, Self::Even]
            .into_iter()
            .find(|sampling| sampling.name() == name)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pairs => "pairs",
            Self::Even => "even",
        }
    }
}

/// The user's description of the mosaicity.
///
/// The default is the mosaicity of the C program. Every other description gives domains that turn with the
/// crystal ([`Mosaic::turns_with_crystal`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MosaicSpec {
    /// Width of the distribution in radians. A negative width counts as not given.
    #[serde(rename = "spread_deg", with = "in_unit::deg")]
    pub spread_rad: Option<f64>,
    /// Widths of rotations about a, b and c in radians, in place of the one width. Each is above 0.
    #[serde(rename = "spread_abc_deg", with = "in_unit::deg")]
    pub spread_abc_rad: Option<[f64; 3]>,
    /// The distribution of angles; not given, Gaussian for three widths and the cap otherwise.
    pub model: Option<MosaicModel>,
    /// How the domains are chosen; not given, at random for the cap and in pairs otherwise.
    pub sampling: Option<MosaicSampling>,
    /// File with the rotation and the weight of each domain, in place of a distribution of rotations.
    pub file: Option<PathBuf>,
    /// The same in place of a file: for each domain the nine numbers of its rotation by rows, and its weight, which
    /// is 1 if it is left out.
    pub matrices: Option<Vec<Vec<f64>>>,
    /// The contents of the file, which is then not read again; those of another file are ignored.
    #[serde(skip)]
    pub contents: Option<Arc<ListedDomains>>,
    /// Standard deviation of the length of all three edges together, in percent.
    pub strain_percent: f64,
    /// Standard deviations of the lengths of a, b and c on their own, in percent.
    pub strain_abc_percent: [f64; 3],
    /// Number of domains. Zero or less counts as not given.
    pub domains: Option<i64>,
    /// Seed of the random stream.
    pub seed: i64,
}

impl Default for MosaicSpec {
    fn default() -> Self {
        Self {
            spread_rad: None,
            spread_abc_rad: None,
            model: None,
            sampling: None,
            file: None,
            matrices: None,
            contents: None,
            strain_percent: 0.0,
            strain_abc_percent: [0.0; 3],
            domains: None,
            seed: 12_345_678,
        }
    }
}

impl MosaicSpec {
    /// Reads the file, if there is one, so that it need not be read again.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::NotANumber`], [`Error::ListedDomain`], [`Error::ListedDomains`].
    pub fn load(&mut self) -> Result<(), Error> {
        self.contents = self.listed()?;
        Ok(())
    }

    /// Whether there is no file that is still to be read.
    pub fn is_in_memory(&self) -> bool {
        self.file.is_none() || self.known().is_some()
    }

    /// The contents of the file, if they were read.
    fn known(&self) -> Option<Arc<ListedDomains>> {
        let (path, contents) = (self.file.as_ref()?, self.contents.as_ref()?);
        contents.is_of(path).then(|| Arc::clone(contents))
    }

    /// The domains of the file or of the matrices, if they are given one by one.
    fn listed(&self) -> Result<Option<Arc<ListedDomains>>, Error> {
        let listed = match (&self.file, &self.matrices) {
            (None, None) => return Ok(None),
            (Some(path), None) => match self.known() {
                Some(known) => return Ok(Some(known)),
                None => ListedDomains::read(path)?,
            },
            (None, Some(rows)) => {
                let rows = rows.iter().map(Vec::as_slice);
                ListedDomains::of_rows("mosaic_matrices", (1..).zip(rows))?
            }
            (Some(path), Some(_)) => {
                return Err(Error::ListedDomains {
                    name: path.display().to_string(),
                    why: "is given beside mosaic matrices; give one of them",
                });
            }
        };
        Ok(Some(Arc::new(listed)))
    }

    /// The widths, once they are checked.
    fn numbers(&self) -> Result<MosaicNumbers<f64>, Error> {
        let spread_rad = self.spread_rad.unwrap_or(-1.0);
        let spread_rad = finite("mosaic spread (rad)", spread_rad)?.max(0.0);
        let spread = match self.spread_abc_rad {
            None => Spread::Isotropic(spread_rad),
            Some(_) if spread_rad > 0.0 => return Err(Error::TwoMosaicSpreads),
            Some(widths) => {
                for value in widths {
                    if !(value > 0.0 && value.is_finite()) {
                        return Err(Error::OutOfRange {
                            quantity: "mosaic spread about an axis (rad)",
                            value,
                            allowed: "a finite number above 0",
                        });
                    }
                }
                Spread::Anisotropic(widths)
            }
        };
        let [a, b, c] = self.strain_abc_percent;
        for value in [self.strain_percent, a, b, c] {
            if !(0.0..=MAX_STRAIN_PERCENT).contains(&value) {
                return Err(Error::OutOfRange {
                    quantity: "strain (percent)",
                    value,
                    allowed: "a number from 0 to 10",
                });
            }
        }
        Ok(MosaicNumbers {
            spread,
            strain: self.strain_percent / 100.0,
            strain_abc: self.strain_abc_percent.map(|percent| percent / 100.0),
        })
    }

    /// The number of domains if the widths are not all 0, and whether it was assumed.
    fn count(&self) -> Result<(usize, bool), Error> {
        match self.domains.filter(|count| *count > 0) {
            None => Ok((DEFAULT_DOMAINS, true)),
            Some(count) if count > MAX_DOMAINS => Err(Error::TooManyDomains {
                count,
                limit: MAX_DOMAINS,
            }),
            // It is at most MAX_DOMAINS, so it fits.
            Some(count) => Ok((count as usize, false)),
        }
    }
}

/// The mosaic domains of a crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Mosaic {
    numbers: MosaicNumbers<f64>,
    recipe: Recipe,
    domains: Arc<Vec<[[f64; 3]; 3]>>,
}

/// All that the domains depend on besides numbers with derivatives.
#[derive(Debug, Clone, PartialEq)]
struct Recipe {
    model: MosaicModel,
    sampling: MosaicSampling,
    seed: i64,
    count: usize,
    listed: Option<Arc<ListedDomains>>,
}

impl Mosaic {
    /// Draws the domains of a crystal with the cell vectors `direct` at phi = 0.
    ///
    /// | widths | number | result |
    /// |---|---|---|
    /// | not given or 0 | any | 1 domain |
    /// | given | not given | 10 domains |
    /// | given | given | as given |
    /// | from a file or matrices | not given, or theirs | theirs |
    ///
    /// In the model of the C program, the first domain has the orientation of the crystal. Its three deviates
    /// are drawn all the same, so that the second domain gets the same deviates as in the C program. Of an odd
    /// number of domains in pairs, the first is the crystal itself.
    ///
    /// # Errors
    /// [`Error::TooManyDomains`] above [`MAX_DOMAINS`], [`Error::OutOfRange`] for a width or strain that is
    /// not allowed, [`Error::TwoMosaicSpreads`], [`Error::ObliqueSpreads`], and for a file
    /// [`Error::Unreadable`], [`Error::NotANumber`], [`Error::ListedDomain`], [`Error::ListedDomains`].
    pub fn new(spec: &MosaicSpec, direct: &DirectBasis) -> Result<(Self, Option<Warning>), Error> {
        let numbers = spec.numbers()?;
        if let Spread::Anisotropic(widths_rad) = numbers.spread {
            check_widths(widths_rad, direct)?;
        }
        let (asked, is_assumed) = spec.count()?;
        let listed = (spec.listed()?)
            .map(|listed| {
                if numbers.spread.is_some() {
                    return Err(listed.refused("has rotations; give no mosaic spread beside it"));
                }
                if !is_assumed && asked != listed.rotations.len() {
                    return Err(listed.refused("has another number of domains than was asked for"));
                }
                Ok(listed)
            })
            .transpose()?;
        let is_perfect = !numbers.spread.is_some() && !numbers.has_strain();
        // Without any width all domains would be equal, so one of them gives the same image.
        let (count, warning) = match &listed {
            Some(listed) => (listed.rotations.len(), None),
            None if is_perfect && (is_assumed || asked == 1) => (1, None),
            None if is_perfect => {
                let asked = spec.domains.unwrap_or_default();
                (1, Some(Warning::DomainsWithoutSpread { asked }))
            }
            None if is_assumed => {
                let warning = Warning::DomainsAssumed { domains: asked };
                (asked, Some(warning))
            }
            None => (asked, None),
        };
        let model = spec.model.unwrap_or(match numbers.spread {
            Spread::Anisotropic(_) => MosaicModel::Gaussian,
            Spread::Isotropic(_) => MosaicModel::Cap,
        });
        let is_plain_cap = model == MosaicModel::Cap
            && matches!(numbers.spread, Spread::Isotropic(_))
            && listed.is_none()
            && !numbers.has_strain();
        let recipe = Recipe {
            model,
            sampling: spec.sampling.unwrap_or(if is_plain_cap {
                MosaicSampling::Random
            } else {
                MosaicSampling::Pairs
            }),
            seed: spec.seed,
            count,
            listed,
        };
        let mut mosaic = Self {
            numbers,
            recipe,
            domains: Arc::default(),
        };
        let mut domains = mosaic.domains_near(&numbers, direct.vectors());
        if let Some(first) = domains.first_mut()
            && (is_perfect || mosaic.is_of_c())
            && mosaic.recipe.listed.is_none()
        {
            *first = IDENTITY;
        }
        mosaic.domains = Arc::new(domains);
        Ok((mosaic, warning))
    }

    /// The one width of the rotations in radians: the limit of the cap, or the standard deviation of a
    /// Gaussian. It is 0 if there is none, or three.
    pub fn spread_rad(&self) -> f64 {
        match self.numbers.spread {
            Spread::Isotropic(spread_rad) => spread_rad,
            Spread::Anisotropic(_) => 0.0,
        }
    }

    /// The widths of the distributions of rotations and strains.
    pub fn numbers(&self) -> MosaicNumbers<f64> {
        self.numbers
    }

    /// The distribution of the angles.
    pub fn model(&self) -> MosaicModel {
        self.recipe.model
    }

    /// How the domains were chosen.
    pub fn sampling(&self) -> MosaicSampling {
        self.recipe.sampling
    }

    /// Whether the domains were given one by one.
    pub fn is_listed(&self) -> bool {
        self.recipe.listed.is_some()
    }

    /// Whether the domains differ from the crystal. Otherwise there is one, which needs no multiplication.
    pub fn has_spread(&self) -> bool {
        self.numbers.spread.is_some() || self.numbers.has_strain() || self.is_listed()
    }

    /// Whether the matrices of the domains are applied at phi = 0, so that the domains turn with the crystal.
    /// Those of the C program are applied in the laboratory after the spindle.
    pub fn turns_with_crystal(&self) -> bool {
        !self.is_of_c()
    }

    /// Whether a derivative by the cell or its orientation moves the domains too: their distribution is along
    /// the axes of the cell.
    pub fn follows_cell(&self) -> bool {
        matches!(self.numbers.spread, Spread::Anisotropic(_)) || self.numbers.has_strain_abc()
    }

    /// One matrix per domain, by rows, which is applied to a, b and c as vectors of the laboratory: a rotation,
    /// times a deformation if there is a strain. There is at least one.
    pub fn domains(&self) -> &[[[f64; 3]; 3]] {
        &self.domains
    }

    /// The same to keep: there may be millions of them, and no copy is made.
    pub fn shared_domains(&self) -> Arc<Vec<[[f64; 3]; 3]>> {
        Arc::clone(&self.domains)
    }

    /// The weight of every domain, with a mean of 1; empty if all are 1.
    pub fn weights(&self) -> &[f64] {
        let listed = self.recipe.listed.as_ref();
        listed.map_or(&[], |listed| &listed.weights)
    }

    /// The same with as many domains as were asked for, or 10, if there is only one for want of a spread.
    pub(crate) fn repeated(mut self, spec: &MosaicSpec) -> Result<Self, Error> {
        if let ([one], false) = (&self.domains[..], self.has_spread()) {
            let (count, _) = spec.count()?;
            self.domains = Arc::new(vec![*one; count]);
        }
        Ok(self)
    }

    /// The domains for other widths and another cell: the same deviates, in numbers with derivatives. With the
    /// widths and the cell of this crystal they are [`domains`](Self::domains) to the bit.
    pub fn domains_near<T: Scalar>(
        &self,
        numbers: &MosaicNumbers<T>,
        direct: [[T; 3]; 3],
    ) -> Vec<[[T; 3]; 3]> {
        if let (true, Spread::Isotropic(spread_rad)) = (self.is_of_c(), numbers.spread) {
            let turns = DomainTurn::of_domains(self.recipe.seed, self.recipe.count);
            let drawn_rad = self.spread_rad();
            return (turns.iter())
                .map(|turn| turn.rotation_near(drawn_rad, spread_rad))
                .collect();
        }
        let axes = Axes::new(direct);
        let rotations = self.recipe.listed.as_ref().map(|listed| &listed.rotations);
        let domain = |(index, draw): (usize, Draw)| {
            let rotation = match rotations.and_then(|rotations| rotations.get(index)) {
                Some(listed) => listed.map(|row| row.map(T::from_f64)),
                None => draw.rotation(numbers.spread, &axes),
            };
            if !self.numbers.has_strain() {
                return rotation;
            }
            // By columns and back: the columns of the product are the turned columns of the deformation.
            let columns = transposed(&draw.deformation(numbers, &axes));
            transposed(&columns.map(|column| rotate_by(&rotation, column)))
        };
        self.recipe
            .draws(&self.numbers)
            .enumerate()
            .map(domain)
            .collect()
    }

    /// Whether the domains are those of the C program.
    fn is_of_c(&self) -> bool {
        self.recipe.model == MosaicModel::Cap
            && self.recipe.sampling == MosaicSampling::Random
            && matches!(self.numbers.spread, Spread::Isotropic(_))
            && !self.numbers.has_strain()
            && !self.is_listed()
    }
}

impl Recipe {
    /// The deviates of every domain.
    fn draws(&self, numbers: &MosaicNumbers<f64>) -> impl Iterator<Item = Draw> {
        let (model, count) = (self.model, self.count);
        let is_paired = self.sampling != MosaicSampling::Random;
        let alone = if is_paired { count % 2 } else { 0 };
        let drawn = if is_paired { count / 2 } else { count };
        let points = Points::new(self.sampling, self.seed, drawn, numbers);
        let draws = points.map(move |point| Draw::new(&point, model));
        let with_inverse = move |draw: Draw| {
            let inverse = is_paired.then(|| draw.inverse());
            std::iter::once(draw).chain(inverse)
        };
        std::iter::repeat_n(Draw::NONE, alone).chain(draws.flat_map(with_inverse))
    }
}

//! The free numbers of a refinement, and the parameters that depend on them.

use nanobragg::ExperimentSpec;

use crate::spec::{Bounds, RefineSpec, Restraint, Selection};
use crate::{CrystalSystem, Error};
use nanobragg::gradient::{self, Parameter};

/// The free numbers of a refinement, in the order of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct FreeSet {
    numbers: Vec<Free>,
}

/// One free number: a parameter with those tied to it, its start, bounds and restraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Free {
    /// The parameters that have this value.
    tied: Vec<Parameter>,
    start: f64,
    /// The expected error of a start.
    reach: f64,
    bounds: Option<Bounds>,
    restraint: Option<Restraint>,
}

impl FreeSet {
    /// The free numbers of the request `wanted` with their starts from `spec`, and the crystal system
    /// that ties edges and angles.
    ///
    /// # Errors
    /// If a parameter has no value in this experiment, the cell does not obey the crystal system, the
    /// start is not between its bounds, or a bound or restraint is on a parameter that is not refined.
    pub fn new(
        spec: &ExperimentSpec,
        wanted: &RefineSpec,
    ) -> Result<(Self, Option<CrystalSystem>), Error> {
        let (groups, system) = groups(spec, wanted)?;
        if groups.is_empty() {
            return Err(Error::NoParameters);
        }
        let mut numbers = Vec::new();
        for tied in groups {
            let Some(&leader) = tied.first() else {
                continue;
            };
            let start = gradient::value(spec, leader)?;
            numbers.push(Free {
                reach: leader.uncertainty(start),
                start,
                bounds: None,
                restraint: None,
                tied,
            });
        }
        let mut set = Self { numbers };
        for &(parameter, bounds) in &wanted.bounds {
            set.find(parameter, "bound")?.bind(bounds)?;
        }
        for &(parameter, restraint) in &wanted.restraints {
            set.find(parameter, "restraint")?.restrain(restraint)?;
        }
        Ok((set, system))
    }

    /// The free numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Free> {
        self.numbers.iter()
    }

    /// The number of free numbers.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is no free number.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// All refined parameters. Those of one free number are neighbours.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.iter().flat_map(|free| free.tied.clone()).collect()
    }

    /// The experiment with these values of the free numbers.
    ///
    /// # Errors
    /// If a value is impossible.
    pub fn apply(&self, spec: &ExperimentSpec, values: &[f64]) -> Result<ExperimentSpec, Error> {
        let mut spec = spec.clone();
        for (free, &value) in self.iter().zip(values) {
            for &parameter in &free.tied {
                spec = gradient::with_value(&spec, parameter, value)?;
            }
        }
        Ok(spec)
    }

    /// The same free numbers with other starts.
    pub(crate) fn starting_at(&self, values: &[f64]) -> Self {
        let numbers = self.iter().zip(values).map(|(free, &start)| Free {
            start,
            ..free.clone()
        });
        Self {
            numbers: numbers.collect(),
        }
    }

    /// Whether this value of the fluence is within its bounds.
    pub(crate) fn allows_fluence(&self, value: f64) -> bool {
        let bounds = self.iter().filter(|free| free.is_fluence());
        let mut bounds = bounds.filter_map(|free| free.bounds);
        bounds.all(|Bounds { low, high }| low < value && value < high)
    }

    /// The free number of a parameter, for a bound or restraint on it.
    fn find(&mut self, parameter: Parameter, what: &'static str) -> Result<&mut Free, Error> {
        let names: Vec<String> = self.iter().map(Free::name).collect();
        let found = (self.numbers.iter_mut()).find(|free| free.tied.contains(&parameter));
        found.ok_or_else(|| Error::NotRefined {
            name: parameter.name(),
            what,
            refined: names.join(", "),
        })
    }
}

impl Free {
    /// The name of the parameter, with those tied to it: `cell_a = cell_b`.
    pub fn name(&self) -> String {
        let names: Vec<String> = self.tied.iter().map(|p| p.name()).collect();
        names.join(" = ")
    }

    /// The parameters that have this value.
    pub fn parameters(&self) -> &[Parameter] {
        &self.tied
    }

    /// The value at the start.
    pub fn start(&self) -> f64 {
        self.start
    }

    /// Centre and standard deviation of the prior of a stage: the start, and `share` of the reach. The
    /// fluence is scaled to the target before each stage, so its start contains no information; its
    /// prior is wide and centred on the present value `now`.
    pub(crate) fn prior(&self, now: f64, share: f64) -> [f64; 2] {
        if self.is_fluence() {
            [now, self.reach.max(now.abs())]
        } else {
            [self.start, share * self.reach]
        }
    }

    /// Whether it is the fluence, to which the image is proportional.
    pub(crate) fn is_fluence(&self) -> bool {
        self.tied == [Parameter::Fluence]
    }

    /// The expected error of a start, in the unit of the parameter.
    pub fn reach(&self) -> f64 {
        self.reach
    }

    /// The bounds, if there are any.
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// The restraint, if there is one.
    pub fn restraint(&self) -> Option<Restraint> {
        self.restraint
    }

    /// The unit of the value.
    pub fn unit(&self) -> &'static str {
        self.tied.first().map_or("", |parameter| parameter.unit())
    }

    /// The value and its derivative by `u`, the number that the minimiser changes. `u` is 1 at the
    /// start, and a change by 1 is about one reach.
    ///
    /// Without bounds `value = start + reach (u - 1)`. With bounds
    /// `value = low + (high - low) (1 + sin t)/2`, where `t` is linear in `u`: every value of `u` is
    /// within the bounds.
    pub(crate) fn value(&self, u: f64) -> [f64; 2] {
        let Some(Bounds { low, high }) = self.bounds else {
            return [self.start + self.reach * (u - 1.0), self.reach];
        };
        let half = 0.5 * (high - low);
        // dvalue/du = half rate cos t. In the middle of the bounds cos t is 1, and this is the reach.
        // With narrow bounds the rate is limited: a step of 1 in u is then 1 radian of the sine.
        let t0 = ((self.start - low) / half - 1.0).clamp(-1.0, 1.0).asin();
        let rate = (self.reach / half).min(1.0);
        let t = t0 + rate * (u - 1.0);
        [low + half * (1.0 + t.sin()), half * rate * t.cos()]
    }

    /// Whether a value is so near to a bound that its uncertainty is not defined.
    pub(crate) fn is_at_bound(&self, value: f64) -> bool {
        self.bounds.is_some_and(|Bounds { low, high }| {
            (value - low).min(high - value) < AT_BOUND * (high - low)
        })
    }

    /// Sets the bounds.
    fn bind(&mut self, bounds: Bounds) -> Result<(), Error> {
        let Bounds { low, high } = bounds;
        // The start must be inside: at a bound the derivative by `u` is 0, and no step would move it.
        if !(low.is_finite() && high.is_finite() && low < self.start && self.start < high) {
            return Err(Error::OutsideBounds {
                name: self.name(),
                start: self.start,
                low,
                high,
            });
        }
        self.bounds = Some(bounds);
        Ok(())
    }

    /// Sets the restraint.
    fn restrain(&mut self, restraint: Restraint) -> Result<(), Error> {
        if !restraint.value.is_finite() {
            return Err(Error::OutOfRange {
                quantity: "the value of a restraint",
                value: restraint.value,
                allowed: "a finite number",
            });
        }
        if !(restraint.sigma > 0.0 && restraint.sigma.is_finite()) {
            return Err(Error::OutOfRange {
                quantity: "the uncertainty of a restraint",
                value: restraint.sigma,
                allowed: "above 0",
            });
        }
        self.restraint = Some(restraint);
        Ok(())
    }
}

/// A number is at a bound if its distance from the bound is below this fraction of the range.
const AT_BOUND: f64 = 1e-3;

/// The parameters of each free number, and the crystal system that ties them.
fn groups(
    spec: &ExperimentSpec,
    wanted: &RefineSpec,
) -> Result<(Vec<Vec<Parameter>>, Option<CrystalSystem>), Error> {
    let mut groups: Vec<Vec<Parameter>> = Vec::new();
    let mut system = None;
    // A parameter that is selected twice, by a group and by its name, is one free number.
    let mut add = |tied: &[Parameter]| {
        let is_new = |p: &Parameter| !groups.iter().flatten().any(|known| known == p);
        let tied: Vec<Parameter> = tied.iter().copied().filter(is_new).collect();
        if !tied.is_empty() {
            groups.push(tied);
        }
    };
    for selection in &wanted.selection {
        match selection {
            Selection::Cell => {
                let obeyed = match wanted.system {
                    Some(system) => system,
                    None => CrystalSystem::of(spec)?,
                };
                obeyed.check(spec)?;
                obeyed.free().iter().for_each(|tied| add(tied));
                system = Some(obeyed);
            }
            Selection::Misset => {
                add(&[Parameter::MissetX]);
                add(&[Parameter::MissetY]);
                add(&[Parameter::MissetZ]);
            }
            Selection::One(Parameter::CellsA | Parameter::CellsB | Parameter::CellsC) => {
                return Err(Error::WholeCells);
            }
            Selection::One(parameter) => add(&[*parameter]),
            Selection::BeamCentre => {
                add(&[Parameter::BeamFast]);
                add(&[Parameter::BeamSlow]);
            }
        }
    }
    Ok((groups, system))
}

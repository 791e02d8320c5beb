//! The numbers that the minimiser moves, and the parameters that follow them.

use nanobragg::ExperimentSpec;

use crate::spec::{Bounds, RefineSpec, Restraint, Selection};
use crate::{CrystalSystem, Error};
use nanobragg::gradient::{self, Parameter};

/// The free numbers of a refinement, in the order asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FreeSet {
    numbers: Vec<Free>,
}

/// One free number: a parameter, those tied to it, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Free {
    /// It and those that have its value.
    tied: Vec<Parameter>,
    start: f64,
    /// By how much a start may be expected to be off.
    reach: f64,
    bounds: Option<Bounds>,
    restraint: Option<Restraint>,
}

impl FreeSet {
    /// The free numbers that `wanted` asks for, starting where `spec` is, and the crystal system by
    /// which edges and angles are tied.
    ///
    /// # Errors
    /// Where a parameter has no value in this experiment, the cell does not obey the crystal system,
    /// bounds do not enclose the start, or a bound or restraint belongs to nothing that is refined.
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// All parameters that move, those of each number together.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.iter().flat_map(|free| free.tied.clone()).collect()
    }

    /// The experiment with these values of the free numbers.
    ///
    /// # Errors
    /// Where a value cannot be.
    pub fn apply(&self, spec: &ExperimentSpec, values: &[f64]) -> Result<ExperimentSpec, Error> {
        let mut spec = spec.clone();
        for (free, &value) in self.iter().zip(values) {
            for &parameter in &free.tied {
                spec = gradient::with_value(&spec, parameter, value)?;
            }
        }
        Ok(spec)
    }

    /// The same free numbers, but starting at these values.
    pub(crate) fn starting_at(&self, values: &[f64]) -> Self {
        let numbers = self.iter().zip(values).map(|(free, &start)| Free {
            start,
            ..free.clone()
        });
        Self {
            numbers: numbers.collect(),
        }
    }

    /// Whether the fluence is within its bounds.
    pub(crate) fn allows_fluence(&self, value: f64) -> bool {
        let bounds = self.iter().filter(|free| free.is_fluence());
        let mut bounds = bounds.filter_map(|free| free.bounds);
        bounds.all(|Bounds { low, high }| low < value && value < high)
    }

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

    /// The parameter that gives its value to those tied to it.
    pub fn parameters(&self) -> &[Parameter] {
        &self.tied
    }

    /// Where it starts.
    pub fn start(&self) -> f64 {
        self.start
    }

    /// Centre and standard deviation of a start that may be off by `share` of the reach. The fluence
    /// is brought to the target before each stage, so that its start says nothing.
    pub(crate) fn prior(&self, now: f64, share: f64) -> [f64; 2] {
        if self.is_fluence() {
            [now, self.reach.max(now.abs())]
        } else {
            [self.start, share * self.reach]
        }
    }

    /// Whether it is the fluence, of which the image is a multiple.
    pub(crate) fn is_fluence(&self) -> bool {
        self.tied == [Parameter::Fluence]
    }

    /// By how much a start may be expected to be off.
    pub fn reach(&self) -> f64 {
        self.reach
    }

    /// What it may not leave.
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// What is known of it.
    pub fn restraint(&self) -> Option<Restraint> {
        self.restraint
    }

    /// Its unit.
    pub fn unit(&self) -> &'static str {
        self.tied.first().map_or("", |parameter| parameter.unit())
    }

    /// The value and its derivative by `u`, the number that the minimiser sees. It is 1 at the start
    /// and changes by about 1 over what a start may be off.
    ///
    /// Without bounds `value = start + reach (u - 1)`; with bounds `low + (high - low) (1 + sin t)/2`,
    /// `t` linear in `u`, so that no step leaves them.
    pub(crate) fn value(&self, u: f64) -> [f64; 2] {
        let Some(Bounds { low, high }) = self.bounds else {
            return [self.start + self.reach * (u - 1.0), self.reach];
        };
        let half = 0.5 * (high - low);
        let t0 = ((self.start - low) / half - 1.0).clamp(-1.0, 1.0).asin();
        let rate = (self.reach / half).min(1.0);
        let t = t0 + rate * (u - 1.0);
        [low + half * (1.0 + t.sin()), half * rate * t.cos()]
    }

    /// Whether a value lies so near to a bound that it has no uncertainty of its own.
    pub(crate) fn is_at_bound(&self, value: f64) -> bool {
        self.bounds.is_some_and(|Bounds { low, high }| {
            (value - low).min(high - value) < AT_BOUND * (high - low)
        })
    }

    fn bind(&mut self, bounds: Bounds) -> Result<(), Error> {
        let Bounds { low, high } = bounds;
        // A start at a bound could not be moved: the derivative by `u` is 0 there.
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

/// The part of its range within which a number counts as at its bound.
const AT_BOUND: f64 = 1e-3;

/// The parameters of each free number, and the crystal system that tied them.
fn groups(
    spec: &ExperimentSpec,
    wanted: &RefineSpec,
) -> Result<(Vec<Vec<Parameter>>, Option<CrystalSystem>), Error> {
    let mut groups: Vec<Vec<Parameter>> = Vec::new();
    let mut system = None;
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

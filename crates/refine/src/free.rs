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
    /// The image that has this value, from 0; `None` if all images share it.
    image: Option<usize>,
    start: f64,
    /// The expected error of a start.
    reach: f64,
    bounds: Option<Bounds>,
    restraint: Option<Restraint>,
}

impl FreeSet {
    /// The free numbers of the request `wanted` with their starts from `specs`, the experiments of the images,
    /// and the crystal system that ties edges and angles. A number that all images share starts as in the first.
    ///
    /// # Errors
    /// If a parameter has no value in this experiment, the cell does not obey the crystal system, the
    /// start is not between its bounds, or a bound or restraint is on a parameter that is not refined.
    pub fn new(
        specs: &[ExperimentSpec],
        wanted: &RefineSpec,
    ) -> Result<(Self, Option<CrystalSystem>), Error> {
        let first = specs.first().ok_or(Error::NoImages)?;
        let ([shared, own], system) = groups(first, wanted)?;
        let shared = shared.into_iter().map(|tied| Free::new(first, None, tied));
        let mut numbers = shared.collect::<Result<Vec<_>, _>>()?;
        for (index, spec) in specs.iter().enumerate() {
            // One image has all its numbers to itself; their names need no number.
            let image = (specs.len() > 1).then_some(index);
            for tied in &own {
                numbers.push(Free::new(spec, image, tied.clone())?);
            }
        }
        if numbers.is_empty() {
            return Err(Error::NoParameters);
        }
        let mut set = Self { numbers };
        for &(parameter, bounds) in &wanted.bounds {
            set.each(parameter, "bound", |free| free.bind(bounds))?;
        }
        for &(parameter, restraint) in &wanted.restraints {
            set.each(parameter, "restraint", |free| free.restrain(restraint))?;
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

    /// The free numbers that image `index` (from 0) has.
    pub fn of_image(&self, index: usize) -> impl Iterator<Item = &Free> {
        self.iter().filter(move |free| free.is_of(index))
    }

    /// The places of these numbers among all.
    pub(crate) fn places(&self, index: usize) -> Vec<usize> {
        let numbers = self.iter().enumerate();
        let of_image = numbers.filter(|(_, free)| free.is_of(index));
        of_image.map(|(place, _)| place).collect()
    }

    /// The refined parameters of image `index`. Those of one free number are neighbours.
    pub fn parameters(&self, index: usize) -> Vec<Parameter> {
        let numbers = self.of_image(index);
        numbers.flat_map(|free| free.tied.clone()).collect()
    }

    /// The experiment of image `index` with these values of all free numbers.
    ///
    /// # Errors
    /// If a value is impossible.
    pub fn apply(
        &self,
        spec: &ExperimentSpec,
        index: usize,
        values: &[f64],
    ) -> Result<ExperimentSpec, Error> {
        let mut spec = spec.clone();
        let numbers = self.iter().zip(values);
        for (free, &value) in numbers.filter(|(free, _)| free.is_of(index)) {
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

    /// Sets a bound or restraint on each free number of a parameter.
    fn each(
        &mut self,
        parameter: Parameter,
        what: &'static str,
        set: impl Fn(&mut Free) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let names: Vec<String> = self.iter().map(Free::name).collect();
        let mut is_refined = false;
        for free in &mut self.numbers {
            if free.tied.contains(&parameter) {
                is_refined = true;
                set(free)?;
            }
        }
        if is_refined {
            return Ok(());
        }
        Err(Error::NotRefined {
            name: parameter.name(),
            what,
            refined: names.join(", "),
        })
    }
}

impl Free {
    /// A number that starts as in `spec`, without bounds and restraint.
    fn new(
        spec: &ExperimentSpec,
        image: Option<usize>,
        tied: Vec<Parameter>,
    ) -> Result<Self, Error> {
        let leader = *tied.first().ok_or(Error::NoParameters)?;
        let start = gradient::value(spec, leader)?;
        Ok(Self {
            reach: leader.uncertainty(start),
            start,
            bounds: None,
            restraint: None,
            image,
            tied,
        })
    }

    /// The name of the parameter, with those tied to it: `cell_a = cell_b`. That of one image has its
    /// number, from 1: `misset_x#3`.
    pub fn name(&self) -> String {
        let number = self.image.map(|index| format!("#{}", index + 1));
        let number = number.unwrap_or_default();
        let names: Vec<String> = (self.tied.iter())
            .map(|p| format!("{}{number}", p.name()))
            .collect();
        names.join(" = ")
    }

    /// The image that has this number, from 0; `None` if all images share it.
    pub fn image(&self) -> Option<usize> {
        self.image
    }

    /// Whether image `index` has this number.
    fn is_of(&self, index: usize) -> bool {
        self.image.is_none_or(|image| image == index)
    }

    /// Whether this value of the fluence is within its bounds.
    pub(crate) fn allows(&self, value: f64) -> bool {
        (self.bounds).is_none_or(|Bounds { low, high }| low < value && value < high)
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

/// The parameters that move with each free number.
type Groups = Vec<Vec<Parameter>>;

/// The parameters of each free number, those that all images share and those of each image, and the crystal
/// system that ties them. A parameter that is selected twice, by a group and by its name, is one free number;
/// one that each image has is not shared.
fn groups(
    spec: &ExperimentSpec,
    wanted: &RefineSpec,
) -> Result<([Groups; 2], Option<CrystalSystem>), Error> {
    let (own, own_system) = ties(spec, wanted, &wanted.per_image, &[])?;
    let (shared, system) = ties(spec, wanted, &wanted.selection, &own.concat())?;
    Ok(([shared, own], system.or(own_system)))
}

/// The parameters of each free number of a selection, without those that are `known`.
fn ties(
    spec: &ExperimentSpec,
    wanted: &RefineSpec,
    selections: &[Selection],
    known: &[Parameter],
) -> Result<(Groups, Option<CrystalSystem>), Error> {
    let mut groups = Groups::new();
    let mut system = None;
    let mut add = |tied: &[Parameter]| {
        let is_new = |p: &Parameter| !groups.iter().flatten().chain(known).any(|known| known == p);
        let tied: Vec<Parameter> = tied.iter().copied().filter(is_new).collect();
        if !tied.is_empty() {
            groups.push(tied);
        }
    };
    for selection in selections {
        match selection {
            Selection::Cell => {
                let obeyed = match wanted.system {
                    Some(system) => system,
                    None => CrystalSystem::of(spec)?,
                };
                if let Some(fault) = obeyed.fault_of(spec)? {
                    let system = obeyed.name();
                    return Err(Error::NotOfSystem { system, fault });
                }
                obeyed.free().iter().for_each(|tied| add(tied));
                system = Some(obeyed);
            }
            Selection::Misset => {
                add(&[Parameter::MissetX]);
                add(&[Parameter::MissetY]);
                add(&[Parameter::MissetZ]);
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

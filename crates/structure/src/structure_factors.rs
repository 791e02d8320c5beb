//! Structure factors of a model: all reflections to a resolution, including both Friedel mates.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

use nanobragg_crystal::{
    Amplitude, AsymmetricUnit, GridLimit, Hkl, ListedReflection, Reflection, ReflectionList,
};

use crate::anomalous::Dispersion;
use crate::atom_sum::AtomSum;
use crate::error::Error;
use crate::form_factor::LEAST_SPACING_A;
use crate::frame::CellFrame;
use crate::model::Model;
use crate::scatterer::Scatterer;
use crate::solvent::{Solvent, SolventFactors};

/// The method of the sum over the atoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summation {
    /// The Fourier transform of a map of the density.
    #[default]
    Density,
    /// The sum over the atoms for each reflection.
    Direct,
}

/// The request for structure factors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorSpec {
    /// The smallest spacing d of the reflections, in A.
    pub dmin_a: f64,
    /// The bulk solvent; `None` for a vacuum.
    pub solvent: Option<Solvent>,
    /// Dispersion corrections. They replace those of the model.
    pub dispersion: Dispersion,
    /// The method of the sum.
    pub method: Summation,
    /// The largest memory of maps and lists.
    pub limit: GridLimit,
}

impl Default for FactorSpec {
    /// To 2 A, with solvent, without dispersion.
    fn default() -> Self {
        Self {
            dmin_a: 2.0,
            solvent: Some(Solvent::default()),
            dispersion: Dispersion::new(),
            method: Summation::default(),
            limit: GridLimit::default(),
        }
    }
}

/// A structure factor, in electrons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StructureFactor {
    /// The indices.
    pub hkl: Hkl,
    /// The real part.
    pub real: f64,
    /// The imaginary part.
    pub imaginary: f64,
}

impl StructureFactor {
    /// |F|.
    pub fn amplitude(&self) -> f64 {
        self.real.hypot(self.imaginary)
    }

    /// The phase in radians, from -pi to pi.
    pub fn phase_rad(&self) -> f64 {
        self.imaginary.atan2(self.real)
    }

    /// The reflection without its phase.
    pub fn reflection(&self) -> Reflection {
        Reflection {
            hkl: self.hkl,
            amplitude: self.amplitude(),
        }
    }
}

/// The structure factors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct StructureFactors {
    /// All reflections with `d >= dmin`, and 0 0 0, in order of h, k, l.
    pub list: Vec<StructureFactor>,
    /// The fraction of the cell that is solvent; `None` for a vacuum.
    pub solvent_fraction: Option<f64>,
}

impl StructureFactors {
    /// The structure factors of all reflections in the sphere of radius 1/dmin, including 0 0 0.
    ///
    /// ```text
    /// F(h) = sum_(R,t) exp(2 pi i h.t) F_asu(h R) + F_solvent(h)
    /// ```
    /// # Errors
    /// [`Error::OutOfRange`] for a number outside its range, [`Error::TooLarge`] if the reflections or
    /// the maps need more memory than the limit.
    pub fn new(model: &Model, spec: &FactorSpec) -> Result<Self, Error> {
        let mut dispersion = model.dispersion.clone();
        // Corrections of the request replace those of the file.
        dispersion.extend(&spec.dispersion);
        Self::with_corrections(model, spec, &dispersion)
    }

    /// The same with these corrections only.
    pub(crate) fn with_corrections(
        model: &Model,
        spec: &FactorSpec,
        dispersion: &Dispersion,
    ) -> Result<Self, Error> {
        spec.check()?;
        let frame = &model.frame;
        for per_a in frame.reciprocal_lengths_per_a() {
            within(
                "the distance of lattice planes (A)",
                1.0 / per_a,
                1.0..=1e6,
                "1 to 1e6",
            )?;
        }
        let indices = indices(frame, spec.dmin_a, spec.limit)?;
        let atoms = model.atoms.iter();
        let scatterers = atoms.map(|atom| Scatterer::new(atom, dispersion));
        let atoms = AtomSum::new(model, scatterers.collect(), spec)?;
        let solvent = spec.solvent;
        let solvent = solvent
            .map(|solvent| SolventFactors::new(model, solvent, spec.dmin_a, spec.limit))
            .transpose()?;
        let factor = |hkl: [i32; 3]| {
            let s_squared = frame.s_squared(hkl);
            let [mut real, mut imaginary] = atoms.at(hkl, s_squared);
            if let Some(solvent) = &solvent {
                let [more_real, more_imaginary] = solvent.at(hkl, s_squared);
                real += more_real;
                imaginary += more_imaginary;
            }
            StructureFactor {
                hkl: Hkl(hkl),
                real,
                imaginary,
            }
        };
        Ok(Self {
            list: indices.into_iter().map(factor).collect(),
            solvent_fraction: solvent.as_ref().map(SolventFactors::fraction),
        })
    }

    /// The reflections without their phases.
    pub fn reflections(&self) -> Vec<Reflection> {
        self.list.iter().map(StructureFactor::reflection).collect()
    }

    /// The reflections of the asymmetric unit that are not systematically absent, with their phases.
    ///
    /// If any Friedel mates are different, all of them are listed as F(+) and F(-).
    pub fn asymmetric_list(&self, model: &Model) -> ReflectionList {
        /// In electrons. Without f'' mates differ only by rounding.
        const SAME: f64 = 1e-6;
        let group = &model.space_group;
        let unit = AsymmetricUnit::of(group);
        // The list is sorted and has -h for every h, so the mate of the n-th reflection is the n-th
        // from the end.
        let mates = || self.list.iter().zip(self.list.iter().rev());
        let is_anomalous = mates().any(|(f, mate)| (f.amplitude() - mate.amplitude()).abs() > SAME);
        let listed = |(factor, mate): (&StructureFactor, &StructureFactor)| {
            let hkl = factor.hkl.0;
            let is_listed = unit.contains(group, hkl) && !group.is_absent(hkl);
            is_listed.then(|| ListedReflection {
                hkl,
                amplitude: if is_anomalous {
                    Amplitude::Pair(factor.amplitude(), mate.amplitude())
                } else {
                    Amplitude::Same(factor.amplitude())
                },
                phase_rad: Some(factor.phase_rad()),
            })
        };
        ReflectionList {
            cell: Some(*model.frame.cell()),
            reflections: mates().filter_map(listed).collect(),
            ..ReflectionList::from_text(&[], Some(group))
        }
    }
}

impl FactorSpec {
    /// Checks the numbers of the request.
    fn check(&self) -> Result<(), Error> {
        let spacings = LEAST_SPACING_A..=1000.0;
        let allowed = "0.25 to 1000 A: the form factors hold down to 0.25 A";
        within("the resolution limit (A)", self.dmin_a, spacings, allowed)?;
        if let Some(solvent) = &self.solvent {
            let Solvent {
                density_per_a3,
                b_a2,
                probe_a,
                shrink_a,
                spacing_a,
            } = *solvent;
            let density = "the solvent's density (e/A^3)";
            within(density, density_per_a3, 0.0..=10.0, "0 to 10")?;
            within("the solvent's B (A^2)", b_a2, 0.0..=1000.0, "0 to 1000")?;
            within("the solvent's probe (A)", probe_a, 0.0..=10.0, "0 to 10")?;
            within(
                "the solvent's shrinkage (A)",
                shrink_a,
                0.0..=10.0,
                "0 to 10",
            )?;
            within(
                "the mask's spacing (A)",
                spacing_a,
                0.05..=10.0,
                "0.05 to 10",
            )?;
        }
        Ok(())
    }
}

/// An error unless the value is in its range.
pub(crate) fn within(
    quantity: &'static str,
    value: f64,
    range: RangeInclusive<f64>,
    allowed: &'static str,
) -> Result<(), Error> {
    let error = Error::OutOfRange {
        quantity,
        value,
        allowed,
    };
    range.contains(&value).then_some(()).ok_or(error)
}

/// All indices with `d >= dmin`, including 0 0 0.
fn indices(frame: &CellFrame, dmin_a: f64, limit: GridLimit) -> Result<Vec<[i32; 3]>, Error> {
    // The volume of the sphere of radius 1/dmin, divided by that of the reciprocal cell.
    let count = 4.0 / 3.0 * PI / dmin_a.powi(3) * frame.volume_a3();
    let each_bytes = size_of::<StructureFactor>() + size_of::<[i32; 3]>();
    let needed_bytes = (count * each_bytes as f64) as u128;
    // An index is h = q.a, and |q.a| <= |q| |a|.
    let most = frame.cell().lengths_angstrom.map(|edge| edge / dmin_a);
    if needed_bytes > u128::from(limit.max_bytes) || most.iter().any(|n| *n > MOST_INDEX) {
        return Err(Error::TooLarge {
            dmin_a,
            needed_bytes,
            limit_bytes: limit.max_bytes,
        });
    }
    // A reflection exactly at the limit must not be lost by rounding.
    let most_s_squared = (1.0 + 1e-12) / (dmin_a * dmin_a);
    let [h_most, k_most, l_most] = most.map(|n| n.floor() as i32);
    let mut indices = Vec::new();
    for h in -h_most..=h_most {
        for k in -k_most..=k_most {
            for l in -l_most..=l_most {
                if frame.s_squared([h, k, l]) <= most_s_squared {
                    indices.push([h, k, l]);
                }
            }
        }
    }
    Ok(indices)
}

/// The largest index. It is far above the thousands of a virus crystal at atomic resolution.
const MOST_INDEX: f64 = 1e5;

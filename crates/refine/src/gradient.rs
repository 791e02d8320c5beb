//! Stand-in for `nanobragg::gradient` by central differences.
#![allow(missing_docs)]
use nanobragg::{Angle, Error, ExperimentSpec, Length, RunOptions, crystal::Misset, simulate};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Parameter {
    CellA, CellB, CellC, CellAlpha, CellBeta, CellGamma,
    MissetX, MissetY, MissetZ,
    Fluence, Distance,
}
use Parameter::*;
impl Parameter {
    pub const ALL: &[Parameter] = &[CellA, CellB, CellC, CellAlpha, CellBeta, CellGamma, MissetX, MissetY, MissetZ, Fluence, Distance];
    pub fn name(self) -> String {
        match self {
            CellA => "cell_a", CellB => "cell_b", CellC => "cell_c",
            CellAlpha => "cell_alpha", CellBeta => "cell_beta", CellGamma => "cell_gamma",
            MissetX => "misset_x", MissetY => "misset_y", MissetZ => "misset_z",
            Fluence => "fluence", Distance => "distance",
        }.to_owned()
    }
    pub fn unit(self) -> &'static str {
        match self {
            CellA | CellB | CellC => "A",
            Fluence => "photons/m^2", Distance => "mm",
            _ => "degree",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.name() == name)
    }
}

pub fn value(spec: &ExperimentSpec, parameter: Parameter) -> Result<f64, Error> {
    let cell = spec.crystal.cell.unwrap();
    let misset = spec.crystal.misset.map_or([0.0; 3], |m| m.angles_rad());
    Ok(match parameter {
        CellA => cell.lengths_angstrom[0],
        CellB => cell.lengths_angstrom[1],
        CellC => cell.lengths_angstrom[2],
        CellAlpha => cell.angles_rad[0].to_degrees(),
        CellBeta => cell.angles_rad[1].to_degrees(),
        CellGamma => cell.angles_rad[2].to_degrees(),
        MissetX => misset[0].to_degrees(),
        MissetY => misset[1].to_degrees(),
        MissetZ => misset[2].to_degrees(),
        Fluence => spec.resolve()?.experiment.fluence_per_m2,
        Distance => spec.detector.distance.mm(),
    })
}

pub fn with_value(spec: &ExperimentSpec, parameter: Parameter, value: f64) -> Result<ExperimentSpec, Error> {
    let mut spec = spec.clone();
    let mut cell = spec.crystal.cell.unwrap();
    let mut misset = spec.crystal.misset.map_or([0.0; 3], |m| m.angles_rad());
    match parameter {
        CellA => cell.lengths_angstrom[0] = value,
        CellB => cell.lengths_angstrom[1] = value,
        CellC => cell.lengths_angstrom[2] = value,
        CellAlpha => cell.angles_rad[0] = value.to_radians(),
        CellBeta => cell.angles_rad[1] = value.to_radians(),
        CellGamma => cell.angles_rad[2] = value.to_radians(),
        MissetX => misset[0] = value.to_radians(),
        MissetY => misset[1] = value.to_radians(),
        MissetZ => misset[2] = value.to_radians(),
        Fluence => spec.beam.fluence.fluence_per_m2 = Some(value),
        Distance => spec.detector.distance = Length::from_mm(value),
    }
    spec.crystal.cell = Some(cell);
    spec.crystal.misset = Some(Misset::Angles(misset));
    let _ = Angle::default();
    Ok(spec)
}

pub struct Jacobian { pub photons: Vec<f64>, pub derivatives: Vec<Vec<f64>>, pub fast: usize, pub slow: usize }

pub fn render_jacobian(spec: &ExperimentSpec, parameters: &[Parameter], options: &RunOptions<'_>) -> Result<Jacobian, Error> {
    let image = |spec: &ExperimentSpec| -> Result<_, Error> {
        Ok(simulate(&spec.resolve()?.experiment, options)?.photons)
    };
    let photons = image(spec)?;
    let mut derivatives = Vec::new();
    for &p in parameters {
        let v = value(spec, p)?;
        let h = match p { CellA | CellB | CellC => 3e-4, Fluence => v * 1e-2, Distance => 1e-3, _ => 3e-4 };
        let up = image(&with_value(spec, p, v + h)?)?;
        let down = image(&with_value(spec, p, v - h)?)?;
        derivatives.push(up.pixels().iter().zip(down.pixels()).map(|(u, d)| (f64::from(*u) - f64::from(*d)) / (2.0 * h)).collect());
    }
    Ok(Jacobian { fast: photons.fast(), slow: photons.slow(), photons: photons.pixels().iter().map(|&p| p.into()).collect(), derivatives })
}

//! What an image can be differentiated by.

use std::fmt;

use nanobragg_crystal::Hkl;

/// A number of the experiment that an image can be differentiated by.
///
/// Values and derivatives are per unit as on the command line. `docs/GRADIENTS.md` tells what each
/// moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Parameter {
    /// Edge a of the cell in Angstrom.
    CellA,
    /// Edge b of the cell in Angstrom.
    CellB,
    /// Edge c of the cell in Angstrom.
    CellC,
    /// Angle between b and c in degrees.
    CellAlpha,
    /// Angle between a and c in degrees.
    CellBeta,
    /// Angle between a and b in degrees.
    CellGamma,
    /// Missetting about the laboratory's X in degrees.
    MissetX,
    /// Missetting about the laboratory's Y in degrees.
    MissetY,
    /// Missetting about the laboratory's Z in degrees.
    MissetZ,
    /// Cells along a, continued between whole numbers.
    CellsA,
    /// Cells along b.
    CellsB,
    /// Cells along c.
    CellsC,
    /// Factor on the squared radius of a spot.
    Fudge,
    /// Mosaic spread in degrees.
    MosaicSpread,
    /// Spindle angle of the first phi step in degrees.
    PhiStart,
    /// Range of the phi sweep in degrees, as `-osc`.
    PhiRange,
    /// Central wavelength in Angstrom.
    Wavelength,
    /// Full width of the band of wavelengths in percent.
    Dispersion,
    /// Horizontal divergence in milliradians, as `-hdivrange`.
    DivergenceH,
    /// Vertical divergence in milliradians, as `-vdivrange`.
    DivergenceV,
    /// Photons per square metre.
    Fluence,
    /// Kahn's polarization factor.
    PolarizationFactor,
    /// Distance of the detector in millimetres: the close distance where that was given.
    Distance,
    /// Where the beam (or, with the pivot at the sample, the near point) meets the detector, along
    /// fast from the corner of the first pixel, in millimetres. The detector moves the other way.
    BeamFast,
    /// The same along slow.
    BeamSlow,
    /// Rotation of the detector about the laboratory's X in degrees.
    DetectorRotX,
    /// Rotation of the detector about the laboratory's Y in degrees.
    DetectorRotY,
    /// Rotation of the detector about the laboratory's Z in degrees.
    DetectorRotZ,
    /// Rotation of the detector about the two-theta axis in degrees.
    TwoTheta,
    /// Thickness of the sensor in micrometres.
    SensorThickness,
    /// Depth over which the sensor absorbs by a factor e, in micrometres.
    SensorAttenuation,
    /// Edge of the cube of water in micrometres.
    Water,
    /// Amplitude of one structure factor of the grid in electrons.
    StructureFactor(Hkl),
}

/// Each parameter with its name and unit.
const TABLE: [(Parameter, &str, &str); 32] = [
    (Parameter::CellA, "cell_a", "Angstrom"),
    (Parameter::CellB, "cell_b", "Angstrom"),
    (Parameter::CellC, "cell_c", "Angstrom"),
    (Parameter::CellAlpha, "cell_alpha", "degree"),
    (Parameter::CellBeta, "cell_beta", "degree"),
    (Parameter::CellGamma, "cell_gamma", "degree"),
    (Parameter::MissetX, "misset_x", "degree"),
    (Parameter::MissetY, "misset_y", "degree"),
    (Parameter::MissetZ, "misset_z", "degree"),
    (Parameter::CellsA, "Na", "cells"),
    (Parameter::CellsB, "Nb", "cells"),
    (Parameter::CellsC, "Nc", "cells"),
    (Parameter::Fudge, "fudge", "1"),
    (Parameter::MosaicSpread, "mosaic_spread", "degree"),
    (Parameter::PhiStart, "phi_start", "degree"),
    (Parameter::PhiRange, "phi_range", "degree"),
    (Parameter::Wavelength, "wavelength", "Angstrom"),
    (Parameter::Dispersion, "dispersion", "percent"),
    (Parameter::DivergenceH, "divergence_h", "mrad"),
    (Parameter::DivergenceV, "divergence_v", "mrad"),
    (Parameter::Fluence, "fluence", "photons/m^2"),
    (Parameter::PolarizationFactor, "polarization_factor", "1"),
    (Parameter::Distance, "distance", "mm"),
    (Parameter::BeamFast, "beam_fast", "mm"),
    (Parameter::BeamSlow, "beam_slow", "mm"),
    (Parameter::DetectorRotX, "detector_rotx", "degree"),
    (Parameter::DetectorRotY, "detector_roty", "degree"),
    (Parameter::DetectorRotZ, "detector_rotz", "degree"),
    (Parameter::TwoTheta, "twotheta", "degree"),
    (Parameter::SensorThickness, "sensor_thickness", "micrometre"),
    (
        Parameter::SensorAttenuation,
        "sensor_attenuation",
        "micrometre",
    ),
    (Parameter::Water, "water", "micrometre"),
];

impl Parameter {
    /// Every parameter but the structure factors.
    pub const ALL: &[Self] = &[
        Self::CellA,
        Self::CellB,
        Self::CellC,
        Self::CellAlpha,
        Self::CellBeta,
        Self::CellGamma,
        Self::MissetX,
        Self::MissetY,
        Self::MissetZ,
        Self::CellsA,
        Self::CellsB,
        Self::CellsC,
        Self::Fudge,
        Self::MosaicSpread,
        Self::PhiStart,
        Self::PhiRange,
        Self::Wavelength,
        Self::Dispersion,
        Self::DivergenceH,
        Self::DivergenceV,
        Self::Fluence,
        Self::PolarizationFactor,
        Self::Distance,
        Self::BeamFast,
        Self::BeamSlow,
        Self::DetectorRotX,
        Self::DetectorRotY,
        Self::DetectorRotZ,
        Self::TwoTheta,
        Self::SensorThickness,
        Self::SensorAttenuation,
        Self::Water,
    ];

    /// Its name: `cell_a`, `misset_x`, `Na`, `distance`; `F(1,-2,3)` for a structure factor.
    ///
    /// ```
    /// use nanobragg::gradient::Parameter;
    ///
    /// assert_eq!(Parameter::CellA.name(), "cell_a");
    /// assert_eq!(Parameter::from_name("cell_a"), Some(Parameter::CellA));
    /// ```
    pub fn name(self) -> String {
        self.to_string()
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        self.row().map_or("electrons", |(_, _, unit)| unit)
    }

    /// The parameter of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = TABLE.iter().find(|(_, known, _)| *known == name);
        if let Some((parameter, ..)) = named {
            return Some(*parameter);
        }
        let indices = name.strip_prefix("F(")?.strip_suffix(')')?;
        let mut hkl = [0; 3];
        let mut words = indices.split(',');
        for index in &mut hkl {
            *index = words.next()?.trim().parse().ok()?;
        }
        words
            .next()
            .is_none()
            .then_some(Self::StructureFactor(Hkl(hkl)))
    }

    fn row(self) -> Option<(Self, &'static str, &'static str)> {
        TABLE.into_iter().find(|(known, ..)| *known == self)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.row()) {
            (Self::StructureFactor(Hkl([h, k, l])), _) => write!(f, "F({h},{k},{l})"),
            (_, Some((_, name, _))) => f.write_str(name),
            (_, None) => fmt::Debug::fmt(self, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each() {
        let rows: Vec<_> = TABLE.iter().map(|(parameter, ..)| *parameter).collect();
        assert_eq!(rows, Parameter::ALL);
    }

    #[test]
    fn every_name_leads_back_to_its_parameter() {
        let factor = Parameter::StructureFactor(Hkl([1, -2, 30]));
        for &parameter in Parameter::ALL.iter().chain([&factor]) {
            assert_eq!(Parameter::from_name(&parameter.name()), Some(parameter));
            assert!(!parameter.unit().is_empty());
        }
        for name in ["", "cell", "F(1,2)", "F(1,2,3,4)", "F(1,2,x)"] {
            assert_eq!(Parameter::from_name(name), None);
        }
    }
}

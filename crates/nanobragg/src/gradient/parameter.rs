//! The parameters by which an image can be differentiated.

use std::fmt;

use nanobragg_crystal::Hkl;
use nanobragg_physics::DiffuseNumbers;
use nanobragg_structure::Element;

/// Name, unit and uncertainty of a parameter.
struct Row {
    parameter: Parameter,
    name: &'static str,
    unit: &'static str,
    uncertainty: Uncertainty,
}

/// The expected error of a first guess of a parameter.
#[derive(Clone, Copy)]
enum Uncertainty {
    /// A fixed error, in the unit of the parameter.
    Within(f64),
    /// A fraction of the value, and at least `least`.
    Share { of_value: f64, least: f64 },
}

const fn within(by: f64) -> Uncertainty {
    Uncertainty::Within(by)
}

const fn share(of_value: f64, least: f64) -> Uncertainty {
    Uncertainty::Share { of_value, least }
}

/// Defines [`Parameter`] and its table, one row per parameter: `variant: name, unit, uncertainty`.
macro_rules! parameters {
    ($($(#[$doc:meta])* $variant:ident: $name:literal, $unit:literal, $uncertainty:expr;)+) => {
        /// A number of the experiment by which an image can be differentiated.
        ///
        /// Values and derivatives are in the units of the command line. `docs/GRADIENTS.md` says what
        /// each parameter moves.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Parameter {
            $($(#[$doc])* $variant,)+
            /// Amplitude of one structure factor of the grid in electrons.
            StructureFactor(Hkl),
            /// What is added to f' of an element at every energy, in electrons.
            DispersionReal(Element),
            /// What is added to f'' of an element at every energy, in electrons.
            DispersionImaginary(Element),
        }

        impl Parameter {
            /// Every parameter except those of a structure factor or an element.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }

        const TABLE: &[Row] = &[
            $(Row {
                parameter: Parameter::$variant,
                name: $name,
                unit: $unit,
                uncertainty: $uncertainty,
            }),+
        ];
    };
}

parameters! {
    /// Edge a of the cell in Angstrom.
    CellA: "cell_a", "Angstrom", share(0.02, 1e-3);
    /// Edge b of the cell in Angstrom.
    CellB: "cell_b", "Angstrom", share(0.02, 1e-3);
    /// Edge c of the cell in Angstrom.
    CellC: "cell_c", "Angstrom", share(0.02, 1e-3);
    /// Angle between b and c in degrees.
    CellAlpha: "cell_alpha", "degree", within(0.5);
    /// Angle between a and c in degrees.
    CellBeta: "cell_beta", "degree", within(0.5);
    /// Angle between a and b in degrees.
    CellGamma: "cell_gamma", "degree", within(0.5);
    /// Misset about the laboratory X in degrees.
    MissetX: "misset_x", "degree", within(0.3);
    /// Misset about the laboratory Y in degrees.
    MissetY: "misset_y", "degree", within(0.3);
    /// Misset about the laboratory Z in degrees.
    MissetZ: "misset_z", "degree", within(0.3);
    /// Cells along a; fractional numbers are allowed.
    CellsA: "Na", "cells", share(0.1, 1e-3);
    /// Cells along b.
    CellsB: "Nb", "cells", share(0.1, 1e-3);
    /// Cells along c.
    CellsC: "Nc", "cells", share(0.1, 1e-3);
    /// Nd of the size tensor.
    CellsD: "Nd", "cells", share(0.1, 0.1);
    /// Ne of the size tensor.
    CellsE: "Ne", "cells", share(0.1, 0.1);
    /// Nf of the size tensor.
    CellsF: "Nf", "cells", share(0.1, 0.1);
    /// Factor on the photons of the crystal.
    SpotScale: "spot_scale", "1", share(0.3, 1e-3);
    /// Factor on the squared radius of a spot.
    Fudge: "fudge", "1", share(0.1, 1e-3);
    /// Correlation length of the diffuse scattering along its first axis in Angstrom.
    DiffuseGammaA: "diffuse_gamma_a", "Angstrom", share(0.3, 1e-3);
    /// The same along its second axis.
    DiffuseGammaB: "diffuse_gamma_b", "Angstrom", share(0.3, 1e-3);
    /// The same along its third axis.
    DiffuseGammaC: "diffuse_gamma_c", "Angstrom", share(0.3, 1e-3);
    /// Root mean square displacement of the diffuse scattering along its first axis in Angstrom.
    DiffuseSigmaA: "diffuse_sigma_a", "Angstrom", share(0.3, 1e-3);
    /// The same along its second axis.
    DiffuseSigmaB: "diffuse_sigma_b", "Angstrom", share(0.3, 1e-3);
    /// The same along its third axis.
    DiffuseSigmaC: "diffuse_sigma_c", "Angstrom", share(0.3, 1e-3);
    /// Mosaic spread in degrees.
    MosaicSpread: "mosaic_spread", "degree", share(0.1, 1e-3);
    /// Mosaic spread about a in degrees.
    MosaicSpreadA: "mosaic_spread_a", "degree", share(0.1, 1e-3);
    /// Mosaic spread about b in degrees.
    MosaicSpreadB: "mosaic_spread_b", "degree", share(0.1, 1e-3);
    /// Mosaic spread about c in degrees.
    MosaicSpreadC: "mosaic_spread_c", "degree", share(0.1, 1e-3);
    /// Standard deviation of the length of all edges together in percent.
    Strain: "strain", "percent", share(0.1, 1e-3);
    /// Standard deviation of the length of a on its own in percent.
    StrainA: "strain_a", "percent", share(0.1, 1e-3);
    /// Standard deviation of the length of b on its own in percent.
    StrainB: "strain_b", "percent", share(0.1, 1e-3);
    /// Standard deviation of the length of c on its own in percent.
    StrainC: "strain_c", "percent", share(0.1, 1e-3);
    /// Spindle angle of the first phi step in degrees.
    PhiStart: "phi_start", "degree", within(0.3);
    /// Range of the phi sweep in degrees, as `-osc`.
    PhiRange: "phi_range", "degree", within(0.3);
    /// Central wavelength in Angstrom.
    Wavelength: "wavelength", "Angstrom", share(0.01, 1e-3);
    /// Full width of the band of wavelengths in percent.
    Dispersion: "dispersion", "percent", share(0.1, 1e-3);
    /// FWHM of a Gaussian spectrum in percent of the nominal energy.
    SpectrumFwhm: "spectrum_fwhm", "percent", share(0.1, 1e-3);
    /// Horizontal divergence in milliradians, as `-hdivrange`.
    DivergenceH: "divergence_h", "mrad", share(0.1, 1e-3);
    /// Vertical divergence in milliradians, as `-vdivrange`.
    DivergenceV: "divergence_v", "mrad", share(0.1, 1e-3);
    /// Photons per square metre.
    Fluence: "fluence", "photons/m^2", share(0.3, 1.0);
    /// Kahn's polarization factor.
    PolarizationFactor: "polarization_factor", "1", share(0.1, 1e-3);
    /// Distance of the detector in millimetres (the close distance if that was given).
    Distance: "distance", "mm", share(0.01, 1e-3);
    /// Position along fast of the point where the beam meets the detector, in millimetres from the corner of
    /// the first pixel. With the pivot at the sample it is the near point. The detector moves the other way.
    BeamFast: "beam_fast", "mm", within(0.2);
    /// The same along slow.
    BeamSlow: "beam_slow", "mm", within(0.2);
    /// Rotation of the detector about the laboratory X in degrees.
    DetectorRotX: "detector_rotx", "degree", within(0.3);
    /// Rotation of the detector about the laboratory Y in degrees.
    DetectorRotY: "detector_roty", "degree", within(0.3);
    /// Rotation of the detector about the laboratory Z in degrees.
    DetectorRotZ: "detector_rotz", "degree", within(0.3);
    /// Rotation of the detector about the two-theta axis in degrees.
    TwoTheta: "twotheta", "degree", within(0.3);
    /// Thickness of the sensor in micrometres.
    SensorThickness: "sensor_thickness", "micrometre", share(0.1, 1e-3);
    /// Depth over which the sensor absorbs by a factor e, in micrometres.
    SensorAttenuation: "sensor_attenuation", "micrometre", share(0.1, 1e-3);
    /// Factor on the intensity of the crystal of the experiment.
    LatticeWeight0: "lattice_weight_0", "1", share(0.1, 1e-3);
    /// Factor on the intensity of the first other lattice.
    LatticeWeight1: "lattice_weight_1", "1", share(0.1, 1e-3);
    /// Factor on the intensity of the second other lattice.
    LatticeWeight2: "lattice_weight_2", "1", share(0.1, 1e-3);
    /// Factor on the intensity of the third other lattice.
    LatticeWeight3: "lattice_weight_3", "1", share(0.1, 1e-3);
    /// Fraction of the first twin.
    TwinFraction1: "twin_fraction_1", "1", within(0.1);
    /// Fraction of the second twin.
    TwinFraction2: "twin_fraction_2", "1", within(0.1);
    /// Fraction of the third twin.
    TwinFraction3: "twin_fraction_3", "1", within(0.1);
    /// B factor of the fall-off of structure factors in Angstrom^2.
    BFactor: "b_factor", "Angstrom^2", share(0.3, 1.0);
    /// Edge of the cube of water in micrometres.
    Water: "water", "micrometre", share(0.1, 1e-3);
    /// Factor on all layers of the background.
    BackgroundScale: "background_scale", "1", share(0.3, 1e-3);
    /// Thickness of the first layer of the background in millimetres.
    BackgroundThickness1: "background_thickness_1", "mm", share(0.3, 1e-6);
    /// Density of the first layer of the background in g/cm^3.
    BackgroundDensity1: "background_density_1", "g/cm^3", share(0.3, 1e-6);
    /// Thickness of the second layer of the background in millimetres.
    BackgroundThickness2: "background_thickness_2", "mm", share(0.3, 1e-6);
    /// Density of the second layer of the background in g/cm^3.
    BackgroundDensity2: "background_density_2", "g/cm^3", share(0.3, 1e-6);
    /// Thickness of the third layer of the background in millimetres.
    BackgroundThickness3: "background_thickness_3", "mm", share(0.3, 1e-6);
    /// Density of the third layer of the background in g/cm^3.
    BackgroundDensity3: "background_density_3", "g/cm^3", share(0.3, 1e-6);
}

/// A number of a layer of the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerNumber {
    Thickness,
    Density,
}

impl Parameter {
    /// The name: `cell_a`, `misset_x`, `Na`, `distance`; `F(1,-2,3)` for a structure factor; `f_prime(Fe)` and
    /// `f_double_prime(Fe)` for an element.
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

    /// The unit.
    pub fn unit(self) -> &'static str {
        self.row().map_or("electrons", |row| row.unit)
    }

    /// The expected error of `value` as a first guess, in the unit of the parameter.
    pub fn uncertainty(self, value: f64) -> f64 {
        let of_others = match self {
            Self::DispersionReal(_) | Self::DispersionImaginary(_) => within(1.0),
            _ => share(0.1, 1e-3),
        };
        match self.row().map_or(of_others, |row| row.uncertainty) {
            Uncertainty::Within(by) => by,
            Uncertainty::Share { of_value, least } => (of_value * value.abs()).max(least),
        }
    }

    /// The parameter of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(row) = TABLE.iter().find(|row| row.name == name) {
            return Some(row.parameter);
        }
        let (kind, argument) = name.strip_suffix(')')?.split_once('(')?;
        let indices = match kind {
            "F" => argument,
            "f_prime" => return Element::from_symbol(argument).map(Self::DispersionReal),
            "f_double_prime" => {
                return Element::from_symbol(argument).map(Self::DispersionImaginary);
            }
            _ => return None,
        };
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

    /// The length of the diffuse scattering that this is in `numbers`.
    pub(super) fn diffuse_length<T>(self, numbers: &mut DiffuseNumbers<T>) -> Option<&mut T> {
        let DiffuseNumbers {
            gamma_angstrom: [ga, gb, gc],
            sigma_angstrom: [sa, sb, sc],
        } = numbers;
        Some(match self {
            Self::DiffuseGammaA => ga,
            Self::DiffuseGammaB => gb,
            Self::DiffuseGammaC => gc,
            Self::DiffuseSigmaA => sa,
            Self::DiffuseSigmaB => sb,
            Self::DiffuseSigmaC => sc,
            _ => return None,
        })
    }

    /// The element whose f' (true) or f'' this shifts.
    pub(super) fn element(self) -> Option<(Element, bool)> {
        match self {
            Self::DispersionReal(element) => Some((element, true)),
            Self::DispersionImaginary(element) => Some((element, false)),
            _ => None,
        }
    }

    /// The layer of the background whose thickness or density this is, counted from 0.
    pub(super) fn layer(self) -> Option<(LayerNumber, usize)> {
        Some(match self {
            Self::BackgroundThickness1 => (LayerNumber::Thickness, 0),
            Self::BackgroundThickness2 => (LayerNumber::Thickness, 1),
            Self::BackgroundThickness3 => (LayerNumber::Thickness, 2),
            Self::BackgroundDensity1 => (LayerNumber::Density, 0),
            Self::BackgroundDensity2 => (LayerNumber::Density, 1),
            Self::BackgroundDensity3 => (LayerNumber::Density, 2),
            _ => return None,
        })
    }

    /// The crystal whose weight this is; 0 for that of the experiment.
    pub(super) fn crystal(self) -> Option<usize> {
        const WEIGHTS: [Parameter; 4] = [
            Parameter::LatticeWeight0,
            Parameter::LatticeWeight1,
            Parameter::LatticeWeight2,
            Parameter::LatticeWeight3,
        ];
        WEIGHTS.iter().position(|weight| *weight == self)
    }

    /// The twin whose fraction this is, counted from 0.
    pub(super) fn twin(self) -> Option<usize> {
        const FRACTIONS: [Parameter; 3] = [
            Parameter::TwinFraction1,
            Parameter::TwinFraction2,
            Parameter::TwinFraction3,
        ];
        FRACTIONS.iter().position(|fraction| *fraction == self)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.parameter == self)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.row()) {
            (Self::StructureFactor(Hkl([h, k, l])), _) => write!(f, "F({h},{k},{l})"),
            (Self::DispersionReal(element), _) => write!(f, "f_prime({element})"),
            (Self::DispersionImaginary(element), _) => write!(f, "f_double_prime({element})"),
            (_, Some(row)) => f.write_str(row.name),
            (_, None) => fmt::Debug::fmt(self, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_parameter() {
        let iron = Element::from_symbol("Fe").unwrap();
        let others = [
            Parameter::StructureFactor(Hkl([1, -2, 30])),
            Parameter::DispersionReal(iron),
            Parameter::DispersionImaginary(iron),
        ];
        for &parameter in Parameter::ALL.iter().chain(&others) {
            assert_eq!(Parameter::from_name(&parameter.name()), Some(parameter));
            assert!(!parameter.unit().is_empty());
        }
        for name in [
            "",
            "cell",
            "F(1,2)",
            "F(1,2,3,4)",
            "F(1,2,x)",
            "f_prime(Xx)",
            "f_prime",
            "G(1,2,3)",
        ] {
            assert_eq!(Parameter::from_name(name), None);
        }
    }
}

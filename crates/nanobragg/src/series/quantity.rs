//! The quantities that can vary from image to image.

use std::fmt;
use std::str::FromStr;

use nanobragg_crystal::constants::DEGREES_PER_RADIAN;
use nanobragg_crystal::{CellSpec, Crystal, CrystalSize, CrystalSpec, clip_to_beam};
use nanobragg_crystal::{Lattice, reciprocal_from_matrix};
use nanobragg_geometry::vector::norm;
use nanobragg_geometry::{Angle, Laboratory, Length, Pivot, in_unit};
use nanobragg_sources::spectrum::NamedSpectrum;
use nanobragg_sources::{Fluence, SpectrumFrom};
use serde::{Deserialize, Serialize};

use super::distribution::{Allowed, Distribution};
use crate::error::Error;
use crate::gradient::Parameter;
use crate::spec::{ExperimentSpec, SourcesSpec};

/// The largest tilt of the beam.
const MOST_TILT_MRAD: f64 = 100.0;

/// The largest seed: whole numbers up to it are exact in an f64.
const MOST_SEED: i64 = 1 << 53;

/// Name, unit and allowed values of a quantity.
struct Row {
    name: &'static str,
    unit: &'static str,
    allowed: Allowed,
}

/// Defines [`Quantity`] and its table, one row per quantity: `variant: name, unit, allowed values`.
macro_rules! quantities {
    ($($(#[$doc:meta])* $variant:ident: $name:literal, $unit:literal, $allowed:expr;)+) => {
        /// A quantity that can vary from image to image. The names are those of refinement where it has them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[non_exhaustive]
        pub enum Quantity {
            $($(#[$doc])* $variant,)+
        }

        impl Quantity {
            /// Every quantity.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        name: $name,
                        unit: $unit,
                        allowed: $allowed,
                    },)+
                }
            }
        }
    };
}

quantities! {
    /// Edge a of the cell, and those that the crystal system ties to it.
    CellA: "cell_a", "Angstrom", Allowed::POSITIVE;
    /// Edge b of the cell.
    CellB: "cell_b", "Angstrom", Allowed::POSITIVE;
    /// Edge c of the cell.
    CellC: "cell_c", "Angstrom", Allowed::POSITIVE;
    /// Angle between b and c, and those that the crystal system ties to it.
    CellAlpha: "cell_alpha", "degree", Allowed::POSITIVE;
    /// Angle between a and c.
    CellBeta: "cell_beta", "degree", Allowed::POSITIVE;
    /// Angle between a and b.
    CellGamma: "cell_gamma", "degree", Allowed::POSITIVE;
    /// Cells along a, b and c, of a crystal with as many along each.
    Cells: "N", "cells", Allowed::COUNT;
    /// Cells along a.
    CellsA: "Na", "cells", Allowed::COUNT;
    /// Cells along b.
    CellsB: "Nb", "cells", Allowed::COUNT;
    /// Cells along c.
    CellsC: "Nc", "cells", Allowed::COUNT;
    /// Mosaic spread.
    MosaicSpread: "mosaic_spread", "degree", Allowed::ZERO_OR_MORE;
    /// Factor on the photons of the crystal.
    SpotScale: "spot_scale", "1", Allowed::PHOTONS;
    /// Resolution fall-off of the structure factors.
    BFactor: "b_factor", "A^2", Allowed::ANY;
    /// Photons per area.
    Fluence: "fluence", "photons/m^2", Allowed::PHOTONS;
    /// Central wavelength. The cell of a crystal that is given by a matrix stays.
    Wavelength: "wavelength", "Angstrom", Allowed::POSITIVE;
    /// Column of weights of a file with several spectra.
    SpectrumColumn: "spectrum_column", "", Allowed::COUNT;
    /// Seed of a spectrum of SASE.
    SaseSeed: "sase_seed", "", Allowed::Whole(MOST_SEED);
    /// Position along fast of the beam centre, from the corner of the first pixel. The detector moves.
    BeamFast: "beam_fast", "mm", Allowed::ANY;
    /// The same along slow.
    BeamSlow: "beam_slow", "mm", Allowed::ANY;
    /// Turn of the beam towards its electric vector. The detector stays.
    TiltHorizontal: "beam_tilt_h", "mrad", Allowed::within(MOST_TILT_MRAD);
    /// Turn of the beam across its electric vector.
    TiltVertical: "beam_tilt_v", "mrad", Allowed::within(MOST_TILT_MRAD);
}

impl Quantity {
    /// The name: `cell_a`, `N`, `fluence`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The unit of its values.
    pub const fn unit(self) -> &'static str {
        self.row().unit
    }

    /// Checks the values that a distribution states, as far as it can be done without an experiment.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check_stated(self, distribution: &Distribution) -> Result<(), String> {
        distribution.check_stated(self.allowed())
    }

    /// Whether it moves reflections on the detector, so that others come onto it.
    pub const fn moves_reflections(self) -> bool {
        match self {
            Self::CellA
            | Self::CellB
            | Self::CellC
            | Self::CellAlpha
            | Self::CellBeta
            | Self::CellGamma
            | Self::Wavelength
            | Self::SpectrumColumn
            | Self::SaseSeed
            | Self::BeamFast
            | Self::BeamSlow
            | Self::TiltHorizontal
            | Self::TiltVertical => true,
            Self::Cells
            | Self::CellsA
            | Self::CellsB
            | Self::CellsC
            | Self::MosaicSpread
            | Self::SpotScale
            | Self::BFactor
            | Self::Fluence => false,
        }
    }

    pub(super) const fn allowed(self) -> Allowed {
        self.row().allowed
    }

    /// The parameter of the cell that it is.
    pub(super) const fn of_cell(self) -> Option<Parameter> {
        Some(match self {
            Self::CellA => Parameter::CellA,
            Self::CellB => Parameter::CellB,
            Self::CellC => Parameter::CellC,
            Self::CellAlpha => Parameter::CellAlpha,
            Self::CellBeta => Parameter::CellBeta,
            Self::CellGamma => Parameter::CellGamma,
            Self::Cells
            | Self::CellsA
            | Self::CellsB
            | Self::CellsC
            | Self::MosaicSpread
            | Self::SpotScale
            | Self::BFactor
            | Self::Fluence
            | Self::Wavelength
            | Self::SpectrumColumn
            | Self::SaseSeed
            | Self::BeamFast
            | Self::BeamSlow
            | Self::TiltHorizontal
            | Self::TiltVertical => return None,
        })
    }

    /// Refuses an experiment in which the quantity cannot vary.
    pub(super) fn check(self, spec: &ExperimentSpec) -> Result<(), Error> {
        let reason = match self {
            Self::CellAlpha | Self::CellBeta | Self::CellGamma if spec.crystal.matrix.is_some() => {
                "the angles of a crystal that is given by a matrix cannot vary"
            }
            Self::SpectrumColumn if !has_table(spec) => "there is no file with several spectra",
            Self::SaseSeed if spec.sase_seed().is_none() => "the spectrum is not that of SASE",
            Self::Wavelength if spec.beam.spectrum.is_some() => {
                "the spectrum has wavelengths of its own"
            }
            Self::Wavelength if spec.beam.sources != SourcesSpec::Grid => {
                "the sources have wavelengths of their own"
            }
            Self::Cells | Self::CellsA | Self::CellsB | Self::CellsC
                if spec.crystal.domain.cells.is_some() =>
            {
                "the crystal has real numbers of cells"
            }
            Self::MosaicSpread if spec.crystal.mosaic.spread_abc_rad.is_some() => {
                "the crystal has three mosaic spreads"
            }
            Self::Cells if spec.has_unequal_cells()? => {
                "the crystal has different numbers of cells along a, b and c; vary Na, Nb or Nc"
            }
            _ => return Ok(()),
        };
        Err(self.refusal(reason.to_owned()))
    }

    pub(super) fn refusal(self, reason: String) -> Error {
        Error::Variation {
            quantity: self.name(),
            reason,
        }
    }

    /// The value in an experiment whose structure factors are in memory.
    ///
    /// # Errors
    /// If the experiment has none.
    pub fn base(self, spec: &ExperimentSpec) -> Result<f64, Error> {
        Ok(match self {
            Self::CellA => spec.cell_numbers()?[0],
            Self::CellB => spec.cell_numbers()?[1],
            Self::CellC => spec.cell_numbers()?[2],
            Self::CellAlpha => spec.cell_numbers()?[3],
            Self::CellBeta => spec.cell_numbers()?[4],
            Self::CellGamma => spec.cell_numbers()?[5],
            Self::Cells | Self::CellsA => spec.cells()?[0],
            Self::CellsB => spec.cells()?[1],
            Self::CellsC => spec.cells()?[2],
            Self::MosaicSpread => {
                let spread_rad = spec.crystal.mosaic.spread_rad.unwrap_or(0.0).max(0.0);
                exactly(in_unit::DEG, spread_rad, f64::to_degrees)
            }
            Self::SpotScale => spec.crystal.domain.spot_scale,
            Self::BFactor => spec.b_factor_a2,
            Self::Fluence => Fluence::new(&spec.beam.fluence)?.fluence_per_m2,
            Self::Wavelength => {
                exactly(in_unit::ANGSTROM, spec.beam.nominal_wavelength().m(), |m| {
                    m * 1e10
                })
            }
            Self::SpectrumColumn => {
                let spectrum = spec.beam.spectrum.as_ref();
                f64::from(spectrum.and_then(|spectrum| spectrum.column).unwrap_or(1))
            }
            // A seed that is no whole number from 1 is none that is drawn.
            Self::SaseSeed => spec.sase_seed().map_or(1.0, |seed| seed as f64),
            Self::BeamFast => spec.beam_centre_mm()?[0],
            Self::BeamSlow => spec.beam_centre_mm()?[1],
            Self::TiltHorizontal => exactly(in_unit::MRAD, spec.beam.tilt_rad[0], |rad| rad * 1e3),
            Self::TiltVertical => exactly(in_unit::MRAD, spec.beam.tilt_rad[1], |rad| rad * 1e3),
        })
    }
}

fn has_table(spec: &ExperimentSpec) -> bool {
    let spectrum = spec.beam.spectrum.as_ref();
    spectrum.is_some_and(|spectrum| match spectrum.from {
        SpectrumFrom::File { .. } | SpectrumFrom::Lines(_) => true,
        SpectrumFrom::Named(_) => false,
    })
}

/// The number in the unit that is exactly this value, or the nearest.
fn exactly(unit: in_unit::Unit, si: f64, convert: fn(f64) -> f64) -> f64 {
    unit.exactly(si).unwrap_or_else(|| convert(si))
}

impl ExperimentSpec {
    /// The lattice of a matrix before the misset; `None` without a matrix.
    fn matrix_lattice(&self) -> Option<Lattice> {
        let matrix = self.crystal.matrix.as_ref()?;
        let reciprocal = reciprocal_from_matrix(matrix, self.beam.nominal_wavelength().m());
        Some(Lattice::from_reciprocal(
            reciprocal,
            self.crystal.cell.as_ref(),
        ))
    }

    /// The cell as specified, or that of the matrix.
    fn cell(&self) -> Result<CellSpec, Error> {
        match (self.crystal.cell, self.matrix_lattice()) {
            (Some(cell), _) => Ok(cell),
            (None, Some(lattice)) => Ok(CellSpec {
                lengths_angstrom: lattice.direct_angstrom.map(norm),
                angles_rad: lattice.angles_rad(),
            }),
            (None, None) => Err(nanobragg_crystal::Error::NoCell.into()),
        }
    }

    /// The cell in Angstrom and degrees.
    pub(super) fn cell_numbers(&self) -> Result<[f64; 6], Error> {
        let cell = self.cell()?;
        let [a, b, c] = cell.lengths_angstrom;
        let degrees = |rad: f64| exactly(in_unit::DEG, rad, f64::to_degrees);
        let [alpha, beta, gamma] = cell.angles_rad.map(degrees);
        Ok([a, b, c, alpha, beta, gamma])
    }

    /// The numbers of cells along a, b and c.
    fn cells(&self) -> Result<[f64; 3], Error> {
        let crystal = &self.crystal;
        let edges_m = match crystal.size_m.iter().any(|size| *size > 0.0) {
            true => self.cell()?.lengths_angstrom.map(|edge| edge * 1e-10),
            false => [1.0; 3],
        };
        let beam_size_m = Fluence::new(&self.beam.fluence)?.beam_size_m;
        let (size_m, _) = clip_to_beam(crystal.size_m, beam_size_m);
        Ok(CrystalSize::new(crystal.cells, size_m, edges_m)?.cells())
    }

    /// The point at the pivot, along fast and slow from the corner of the first pixel.
    fn beam_centre_mm(&self) -> Result<[f64; 2], Error> {
        let input = Laboratory::new(&self.detector_spec())?.layout.input;
        let centre_m = match input.pivot {
            Pivot::Beam => [input.f_beam_m, input.s_beam_m],
            Pivot::Sample => [input.f_close_m, input.s_close_m],
        };
        Ok(centre_m.map(|m| exactly(in_unit::MM, m, |m| m * 1000.0)))
    }

    /// Sets a quantity of an experiment that was `base`.
    ///
    /// # Errors
    /// If the experiment does not have it.
    pub(super) fn set(&mut self, base: &Self, quantity: Quantity, value: f64) -> Result<(), Error> {
        match quantity {
            Quantity::CellA => self.cell_mut(base)?.lengths_angstrom[0] = value,
            Quantity::CellB => self.cell_mut(base)?.lengths_angstrom[1] = value,
            Quantity::CellC => self.cell_mut(base)?.lengths_angstrom[2] = value,
            // As the angles of a flag are converted.
            Quantity::CellAlpha => {
                self.cell_mut(base)?.angles_rad[0] = value / DEGREES_PER_RADIAN;
            }
            Quantity::CellBeta => {
                self.cell_mut(base)?.angles_rad[1] = value / DEGREES_PER_RADIAN;
            }
            Quantity::CellGamma => {
                self.cell_mut(base)?.angles_rad[2] = value / DEGREES_PER_RADIAN;
            }
            Quantity::Cells => (0..3).for_each(|axis| self.put_cells(axis, value)),
            Quantity::CellsA => self.put_cells(0, value),
            Quantity::CellsB => self.put_cells(1, value),
            Quantity::CellsC => self.put_cells(2, value),
            Quantity::MosaicSpread => {
                let spread_rad = Angle::from_degrees(value).radians();
                self.crystal.mosaic.spread_rad = Some(spread_rad);
            }
            Quantity::SpotScale => self.crystal.domain.spot_scale = value,
            Quantity::BFactor => self.b_factor_a2 = value,
            Quantity::Fluence => {
                // The size of the beam is still used.
                self.beam.fluence.flux_per_s = None;
                self.beam.fluence.fluence_per_m2 = Some(value);
            }
            Quantity::Wavelength => {
                let wavelength = Length::from_angstrom(value);
                // The columns of a matrix are reciprocal vectors times the wavelength.
                let ratio = wavelength.m() / base.beam.nominal_wavelength().m();
                if let Some(matrix) = &mut self.crystal.matrix {
                    matrix
                        .as_flattened_mut()
                        .iter_mut()
                        .for_each(|n| *n *= ratio);
                }
                self.beam.wavelength = Some(wavelength);
            }
            Quantity::SpectrumColumn => {
                if let Some(spectrum) = &mut self.beam.spectrum {
                    // Whole numbers from 1; the conversion saturates.
                    spectrum.column = Some(value as u32);
                }
            }
            Quantity::SaseSeed => {
                if let Some(SpectrumFrom::Named(NamedSpectrum::Sase { seed, .. })) = self
                    .beam
                    .spectrum
                    .as_mut()
                    .map(|spectrum| &mut spectrum.from)
                {
                    *seed = value as i64;
                }
            }
            Quantity::BeamFast => {
                let by = Length::from_mm(value - quantity.base(base)?);
                self.detector = self
                    .detector_spec()
                    .with_beam_moved(by, Length::default())?;
            }
            Quantity::BeamSlow => {
                let by = Length::from_mm(value - quantity.base(base)?);
                self.detector = self
                    .detector_spec()
                    .with_beam_moved(Length::default(), by)?;
            }
            Quantity::TiltHorizontal => {
                self.beam.tilt_rad[0] = Angle::from_mrad(value).radians();
            }
            Quantity::TiltVertical => {
                self.beam.tilt_rad[1] = Angle::from_mrad(value).radians();
            }
        }
        Ok(())
    }

    /// The cell, at first that of `base`.
    fn cell_mut(&mut self, base: &Self) -> Result<&mut CellSpec, Error> {
        let cell = match self.crystal.cell {
            Some(cell) => cell,
            None => base.cell()?,
        };
        Ok(self.crystal.cell.insert(cell))
    }

    fn put_cells(&mut self, axis: usize, value: f64) {
        if let Some(cells) = self.crystal.cells.get_mut(axis) {
            *cells = value as i64;
        }
        if let Some(size_m) = self.crystal.size_m.get_mut(axis) {
            *size_m = 0.0;
        }
    }

    /// The seed of a spectrum of SASE.
    fn sase_seed(&self) -> Option<i64> {
        match self.beam.spectrum.as_ref()?.from {
            SpectrumFrom::Named(NamedSpectrum::Sase { seed, .. }) => Some(seed),
            SpectrumFrom::Named(_) | SpectrumFrom::File { .. } | SpectrumFrom::Lines(_) => None,
        }
    }

    fn has_unequal_cells(&self) -> Result<bool, Error> {
        let [a, b, c] = self.cells()?;
        Ok(a != b || b != c)
    }

    /// Whether a crystal can have this cell.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_cell(&self) -> Result<(), Error> {
        let crystal = &self.crystal;
        Crystal::new(&CrystalSpec {
            cell: crystal.cell,
            matrix: crystal.matrix,
            impossible_cell: crystal.impossible_cell,
            wavelength_m: self.beam.nominal_wavelength().m(),
            ..CrystalSpec::default()
        })?;
        Ok(())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|known| known.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|known| known.name()).collect();
            format!("{name:?} cannot vary; there are {}", names.join(", "))
        })
    }
}

impl TryFrom<String> for Quantity {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.name().to_owned()
    }
}

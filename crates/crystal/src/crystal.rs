//! The crystal: its description, and everything that is computed from it.

use nanobragg_geometry::in_unit;
use serde::{Deserialize, Serialize};

use crate::basis::{DirectBasis, Lattice, ReciprocalBasis};
use crate::cell::CellSpec;
use crate::constants::DEGREES_PER_RADIAN;
use crate::domain::{DomainSpec, size_ratios};
use crate::error::{Error, Warning, finite};
use crate::mosaic::{Mosaic, MosaicSpec};
use crate::orientation::{Misset, misset, reciprocal_from_matrix};
use crate::shape::{LatticeShape, Shape, SpotMetric};
use crate::size::{CrystalSize, clip_to_beam, interpolates_by_default};
use crate::spindle::rotate_by_phi;

/// A sine or cosine of a cell angle may exceed 1 by this much without a warning.
const ROUNDING: f64 = 1e-7;

/// A cell whose [`CellSpec::skew`] is below this has no volume. It is far above rounding errors.
const FLATTEST: f64 = 1e-13;

/// The smallest relative error of c* that counts. Smaller ones change no pixel.
const NOTICEABLE_TILT: f64 = 1e-9;

/// A crystal as a user describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrystalSpec {
    /// Edges and angles. If a matrix is given too, the matrix gives the directions and the cell
    /// gives the lengths.
    pub cell: Option<CellSpec>,
    /// Whether angles that no lattice has are rendered with the numbers of the C program, which takes the
    /// magnitude of the square of the volume. They are an error otherwise.
    pub impossible_cell: bool,
    /// Orientation matrix by rows x, y, z, with columns a*, b*, c* times the wavelength.
    pub matrix: Option<[[f64; 3]; 3]>,
    /// Wavelength in metres that is a factor of the matrix.
    #[serde(skip)]
    pub wavelength_m: f64,
    /// Rotation of the reciprocal cell at phi 0.
    pub misset: Option<Misset>,
    /// Numbers of cells along a, b, c. Numbers below 1 become 1.
    pub cells: [i64; 3],
    /// Size along a, b, c in metres. A size above 0 replaces the number of cells.
    #[serde(rename = "size_mm", with = "in_unit::mm")]
    pub size_m: [f64; 3],
    /// Size of the beam in metres. The sizes along b and c are cut to it, unless it is negative.
    #[serde(skip)]
    pub beam_size_m: f64,
    /// The outer shape.
    pub shape: Shape,
    /// Factor on the squared radius of every shape except [`Shape::Square`].
    pub fudge: f64,
    /// How the radius of Gaussian spots and top-hats is measured.
    pub spot_metric: SpotMetric,
    /// Real numbers of cells, the size tensor, the distribution of sizes, the volume in the beam.
    pub domain: DomainSpec,
    /// Mosaic domains.
    pub mosaic: MosaicSpec,
    /// Whether the default orientation has c exactly along z, instead of that of the C program (see
    /// [`CellSpec::default_reciprocal`]).
    #[serde(skip)]
    pub upright_c_star: bool,
}

impl Default for CrystalSpec {
    /// One cell in a beam of 0.1 mm at 1 A. Its edges are unknown, so a cell or a matrix must be
    /// added.
    fn default() -> Self {
        Self {
            cell: None,
            impossible_cell: false,
            matrix: None,
            wavelength_m: 1e-10,
            misset: None,
            cells: [1; 3],
            size_m: [0.0; 3],
            beam_size_m: 1e-4,
            shape: Shape::default(),
            fudge: 1.0,
            spot_metric: SpotMetric::default(),
            domain: DomainSpec::default(),
            mosaic: MosaicSpec::default(),
            upright_c_star: false,
        }
    }
}

/// A crystal: its lattice at phi 0, size, shape and mosaic domains.
#[derive(Debug, Clone, PartialEq)]
pub struct Crystal {
    lattice: Lattice,
    direct: DirectBasis,
    reciprocal: ReciprocalBasis,
    misset_rad: Option<[f64; 3]>,
    size: CrystalSize,
    cells_asked: [f64; 3],
    shape: Shape,
    fudge: f64,
    spot_metric: SpotMetric,
    domain: DomainSpec,
    /// The edges of every domain over those of the crystal; empty if all are 1.
    domain_sizes: Vec<f64>,
    mosaic: Mosaic,
    tilts_c_star: bool,
    warnings: Vec<Warning>,
}

impl Crystal {
    /// The crystal of a description.
    ///
    /// # Errors
    /// [`Error::NoCell`], [`Error::FlatCell`], [`Error::ImpossibleAngles`], [`Error::SingularMatrix`],
    /// [`Error::TooManyDomains`], or [`Error::OutOfRange`] with the quantity.
    pub fn new(spec: &CrystalSpec) -> Result<Self, Error> {
        let fudge = finite("fudge", spec.fudge)?;
        // The size is cut before it is converted to a number of cells, as in the C program.
        let (size_m, mut warnings) = clip_to_beam(spec.size_m, spec.beam_size_m);

        let mut reciprocal = default_orientation(spec, &mut warnings)?;
        let misset_rad = spec.misset.as_ref().map(Misset::angles_rad);
        if let Some(angles) = misset_rad {
            for angle in angles {
                finite("misset angle (rad)", angle)?;
            }
            reciprocal = misset(reciprocal, angles);
        }
        let lattice = Lattice::from_reciprocal(reciprocal, spec.cell.as_ref());
        // A volume that is zero, subnormal, infinite or NaN leaves no correct digit in the vectors.
        let reciprocal_volume_per_a3 = lattice.reciprocal_volume_per_a3;
        if !reciprocal_volume_per_a3.is_normal() || !lattice.volume_a3.is_normal() {
            return Err(Error::SingularMatrix {
                reciprocal_volume_per_a3,
            });
        }
        warn_of_lattice(&lattice, &mut warnings);

        // A matrix has the orientation as given. Only the default orientation of a cell has the error.
        let is_tilted = (spec.cell.as_ref())
            .is_some_and(|cell| (cell.c_star_tilt() - 1.0).abs() > NOTICEABLE_TILT);
        let direct = DirectBasis::from_vectors(lattice.direct_m());
        let size = match spec.domain.cells {
            Some(cells) => CrystalSize::real(cells, direct.lengths_m()),
            None => CrystalSize::new(spec.cells, size_m, direct.lengths_m())?,
        };
        spec.domain.check(spec.shape, size.cells())?;
        let (mut mosaic, warning) = Mosaic::new(&spec.mosaic, &direct)?;
        let spread = spec.domain.size_spread;
        if spread > 0.0 {
            mosaic = mosaic.repeated(&spec.mosaic)?;
        } else {
            warnings.extend(warning);
        }
        let domain_sizes = size_ratios(spread, mosaic.domains().len(), spec.mosaic.seed);
        Ok(Self {
            reciprocal: ReciprocalBasis::from_vectors(lattice.reciprocal_per_angstrom),
            lattice,
            direct,
            misset_rad,
            size,
            cells_asked: (spec.domain.cells).unwrap_or(spec.cells.map(|cells| cells as f64)),
            shape: spec.shape,
            fudge,
            // Only the metric of indices knows the directions of a tensor.
            spot_metric: match spec.domain.tensor {
                Some(_) => SpotMetric::Hkl,
                None => spec.spot_metric,
            },
            domain: spec.domain,
            domain_sizes,
            mosaic,
            tilts_c_star: spec.matrix.is_none() && !spec.upright_c_star && is_tilted,
            warnings,
        })
    }

    /// The lattice in Angstrom, with lengths, angles and volume for a report.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// a, b, c in metres at phi 0, before any mosaic rotation.
    pub fn direct(&self) -> &DirectBasis {
        &self.direct
    }

    /// a*, b*, c* in 1/Angstrom at phi 0, before any mosaic rotation.
    pub fn reciprocal(&self) -> &ReciprocalBasis {
        &self.reciprocal
    }

    /// a, b, c in metres with the spindle at phi.
    pub fn direct_at(&self, spindle: [f64; 3], phi_rad: f64) -> DirectBasis {
        DirectBasis::from_vectors(rotate_by_phi(self.direct.vectors(), spindle, phi_rad))
    }

    /// The missetting angles about X, Y, Z in radians, given or random.
    pub fn misset_rad(&self) -> Option<[f64; 3]> {
        self.misset_rad
    }

    /// The size in cells and in metres.
    pub fn size(&self) -> &CrystalSize {
        &self.size
    }

    /// Whether structure factors are interpolated if the user does not choose: by the cells that the
    /// crystal has, or as the C program does by the numbers given (the oddity `size-lookup`).
    pub fn interpolates_by_default(&self, by_size: bool) -> bool {
        interpolates_by_default(if by_size {
            self.size.cells()
        } else {
            self.cells_asked
        })
    }

    /// Whether the angles of the lattice are wrong because several of them are oblique (the oddity
    /// `c-star`).
    pub fn tilts_c_star(&self) -> bool {
        self.tilts_c_star
    }

    /// The outer shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Factor on the squared radius of every shape except [`Shape::Square`].
    pub fn fudge(&self) -> f64 {
        self.fudge
    }

    /// The outer shape with the numbers that its lattice factor depends on.
    pub fn lattice_shape(&self) -> LatticeShape {
        LatticeShape {
            shape: self.shape,
            cells: self.size.cells(),
            tensor: self.domain.tensor,
            reciprocal_per_angstrom: self.reciprocal.vectors(),
            metric: self.spot_metric,
            fudge: self.fudge,
        }
    }

    /// How the radius of Gaussian spots and top-hats is measured.
    pub fn spot_metric(&self) -> SpotMetric {
        self.spot_metric
    }

    /// The description of its domains beyond the number of cells.
    pub fn domain(&self) -> &DomainSpec {
        &self.domain
    }

    /// The edges of every mosaic domain, divided by those of the crystal; empty if all are 1.
    pub fn domain_sizes(&self) -> &[f64] {
        &self.domain_sizes
    }

    /// The largest edge of the largest domain in metres.
    pub fn largest_domain_m(&self) -> f64 {
        let ratios = self.domain_sizes.iter().copied();
        self.size.largest_m() * ratios.reduce(f64::max).unwrap_or(1.0)
    }

    /// The factor on the intensity of the crystal: the spot scale times the number of domains in its volume.
    pub fn intensity_scale(&self) -> f64 {
        // Domains of different sizes have the mean volume of their distribution.
        let volumes = self.domain_sizes.iter().map(|ratio| ratio.powi(3));
        let mean_volume = match self.domain_sizes.len() {
            0 => 1.0,
            count => volumes.sum::<f64>() / count as f64,
        };
        let cells = self.lattice_shape().all_cells() * mean_volume;
        let domain_mm3 = cells * self.lattice.volume_a3.abs() * 1e-21;
        let domains = self
            .domain
            .crystal_mm3
            .map_or(1.0, |volume| volume / domain_mm3);
        self.domain.spot_scale * domains
    }

    /// The mosaic spread and the domains.
    pub fn mosaic(&self) -> &Mosaic {
        &self.mosaic
    }

    /// Input that was changed or looks wrong.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// The reciprocal vectors in 1/A before missetting: from the matrix, or else from the cell.
fn default_orientation(
    spec: &CrystalSpec,
    warnings: &mut Vec<Warning>,
) -> Result<[[f64; 3]; 3], Error> {
    if let Some(cell) = &spec.cell {
        cell.check()?;
        // Rounded, so that a message shows 120 and not 120.00000000000001.
        let angles_deg = cell
            .angles_rad
            .map(|angle| (angle * DEGREES_PER_RADIAN * 1e9).round() / 1e9);
        if cell.skew().abs() < FLATTEST || !cell.volume_a3().is_normal() {
            let [alpha_deg, beta_deg, gamma_deg] = angles_deg;
            return Err(Error::FlatCell {
                alpha_deg,
                beta_deg,
                gamma_deg,
            });
        }
        if cell.skew() < 0.0 && !spec.impossible_cell {
            return Err(Error::ImpossibleAngles { angles_deg });
        }
        if cell.skew() < 0.0 {
            warnings.push(Warning::ImpossibleAngles { angles_deg });
        }
    }
    if let Some(matrix) = &spec.matrix {
        let quantity = "wavelength (m)";
        let value = finite(quantity, spec.wavelength_m)?;
        if value <= 0.0 {
            return Err(Error::OutOfRange {
                quantity,
                value,
                allowed: "a positive length",
            });
        }
        for number in matrix.as_flattened() {
            finite("number of the orientation matrix", *number)?;
        }
        // Checked without the cell: a cell would hide that the columns lie in one plane.
        let reciprocal = reciprocal_from_matrix(matrix, spec.wavelength_m);
        let reciprocal_volume_per_a3 =
            Lattice::from_reciprocal(reciprocal, None).reciprocal_volume_per_a3;
        if !reciprocal_volume_per_a3.is_normal() {
            return Err(Error::SingularMatrix {
                reciprocal_volume_per_a3,
            });
        }
        return Ok(reciprocal);
    }
    let cell = spec.cell.as_ref().ok_or(Error::NoCell)?;
    Ok(if spec.upright_c_star {
        cell.upright_reciprocal()
    } else {
        cell.default_reciprocal()
    })
}

/// Adds warnings for a lattice whose numbers do not agree with each other, and for a left-handed
/// one.
fn warn_of_lattice(lattice: &Lattice, warnings: &mut Vec<Warning>) {
    let pairs = [
        (lattice.angle_sines(), lattice.angle_cosines()),
        (
            lattice.reciprocal_angle_sines(),
            lattice.reciprocal_angle_cosines(),
        ),
    ];
    for (sines, cosines) in pairs {
        if sines
            .iter()
            .chain(&cosines)
            .any(|x| x.abs() > 1.0 + ROUNDING)
        {
            warnings.push(Warning::InconsistentAngles { sines, cosines });
        }
    }
    if lattice.volume_a3 < 0.0 {
        warnings.push(Warning::LeftHandedMatrix {
            volume_a3: lattice.volume_a3,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(values: &[f64]) -> CrystalSpec {
        let cell = CellSpec::from_values(values).unwrap();
        CrystalSpec {
            cell: Some(cell),
            ..CrystalSpec::default()
        }
    }

    fn matrix(rows: [[f64; 3]; 3]) -> CrystalSpec {
        CrystalSpec {
            matrix: Some(rows),
            ..CrystalSpec::default()
        }
    }

    #[test]
    fn a_crystal_needs_a_cell_or_a_matrix() {
        assert!(matches!(
            Crystal::new(&CrystalSpec::default()),
            Err(Error::NoCell)
        ));
    }

    #[test]
    fn flat_cells_and_singular_matrices_are_refused() {
        let flat = cell(&[10.0, 10.0, 10.0, 120.0, 120.0, 120.0]);
        assert!(matches!(Crystal::new(&flat), Err(Error::FlatCell { .. })));
        let rank_two = matrix([[0.01, 0.0, 0.01], [0.0, 0.01, 0.0], [0.0, 0.0, 0.0]]);
        assert!(matches!(
            Crystal::new(&rank_two),
            Err(Error::SingularMatrix { .. })
        ));
        let mut both = cell(&[10.0]);
        both.matrix = rank_two.matrix;
        assert!(matches!(
            Crystal::new(&both),
            Err(Error::SingularMatrix { .. })
        ));
    }

    #[test]
    fn a_left_handed_matrix_gives_a_warning() {
        let rows = [[0.01, 0.0, 0.0], [0.0, -0.01, 0.0], [0.0, 0.0, 0.01]];
        let crystal = Crystal::new(&matrix(rows)).unwrap();
        assert!(matches!(
            crystal.warnings(),
            [Warning::LeftHandedMatrix { .. }]
        ));
    }

    #[test]
    fn angles_of_no_lattice_are_an_error_unless_they_are_asked_for() {
        let mut spec = cell(&[10.0, 10.0, 10.0, 30.0, 40.0, 100.0]);
        assert!(matches!(
            Crystal::new(&spec),
            Err(Error::ImpossibleAngles { .. })
        ));
        spec.impossible_cell = true;
        let crystal = Crystal::new(&spec).unwrap();
        assert!(matches!(
            crystal.warnings()[0],
            Warning::ImpossibleAngles { .. }
        ));
    }

    #[test]
    fn a_wavelength_of_zero_is_refused_with_a_matrix() {
        let mut spec = matrix([[0.01, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, 0.01]]);
        spec.wavelength_m = 0.0;
        assert!(matches!(Crystal::new(&spec), Err(Error::OutOfRange { .. })));
    }

    #[test]
    fn the_beam_cuts_the_crystal_before_cells_are_counted() {
        let mut spec = cell(&[50.0]);
        spec.size_m = [4.999e-6; 3];
        spec.beam_size_m = 2e-6;
        let crystal = Crystal::new(&spec).unwrap();
        assert_eq!(crystal.size().cells(), [1000.0, 400.0, 400.0]);
        assert_eq!(crystal.warnings().len(), 2);
        assert!(crystal.interpolates_by_default(false) && !crystal.interpolates_by_default(true));
    }
}

//! The size of the crystal in cells and in metres, and the sampling that it needs.

use crate::constants::{AVOGADRO_PER_MOL, CRYSTAL_DENSITY_G_PER_M3};
use crate::error::{Error, Warning, finite};

/// The size of a crystal: numbers of cells along a, b, c.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrystalSize {
    cells: [f64; 3],
    size_m: [f64; 3],
}

impl CrystalSize {
    /// Cells and size along a, b, c of a crystal with the given cell edges.
    ///
    /// For each axis, a positive size replaces the number of cells: `N = ceil(size/edge)`. Numbers
    /// below 1 become 1.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a size that is not finite.
    pub fn new(cells: [i64; 3], size_m: [f64; 3], edges_m: [f64; 3]) -> Result<Self, Error> {
        let mut whole = [1.0; 3];
        for (i, n) in whole.iter_mut().enumerate() {
            let size = finite("crystal size (m)", size_m[i])?;
            let count = if size > 0.0 {
                (size / edges_m[i]).ceil()
            } else {
                cells[i] as f64
            };
            // NaN is not below 1 and reaches the check.
            *n = finite("number of cells", if count <= 1.0 { 1.0 } else { count })?;
        }
        Ok(Self {
            cells: whole,
            size_m: std::array::from_fn(|i| edges_m[i] * whole[i]),
        })
    }

    /// The size of a crystal with real numbers of cells, for cell edges in metres.
    pub(crate) fn real(cells: [f64; 3], edges_m: [f64; 3]) -> Self {
        Self {
            cells,
            size_m: std::array::from_fn(|i| edges_m[i] * cells[i]),
        }
    }

    /// The numbers of cells Na, Nb, Nc, from 1; integers unless real numbers were asked for.
    pub fn cells(&self) -> [f64; 3] {
        self.cells
    }

    /// The size along a, b, c in metres.
    pub fn size_m(&self) -> [f64; 3] {
        self.size_m
    }

    /// The largest of the three sizes in metres.
    pub fn largest_m(&self) -> f64 {
        let [a, b, c] = self.size_m;
        a.max(b).max(c)
    }

    /// A rough molecular weight in g/mol: one molecule per cell at the density of a protein crystal.
    pub fn approximate_molecular_weight(&self) -> f64 {
        let [a, b, c] = self.size_m;
        let [na, nb, nc] = self.cells;
        let volume_m3 = a * b * c;
        volume_m3 * CRYSTAL_DENSITY_G_PER_M3 * AVOGADRO_PER_MOL / (na * nb * nc)
    }
}

/// The size of the part of the crystal in the beam, with a warning for each axis that was cut.
///
/// Only b and c are cut. The axis a is taken to lie along the beam, where the crystal can be longer
/// than the beam is wide. A negative beam size cuts nothing.
pub fn clip_to_beam(size_m: [f64; 3], beam_size_m: f64) -> ([f64; 3], Vec<Warning>) {
    let mut clipped = size_m;
    let mut warnings = Vec::new();
    if beam_size_m >= 0.0 {
        for (size, axis) in clipped.iter_mut().zip(['a', 'b', 'c']).skip(1) {
            if beam_size_m < *size {
                warnings.push(Warning::ClippedByBeam {
                    axis,
                    size_m: *size,
                    beam_size_m,
                });
                *size = beam_size_m;
            }
        }
    }
    (clipped, warnings)
}

/// The recommended number of sub-pixels along each side of a pixel:
/// `ceil(3 L/(lambda distance/pixel))`, at least 1 and at most `u32::MAX`.
///
/// L is the largest size of the crystal. Its fringes are `lambda distance/L` apart on the detector,
/// so this is three sub-pixels per fringe.
pub fn recommended_oversample(
    largest_m: f64,
    wavelength_m: f64,
    distance_m: f64,
    pixel_size_m: f64,
) -> u32 {
    // The size of a crystal whose fringes are one pixel apart.
    let resolved_m = wavelength_m * distance_m / pixel_size_m;
    // The conversion saturates, and converts NaN and negative numbers to 0.
    ((3.0 * largest_m / resolved_m).ceil() as u32).max(1)
}

/// Whether structure factors are interpolated if the user does not choose. They are for a crystal of
/// at most 2 cells along one of the axes, where the intensity between the spots matters.
pub fn interpolates_by_default(cells: [f64; 3]) -> bool {
    cells.into_iter().any(|n| n <= 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_replaces_a_number_of_cells_for_each_axis() {
        let size = CrystalSize::new([5, 6, 0], [0.0, 1e-7, 0.0], [1e-8; 3]).unwrap();
        assert_eq!(size.cells(), [5.0, 10.0, 1.0]);
        assert_eq!(size.largest_m(), 1e-7);
    }

    #[test]
    fn a_partial_cell_counts_as_one() {
        let size = CrystalSize::new([1; 3], [2.1e-8, 0.0, 1e-12], [1e-8; 3]).unwrap();
        assert_eq!(size.cells(), [3.0, 1.0, 1.0]);
    }

    #[test]
    fn the_beam_cuts_b_and_c_only() {
        let (size, warnings) = clip_to_beam([5e-6, 5e-6, 1e-6], 2e-6);
        assert_eq!(size, [5e-6, 2e-6, 1e-6]);
        assert_eq!(
            warnings,
            [Warning::ClippedByBeam {
                axis: 'b',
                size_m: 5e-6,
                beam_size_m: 2e-6
            }]
        );
        assert_eq!(clip_to_beam([1.0; 3], -1.0).0, [1.0; 3]);
    }

    #[test]
    fn oversampling_resolves_the_fringes_of_the_crystal() {
        // 5 micrometres, 1 A, 50 mm, 0.1 mm: fringes of 0.05 micrometres over the crystal.
        assert_eq!(recommended_oversample(5e-6, 1e-10, 0.05, 1e-4), 300);
        assert_eq!(recommended_oversample(1e-8, 1e-10, 0.1, 1e-4), 1);
        assert_eq!(recommended_oversample(1e-8, 1e-10, -0.1, 1e-4), 1);
        assert_eq!(recommended_oversample(1e30, 1e-10, 0.1, 1e-4), u32::MAX);
    }

    #[test]
    fn small_crystals_are_interpolated() {
        assert!(interpolates_by_default([5.0, 5.0, 2.0]));
        assert!(!interpolates_by_default([3.0; 3]));
    }

    #[test]
    fn sizes_that_are_not_finite_are_errors() {
        assert!(CrystalSize::new([1; 3], [f64::NAN, 0.0, 0.0], [1e-8; 3]).is_err());
        assert!(CrystalSize::new([1; 3], [1.0, 0.0, 0.0], [0.0; 3]).is_err());
    }
}

//! Observers of the sum of one pixel: a trace, or the tape of a gradient.

use crate::sampling::Lookup;
use crate::scene::Orientation;

/// One sub-pixel of one layer of the sensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subpixel<T> {
    /// Position in metres from the crystal.
    pub(crate) position_m: [T; 3],
    /// Unit vector from the crystal.
    pub(crate) diffracted: [T; 3],
    /// Distance from the crystal in metres.
    pub(crate) path_m: T,
}

/// One term of the sum: one source, phi step and domain at one sub-pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'t, T> {
    pub(crate) source: usize,
    pub(crate) orientation: &'t Orientation<T>,
    /// The weight of the source times that of the orientation.
    pub(crate) weight: T,
    /// Fractional Miller indices.
    pub(crate) hkl: [T; 3],
    pub(crate) lookup: Lookup,
    /// Structure factor of the unit cell in electrons.
    pub(crate) cell_factor: T,
    /// Structure factor of the lattice.
    pub(crate) lattice_factor: T,
}

/// The diffuse scattering of one reflection in one term of the sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiffuseTerm<T> {
    pub(crate) source: usize,
    /// Indices of the reflection.
    pub(crate) reflection: [f64; 3],
    /// Its structure factor in electrons.
    pub(crate) factor: T,
    /// What multiplies the square of it.
    pub(crate) by: T,
}

/// Observes the sum of a pixel. The default of every method does nothing and costs nothing.
pub(crate) trait Observer<T> {
    /// A sub-pixel begins.
    fn subpixel(&mut self, _subpixel: &Subpixel<T>) {}
    /// A source begins, with its scattering vector in 1/m, and whether `dmin` cuts it here.
    fn source(&mut self, _source: usize, _scattering_per_m: [T; 3], _is_cut: bool) {}
    /// The terms of this source are added to a sum of their own, because they share a weight.
    fn opened(&mut self) {}
    /// A term `w F^2 Fl^2` was added.
    fn term(&mut self, _term: &Term<'_, T>) {}
    /// Diffuse scattering was added.
    fn diffuse(&mut self, _term: &DiffuseTerm<T>) {}
    /// The running sum was multiplied.
    fn scaled(&mut self, _factor: T) {}
    /// The separate sum was multiplied by its weight and added to the other terms.
    fn closed(&mut self, _weight: T) {}
}

/// The observer of a plain render: it does nothing.
pub(crate) struct Unobserved;

impl<T> Observer<T> for Unobserved {}

use crate::Error;

/// Share of the brightest pixel that counts as nothing, in units of the relative tolerance: near a
/// zero of the lattice transform the last bits of an index decide the whole pixel.
const OF_BRIGHTEST: f64 = 1e-3;

/// How far pixel b may be from pixel a: by t |a| + t 1e-3 brightest |a|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    relative: f64,
}

impl Default for Tolerance {
    /// 1e-6: an f32 carries 6e-8, and the C program's own compilers differ by a few units of that.
    fn default() -> Self {
        Self { relative: 1e-6 }
    }
}

impl Tolerance {
    /// The tolerance with this t; 0 calls for equal values.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless it is 0 or above and finite.
    pub fn new(relative: f64) -> Result<Self, Error> {
        if relative.is_finite() && relative >= 0.0 {
            Ok(Self { relative })
        } else {
            Err(Error::OutOfRange {
                quantity: "the tolerance",
                value: relative,
                allowed: "0 or above",
            })
        }
    }

    /// t itself.
    pub fn relative(self) -> f64 {
        self.relative
    }

    /// By how much a pixel may differ from `a` in an image with this `brightest` magnitude.
    pub fn allowed(self, a: f64, brightest: f64) -> f64 {
        self.relative * a.abs() + self.relative * OF_BRIGHTEST * brightest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_pixels_are_allowed_a_share_of_the_brightest() {
        let tolerance = Tolerance::new(0.125).unwrap();
        assert_eq!(tolerance.allowed(0.0, 8000.0), 1.0);
        assert_eq!(tolerance.allowed(-8.0, 8000.0), 2.0);
    }

    #[test]
    fn only_numbers_from_0_are_tolerances() {
        for wrong in [-1e-9, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                Tolerance::new(wrong),
                Err(Error::OutOfRange { .. })
            ));
        }
        assert_eq!(Tolerance::new(0.0).unwrap().allowed(5.0, 9.0), 0.0);
    }
}

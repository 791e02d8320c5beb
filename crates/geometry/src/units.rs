//! Lengths and angles in the public interface.
//!
//! Inside the program every length is in metres and every angle in radians. These two types keep a
//! caller from passing a number in another unit. The conversions divide or multiply exactly as the
//! reference program does, so that a converted value agrees with it to the last bit.

/// Degrees in one radian, 180/pi.
pub const DEGREES_PER_RADIAN: f64 = 180.0 * std::f64::consts::FRAC_1_PI;

/// A length, stored in metres.
///
/// ```
/// use nanobragg_geometry::Length;
///
/// assert_eq!(Length::from_mm(102.4).m(), 0.1024);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Length(f64);

impl Length {
    /// A length of `m` metres.
    pub const fn from_m(m: f64) -> Self {
        Self(m)
    }

    /// A length of `mm` millimetres.
    pub const fn from_mm(mm: f64) -> Self {
        Self(mm / 1000.0)
    }

    /// A length of `um` micrometres.
    pub const fn from_um(um: f64) -> Self {
        Self(um * 1e-6)
    }

    /// A length of `angstrom` Angstrom. It divides by 1e10, as the reference program does for
    /// wavelengths; a product with 1e-10 can differ in the last bit.
    pub const fn from_angstrom(angstrom: f64) -> Self {
        Self(angstrom / 1e10)
    }

    /// The length in metres.
    pub const fn m(self) -> f64 {
        self.0
    }

    /// The length in millimetres.
    pub const fn mm(self) -> f64 {
        self.0 * 1000.0
    }
}

/// An angle, stored in radians.
///
/// ```
/// use nanobragg_geometry::Angle;
///
/// assert_eq!(Angle::from_degrees(180.0).radians(), std::f64::consts::PI);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Angle(f64);

impl Angle {
    /// An angle of `radians` radians.
    pub const fn from_radians(radians: f64) -> Self {
        Self(radians)
    }

    /// An angle of `degrees` degrees.
    pub const fn from_degrees(degrees: f64) -> Self {
        Self(degrees / DEGREES_PER_RADIAN)
    }

    /// An angle of `mrad` milliradians.
    pub const fn from_mrad(mrad: f64) -> Self {
        Self(mrad / 1000.0)
    }

    /// The angle in radians.
    pub const fn radians(self) -> f64 {
        self.0
    }

    /// The angle in degrees.
    pub const fn degrees(self) -> f64 {
        self.0 * DEGREES_PER_RADIAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_unit_are_stored_in_metres() {
        assert_eq!(Length::from_mm(0.1).m(), 0.1e-3);
        assert_eq!(Length::from_um(450.0).m(), 450e-6);
        assert_eq!(Length::from_angstrom(1.0).m(), 1e-10);
        assert_eq!(Length::from_m(0.25).mm(), 250.0);
    }

    #[test]
    fn angles_of_every_unit_are_stored_in_radians() {
        assert_eq!(
            Angle::from_degrees(90.0).radians(),
            std::f64::consts::FRAC_PI_2
        );
        assert_eq!(Angle::from_mrad(2.0).radians(), 0.002);
        assert_eq!(Angle::from_radians(0.0).degrees(), 0.0);
    }
}

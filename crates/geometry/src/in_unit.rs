//! Quantities in files. A field holds a number in the unit at the end of its name.
//!
//! `#[serde(with = "in_unit::mm")]` on a field writes it in millimetres. Every value reads back the
//! same to the bit. For some values no number of millimetres does so; they are written as text in
//! the SI unit, `"0.07000000000000002 m"`.

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{Angle, Length};

/// A unit of a file.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Its name in a text: `mm`.
    name: &'static str,
    /// The name of the SI unit: `m`.
    si: &'static str,
    to_si: fn(f64) -> f64,
    from_si: fn(f64) -> f64,
}

impl Unit {
    /// The number in this unit whose conversion is exactly `si`. The one with the fewest digits, if
    /// there are several; `None` if there is none.
    pub fn exactly(&self, si: f64) -> Option<f64> {
        // Both conversions round, so the exact number can be a neighbour of the converted one.
        let near = (self.from_si)(si);
        let (up, down) = (near.next_up(), near.next_down());
        let candidates = [near, up, down, up.next_up(), down.next_down()];
        let is_exact =
            |number: &f64| number.is_finite() && (self.to_si)(*number).to_bits() == si.to_bits();
        let exact = candidates.into_iter().filter(is_exact);
        exact.min_by_key(|number| format!("{number:e}").len())
    }
}

/// A number in a file: in the unit of its field, or as text with a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// In the unit of its field.
    Number(f64),
    /// A number and its unit, as in `"1 mm"`.
    Text(String),
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WrittenVisitor;
        impl Visitor<'_> for WrittenVisitor {
            type Value = Written;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or a text with a number and its unit")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Written, E> {
                Ok(Written::Number(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Written, E> {
                Ok(Written::Number(number as f64))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Written, E> {
                Ok(Written::Number(number as f64))
            }

            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(WrittenVisitor)
    }
}

/// A value that can be written in a unit: [`Length`], [`Angle`], an `f64` in SI units, an option or
/// an array of two or three of them.
pub trait Quantity: Sized {
    /// The form in the file.
    type Written: Serialize + for<'de> Deserialize<'de>;

    /// This value in the form of the file.
    fn write(&self, unit: Unit) -> Self::Written;

    /// The value from the form of the file.
    ///
    /// # Errors
    /// A message, if a text is not a number and a unit.
    fn read(written: Self::Written, unit: Unit) -> Result<Self, String>;
}

impl Quantity for f64 {
    type Written = Written;

    fn write(&self, unit: Unit) -> Written {
        // Most values are numbers that a user typed in this unit, and those are exact.
        let number = unit.exactly(*self).map(Written::Number);
        number.unwrap_or_else(|| Written::Text(format!("{self} {}", unit.si)))
    }

    fn read(written: Written, unit: Unit) -> Result<Self, String> {
        let text = match written {
            Written::Number(number) => return Ok((unit.to_si)(number)),
            Written::Text(text) => text,
        };
        let parts = text.split_once(' ');
        let parsed = parts.and_then(|(number, name)| Some((number.parse().ok()?, name)));
        match parsed {
            Some((number, name)) if name == unit.name => Ok((unit.to_si)(number)),
            Some((number, name)) if name == unit.si => Ok(number),
            _ => Err(format!(
                "found \"{text}\", expected a number in {name}, or a text such as \"1 {name}\" or \"1 {}\"",
                unit.si,
                name = unit.name
            )),
        }
    }
}

macro_rules! quantity_of {
    ($name:ident, $from:ident, $to:ident) => {
        impl Quantity for $name {
            type Written = Written;

            fn write(&self, unit: Unit) -> Written {
                self.$to().write(unit)
            }

            fn read(written: Written, unit: Unit) -> Result<Self, String> {
                f64::read(written, unit).map(Self::$from)
            }
        }
    };
}

quantity_of!(Length, from_m, m);
quantity_of!(Angle, from_radians, radians);

impl<Q: Quantity> Quantity for Option<Q> {
    type Written = Option<Q::Written>;

    fn write(&self, unit: Unit) -> Self::Written {
        self.as_ref().map(|quantity| quantity.write(unit))
    }

    fn read(written: Self::Written, unit: Unit) -> Result<Self, String> {
        written.map(|written| Q::read(written, unit)).transpose()
    }
}

impl<Q: Quantity> Quantity for [Q; 2] {
    type Written = [Q::Written; 2];

    fn write(&self, unit: Unit) -> Self::Written {
        self.each_ref().map(|quantity| quantity.write(unit))
    }

    fn read([x, y]: Self::Written, unit: Unit) -> Result<Self, String> {
        Ok([Q::read(x, unit)?, Q::read(y, unit)?])
    }
}

impl<Q: Quantity> Quantity for [Q; 3] {
    type Written = [Q::Written; 3];

    fn write(&self, unit: Unit) -> Self::Written {
        self.each_ref().map(|quantity| quantity.write(unit))
    }

    fn read([x, y, z]: Self::Written, unit: Unit) -> Result<Self, String> {
        Ok([Q::read(x, unit)?, Q::read(y, unit)?, Q::read(z, unit)?])
    }
}

macro_rules! units {
    ($($module:ident $unit:ident $title:literal: $si:literal, $to_si:expr, $from_si:expr;)+) => {$(
        #[doc = concat!($title, ".")]
        pub const $unit: Unit = Unit {
            name: stringify!($module),
            si: $si,
            to_si: $to_si,
            from_si: $from_si,
        };

        #[doc = concat!($title, ", for `#[serde(with = ...)]`.")]
        pub mod $module {
            use super::*;

            /// Writes a quantity.
            ///
            /// # Errors
            /// Those of the serializer.
            pub fn serialize<Q: Quantity, S: Serializer>(
                quantity: &Q,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                quantity.write($unit).serialize(serializer)
            }

            /// Reads a quantity.
            ///
            /// # Errors
            /// If there is neither a number nor a text with a number and its unit.
            pub fn deserialize<'de, Q: Quantity, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Q, D::Error> {
                let written = Q::Written::deserialize(deserializer)?;
                Q::read(written, $unit).map_err(D::Error::custom)
            }
        }
    )+};
}

units! {
    mm MM "Millimetres": "m", |mm| Length::from_mm(mm).m(), |m| m * 1000.0;
    um UM "Micrometres": "m", |um| Length::from_um(um).m(), |m| m * 1e6;
    angstrom ANGSTROM "Angstrom": "m", |a| Length::from_angstrom(a).m(), |m| m * 1e10;
    deg DEG "Degrees": "rad", |deg| Angle::from_degrees(deg).radians(), |rad| Angle::from_radians(rad).degrees();
    mrad MRAD "Milliradians": "rad", |mrad| Angle::from_mrad(mrad).radians(), |rad| rad * 1000.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNITS: [Unit; 5] = [MM, UM, ANGSTROM, DEG, MRAD];

    #[test]
    fn typed_numbers_are_written_as_they_were_typed() {
        for unit in UNITS {
            for typed in [0.1, 70.1, 102.4, 1.2398, -33.3, 0.0, 1e-3, 45000.0] {
                assert_eq!(
                    unit.exactly((unit.to_si)(typed)),
                    Some(typed),
                    "{typed} {}",
                    unit.name
                );
            }
        }
    }

    #[test]
    fn a_text_names_its_unit() {
        let read = |text: &str| f64::read(Written::Text(text.to_owned()), MM);
        assert_eq!(read("0.07 m"), Ok(0.07));
        assert_eq!(read("70 mm"), Ok(0.07));
        assert!(read("70").is_err() && read("70 deg").is_err() && read("x m").is_err());
    }

    proptest! {
        #[test]
        fn every_value_reads_back_to_the_bit(bits: u64, index in 0_usize..UNITS.len()) {
            let (value, unit) = (f64::from_bits(bits), UNITS[index]);
            let back = f64::read(value.write(unit), unit).unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || back.is_nan() && value.is_nan());
        }

        #[test]
        fn values_of_a_laboratory_read_back_to_the_bit(value in -10.0..10.0_f64, index in 0_usize..UNITS.len()) {
            let unit = UNITS[index];
            let back = f64::read(value.write(unit), unit).unwrap();
            prop_assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}

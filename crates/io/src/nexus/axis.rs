//! Chains of transformations: where a detector module is, and how the axes of a goniometer are carried.
//!
//! A point of the frame that an axis carries is at `R(value) p + offset` if the axis is a rotation, and at
//! `p + offset + value vector` if it is a translation, in the frame of the axis that `depends_on` names. The last
//! axis of a chain depends on `.`, the laboratory.
//!
//! # Source
//! NeXus International Advisory Committee, base class NXtransformations.

use crate::exposure::{cross, dot};
use crate::hdf5::{Field, Node};
use crate::{Error, Result};

/// The most axes of a chain; more are a circle.
const MOST_AXES: usize = 64;

/// The shortest vector of a rotation that has a direction.
const SHORTEST: f64 = 1e-9;

/// Names of lengths, and their millimetres.
const LENGTHS: &[(&[&str], f64)] = &[
    (&["m", "metre", "meter"], 1e3),
    (&["cm", "centimetre", "centimeter"], 10.0),
    (&["mm", "millimetre", "millimeter"], 1.0),
    (
        &[
            "um",
            "\u{b5}m",
            "\u{3bc}m",
            "micron",
            "micrometre",
            "micrometer",
        ],
        1e-3,
    ),
    (&["nm", "nanometre", "nanometer"], 1e-6),
    (&["angstrom", "A", "\u{c5}", "\u{212b}"], 1e-7),
    (&["pm", "picometre", "picometer"], 1e-9),
];

/// Names of angles, and their radians.
const ANGLES: &[(&[&str], f64)] = &[
    (&["deg", "degree", "\u{b0}"], std::f64::consts::PI / 180.0),
    (&["rad", "radian"], 1.0),
    (&["mrad", "milliradian"], 1e-3),
];

/// A vector of NeXus in the frame of imgCIF, or back: half a turn about y.
pub(super) fn imgcif([x, y, z]: [f64; 3]) -> [f64; 3] {
    [0.0 - x, y, 0.0 - z]
}

/// Millimetres of a unit of length.
pub(super) fn length_mm(unit: &str) -> Option<f64> {
    in_table(LENGTHS, unit)
}

fn angle_rad(unit: &str) -> Option<f64> {
    in_table(ANGLES, unit)
}

/// The factor of a unit, in singular or plural; words in any case.
fn in_table(table: &[(&[&str], f64)], unit: &str) -> Option<f64> {
    let is = |name: &&str| {
        let singular = unit.strip_suffix('s').filter(|_| name.len() > 2);
        [Some(unit), singular]
            .into_iter()
            .flatten()
            .any(|unit| unit == *name || (name.len() > 2 && unit.eq_ignore_ascii_case(name)))
    };
    let mut rows = table.iter();
    rows.find(|(names, _)| names.iter().any(is))
        .map(|(_, factor)| *factor)
}

/// The kind of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rotation,
    Translation,
}

/// One transformation. Its vectors are in the frame of imgCIF.
pub(super) struct Axis {
    pub(super) field: Field,
    pub(super) kind: Kind,
    /// The settings: millimetres or radians, one for each image or one for all.
    pub(super) values: Vec<f64>,
    pub(super) vector: [f64; 3],
    offset_mm: [f64; 3],
}

impl Axis {
    fn read(field: Field) -> Result<Self> {
        let unit = field.attribute_text("units")?;
        let unit = unit.as_deref().unwrap_or_default();
        let kind = match field.attribute_text("transformation_type")?.as_deref() {
            Some("rotation") => Kind::Rotation,
            Some("translation") => Kind::Translation,
            _ if angle_rad(unit).is_some() => Kind::Rotation,
            _ => Kind::Translation,
        };
        let values = scaled(&field, field.numbers()?, kind, unit)?;
        let mut vector = field.attribute_vector("vector")?.unwrap_or([0.0; 3]);
        let length = dot(vector, vector).sqrt();
        if kind == Kind::Rotation {
            // A vector without a direction can stand where nothing turns.
            if length < SHORTEST && values.iter().any(|&value| value != 0.0) {
                let expected = "a vector with the direction of the rotation";
                return Err(field.wrong(format!("{vector:?}"), expected));
            }
            vector = vector.map(|x| x / length.max(SHORTEST));
        }
        Ok(Self {
            offset_mm: imgcif(offset_mm(&field, unit)?),
            vector: imgcif(vector),
            kind,
            values,
            field,
        })
    }

    /// The setting for the image of this index.
    pub(super) fn value(&self, image: usize) -> f64 {
        let value = self.values.get(image).or(self.values.first());
        value.copied().unwrap_or(0.0)
    }

    /// Whether the setting differs between images.
    pub(super) fn varies(&self) -> bool {
        self.values
            .windows(2)
            .any(|pair| pair.first() != pair.last())
    }
}

/// The settings in millimetres or radians. Zeros need no unit.
pub(super) fn scaled(
    field: &Field,
    mut values: Vec<f64>,
    kind: Kind,
    unit: &str,
) -> Result<Vec<f64>> {
    if values.iter().all(|&value| value == 0.0) {
        return Ok(values);
    }
    let (factor, expected) = match kind {
        Kind::Rotation => (angle_rad(unit), "units of an angle, such as deg"),
        Kind::Translation => (length_mm(unit), "units of a length, such as m or mm"),
    };
    let factor = factor.ok_or_else(|| field.wrong(format!("the units {unit:?}"), expected))?;
    values.iter_mut().for_each(|value| *value *= factor);
    Ok(values)
}

/// The attribute `offset`. Some files state no `offset_units`; theirs are the units of the axis.
fn offset_mm(field: &Field, unit: &str) -> Result<[f64; 3]> {
    let offset = match field.attribute_vector("offset") {
        Ok(offset) => offset.unwrap_or_default(),
        // Eiger files have a single 0.
        Err(Error::Hdf5Value { .. }) => [0.0; 3],
        Err(fault) => return Err(fault),
    };
    if offset == [0.0; 3] {
        return Ok(offset);
    }
    let stated = field.attribute_text("offset_units")?;
    let unit = stated.as_deref().unwrap_or(unit);
    let factor = length_mm(unit).ok_or_else(|| {
        let expected = "offset_units of a length, such as m or mm";
        field.wrong(format!("the units {unit:?}"), expected)
    })?;
    Ok(offset.map(|x| x * factor))
}

/// The axis that a dataset or an attribute names, seen from the group `from`; `None` for the laboratory.
fn named(root: &Node, from: &Node, path: &str) -> Result<Option<Field>> {
    let path = path.trim_matches(['\0', ' ']);
    match path {
        "" | "." => Ok(None),
        _ if path.starts_with('/') => root.at(path).map(Some),
        _ => from.at(path.trim_start_matches("./")).map(Some),
    }
}

/// The chain of axes that carries something, the nearest to it first.
pub(super) struct Chain(pub(super) Vec<Axis>);

impl Chain {
    /// The chain that begins at the path in `depends_on`, seen from the group `from`.
    ///
    /// # Errors
    /// [`Error::Hdf5Lacks`] for an axis that is missing, [`Error::Hdf5Value`] for one that is wrong or a chain without
    /// an end.
    pub(super) fn read(root: &Node, from: &Node, depends_on: &str) -> Result<Self> {
        let mut axes = Vec::new();
        let mut next = named(root, from, depends_on)?;
        while let Some(field) = next {
            let on = field.attribute_text("depends_on")?;
            next = match &on {
                Some(on) => named(root, field.parent(), on)?,
                None => None,
            };
            if axes.len() == MOST_AXES {
                let found = format!("the {MOST_AXES}th axis of a chain");
                return Err(field.wrong(found, "a depends_on that leads to '.'"));
            }
            axes.push(Axis::read(field)?);
        }
        Ok(Self(axes))
    }

    /// The point at `point` of the carried frame, in mm from the sample, in the image of this index.
    pub(super) fn place(&self, image: usize, point: [f64; 3]) -> [f64; 3] {
        self.0.iter().fold(point, |point, axis| {
            let value = axis.value(image);
            let moved = match axis.kind {
                Kind::Rotation => rotated(axis.vector, value, point),
                Kind::Translation => sum(point, axis.vector.map(|x| x * value)),
            };
            sum(moved, axis.offset_mm)
        })
    }

    /// A direction of the carried frame in the laboratory.
    pub(super) fn turn(&self, image: usize, direction: [f64; 3]) -> [f64; 3] {
        turned(&self.0, image, direction)
    }
}

/// A direction carried by these axes.
pub(super) fn turned(axes: &[Axis], image: usize, direction: [f64; 3]) -> [f64; 3] {
    let rotations = axes.iter().filter(|axis| axis.kind == Kind::Rotation);
    rotations.fold(direction, |direction, axis| {
        rotated(axis.vector, axis.value(image), direction)
    })
}

/// `v` turned about a unit vector: `cos v + sin (n x v) + (1 - cos) (n . v) n`.
fn rotated(n: [f64; 3], angle_rad: f64, v: [f64; 3]) -> [f64; 3] {
    if angle_rad == 0.0 {
        return v;
    }
    let (sin, cos) = angle_rad.sin_cos();
    let along = (1.0 - cos) * dot(n, v);
    let [cx, cy, cz] = cross(n, v);
    let ([x, y, z], [nx, ny, nz]) = (v, n);
    [
        cos * x + sin * cx + along * nx,
        cos * y + sin * cy + along * ny,
        cos * z + sin * cz + along * nz,
    ]
}

fn sum([ax, ay, az]: [f64; 3], [bx, by, bz]: [f64; 3]) -> [f64; 3] {
    [ax + bx, ay + by, az + bz]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_by_symbol_and_by_name() {
        for (unit, factor) in [
            ("m", 1e3),
            ("metres", 1e3),
            ("Meter", 1e3),
            ("mm", 1.0),
            ("\u{3bc}m", 1e-3),
            ("microns", 1e-3),
            ("angstroms", 1e-7),
        ] {
            assert_eq!(length_mm(unit), Some(factor), "{unit}");
        }
        for unit in ["", "M", "MM", "deg", "pixels", "ms"] {
            assert_eq!(length_mm(unit), None, "{unit}");
        }
        assert_eq!(angle_rad("radians"), Some(1.0));
        assert!(angle_rad("degrees") == angle_rad("deg") && angle_rad("mm").is_none());
    }

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        let [x, y, z] = rotated(
            [0.0, 0.0, 1.0],
            std::f64::consts::FRAC_PI_2,
            [1.0, 0.0, 2.0],
        );
        assert!(x.abs() < 1e-15 && (y - 1.0).abs() < 1e-15 && z == 2.0);
    }
}

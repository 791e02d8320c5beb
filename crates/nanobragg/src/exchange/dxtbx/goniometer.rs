//! The goniometer: what turns the crystal besides the scan.
//!
//! A reflection h stands at `S R(phi) F A h`, with R the rotation about the axis of the scan at its
//! datum, F the fixed rotation of the axes nearer to the crystal and S the setting rotation of those
//! that carry the scan axis. The spindle is therefore `S axis`, and the crystal at phi 0 `S F A`.

use nanobragg_geometry::vector::{cross, dot};
use nanobragg_geometry::{Angle, rotate_about, rotate_by};
use serde_json::{Value, json};

use super::key::Key;
use crate::error::Error;
use crate::exchange::described::Described;

/// How far from a rotation a matrix may be, element by element.
const ORTHOGONAL: f64 = 1e-4;

const IDENTITY: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The rotation of the crystal at phi 0, `S F`, by rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datum([[f64; 3]; 3]);

impl Default for Datum {
    fn default() -> Self {
        Self(IDENTITY)
    }
}

impl Datum {
    /// A vector of the crystal as the goniometer holds it at phi 0.
    pub(super) fn hold(&self, v: [f64; 3]) -> [f64; 3] {
        rotate_by(&self.0, v)
    }
}

/// Takes the spindle; returns how the crystal is held.
pub(super) fn read(goniometer: &Key<'_>, into: &mut Described) -> Result<Datum, Error> {
    if let Some(varying) = goniometer.get("setting_rotation_at_scan_points") {
        into.ignored
            .push(varying.ignored("the goniometer keeps the setting it has apart from the scan"));
    }
    if goniometer.get("axes").is_some() {
        return read_axes(goniometer, into);
    }
    let setting = rotation(goniometer, "setting_rotation")?;
    let fixed = rotation(goniometer, "fixed_rotation")?;
    let axis = goniometer.need("rotation_axis")?.direction()?;
    into.spindle = Some(rotate_by(&setting, axis));
    Ok(Datum(columns(|v| {
        rotate_by(&setting, rotate_by(&fixed, v))
    })))
}

/// Several axes, the one nearest to the crystal first, each with its angle in degrees.
fn read_axes(goniometer: &Key<'_>, into: &mut Described) -> Result<Datum, Error> {
    let axes = (goniometer.need("axes")?.items()?)
        .map(|axis| axis.direction())
        .collect::<Result<Vec<_>, _>>()?;
    let angles_key = goniometer.need("angles")?;
    let angles_rad = (angles_key.items()?)
        .map(|angle| Ok(Angle::from_degrees(angle.number()?).radians()))
        .collect::<Result<Vec<_>, Error>>()?;
    if axes.len() != angles_rad.len() {
        return Err(angles_key.wrong("an angle for every axis"));
    }
    let scan_key = goniometer.need("scan_axis")?;
    let scan = scan_key.count()? as usize;
    let Some(&scan_axis) = axes.get(scan) else {
        return Err(scan_key.wrong("the number of one of the axes, from 0"));
    };
    let turns = || axes.iter().zip(&angles_rad).enumerate();
    let set = |v: [f64; 3]| {
        let carrying = turns().filter(|(i, _)| *i > scan);
        carrying.fold(v, |v, (_, (&axis, &angle))| rotate_about(v, axis, angle))
    };
    let fix = |v: [f64; 3]| {
        let carried = turns().filter(|(i, _)| *i < scan);
        carried.fold(v, |v, (_, (&axis, &angle))| rotate_about(v, axis, angle))
    };
    into.spindle = Some(set(scan_axis));
    Ok(Datum(columns(|v| set(fix(v)))))
}

/// The matrix, by rows, of a rotation given as what it does to a vector.
fn columns(turn: impl Fn([f64; 3]) -> [f64; 3]) -> [[f64; 3]; 3] {
    let [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = IDENTITY.map(turn);
    [[ax, bx, cx], [ay, by, cy], [az, bz, cz]]
}

/// The rotation matrix `name`, the identity if it is not there.
fn rotation(goniometer: &Key<'_>, name: &str) -> Result<[[f64; 3]; 3], Error> {
    let Some(key) = goniometer.get(name) else {
        return Ok(IDENTITY);
    };
    let [a, b, c, d, e, f, g, h, i] = key.numbers()?;
    let [x, y, z] = [[a, b, c], [d, e, f], [g, h, i]];
    let products = [dot(x, x), dot(y, y), dot(z, z), dot(x, cross(y, z))];
    let is_rotation = products.iter().all(|p| (p - 1.0).abs() < ORTHOGONAL)
        && [dot(x, y), dot(y, z), dot(x, z)]
            .iter()
            .all(|p| p.abs() < ORTHOGONAL);
    if !is_rotation {
        return Err(key.wrong("a rotation matrix"));
    }
    Ok([x, y, z])
}

/// A goniometer of one axis.
pub(super) fn write(spindle: [f64; 3]) -> Value {
    json!({
        "rotation_axis": spindle,
        "fixed_rotation": IDENTITY.as_flattened(),
        "setting_rotation": IDENTITY.as_flattened(),
    })
}

//! The crystal: its cell vectors where the goniometer reads zero.

use serde_json::{Value, json};

use super::goniometer::Datum;
use super::key::Key;
use crate::error::Error;
use crate::exchange::described::Described;
use crate::exchange::file::is_right_handed;

/// The cell vectors as the goniometer holds them at phi 0.
pub(super) fn read(
    crystal: &Key<'_>,
    datum: &Datum,
    into: &mut Described,
) -> Result<[[f64; 3]; 3], Error> {
    let vector = |name: &str| crystal.need(name)?.numbers();
    let c_key = crystal.need("real_space_c")?;
    let edges = [
        vector("real_space_a")?,
        vector("real_space_b")?,
        c_key.numbers()?,
    ];
    if !is_right_handed(edges) {
        return Err(c_key.wrong("a vector that makes a right-handed cell with the other two"));
    }
    if let Some(varying) = crystal.get("A_at_scan_points") {
        into.ignored.push(
            varying.ignored("the crystal keeps the cell and orientation of real_space_a, b, c"),
        );
    }
    Ok(edges.map(|edge| datum.hold(edge)))
}

/// A crystal without symmetry. A left-handed cell, of a twin by inversion, is written with its edges turned round.
pub(super) fn write(lattice_angstrom: &[[f64; 3]; 3]) -> Value {
    let [a, b, c] = match is_right_handed(*lattice_angstrom) {
        true => *lattice_angstrom,
        false => lattice_angstrom.map(|edge| edge.map(|x| -x)),
    };
    json!({
        "__id__": "crystal",
        "real_space_a": a,
        "real_space_b": b,
        "real_space_c": c,
        "space_group_hall_symbol": " P 1",
    })
}

//! The beam, which dxtbx points from the sample to the source.

use serde_json::{Value, json};

use super::key::Key;
use crate::error::Error;
use crate::exchange::described::Described;
use crate::exchange::geometry::Beam;

/// Takes direction, wavelength and polarization.
pub(super) fn read(beam: &Key<'_>, into: &mut Described) -> Result<(), Error> {
    if let Some(id) = beam.get("__id__")
        && id.text() == Some("polychromatic")
    {
        return Err(id.wrong("a monochromatic beam"));
    }
    into.beam_direction = Some(beam.need("direction")?.direction()?.map(|x| 0.0 - x));
    into.wavelength_angstrom = Some(beam.need("wavelength")?.positive()?);
    into.polarization_normal = (beam.get("polarization_normal"))
        .map(|normal| normal.direction())
        .transpose()?;
    if let Some(fraction) = beam.get("polarization_fraction") {
        let value = fraction.number()?;
        if !(0.0..=1.0).contains(&value) {
            return Err(fraction.wrong("a share from 0 to 1"));
        }
        into.polarization_fraction = Some(value);
    }
    if let Some(varying) = beam.get("s0_at_scan_points") {
        into.ignored
            .push(varying.ignored("the beam keeps the direction it has apart from the scan"));
    }
    if let Some(probe) = beam.get("probe")
        && probe.text() != Some("x-ray")
    {
        into.ignored
            .push(probe.ignored("the crystal scatters as it does X-rays"));
    }
    Ok(())
}

/// A monochromatic beam.
pub(super) fn write(beam: &Beam) -> Value {
    json!({
        "__id__": "monochromatic",
        "direction": beam.direction.map(|x| 0.0 - x),
        "wavelength": beam.wavelength_angstrom,
        "divergence": 0.0,
        "sigma_divergence": 0.0,
        "polarization_normal": beam.polarization_normal,
        "polarization_fraction": beam.polarization_fraction,
        "flux": 0.0,
        "transmission": 1.0,
        "probe": "x-ray",
        "sample_to_source_distance": 0.0,
    })
}

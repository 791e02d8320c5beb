//! The scan, of which a run is the first image.

use serde_json::{Value, json};

use super::key::Key;
use crate::error::Error;
use crate::exchange::described::Described;
use crate::exchange::geometry::Oscillation;

/// Takes the angle of the first image and its width.
///
/// Files of today list the angles at which images begin under `properties`, with a width apart where
/// there is one image; older ones give a start and a width.
pub(super) fn read(scan: &Key<'_>, into: &mut Described) -> Result<(), Error> {
    if let Some(oscillation) = scan.get("oscillation") {
        let [start, width] = oscillation.numbers()?;
        into.phi_start_deg = Some(start);
        into.phi_width_deg = Some(width);
        return Ok(());
    }
    let Some(properties) = scan.get("properties") else {
        return Ok(());
    };
    let Some(starts) = properties.get("oscillation") else {
        return Ok(());
    };
    let start = starts.item(0)?.number()?;
    into.phi_start_deg = Some(start);
    into.phi_width_deg = match properties.get("oscillation_width") {
        Some(widths) => Some(widths.item(0)?.number()?),
        None if starts.items()?.len() > 1 => Some(starts.item(1)?.number()? - start),
        None => None,
    };
    Ok(())
}

/// A scan of one image, in the words of today and in those that older versions of dxtbx read.
pub(super) fn write(oscillation: &Oscillation) -> Value {
    json!({
        "oscillation": [oscillation.start_deg, oscillation.width_deg],
        "exposure_time": [oscillation.exposure_s],
        "epochs": [0.0],
        "image_range": [1, 1],
        "batch_offset": 0,
        "properties": {
            "epochs": [0.0],
            "exposure_time": [oscillation.exposure_s],
            "oscillation": [oscillation.start_deg],
            "oscillation_width": [oscillation.width_deg],
        },
        "valid_image_ranges": {},
    })
}

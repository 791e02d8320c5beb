use std::ffi::OsString;

use nanobragg::Crystal;

use super::matrix;
use super::request::Request;
use crate::subcommand::{ToolError, write_file};

/// Carries out the words after `nanoBragg orient`; returns what there is to say.
///
/// # Errors
/// [`ToolError`]; the output is then as it was.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let request = match Request::from_words(words) {
        Ok(request) => request,
        Err(shown) => return shown,
    };
    let crystal = Crystal::new(&request.crystal)?;
    for warning in crystal.warnings() {
        tracing::warn!("{warning}");
    }
    let wavelength_a = request.wavelength_a;
    let text = matrix::text(crystal.lattice(), wavelength_a, request.is_fixed);
    let inputs: Vec<_> = request.input.as_deref().into_iter().collect();
    write_file(&request.output, text.as_bytes(), &inputs)?;
    let turned = crystal.misset_rad().map_or_else(
        || "as it was".to_owned(),
        |angles| {
            let [x, y, z] = angles.map(f64::to_degrees);
            format!("misset {x:.9} {y:.9} {z:.9} deg")
        },
    );
    Ok(format!(
        "orientation {turned}, wavelength {wavelength_a} A, written to {}\n",
        request.output.display()
    ))
}

//! The preset of an experiment file.

use nanobragg_geometry::Pivot;
use serde_json::{Map, Value};

use super::Preset;
use crate::error::Error;
use crate::spec::ExperimentSpec;

/// Fields of a preset that give way if one of the fields beside them is in the file.
const YIELDS: [(&[&str], &[&str]); 4] = [
    (&["pixels_fast"], &["size_fast_mm"]),
    (&["pixels_slow"], &["size_slow_mm"]),
    (&["distance_mm"], &["close_distance_mm"]),
    (
        &["x_beam_mm", "y_beam_mm", "org_x_px", "org_y_px"],
        &[
            "x_beam_mm",
            "y_beam_mm",
            "x_close_mm",
            "y_close_mm",
            "org_x_px",
            "org_y_px",
        ],
    ),
];

/// Removes the name of a preset from the detector of an experiment's tree.
///
/// # Errors
/// [`Error::UnknownDetector`], or [`Error::NotInAFile`] if it is no text.
fn take_preset(tree: &mut Value) -> Result<Option<&'static Preset>, Error> {
    let detector = tree.get_mut("detector").and_then(Value::as_object_mut);
    match detector.and_then(|detector| detector.remove("preset")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Preset::named(&name).map(Some),
        Some(other) => Err(Error::NotInAFile {
            reason: format!("detector.preset is {other}; it must be the name of a detector"),
        }),
    }
}

/// The tree of an experiment with the fields of the preset that it names. Fields of the tree win. `None` if
/// it names no preset.
///
/// # Errors
/// [`Error::UnknownDetector`], the errors of `read` for the tree without the preset, and
/// [`Error::PresetPanels`].
pub(crate) fn with_preset(
    tree: &Value,
    read: impl Fn(&Value) -> Result<ExperimentSpec, Error>,
) -> Result<Option<Value>, Error> {
    let mut tree = tree.clone();
    let Some(preset) = take_preset(&mut tree)? else {
        return Ok(None);
    };
    let said = read(&tree)?;
    let mut filled = ExperimentSpec::default();
    if preset.panel_count() == 1 {
        filled.detector.convention = said.detector.convention;
    }
    preset.place(&mut filled, Pivot::Beam)?;
    filled.response = preset.response(said.beam.nominal_wavelength());
    let mut filled = filled.to_tree()?;
    let of = |tree: &Value, name: &str| -> Map<String, Value> {
        let fields = tree.get(name).and_then(Value::as_object);
        let fields = fields.into_iter().flatten();
        let given = fields.filter(|(_, value)| !value.is_null());
        given
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let mut detector = of(&filled, "detector");
    let mut said_of_detector = of(&tree, "detector");
    preset.check_changes(|field| said_of_detector.contains_key(field))?;
    for (fields, by) in YIELDS {
        if by.iter().any(|field| said_of_detector.contains_key(*field)) {
            fields
                .iter()
                .for_each(|field| drop(detector.remove(*field)));
        }
    }
    if let Some(Value::Object(sensor)) = said_of_detector.remove("sensor") {
        let place = detector
            .entry("sensor")
            .or_insert_with(|| Map::new().into());
        let given = sensor.into_iter().filter(|(_, value)| !value.is_null());
        if let Value::Object(place) = place {
            place.extend(given);
        }
    }
    detector.extend(said_of_detector);
    let mut response = of(&filled, "response");
    response.extend(of(&tree, "response"));
    let Value::Object(fields) = &mut tree else {
        return Ok(Some(filled.take()));
    };
    fields.insert("detector".to_owned(), detector.into());
    fields.insert("response".to_owned(), response.into());
    Ok(Some(tree))
}

impl Preset {
    /// Checks that pixels are not changed if the detector has several panels.
    ///
    /// # Errors
    /// [`Error::PresetPanels`].
    pub fn check_changes(&self, is_changed: impl Fn(&str) -> bool) -> Result<(), Error> {
        const PIXELS: [&str; 7] = [
            "pixel_size_mm",
            "pixels_fast",
            "pixels_slow",
            "size_fast_mm",
            "size_slow_mm",
            "gaps",
            "other_panels",
        ];
        let panels = self.panel_count();
        if panels > 1 && PIXELS.into_iter().any(is_changed) {
            return Err(Error::PresetPanels {
                name: self.name,
                panels,
            });
        }
        Ok(())
    }
}

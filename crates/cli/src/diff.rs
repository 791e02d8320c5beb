//! `-diff`: the settings in which two recorded runs differ.

use std::path::Path;

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::printf::general_with;
use serde_json::{Map, Value};

use crate::console::Console;
use crate::outcome::{Outcome, RunError};
use crate::record::document;

/// The parts of a record that are settings; the other parts are results.
const SETTINGS: [&str; 6] = [
    "experiment",
    "fixes",
    "seeds",
    "images",
    "accuracy",
    "inputs",
];

/// Values that follow from settings. They are compared only if all settings are equal.
const DERIVED: &str = "derived";

/// A setting that differs.
#[derive(Debug, Clone, PartialEq)]
struct Difference {
    /// The path in the record.
    path: Vec<String>,
    old: Value,
    new: Value,
}

/// Prints the settings in which the records differ.
///
/// # Errors
/// [`RunError::Record`] if a record cannot be read.
pub(crate) fn say(old: &Path, new: &Path, says: &Console) -> Result<Outcome, RunError> {
    let lines = lines(&document(old)?, &document(new)?);
    says.anyway(|out| {
        if lines.is_empty() {
            writeln!(out, "the settings are the same")?;
        }
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    });
    Ok(if lines.is_empty() {
        Outcome::Done
    } else {
        Outcome::Differs
    })
}

/// One line for each different setting.
fn lines(old: &Value, new: &Value) -> Vec<String> {
    let mut differences = differences(old, new, false);
    if differences.is_empty() {
        differences = self::differences(old, new, true);
    }
    differences.iter().map(Difference::words).collect()
}

fn differences(old: &Value, new: &Value, derived: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    for part in SETTINGS {
        let [mut old, mut new] = [old, new].map(|record| match part {
            "inputs" => by_flag(record.get(part)),
            _ => record.get(part).cloned().unwrap_or_default(),
        });
        by_panel([&mut old, &mut new]);
        compare(&mut vec![part.to_owned()], &old, &new, derived, &mut found);
    }
    found
}

/// Turns a list of files into an object with the flags as keys.
fn by_flag(part: Option<&Value>) -> Value {
    let Some(Value::Array(entries)) = part else {
        return part.cloned().unwrap_or_default();
    };
    let named = entries.iter().map(|entry| {
        let flag = entry.get("flag")?.as_str()?.to_owned();
        let hash = entry.get("sha256")?.as_str()?;
        let short = hash.get(..12).unwrap_or(hash);
        let path = entry.get("path")?.as_str()?;
        Some((flag, Value::String(format!("{path} (SHA-256 {short}...)"))))
    });
    named
        .collect::<Option<Map<_, _>>>()
        .map_or_else(|| Value::Array(entries.clone()), Value::Object)
}

/// Turns the panels of two experiments into objects with the panel names as keys. If the names differ,
/// only the names are compared.
fn by_panel(experiments: [&mut Value; 2]) {
    let names = experiments.each_ref().map(|experiment| {
        let panels = experiment.get("panels").and_then(Value::as_array);
        let name = |panel: &Value| panel.get("name").cloned().unwrap_or_default();
        panels.map(|panels| panels.iter().map(name).collect::<Vec<_>>())
    });
    let are_same = names[0] == names[1];
    for (experiment, names) in experiments.into_iter().zip(names) {
        let Some(place) = experiment.get_mut("panels") else {
            continue;
        };
        let names = names.unwrap_or_default();
        *place = match place.take() {
            Value::Array(panels) if are_same => {
                let name = |name: Value| name.as_str().unwrap_or_default().to_owned();
                Value::Object(names.into_iter().map(name).zip(panels).collect())
            }
            _ => names.into(),
        };
    }
}

fn compare(
    path: &mut Vec<String>,
    old: &Value,
    new: &Value,
    derived: bool,
    found: &mut Vec<Difference>,
) {
    if old == new {
        return;
    }
    let (Value::Object(old_fields), Value::Object(new_fields)) = (old, new) else {
        found.push(Difference {
            path: path.clone(),
            old: old.clone(),
            new: new.clone(),
        });
        return;
    };
    let added = new_fields
        .keys()
        .filter(|key| !old_fields.contains_key(*key));
    for key in old_fields.keys().chain(added) {
        if key == DERIVED && !derived {
            continue;
        }
        // The same seed from the clock and from a flag is no difference.
        if key == "noise_from" {
            continue;
        }
        path.push(key.clone());
        let field = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
        compare(path, &field(old_fields), &field(new_fields), derived, found);
        path.pop();
    }
}

impl Difference {
    /// `detector, distance: 100 -> 150 mm`.
    fn words(&self) -> String {
        let (last, parents) = self
            .path
            .split_last()
            .map_or(("", &[][..]), |(last, parents)| (last.as_str(), parents));
        let (name, unit) = named_with_unit(last);
        let unit = unit.in_which(&[&self.old, &self.new]);
        let parents = parents
            .iter()
            .filter(|parent| *parent != "experiment" && *parent != DERIVED);
        let mut place: Vec<String> = parents.map(|parent| parent.replace('_', " ")).collect();
        place.push(name.replace('_', " "));
        let [mut old, mut new] = [&self.old, &self.new].map(|value| unit.shown(value, DIGITS));
        if old == new {
            [old, new] = [&self.old, &self.new].map(|value| unit.shown(value, ALL_DIGITS));
        }
        let gap = if unit.name.is_empty() { "" } else { " " };
        format!("{}: {old} -> {new}{gap}{}", place.join(", "), unit.name)
    }
}

/// Significant digits of a printed number, if they show the difference.
const DIGITS: usize = 10;

/// Significant digits that show any difference of two numbers.
const ALL_DIGITS: usize = 17;

/// The unit in the suffix of a field name.
#[derive(Debug, Clone, Copy)]
enum Suffix {
    Metres,
    Radians,
    Other(&'static str),
}

/// A unit of printed numbers.
struct Unit {
    name: &'static str,
    /// The factor from the unit of the record.
    factor: f64,
}

/// The field name without its unit.
fn named_with_unit(field: &str) -> (&str, Suffix) {
    for (end, suffix) in [
        ("_per_m2", Suffix::Other("photons/m^2")),
        ("_per_angstrom", Suffix::Other("1/A")),
        ("_per_m", Suffix::Other("1/m")),
        ("_per_s", Suffix::Other("photons/s")),
        ("_angstrom3", Suffix::Other("A^3")),
        ("_angstrom", Suffix::Other("A")),
        ("_deg", Suffix::Other("deg")),
        ("_counts", Suffix::Other("counts")),
        ("_rad", Suffix::Radians),
        ("_m", Suffix::Metres),
        ("_s", Suffix::Other("s")),
    ] {
        if let Some(name) = field.strip_suffix(end) {
            return (name, suffix);
        }
    }
    (field, Suffix::Other(""))
}

impl Suffix {
    /// The printed unit for these values.
    fn in_which(self, values: &[&Value]) -> Unit {
        match self {
            Self::Other(name) => Unit { name, factor: 1.0 },
            Self::Radians => Unit {
                name: "deg",
                factor: DEGREES_PER_RADIAN,
            },
            Self::Metres => {
                let largest = values
                    .iter()
                    .map(|value| largest(value))
                    .fold(0.0, f64::max);
                match largest {
                    0.0 => Unit {
                        name: "m",
                        factor: 1.0,
                    },
                    ..1e-8 => Unit {
                        name: "A",
                        factor: 1e10,
                    },
                    ..1e-5 => Unit {
                        name: "um",
                        factor: 1e6,
                    },
                    ..10.0 => Unit {
                        name: "mm",
                        factor: 1e3,
                    },
                    _ => Unit {
                        name: "m",
                        factor: 1.0,
                    },
                }
            }
        }
    }
}

/// The largest magnitude of the numbers in a value.
fn largest(value: &Value) -> f64 {
    match value {
        Value::Array(values) => values.iter().map(largest).fold(0.0, f64::max),
        value => value.as_f64().unwrap_or(0.0).abs(),
    }
}

impl Unit {
    fn shown(&self, value: &Value, digits: usize) -> String {
        match value {
            Value::Null => "none".to_owned(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::String(text) => text.clone(),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) if self.factor == 1.0 => whole.to_string(),
                (_, Some(number)) => general_with(number * self.factor, digits),
                _ => number.to_string(),
            },
            Value::Array(values) => {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| self.shown(value, digits))
                    .collect();
                format!("({})", values.join(" "))
            }
            Value::Object(fields) => serde_json::to_string(fields).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(old: Value, new: Value) -> Vec<String> {
        lines(&json!({ "experiment": old }), &json!({ "experiment": new }))
    }

    #[test]
    fn lengths_are_said_in_the_unit_of_their_kind() {
        for (old, new, line) in [
            (0.1, 0.15, "distance: 100 -> 150 mm"),
            (1e-10, 1.2e-10, "distance: 1 -> 1.2 A"),
            (2e-6, 3e-6, "distance: 2 -> 3 um"),
            (10.0, 12.0, "distance: 10 -> 12 m"),
        ] {
            assert_eq!(
                said(json!({ "distance_m": old }), json!({ "distance_m": new })),
                [line]
            );
        }
    }

    #[test]
    fn angles_are_said_in_degrees() {
        let phi = |angle: f64| json!({ "spindle": { "start_rad": angle } });
        let quarter = std::f64::consts::FRAC_PI_2;
        assert_eq!(
            said(phi(0.0), phi(quarter)),
            ["spindle, start: 0 -> 90 deg"]
        );
    }

    #[test]
    fn what_is_derived_counts_only_alone() {
        let detector = |distance: f64, close: f64| json!({ "distance_m": distance, "derived": { "close_distance_m": close } });
        assert_eq!(
            said(detector(0.1, 0.1), detector(0.2, 0.2)),
            ["distance: 100 -> 200 mm"]
        );
        assert_eq!(
            said(detector(0.1, 0.1), detector(0.1, 0.2)),
            ["close distance: 100 -> 200 mm"]
        );
    }

    #[test]
    fn numbers_that_differ_late_are_said_in_full() {
        let [line] = &said(
            json!({ "fudge": 1.0 }),
            json!({ "fudge": 1.0 + f64::EPSILON }),
        )[..] else {
            panic!("one difference")
        };
        assert_eq!(line, "fudge: 1 -> 1.0000000000000002");
    }

    #[test]
    fn switches_and_missing_values_are_words() {
        assert_eq!(
            said(
                json!({ "on": true, "misset_rad": null }),
                json!({ "on": false, "misset_rad": [0.0, 0.0, 0.0] })
            ),
            ["on: yes -> no", "misset: none -> (0 0 0) deg"]
        );
    }

    #[test]
    fn a_fix_more_is_a_difference() {
        let record = |fixes: Value| json!({ "fixes": fixes });
        assert_eq!(
            lines(&record(json!([])), &record(json!(["water"]))),
            ["fixes: () -> (water)"]
        );
    }

    #[test]
    fn panels_are_compared_by_their_names() {
        let panels = |names: [&str; 2], pixel: f64| {
            let panel = |name| json!({ "name": name, "pixel_size_m": pixel });
            json!({ "panels": names.map(panel) })
        };
        assert_eq!(
            said(panels(["a", "b"], 1e-4), panels(["a", "b"], 2e-4)),
            ["a", "b"].map(|name| format!("panels, {name}, pixel size: 0.1 -> 0.2 mm"))
        );
        assert_eq!(
            said(json!({}), panels(["a", "b"], 1e-4)),
            ["panels: none -> (a b)"]
        );
    }

    #[test]
    fn inputs_are_compared_by_their_contents() {
        let record = |path: &str, hash: &str| json!({ "inputs": [{ "flag": "hkl", "path": path, "bytes": 1, "sha256": hash }] });
        assert!(lines(&record("a", "00"), &record("a", "00")).is_empty());
        assert_eq!(
            lines(&record("a", "00"), &record("a", "01")),
            ["inputs, hkl: a (SHA-256 00...) -> a (SHA-256 01...)"]
        );
    }
}

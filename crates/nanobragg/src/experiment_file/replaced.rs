//! Values of an experiment that are taken for something else.

use serde_json::Value;

use crate::error::Error;
use crate::spec::ExperimentSpec;
use crate::warning::Warning;

/// A kind of values of a field.
struct Rule {
    /// The field, as a path in the tree of the file. A list stands for each of its numbers.
    field: &'static str,
    is_replaced: fn(f64) -> bool,
    /// What such a value means.
    meaning: &'static str,
}

const fn rule(field: &'static str, is_replaced: fn(f64) -> bool, meaning: &'static str) -> Rule {
    Rule {
        field,
        is_replaced,
        meaning,
    }
}

fn is_negative(value: f64) -> bool {
    value < 0.0
}

fn is_not_positive(value: f64) -> bool {
    value <= 0.0
}

const NOT_GIVEN: &str = "it counts as not given";
const EDGE: &str = "it stands for that edge of the detector";

/// Zeros and -1 that a complete file has as defaults are not in the list.
const RULES: [Rule; 24] = [
    rule("roi.fast", |value| value < -1.0, EDGE),
    rule("roi.slow", |value| value < -1.0, EDGE),
    rule("detector.distance_mm", is_negative, "its magnitude counts"),
    rule(
        "detector.close_distance_mm",
        is_negative,
        "the detector is upstream of the sample, and its solid angles are negative",
    ),
    rule("detector.sensor.layers", is_not_positive, NOT_GIVEN),
    rule("crystal.cells", is_not_positive, "it counts as 1"),
    rule("crystal.size_mm", is_negative, NOT_GIVEN),
    rule("crystal.mosaic.domains", is_not_positive, NOT_GIVEN),
    rule("beam.fluence.flux_per_s", |value| value == 0.0, NOT_GIVEN),
    rule(
        "beam.fluence.exposure_s",
        is_not_positive,
        "the fluence is not taken from the flux",
    ),
    rule(
        "beam.fluence.beam_size_mm",
        is_negative,
        "the beam is wider than any crystal and has no area",
    ),
    rule(
        "beam.divergence.horizontal.range_mrad",
        is_negative,
        NOT_GIVEN,
    ),
    rule(
        "beam.divergence.horizontal.step_mrad",
        is_not_positive,
        NOT_GIVEN,
    ),
    rule(
        "beam.divergence.horizontal.count",
        is_not_positive,
        NOT_GIVEN,
    ),
    rule(
        "beam.divergence.vertical.range_mrad",
        is_negative,
        NOT_GIVEN,
    ),
    rule(
        "beam.divergence.vertical.step_mrad",
        is_not_positive,
        NOT_GIVEN,
    ),
    rule("beam.divergence.vertical.count", is_not_positive, NOT_GIVEN),
    rule("beam.dispersion.range_fraction", is_negative, NOT_GIVEN),
    rule("beam.dispersion.count", is_not_positive, NOT_GIVEN),
    rule("phi.range_deg", is_negative, NOT_GIVEN),
    rule("phi.step_deg", is_negative, NOT_GIVEN),
    rule(
        "phi.count",
        is_not_positive,
        "below 0 it counts as not given, 0 as 1",
    ),
    rule("sampling.oversample", is_not_positive, NOT_GIVEN),
    rule(
        "response.integer_scale_counts_per_photon",
        is_not_positive,
        "the scale is automatic",
    ),
];

impl ExperimentSpec {
    /// The values that are taken for something else, such as a negative number of cells, in words. Flags
    /// have such warnings of their own; these are for specs from files.
    ///
    /// # Errors
    /// [`Error::NotInAFile`] for data that are only in memory.
    pub fn replaced(&self) -> Result<Vec<Warning>, Error> {
        let tree = self.to_tree()?;
        let mut warnings = Vec::new();
        for rule in &RULES {
            let pointer = format!("/{}", rule.field.replace('.', "/"));
            let values = match tree.pointer(&pointer) {
                Some(Value::Array(values)) => values.as_slice(),
                Some(value) => std::slice::from_ref(value),
                None => &[],
            };
            let numbers = values.iter().filter_map(Value::as_f64);
            let replaced = numbers.filter(|value| (rule.is_replaced)(*value));
            warnings.extend(replaced.map(|value| Warning::Replaced {
                field: rule.field,
                value,
                meaning: rule.meaning,
            }));
        }
        Ok(warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment_file::FileLanguage;

    /// A value of each rule, in the syntax of JSON.
    fn replaced_value(rule: &Rule) -> &'static str {
        match rule.field {
            "roi.fast" | "roi.slow" => "[-2, 3]",
            "crystal.cells" => "[3, 0, 2]",
            "crystal.size_mm" => "[1.0, -0.5, 0.0]",
            "beam.fluence.flux_per_s" | "sampling.oversample" => "0",
            _ => "-2",
        }
    }

    #[test]
    fn every_rule_warns_of_its_field_and_no_other() {
        for rule in &RULES {
            let names: Vec<&str> = rule.field.split('.').collect();
            let value = names
                .iter()
                .rev()
                .fold(replaced_value(rule).to_owned(), |inner, name| {
                    format!("{{\"{name}\": {inner}}}")
                });
            let spec = ExperimentSpec::parse(&value, "a.json", FileLanguage::Json).unwrap();
            let warnings = spec.replaced().unwrap();
            let fields: Vec<&str> = (warnings.iter())
                .map(|warning| match warning {
                    Warning::Replaced { field, .. } => *field,
                    _ => unreachable!("only values"),
                })
                .collect();
            assert_eq!(fields, [rule.field], "{value}");
            assert!((rule.is_replaced)(match &warnings[0] {
                Warning::Replaced { value, .. } => *value,
                _ => unreachable!("only values"),
            }));
        }
    }

    #[test]
    fn a_complete_file_of_defaults_has_none() {
        let spec = ExperimentSpec::default();
        assert_eq!(spec.replaced().unwrap(), []);
    }
}

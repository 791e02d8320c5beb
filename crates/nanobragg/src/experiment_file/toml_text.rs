//! An experiment as TOML, with a line and a comment for each field.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::comments;

/// The width of a field and its value before the comment.
const COLUMNS: usize = 40;

/// A longer line has its reason above it.
const LONG: usize = 60;

/// Numbers from here on are written with an exponent.
const MANY: f64 = 1e7;

/// The text of a tree. A field without a value is written as a comment.
pub(super) fn of(tree: &Value) -> String {
    let mut text =
        String::from("# An experiment of nanoBragg; docs/EXPERIMENT.md tells of each field.\n");
    if let Value::Object(fields) = tree {
        table(&mut text, "", fields);
    }
    text
}

fn table(text: &mut String, path: &str, fields: &Map<String, Value>) {
    let within = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    // Writing to a string cannot fail.
    for (name, value) in fields.iter().filter(|(_, value)| !is_table(value)) {
        let line = match inline(value) {
            Some(value) => format!("{} = {value}", key(name)),
            None => format!("# {} =", key(name)),
        };
        match comments::of(&within(name)) {
            Some(comment) => {
                let _ = writeln!(text, "{line:<COLUMNS$} # {comment}");
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    for (name, value) in fields.iter().filter(|(_, value)| is_table(value)) {
        let path = within(&key(name));
        match value {
            Value::Object(fields) => {
                let _ = writeln!(text, "\n[{path}]");
                table(text, &path, fields);
            }
            Value::Array(values) => {
                for fields in values.iter().filter_map(Value::as_object) {
                    let _ = writeln!(text, "\n[[{path}]]");
                    table(text, &path, fields);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// The text of some fields of a tree, each with a reason in place of the usual comment. A name is that of the table and
/// the field, `detector.distance_mm`; the fields of a table follow each other, those without a table come first.
pub(crate) fn of_lines(tree: &Value, lines: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut current = "";
    for (name, reason) in lines {
        let (table, field) = name.rsplit_once('.').unwrap_or(("", name));
        // Writing to a string cannot fail.
        if table != current {
            let _ = writeln!(text, "\n[{table}]");
            current = table;
        }
        let value = tree.pointer(&format!("/{}", name.replace('.', "/")));
        let value = value.and_then(inline).unwrap_or_default();
        let line = format!("{} = {value}", key(field));
        let _ = match line.len() > LONG {
            true => writeln!(text, "# {reason}\n{line}"),
            false => writeln!(text, "{line:<COLUMNS$} # {reason}"),
        };
    }
    text
}

/// Whether a value is a table with lines of its own: an object with more than one field (an object with
/// one is a variant of an enum), or a list of such objects.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.len() > 1,
        Value::Array(values) => !values.is_empty() && values.iter().all(is_table_of_list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_table_of_list(value: &Value) -> bool {
    value.is_object() && is_table(value)
}

/// A value within a line; `None` for null.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(number)) if number.abs() >= MANY => format!("{number:e}"),
            (None, number) => toml::Value::Float(number.unwrap_or(f64::NAN)).to_string(),
        },
        Value::String(string) => toml::Value::String(string.clone()).to_string(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().filter_map(inline).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let given = fields
                .filter_map(|(name, value)| Some(format!("{} = {}", key(name), inline(value)?)));
            let given: Vec<String> = given.collect();
            if given.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", given.join(", "))
            }
        }
    })
}

fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    toml::Value::String(name.to_owned()).to_string()
}

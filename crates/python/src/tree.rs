//! JSON trees as dicts and lists.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyString};
use serde_json::{Map, Number, Value};

use crate::errors::Exception;

/// A tree as dicts, lists, strings and numbers.
pub(crate) fn to_python<'py>(py: Python<'py>, tree: &Value) -> PyResult<Bound<'py, PyAny>> {
    match tree {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(is) => is.into_bound_py_any(py),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_bound_py_any(py),
            (None, Some(whole)) => whole.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => {
            let items = items.iter().map(|item| to_python(py, item));
            PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_bound_py_any(py)
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, field) in fields {
                dict.set_item(name, to_python(py, field)?)?;
            }
            dict.into_bound_py_any(py)
        }
    }
}

/// The tree of dicts, sequences, arrays, strings, paths and numbers.
///
/// # Errors
/// For any other object, and for a number that is not finite.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = value.py();
    let number = |number: f64| {
        let text = || Exception::Usage.says(py, format_args!("{number} is no finite number"));
        Number::from_f64(number).map(Value::Number).ok_or_else(text)
    };
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(fields) = value.cast::<PyDict>() {
        let field = |(name, field): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((name.extract()?, from_python(&field)?))
        };
        let fields = fields.iter().map(field);
        return Ok(Value::Object(fields.collect::<PyResult<Map<_, _>>>()?));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::String(text.extract()?));
    }
    if let Ok(is) = value.extract::<bool>() {
        return Ok(Value::Bool(is));
    }
    if !value.is_instance_of::<PyFloat>()
        && let Ok(whole) = value.extract::<i64>()
    {
        return Ok(whole.into());
    }
    if value.len().is_ok() {
        let items = value.try_iter()?.map(|item| from_python(&item?));
        return Ok(Value::Array(items.collect::<PyResult<_>>()?));
    }
    if let Ok(found) = value.extract::<f64>() {
        return number(found);
    }
    Ok(Value::String(value.call_method0("__fspath__")?.extract()?))
}

//! A value in a JSON file with the way to it, for messages.

use nanobragg_geometry::vector::{norm, unit};
use serde_json::Value;

use crate::error::Error;
use crate::exchange::described::Ignored;
use crate::exchange::file::{MOST, quoted};

/// The shortest vector that has a direction.
const SHORTEST: f64 = 1e-12;

/// A value of a file and its place in it.
#[derive(Debug, Clone)]
pub(super) struct Key<'v> {
    file: &'v str,
    path: String,
    value: &'v Value,
}

impl<'v> Key<'v> {
    /// The whole of a file.
    pub(super) fn root(file: &'v str, value: &'v Value) -> Self {
        Self {
            file,
            path: String::new(),
            value,
        }
    }

    fn child(&self, name: &str, value: &'v Value) -> Self {
        let dot = if self.path.is_empty() || name.starts_with('[') {
            ""
        } else {
            "."
        };
        Self {
            file: self.file,
            path: format!("{}{dot}{name}", self.path),
            value,
        }
    }

    fn place(&self) -> String {
        if self.path.is_empty() {
            return self.file.to_owned();
        }
        format!("{}: {}", self.file, self.path)
    }

    /// The member `name`, if it is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(self.child(name, value))
    }

    /// Whether two objects have the same member `name`, or none.
    pub(super) fn shares(&self, other: &Self, name: &str) -> bool {
        self.value.get(name) == other.value.get(name)
    }

    /// The member `name`.
    pub(super) fn need(&self, name: &str) -> Result<Self, Error> {
        if !self.value.is_object() {
            return Err(self.wrong("an object"));
        }
        self.get(name).ok_or_else(|| Error::FileLacks {
            place: self.child(name, self.value).place(),
        })
    }

    /// The members of a list.
    pub(super) fn items(&self) -> Result<impl ExactSizeIterator<Item = Self>, Error> {
        let list = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        let item = |(i, value)| self.child(&format!("[{i}]"), value);
        Ok(list.iter().enumerate().map(item))
    }

    /// Member `index` of a list.
    pub(super) fn item(&self, index: usize) -> Result<Self, Error> {
        let mut items = self.items()?;
        items.nth(index).ok_or_else(|| Error::FileLacks {
            place: self.child(&format!("[{index}]"), self.value).place(),
        })
    }

    /// A text; `None` if it is none.
    pub(super) fn text(&self) -> Option<&'v str> {
        self.value.as_str()
    }

    /// A number that an experiment can have.
    pub(super) fn number(&self) -> Result<f64, Error> {
        let number = self.value.as_f64().filter(|x| x.abs() <= MOST);
        number.ok_or_else(|| self.wrong("a number of a magnitude up to 1e15"))
    }

    /// A number above 0.
    pub(super) fn positive(&self) -> Result<f64, Error> {
        let number = self.number()?;
        if number < 1.0 / MOST {
            return Err(self.wrong("a number from 1e-15 to 1e15"));
        }
        Ok(number)
    }

    /// A whole number of 0 or above.
    pub(super) fn count(&self) -> Result<u32, Error> {
        let count = self.value.as_u64().and_then(|n| u32::try_from(n).ok());
        count.ok_or_else(|| self.wrong("a whole number of 0 or above"))
    }

    /// A list of `N` numbers.
    pub(super) fn numbers<const N: usize>(&self) -> Result<[f64; N], Error> {
        let items = self.items()?;
        if items.len() != N {
            return Err(self.wrong(match N {
                2 => "two numbers",
                3 => "three numbers",
                4 => "four numbers",
                _ => "the nine numbers of a matrix, row by row",
            }));
        }
        let mut numbers = [0.0; N];
        for (place, item) in numbers.iter_mut().zip(items) {
            *place = item.number()?;
        }
        Ok(numbers)
    }

    /// A direction, made unit.
    pub(super) fn direction(&self) -> Result<[f64; 3], Error> {
        let vector = self.numbers()?;
        if norm(vector) < SHORTEST {
            return Err(self.wrong("a vector that has a direction"));
        }
        Ok(unit(vector))
    }

    /// That the value is not `expected`.
    pub(super) fn wrong(&self, expected: &'static str) -> Error {
        let found = match self.value {
            Value::Array(items) => format!("a list of {}", items.len()),
            Value::Object(_) => "an object".to_owned(),
            Value::String(text) => quoted(text),
            other => other.to_string(),
        };
        Error::FileValue {
            place: self.place(),
            found,
            expected,
        }
    }

    /// That the value is not listened to.
    pub(super) fn ignored(&self, reason: &'static str) -> Ignored {
        Ignored {
            place: self.place(),
            reason,
        }
    }
}

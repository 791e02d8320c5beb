//! The keys and values of a header to be written.

use crate::printf::general;
use crate::{Error, Result};

/// The keys that describe the file. [`write`](super::write) sets them.
const OWN_KEYS: [&str; 6] = [
    "HEADER_BYTES",
    "DIM",
    "BYTE_ORDER",
    "TYPE",
    "SIZE1",
    "SIZE2",
];

/// Keys and values of a header to be written, in order.
///
/// `HEADER_BYTES`, `DIM`, `BYTE_ORDER`, `TYPE`, `SIZE1` and `SIZE2` are written before them by
/// [`write`](super::write).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pairs: Vec<(String, String)>,
    behind: Vec<(String, String)>,
}

impl Fields {
    /// No fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number, written as C's `%g`.
    ///
    /// # Errors
    /// As [`push_text`](Self::push_text).
    pub fn push_number(&mut self, key: &str, value: f64) -> Result<()> {
        self.push_text(key, &general(value))
    }

    /// Adds a text.
    ///
    /// # Errors
    /// [`Error::Field`] if the key is empty or set by the writer, or if a character would end the
    /// key or the value: `=` in a key; `;`, a brace or a control character in either.
    pub fn push_text(&mut self, key: &str, value: &str) -> Result<()> {
        self.pairs.push(checked(key, value)?);
        Ok(())
    }

    /// Adds a text behind the brace that ends the header. Most programs stop reading at the brace.
    /// dxtbx reads on, and takes the last of several lines with one key.
    ///
    /// # Errors
    /// As [`push_text`](Self::push_text).
    pub fn push_behind(&mut self, key: &str, value: &str) -> Result<()> {
        self.behind.push(checked(key, value)?);
        Ok(())
    }

    /// The pairs of key and value before the brace, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(as_strs)
    }

    /// The pairs of key and value behind the brace, in order.
    pub fn behind(&self) -> impl Iterator<Item = (&str, &str)> {
        self.behind.iter().map(as_strs)
    }
}

fn as_strs((key, value): &(String, String)) -> (&str, &str) {
    (key, value)
}

/// The pair, if it can stand in a header.
fn checked(key: &str, value: &str) -> Result<(String, String)> {
    let ends = |c: char| matches!(c, ';' | '{' | '}') || c.is_control();
    let key_is_bad = key.trim() != key
        || key.is_empty()
        || key.contains(|c| c == '=' || ends(c))
        || OWN_KEYS.contains(&key);
    if key_is_bad || value.contains(ends) {
        return Err(Error::Field {
            key: key.into(),
            value: value.into(),
        });
    }
    Ok((key.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_value_that_would_break_the_header_is_an_error() {
        let mut fields = Fields::new();
        for (key, value) in [
            ("", "1"),
            (" A", "1"),
            ("A=B", "1"),
            ("A;", "1"),
            ("A", "1;\nB=2"),
            ("A", "}"),
            ("A", "\u{c}"),
            ("SIZE1", "7"),
        ] {
            assert!(fields.push_text(key, value).is_err(), "{key:?} {value:?}");
        }
        assert_eq!(fields, Fields::new());
    }

    #[test]
    fn numbers_have_six_digits() -> Result<()> {
        let mut fields = Fields::new();
        fields.push_number("PHI", 1.23456789)?;
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("PHI", "1.23457")]);
        Ok(())
    }
}

//! The Crystallographic Information File (CIF), read for other crates.
//!
//! A CIF is a list of data blocks, each of tags with a value and of loops, which are tags with rows
//! of values. [`Reader`] hands them out one after the other, so that a long loop need not be kept.
//! [`Tables`] keeps one block.
//!
//! Tags are in lower case, with `_` for the `.` of mmCIF, so that old and new dictionaries agree:
//! `_cell.length_a` is `_cell_length_a`.
//!
//! # Source
//! Hall, Allen and Brown, Acta Cryst. A47 (1991) 655; International Tables, Volume G, 2.2.

mod tables;
mod tokens;

pub use tables::{Table, Tables};

use crate::input::{quoted, without_mark};
use tokens::{Token, Tokens};

/// What is wrong with a CIF, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {what}")]
pub struct Fault {
    /// The file.
    pub name: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// A value and its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value<'a> {
    /// The text without quotes.
    pub text: &'a str,
    /// The line, counted from 1, that the value begins on.
    pub line: usize,
    is_quoted: bool,
}

impl<'a> Value<'a> {
    /// The text; `None` for "unknown" (`?`) and "does not apply" (`.`) without quotes.
    pub fn known(&self) -> Option<&'a str> {
        let is_known = self.is_quoted || !matches!(self.text, "?" | ".");
        is_known.then_some(self.text)
    }

    /// The number in front of its uncertainty: `1.234` of `1.234(5)`.
    pub fn certain(&self) -> &'a str {
        self.text.split('(').next().unwrap_or_default()
    }
}

/// A part of a CIF.
#[derive(Debug, PartialEq)]
pub enum Item<'a> {
    /// A data block begins.
    Block,
    /// A tag outside loops, and its value.
    Pair(String, Value<'a>),
    /// The tags of a loop, at least one. [`Reader::next_row`] reads its rows.
    Loop(Vec<String>),
}

/// Reads a CIF item by item.
///
/// ```
/// use nanobragg_io::cif::{Item, Reader};
///
/// let mut cif = Reader::new("data_x loop_ _refln.index_h _refln.F_calc 1 35.5 2 ?", "x.cif");
/// assert_eq!(cif.next_item()?, Some(Item::Block));
/// let tags = ["_refln_index_h", "_refln_f_calc"].map(String::from);
/// assert_eq!(cif.next_item()?, Some(Item::Loop(tags.into())));
/// while let Some([index, f]) = cif.next_row()? {
///     println!("{} {:?}", index.text, f.known());
/// }
/// assert_eq!(cif.next_item()?, None);
/// # Ok::<(), nanobragg_io::cif::Fault>(())
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    tokens: Tokens<'a>,
    /// A token that has been read and not used yet.
    pending: Option<(Token<'a>, usize)>,
    /// Columns of the loop whose rows are being read; 0 outside loops.
    columns: usize,
    /// The line that this loop begins on.
    loop_line: usize,
    row: Vec<Value<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads a text without a byte-order mark, which messages call `name`.
    pub fn new(text: &'a str, name: &'a str) -> Self {
        Self {
            tokens: Tokens::new(text, name),
            pending: None,
            columns: 0,
            loop_line: 0,
            row: Vec::new(),
        }
    }

    /// The next item; `None` at the end. Rows of a loop that have not been read are passed over.
    ///
    /// # Errors
    /// [`Fault`] where the text is no CIF. The rest of it has then no meaning.
    pub fn next_item(&mut self) -> Result<Option<Item<'a>>, Fault> {
        while self.next_row()?.is_some() {}
        loop {
            let Some((token, line)) = self.next_token()? else {
                return Ok(None);
            };
            return match token {
                Token::Data => Ok(Some(Item::Block)),
                Token::Reserved => continue,
                Token::Loop => self.loop_tags(line).map(Some),
                Token::Tag(tag) => match self.next_value()? {
                    Some(value) => Ok(Some(Item::Pair(normalized(tag), value))),
                    None => Err(self.fault_on(line, "a tag without a value")),
                },
                Token::Bare(text) | Token::Quoted(text) => {
                    let what = format!(
                        "found `{}`, which belongs to no tag",
                        quoted(text.as_bytes())
                    );
                    Err(self.fault_on(line, what))
                }
            };
        }
    }

    /// The next row of the loop, as long as its tags; `None` where the loop ends, and outside loops.
    ///
    /// # Errors
    /// [`Fault`] as [`next_item`](Self::next_item), and where the last row is too short.
    pub fn next_row(&mut self) -> Result<Option<&[Value<'a>]>, Fault> {
        self.row.clear();
        while self.row.len() < self.columns {
            match (self.next_value()?, self.row.last()) {
                (Some(value), _) => self.row.push(value),
                (None, None) => self.columns = 0,
                (None, Some(last)) => {
                    let what = format!(
                        "a loop whose values do not fill its last row: {} of {} in line {}",
                        self.row.len(),
                        self.columns,
                        last.line
                    );
                    return Err(self.fault_on(self.loop_line, what));
                }
            }
        }
        Ok((self.columns > 0).then_some(&self.row))
    }

    /// An error on the line that has been read last.
    pub fn fault(&self, what: impl Into<String>) -> Fault {
        self.tokens.fault(what)
    }

    fn fault_on(&self, line: usize, what: impl Into<String>) -> Fault {
        Fault {
            line,
            ..self.tokens.fault(what)
        }
    }

    fn loop_tags(&mut self, line: usize) -> Result<Item<'a>, Fault> {
        let mut tags = Vec::new();
        self.pending = loop {
            match self.next_token()? {
                Some((Token::Tag(tag), _)) => tags.push(normalized(tag)),
                other => break other,
            }
        };
        if tags.is_empty() {
            return Err(self.fault_on(line, "a loop has no tags"));
        }
        (self.columns, self.loop_line) = (tags.len(), line);
        Ok(Item::Loop(tags))
    }

    fn next_value(&mut self) -> Result<Option<Value<'a>>, Fault> {
        let (text, line, is_quoted) = match self.next_token()? {
            Some((Token::Bare(text), line)) => (text, line, false),
            Some((Token::Quoted(text), line)) => (text, line, true),
            other => {
                self.pending = other;
                return Ok(None);
            }
        };
        Ok(Some(Value {
            text,
            line,
            is_quoted,
        }))
    }

    fn next_token(&mut self) -> Result<Option<(Token<'a>, usize)>, Fault> {
        match self.pending.take() {
            Some(token) => Ok(Some(token)),
            None => self.tokens.next_token(),
        }
    }
}

/// Whether a file is a CIF: the first thing after comments is a data block.
pub fn is_cif(bytes: &[u8]) -> bool {
    let mut rest = without_mark(bytes).trim_ascii_start();
    while rest.starts_with(b"#") {
        let end = rest.iter().position(|byte| *byte == b'\n');
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
        rest = rest.trim_ascii_start();
    }
    let head = rest.get(..5);
    head.is_some_and(|head| head.eq_ignore_ascii_case(b"data_"))
}

fn normalized(tag: &str) -> String {
    tag.replacen('.', "_", 1).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_line() {
        let message = |text: &str| Tables::parse(text, "x.cif").unwrap_err().to_string();
        assert_eq!(
            message("data_x\nloop_\n_a _b\n1 2 3\n"),
            "x.cif:2: a loop whose values do not fill its last row: 1 of 2 in line 4"
        );
        assert_eq!(message("data_x\n_a _b 1"), "x.cif:2: a tag without a value");
        assert_eq!(
            message("data_x\n\n_a 1 2"),
            "x.cif:3: found `2`, which belongs to no tag"
        );
        assert_eq!(
            message("data_x _a 'b\nc'"),
            "x.cif:1: a quoted value does not end on its line"
        );
        assert_eq!(
            message("data_x\n_a\n;b\nc"),
            "x.cif:3: a text field does not end"
        );
        assert_eq!(message("data_x loop_ 1"), "x.cif:1: a loop has no tags");
    }

    #[test]
    fn uncertainties_are_cut_off() {
        let certain = |text| {
            Tables::parse(text, "x.cif")
                .unwrap()
                .value(&["_a"])
                .unwrap()
                .certain()
        };
        assert_eq!(certain("data_x _a 59.062(3)"), "59.062");
        assert_eq!(certain("data_x _a 59.062"), "59.062");
    }

    #[test]
    fn a_file_is_a_cif_if_a_data_block_is_its_first_token() {
        assert!(is_cif(b"\xef\xbb\xbf# a comment\n#\n DATA_x") && is_cif(b"data_"));
        assert!(!is_cif(b"# h k l F\n1 2 3 4\n") && !is_cif(b"") && !is_cif(b"# data_x"));
    }

    #[test]
    fn rows_that_nobody_reads_are_passed_over() {
        let mut cif = Reader::new("data_x loop_ _a _b 1 2 3 4 save_ _c 5 loop_ _d", "x.cif");
        assert_eq!(cif.next_row(), Ok(None));
        let mut tags = Vec::new();
        while let Some(item) = cif.next_item().unwrap() {
            match item {
                Item::Block => {}
                Item::Pair(tag, _) => tags.push(tag),
                Item::Loop(more) => tags.extend(more),
            }
        }
        assert_eq!(tags, ["_a", "_b", "_c", "_d"]);
    }
}

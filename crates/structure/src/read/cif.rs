//! The words of a CIF, put into tables.

use nanobragg_crystal::read::cif::{Token, Tokens, normalized};

use crate::error::Error;

/// A value: its text without quotes, and its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
    is_quoted: bool,
}

impl<'a> Value<'a> {
    /// The text; `None` where the file says "unknown" (`?`) or "does not apply" (`.`).
    pub(super) fn known(&self) -> Option<&'a str> {
        let is_known = self.is_quoted || !matches!(self.text, "?" | ".");
        is_known.then_some(self.text)
    }
}

/// Tags and the values below them, row after row.
#[derive(Debug, Default)]
pub(super) struct Table<'a> {
    tags: Vec<String>,
    values: Vec<Value<'a>>,
}

impl<'a> Table<'a> {
    /// The column of a tag.
    pub(super) fn column(&self, tag: &str) -> Option<usize> {
        self.tags.iter().position(|known| known == tag)
    }

    /// The rows, each as long as there are tags.
    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, Value<'a>> {
        self.values.chunks_exact(self.tags.len().max(1))
    }
}

/// The first data block of a CIF.
///
/// Tags are in small letters, with `_` for the `.` of mmCIF, so that old and new dictionaries
/// agree: `_cell.length_a` is `_cell_length_a`. Tags outside loops form one table of one row.
#[derive(Debug)]
pub(super) struct Cif<'a> {
    tables: Vec<Table<'a>>,
}

impl<'a> Cif<'a> {
    /// Puts the words of a text into tables.
    pub(super) fn parse(text: &'a str, name: &str) -> Result<Self, Error> {
        let mut tokens = Tokens::new(text.as_bytes());
        let mut cif = Self { tables: Vec::new() };
        let mut single = Table::default();
        let mut open = Open::Nothing;
        let mut blocks = 0;
        let fault = |(line, fault)| Error::Cif {
            name: name.to_owned(),
            line,
            fault,
        };
        while let Some(token) = tokens.next_token() {
            let token = token.map_err(|found| fault((found.line, found.what)))?;
            let line = tokens.line();
            let (bytes, is_quoted) = match token {
                Token::Bare(bytes) => (bytes, false),
                Token::Quoted(bytes) => (bytes, true),
                Token::Tag(tag) => {
                    if let Open::Loop(table, _) = &mut open
                        && table.values.is_empty()
                    {
                        table.tags.push(normalized(tag));
                        continue;
                    }
                    cif.close(open).map_err(fault)?;
                    open = Open::Tag(normalized(tag), line);
                    continue;
                }
                Token::Loop => {
                    cif.close(open).map_err(fault)?;
                    open = Open::Loop(Table::default(), line);
                    continue;
                }
                Token::Data(_) | Token::Reserved(_) => {
                    cif.close(std::mem::take(&mut open)).map_err(fault)?;
                    blocks += usize::from(matches!(token, Token::Data(_)));
                    if blocks > 1 {
                        break;
                    }
                    continue;
                }
            };
            let value = Value {
                // The text was UTF-8, and tokens end at blanks and quotes.
                text: std::str::from_utf8(bytes).unwrap_or_default(),
                line,
                is_quoted,
            };
            open = match open {
                Open::Loop(mut table, begun) => {
                    table.values.push(value);
                    Open::Loop(table, begun)
                }
                Open::Tag(tag, _) => {
                    single.tags.push(tag);
                    single.values.push(value);
                    Open::Nothing
                }
                Open::Nothing => return Err(fault((line, "a value that belongs to no tag"))),
            };
        }
        cif.close(open).map_err(fault)?;
        cif.tables.push(single);
        Ok(cif)
    }

    /// Keeps a loop that has ended, whole; a tag must have got its value.
    fn close(&mut self, open: Open<'a>) -> Result<(), (usize, &'static str)> {
        match open {
            Open::Nothing => Ok(()),
            Open::Tag(_, line) => Err((line, "a tag without a value")),
            Open::Loop(table, line) if table.tags.is_empty() => Err((line, "a loop without tags")),
            Open::Loop(table, line) if !table.values.len().is_multiple_of(table.tags.len()) => {
                Err((line, "a loop whose values do not fill its last row"))
            }
            Open::Loop(table, _) => {
                self.tables.push(table);
                Ok(())
            }
        }
    }

    /// The table that has one of the tags.
    pub(super) fn table(&self, tags: &[&str]) -> Option<&Table<'a>> {
        let has = |table: &&Table| tags.iter().any(|tag| table.column(tag).is_some());
        self.tables.iter().find(has)
    }

    /// The first value below one of the tags, the earlier ones first, that is known.
    pub(super) fn value(&self, tags: &[&str]) -> Option<Value<'a>> {
        tags.iter().find_map(|tag| {
            let table = self.table(&[tag])?;
            let column = table.column(tag)?;
            let value = table.values.get(column).copied()?;
            value.known().map(|_| value)
        })
    }
}

/// What the next value belongs to.
#[derive(Debug, Default)]
enum Open<'a> {
    #[default]
    Nothing,
    /// A tag outside of loops, and its line.
    Tag(String, usize),
    /// A loop so far, and the line that it begins on.
    Loop(Table<'a>, usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\ndata_one _Cell.Length_a 10.5(2) _cell.length_b ?\r\n\
        loop_ _x.a _x.b # note\n1 'two words' \"it's\" .\n;first\nsecond\n;\n'.'\n\
        _after 'a dog's life'\ndata_two _cell.length_b 7\n";

    #[test]
    fn words_come_out_of_quotes_and_text_fields() {
        let cif = Cif::parse(TEXT, "x.cif").unwrap();
        let rows: Vec<Vec<_>> = cif
            .table(&["_x_b"])
            .unwrap()
            .rows()
            .map(|row| row.iter().map(Value::known).collect())
            .collect();
        assert_eq!(rows[0], [Some("1"), Some("two words")]);
        assert_eq!(rows[1], [Some("it's"), None]);
        assert_eq!(rows[2], [Some("first\nsecond"), Some(".")]);
        assert_eq!(cif.value(&["_after"]).unwrap().text, "a dog's life");
    }

    #[test]
    fn tags_of_both_dictionaries_agree_and_one_block_counts() {
        let cif = Cif::parse(TEXT, "x.cif").unwrap();
        assert_eq!(
            cif.value(&["_none", "_cell_length_a"]).unwrap().text,
            "10.5(2)"
        );
        assert_eq!(cif.value(&["_cell_length_b"]), None);
    }

    #[test]
    fn faults_name_their_line() {
        let message = |text: &str| Cif::parse(text, "x.cif").unwrap_err().to_string();
        assert_eq!(
            message("data_x\nloop_\n_a _b\n1 2 3\n"),
            "x.cif:2: a loop whose values do not fill its last row"
        );
        assert_eq!(message("data_x\n_a _b 1"), "x.cif:2: a tag without a value");
        assert_eq!(
            message("data_x\n\n_a 1 2"),
            "x.cif:3: a value that belongs to no tag"
        );
        assert_eq!(
            message("data_x _a 'b\nc'"),
            "x.cif:1: a quoted value does not end on its line"
        );
        assert_eq!(
            message("data_x\n_a\n;b\nc"),
            "x.cif:3: a text field does not end"
        );
        assert_eq!(message("data_x loop_ 1"), "x.cif:1: a loop without tags");
    }

    #[test]
    fn lines_are_counted_through_text_fields() {
        let cif = Cif::parse("data_x\n_a\n;b\nc\n;\n_d e\n", "x.cif").unwrap();
        assert_eq!(cif.value(&["_d"]).unwrap().line, 6);
    }
}

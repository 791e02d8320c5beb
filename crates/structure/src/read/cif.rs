//! The words of a CIF, put into tables.
//!
//! # Source
//! Hall, Allen and Brown, Acta Cryst. A47 (1991) 655; International Tables, Volume G, 2.2.

use super::Place;
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
    /// Cuts the text into words and puts them into tables.
    pub(super) fn parse(text: &'a str, name: &str) -> Result<Self, Error> {
        let mut words = Words::new(text, name);
        let mut single = Table::default();
        let mut tables = Vec::new();
        let mut blocks = 0;
        while let Some(word) = words.next()? {
            match word {
                Word::Keyword(Keyword::Data, _) => {
                    blocks += 1;
                    if blocks > 1 {
                        break;
                    }
                }
                // Other frames belong to dictionaries.
                Word::Keyword(Keyword::Other, _) => {}
                Word::Keyword(Keyword::Loop, line) => tables.push(table(&mut words, line)?),
                Word::Tag(tag, line) => {
                    let Some(Word::Value(value)) = words.next()? else {
                        return Err(words.fault(line, "a tag without a value"));
                    };
                    single.tags.push(normal(tag));
                    single.values.push(value);
                }
                Word::Value(value) => {
                    return Err(words.fault(value.line, "a value that belongs to no tag"));
                }
            }
        }
        tables.push(single);
        Ok(Self { tables })
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

/// What follows the word `loop_`.
fn table<'a>(words: &mut Words<'a, '_>, line: usize) -> Result<Table<'a>, Error> {
    let mut table = Table::default();
    while let Some(Word::Tag(tag, _)) = words.peek()? {
        table.tags.push(normal(tag));
        words.next()?;
    }
    while let Some(Word::Value(value)) = words.peek()? {
        table.values.push(value);
        words.next()?;
    }
    if table.tags.is_empty() {
        return Err(words.fault(line, "a loop without tags"));
    }
    if !table.values.len().is_multiple_of(table.tags.len()) {
        return Err(words.fault(line, "a loop whose values do not fill its last row"));
    }
    Ok(table)
}

fn normal(tag: &str) -> String {
    tag.to_ascii_lowercase().replace('.', "_")
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Keyword {
    Data,
    Loop,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Word<'a> {
    Keyword(Keyword, usize),
    Tag(&'a str, usize),
    Value(Value<'a>),
}

/// The words of a text, one after the other.
struct Words<'a, 'n> {
    text: &'a str,
    at: usize,
    place: Place<'n>,
    peeked: Option<Option<Word<'a>>>,
}

impl<'a, 'n> Words<'a, 'n> {
    fn new(text: &'a str, name: &'n str) -> Self {
        Self {
            text,
            at: 0,
            place: Place { name, line: 1 },
            peeked: None,
        }
    }

    fn fault(&self, line: usize, fault: &'static str) -> Error {
        Error::Cif {
            name: self.place.name.to_owned(),
            line,
            fault,
        }
    }

    fn peek(&mut self) -> Result<Option<Word<'a>>, Error> {
        if let Some(word) = self.peeked {
            return Ok(word);
        }
        let word = self.read()?;
        self.peeked = Some(word);
        Ok(word)
    }

    fn next(&mut self) -> Result<Option<Word<'a>>, Error> {
        match self.peeked.take() {
            Some(word) => Ok(word),
            None => self.read(),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn read(&mut self) -> Result<Option<Word<'a>>, Error> {
        self.skip_blanks();
        let line = self.place.line;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        let begins_line = self.at == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b'\n');
        if first == ';' && begins_line {
            return self.text_field().map(Some);
        }
        if matches!(first, '\'' | '"') {
            return self.quoted(first).map(Some);
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        let begins = |start: &str| {
            word.get(..start.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(start))
        };
        Ok(Some(if first == '_' {
            Word::Tag(word, line)
        } else if begins("data_") {
            Word::Keyword(Keyword::Data, line)
        } else if word.eq_ignore_ascii_case("loop_") {
            Word::Keyword(Keyword::Loop, line)
        } else if begins("save_") || begins("global_") || begins("stop_") {
            Word::Keyword(Keyword::Other, line)
        } else {
            Word::Value(Value {
                text: word,
                line,
                is_quoted: false,
            })
        }))
    }

    fn skip_blanks(&mut self) {
        let mut is_comment = false;
        for byte in self.rest().bytes() {
            match byte {
                b'\n' => {
                    self.place.line += 1;
                    is_comment = false;
                }
                b'#' => is_comment = true,
                _ if is_comment || byte.is_ascii_whitespace() => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Lines between one that begins with a semicolon and the next that does.
    fn text_field(&mut self) -> Result<Word<'a>, Error> {
        let line = self.place.line;
        let body = self.rest().get(1..).unwrap_or_default();
        let Some(end) = body.find("\n;") else {
            return Err(self.fault(line, "a text that begins with ; and does not end"));
        };
        let text = body.get(..end).unwrap_or_default();
        self.place.line += text.matches('\n').count() + 1;
        self.at += end + 3;
        Ok(Word::Value(Value {
            text: text.trim_end_matches('\r'),
            line,
            is_quoted: true,
        }))
    }

    /// A word in quotes, which end before a blank only: `'a dog's life'` is one word.
    fn quoted(&mut self, quote: char) -> Result<Word<'a>, Error> {
        let line = self.place.line;
        let body = self.rest().get(1..).unwrap_or_default();
        let mut bytes = body.bytes().enumerate().peekable();
        while let Some((i, byte)) = bytes.next() {
            if byte == b'\n' {
                break;
            }
            let ends = bytes
                .peek()
                .is_none_or(|(_, next)| next.is_ascii_whitespace());
            if char::from(byte) == quote && ends {
                self.at += i + 2;
                return Ok(Word::Value(Value {
                    text: body.get(..i).unwrap_or_default(),
                    line,
                    is_quoted: true,
                }));
            }
        }
        Err(self.fault(line, "a quote that does not end on its line"))
    }
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
            "x.cif:1: a quote that does not end on its line"
        );
        assert_eq!(
            message("data_x\n_a\n;b\nc"),
            "x.cif:3: a text that begins with ; and does not end"
        );
        assert_eq!(message("data_x loop_ 1"), "x.cif:1: a loop without tags");
    }

    #[test]
    fn lines_are_counted_through_text_fields() {
        let cif = Cif::parse("data_x\n_a\n;b\nc\n;\n_d e\n", "x.cif").unwrap();
        assert_eq!(cif.value(&["_d"]).unwrap().line, 6);
    }
}

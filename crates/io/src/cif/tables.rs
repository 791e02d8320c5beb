//! A data block of a CIF as tables.

use super::{Fault, Item, Reader, Value};

/// Tags and the values below them, row after row.
#[derive(Debug, Default)]
pub struct Table<'a> {
    tags: Vec<String>,
    values: Vec<Value<'a>>,
}

impl<'a> Table<'a> {
    /// The column of a tag.
    pub fn column(&self, tag: &str) -> Option<usize> {
        self.tags.iter().position(|known| known == tag)
    }

    /// The rows, each as long as there are tags.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, Value<'a>> {
        self.values.chunks_exact(self.tags.len().max(1))
    }
}

/// A data block of a CIF. The tags outside loops form one table of one row.
#[derive(Debug, Default)]
pub struct Tables<'a> {
    tables: Vec<Table<'a>>,
}

impl<'a> Tables<'a> {
    /// The tables of the first block of a text, which messages call `name`.
    ///
    /// # Errors
    /// [`Fault`].
    ///
    /// ```
    /// use nanobragg_io::cif::Tables;
    ///
    /// let cif = Tables::parse("data_x _cell.length_a 59.062(3)", "x.cif")?;
    /// let a = cif.value(&["_cell_length_a"]).expect("the cell has an edge a");
    /// assert_eq!((a.text, a.certain()), ("59.062(3)", "59.062"));
    /// # Ok::<(), nanobragg_io::cif::Fault>(())
    /// ```
    pub fn parse(text: &'a str, name: &'a str) -> Result<Self, Fault> {
        Ok(Self::next_block(&mut Reader::new(text, name))?.0)
    }

    /// The tables of the first block that has one of the tags, and the number of later blocks that have one too (up
    /// to a fault there); the tables of the first block if none has.
    ///
    /// # Errors
    /// [`Fault`] up to the end of the block.
    pub fn parse_with(text: &'a str, name: &'a str, tags: &[&str]) -> Result<(Self, usize), Fault> {
        let mut reader = Reader::new(text, name);
        let mut first = None;
        loop {
            let (cif, mut is_last) = Self::next_block(&mut reader)?;
            if cif.table(tags).is_some() {
                let mut others = 0;
                while !is_last && let Ok((other, ends)) = Self::next_block(&mut reader) {
                    others += usize::from(other.table(tags).is_some());
                    is_last = ends;
                }
                return Ok((cif, others));
            }
            let first = first.get_or_insert(cif);
            if is_last {
                return Ok((std::mem::take(first), 0));
            }
        }
    }

    /// The tables up to the next block or the end of the text, and whether it is the end.
    fn next_block(reader: &mut Reader<'a>) -> Result<(Self, bool), Fault> {
        let mut cif = Self::default();
        let mut single = Table::default();
        let mut is_last = true;
        while let Some(item) = reader.next_item()? {
            match item {
                // The first block begins here, or the one before has nothing in it.
                Item::Block if cif.tables.is_empty() && single.tags.is_empty() => {}
                Item::Block => {
                    is_last = false;
                    break;
                }
                Item::Pair(tag, value) => {
                    single.tags.push(tag);
                    single.values.push(value);
                }
                Item::Loop(tags) => {
                    let mut values = Vec::new();
                    while let Some(row) = reader.next_row()? {
                        values.extend_from_slice(row);
                    }
                    cif.tables.push(Table { tags, values });
                }
            }
        }
        cif.tables.push(single);
        Ok((cif, is_last))
    }

    /// The first table that has one of the tags.
    pub fn table(&self, tags: &[&str]) -> Option<&Table<'a>> {
        let has = |table: &&Table| tags.iter().any(|tag| table.column(tag).is_some());
        self.tables.iter().find(has)
    }

    /// The first value of the first of the tags whose first value is known.
    pub fn value(&self, tags: &[&str]) -> Option<Value<'a>> {
        tags.iter().find_map(|tag| {
            let table = self.table(&[tag])?;
            let value = table.values.get(table.column(tag)?).copied()?;
            value.known().map(|_| value)
        })
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
        let cif = Tables::parse(TEXT, "x.cif").unwrap();
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
        let cif = Tables::parse(TEXT, "x.cif").unwrap();
        assert_eq!(
            cif.value(&["_none", "_cell_length_a"]).unwrap().text,
            "10.5(2)"
        );
        assert_eq!(cif.value(&["_cell_length_b"]), None);
    }

    #[test]
    fn the_first_block_with_a_tag_is_taken_or_else_the_first() {
        let text = "data_global\n_a text\ndata_I\n_a 1\nloop_ _b 2 3\ndata_II\n_a 4 _b 5\n_c";
        let a = |text: &str, tags: &[&str]| {
            let (cif, others) = Tables::parse_with(text, "x.cif", tags)?;
            let first = cif.value(&["_a"]).map(|value| value.text.to_owned());
            Ok::<_, Fault>((first.unwrap_or_default(), others))
        };
        // The fault of the last block ends the search for others.
        assert_eq!(a(text, &["_b"]).unwrap(), ("1".to_owned(), 0));
        assert_eq!(a(text, &["_none", "_a"]).unwrap(), ("text".to_owned(), 1));
        // A fault counts up to the block that is taken.
        assert_eq!(a(text, &["_none"]).unwrap_err().line, 8);
        let whole = text.trim_end_matches("_c");
        assert_eq!(a(whole, &["_b"]).unwrap(), ("1".to_owned(), 1));
        assert_eq!(a(whole, &["_none"]).unwrap(), ("text".to_owned(), 0));
    }

    #[test]
    fn lines_are_counted_through_text_fields() {
        let cif = Tables::parse("data_x\n_a\n;b\nc\n;\n_d e\n", "x.cif").unwrap();
        assert_eq!(cif.value(&["_d"]).unwrap().line, 6);
    }
}

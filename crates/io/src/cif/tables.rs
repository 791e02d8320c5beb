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

/// The first data block of a CIF. The tags outside loops form one table of one row.
#[derive(Debug)]
pub struct Tables<'a> {
    tables: Vec<Table<'a>>,
}

impl<'a> Tables<'a> {
    /// The tables of a text, which messages call `name`.
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
        let mut reader = Reader::new(text, name);
        let mut cif = Self { tables: Vec::new() };
        let mut single = Table::default();
        let mut blocks = 0;
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Block => {
                    blocks += 1;
                    if blocks > 1 {
                        break;
                    }
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
        Ok(cif)
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
    fn lines_are_counted_through_text_fields() {
        let cif = Tables::parse("data_x\n_a\n;b\nc\n;\n_d e\n", "x.cif").unwrap();
        assert_eq!(cif.value(&["_d"]).unwrap().line, 6);
    }
}

//! One page of HTML about a run or a series, without any other file.

mod run;
mod series;

use std::fmt::Write;

pub use run::RunFacts;
pub use series::{SeriesFacts, most_pictures};

use crate::canvas::Figure;

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of its columns.
    pub head: Vec<String>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Text as it is typed.
    Code(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A figure and what it shows.
    Figure(Figure, String),
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its sections: headings and their parts.
    pub sections: Vec<(String, Vec<Block>)>,
}

/// The style: that of the system, dark or light.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--line:#d5dbe3;--soft:#f3f5f8}\
@media (prefers-color-scheme:dark){:root{--ink:#dfe5ee;--paper:#14181f;--line:#39424f;--soft:#1e242d}}\
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--line)}\
table{border-collapse:collapse;margin:.7rem 0;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.15rem .8rem .15rem 0;border-bottom:1px solid var(--line);vertical-align:top}\
.wide{overflow-x:auto}pre{background:var(--soft);padding:.7rem;overflow-x:auto;font-size:13px}\
figure{margin:1rem 0}figure svg{max-width:100%;height:auto;background:#fff}figcaption{font-size:.9em}";

impl Page {
    /// Adds a section, unless it is empty.
    pub fn add(&mut self, heading: &str, blocks: Vec<Block>) {
        if !blocks.is_empty() {
            self.sections.push((heading.to_owned(), blocks));
        }
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        for (heading, blocks) in &self.sections {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "<h2>{}</h2>", escaped(heading));
            for block in blocks {
                block.write(&mut out);
            }
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

impl Block {
    fn write(&self, out: &mut String) {
        let _ = match self {
            Self::Text(text) => writeln!(out, "<p>{}</p>", escaped(text)),
            Self::Code(text) => writeln!(out, "<pre>{}</pre>", escaped(text)),
            Self::List(items) => {
                let items = items
                    .iter()
                    .map(|item| format!("<li>{}</li>", escaped(item)));
                writeln!(out, "<ul>{}</ul>", items.collect::<String>())
            }
            Self::Table(table) => {
                let row = |cells: &[String], tag: &str| {
                    let cells = cells.iter();
                    let cells = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let rows = table.rows.iter().map(|cells| row(cells, "td"));
                writeln!(
                    out,
                    "<div class=\"wide\"><table><thead>{}</thead><tbody>{}</tbody></table></div>",
                    row(&table.head, "th"),
                    rows.collect::<String>()
                )
            }
            Self::Figure(figure, caption) => writeln!(
                out,
                "<figure>{}<figcaption>{}</figcaption></figure>",
                figure.svg(),
                escaped(caption)
            ),
        };
    }
}

/// Text without what HTML takes for its own. Control characters, which no page may have, are shown as a sign.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_whatever_it_says() {
        let mut page = Page {
            title: "<script>&\"'".to_owned(),
            ..Page::default()
        };
        let mut table = Table::new(&["<th>"]);
        table.add(["a\u{1b}<b>".to_owned()]);
        page.add(
            "<h>",
            vec![Block::Table(table), Block::Code("</pre>".to_owned())],
        );
        page.add("empty", Vec::new());
        let html = page.html();
        assert!(html.contains("<title>&lt;script&gt;&amp;&quot;&#39;</title>"));
        assert!(html.contains("<td>a\u{fffd}&lt;b&gt;</td>") && html.contains("&lt;/pre&gt;"));
        assert!(!html.contains("<script") && !html.contains("empty"));
        // Strict enough for a parser of XML, which finds tags that are not closed.
        let xml = html.replacen("<!DOCTYPE html>", "", 1);
        resvg::usvg::roxmltree::Document::parse(&xml).unwrap();
    }
}

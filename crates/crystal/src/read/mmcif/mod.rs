//! mmCIF reflection files, as the Protein Data Bank keeps them: the category `_refln`.
//!
//! Tags are understood with a dot or, as in older files, an underscore behind the category, in any
//! case. The first data block that lists reflections is read; values `?` and `.` are missing.

mod block;
mod write;

use std::path::Path;

use nanobragg_io::input::{bytes_of, quoted, without_mark};

use super::cif::{Token, Tokens, normalized, without_uncertainty};
use super::finite_number;
use crate::error::Error;
use crate::reflections::{Column, ColumnKind, ReflectionTable};
use block::{Block, Loop};

pub use write::to_bytes;

/// The category of reflections, tags in lower case.
const REFLN: &str = "_refln_";

const INDEX_TAGS: [&str; 3] = ["_refln_index_h", "_refln_index_k", "_refln_index_l"];

/// Reads the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], or what [`parse`] finds.
pub fn read(path: impl AsRef<Path>) -> Result<ReflectionTable, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_mmcif", path = %path.display()).entered();
    parse(&bytes_of(path)?, &path.display().to_string())
}

/// Whether some bytes look like a CIF: the first thing after comments is a data block.
pub fn is_cif(bytes: &[u8]) -> bool {
    let first = Tokens::new(without_mark(bytes)).next_token();
    matches!(first, Some(Ok(Token::Data(_))))
}

/// The table in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::Cif`] with the line at fault, [`Error::NoReflections`] if none is listed.
///
/// ```
/// # use nanobragg_crystal::read::mmcif;
/// let text = b"data_x\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_calc\n\
///              1 0 2 35.5\n1 0 3 ?\n";
/// let table = mmcif::parse(text, "x.cif")?;
/// assert_eq!(table.columns[0].label, "F_calc");
/// assert_eq!(table.indices, [[1, 0, 2], [1, 0, 3]]);
/// assert!(table.values[1].is_nan());
/// # Ok::<(), nanobragg_crystal::Error>(())
/// ```
pub fn parse(bytes: &[u8], name: &str) -> Result<ReflectionTable, Error> {
    let fault = |line: usize, what: String| Error::Cif {
        name: name.to_owned(),
        line,
        what,
    };
    let mut tokens = Tokens::new(without_mark(bytes));
    let mut block = Block::default();
    let mut loop_tags: Option<Vec<String>> = None;
    let mut tag: Option<String> = None;
    let mut found: Option<ReflectionTable> = None;
    let mut pending: Option<Token<'_>> = None;
    loop {
        let next = match pending.take() {
            Some(token) => Some(Ok(token)),
            None => tokens.next_token(),
        };
        let token = match next {
            None => break,
            Some(token) => token.map_err(|f| fault(f.line, f.what.to_owned()))?,
        };
        match token {
            Token::Data(_) => {
                if found.is_some() {
                    break;
                }
                block = Block::default();
                (loop_tags, tag) = (None, None);
            }
            Token::Loop => (loop_tags, tag) = (Some(Vec::new()), None),
            Token::Reserved(_) => (loop_tags, tag) = (None, None),
            Token::Tag(word) => {
                let normal = normalized(word);
                match &mut loop_tags {
                    Some(tags) => tags.push(normal),
                    None => tag = Some(normal),
                }
            }
            Token::Bare(value) | Token::Quoted(value) => {
                if let Some(tags) = loop_tags.take() {
                    let mut values = Loop::new(&tags, &mut tokens, token);
                    if tags.iter().any(|tag| tag == INDEX_TAGS[0]) && found.is_none() {
                        found = Some(reflections(&tags, &mut values, name)?);
                    } else {
                        block.take_loop(&tags, &mut values, name)?;
                    }
                    pending = values.ended_by();
                } else if let Some(tag) = tag.take() {
                    block.take_item(&tag, value);
                } else {
                    let what = format!("found `{}`, which belongs to no tag", quoted(value));
                    return Err(fault(tokens.line(), what));
                }
            }
        }
    }
    let mut table = found.ok_or_else(|| Error::NoReflections {
        name: name.to_owned(),
    })?;
    table.cell = block.cell();
    table.space_group = block.space_group(name)?;
    Ok(table)
}

/// What a loop lists of reflections.
fn reflections(
    tags: &[String],
    values: &mut Loop<'_, '_>,
    name: &str,
) -> Result<ReflectionTable, Error> {
    let fault = |line: usize, what: String| Error::Cif {
        name: name.to_owned(),
        line,
        what,
    };
    let mut index_places = [0; 3];
    for (place, tag) in index_places.iter_mut().zip(INDEX_TAGS) {
        let found = tags.iter().position(|own| own == tag);
        *place = found.ok_or_else(|| fault(values.line(), format!("the loop has no {tag}")))?;
    }
    let kept: Vec<(usize, Column)> = tags
        .iter()
        .enumerate()
        .filter_map(|(place, tag)| Some((place, column(tag)?)))
        .collect();
    let mut table = ReflectionTable {
        name: name.to_owned(),
        cell: None,
        space_group: None,
        columns: kept.iter().map(|(_, column)| column.clone()).collect(),
        indices: Vec::new(),
        values: Vec::new(),
    };
    while let Some(row) = values.next_row(name)? {
        let mut hkl = [0; 3];
        for (index, place) in hkl.iter_mut().zip(index_places) {
            let value = row.get(place).copied().unwrap_or(Token::Loop);
            let number =
                text_of(value).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            *index = number.ok_or_else(|| {
                let found = quoted(text_of(value).unwrap_or_default());
                fault(
                    values.line(),
                    format!("found `{found}`, expected a whole index"),
                )
            })?;
        }
        for (place, _) in &kept {
            let value = row.get(*place).copied().unwrap_or(Token::Bare(b"?"));
            let number = match value {
                Token::Bare(b"?" | b".") => f64::NAN,
                _ => {
                    let text = text_of(value).unwrap_or_default();
                    finite_number(without_uncertainty(text)).ok_or_else(|| {
                        let found = quoted(text);
                        fault(values.line(), format!("found `{found}`, expected a number"))
                    })?
                }
            };
            table.values.push(number);
        }
        table.indices.push(hkl);
    }
    Ok(table)
}

fn text_of(token: Token<'_>) -> Option<&[u8]> {
    match token {
        Token::Bare(text) | Token::Quoted(text) => Some(text),
        _ => None,
    }
}

/// The column of a tag; `None` for one that holds neither F nor a phase.
fn column(tag: &str) -> Option<Column> {
    const COLUMNS: [(&str, ColumnKind); 18] = [
        ("F_meas_au", ColumnKind::Amplitude),
        ("F_meas", ColumnKind::Amplitude),
        ("F_calc_au", ColumnKind::Amplitude),
        ("F_calc", ColumnKind::Amplitude),
        ("pdbx_FWT", ColumnKind::Amplitude),
        ("pdbx_DELFWT", ColumnKind::Amplitude),
        ("pdbx_F_plus", ColumnKind::AnomalousAmplitude),
        ("pdbx_F_minus", ColumnKind::AnomalousAmplitude),
        ("intensity_meas", ColumnKind::Intensity),
        ("intensity_calc", ColumnKind::Intensity),
        ("F_squared_meas", ColumnKind::Intensity),
        ("F_squared_calc", ColumnKind::Intensity),
        ("pdbx_I_plus", ColumnKind::AnomalousIntensity),
        ("pdbx_I_minus", ColumnKind::AnomalousIntensity),
        ("phase_calc", ColumnKind::Phase),
        ("phase_meas", ColumnKind::Phase),
        ("pdbx_PHWT", ColumnKind::Phase),
        ("pdbx_DELPHWT", ColumnKind::Phase),
    ];
    let own = tag.strip_prefix(REFLN)?;
    let (label, kind) = COLUMNS
        .into_iter()
        .find(|(label, _)| label.eq_ignore_ascii_case(own))?;
    Some(Column {
        label: label.to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests;

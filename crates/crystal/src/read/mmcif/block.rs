//! What a data block says besides its reflections, and the rows of its loops.

use super::{finite_number, text_of};
use crate::cell::CellSpec;
use crate::error::Error;
use crate::read::cif::{Token, TokenFault, Tokens, without_uncertainty};
use crate::symmetry::{SpaceGroup, SymmetryOperation};

const CELL_TAGS: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];

/// Tags of the name or number of the space group, the most telling first.
const GROUP_TAGS: [&str; 6] = [
    "_space_group_name_hall",
    "_symmetry_space_group_name_hall",
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_it_number",
    "_symmetry_int_tables_number",
];

/// Tags of the triplets of the operations.
const OPERATION_TAGS: [&str; 2] = [
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_operation_xyz",
];

/// Cell and symmetry of a data block.
#[derive(Debug, Default)]
pub(super) struct Block {
    cell: [Option<f64>; 6],
    group_names: [Option<String>; GROUP_TAGS.len()],
    operations: Vec<String>,
}

impl Block {
    /// Takes in the value of a tag.
    pub(super) fn take_item(&mut self, tag: &str, value: &[u8]) {
        let is_missing = matches!(value, b"?" | b".");
        let named = CELL_TAGS.iter().position(|own| *own == tag);
        if let Some(place) = named.and_then(|place| self.cell.get_mut(place)) {
            *place = finite_number(without_uncertainty(value));
        }
        let named = GROUP_TAGS.iter().position(|own| *own == tag);
        if let Some(place) = named.and_then(|place| self.group_names.get_mut(place))
            && !is_missing
        {
            *place = Some(String::from_utf8_lossy(value).into_owned());
        }
        if OPERATION_TAGS.contains(&tag) {
            self.operations
                .push(String::from_utf8_lossy(value).into_owned());
        }
    }

    /// Takes in the values of a loop.
    pub(super) fn take_loop(
        &mut self,
        tags: &[String],
        values: &mut Loop<'_, '_>,
        name: &str,
    ) -> Result<(), Error> {
        while let Some(row) = values.next_row(name)? {
            for (tag, value) in tags.iter().zip(row) {
                self.take_item(tag, text_of(value).unwrap_or_default());
            }
        }
        Ok(())
    }

    pub(super) fn cell(&self) -> Option<CellSpec> {
        let mut numbers = [0.0; 6];
        for (number, given) in numbers.iter_mut().zip(self.cell) {
            *number = given.filter(|given| *given > 0.0)?;
        }
        CellSpec::from_values(&numbers).ok()
    }

    /// The operations decide; without any, the most telling name that is known does.
    pub(super) fn space_group(&self, name: &str) -> Result<Option<SpaceGroup>, Error> {
        if !self.operations.is_empty() {
            let operations: Result<Vec<_>, _> = self
                .operations
                .iter()
                .map(|triplet| SymmetryOperation::from_triplet(triplet))
                .collect();
            let group = operations.and_then(|operations| SpaceGroup::from_operations(&operations));
            return group.map(Some).map_err(|error| Error::Symmetry {
                name: name.to_owned(),
                source: Box::new(error),
            });
        }
        let known = self.group_names.iter().flatten().find_map(|group| {
            match self.cell() {
                Some(cell) => SpaceGroup::from_name_for_cell(group, &cell),
                None => SpaceGroup::from_name(group),
            }
            .ok()
        });
        match (known, self.group_names.iter().flatten().next()) {
            (None, Some(unknown)) => Err(Error::Symmetry {
                name: name.to_owned(),
                source: Box::new(Error::UnknownSpaceGroup {
                    found: unknown.chars().take(40).collect(),
                }),
            }),
            (known, _) => Ok(known),
        }
    }
}

/// The rows of a loop.
pub(super) struct Loop<'t, 'a> {
    width: usize,
    tokens: &'t mut Tokens<'a>,
    first: Option<Token<'a>>,
    ended_by: Option<Token<'a>>,
}

impl<'t, 'a> Loop<'t, 'a> {
    /// The loop over `tags`, whose first value has been read already.
    pub(super) fn new(tags: &[String], tokens: &'t mut Tokens<'a>, first: Token<'a>) -> Self {
        Self {
            width: tags.len(),
            tokens,
            first: Some(first),
            ended_by: None,
        }
    }

    pub(super) fn line(&mut self) -> usize {
        self.tokens.line()
    }

    /// The token that ended the loop.
    pub(super) fn ended_by(self) -> Option<Token<'a>> {
        self.ended_by
    }

    /// The next row; `None` where the loop ends.
    pub(super) fn next_row(&mut self, name: &str) -> Result<Option<Vec<Token<'a>>>, Error> {
        let mut row = Vec::with_capacity(self.width);
        while row.len() < self.width {
            let token =
                match self.first.take() {
                    Some(first) => Some(first),
                    None if self.ended_by.is_some() => None,
                    None => self.tokens.next_token().transpose().map_err(
                        |TokenFault { line, what }| Error::Cif {
                            name: name.to_owned(),
                            line,
                            what: what.to_owned(),
                        },
                    )?,
                };
            match token {
                Some(value @ (Token::Bare(_) | Token::Quoted(_))) => row.push(value),
                other => {
                    self.ended_by = other;
                    break;
                }
            }
        }
        if row.len() == self.width && self.width > 0 {
            return Ok(Some(row));
        }
        if row.is_empty() && self.width > 0 {
            return Ok(None);
        }
        let what = match self.width {
            0 => "a loop has values and no tags".to_owned(),
            width => format!("a loop of {width} columns ends with a row of {}", row.len()),
        };
        Err(Error::Cif {
            name: name.to_owned(),
            line: self.line(),
            what,
        })
    }
}

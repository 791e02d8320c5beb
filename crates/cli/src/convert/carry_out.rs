use std::ffi::OsString;
use std::fmt::Write;

use nanobragg::crystal::read::structure_factors;
use nanobragg::crystal::read::{fdump, mmcif, mtz};
use nanobragg::crystal::{Error, Hkl, ReflectionList, SpaceGroup};
use nanobragg::factors::list_of;
use nanobragg::io::input::bytes_of as bytes_of_input;
use nanobragg::structure::{self, FactorSpec, Solvent, StructureFactors};
use nanobragg::{FactorGrid, GridLimit};

use super::request::{Part, Request, TOOL, Target};
use crate::base::solvent;
use crate::subcommand::{ToolError, write_file};

/// Carries out the words after `nanoBragg hkl`; returns what there is to say.
///
/// # Errors
/// [`ToolError`]; the output is then as it was.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let request = match Request::from_words(words) {
        Ok(request) => request,
        Err(shown) => return shown,
    };
    let (mut list, origin, lists_every_spot) = read(&request)?;
    list.cell = request.cell.or(list.cell);
    let listed = list.reflections.len();
    let group = list.space_group.to_string();

    let part = match (request.part, request.target()) {
        (Part::Usual, Target::Text | Target::Dump) => Part::Expanded,
        (Part::Usual, _) if lists_every_spot => Part::Merged,
        (part, _) => part,
    };
    let cell = list.cell;
    let (list, absent, averaged) = match part {
        Part::Expanded => {
            let all = list.expand_to_p1()?;
            let done = all.expansion;
            let list = match request.target() {
                Target::Text | Target::Dump => ReflectionList::from_text(&all.reflections, None),
                // These take Friedel's law for granted.
                Target::Mtz | Target::Mmcif => all.into_list(cell),
            };
            (list, done.absent, done.averaged)
        }
        Part::Merged => {
            let (merged, done) = list.merge();
            (merged, done.absent, done.averaged)
        }
        Part::Usual => (list, 0, 0),
    };
    let bytes = bytes_of(&list, &request)?;
    write_file(&request.output, &bytes, &[&request.input])?;
    Ok(format!(
        "{listed} reflections read from {} ({origin}, {group})\n\
         {} written to {} ({}, {}); {absent} absent, {averaged} averaged\n",
        request.input.display(),
        list.reflections.len(),
        request.output.display(),
        match request.target() {
            Target::Text => "text",
            Target::Mtz => "MTZ",
            Target::Mmcif => "mmCIF",
            Target::Dump => "dump",
        },
        list.space_group
    ))
}

/// The reflections of the input, where they come from, and whether the input lists every spot.
fn read(request: &Request) -> Result<(ReflectionList, String, bool), ToolError> {
    let given = &request.factors;
    let group = given
        .space_group
        .as_deref()
        .map(|name| match &request.cell {
            Some(cell) => SpaceGroup::from_name_for_cell(name, cell),
            None => SpaceGroup::from_name(name),
        })
        .transpose()?;
    if fdump::is_dump(&request.input) {
        let grid = fdump::read(&request.input, request.default_f, GridLimit::default())?;
        let listed = grid.reflections_other_than(request.default_f);
        let list = ReflectionList::from_text(&listed, group.as_ref());
        return Ok((list, "dump".to_owned(), true));
    }
    let bytes = bytes_of_input(&request.input).map_err(Error::from)?;
    let name = request.input.display().to_string();
    let is_mtz = bytes.starts_with(mtz::MAGIC);
    if !is_mtz && structure::read::are_coordinates(&bytes) {
        return from_atoms(&bytes, &name, group, request);
    }
    if request.dmin_a.is_some() {
        return Err(usage("-dmin is for coordinates, and IN lists reflections"));
    }
    let (format, table) = match structure_factors::parse(&bytes, &name)? {
        structure_factors::StructureFactors::Text(reflections) => {
            let list = ReflectionList::from_text(&reflections, group.as_ref());
            return Ok((list, "text".to_owned(), true));
        }
        structure_factors::StructureFactors::Mtz(table) => ("MTZ", table),
        structure_factors::StructureFactors::Mmcif(table) => ("mmCIF", table),
    };
    let (list, columns, warnings) = list_of(&table, &given.columns, given.space_group.as_deref())?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok((list, format!("{format} columns {columns}"), false))
}

/// The reflections of atoms as far as `-dmin`.
fn from_atoms(
    bytes: &[u8],
    name: &str,
    space_group: Option<SpaceGroup>,
    request: &Request,
) -> Result<(ReflectionList, String, bool), ToolError> {
    let dmin_a = request
        .dmin_a
        .ok_or_else(|| usage("IN holds coordinates, for which -dmin must be given"))?;
    let given = structure::read::Given {
        cell: request.cell,
        space_group,
    };
    let reading = structure::read::parse(bytes, name, &given)?;
    for warning in &reading.warnings {
        tracing::warn!("{name}: {warning}");
    }
    let spec = FactorSpec {
        dmin_a,
        solvent: solvent(&request.coordinates, Some(Solvent::default())),
        dispersion: request.coordinates.dispersion.clone(),
        ..FactorSpec::default()
    };
    let factors = StructureFactors::new(&reading.model, &spec)?;
    let origin = format!("{} atoms to {dmin_a} A", reading.model.atoms.len());
    Ok((factors.asymmetric_list(&reading.model), origin, false))
}

fn usage(fault: &str) -> ToolError {
    ToolError::Usage {
        tool: TOOL.name,
        fault: fault.to_owned(),
    }
}

fn bytes_of(list: &ReflectionList, request: &Request) -> Result<Vec<u8>, ToolError> {
    Ok(match request.target() {
        Target::Mtz => mtz::to_bytes(list)?,
        Target::Mmcif => mmcif::to_bytes(list),
        Target::Text => {
            let mut text = String::new();
            for reflection in list.to_reflections() {
                let Hkl([h, k, l]) = reflection.hkl;
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{h} {k} {l} {}", reflection.amplitude);
            }
            text.into_bytes()
        }
        Target::Dump => {
            let limit = GridLimit::default();
            let listed = list.to_reflections();
            let grid = FactorGrid::from_reflections(&listed, request.default_f, limit)?;
            fdump::to_bytes(&grid)
        }
    })
}

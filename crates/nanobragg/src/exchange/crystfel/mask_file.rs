//! Masks of a geometry that stand in files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nanobragg_io::nexus::read_dataset;
use nanobragg_io::{Image, StoredPixels};

use super::entry::Entry;
use super::layout::masks;
use super::panel::GeomPanel;
use super::read::{Geom, Section};
use crate::error::Error;
use crate::exchange::described::{Described, Ignored};
use crate::mask::{MaskedRegion, regions_of};

/// Leaves out the pixels that files of masks mask. They are in one of these folders, tried in this order; without a
/// folder no file is read.
///
/// # Errors
/// A file that cannot be read, or whose array does not have the pixels of the panel.
pub(super) fn masked(
    geom: &Geom<'_>,
    panels: &[GeomPanel<'_>],
    folders: &[&Path],
    into: &mut Described,
) -> Result<(), Error> {
    let mut read: BTreeMap<(PathBuf, String, usize), Image<u32>> = BTreeMap::new();
    let mut missed = Vec::new();
    for (number, (section, panel)) in geom.panels.iter().zip(panels).enumerate() {
        let of_panel = match masks(geom, section) {
            Ok(of_panel) => of_panel,
            Err(unlike) => {
                if !into.ignored.contains(&unlike) {
                    into.ignored.push(unlike);
                }
                continue;
            }
        };
        for mask in of_panel {
            let Some(file) = mask.file else { continue };
            let Some(path) = path_of(file, folders) else {
                if !missed.contains(&file.value) {
                    missed.push(file.value);
                    into.ignored.push(Ignored {
                        place: format!("{} {}", file.place(), file.value),
                        reason: "there is no such file: the pixels that it masks are rendered",
                    });
                }
                continue;
            };
            let place = place_on_fixed(geom, section);
            let key = (path, mask.path.value.to_owned(), place);
            if !read.contains_key(&key) {
                let (path, dataset, place) = &key;
                let bits = read_bits(path, dataset, *place)?;
                read.insert(key.clone(), bits);
            }
            let Some(bits) = read.get(&key) else { continue };
            let is_used = |value: u32| value & mask.good == mask.good && value & mask.bad == 0;
            let rows = rows_of(bits, panel, &is_used).ok_or_else(|| outside(mask.path))?;
            let rows = rows.iter().map(Vec::as_slice);
            let regions: Vec<MaskedRegion> = regions_of(number, rows);
            into.masked.extend(regions);
        }
    }
    Ok(())
}

/// The files of masks that are there, each once.
pub(super) fn found(geom: &Geom<'_>, folders: &[&Path]) -> Vec<PathBuf> {
    let masks = (geom.panels.iter()).flat_map(|section| masks(geom, section).unwrap_or_default());
    let paths = masks.filter_map(|mask| path_of(mask.file?, folders));
    BTreeSet::from_iter(paths).into_iter().collect()
}

/// Where the file of a mask is, in the first of the folders that has it.
fn path_of(file: &Entry<'_>, folders: &[&Path]) -> Option<PathBuf> {
    let mut paths = folders.iter().map(|folder| folder.join(file.value));
    paths.find(|path| path.is_file())
}

/// The place of a panel along the axis of panels, counted from 0; 0 without such an axis.
fn place_on_fixed(geom: &Geom<'_>, section: &Section<'_>) -> usize {
    let places = (0..16).filter_map(|n| geom.of(section, &format!("dim{n}"))?.value.parse().ok());
    places.into_iter().next().unwrap_or(0)
}

/// The values of a mask `[slow][fast]`, or `[panel][slow][fast]` of this panel. One that has an axis of images has one
/// image.
fn read_bits(path: &Path, dataset: &str, place: usize) -> Result<Image<u32>, Error> {
    let pixels = read_dataset(path, dataset, Some(place + 1))?;
    Ok(match pixels {
        StoredPixels::U8(image) => image.map(|&value| u32::from(value)),
        // Bits of negative numbers are those of the larger type, as a program in C takes them.
        StoredPixels::I8(image) => image.map(|&value| i32::from(value) as u32),
        StoredPixels::U16(image) => image.map(|&value| u32::from(value)),
        StoredPixels::I16(image) => image.map(|&value| i32::from(value) as u32),
        StoredPixels::U32(image) => image,
        StoredPixels::I32(image) => image.map(|&value| value as u32),
        StoredPixels::F32(image) => image.map(|&value| value as u32),
    })
}

/// Whether each pixel of a panel is used; `None` if the mask does not have all of them.
fn rows_of(
    bits: &Image<u32>,
    panel: &GeomPanel<'_>,
    is_used: &dyn Fn(u32) -> bool,
) -> Option<Vec<Vec<bool>>> {
    let [[first_f, last_f], [first_s, last_s]] =
        panel.in_data.map(|range| range.map(|n| n as usize));
    let rows = bits.rows().skip(first_s).take(last_s - first_s + 1);
    let rows: Option<Vec<Vec<bool>>> = rows
        .map(|row| {
            let row = row.get(first_f..=last_f)?;
            Some(row.iter().map(|&value| is_used(value)).collect())
        })
        .collect();
    rows.filter(|rows| rows.len() == last_s - first_s + 1)
}

fn outside(path: &Entry<'_>) -> Error {
    path.wrong("a mask that has the pixels of the panel")
}

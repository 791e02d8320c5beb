//! A master file: the geometry of a series whose images are in other files.

use std::io::{Cursor, Write};

use super::Series;
use super::tree::{self, Contents};
use super::views;
use crate::Result;
use crate::hdf5::{Along, Group, Member, VirtualSource, VirtualStack, Writer};

/// A file of some images of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its name, as seen from the folder of the master file.
    pub name: String,
    /// The index in the series of its first image.
    pub first: usize,
    /// From one of its images to the next in the series.
    pub step: usize,
    /// The number of its images.
    pub images: usize,
}

/// Writes a master file. All images together are the virtual dataset `/entry/data/data`, and those of each file
/// `/entry/data/data_000001` and so on, as the detectors of Dectris name them. `groups` of each file are linked in the
/// same way.
///
/// # Errors
/// Errors of the writer.
pub fn write_master(
    writer: &mut dyn Write,
    series: &Series,
    files: &[DataFile],
    groups: &[(&'static str, &'static str)],
) -> Result<()> {
    let [fast, slow] = series.sides().map(|side| side as u64);
    let whole = [Along::range(0, slow), Along::range(0, fast)];
    let images = |images: Along| [&[images], whole.as_slice()].concat();
    let sources = files.iter().map(|file| {
        let count = file.images as u64;
        VirtualSource {
            file: file.name.clone(),
            dataset: series.images_path().to_owned(),
            from: images(Along::each(0, 1, count)),
            to: images(Along::each(file.first as u64, file.step as u64, count)),
        }
    });
    let stack = VirtualStack {
        element: series.pixel.element(),
        sides: vec![series.images as u64, slow, fast],
        sources: sources.collect(),
    };
    let links = |path: &'static str| {
        let numbered = files.iter().enumerate();
        numbered.map(move |(index, file)| {
            let link = Member::External {
                file: file.name.clone(),
                path,
            };
            (format!("data_{:06}", index + 1), link)
        })
    };
    let mut data = vec![(series.images_name().to_owned(), stack.into())];
    data.extend(links(series.images_path()));
    let groups = groups.iter().map(|&(name, path)| {
        let members = links(path);
        let group = members.fold(Group::of_class("NXcollection"), |group, (name, link)| {
            group.with(name, link)
        });
        (name, group)
    });
    let mut file = Writer::new(Cursor::new(Vec::new()))?;
    let mask = series.packed_mask(&mut file)?;
    let contents = Contents {
        data,
        pixel_mask: mask,
        groups: groups.collect(),
    };
    let first = series.panels.first().map(|panel| panel.exposure.clone());
    let mut root = tree::root(series, &first.unwrap_or_default(), contents);
    views::add(series, &mut root, &mut file)?;
    Ok(writer.write_all(file.close(&root)?.get_ref())?)
}

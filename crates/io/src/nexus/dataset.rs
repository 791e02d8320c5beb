//! Reading an image of a dataset that is named, in a file of any layout.

use std::path::Path;

use hdf5_reader::group::Group;

use crate::hdf5::{Reader, Stack, if_there};
use crate::{Error, Result, StoredPixels};

/// One image of the dataset of this name, from the root (`/entry_1/data_1/data`). It has the axes `[slow][fast]`,
/// `[image][slow][fast]` or `[image][panel][slow][fast]`; of several images the number says which, counted from 1.
///
/// # Errors
/// [`Error::NoDataset`] with the names that are there; [`Error::ManyImages`], [`Error::NoSuchImage`]; those of
/// [`read`](super::read).
pub fn read_dataset(path: &Path, dataset: &str, image: Option<usize>) -> Result<StoredPixels> {
    let pixels = Reader::open(path).and_then(|file| image_of(&file.root()?, dataset, image));
    pixels.map_err(|fault| fault.in_file(path))
}

fn image_of(root: &Group, dataset: &str, image: Option<usize>) -> Result<StoredPixels> {
    let mut parts: Vec<&str> = dataset.split('/').filter(|part| !part.is_empty()).collect();
    let name = parts.pop().unwrap_or_default();
    let mut group = root.clone();
    let mut path = String::new();
    for part in parts {
        group = if_there(group.group(part))?.ok_or_else(|| missing(dataset, &path, &group))?;
        path = format!("{path}/{part}");
    }
    let found = if_there(group.dataset(name))?.ok_or_else(|| missing(dataset, &path, &group))?;
    let stack = Stack::new(found)?;
    let images = usize::try_from(stack.images).unwrap_or(usize::MAX);
    let number = match image {
        Some(number) if (1..=images).contains(&number) => number,
        Some(number) => return Err(Error::NoSuchImage { number, images }),
        None if images == 1 => 1,
        None if images == 0 => return Err(Error::NoImages),
        None => return Err(Error::ManyImages { images }),
    };
    stack.read(number as u64 - 1)
}

/// The error for what `group`, at this path, does not have.
fn missing(dataset: &str, path: &str, group: &Group) -> Error {
    let (groups, datasets) = group.member_names().unwrap_or_default();
    let mut names = [groups, datasets].concat();
    names.sort();
    Error::NoDataset {
        dataset: dataset.to_owned(),
        group: if path.is_empty() { "/" } else { path }.to_owned(),
        there: if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        },
    }
}

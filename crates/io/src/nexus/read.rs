//! Reading an image of an NXmx file.
//!
//! Images are the signal of an `NXdata`, the dataset `data`, or the datasets `data_000001`, `data_000002`, ... that
//! follow each other. Names and classes are those of NXmx; a group is found by its usual name or by its class.
//!
//! # Source
//! NeXus International Advisory Committee, NXmx, version 1.5.

use std::path::Path;

use hdf5_reader::group::Group;

use crate::hdf5::{Reader, Stack, first_number, group_names, if_there};
use crate::{Error, Marks, Result, StoredPixels};

/// One image of a file, which is given its number, counted from 1, unless the file holds one image only. Panels
/// (`[image][panel][slow][fast]`) are one below the other.
///
/// # Errors
/// [`Error::Hdf5`] for a file that is damaged or packed by an unknown filter; [`Error::NoImages`];
/// [`Error::ManyImages`] if it must be said which; [`Error::NoSuchImage`]; [`Error::LinkedFile`] if the image is in a file
/// that is missing.
pub fn read(path: &Path, image: Option<usize>) -> Result<(StoredPixels, Marks)> {
    let image = Reader::open(path).and_then(|file| image_of(&file, image));
    image.map_err(|fault| fault.in_file(path))
}

/// The same of the bytes of a file, whose links lead nowhere.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: Vec<u8>, image: Option<usize>) -> Result<(StoredPixels, Marks)> {
    image_of(&Reader::of_bytes(bytes)?, image)
}

fn image_of(file: &Reader, image: Option<usize>) -> Result<(StoredPixels, Marks)> {
    let found = Stacks::of_file(file)?;
    let linked = |name: String| Error::LinkedFile { name };
    let Some((entry, Stacks { stacks, missing })) = found else {
        let missing = file.missing_files().into_iter().next();
        return Err(missing.map_or(Error::NoImages, linked));
    };
    let missing = || missing.clone().map(linked);
    let images: u64 = stacks.iter().map(|stack| stack.images).sum();
    let images = usize::try_from(images).unwrap_or(usize::MAX);
    let number = match image {
        Some(number) => number,
        // Images of a missing file are not counted.
        None if images != 1 || missing().is_some() => {
            return Err(missing().unwrap_or(match images {
                0 => Error::NoImages,
                _ => Error::ManyImages { images },
            }));
        }
        None => 1,
    };
    let mut before = number.checked_sub(1).map(|before| before as u64);
    let stack = stacks.iter().find(|stack| {
        let here = before.is_some_and(|before| before < stack.images);
        if !here {
            before = before.map(|before| before - stack.images);
        }
        here
    });
    let (Some(stack), Some(at)) = (stack, before) else {
        return Err(missing().unwrap_or(Error::NoSuchImage { number, images }));
    };
    let pixels = stack.read(at)?;
    let marks = marks_of(&entry, pixels.sides(), (number, images))?;
    Ok((pixels, marks))
}

/// What `look` finds in a child of the class: first the default, then that of the usual name (of any class), then any.
fn search<T>(
    group: &Group,
    usual: &str,
    class: &str,
    look: &mut dyn FnMut(&Group) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let default = text(group, "default")?.map(|path| path.trim_matches('/').to_owned());
    let mut seen: Vec<String> = Vec::new();
    let mut look_in = |names: Vec<String>| -> Result<Option<T>> {
        for name in names {
            if seen.contains(&name) {
                continue;
            }
            let child = if_there(group.group(&name))?;
            let is_usual = name == usual;
            seen.push(name);
            // The default of an entry is its data, also where its instrument is wanted.
            if let Some(child) = child
                && (is_usual || text(&child, "NX_class")?.as_deref() == Some(class))
                && let Some(found) = look(&child)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    if let Some(found) = look_in(default.into_iter().chain([usual.to_owned()]).collect())? {
        return Ok(Some(found));
    }
    look_in(group_names(group, usual)?)
}

/// The text of an attribute.
fn text(group: &Group, name: &str) -> Result<Option<String>> {
    let attribute = if_there(group.attribute(name))?;
    // One of another type says nothing.
    Ok(attribute.and_then(|attribute| attribute.read_string().ok()))
}

/// The images of an entry: in its data, or else in its detector.
fn images_of(file: &Reader, entry: &Group) -> Result<Option<Stacks>> {
    let mut look = |group: &Group| Stacks::of_group(file, group);
    if let Some(images) = search(entry, "data", "NXdata", &mut look)? {
        return Ok(Some(images));
    }
    in_detector(entry, &mut look)
}

/// What `look` finds in a detector of an entry.
fn in_detector<T>(
    entry: &Group,
    look: &mut dyn FnMut(&Group) -> Result<Option<T>>,
) -> Result<Option<T>> {
    search(entry, "instrument", "NXinstrument", &mut |instrument| {
        search(instrument, "detector", "NXdetector", look)
    })
}

/// The images of a file, in order.
pub(super) struct Stacks {
    stacks: Vec<Stack>,
    /// The file that holds those after them, if it is not there.
    missing: Option<String>,
}

impl Stacks {
    /// The images of a file, with the entry in which they are.
    pub(super) fn of_file(file: &Reader) -> Result<Option<(Group, Self)>> {
        search(&file.root()?, "entry", "NXentry", &mut |entry| {
            Ok(images_of(file, entry)?.map(|images| (entry.clone(), images)))
        })
    }

    /// The number of all images; `None` if some are in a file that is missing.
    pub(super) fn all_images(&self) -> Option<usize> {
        let images: u64 = self.stacks.iter().map(|stack| stack.images).sum();
        (self.missing.is_none()).then_some(usize::try_from(images).unwrap_or(usize::MAX))
    }

    /// Pixels along fast and slow.
    pub(super) fn sides(&self) -> Option<[u64; 2]> {
        self.stacks.first().map(Stack::sides)
    }

    fn of_group(file: &Reader, group: &Group) -> Result<Option<Self>> {
        let signal = text(group, "signal")?.filter(|signal| !signal.starts_with("data_"));
        let mut refused = None;
        for name in [signal.as_deref().unwrap_or("data"), "data"] {
            match if_there(group.dataset(name)) {
                Ok(Some(dataset)) => {
                    let stacks = vec![Stack::new(dataset)?];
                    let missing = None;
                    return Ok(Some(Self { stacks, missing }));
                }
                Ok(None) => (),
                // It can be a virtual dataset, which combines those with numbers.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let mut stacks = Vec::new();
        let mut missing = None;
        for number in 0.. {
            let before = file.missing_files().len();
            match if_there(group.dataset(&format!("data_{number:06}")))? {
                Some(dataset) => stacks.push(Stack::new(dataset)?),
                // The first number is 1, seldom 0.
                None if number == 0 => (),
                None => {
                    missing = file.missing_files().into_iter().nth(before);
                    break;
                }
            }
        }
        match refused {
            Some(error) if stacks.is_empty() => Err(error),
            _ if stacks.is_empty() => Ok(None),
            _ => Ok(Some(Self { stacks, missing })),
        }
    }
}

/// What the detector says of pixels that are no measurements in the image `number` of so many.
fn marks_of(
    entry: &Group,
    [fast, slow]: [usize; 2],
    (number, images): (usize, usize),
) -> Result<Marks> {
    let detector = in_detector(entry, &mut |detector| Ok(Some(detector.clone())))?;
    let Some(detector) = detector else {
        return Ok(Marks::default());
    };
    let mut mask = if_there(detector.dataset("pixel_mask"))?;
    if mask.is_none()
        && let Some(specific) = if_there(detector.group("detectorSpecific"))?
    {
        mask = if_there(specific.dataset("pixel_mask"))?;
    }
    let masked = match mask {
        None => Vec::new(),
        Some(mask) => {
            let shape = mask.shape().to_vec();
            let unfit = || Error::Hdf5Mask {
                shape: shape.clone(),
                fast,
                slow,
            };
            let mask = Stack::of_mask(mask, slow as u64)?;
            // One for all images, or one for each.
            let at = match mask.images {
                1 => 0,
                each if each == images as u64 => number as u64 - 1,
                _ => return Err(unfit()),
            };
            let bits = mask.read(at)?;
            if bits.sides() != [fast, slow] {
                return Err(unfit());
            }
            // Each bit is a reason why a pixel is no measurement.
            let bits = bits.to_floats();
            bits.pixels().iter().map(|&bits| bits != 0.0).collect()
        }
    };
    let number = |name: &str| -> Result<Option<f64>> {
        let dataset = if_there(detector.dataset(name))?;
        let number = dataset.map(|dataset| first_number(&dataset)).transpose()?;
        Ok(number.flatten().filter(|number| number.is_finite()))
    };
    Ok(Marks {
        undefined: number("undefined_value")?,
        underload: number("underload_value")?,
        // Some writers have 0 where nothing is known.
        overload: number("saturation_value")?.filter(|&counts| counts > 0.0),
        masked,
    })
}

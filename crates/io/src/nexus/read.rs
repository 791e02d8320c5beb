//! Reading an image of an NXmx file.
//!
//! Images are the signal of an `NXdata`, the dataset `data`, or the datasets `data_000001`, `data_000002`, ... that
//! follow each other. Names and classes are those of NXmx; a group is found by its usual name or by its class.
//!
//! # Source
//! NeXus International Advisory Committee, NXmx, version 1.5.

use std::path::Path;

use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Datatype, H5Type, SliceInfo, SliceInfoElem};

use crate::hdf5::{Reader, if_there};
use crate::{Error, Image, Marks, Result, StoredPixels};

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
    let found = search(&file.root()?, "entry", "NXentry", &mut |entry| {
        Ok(images_of(entry)?.map(|images| (entry.clone(), images)))
    })?;
    let missing = || file.missing_file().map(|name| Error::LinkedFile { name });
    let Some((entry, stacks)) = found else {
        return Err(missing().unwrap_or(Error::NoImages));
    };
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

/// What `look` finds in a child of the class: first the default, then that of the usual name, then any.
fn search<T>(
    group: &Group,
    name: &str,
    class: &str,
    look: &mut dyn FnMut(&Group) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let default = text(group, "default")?;
    let mut seen = Vec::new();
    for name in default.iter().map(String::as_str).chain([name]) {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        if let Some(child) = if_there(group.group(name))?
            && let Some(found) = look(&child)?
        {
            return Ok(Some(found));
        }
    }
    let (mut names, _) = group.member_names()?;
    names.sort();
    for name in names.iter().filter(|name| !seen.contains(&name.as_str())) {
        if let Some(child) = if_there(group.group(name))?
            && text(&child, "NX_class")?.as_deref() == Some(class)
            && let Some(found) = look(&child)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The text of an attribute.
fn text(group: &Group, name: &str) -> Result<Option<String>> {
    let attribute = if_there(group.attribute(name))?;
    // One of another type says nothing.
    Ok(attribute.and_then(|attribute| attribute.read_string().ok()))
}

/// The images of an entry: in its data, or else in its detector.
fn images_of(entry: &Group) -> Result<Option<Vec<Stack>>> {
    if let Some(images) = search(entry, "data", "NXdata", &mut stacks)? {
        return Ok(Some(images));
    }
    in_detector(entry, &mut stacks)
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

/// The images in a group, in order.
fn stacks(group: &Group) -> Result<Option<Vec<Stack>>> {
    let numbered = |number: usize| format!("data_{number:06}");
    let signal = text(group, "signal")?.filter(|signal| !signal.starts_with("data_"));
    let mut refused = None;
    for name in [signal.as_deref().unwrap_or("data"), "data"] {
        match if_there(group.dataset(name)) {
            Ok(Some(dataset)) => return Ok(Some(vec![Stack::new(dataset)?])),
            Ok(None) => (),
            // It can be a virtual dataset, which combines those with numbers.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let mut stacks = Vec::new();
    for number in 0.. {
        match if_there(group.dataset(&numbered(number)))? {
            Some(dataset) => stacks.push(Stack::new(dataset)?),
            // The first number is 1, seldom 0.
            None if number == 0 => (),
            None => break,
        }
    }
    match (stacks.is_empty(), refused) {
        (false, _) => Ok(Some(stacks)),
        (true, Some(error)) => Err(error),
        (true, None) => Ok(None),
    }
}

/// A dataset of images `[image][panel][slow][fast]`, of which the first two axes may be missing.
struct Stack {
    dataset: Dataset,
    /// The length of the first axis if this is one of images, otherwise 1.
    images: u64,
    first_is_images: bool,
    /// The rows of all panels.
    slow: u64,
    fast: u64,
}

impl Stack {
    fn new(dataset: Dataset) -> Result<Self> {
        let (images, slow, fast) = match dataset.shape() {
            &[slow, fast] => (1, Some(slow), fast),
            &[images, slow, fast] => (images, Some(slow), fast),
            &[images, panels, slow, fast] => (images, panels.checked_mul(slow), fast),
            other => {
                return Err(Error::Hdf5Pixels {
                    name: dataset.name().to_owned(),
                    found: format!("an array of {} axes", other.len()),
                });
            }
        };
        let slow = slow.unwrap_or(u64::MAX);
        Ok(Self {
            first_is_images: dataset.ndim() > 2,
            dataset,
            images,
            slow,
            fast,
        })
    }

    /// The same of a mask, which may have an axis of panels without one of images. Images have `slow` rows.
    fn of_mask(dataset: Dataset, slow: u64) -> Result<Self> {
        let mut stack = Self::new(dataset)?;
        if stack.dataset.ndim() == 3 && stack.images.checked_mul(stack.slow) == Some(slow) {
            stack.images = 1;
            stack.first_is_images = false;
            stack.slow = slow;
        }
        Ok(stack)
    }

    /// The image of this index, counted from 0.
    fn read(&self, at: u64) -> Result<StoredPixels> {
        let side = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
        let (fast, slow) = (side(self.fast), side(self.slow));
        if fast == 0 || slow == 0 {
            let pixels = 0;
            return Err(Error::Shape { fast, slow, pixels });
        }
        macro_rules! image {
            ($number:ty) => {
                Image::new(fast, slow, self.numbers::<$number>(at)?).map(StoredPixels::from)
            };
        }
        let unsupported = |found: String| Error::Hdf5Pixels {
            name: self.dataset.name().to_owned(),
            found,
        };
        match self.dataset.dtype() {
            Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
                (1, false) => image!(u8),
                (1, true) => image!(i8),
                (2, false) => image!(u16),
                (2, true) => image!(i16),
                (4, false) => image!(u32),
                (4, true) => image!(i32),
                (8, false) => self.narrowed(self.numbers::<u64>(at)?),
                (8, true) => self.narrowed(self.numbers::<i64>(at)?),
                _ => Err(unsupported(format!("integers of {size} bytes"))),
            },
            Datatype::FloatingPoint { size: 4, .. } => image!(f32),
            Datatype::FloatingPoint { size: 8, .. } => {
                let floats = self.numbers::<f64>(at)?;
                let floats = floats.into_iter().map(|value| value as f32).collect();
                Ok(Image::new(fast, slow, floats)?.into())
            }
            Datatype::Enum { base, .. }
                if matches!(**base, Datatype::FixedPoint { size: 1, .. }) =>
            {
                let flags = self.numbers::<Flag>(at)?;
                let flags = flags.into_iter().map(|Flag(flag)| flag).collect();
                Ok(Image::<u8>::new(fast, slow, flags)?.into())
            }
            Datatype::FloatingPoint { size, .. } => {
                Err(unsupported(format!("floats of {size} bytes")))
            }
            _ => Err(unsupported("values that are not numbers".to_owned())),
        }
    }

    /// Integers of 64 bits, all of which must fit into 32.
    fn narrowed<T>(&self, numbers: Vec<T>) -> Result<StoredPixels>
    where
        T: Copy + TryInto<i32> + TryInto<u32>,
    {
        let (fast, slow) = (self.fast as usize, self.slow as usize);
        fn all<T: Copy + TryInto<U>, U>(numbers: &[T]) -> Option<Vec<U>> {
            let numbers = numbers.iter().map(|&number| number.try_into().ok());
            numbers.collect()
        }
        if let Some(signed) = all::<T, i32>(&numbers) {
            return Ok(Image::new(fast, slow, signed)?.into());
        }
        let unsigned = all::<T, u32>(&numbers).ok_or_else(|| Error::Hdf5Pixels {
            name: self.dataset.name().to_owned(),
            found: "integers that do not fit into 32 bits".to_owned(),
        })?;
        Ok(Image::new(fast, slow, unsigned)?.into())
    }

    fn numbers<T: H5Type>(&self, at: u64) -> Result<Vec<T>> {
        let all = |_| SliceInfoElem::Slice {
            start: 0,
            end: u64::MAX,
            step: 1,
        };
        let mut selections: Vec<_> = (0..self.dataset.ndim()).map(all).collect();
        if self.first_is_images
            && let Some(image) = selections.first_mut()
        {
            *image = SliceInfoElem::Index(at);
        }
        let array = self.dataset.read_slice::<T>(&SliceInfo { selections })?;
        Ok(array.into_raw_vec_and_offset().0)
    }
}

/// A number of one byte with named values, as h5py stores a bool.
#[derive(Clone)]
struct Flag(u8);

impl H5Type for Flag {
    fn hdf5_type() -> Datatype {
        u8::hdf5_type()
    }

    fn from_bytes(bytes: &[u8], _: &Datatype) -> hdf5_reader::error::Result<Self> {
        Ok(Self(bytes.first().copied().unwrap_or_default()))
    }

    fn element_size(_: &Datatype) -> usize {
        1
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

/// The value of a scalar, or the first of an array.
fn first_number(dataset: &Dataset) -> Result<Option<f64>> {
    macro_rules! first {
        ($number:ty) => {{
            let array = dataset.read_array::<$number>()?;
            array.iter().next().map(|&number| number as f64)
        }};
    }
    Ok(match dataset.dtype() {
        Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
            (1, false) => first!(u8),
            (1, true) => first!(i8),
            (2, false) => first!(u16),
            (2, true) => first!(i16),
            (4, false) => first!(u32),
            (4, true) => first!(i32),
            (8, false) => first!(u64),
            (8, true) => first!(i64),
            _ => None,
        },
        Datatype::FloatingPoint { size: 4, .. } => first!(f32),
        Datatype::FloatingPoint { size: 8, .. } => first!(f64),
        _ => None,
    })
}

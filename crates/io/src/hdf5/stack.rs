//! Datasets of images, in the type of the file.

use hdf5_reader::{Dataset, Datatype, H5Type, SliceInfo, SliceInfoElem};

use crate::{Error, Image, Result, StoredPixels};

/// The most chunks of an image. Each takes a search in the index of the file, so that a damaged size could keep a
/// reader busy for minutes; writers have a few, or one for each row.
const MOST_CHUNKS: u64 = 1 << 16;

/// A dataset of images `[image][panel][slow][fast]`, of which the first two axes may be missing.
pub(crate) struct Stack {
    dataset: Dataset,
    /// The length of the first axis if this is one of images, otherwise 1.
    pub(crate) images: u64,
    first_is_images: bool,
    /// The rows of all panels.
    slow: u64,
    fast: u64,
}

impl Stack {
    pub(crate) fn new(dataset: Dataset) -> Result<Self> {
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
    pub(crate) fn of_mask(dataset: Dataset, slow: u64) -> Result<Self> {
        let mut stack = Self::new(dataset)?;
        if stack.dataset.ndim() == 3 && stack.images.checked_mul(stack.slow) == Some(slow) {
            stack.images = 1;
            stack.first_is_images = false;
            stack.slow = slow;
        }
        Ok(stack)
    }

    /// Pixels along fast and slow.
    pub(crate) const fn sides(&self) -> [u64; 2] {
        [self.fast, self.slow]
    }

    /// The image of this index, counted from 0.
    pub(crate) fn read(&self, at: u64) -> Result<StoredPixels> {
        let side = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
        let (fast, slow) = (side(self.fast), side(self.slow));
        if fast == 0 || slow == 0 {
            let pixels = 0;
            return Err(Error::Shape { fast, slow, pixels });
        }
        let chunks = self.chunks();
        if chunks > MOST_CHUNKS {
            return Err(Error::Hdf5Pixels {
                name: self.dataset.name().to_owned(),
                found: format!("an image in {chunks} chunks, more than {MOST_CHUNKS}"),
            });
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

    /// In how many chunks an image is stored.
    fn chunks(&self) -> u64 {
        let Some(chunks) = self.dataset.chunks() else {
            return 1;
        };
        let sides = self.dataset.shape().iter().zip(chunks);
        let of_image = sides.skip(usize::from(self.first_is_images));
        let counts = of_image.map(|(&side, chunk)| side.div_ceil(u64::from(chunk).max(1)));
        counts.fold(1, u64::saturating_mul)
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

/// Applies a macro to the type of Rust that has the numbers of a datatype; `None` if there is none.
macro_rules! for_type_of_number {
    ($datatype:expr, $apply:ident) => {
        match $datatype {
            Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
                (1, false) => $apply!(u8),
                (1, true) => $apply!(i8),
                (2, false) => $apply!(u16),
                (2, true) => $apply!(i16),
                (4, false) => $apply!(u32),
                (4, true) => $apply!(i32),
                (8, false) => $apply!(u64),
                (8, true) => $apply!(i64),
                _ => None,
            },
            Datatype::FloatingPoint { size: 4, .. } => $apply!(f32),
            Datatype::FloatingPoint { size: 8, .. } => $apply!(f64),
            _ => None,
        }
    };
}
pub(super) use for_type_of_number;

/// The value of a scalar, or the first of an array.
pub(crate) fn first_number(dataset: &Dataset) -> Result<Option<f64>> {
    Ok(numbers(dataset)?.and_then(|numbers| numbers.first().copied()))
}

/// All numbers of a dataset in their order; `None` if they are of another type.
pub(super) fn numbers(dataset: &Dataset) -> Result<Option<Vec<f64>>> {
    macro_rules! all {
        ($number:ty) => {{
            let array = dataset.read_array::<$number>()?;
            Some(array.iter().map(|&number| number as f64).collect())
        }};
    }
    Ok(for_type_of_number!(dataset.dtype(), all))
}

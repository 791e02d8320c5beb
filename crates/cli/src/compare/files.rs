//! Two image files, of any format each.

use std::path::{Path, PathBuf};

use nanobragg::io::any::AnyImage;
use nanobragg::io::{Image, smv};

use super::report::Named;
use super::{CompareError, Sides};

/// Both images, and what they are called.
pub(super) type Pair = ([Image<f32>; 2], [Named; 2]);

/// Reads two images; the sides of raw floats are those of the other one where nothing else tells.
pub(super) fn read(a: &Path, b: &Path, sides: &Sides) -> Result<Pair, CompareError> {
    let told = match sides {
        Sides::OfOther => None,
        Sides::Given(sides) => Some(*sides),
        Sides::OfHeader(path) => Some(sides_of_header(path)?),
    };
    let [image_a, image_b] = [AnyImage::read(a)?, AnyImage::read(b)?];
    let told = told.or(image_a.sides()).or(image_b.sides());
    let named = |path: &Path, image: &AnyImage| Named {
        path: path.to_path_buf(),
        format: image.format(),
    };
    let names = [named(a, &image_a), named(b, &image_b)];
    let shaped = |image| match (image, told) {
        (AnyImage::Shaped(_, image), _) => Ok(image),
        (AnyImage::RawFloats(floats), Some([fast, slow])) => Ok(floats.into_image(fast, slow)?),
        (AnyImage::RawFloats(_), None) => Err(CompareError::NoSides {
            a: a.to_path_buf(),
            b: b.to_path_buf(),
        }),
    };
    Ok(([shaped(image_a)?, shaped(image_b)?], names))
}

/// The pixels along the fast and the slow axis that an SMV header tells.
pub(super) fn sides_of_header(path: &Path) -> Result<[usize; 2], CompareError> {
    let (_, image) = smv::read(path)?;
    Ok([image.fast(), image.slow()])
}

/// Refuses to write over what is compared, and two outputs in one file.
pub(super) fn refuse_collisions(
    inputs: &[&Path],
    outputs: [(&'static str, Option<&PathBuf>); 2],
) -> Result<(), CompareError> {
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        // Many things may go into a device or a pipe.
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        _ => one == other,
    };
    for (flag, path) in outputs {
        let Some(path) = path else { continue };
        if inputs.iter().any(|input| same(input, path)) {
            return Err(CompareError::OverInput {
                path: path.clone(),
                flag,
            });
        }
    }
    match outputs {
        [(_, Some(one)), (_, Some(other))] if same(one, other) => {
            Err(CompareError::SameOutput { path: one.clone() })
        }
        _ => Ok(()),
    }
}

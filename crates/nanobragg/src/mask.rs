//! Masks in files, and masks of rectangles.

use nanobragg_geometry::{DetectorSpec, Mask, Panel};
use nanobragg_io::PixelState;
use nanobragg_io::any::{AnyImage, StoredImage};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The mask that an image is: pixels are used that are neither 0 nor NaN and that the file does not mask itself.
pub fn mask_of(image: &StoredImage) -> Option<Mask> {
    let [fast, _] = image.pixels.sides();
    let floats = image.pixels.to_floats();
    let pixels = floats.pixels().iter().zip(image.states());
    let is_used = |pixel: f32| pixel != 0.0 && !pixel.is_nan();
    let used = pixels.map(|(&pixel, state)| is_used(pixel) && state != PixelState::Masked);
    Mask::new(fast, used.collect())
}

/// The mask that a file of any format holds. Raw floats have the sides of the first panel.
///
/// # Errors
/// [`Error::Io`] for raw floats of another size, [`Error::Geometry`] for a detector without pixels.
pub fn mask_from(file: AnyImage, detector: &DetectorSpec) -> Result<Option<Mask>, Error> {
    let sides = detector.pixel_counts()?.map(|pixels| pixels as usize);
    Ok(mask_of(&file.into_stored(sides)?))
}

/// A rectangle of masked pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskedRegion {
    /// The number of the panel, counted from 0.
    pub panel: usize,
    /// The first and the last pixel along the fast axis.
    pub fast: [u32; 2],
    /// The first and the last pixel along the slow axis.
    pub slow: [u32; 2],
}

/// The mask of each panel that the regions leave, `None` for a panel without a region.
///
/// # Errors
/// [`Error::MaskedRegion`] for a region that is not on a panel.
pub(crate) fn masks_of(
    regions: &[MaskedRegion],
    panels: &[Panel],
) -> Result<Vec<Option<Mask>>, Error> {
    let mut used: Vec<Option<Vec<bool>>> = vec![None; panels.len()];
    for region in regions {
        let MaskedRegion {
            panel,
            fast: [first, last],
            slow: [top, bottom],
        } = *region;
        let (Some(pixels), Some(on)) = (used.get_mut(panel), panels.get(panel)) else {
            return Err(Error::MaskedRegion { region: *region });
        };
        let is_on_panel = first <= last && last < on.pixels_fast();
        if !is_on_panel || top > bottom || bottom >= on.pixels_slow() {
            return Err(Error::MaskedRegion { region: *region });
        }
        let width = on.pixels_fast() as usize;
        let pixels = pixels.get_or_insert_with(|| vec![true; on.pixel_count()]);
        let rows = pixels.chunks_mut(width).take(bottom as usize + 1);
        for row in rows.skip(top as usize) {
            if let Some(part) = row.get_mut(first as usize..=last as usize) {
                part.fill(false);
            }
        }
    }
    let masks = used.into_iter().zip(panels);
    let masks =
        masks.map(|(used, on)| used.and_then(|used| Mask::new(on.pixels_fast() as usize, used)));
    Ok(masks.collect())
}

/// The rectangles of the pixels that are not used in rows of `fast` flags: runs of a row, as far down as they
/// are the same.
pub(crate) fn regions_of<'m>(
    panel: usize,
    rows: impl Iterator<Item = &'m [bool]>,
) -> Vec<MaskedRegion> {
    let mut regions = Vec::new();
    let mut open: Vec<MaskedRegion> = Vec::new();
    for (slow, row) in (0_u32..).zip(rows) {
        let mut next = Vec::new();
        let mut fast = 0_u32;
        for run in row.chunk_by(|a, b| a == b) {
            // Rows have as many pixels as a panel, whose number is of 32 bits.
            let end = fast + run.len() as u32;
            if run.first() == Some(&false) {
                let range = [fast, end - 1];
                let above = open.iter().position(|region| region.fast == range);
                let above = above.map(|at| open.swap_remove(at));
                let begun = above.map_or(slow, |region| region.slow[0]);
                next.push(MaskedRegion {
                    panel,
                    fast: range,
                    slow: [begun, slow],
                });
            }
            fast = end;
        }
        regions.append(&mut open);
        open = next;
    }
    regions.append(&mut open);
    regions.sort_by_key(|region| (region.slow, region.fast));
    regions
}

#[cfg(test)]
mod tests {
    use nanobragg_geometry::Laboratory;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pixels_of_a_mask_that_are_0_or_nan_are_not_used() {
        use nanobragg_io::Image;
        let image = Image::new(4, 1, vec![0.0, f32::NAN, 1.0, -2.0]).unwrap();
        let expected = Mask::new(4, vec![false, false, true, true]);
        assert_eq!(mask_of(&image.into()), expected);
    }

    proptest! {
        #[test]
        fn regions_leave_the_mask_from_which_they_were_made(
            used in proptest::collection::vec(proptest::bool::weighted(0.6), 8 * 6),
        ) {
            let spec = DetectorSpec {
                pixels_fast: Some(8),
                pixels_slow: Some(6),
                ..DetectorSpec::default()
            };
            let detector = Laboratory::new(&spec).unwrap().detector;
            let regions = regions_of(0, used.chunks(8));
            let masks = masks_of(&regions, detector.panels()).unwrap();
            let expected = used.contains(&false).then(|| Mask::new(8, used.clone()).unwrap());
            prop_assert_eq!(&masks[0], &expected);
        }
    }
}

//! Eiger master files without modules: one panel, placed by its beam centre and distance.

use super::axis::imgcif;
use super::instrument::{Groups, PixelMask, PlacedModule, length, positive};
use crate::hdf5::{Field, Node};
use crate::{Error, Result};

/// The panel of the detector.
///
/// If the file has the groups `geometry/orientation` and `geometry/translation`, they place the panel. Otherwise it is at
/// right angles to the beam, with fast to the right and slow down as seen along the beam, at the beam centre and the
/// distance.
pub(super) fn panel(groups: &Groups) -> Result<PlacedModule> {
    let detector = &groups.detector;
    let sizes = ["x_pixel_size", "y_pixel_size"].map(|name| detector.need(name));
    let [fast_mm, slow_mm] = sizes;
    let (fast_mm, slow_mm) = (fast_mm?, slow_mm?);
    let pixel_mm = [
        positive(&fast_mm, length(&fast_mm, groups.image)?)?,
        positive(&slow_mm, length(&slow_mm, groups.image)?)?,
    ];
    let pixels = pixels(groups)?;
    let mut placed = PlacedModule {
        name: detector.name().to_owned(),
        pixel_mm,
        pixels,
        ..PlacedModule::default()
    };
    match in_geometry(detector)? {
        Some([origin_mm, fast, slow]) => {
            placed.origin_mm = origin_mm;
            placed.fast = fast;
            placed.slow = slow;
        }
        None => {
            let number = |name: &str| detector.need(name)?.number(groups.image);
            let [x, y] = [number("beam_center_x")?, number("beam_center_y")?];
            let distance = match detector.field("detector_distance")? {
                Some(distance) => distance,
                None => detector.need("distance")?,
            };
            let distance_mm = positive(&distance, length(&distance, groups.image)?)?;
            placed.origin_mm = [-x * pixel_mm[0], y * pixel_mm[1], -distance_mm];
            placed.fast = [1.0, 0.0, 0.0];
            placed.slow = [0.0, -1.0, 0.0];
        }
    }
    if let Some(mask) = PixelMask::read(groups, false)? {
        placed.masked = mask.crop(&detector.place("pixel_mask"), &[0, 0], pixels)?;
    }
    Ok(placed)
}

/// Pixels along fast and slow: as the detector says, or those of the images.
fn pixels(groups: &Groups) -> Result<[usize; 2]> {
    let detector = &groups.detector;
    let specific = detector.group("detectorSpecific")?;
    let stated = |name: &str| -> Result<Option<usize>> {
        let Some(field) = specific.as_ref().map(|specific| specific.field(name)) else {
            return Ok(None);
        };
        let count = |field: Field| {
            let count = field.number(0)?;
            let is_count = count.fract() == 0.0 && (1.0..=f64::from(i32::MAX)).contains(&count);
            is_count
                .then_some(count as usize)
                .ok_or_else(|| field.wrong(count.to_string(), "a whole number of pixels above 0"))
        };
        field?.map(count).transpose()
    };
    let sides = [
        stated("x_pixels_in_detector")?,
        stated("y_pixels_in_detector")?,
    ];
    if let [Some(fast), Some(slow)] = sides {
        return Ok([fast, slow]);
    }
    let sides = groups.sides.ok_or_else(|| Error::Hdf5Lacks {
        place: format!("an NXdetector_module in {}", detector.path()),
    })?;
    Ok(sides.map(|side| usize::try_from(side).unwrap_or(usize::MAX)))
}

/// The corner of the first pixel in millimetres, fast and slow, as the group `geometry` gives them. Its z is against
/// that of NeXus.
fn in_geometry(detector: &Node) -> Result<Option<[[f64; 3]; 3]>> {
    let Some(geometry) = detector.group("geometry")? else {
        return Ok(None);
    };
    let field = |group: &str, name: &str| match geometry.group(group)? {
        Some(group) => group.field(name),
        None => Ok(None),
    };
    let orientation = field("orientation", "value")?;
    let translation = field("translation", "distances")?;
    let (Some(orientation), Some(translation)) = (orientation, translation) else {
        return Ok(None);
    };
    let of_dectris = |[x, y, z]: [f64; 3]| imgcif([x, y, -z]);
    let (axes, corner) = (orientation.numbers()?, translation.numbers()?);
    let (&[fx, fy, fz, sx, sy, sz], &[x, y, z]) = (axes.as_slice(), corner.as_slice()) else {
        let expected = "six numbers, and three in translation/distances";
        return Err(orientation.wrong(format!("{} numbers", axes.len()), expected));
    };
    let corner_m = of_dectris([x, y, z]);
    let axes = [[fx, fy, fz], [sx, sy, sz]].map(of_dectris);
    let [fast, slow] = axes;
    Ok(Some([corner_m.map(|m| 1000.0 * m), fast, slow]))
}

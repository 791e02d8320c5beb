//! Bad regions of a geometry.

use super::entry::Entry;
use super::panel::GeomPanel;
use super::read::Section;
use crate::error::Error;
use crate::mask::MaskedRegion;

const PIXELS: [&str; 4] = ["min_fs", "max_fs", "min_ss", "max_ss"];
const PLACES: [&str; 4] = ["min_x", "max_x", "min_y", "max_y"];

/// The pixels of a bad region.
///
/// # Errors
/// [`Error::FileValue`] and [`Error::FileLacks`].
pub(super) fn masked(
    section: &Section<'_>,
    panels: &[GeomPanel<'_>],
    masked: &mut Vec<MaskedRegion>,
) -> Result<(), Error> {
    let of = |keys: [&'static str; 4]| keys.map(|key| section.own.get(key));
    let (pixels, places) = (of(PIXELS), of(PLACES));
    let place = places.into_iter().flatten().next();
    if let (Some(place), true) = (place, pixels.iter().any(Option::is_some)) {
        return Err(place
            .wrong("fast and slow pixels as in the other lines of the region, or x and y in all"));
    }
    let keys = if place.is_some() { PLACES } else { PIXELS };
    let mut edges = Vec::new();
    for key in keys {
        edges.push(section.own.get(key).ok_or_else(|| section.lacks(key))?);
    }
    let [first_f, last_f, first_s, last_s] = edges.as_slice() else {
        return Ok(());
    };
    for (first, last) in [(first_f, last_f), (first_s, last_s)] {
        if last.number()? < first.number()? {
            return Err(last.wrong("a number that is not below the smallest of the region"));
        }
    }
    let chosen = section.own.get("panel");
    if let Some(chosen) = chosen
        && !panels.iter().any(|panel| panel.name == chosen.value)
    {
        return Err(chosen.wrong("the name of a panel of this file"));
    }
    let is_meant = |panel: &GeomPanel<'_>| chosen.is_none_or(|chosen| chosen.value == panel.name);
    for (number, panel) in panels
        .iter()
        .enumerate()
        .filter(|(_, panel)| is_meant(panel))
    {
        if place.is_some() {
            let numbers = [
                first_f.number()?,
                last_f.number()?,
                first_s.number()?,
                last_s.number()?,
            ];
            between(numbers, number, panel, masked);
        } else if let Some(region) = inside(&edges, number, panel, chosen.is_some())? {
            masked.push(region);
        }
    }
    Ok(())
}

/// The pixels of a panel from a first to a last pixel of the data. Without a panel they are those of all panels,
/// as in files for CrystFEL before 0.10; with one they must be its own.
fn inside(
    edges: &[&Entry<'_>],
    number: usize,
    panel: &GeomPanel<'_>,
    is_named: bool,
) -> Result<Option<MaskedRegion>, Error> {
    let mut ranges = [[0; 2]; 2];
    for ((pair, in_data), range) in edges.chunks(2).zip(panel.in_data).zip(&mut ranges) {
        let [first, last] = pair else {
            return Ok(None);
        };
        let [start, end] = in_data;
        let (from, to) = (first.count()?, last.count()?);
        if is_named && (from < start || to > end) {
            let outside = if from < start { first } else { last };
            return Err(
                outside.wrong("a pixel of the data that belongs to the panel of the region")
            );
        }
        if from.max(start) > to.min(end) {
            return Ok(None);
        }
        *range = [from.max(start) - start, to.min(end) - start];
    }
    let [fast, slow] = ranges;
    Ok(Some(MaskedRegion {
        panel: number,
        fast,
        slow,
    }))
}

/// The pixels of a panel whose first corner lies between `min_x`, `max_x`, `min_y` and `max_y`, in pixels.
fn between(
    [min_x, max_x, min_y, max_y]: [f64; 4],
    number: usize,
    panel: &GeomPanel<'_>,
    masked: &mut Vec<MaskedRegion>,
) {
    let [[fx, fy, _], [sx, sy, _]] = panel.axes_px;
    let [cx, cy] = panel.corner_px;
    let [w, h] = panel.placed.pixels;
    let mut open: Option<MaskedRegion> = None;
    for s in 0..h {
        let row = f64::from(s);
        let is_in = |f: u32| {
            let (x, y) = (
                f64::from(f) * fx + row * sx + cx,
                f64::from(f) * fy + row * sy + cy,
            );
            min_x < x && x < max_x && min_y < y && y < max_y
        };
        let along_x = interval(fx, row * sx + cx, min_x, max_x);
        let along_y = interval(fy, row * sy + cy, min_y, max_y);
        let (from, to) = (along_x.0.max(along_y.0), along_x.1.min(along_y.1));
        // One pixel more at each end, because the ends are rounded. The casts saturate.
        let last = ((to + 1.0).max(0.0) as u32).min(w - 1);
        let first = (from - 1.0).max(0.0) as u32;
        let found = (from <= to).then(|| {
            let first = (first..=last).take(3).find(|f| is_in(*f))?;
            let last = (first..=last).rev().take(3).find(|f| is_in(*f))?;
            Some([first, last])
        });
        let found = found.flatten();
        match (&mut open, found) {
            (Some(region), Some(fast)) if region.fast == fast => region.slow[1] = s,
            (_, found) => {
                masked.extend(open.take());
                open = found.map(|fast| MaskedRegion {
                    panel: number,
                    fast,
                    slow: [s, s],
                });
            }
        }
    }
    masked.extend(open);
}

/// Where `least < step f + start < most`.
fn interval(step: f64, start: f64, least: f64, most: f64) -> (f64, f64) {
    let nothing = (f64::INFINITY, f64::NEG_INFINITY);
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    // With a step this small all pixels of a row are at one place.
    if step.abs() < 1e-12 {
        let is_in = least < start && start < most;
        return if is_in { everything } else { nothing };
    }
    let (a, b) = ((least - start) / step, (most - start) / step);
    (a.min(b), a.max(b))
}

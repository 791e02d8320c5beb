//! A panel of a geometry.

use nanobragg_geometry::vector::{add, dot, norm, scale, sub, unit};

use super::entry::{Entry, FileLength};
use super::read::{Geom, Outside, Section};
use super::turned_about_y;
use crate::error::Error;
use crate::exchange::described::CountsPer;
use crate::exchange::geometry::PlacedPanel;
use crate::mask::MaskedRegion;

/// How far lengths and angles of `fs` and `ss` may be from those of a square by rounding.
const ROUNDING: f64 = 1e-12;

/// The most pixels along an edge of a panel.
const MOST_PIXELS: u32 = 100_000;

/// How far lengths and angles may be from those of a square at all. Refined geometries in use are off by 0.002.
const MOST_OFF: f64 = 0.01;

/// How far a pixel may move without a warning when pixels are made square, in pixels.
const UNNOTICED_PX: f64 = 0.01;

/// A panel as the file places it.
#[derive(Debug, Clone)]
pub(super) struct GeomPanel<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// The first and the last pixel in the data of an image file, along fast and slow.
    pub(super) in_data: [[u32; 2]; 2],
    /// The corner in pixels, the shift of the detector included: x and y.
    pub(super) corner_px: [f64; 2],
    /// Fast and slow in pixels.
    pub(super) axes_px: [[f64; 3]; 2],
    /// Counts per photon or eV.
    pub(super) gain: Option<(CountsPer, Entry<'t>)>,
    /// By how many pixels a pixel is off the square grid that a run has, if that is noticed; file and line.
    pub(super) off_square: Option<(f64, String)>,
    /// Its place in the laboratory of [`crate::exchange::frame`].
    pub(super) placed: PlacedPanel,
}

impl<'t> GeomPanel<'t> {
    /// The panel of a section.
    ///
    /// # Errors
    /// [`Error::FileValue`] and [`Error::FileLacks`].
    pub(super) fn read(
        geom: &Geom<'t>,
        section: &Section<'t>,
        outside: Outside,
    ) -> Result<Self, Error> {
        let need = |key: &'static str| geom.need(section, key);
        let in_data = [
            range(need("min_fs")?, need("max_fs")?)?,
            range(need("min_ss")?, need("max_ss")?)?,
        ];
        let pixels = in_data.map(|[first, last]| last - first + 1);
        let pitch_m = 1.0 / need("res")?.positive()?;
        let (fs, ss) = (need("fs")?, need("ss")?);
        let axes_px = [fs.vector()?, ss.vector()?];
        let clen_m = camera_length(geom, section, outside)?;
        let coffset_m = (geom.of(section, "coffset")).map_or(Ok(0.0), Entry::number)?;
        let corner = [need("corner_x")?.number()?, need("corner_y")?.number()?];
        let shift_m = geom.shift_m()?;
        let corner_px = std::array::from_fn(|i| {
            let at = |pair: [f64; 2]| pair.get(i).copied().unwrap_or(0.0);
            at(corner) + at(shift_m) / pitch_m
        });
        let [x, y] = corner_px;
        let corner_m = [x * pitch_m, y * pitch_m, clen_m + coffset_m];
        let square = Square::of(axes_px, ss)?;
        let [fast, slow] = square.axes;
        let [w, h] = pixels.map(f64::from);
        // The middle of the panel stays in place.
        let [along_f, along_s] = square.moved_px(axes_px);
        let moved_px = add(scale(w / 2.0, along_f), scale(h / 2.0, along_s));
        let off_px = norm(moved_px).max(norm(sub(scale(w, along_f), moved_px)));
        let origin_m = add(corner_m, scale(pitch_m, moved_px));
        let placed = PlacedPanel {
            name: section.name.to_owned(),
            origin_mm: turned_about_y(scale(1000.0, origin_m)),
            fast: turned_about_y(fast),
            slow: turned_about_y(slow),
            pixel_size_mm: 1000.0 * pitch_m * square.edge_px,
            pixels,
            sensor: None,
            trusted_range: trusted_range(geom, section)?,
        };
        Ok(Self {
            name: section.name,
            in_data,
            corner_px,
            axes_px,
            gain: gain(geom, section)?,
            off_square: (off_px > UNNOTICED_PX).then(|| (off_px, ss.line())),
            placed,
        })
    }

    /// The pixels that `no_index` and `mask_edge_pixels` leave out of the panel with this number.
    ///
    /// # Errors
    /// [`Error::FileValue`].
    pub(super) fn left_out(
        geom: &Geom<'t>,
        section: &Section<'t>,
        number: usize,
        [w, h]: [u32; 2],
        masked: &mut Vec<MaskedRegion>,
    ) -> Result<(), Error> {
        let region = |fast: [u32; 2], slow: [u32; 2]| MaskedRegion {
            panel: number,
            fast,
            slow,
        };
        let (fast, slow) = ([0, w - 1], [0, h - 1]);
        let is_bad = geom.of(section, "no_index").map(Entry::is_true);
        let edge = geom.of(section, "mask_edge_pixels").map(Entry::count);
        let edge = edge.transpose()?.unwrap_or(0);
        if is_bad.transpose()?.unwrap_or(false) || edge.saturating_mul(2) >= w.min(h) {
            masked.push(region(fast, slow));
        } else if edge > 0 {
            masked.extend([
                region(fast, [0, edge - 1]),
                region(fast, [h - edge, h - 1]),
                region([0, edge - 1], slow),
                region([w - edge, w - 1], slow),
            ]);
        }
        Ok(())
    }
}

/// The first and the last pixel along an axis.
fn range(first: &Entry<'_>, last: &Entry<'_>) -> Result<[u32; 2], Error> {
    let range = [first.count()?, last.count()?];
    match range {
        [first, end] if end < first => {
            Err(last.wrong("the last pixel of a panel, not before the first"))
        }
        [first, end] if end - first >= MOST_PIXELS => {
            Err(last.wrong("the last of at most 100000 pixels along an edge of a panel"))
        }
        range => Ok(range),
    }
}

/// The distance in metres to which `coffset` is added.
fn camera_length(geom: &Geom<'_>, section: &Section<'_>, outside: Outside) -> Result<f64, Error> {
    let entry = geom.of(section, "clen").or_else(|| geom.last("clen"));
    let length = entry.map(Entry::length).transpose()?;
    let metres = match (length, outside.camera_length_m) {
        (Some(FileLength::Metres(metres)), _) => metres,
        (_, Some(metres)) => metres,
        (Some(FileLength::Elsewhere), None) => {
            let expected = "a number: it stands in image files, and -distance gives it";
            return Err(geom.need(section, "clen")?.wrong(expected));
        }
        (None, None) => return geom.need(section, "clen").map(|_| 0.0),
    };
    let Some(rail) = geom.of(section, "rail_direction") else {
        return Ok(metres);
    };
    let [x, y, z] = rail.vector()?;
    let calibrated = geom.of(section, "clen_for_centering").map(Entry::number);
    // Corners that are given for this camera length do not move.
    if calibrated.transpose()? == Some(metres) || x.hypot(y) <= ROUNDING * z {
        return Ok(metres);
    }
    Err(rail.wrong(
        "z: on another rail corner_x and corner_y change with clen; write them for this clen, \
         without rail_direction",
    ))
}

/// The counts that are no overload and no flag.
fn trusted_range(geom: &Geom<'_>, section: &Section<'_>) -> Result<Option<[f64; 2]>, Error> {
    let number = |key| geom.of(section, key).map(Entry::number).transpose();
    // `inf` is no number, and no limit.
    let is_infinite = |entry: &&Entry<'_>| entry.value.parse() == Ok(f64::INFINITY);
    let most = geom
        .of(section, "max_adu")
        .filter(|entry| !is_infinite(entry));
    let most = most.map(Entry::number).transpose()?;
    let flagged = number("flag_morethan")?;
    let most = match (most, flagged) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let least = number("flag_lessthan")?.unwrap_or(0.0);
    Ok(most.map(|most| [least, most]))
}

/// The last of the two keys for the gain.
fn gain<'t>(
    geom: &Geom<'t>,
    section: &Section<'t>,
) -> Result<Option<(CountsPer, Entry<'t>)>, Error> {
    let given = ["adu_per_photon", "adu_per_eV"];
    let given = given.into_iter().filter_map(|key| geom.of(section, key));
    let last = given.max_by_key(|entry| (!entry.owner.is_empty(), entry.number_of_line()));
    let Some(entry) = last else {
        return Ok(None);
    };
    let counts = entry.positive()?;
    let gain = match entry.key {
        "adu_per_eV" => CountsPer::ElectronVolt(counts),
        _ => CountsPer::Photon(counts),
    };
    Ok(Some((gain, entry.clone())))
}

/// Square pixels for two vectors.
#[derive(Debug, Clone, Copy)]
struct Square {
    axes: [[f64; 3]; 2],
    edge_px: f64,
}

impl Square {
    /// The vectors themselves if they are a square, or else the nearest square: its sides are as long as both on
    /// average, and each turns by the same angle.
    fn of([fast, slow]: [[f64; 3]; 2], at: &Entry<'_>) -> Result<Self, Error> {
        let [width, height] = [norm(fast), norm(slow)];
        let [f, s] = [unit(fast), unit(slow)];
        let cosine = dot(f, s);
        let difference = (width - height) / width.max(height);
        if cosine.abs() > MOST_OFF || difference.abs() > MOST_OFF {
            return Err(
                at.wrong("a vector at right angles to fs and of its length (pixels are square)")
            );
        }
        let is_square = cosine.abs() <= ROUNDING && difference.abs() <= ROUNDING;
        let edge_px = match (width + height) / 2.0 {
            edge if is_square && (edge - 1.0).abs() <= ROUNDING => 1.0,
            edge => edge,
        };
        let axes = if is_square {
            [f, s]
        } else {
            let [sum, difference] = [unit(add(f, s)), unit(sub(f, s))];
            [unit(add(sum, difference)), unit(sub(sum, difference))]
        };
        Ok(Self { axes, edge_px })
    }

    /// By how much the vectors differ from those of the square, in pixels.
    fn moved_px(&self, vectors: [[f64; 3]; 2]) -> [[f64; 3]; 2] {
        let pairs = vectors.into_iter().zip(self.axes);
        let mut moved = pairs.map(|(vector, axis)| {
            let moved = sub(vector, scale(self.edge_px, axis));
            if norm(moved) <= ROUNDING {
                [0.0; 3]
            } else {
                moved
            }
        });
        std::array::from_fn(|_| moved.next().unwrap_or_default())
    }
}

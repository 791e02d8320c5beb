//! The segments of a detector: flat parts of one picture, each with a place of its own.
//!
//! ```text
//! SEGMENT= x1 x2 y1 y2              its first and last pixels in the picture, counted from 1
//! DIRECTION_OF_SEGMENT_X-AXIS=, DIRECTION_OF_SEGMENT_Y-AXIS=   in the frame X, Y, X x Y of the detector
//! SEGMENT_ORGX=, SEGMENT_ORGY=, SEGMENT_DISTANCE=              from the origin of that frame
//! ```
//!
//! The origin of the frame is at pixel (0, 0) of the detector's plane, `-ORGX QX X - ORGY QY Y + DISTANCE Z`, and
//! pixel (x, y) of a segment at `(x - ORGX) QX X + (y - ORGY) QY Y + DISTANCE Z` from it, with the numbers and axes of
//! the segment.
//!
//! # Source
//! W. Kabsch, XDS program package, Coordinate Systems.

use nanobragg_geometry::vector::{add, cross, dot, scale, sub, unit};

use super::entry::Entry;
use crate::error::Error;
use crate::exchange::file::LARGEST_SKEW;
use crate::exchange::geometry::PlacedPanel;
use crate::mask::MaskedRegion;

pub(super) const SEGMENT: &str = "SEGMENT";
const FAST: &str = "DIRECTION_OF_SEGMENT_X-AXIS";
const SLOW: &str = "DIRECTION_OF_SEGMENT_Y-AXIS";
const ORGX: &str = "SEGMENT_ORGX";
const ORGY: &str = "SEGMENT_ORGY";
const DISTANCE: &str = "SEGMENT_DISTANCE";

/// The most segments of a detector; each is compared with all others.
const MOST_SEGMENTS: usize = 10_000;

/// The keywords of segments.
pub(super) const SEGMENTS: [&str; 6] = [SEGMENT, FAST, SLOW, ORGX, ORGY, DISTANCE];

/// The frame of a detector: its axes, and where pixel (0, 0) of its plane is, in mm.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectorFrame {
    fast: [f64; 3],
    slow: [f64; 3],
    normal: [f64; 3],
    zero_mm: [f64; 3],
}

impl DetectorFrame {
    /// The frame of a detector with this panel as its plane. The middle of the first pixel is at (1, 1).
    pub(super) fn of(panel: &PlacedPanel) -> Self {
        let [fast, slow] = [panel.fast, panel.slow].map(unit);
        Self {
            fast,
            slow,
            normal: unit(cross(fast, slow)),
            zero_mm: panel.position_mm(-0.5, -0.5),
        }
    }

    fn components(&self, v: [f64; 3]) -> [f64; 3] {
        [self.fast, self.slow, self.normal].map(|axis| dot(v, axis))
    }

    fn to_laboratory(self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        add(
            add(scale(x, self.fast), scale(y, self.slow)),
            scale(z, self.normal),
        )
    }

    /// The numbers of the segment that a panel is, whose first pixel is at `first` of the picture, counted from 0: the
    /// axes, the origin in pixels and the distance.
    pub(super) fn segment(&self, panel: &PlacedPanel, first: [u32; 2]) -> Segment {
        let [fast, slow] = [panel.fast, panel.slow].map(unit);
        // Pixel (1, 1) + first is the first of the panel, and its middle lies half a pixel from the corner.
        let from_zero = sub(panel.position_mm(-0.5, -0.5), self.zero_mm);
        let px = panel.pixel_size_mm;
        let org = |axis, first: u32| f64::from(first) - dot(from_zero, axis) / px;
        Segment {
            first,
            pixels: panel.pixels,
            axes: [fast, slow].map(|axis| self.components(axis)),
            org: [org(fast, first[0]), org(slow, first[1])],
            distance_mm: dot(from_zero, unit(cross(fast, slow))),
        }
    }
}

/// A segment as an `XDS.INP` has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// The first pixel in the picture along X and Y, counted from 0.
    pub(super) first: [u32; 2],
    pub(super) pixels: [u32; 2],
    /// X and Y in the frame of the detector.
    pub(super) axes: [[f64; 3]; 2],
    pub(super) org: [f64; 2],
    pub(super) distance_mm: f64,
}

impl Segment {
    /// Each segment with the keywords that follow it.
    ///
    /// # Errors
    /// [`Error::FileValue`] and [`Error::FileLacks`] naming line and keyword.
    pub(super) fn all(entries: &[Entry<'_>], picture: [u32; 2]) -> Result<Vec<Self>, Error> {
        let begins = |entry: &Entry<'_>| entry.keyword == SEGMENT;
        let mut segments: Vec<Self> = Vec::new();
        let starts = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| begins(entry));
        for (at, begin) in starts {
            if segments.len() == MOST_SEGMENTS {
                return Err(begin.wrong("at most 10000 segments"));
            }
            let rest = entries.get(at + 1..).unwrap_or_default();
            let end = rest.iter().position(begins).unwrap_or(rest.len());
            let segment = Self::read(begin, rest.get(..end).unwrap_or_default(), picture)?;
            let overlaps = |other: &Self| {
                (0..2).all(|i| {
                    let range =
                        |one: &Self| (one.first.get(i).copied(), one.pixels.get(i).copied());
                    match (range(&segment), range(other)) {
                        ((Some(a), Some(n)), (Some(b), Some(m))) => a < b + m && b < a + n,
                        _ => false,
                    }
                })
            };
            if segments.iter().any(overlaps) {
                return Err(begin.wrong("pixels that no other segment has"));
            }
            segments.push(segment);
        }
        Ok(segments)
    }

    fn read(begin: &Entry<'_>, entries: &[Entry<'_>], picture: [u32; 2]) -> Result<Self, Error> {
        let get = |keyword: &str| entries.iter().rfind(|entry| entry.keyword == keyword);
        let need = |keyword: &str| {
            get(keyword).ok_or_else(|| Error::FileLacks {
                place: format!("{}: {keyword}", begin.place()),
            })
        };
        let limits: [f64; 4] = begin.numbers()?;
        let [first_x, last_x, first_y, last_y] = limits;
        let within = |first: f64, last: f64, most: u32| {
            first.fract() == 0.0
                && last.fract() == 0.0
                && first >= 1.0
                && first <= last
                && last <= f64::from(most)
        };
        let [nx, ny] = picture;
        if !within(first_x, last_x, nx) || !within(first_y, last_y, ny) {
            return Err(begin.wrong("first and last pixel along X and Y, from 1 to NX and NY"));
        }
        let slow = need(SLOW)?;
        let axes = [need(FAST)?.direction()?, slow.direction()?];
        let [x, y] = axes;
        if dot(x, y).abs() > LARGEST_SKEW {
            return Err(slow.wrong("a direction at right angles to that of the other axis"));
        }
        let distance = get(DISTANCE).map(Entry::number).transpose()?;
        Ok(Self {
            first: [first_x, first_y].map(|first| first as u32 - 1),
            pixels: [(last_x - first_x) as u32 + 1, (last_y - first_y) as u32 + 1],
            axes,
            org: [need(ORGX)?.number()?, need(ORGY)?.number()?],
            distance_mm: distance.unwrap_or(0.0),
        })
    }

    /// The panel that the segment of this number is, counted from 0, of a detector with this plane.
    pub(super) fn panel(&self, index: usize, plane: &PlacedPanel) -> PlacedPanel {
        let frame = DetectorFrame::of(plane);
        let [x, y] = self.axes;
        let px = plane.pixel_size_mm;
        let [first_x, first_y] = self.first.map(f64::from);
        let [org_x, org_y] = self.org;
        // The corner is half a pixel before the middle of pixel first + 1.
        let along = |first: f64, org: f64, axis| scale((first + 0.5 - org) * px, axis);
        let corner = add(along(first_x, org_x, x), along(first_y, org_y, y));
        let corner = add(corner, scale(self.distance_mm, unit(cross(x, y))));
        PlacedPanel {
            name: format!("segment{}", index + 1),
            origin_mm: add(frame.zero_mm, frame.to_laboratory(corner)),
            fast: frame.to_laboratory(x),
            slow: frame.to_laboratory(y),
            pixels: self.pixels,
            ..plane.clone()
        }
    }
}

/// The rectangle of an `UNTRUSTED_RECTANGLE`, whose pixels lie between its limits, on each panel, whose first pixel
/// and size in the picture are given.
pub(super) fn untrusted(
    entry: &Entry<'_>,
    panels: &[([u32; 2], [u32; 2])],
) -> Result<Vec<MaskedRegion>, Error> {
    let [x1, x2, y1, y2]: [f64; 4] = entry.numbers()?;
    let on = |low: f64, high: f64, first: u32, pixels: u32| -> Option<[u32; 2]> {
        // Counted from 0: pixels above low - 1 and below high - 1.
        let first = f64::from(first);
        let from = (low.floor() - first).max(0.0);
        let to = (high.ceil() - 2.0 - first).min(f64::from(pixels) - 1.0);
        (from <= to).then_some([from as u32, to as u32])
    };
    let of_panel = |(panel, (first, pixels)): (usize, &([u32; 2], [u32; 2]))| {
        let ([first_x, first_y], [nx, ny]) = (*first, *pixels);
        Some(MaskedRegion {
            panel,
            fast: on(x1, x2, first_x, nx)?,
            slow: on(y1, y2, first_y, ny)?,
        })
    };
    Ok(panels.iter().enumerate().filter_map(of_panel).collect())
}

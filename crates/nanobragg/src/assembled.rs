//! One picture of all panels at their positions.

use std::ops::Range;

use nanobragg_geometry::vector::{dot, sub};
use nanobragg_geometry::{Detector, Panel};
use nanobragg_io::Image;

/// The largest number of pixels of a picture per pixel of the panels: panels can be far apart.
const MOST_GAPS: usize = 16;

/// A picture of all panels, with 0 in pixels without a panel. See [`Assembly::picture`].
///
/// # Errors
/// As [`Assembly::picture`].
pub fn assembled(
    detector: &Detector,
    images: &[Image<f32>],
) -> Result<Image<f32>, nanobragg_io::Error> {
    Assembly::of(detector).picture(images, 0.0)
}

/// Where the panels of a detector stand in one picture: projected along the normal of the first panel onto the
/// continued plane of its pixels. Panels that are too far apart for one picture are placed one below the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    /// The pixels of the picture along fast and along slow.
    pub sides: [usize; 2],
    /// The panels, in order.
    pub panels: Vec<PlacedPanel>,
    /// Whether they are one below the other, because they are too far apart.
    is_stacked: bool,
    /// The first pixel of the picture, in pixels along fast and slow from that of the first panel.
    first: [f64; 2],
}

impl Assembly {
    /// The picture of a detector.
    pub fn of(detector: &Detector) -> Self {
        let plane = detector.first();
        let mut panels: Vec<PlacedPanel> = (detector.panels().iter())
            .map(|panel| PlacedPanel::seen(panel, plane))
            .collect();
        let bounds = (panels.iter()).fold(Bounds::NONE, |all, panel| all.with(panel));
        let first = bounds.first();
        let [first_fast, first_slow] = first;
        for panel in &mut panels {
            let [fast, slow] = panel.corner;
            panel.corner = [fast - first_fast, slow - first_slow];
        }
        let sides = bounds.sides();
        let most = detector.pixel_count().saturating_mul(MOST_GAPS);
        // A single panel is its own picture.
        match panels.len() < 2 || sides[0].saturating_mul(sides[1]) > most {
            true => Self::stacked(detector),
            false => Self {
                sides,
                panels,
                is_stacked: false,
                first,
            },
        }
    }

    /// The picture of the images of the panels, in order. Pixels without a panel are `gap`. The picture of one panel
    /// is its image. Where panels overlap, the last one is on top.
    ///
    /// # Errors
    /// [`nanobragg_io::Error::Shape`] if there is no image, [`nanobragg_io::Error::TooLarge`].
    pub fn picture<T: Copy + Default>(
        &self,
        images: &[Image<T>],
        gap: T,
    ) -> Result<Image<T>, nanobragg_io::Error> {
        if images.len() < 2 || self.is_stacked {
            return Image::stacked(images);
        }
        let [fast, slow] = self.sides;
        let mut picture = Image::filled(fast, slow, gap)?;
        for (panel, image) in self.panels.iter().zip(images) {
            let [columns, rows] = panel.bounds(self.sides);
            let lines = picture.rows_mut().enumerate().take(rows.end);
            for (y, row) in lines.skip(rows.start) {
                let pixels = row.iter_mut().enumerate().take(columns.end);
                for (x, pixel) in pixels.skip(columns.start) {
                    let at = [x, y].map(|pixel| pixel as f64 + 0.5);
                    let seen = panel.pixel(at);
                    if let Some(&value) = seen.and_then(|[fast, slow]| image.get(fast, slow)) {
                        *pixel = value;
                    }
                }
            }
        }
        Ok(picture)
    }

    /// The panel that the picture of a detector is: in the plane of the first panel, without a mask. `None` if the panels
    /// are too far apart for one picture.
    pub fn panel(&self, detector: &Detector) -> Option<Panel> {
        let pixels = self.sides.map(|side| u32::try_from(side).ok());
        let [Some(fast), Some(slow)] = pixels else {
            return None;
        };
        let first = self.first.map(|pixels| pixels as i64);
        let panel = detector.first().continued(first, [fast, slow]).ok();
        panel.filter(|_| !self.is_stacked || detector.panels().len() == 1)
    }

    /// The point of the picture, in pixels from its corner, where the point `[fast, slow]` of a panel stands, in pixels
    /// from the outer corner of its first pixel. `None` if there is no such panel.
    pub fn place(&self, panel: usize, at: [f64; 2]) -> Option<[f64; 2]> {
        Some(self.panels.get(panel)?.point(at))
    }

    fn stacked(detector: &Detector) -> Self {
        let [mut fast, mut slow] = [0, 0];
        let place = |panel: &Panel| {
            let placed = PlacedPanel {
                corner: [0.0, slow as f64],
                steps: [[1.0, 0.0], [0.0, 1.0]],
                pixels: [panel.pixels_fast(), panel.pixels_slow()],
            };
            fast = fast.max(panel.pixels_fast() as usize);
            slow += panel.pixels_slow() as usize;
            placed
        };
        let panels = detector.panels().iter().map(place).collect();
        Self {
            sides: [fast, slow],
            panels,
            is_stacked: true,
            first: [0.0; 2],
        }
    }
}

/// A panel in a picture, in pixels of the picture: its projection along the normal of the first panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedPanel {
    /// The corner of the first pixel, from that of the picture.
    pub corner: [f64; 2],
    /// The steps to the next pixel along fast and along slow.
    pub steps: [[f64; 2]; 2],
    pixels: [u32; 2],
}

impl PlacedPanel {
    fn seen(panel: &Panel, plane: &Panel) -> Self {
        let seen = |v: [f64; 3]| [dot(v, plane.fast()), dot(v, plane.slow())];
        let per_pixel = |v: [f64; 2]| v.map(|m| m / plane.pixel_size_m());
        let step = |axis: [f64; 3]| per_pixel(seen(axis.map(|x| x * panel.pixel_size_m())));
        Self {
            // Relative to the corner of the first panel, whose pixels then coincide with those of the picture.
            corner: per_pixel(seen(sub(panel.pix0_m(), plane.pix0_m()))),
            steps: [step(panel.fast()), step(panel.slow())],
            pixels: [panel.pixels_fast(), panel.pixels_slow()],
        }
    }

    /// The pixel of the panel at a point; `None` if the point is outside the panel, or if the panel is
    /// seen edge-on.
    fn pixel(&self, [x, y]: [f64; 2]) -> Option<[usize; 2]> {
        let [[fx, fy], [sx, sy]] = self.steps;
        let (x, y) = (x - self.corner[0], y - self.corner[1]);
        let area = fx * sy - fy * sx;
        let at = [(x * sy - y * sx) / area, (y * fx - x * fy) / area];
        let inside = |at: f64, pixels: u32| (0.0..f64::from(pixels)).contains(&at);
        (inside(at[0], self.pixels[0]) && inside(at[1], self.pixels[1]))
            .then(|| at.map(|at| at as usize))
    }

    /// The columns and rows of a picture of these sides that the panel can have pixels in.
    fn bounds(&self, [width, height]: [usize; 2]) -> [Range<usize>; 2] {
        let corners = self.corners();
        let range = |along: [f64; 4], side: usize| {
            let least = along.into_iter().fold(f64::INFINITY, f64::min);
            let most = along.into_iter().fold(0.0, f64::max);
            // Casts of floats stop at the limits of integers.
            let end = (most.ceil() as usize).min(side);
            (least.floor() as usize).min(end)..end
        };
        [
            range(corners.map(|[x, _]| x), width),
            range(corners.map(|[_, y]| y), height),
        ]
    }

    fn corners(&self) -> [[f64; 2]; 4] {
        let [fast, slow] = self.pixels.map(f64::from);
        [[0.0, 0.0], [fast, 0.0], [0.0, slow], [fast, slow]].map(|at| self.point(at))
    }

    /// A point of the panel, in pixels of the picture.
    fn point(&self, [f, s]: [f64; 2]) -> [f64; 2] {
        let [[fx, fy], [sx, sy]] = self.steps;
        [
            self.corner[0] + f * fx + s * sx,
            self.corner[1] + f * fy + s * sy,
        ]
    }
}

/// The smallest rectangle of the plane that contains some panels.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    least: [f64; 2],
    most: [f64; 2],
}

impl Bounds {
    const NONE: Self = Self {
        least: [f64::INFINITY; 2],
        most: [f64::NEG_INFINITY; 2],
    };

    fn with(mut self, panel: &PlacedPanel) -> Self {
        for [x, y] in panel.corners() {
            let ([x0, y0], [x1, y1]) = (self.least, self.most);
            self.least = [x0.min(x), y0.min(y)];
            self.most = [x1.max(x), y1.max(y)];
        }
        self
    }

    /// The first pixel of the picture. The small number keeps rounding errors from adding a row.
    fn first(&self) -> [f64; 2] {
        self.least.map(|x| (x + 1e-6).floor())
    }

    /// The numbers of pixels of the picture; NaN counts as 0.
    fn sides(&self) -> [usize; 2] {
        let ([x0, y0], [x1, y1]) = (self.first(), self.most);
        [x1 - x0, y1 - y0].map(|length| (length - 1e-6).ceil().max(0.0) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg_geometry::{DetectorSpec, Laboratory, Length};

    #[test]
    fn a_detector_cut_into_panels_is_drawn_whole() {
        let spec = DetectorSpec {
            pixels_fast: Some(7),
            pixels_slow: Some(5),
            pixel_size: Length::from_mm(0.3),
            ..DetectorSpec::default()
        };
        let whole = Laboratory::new(&spec).unwrap().panel().clone();
        let number = |fast: u32, slow: u32| (slow * 7 + fast) as f32 + 1.0;
        let mut panels = Vec::new();
        let mut images = Vec::new();
        for (name, fast, slow) in [
            ("a", [0, 2], [0, -1]),
            ("b", [3, -1], [0, 1]),
            ("c", [3, -1], [2, -1]),
        ] {
            let panel = whole.cut(name.to_owned(), fast, slow).unwrap();
            let [f0, s0] = panel.first_pixel();
            let rows = (0..panel.pixels_slow())
                .flat_map(|s| (0..panel.pixels_fast()).map(move |f| number(f + f0, s + s0)));
            let (fast, slow) = (panel.pixels_fast() as usize, panel.pixels_slow() as usize);
            images.push(Image::new(fast, slow, rows.collect()).unwrap());
            panels.push(panel);
        }
        let picture = assembled(&Detector::new(panels).unwrap(), &images).unwrap();
        assert_eq!((picture.fast(), picture.slow()), (7, 5));
        let expected: Vec<f32> = (1..=35).map(|n| n as f32).collect();
        assert_eq!(picture.pixels(), expected);
    }
}

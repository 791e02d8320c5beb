//! What is drawn over a picture: rings, the direct beam, spots and their names.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::Line;
use crate::error::{Error, Result};
use crate::image_figure::{Area, SANS, SMALL, Window, short};
use crate::picture::Picture;
use crate::truth::{Spot, TruthFile};

/// The spots that are circled, at most.
const MOST_CIRCLES: usize = 100;

/// The radius of a circle in units of the figure: at least, and at most.
const RADII: [f64; 2] = [6.0, 120.0];

/// What is drawn over a picture. Points are in pixels of the figure from the corner of the picture.
pub(crate) struct Overlay<'a, 's> {
    area: &'a Area<'s>,
    /// The first column and row that are shown.
    origin: [f64; 2],
    /// Pixels of the figure per pixel of the picture.
    unit: [f64; 2],
    sides: [f64; 2],
    /// The rectangles that text may not cover: left, top, right, bottom.
    taken: Vec<[f64; 4]>,
    /// The rings, in units of the figure.
    pub(crate) lines: Vec<Line>,
    is_dark: bool,
}

impl<'a, 's> Overlay<'a, 's> {
    /// Nothing over a picture yet: its area, the first column and row that are shown, the units of the figure per
    /// pixel, its sides in these units, and whether small values are dark.
    pub(crate) fn new(
        area: &'a Area<'s>,
        origin: [f64; 2],
        unit: [f64; 2],
        sides: [f64; 2],
        is_dark: bool,
    ) -> Self {
        Self {
            area,
            origin,
            unit,
            sides,
            taken: Vec::new(),
            lines: Vec::new(),
            is_dark,
        }
    }

    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            (x - self.origin[0]) * self.unit[0],
            (y - self.origin[1]) * self.unit[1],
        ]
    }

    fn ring_colour(&self) -> RGBColor {
        match self.is_dark {
            true => RGBColor(130, 220, 255),
            false => RGBColor(0, 90, 170),
        }
    }

    fn spot_colour(&self) -> RGBColor {
        match self.is_dark {
            true => RGBColor(255, 255, 255),
            false => RGBColor(200, 30, 0),
        }
    }

    /// Writes a text at the first of these points (its left and its middle) where it covers nothing; returns whether
    /// there is one.
    fn write(&mut self, text: &str, places: &[[f64; 2]], colour: RGBColor) -> Result<bool> {
        let [wide, high] = [text.chars().count() as f64 * 7.6 + 4.0, 16.0];
        let free = places.iter().find_map(|&[x, y]| {
            let [left, top, right, bottom] = [x, y - high / 2.0, x + wide, y + high / 2.0];
            let inside =
                left >= 0.0 && top >= 0.0 && right <= self.sides[0] && bottom <= self.sides[1];
            let mut taken = self.taken.iter();
            let covers = taken.any(|other| {
                left < other[2] && other[0] < right && top < other[3] && other[1] < bottom
            });
            (inside && !covers).then_some([left, top, right, bottom])
        });
        let Some(place) = free else {
            return Ok(false);
        };
        self.taken.push(place);
        let [left, top, right, bottom] = place.map(|x| x.round() as i32);
        let paper = if self.is_dark { BLACK } else { WHITE };
        let paper = Rectangle::new([(left, top), (right, bottom)], paper.mix(0.75).filled());
        self.area.draw(&paper).map_err(Error::draw)?;
        let style = (SANS, SMALL).into_font().color(&colour);
        let style = style.pos(Pos::new(HPos::Left, VPos::Center));
        let middle = (left + 2, (top + bottom) / 2);
        self.area
            .draw(&Text::new(text.to_owned(), middle, style))
            .map_err(Error::draw)?;
        Ok(true)
    }

    /// Rings with their spacings.
    pub(crate) fn rings(
        &mut self,
        picture: &Picture,
        spacings: &[f64],
        window: &Window,
    ) -> Result<()> {
        let Some(geometry) = &picture.geometry else {
            return Ok(());
        };
        let colour = self.ring_colour();
        for &d in spacings {
            let mut places = Vec::new();
            for line in geometry.ring(d) {
                for piece in line.split(|&at| !window.holds(at)) {
                    let points: Vec<[f64; 2]> = piece.iter().map(|&at| self.at(at)).collect();
                    if points.len() > 1 {
                        let (left, top) = self.area.get_base_pixel();
                        let corner = [left, top].map(f64::from);
                        let moved = points.iter().map(|[x, y]| [x + corner[0], y + corner[1]]);
                        self.lines.push(Line {
                            points: moved.collect(),
                            rgb: [colour.0, colour.1, colour.2],
                        });
                    }
                    places.extend(points);
                }
            }
            // The topmost points first.
            places.sort_by(|a, b| a[1].total_cmp(&b[1]));
            let text = format!("{} Å", short(d));
            let half = text.chars().count() as f64 * 3.8;
            let places: Vec<[f64; 2]> = places.iter().map(|[x, y]| [x - half, *y]).collect();
            self.write(&text, &places, colour)?;
        }
        Ok(())
    }

    /// A cross in the direct beam.
    pub(crate) fn beam_centre(&mut self, picture: &Picture, window: &Window) -> Result<()> {
        const ARM: i32 = 7;
        let centre = picture
            .geometry
            .as_ref()
            .and_then(|geometry| geometry.beam_centre());
        let Some(centre) = centre.filter(|&at| window.holds(at)) else {
            return Ok(());
        };
        let [x, y] = self.at(centre).map(|x| x.round() as i32);
        let style = self.ring_colour().stroke_width(2);
        for line in [[(x - ARM, y), (x + ARM, y)], [(x, y - ARM), (x, y + ARM)]] {
            self.area
                .draw(&PathElement::new(line, style))
                .map_err(Error::draw)?;
        }
        let [x, y, arm] = [x, y, ARM].map(f64::from);
        self.taken.push([x - arm, y - arm, x + arm, y + arm]);
        Ok(())
    }

    /// Circles around the brightest spots, and the indices of the first of them.
    pub(crate) fn spots(
        &mut self,
        picture: &Picture,
        truth: &TruthFile,
        window: &Window,
        labels: usize,
    ) -> Result<()> {
        let colour = self.spot_colour();
        let mut seen = Vec::new();
        for spot in &truth.spots {
            if let Some(at) = picture.place(spot).filter(|&at| window.holds(at))
                && seen.len() < MOST_CIRCLES
            {
                let [x, y] = self.at(at);
                let radius = self.radius(spot);
                self.taken
                    .push([x - radius, y - radius, x + radius, y + radius]);
                let circle = Circle::new((x.round() as i32, y.round() as i32), radius, colour);
                self.area.draw(&circle).map_err(Error::draw)?;
                seen.push((spot, [x, y], radius));
            }
        }
        for (spot, [x, y], radius) in seen.into_iter().take(labels) {
            let [h, k, l] = spot.hkl;
            let text = format!("{h} {k} {l}");
            let wide = text.len() as f64 * 7.6 + 4.0;
            let beside = radius + 2.0;
            let places = [
                [x + beside, y],
                [x - beside - wide, y],
                [x - wide / 2.0, y - beside - 8.0],
                [x - wide / 2.0, y + beside + 8.0],
                [x + beside - 4.0, y - beside - 4.0],
                [x + beside - 4.0, y + beside + 4.0],
                [x - beside + 4.0 - wide, y - beside - 4.0],
                [x - beside + 4.0 - wide, y + beside + 4.0],
            ];
            self.write(&text, &places, colour)?;
        }
        Ok(())
    }

    /// The radius around the box of a spot.
    fn radius(&self, spot: &Spot) -> f64 {
        let [fast_0, fast_1, slow_0, slow_1] = spot.box_px.map(|px| px as f64);
        let [wide, high] = [
            (fast_1 - fast_0) * self.unit[0],
            (slow_1 - slow_0) * self.unit[1],
        ];
        (wide.hypot(high) / 2.0 + 2.0).clamp(RADII[0], RADII[1])
    }
}

//! An image with its axes, colours, rings, beam centre and spots.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{Figure, Frame, png_of};
use crate::colour::{Colours, Spread};
use crate::error::{Error, Result};
use crate::overlay::Overlay;
use crate::picture::Picture;
use crate::truth::TruthFile;

/// The longer side of the picture in units of the figure.
const LONGER_SIDE: f64 = 720.0;
/// The shorter side is at least as long.
const SHORTER_SIDE: f64 = 80.0;
/// The longer side of the embedded pixels, at most.
const MOST_PIXELS: usize = 1080;

/// What stands around the picture.
const LEFT: u32 = 74;
const MARGIN: u32 = 8;
const RIGHT: u32 = 104;
const TOP: u32 = 34;
const BOTTOM: u32 = 58;
const BAR: i32 = 18;

/// The font of axes and labels, and its size.
pub(crate) const SANS: &str = "sans-serif";
pub(crate) const SMALL: i32 = 14;

/// The rings that are drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Rings {
    /// None.
    None,
    /// Round spacings, if the geometry is known.
    #[default]
    Round,
    /// These spacings, in Angstrom.
    Listed(Vec<f64>),
}

/// A square part of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its middle, in pixels of the picture.
    pub middle: [f64; 2],
    /// Its side in pixels.
    pub side: f64,
}

/// The side of the part around a spot, in sides of its box, and at least, in pixels.
const BOXES: f64 = 4.0;
const LEAST_SIDE: f64 = 24.0;

impl Part {
    /// The part around a reflection of a table.
    ///
    /// # Errors
    /// [`Error::OtherImage`] or [`Error::NoReflection`].
    pub fn around(picture: &Picture, table: &TruthFile, hkl: [i32; 3]) -> Result<Self> {
        table.check(picture)?;
        let spot = table.spot(hkl)?;
        let [fast_0, fast_1, slow_0, slow_1] = spot.box_px.map(|px| px as f64);
        let side = BOXES * (fast_1 - fast_0).max(slow_1 - slow_0);
        Ok(Self {
            middle: picture.place(spot).unwrap_or(spot.at_px),
            side: side.max(LEAST_SIDE),
        })
    }
}

/// What a picture shows.
#[derive(Debug, Clone, Default)]
pub struct ImageFigure<'t> {
    /// Values to colours.
    pub colours: Colours,
    /// The part that is shown; everything without one.
    pub part: Option<Part>,
    /// The rings.
    pub rings: Rings,
    /// The spots.
    pub truth: Option<&'t TruthFile>,
    /// How many of the brightest have a label.
    pub labels: usize,
}

/// The columns and the rows of a part of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) columns: Range<usize>,
    pub(crate) rows: Range<usize>,
}

impl Window {
    pub(crate) fn all(picture: &Picture) -> Self {
        let [fast, slow] = picture.sides();
        Self {
            columns: 0..fast,
            rows: 0..slow,
        }
    }

    /// The pixels of a part.
    ///
    /// # Errors
    /// [`Error::Outside`].
    pub(crate) fn of(picture: &Picture, part: Part) -> Result<Self> {
        let half = part.side / 2.0;
        let sides = picture.sides();
        let along = |middle: f64, side: usize| {
            let first = (middle - half).floor().max(0.0) as usize;
            let end = ((middle + half).ceil().max(0.0) as usize).min(side);
            (first < end).then_some(first..end)
        };
        let [x, y] = part.middle;
        match (along(x, sides[0]), along(y, sides[1])) {
            (Some(columns), Some(rows)) => Ok(Self { columns, rows }),
            _ => Err(Error::Outside {
                path: picture.path.clone(),
                at: part.middle,
                sides,
            }),
        }
    }

    pub(crate) fn holds(&self, [x, y]: [f64; 2]) -> bool {
        let within =
            |range: &Range<usize>, at: f64| (range.start as f64..=range.end as f64).contains(&at);
        within(&self.columns, x) && within(&self.rows, y)
    }

    /// The measured values.
    fn values<'p>(&'p self, picture: &'p Picture) -> impl Iterator<Item = f32> + 'p {
        let rows = picture
            .values
            .rows()
            .skip(self.rows.start)
            .take(self.rows.len());
        let values =
            rows.flat_map(|row| row.iter().skip(self.columns.start).take(self.columns.len()));
        values.copied().filter(|value| value.is_finite())
    }
}

/// Pixels of a window as PNG, at most `most` along the longer side, and the sides of what it shows, in pixels of the
/// picture. Of pixels that share one the brightest is shown, so that no spot is lost; of few, each is drawn several
/// times, so that no viewer blurs them.
pub(crate) fn raster(
    picture: &Picture,
    spread: &Spread,
    window: &Window,
    most: usize,
) -> Result<(Vec<u8>, [f64; 2])> {
    let longer = window.columns.len().max(window.rows.len()).max(1);
    let together = longer.div_ceil(most);
    let times = (most / longer).max(1);
    let [wide, high] =
        [window.columns.len(), window.rows.len()].map(|side| side.div_ceil(together));
    let rows: Vec<&[f32]> = picture.values.rows().collect();
    let mut pixels = Vec::with_capacity(wide * high * times * times * 3);
    for y in 0..high {
        let mut line = Vec::with_capacity(wide * times * 3);
        let first = window.rows.start + y * together;
        for x in 0..wide {
            let left = window.columns.start + x * together;
            let mut value = f32::NAN;
            for row in rows.iter().take(window.rows.end).skip(first).take(together) {
                let here = row
                    .iter()
                    .take(window.columns.end)
                    .skip(left)
                    .take(together);
                // f32::max prefers numbers to NaN.
                value = here.fold(value, |most, &value| most.max(value));
            }
            let rgb = spread.rgb(value);
            line.extend((0..times).flat_map(|_| rgb));
        }
        (0..times).for_each(|_| pixels.extend_from_slice(&line));
    }
    let sides = [wide * times, high * times].map(|side| side as u32);
    let shown = [wide, high].map(|side| (side * together) as f64);
    Ok((png_of(sides, png::ColorType::Rgb, &pixels)?, shown))
}

impl ImageFigure<'_> {
    /// Draws an image.
    ///
    /// # Errors
    /// [`Error::NoGeometry`] for listed rings without a geometry, [`Error::OtherImage`] for a table of another image,
    /// [`Error::Outside`] or [`Error::NothingMeasured`].
    pub fn draw(&self, picture: &Picture) -> Result<Figure> {
        if let Some(truth) = self.truth {
            truth.check(picture)?;
        }
        let window = match self.part {
            Some(part) => Window::of(picture, part)?,
            None => Window::all(picture),
        };
        let spread = self
            .colours
            .spread(window.values(picture).collect(), picture)?;
        let spacings = match &self.rings {
            Rings::None => Vec::new(),
            Rings::Round => (picture.geometry.as_ref())
                .map(|geometry| geometry.round_spacings())
                .unwrap_or_default(),
            Rings::Listed(spacings) => {
                picture.needs_geometry("rings")?;
                spacings.clone()
            }
        };
        let [columns, rows] = [&window.columns, &window.rows].map(|range| range.len() as f64);
        let unit = LONGER_SIDE / columns.max(rows);
        let [width, height] =
            [columns, rows].map(|side| (side * unit).max(SHORTER_SIDE).round() as u32);
        let sides = [LEFT + width + RIGHT, TOP + height + BOTTOM];
        let mut drawn = String::new();
        let lines;
        let mut frames: Vec<(Frame, Vec<u8>)> = Vec::new();
        {
            let root =
                SVGBackend::with_string(&mut drawn, (sides[0], sides[1])).into_drawing_area();
            let (main, bar) = root.split_horizontally(LEFT + width);
            let main = main.titled_at(&picture.name())?;
            let mut chart = ChartBuilder::on(&main)
                .margin_left(MARGIN)
                .margin_bottom(MARGIN)
                .x_label_area_size(BOTTOM - MARGIN)
                .y_label_area_size(LEFT - MARGIN)
                .build_cartesian_2d(
                    window.columns.start as f64..window.columns.end as f64,
                    window.rows.end as f64..window.rows.start as f64,
                )
                .map_err(Error::draw)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .label_style((SANS, SMALL))
                .x_label_formatter(&|x| tick(*x))
                .y_label_formatter(&|y| tick(*y))
                .x_desc("fast (pixels)")
                .y_desc("slow (pixels)")
                .draw()
                .map_err(Error::draw)?;
            let (across, down) = chart.plotting_area().get_pixel_range();
            let [left, top] = [across.start, down.start].map(f64::from);
            let unit = [
                f64::from(across.end - across.start) / columns,
                f64::from(down.end - down.start) / rows,
            ];
            let (png, shown) = raster(picture, &spread, &window, MOST_PIXELS)?;
            frames.push(([left, top, shown[0] * unit[0], shown[1] * unit[1]], png));

            let plot = chart.plotting_area().strip_coord_spec();
            let mut over = Overlay::new(
                &plot,
                [window.columns.start as f64, window.rows.start as f64],
                unit,
                [columns * unit[0], rows * unit[1]],
                self.colours.map.is_dark(),
            );
            over.rings(picture, &spacings, &window)?;
            over.beam_centre(picture, &window)?;
            if let Some(truth) = self.truth {
                over.spots(picture, truth, &window, self.labels)?;
            }
            lines = over.lines;
            let bar_frame = colour_bar(&bar, &spread, picture.unit(), height)?;
            frames.push(bar_frame);
            root.present().map_err(Error::draw)?;
        }
        Figure::new(&drawn, sides, &frames, &lines)
    }
}

/// A number of pixels, with a part of one where few are shown.
fn tick(pixels: f64) -> String {
    ((pixels * 100.0).round() / 100.0).to_string()
}

/// A drawing area on SVG.
pub(crate) type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;

/// A title in the middle of the top of an area.
pub(crate) trait Titled: Sized {
    fn titled_at(&self, title: &str) -> Result<Self>;
}

impl Titled for Area<'_> {
    fn titled_at(&self, title: &str) -> Result<Self> {
        let (title_area, rest) = self.split_vertically(TOP);
        let style = (SANS, 17).into_font().color(&BLACK);
        title_area.titled(title, style).map_err(Error::draw)?;
        Ok(rest)
    }
}

/// The colours with their values, at the right of a picture that is `height` high; its colours as PNG.
fn colour_bar(
    area: &Area<'_>,
    spread: &Spread,
    unit: &str,
    height: u32,
) -> Result<(Frame, Vec<u8>)> {
    const STEPS: u32 = 256;
    const LABELS: u32 = 5;
    let (left, _) = area.get_base_pixel();
    let style = |pos| (SANS, SMALL).into_font().color(&BLACK).pos(pos);
    let beside = Pos::new(HPos::Left, VPos::Center);
    let x = 14;
    let (top, height) = (TOP as i32, height as i32);
    for label in 0..=LABELS {
        let share = f64::from(label) / f64::from(LABELS);
        let y = top + height - (share * f64::from(height)).round() as i32;
        let line = [(x + BAR, y), (x + BAR + 4, y)];
        area.draw(&PathElement::new(line, BLACK))
            .map_err(Error::draw)?;
        let text = short(spread.value(share));
        area.draw(&Text::new(text, (x + BAR + 7, y), style(beside)))
            .map_err(Error::draw)?;
    }
    let above = Pos::new(HPos::Left, VPos::Bottom);
    area.draw(&Text::new(unit.to_owned(), (x, top - 9), style(above)))
        .map_err(Error::draw)?;
    let outline = Rectangle::new([(x, top), (x + BAR, top + height)], BLACK);
    area.draw(&outline).map_err(Error::draw)?;
    let steps = (0..STEPS).rev();
    let pixels: Vec<u8> = steps
        .flat_map(|step| spread.colour(f64::from(step) / f64::from(STEPS - 1)))
        .collect();
    let png = png_of([1, STEPS], png::ColorType::Rgb, &pixels)?;
    let frame = [
        f64::from(left + x),
        f64::from(top),
        f64::from(BAR),
        f64::from(height),
    ];
    Ok((frame, png))
}

/// A number with three digits.
pub(crate) fn short(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let digits = 2 - value.abs().max(1e-9).log10().floor() as i32;
    let text = format!("{value:.*}", digits.clamp(0, 6) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

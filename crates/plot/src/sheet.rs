//! Several pictures on one sheet.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{Figure, Frame};
use crate::colour::Colours;
use crate::error::{Error, Result};
use crate::image_figure::{SANS, SMALL, Window, raster};
use crate::picture::Picture;

/// The sides of a picture on the sheet, and what is below and between them.
const SIDE: u32 = 220;
const NAME: u32 = 24;
const GAP: u32 = 8;

/// The pictures of a row.
const COLUMNS: usize = 4;

/// The letters of a name that fit below a picture.
const LETTERS: usize = 28;

/// Draws pictures with their names below them, each with its own limits.
///
/// # Errors
/// [`Error::NothingMeasured`], or [`Error::Draw`].
pub fn contact_sheet(pictures: &[Picture], colours: &Colours) -> Result<Figure> {
    let columns = pictures.len().clamp(1, COLUMNS);
    let rows = pictures.len().div_ceil(columns).max(1);
    let sides = [
        columns as u32 * (SIDE + GAP) + GAP,
        rows as u32 * (SIDE + NAME) + GAP,
    ];
    let mut drawn = String::new();
    let mut frames: Vec<(Frame, Vec<u8>)> = Vec::new();
    {
        let root = SVGBackend::with_string(&mut drawn, (sides[0], sides[1])).into_drawing_area();
        for (number, picture) in pictures.iter().enumerate() {
            let left = (number % columns) as u32 * (SIDE + GAP) + GAP;
            let top = (number / columns) as u32 * (SIDE + NAME) + GAP;
            let window = Window::all(picture);
            let [fast, slow] = picture.sides().map(|side| side as f64);
            let unit = f64::from(SIDE) / fast.max(slow);
            let (png, shown) = raster(
                picture,
                &colours.for_values(picture)?,
                &window,
                2 * SIDE as usize,
            )?;
            let [left, top] = [left, top].map(f64::from);
            let middle = f64::from(SIDE) / 2.0;
            let corner = [
                left + middle - fast * unit / 2.0,
                top + middle - slow * unit / 2.0,
            ];
            frames.push((
                [corner[0], corner[1], shown[0] * unit, shown[1] * unit],
                png,
            ));
            let outline = [
                (corner[0] as i32, corner[1] as i32),
                (
                    (corner[0] + fast * unit) as i32,
                    (corner[1] + slow * unit) as i32,
                ),
            ];
            root.draw(&Rectangle::new(outline, BLACK.mix(0.3)))
                .map_err(Error::draw)?;
            let style = (SANS, SMALL).into_font().color(&BLACK);
            let style = style.pos(Pos::new(HPos::Center, VPos::Center));
            let below = (
                (left + middle) as i32,
                (top + f64::from(SIDE + NAME / 2)) as i32,
            );
            root.draw(&Text::new(shortened(&picture.name()), below, style))
                .map_err(Error::draw)?;
        }
        root.present().map_err(Error::draw)?;
    }
    Figure::new(&drawn, sides, &frames, &[])
}

/// The end of a name that is too long, where the number is.
fn shortened(name: &str) -> String {
    let letters = name.chars().count();
    if letters <= LETTERS {
        return name.to_owned();
    }
    let end: String = name.chars().skip(letters + 1 - LETTERS).collect();
    format!("…{end}")
}

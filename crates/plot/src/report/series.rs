//! What a report tells of the images of a series.

use super::{Block, Page, Table};
use crate::colour::Colours;
use crate::error::Result;
use crate::image_figure::short;
use crate::picture::Picture;
use crate::sheet::contact_sheet;

/// The pictures of a contact sheet.
const PICTURES: usize = 24;

/// The images whose numbers are listed.
const ROWS: usize = 200;

/// The images of a series, one after the other.
#[derive(Debug, Clone, Default)]
pub struct SeriesFacts {
    rows: Vec<[f64; 4]>,
    names: Vec<String>,
    pictures: Vec<Picture>,
    unit: &'static str,
}

/// Which of so many images are on the contact sheet: as many as there is room for, evenly.
pub fn most_pictures(images: usize) -> impl Fn(usize) -> bool {
    let step = images.div_ceil(PICTURES).max(1);
    move |number| number.is_multiple_of(step)
}

impl SeriesFacts {
    /// Adds an image; `is_shown` if it is on the contact sheet.
    pub fn add(&mut self, picture: Picture, is_shown: bool) {
        let (mut sum, mut most, mut pixels) = (0.0, f64::NEG_INFINITY, 0);
        for value in picture.measured().map(f64::from) {
            sum += value;
            most = most.max(value);
            pixels += 1;
        }
        self.unit = picture.unit();
        let overloads = picture.overloads as f64;
        self.rows
            .push([sum, sum / f64::from(pixels.max(1)), most, overloads]);
        self.names.push(picture.name());
        if is_shown {
            self.pictures.push(picture);
        }
    }

    /// Adds the sections about the series to a page.
    ///
    /// # Errors
    /// [`Error::NothingMeasured`](crate::Error::NothingMeasured), or [`Error::Draw`](crate::Error::Draw).
    pub fn add_to(&self, page: &mut Page) -> Result<()> {
        let (images, shown) = (self.rows.len(), self.pictures.len());
        if images == 0 {
            return Ok(());
        }
        let sheet = contact_sheet(&self.pictures, &Colours::default())?;
        let caption = format!("{shown} of {images} images, each with its own limits of colours.");
        page.add("Contact sheet", vec![Block::Figure(sheet, caption)]);
        let of_all = format!("sum of {}", self.unit);
        let columns = [
            of_all.as_str(),
            "mean of a pixel",
            "brightest pixel",
            "overloads",
        ];
        let mut table = Table::new(&["", "least", "mean", "most"]);
        for (column, name) in columns.iter().enumerate() {
            let values = || self.rows.iter().filter_map(|row| row.get(column).copied());
            let mean = values().sum::<f64>() / images as f64;
            let least = values().fold(f64::INFINITY, f64::min);
            let most = values().fold(f64::NEG_INFINITY, f64::max);
            let cells = [least, mean, most].map(short);
            table.add(std::iter::once((*name).to_owned()).chain(cells));
        }
        page.add("Statistics of the images", vec![Block::Table(table)]);
        let mut table = Table::new(&[&["image"][..], &columns].concat());
        for (name, row) in self.names.iter().zip(&self.rows).take(ROWS) {
            table.add(std::iter::once(name.clone()).chain(row.map(short)));
        }
        let mut blocks = vec![Block::Table(table)];
        if images > ROWS {
            blocks.push(Block::Text(format!("and {} more", images - ROWS)));
        }
        page.add("Images", blocks);
        Ok(())
    }
}

//! An image from a file, all panels in one picture.

use std::path::{Path, PathBuf};

use nanobragg::StackedPanel;
use nanobragg::io::any::{AnyImage, file_of};
use nanobragg::io::{Image, PixelState};

use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::truth::Spot;

/// An image, all panels in one picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file, or the name of an image that is in none.
    pub path: PathBuf,
    /// The values, shape `[slow][fast]`: NaN where the file has no measurement, and between panels.
    pub values: Image<f32>,
    /// The images of the panels, in the same way.
    pub panels: Vec<Image<f32>>,
    /// Whether the values are counts.
    pub are_counts: bool,
    /// Pixels at or above the largest value that the file says can be measured, or that its type holds.
    pub overloads: usize,
    /// Where the pixels are, if that is known.
    pub geometry: Option<Geometry>,
}

impl Picture {
    /// The image in a file of any format that is read. Masked pixels are left out. `geometry` replaces that of the
    /// header; `sides` (fast, slow) are for raw floats without a geometry.
    ///
    /// # Errors
    /// A file that cannot be read, [`Error::NoSides`] or [`Error::OtherSize`].
    pub fn read(
        path: &Path,
        sides: Option<[usize; 2]>,
        geometry: Option<&Geometry>,
    ) -> Result<Self> {
        let file = AnyImage::read(path)?;
        let sides = file
            .sides()
            .or(sides)
            .or(geometry.map(Geometry::stacked_sides));
        let sides = sides.ok_or_else(|| Error::NoSides {
            path: path.to_owned(),
        })?;
        let stored = file.into_stored(sides)?;
        let geometry = match geometry {
            Some(geometry) => Some(geometry.clone()),
            None => {
                let (file, _) = file_of(path);
                let of = match stored.format {
                    nanobragg::io::any::Format::Hdf5 => path,
                    _ => &file,
                };
                Geometry::of_image(of, stored.format, stored.header.as_ref())?
            }
        };
        let states = stored.states();
        let mut values = stored.pixels.to_floats().into_pixels();
        let most = stored.pixels.most();
        let pixels = states.iter().zip(&values);
        let overloads = pixels.filter(|&(&state, &value)| {
            state == PixelState::Overloaded
                || state == PixelState::Measured && f64::from(value) >= most
        });
        let overloads = overloads.count();
        for (value, &state) in values.iter_mut().zip(&states) {
            if state == PixelState::Masked {
                *value = f32::NAN;
            }
        }
        let [fast, slow] = stored.pixels.sides();
        let are_counts = stored.pixels.are_counts();
        let mut picture =
            Self::of_values(path, Image::new(fast, slow, values)?, are_counts, geometry)?;
        picture.overloads = overloads;
        Ok(picture)
    }

    /// The picture of values in memory, the panels one below the other. Values without a measurement are NaN.
    ///
    /// # Errors
    /// [`Error::OtherSize`] if the geometry is that of another detector.
    pub fn of_values(
        path: &Path,
        stacked: Image<f32>,
        are_counts: bool,
        geometry: Option<Geometry>,
    ) -> Result<Self> {
        let sides = [stacked.fast(), stacked.slow()];
        let Some(geometry) = geometry else {
            return Ok(Self {
                path: path.to_owned(),
                values: stacked.clone(),
                panels: vec![stacked],
                are_counts,
                overloads: 0,
                geometry: None,
            });
        };
        if geometry.stacked_sides() != sides {
            return Err(Error::OtherSize {
                path: path.to_owned(),
                image: sides,
                detector: geometry.stacked_sides(),
            });
        }
        let places = StackedPanel::all(&geometry.detector);
        let panels = places.iter().map(|place| place.of(&stacked));
        let panels: Vec<Image<f32>> = panels.collect::<Result<_, _>>()?;
        Ok(Self {
            path: path.to_owned(),
            values: geometry.assembly().picture(&panels, f32::NAN)?,
            panels,
            are_counts,
            overloads: 0,
            geometry: Some(geometry),
        })
    }

    /// The pixels of the picture along fast and slow.
    pub fn sides(&self) -> [usize; 2] {
        [self.values.fast(), self.values.slow()]
    }

    /// The name of the file without its folder.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// What a value is.
    pub fn unit(&self) -> &'static str {
        if self.are_counts { "counts" } else { "photons" }
    }

    /// What the values of several pictures are.
    pub fn common_unit(pictures: &[Self]) -> &'static str {
        let mut units = pictures.iter().map(Self::unit);
        match units.next() {
            Some(unit) if units.all(|other| other == unit) => unit,
            _ => "value",
        }
    }

    /// The geometry.
    ///
    /// # Errors
    /// [`Error::NoGeometry`], saying `what` needs it.
    pub fn needs_geometry(&self, what: &'static str) -> Result<&Geometry> {
        self.geometry.as_ref().ok_or_else(|| Error::NoGeometry {
            path: self.path.clone(),
            what,
        })
    }

    /// Where a spot is, in pixels of the picture; `None` if it is on no panel.
    pub fn place(&self, spot: &Spot) -> Option<[f64; 2]> {
        match &self.geometry {
            Some(geometry) => geometry.assembly().place(spot.panel, spot.at_px),
            None => Some(spot.at_px),
        }
    }

    /// The measured values, in order of rows.
    pub fn measured(&self) -> impl Iterator<Item = f32> + '_ {
        let values = self.panels.iter().flat_map(Image::pixels);
        values.copied().filter(|value| value.is_finite())
    }

    /// The sum of the measured values in a box of the picture: the columns and the rows from the first to that behind
    /// the last.
    pub fn sum_of(&self, [columns, rows]: [std::ops::Range<usize>; 2]) -> f64 {
        let rows = self.values.rows().skip(rows.start).take(rows.len());
        let values = rows.flat_map(|row| row.iter().skip(columns.start).take(columns.len()));
        values
            .filter(|value| value.is_finite())
            .map(|&value| f64::from(value))
            .sum()
    }
}

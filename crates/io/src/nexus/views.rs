//! Datasets beside those of NXmx, where another program looks for pixels, masks and numbers.
//!
//! Pixels are not stored twice: their datasets are virtual ones (HDF5 1.10), whose elements stand in the images of NXmx.

use std::io::{Seek, Write};

use super::tree::{self, Contents};
use super::write::packed;
use super::{Module, PixelType, Series};
use crate::hdf5::{
    Along, Compression, Dataset, Group, Images, Member, Type, Value, VirtualSource, VirtualStack,
    Writer,
};
use crate::{Error, Exposure, Result};

/// Where the images are.
const IMAGES: &str = "/entry/data/data";
/// Where the images are if a view of another shape has that path.
const OTHER_IMAGES: &str = "/entry/data/panels";
/// Where the mask is, and where it is beside panels of several widths.
const MASK: &str = "/entry/instrument/detector/pixel_mask";
const OTHER_MASK: &str = "/entry/instrument/detector/detectorSpecific/pixel_mask";

/// The path of the mask of panels of so many pixels along the fast axis.
///
/// DIALS 3.12 cuts the part of each panel out of the mask, and does not open the file if a part is narrower than the
/// mask. It does not look into `detectorSpecific`, where Dectris has the mask too: there it knows masked pixels by
/// their counts, which are below `underload_value`.
pub fn mask_path(widths: impl IntoIterator<Item = usize>) -> &'static str {
    let mut widths = widths.into_iter();
    let first = widths.next();
    match widths.all(|width| Some(width) == first) {
        true => MASK,
        false => OTHER_MASK,
    }
}

/// A dataset for another program.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its path. A name that is `%` stands for an image, so that each image has a dataset: `image_000001` and so on.
    pub path: String,
    /// What it holds.
    pub holds: Holds,
}

/// What a view holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// The pixels of panels.
    Pixels(Vec<ViewAxis>, Vec<Part>),
    /// Which pixels are masked, for all images: the axes of images are left out.
    Mask(Vec<ViewAxis>, Vec<Part>),
    /// Of each pixel the largest count that is known, for all images.
    Saturation(Vec<ViewAxis>, Vec<Part>),
    /// One number, or one for each image if those of the images differ, and its unit.
    Number(Number, &'static str),
}

/// An axis of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewAxis {
    /// Images. Of several such axes the first one counts images; the others have a length of 1.
    Image,
    /// Each panel has one place on it.
    Fixed,
    /// Slow pixels.
    Slow,
    /// Fast pixels.
    Fast,
}

/// Where a panel is in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The panel, counted from 0.
    pub panel: usize,
    /// Along each axis the place of its first pixel; of an axis of images it does not count.
    pub at: Vec<u64>,
    /// The bits that are set in a mask where a pixel is used, all of them.
    pub good: u32,
    /// The bits of which none is set where a pixel is used.
    pub bad: u32,
}

/// A number of the beam or of the detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// The same for all images.
    Constant(f64),
    /// This times the wavelength in Angstrom.
    TimesWavelength(f64),
    /// This over the wavelength in Angstrom.
    OverWavelength(f64),
}

impl Series {
    /// The path of the images.
    pub fn images_path(&self) -> &'static str {
        let takes_it = |view: &View| {
            let is_pixels = matches!(view.holds, Holds::Pixels(..));
            same(&view.path, IMAGES) && !(is_pixels && self.is_stack(&view.holds))
        };
        match self.views.iter().any(takes_it) {
            true => OTHER_IMAGES,
            false => IMAGES,
        }
    }

    /// The path of the mask.
    pub fn mask_path(&self) -> &'static str {
        mask_path(self.panels.iter().map(|panel| panel.fast))
    }

    /// The name of the images in their group.
    pub(super) fn images_name(&self) -> &'static str {
        let path = self.images_path();
        path.rsplit('/').next().unwrap_or(path)
    }

    /// Whether a view has the panels one below the other, as the images of NXmx and their mask have them.
    fn is_stack(&self, holds: &Holds) -> bool {
        let (axes, parts) = match holds {
            Holds::Pixels(axes, parts) if axes.first() == Some(&ViewAxis::Image) => {
                (axes.get(1..).unwrap_or_default(), parts)
            }
            Holds::Mask(axes, parts) | Holds::Saturation(axes, parts) => (axes.as_slice(), parts),
            Holds::Pixels(..) | Holds::Number(..) => return false,
        };
        let firsts = self.first_rows();
        axes == [ViewAxis::Slow, ViewAxis::Fast]
            && self.sides_of(axes, parts)
                == self
                    .sides()
                    .map(|side| side as u64)
                    .into_iter()
                    .rev()
                    .collect::<Vec<_>>()
            && parts.len() == firsts.len()
            && parts.iter().all(|part| {
                let at = part.at.iter().rev().take(2).rev();
                firsts
                    .get(part.panel)
                    .is_some_and(|first| at.eq([first, &0]))
            })
    }

    /// The first row of each panel in the images.
    fn first_rows(&self) -> Vec<u64> {
        let mut next = 0;
        let rows = self.panels.iter().map(|panel| {
            let first = next;
            next += panel.slow as u64;
            first
        });
        rows.collect()
    }

    /// The lengths of these axes.
    fn sides_of(&self, axes: &[ViewAxis], parts: &[Part]) -> Vec<u64> {
        let mut images = Some(self.images as u64);
        let mut side = |(axis, kind): (usize, &ViewAxis)| {
            let ends = parts.iter().filter_map(|part| {
                let panel = self.panels.get(part.panel)?;
                let length = match kind {
                    ViewAxis::Image | ViewAxis::Fixed => 1,
                    ViewAxis::Slow => panel.slow as u64,
                    ViewAxis::Fast => panel.fast as u64,
                };
                Some(part.at.get(axis)? + length)
            });
            match kind {
                ViewAxis::Image => images.take().unwrap_or(1),
                ViewAxis::Fixed | ViewAxis::Slow | ViewAxis::Fast => ends.max().unwrap_or(1),
            }
        };
        axes.iter().enumerate().map(&mut side).collect()
    }

    /// The pixels of all images, or of the image with this index.
    fn pixels(&self, axes: &[ViewAxis], parts: &[Part], image: Option<u64>) -> VirtualStack {
        let firsts = self.first_rows();
        let mut sides = self.sides_of(axes, parts);
        if image.is_some() {
            for (side, _) in sides
                .iter_mut()
                .zip(axes)
                .filter(|(_, axis)| **axis == ViewAxis::Image)
            {
                *side = 1;
            }
        }
        let images = image.map_or(Along::each(0, 1, self.images as u64), |image| {
            Along::range(image, 1)
        });
        let source = |part: &Part| {
            let panel = self.panels.get(part.panel)?;
            let (slow, fast) = (panel.slow as u64, panel.fast as u64);
            let mut counts_images = image.is_none();
            let to = axes.iter().zip(&part.at).map(|(axis, &first)| match axis {
                ViewAxis::Image if std::mem::take(&mut counts_images) => images,
                ViewAxis::Image => Along::range(0, 1),
                ViewAxis::Fixed => Along::range(first, 1),
                ViewAxis::Slow => Along::range(first, slow),
                ViewAxis::Fast => Along::range(first, fast),
            });
            Some(VirtualSource {
                file: ".".to_owned(),
                dataset: self.images_path().to_owned(),
                to: to.collect(),
                from: vec![
                    images,
                    Along::range(*firsts.get(part.panel)?, slow),
                    Along::range(0, fast),
                ],
            })
        };
        VirtualStack {
            element: self.pixel.element(),
            sources: parts.iter().filter_map(source).collect(),
            sides,
        }
    }

    /// A value for each pixel of the panels, as `value` gives it for the part, the mask bits of the pixel, and the
    /// largest count of its panel; `elsewhere` between the panels.
    fn values(
        &self,
        sides: &[u64],
        parts: &[Part],
        elsewhere: u32,
        value: fn(&Part, u16, u32) -> u32,
    ) -> Vec<u32> {
        let side = |axis: usize| sides.iter().rev().nth(axis).copied().unwrap_or(1);
        let all: u64 = sides.iter().product();
        let mut values = vec![elsewhere; all as usize];
        for part in parts {
            let Some(panel) = self.panels.get(part.panel) else {
                continue;
            };
            let mut masked = panel.exposure.masked.iter().copied();
            // A cutoff is above 0.
            let most = panel.exposure.cutoff as u32;
            // Slow and fast are the last axes.
            let first = part
                .at
                .iter()
                .zip(sides)
                .fold(0, |at, (&first, side)| at * side + first);
            for row in 0..panel.slow as u64 {
                let begin = (first + row * side(0)) as usize;
                let places = values
                    .get_mut(begin..begin + panel.fast)
                    .unwrap_or_default();
                for place in places {
                    *place = value(part, masked.next().unwrap_or(0), most);
                }
            }
        }
        values
    }

    fn number(&self, number: Number, image: Option<usize>) -> Value {
        let of = |wavelength: f64| match number {
            Number::Constant(value) => value,
            Number::TimesWavelength(factor) => factor * wavelength,
            Number::OverWavelength(factor) => factor / wavelength,
        };
        let shared = self
            .panels
            .first()
            .map_or(0.0, |panel| panel.exposure.wavelength_angstrom);
        let values: Vec<f64> = self
            .beams
            .iter()
            .map(|beam| of(beam.wavelength_angstrom))
            .collect();
        let first = values.first().copied().unwrap_or_else(|| of(shared));
        match image {
            Some(image) => Value::number(values.get(image).copied().unwrap_or(first)),
            None if values.iter().all(|value| *value == first) => Value::number(first),
            None => Value::numbers(&values),
        }
    }
}

/// The value of a pixel in a mask. `why` is 0 for a pixel that is used.
fn mask_value(part: &Part, why: u16, _: u32) -> u32 {
    let Part { good, bad, .. } = *part;
    let own = u32::from(why);
    match why {
        0 => good,
        // The bits of NXmx where they say it.
        _ if bad & own != 0 => good | own,
        _ if bad != 0 => good | (bad & bad.wrapping_neg()),
        _ if good != 0 => 0,
        _ => own,
    }
}

fn saturation_value(_: &Part, _: u16, most: u32) -> u32 {
    most
}

/// Whether two paths are the same.
fn same(one: &str, other: &str) -> bool {
    let names = |path: &'_ str| {
        path.split('/')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    names(one) == names(other)
}

/// The path for an image: the first `%` is its name, and each further one is 1.
fn path_of_image(path: &str, image: usize) -> String {
    let mut name = Some(format!("image_{:06}", image + 1));
    let names = path.split('/').map(|part| match part {
        "%" => name.take().unwrap_or_else(|| "1".to_owned()),
        other => other.to_owned(),
    });
    names.collect::<Vec<_>>().join("/")
}

/// Checks that these views can stand in a file with these panels.
///
/// # Errors
/// [`Error::Hdf5Path`](crate::Error::Hdf5Path) for a view where groups of NXmx are.
pub fn check_views(exposures: &[Exposure], views: &[View]) -> Result<()> {
    let (Some(first), false) = (exposures.first(), views.is_empty()) else {
        return Ok(());
    };
    let panels = exposures.iter().map(|exposure| Module {
        exposure: Exposure {
            masked: Vec::new(),
            ..exposure.clone()
        },
        fast: 1,
        slow: 1,
    });
    let series = Series {
        panels: panels.collect(),
        step_degrees: 0.0,
        images: 1,
        pixel: PixelType::I32,
        compression: Compression::None,
        beams: Vec::new(),
        views: views.to_vec(),
    };
    let images = (series.images_name().to_owned(), Value::integer(0).into());
    let contents = Contents {
        data: vec![images],
        ..Contents::default()
    };
    let mut root = tree::root(&series, first, contents);
    for view in views {
        let path = path_of_image(&view.path, 0);
        // A view at the place of the images is these images, or has moved them.
        if series.images_path() == OTHER_IMAGES && same(&path, OTHER_IMAGES) {
            return Err(Error::Hdf5Path { path });
        }
        root.put(&path, Value::integer(0))?;
    }
    Ok(())
}

/// Adds the views of the series to the tree of its file. Values of masks are written to `file`.
///
/// # Errors
/// [`Error::Hdf5Path`](crate::Error::Hdf5Path) for a view where groups of NXmx are, and errors of the writer.
pub(super) fn add<W: Write + Seek>(
    series: &Series,
    root: &mut Group,
    file: &mut Writer<W>,
) -> Result<()> {
    for view in &series.views {
        let of_images = view.path.split('/').any(|name| name == "%");
        let of = |image| path_of_image(&view.path, image);
        match &view.holds {
            Holds::Pixels(axes, parts) if of_images => {
                for image in 0..series.images {
                    root.put(&of(image), series.pixels(axes, parts, Some(image as u64)))?;
                }
            }
            Holds::Pixels(axes, parts) => {
                // Without an axis of images there is a place for the first.
                let image = (!axes.contains(&ViewAxis::Image)).then_some(0);
                if !(same(&view.path, IMAGES) && series.is_stack(&view.holds)) {
                    root.put(&view.path, series.pixels(axes, parts, image))?;
                }
            }
            Holds::Number(number, unit) if of_images => {
                for image in 0..series.images {
                    let value = Dataset::new(series.number(*number, Some(image)));
                    root.put(&of(image), value.units(unit))?;
                }
            }
            Holds::Number(number, unit) => {
                let value = Dataset::new(series.number(*number, None));
                root.put(&view.path, value.units(unit))?;
            }
            Holds::Mask(axes, parts) => {
                let own = series
                    .panels
                    .iter()
                    .flat_map(|panel| &panel.exposure.masked);
                let all = own.fold(0, |all, bits| all | bits);
                let is_understood =
                    |part: &Part| part.good == 0 && part.bad & u32::from(all) == u32::from(all);
                let is_own = same(&view.path, series.mask_path())
                    && series.is_stack(&view.holds)
                    && all != 0
                    && parts.iter().all(is_understood);
                if !is_own {
                    let values = |sides: &[u64]| series.values(sides, parts, 0, mask_value);
                    add_values(series, root, file, (view, axes, parts), &values)?;
                }
            }
            Holds::Saturation(axes, parts) => {
                let values = |sides: &[u64]| series.values(sides, parts, 0, saturation_value);
                add_values(series, root, file, (view, axes, parts), &values)?;
            }
        }
    }
    Ok(())
}

/// Adds a dataset with a value for each pixel of the panels: once, and as links for each image if the path has a `%`.
fn add_values<W: Write + Seek>(
    series: &Series,
    root: &mut Group,
    file: &mut Writer<W>,
    (view, axes, parts): (&View, &[ViewAxis], &[Part]),
    values: &dyn Fn(&[u64]) -> Vec<u32>,
) -> Result<()> {
    let sides = series.sides_of(axes, parts);
    let all = sides.iter().copied().fold(4, u64::saturating_mul);
    if all > u64::from(u32::MAX) {
        let [slow, fast] = [1, 0].map(|axis| sides.iter().rev().nth(axis).copied().unwrap_or(1));
        return Err(Error::TooLarge {
            fast: fast as usize,
            slow: slow as usize,
        });
    }
    let bytes = packed(series.compression, &values(&sides), |value| value)?;
    let address = file.append(&bytes)?;
    let dataset = Images::whole(Type::U32, &sides, address, bytes.len())?;
    let first = path_of_image(&view.path, 0);
    root.put(&first, dataset.packed_by(series.compression))?;
    if view.path.split('/').any(|name| name == "%") {
        for image in 1..series.images {
            root.put(
                &path_of_image(&view.path, image),
                Member::Link(first.clone().into()),
            )?;
        }
    }
    Ok(())
}

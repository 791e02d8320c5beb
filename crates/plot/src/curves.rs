//! Radial profiles, histograms and rocking curves.

use std::path::Path;

use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::canvas::Figure;
use crate::colour::Scale;
use crate::error::{Error, Result};
use crate::image_figure::{Part, SANS, SMALL, Titled, Window, short};
use crate::picture::Picture;
use crate::truth::{TruthFile, is_table};

/// The sides of a figure.
const SIDES: [u32; 2] = [860, 480];

/// The bins of a profile and of a histogram.
const PROFILE_BINS: usize = 200;
const HISTOGRAM_BINS: usize = 120;

/// The colours of lines, told apart by all eyes (Okabe and Ito).
const LINES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// What a profile is drawn against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Against {
    /// The scattering vector q = 4 pi sin(theta)/lambda = 2 pi/d, in 1/Angstrom.
    #[default]
    Q,
    /// The spacing d in Angstrom, on an axis that is even in 1/d.
    D,
}

/// A line of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Its points.
    pub points: Vec<[f64; 2]>,
}

/// The mean of the measured pixels against q in 1/Angstrom, in bins of one width.
///
/// # Errors
/// [`Error::NoGeometry`].
pub fn radial_profile(picture: &Picture) -> Result<Curve> {
    let geometry = picture.needs_geometry("radial profiles")?;
    let mut pixels = Vec::new();
    for (panel, image) in geometry.detector.panels().iter().zip(&picture.panels) {
        for (slow, row) in image.rows().enumerate() {
            for (fast, &value) in row.iter().enumerate() {
                if value.is_finite() {
                    let at = [fast as f64 + 0.5, slow as f64 + 0.5];
                    let q = std::f64::consts::TAU / geometry.d_angstrom(panel, at);
                    pixels.push((q, f64::from(value)));
                }
            }
        }
    }
    let most = pixels.iter().map(|(q, _)| *q).fold(0.0, f64::max);
    let mut bins = vec![(0.0, 0_u64); PROFILE_BINS];
    for (q, value) in pixels {
        let bin = (q / most * PROFILE_BINS as f64) as usize;
        if let Some((sum, count)) = bins.get_mut(bin.min(PROFILE_BINS - 1)) {
            *sum += value;
            *count += 1;
        }
    }
    let middle = |bin: usize| (bin as f64 + 0.5) / PROFILE_BINS as f64 * most;
    let filled = bins.iter().enumerate().filter(|(_, (_, count))| *count > 0);
    let points = filled.map(|(bin, (sum, count))| [middle(bin), sum / *count as f64]);
    let curve = Curve {
        name: picture.name(),
        points: points.collect(),
    };
    match curve.points.is_empty() {
        true => Err(Error::NothingMeasured {
            path: picture.path.clone(),
        }),
        false => Ok(curve),
    }
}

/// The numbers of pixels whose value is in each of the bins between the limits, which are by default those of the
/// picture. Bins of counts are whole numbers wide.
///
/// # Errors
/// [`Error::NothingMeasured`].
pub fn histogram(picture: &Picture, limits: [Option<f32>; 2]) -> Result<Curve> {
    let range = picture
        .measured()
        .fold(None, |range: Option<[f32; 2]>, value| {
            let [least, most] = range.unwrap_or([value; 2]);
            Some([least.min(value), most.max(value)])
        });
    let [least, most] = range.ok_or_else(|| Error::NothingMeasured {
        path: picture.path.clone(),
    })?;
    let [least, most] = [limits[0].unwrap_or(least), limits[1].unwrap_or(most)].map(f64::from);
    let mut width = (most - least) / HISTOGRAM_BINS as f64;
    if picture.are_counts {
        width = ((most - least + 1.0) / HISTOGRAM_BINS as f64).ceil();
    }
    if width <= 0.0 {
        width = 1.0;
    }
    let bins = ((most - least) / width).floor().max(0.0) as usize + 1;
    let mut pixels = vec![0_u64; bins.min(HISTOGRAM_BINS + 1)];
    for value in picture.measured().map(f64::from) {
        if (least..=most).contains(&value)
            && let Some(count) = pixels.get_mut(((value - least) / width) as usize)
        {
            *count += 1;
        }
    }
    // A step for each bin.
    let steps = pixels.iter().enumerate().flat_map(|(bin, &count)| {
        let left = least + bin as f64 * width;
        [[left, count as f64], [left + width, count as f64]]
    });
    Ok(Curve {
        name: picture.name(),
        points: steps.collect(),
    })
}

/// Where the photons of a reflection are summed in images.
#[derive(Debug, Clone, Copy)]
pub enum SumBox<'t> {
    /// The box of its spot in this table.
    Of(&'t TruthFile),
    /// This part of the picture.
    Part(Part),
}

/// A reflection in a series of truth tables or images: its photons, or the sum of its box, against the spindle angle in
/// the middle of each image in degrees.
///
/// # Errors
/// Files that cannot be read, [`Error::NoPhi`] for an image without an angle, [`Error::NoReflection`] if the reflection
/// is in none of the tables, or not in that of the box.
pub fn rocking_curve(
    files: &[&Path],
    hkl: Option<[i32; 3]>,
    place: Option<SumBox<'_>>,
    read: impl Fn(&Path) -> Result<Picture>,
) -> Result<Curve> {
    let mut points = Vec::new();
    let mut is_found = false;
    for &path in files {
        let no_phi = || Error::NoPhi {
            path: path.to_owned(),
        };
        if is_table(path) {
            let table = TruthFile::read(path)?;
            let spots = table.spots.iter().filter(|spot| Some(spot.hkl) == hkl);
            let photons: Vec<f64> = spots.map(|spot| spot.photons).collect();
            is_found |= !photons.is_empty();
            let phi = table.middle_phi_deg().ok_or_else(no_phi)?;
            points.push([phi, photons.iter().sum()]);
            continue;
        }
        let picture = read(path)?;
        let [start, width] = picture
            .geometry
            .as_ref()
            .and_then(|geometry| geometry.phi_deg)
            .ok_or_else(no_phi)?;
        let window = match (place, hkl) {
            (Some(SumBox::Of(table)), Some(hkl)) => {
                let spot = table.spot(hkl)?;
                let [fast_0, fast_1, slow_0, slow_1] = spot.box_px;
                let corner = [fast_0, slow_0].map(|px| px as f64);
                let corner = match &picture.geometry {
                    Some(geometry) => geometry.assembly().place(spot.panel, corner),
                    None => Some(corner),
                };
                let [x, y] = corner
                    .unwrap_or_default()
                    .map(|px| px.round().max(0.0) as usize);
                [x..x + (fast_1 - fast_0), y..y + (slow_1 - slow_0)]
            }
            (Some(SumBox::Part(part)), _) => {
                let window = Window::of(&picture, part)?;
                [window.columns, window.rows]
            }
            _ => {
                return Err(Error::draw(
                    "images need the box of the reflection: a truth table, or a part of the image",
                ));
            }
        };
        is_found = true;
        points.push([start + width / 2.0, picture.sum_of(window)]);
    }
    if let (false, Some(hkl), Some(path)) = (is_found, hkl, files.first()) {
        return Err(Error::NoReflection {
            table: path.to_path_buf(),
            hkl,
        });
    }
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let name = match hkl {
        Some([h, k, l]) => format!("{h} {k} {l}"),
        None => "box".to_owned(),
    };
    Ok(Curve { name, points })
}

/// A figure of curves.
#[derive(Debug, Clone, Copy)]
pub struct CurveFigure<'a> {
    /// The title.
    pub title: &'a str,
    /// What is along x, with its unit.
    pub x: &'a str,
    /// What is along y, with its unit.
    pub y: &'a str,
    /// The scale of y; of a square root the axis is even.
    pub scale: Scale,
    /// The text of a tick at x.
    pub tick: fn(f64) -> String,
    /// Whether each point has a mark.
    pub marks: bool,
}

impl CurveFigure<'_> {
    /// Radial profiles.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn profiles(
        curves: &[Curve],
        against: Against,
        scale: Scale,
        unit: &str,
    ) -> Result<Figure> {
        let of_d = |q: f64| short(std::f64::consts::TAU / q);
        let figure = CurveFigure {
            title: "Radial profile",
            x: match against {
                Against::Q => "q = 2π/d (1/Å)",
                Against::D => "d (Å)",
            },
            y: &format!("mean {unit} of a pixel"),
            scale,
            tick: match against {
                Against::Q => short,
                Against::D => of_d,
            },
            marks: false,
        };
        figure.draw(curves)
    }

    /// Histograms of pixels.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn histograms(curves: &[Curve], unit: &str) -> Result<Figure> {
        let figure = CurveFigure {
            title: "Pixel values",
            x: unit,
            y: "pixels",
            scale: Scale::Log,
            tick: short,
            marks: false,
        };
        figure.draw(curves)
    }

    /// A rocking curve.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn rocking(curve: Curve, scale: Scale) -> Result<Figure> {
        let figure = CurveFigure {
            title: "Rocking curve",
            x: "spindle angle in the middle of the image (degrees)",
            y: "sum over the spot",
            scale,
            tick: short,
            marks: true,
        };
        figure.draw(&[curve])
    }

    /// Draws curves.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn draw(&self, curves: &[Curve]) -> Result<Figure> {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let range = |axis: fn(&[f64; 2]) -> f64| {
            let values = points().map(axis).filter(|value| value.is_finite());
            values.fold(
                [f64::INFINITY, f64::NEG_INFINITY],
                |[least, most], value| [least.min(value), most.max(value)],
            )
        };
        let [left, right] = widened(range(|[x, _]| *x));
        let [least, most] = range(|[_, y]| *y);
        let mut drawn = String::new();
        {
            let root =
                SVGBackend::with_string(&mut drawn, (SIDES[0], SIDES[1])).into_drawing_area();
            let area = root.titled_at(self.title)?;
            let mut builder = ChartBuilder::on(&area);
            builder
                .margin_right(20)
                .margin_left(8)
                .margin_bottom(8)
                .x_label_area_size(48)
                .y_label_area_size(74);
            if self.scale == Scale::Log {
                let positive = points().map(|[_, y]| *y).filter(|y| *y > 0.0);
                let least = positive.fold(f64::INFINITY, f64::min);
                let [least, most] = match least < most {
                    true => [least * 0.8, most * 1.25],
                    false => [0.1, most.max(1.0)],
                };
                let chart = builder
                    .build_cartesian_2d(left..right, (least..most).log_scale())
                    .map_err(Error::draw)?;
                self.fill(chart, curves, least)?;
            } else {
                let [least, most] = widened([least.min(0.0), most * 1.05]);
                let chart = builder
                    .build_cartesian_2d(left..right, least..most)
                    .map_err(Error::draw)?;
                self.fill(chart, curves, f64::NEG_INFINITY)?;
            }
            root.present().map_err(Error::draw)?;
        }
        Figure::new(&drawn, SIDES, &[], &[])
    }

    /// Draws axes, lines and names. Points below `least` are drawn there.
    fn fill<'s, Y>(
        &self,
        mut chart: ChartContext<'s, SVGBackend<'s>, Cartesian2d<RangedCoordf64, Y>>,
        curves: &[Curve],
        least: f64,
    ) -> Result<()>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .label_style((SANS, SMALL))
            .x_label_formatter(&|x| (self.tick)(*x))
            .y_label_formatter(&|y| short(*y))
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()
            .map_err(Error::draw)?;
        for (curve, colour) in curves.iter().zip(LINES.iter().cycle()) {
            let points = curve.points.iter().map(|[x, y]| (*x, y.max(least)));
            let points: Vec<(f64, f64)> = points.collect();
            if self.marks {
                let marks = points.iter().map(|&at| Circle::new(at, 3, colour.filled()));
                chart.draw_series(marks).map_err(Error::draw)?;
            }
            let line = LineSeries::new(points, colour.stroke_width(2));
            let series = chart.draw_series(line).map_err(Error::draw)?;
            let colour = *colour;
            series.label(curve.name.clone()).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
            });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font((SANS, SMALL))
            .background_style(WHITE.mix(0.8))
            .draw()
            .map_err(Error::draw)
    }
}

/// A range that is not empty.
fn widened([least, most]: [f64; 2]) -> [f64; 2] {
    match (least < most, least.is_finite()) {
        (true, _) => [least, most],
        (false, true) => [least - 0.5, least + 0.5],
        (false, false) => [0.0, 1.0],
    }
}

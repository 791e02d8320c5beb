//! Figures, read back: as XML, as pixels, as bytes of a terminal.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nanobragg::io::{Image, smv};
use nanobragg_plot::canvas::FileFormat;
use nanobragg_plot::curves::{SumBox, histogram, radial_profile, rocking_curve};
use nanobragg_plot::image_figure::{ImageFigure, Part, Rings};
use nanobragg_plot::sheet::contact_sheet;
use nanobragg_plot::terminal::Protocol;
use nanobragg_plot::truth::TruthFile;
use nanobragg_plot::{Colours, Figure, Picture};
use resvg::usvg::roxmltree::{Document, Node};
use tempfile::TempDir;

const SIDES: [usize; 2] = [120, 90];
const PIXEL_MM: f64 = 0.5;
const DISTANCE_MM: f64 = 60.0;
const WAVELENGTH_A: f64 = 1.1;

/// Where the beam meets the detector, in pixels from the outer corner of the first.
const BEAM_PX: [f64; 2] = [50.0, 40.0];

/// Where the one bright pixel is, and its counts.
const SPOT: [usize; 2] = [80, 20];
const COUNTS: u16 = 900;

/// An SMV image with one bright pixel, whose header has the beam centre in MOSFLM's way: y, then x, in mm.
fn image(folder: &TempDir, name: &str, phi: f64) -> PathBuf {
    let mut pixels = vec![10_u16; SIDES[0] * SIDES[1]];
    pixels[SPOT[1] * SIDES[0] + SPOT[0]] = COUNTS;
    let mut fields = smv::Fields::new();
    for (key, value) in [
        ("PIXEL_SIZE", PIXEL_MM),
        ("DISTANCE", DISTANCE_MM),
        ("WAVELENGTH", WAVELENGTH_A),
        ("BEAM_CENTER_X", BEAM_PX[1] * PIXEL_MM),
        ("BEAM_CENTER_Y", BEAM_PX[0] * PIXEL_MM),
        ("OSC_START", phi),
        ("OSC_RANGE", 0.5),
    ] {
        fields.push_number(key, value).unwrap();
    }
    let mut bytes = Vec::new();
    let image = Image::new(SIDES[0], SIDES[1], pixels).unwrap();
    smv::write(&mut bytes, &fields, &image).unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A table of one spot, in the bright pixel, with this spacing.
fn table(folder: &TempDir, d: f64, fast: f64) -> TruthFile {
    let text = format!(
        "# format: \"nanoBragg truth\"\n# phi_start_deg: 0\n# phi_range_deg: 1\n\
         h,k,l,d_angstrom,f_electrons,fast_px,slow_px,photons,partiality,peak_photons,fast0_px,fast1_px,slow0_px,slow1_px\n\
         3,-4,5,{d},100,{fast},20.5,890,1,890,80,81,20,21\n"
    );
    let path = folder.path().join("truth.csv");
    std::fs::write(&path, text).unwrap();
    TruthFile::read(&path).unwrap()
}

/// The spacing of the bright pixel, from Bragg's law.
fn d_of_spot() -> f64 {
    let [x, y] = [0, 1].map(|i| (SPOT[i] as f64 + 0.5 - BEAM_PX[i]) * PIXEL_MM);
    let two_theta = (x.hypot(y) / DISTANCE_MM).atan();
    WAVELENGTH_A / (2.0 * (two_theta / 2.0).sin())
}

fn number(node: Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).unwrap().parse().unwrap()
}

/// The corner of the picture in a figure, and its units per pixel, which are the same both ways.
fn place(xml: &Document<'_>, pixels: [f64; 2]) -> ([f64; 2], f64) {
    let image = xml.descendants().find(|node| node.has_tag_name("image"));
    let [x, y, width, height] =
        ["x", "y", "width", "height"].map(|key| number(image.unwrap(), key));
    let unit = width / pixels[0];
    assert!(
        (height / pixels[1] / unit - 1.0).abs() < 0.01,
        "pixels are square"
    );
    ([x, y], unit)
}

fn draw(picture: &Picture, figure: &ImageFigure<'_>) -> Figure {
    figure.draw(picture).unwrap()
}

#[test]
fn rings_have_the_radius_of_braggs_law() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    let figure = draw(
        &picture,
        &ImageFigure {
            rings: Rings::Listed(vec![5.0]),
            ..ImageFigure::default()
        },
    );
    let xml = Document::parse(figure.svg()).unwrap();
    let (corner, unit) = place(&xml, SIDES.map(|side| side as f64));
    // lambda = 2 d sin(theta), and r = D tan(2 theta).
    let theta = (WAVELENGTH_A / (2.0 * 5.0)).asin();
    let radius = DISTANCE_MM * (2.0 * theta).tan() / PIXEL_MM * unit;
    let centre = [0, 1].map(|i| corner[i] + BEAM_PX[i] * unit);
    let lines = xml
        .descendants()
        .filter(|node| node.has_tag_name("polyline"));
    let points: Vec<[f64; 2]> = lines
        .flat_map(|line| line.attribute("points").unwrap().split_whitespace())
        .map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            [x.parse().unwrap(), y.parse().unwrap()]
        })
        .collect();
    let on_ring = points
        .iter()
        .filter(|[x, y]| ((x - centre[0]).hypot(y - centre[1]) - radius).abs() < 0.3);
    assert!(
        on_ring.count() > 300,
        "{} points, radius {radius}",
        points.len()
    );
    let labels = xml.descendants().filter_map(|node| node.text());
    assert!(labels.map(str::trim).any(|text| text == "5 Å"));
}

#[test]
fn a_ring_that_is_not_on_the_image_is_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    let geometry = picture.geometry.as_ref().unwrap();
    // Behind the sample, and beyond the shortest spacing of this wavelength.
    assert!(geometry.ring(0.6).is_empty() && geometry.ring(0.5).is_empty());
    assert_eq!(geometry.beam_centre().unwrap().map(f64::round), BEAM_PX);
}

#[test]
fn a_spot_is_circled_in_its_pixel_and_its_indices_are_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    let truth = table(&folder, d_of_spot(), 80.5);
    let part = Part::around(&picture, &truth, [3, -4, 5]).unwrap();
    assert_eq!((part.middle, part.side), ([80.5, 20.5], 24.0));
    let figure = draw(
        &picture,
        &ImageFigure {
            part: Some(part),
            truth: Some(&truth),
            labels: 1,
            ..ImageFigure::default()
        },
    );
    let xml = Document::parse(figure.svg()).unwrap();
    // Columns 68 to 93 and rows 8 to 33.
    let (corner, unit) = place(&xml, [25.0, 25.0]);
    let wanted = [corner[0] + 12.5 * unit, corner[1] + 12.5 * unit];
    let circle = xml
        .descendants()
        .find(|node| node.has_tag_name("circle"))
        .unwrap();
    let at = ["cx", "cy"].map(|key| number(circle, key));
    assert!(
        (at[0] - wanted[0]).abs() <= 1.0 && (at[1] - wanted[1]).abs() <= 1.0,
        "{at:?} {wanted:?}"
    );
    let mut texts = xml.descendants().filter(|node| node.has_tag_name("text"));
    let label = texts
        .find(|node| node.text().map(str::trim) == Some("3 -4 5"))
        .unwrap();
    let beside = number(label, "x") - at[0];
    assert!(beside > number(circle, "r") && beside < 40.0, "{beside}");

    // The pixel of the picture is black there and white around.
    let pixels = decoded(&figure.bytes(FileFormat::Png).unwrap());
    let shade = |x: f64, y: f64| pixels.pixel((x * 1.5) as usize, (y * 1.5) as usize);
    assert_eq!(shade(wanted[0], wanted[1]), [0, 0, 0]);
    assert_eq!(
        shade(wanted[0] + 5.0 * unit, wanted[1] + 5.0 * unit),
        [255; 3]
    );
}

struct Decoded {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Decoded {
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 4 * (y * self.width + x);
        [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
    }
}

fn decoded(bytes: &[u8]) -> Decoded {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgba);
    Decoded {
        width: info.width as usize,
        height: info.height as usize,
        bytes: pixels,
    }
}

#[test]
fn a_figure_is_the_same_in_all_forms() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    let figure = draw(&picture, &ImageFigure::default());
    let [width, height] = figure.sides().map(f64::from);
    let png = figure.bytes(FileFormat::Png).unwrap();
    let pixels = decoded(&png);
    assert_eq!(
        [pixels.width, pixels.height],
        [width, height].map(|side| (side * 1.5).round() as usize)
    );
    let pdf = figure.bytes(FileFormat::Pdf).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.") && pdf.ends_with(b"%%EOF"));

    let kitty = String::from_utf8(figure.for_terminal(Protocol::Kitty).unwrap()).unwrap();
    let pieces = kitty
        .split("\x1b\\")
        .filter_map(|piece| piece.split_once(';'));
    let sent: String = pieces.map(|(_, piece)| piece).collect();
    assert_eq!(STANDARD.decode(sent).unwrap(), png);
    let sixel = figure.for_terminal(Protocol::Sixel).unwrap();
    let sixel = icy_sixel::SixelImage::decode(&sixel).unwrap();
    // A sixel is six pixels high.
    let sides = [figure.sides()[0], figure.sides()[1].next_multiple_of(6)];
    assert_eq!([sixel.width as u32, sixel.height as u32], sides);
    let blocks = String::from_utf8(figure.for_terminal(Protocol::Blocks).unwrap()).unwrap();
    assert!(blocks.lines().all(|line| line.matches('▀').count() == 100));
}

#[test]
fn a_profile_is_the_mean_at_each_q() {
    let folder = tempfile::tempdir().unwrap();
    let path = image(&folder, "a.img", 0.0);
    let geometry = Picture::read(&path, None, None).unwrap().geometry;
    // The value of each pixel is its q, from the angle in a plane.
    let pixels = (0..SIDES[0] * SIDES[1]).map(|pixel| {
        let [x, y] = [
            ((pixel % SIDES[0]) as f64 + 0.5 - BEAM_PX[0]) * PIXEL_MM,
            ((pixel / SIDES[0]) as f64 + 0.5 - BEAM_PX[1]) * PIXEL_MM,
        ];
        let two_theta = (x.hypot(y) / DISTANCE_MM).atan();
        (4.0 * std::f64::consts::PI * (two_theta / 2.0).sin() / WAVELENGTH_A) as f32
    });
    let values = Image::new(SIDES[0], SIDES[1], pixels.collect()).unwrap();
    let picture = Picture::of_values(&path, values, false, geometry).unwrap();
    let curve = radial_profile(&picture).unwrap();
    assert!(curve.points.len() > 100);
    let width = curve.points.last().unwrap()[0] / 199.5;
    for [q, mean] in curve.points {
        assert!((q - mean).abs() <= width / 2.0 + 1e-5, "{q} {mean}");
    }
}

#[test]
fn a_histogram_counts_every_measured_pixel_once() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    let curve = histogram(&picture, [None; 2]).unwrap();
    // Two points are a bin.
    let counts: Vec<f64> = curve
        .points
        .iter()
        .step_by(2)
        .map(|[_, count]| *count)
        .collect();
    assert_eq!(counts.iter().sum::<f64>(), (SIDES[0] * SIDES[1]) as f64);
    assert_eq!([counts[0], *counts.last().unwrap()], [10799.0, 1.0]);
    let few = histogram(&picture, [Some(11.0), Some(1000.0)]).unwrap();
    assert_eq!(
        few.points
            .iter()
            .step_by(2)
            .map(|[_, count]| count)
            .sum::<f64>(),
        1.0
    );
}

#[test]
fn a_rocking_curve_sums_the_box_in_each_image() {
    let folder = tempfile::tempdir().unwrap();
    let files = [image(&folder, "b.img", 0.5), image(&folder, "a.img", 0.0)];
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let read = |path: &Path| Picture::read(path, None, None);
    let truth = table(&folder, d_of_spot(), 80.5);
    let of_spot = rocking_curve(&files, Some([3, -4, 5]), Some(SumBox::Of(&truth)), read).unwrap();
    assert_eq!(of_spot.points, [[0.25, 900.0], [0.75, 900.0]]);
    let part = Part {
        middle: [80.5, 20.5],
        side: 2.5,
    };
    // Three by three pixels.
    let of_part = rocking_curve(&files, None, Some(SumBox::Part(part)), read).unwrap();
    assert_eq!(of_part.points[0], [0.25, 980.0]);
    let tables = [truth.path.as_path()];
    let of_table = rocking_curve(&tables, Some([3, -4, 5]), None, read).unwrap();
    assert_eq!(of_table.points, [[0.5, 890.0]]);
    let none = rocking_curve(&tables, Some([1, 1, 1]), None, read).unwrap_err();
    assert!(
        none.to_string().ends_with("has no reflection 1 1 1"),
        "{none}"
    );
}

#[test]
fn a_contact_sheet_has_every_picture_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.img", "b.img", "c.img", "d.img", "<e> & \"f\".img"];
    let pictures = names.map(|name| Picture::read(&image(&folder, name, 0.0), None, None).unwrap());
    let figure = contact_sheet(&pictures, &Colours::default()).unwrap();
    let xml = Document::parse(figure.svg()).unwrap();
    let images = xml.descendants().filter(|node| node.has_tag_name("image"));
    assert_eq!(images.count(), 5);
    for name in names {
        assert!(
            xml.descendants()
                .any(|node| node.text().map(str::trim) == Some(name))
        );
    }
}

#[test]
fn a_table_of_another_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::read(&image(&folder, "a.img", 0.0), None, None).unwrap();
    table(&folder, d_of_spot(), 80.5).check(&picture).unwrap();
    let other = table(&folder, 1.3 * d_of_spot(), 80.5)
        .check(&picture)
        .unwrap_err();
    assert!(
        other.to_string().contains("half of the brightest spots"),
        "{other}"
    );
    let outside = table(&folder, d_of_spot(), 130.0)
        .check(&picture)
        .unwrap_err();
    assert!(
        outside.to_string().contains("3 -4 5 is at fast 130.0"),
        "{outside}"
    );
}

#[test]
fn masked_pixels_have_a_colour_of_their_own_and_count_nowhere() {
    let mut pixels = vec![5.0_f32; 400];
    pixels[0] = f32::NAN;
    pixels[1] = 6.0;
    let values = Image::new(20, 20, pixels).unwrap();
    let picture = Picture::of_values(Path::new("a"), values, false, None).unwrap();
    assert_eq!(picture.measured().count(), 399);
    let spread = Colours::default().for_values(&picture).unwrap();
    assert_eq!(spread.limits, [5.0, 6.0]);
    assert_ne!(spread.rgb(f32::NAN), spread.rgb(5.0));
    let blank = Image::new(1, 1, vec![f32::NAN]).unwrap();
    let blank = Picture::of_values(Path::new("b"), blank, false, None).unwrap();
    let refused = Colours::default().for_values(&blank).unwrap_err();
    assert_eq!(refused.to_string(), "b: no pixel is a measurement");
}

//! A figure, and its forms: SVG, PNG, PDF.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Transform, Tree};
use resvg::{tiny_skia, usvg};

use crate::error::{Error, Result};

/// Letters for files in which text is drawn: DejaVu Sans, with the letters that figures need.
const FONT: &[u8] = include_bytes!("sans.ttf");

/// The name of that font.
const FAMILY: &str = "nanoBragg Sans";

/// The pixels of a PNG per unit of a figure.
const PNG_SCALE: f32 = 1.5;

/// A drawing, as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    svg: String,
    sides: [u32; 2],
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Scalable, with text as text.
    Svg,
    /// Pixels.
    Png,
    /// One page.
    Pdf,
}

impl FileFormat {
    /// The format of a file with this name, by its extension.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// A place for pixels in a drawing: its corner and its sides.
pub(crate) type Frame = [f64; 4];

/// A thin line through points of a drawing, which need not be whole numbers, as those of plotters are.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) points: Vec<[f64; 2]>,
    pub(crate) rgb: [u8; 3],
}

impl Figure {
    /// What plotters has drawn, with white, these pictures (PNG) and these lines below it.
    pub(crate) fn new(
        drawn: &str,
        sides: [u32; 2],
        pictures: &[(Frame, Vec<u8>)],
        lines: &[Line],
    ) -> Result<Self> {
        let body = drawn.find('>').map(|end| end + 1);
        let (head, body) = body
            .and_then(|at| drawn.split_at_checked(at))
            .ok_or_else(|| Error::draw("no SVG was drawn"))?;
        let mut svg = head.to_owned();
        svg.push_str("\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>");
        for ([x, y, width, height], png) in pictures {
            svg.push_str(&format!(
                "\n<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
                 image-rendering=\"optimizeSpeed\" href=\"data:image/png;base64,{}\"/>",
                STANDARD.encode(png)
            ));
        }
        for Line { points, rgb } in lines {
            let [red, green, blue] = rgb;
            let points = points.iter().map(|[x, y]| format!("{x:.2},{y:.2} "));
            svg.push_str(&format!(
                "\n<polyline points=\"{}\" fill=\"none\" stroke=\"#{red:02X}{green:02X}{blue:02X}\"/>",
                points.collect::<String>().trim_end()
            ));
        }
        svg.push_str(body);
        Ok(Self { svg, sides })
    }

    /// The drawing as SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Its width and height in units of the SVG.
    pub fn sides(&self) -> [u32; 2] {
        self.sides
    }

    /// The bytes of a file of a format.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn bytes(&self, format: FileFormat) -> Result<Vec<u8>> {
        match format {
            FileFormat::Svg => Ok(self.svg.clone().into_bytes()),
            FileFormat::Png => {
                let pixels = self.pixels(PNG_SCALE)?;
                png_of(
                    [pixels.width(), pixels.height()],
                    png::ColorType::Rgba,
                    pixels.data(),
                )
            }
            FileFormat::Pdf => svg2pdf::to_pdf(
                &self.tree()?,
                svg2pdf::ConversionOptions::default(),
                svg2pdf::PageOptions::default(),
            )
            .map_err(Error::draw),
        }
    }

    fn tree(&self) -> Result<Tree> {
        let mut fonts = Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        let options = Options {
            font_family: FAMILY.to_owned(),
            fontdb: Arc::new(fonts),
            ..Options::default()
        };
        usvg::Tree::from_str(&self.svg, &options).map_err(Error::draw)
    }

    /// The pixels, `scale` per unit.
    pub(crate) fn pixels(&self, scale: f32) -> Result<tiny_skia::Pixmap> {
        let [width, height] = self
            .sides
            .map(|side| (side as f32 * scale).round().max(1.0) as u32);
        let mut pixels = tiny_skia::Pixmap::new(width, height)
            .ok_or_else(|| Error::draw(format!("{width} x {height} pixels")))?;
        let transform = Transform::from_scale(scale, scale);
        resvg::render(&self.tree()?, transform, &mut pixels.as_mut());
        Ok(pixels)
    }
}

/// A PNG of pixels with 8 bits a channel.
pub(crate) fn png_of(
    [width, height]: [u32; 2],
    colours: png::ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colours);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(Error::draw)?;
    writer.write_image_data(pixels).map_err(Error::draw)?;
    writer.finish().map_err(Error::draw)?;
    Ok(bytes)
}

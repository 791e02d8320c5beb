//! Figures in a terminal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use icy_sixel::SixelImage;

use crate::canvas::{Figure, FileFormat};
use crate::error::{Error, Result};

/// The columns of blocks.
const COLUMNS: u32 = 100;

/// The bytes of a piece of a picture for kitty.
const PIECE: usize = 4096;

/// How a terminal shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// DEC's sixels.
    Sixel,
    /// The protocol of kitty.
    Kitty,
    /// Half blocks in 24-bit colours.
    Blocks,
}

impl Protocol {
    /// The names.
    pub const NAMES: [&'static str; 3] = ["sixel", "kitty", "blocks"];

    /// The protocol with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sixel" => Some(Self::Sixel),
            "kitty" => Some(Self::Kitty),
            "blocks" => Some(Self::Blocks),
            _ => None,
        }
    }

    /// What the terminal with these variables (`TERM`, `TERM_PROGRAM`, `KITTY_WINDOW_ID`) shows: pictures if it is known
    /// for them, else blocks.
    pub fn of_terminal(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        let is_one_of = |names: &[&str]| {
            (names.iter()).any(|name| term.contains(name) || program.contains(name))
        };
        if variable("KITTY_WINDOW_ID").is_some() || is_one_of(&["kitty", "ghostty", "WezTerm"]) {
            Self::Kitty
        } else if is_one_of(&["foot", "mlterm", "sixel", "contour", "yaft"]) {
            Self::Sixel
        } else {
            Self::Blocks
        }
    }
}

impl Figure {
    /// The bytes that make a terminal show the figure.
    ///
    /// # Errors
    /// [`Error::Draw`].
    pub fn for_terminal(&self, protocol: Protocol) -> Result<Vec<u8>> {
        match protocol {
            Protocol::Kitty => {
                let png = STANDARD.encode(self.bytes(FileFormat::Png)?);
                let mut out = Vec::new();
                let mut pieces = png.as_bytes().chunks(PIECE).peekable();
                let mut head = "a=T,f=100,";
                while let Some(piece) = pieces.next() {
                    let more = u8::from(pieces.peek().is_some());
                    out.extend(format!("\x1b_G{head}m={more};").bytes());
                    out.extend(piece);
                    out.extend(b"\x1b\\");
                    head = "";
                }
                out.push(b'\n');
                Ok(out)
            }
            Protocol::Sixel => {
                let pixels = self.pixels(1.0)?;
                let [width, height] = [pixels.width(), pixels.height()].map(|side| side as usize);
                let image = SixelImage::try_from_rgba(pixels.data().to_vec(), width, height);
                let text = image
                    .and_then(|image| image.encode())
                    .map_err(Error::draw)?;
                Ok([text.as_bytes(), b"\n"].concat())
            }
            Protocol::Blocks => {
                let [width, _] = self.sides();
                let pixels = self.pixels(COLUMNS as f32 / width as f32)?;
                let wide = pixels.width() as usize;
                let mut out = String::new();
                for rows in pixels.pixels().chunks(2 * wide) {
                    let (upper, lower) = rows.split_at(wide.min(rows.len()));
                    let white =
                        resvg::tiny_skia::PremultipliedColorU8::from_rgba(255, 255, 255, 255);
                    let below = lower
                        .iter()
                        .copied()
                        .map(Some)
                        .chain(std::iter::repeat(white));
                    for (above, below) in upper.iter().zip(below) {
                        let below = below.unwrap_or(*above);
                        out.push_str(&format!(
                            "\x1b[38;2;{};{};{};48;2;{};{};{}m▀",
                            above.red(),
                            above.green(),
                            above.blue(),
                            below.red(),
                            below.green(),
                            below.blue()
                        ));
                    }
                    out.push_str("\x1b[0m\n");
                }
                Ok(out.into_bytes())
            }
        }
    }
}

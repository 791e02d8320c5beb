//! The table of the reflections in an image, read from the CSV or JSON that a run writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use nanobragg::io::input;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::picture::Picture;

/// The first line of a table in CSV.
const FIRST_LINE: &str = "# format: \"nanoBragg truth\"";

/// The beginning of a table in JSON.
const FIRST_FIELD: &str = "{\"format\":\"nanoBragg truth\"";

/// The spots by which a table is told from that of another image.
const SPOTS_COMPARED: usize = 50;

/// How far the spacing of a spot may be from that of its pixel; spots of small crystals are off the sphere.
const MOST_OFF: f64 = 0.1;

/// A reflection on a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// Its indices.
    pub hkl: [i32; 3],
    /// The number of the panel, counted from 0.
    pub panel: usize,
    /// The mean position of its photons along fast and slow, in pixels from the outer corner of the first pixel.
    pub at_px: [f64; 2],
    /// Its photons.
    pub photons: f64,
    /// Its spacing in Angstrom.
    pub d_angstrom: f64,
    /// The first column and row of its box, and those behind the last: fast, fast, slow, slow.
    pub box_px: [usize; 4],
}

/// The reflections in an image.
#[derive(Debug, Clone)]
pub struct TruthFile {
    /// The file.
    pub path: PathBuf,
    /// The fields before the table.
    head: HashMap<String, Value>,
    /// The spots, the brightest first.
    pub spots: Vec<Spot>,
}

/// Whether a file begins as a truth table does.
pub fn is_table(path: &Path) -> bool {
    use std::io::Read;
    let mut start = Vec::new();
    let most = FIRST_LINE.len().max(FIRST_FIELD.len()) as u64;
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut start))
        .is_ok_and(|_| {
            [FIRST_LINE, FIRST_FIELD]
                .iter()
                .any(|begin| start.starts_with(begin.as_bytes()))
        })
}

/// A table in JSON.
#[derive(Deserialize)]
struct JsonTable {
    reflections: Vec<JsonSpot>,
    #[serde(flatten)]
    head: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct JsonSpot {
    hkl: [i32; 3],
    panel: usize,
    fast_px: f64,
    slow_px: f64,
    photons: f64,
    /// JSON has no infinity: null for 0 0 0.
    d_angstrom: Option<f64>,
    fast_range_px: [usize; 2],
    slow_range_px: [usize; 2],
}

impl From<JsonSpot> for Spot {
    fn from(spot: JsonSpot) -> Self {
        let ([fast0, fast1], [slow0, slow1]) = (spot.fast_range_px, spot.slow_range_px);
        Self {
            hkl: spot.hkl,
            panel: spot.panel,
            at_px: [spot.fast_px, spot.slow_px],
            photons: spot.photons,
            d_angstrom: spot.d_angstrom.unwrap_or(f64::INFINITY),
            box_px: [fast0, fast1, slow0, slow1],
        }
    }
}

impl TruthFile {
    /// Reads a table in CSV or JSON.
    ///
    /// # Errors
    /// A file that cannot be read, or [`Error::Table`] with the line.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = input::bytes_of(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let table = |line: usize, fault: String| Error::Table {
            path: path.to_owned(),
            line: line + 1,
            fault,
        };
        if text.starts_with('{') && text.contains("nanoBragg truth") {
            let read = serde_json::from_str(&text);
            let JsonTable { reflections, head } =
                read.map_err(|error| table(error.line().saturating_sub(1), error.to_string()))?;
            return Ok(Self::new(
                path,
                head,
                reflections.into_iter().map(Spot::from).collect(),
            ));
        }
        if !text.starts_with(FIRST_LINE) {
            let fault = format!("a truth table begins with {FIRST_LINE} or {FIRST_FIELD}");
            return Err(table(0, fault));
        }
        let mut head = HashMap::new();
        let mut columns: Option<Vec<&str>> = None;
        let mut spots = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(field) = line.strip_prefix("# ") {
                if let Some((key, value)) = field.split_once(": ")
                    && let Ok(value) = serde_json::from_str(value)
                {
                    head.insert(key.to_owned(), value);
                }
                continue;
            }
            let cells: Vec<&str> = line.split(',').collect();
            let Some(names) = &columns else {
                columns = Some(cells);
                continue;
            };
            if cells.len() != names.len() {
                let fault = format!("{} values for {} columns", cells.len(), names.len());
                return Err(table(number, fault));
            }
            let cell = |name: &str| {
                let column = names.iter().position(|other| *other == name)?;
                cells.get(column).copied()
            };
            let of = |name: &str| -> Result<f64> {
                let word = cell(name)
                    .ok_or_else(|| table(number, format!("the table has no column {name}")))?;
                word.parse()
                    .map_err(|_| table(number, format!("{name} is no number: {word}")))
            };
            spots.push(Spot {
                hkl: [of("h")? as i32, of("k")? as i32, of("l")? as i32],
                panel: match cell("panel") {
                    Some(_) => of("panel")? as usize,
                    None => 0,
                },
                at_px: [of("fast_px")?, of("slow_px")?],
                photons: of("photons")?,
                d_angstrom: of("d_angstrom")?,
                box_px: [
                    of("fast0_px")? as usize,
                    of("fast1_px")? as usize,
                    of("slow0_px")? as usize,
                    of("slow1_px")? as usize,
                ],
            });
        }
        Ok(Self::new(path, head, spots))
    }

    fn new(path: &Path, head: HashMap<String, Value>, mut spots: Vec<Spot>) -> Self {
        spots.sort_by(|a, b| b.photons.total_cmp(&a.photons));
        Self {
            path: path.to_owned(),
            head,
            spots,
        }
    }

    /// A number of the head of the table.
    pub fn number(&self, field: &str) -> Option<f64> {
        self.head.get(field)?.as_f64()
    }

    /// The spindle angle in the middle of the image, in degrees.
    pub fn middle_phi_deg(&self) -> Option<f64> {
        Some(self.number("phi_start_deg")? + self.number("phi_range_deg")? / 2.0)
    }

    /// The brightest spot of a reflection.
    ///
    /// # Errors
    /// [`Error::NoReflection`].
    pub fn spot(&self, hkl: [i32; 3]) -> Result<&Spot> {
        let mut spots = self.spots.iter();
        spots
            .find(|spot| spot.hkl == hkl)
            .ok_or_else(|| Error::NoReflection {
                table: self.path.clone(),
                hkl,
            })
    }

    /// Checks that a table can be that of an image: every spot is on a panel, and if the geometry is known, most of the
    /// brightest have the spacing of their pixel.
    ///
    /// # Errors
    /// [`Error::OtherImage`].
    pub fn check(&self, picture: &Picture) -> Result<()> {
        let other = |fault: String| Error::OtherImage {
            table: self.path.clone(),
            image: picture.path.clone(),
            fault,
        };
        let mut compared = Vec::new();
        for spot in &self.spots {
            let [h, k, l] = spot.hkl;
            let [fast, slow] = spot.at_px;
            let panel = picture.panels.get(spot.panel).ok_or_else(|| {
                let panels = picture.panels.len();
                other(format!(
                    "{h} {k} {l} is on panel {} of {panels}",
                    spot.panel
                ))
            })?;
            let sides = [panel.fast(), panel.slow()].map(|side| side as f64);
            if !(0.0..=sides[0]).contains(&fast) || !(0.0..=sides[1]).contains(&slow) {
                return Err(other(format!(
                    "{h} {k} {l} is at fast {fast:.1} slow {slow:.1}, outside of {} x {} pixels",
                    sides[0], sides[1]
                )));
            }
            if let Some(geometry) = &picture.geometry
                && compared.len() < SPOTS_COMPARED
                && spot.d_angstrom.is_finite()
                && let Some(panel) = geometry.detector.panels().get(spot.panel)
            {
                let d = geometry.d_angstrom(panel, spot.at_px);
                compared.push((d / spot.d_angstrom - 1.0).abs());
            }
        }
        compared.sort_by(f64::total_cmp);
        match compared.get(compared.len() / 2) {
            Some(&off) if off > MOST_OFF => Err(other(format!(
                "half of the brightest spots have a spacing that is {:.0} % or more from that of their pixel",
                off * 100.0
            ))),
            _ => Ok(()),
        }
    }
}

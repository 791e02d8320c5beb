//! From an `XDS.INP` or `XPARM.XDS` to a geometry.

use std::path::Path;

use nanobragg_crystal::CellSpec;
use nanobragg_geometry::vector::{cross, dot, unit};

use super::entry::{Entry, entries};
use super::keywords::{Other, other};
use super::segments::{SEGMENTS, Segment, untrusted};
use super::xparm;
use crate::error::Error;
use crate::exchange::described::{Described, Ignored};
use crate::exchange::file::{self, LARGEST_SKEW, SQUARE, is_right_handed, quoted};
use crate::exchange::frame::turned_about_x;
use crate::exchange::geometry::{PlacedPanel, Slab};

/// The keywords without which there is no detector.
const PANEL: [&str; 7] = ["NX", "NY", "QX", "QY", "ORGX", "ORGY", "DETECTOR_DISTANCE"];

/// The cell at phi 0.
const AXES: [&str; 3] = ["UNIT_CELL_A-AXIS", "UNIT_CELL_B-AXIS", "UNIT_CELL_C-AXIS"];

/// Masked pixels.
const RECTANGLE: &str = "UNTRUSTED_RECTANGLE";

const FAST: &str = "DIRECTION_OF_DETECTOR_X-AXIS";
const SLOW: &str = "DIRECTION_OF_DETECTOR_Y-AXIS";

/// The other keywords that are listened to.
const OTHERS: [&str; 15] = [
    FAST,
    SLOW,
    "INCIDENT_BEAM_DIRECTION",
    "X-RAY_WAVELENGTH",
    "FRACTION_OF_POLARIZATION",
    "POLARIZATION_PLANE_NORMAL",
    "ROTATION_AXIS",
    "OSCILLATION_RANGE",
    "STARTING_ANGLE",
    "STARTING_FRAME",
    "DATA_RANGE",
    "UNIT_CELL_CONSTANTS",
    "SPACE_GROUP_NUMBER",
    "SENSOR_THICKNESS",
    "SILICON",
];

/// Reads the geometry in the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], [`Error::FileTooLarge`], or what [`parse`] finds.
pub fn read(path: impl AsRef<Path>) -> Result<Described, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_xds", path = %path.display()).entered();
    parse(&file::bytes_of(path)?, &path.display().to_string())
}

/// The geometry in the bytes of a file; `name` is for messages.
///
/// # Errors
/// [`Error::FileValue`] naming line and keyword, [`Error::FileLacks`] naming the keywords; [`Error::FileValue`]
/// naming the file if none of its words is a keyword of the geometry.
pub fn parse(bytes: &[u8], name: &str) -> Result<Described, Error> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Old editors end a line by a carriage return alone.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = xparm::as_input(&text).unwrap_or(text);
    let input = Input {
        name,
        entries: entries(&text, name),
    };
    if !input.entries.iter().any(|entry| is_read(entry.keyword)) {
        let begin = text.lines().map(str::trim).find(|line| !line.is_empty());
        let found = match begin {
            None => "an empty file".to_owned(),
            Some(line) => quoted(line),
        };
        return Err(Error::FileValue {
            place: format!("{name}: no keyword of the geometry of XDS"),
            found,
            expected: "an XDS.INP or XPARM.XDS",
        });
    }
    let mut described = Described {
        ignored: input.not_listened_to(),
        ..Described::default()
    };
    input.take_panel(&mut described)?;
    input.take_beam(&mut described)?;
    input.take_spindle(&mut described)?;
    input.take_crystal(&mut described)?;
    Ok(described)
}

/// Whether a part of the geometry is read from this keyword.
fn is_read(keyword: &str) -> bool {
    let all = PANEL.iter().chain(&AXES).chain(&OTHERS);
    let mut all = all.chain(&SEGMENTS).chain([&RECTANGLE]);
    all.any(|known| *known == keyword)
}

/// The keywords of a file.
struct Input<'t> {
    name: &'t str,
    entries: Vec<Entry<'t>>,
}

impl<'t> Input<'t> {
    /// The last entry of this keyword.
    fn get(&self, keyword: &str) -> Option<&Entry<'t>> {
        self.entries.iter().rfind(|entry| entry.keyword == keyword)
    }

    fn need(&self, keyword: &str) -> Result<&Entry<'t>, Error> {
        self.get(keyword).ok_or_else(|| Error::FileLacks {
            place: format!("{}: {keyword}", self.name),
        })
    }

    fn number(&self, keyword: &str) -> Result<Option<f64>, Error> {
        self.get(keyword).map(Entry::number).transpose()
    }

    /// A direction, in the laboratory of [`crate::exchange::frame`].
    fn direction(&self, keyword: &str) -> Result<Option<[f64; 3]>, Error> {
        let direction = self.get(keyword).map(Entry::direction).transpose()?;
        Ok(direction.map(turned_about_x))
    }

    /// The keywords without effect that a user should hear of, each once.
    fn not_listened_to(&self) -> Vec<Ignored> {
        let mut heard: Vec<&str> = Vec::new();
        let mut ignored = Vec::new();
        for entry in &self.entries {
            if is_read(entry.keyword) || heard.contains(&entry.keyword) {
                continue;
            }
            if let Other::NotListenedTo(reason) = other(entry.keyword) {
                heard.push(entry.keyword);
                ignored.push(Ignored {
                    place: entry.place(),
                    reason,
                });
            }
        }
        ignored
    }

    fn take_panel(&self, into: &mut Described) -> Result<(), Error> {
        let sensor = self.sensor(into)?;
        let absent: Vec<&str> = (PANEL.into_iter())
            .filter(|keyword| self.get(keyword).is_none())
            .collect();
        if absent.len() == PANEL.len() {
            into.absent.push(format!(
                "{}: {} are missing, so that the file places no detector",
                self.name,
                absent.join(" ")
            ));
            return Ok(());
        }
        if absent.len() > 1 {
            return Err(Error::FileLacks {
                place: format!("{}: each of {}", self.name, absent.join(" ")),
            });
        }
        let [nx, ny, qx, qy, orgx, orgy, distance] = PANEL.map(|keyword| self.need(keyword));
        let pixels = [nx?.count()?, ny?.count()?];
        let (qy, distance) = (qy?, distance?);
        let [width, height] = [qx?.positive()?, qy.positive()?];
        if (height - width).abs() > SQUARE * width {
            return Err(qy.wrong("the number of QX, because pixels are square"));
        }
        let distance_mm = distance.number()?;
        if distance_mm == 0.0 {
            return Err(distance.wrong("a number other than 0"));
        }
        let fast = self.direction(FAST)?.unwrap_or([1.0, 0.0, 0.0]);
        let slow = self.direction(SLOW)?.unwrap_or([0.0, -1.0, 0.0]);
        if dot(fast, slow).abs() > LARGEST_SKEW {
            let given = self.get(SLOW).or(self.get(FAST)).unwrap_or(distance);
            return Err(given.wrong("a direction at right angles to that of the other axis"));
        }
        let normal = unit(cross(fast, slow));
        let f_mm = (orgx?.number()? - 0.5) * width;
        let s_mm = (orgy?.number()? - 0.5) * width;
        let [nx, ny, nz] = normal.map(|n| distance_mm * n);
        let [fx, fy, fz] = fast.map(|f| f_mm * f);
        let [sx, sy, sz] = slow.map(|s| s_mm * s);
        let plane = PlacedPanel {
            name: String::new(),
            trusted_range: None,
            origin_mm: [nx - fx - sx, ny - fy - sy, nz - fz - sz],
            fast,
            slow,
            pixel_size_mm: width,
            pixels,
            sensor,
        };
        let segments = Segment::all(&self.entries, pixels)?;
        into.panels = (segments.iter().enumerate())
            .map(|(index, segment)| segment.panel(index, &plane))
            .collect();
        let mut in_picture: Vec<_> = (segments.iter())
            .map(|segment| (segment.first, segment.pixels))
            .collect();
        if segments.is_empty() {
            into.panels.push(plane);
            in_picture.push(([0, 0], pixels));
        }
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.keyword == RECTANGLE)
        {
            into.masked.extend(untrusted(entry, &in_picture)?);
        }
        Ok(())
    }

    /// The sensor, if both its thickness and its attenuation are given.
    fn sensor(&self, into: &mut Described) -> Result<Option<Slab>, Error> {
        let not_negative = |keyword: &str| -> Result<f64, Error> {
            let Some(entry) = self.get(keyword) else {
                return Ok(0.0);
            };
            match entry.number()? {
                x if x < 0.0 => Err(entry.wrong("0 or above")),
                x => Ok(x),
            }
        };
        let slab = Slab {
            thickness_mm: not_negative("SENSOR_THICKNESS")?,
            // A negative one asks XDS to work it out.
            mu_per_mm: self
                .get("SILICON")
                .map_or(Ok(0.0), |entry| entry.number())?
                .max(0.0),
            material: None,
        };
        if slab.thickness_mm > 0.0 && slab.mu_per_mm > 0.0 {
            return Ok(Some(slab));
        }
        if let Some(entry) = self
            .get("SENSOR_THICKNESS")
            .filter(|_| slab.thickness_mm > 0.0)
        {
            into.ignored.push(Ignored {
                place: entry.place(),
                reason: "there is no attenuation coefficient, SILICON",
            });
        }
        Ok(None)
    }

    fn take_beam(&self, into: &mut Described) -> Result<(), Error> {
        into.beam_direction = self.direction("INCIDENT_BEAM_DIRECTION")?;
        into.wavelength_angstrom = (self.get("X-RAY_WAVELENGTH"))
            .map(Entry::positive)
            .transpose()?;
        into.polarization_normal = self.direction("POLARIZATION_PLANE_NORMAL")?;
        if let Some(fraction) = self.get("FRACTION_OF_POLARIZATION") {
            let value = fraction.number()?;
            if !(0.0..=1.0).contains(&value) {
                return Err(fraction.wrong("a share from 0 to 1"));
            }
            into.polarization_fraction = Some(value);
        }
        Ok(())
    }

    fn take_spindle(&self, into: &mut Described) -> Result<(), Error> {
        into.spindle = self.direction("ROTATION_AXIS")?;
        into.phi_width_deg = self.number("OSCILLATION_RANGE")?;
        into.phi_start_deg = self.number("STARTING_ANGLE")?;
        let (Some(starting), Some(range)) = (self.get("STARTING_FRAME"), self.get("DATA_RANGE"))
        else {
            return Ok(());
        };
        let [first, _]: [f64; 2] = range.numbers()?;
        let images = first - starting.number()?;
        if images != 0.0 {
            let width_deg = into.phi_width_deg.unwrap_or(0.0);
            let start_deg = into.phi_start_deg.unwrap_or(0.0) + images * width_deg;
            into.phi_start_deg = Some(start_deg);
        }
        Ok(())
    }

    fn take_crystal(&self, into: &mut Described) -> Result<(), Error> {
        if AXES.iter().any(|keyword| self.get(keyword).is_some()) {
            let [a, b, c] = AXES.map(|keyword| self.need(keyword));
            let c = c?;
            let edges = [a?.numbers()?, b?.numbers()?, c.numbers()?];
            if !is_right_handed(edges) {
                return Err(c.wrong("a vector that makes a right-handed cell with the other two"));
            }
            into.lattice_angstrom = Some(edges.map(turned_about_x));
            return Ok(());
        }
        let Some(constants) = self.get("UNIT_CELL_CONSTANTS") else {
            return Ok(());
        };
        let group = self
            .get("SPACE_GROUP_NUMBER")
            .map(Entry::count)
            .transpose()?;
        if group.unwrap_or(0) == 0 {
            into.ignored.push(Ignored {
                place: constants.place(),
                reason: "SPACE_GROUP_NUMBER is 0 or not given, and XDS does not take it then",
            });
            return Ok(());
        }
        let cell = CellSpec::from_values(&constants.numbers::<6>()?);
        into.cell = Some(cell.map_err(|_| constants.wrong("the edges and angles of a cell"))?);
        Ok(())
    }
}

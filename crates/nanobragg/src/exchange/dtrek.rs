//! The geometry in the header of an image of d\*TREK (Rigaku).
//!
//! | keys | what they say |
//! |---|---|
//! | `DETECTOR_NAMES` | the words that begin the keys of each detector; the first detector is read |
//! | `..._DETECTOR_DIMENSIONS`, `..._DETECTOR_VECTORS` | pixels; fast and slow of a detector that is not moved |
//! | `..._SPATIAL_DISTORTION_INFO` | where its origin is, in pixels from the outer corner, and their edges in mm |
//! | `..._SPATIAL_DISTORTION_VECTORS` | fast and slow of the pixels, in the plane of the vectors |
//! | `..._GONIO_VALUES`, `..._UNITS`, `..._VECTORS` | turns and shifts of the detector, the last one first |
//! | `SOURCE_VECTORS`, `SOURCE_POLARZ` | the way to the source; the polarized share and the normal |
//! | `SOURCE_WAVELENGTH` | the number of wavelengths, and then these |
//! | `ROTATION`, `ROTATION_VECTOR` | start, end and width of phi; the spindle |
//!
//! The keys are used as dxtbx does (`FormatSMVRigakuSaturn`), in its laboratory ([`super::frame`]).

use nanobragg_geometry::rotation::rotate_about;
use nanobragg_geometry::vector::{add, dot, norm, scale, unit};
use nanobragg_io::smv::Header;

use super::described::{Described, Ignored};
use super::file::{LARGEST_SKEW, MOST, SQUARE, quoted};
use super::geometry::PlacedPanel;
use crate::error::Error;

/// The geometry in `header`; `None` if it is not one of d\*TREK, or has a distance or a pixel size of its own, which
/// count then. `name` is for messages.
///
/// # Errors
/// [`Error::FileLacks`] and [`Error::FileValue`] naming the key.
pub fn of_header(header: &Header, name: &str) -> Result<Option<Described>, Error> {
    let own = ["DISTANCE", "CLOSE_DISTANCE", "PIXEL_SIZE"];
    let mut detectors = (header.exact("DETECTOR_NAMES").unwrap_or("")).split_whitespace();
    let Some(detector) = detectors.next() else {
        return Ok(None);
    };
    let values = format!("{detector}GONIO_VALUES");
    if header.exact(&values).is_none() || own.iter().any(|key| header.exact(key).is_some()) {
        return Ok(None);
    }
    let keys = Keys { header, name };
    let mut described = Described {
        panels: vec![keys.panel(detector)?],
        ..Described::default()
    };
    if detectors.next().is_some() {
        described.ignored.push(Ignored {
            place: keys.place("DETECTOR_NAMES"),
            reason: "the first detector alone is read",
        });
    }
    if let Some([x, y, z]) = keys.given("SOURCE_VECTORS", "the vector to the source")? {
        let direction = keys.direction("SOURCE_VECTORS", [x, y, z])?;
        described.beam_direction = Some(direction.map(|x| 0.0 - x));
    }
    let expected = "the polarized share and a vector";
    if let Some([fraction, x, y, z]) = keys.given("SOURCE_POLARZ", expected)? {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(keys.wrong("SOURCE_POLARZ", "a share from 0 to 1"));
        }
        described.polarization_fraction = Some(fraction);
        described.polarization_normal = Some(keys.direction("SOURCE_POLARZ", [x, y, z])?);
    }
    let expected = "the number of wavelengths, and then these";
    if let Some([count, angstrom]) = keys.given("SOURCE_WAVELENGTH", expected)? {
        if angstrom < 1.0 / MOST {
            return Err(keys.wrong("SOURCE_WAVELENGTH", "a wavelength above 0"));
        }
        described.wavelength_angstrom = Some(angstrom);
        if count > 1.0 {
            described.ignored.push(Ignored {
                place: keys.place("SOURCE_WAVELENGTH"),
                reason: "the first wavelength alone is taken",
            });
        }
    }
    if let Some([start, _, width]) = keys.given("ROTATION", "the start, end and width of phi")? {
        described.phi_start_deg = Some(start);
        described.phi_width_deg = Some(width);
    }
    if let Some(vector) = keys.given("ROTATION_VECTOR", "three numbers")? {
        described.spindle = Some(keys.direction("ROTATION_VECTOR", vector)?);
    }
    Ok(Some(described))
}

/// The value, the unit and the unit vector of an axis.
type Axis<'h> = (f64, &'h str, [f64; 3]);

/// A header with the name of its file.
struct Keys<'h> {
    header: &'h Header,
    name: &'h str,
}

impl Keys<'_> {
    fn place(&self, key: &str) -> String {
        format!("{}: {key}", self.name)
    }

    fn wrong(&self, key: &str, expected: &'static str) -> Error {
        Error::FileValue {
            place: self.place(key),
            found: quoted(self.header.exact(key).unwrap_or("")),
            expected,
        }
    }

    /// All numbers of `key`.
    fn all(&self, key: &str) -> Result<Option<Vec<f64>>, Error> {
        let number = |word: &str| word.parse().ok().filter(|x: &f64| x.abs() <= MOST);
        let Some(text) = self.header.exact(key) else {
            return Ok(None);
        };
        let numbers: Option<_> = text.split_whitespace().map(number).collect();
        (numbers.map(Some)).ok_or_else(|| self.wrong(key, "numbers of a magnitude up to 1e15"))
    }

    /// The first `N` numbers of `key`, if the header has it.
    fn given<const N: usize>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<[f64; N]>, Error> {
        let Some(numbers) = self.all(key)? else {
            return Ok(None);
        };
        let first = numbers.first_chunk().copied();
        first.map(Some).ok_or_else(|| self.wrong(key, expected))
    }

    fn need<const N: usize>(&self, key: &str, expected: &'static str) -> Result<[f64; N], Error> {
        (self.given(key, expected)?).ok_or_else(|| Error::FileLacks {
            place: self.place(key),
        })
    }

    fn direction(&self, key: &str, vector: [f64; 3]) -> Result<[f64; 3], Error> {
        if norm(vector) < 1.0 / MOST {
            return Err(self.wrong(key, "a vector that has a direction"));
        }
        Ok(unit(vector))
    }

    fn panel(&self, detector: &str) -> Result<PlacedPanel, Error> {
        let key = |end: &str| format!("{detector}{end}");
        let size = key("DETECTOR_DIMENSIONS");
        let pixels: [f64; 2] = self.need(&size, "the number of pixels along fast and slow")?;
        if pixels
            .iter()
            .any(|n| n.fract() != 0.0 || !(1.0..=f64::from(u32::MAX)).contains(n))
        {
            return Err(self.wrong(&size, "whole numbers above 0"));
        }
        let info = key("SPATIAL_DISTORTION_INFO");
        let expected = "the origin in pixels, and the edges of a pixel in mm";
        let [origin_fast, origin_slow, width, height] = self.need(&info, expected)?;
        if width < 1.0 / MOST || (height - width).abs() > SQUARE * width {
            return Err(self.wrong(&info, "pixels that are square"));
        }
        let axes = key("DETECTOR_VECTORS");
        let [fx, fy, fz, sx, sy, sz] = self.need(&axes, "two vectors")?;
        let (fast, slow) = ([fx, fy, fz], [sx, sy, sz]);
        let turned = self.given(&key("SPATIAL_DISTORTION_VECTORS"), "four numbers")?;
        let [ff, fs, sf, ss] = turned.unwrap_or([1.0, 0.0, 0.0, 1.0]);
        let mixed = |f: f64, s: f64| self.direction(&axes, add(scale(f, fast), scale(s, slow)));
        let [mut fast, mut slow] = [mixed(ff, fs)?, mixed(sf, ss)?];
        if dot(fast, slow).abs() > LARGEST_SKEW {
            return Err(self.wrong(&axes, "two vectors at right angles"));
        }
        let [along_fast, along_slow] = [origin_fast * width, origin_slow * width];
        let mut origin_mm = add(scale(-along_fast, fast), scale(-along_slow, slow));
        for (value, unit, axis) in self.goniometer(&key)?.into_iter().rev() {
            match unit {
                "deg" => {
                    let turn = |v: [f64; 3]| rotate_about(v, axis, value.to_radians());
                    [fast, slow, origin_mm] = [fast, slow, origin_mm].map(turn);
                }
                _ => origin_mm = add(origin_mm, scale(value, axis)),
            }
        }
        Ok(PlacedPanel {
            origin_mm,
            fast,
            slow,
            pixel_size_mm: width,
            pixels: pixels.map(|n| n as u32),
            ..PlacedPanel::default()
        })
    }

    /// The axes that move a detector.
    fn goniometer(&self, key: &impl Fn(&str) -> String) -> Result<Vec<Axis<'_>>, Error> {
        let [values, units, vectors] = ["GONIO_VALUES", "GONIO_UNITS", "GONIO_VECTORS"].map(key);
        let lacks = |key: &str| Error::FileLacks {
            place: self.place(key),
        };
        let numbers = self.all(&values)?.ok_or_else(|| lacks(&values))?;
        let words = self.header.exact(&units).ok_or_else(|| lacks(&units))?;
        let words: Vec<&str> = words.split_whitespace().collect();
        let axes = self.all(&vectors)?.ok_or_else(|| lacks(&vectors))?;
        let (axes, rest) = axes.as_chunks::<3>();
        if words.iter().any(|unit| !matches!(*unit, "deg" | "mm")) || words.len() != numbers.len() {
            return Err(self.wrong(&units, "deg or mm for each value"));
        }
        if !rest.is_empty() || axes.len() != numbers.len() {
            return Err(self.wrong(&vectors, "a vector for each value"));
        }
        let all = numbers.into_iter().zip(words).zip(axes);
        all.map(|((value, unit), axis)| Ok((value, unit, self.direction(&vectors, *axis)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a Saturn whose detector is turned and shifted along each axis.
    const HEADER: &str = "{
HEADER_BYTES=04096;
DETECTOR_NAMES=PXD_;
PXD_DETECTOR_DIMENSIONS=92 80;
PXD_DETECTOR_VECTORS=1 0 0 0 1 0;
PXD_GONIO_UNITS=deg deg deg mm mm mm;
PXD_GONIO_VALUES=3.0 20.0 -4.0 0.5 -0.7 50.0;
PXD_GONIO_VECTORS=0 0 1 1 0 0 0 1 0 1 0 0 0 1 0 0 0 -1;
PXD_SPATIAL_DISTORTION_INFO=46.1 45.9 0.09 0.09;
PXD_SPATIAL_DISTORTION_VECTORS=0 -1 1 0;
SOURCE_WAVELENGTH=1.0 1.54178;
SOURCE_VECTORS=0.01 0.02 1 0 1 0;
SOURCE_POLARZ=0.6 0 1 0;
ROTATION=10.0 10.5 0.5 60 0 0 0 0 0 0;
ROTATION_VECTOR=1 0 0;
}";

    fn read(text: &str) -> Result<Option<Described>, Error> {
        of_header(&Header::parse(text.as_bytes()).unwrap(), "a.img")
    }

    #[test]
    fn the_geometry_is_that_of_dxtbx() {
        // FormatSMVRigakuSaturn of dxtbx 3.11.2 reads these in this header and the other keys that it asks for.
        let origin = [-1.201119305459284, 20.35200864514617, -45.92856212121111];
        let fast = [
            0.04917971188326852,
            -0.9384048047077379,
            -0.3420201433256687,
        ];
        let slow = [0.997445560878618, 0.028383046059186394, 0.0655496436294005];
        let to_source = [
            0.009997500937109546,
            0.01999500187421909,
            0.9997500937109545,
        ];
        let found = read(HEADER).unwrap().unwrap();
        let [panel] = &found.panels[..] else {
            panic!("one panel")
        };
        let away = found.beam_direction.unwrap().map(|x| 0.0 - x);
        for (ours, theirs) in [
            (panel.origin_mm, origin),
            (panel.fast, fast),
            (panel.slow, slow),
            (away, to_source),
        ] {
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-13, "{ours} {theirs}");
            }
        }
        assert_eq!((panel.pixels, panel.pixel_size_mm), ([92, 80], 0.09));
        assert_eq!(found.wavelength_angstrom, Some(1.54178));
        assert_eq!(found.polarization_fraction, Some(0.6));
        assert_eq!(found.polarization_normal, Some([0.0, 1.0, 0.0]));
        assert_eq!(found.spindle, Some([1.0, 0.0, 0.0]));
        assert_eq!(
            (found.phi_start_deg, found.phi_width_deg),
            (Some(10.0), Some(0.5))
        );
    }

    #[test]
    fn a_distance_of_its_own_counts_more() {
        for key in ["DISTANCE", "PIXEL_SIZE"] {
            assert_eq!(
                read(&HEADER.replace("SOURCE_VEC", &format!("{key}=9;\nX"))).unwrap(),
                None
            );
        }
    }

    #[test]
    fn faults_are_named() {
        for (from, to, message) in [
            ("PXD_GONIO_UNITS", "X", "a.img: PXD_GONIO_UNITS is missing"),
            ("mm mm mm", "mm mm m", "PXD_GONIO_UNITS: found"),
            ("0 0 -1;", "0 0;", "PXD_GONIO_VECTORS: found"),
            (
                "0.09 0.09",
                "0.09 0.1",
                "PXD_SPATIAL_DISTORTION_INFO: found",
            ),
            ("92 80", "92", "PXD_DETECTOR_DIMENSIONS: found `92`"),
            (
                "1 0 0 0 1 0;\nPXD_G",
                "1 0 0 1 1 0;\nPXD_G",
                "PXD_DETECTOR_VECTORS: found",
            ),
            ("=1.0 1.54178", "=1.0", "SOURCE_WAVELENGTH: found `1.0`"),
            ("R=1 0 0;", "R=0 0 0;", "ROTATION_VECTOR: found"),
            ("=0.6", "=1.6", "SOURCE_POLARZ: found"),
        ] {
            assert!(HEADER.contains(from), "{from}");
            let error = read(&HEADER.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(
                error.starts_with("a.img: ") && error.contains(message),
                "{error}"
            );
        }
    }
}

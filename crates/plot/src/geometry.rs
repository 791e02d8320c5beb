//! Where the pixels of a picture are in the laboratory.

use std::io::Read;
use std::path::Path;

use nanobragg::exchange::{Described, PlacedPanel, dxtbx, nexus};
use nanobragg::geometry::vector::{cross, dot, scale, unit};
use nanobragg::io::any::Format;
use nanobragg::io::smv::Header;
use nanobragg::{
    Assembly, Detector, ExperimentSpec, Panel, Pivot, Resolved, StackedPanel, header_number,
};

use crate::error::{Error, Result};

/// The points of a ring.
const RING_POINTS: usize = 720;

/// The beginning of a file, which has its header.
const HEADER_BYTES: u64 = 1 << 16;

/// A detector in a beam.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// The panels.
    pub detector: Detector,
    /// The unit vector of the beam, from source to sample.
    pub beam: [f64; 3],
    /// The wavelength in Angstrom.
    pub wavelength_angstrom: f64,
    /// The spindle angle at the beginning of the image and its width, in degrees.
    pub phi_deg: Option<[f64; 2]>,
    /// The panels in one picture.
    assembly: Assembly,
}

impl Geometry {
    /// The geometry of a resolved experiment.
    pub fn of(resolved: &Resolved) -> Self {
        let experiment = &resolved.experiment;
        let phi = &experiment.phi;
        Self::new(
            experiment.detector.clone(),
            experiment.beam.direction(),
            resolved.decisions.central_wavelength_m * 1e10,
            Some([phi.start_rad, phi.range_rad].map(f64::to_degrees)),
        )
    }

    fn new(
        detector: Detector,
        beam: [f64; 3],
        wavelength_angstrom: f64,
        phi_deg: Option<[f64; 2]>,
    ) -> Self {
        Self {
            assembly: Assembly::of(&detector),
            detector,
            beam,
            wavelength_angstrom,
            phi_deg,
        }
    }

    /// The geometry of an experiment file.
    ///
    /// # Errors
    /// A file that cannot be read, or a detector that cannot be.
    pub fn of_experiment_file(path: &Path) -> Result<Self> {
        Self::of_spec(&ExperimentSpec::read(path)?)
    }

    /// The geometry of an ExperimentList of dxtbx.
    ///
    /// # Errors
    /// A file that cannot be read, or [`Error::Lacks`] for one without panels or wavelength.
    pub fn of_expt(path: &Path) -> Result<Self> {
        let described = dxtbx::read(path, dxtbx::Choice::default())?;
        let lacks = |what| Error::Lacks {
            path: path.to_owned(),
            what,
        };
        if described.wavelength_angstrom.is_none() {
            return Err(lacks("wavelength"));
        }
        Self::of_described(&described)?.ok_or_else(|| lacks("panels"))
    }

    /// The geometry in the header of an image of this format, if there is one. `header` is that of an SMV image.
    ///
    /// # Errors
    /// A header with a wrong value.
    pub fn of_image(path: &Path, format: Format, header: Option<&Header>) -> Result<Option<Self>> {
        let described = match (format, header) {
            (Format::Smv, Some(header)) => {
                of_smv(path, header).map_err(|error| error.in_file(path))?
            }
            (Format::Cbf, _) => of_cbf(path),
            // An HDF5 file of images need not be NXmx.
            (Format::Hdf5, _) => nexus::read(path).ok(),
            _ => None,
        };
        match described {
            Some(described) if described.wavelength_angstrom.is_some() => {
                Self::of_described(&described)
            }
            _ => Ok(None),
        }
    }

    fn of_described(described: &Described) -> Result<Option<Self>> {
        if described.panels.is_empty() {
            return Ok(None);
        }
        let mut spec = ExperimentSpec::default();
        described.place(&mut spec, Pivot::Sample)?;
        let mut geometry = Self::of_spec(&spec)?;
        let phi = described.phi_start_deg.zip(described.phi_width_deg);
        geometry.phi_deg = phi.map(|(start, width)| [start, width]);
        Ok(Some(geometry))
    }

    fn of_spec(spec: &ExperimentSpec) -> Result<Self> {
        let laboratory = spec.laboratory()?;
        Ok(Self::new(
            laboratory.detector,
            laboratory.beam.direction(),
            spec.beam.nominal_wavelength().m() * 1e10,
            None,
        ))
    }

    /// The panels in one picture.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// The pixels along fast and slow of an image with the panels one below the other.
    pub fn stacked_sides(&self) -> [usize; 2] {
        let panels = StackedPanel::all(&self.detector);
        let fast = panels.iter().map(|panel| panel.fast).max();
        [
            fast.unwrap_or(0),
            panels.last().map_or(0, |panel| panel.rows.end),
        ]
    }

    /// The spacing in Angstrom at a point of a panel, in pixels from the outer corner of its first pixel; infinite in
    /// the direct beam.
    pub fn d_angstrom(&self, panel: &Panel, at_px: [f64; 2]) -> f64 {
        nanobragg::spacing_at((panel, self.beam), self.wavelength_angstrom, at_px)
    }

    /// Where the direct beam meets the detector, in pixels of the picture; `None` if it does not.
    pub fn beam_centre(&self) -> Option<[f64; 2]> {
        let on = |index: usize, panel: &Panel| {
            let (fast, slow) = panel.pixel_at(self.beam)?;
            self.assembly.place(index, [fast, slow])
        };
        let mut panels = self.detector.panels().iter().enumerate();
        let hit = panels.find(|(_, panel)| self.meets(panel, self.beam).is_some());
        let (index, panel) = hit.unwrap_or((0, self.detector.first()));
        on(index, panel)
    }

    /// Where a ray meets a panel, in its pixels; `None` beside it.
    fn meets(&self, panel: &Panel, direction: [f64; 3]) -> Option<[f64; 2]> {
        let (fast, slow) = panel.pixel_at(direction)?;
        let [pixels_fast, pixels_slow] = [panel.pixels_fast(), panel.pixels_slow()].map(f64::from);
        let inside = (0.0..=pixels_fast).contains(&fast) && (0.0..=pixels_slow).contains(&slow);
        inside.then_some([fast, slow])
    }

    /// The ring of a spacing: lines of points in pixels of the picture, broken where there is no panel. Empty if
    /// nothing is scattered that far.
    pub fn ring(&self, d_angstrom: f64) -> Vec<Vec<[f64; 2]>> {
        let sin_theta = self.wavelength_angstrom / (2.0 * d_angstrom);
        if !(0.0..1.0).contains(&sin_theta) {
            return Vec::new();
        }
        let (sin_2theta, cos_2theta) = (2.0 * sin_theta.asin()).sin_cos();
        let [one, other] = across(self.beam);
        let panels = || self.detector.panels().iter().enumerate();
        let mut lines: Vec<Vec<[f64; 2]>> = Vec::new();
        let mut last = None;
        for step in 0..=RING_POINTS {
            let (sin, cos) = (std::f64::consts::TAU * step as f64 / RING_POINTS as f64).sin_cos();
            let sideways = [0, 1, 2].map(|i| {
                let at = |v: [f64; 3]| v.get(i).copied().unwrap_or_default();
                at(one) * cos + at(other) * sin
            });
            let direction = [scale(cos_2theta, self.beam), scale(sin_2theta, sideways)];
            let [along, aside] = direction;
            let direction = nanobragg::geometry::vector::add(along, aside);
            let met = panels().find_map(|(index, panel)| {
                let at = self.meets(panel, direction)?;
                Some((index, self.assembly.place(index, at)?))
            });
            match (met, lines.last_mut()) {
                (Some((index, at)), Some(line)) if last == Some(index) => line.push(at),
                (Some((_, at)), _) => lines.push(vec![at]),
                (None, _) => {}
            }
            last = met.map(|(index, _)| index);
        }
        lines
    }

    /// Spacings whose rings divide the picture evenly, in round numbers.
    pub fn round_spacings(&self) -> Vec<f64> {
        const ROUND: [f64; 10] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];
        const RINGS: u32 = 4;
        let panels = self.detector.panels().iter();
        let finest = panels.flat_map(|panel| {
            let sides = [panel.pixels_fast(), panel.pixels_slow()];
            let wavelength_m = self.wavelength_angstrom * 1e-10;
            nanobragg::Resolution::of((panel, self.beam), wavelength_m, [0, 0], sides)
                .sides_angstrom
        });
        let finest = finest.fold(f64::INFINITY, f64::min);
        let mut spacings: Vec<f64> = Vec::new();
        for ring in (1..=RINGS).rev() {
            // The radius of a ring is about proportional to 1/d.
            let wanted = finest * f64::from(RINGS) / f64::from(ring);
            let decade = 10_f64.powf(wanted.log10().floor());
            let round = ROUND.map(|round| round * decade);
            let next = round.into_iter().find(|&d| d >= wanted * (1.0 - 1e-9));
            let spacing = next.unwrap_or(10.0 * decade);
            if spacing.is_finite() && !spacings.contains(&spacing) {
                spacings.push(spacing);
            }
        }
        spacings
    }
}

/// Two unit vectors at right angles to `v` and to each other.
fn across(v: [f64; 3]) -> [[f64; 3]; 2] {
    let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let slanted = |axis: &[f64; 3]| dot(*axis, v).abs();
    let farthest = axes
        .into_iter()
        .min_by(|a, b| slanted(a).total_cmp(&slanted(b)));
    let one = unit(cross(v, farthest.unwrap_or_default()));
    [one, cross(v, one)]
}

/// A flat panel and a beam in the frame of the panel, whose near point is `near_px` from the outer corner of its first
/// pixel, at `close_mm`; the beam meets it at `spot_px`.
fn flat(
    [fast, slow]: [f64; 2],
    pixel_mm: f64,
    near_px: [f64; 2],
    spot_px: [f64; 2],
    close_mm: f64,
    wavelength_angstrom: f64,
) -> Described {
    let [near_f, near_s] = near_px.map(|px| px * pixel_mm);
    let [spot_f, spot_s] = spot_px.map(|px| px * pixel_mm);
    Described {
        panels: vec![PlacedPanel {
            origin_mm: [-near_f, -near_s, close_mm],
            fast: [1.0, 0.0, 0.0],
            slow: [0.0, 1.0, 0.0],
            pixel_size_mm: pixel_mm,
            pixels: [fast as u32, slow as u32],
            ..PlacedPanel::default()
        }],
        beam_direction: Some(unit([spot_f - near_f, spot_s - near_s, close_mm])),
        wavelength_angstrom: Some(wavelength_angstrom),
        ..Described::default()
    }
}

/// How far near point and beam spot of a detector at right angles to the beam may be from each other, in pixels: a
/// header has six digits.
const SAME_PX: f64 = 0.01;

/// The beginning of a file as text.
fn beginning(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(HEADER_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The vectors of a d*TREK header, as this program writes them behind the lines of the C program for a detector that
/// is not at right angles to the beam.
fn of_vectors(path: &Path) -> Option<PlacedPanel> {
    let head = beginning(path)?;
    let value = |key: &str| {
        let mut entries = head.lines().filter_map(|line| line.split_once('='));
        let (_, value) = entries.find(|(found, _)| *found == key)?;
        Some(value.trim_end_matches(';'))
    };
    let numbers = |key: &str| -> Option<Vec<f64>> {
        let words = value(key)?.split_whitespace();
        words.map(|word| word.parse().ok()).collect()
    };
    (value("CMOS1_GONIO_NAMES")? == "Origin").then_some(())?;
    let axes = <[f64; 6]>::try_from(numbers("CMOS1_DETECTOR_VECTORS")?).ok()?;
    let origin = <[f64; 3]>::try_from(numbers("CMOS1_GONIO_VECTORS")?).ok()?;
    let away_mm = *numbers("CMOS1_GONIO_VALUES")?.first()?;
    let [fx, fy, fz, sx, sy, sz] = axes;
    Some(PlacedPanel {
        origin_mm: scale(away_mm, origin),
        fast: [fx, fy, fz],
        slow: [sx, sy, sz],
        ..PlacedPanel::default()
    })
}

/// What the header of an SMV image says: the vectors of a d*TREK header; near point and beam spot, which headers of the
/// C program and of this one tell in pixels of the image, whatever the convention of the run; of others BEAM_CENTER_X
/// and _Y, as MOSFLM's. Without vectors a detector that is not at right angles to the beam has no geometry.
fn of_smv(path: &Path, header: &Header) -> Result<Option<Described>, nanobragg::io::Error> {
    let number = |key: &str| header_number(header, key);
    let basic = (number("SIZE1")?.zip(number("SIZE2")?)).zip(number("PIXEL_SIZE")?);
    let (Some(((fast, slow), pixel_mm)), Some(wavelength)) = (basic, number("WAVELENGTH")?) else {
        return Ok(None);
    };
    let near = number("ORGX")?.zip(number("ORGY")?);
    let adxv = number("ADXV_CENTER_X")?.zip(number("ADXV_CENTER_Y")?);
    let mosflm = number("BEAM_CENTER_X")?.zip(number("BEAM_CENTER_Y")?);
    let described = match (near, adxv, number("CLOSE_DISTANCE")?, mosflm) {
        (Some((org_x, org_y)), Some((x, y)), Some(close_mm), _) => {
            let near = [org_x - 0.5, org_y - 0.5];
            let spot = [x / pixel_mm, slow - y / pixel_mm];
            let mut described = flat([fast, slow], pixel_mm, near, spot, close_mm, wavelength);
            let is_tilted = near.iter().zip(spot).any(|(a, b)| (a - b).abs() > SAME_PX);
            match (of_vectors(path), described.panels.first_mut()) {
                (Some(placed), Some(panel)) => {
                    panel.origin_mm = placed.origin_mm;
                    panel.fast = placed.fast;
                    panel.slow = placed.slow;
                    described.beam_direction = Some([0.0, 0.0, -1.0]);
                }
                _ if is_tilted => return Ok(None),
                _ => {}
            }
            described
        }
        (_, _, _, Some((x, y))) if number("TWOTHETA")?.unwrap_or(0.0) == 0.0 => {
            let Some(distance_mm) = number("DISTANCE")? else {
                return Ok(None);
            };
            let spot = [y / pixel_mm, x / pixel_mm];
            flat([fast, slow], pixel_mm, spot, spot, distance_mm, wavelength)
        }
        _ => return Ok(None),
    };
    let start = number("OSC_START")?.or(number("PHI")?);
    Ok(Some(Described {
        phi_start_deg: start,
        phi_width_deg: number("OSC_RANGE")?,
        ..described
    }))
}

/// What a CBF says: the axes of the imgCIF tables of this program, or the miniCBF header of a detector at right angles to
/// the beam.
fn of_cbf(path: &Path) -> Option<Described> {
    let head = beginning(path)?;
    let line = |key: &str| {
        let mut lines = head.lines().filter_map(|line| line.strip_prefix("# "));
        lines.find_map(|line| line.strip_prefix(key))
    };
    let numbers = |key: &str| -> Option<Vec<f64>> {
        let words = line(key)?.split(|c: char| c.is_whitespace() || "(),=".contains(c));
        Some(words.filter_map(|word| word.parse().ok()).collect())
    };
    let number = |key: &str| numbers(key)?.first().copied();
    let size = |key: &str| {
        let mut lines = head.lines().filter_map(|line| line.strip_prefix(key));
        lines.next()?.trim().parse::<f64>().ok()
    };
    let sides = [
        size("X-Binary-Size-Fastest-Dimension:")?,
        size("X-Binary-Size-Second-Dimension:")?,
    ];
    let pixel_mm = number("Pixel_size")? * 1e3;
    let spot = match numbers("Beam_xy")?.as_slice() {
        [x, y, ..] => [*x, *y],
        _ => return None,
    };
    let is_swung = number("Detector_2theta").unwrap_or(0.0) != 0.0;
    if is_swung && !head.contains("_axis.vector[1]") {
        return None;
    }
    let distance_mm = number("Detector_distance")? * 1e3;
    let wavelength = number("Wavelength")?;
    let mut described = flat(sides, pixel_mm, spot, spot, distance_mm, wavelength);
    described.phi_start_deg = number("Start_angle");
    described.phi_width_deg = number("Angle_increment");
    let axis = |key: &str| {
        let mut lines = head.lines().filter_map(|line| line.strip_prefix(key));
        let numbers = lines.next()?.split_whitespace().map(str::parse::<f64>);
        <[f64; 6]>::try_from(numbers.collect::<Result<Vec<_>, _>>().ok()?).ok()
    };
    if head.contains("_axis.vector[1]") {
        // The source is along z, and DETECTOR_Z is not displaced.
        let [x, y, z, ..] = axis(" ELEMENT_FAST translation detector ELEMENT_SLOW ")?;
        let [sx, sy, sz, ox, oy, oz] = axis(" ELEMENT_SLOW translation detector DETECTOR_Z ")?;
        let panel = described.panels.first_mut()?;
        panel.fast = [x, y, z];
        panel.slow = [sx, sy, sz];
        panel.origin_mm = [ox, oy, oz];
        described.beam_direction = Some([0.0, 0.0, -1.0]);
    }
    Some(described)
}

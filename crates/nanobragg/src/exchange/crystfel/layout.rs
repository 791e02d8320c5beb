//! Where a geometry finds pixels, masks and numbers in image files.

use std::collections::BTreeMap;

use nanobragg_geometry::vector::{norm, sub};
use nanobragg_io::Exposure;
use nanobragg_io::nexus::{Holds, Number, Part, View, ViewAxis, mask_path};
use nanobragg_sources::energy_ev_from_wavelength_m;

use super::entry::Entry;
use super::groups::Groups;
use super::panel::GeomPanel;
use super::read::{Geom, Outside, Section};
use super::turned_about_y;
use crate::exchange::described::Ignored;
use crate::exchange::geometry::PlacedPanel;

/// The most axes of an array, and the most masks of a panel.
const MOST_AXES: usize = 16;
const MOST_MASKS: usize = 8;

/// The path of the pixels where a geometry gives none.
const DATA: &str = "/data/data";

/// How far a detector may be from where the geometry puts it without a warning, in mm.
const UNNOTICED_MM: f64 = 1e-6;

/// The same of the components of its axes, and of the wavelength, which CrystFEL converts with a constant of its own.
const UNNOTICED: f64 = 1e-6;

/// What a geometry says of image files, by which CrystFEL reads files with these datasets, and its groups of panels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DataLayout {
    pub(super) groups: Groups,
    /// Pixels, masks and saturation.
    views: Vec<View>,
    /// The wavelength, if it stands in image files.
    wavelength: Option<View>,
    /// Paths of the camera length, each with its units in a metre.
    clen: Vec<(String, f64)>,
    /// The same of the shift of the detector along x and y.
    shift: [Option<(String, f64)>; 2],
    /// The camera length with which the panels were placed.
    camera_m: f64,
    /// The panels as the geometry places them.
    panels: Vec<PlacedPanel>,
    wavelength_angstrom: Option<f64>,
    /// Whether a file has room for several images.
    holds_series: bool,
}

impl DataLayout {
    /// Whether a file of this layout can hold several images.
    pub fn holds_series(&self) -> bool {
        self.views.is_empty() || self.holds_series
    }

    /// The datasets of a file with these panels; none if they are not those of the geometry.
    pub(crate) fn views(&self, exposures: &[Exposure]) -> Vec<View> {
        let Some(exposure) = exposures
            .first()
            .filter(|_| exposures.len() == self.panels.len())
        else {
            return Vec::new();
        };
        let [x, y, z] = self.moved_mm(exposure).map(|mm| mm / 1000.0);
        let number = |path: &str, value: f64, unit| View {
            path: path.to_owned(),
            holds: Holds::Number(Number::Constant(value), unit),
        };
        let length = |path: &str, metres: f64, per_metre: f64| {
            let unit = if per_metre == 1.0 { "m" } else { "mm" };
            number(path, metres * per_metre, unit)
        };
        let mut views = self.views.clone();
        views.extend(self.wavelength.clone());
        let clen = self.clen.iter();
        views.extend(clen.map(|(path, per_metre)| length(path, self.camera_m + z, *per_metre)));
        for (place, metres) in self.shift.iter().zip([x, y]) {
            views.extend(
                place
                    .iter()
                    .map(|(path, per_metre)| length(path, metres, *per_metre)),
            );
        }
        views
    }

    /// What makes CrystFEL see these panels elsewhere, in sentences.
    pub(crate) fn warnings(&self, exposures: &[Exposure]) -> Vec<String> {
        // Without views the geometry says nothing of files.
        let Some((exposure, first)) = exposures.first().zip(self.panels.first()) else {
            return Vec::new();
        };
        if exposures.len() != self.panels.len() {
            return vec![
                "the panels are not those of -geom: the HDF5 file has no datasets for it"
                    .to_owned(),
            ];
        }
        let [x, y, z] = self.moved_mm(exposure);
        let [of_x, of_y] = self.shift.each_ref().map(Option::is_some);
        let kept = [(x, of_x), (y, of_y), (z, !self.clen.is_empty())];
        let is_moved = kept
            .iter()
            .any(|(mm, is_stated)| !is_stated && mm.abs() > UNNOTICED_MM);
        let is_turned = [(exposure.fast, first.fast), (exposure.slow, first.slow)]
            .into_iter()
            .any(|(here, there)| norm(sub(here, there)) > UNNOTICED);
        let mut warnings = Vec::new();
        if self.hides_mask() {
            warnings.push(format!(
                "the geometry of -geom has a mask of another shape or meaning at {}, where DIALS reads that of NXmx",
                mask_path([])
            ));
        }
        if is_moved || is_turned {
            warnings.push(
                "flags move the detector from where -geom puts it: give CrystFEL the file of -geomfile in its place"
                    .to_owned(),
            );
        }
        let here = exposure.wavelength_angstrom;
        let differs = |there: f64| (here - there).abs() > UNNOTICED * here;
        if self.wavelength.is_none() && self.wavelength_angstrom.is_some_and(differs) {
            warnings.push(format!(
                "the wavelength is {here} A, not that of -geom: give CrystFEL the file of -geomfile in its place"
            ));
        }
        warnings
    }

    /// Whether a mask is where that of NXmx is, and has the panels elsewhere than one below the other, or panels of
    /// several widths, or bits for the pixels that are used.
    fn hides_mask(&self) -> bool {
        let widths = self.panels.iter().map(|panel| panel.pixels[0] as usize);
        let is_beside = mask_path(widths) != mask_path([]);
        self.views.iter().any(|view| match &view.holds {
            Holds::Mask(axes, parts) if view.path == mask_path([]) => {
                let mut next = 0;
                let is_below = |(part, panel): (&Part, &PlacedPanel)| {
                    let first = next;
                    next += u64::from(panel.pixels[1]);
                    part.at == [first, 0] && part.good == 0
                };
                is_beside || axes.len() > 2 || !parts.iter().zip(&self.panels).all(is_below)
            }
            _ => false,
        })
    }

    /// By how much the first panel is moved from where the geometry puts it, in mm along x, y and z of CrystFEL.
    fn moved_mm(&self, exposure: &Exposure) -> [f64; 3] {
        let there = self
            .panels
            .first()
            .map_or([0.0; 3], |panel| panel.origin_mm);
        turned_about_y(sub(exposure.origin_mm, there))
    }
}

/// The layout of a geometry that names datasets or dimensions; `None` for another one.
///
/// # Errors
/// What cannot be laid out, with the reason.
pub(super) fn data_layout(
    geom: &Geom<'_>,
    panels: &[GeomPanel<'_>],
    outside: Outside,
    wavelength_angstrom: Option<f64>,
) -> Result<Option<DataLayout>, Ignored> {
    let names_array = |section: &Section<'_>| {
        let dimensions = (0..MOST_AXES).any(|n| geom.of(section, &format!("dim{n}")).is_some());
        dimensions || geom.of(section, "data").is_some()
    };
    if !geom.panels.iter().any(names_array) {
        return Ok(None);
    }
    let mut arrays = Arrays::default();
    let mut clen = BTreeMap::new();
    for (number, (section, panel)) in geom.panels.iter().zip(panels).enumerate() {
        let axes = Axes::of(geom, section, panel)?;
        let data = geom.of(section, "data");
        let path = data.map_or(DATA, |entry| entry.value);
        arrays.add(path, Kind::Pixels, axes.part(number, [0; 2]), data)?;
        for mask in masks(geom, section)? {
            if mask.file.is_none() {
                let part = axes.without_images().part(number, [mask.good, mask.bad]);
                arrays.add(mask.path.value, Kind::Mask, part, Some(mask.path))?;
            }
        }
        if let Some(map) = geom.of(section, "saturation_map")
            && geom.of(section, "saturation_map_file").is_none()
        {
            let part = axes.without_images().part(number, [0; 2]);
            arrays.add(map.value, Kind::Saturation, part, Some(map))?;
        }
        let entry = geom.of(section, "clen").or_else(|| geom.last("clen"));
        // Without a unit it is in mm, for historical reasons.
        if let Some((path, unit)) = entry.and_then(Entry::elsewhere) {
            clen.insert(path.to_owned(), if unit == "m" { 1.0 } else { 1000.0 });
        }
    }
    arrays.check_sizes(panels)?;
    let shift = ["detector_shift_x", "detector_shift_y"].map(|key| {
        let (path, unit) = geom.last(key)?.elsewhere()?;
        Some((path.to_owned(), if unit == "mm" { 1000.0 } else { 1.0 }))
    });
    Ok(Some(DataLayout {
        groups: Groups::default(),
        holds_series: arrays.hold_series(),
        views: arrays.views(),
        wavelength: wavelength(geom),
        clen: clen.into_iter().collect(),
        shift,
        camera_m: outside.camera_length_m.unwrap_or(0.0),
        panels: panels.iter().map(|panel| panel.placed.clone()).collect(),
        wavelength_angstrom,
    }))
}

/// The wavelength or energy that stands in image files.
fn wavelength(geom: &Geom<'_>) -> Option<View> {
    let line = geom.of_wavelength()?;
    let (path, unit) = line.elsewhere()?;
    let ev = energy_ev_from_wavelength_m(1e-10);
    let (number, unit) = match (line.key, unit) {
        ("wavelength", "m") => (Number::TimesWavelength(1e-10), "m"),
        ("wavelength", _) => (Number::TimesWavelength(1.0), "angstrom"),
        (_, "keV") => (Number::OverWavelength(ev / 1000.0), "keV"),
        _ => (Number::OverWavelength(ev), "eV"),
    };
    Some(View {
        path: path.to_owned(),
        holds: Holds::Number(number, unit),
    })
}

/// The axes of an array, and where a panel is along each.
#[derive(Debug, Clone)]
struct Axes(Vec<(ViewAxis, u64)>);

impl Axes {
    fn of(geom: &Geom<'_>, section: &Section<'_>, panel: &GeomPanel<'_>) -> Result<Self, Ignored> {
        let [[first_f, _], [first_s, _]] = panel.in_data.map(|range| range.map(u64::from));
        let mut axes = Vec::new();
        let mut last = None;
        for number in 0..MOST_AXES {
            let entry = geom.of(section, &format!("dim{number}"));
            let value = match (entry, number) {
                (Some(entry), _) => entry.value,
                (None, 0) => "ss",
                (None, 1) => "fs",
                (None, _) => continue,
            };
            last = entry.or(last);
            let axis = match value {
                "%" => (ViewAxis::Image, 0),
                "ss" => (ViewAxis::Slow, first_s),
                "fs" => (ViewAxis::Fast, first_f),
                fixed => match fixed.parse() {
                    // A longer axis would make a file that is mostly empty.
                    Ok(place @ 0..10_000) => (ViewAxis::Fixed, place),
                    _ => {
                        return Err(unlike(
                            entry,
                            "a dimension is %, ss, fs or a number up to 9999",
                        ));
                    }
                },
            };
            if axes.len() != number {
                return Err(unlike(entry, "a dimension before it is missing"));
            }
            axes.push(axis);
        }
        let kinds: Vec<ViewAxis> = axes.iter().map(|(kind, _)| *kind).collect();
        let count = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
        let ends_so = kinds.ends_with(&[ViewAxis::Slow, ViewAxis::Fast]);
        if !ends_so || count(ViewAxis::Slow) + count(ViewAxis::Fast) != 2 {
            return Err(unlike(
                last,
                "the last dimensions must be ss and fs, in this order; HDF5 files have no datasets for this geometry",
            ));
        }
        Ok(Self(axes))
    }

    /// The axes of one image.
    fn without_images(&self) -> Self {
        let axes = self.0.iter().filter(|(kind, _)| *kind != ViewAxis::Image);
        Self(axes.copied().collect())
    }

    fn part(&self, panel: usize, [good, bad]: [u32; 2]) -> (Vec<ViewAxis>, Part) {
        let (kinds, at) = self.0.iter().copied().unzip();
        let part = Part {
            panel,
            at,
            good,
            bad,
        };
        (kinds, part)
    }
}

/// A mask of a panel.
pub(super) struct PanelMask<'g, 't> {
    pub(super) path: &'g Entry<'t>,
    /// Its own file, if it does not stand in image files.
    pub(super) file: Option<&'g Entry<'t>>,
    pub(super) good: u32,
    pub(super) bad: u32,
}

/// The masks of a panel.
///
/// # Errors
/// Bits that are no number.
pub(super) fn masks<'g, 't>(
    geom: &'g Geom<'t>,
    section: &'g Section<'t>,
) -> Result<Vec<PanelMask<'g, 't>>, Ignored> {
    let mut masks = Vec::new();
    for number in 0..MOST_MASKS {
        // The keys without a number are those of the first mask.
        let find = |new: &str, old: &str| {
            let old = geom.of(section, old).filter(|_| number == 0);
            let found = [geom.of(section, &format!("mask{number}_{new}")), old];
            let found = found.into_iter().flatten();
            found.max_by_key(|entry| (!entry.owner.is_empty(), entry.number_of_line()))
        };
        let bits = |new: &str, old: &str| {
            let Some(entry) = find(new, old) else {
                return Ok(0);
            };
            let hex = entry
                .value
                .strip_prefix("0x")
                .or(entry.value.strip_prefix("0X"));
            let bits = hex.map_or(entry.value.parse(), |hex| u32::from_str_radix(hex, 16));
            bits.map_err(|_| unlike(Some(entry), "bits are a whole number, as 0xff"))
        };
        let mask = PanelMask {
            path: match find("data", "mask") {
                Some(path) => path,
                None => continue,
            },
            file: find("file", "mask_file"),
            good: bits("goodbits", "mask_good")?,
            bad: bits("badbits", "mask_bad")?,
        };
        masks.push(mask);
    }
    Ok(masks)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pixels,
    Mask,
    Saturation,
}

/// The arrays of an image file by their paths.
#[derive(Debug, Default)]
struct Arrays(BTreeMap<String, (Kind, Vec<ViewAxis>, Vec<Part>)>);

impl Arrays {
    fn add(
        &mut self,
        path: &str,
        kind: Kind,
        (axes, part): (Vec<ViewAxis>, Part),
        entry: Option<&Entry<'_>>,
    ) -> Result<(), Ignored> {
        let names = path.split('/').filter(|name| !name.is_empty());
        if names.clone().any(|name| name.contains('%') && name != "%") || path.contains('\0') {
            return Err(unlike(entry, "a % is a whole name of the path"));
        }
        if names.clone().next().is_none() || names.clone().any(|name| name == "." || name == "..") {
            return Err(unlike(entry, "it is no path of a dataset"));
        }
        let path = names.fold(String::new(), |path, name| path + "/" + name);
        let (known, known_axes, parts) =
            (self.0.entry(path)).or_insert_with(|| (kind, axes.clone(), Vec::new()));
        if *known != kind || *known_axes != axes {
            return Err(unlike(entry, "other lines need another array at this path"));
        }
        // A panel whose mask stands twice at one path has the bits of both.
        match parts.iter_mut().find(|other| other.panel == part.panel) {
            Some(other) => {
                other.good |= part.good;
                other.bad |= part.bad;
            }
            None => parts.push(part),
        }
        Ok(())
    }

    /// Refuses masks that would be mostly empty and too large for a file: a number of a dimension is a typing error.
    fn check_sizes(&self, panels: &[GeomPanel<'_>]) -> Result<(), Ignored> {
        let stored = |kind: Kind| kind != Kind::Pixels;
        for (_, axes, parts) in self.0.values().filter(|(kind, ..)| stored(*kind)) {
            let side = |(axis, kind): (usize, &ViewAxis)| {
                let ends = parts.iter().filter_map(|part| {
                    let [fast, slow] = panels.get(part.panel)?.placed.pixels.map(u64::from);
                    let length = match kind {
                        ViewAxis::Image | ViewAxis::Fixed => 1,
                        ViewAxis::Slow => slow,
                        ViewAxis::Fast => fast,
                    };
                    Some(part.at.get(axis)? + length)
                });
                ends.max().unwrap_or(1)
            };
            let bytes = axes.iter().enumerate().map(side);
            let bytes = bytes.fold(4, u64::saturating_mul);
            if bytes > u64::from(u32::MAX) {
                return Err(unlike(None, "a mask must be smaller than 4 GiB"));
            }
        }
        Ok(())
    }

    fn hold_series(&self) -> bool {
        let mut pixels = self
            .0
            .iter()
            .filter(|(_, (kind, ..))| *kind == Kind::Pixels);
        pixels.all(|(path, (_, axes, _))| {
            axes.contains(&ViewAxis::Image) || path.split('/').any(|name| name == "%")
        })
    }

    fn views(self) -> Vec<View> {
        let arrays = self.0.into_iter().map(|(path, (kind, axes, parts))| View {
            path,
            holds: match kind {
                Kind::Pixels => Holds::Pixels(axes, parts),
                Kind::Mask => Holds::Mask(axes, parts),
                Kind::Saturation => Holds::Saturation(axes, parts),
            },
        });
        arrays.collect()
    }
}

/// That the HDF5 file of a run has no datasets for this geometry.
fn unlike(entry: Option<&Entry<'_>>, reason: &'static str) -> Ignored {
    Ignored {
        place: format!(
            "{}: where pixels lie in image files",
            entry.map_or_else(|| "data".to_owned(), Entry::place)
        ),
        reason,
    }
}

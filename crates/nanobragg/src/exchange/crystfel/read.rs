//! From a geometry to a detector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanobragg_sources::wavelength_m_from_energy_ev;

use super::bad;
use super::entry::{Entry, FileLength, entries};
use super::groups::Groups;
use super::keys::{self, Key};
use super::panel::GeomPanel;
use super::{DataLayout, layout, mask_file};
use crate::error::Error;
use crate::exchange::described::{Described, Ignored};
use crate::exchange::file;

/// The most panels of a detector; each is compared with all others.
const MOST_PANELS: usize = 10_000;

/// Numbers from elsewhere, for a geometry that takes them from image files.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outside {
    /// The camera length in metres, to which `coffset` is added; used where the file has no number.
    pub camera_length_m: Option<f64>,
    /// Whether the wavelength is known.
    pub has_wavelength: bool,
}

/// Reads the geometry in the file at `path`.
///
/// # Errors
/// [`Error::Unreadable`], [`Error::FileTooLarge`], or what [`parse`] finds.
pub fn read(path: impl AsRef<Path>, outside: Outside) -> Result<Described, Error> {
    let path = path.as_ref();
    let _span = tracing::debug_span!("read_geom", path = %path.display()).entered();
    let name = path.display().to_string();
    described(
        &file::bytes_of(path)?,
        &name,
        outside,
        &folders_of_masks(path),
    )
}

/// The files of masks that the geometry at `path` names and that are there, each once; none of a geometry that cannot be
/// read.
pub fn mask_files(path: &Path) -> Vec<PathBuf> {
    let Ok(bytes) = file::bytes_of(path) else {
        return Vec::new();
    };
    let text = text_of(&bytes);
    let geom = Geom::new(&text, "");
    geom.map_or_else(
        |_| Vec::new(),
        |geom| mask_file::found(&geom, &folders_of_masks(path)),
    )
}

/// Where the files of masks of the geometry at `path` are looked for.
fn folders_of_masks(path: &Path) -> [&Path; 2] {
    [Path::new(""), nanobragg_io::folder_of(path)]
}

/// The text of a geometry.
fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\r', "\n");
    text.strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text)
}

/// The geometry in the bytes of a file; `name` is for messages. Files of masks that it names are not read.
///
/// # Errors
/// [`Error::FileValue`] naming line and key, [`Error::FileLacks`] naming the key.
pub fn parse(bytes: &[u8], name: &str, outside: Outside) -> Result<Described, Error> {
    described(bytes, name, outside, &[])
}

/// The same; the files of masks are in one of the folders `masks_at`.
fn described(
    bytes: &[u8],
    name: &str,
    outside: Outside,
    masks_at: &[&Path],
) -> Result<Described, Error> {
    let text = text_of(bytes);
    let geom = Geom::new(&text, name)?;
    let mut described = Described {
        // The beam of CrystFEL runs along its z.
        beam_direction: Some([0.0, 0.0, -1.0]),
        wavelength_angstrom: geom.wavelength_angstrom(outside)?,
        ignored: geom.not_used(),
        ..Described::default()
    };
    if let Some(section) = geom.panels.get(MOST_PANELS) {
        return Err(Error::FileValue {
            place: section.line.clone(),
            found: format!("panel {}", MOST_PANELS + 1),
            expected: "at most 10000 panels",
        });
    }
    let mut panels = Vec::new();
    for (number, section) in geom.panels.iter().enumerate() {
        let panel = GeomPanel::read(&geom, section, outside)?;
        let masked = &mut described.masked;
        GeomPanel::left_out(&geom, section, number, panel.placed.pixels, masked)?;
        panels.push(panel);
    }
    if panels.is_empty() {
        return Err(Error::FileLacks {
            place: format!("{name}: a panel, with lines such as `p0/min_fs = 0`,"),
        });
    }
    refuse_overlaps(&geom, &panels)?;
    for section in &geom.bad {
        bad::masked(section, &panels, &mut described.masked)?;
    }
    mask_file::masked(&geom, &panels, masks_at, &mut described)?;
    let wavelength = described.wavelength_angstrom;
    let mut data_layout = match layout::data_layout(&geom, &panels, outside, wavelength) {
        Ok(data_layout) => data_layout.unwrap_or_default(),
        Err(unlike) => {
            if !described.ignored.contains(&unlike) {
                described.ignored.push(unlike);
            }
            DataLayout::default()
        }
    };
    let (groups, refused) = Groups::of_geom(&geom);
    data_layout.groups = groups;
    described.data_layout = Some(Arc::new(data_layout));
    described.ignored.extend(refused);
    take_gain(&panels, &mut described);
    described.ignored.extend(off_square(&panels));
    described.panels = panels.into_iter().map(|panel| panel.placed).collect();
    Ok(described)
}

/// The lines of a file, by what they are about.
#[derive(Debug)]
pub(super) struct Geom<'t> {
    /// Of each key without a panel: its lines, with their places among all lines.
    of_all: BTreeMap<&'t str, Vec<(usize, Entry<'t>)>>,
    pub(super) panels: Vec<Section<'t>>,
    pub(super) bad: Vec<Section<'t>>,
}

/// The lines about one panel or bad region.
#[derive(Debug)]
pub(super) struct Section<'t> {
    pub(super) name: &'t str,
    /// The place of its first line among all lines. Lines without a panel before it hold for it.
    begins: usize,
    /// File and line of its first line.
    line: String,
    pub(super) own: BTreeMap<&'t str, Entry<'t>>,
}

impl Section<'_> {
    /// That no line sets `key`.
    pub(super) fn lacks(&self, key: &str) -> Error {
        Error::FileLacks {
            place: format!("{}: {}/{key}", self.line, self.name),
        }
    }
}

impl<'t> Geom<'t> {
    fn new(text: &'t str, name: &'t str) -> Result<Self, Error> {
        let mut geom = Self {
            of_all: BTreeMap::new(),
            panels: Vec::new(),
            bad: Vec::new(),
        };
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, entry) in entries(text, name)?.into_iter().enumerate() {
            if entry.owner.is_empty() {
                let lines = geom.of_all.entry(entry.key).or_default();
                lines.push((place, entry));
                continue;
            }
            let sections = match entry.owner.starts_with("bad") {
                true => &mut geom.bad,
                false => &mut geom.panels,
            };
            let index = *known.entry(entry.owner).or_insert(sections.len());
            if index == sections.len() {
                sections.push(Section {
                    name: entry.owner,
                    begins: place,
                    line: entry.line(),
                    own: BTreeMap::new(),
                });
            }
            if let Some(section) = sections.get_mut(index) {
                section.own.insert(entry.key, entry);
            }
        }
        Ok(geom)
    }

    /// The line that sets `key` of a panel: its own, or the last for all panels before its first line.
    pub(super) fn of<'g>(&'g self, section: &'g Section<'t>, key: &str) -> Option<&'g Entry<'t>> {
        let before = || {
            let lines = self.of_all.get(key)?;
            let before = lines.partition_point(|(place, _)| *place < section.begins);
            lines.get(before.checked_sub(1)?)
        };
        let own = section.own.get(key);
        own.or_else(|| before().map(|(_, entry)| entry))
    }

    /// The last line without a panel that sets `key`.
    pub(super) fn last(&self, key: &str) -> Option<&Entry<'t>> {
        let lines = self.of_all.get(key)?;
        lines.last().map(|(_, entry)| entry)
    }

    /// The lines of groups, in the order of the file.
    pub(super) fn of_groups(&self) -> impl Iterator<Item = &Entry<'t>> {
        let is_group = |key: &str| key.starts_with("group_") || key.starts_with("rigid_group_");
        let lines = self.of_all.iter().filter(move |(key, _)| is_group(key));
        let mut lines: Vec<_> = lines.flat_map(|(_, lines)| lines).collect();
        lines.sort_by_key(|(place, _)| *place);
        lines.into_iter().map(|(_, entry)| entry)
    }

    /// The line that sets `key` of a panel.
    ///
    /// # Errors
    /// [`Error::FileLacks`].
    pub(super) fn need<'g>(
        &'g self,
        section: &'g Section<'t>,
        key: &str,
    ) -> Result<&'g Entry<'t>, Error> {
        let of_all = || self.last(key).filter(|_| key == "clen");
        let found = self.of(section, key).or_else(of_all);
        found.ok_or_else(|| section.lacks(key))
    }

    /// The shift of all panels in metres, x and y.
    ///
    /// # Errors
    /// [`Error::FileValue`].
    pub(super) fn shift_m(&self) -> Result<[f64; 2], Error> {
        let mut shift = [0.0; 2];
        let keys = ["detector_shift_x", "detector_shift_y"];
        for (place, key) in shift.iter_mut().zip(keys) {
            if let Some(entry) = self.last(key) {
                *place = match entry.length()? {
                    FileLength::Metres(metres) => metres,
                    FileLength::Elsewhere => 0.0,
                };
            }
        }
        Ok(shift)
    }

    /// The last line that gives the wavelength.
    pub(super) fn of_wavelength(&self) -> Option<&Entry<'t>> {
        let keys = ["photon_energy", "wavelength", "electron_voltage"];
        let lines = keys.iter().filter_map(|key| self.of_all.get(key)?.last());
        let last = lines.max_by_key(|(place, _)| *place);
        last.map(|(_, entry)| entry)
    }

    /// The wavelength of the last line that gives one.
    fn wavelength_angstrom(&self, outside: Outside) -> Result<Option<f64>, Error> {
        let Some(entry) = self.of_wavelength() else {
            return Ok(None);
        };
        let value = match entry.key {
            "photon_energy" => {
                let units = [("eV", 1.0), ("keV", 1000.0)];
                let energy_ev =
                    entry.quantity(units, Some(1.0), "a number above 0 with the unit eV or keV")?;
                energy_ev.map(|energy_ev| wavelength_m_from_energy_ev(energy_ev) * 1e10)
            }
            "wavelength" => {
                let units = [("A", 1.0), ("m", 1e10)];
                entry.quantity(units, None, "a number above 0 with the unit A or m")?
            }
            _ => {
                return Err(
                    entry.wrong("photon_energy or wavelength in its place: there are no electrons")
                );
            }
        };
        if value.is_none() && !outside.has_wavelength {
            return Err(
                entry.wrong("a number: it stands in image files, and -lambda or -energy gives it")
            );
        }
        Ok(value)
    }

    /// The lines without effect of which a user should hear, each key once.
    fn not_used(&self) -> Vec<Ignored> {
        let mut ignored = Vec::new();
        let mut heard = BTreeSet::new();
        let mut hear = |entry: &Entry<'t>, reason: &'static str, hint: Option<&str>| {
            if heard.insert((entry.owner.starts_with("bad"), entry.key)) {
                let hint = hint.map_or(String::new(), |near| format!(" (meant is perhaps {near})"));
                let place = format!("{}{hint}", entry.place());
                ignored.push(Ignored { place, reason });
            }
        };
        let of_all = self.of_all.values().flatten().map(|(_, entry)| entry);
        let of_panels = self.panels.iter().flat_map(|section| section.own.values());
        for entry in of_all.chain(of_panels) {
            match keys::key(entry.key) {
                Key::Used | Key::ForProcessing => {}
                Key::NotUsed(reason) => hear(entry, reason, None),
                Key::Unknown => hear(
                    entry,
                    "CrystFEL has no such key",
                    keys::nearest(entry.key, false),
                ),
            }
        }
        for entry in self.bad.iter().flat_map(|section| section.own.values()) {
            if !keys::OF_BAD_REGION.contains(&entry.key) {
                hear(
                    entry,
                    "a bad region has no such key",
                    keys::nearest(entry.key, true),
                );
            }
        }
        for key in ["detector_shift_x", "detector_shift_y"] {
            if let Some(entry) = self
                .last(key)
                .filter(|e| matches!(e.length(), Ok(FileLength::Elsewhere)))
            {
                hear(
                    entry,
                    "it stands in image files; -Xbeam and -Ybeam move the detector",
                    None,
                );
            }
        }
        let end = self.panels.last().map_or(0, |section| section.begins);
        let late = self.of_all.values().flatten();
        for (_, entry) in
            late.filter(|(place, entry)| *place > end && keys::is_of_panels(entry.key))
        {
            hear(
                entry,
                "it holds for panels after it, and there is none",
                None,
            );
        }
        ignored
    }

    /// The array of the image file that holds a panel: its path, and the dimensions with a number.
    fn array(&self, section: &Section<'t>) -> Vec<(&'t str, &'t str)> {
        let is_of_array = |key: &str| key == "data" || key.starts_with("dim");
        let own = section.own.keys().copied();
        let keys: BTreeSet<&str> = (own.chain(self.of_all.keys().copied()))
            .filter(|key| is_of_array(key))
            .collect();
        let entries = keys.into_iter().filter_map(|key| self.of(section, key));
        entries.map(|entry| (entry.key, entry.value)).collect()
    }
}

/// Refuses panels that share pixels of an image file.
fn refuse_overlaps(geom: &Geom<'_>, panels: &[GeomPanel<'_>]) -> Result<(), Error> {
    let mut arrays: BTreeMap<_, Vec<&GeomPanel<'_>>> = BTreeMap::new();
    for (section, panel) in geom.panels.iter().zip(panels) {
        let same = arrays.entry(geom.array(section)).or_default();
        let meets = |other: &&&GeomPanel<'_>| {
            let mut axes = panel.in_data.iter().zip(&other.in_data);
            axes.all(|([first, last], [from, to])| first <= to && from <= last)
        };
        if let Some(other) = same.iter().find(meets) {
            return Err(Error::FileValue {
                place: geom.need(section, "min_ss")?.place(),
                found: format!("pixels that {} has too", other.name),
                expected: "pixels that no other panel has",
            });
        }
        same.push(panel);
    }
    Ok(())
}

/// The panel whose pixels are farthest from the square grid that a run has.
fn off_square(panels: &[GeomPanel<'_>]) -> Option<Ignored> {
    let off = panels
        .iter()
        .filter_map(|panel| Some((panel.name, panel.off_square.as_ref()?)));
    let count = off.clone().count();
    let (name, (px, line)) = off.max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))?;
    let others = match count {
        1 => String::new(),
        count => format!(", and those of {} panels by less,", count - 1),
    };
    Some(Ignored {
        place: format!(
            "{line}: what takes pixels of {name} {px:.2} pixels from a square grid{others}"
        ),
        reason: "pixels are square",
    })
}

/// Takes the gain if it is the same for all panels.
fn take_gain(panels: &[GeomPanel<'_>], into: &mut Described) {
    let mut gains = panels.iter().filter_map(|panel| panel.gain.as_ref());
    let Some((first, _)) = gains.next() else {
        return;
    };
    match gains.find(|(gain, _)| gain != first) {
        Some((_, other)) => into.ignored.push(Ignored {
            place: other.place(),
            reason: "panels differ in their gain; -gain gives one for all",
        }),
        None => into.gain = Some(*first),
    }
}

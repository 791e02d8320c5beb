//! From an experiment to a geometry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use nanobragg_geometry::Panel;
use nanobragg_io::nexus::mask_path;
use nanobragg_response::ResponseSpec;
use nanobragg_sources::energy_ev_from_wavelength_m;

use super::groups::Groups;
use super::{DataLayout, turned_about_y};
use crate::exchange::geometry::{Geometry, PlacedPanel};
use crate::exposure::{masked_bits, with_beam_along_z};
use crate::mask::{MaskedRegion, regions_of};
use crate::resolve::Resolved;

/// The most bad regions that are written beside a mask that has them too.
const MOST_REGIONS: usize = 1000;

/// Numbers smaller than this are 0: in pixels, in metres times 1000, or of a unit vector.
const NOTHING: f64 = 1e-12;

/// How the pixels of an image lie in its file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// As in the HDF5 files of this program: `/entry/data/data`, shape `[image][slow][fast]`, panels one below the
    /// other, masked pixels in `pixel_mask`.
    #[default]
    Hdf5,
    /// One array of two dimensions, as in a CBF.
    Image,
}

/// The text of a geometry for the images of a resolved experiment, with the gain and the saturation of
/// this response. `geometry` is that of the experiment. Groups of panels are those of the geometry `from` which the detector
/// comes, or else the modules that the names of panels say.
///
/// Numbers are written with as many digits as it takes to read them back unchanged. A beam that is not along an
/// axis of the laboratory is turned onto z by the smallest angle, and the detector with it.
pub fn write(
    resolved: &Resolved,
    geometry: &Geometry,
    response: &ResponseSpec,
    layout: Layout,
    from: Option<&DataLayout>,
) -> String {
    let panels = resolved.experiment.detector.panels();
    let masked: Vec<Vec<MaskedRegion>> = (panels.iter().enumerate())
        .map(|(index, panel)| regions(response, index, panel))
        .collect();
    let is_masked = masked.iter().any(|regions| !regions.is_empty());
    let names = names(&geometry.panels);
    let placed: Vec<Placed> = (names.iter().cloned().zip(&geometry.panels))
        .map(|(name, panel)| Placed::of(name, panel, geometry.beam.direction))
        .collect();
    let widths = panels.iter().map(|panel| panel.pixels_fast() as usize);
    let head = Head {
        energy_ev: energy_ev_from_wavelength_m(geometry.beam.wavelength_angstrom / 1e10),
        clen_m: placed.first().map_or(0.0, |panel| panel.corner_m),
        layout,
        mask: is_masked.then(|| mask_path(widths)),
    };
    let mut text = head.text(response);
    // What holds for all panels stands once, before them.
    let values: Vec<Values> = placed.iter().map(|panel| panel.values(response)).collect();
    let common = values
        .first()
        .filter(|first| values.iter().all(|other| other == *first));
    for (key, value) in common.into_iter().flatten() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    let has_room =
        layout == Layout::Image || masked.iter().map(Vec::len).sum::<usize>() <= MOST_REGIONS;
    let mut first_slow = 0;
    for ((panel, regions), values) in placed.iter().zip(&masked).zip(&values) {
        panel.write(&mut text, head.clen_m, first_slow);
        for (key, value) in values.iter().filter(|_| common.is_none()) {
            let _ = writeln!(text, "{}/{key} = {value}", panel.name);
        }
        if has_room {
            panel.write_bad(&mut text, first_slow, regions);
        }
        first_slow += panel.panel.pixels[1];
    }
    let groups = from.map(|from| &from.groups);
    match groups.filter(|groups| groups.are_of(&geometry.panels)) {
        Some(groups) => {
            let renamed = geometry.panels.iter().zip(&names);
            groups.write(
                &mut text,
                &renamed.map(|(old, new)| (&*old.name, &**new)).collect(),
            );
        }
        None => Groups::of_panels(&geometry.panels, &names).write(&mut text, &BTreeMap::new()),
    }
    text
}

/// Keys that are often the same for all panels, with their values.
type Values = Vec<(&'static str, String)>;

/// The masked and dead pixels of a panel.
fn regions(response: &ResponseSpec, index: usize, panel: &Panel) -> Vec<MaskedRegion> {
    let used: Vec<bool> = (masked_bits(response, index, panel).iter())
        .map(|bits| *bits == 0)
        .collect();
    regions_of(index, used.chunks((panel.pixels_fast() as usize).max(1)))
}

/// A name for each panel that CrystFEL reads: without blanks and signs of its own, and not for something else.
/// This is also the name in streams.
pub(super) fn names(panels: &[PlacedPanel]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name_of = |(index, panel): (usize, &PlacedPanel)| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let plain = panel
            .name
            .chars()
            .map(|c| if is_plain(c) { c } else { '_' });
        // A stream has room for 63 letters.
        let plain: String = plain.take(40).collect();
        let is_reserved = ["bad", "group", "rigid_group"]
            .iter()
            .any(|word| plain.starts_with(word));
        let mut name = match is_reserved || plain.is_empty() {
            true => format!("p{index}{plain}"),
            false => plain,
        };
        while !taken.insert(name.clone()) {
            name = format!("{name}_{index}");
        }
        name
    };
    panels.iter().enumerate().map(name_of).collect()
}

/// What all panels share.
struct Head {
    energy_ev: f64,
    clen_m: f64,
    layout: Layout,
    /// Where the mask is, if a pixel is masked.
    mask: Option<&'static str>,
}

impl Head {
    fn text(&self, response: &ResponseSpec) -> String {
        let gain = response.gain.map_or(1.0, |gain| gain.counts_per_photon);
        let data = match self.layout {
            Layout::Hdf5 => "data = /entry/data/data\ndim0 = %\ndim1 = ss\ndim2 = fs\n",
            Layout::Image => "",
        };
        let mask = match self.mask.filter(|_| self.layout == Layout::Hdf5) {
            Some(path) => format!("mask = {path}\nmask_good = 0x0000\nmask_bad = 0xffff\n"),
            None => String::new(),
        };
        format!(
            "; Geometry of images simulated by nanoBragg\n\
             photon_energy = {}\nclen = {}\nadu_per_photon = {gain}\n{data}{mask}",
            self.energy_ev,
            plain(self.clen_m, NOTHING / 1000.0)
        )
    }
}

/// A panel in the laboratory of CrystFEL.
struct Placed<'p> {
    name: String,
    panel: &'p PlacedPanel,
    /// The corner in pixels, x and y.
    corner_px: [f64; 2],
    /// The corner in metres along z.
    corner_m: f64,
    fast: [f64; 3],
    slow: [f64; 3],
}

impl<'p> Placed<'p> {
    fn of(name: String, panel: &'p PlacedPanel, beam: [f64; 3]) -> Self {
        let turned = |v: [f64; 3]| turned_about_y(with_beam_along_z(beam, v));
        let [x, y, z] = turned(panel.origin_mm);
        Self {
            name,
            panel,
            corner_px: [x, y].map(|mm| mm / panel.pixel_size_mm),
            corner_m: z / 1000.0,
            fast: turned(panel.fast),
            slow: turned(panel.slow),
        }
    }

    /// Pixels per metre, and the largest count that is known.
    fn values(&self, response: &ResponseSpec) -> Values {
        let panel = self.panel;
        let mut values = vec![("res", (1000.0 / panel.pixel_size_mm).to_string())];
        // CrystFEL takes a larger value for saturated, and a count at the limit can have been any larger one.
        let limit = response.saturation_counts;
        let limit = limit.map(|most| f64::from(most.saturating_sub(1)));
        let trusted = panel.trusted_range.map(|[_, most]| most);
        let most = match (limit, trusted) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        values.extend(most.map(|most| ("max_adu", most.to_string())));
        values
    }

    fn write(&self, text: &mut String, clen_m: f64, first_slow: u32) {
        let Self { name, panel, .. } = self;
        let [fast, slow] = panel.pixels;
        let [x, y] = self.corner_px.map(|px| plain(px, NOTHING));
        let mut line = |key: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}/{key} = {value}");
        };
        line("min_fs", 0.to_string());
        line("max_fs", fast.saturating_sub(1).to_string());
        line("min_ss", first_slow.to_string());
        line("max_ss", (first_slow + slow).saturating_sub(1).to_string());
        line("corner_x", x);
        line("corner_y", y);
        line("fs", vector(self.fast));
        line("ss", vector(self.slow));
        let offset = plain(self.corner_m - clen_m, NOTHING / 1000.0);
        if offset != "0" {
            line("coffset", offset);
        }
    }

    /// The masked rectangles, in pixels of the data.
    fn write_bad(&self, text: &mut String, first_slow: u32, regions: &[MaskedRegion]) {
        for (number, region) in regions.iter().enumerate() {
            let name = format!("bad_{}_{number}", self.name);
            let [first, last] = region.fast;
            let [top, bottom] = region.slow.map(|slow| slow + first_slow);
            let _ = writeln!(
                text,
                "{name}/panel = {}\n{name}/min_fs = {first}\n{name}/max_fs = {last}\n\
                 {name}/min_ss = {top}\n{name}/max_ss = {bottom}",
                self.name
            );
        }
    }
}

/// A vector as a sum of axes; CrystFEL reads no exponents.
fn vector([x, y, z]: [f64; 3]) -> String {
    let term = |value: f64, axis: char| {
        let sign = if value < 0.0 { "" } else { "+" };
        format!("{sign}{}{axis}", plain(value, NOTHING))
    };
    let along_z = match plain(z, NOTHING).as_str() {
        "0" => String::new(),
        _ => format!(" {}", term(z, 'z')),
    };
    format!("{} {}{along_z}", term(x, 'x'), term(y, 'y'))
}

/// A number without an exponent that reads back unchanged; 0 below `least`.
fn plain(x: f64, least: f64) -> String {
    if x.abs() < least {
        return "0".to_owned();
    }
    x.to_string()
}

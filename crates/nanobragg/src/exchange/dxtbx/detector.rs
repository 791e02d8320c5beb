//! Panels and the groups they hang in.

use nanobragg_geometry::SensorMaterial;
use nanobragg_geometry::vector::{add, cross, dot};
use nanobragg_response::ResponseSpec;
use serde_json::{Value, json};

use super::key::Key;
use crate::error::Error;
use crate::exchange::described::Described;
use crate::exchange::file::{LARGEST_SKEW, SQUARE};
use crate::exchange::geometry::{Geometry, PlacedPanel, Slab};
use crate::mask::MaskedRegion;

/// The largest value of a pixel in a 16-bit image that is not cut off.
const LARGEST_COUNT: f64 = 65_534.0;

/// The lower end of the trusted range if a count of 0 is trusted. dxtbx up to 3.12 does not trust a count at an
/// end of the range, later ones do; neither may trust the -1 of a gap.
const LEAST_TRUSTED: f64 = -0.5;

/// Origin and axes, in mm.
#[derive(Debug, Clone, Copy)]
struct Axes {
    origin: [f64; 3],
    fast: [f64; 3],
    slow: [f64; 3],
}

impl Axes {
    const LABORATORY: Self = Self {
        origin: [0.0; 3],
        fast: [1.0, 0.0, 0.0],
        slow: [0.0, 1.0, 0.0],
    };

    fn read(key: &Key<'_>) -> Result<Self, Error> {
        let slow_key = key.need("slow_axis")?;
        let axes = Self {
            origin: key.need("origin")?.numbers()?,
            fast: key.need("fast_axis")?.direction()?,
            slow: slow_key.direction()?,
        };
        if dot(axes.fast, axes.slow).abs() > LARGEST_SKEW {
            return Err(slow_key.wrong("a direction at right angles to fast_axis"));
        }
        Ok(axes)
    }

    /// These axes in the laboratory, given those of the group in which they are local.
    fn within(self, group: Self) -> Self {
        let normal = cross(group.fast, group.slow);
        let out = |[f, s, n]: [f64; 3]| {
            std::array::from_fn(|i| {
                let along = |v: [f64; 3]| v.get(i).copied().unwrap_or(0.0);
                f * along(group.fast) + s * along(group.slow) + n * along(normal)
            })
        };
        Self {
            origin: add(group.origin, out(self.origin)),
            fast: out(self.fast),
            slow: out(self.slow),
        }
    }
}

/// Takes the panels of the detector: all of them, or the one chosen.
pub(super) fn read(
    detector: &Key<'_>,
    choice: Option<usize>,
    into: &mut Described,
) -> Result<(), Error> {
    let panels = detector.need("panels")?;
    let count = panels.items()?.len();
    if count == 0 {
        return Err(panels.wrong("one panel or more"));
    }
    let chosen = choice.map_or(0..count, |index| index..index + 1);
    for index in chosen {
        let panel = panels.item(index)?;
        let placed = read_panel(detector, index, &panel, into)?;
        let is_named = |other: &PlacedPanel| !placed.name.is_empty() && other.name == placed.name;
        if into.panels.iter().any(is_named) {
            return Err(panel
                .need("name")?
                .wrong("a name that no panel before it has"));
        }
        into.panels.push(placed);
    }
    Ok(())
}

/// One panel in the laboratory.
fn read_panel(
    detector: &Key<'_>,
    index: usize,
    panel: &Key<'_>,
    into: &mut Described,
) -> Result<PlacedPanel, Error> {
    let local = Axes::read(panel)?;
    let axes = match detector.get("hierarchy") {
        None => local,
        Some(root) => {
            let group = group_of(&root, index, Axes::LABORATORY)?;
            local.within(group.ok_or_else(|| root.wrong("groups that hold every panel"))?)
        }
    };

    let size = panel.need("pixel_size")?;
    let [width, height] = size.numbers()?;
    let pixel_size_mm = size.item(0)?.positive()?;
    if (height - width).abs() > SQUARE * width {
        return Err(size.wrong("square pixels"));
    }
    let image_size = panel.need("image_size")?;
    let [_, _]: [f64; 2] = image_size.numbers()?;

    if let Some(mask) = panel.get("mask") {
        let pixels = [image_size.item(0)?.count()?, image_size.item(1)?.count()?];
        read_mask(&mask, pixels, into)?;
    }
    let strategy = panel
        .get("px_mm_strategy")
        .and_then(|strategy| strategy.get("type"));
    if let Some(strategy) = strategy.filter(|s| s.text().is_some_and(|s| s.starts_with("Offset"))) {
        into.ignored
            .push(strategy.ignored("pixels are taken to lie on a regular grid"));
    }
    let name = panel.get("name");
    let name = name.as_ref().and_then(Key::text).unwrap_or_default();
    let trusted_range = panel.get("trusted_range");
    Ok(PlacedPanel {
        name: name.to_owned(),
        origin_mm: axes.origin,
        fast: axes.fast,
        slow: axes.slow,
        pixel_size_mm,
        pixels: [image_size.item(0)?.count()?, image_size.item(1)?.count()?],
        sensor: sensor(panel)?,
        trusted_range: trusted_range.map(|range| range.numbers()).transpose()?,
    })
}

/// The untrusted rectangles of the panel that is read next: first fast and slow pixel, and those after the last.
fn read_mask(mask: &Key<'_>, [fast, slow]: [u32; 2], into: &mut Described) -> Result<(), Error> {
    for rectangle in mask.items()? {
        let [f0, s0, f1, s1]: [f64; 4] = rectangle.numbers()?;
        let range = |first: f64, end: f64, pixels: u32| {
            let (first, end) = (first.max(0.0), end.min(pixels.into()));
            (first < end).then_some([first as u32, end as u32 - 1])
        };
        if let (Some(fast), Some(slow)) = (range(f0, f1, fast), range(s0, s1, slow)) {
            into.masked.push(MaskedRegion {
                panel: into.panels.len(),
                fast,
                slow,
            });
        }
    }
    Ok(())
}

/// The axes of the group that holds panel `index`; `None` if `node` does not.
fn group_of(node: &Key<'_>, index: usize, parent: Axes) -> Result<Option<Axes>, Error> {
    let here = if node.get("fast_axis").is_some() {
        Axes::read(node)?.within(parent)
    } else {
        parent
    };
    for child in node.need("children")?.items()? {
        let found = match child.get("panel") {
            Some(panel) => (panel.count()? as usize == index).then_some(here),
            None => group_of(&child, index, here)?,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The sensor, if both its thickness and its attenuation are known.
fn sensor(panel: &Key<'_>) -> Result<Option<Slab>, Error> {
    let strategy = panel.get("px_mm_strategy");
    let number = |name: &str, older: &str| -> Result<f64, Error> {
        let stands = (strategy.as_ref()).and_then(|strategy| strategy.get(older));
        let key = stands.or_else(|| panel.get(name));
        key.map_or(Ok(0.0), |key| match key.number()? {
            x if x < 0.0 => Err(key.wrong("0 or above")),
            x => Ok(x),
        })
    };
    let slab = Slab {
        thickness_mm: number("thickness", "t0")?,
        mu_per_mm: number("mu", "mu")?,
        material: None,
    };
    Ok((slab.thickness_mm > 0.0 && slab.mu_per_mm > 0.0).then_some(slab))
}

/// The detector, with the gain, the pedestal and the saturation of this response.
pub(super) fn write(geometry: &Geometry, response: &ResponseSpec) -> Value {
    let panels = &geometry.panels;
    let gain = response.gain.map_or(1.0, |gain| gain.counts_per_photon);
    let pedestal = response.offset.unwrap_or_default().counts;
    let root = with_children(&Node::ROOT, hierarchy(panels));
    let panels: Vec<Value> = (panels.iter().enumerate())
        .map(|(index, placed)| {
            let mut panel = node(&Node::of(placed));
            if let Value::Object(panel) = &mut panel {
                let regions = geometry
                    .masked
                    .iter()
                    .filter(|region| region.panel == index);
                let rectangles: Vec<[u32; 4]> = regions
                    .map(|MaskedRegion { fast, slow, .. }| {
                        [fast[0], slow[0], fast[1] + 1, slow[1] + 1]
                    })
                    .collect();
                panel.insert("mask".to_owned(), json!(rectangles));
                panel.insert("gain".to_owned(), json!(gain));
                panel.insert("pedestal".to_owned(), json!(pedestal));
                // A count at the limit can have been any larger one.
                let trusted = response
                    .saturation_counts
                    .map(|most| [LEAST_TRUSTED, f64::from(most.saturating_sub(1))]);
                if let (Some(trusted), None) = (trusted, placed.trusted_range) {
                    panel.insert("trusted_range".to_owned(), json!(trusted));
                }
            }
            panel
        })
        .collect();
    json!({
        "panels": panels,
        "hierarchy": root,
    })
}

/// The children of the root: panels, or groups of panels that are chips of one module, by their names
/// ([`PlacedPanel::module`]). Groups have the axes of the laboratory, so that no number of a panel is rounded.
fn hierarchy(panels: &[PlacedPanel]) -> Vec<Value> {
    let leaf = |index: usize| json!({"panel": index});
    let mut modules: Vec<(&str, Vec<Value>)> = Vec::new();
    for (index, panel) in panels.iter().enumerate() {
        let Some(module) = panel.module() else {
            return (0..panels.len()).map(leaf).collect();
        };
        match modules.iter_mut().find(|(name, _)| *name == module) {
            Some((_, children)) => children.push(leaf(index)),
            None => modules.push((module, vec![leaf(index)])),
        }
    }
    if modules.len() < 2 {
        return (0..panels.len()).map(leaf).collect();
    }
    let groups = modules.into_iter();
    groups
        .map(|(name, children)| with_children(&Node { name, ..Node::ROOT }, children))
        .collect()
}

fn with_children(group: &Node<'_>, children: Vec<Value>) -> Value {
    let mut group = node(group);
    if let Value::Object(group) = &mut group {
        group.insert("children".to_owned(), json!(children));
    }
    group
}

/// What dxtbx keeps of a panel, and of a group of panels.
struct Node<'n> {
    name: &'n str,
    kind: &'static str,
    axes: Axes,
    pixels: [u32; 2],
    pixel_size_mm: f64,
    trusted_range: [f64; 2],
    slab: Slab,
}

impl<'n> Node<'n> {
    /// The group of all panels.
    const ROOT: Self = Self {
        name: "",
        kind: "",
        axes: Axes::LABORATORY,
        pixels: [0, 0],
        pixel_size_mm: 0.0,
        trusted_range: [0.0, 0.0],
        slab: Slab::NONE,
    };

    fn of(panel: &'n PlacedPanel) -> Self {
        Self {
            name: &panel.name,
            kind: "SENSOR_UNKNOWN",
            axes: Axes {
                origin: panel.origin_mm,
                fast: panel.fast,
                slow: panel.slow,
            },
            pixels: panel.pixels,
            pixel_size_mm: panel.pixel_size_mm,
            trusted_range: match panel.trusted_range {
                Some([least, most]) if least != 0.0 => [least, most],
                Some([_, most]) => [LEAST_TRUSTED, most],
                None => [LEAST_TRUSTED, LARGEST_COUNT],
            },
            slab: panel.sensor.unwrap_or(Slab::NONE),
        }
    }
}

fn node(node: &Node<'_>) -> Value {
    let strategy = if node.slab.mu_per_mm > 0.0 {
        "ParallaxCorrectedPxMmStrategy"
    } else {
        "SimplePxMmStrategy"
    };
    json!({
        "name": node.name,
        "type": node.kind,
        "fast_axis": node.axes.fast,
        "slow_axis": node.axes.slow,
        "origin": node.axes.origin,
        "raw_image_offset": [0, 0],
        "image_size": node.pixels,
        "pixel_size": [node.pixel_size_mm, node.pixel_size_mm],
        "trusted_range": node.trusted_range,
        "thickness": node.slab.thickness_mm,
        "material": (node.slab.material).map_or("", SensorMaterial::formula),
        "mu": node.slab.mu_per_mm,
        "identifier": "",
        "mask": [],
        "gain": 1.0,
        "pedestal": 0.0,
        "px_mm_strategy": {"type": strategy},
    })
}

//! The geometry of an NXmx file: beam, detector modules and spindle of one image.
//!
//! # Source
//! NeXus International Advisory Committee, NXmx, version 1.5, and the base classes in it; for Eiger files
//! without modules, DECTRIS, SIMPLON file formats 1.6.

use std::path::Path;

use super::axis::{Chain, Kind, imgcif, length_mm, scaled};
use super::read::Stacks;
use super::{dectris, spindle};
use crate::hdf5::{Field, Node, Reader, Stack};
use crate::{Error, Result};

/// Electronvolt times Angstrom of a photon.
const EV_ANGSTROM: f64 = 12_398.419_843;

/// What a file says of the experiment in one image. Vectors are in the frame of imgCIF, as in
/// [`Exposure`](crate::Exposure): the beam travels along -z.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Instrument {
    /// The detector, at least one module.
    pub modules: Vec<PlacedModule>,
    /// Wavelength in angstrom.
    pub wavelength_angstrom: Option<f64>,
    /// The fraction of the light with its electric field along an axis, and that axis.
    pub polarization: Option<(f64, [f64; 3])>,
    /// Unit vector along the axis that turns the crystal.
    pub spindle: Option<[f64; 3]>,
    /// Its angle at the start of the image in degrees.
    pub start_degrees: Option<f64>,
    /// By how much it turns during the image in degrees.
    pub width_degrees: Option<f64>,
    /// The material of the sensor, as the file names it.
    pub sensor_material: Option<String>,
    /// The thickness of the sensor in millimetres.
    pub sensor_mm: Option<f64>,
    /// The smallest count that is a measurement.
    pub underload: Option<f64>,
    /// The count from which on a pixel is saturated.
    pub overload: Option<f64>,
    /// The paths of other detectors in the file, which are not read.
    pub other_detectors: Vec<String>,
}

/// A module of a detector.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlacedModule {
    /// The name of its group.
    pub name: String,
    /// The outer corner of its first pixel, in millimetres from the sample.
    pub origin_mm: [f64; 3],
    /// Along the fast axis; of any length.
    pub fast: [f64; 3],
    /// Along the slow axis; of any length.
    pub slow: [f64; 3],
    /// The size of a pixel along fast and slow in millimetres.
    pub pixel_mm: [f64; 2],
    /// Pixels along fast and slow.
    pub pixels: [usize; 2],
    /// Whether pixels are masked, `[slow][fast]`; empty if the file has no mask.
    pub masked: Vec<bool>,
}

/// Reads what an NXmx file, or an Eiger master file, says of an image: that of this number, counted from 1, or
/// the first.
///
/// # Errors
/// [`Error::Hdf5Lacks`] and [`Error::Hdf5Value`] with the path of the value at fault, [`Error::NoSuchImage`], and
/// [`Error::Hdf5`] for a file that is damaged.
pub fn read_instrument(path: &Path, image: Option<usize>) -> Result<Instrument> {
    let instrument = Reader::open(path).and_then(|file| instrument_of(&file, image));
    instrument.map_err(|fault| fault.in_file(path))
}

/// The same of the bytes of a file, whose links lead nowhere.
///
/// # Errors
/// As [`read_instrument`].
pub fn parse_instrument(bytes: Vec<u8>, image: Option<usize>) -> Result<Instrument> {
    instrument_of(&Reader::of_bytes(bytes)?, image)
}

/// The groups of an entry that say something of the geometry, for one of its images.
pub(super) struct Groups {
    pub(super) root: Node,
    pub(super) entry: Node,
    pub(super) instrument: Node,
    pub(super) detector: Node,
    /// The image, counted from 0.
    pub(super) image: usize,
    /// Pixels of an image of the file along fast and slow, if the file has images.
    pub(super) sides: Option<[u64; 2]>,
}

fn instrument_of(file: &Reader, number: Option<usize>) -> Result<Instrument> {
    let (groups, others) = find(file, number)?;
    let detector = &groups.detector;
    let modules = detector.of_class("module", "NXdetector_module")?;
    let mut found = Instrument {
        modules: match modules.as_slice() {
            [] => vec![dectris::panel(&groups)?],
            modules => of_modules(&groups, modules)?,
        },
        wavelength_angstrom: wavelength(&groups)?,
        polarization: polarization(&groups)?,
        other_detectors: others,
        ..Instrument::default()
    };
    if let Some(material) = detector.field("sensor_material")? {
        found.sensor_material = Some(material.text()?);
    }
    if let Some(thickness) = detector.field("sensor_thickness")? {
        found.sensor_mm = Some(length(&thickness, groups.image)?).filter(|mm| *mm > 0.0);
    }
    let count = |name: &str| {
        let field = detector.field(name)?;
        field.map(|field| field.number(groups.image)).transpose()
    };
    found.underload = count("underload_value")?;
    // Some writers have 0 where nothing is known.
    found.overload = count("saturation_value")?.filter(|counts| *counts > 0.0);
    spindle::take(&groups, &mut found)?;
    Ok(found)
}

/// The entry, its detector, and the paths of the other detectors.
fn find(file: &Reader, number: Option<usize>) -> Result<(Groups, Vec<String>)> {
    let root = Node::root(file)?;
    let entries = root.of_class("entry", "NXentry")?;
    let first = entries.first().map_or("/entry", Node::path).to_owned();
    for entry in entries {
        for instrument in entry.of_class("instrument", "NXinstrument")? {
            let mut detectors = instrument.of_class("detector", "NXdetector")?.into_iter();
            if let Some(detector) = detectors.next() {
                let (image, sides) = image_of(file, number)?;
                let others = detectors.map(|other| other.path().to_owned()).collect();
                let groups = Groups {
                    root,
                    entry,
                    instrument,
                    detector,
                    image,
                    sides,
                };
                return Ok((groups, others));
            }
        }
    }
    Err(Error::Hdf5Lacks {
        place: format!("an NXdetector in an NXinstrument of {first}"),
    })
}

/// The index of the image, and the pixels of an image. Images that are missing or virtual have a number, but no size.
fn image_of(file: &Reader, number: Option<usize>) -> Result<(usize, Option<[u64; 2]>)> {
    let stacks = Stacks::of_file(file).ok().flatten();
    let sides = stacks.as_ref().and_then(|(_, stacks)| stacks.sides());
    let images = stacks.and_then(|(_, stacks)| stacks.all_images());
    let number = number.unwrap_or(1);
    let index = number.checked_sub(1);
    match (index, images) {
        (Some(index), Some(images)) if index < images => Ok((index, sides)),
        (Some(index), None) => Ok((index, sides)),
        (_, images) => Err(Error::NoSuchImage {
            number,
            images: images.unwrap_or(1),
        }),
    }
}

fn of_modules(groups: &Groups, modules: &[Node]) -> Result<Vec<PlacedModule>> {
    let mut placed = Vec::new();
    let mut mask = None;
    for module in modules {
        let (mut found, first) = place_module(groups, module)?;
        let mask = match &mut mask {
            Some(mask) => mask,
            none => none.insert(PixelMask::read(groups, first.len() > 2)?),
        };
        if let Some(mask) = mask {
            let place = module.place("data_origin");
            found.masked = mask.crop(&place, &first, found.pixels)?;
        }
        placed.push(found);
    }
    Ok(placed)
}

/// A module without its mask, and the indices of its first pixel in the data, slow before fast.
fn place_module(groups: &Groups, module: &Node) -> Result<(PlacedModule, Vec<u64>)> {
    let first = indices(&module.need("data_origin")?, 0)?;
    let size_field = module.need("data_size")?;
    let size = indices(&size_field, 1)?;
    let (Some([slow, fast]), true) = (size.last_chunk(), first.len() == size.len()) else {
        let found = format!("{} numbers", size.len());
        return Err(size_field.wrong(found, "as many as data_origin has, two or three"));
    };
    let [fast_field, slow_field] = ["fast_pixel_direction", "slow_pixel_direction"];
    let (fast_field, slow_field) = (module.need(fast_field)?, module.need(slow_field)?);
    let fast_chain = chain_of(groups, module, &fast_field)?;
    let slow_chain = chain_of(groups, module, &slow_field)?;
    let image = groups.image;
    let placed = PlacedModule {
        name: module.name().to_owned(),
        origin_mm: fast_chain.place(image, [0.0; 3]),
        fast: fast_chain.turn(image, direction(&fast_field)?),
        slow: slow_chain.turn(image, direction(&slow_field)?),
        pixel_mm: [length(&fast_field, image)?, length(&slow_field, image)?],
        pixels: [*fast as usize, *slow as usize],
        masked: Vec::new(),
    };
    Ok((placed, first))
}

/// The chain that carries a module: that of its pixels, or else of its offset or of the detector.
fn chain_of(groups: &Groups, module: &Node, pixels: &Field) -> Result<Chain> {
    let root = &groups.root;
    if let Some(on) = pixels.attribute_text("depends_on")?.filter(|on| on != ".") {
        return Chain::read(root, module, &on);
    }
    if module.field("module_offset")?.is_some() {
        return Chain::read(root, module, "module_offset");
    }
    match groups.detector.field("depends_on")? {
        Some(on) => Chain::read(root, &groups.detector, &on.text()?),
        None => Ok(Chain(Vec::new())),
    }
}

fn direction(field: &Field) -> Result<[f64; 3]> {
    let vector = field.attribute_vector("vector")?;
    let vector = vector.filter(|vector| vector.iter().any(|&x| x != 0.0));
    let missing = || {
        let found = "no vector".to_owned();
        field.wrong(
            found,
            "an attribute vector with the direction of the pixels",
        )
    };
    Ok(imgcif(vector.ok_or_else(missing)?))
}

/// A length in millimetres.
pub(super) fn length(field: &Field, image: usize) -> Result<f64> {
    let unit = field.attribute_text("units")?.unwrap_or_default();
    let values = scaled(field, vec![field.number(image)?], Kind::Translation, &unit)?;
    Ok(values.into_iter().next().unwrap_or_default())
}

/// Two or three whole numbers, each at least `least`.
fn indices(field: &Field, least: u64) -> Result<Vec<u64>> {
    let numbers = field.numbers()?;
    let whole = numbers.iter().map(|&number| {
        let is_whole =
            number.fract() == 0.0 && (least as f64..=f64::from(i32::MAX)).contains(&number);
        is_whole.then_some(number as u64)
    });
    let whole: Option<Vec<u64>> = whole.collect();
    let whole = whole.filter(|whole| (2..=3).contains(&whole.len()));
    whole.ok_or_else(|| {
        let expected = "two or three whole numbers, slow before fast";
        field.wrong(format!("{numbers:?}"), expected)
    })
}

/// The wavelength of the image; the mean of a spectrum.
fn wavelength(groups: &Groups) -> Result<Option<f64>> {
    for beam in beams(groups)? {
        for name in ["incident_wavelength", "wavelength"] {
            if let Some(field) = beam.field(name)? {
                return of_spectrum(groups, &beam, &field, name).map(Some);
            }
        }
        if let Some(field) = beam.field("incident_energy")? {
            let unit = field.attribute_text("units")?.unwrap_or_default();
            let ev = match unit.as_str() {
                "eV" | "ev" => Some(1.0),
                "keV" | "kev" => Some(1e3),
                "J" => Some(1.0 / 1.602_176_634e-19),
                _ => None,
            };
            let expected = "units of an energy, such as eV";
            let ev = ev.ok_or_else(|| field.wrong(format!("the units {unit:?}"), expected))?;
            return positive(&field, EV_ANGSTROM / (ev * field.number(groups.image)?)).map(Some);
        }
    }
    Ok(None)
}

fn of_spectrum(groups: &Groups, beam: &Node, field: &Field, name: &str) -> Result<f64> {
    let unit = field.attribute_text("units")?.unwrap_or_default();
    let expected = "units of a length, such as angstrom";
    let mm = length_mm(&unit);
    let mm = mm.ok_or_else(|| field.wrong(format!("the units {unit:?}"), expected))?;
    let numbers = field.numbers()?;
    let weights = beam.field(&format!("{name}_weights"))?;
    let weights = weights.map(|weights| weights.numbers()).transpose()?;
    let mean = weights.filter(|weights| weights.len() == numbers.len());
    let number = match mean {
        Some(weights) => {
            let total: f64 = weights.iter().sum();
            let sum: f64 = numbers.iter().zip(&weights).map(|(x, w)| x * w).sum();
            sum / total
        }
        None => field.number(groups.image)?,
    };
    // A wavelength in angstrom is not multiplied, so that it is not rounded.
    positive(
        field,
        if mm == 1e-7 {
            number
        } else {
            number * mm * 1e7
        },
    )
}

pub(super) fn positive(field: &Field, number: f64) -> Result<f64> {
    match number > 0.0 && number.is_finite() {
        true => Ok(number),
        false => Err(field.wrong(number.to_string(), "a number above 0")),
    }
}

/// The beam is in the instrument, or, in older files, in the sample.
fn beams(groups: &Groups) -> Result<Vec<Node>> {
    let mut beams = groups.instrument.of_class("beam", "NXbeam")?;
    for sample in groups.entry.of_class("sample", "NXsample")? {
        beams.extend(sample.of_class("beam", "NXbeam")?);
    }
    Ok(beams)
}

/// The linear part of the Stokes parameters I, Q, U, V about x of NeXus: a share `p = sqrt(Q^2 + U^2)/I` is along the
/// axis at half the angle of (Q, U), and of the rest one half.
fn polarization(groups: &Groups) -> Result<Option<(f64, [f64; 3])>> {
    for beam in beams(groups)? {
        let Some(field) = beam.field("incident_polarization_stokes")? else {
            continue;
        };
        let numbers = field.numbers()?;
        let (all, _) = numbers.as_chunks::<4>();
        let of_image = all.get(groups.image).or(all.first());
        let Some(&[i, q, u, _]) =
            of_image.filter(|[i, q, u, _]| *i > 0.0 && q.hypot(*u) <= i * 1.001)
        else {
            let expected = "the Stokes parameters I, Q, U, V with Q and U up to I";
            return Err(field.wrong(
                format!("{:?}", numbers.get(..4.min(numbers.len()))),
                expected,
            ));
        };
        let share = (q.hypot(u) / i).min(1.0);
        let angle = 0.5 * u.atan2(q);
        let axis = imgcif([angle.cos(), angle.sin(), 0.0]);
        return Ok(Some(((1.0 + share) / 2.0, axis)));
    }
    Ok(None)
}

/// The mask of all modules.
pub(super) struct PixelMask {
    masked: Vec<bool>,
    sides: [usize; 2],
    /// Rows of one panel, if the data have an axis of panels.
    rows: Option<usize>,
}

impl PixelMask {
    /// The `pixel_mask` of a detector; with `has_panels` it can have an axis of panels.
    pub(super) fn read(groups: &Groups, has_panels: bool) -> Result<Option<Self>> {
        let detector = &groups.detector;
        let mut mask = detector.field("pixel_mask")?;
        if mask.is_none()
            && let Some(specific) = detector.group("detectorSpecific")?
        {
            mask = specific.field("pixel_mask")?;
        }
        let Some(mask) = mask else {
            return Ok(None);
        };
        let dataset = mask.into_dataset();
        let shape = dataset.shape().to_vec();
        let (rows, stack) = match (has_panels, shape.as_slice()) {
            (true, &[panels, slow, _]) => {
                let all = panels.saturating_mul(slow);
                (Some(slow as usize), Stack::of_mask(dataset, all)?)
            }
            (true, &[_, _, slow, _]) => (Some(slow as usize), Stack::new(dataset)?),
            _ => (None, Stack::new(dataset)?),
        };
        let at = groups.image as u64;
        let bits = stack.read(if at < stack.images { at } else { 0 })?;
        let sides = bits.sides();
        let bits = bits.to_floats();
        // Each bit is a reason why a pixel is no measurement.
        let masked = bits.pixels().iter().map(|&bits| bits != 0.0).collect();
        Ok(Some(Self {
            masked,
            sides,
            rows,
        }))
    }

    /// The part of a module of so many fast and slow pixels, whose first pixel has these indices.
    pub(super) fn crop(
        &self,
        place: &str,
        first: &[u64],
        [fast, slow]: [usize; 2],
    ) -> Result<Vec<bool>> {
        let at = |index: Option<&u64>| index.map_or(0, |&index| index as usize);
        let mut indices = first.iter().rev();
        let (x, y) = (at(indices.next()), at(indices.next()));
        let panel = at(indices.next());
        let top = panel * self.rows.unwrap_or(0) + y;
        let [wide, high] = self.sides;
        if x.saturating_add(fast) > wide || top.saturating_add(slow) > high {
            return Err(Error::Hdf5Value {
                place: place.to_owned(),
                found: format!("{fast} x {slow} pixels (fast x slow) from {first:?} on"),
                expected: "pixels inside the pixel_mask",
            });
        }
        let rows = self.masked.chunks(wide).skip(top).take(slow);
        Ok(rows
            .flat_map(|row| row.get(x..x + fast).unwrap_or_default())
            .copied()
            .collect())
    }
}

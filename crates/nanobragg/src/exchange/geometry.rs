//! What another program can be told of an experiment's geometry.

use nanobragg_crystal::SpaceGroup;
use nanobragg_geometry::vector::{cross, dot, norm, scale, sub, unit};
use nanobragg_geometry::{Angle, Panel, SensorMaterial, Surface};

use super::frame::Frame;
use crate::error::Error;
use crate::mask::{MaskedRegion, regions_of};
use crate::resolve::Resolved;

/// The geometry of an experiment in the laboratory of dxtbx and imgCIF (see [`super::frame`]):
/// millimetres, Angstrom, degrees and unit vectors, the sample at the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// The panels of the detector, of which there is at least one.
    pub panels: Vec<PlacedPanel>,
    /// The masked pixels of the panels, gaps included.
    pub masked: Vec<MaskedRegion>,
    /// The beam.
    pub beam: Beam,
    /// The unit vector of the spindle; phi turns the crystal about it, right-handed.
    pub spindle: [f64; 3],
    /// The angles of the exposure.
    pub oscillation: Oscillation,
    /// The cell vectors a, b, c in Angstrom at phi 0, without mosaicity.
    pub lattice_angstrom: [[f64; 3]; 3],
    /// The same of the other lattices in the beam.
    pub others_angstrom: Vec<[[f64; 3]; 3]>,
    /// The space group of the structure, if it is known.
    pub space_group: Option<SpaceGroup>,
}

/// A flat panel in its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlacedPanel {
    /// The name; empty for none.
    pub name: String,
    /// The outer corner of the first pixel, in mm from the sample.
    pub origin_mm: [f64; 3],
    /// The unit vector along increasing fast pixel.
    pub fast: [f64; 3],
    /// The unit vector along increasing slow pixel.
    pub slow: [f64; 3],
    /// The edge of a pixel in mm.
    pub pixel_size_mm: f64,
    /// The number of pixels along fast and slow.
    pub pixels: [u32; 2],
    /// The sensor, whose front is the plane of the panel; `None` if it is not modelled.
    pub sensor: Option<Slab>,
    /// The smallest and the largest count that can be trusted, if that is known.
    pub trusted_range: Option<[f64; 2]>,
}

/// A sensor of one material.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slab {
    /// The thickness in mm.
    pub thickness_mm: f64,
    /// The attenuation coefficient in 1/mm.
    pub mu_per_mm: f64,
    /// The material, if it is known. Of a file that is read, its attenuation at the wavelength of the run replaces the
    /// coefficient.
    pub material: Option<SensorMaterial>,
}

impl Slab {
    /// No sensor.
    pub(super) const NONE: Self = Self {
        thickness_mm: 0.0,
        mu_per_mm: 0.0,
        material: None,
    };
}

/// A monochromatic beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beam {
    /// The unit vector from source to sample.
    pub direction: [f64; 3],
    /// The wavelength in Angstrom.
    pub wavelength_angstrom: f64,
    /// The unit vector normal to the plane of polarization.
    pub polarization_normal: [f64; 3],
    /// The share of the intensity with its electric vector in that plane, `(1 + K)/2` with K Kahn's
    /// factor: 0.5 for no polarization.
    pub polarization_fraction: f64,
}

/// The turn of the spindle during an exposure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Oscillation {
    /// Phi at its beginning, in degrees.
    pub start_deg: f64,
    /// How far it goes, in degrees; 0 for a still.
    pub width_deg: f64,
    /// How long it takes, in seconds.
    pub exposure_s: f64,
}

impl Geometry {
    /// The geometry of a resolved experiment: its central wavelength and the axis of its beam,
    /// whatever the divergence and the dispersion.
    ///
    /// # Errors
    /// [`Error::CurvedSurface`] for a curved detector, which no panel describes.
    pub fn of(resolved: &Resolved) -> Result<Self, Error> {
        let experiment = &resolved.experiment;
        let panels = experiment.detector.panels();
        if panels
            .iter()
            .any(|panel| panel.surface() == Surface::Curved)
        {
            return Err(Error::CurvedSurface);
        }
        let frame = Frame::of(experiment.goniometer.spindle(), experiment.beam.direction());
        let direction = frame.from_run(experiment.beam.direction());
        Ok(Self {
            panels: (panels.iter())
                .map(|panel| PlacedPanel::of(panel, |v| frame.from_run(v)))
                .collect(),
            masked: (panels.iter().enumerate())
                .filter_map(|(index, panel)| Some((index, panel.mask()?)))
                .flat_map(|(index, mask)| {
                    regions_of(index, (0..mask.pixels_slow()).map(|slow| mask.row(slow)))
                })
                .collect(),
            beam: Beam {
                direction,
                wavelength_angstrom: resolved.decisions.central_wavelength_m * 1e10,
                polarization_normal: polarization_normal(
                    frame.from_run(experiment.beam.vertical()),
                    direction,
                ),
                polarization_fraction: (1.0 + experiment.polarization.kahn_factor) / 2.0,
            },
            spindle: frame.from_run(experiment.goniometer.spindle()),
            oscillation: Oscillation {
                start_deg: Angle::from_radians(experiment.phi.start_rad).degrees(),
                width_deg: Angle::from_radians(experiment.phi.range_rad).degrees(),
                exposure_s: resolved.decisions.fluence.exposure_s,
            },
            lattice_angstrom: (experiment.crystal.lattice().direct_angstrom)
                .map(|edge| frame.from_run(edge)),
            others_angstrom: (experiment.lattice_edges_m().skip(1))
                .map(|edges| edges.map(|edge| frame.from_run(scale(1e10, edge))))
                .collect(),
            space_group: resolved.decisions.space_group.clone(),
        })
    }

    /// The cell vectors of all lattices in Angstrom at phi 0.
    pub fn lattices(&self) -> impl Iterator<Item = [[f64; 3]; 3]> + '_ {
        std::iter::once(self.lattice_angstrom).chain(self.others_angstrom.iter().copied())
    }

    /// The scattering vector `(d - i)/wavelength` in 1/Angstrom of the point `fast`, `slow` of a
    /// panel, in pixels from the outer corner of the first one: the middle of pixel 3 is 3.5.
    pub fn scattering_vector_per_angstrom(
        &self,
        panel: &PlacedPanel,
        fast: f64,
        slow: f64,
    ) -> [f64; 3] {
        let towards_pixel = unit(panel.position_mm(fast, slow));
        let transfer = sub(towards_pixel, self.beam.direction);
        scale(1.0 / self.beam.wavelength_angstrom, transfer)
    }

    /// The scattering vectors of the middles of all pixels: x, y and z of each, in 1/Angstrom, shape
    /// `[panel][slow][fast][3]`.
    pub fn scattering_vectors_per_angstrom(&self) -> Vec<f64> {
        let mut vectors = Vec::new();
        for panel in &self.panels {
            let [fast, slow] = panel.pixels;
            let middle = |pixel: u32| f64::from(pixel) + 0.5;
            let rows = (0..slow).flat_map(|s| (0..fast).map(move |f| (f, s)));
            vectors.extend(rows.flat_map(|(f, s)| {
                self.scattering_vector_per_angstrom(panel, middle(f), middle(s))
            }));
        }
        vectors
    }
}

impl PlacedPanel {
    /// The panel of a run, its vectors taken to another laboratory by `turned`.
    fn of(panel: &Panel, turned: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        let sensor = panel.sensor();
        Self {
            name: panel.name().to_owned(),
            origin_mm: turned(scale(1000.0, panel.pix0_m())),
            fast: turned(panel.fast()),
            slow: turned(panel.slow()),
            pixel_size_mm: panel.pixel_size_m() * 1000.0,
            pixels: [panel.pixels_fast(), panel.pixels_slow()],
            sensor: sensor.is_modelled().then_some(Slab {
                thickness_mm: sensor.thickness_m * 1000.0,
                mu_per_mm: sensor.mu_per_m / 1000.0,
                material: sensor.material,
            }),
            trusted_range: panel.trusted_range(),
        }
    }

    /// The name of the module of which the panel is a chip: `m0` of `m0a3`, as CrystFEL and European XFEL count the
    /// chips of modules. `None` for a name of another form.
    pub fn module(&self) -> Option<&str> {
        let (module, chip) = self.name.rsplit_once('a')?;
        let is_number = !chip.is_empty() && chip.bytes().all(|byte| byte.is_ascii_digit());
        let ends_with_digit = module.ends_with(|last: char| last.is_ascii_digit());
        (is_number && ends_with_digit).then_some(module)
    }

    /// The place in mm of the point `fast`, `slow` pixels from the outer corner of the first one.
    pub fn position_mm(&self, fast: f64, slow: f64) -> [f64; 3] {
        let [f_mm, s_mm] = [fast, slow].map(|pixels| pixels * self.pixel_size_mm);
        std::array::from_fn(|i| {
            let [origin, fast, slow] =
                [self.origin_mm, self.fast, self.slow].map(|v| component(v, i));
            origin + f_mm * fast + s_mm * slow
        })
    }
}

fn component([x, y, z]: [f64; 3], i: usize) -> f64 {
    match i {
        0 => x,
        1 => y,
        _ => z,
    }
}

/// The normal of the plane of polarization: any that suits the beam where there is none.
fn polarization_normal(vertical: [f64; 3], direction: [f64; 3]) -> [f64; 3] {
    if norm(vertical) > 0.0 {
        return vertical;
    }
    let y = [0.0, 1.0, 0.0];
    let along = dot(y, direction);
    let upright = unit(sub(y, scale(along, direction)));
    if norm(upright) > 0.0 {
        upright
    } else {
        unit(cross(direction, [1.0, 0.0, 0.0]))
    }
}

/// The edges of a cell in the unit of its vectors, and its angles in degrees.
pub(super) fn constants([a, b, c]: [[f64; 3]; 3]) -> [f64; 6] {
    let angle = |u, v| {
        let cosine: f64 = dot(u, v) / (norm(u) * norm(v));
        cosine.clamp(-1.0, 1.0).acos().to_degrees()
    };
    [
        norm(a),
        norm(b),
        norm(c),
        angle(b, c),
        angle(a, c),
        angle(a, b),
    ]
}

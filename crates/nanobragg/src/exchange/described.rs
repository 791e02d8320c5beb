//! What a file says of an experiment's geometry, and how a run takes it.

use std::fmt;
use std::sync::Arc;

use nanobragg_crystal::{CellSpec, CrystalSpec};
use nanobragg_geometry::vector::{cross, dot, norm, scale, sub, unit};
use nanobragg_geometry::{
    Angle, AttachedPanel, Attenuation, Convention, CustomAxes, DetectorSpec, Length, Pivot,
    SensorSpec, Surface,
};
use nanobragg_response::Gain;
use nanobragg_sources::energy_ev_from_wavelength_m;

use super::crystfel::DataLayout;
use super::frame::{exchange_from_run, run_from_exchange};
use super::geometry::{Geometry, PlacedPanel, Slab};
use crate::error::Error;
use crate::lattices::{LatticeSpec, LatticesSpec};
use crate::mask::MaskedRegion;
use crate::spec::{ExperimentSpec, MaskSpec};

/// The smallest distance of the plane of a detector from the sample, over that of its corner.
const LEAST_CLOSENESS: f64 = 1e-9;

/// The geometry that a file gives, in the laboratory of [`super::frame`]; `None` where it is silent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Described {
    /// The panels of the detector; none where the file is silent.
    pub panels: Vec<PlacedPanel>,
    /// The unit vector of the beam, from source to sample.
    pub beam_direction: Option<[f64; 3]>,
    /// The wavelength in Angstrom.
    pub wavelength_angstrom: Option<f64>,
    /// The unit vector normal to the plane of polarization.
    pub polarization_normal: Option<[f64; 3]>,
    /// The share of the intensity polarized in that plane.
    pub polarization_fraction: Option<f64>,
    /// The unit vector of the spindle.
    pub spindle: Option<[f64; 3]>,
    /// Phi at the beginning of the first image, in degrees.
    pub phi_start_deg: Option<f64>,
    /// The rotation of one image in degrees.
    pub phi_width_deg: Option<f64>,
    /// The cell vectors a, b, c in Angstrom at phi 0.
    pub lattice_angstrom: Option<[[f64; 3]; 3]>,
    /// The same of other lattices on the image.
    pub others_angstrom: Vec<[[f64; 3]; 3]>,
    /// A cell without an orientation.
    pub cell: Option<CellSpec>,
    /// The counts of a photon.
    pub gain: Option<CountsPer>,
    /// The masked pixels.
    pub masked: Vec<MaskedRegion>,
    /// Where a geometry of CrystFEL finds pixels in image files, and its groups of panels.
    pub data_layout: Option<Arc<DataLayout>>,
    /// What the file says and nothing here listens to.
    pub ignored: Vec<Ignored>,
    /// What the file should say and does not, in sentences.
    pub absent: Vec<String>,
}

/// The counts that a detector makes of a photon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CountsPer {
    /// So many of each photon.
    Photon(f64),
    /// So many of each electronvolt.
    ElectronVolt(f64),
}

/// Something in a file that would change an image and is not listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Where it stands: `a.expt: detector[0].panels[0].mask`, `XDS.INP:12: SEGMENT`.
    pub place: String,
    /// Why it is not listened to.
    pub reason: &'static str,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is ignored: {}", self.place, self.reason)
    }
}

impl From<Geometry> for Described {
    fn from(geometry: Geometry) -> Self {
        Self {
            panels: geometry.panels,
            beam_direction: Some(geometry.beam.direction),
            wavelength_angstrom: Some(geometry.beam.wavelength_angstrom),
            polarization_normal: Some(geometry.beam.polarization_normal),
            polarization_fraction: Some(geometry.beam.polarization_fraction),
            spindle: Some(geometry.spindle),
            phi_start_deg: Some(geometry.oscillation.start_deg),
            phi_width_deg: Some(geometry.oscillation.width_deg),
            lattice_angstrom: Some(geometry.lattice_angstrom),
            others_angstrom: geometry.others_angstrom,
            cell: None,
            gain: None,
            masked: geometry.masked,
            data_layout: None,
            ignored: Vec::new(),
            absent: Vec::new(),
        }
    }
}

impl Described {
    /// Takes all of it into `spec`; what the file does not say stays.
    ///
    /// # Errors
    /// [`Error::PlaneThroughSample`] for a detector that holds the sample.
    pub fn apply(&self, spec: &mut ExperimentSpec) -> Result<(), Error> {
        self.place(spec, Pivot::Sample)?;
        self.count(spec);
        let wavelength = spec.beam.nominal_wavelength();
        self.orient(&mut spec.crystal, wavelength);
        self.add_lattices(&mut spec.lattices);
        Ok(())
    }

    /// Takes detector, beam, spindle and phi into `spec`, and the masked pixels.
    ///
    /// The detector is described by what stays in place when it is turned `about` that pivot: its
    /// near point and close distance, or its beam spot and distance. Both place it alike; they
    /// differ in what a distance or a centre that is laid over them afterwards means. A detector
    /// that the beam does not hit is always described by its near point.
    ///
    /// # Errors
    /// [`Error::PlaneThroughSample`] for a detector that holds the sample.
    pub fn place(&self, spec: &mut ExperimentSpec, about: Pivot) -> Result<(), Error> {
        let beam = self.beam_direction.map(run_from_exchange);
        let spindle = self.spindle.map(run_from_exchange);
        let normal = self.polarization_normal.map(run_from_exchange);
        if !self.panels.is_empty() || beam.is_some() || spindle.is_some() || normal.is_some() {
            let defaults = Convention::Custom.axes();
            let polarization =
                normal.map(|normal| unit(cross(normal, beam.unwrap_or(defaults.beam))));
            spec.detector.convention = Convention::Custom;
            spec.detector.axes = CustomAxes {
                beam: beam.or(spec.detector.axes.beam),
                spindle: spindle.or(spec.detector.axes.spindle),
                polarization: polarization.or(spec.detector.axes.polarization),
                ..spec.detector.axes
            };
        }
        if let [first, others @ ..] = self.panels.as_slice() {
            let beam = spec.detector.axes.over_defaults().beam;
            place_panel(&mut spec.detector, first, unit(beam), about)?;
            spec.detector.others = others.iter().map(|other| attached(first, other)).collect();
        }
        if !self.masked.is_empty() {
            spec.mask = Some(MaskSpec::Regions(self.masked.clone()));
        } else if !self.panels.is_empty() && matches!(spec.mask, Some(MaskSpec::Regions(_))) {
            // They were those of another detector.
            spec.mask = None;
        }
        if let Some(angstrom) = self.wavelength_angstrom {
            spec.beam.wavelength = Some(Length::from_angstrom(angstrom));
        }
        if let Some(fraction) = self.polarization_fraction {
            spec.beam.polarization.kahn_factor = 2.0 * fraction - 1.0;
        }
        if let Some(degrees) = self.phi_start_deg {
            spec.phi.start = Angle::from_degrees(degrees);
        }
        if let Some(degrees) = self.phi_width_deg {
            spec.phi.sweep.range = Some(Angle::from_degrees(degrees).radians());
        }
        Ok(())
    }

    /// Takes the gain into the response of `spec`, for its wavelength.
    pub fn count(&self, spec: &mut ExperimentSpec) {
        let wavelength_m = spec.beam.nominal_wavelength().m();
        let gain = self.gain.map(|gain| Gain {
            counts_per_photon: match gain {
                CountsPer::Photon(counts) => counts,
                CountsPer::ElectronVolt(counts) => {
                    counts * energy_ev_from_wavelength_m(wavelength_m)
                }
            },
        });
        spec.response.gain = gain.or(spec.response.gain);
    }

    /// Takes the lattice into `crystal`, as a matrix that carries `wavelength`, or the cell if the
    /// file gives no orientation.
    pub fn orient(&self, crystal: &mut CrystalSpec, wavelength: Length) {
        if let Some([a, b, c]) = self
            .lattice_angstrom
            .map(|edges| edges.map(run_from_exchange))
        {
            let volume = dot(a, cross(b, c));
            let factor = wavelength.m() * 1e10 / volume;
            let [a_star, b_star, c_star] =
                [cross(b, c), cross(c, a), cross(a, b)].map(|normal| scale(factor, normal));
            let [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = [a_star, b_star, c_star];
            crystal.matrix = Some([[ax, bx, cx], [ay, by, cy], [az, bz, cz]]);
            crystal.cell = None;
        } else if let Some(cell) = self.cell {
            crystal.matrix = None;
            crystal.cell = Some(cell);
        }
    }

    /// Makes the other lattices those of `spec`, if there are some. They are placed relative to the first.
    pub fn add_lattices(&self, spec: &mut LatticesSpec) {
        let in_run = |edges: [[f64; 3]; 3]| edges.map(run_from_exchange);
        if let Some(first) = self.lattice_angstrom.map(in_run)
            && !self.others_angstrom.is_empty()
        {
            let others = self.others_angstrom.iter();
            spec.others =
                (others.map(|&other| LatticeSpec::between(first, in_run(other)))).collect();
        }
    }
}

/// Makes `panels` the detector of `spec`. They are in the laboratory of a run and not in the frame of
/// the first, so that `origin` counts from the sample. The beam is that of the axes of `spec`, along x
/// where none is given. For `about` see [`Described::place`].
///
/// # Errors
/// [`Error::PlaneThroughSample`] for a detector that holds the sample.
pub fn place_panels(
    spec: &mut DetectorSpec,
    panels: &[AttachedPanel],
    about: Pivot,
) -> Result<(), Error> {
    let placed = |panel: &AttachedPanel| PlacedPanel {
        name: panel.name.clone().unwrap_or_default(),
        origin_mm: exchange_from_run(panel.origin.map(Length::mm)),
        fast: exchange_from_run(panel.fast),
        slow: exchange_from_run(panel.slow),
        pixel_size_mm: panel.pixel_size.mm(),
        pixels: [panel.pixels_fast, panel.pixels_slow],
        sensor: None,
        trusted_range: panel.trusted_range,
    };
    let [first, others @ ..] = panels else {
        return Ok(());
    };
    let in_place = placed(first);
    let beam = unit(spec.axes.over_defaults().beam);
    place_panel(spec, &in_place, beam, about)?;
    spec.sensor = first.sensor;
    let attached = |other: &AttachedPanel| AttachedPanel {
        sensor: other.sensor,
        ..attached(&in_place, &placed(other))
    };
    spec.others = others.iter().map(attached).collect();
    Ok(())
}

/// Puts the detector of `spec` where `panel` is. `beam` is a unit vector of the run.
fn place_panel(
    spec: &mut DetectorSpec,
    panel: &PlacedPanel,
    beam: [f64; 3],
    about: Pivot,
) -> Result<(), Error> {
    let [fast, slow] = [panel.fast, panel.slow].map(|axis| unit(run_from_exchange(axis)));
    let origin_m = run_from_exchange(panel.origin_mm).map(|mm| mm / 1000.0);
    let mut normal = unit(cross(fast, slow));
    if dot(normal, origin_m) < 0.0 {
        normal = normal.map(|x| -x);
    }
    let close_m = dot(normal, origin_m);
    if close_m <= LEAST_CLOSENESS * norm(origin_m) {
        return Err(Error::PlaneThroughSample {
            close_distance_mm: close_m * 1000.0,
        });
    }
    let distance_m = close_m / dot(normal, beam);
    let turns_about_spot = about == Pivot::Beam && distance_m > 0.0 && distance_m.is_finite();
    let anchor_m = if turns_about_spot {
        scale(distance_m, beam)
    } else {
        scale(close_m, normal)
    };
    let [f_m, s_m] = in_plane(sub(anchor_m, origin_m), fast, slow);

    let pixel_m = panel.pixel_size_mm / 1000.0;
    let [pixels_fast, pixels_slow] = panel.pixels;
    *spec = DetectorSpec {
        pixel_size: Length::from_m(pixel_m),
        pixels_fast: Some(pixels_fast),
        pixels_slow: Some(pixels_slow),
        axes: CustomAxes {
            fast: Some(fast),
            slow: Some(slow),
            normal: Some(of_length_one(normal)),
            ..spec.axes
        },
        convention: Convention::Custom,
        rotations: [Angle::default(); 3],
        twotheta: Angle::default(),
        surface: Surface::Flat,
        pixel_kind: spec.pixel_kind,
        gaps: spec.gaps,
        model: spec.model.take(),
        fixes: spec.fixes,
        ..DetectorSpec::default()
    };
    if turns_about_spot {
        spec.distance = Length::from_m(distance_m);
        spec.x_beam = Some(Length::from_m(f_m));
        spec.y_beam = Some(Length::from_m(s_m));
        spec.pivot = Some(Pivot::Beam);
    } else {
        spec.close_distance = Some(Length::from_m(close_m));
        spec.org_x = Some(f_m / pixel_m + 0.5);
        spec.org_y = Some(s_m / pixel_m + 0.5);
        spec.pivot = Some(Pivot::Sample);
    }
    spec.name = name_of(panel);
    spec.trusted_range = panel.trusted_range;
    spec.sensor = panel.sensor.map(sensor_of).unwrap_or_default();
    Ok(())
}

fn name_of(panel: &PlacedPanel) -> Option<String> {
    (!panel.name.is_empty()).then(|| panel.name.clone())
}

fn sensor_of(slab: Slab) -> SensorSpec {
    SensorSpec {
        thickness: Length::from_mm(slab.thickness_mm),
        material: slab.material,
        attenuation: if slab.material.is_some() {
            Attenuation::NotGiven
        } else if slab.mu_per_mm > 0.0 {
            Attenuation::Depth(Length::from_mm(1.0 / slab.mu_per_mm))
        } else {
            Attenuation::Transparent
        },
        ..SensorSpec::default()
    }
}

/// `panel` in the frame of the `first` panel of its detector.
fn attached(first: &PlacedPanel, panel: &PlacedPanel) -> AttachedPanel {
    let [fast, slow] = [first.fast, first.slow].map(unit);
    // The normal of the run points away from the sample; see `place_panel`.
    let mut normal = unit(cross(fast, slow));
    if dot(normal, first.origin_mm) < 0.0 {
        normal = normal.map(|x| -x);
    }
    let in_frame = |v: [f64; 3]| [fast, slow, normal].map(|axis| dot(v, axis));
    AttachedPanel {
        name: name_of(panel),
        origin: in_frame(sub(panel.origin_mm, first.origin_mm)).map(Length::from_mm),
        fast: in_frame(unit(panel.fast)),
        slow: in_frame(unit(panel.slow)),
        pixels_fast: panel.pixels[0],
        pixels_slow: panel.pixels[1],
        pixel_size: Length::from_mm(panel.pixel_size_mm),
        sensor: panel.sensor.map(sensor_of).unwrap_or_default(),
        trusted_range: panel.trusted_range,
    }
}

/// The coordinates along `fast` and `slow` of a vector in their plane.
fn in_plane(v: [f64; 3], fast: [f64; 3], slow: [f64; 3]) -> [f64; 2] {
    let normal = cross(fast, slow);
    let area = dot(normal, normal);
    [
        dot(cross(v, slow), normal) / area,
        dot(cross(fast, v), normal) / area,
    ]
}

/// A vector that differs from the unit vector `v` by its last bits alone and whose length rounds to
/// exactly 1, because the detector takes no other normal without making its own.
///
/// One bit of the largest component changes the length by less than the width of the numbers that
/// round to 1, so a few steps of it are enough.
fn of_length_one(v: [f64; 3]) -> [f64; 3] {
    const STEPS: [i32; 9] = [0, 1, -1, 2, -2, 3, -3, 4, -4];
    let largest = v.into_iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let moved = |step: i32| {
        v.map(|x| {
            if x.abs() < largest {
                return x;
            }
            (0..step.abs()).fold(x, |x, _| if step > 0 { x.next_up() } else { x.next_down() })
        })
    };
    let mut near = STEPS.into_iter().map(moved);
    near.find(|near| norm(*near) == 1.0).unwrap_or(v)
}

#[cfg(test)]
mod tests {
    use nanobragg_geometry::Laboratory;

    use super::*;

    /// Metres by which two ways of placing one detector of a metre may differ.
    const ROUNDING_M: f64 = 1e-15;

    fn tilted(left_handed: bool) -> PlacedPanel {
        let fast = unit([0.9, 0.3, 0.1]);
        let slow = unit(cross([0.2, 0.1, 0.95], fast));
        PlacedPanel {
            name: String::new(),
            trusted_range: None,
            origin_mm: [-31.0, 42.0, -170.0],
            fast,
            slow: if left_handed { slow.map(|x| -x) } else { slow },
            pixel_size_mm: 0.172,
            pixels: [487, 195],
            sensor: None,
        }
    }

    fn described(panel: PlacedPanel) -> Described {
        Described {
            panels: vec![panel],
            beam_direction: Some(unit([0.01, -0.02, -1.0])),
            ..Described::default()
        }
    }

    #[test]
    fn both_ways_of_placing_a_detector_place_it_alike() {
        for left_handed in [false, true] {
            let panel = tilted(left_handed);
            for about in [Pivot::Sample, Pivot::Beam] {
                let mut spec = ExperimentSpec::default();
                described(panel.clone()).place(&mut spec, about).unwrap();
                let detector = Laboratory::new(&spec.detector).unwrap();
                assert_eq!(detector.layout.warnings, []);
                assert_eq!(detector.layout.pivot, about);
                assert!(detector.panel().close_distance_m() > 0.0);
                let corner = run_from_exchange(panel.origin_mm);
                for (found, mm) in detector.panel().pix0_m().into_iter().zip(corner) {
                    assert!((found - mm / 1000.0).abs() < ROUNDING_M, "{found} {mm}");
                }
            }
        }
    }

    #[test]
    fn panels_in_the_laboratory_are_placed_there() {
        let (sin, cos) = 0.1_f64.sin_cos();
        let panel = |origin_mm: [f64; 3]| AttachedPanel {
            name: None,
            origin: origin_mm.map(Length::from_mm),
            fast: [0.0, sin, cos],
            slow: [0.0, -cos, sin],
            pixels_fast: 30,
            pixels_slow: 20,
            pixel_size: Length::from_mm(0.2),
            sensor: SensorSpec {
                thickness: Length::from_um(320.0),
                layers: Some(3),
                ..SensorSpec::default()
            },
            trusted_range: None,
        };
        let panels = [[90.0, 3.0, -6.0], [91.0, 4.0, 1.0]].map(panel);
        for about in [Pivot::Sample, Pivot::Beam] {
            let mut spec = DetectorSpec::default();
            place_panels(&mut spec, &panels, about).unwrap();
            let placed = Laboratory::new(&spec).unwrap().detector;
            assert_eq!(placed.panels().len(), 2);
            for (panel, placed) in panels.iter().zip(placed.panels()) {
                let origin = panel.origin.map(Length::m);
                assert!(norm(sub(placed.pix0_m(), origin)) < ROUNDING_M);
                assert!(norm(sub(placed.fast(), panel.fast)) < ROUNDING_M);
                assert!(norm(sub(placed.slow(), panel.slow)) < ROUNDING_M);
                assert_eq!(placed.sensor().layers, 3);
            }
        }
    }

    #[test]
    fn a_distance_laid_over_a_beam_spot_keeps_the_spot() {
        let panel = tilted(false);
        let spot = |spec: &ExperimentSpec| {
            let detector = Laboratory::new(&spec.detector).unwrap();
            detector
                .panel()
                .pixel_at(detector.beam.direction())
                .unwrap()
        };
        let mut spec = ExperimentSpec::default();
        described(panel).place(&mut spec, Pivot::Beam).unwrap();
        let before = spot(&spec);
        spec.detector.distance = Length::from_mm(400.0);
        let after = spot(&spec);
        assert!((before.0 - after.0).abs() < 1e-9 && (before.1 - after.1).abs() < 1e-9);
    }

    #[test]
    fn a_detector_through_the_sample_is_refused() {
        let panel = PlacedPanel {
            origin_mm: [-30.0, 20.0, 0.0],
            fast: [1.0, 0.0, 0.0],
            slow: [0.0, -1.0, 0.0],
            ..tilted(false)
        };
        let placed = described(panel).place(&mut ExperimentSpec::default(), Pivot::Sample);
        assert!(matches!(placed, Err(Error::PlaneThroughSample { .. })));
    }

    #[test]
    fn a_unit_vector_can_be_brought_to_length_one() {
        for i in 0..20_000 {
            let t = f64::from(i);
            let v = unit([t.sin(), (1.7 * t).cos(), (0.3 * t).sin() + 0.1]);
            let one = of_length_one(v);
            assert_eq!(norm(one), 1.0, "{v:?}");
            assert!(norm(sub(one, v)) < 2e-15);
        }
    }
}

//! Files of other programs: what they say, worked out anew from their numbers, is what a run does.

mod expt;
mod xds_inp;

use nanobragg::exchange::{Described, Geometry, dxtbx, xds};
use nanobragg::{
    Angle, CellSpec, Convention, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length,
    MaskedRegion, Misset, PhiSpec, Pivot, PixelPlace, Resolved, RunOptions, SamplingSpec, Scene,
    SensorSpec, Surface, simulate, trace_pixel,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Scattering vectors in 1/Angstrom and Miller indices: numbers of a magnitude up to 100 that went
/// through a dozen roundings each way.
const SAME: f64 = 1e-10;

/// The accuracy that is promised for scattering vectors in 1/Angstrom and for Miller indices.
const PROMISED: f64 = 1e-6;

/// Photons of two runs over the brightest pixel: singles, from indices that differ by `SAME`.
const SAME_PHOTONS: f64 = 1e-6;

const KAPPA: &str = include_str!("kappa.expt");

const XDS_INP: &str = include_str!("XDS.INP");

type Vector = [f64; 3];

/// Three columns.
type Matrix = [Vector; 3];

fn times(m: Matrix, v: Vector) -> Vector {
    std::array::from_fn(|i| m[0][i] * v[0] + m[1][i] * v[1] + m[2][i] * v[2])
}

fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: Vector, b: Vector) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}

fn plus(a: Vector, s: f64, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] + s * b[i])
}

fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    a.map(|x| x / length)
}

/// The rotation about `axis` as the exponential of its generator, summed term by term.
fn rotation(axis: Vector, degrees: f64) -> Matrix {
    let generator = unit(axis).map(|x| x * degrees.to_radians());
    let column = |e: Vector| {
        let (mut sum, mut term) = (e, e);
        for n in 1..60 {
            term = cross(generator, term).map(|x| x / f64::from(n));
            sum = plus(sum, 1.0, term);
        }
        sum
    };
    [
        column([1.0, 0.0, 0.0]),
        column([0.0, 1.0, 0.0]),
        column([0.0, 0.0, 1.0]),
    ]
}

fn vector(value: &Value) -> Vector {
    serde_json::from_value(value.clone()).expect("the fixture has a vector there")
}

/// Miller indices at a scattering vector, of the crystal with these edges.
fn hkl(edges: [Vector; 3], q: Vector) -> Vector {
    edges.map(|edge| dot(edge, q))
}

fn assert_close(found: Vector, expected: Vector, bound: f64, what: &str) {
    for (x, y) in found.into_iter().zip(expected) {
        assert!(
            (x - y).abs() < bound,
            "{what}: {found:?} is not {expected:?}"
        );
    }
}

/// A run with the geometry of a file, one phi step and one sub-pixel.
fn run_of(described: &Described) -> Resolved {
    let mut spec = ExperimentSpec {
        factors: FactorsSpec::Constant(10.0),
        sampling: SamplingSpec {
            oversample: Some(1),
            ..SamplingSpec::default()
        },
        crystal: CrystalSpec {
            cells: [5; 3],
            ..CrystalSpec::default()
        },
        ..ExperimentSpec::default()
    };
    described
        .apply(&mut spec)
        .expect("the detector is clear of the sample");
    spec.phi.sweep.count = Some(1);
    // What is worked out anew holds for the front of the sensor.
    spec.detector.sensor = SensorSpec::default();
    spec.resolve().expect("the fixture describes a whole run")
}

/// Indices that the kernel gives for pixels of a run.
fn indices(resolved: &Resolved, pixels: &[[u32; 2]]) -> Vec<Vector> {
    let scene = Scene::new(&resolved.experiment);
    let rendered =
        nanobragg::physics::render(&scene, &RunOptions::default()).expect("nothing stops the run");
    pixels
        .iter()
        .map(|&[fast, slow]| {
            let trace = trace_pixel(
                &scene,
                &rendered,
                PixelPlace {
                    panel: 0,
                    slow,
                    fast,
                },
            )
            .expect("the pixel is there");
            trace.last.expect("every pixel has a term").hkl
        })
        .collect()
}

const PIXELS: [[u32; 2]; 5] = [[0, 0], [59, 0], [0, 49], [31, 22], [59, 49]];

#[test]
fn an_expt_means_what_its_numbers_say() {
    let root: Value = serde_json::from_str(KAPPA).unwrap();
    for goniometer in [0, 1] {
        let mut text = root.clone();
        text["experiment"][0]["goniometer"] = goniometer.into();
        let text = text.to_string();
        let described = dxtbx::parse(text.as_bytes(), "kappa.expt", Default::default()).unwrap();
        let resolved = run_of(&described);

        let arm = &root["detector"][0]["hierarchy"]["children"][0];
        let (f, s) = (vector(&arm["fast_axis"]), vector(&arm["slow_axis"]));
        let group = [unit(f), unit(s), cross(unit(f), unit(s))];
        let panel = &root["detector"][0]["panels"][0];
        let fast = times(group, unit(vector(&panel["fast_axis"])));
        let slow = times(group, unit(vector(&panel["slow_axis"])));
        let origin = plus(
            vector(&arm["origin"]),
            1.0,
            times(group, vector(&panel["origin"])),
        );
        let incident = unit(vector(&root["beam"][0]["direction"])).map(|x| -x);
        let q = |x: f64, y: f64| {
            let place = plus(plus(origin, 0.688 * x, fast), 0.688 * y, slow);
            plus(unit(place), -1.0, incident).map(|x| x / 0.97625)
        };

        let gonio = &root["goniometer"][goniometer];
        let turn = |i: usize| {
            let angle = gonio["angles"][i].as_f64().unwrap();
            let is_scan = gonio["scan_axis"] == i;
            rotation(
                vector(&gonio["axes"][i]),
                if is_scan { 12.5 } else { angle },
            )
        };
        let held = ["real_space_a", "real_space_b", "real_space_c"].map(|edge| {
            let edge = vector(&root["crystal"][0][edge]);
            times(turn(2), times(turn(1), times(turn(0), edge)))
        });

        let ours = Geometry::of(&resolved).unwrap();
        for ([x, y], indices) in PIXELS.into_iter().zip(indices(&resolved, &PIXELS)) {
            let [x, y] = [f64::from(x) + 0.5, f64::from(y) + 0.5];
            let expected = q(x, y);
            assert_close(hkl(held, expected), indices, PROMISED / 100.0, "hkl");
            assert_close(
                ours.scattering_vector_per_angstrom(&ours.panels[0], x, y),
                expected,
                SAME,
                "q",
            );
        }
        assert_eq!(resolved.decisions.layout.warnings, []);
        assert!((resolved.experiment.polarization.kahn_factor - 0.98).abs() < 1e-12);
        let field = resolved.experiment.beam.polarization();
        assert!(
            field[2].abs() > 0.999,
            "the field lies along dxtbx's x: {field:?}"
        );
        let slab = described.panels[0].sensor.unwrap();
        assert_eq!((slab.thickness_mm, slab.mu_per_mm), (0.32, 3.9599));
        assert!((resolved.experiment.phi.range_rad.to_degrees() - 0.25).abs() < 1e-12);
        assert_eq!(described.ignored, []);
        let masked = MaskedRegion {
            panel: 0,
            fast: [10, 11],
            slow: [0, 49],
        };
        assert_eq!(described.masked, [masked]);
    }
}

#[test]
fn an_xds_inp_means_what_its_numbers_say() {
    let mut described = xds::parse(XDS_INP.as_bytes(), "XDS.INP").unwrap();
    assert_eq!(described.ignored, []);
    // The limits of a rectangle lie outside: pixels 11 and 12 of XDS are 10 and 11 counted from 0.
    let regions = [[10, 11], [30, 31]].map(|fast| MaskedRegion {
        panel: 0,
        fast,
        slow: [0, 49],
    });
    assert_eq!(described.masked, regions);
    // One of the pixels that are looked at below is masked.
    described.masked.clear();
    let resolved = run_of(&described);
    let x_axis = unit([1.0, 0.002, 0.001]);
    let y_axis = unit([-0.002, 0.9995, 0.03]);
    let foot = unit(cross(x_axis, y_axis)).map(|n| 163.2 * n);
    let incident = unit([0.003, -0.001, 1.02432]);
    // Two images of 0.25 degrees after the frame at 12.
    let turn = rotation([0.99997, -0.005, 0.006], 12.5);
    let edges = [
        [38.2, -12.9, 41.7],
        [-40.1, 5.2, 38.4],
        [-31.6, -143.2, -15.4],
    ]
    .map(|edge| times(turn, edge));
    let half_turn = |[x, y, z]: Vector| [x, -y, -z];
    let ours = Geometry::of(&resolved).unwrap();
    for ([x, y], indices) in PIXELS.into_iter().zip(indices(&resolved, &PIXELS)) {
        // XDS counts pixels from 1, whole numbers being their middles.
        let (i, j) = (f64::from(x) + 1.0, f64::from(y) + 1.0);
        let along_x = plus(foot, (i - 34.25) * 0.688, x_axis);
        let place = plus(along_x, (j - 21.5) * 0.688, y_axis);
        let q = plus(unit(place), -1.0, incident).map(|x| x / 0.97625);
        assert_close(hkl(edges, q), indices, PROMISED / 100.0, "hkl");
        let (x, y) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let found = ours.scattering_vector_per_angstrom(&ours.panels[0], x, y);
        assert_close(half_turn(found), q, SAME, "q");
    }
}

prop_compose! {
    /// A run in any convention on any flat detector that faces the sample.
    fn runs()(
        convention in select(Convention::ALL.to_vec()),
        pixels in [2..14_u32, 2..14_u32],
        pixel_mm in 0.1..2.0,
        distance_mm in 40.0..300.0,
        tilt_deg in [-25.0..25.0, -25.0..25.0, -25.0..25.0],
        twotheta_deg in -20.0..20.0,
        wavelength_a in 0.6..2.0,
        misset_rad in [-3.0..3.0, -3.0..3.0, -3.0..3.0],
        cell in [40.0..90.0, 40.0..90.0, 40.0..90.0, 75.0..105.0, 75.0..105.0, 75.0..105.0],
        phi_deg in 0.5..90.0,
        thickness in prop_oneof![Just(0.0), 0.1..1.0],
        beam in prop_oneof![Just([1.0, 0.0, 0.0]), [0.9..1.0, -0.1..0.1, -0.1..0.1]],
    ) -> ExperimentSpec {
        let mut spec = ExperimentSpec {
            detector: DetectorSpec {
                convention,
                pixels_fast: Some(pixels[0]),
                pixels_slow: Some(pixels[1]),
                pixel_size: Length::from_mm(pixel_mm),
                distance: Length::from_mm(distance_mm),
                rotations: tilt_deg.map(Angle::from_degrees),
                twotheta: Angle::from_degrees(twotheta_deg),
                pivot: Some(Pivot::Sample),
                ..DetectorSpec::default()
            },
            crystal: CrystalSpec {
                cell: CellSpec::from_values(&cell).ok(),
                misset: Some(Misset::Angles(misset_rad)),
                cells: [3; 3],
                ..CrystalSpec::default()
            },
            factors: FactorsSpec::Constant(10.0),
            phi: PhiSpec { start: Angle::from_degrees(phi_deg), ..PhiSpec::default() },
            sampling: SamplingSpec { oversample: Some(1), ..SamplingSpec::default() },
            ..ExperimentSpec::default()
        };
        spec.phi.sweep.range = Some(0.01);
        spec.phi.sweep.count = Some(2);
        spec.beam.wavelength = Some(Length::from_angstrom(wavelength_a));
        spec.beam.polarization.kahn_factor = 0.7;
        if convention == Convention::Custom {
            spec.detector.axes.beam = Some(beam);
        }
        if thickness > 0.0 {
            spec.detector.sensor.thickness = Length::from_mm(thickness);
        }
        spec
    }
}

/// `spec` with the geometry of a file; what files do not carry stays.
fn through(described: &Described, spec: &ExperimentSpec) -> Result<Resolved, TestCaseError> {
    let blank = ExperimentSpec::default();
    let mut again = ExperimentSpec {
        detector: blank.detector,
        beam: blank.beam,
        crystal: CrystalSpec {
            cell: None,
            misset: None,
            ..spec.crystal.clone()
        },
        phi: PhiSpec::default(),
        ..spec.clone()
    };
    described
        .apply(&mut again)
        .map_err(|e| TestCaseError::fail(e.to_string()))?;
    again.phi.sweep.count = spec.phi.sweep.count;
    again
        .resolve()
        .map_err(|e| TestCaseError::fail(e.to_string()))
}

proptest! {
    #[test]
    fn a_run_comes_back_from_its_files(spec in runs()) {
        let first = spec.resolve().unwrap();
        let geometry = Geometry::of(&first).unwrap();
        let image = simulate(&first.experiment, &RunOptions::default()).unwrap();
        let brightest = f64::from(image.statistics.max_photons as f32);
        let [fast, slow] = geometry.panels[0].pixels;
        let corners = [[0, 0], [fast - 1, 0], [0, slow - 1], [fast - 1, slow - 1]];
        let files = [
            ("expt", dxtbx::parse(dxtbx::write(&geometry, &Default::default()).as_bytes(), "expt", Default::default())),
            ("XDS.INP", xds::parse(xds::write(&geometry, &xds::Images::new(None, &Default::default())).unwrap().as_bytes(), "XDS.INP")),
            ("memory", Ok(geometry.clone().into())),
        ];
        for (name, described) in files {
            let described = described.unwrap();
            prop_assert!(described.ignored.is_empty(), "{:?}", described.ignored);
            let second = through(&described, &spec)?;
            let again = Geometry::of(&second).unwrap();
            for (x, y) in corners.iter().map(|[f, s]| (f64::from(*f) + 0.5, f64::from(*s) + 0.5)) {
                let [a, b] = [&geometry, &again]
                    .map(|g| g.scattering_vector_per_angstrom(&g.panels[0], x, y));
                assert_close(a, b, SAME, name);
            }
            for (a, b) in indices(&first, &corners).into_iter().zip(indices(&second, &corners)) {
                assert_close(a, b, PROMISED, name);
            }
            let other = simulate(&second.experiment, &RunOptions::default()).unwrap();
            for (a, b) in image.photons.pixels().iter().zip(other.photons.pixels()) {
                let apart = f64::from((a - b).abs());
                prop_assert!(apart <= SAME_PHOTONS * brightest, "{name}: {a} {b} {brightest}");
            }
        }
    }

    #[test]
    fn the_map_of_a_run_is_that_of_its_kernel(spec in runs()) {
        let resolved = spec.resolve().unwrap();
        let geometry = Geometry::of(&resolved).unwrap();
        let [fast, slow] = geometry.panels[0].pixels;
        let map = geometry.scattering_vectors_per_angstrom();
        prop_assert_eq!(map.len(), (fast * slow * 3) as usize);
        let panel = resolved.experiment.detector.first();
        let incident = resolved.experiment.beam.direction();
        for s in 0..slow {
            for f in 0..fast {
                let px = panel.pixel_size_m();
                let [f_m, s_m] = [f, s].map(|n| (f64::from(n) + 0.5) * px);
                let place = panel.position_m(f_m, s_m, 0.0);
                let transfer = plus(unit(place), -1.0, incident);
                let q = transfer.map(|x| x / resolved.decisions.wavelength_m / 1e10);
                let at = ((s * fast + f) * 3) as usize;
                let found: Vector = map[at..at + 3].try_into().unwrap();
                // Whatever the frames, lengths and components along beam and spindle are the same.
                prop_assert!((dot(found, found) - dot(q, q)).abs() < SAME);
                let along = dot(found, geometry.beam.direction) - dot(q, incident);
                let around = dot(found, geometry.spindle) - dot(q, resolved.experiment.goniometer.spindle());
                let upright = dot(found, geometry.beam.polarization_normal)
                    - dot(q, resolved.experiment.beam.vertical());
                for apart in [along, around, upright] {
                    prop_assert!(apart.abs() < SAME);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = dxtbx::parse(&bytes, "any", Default::default());
        let _ = xds::parse(&bytes, "any");
    }

    #[test]
    fn no_damage_makes_a_reader_panic(
        at in 0..6000_usize,
        piece in select(vec![
            "", "[", "]", "null", "1e999", "-1", "\"", "0", "{}", "=", " = ", "!", "\u{e9}", "1e-400",
        ]),
        cut in 0..20_usize,
        panel in select(vec![None, Some(0), Some(1)]),
    ) {
        for (text, is_json) in [(KAPPA, true), (XDS_INP, false)] {
            let at = at % text.len();
            let end = (at + cut).min(text.len());
            let damaged = format!("{}{piece}{}", &text[..at], &text[end..]);
            let described = if is_json {
                let choice = dxtbx::Choice { experiment: None, crystal: None, panel };
                dxtbx::parse(damaged.as_bytes(), "any", choice)
            } else {
                xds::parse(damaged.as_bytes(), "any")
            };
            match described {
                Ok(described) => {
                    let mut spec = ExperimentSpec::default();
                    if described.apply(&mut spec).is_ok() {
                        let _ = spec.resolve();
                    }
                }
                Err(error) => prop_assert!(error.to_string().starts_with("any"), "{error}"),
            }
        }
    }
}

#[test]
fn a_curved_detector_has_no_description() {
    let mut spec = ExperimentSpec {
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    };
    spec.crystal.cell = CellSpec::from_values(&[100.0]).ok();
    spec.detector.surface = Surface::Curved;
    let error = Geometry::of(&spec.resolve().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the detector is curved: no file of another program can describe it"
    );
}

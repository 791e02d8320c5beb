//! Files of other programs: what they say, worked out anew from their numbers, is what a run does.
use nanobragg::exchange::{Described, Geometry, dxtbx, xds};
use nanobragg::{
    Angle, CellSpec, Convention, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length,
    MaskSpec, MaskedRegion, Misset, PhiSpec, Pivot, PixelPlace, Preset, Resolved, RunOptions,
    SamplingSpec, Scene, SensorSpec, Surface, simulate, trace_pixel,
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

const KAPPA: &str = include_str!("exchange/kappa.expt");
const XDS_INP: &str = include_str!("exchange/XDS.INP");

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

/// What is said of `kappa.expt` with the value at `pointer` replaced.
fn complaint(pointer: &str, value: Value) -> String {
    let mut root: Value = serde_json::from_str(KAPPA).expect("the fixture is JSON");
    *root.pointer_mut(pointer).expect("the fixture has that key") = value;
    let text = root.to_string();
    dxtbx::parse(text.as_bytes(), "a.expt", Default::default())
        .expect_err("the value makes no sense")
        .to_string()
}

/// `kappa.expt` with a second crystal on its image, of another orientation and another cell, and a third experiment on
/// another image.
fn split_crystal() -> Value {
    let mut root: Value = serde_json::from_str(KAPPA).expect("the fixture is JSON");
    let mut other = root["crystal"][0].clone();
    for (edge, stretch) in [
        ("real_space_a", 1.01),
        ("real_space_b", 0.98),
        ("real_space_c", 1.0),
    ] {
        let turned = times(rotation([1.0, 2.0, -0.5], 8.0), vector(&other[edge]));
        other[edge] = serde_json::to_value(turned.map(|x| x * stretch)).expect("numbers");
    }
    root["crystal"].as_array_mut().expect("a list").push(other);
    let own = root["experiment"][0].clone();
    let with = |model: &str, place: usize| {
        let mut other = own.clone();
        other[model] = place.into();
        other
    };
    root["experiment"] = Value::Array(vec![
        with("crystal", 0),
        with("crystal", 1),
        with("scan", 7),
    ]);
    root
}

fn chosen(root: &Value, experiment: Option<usize>, crystal: Option<usize>) -> Described {
    let choice = dxtbx::Choice {
        experiment,
        crystal,
        panel: None,
    };
    dxtbx::parse(root.to_string().as_bytes(), "a.expt", choice).expect("an experiment")
}

#[test]
fn crystals_of_an_expt_add_up() {
    let root = split_crystal();
    let photons = |crystal: Option<usize>| -> Vec<f64> {
        let resolved = run_of(&chosen(&root, None, crystal));
        assert_eq!(
            resolved.experiment.lattices.len(),
            if crystal.is_none() { 2 } else { 1 }
        );
        let image = simulate(&resolved.experiment, &RunOptions::default()).expect("an image");
        image
            .photons
            .rows()
            .flatten()
            .map(|&photons| photons.into())
            .collect()
    };
    let [both, first, second] = [None, Some(0), Some(1)].map(photons);
    let brightest = both.iter().copied().fold(0.0, f64::max);
    assert!(brightest > 0.0 && first != second);
    for ((both, first), second) in both.iter().zip(&first).zip(&second) {
        assert!((both - first - second).abs() < SAME_PHOTONS * brightest);
    }
    // The crystal of the chosen experiment is the first.
    let swapped = chosen(&root, Some(1), None);
    let direct = chosen(&root, None, Some(1));
    assert_eq!(swapped.lattice_angstrom, direct.lattice_angstrom);
    assert_eq!(swapped.others_angstrom.len(), 1);
    assert!(direct.others_angstrom.is_empty());
}

#[test]
fn lattices_come_back_from_an_expt() {
    let resolved = run_of(&chosen(&split_crystal(), None, None));
    let geometry = Geometry::of(&resolved).expect("a flat detector");
    let text = dxtbx::write(&geometry, &Default::default());
    let again = dxtbx::parse(text.as_bytes(), "b.expt", Default::default()).expect("our own");
    assert_eq!(again.lattice_angstrom, Some(geometry.lattice_angstrom));
    assert_eq!(again.others_angstrom, geometry.others_angstrom);
    let [expected, found] = [&resolved, &run_of(&again)]
        .map(|run| run.experiment.lattice_edges_m().collect::<Vec<_>>());
    assert_eq!(found.len(), 2);
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert_close(
            found.map(|m| m * 1e10),
            expected.map(|m| m * 1e10),
            SAME,
            "edge",
        );
    }
}

#[test]
fn experiments_that_are_left_out_are_named() {
    let root = split_crystal();
    let reason = "a run has one image; -expt_number chooses it";
    let told = |root: &Value, experiment, crystal| -> Vec<String> {
        let described = chosen(root, experiment, crystal);
        let found = described.ignored.iter().map(ToString::to_string);
        found
            .filter(|text| text.contains("a.expt: all but") || text.contains("hall"))
            .collect()
    };
    let of_images =
        format!("all but the 2 experiments on the image of experiment 0 of 3 is ignored: {reason}");
    assert_eq!(told(&root, None, None), [format!("a.expt: {of_images}")]);
    assert_eq!(told(&root, Some(0), None), [""; 0]);
    assert_eq!(told(&root, None, Some(1)), [""; 0]);
    let mut alone = root.clone();
    alone["experiment"].as_array_mut().unwrap().remove(1);
    let of_images = format!("a.expt: all but experiment 0 of 2 is ignored: {reason}");
    assert_eq!(told(&alone, None, None), [of_images]);
    // Two experiments of one crystal are one lattice.
    let mut same = root.clone();
    same["experiment"][1]["crystal"] = 0.into();
    assert!(chosen(&same, Some(0), None).others_angstrom.is_empty());
    let mut grouped = root.clone();
    grouped["crystal"][0]["space_group_hall_symbol"] = " P 2y".into();
    grouped["crystal"][1]["space_group_hall_symbol"] = " P 1".into();
    assert_eq!(
        told(&grouped, Some(0), None),
        [
            "a.expt: crystal[1].space_group_hall_symbol is ignored: all lattices have the structure factors of one"
        ]
    );
    let choice = dxtbx::Choice {
        experiment: None,
        crystal: Some(5),
        panel: None,
    };
    let error =
        dxtbx::parse(root.to_string().as_bytes(), "a.expt", choice).expect_err("there are two");
    assert_eq!(
        error.to_string(),
        "a.expt: crystal 5 on the image of experiment 0 is missing"
    );
}

#[test]
fn faults_in_an_expt_are_named_by_their_key() {
    let panel = "/detector/0/panels/0";
    let two = {
        let root: Value = serde_json::from_str(KAPPA).unwrap();
        let panel = root.pointer(panel).unwrap().clone();
        Value::Array(vec![panel.clone(), panel])
    };
    for (pointer, value, message) in [
        (
            "/__id__",
            "DataBlock".into(),
            "a.expt: __id__: found `DataBlock`, expected \"ExperimentList\"",
        ),
        (
            "/experiment",
            Value::Array(vec![]),
            "a.expt: experiment[0] is missing",
        ),
        ("/experiment/0/beam", 3.into(), "a.expt: beam[3] is missing"),
        (
            "/experiment/0/beam",
            "beam.json".into(),
            "a.expt: experiment[0].beam: found `beam.json`, expected a whole number of 0 or above",
        ),
        (
            "/detector/0/panels",
            Value::Array(vec![]),
            "a.expt: detector[0].panels: found a list of 0, expected one panel or more",
        ),
        (
            "/detector/0/panels",
            two,
            "a.expt: detector[0].hierarchy: found an object, expected groups that hold every panel",
        ),
        (
            "/detector/0/panels/0/origin",
            Value::from(vec![1.0, 2.0]),
            "a.expt: detector[0].panels[0].origin: found a list of 2, expected three numbers",
        ),
        (
            "/detector/0/panels/0/origin/1",
            "far".into(),
            "a.expt: detector[0].panels[0].origin[1]: found `far`, expected a number of a magnitude up to 1e15",
        ),
        (
            "/detector/0/panels/0/slow_axis",
            Value::from(vec![1.0, 0.5, 0.0]),
            "a.expt: detector[0].panels[0].slow_axis: found a list of 3, expected a direction at right angles to fast_axis",
        ),
        (
            "/detector/0/panels/0/fast_axis",
            Value::from(vec![0.0, 0.0, 0.0]),
            "a.expt: detector[0].panels[0].fast_axis: found a list of 3, expected a vector that has a direction",
        ),
        (
            "/detector/0/panels/0/pixel_size",
            Value::from(vec![0.1, 0.2]),
            "a.expt: detector[0].panels[0].pixel_size: found a list of 2, expected square pixels",
        ),
        (
            "/detector/0/panels/0/image_size/0",
            (-5).into(),
            "a.expt: detector[0].panels[0].image_size[0]: found -5, expected a whole number of 0 or above",
        ),
        (
            "/detector/0/hierarchy/children/0/children",
            Value::Array(vec![]),
            "a.expt: detector[0].hierarchy: found an object, expected groups that hold every panel",
        ),
        (
            "/beam/0/wavelength",
            0.into(),
            "a.expt: beam[0].wavelength: found 0, expected a number from 1e-15 to 1e15",
        ),
        (
            "/beam/0/__id__",
            "polychromatic".into(),
            "a.expt: beam[0].__id__: found `polychromatic`, expected a monochromatic beam",
        ),
        (
            "/beam/0/polarization_fraction",
            2.into(),
            "a.expt: beam[0].polarization_fraction: found 2, expected a share from 0 to 1",
        ),
        (
            "/goniometer/0/angles",
            Value::from(vec![0.0]),
            "a.expt: goniometer[0].angles: found a list of 1, expected an angle for every axis",
        ),
        (
            "/goniometer/0/scan_axis",
            3.into(),
            "a.expt: goniometer[0].scan_axis: found 3, expected the number of one of the axes, from 0",
        ),
        (
            "/crystal/0/real_space_c",
            Value::from(vec![0.0, 0.0, 0.0]),
            "a.expt: crystal[0].real_space_c: found a list of 3, expected a vector that makes a right-handed cell with the other two",
        ),
        (
            "/crystal/0/real_space_a",
            Value::Null,
            "a.expt: crystal[0].real_space_a is missing",
        ),
    ] {
        assert_eq!(complaint(pointer, value), message);
    }
    let not_json = KAPPA.replace("0.97625", "NaN");
    let message = dxtbx::parse(not_json.as_bytes(), "a.expt", Default::default())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("a.expt: not JSON: ") && message.contains("line 31"),
        "{message}"
    );
}

#[test]
fn faults_in_an_xds_inp_are_named_by_line_and_keyword() {
    for (from, to, message) in [
        ("ORGX=34.25 ", "", "XDS.INP: ORGX is missing"),
        ("NX=60 NY=50", "", "XDS.INP: each of NX NY is missing"),
        (
            "NX=60",
            "NX=sixty",
            "XDS.INP:7: NX: found `sixty`, expected a whole number of 0 or above",
        ),
        (
            "QY=0.688",
            "QY=0.7",
            "XDS.INP:7: QY: found `0.7`, expected the number of QX, because pixels are square",
        ),
        (
            "DISTANCE= 163.2",
            "DISTANCE= 0",
            "XDS.INP:9: DETECTOR_DISTANCE: found `0`, expected a number other than 0",
        ),
        (
            "DISTANCE= 163.2",
            "DISTANCE= nan",
            "XDS.INP:9: DETECTOR_DISTANCE: found `nan`, expected a number of a magnitude up to 1e15",
        ),
        (
            "-0.00200 0.99950 0.03000",
            "1 0.2 0",
            "XDS.INP:11: DIRECTION_OF_DETECTOR_Y-AXIS: found `1 0.2 0`, expected a direction at right angles to that of the other axis",
        ),
        (
            "0.99997 -0.00500 0.00600",
            "1 0",
            "XDS.INP:15: ROTATION_AXIS: found `1 0`, expected three numbers",
        ),
        (
            "0.99997 -0.00500 0.00600",
            "1 0 0 0",
            "XDS.INP:15: ROTATION_AXIS: found `1 0 0 0`, expected three numbers",
        ),
        (
            "X-RAY_WAVELENGTH= 0.97625",
            "X-RAY_WAVELENGTH= -1",
            "XDS.INP:17: X-RAY_WAVELENGTH: found `-1`, expected a number from 1e-15 to 1e15",
        ),
        (
            "SILICON=3.9599",
            "SILICON=-1",
            "XDS.INP:12: SILICON: found `-1`, expected 0 or above",
        ),
        (
            " UNIT_CELL_B-AXIS= -40.1 5.2 38.4\n",
            "",
            "XDS.INP: UNIT_CELL_B-AXIS is missing",
        ),
        (
            "-31.6 -143.2 -15.4",
            "31.6 143.2 15.4",
            "XDS.INP:25: UNIT_CELL_C-AXIS: found `31.6 143.2 15.4`, expected a vector that makes a right-handed cell with the other two",
        ),
    ] {
        assert!(XDS_INP.contains(from), "{from}");
        let found = xds::parse(XDS_INP.replacen(from, to, 1).as_bytes(), "XDS.INP");
        assert_eq!(found.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_file_that_is_no_xds_inp_is_refused() {
    let wide: Vec<u8> = XDS_INP.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let geom = include_str!("exchange/two_panels.geom");
    for (bytes, found) in [
        (&b""[..], "an empty file".to_owned()),
        (b" \r\n", "an empty file".to_owned()),
        (
            b"XPARM.XDS VERSION Jan 10, 2022  BUILT=20220820\n 1 0.0",
            "an XPARM.XDS".to_owned(),
        ),
        (
            b"{\nHEADER_BYTES=512;\nDISTANCE=70;\nPIXEL_SIZE=0.1;\n}",
            "`{`".to_owned(),
        ),
        (KAPPA.as_bytes(), "`{`".to_owned()),
        (
            geom.as_bytes(),
            "`; Two panels, one of them tilted, in the...`".to_owned(),
        ),
        (b"JOB= XYCORR\n", "`JOB= XYCORR`".to_owned()),
    ] {
        let message = xds::parse(bytes, "any").unwrap_err().to_string();
        let expected = "any: no keyword of the geometry of XDS: found ";
        assert_eq!(message, format!("{expected}{found}, expected an XDS.INP"));
    }
    let message = xds::parse(&wide, "any").unwrap_err().to_string();
    assert!(
        message.starts_with("any: no keyword of the geometry of XDS"),
        "{message}"
    );
}

#[test]
fn line_ends_of_an_xds_inp_make_no_difference() {
    let read = |text: &str| xds::parse(text.as_bytes(), "X").unwrap();
    for end in ["\r\n", "\r"] {
        assert_eq!(read(&XDS_INP.replace('\n', end)), read(XDS_INP));
    }
}

#[test]
fn keywords_of_xds_that_nobody_knows_draw_a_word() {
    let text = "X-RAY_WAVELENGTH= 1.5 COLOUR= blue\nSTRONG_PIXEL=3 UNTRUSTED_ELLIPSE= 1 2 3 4\n";
    let described = xds::parse(text.as_bytes(), "X").unwrap();
    let ignored: Vec<String> = described.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        ignored,
        [
            "X:1: COLOUR is ignored: no keyword of this name is known",
            "X:2: UNTRUSTED_ELLIPSE is ignored: every pixel is rendered; -mask leaves some out"
        ]
    );
    assert_eq!(described.wavelength_angstrom, Some(1.5));
    assert_eq!(described.panels, []);
    let keywords = "NX NY QX QY ORGX ORGY DETECTOR_DISTANCE";
    let absent = format!("X: {keywords} are missing, so that the file places no detector");
    assert_eq!(described.absent, [absent]);
}

#[test]
fn panels_are_segments_and_rectangles_of_an_xds_inp() {
    let mut spec = ExperimentSpec {
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    };
    spec.crystal.cell = CellSpec::from_values(&[100.0]).ok();
    // Its panels are turned by quarters and a little more.
    let cspad = Preset::named("cspad").unwrap();
    cspad.place(&mut spec, Pivot::Sample).unwrap();
    spec.detector.rotations = [1.0, -2.0, 3.0].map(Angle::from_degrees);
    let masked = [(0, [3, 5], [0, 184]), (63, [193, 193], [7, 9])];
    let masked = masked.map(|(panel, fast, slow)| MaskedRegion { panel, fast, slow });
    spec.mask = Some(MaskSpec::Regions(masked.to_vec()));
    let written = Geometry::of(&spec.resolve().unwrap()).unwrap();
    let images = xds::Images::new(None, &spec.response).of_panels(64, &spec.response);
    let text = xds::write(&written, &images).unwrap();
    assert!(text.contains("NX= 194\nNY= 11840\n") && text.contains("SEGMENT= 1 194 186 370\n"));
    let read = xds::parse(text.as_bytes(), "X").unwrap();
    assert_eq!(read.ignored, []);
    assert_eq!(read.masked, masked);
    assert_eq!(read.panels.len(), 64);
    for (one, two) in written.panels.iter().zip(&read.panels) {
        assert_eq!(one.pixels, two.pixels);
        for [fast, slow] in [[0.0, 0.0], [194.0, 0.0], [0.0, 185.0]] {
            let (a, b) = (one.position_mm(fast, slow), two.position_mm(fast, slow));
            assert_close(a, b, SAME, "position");
        }
    }
}

#[test]
fn faults_in_segments_are_named_by_line_and_keyword() {
    let begin = "NX= 20 NY= 10 QX= 1 QY= 1 ORGX= 5 ORGY= 5 DETECTOR_DISTANCE= 100\n";
    let axes = "DIRECTION_OF_SEGMENT_X-AXIS= 1 0 0\nDIRECTION_OF_SEGMENT_Y-AXIS= 0 1 0\n";
    let org = "SEGMENT_ORGX= 1 SEGMENT_ORGY= 2\n";
    for (segment, axes, org, message) in [
        (
            "1 21 1 10",
            axes,
            org,
            "X:2: SEGMENT: found `1 21 1 10`, expected first and last pixel along X and Y, from 1 to NX and NY",
        ),
        (
            "1 20 1",
            axes,
            org,
            "X:2: SEGMENT: found `1 20 1`, expected four numbers",
        ),
        (
            "1 20 1 10",
            axes,
            "",
            "X:2: SEGMENT: SEGMENT_ORGX is missing",
        ),
        (
            "1 20 1 10",
            "",
            org,
            "X:2: SEGMENT: DIRECTION_OF_SEGMENT_Y-AXIS is missing",
        ),
        (
            "1 20 1 10\n SEGMENT= 20 20 10 10",
            axes,
            org,
            "X:2: SEGMENT: DIRECTION_OF_SEGMENT_Y-AXIS is missing",
        ),
    ] {
        let text = format!("{begin}SEGMENT= {segment}\n{axes}{org}");
        let found = xds::parse(text.as_bytes(), "X").unwrap_err();
        assert_eq!(found.to_string(), message);
    }
    let twice = format!("SEGMENT= 1 20 1 5\n{axes}{org}SEGMENT= 20 20 5 10\n{axes}{org}");
    let found = xds::parse(format!("{begin}{twice}").as_bytes(), "X").unwrap_err();
    assert_eq!(
        found.to_string(),
        "X:6: SEGMENT: found `20 20 5 10`, expected pixels that no other segment has"
    );
}

#[test]
fn a_cell_without_orientation_is_taken_with_its_space_group_alone() {
    let cell = |text: &str| xds::parse(text.as_bytes(), "X").unwrap().cell;
    let constants = "UNIT_CELL_CONSTANTS= 70 80 90 90 90 90\n";
    assert_eq!(cell(constants), None);
    assert_eq!(cell(&format!("{constants}SPACE_GROUP_NUMBER=0")), None);
    let found = cell(&format!("{constants}SPACE_GROUP_NUMBER=19"));
    assert_eq!(found.unwrap().lengths_angstrom, [70.0, 80.0, 90.0]);
}

#[test]
fn older_forms_of_an_expt_are_understood() {
    let mut root: Value = serde_json::from_str(KAPPA).unwrap();
    root["scan"][0] = serde_json::json!({
        "image_range": [1, 3], "batch_offset": 0, "oscillation": [12.5, 0.25],
        "exposure_time": [0.1, 0.1, 0.1], "epochs": [0.0, 1.0, 2.0]
    });
    let turn = |axis: Vector, degrees: f64| -> Vec<f64> {
        let [a, b, c] = rotation(axis, degrees);
        (0..3).flat_map(|i| [a[i], b[i], c[i]]).collect()
    };
    root["goniometer"][0] = serde_json::json!({
        "rotation_axis": [0.914, 0.279, -0.297],
        "fixed_rotation": turn([1.0, 0.2, 0.0], 31.0),
        "setting_rotation": turn([0.0, 1.0, 0.3], 17.0)
    });
    root["goniometer"][1] = serde_json::json!({
        "axes": [[1.0, 0.2, 0.0], [0.914, 0.279, -0.297], [0.0, 1.0, 0.3]],
        "angles": [31.0, 5.0, 17.0], "names": ["a", "b", "c"], "scan_axis": 1
    });
    let read = |goniometer: usize| {
        let mut root = root.clone();
        root["experiment"][0]["goniometer"] = goniometer.into();
        dxtbx::parse(root.to_string().as_bytes(), "old", Default::default()).unwrap()
    };
    let [matrices, axes] = [read(0), read(1)];
    assert_eq!(matrices.phi_start_deg, Some(12.5));
    assert_eq!(matrices.phi_width_deg, Some(0.25));
    assert_close(
        matrices.spindle.unwrap(),
        axes.spindle.unwrap(),
        SAME,
        "spindle",
    );
    let edges = matrices.lattice_angstrom.unwrap().into_iter();
    for (a, b) in edges.zip(axes.lattice_angstrom.unwrap()) {
        assert_close(a, b, SAME, "edge");
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

//! Crystals, choices and faults of an ExperimentList of dxtbx.

use nanobragg::exchange::{Described, Geometry, dxtbx};
use nanobragg::{RunOptions, simulate};
use serde_json::Value;

use super::{KAPPA, SAME, SAME_PHOTONS, Vector, assert_close, rotation, run_of, times, vector};

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

//! Truth tables and labels of the images.

use nanobragg::io::any::AnyImage;
use nanobragg_tests::binary::Scene;
use serde_json::Value;

use super::{numbered, run};

/// The columns h, k, l, d, F, fast, slow, photons, partiality of a table, and the values of its head.
fn table(text: &str) -> (Vec<[f64; 17]>, Value) {
    let mut head = serde_json::Map::new();
    let (comments, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.starts_with('#'));
    for comment in comments {
        let (name, value) = comment.trim_start_matches("# ").split_once(": ").unwrap();
        head.insert(name.to_owned(), serde_json::from_str(value).unwrap());
    }
    let columns = "h,k,l,d_angstrom,f_electrons,fast_px,slow_px,photons,partiality,peak_photons,\
                   fast0_px,fast1_px,slow0_px,slow1_px,variance_fast_px2,variance_slow_px2,covariance_px2";
    assert_eq!(rows[0], columns);
    let row = |line: &&str| {
        let mut numbers = line.split(',').map(|number| number.parse().unwrap());
        let row = std::array::from_fn(|_| numbers.next().unwrap());
        assert_eq!(numbers.next(), None);
        row
    };
    (rows[1..].iter().map(row).collect(), Value::Object(head))
}

#[test]
fn the_table_of_an_image_adds_up_to_it_and_says_the_same_in_csv_and_json() {
    let scene = Scene::empty();
    let line = "-misset 10 20 30 -phi 40 -water 20";
    run(&scene, &format!("{line} -truthfile t.csv")).well();
    run(&scene, &format!("{line} -truthfile t.json")).well();
    let (rows, head) = table(&String::from_utf8(scene.read("t.csv")).unwrap());
    let bytes = scene.read("floatimage.bin");
    let pixels = bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    let image: f64 = pixels.map(f64::from).sum();
    let background = head["background_photons"].as_f64().unwrap();
    let sum: f64 = rows.iter().map(|row| row[7]).sum();
    assert!(background > 0.0 && sum > 0.0);
    // Sums of a few thousand numbers in double precision.
    assert!(((sum + background) / image - 1.0).abs() < 1e-11);
    for row in &rows {
        let [_, _, _, _, _, fast, slow, photons, partiality, rest @ ..] = row;
        let [peak, fast0, fast1, slow0, slow1, ..] = rest;
        assert!(0.0 <= *fast0 && fast0 < fast1 && *fast1 <= 41.0);
        assert!(0.0 <= *slow0 && slow0 < slow1 && *slow1 <= 37.0);
        assert!(*peak > 0.0 && *peak <= photons * (1.0 + 1e-6));
        assert!((0.0..=41.0).contains(fast) && (0.0..=37.0).contains(slow));
        assert!((0.0..=1.0).contains(partiality));
    }

    let json: Value = serde_json::from_slice(&scene.read("t.json")).unwrap();
    let reflections = json["reflections"].as_array().unwrap();
    assert_eq!(reflections.len(), rows.len());
    for (row, reflection) in rows.iter().zip(reflections) {
        let photons = reflection["photons"].as_f64().unwrap();
        // The JSON reader may change the last bit.
        assert!((row[7] / photons - 1.0).abs() < 1e-15, "{row:?}");
        let hkl = [0, 1, 2].map(|i| reflection["hkl"][i].as_f64().unwrap());
        assert_eq!([row[0], row[1], row[2]], hkl);
        let ends = ["fast_range_px", "slow_range_px"].map(|name| {
            let range = &reflection[name];
            [0, 1].map(|end| range[end].as_f64().unwrap())
        });
        assert_eq!(row[10..14], ends.concat());
        let moment = |name: &str| reflection[name].as_f64().unwrap();
        assert!((row[14] - moment("variance_fast_px2")).abs() <= 5.1e-6);
        assert!((row[15] - moment("variance_slow_px2")).abs() <= 5.1e-6);
        assert!((row[16] - moment("covariance_px2")).abs() <= 5.1e-6);
    }
    assert_eq!(
        json["a_matrix_at_phi_0_per_angstrom"],
        head["a_matrix_at_phi_0_per_angstrom"]
    );
    assert_eq!(json["phi_start_deg"].as_f64().unwrap().round(), 40.0);
}

#[test]
fn the_matrices_of_a_table_are_a_rotation_and_the_cell_turned_by_it() {
    let scene = Scene::empty();
    run(&scene, "-misset 10 20 30 -phi 90 -truthfile t.json").well();
    let json: Value = serde_json::from_slice(&scene.read("t.json")).unwrap();
    let matrix = |name: &str| -> [[f64; 3]; 3] {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| json[name][i][j].as_f64().unwrap()))
    };
    let [a, at_phi, u] = [
        "a_matrix_at_phi_0_per_angstrom",
        "a_matrix_at_phi_start_per_angstrom",
        "u_matrix_at_phi_0",
    ]
    .map(matrix);
    let product = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| {
        let term = |i: usize, j: usize| (0..3).map(|k| a[k][i] * b[k][j]).sum::<f64>();
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| term(i, j)))
    };
    // The quaternions turn vectors as U and the rotation by phi after U do.
    let quaternion = |name: &str| [0, 1, 2, 3].map(|i| json[name][i].as_f64().unwrap());
    let turned = |q: [f64; 4], [x, y, z]: [f64; 3]| {
        let times = |[a, b, c, d]: [f64; 4], [e, f, g, h]: [f64; 4]| {
            [
                a * e - b * f - c * g - d * h,
                a * f + b * e + c * h - d * g,
                a * g - b * h + c * e + d * f,
                a * h + b * g - c * f + d * e,
            ]
        };
        let [w, i, j, k] = q;
        let [_, x, y, z] = times(times(q, [0.0, x, y, z]), [w, -i, -j, -k]);
        [x, y, z]
    };
    let (q, at_start) = (
        quaternion("quaternion_at_phi_0"),
        quaternion("quaternion_at_phi_start"),
    );
    assert!(q[0] >= 0.0 && at_start[0] >= 0.0);
    for j in 0..3 {
        let axis = [0, 1, 2].map(|i| f64::from(u8::from(i == j)));
        let ([x, y, z], after) = (turned(q, axis), turned(at_start, axis));
        for (i, row) in u.iter().enumerate() {
            assert!(([x, y, z][i] - row[j]).abs() < 1e-12);
            assert!(([-y, x, z][i] - after[i]).abs() < 1e-12);
        }
    }
    // U^T U is 1, and U^T A is B, with zeros below the diagonal.
    let unit = product(u, u);
    let b = product(u, a);
    for i in 0..3 {
        for j in 0..3 {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((unit[i][j] - expected).abs() < 1e-12);
            assert!(i <= j || b[i][j].abs() < 1e-15);
        }
        assert!(b[i][i] > 0.0);
        // A rotation by 90 degrees about z, the spindle, takes (x, y, z) to (-y, x, z).
        assert!((at_phi[0][i] + a[1][i]).abs() < 1e-15);
        assert!((at_phi[1][i] - a[0][i]).abs() < 1e-15);
        assert!((at_phi[2][i] - a[2][i]).abs() < 1e-15);
    }
    // A cell of 70 x 80 x 90 A with 95 degrees between a and b: |c*| is 1/(c sin sin).
    let lengths = [0, 1, 2].map(|j| (0..3).map(|i| a[i][j] * a[i][j]).sum::<f64>().sqrt());
    assert!(lengths[0] > 1.0 / 70.0 && lengths[1] > 1.0 / 80.0 && lengths[2] > 1.0 / 90.0);
}

#[test]
fn labels_are_rows_of_the_table_and_the_same_in_every_format() {
    let scene = Scene::empty();
    let line = "-shots 1 -truthfile t.csv -truth_pixel_floor 0.001 -truth_floor 0.01";
    let mut files = Vec::new();
    for name in ["l.npy", "l.bin", "l.tif", "l.h5"] {
        run(
            &scene,
            &format!("{line} -labelfile {name} -seriesfile {name}.jsonl"),
        )
        .well();
        files.push(scene.read(&numbered(name, 1)));
    }
    let (rows, _) = table(&String::from_utf8(scene.read(&numbered("t.csv", 1))).unwrap());
    let labels: Vec<u32> = (files[1].chunks_exact(4))
        .map(|four| u32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    assert_eq!(labels.len(), 41 * 37);
    // Numbers below 2^24 are exact.
    let expected: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    for name in ["l.npy", "l.tif", "l.h5"] {
        let name = numbered(name, 1);
        let image = AnyImage::read(scene.path(&name)).unwrap();
        let image = image.into_stored([41, 37]).unwrap().pixels.to_floats();
        assert_eq!((image.fast(), image.slow()), (41, 37), "{name}");
        assert_eq!(image.pixels(), expected, "{name}");
    }
    let mut seen = vec![false; rows.len()];
    for (i, &label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
        let row = &rows[label as usize - 1];
        let (fast, slow) = ((i % 41) as f64, (i / 41) as f64);
        assert!(row[10] <= fast && fast < row[11] && row[12] <= slow && slow < row[13]);
        seen[label as usize - 1] = true;
    }
    assert!(seen.iter().filter(|seen| **seen).count() > 5, "{rows:?}");
}

//! Files of CrystFEL by flags: geometries in and out, streams and lists of solutions out.

use std::collections::BTreeMap;

use nanobragg_tests::binary::Scene;
use serde_json::Value;

const CRYSTAL: &str =
    "-default_F 100 -cell 70 80 90 -N 5 -misset 10 20 30 -oversample 1 -noprogress -nopgm";

/// The bits of photons in 32-bit floats, over the brightest pixel.
const SAME_PHOTONS: f32 = 1e-6;

/// The accuracy that is promised for the position of a pixel, in metres.
const SAME_M: f64 = 1e-9;

type Vector = [f64; 3];

fn text(scene: &Scene, name: &str) -> String {
    String::from_utf8(scene.read(name)).unwrap()
}

/// A geometry as the manual of CrystFEL explains it: the values of each panel, with those of all.
fn panels_of(geom: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut all = BTreeMap::new();
    let mut panels: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    for line in geom.lines().filter(|line| !line.starts_with(';')) {
        let (key, value) = line.split_once(" = ").unwrap();
        match key.split_once('/') {
            Some((bad, _)) if bad.starts_with("bad") => {}
            None => {
                all.insert(key.to_owned(), value.to_owned());
            }
            Some((panel, key)) => {
                if panels.iter().all(|(name, _)| name != panel) {
                    panels.push((panel.to_owned(), all.clone()));
                }
                let (_, values) = panels.iter_mut().find(|(name, _)| name == panel).unwrap();
                values.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    panels
}

/// A vector such as `+0.5x -0.5y +0.1z`.
fn vector(value: &str) -> Vector {
    let mut vector = [0.0; 3];
    for term in value.split(' ') {
        let (number, axis) = term.split_at(term.len() - 1);
        vector["xyz".find(axis).unwrap()] = number.parse().unwrap();
    }
    vector
}

/// A panel of a geometry: metres and pixels.
struct GeomPanel {
    corner_m: Vector,
    fast: Vector,
    slow: Vector,
    pitch_m: f64,
    pixels: [f64; 2],
    first: [f64; 2],
}

impl GeomPanel {
    fn of(values: &BTreeMap<String, String>) -> Self {
        let number = |key: &str| {
            values
                .get(key)
                .map_or(0.0, |value| value.parse::<f64>().unwrap())
        };
        let pitch_m = 1.0 / number("res");
        let size =
            |axis: &str| number(&format!("max_{axis}")) - number(&format!("min_{axis}")) + 1.0;
        Self {
            corner_m: [
                number("corner_x") * pitch_m,
                number("corner_y") * pitch_m,
                number("clen") + number("coffset"),
            ],
            fast: vector(&values["fs"]),
            slow: vector(&values["ss"]),
            pitch_m,
            pixels: ["fs", "ss"].map(size),
            first: [number("min_fs"), number("min_ss")],
        }
    }

    fn place_m(&self, fast: f64, slow: f64) -> Vector {
        std::array::from_fn(|i| {
            self.corner_m[i] + self.pitch_m * (fast * self.fast[i] + slow * self.slow[i])
        })
    }
}

/// The point of a panel of an ExperimentList in metres, in the laboratory of CrystFEL: half a turn about y.
fn place_of_expt_m(panel: &Value, fast: f64, slow: f64) -> Vector {
    let at = |key: &str, i: usize| panel[key][i].as_f64().unwrap();
    let px_mm = panel["pixel_size"][0].as_f64().unwrap();
    std::array::from_fn(|i| {
        let mm = at("origin", i) + px_mm * (fast * at("fast_axis", i) + slow * at("slow_axis", i));
        [-1.0, 1.0, -1.0][i] * mm / 1000.0
    })
}

#[test]
fn every_pixel_of_large_detectors_is_where_dxtbx_has_it() {
    let scene = Scene::empty();
    let tilt = "-detector_rotx 2 -detector_roty 1 -detector_rotz 3 -Xbeam 3 -Ybeam 4";
    for (flags, panels, rows) in [
        ("-detector jungfrau4m", 64, 64 * 256),
        ("-detector agipd1m", 128, 128 * 64),
        (&format!("-detector agipd1m {tilt}"), 128, 128 * 64),
        (
            &format!("-xds -detpixels_x 31 -detpixels_y 17 {tilt}"),
            1,
            17,
        ),
    ] {
        let line = format!("{CRYSTAL} {flags} -distance 150 -lambda 1.3 -roi 0 3 0 3");
        scene
            .run_line(&format!(
                "{line} -nexusfile a.nxs -geomfile a.geom -exptfile a.expt"
            ))
            .well();
        let geom = panels_of(&text(&scene, "a.geom"));
        let expt: Value = serde_json::from_slice(&scene.read("a.expt")).unwrap();
        let listed = expt["detector"][0]["panels"].as_array().unwrap();
        assert_eq!([geom.len(), listed.len()], [panels; 2], "{flags}");
        let mut next = 0.0;
        for ((name, values), listed) in geom.iter().zip(listed) {
            let panel = GeomPanel::of(values);
            // Panels stand one below the other in the file.
            assert_eq!(panel.first, [0.0, next], "{name}");
            next += panel.pixels[1];
            for slow in 0..panel.pixels[1] as u32 {
                for fast in 0..panel.pixels[0] as u32 {
                    let middle = [fast, slow].map(|pixel| f64::from(pixel) + 0.5);
                    let here = panel.place_m(middle[0], middle[1]);
                    let there = place_of_expt_m(listed, middle[0], middle[1]);
                    let apart = (0..3)
                        .map(|i| (here[i] - there[i]).abs())
                        .fold(0.0, f64::max);
                    assert!(apart < SAME_M, "{flags} {name} {fast} {slow}: {apart}");
                }
            }
        }
        assert_eq!(next, f64::from(rows), "{flags}");
    }
}

#[test]
fn a_run_comes_back_from_the_geometry_it_writes() {
    let scene = Scene::empty();
    let photons = |name: &str| -> Vec<f32> {
        let bytes = scene.read(name);
        let floats = bytes.chunks_exact(4);
        floats
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect()
    };
    for convention in ["mosflm", "denzo", "adxv", "xds", "dials"] {
        let detector = format!(
            "-{convention} -detpixels_x 24 -detpixels_y 18 -pixel 1.5 -distance 120 -detector_rotx 3 \
             -twotheta 5 -lambda 1.1 -gain 2.5"
        );
        scene
            .run_line(&format!(
                "{CRYSTAL} {detector} -floatfile a.bin -geomfile a.geom -exptfile a.expt"
            ))
            .well();
        // The crystal is not in the geometry.
        let rest = "-default_F 100 -N 5 -oversample 1 -noprogress -nopgm -expt a.expt";
        let run = scene.run_line(&format!("{rest} -geom a.geom -floatfile b.bin"));
        let run = run.well();
        let taken = run.line("from the file of -geom");
        assert!(
            taken.contains("detector, beam direction, wavelength, gain"),
            "{taken}"
        );
        let (a, b) = (photons("a.bin"), photons("b.bin"));
        let brightest = a.iter().copied().fold(0.0, f32::max);
        let apart = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(
            brightest > 0.0 && apart < SAME_PHOTONS * brightest,
            "{convention} {apart}"
        );
    }
}

#[test]
fn what_a_geometry_cannot_say_is_said_in_one_line() {
    let scene = Scene::empty();
    let panel = "p/min_fs = 0\np/max_fs = 9\np/min_ss = 0\np/max_ss = 9\np/corner_x = -5\np/corner_y = -5\n\
                 p/fs = x\np/ss = y\np/res = 1000\n";
    scene.write(
        "here.geom",
        format!("clen = 0.1\nphoton_energy = 9000\n{panel}"),
    );
    scene.write(
        "there.geom",
        format!("clen = /clen mm\nphoton_energy = /energy eV\n{panel}"),
    );
    scene.write("none.geom", "clen = 0.1\n");
    scene.write(
        "key.geom",
        format!("clen = 0.1\nphoton_energy = 9000\n{panel}p/cormer_x = 3\n"),
    );
    scene.write("a.cell", "CrystFEL unit cell file version 1.0\na = 10\n");
    for (line, message) in [
        ("-geom nosuch.geom", "nosuch.geom: "),
        (
            "-geom none.geom",
            "none.geom: a panel, with lines such as `p0/min_fs = 0`, is missing",
        ),
        (
            "-geom there.geom",
            "there.geom:2: photon_energy: found `/energy eV`",
        ),
        (
            "-geom there.geom -energy 9000",
            "there.geom:1: clen: found `/clen mm`",
        ),
        ("-geom here.geom -geomfile here.geom", "here.geom: "),
        (
            "-streamfile same -solfile same",
            "would overwrite what -streamfile names",
        ),
    ] {
        let run = scene.run_line(&format!("{CRYSTAL} {line}"));
        assert_eq!(run.status, Some(1), "{line}: {}", run.stderr);
        let errors: Vec<&str> = run
            .stderr
            .lines()
            .filter(|l| l.contains("error: "))
            .collect();
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{line}: {}",
            run.stderr
        );
    }
    scene
        .run_line(&format!(
            "{CRYSTAL} -geom there.geom -energy 9000 -distance 80 -exptfile a.expt"
        ))
        .well();
    let expt: Value = serde_json::from_slice(&scene.read("a.expt")).unwrap();
    let z = expt["detector"][0]["panels"][0]["origin"][2]
        .as_f64()
        .unwrap();
    assert!((z + 80.0).abs() < 1e-9, "{z}");
    let run = scene.run_line("-default_F 100 -N 5 -cellfile a.cell");
    let message = "a.cell:2: a: found `a = 10`, expected `= number A` or `= number nm`";
    assert!(run.stderr.contains(message), "{}", run.stderr);
    // -mask wins over the regions of a geometry.
    let masked = text(&scene, "here.geom") + "p/no_index = 1\n";
    scene.write("masked.geom", masked);
    let floats: Vec<u8> = [0.0_f32, 1.0]
        .iter()
        .cycle()
        .take(100)
        .flat_map(|x| x.to_le_bytes())
        .collect();
    scene.write("mask.bin", floats);
    let brightest = |line: &str| {
        scene
            .run_line(&format!(
                "{CRYSTAL} -geom masked.geom -fluence 1e30 {line} -floatfile f.bin"
            ))
            .well();
        let bytes = scene.read("f.bin");
        bytes
            .chunks_exact(4)
            .filter(|four| four.iter().any(|byte| *byte != 0))
            .count()
    };
    assert_eq!([brightest(""), brightest("-mask mask.bin")], [0, 50]);
    let warned = scene.run_line(&format!("{CRYSTAL} -geom key.geom")).well();
    let warning =
        "key.geom:12: p/cormer_x (meant is perhaps corner_x) is ignored: CrystFEL has no such key";
    assert!(warned.stderr.contains(warning), "{}", warned.stderr);
}

/// A chunk of a stream, taken apart.
struct Chunk {
    file: String,
    event: String,
    number: u32,
    /// a*, b*, c* in 1/nm.
    axes: [Vector; 3],
    /// h, k, l, intensity, fast, slow and panel.
    reflections: Vec<([f64; 3], f64, [f64; 2], String)>,
    peaks: usize,
}

fn chunks_of(stream: &str) -> Vec<Chunk> {
    let parts = stream.split("----- Begin chunk -----\n").skip(1);
    let chunks = parts.map(|part| {
        let chunk = part
            .strip_suffix("----- End chunk -----\n")
            .expect("a whole chunk");
        let value = |key: &str| {
            let line = chunk.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_else(|| panic!("no {key}")).to_owned()
        };
        let axis = |key: &str| -> Vector {
            let line = value(&format!("{key} = "));
            let numbers: Vec<f64> = line
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
            numbers.try_into().unwrap()
        };
        let table = |begin: &str, end: &str| -> Vec<Vec<String>> {
            let (_, after) = chunk.split_once(begin).unwrap();
            let (rows, _) = after.split_once(end).unwrap();
            let rows = rows.lines().skip(2);
            rows.map(|row| row.split_whitespace().map(str::to_owned).collect())
                .collect()
        };
        let reflections = table("Reflections measured after indexing", "End of reflections");
        let reflections = reflections.iter().map(|row| {
            let number = |i: usize| row[i].parse::<f64>().unwrap();
            let hkl = [0, 1, 2].map(number);
            (hkl, number(3), [number(7), number(8)], row[9].clone())
        });
        Chunk {
            file: value("Image filename: "),
            event: value("Event: "),
            number: value("Image serial number: ").parse().unwrap(),
            axes: ["astar", "bstar", "cstar"].map(axis),
            reflections: reflections.collect(),
            peaks: table("Peaks from peak search", "End of peak list").len(),
        }
    });
    chunks.collect()
}

/// The largest distance in 1/nm of a reflection from where its orientation and its place on the detector put it.
fn farthest_per_nm(chunk: &Chunk, geom: &str, wavelength_nm: f64) -> f64 {
    let panels = panels_of(geom);
    let mut farthest: f64 = 0.0;
    for (hkl, _, [fast, slow], name) in &chunk.reflections {
        let (_, values) = panels.iter().find(|(panel, _)| panel == name).unwrap();
        let panel = GeomPanel::of(values);
        let place = panel.place_m(fast - panel.first[0], slow - panel.first[1]);
        let length = place.iter().map(|x| x * x).sum::<f64>().sqrt();
        let mut off = 0.0;
        for (i, x) in place.into_iter().enumerate() {
            let beam = if i == 2 { 1.0 } else { 0.0 };
            let q = (x / length - beam) / wavelength_nm;
            let of_crystal: f64 = (0..3).map(|axis| hkl[axis] * chunk.axes[axis][i]).sum();
            off += (q - of_crystal).powi(2);
        }
        farthest = farthest.max(off.sqrt());
    }
    farthest
}

/// Photons come from within a few widths of a reciprocal lattice point of a ball, 1/(30 x 7 nm).
const LARGEST_PER_NM: f64 = 5.0 / 210.0;

const STILLS: &str = "-default_F 100 -cell 70 80 90 90 95 90 -N 30 -lambda 1.3 -distance 100 -detpixels_x 200 -detpixels_y 180 \
                      -pixel 0.5 -oversample 1 -round_xtal -fluence 1e26 -noprogress -nopgm -truth_floor 20";

#[test]
fn the_reflections_of_a_stream_lie_where_its_orientation_puts_them() {
    let scene = Scene::empty();
    for flags in [
        "",
        "-xds -detector_rotx 5 -twotheta 9",
        "-dials -phi 30 -osc 0.01 -phisteps 1",
    ] {
        let line = format!("{STILLS} -misset 10 20 30 {flags} -gain 2 -nexusfile a.nxs");
        scene
            .run_line(&format!(
                "{line} -streamfile a.stream -solfile a.sol -geomfile a.geom -truthfile a.json"
            ))
            .well();
        let stream = text(&scene, "a.stream");
        let geom = text(&scene, "a.geom");
        let head = stream.lines().next().unwrap();
        assert_eq!(head, "CrystFEL stream format 2.3");
        let quoted =
            format!("----- Begin geometry file -----\n{geom}----- End geometry file -----\n");
        assert!(stream.contains(&quoted) && stream.contains("be = 95.00000 deg\n"));
        let [chunk] = &chunks_of(&stream)[..] else {
            panic!("one image")
        };
        assert_eq!(
            (chunk.file.as_str(), chunk.event.as_str(), chunk.number),
            ("a.nxs", "//0", 1)
        );
        let truth: Value = serde_json::from_slice(&scene.read("a.json")).unwrap();
        let rows = truth["reflections"].as_array().unwrap();
        let spots = rows
            .iter()
            .filter(|row| row["hkl"] != serde_json::json!([0, 0, 0]))
            .count();
        assert_eq!([chunk.reflections.len(), chunk.peaks], [spots; 2]);
        assert!(spots > 50, "{spots}");
        for (hkl, counts, ..) in &chunk.reflections {
            let row = rows
                .iter()
                .find(|row| (0..3).all(|i| row["hkl"][i].as_f64() == Some(hkl[i])));
            let photons = row.unwrap()["photons"].as_f64().unwrap();
            assert!(
                (counts - 2.0 * photons).abs() < 0.006 + 1e-6 * counts,
                "{counts} {photons}"
            );
        }
        let farthest = farthest_per_nm(chunk, &geom, 0.13);
        assert!(farthest < LARGEST_PER_NM, "{flags}: {farthest}");
        let solution = text(&scene, "a.sol");
        let words: Vec<&str> = solution.split_whitespace().collect();
        assert_eq!(
            (words[0], words[1], words.len(), words[13]),
            ("a.nxs", "//0", 14, "aP")
        );
        for (word, number) in words[2..11].iter().zip(chunk.axes.as_flattened()) {
            assert_eq!(word.parse::<f64>().unwrap(), *number);
        }
    }
}

#[test]
fn a_series_has_one_stream_that_is_gone_on_with() {
    let scene = Scene::empty();
    let outputs = "-streamfile a.stream -solfile a.sol -geomfile a.geom -cbffile c.cbf";
    let line = format!("{STILLS} {outputs} -seed 3 -threads 1");
    scene.run_line(&format!("{line} -shots 4")).well();
    let whole = text(&scene, "a.stream");
    let chunks = chunks_of(&whole);
    let names = |chunks: &[Chunk]| -> Vec<(u32, String, String)> {
        let name = |chunk: &Chunk| (chunk.number, chunk.file.clone(), chunk.event.clone());
        let mut names: Vec<_> = chunks.iter().map(name).collect();
        names.sort();
        names
    };
    let expected: Vec<_> = (1..=4)
        .map(|n| (n, format!("c_{n:05}.cbf"), "//".to_owned()))
        .collect();
    assert_eq!(names(&chunks), expected);
    let geom = text(&scene, "a.geom");
    for chunk in &chunks {
        assert!(farthest_per_nm(chunk, &geom, 0.13) < LARGEST_PER_NM);
    }
    let solutions = text(&scene, "a.sol");
    assert_eq!(solutions.lines().count(), 4);

    // Killed while the third chunk was written.
    let third = whole
        .match_indices("----- Begin chunk -----")
        .nth(2)
        .unwrap()
        .0;
    scene.write("a.stream", &whole[..third + 400]);
    let resumed = scene.run_line(&format!("{line} -shots 4 -resume")).well();
    resumed.line("2 of 4 images are complete");
    assert_eq!(text(&scene, "a.stream"), whole);
    assert_eq!(text(&scene, "a.sol"), solutions);

    // A beam of three wavelengths, 0.99, 1 and 1.01 of the mean.
    let broad = STILLS.replace("-truth_floor 20", "-truth_floor 2000");
    let spectrum = "-dispersion 2 -dispsteps 3 -misset 10 20 30";
    scene
        .run_line(&format!("{broad} {spectrum} -streamfile b.stream"))
        .well();
    let stream = text(&scene, "b.stream");
    let after = stream.split("beam_bandwidth = ").nth(1).unwrap();
    let bandwidth: f64 = after.split(' ').next().unwrap().parse().unwrap();
    assert!(
        (bandwidth - 0.01 * (2.0_f64 / 3.0).sqrt()).abs() < 1e-5,
        "{bandwidth}"
    );

    // More images of the same series.
    scene
        .run_line(&format!("{line} -shots 5 -resume"))
        .well()
        .line("4 of 5 images are complete");
    assert_eq!(chunks_of(&text(&scene, "a.stream")).len(), 5);
    assert!(text(&scene, "a.stream").starts_with(&whole));

    // Parts have streams of their own, and images of one NeXus file have their places in it.
    let parts = line.replace("-cbffile c.cbf", "-nexusfile n.nxs");
    scene
        .run_line(&format!("{parts} -shots 4 -shard 2/2 -seriesfile p.jsonl"))
        .well();
    let expected =
        [(2, "//0"), (4, "//1")].map(|(n, event)| (n, "n_2of2.nxs".to_owned(), event.to_owned()));
    assert_eq!(names(&chunks_of(&text(&scene, "a_2of2.stream"))), expected);
    assert_eq!(text(&scene, "a_2of2.sol").lines().count(), 2);
}

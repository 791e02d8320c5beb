//! Plans (`-plan`) and records (`-record`, `-rerun`, `-diff`).

use nanobragg_tests::binary::{Finished, Scene};
use serde_json::Value;

/// A run with inputs of every common kind.
const LINE: &str = "-mat A.mat -hkl P1.hkl -sourcefile two_sources.txt -N 3 -lambda 1.1 -distance 70 \
                    -pixel 0.8 -detpixels_x 16 -detpixels_y 12 -noprogress";

fn json(scene: &Scene, name: &str) -> Value {
    serde_json::from_slice(&scene.read(name)).unwrap()
}

/// A folder in which the run of [`LINE`] and `more` was recorded in `run.json`.
fn recorded(more: &str) -> Scene {
    let scene = Scene::with_inputs();
    scene
        .run_line(&format!("{LINE} {more} -record run.json"))
        .well();
    scene
}

/// Repeats the run recorded in `first` in its own folder.
fn rerun(first: &Scene, more: &str) -> (Scene, Finished) {
    let second = Scene::empty();
    let record = first.path("run.json");
    let words = ["--rerun", record.to_str().unwrap(), "-noprogress"];
    let finished = second.run(words.into_iter().chain(more.split_whitespace()));
    (second, finished)
}

fn plan(line: &str) -> Value {
    let run = Scene::with_inputs()
        .run_line(&format!("{line} --plan json"))
        .well();
    serde_json::from_str(&run.stdout).unwrap()
}

/// The reason for the value of `setting` in the plan of `line`.
fn reason(line: &str, setting: &str) -> String {
    let plan = plan(line);
    let decisions = plan["decisions"].as_array().unwrap();
    let decision = decisions
        .iter()
        .find(|decision| decision["setting"] == setting);
    let decision = decision.unwrap_or_else(|| panic!("no decision on {setting}"));
    let text = |field: &str| decision[field].as_str().unwrap().to_owned();
    format!("{}: {} ({})", text("by"), text("value"), text("because"))
}

#[test]
fn a_plan_opens_no_output() {
    let scene = Scene::with_inputs();
    let before = scene.names();
    for format in ["", "text", "json"] {
        let run = scene.run_line(&format!("{LINE} -plan {format}")).well();
        assert!(!run.stdout.is_empty());
    }
    assert_eq!(scene.names(), before);
}

#[test]
fn a_plan_tells_flags_from_headers_defaults_and_rules() {
    assert_eq!(reason(LINE, "distance"), "flag: 70 mm (-distance)");
    assert_eq!(reason(LINE, "convention"), "default: mosflm (default)");
    let oversample = "sub-pixels along an edge";
    assert!(reason(LINE, oversample).starts_with("rule: "));
    assert!(reason(&format!("{LINE} -oversample 9"), oversample).starts_with("flag: 9"));
    let small = "-cell 70 80 90 -misset 10 20 30 -default_F 9 -N 5 -detpixels 64 -pixel 0.8";
    let chosen = reason(
        &format!("{small} -oversample 9 -oversample auto"),
        oversample,
    );
    assert!(
        chosen.contains("(error ") && !chosen.contains(": 9 "),
        "{chosen}"
    );
    assert!(
        reason(
            &format!("{small} -oversample auto -oversample 9"),
            oversample
        )
        .contains(": 9 ")
    );
    let sweep = "-osc 1 -phisteps auto -mosaic 0.5 -mosaic_domains auto -auto_error 0.5";
    for setting in ["oscillation", "mosaic domains"] {
        let chosen = reason(&format!("{small} -oversample 1 {sweep}"), setting);
        assert!(chosen.contains("2.50e-1 allowed"), "{chosen}");
    }
    for (sensor, because) in [
        (
            "-detector_thick 320",
            "(the thickness, for want of -detector_abs)",
        ),
        ("-detector_thick 320 -detector_abs 500", "(-detector_abs)"),
        ("-detector pilatus300k", "(that of Si at this wavelength)"),
    ] {
        let depth = reason(
            &format!("-cell 70 -default_F 9 -distance 100 -oversample 1 {sensor}"),
            "attenuation depth",
        );
        assert!(depth.ends_with(because), "{depth}");
    }
    let header = "-cell 70 -default_F 9 -img header.img";
    assert!(reason(header, "pixel size").starts_with("header: "));
    assert!(
        reason(header, "pixel size").ends_with("(PIXEL_SIZE in the header of -img)"),
        "{}",
        reason(header, "pixel size")
    );
}

#[test]
fn a_plan_and_a_record_hold_the_same_experiment() {
    let line = format!("{LINE} -seed 3");
    let scene = recorded("-seed 3");
    let (plan, record) = (plan(&line), json(&scene, "run.json"));
    for part in [
        "experiment",
        "seeds",
        "fixes",
        "oddities",
        "images",
        "warnings",
    ] {
        assert_eq!(plan[part], record[part], "{part}");
    }
}

#[test]
fn a_small_image_is_planned_as_it_comes_out() {
    let scene = recorded("-seed 3");
    let (plan, record) = (plan(LINE), json(&scene, "run.json"));
    let estimate = &plan["estimate"];
    assert_eq!(estimate["pixels_tried"], 16 * 12);
    assert_eq!(
        estimate["brightest_photons"],
        record["statistics"]["max_photons"]
    );
    assert!(estimate["render_s"].as_f64().unwrap() > 0.0);
    let terms = plan["terms_a_pixel"].as_f64().unwrap();
    assert_eq!(plan["evaluations"].as_f64().unwrap(), terms * 16.0 * 12.0);
}

#[test]
fn a_plan_of_a_series_is_that_of_its_first_image_with_time_and_disk_for_all() {
    let series = format!("{LINE} -seed 3 -osc 0.5 -frames 20 -only 11 20 -phi 2");
    let files = "-floatfile f.bin -intfile i.img -noisefile n.cbf -nopgm -pngfile p.png";
    let series = plan(&format!("{series} {files}"));
    let single = plan(&format!("{LINE} -seed 3 -osc 0.5 -phi 7 {files}"));
    assert_eq!(series["experiment"], single["experiment"]);
    let (of_series, of_single) = (&series["estimate"], &single["estimate"]);
    assert_eq!(
        of_series["brightest_photons"],
        of_single["brightest_photons"]
    );
    assert_eq!([&of_series["images"], &of_single["images"]], [10, 1]);
    // Bytes per pixel: floats and CBF 4, SMV 2, PNG 1.
    assert_eq!(of_series["disk_bytes"], 10 * 16 * 12 * (4 + 2 + 4 + 1));
    let text = Scene::with_inputs()
        .run_line(&format!("{LINE} -shots 9 -plan"))
        .well();
    text.line("all 9 images");
}

#[test]
fn a_plan_of_days_says_what_makes_the_run_shorter() {
    let line = "-cell 70 -default_F 9 -N 50 -detpixels 4000 -mosaic 1 -mosaic_domains 1000 \
                -osc 1 -phisteps 1000 -oversample 30 -plan";
    let text = Scene::empty().run_line(line).well();
    text.line("what makes it shorter");
    for choice in ["900 sub-pixels", "1000 mosaic domains", "1000 phi steps"] {
        text.line(choice);
    }
}

#[test]
fn a_large_image_is_not_rendered_for_its_plan() {
    let line = "-cell 70 -default_F 9 -N 50 -detpixels 1000 -mosaic 1 -mosaic_domains 1000 \
                -osc 1 -phisteps 1000 -oversample 3";
    let plan = plan(line);
    let estimate = &plan["estimate"];
    assert!(estimate["pixels_tried"].as_u64().unwrap() < 1_000_000 / 10);
    assert_eq!(estimate["pixels_rendered"], 1_000_000);
    assert!(estimate["terms_ratio"].as_f64().unwrap() > 1.0);
    assert_eq!(plan["evaluations"].as_f64().unwrap(), 9e12);
}

#[test]
fn missing_reflections_are_counted_against_the_sphere() {
    let scene = Scene::empty();
    // A cube of 10 A, to beyond 5 A: squared lengths 1 to 3 have 6 + 12 + 8 reflections.
    scene.write(
        "six.hkl",
        "1 0 0 5\n-1 0 0 5\n0 1 0 5\n0 -1 0 5\n0 0 1 5\n1 1 1 5\n",
    );
    let line = "-cell 10 -hkl six.hkl -N 3 -dmin 5.1 -detpixels 40 -pixel 2 -distance 30";
    let run = scene.run_line(&format!("{line} -plan json")).well();
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    let found = &plan["reflections"];
    assert_eq!(
        (&found["expected"], &found["listed"], &found["missing"]),
        (&26.into(), &6.into(), &20.into())
    );
    assert_eq!(found["missing_example_hkl"], serde_json::json!([0, 0, -1]));
    assert_eq!(found["listed_without_friedel_mate"], 2);
    let text = scene.run_line(&format!("{line} -plan")).well();
    assert_eq!(
        text.line("up to 5.1 A there are "),
        "26, of which 6 are listed"
    );
}

#[test]
fn a_plan_names_the_oddities_in_force() {
    let run = Scene::with_inputs()
        .run_line(&format!("{LINE} -water 3 -plan"))
        .well();
    run.line("oddities of the C program in force");
    assert!(run.line("water: ").contains("twice"));
    let plan = plan(&format!("{LINE} -water 3 -fix water"));
    assert_eq!(plan["fixes"], serde_json::json!(["water"]));
    assert!(
        !plan["oddities"]
            .as_array()
            .unwrap()
            .contains(&"water".into())
    );
}

#[test]
fn a_plan_has_the_warnings_of_the_run_about_its_files() {
    let scene = Scene::empty();
    let header = "{\nHEADER_BYTES=512;\nDIM=2;\nSIZE1=8;\nSIZE2=8;\n}\x0c";
    let image = [format!("{header:512}").as_bytes(), &[0; 128]].concat();
    scene.write("bare.img", image);
    let panel = "p/min_fs = 0\np/max_fs = 9\np/min_ss = 0\np/max_ss = 9\np/corner_x = -5\np/corner_y = -5\n\
                 p/fs = x\np/ss = y\np/res = 1000\np/cormer_x = 3\n";
    scene.write(
        "key.geom",
        format!("clen = 0.1\nphoton_energy = 9000\n{panel}"),
    );
    scene.write("XDS.INP", "OSCILLATION_RANGE= 0.5\nDETECTOR_DISTANC= 100\n");
    for (words, expected) in [
        ("-img bare.img", "there is no DISTANCE (100 mm is taken)"),
        ("-img bare.img", "-img gives no wavelength"),
        ("-geom key.geom", "is ignored: CrystFEL has no such key"),
        ("-xdsinp XDS.INP", "no keyword of this name is known"),
        ("-xdsinp XDS.INP", "the file places no detector"),
    ] {
        let line =
            format!("{words} -cell 70 -default_F 9 -N 3 -roi 0 1 0 1 -oversample 1 -noprogress");
        let run = scene.run_line(&line).well();
        let told = run
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("warning: "));
        let told: Vec<&str> = told.filter(|told| !told.contains("(oddity ")).collect();
        let plan = scene.run_line(&format!("{line} -plan json")).well();
        let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
        let listed = plan["warnings"].as_array().unwrap().iter();
        let listed: Vec<&str> = listed.map(|warning| warning.as_str().unwrap()).collect();
        // What the run says of its image comes last.
        assert!(told.starts_with(&listed), "{told:?} {listed:?}");
        assert!(
            listed.iter().any(|warning| warning.contains(expected)),
            "{listed:?}"
        );
        let text = scene.run_line(&format!("{line} -plan")).well();
        run_says(&text, expected);
    }
}

#[test]
fn a_plan_fails_where_the_run_would() {
    let scene = Scene::with_inputs();
    for (line, message) in [
        ("-plan -hkl nothing.hkl -cell 70", "nothing.hkl"),
        ("-plan -cell 70", "no structure factors"),
        (
            "-plan -cell 70 -hkl P1.hkl -intfile P1.hkl",
            "-intfile would overwrite what -hkl names",
        ),
        (
            "-plan -cell 70 -default_F 9 -detpixels 40000",
            "-max_memory",
        ),
    ] {
        let run = scene.run_line(line);
        assert_eq!(run.status, Some(1), "{line}");
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = scene.run_line("-plan xml -cell 70 -default_F 9");
    assert_eq!(run.status, Some(2));
    assert!(
        run.stderr
            .contains("-plan: xml is not allowed; give text or json")
    );
}

#[test]
fn a_record_tells_what_was_read_and_written() {
    let scene = recorded("-pngfile a.png -seed 5");
    let record = json(&scene, "run.json");
    let flags = |part: &str| -> Vec<String> {
        let files = record[part].as_array().unwrap().iter();
        files
            .map(|file| file["flag"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(flags("inputs"), ["hkl", "mat", "sourcefile"]);
    let outputs = [
        "dump",
        "floatfile",
        "intfile",
        "pgmfile",
        "pngfile",
        "noisefile",
    ];
    assert_eq!(flags("outputs"), outputs);
    let float = record["outputs"].as_array().unwrap();
    let float = float
        .iter()
        .find(|file| file["flag"] == "floatfile")
        .unwrap();
    assert_eq!(float["bytes"], 16 * 12 * 4);
    assert_eq!(float["path"], "floatimage.bin");
    assert_eq!(record["seeds"]["noise"], 5);
    assert_eq!(record["seeds"]["noise_from"], "flag");
    assert_eq!(record["experiment"]["detector"]["distance_m"], 0.07);
    assert_eq!(record["statistics"]["pixels_rendered"], 16 * 12);
    assert!(record["timing"]["render_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn weights_are_recorded_though_they_are_not_used() {
    let scene = Scene::with_inputs();
    scene.write(
        "weights.txt",
        "-10 0 0 -3 1.2e-10\n-10 0.02 0.01 0 1.21e-10\n",
    );
    let line = LINE.replace("two_sources.txt", "weights.txt");
    scene.run_line(&format!("{line} -record run.json")).well();
    let record = json(&scene, "run.json");
    let sources = &record["experiment"]["beam"]["derived"]["source_list"];
    assert_eq!(sources[0]["recorded_weight"], -3.0);
    assert_eq!(sources[1]["wavelength_m"], 1.21e-10);
}

#[test]
fn a_run_seeded_by_the_clock_is_repeated_to_the_bit() {
    let first = recorded("-misset random -mosaic 2 -mosaic_domains 5");
    let (second, run) = rerun(&first, "");
    let run = run.well();
    for name in [
        "floatimage.bin",
        "intimage.img",
        "image.pgm",
        "noiseimage.img",
        "Fdump.bin",
    ] {
        assert_eq!(second.read(name), first.read(name), "{name}");
        assert_eq!(
            run.line(&format!("{name}: ")),
            "equal to the record, to the bit"
        );
    }
}

#[test]
fn outputs_of_a_rerun_go_where_they_are_asked_to() {
    let first = recorded("-seed 1");
    let (second, run) = rerun(&first, "-floatfile elsewhere.bin -threads 1 -quiet");
    let run = run.well();
    assert_eq!(second.read("elsewhere.bin"), first.read("floatimage.bin"));
    assert!(
        run.stdout.contains("elsewhere.bin: equal"),
        "{}",
        run.stdout
    );
    assert!(!second.names().contains(&"floatimage.bin".to_owned()));
}

#[test]
fn files_of_every_format_are_the_same_when_run_again() {
    let first = recorded("-seed 1 -cbffile a.cbf -tiffile a.tif -nexusfile a.nxs -floatfile f.h5");
    let (second, run) = rerun(&first, "-cbffile b.cbf");
    let run = run.well();
    for name in ["b.cbf", "a.tif", "a.nxs", "f.h5"] {
        assert_eq!(
            run.line(&format!("{name}: ")),
            "equal to the record, to the bit"
        );
    }
    assert_eq!(second.read("b.cbf"), first.read("a.cbf"));
}

#[test]
fn absolute_outputs_of_a_record_are_not_overwritten_by_its_rerun() {
    let first = Scene::with_inputs();
    let float = first.path("precious.bin");
    let line = format!("{LINE} -floatfile {} -record run.json", float.display());
    first.run_line(&line).well();
    first.write("precious.bin", "the only copy");
    let (second, run) = rerun(&first, "");
    run.well();
    assert_eq!(first.read("precious.bin"), b"the only copy");
    assert_eq!(second.read("precious.bin").len(), 16 * 12 * 4);
}

#[test]
fn a_rerun_says_which_output_differs() {
    let first = recorded("-seed 1");
    let record = String::from_utf8(first.read("run.json")).unwrap();
    let mut record: Value = serde_json::from_str(&record).unwrap();
    record["outputs"][1]["sha256"] = "00".into();
    first.write("run.json", record.to_string());
    let (_, run) = rerun(&first, "");
    assert_eq!(run.status, Some(1));
    assert_eq!(run.line("floatimage.bin: "), "differs from the record");
    assert_eq!(
        run.line("intimage.img: "),
        "equal to the record, to the bit"
    );
}

#[test]
fn inputs_that_changed_went_or_came_stop_a_rerun() {
    let first = recorded("-seed 1");
    first.write("two_sources.txt", "-10 0 0\n");
    let (second, run) = rerun(&first, "");
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("two_sources.txt has changed since"),
        "{}",
        run.stderr
    );
    assert!(second.names().is_empty());

    let first = recorded("-seed 1");
    std::fs::remove_file(first.path("A.mat")).unwrap();
    let (_, run) = rerun(&first, "");
    assert!(
        run.stderr.contains("A.mat, which the run recorded in"),
        "{}",
        run.stderr
    );

    let first = Scene::with_inputs();
    let line = "-cell 70 -default_F 9 -N 3 -detpixels 8 -noprogress -record run.json";
    first.run_line(line).well();
    rerun(&first, "").1.well();
    first
        .run_line("-cell 70 -hkl P1.hkl -N 3 -detpixels 8 -noprogress")
        .well();
    let (_, run) = rerun(&first, "");
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("Fdump.bin, which the run recorded in"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_run_from_a_dump_is_repeated_from_that_dump() {
    let first = Scene::with_inputs();
    first
        .run_line("-cell 70 -hkl P1.hkl -N 3 -detpixels 8 -noprogress")
        .well();
    first
        .run_line("-cell 70 -N 3 -detpixels 8 -noprogress -record run.json")
        .well();
    let (second, run) = rerun(&first, "");
    run.well();
    assert!(!second.names().contains(&"Fdump.bin".to_owned()));
}

#[test]
fn what_is_no_record_is_refused() {
    let scene = recorded("-seed 1");
    scene.write("bad.json", "{\"format\": \"something\"}");
    for (line, message) in [
        ("-rerun bad.json", "bad.json is no record of a run"),
        (
            "-rerun floatimage.bin",
            "floatimage.bin is no record of a run",
        ),
        ("-rerun missing.json", "cannot read missing.json"),
        (
            "-rerun run.json -floatfile A.mat",
            "-floatfile would overwrite what -mat names",
        ),
        (
            "-rerun run.json -floatfile run.json",
            "-floatfile would overwrite what -rerun names",
        ),
    ] {
        let run = scene.run_line(line);
        assert_eq!(run.status, Some(1), "{line}");
        assert!(run.stderr.contains(message), "{line}: {}", run.stderr);
    }
    let run = scene.run_line("-rerun run.json -N 5");
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("-rerun and -N do not go together"));
}

#[test]
fn what_cannot_be_recorded_is_refused_before_the_run() {
    let scene = Scene::with_inputs();
    for (line, message) in [
        (
            format!("{LINE} -record A.mat"),
            "-record would overwrite what -mat names",
        ),
        (
            format!("{LINE} -record floatimage.bin"),
            "-record would overwrite what -floatfile names",
        ),
        (
            format!("{LINE} -record nowhere/run.json"),
            "nowhere/run.json",
        ),
        (
            "-cell 70 -hkl /dev/null -record run.json".to_owned(),
            "/dev/null is no file",
        ),
    ] {
        let before = scene.names();
        let run = scene.run_line(&line);
        assert_eq!(run.status, Some(1), "{line}");
        assert!(run.stderr.contains(message), "{line}: {}", run.stderr);
        assert_eq!(scene.names(), before);
    }
}

#[test]
fn a_difference_is_said_in_words_with_units() {
    let scene = recorded("-seed 1");
    let other = LINE.replace("-distance 70", "-distance 75 -phi 3 -water 5");
    scene
        .run_line(&format!("{other} -seed 2 -record other.json"))
        .well();
    let run = scene.run_line("--diff run.json other.json");
    assert_eq!(run.status, Some(1));
    assert_eq!(run.line("detector, distance: "), "70 -> 75 mm");
    assert_eq!(run.line("spindle, start: "), "0 -> 3 deg");
    assert_eq!(run.line("water: "), "0 -> 5 um");
    assert_eq!(run.line("seeds, noise: "), "1 -> 2");
}

#[test]
fn records_of_the_same_settings_do_not_differ() {
    let scene = recorded("-seed 1");
    // Other spellings, file names and numbers of threads are the same experiment.
    let line = format!("{LINE} --seed=1 -threads 1 -floatfile b.bin -record other.json");
    scene.run_line(&line).well();
    let run = scene.run_line("-diff run.json other.json").well();
    assert_eq!(run.stdout, "the settings are the same\n");
    let trouble = scene.run_line("-diff run.json A.mat");
    assert_eq!(trouble.status, Some(2));
    assert!(
        trouble.stderr.contains("A.mat is no record of a run"),
        "{}",
        trouble.stderr
    );
}

#[test]
fn an_input_with_other_contents_is_a_difference() {
    let scene = recorded("-seed 1");
    scene.write("two_sources.txt", "-10 0 0 1 1.2e-10\n");
    scene
        .run_line(&format!("{LINE} -seed 1 -record other.json"))
        .well();
    let run = scene.run_line("-diff run.json other.json");
    assert_eq!(run.status, Some(1));
    run.line("inputs, sourcefile: ");
    assert_eq!(run.line("beam, sources: "), "2 -> 1");
}

/// A detector with two panels. The second begins `fast_mm` from the corner of the first.
fn two_panels(fast_mm: f64) -> String {
    format!(
        "[[detector.other_panels]]\nname = \"right\"\norigin_mm = [{fast_mm}, 0, 0]\nfast = [1, 0, 0]\n\
         slow = [0, 1, 0]\npixels_fast = 5\npixels_slow = 12\npixel_size_mm = 0.4\n"
    )
}

#[test]
fn every_panel_is_recorded_planned_and_reported() {
    let scene = Scene::with_inputs();
    scene.write("near.toml", two_panels(13.0));
    scene.write("far.toml", two_panels(14.0));
    let line = |name: &str| format!("{LINE} -seed 1 -experiment {name}.toml -record {name}.json");
    let run = scene.run_line(&line("near")).well();
    run_says(
        &run,
        "  panel right: 5 x 12 pixels of 0.4 mm, corner at 70 ",
    );
    let plan = scene.run_line(&format!("{} -plan", line("near"))).well();
    run_says(&plan, "right: 5 x 12 pixels of 0.4 mm");
    run_says(&plan, "panel right: middles of the sides");
    scene.run_line(&line("far")).well();

    let record = json(&scene, "near.json");
    let panels = record["experiment"]["panels"].as_array().unwrap();
    assert_eq!(panels.len(), 2);
    assert_eq!(panels[1]["name"], "right");
    assert_eq!(panels[1]["origin_in_first_m"][0], 0.013);
    assert_eq!(panels[1]["region"]["fast_last"], 4);
    let corner = &record["experiment"]["detector"]["derived"]["first_pixel_corner_m"];
    assert_eq!(&panels[0]["derived"]["origin_m"], corner);

    let run = scene.run_line("-diff near.json far.json");
    assert_eq!(
        run.line("panels, right, origin in first: "),
        "(13 0 0) -> (14 0 0) mm"
    );
    let alone = line("far").replace("-experiment far.toml ", "");
    scene.run_line(&alone).well();
    let run = scene.run_line("-diff near.json far.json");
    assert_eq!(run.line("panels: "), "(Panel right) -> none");
}

fn run_says(run: &Finished, words: &str) {
    assert!(run.stdout.contains(words), "{}", run.stdout);
}

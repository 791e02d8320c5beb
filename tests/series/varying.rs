//! `-vary`: quantities that vary from image to image.

use nanobragg::io::nexus;
use nanobragg_tests::binary::Scene;
use serde_json::Value;

use super::{OUTPUTS, entries, header_number, numbered, run};

/// Every kind of quantity and distribution.
pub(crate) const VARYING: &str = "-vary cell_a=normal:1% -vary cell_gamma=uniform:-1,1 -vary Na=choice:3,4,6 \
                       -vary fluence=lognormal:0.5 -vary wavelength=normal:0.5% \
                       -vary mosaic_spread=between:0.5,2 -vary beam_fast=normal:0.7 \
                       -vary beam_tilt_h=normal:3 -vary beam_tilt_v=uniform:-4,4";

#[test]
fn an_image_that_varies_is_that_of_the_plain_flags_of_its_values() {
    let scene = Scene::empty();
    let vary = "-vary cell_b=normal:1% -vary cell_beta=normal:1 -vary Nc=between:3,9 \
                -vary spot_scale=lognormal:0.3 -vary b_factor=uniform:0,30 \
                -vary fluence=lognormal:0.5 -vary wavelength=uniform:-1%,1% -vary mosaic_spread=normal:30%";
    run(&scene, &format!("-shots 3 {vary}")).well();
    for entry in entries(&scene, "series.jsonl") {
        let number = entry["number"].as_u64().unwrap() as u32;
        let of = |name: &str| entry["values"][name].as_f64().unwrap();
        let words: Vec<&str> = entry["alone"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        let seeds = words.iter().position(|word| *word == "-vary").unwrap();
        let plain = format!(
            "{} -cell 70 {} 90 75 {} 95 -Nc {} -spot_scale {:?} -b_factor {:?} -fluence {:?} -lambda {} -mosaic {}",
            words[..seeds].join(" "),
            of("cell_b"),
            of("cell_beta"),
            of("Nc"),
            of("spot_scale"),
            of("b_factor"),
            of("fluence"),
            of("wavelength"),
            of("mosaic_spread"),
        );
        run(&scene, &plain).well();
        for name in OUTPUTS {
            assert!(
                scene.read(&numbered(name, number)) == scene.read(name),
                "{name} of {number}"
            );
        }
        let stated = header_number(&scene, &numbered("noiseimage.img", number), "WAVELENGTH");
        assert!((stated / of("wavelength") - 1.0).abs() < 1e-5);
    }
}

#[test]
fn files_of_images_that_vary_state_the_values_of_each() {
    let scene = Scene::empty();
    let line = format!(
        "-shots 4 {VARYING} -nodefaultfiles -nexusfile all.nxs -exptfile shot_#.expt -noisefile n_#.img"
    );
    let told = run(&scene, &line).well().stderr;
    let warning = "all.nxs: beam_fast, beam_tilt_h, beam_tilt_v of the first image; the log has those of each";
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    let of_images = entries(&scene, "series.jsonl").into_iter();
    for entry in of_images.filter(|entry| entry["number"].is_u64()) {
        let number = entry["number"].as_u64().unwrap();
        let of = |name: &str| entry["values"][name].as_f64().unwrap();
        let place = scene.path(format!("all.nxs#{number}"));
        let (path, image) = nanobragg::io::any::file_of(&place);
        let read = nexus::read_instrument(&path, image).unwrap();
        assert!((read.wavelength_angstrom.unwrap() / of("wavelength") - 1.0).abs() < 1e-12);
        let text = scene.read(&format!("shot_{number}.expt"));
        let expt: Value = serde_json::from_slice(&text).unwrap();
        let beam = &expt["beam"][0];
        assert!((beam["wavelength"].as_f64().unwrap() / of("wavelength") - 1.0).abs() < 1e-12);
        // In the laboratory of dxtbx the beam without a tilt comes from z.
        let direction: Vec<f64> = beam["direction"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        let tilt_rad = ["beam_tilt_h", "beam_tilt_v"].map(|name| of(name) / 1000.0);
        let expected = tilt_rad[0].cos() * tilt_rad[1].cos();
        assert!((direction[2] - expected).abs() < 1e-12, "{direction:?}");
        // The centre that the header states is where the tilted beam meets the detector.
        let name = format!("n_{number}.img");
        let stated_mm = header_number(&scene, &name, "DENZO_Y_BEAM");
        let expected_mm = of("beam_fast") + 80.0 * tilt_rad[0].tan() / tilt_rad[1].cos();
        assert!(
            (stated_mm - expected_mm).abs() < 2e-3,
            "{stated_mm} {expected_mm}"
        );
        let vectors = expt["crystal"][0]["real_space_a"]
            .as_array()
            .unwrap()
            .iter();
        let a = vectors
            .map(|x| x.as_f64().unwrap().powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((a / of("cell_a") - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_run_alone_that_varies_can_be_recorded_and_repeated() {
    let scene = Scene::empty();
    run(
        &scene,
        "-shots 1 -vary N=between:3,8 -vary cell_a=normal:1%",
    )
    .well();
    let entry = &entries(&scene, "series.jsonl")[0];
    let words = entry["alone"].as_array().unwrap().iter();
    let alone: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
    run(&scene, &format!("{} -record record.json", alone.join(" "))).well();
    let again = scene.run_line("-rerun record.json");
    assert_eq!(again.status, Some(0), "{}", again.stderr);
}

#[test]
fn a_plan_tells_what_varies_and_draws_every_image() {
    let scene = Scene::empty();
    let plan = run(&scene, "-shots 9 -vary cell_a=normal:1% -vary N=12 -plan").well();
    assert!(
        plan.stdout.contains("normal:1%, without it 70 Angstrom"),
        "{}",
        plan.stdout
    );
    let ended = run(
        &scene,
        "-cell 70 80 90 75 60 70 -shots 60 -vary cell_alpha=between:75,178 -plan",
    );
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stderr.contains("image ") && ended.stderr.contains(" would have cell_alpha 1"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("[-vary]"), "{}", ended.stderr);
    assert_eq!(scene.names(), [] as [&str; 0]);
}

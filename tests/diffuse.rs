//! Diffuse scattering of whole images: symmetry, tables of reflections, flags and files.

use nanobragg::physics::{Frame, TruthWishes, render_with_truth};
use nanobragg::{DiffuseSpec, ExperimentSpec, RunOptions, Scene};
use nanobragg_tests::binary::Scene as Folder;
use nanobragg_tests::strategies::steady_experiments;
use proptest::prelude::*;

const OPTIONS: RunOptions<'static> = nanobragg_tests::ways::ONE_THREAD;

/// Rounding of every pixel to `f32`.
const NARROWING: f64 = 3e-7;

fn total(frame: &Frame) -> f64 {
    let pixels = frame.panels.iter().flat_map(|panel| &panel.pixels);
    pixels.map(|photons| f64::from(*photons)).sum()
}

fn diffuse() -> DiffuseSpec {
    DiffuseSpec {
        gamma_angstrom: [20.0, 40.0, 60.0],
        sigma_angstrom: [0.9, 0.7, 1.1],
        ..DiffuseSpec::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn its_photons_belong_to_no_reflection(spec in steady_experiments()) {
        let with = ExperimentSpec { diffuse: Some(diffuse()), ..spec.clone() };
        let truth = |spec: &ExperimentSpec| {
            let scene = Scene::new(&spec.resolve().unwrap().experiment);
            render_with_truth(&scene, &TruthWishes::default(), &OPTIONS).unwrap()
        };
        let ((bare, without), (image, with)) = (truth(&spec), truth(&with));
        let tolerance = NARROWING * total(&image);
        let added = total(&image) - total(&bare);
        let counted = with.background_photons - without.background_photons;
        prop_assert!((counted - added).abs() <= tolerance, "{counted} {added}");
        let spots = |truth: &nanobragg::Truth| -> f64 {
            let own = truth.reflections.iter().map(|reflection| reflection.photons);
            own.sum::<f64>() + truth.left_out_photons
        };
        prop_assert!((spots(&with) - spots(&without)).abs() <= tolerance);
        prop_assert!((spots(&with) + with.background_photons - total(&image)).abs() <= tolerance);
    }
}

/// The flags of a small image of a crystal.
const CRYSTAL: &str =
    "-cell 70 70 90 -default_F 120 -N 3 -detpixels 40 -pixel 1 -lambda 1 -nonoise -noprogress";

#[test]
fn bad_values_are_errors_that_name_the_flag() {
    let folder = Folder::empty();
    for (words, part) in [
        ("-diffuse liquid", "-diffuse"),
        ("-diffuse_gamma 0 50 50", "-diffuse_gamma"),
        ("-diffuse_gamma 50 -1 50", "-diffuse_gamma"),
        ("-diffuse_gamma 50 50", "-diffuse_gamma"),
        ("-diffuse_sigma 0.4 0.4 -0.1", "-diffuse_sigma"),
        ("-diffuse_stencil 6", "-diffuse_stencil"),
        ("-diffuse_symmetry P43212x", "P43212x"),
        ("-diffuse_symmetry P23", "-diffuse_symmetry"),
        ("-diffuse_axes abc", "-diffuse_axes"),
    ] {
        (folder.run_line(&format!("{CRYSTAL} {words}"))).refused(part);
    }
}

#[test]
fn plan_report_and_experiment_file_have_it() {
    let folder = Folder::empty();
    let line = format!(
        "{CRYSTAL} -diffuse acoustic -diffuse_gamma 30 60 90 -diffuse_axes diagonal -diffuse_stencil 2 \
         -diffuse_undamped"
    );
    let plan = folder.run_line(&format!("{line} -plan")).well().stdout;
    assert!(
        plan.contains("acoustic phonons, gamma 30 60 90 A"),
        "{plan}"
    );
    let report = folder
        .run_line(&format!("{line} -save-experiment a.toml -floatfile a"))
        .well()
        .stdout;
    let expected =
        "diffuse scattering: acoustic phonons, gamma 30 60 90 A, sigma 0.4 0.4 0.4 A, 1 rotations";
    assert!(report.contains(expected), "{report}");
    let again = "-experiment a.toml -nonoise -noprogress -floatfile";
    folder.run_line(&format!("{again} b")).well();
    assert_eq!(folder.read("a"), folder.read("b"));
    folder
        .run_line(&format!("{again} none -diffuse none"))
        .well();
    folder
        .run_line(&format!("{CRYSTAL} -floatfile bare"))
        .well();
    assert_eq!(folder.read("none"), folder.read("bare"));
    assert_ne!(folder.read("a"), folder.read("bare"));
}

#[test]
fn the_symmetry_is_that_of_the_structure_factors_unless_it_is_given() {
    let folder = Folder::with_inputs();
    let line = format!("{CRYSTAL} -hkl P1.hkl -diffuse llm -diffuse_gamma 30 60 90 -floatfile");
    let rotations = |words: &str, count: usize| {
        let report = folder.run_line(&format!("{line} {words}")).well().stdout;
        assert!(
            report.contains(&format!("{count} rotations")),
            "{words}: {report}"
        );
    };
    rotations("a -spacegroup P43212", 8);
    rotations("b", 1);
    rotations("c -spacegroup P43212 -diffuse_symmetry P4", 4);
    rotations("d -diffuse_symmetry P4/mmm", 8);
    assert_ne!(folder.read("b"), folder.read("d"));
}

/// A crystal along the axes of the laboratory, with the beam along c: the image of a tetragonal crystal has the
/// symmetry of a square, and that of its disorder alone has not.
#[test]
fn halos_of_a_symmetric_crystal_make_a_symmetric_image() {
    let folder = Folder::empty();
    let line = format!(
        "{CRYSTAL} -misset 0 90 0 -detpixels 41 -Xbeam 20 -Ybeam 20 -nopolar -point_pixel -oversample 1 \
                        -diffuse llm -diffuse_gamma 20 60 90 -diffuse_sigma 0.5 0.1 0.3 -floatfile"
    );
    let asymmetry = |words: &str| {
        folder.run_line(&format!("{line} a {words}")).well();
        let bytes = folder.read("a");
        let pixels: Vec<f64> = (bytes.chunks_exact(4))
            .map(|chunk| f64::from(f32::from_le_bytes(chunk.try_into().unwrap())))
            .collect();
        let turned = |i: usize| pixels[(40 - i % 41) * 41 + i / 41];
        let apart: f64 = (0..41 * 41).map(|i| (pixels[i] - turned(i)).abs()).sum();
        apart / pixels.iter().sum::<f64>()
    };
    let (with, without) = (asymmetry("-diffuse_symmetry P4"), asymmetry(""));
    assert!(with < 1e-5 && without > 1e-2, "{with} {without}");
}

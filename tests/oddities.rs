//! A run warns about the oddities of the C program that change it, and about no others.

use std::collections::BTreeSet;

use nanobragg::Oddity;
use nanobragg_tests::binary::Scene;

/// A run without any oddity.
const PLAIN: &str = "-cell 70 80 90 90 100 90 -default_F 120 -N 3 -lambda 1.2 -distance 70 -pixel 0.8 \
                     -detpixels 16 -misset 15 25 35 -oversample 1 -noprogress -nonoise -seed 1";

/// The names of the oddities in the warnings of a run with further flags.
fn oddities(line: &str) -> BTreeSet<String> {
    oddities_of_all(&format!("{PLAIN} {line}"))
}

/// The names of the oddities in the warnings of a complete command line.
fn oddities_of_all(line: &str) -> BTreeSet<String> {
    let finished = Scene::with_inputs().run_line(line).well();
    assert!(!finished.stdout.contains("oddity"));
    let named = |line: &str| {
        Some(
            line.split_once("oddity '")?
                .1
                .split_once('\'')?
                .0
                .to_owned(),
        )
    };
    finished.stderr.lines().filter_map(named).collect()
}

/// Checks that a run warns about exactly these oddities.
fn assert_oddities(line: &str, expected: &[Oddity]) {
    let expected = expected.iter().map(|oddity| oddity.name().to_owned());
    assert_eq!(oddities(line), expected.collect(), "{line}");
}

#[test]
fn a_plain_run_shows_none() {
    assert_oddities("", &[]);
}

#[test]
fn a_step_at_phi_zero_among_others_does() {
    let both = [Oddity::PhiZero, Oddity::HalfStep];
    assert_oddities("-phi 0 -osc 2 -phisteps 3", &both);
    assert_oddities("-phi -1 -osc 2 -phisteps 2", &both);
    assert_oddities("-phi 0", &[]);
}

#[test]
fn a_sweep_whose_steps_begin_at_its_edge_does() {
    assert_oddities("-phi 1 -osc 2 -phisteps 3", &[Oddity::HalfStep]);
    assert_oddities("-phi 1 -osc 2 -phisteps 1", &[Oddity::HalfStep]);
    assert_oddities("-phi 1 -osc 2", &[Oddity::HalfStep]);
    // Both ends of the range: the middle of the steps is that of the range.
    assert_oddities("-phi 1 -phistep 2", &[]);
    assert_oddities("-phi 1 -osc 0 -phisteps 3", &[]);
    assert_oddities("-phi 1", &[]);
}

#[test]
fn a_shape_whose_width_does_not_follow_the_size_does() {
    assert_oddities("-gauss_xtal", &[Oddity::SpotWidth]);
    assert_oddities("-tophat_spots", &[Oddity::SpotWidth]);
    assert_oddities("-round_xtal", &[]);
}

#[test]
fn a_distance_without_two_theta_does() {
    assert_oddities("-twotheta 20", &[Oddity::TwothetaDistance]);
    assert_oddities("-detector_roty 20", &[]);
    assert_oddities("-twotheta 0", &[]);
}

#[test]
fn a_size_that_does_not_count_in_the_choice_of_interpolation_does() {
    let listed = "-hkl box.hkl -cell 40 45 50 -lambda 4.5 -distance 200";
    let without_number = |line: &str| {
        let line = format!("{} {listed} {line}", PLAIN.replace("-N 3", ""));
        oddities_of_all(&line).contains(Oddity::SizeLookup.name())
    };
    assert!(without_number("-xtalsize 0.00015"));
    assert!(!without_number("-xtalsize 0.00015 -nointerpolate"));
    assert!(!without_number("-xtalsize 0.00015 -N 3"));
    assert!(!without_number("-xtalsize 0.000008"));
    assert!(!without_number(""));
}

#[test]
fn a_pivot_that_a_convention_overrules_does() {
    assert_oddities("-pivot sample -detector_rotx 5", &[Oddity::Pivot]);
    assert_oddities("-pivot beam -detector_rotx 5", &[]);
    assert_oddities("-pivot sample -beam_vector 1 0 0 -detector_rotx 5", &[]);
}

#[test]
fn a_beam_centre_that_is_not_listened_to_does() {
    assert!(oddities("-xds -Xbeam 2").contains(Oddity::BeamCentre.name()));
    assert!(oddities("-dials -Ybeam 2").contains(Oddity::BeamCentre.name()));
    assert!(oddities("-ORGX 3").contains(Oddity::BeamCentre.name()));
    assert_oddities("-Xbeam 2", &[]);
    assert_oddities("-xds -ORGX 3", &[]);
}

#[test]
fn one_correction_for_several_sub_pixels_does() {
    assert_oddities("-oversample 2", &[Oddity::Corrections]);
    assert_oddities("-divergence 3 -divsteps 3", &[Oddity::Corrections]);
    assert_oddities("-divergence 3 -divsteps 3 -nopolar", &[]);
    assert_oddities("-dispersion 3 -dispsteps 3", &[]);
}

#[test]
fn a_sensor_does() {
    assert!(oddities("-detector_abs 300 -detector_thick 400").contains(Oddity::Thickness.name()));
    assert_oddities("-thicksteps 3", &[]);
}

#[test]
fn corrections_at_each_sub_pixel_do() {
    for line in [
        "-oversample_omega",
        "-oversample_polar",
        "-oversample_thick",
    ] {
        assert!(
            oddities(line).contains(Oddity::OversampleFlags.name()),
            "{line}"
        );
    }
}

#[test]
fn an_index_that_leaves_the_grid_does() {
    let leaves = "-hkl box.hkl -cell 40 45 50 -N 2 -lambda 1 -distance 20 -interpolate";
    assert_oddities(leaves, &[Oddity::Interpolation]);
    assert_oddities(&leaves.replace("-interpolate", "-nointerpolate"), &[]);
    let stays = "-hkl box.hkl -cell 40 45 50 -N 2 -lambda 4.5 -distance 200 -interpolate";
    assert_oddities(stays, &[]);
}

#[test]
fn water_does() {
    assert_oddities("-water 10", &[Oddity::Water]);
    assert_oddities("-water 0", &[]);
}

#[test]
fn a_random_misset_does() {
    assert_oddities("-misset random", &[Oddity::MissetRandom]);
    assert_oddities("-misset random -misset 1 2 3", &[]);
}

#[test]
fn a_curved_detector_does() {
    assert_oddities("-curved_det -xds", &[Oddity::Curved]);
    assert_oddities("-curved_det", &[Oddity::Curved]);
}

#[test]
fn a_cell_with_several_oblique_angles_does() {
    assert_oddities("-cell 70 80 90 75 85 95", &[Oddity::CStar]);
    assert_oddities("-cell 70 80 90", &[]);
}

#[test]
fn input_that_is_read_and_dropped_does() {
    assert_oddities("-pix0_vector 0.07 0.02 -0.02", &[Oddity::IgnoredInput]);
}

#[test]
fn a_header_that_beats_the_distance_given_does() {
    let is_shown = |line: &str| {
        let line = format!("{} {line}", PLAIN.replace("-distance 70", ""));
        oddities_of_all(&line).contains(Oddity::HeaderDistance.name())
    };
    assert!(is_shown("-img own.img -distance 90"));
    assert!(!is_shown("-img own.img"));
    assert!(!is_shown("-img own.img -close_distance 90"));
    assert!(!is_shown("-img header.img -distance 90"));
}

#[test]
fn a_mask_whose_header_sets_the_geometry_does() {
    let is_shown = |line: &str| {
        let line = format!("-cell 70 80 90 -default_F 120 -N 3 -nonoise -noprogress {line}");
        oddities_of_all(&line).contains(Oddity::MaskHeader.name())
    };
    assert!(is_shown("-mask mask_beam.img"));
    assert!(!is_shown("-mask mask_beam.img -fix mask-header"));
    // This header has the pixels alone, which the detector takes from any mask.
    assert!(!is_shown("-mask mask.img -distance 70 -pixel 0.8"));
}

#[test]
fn a_header_that_c_reads_otherwise_is_told_of() {
    let scene = Scene::empty();
    let header = "{\nHEADER_BYTES=512;\nDIM=2;\nTYPE=unsigned_short;\nSIZE1=16;\nSIZE2=16;\n\
                  PIXEL_SIZE=0.8;\nDISTANCE=70;\nWAVELENGTH=0.97950;\nSOURCE_WAVELENGTH=1 0.9795;\n}\x0c";
    let bytes = [format!("{header:512}").as_bytes(), &[0; 512]].concat();
    scene.write("dtrek.img", bytes);
    let line = "-img dtrek.img -cell 70 80 90 -default_F 120 -N 3 -nonoise -noprogress";
    let plan = scene.run_line(&format!("{line} -plan")).well();
    assert!(plan.stdout.contains("0.9795 A"), "{}", plan.stdout);
    let finished = scene.run_line(line).well();
    let warning = "in the header WAVELENGTH is 0.9795; the C program takes 1 from a longer key";
    let told = finished.stderr.matches(warning).count();
    assert_eq!(told, 1, "{}", finished.stderr);
}

#[test]
fn flags_without_effect_are_named() {
    for flag in [
        "-thick 1",
        "-molecules 1e10",
        "-stolout x",
        "-coherent",
        "-hdiv 1",
        "-vdiv 1",
        "-dispstep 1",
        "-source_dist 1",
        "-source_distance 1",
    ] {
        let finished = Scene::empty().run_line(&format!("{PLAIN} {flag}")).well();
        let name = flag.split(' ').next().unwrap();
        // The warning has the name of the flag, not the alias.
        let warning = format!("{} has no effect", name.trim_end_matches("ance"));
        assert!(
            finished.stderr.contains(&warning),
            "{flag}: {}",
            finished.stderr
        );
    }
}

use super::*;
use crate::Invocation;
use nanobragg::io::png::Grey;
use nanobragg::{Angle, Convention, Lookup, Misset, Pivot, Shape};

fn args(line: &str) -> Args {
    match Invocation::from_words(line.split_whitespace()).unwrap() {
        Invocation::Run(args) => *args,
        Invocation::Show(text) => panic!("{text}"),
    }
}

fn refusal(line: &str) -> String {
    Invocation::from_words(line.split_whitespace())
        .unwrap_err()
        .to_string()
}

#[test]
fn an_empty_line_gives_nothing() {
    assert_eq!(args(""), Args::default());
    assert!(args("").output.pgm && args("").noise.wanted);
}

#[test]
fn cells_follow_the_order_of_flags() {
    assert_eq!(
        args("-N 5 -Na 3").crystal.cells,
        [Some(3), Some(5), Some(5)]
    );
    assert_eq!(args("-Na 3 -N 5").crystal.cells, [Some(5); 3]);
    assert_eq!(
        args("-N 5 -Nb 2 -N 4 -Nc 9").crystal.cells,
        [Some(4), Some(4), Some(9)]
    );
    assert_eq!(args("-N 0 -Nb -7").crystal.cells, [Some(1); 3]);
}

#[test]
fn sizes_follow_the_order_of_flags() {
    assert_eq!(
        args("-xtalsize 1 -sample_x 2 -height 3").crystal.size_mm,
        [Some(2.0), Some(1.0), Some(3.0)]
    );
    assert_eq!(
        args("-sample_x 2 -samplesize 1").crystal.size_mm,
        [Some(1.0); 3]
    );
}

#[test]
fn divergence_follows_the_order_of_flags() {
    assert_eq!(
        args("-divergence 3 -hdivrange 1").beam.divergence_mrad,
        [Some(1.0), Some(3.0)]
    );
    assert_eq!(
        args("-hdivrange 1 -divergence 3").beam.divergence_mrad,
        [Some(3.0); 2]
    );
    assert_eq!(
        args("-divsteps 3 -vdivsteps 4").beam.divergence_steps,
        [Some(3), Some(4)]
    );
    assert_eq!(
        args("-vdivsteps 4 -divsteps 3").beam.divergence_steps,
        [Some(3); 2]
    );
    assert_eq!(
        args("-divsteps 3 -hdivsteps 0").beam.divergence_steps,
        [None, Some(3)]
    );
}

#[test]
fn detector_size_follows_the_order_of_flags() {
    assert_eq!(
        args("-detsize 9 -detsize_f 5").detector.size_mm,
        [Some(5.0), Some(9.0)]
    );
    assert_eq!(
        args("-detsize_f 5 -detsize 9").detector.size_mm,
        [Some(9.0); 2]
    );
    assert_eq!(
        args("-detpixels 9 -detpixels_s 5").detector.pixels,
        [Some(9), Some(5)]
    );
    assert_eq!(
        args("-detpixels_y 5 -detpixels 9").detector.pixels,
        [Some(9); 2]
    );
}

#[test]
fn wavelength_and_energy_replace_each_other() {
    assert_eq!(
        args("-lambda 2 -energy 12398.42").beam.wavelength_a,
        Some(1.0)
    );
    assert_eq!(args("-energy 9500 -wave 2").beam.wavelength_a, Some(2.0));
}

#[test]
fn polar_undoes_nopolar() {
    assert!(!args("-nopolar -polar 0.5").beam.no_polarization);
    let off = args("-polar 0.5 -nopolar").beam;
    assert!(off.no_polarization);
    assert_eq!(off.polarization, Some(0.5));
}

#[test]
fn no_attenuation_takes_the_thickness_away_at_its_place() {
    let sensor = |line: &str| {
        let detector = args(line).detector;
        (detector.attenuation_um, detector.thickness_um)
    };
    let inf = Some(f64::INFINITY);
    assert_eq!(
        sensor("-detector_abs 500 -detector_thick 450"),
        (Some(500.0), Some(450.0))
    );
    assert_eq!(
        sensor("-detector_thick 450 -detector_abs inf"),
        (inf, Some(0.0))
    );
    assert_eq!(
        sensor("-detector_abs 0 -detector_thick 450"),
        (inf, Some(450.0))
    );
    assert_eq!(
        sensor("-detector_thick 450 -detector_abs inf -detector_absorb 300"),
        (Some(300.0), Some(0.0))
    );
}

#[test]
fn outputs_go_on_and_off_in_order() {
    assert!(!args("-pgmfile a -nopgm").output.pgm);
    assert!(args("-nopgm -pgmfile a").output.pgm);
    assert!(args("-nopgm -pgmscale 3").output.pgm);
    assert!(!args("-nopgm -pgmscale 3 -nopgm").output.pgm);
    assert!(args("-nonoise -noisefile a").noise.wanted);
    assert!(!args("-noiseimage a -nonoise").noise.wanted);
    let response = args("-scale 2 -scale 0").output.response;
    assert_eq!(response.given_integer_scale(), None);
}

#[test]
fn the_last_switch_of_a_kind_wins() {
    assert_eq!(
        args("-interpolate -nointerpolate").factors.lookup,
        Some(Lookup::Nearest)
    );
    assert_eq!(
        args("-nointerpolate -interpolate").factors.lookup,
        Some(Lookup::Tricubic)
    );
    assert_eq!(
        args("-round_xtal -gauss_xtal").crystal.shape,
        Some(Shape::Gauss)
    );
    assert_eq!(
        args("-binary_spots -square_xtal").crystal.shape,
        Some(Shape::Square)
    );
    assert!(args("-round_div -square_div").beam.square_divergence);
    assert!(!args("-square_div -round_div").beam.square_divergence);
    assert_eq!(args("-progress -noprogress").running.progress, Some(false));
    assert_eq!(
        args("-quiet -verbose").running.verbosity,
        Verbosity::Verbose
    );
    assert_eq!(
        args("-pngscale sqrt -pngscale log").output.png_scale,
        Grey::Logarithmic
    );
}

#[test]
fn vectors_and_conventions_compete() {
    assert_eq!(
        args("-xds -adxv").detector.convention,
        Some(Convention::Adxv)
    );
    let custom = args("-xds -beam_vector 0 0 -2");
    assert_eq!(custom.detector.convention, Some(Convention::Custom));
    assert_eq!(custom.vectors.beam, Some([0.0, 0.0, -2.0]));
    let named = args("-pix0_vector 1 2 3 -dials");
    assert_eq!(named.detector.convention, Some(Convention::Dials));
    assert_eq!(named.vectors.pix0_m, Some([1.0, 2.0, 3.0]));
}

#[test]
fn the_pivot_follows_the_last_flag_that_touches_it() {
    for flag in [
        "-Xbeam 1",
        "-Ybeam 1",
        "-distance 1",
        "-mosflm",
        "-adxv",
        "-denzo",
        "-dials",
        "-pivot beam",
    ] {
        let line = format!("-xds {flag}");
        assert_eq!(
            args(&line).detector.pivot_of_last_flag,
            Some(Pivot::Beam),
            "{flag}"
        );
    }
    for flag in [
        "-Xclose 1",
        "-Yclose 1",
        "-ORGX 1",
        "-ORGY 1",
        "-close_distance 1",
        "-twotheta 0",
        "-xds",
        "-pivot sample",
    ] {
        let line = format!("-mosflm {flag} -twotheta_axis 0 0 1 -detector_rotx 3");
        assert_eq!(
            args(&line).detector.pivot_of_last_flag,
            Some(Pivot::Sample),
            "{flag}"
        );
    }
    let said = args("-pivot sample -close_distance 3 -distance 4").detector;
    assert_eq!(said.pivot, Some(Pivot::Sample));
    assert_eq!(said.pivot_of_distance, Some(Pivot::Beam));
}

#[test]
fn a_later_cell_or_misset_replaces_the_whole_of_it() {
    assert_eq!(
        args("-cell 70 80 90 -cell 60").crystal.cell,
        Some(vec![60.0])
    );
    assert_eq!(args("-misset random -misset 1 -2 .5").crystal.misset, {
        Some(Misset::Angles(
            [1.0, -2.0, 0.5].map(|deg| Angle::from_degrees(deg).radians()),
        ))
    });
    assert_eq!(
        args("-misset 1 2 3 -misset rand").crystal.misset,
        Some(Misset::Random { seed: 0 })
    );
}

#[test]
fn counts_below_one_mean_not_given() {
    let given = args("-phisteps 0 -oversample 0 -mosaic_domains -1 -thicksteps 0 -dispsteps -3");
    assert_eq!(given.sampling.phisteps, Some(0));
    assert_eq!(given.sampling.oversample, None);
    assert_eq!(given.crystal.mosaic_domains, None);
    assert_eq!(given.detector.thickness_steps, None);
    assert_eq!(given.beam.dispersion_steps, None);
    assert_eq!(args("-phisteps 4 -phisteps -1").sampling.phisteps, None);
}

#[test]
fn flags_without_effect_are_accepted_with_a_warning() {
    let given = args("-stolout f -coherent -hdiv 0.28 -source_distance 10 -MW 18 -dispstep 3");
    let warned: Vec<String> = given.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warned,
        [
            "-stolout has no effect",
            "-coherent has no effect",
            "-hdiv has no effect",
            "-source_dist has no effect",
            "-dispstep has no effect",
        ]
    );
    assert!(given.gives("MW") && !given.gives("N"));
}

#[test]
fn impossible_polarization_factors_are_warned_about_once() {
    assert_eq!(
        args("-polar 2 -polar 3").warnings,
        [Warning::PolarizationFactor { factor: 3.0 }]
    );
    assert_eq!(args("-polar 2 -polar -1").warnings, []);
}

#[test]
fn values_out_of_range_name_flag_value_and_range() {
    for (line, message) in [
        (
            "-pixel 0",
            "-pixel: 0 is not allowed; give a number above 0 (mm)",
        ),
        (
            "-N 5.7",
            "-N: 5.7 is not allowed; give a whole number, at most 1000000000",
        ),
        ("-seed x", "-seed: x is not allowed; give a whole number"),
        (
            "-lambda 1A",
            "-lambda: 1A is not allowed; give a number above 0 (A)",
        ),
        (
            "-distance nan",
            "-distance: nan is not allowed; give any finite number (mm)",
        ),
        (
            "-polar inf",
            "-polar: inf is not allowed; give any finite number",
        ),
        (
            "-pivot middle",
            "-pivot: middle is not allowed; give sample or beam",
        ),
        (
            "-detector_abs -5",
            "-detector_abs: -5 is not allowed; give a number, 0 or more, or inf (um)",
        ),
        (
            "-beam_vector 0 0 z",
            "-beam_vector: z is not allowed; give three numbers",
        ),
        (
            "-cell 70 x",
            "-cell: x is not allowed; give one to six numbers, none negative (A and degrees)",
        ),
        (
            "--hkl=",
            "-hkl: \"\" is not allowed; give the name of a file",
        ),
        ("-misset 1", "-misset needs <x y z>|random; values given: 1"),
    ] {
        assert_eq!(refusal(line), message);
    }
}

#[test]
fn whole_numbers_may_carry_a_point_and_seeds_any_sign() {
    assert_eq!(args("-Na 5.0").crystal.cells[0], Some(5));
    assert_eq!(
        args("-seed -9223372036854775808").noise.seed,
        Some(i64::MIN)
    );
}

#[test]
fn printing_one_pixel_is_printing() {
    let output = args("-printout_pixel 3 4").output;
    assert!(output.printout);
    assert_eq!(output.printout_pixel, Some([3, 4]));
}

#[test]
fn fixes_add_up() {
    let fixes = args("-fix water -fix phi-zero,water").running.fixes;
    assert_eq!(fixes.into_iter().collect::<Vec<_>>(), ["phi-zero", "water"]);
    assert_eq!(args("-fix all").running.fixes.len(), FIXES.len());
    assert!(!args("-fix all").running.fixes.contains("all"));
    let known: Vec<_> = nanobragg::Fixes::all().names().collect();
    assert_eq!(FIXES, known);
}

#[test]
fn no_name_means_two_flags() {
    let mut names: Vec<&str> = flags().flat_map(FlagSpec::names).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn command_lines_of_the_c_program_are_understood() {
    for line in [
        "-mat A.mat -hkl P1.hkl -lambda 1 -dispersion 0.1 -dispstep 3 -distance 100 -detsize 100 \
         -pixel 0.1 -hdiv 0.28 -hdivstep 0.02 -vdiv 0.28 -vdivstep 0.02 -fluence 1e24 -N 0 -water 0",
        "-detpixels_x 61 -detpixels_y 47 -seed 7 -cell 70 80 90 75 85 95 -default_F 120 -Na 5 \
         -Nb 4 -Nc 6 -lambda 1.2 -distance 70 -pixel 0.8 -misset 15 25 35",
        "-cell 70 80 90 -default_F 100 -N 5 -distance 80 -pixel 0.9 -misset random \
         -misset_seed 54321 -mosaic_spread 2 -mosaic_domains 5 -mosaic_seed 4242",
        "-hkl P1.hkl -N 4 -odet_vector 0 0 0 -sdet_vector 0 -1.5 0 -fdet_vector 3 0 0 \
         -twotheta_axis 0.1 1 0.2 -twotheta -9 -pivot sample -curved_det -nopgm",
        "-img header.img -mask mask.img -detector_abs 300 -detector_thick 400 -thicksteps 3 \
         -oversample_thick -oversample_polar -oversample 2 -roi 10 40 5 30 -beamsize 3e-5",
    ] {
        args(line);
    }
}

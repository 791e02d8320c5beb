//! The report of a run on standard output.

use nanobragg_tests::binary::{Finished, Scene};

/// A run whose report has every section.
const TELLING: &str = "-mat A.mat -hkl P1.hkl -N 3 -lambda 1.1 -distance 70 -pixel 0.8 \
                       -detpixels_x 16 -detpixels_y 12 -misset 15 25 35 -seed 11 \
                       -sourcefile weights.txt";

/// Weights that are not physical, and a missing weight.
const WEIGHTS: &str =
    "-10 0 0 -3 1.2e-10\n-10 0.02 0.01 0 1.21e-10\n-10 -0.02 0.01 1e30\n-10 0 0.01\n";

fn run(line: &str) -> Finished {
    let scene = Scene::with_inputs();
    scene.write("weights.txt", WEIGHTS);
    scene.run_line(&format!("{TELLING} {line}")).well()
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<f64> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '(' | ')'));
    words.filter_map(|word| word.parse().ok()).collect()
}

/// The lines of the C program that stand in ours, of which one is found after the other.
fn missing<'c>(c: &'c str, ours: &str) -> Vec<&'c str> {
    let mut rest: Vec<&str> = ours.lines().map(str::trim_end).collect();
    let is_missing = |line: &&str| match rest.iter().position(|own| own == line) {
        Some(at) => {
            rest.drain(..=at);
            false
        }
        None => true,
    };
    c.lines().filter(is_missing).collect()
}

#[test]
fn the_lines_of_the_c_program_are_said_in_its_order_and_formats() {
    let golden = include_str!("golden/stdout.txt");
    for run in golden.split("$ ").filter(|run| !run.is_empty()) {
        let (line, c) = run.split_once('\n').unwrap();
        let ours = Scene::with_inputs().run_line(line).well();
        let missing = missing(c.trim_end(), &ours.stdout);
        assert!(
            missing.is_empty(),
            "{line}\n{missing:#?}\nin\n{}",
            ours.stdout
        );
    }
}

#[test]
fn the_corner_and_the_axes_are_said_as_an_instrumented_c_program_does() {
    let run = run("-noprogress -Xbeam 3.2 -Ybeam 4.4 -distance 70");
    assert_eq!(
        numbers(run.line("DETECTOR_PIX0_VECTOR ")),
        [0.07, 0.0036, -0.0048]
    );
    assert_eq!(numbers(run.line("DETECTOR_FAST_AXIS ")), [0.0, 0.0, 1.0]);
    assert_eq!(numbers(run.line("DETECTOR_SLOW_AXIS ")), [0.0, -1.0, 0.0]);
    assert_eq!(numbers(run.line("DETECTOR_NORMAL_AXIS ")), [1.0, 0.0, 0.0]);
}

#[test]
fn both_matrices_are_said_and_are_dual() {
    let run = run("-noprogress");
    // The vectors are columns, under a heading and their names.
    let vectors = |heading: &str| -> [[f64; 3]; 3] {
        let lines = run
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with(heading));
        let rows: Vec<Vec<f64>> = lines.skip(2).take(3).map(numbers).collect();
        [0, 1, 2].map(|vector| [0, 1, 2].map(|axis| rows[axis][vector]))
    };
    for (i, direct) in vectors("real-space cell vectors").iter().enumerate() {
        for (j, reciprocal) in vectors("reciprocal-space cell vectors").iter().enumerate() {
            let product: f64 = direct.iter().zip(reciprocal).map(|(d, r)| d * r).sum();
            let expected = f64::from(u8::from(i == j));
            assert!((product - expected).abs() < 1e-5, "{i} {j}: {product}");
        }
    }
}

#[test]
fn the_structure_factors_are_said_with_their_origin() {
    let run = run("-noprogress");
    assert_eq!(
        run.line("6127 structure factors "),
        "from P1.hkl; all others are 0"
    );
    assert_eq!(run.line("h -10 to 10, "), "k -11 to 11, l -12 to 12");
}

#[test]
fn beam_centres_are_said_in_every_convention() {
    let run = run("-noprogress -Xbeam 3.2 -Ybeam 4.4");
    let centre = |start| numbers(run.line(start));
    assert_eq!(centre("direct beam at"), [4.8, 3.6]);
    assert_eq!(run.line("mosflm 3.2 "), "4.4 mm");
    assert_eq!(centre("denzo "), [3.6, 4.8]);
    assert_eq!(centre("adxv "), [4.8, 6.0]);
    assert_eq!(run.line("nearest point at xds ORGX "), "6.5 ORGY 5");
}

#[test]
fn sources_are_said_with_their_recorded_weights() {
    let run = run("-noprogress");
    run.line("created a total of 4 sources:");
    let sources: Vec<Vec<f64>> = run
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("  created a total of 4 sources"))
        .skip(1)
        .take(4)
        .map(numbers)
        .collect();
    let weights: Vec<f64> = sources.iter().map(|source| source[3]).collect();
    assert_eq!(weights, [-3.0, 0.0, 1e30, 1.0]);
    let wavelengths: Vec<f64> = sources.iter().map(|source| source[4]).collect();
    assert_eq!(wavelengths, [1.2e-10, 1.21e-10, 1.1e-10, 1.1e-10]);
    run.line("every source counts the same");
}

#[test]
fn what_was_chosen_automatically_is_said() {
    let chosen = run("-noprogress");
    assert_eq!(
        chosen.line("lookup: "),
        "nearest index, chosen automatically"
    );
    assert_eq!(
        chosen.line("9 x 9 sub-pixels a pixel, "),
        "chosen automatically"
    );
    let given = run("-noprogress -nointerpolate -oversample 2");
    assert_eq!(given.line("lookup: "), "nearest index, as given");
    assert_eq!(given.line("2 x 2 sub-pixels a pixel, "), "as given");
    let few_cells = run("-noprogress -N 2 -lambda 4");
    assert_eq!(
        few_cells.line("lookup: "),
        "tricubic interpolation, chosen automatically"
    );
}

#[test]
fn statistics_are_those_of_the_image() {
    let scene = Scene::with_inputs();
    scene.write("weights.txt", WEIGHTS);
    let run = scene.run_line(&format!("{TELLING} -noprogress")).well();
    let pixels = nanobragg_tests::products::floats(&scene.read("floatimage.bin"));
    let n = pixels.len() as f64;
    let sum: f64 = pixels.iter().map(|&pixel| f64::from(pixel)).sum();
    let squares: f64 = pixels.iter().map(|&pixel| f64::from(pixel).powi(2)).sum();
    let max = f64::from(pixels.iter().copied().fold(0.0, f32::max));
    let said = numbers(run.line("mean="));
    for (said, expected) in [
        (numbers(run.line("max_I = "))[0], max),
        (said[0], sum / n),
        (said[1], (squares / (n - 1.0)).sqrt()),
        (said[2], ((squares - sum * sum / n) / (n - 1.0)).sqrt()),
    ] {
        assert!(
            (said / expected - 1.0).abs() < 1e-5,
            "{said} is not {expected}"
        );
    }
    assert!(run.stdout.contains("solid angle subtended by detector = "));
    let scale = numbers(run.line("intfile_scale = "))[0];
    assert!((scale * max / 55_000.0 - 1.0).abs() < 1e-5);
    assert!(run.stdout.contains("photons on noise image (0 overloads)"));
}

#[test]
fn seeds_and_random_missets_are_said() {
    let run = run("-noprogress -misset random -misset_seed 12345");
    assert_eq!(
        run.line("random orientation misset angles: "),
        "105.720755 -34.951318 -97.823571 deg"
    );
    assert_eq!(run.line("seed: "), "-11");
}

#[test]
fn every_factor_of_a_printed_pixel_is_said() {
    let run = run(
        "-noprogress -printout_pixel 5 3 -oversample 2 -detector_abs 300 \
                   -detector_thick 200 -thicksteps 2",
    );
    run.line("5    3 : stol = ");
    for (index, weight) in ["-3", "0", "1e+30", "1"].iter().enumerate() {
        let source = run.line(&format!("source {index}: "));
        assert!(
            source.contains(&format!("recorded weight {weight} (not used)")),
            "{source}"
        );
    }
    for part in ["hkl ", "F_cell ", "F_latt "] {
        assert!(run.line("largest term: ").contains(part));
    }
    let value = |name: &str| -> f64 { run.line(name).trim().parse().unwrap() };
    assert_eq!(value("terms "), 2.0 * 4.0 * 4.0);
    // 4 sources times 2^2 sub-pixels; layers are not counted.
    assert!(
        (numbers(run.line("F_cell=")).last().unwrap() / 16.0 / value("I/steps ") - 1.0).abs()
            < 1e-5
    );
    let fluence = 1.259_320_152_862_270_9e29;
    let product = 7.94079248018965e-30
        * fluence
        * value("I/steps ")
        * value("polar ")
        * value("omega ")
        * value("capfrac ");
    assert!((product / value("pixel ") - 1.0).abs() < 1e-6);
}

#[test]
fn every_pixel_of_a_region_can_be_printed() {
    let run = run("-noprogress -printout -roi 2 3 4 6");
    let pixels: Vec<Vec<f64>> = run
        .stdout
        .lines()
        .filter(|line| line.contains(" : stol = "))
        .map(|line| numbers(line)[..2].to_vec())
        .collect();
    assert_eq!(
        pixels,
        [[2, 4], [3, 4], [2, 5], [3, 5], [2, 6], [3, 6]].map(|pixel| pixel.map(f64::from).to_vec())
    );
}

#[test]
fn a_pixel_that_is_not_rendered_is_a_warning() {
    let run = run("-noprogress -printout_pixel 500 3");
    assert!(
        run.stderr.contains("pixel 500 3 is not rendered"),
        "{}",
        run.stderr
    );
}

#[test]
fn progress_is_in_percent_lines_where_nobody_watches() {
    let percents = |line: &str| -> Vec<String> {
        let lines = run(line).stdout;
        let lines = lines.lines().filter_map(|line| line.strip_suffix("% done"));
        lines.map(str::to_owned).collect()
    };
    let said = percents("");
    assert_eq!(said.last().unwrap(), "100");
    assert!(
        said.iter()
            .map(|n| n.parse::<u32>().unwrap())
            .is_sorted_by(|a, b| a < b)
    );
    assert!(percents("-noprogress").is_empty());
    assert!(percents("-quiet").is_empty());
    assert!(!percents("-quiet -progress").is_empty());
}

#[test]
fn a_quiet_run_says_nothing_but_warnings_and_a_silent_one_not_even_those() {
    let quiet = run("-quiet -xds -Xbeam 3");
    assert_eq!(quiet.stdout, "");
    assert!(quiet.stderr.lines().count() > 0);
    assert!(
        quiet
            .stderr
            .lines()
            .all(|line| line.starts_with("warning: "))
    );
    let silent = run("-quiet -quiet -xds -Xbeam 3");
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
}

#[test]
fn warnings_are_on_standard_error_alone() {
    let run = run("-noprogress -xds -Xbeam 3 -water 3");
    assert!(
        run.stderr.lines().all(|line| line.starts_with("warning: ")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("oddity 'beam-centre'"));
    assert!(!run.stdout.contains("warning"), "{}", run.stdout);
}

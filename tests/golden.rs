//! Every golden case, in every way, through the library and the binary.

use nanobragg::Level;
use nanobragg_tests::cases::{self, Case, FAST, SLOW};
use nanobragg_tests::compare::{Pair, compare};
use nanobragg_tests::products::{Products, floats};
use nanobragg_tests::tolerances::{
    BASELINE_STEPS, BIT_EQUAL_SHARE, SINGLE_OF_BRIGHTEST, SINGLE_RELATIVE,
};
use nanobragg_tests::ways::{SINGLE, Way, ways};

/// Runs all cases in all ways and compares the images with the C program's.
fn judge(face: &str, run: impl Fn(&Case, &Way) -> Result<Products, String>) {
    let cases = cases::all();
    let mut faults = Vec::new();
    for way in ways() {
        let (mut same, mut pixels) = (0, 0);
        for case in &cases {
            let name = format!("{}-{face}-{}", case.name, way.name);
            let ours = match run(case, way) {
                Ok(ours) => ours,
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let findings = compare(&Pair {
                name: &name,
                fast: FAST,
                slow: SLOW,
                adc: case.adc(),
                expected: &case.expected(),
                ours: &ours,
            });
            same += findings.same;
            pixels += findings.pixels;
            faults.extend(
                findings
                    .faults
                    .into_iter()
                    .map(|fault| format!("{name}: {fault}")),
            );
        }
        let share = same as f64 / pixels as f64;
        if share < BIT_EQUAL_SHARE {
            faults.push(format!(
                "{}: only {share:.5} of the float pixels are bit-equal",
                way.name
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_library_gives_the_images_of_the_c_program() {
    judge("library", |case, way| {
        Products::of_library(&case.words, &cases::inputs(), way)
    });
}

#[test]
fn the_binary_gives_the_images_of_the_c_program() {
    judge("binary", |case, way| {
        Products::of_binary(&case.words, &cases::inputs(), way)
    });
}

fn photons(case: &Case, way: &Way) -> Vec<f32> {
    let products = Products::of_library(&case.words, &cases::inputs(), way);
    let products = products.unwrap_or_else(|error| panic!("{}, {}: {error}", case.name, way.name));
    floats(&products.float)
}

/// The largest number of f32 steps between two images of a case.
fn steps_apart(a: &[f32], b: &[f32]) -> u32 {
    assert_eq!(a.len(), b.len());
    let steps = a
        .iter()
        .zip(b)
        .map(|(a, b)| a.to_bits().abs_diff(b.to_bits()));
    steps.max().unwrap_or(0)
}

#[test]
fn levels_that_fuse_give_the_same_bits_and_the_baseline_the_next_at_most() {
    for case in cases::all() {
        let mut levels =
            ways().filter(|way| way.level.is_some_and(|level| level != Level::Reference));
        let baseline = levels.next().expect("the baseline is always there");
        let separate = photons(&case, baseline);
        let mut fused: Option<Vec<f32>> = None;
        for way in levels {
            let ours = photons(&case, way);
            let from_baseline = steps_apart(&separate, &ours);
            assert!(
                from_baseline <= BASELINE_STEPS,
                "{}: {} and {} are {from_baseline} steps apart",
                case.name,
                baseline.name,
                way.name
            );
            let first = fused.get_or_insert_with(|| ours.clone());
            assert_eq!(
                steps_apart(first, &ours),
                0,
                "{}: {} differs",
                case.name,
                way.name
            );
        }
    }
}

#[test]
fn single_precision_stays_within_its_bound() {
    for case in cases::all() {
        let double = photons(&case, ways().next().expect("there is a way"));
        let brightest = double.iter().copied().fold(0.0, f32::max);
        for (pixel, (a, b)) in double.iter().zip(photons(&case, &SINGLE)).enumerate() {
            let (a, b) = (f64::from(*a), f64::from(b));
            let bound = SINGLE_RELATIVE * a.abs() + SINGLE_OF_BRIGHTEST * f64::from(brightest);
            assert!(
                (a - b).abs() <= bound,
                "{}: pixel {pixel}: {a} in double, {b} in single",
                case.name
            );
        }
    }
}

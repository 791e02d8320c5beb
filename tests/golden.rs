//! Every golden case, in every way, through the library and through the binary.

use nanobragg::Level;
use nanobragg_tests::cases::{self, Case, FAST, SLOW};
use nanobragg_tests::compare::{Pair, compare};
use nanobragg_tests::products::{Products, floats};
use nanobragg_tests::tolerances::{BIT_EQUAL_SHARE, SINGLE_OF_BRIGHTEST, SINGLE_RELATIVE};
use nanobragg_tests::ways::{SINGLE, Way, ways};

/// Runs all cases in all ways and holds their images against the C program's.
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

#[test]
fn every_level_of_vector_instructions_gives_the_same_bits() {
    for case in cases::all() {
        let mut levels =
            ways().filter(|way| way.level.is_some_and(|level| level != Level::Reference));
        let first = levels.next().expect("the baseline is always there");
        let expected = photons(&case, first);
        for way in levels {
            let differs = expected
                .iter()
                .zip(photons(&case, way))
                .any(|(a, b)| a.to_bits() != b.to_bits());
            assert!(
                !differs,
                "{}: {} and {} differ",
                case.name, first.name, way.name
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

//! A GPU, held against the vectors of the processor.
//!
//! Mesa's lavapipe is a GPU in software, so these tests need no card. Without any adapter they are skipped; with
//! `NANOBRAGG_GPU=required` they fail then. `NANOBRAGG_GPU_LINES` is the number of random command lines, [`LINES`]
//! without it.

use std::f64::consts::PI;
use std::sync::Mutex;

use nanobragg::physics::{DeviceFault, Tables, Unsupported, render};
use nanobragg::{Cancel, Experiment, Frame, Mask, Precision, Progress, RunOptions, Scene};
use nanobragg_gpu::{Choice, Gpu, index_error, shared};
use nanobragg_tests::cases;
use nanobragg_tests::products::job;
use nanobragg_tests::strategies::many_term_lines;
use nanobragg_tests::suite::{SINGLE, lines, worst_pixel};
use nanobragg_tests::ways::ONE_THREAD;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// The number of random command lines.
const LINES: u32 = 60;

const PRECISIONS: [(&str, Precision); 2] =
    [("double", Precision::Double), ("single", Precision::Single)];

/// The relative error of a sum in single precision: twice that of an amplitude, with its 25 roundings.
const SUM: f64 = 2e-6;

/// A GPU, also in software; `None` without any.
fn gpu() -> Option<&'static Gpu> {
    shared(Choice::First)
        .inspect_err(|error| {
            let is_required = std::env::var("NANOBRAGG_GPU").is_ok_and(|word| word == "required");
            assert!(!is_required, "{error}");
            println!("skipped: {error}");
        })
        .ok()
}

fn on(gpu: &Gpu, scene: &Scene, precision: Precision) -> Frame {
    let options = RunOptions {
        device: Some(gpu),
        precision,
        ..ONE_THREAD
    };
    render(scene, &options).expect("nothing stops the run")
}

fn here(experiment: &Experiment) -> Frame {
    render(&Scene::new(experiment), &ONE_THREAD).expect("nothing stops the run")
}

fn photons(frame: &Frame) -> impl Iterator<Item = f64> {
    let panels = frame.panels.iter();
    panels.flat_map(|panel| panel.pixels.iter().copied().map(f64::from))
}

/// The photons of every pixel if all cells scattered in phase everywhere: those of top-hats without an end.
fn in_phase(line: &str) -> Frame {
    here(&experiment(&format!("{line} -tophat_spots -fudge 1e-30")))
}

/// The first pixel that is further off than indices in fixed point allow.
///
/// If each index is wrong by `d`, the amplitude of a grating of N cells is wrong by up to `pi N d` of that in phase.
fn beyond_fixed_point(line: &str, expected: &Frame, ours: &Frame) -> Option<String> {
    let scene = Scene::new(&experiment(line));
    let tables = Tables::new(&scene, Precision::Single);
    let cells = tables.shapes().flat_map(|shape| shape.cells);
    let phase = 3.0 * PI * cells.fold(0.0, f64::max) * index_error(tables.largest_index());
    let brightest = f64::from(expected.statistics.max_photons);
    let most = in_phase(line);
    let mut pixels = photons(expected)
        .zip(photons(ours))
        .zip(photons(&most))
        .enumerate();
    pixels.find_map(|(at, ((expected, ours), most))| {
        let of_phase = 2.0 * phase * (expected * most).sqrt() + phase * phase * most;
        let allowed = SUM * expected + SINGLE.of_brightest * brightest + of_phase;
        ((ours - expected).abs() > allowed)
            .then(|| format!("pixel {at}: {ours:e} in place of {expected:e}, {allowed:e} allowed"))
    })
}

/// What was held against the processor.
#[derive(Debug, Default)]
struct Tally {
    images: usize,
    fixed: usize,
    double: usize,
    refused: Vec<DeviceFault>,
}

impl Tally {
    /// Renders the experiment of a command line on the GPU and here.
    fn hold(&mut self, gpu: &Gpu, line: &str, precision: Precision) -> Result<(), String> {
        let experiment = experiment(line);
        let expected = here(&experiment);
        let ours = on(gpu, &Scene::new(&experiment), precision);
        self.images += 1;
        let is_fixed = match ours.unsupported {
            Some(Unsupported::Device(fault)) => {
                self.refused.push(fault);
                let reference = RunOptions {
                    precision,
                    ..ONE_THREAD
                };
                let reference = render(&Scene::new(&experiment), &reference).unwrap();
                // Some oddities give pixels that are no numbers.
                let bits = |frame| photons(frame).map(f64::to_bits).collect::<Vec<_>>();
                return match bits(&ours) == bits(&reference) {
                    true => Ok(()),
                    false => Err("refused, and another image".to_owned()),
                };
            }
            Some(reason) => return Err(reason.to_string()),
            None => ours.backend == "gpu, fixed point",
        };
        self.fixed += usize::from(is_fixed);
        self.double += usize::from(ours.backend == "gpu, double precision");
        let ends = |frame: &Frame| (frame.left_grid_at, frame.first_evaluated);
        if ends(&ours) != ends(&expected) {
            return Err(format!(
                "{:?} in place of {:?}",
                ends(&ours),
                ends(&expected)
            ));
        }
        let [ours_sr, expected_sr] =
            [&ours, &expected].map(|frame| frame.statistics.solid_angle_sr);
        if (ours_sr - expected_sr).abs() > 1e-9 * expected_sr.abs() {
            return Err(format!(
                "a solid angle of {ours_sr} in place of {expected_sr}"
            ));
        }
        let fault = match is_fixed {
            true => beyond_fixed_point(line, &expected, &ours),
            false => worst_pixel(&expected, &ours, SINGLE),
        };
        fault.map_or(Ok(()), Err)
    }

    fn tell(&self, name: &str) {
        println!(
            "{name}: {} images, {} in fixed point, {} in double precision, {} refused",
            self.images,
            self.fixed,
            self.double,
            self.refused.len()
        );
        let mut reasons: Vec<String> = self.refused.iter().map(ToString::to_string).collect();
        reasons.sort();
        for same in reasons.chunk_by(|a, b| a == b) {
            println!("    {} times: {}", same.len(), same[0]);
        }
    }
}

/// Holds every case, given by its name and its command line.
fn hold_all(
    gpu: &Gpu,
    (words, precision): (&str, Precision),
    cases: impl Iterator<Item = (impl AsRef<str>, String)>,
) -> Tally {
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for (name, line) in cases {
        if let Err(fault) = tally.hold(gpu, &line, precision) {
            faults.push(format!("{}: {fault}", name.as_ref()));
        }
    }
    tally.tell(words);
    assert!(faults.is_empty(), "{words}:\n{}", faults.join("\n"));
    tally
}

fn experiment(line: &str) -> Experiment {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let job = job(&words, &cases::inputs()).unwrap_or_else(|error| panic!("{line}: {error}"));
    job.resolved.experiment
}

#[test]
fn every_scene_of_the_suite_passes_or_is_refused_for_a_reason() {
    let Some(gpu) = gpu() else { return };
    for (words, precision) in PRECISIONS {
        let tally = hold_all(gpu, (words, precision), lines());
        assert!(tally.refused.is_empty(), "{:?}", tally.refused);
        let fixed = if precision == Precision::Single {
            27
        } else {
            0
        };
        assert_eq!(tally.fixed, fixed);
    }
}

#[test]
fn the_golden_cases_pass_or_are_refused_for_a_reason() {
    let Some(gpu) = gpu() else { return };
    for (words, precision) in PRECISIONS {
        let golden = cases::all().into_iter();
        let golden = golden.map(|case| (case.name, case.words.join(" ")));
        let tally = hold_all(gpu, (words, precision), golden);
        assert!(tally.refused.is_empty(), "{:?}", tally.refused);
    }
}

#[test]
fn random_command_lines_pass_or_are_refused_for_a_reason() {
    let Some(gpu) = gpu() else { return };
    let wanted = std::env::var("NANOBRAGG_GPU_LINES").ok();
    let config = ProptestConfig {
        cases: wanted.map_or(LINES, |count| count.parse().expect("a number of lines")),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let tally = std::cell::RefCell::new(Tally::default());
    TestRunner::new(config)
        .run(&(many_term_lines(), any::<bool>()), |(line, is_single)| {
            // Most lines need double precision for the shape of their spots.
            let (more, precision) = match is_single {
                true if line.contains("-Ndef") => ("", Precision::Single),
                true => (" -square_xtal -nointerpolate", Precision::Single),
                false => ("", Precision::Double),
            };
            let line = format!("{line}{more}");
            let held = tally.borrow_mut().hold(gpu, &line, precision);
            held.map_err(|fault| TestCaseError::fail(format!("{line}\n{precision:?}\n{fault}")))
        })
        .unwrap();
    tally.into_inner().tell("random command lines");
}

/// A line of many terms: more than the kernel sums at a time, in several bands.
const MANY_TERMS: &str = "-cell 70 80 90 85 95 100 -misset 10 20 30 -lambda 1 -distance 80 -pixel 0.9 -detpixels 30 -N 5 \
                          -default_F 100 -dispersion 2 -dispsteps 300 -mosaic 0.6 -mosaic_domains 230 -oversample 1 -nointerpolate";

#[test]
fn many_terms_are_summed_in_parts() {
    let Some(gpu) = gpu() else { return };
    for limit in ["", " -dmin 2.5 -water 10 -fix water"] {
        let line = format!("{MANY_TERMS}{limit}");
        for (_, precision) in PRECISIONS {
            let mut tally = Tally::default();
            tally.hold(gpu, &line, precision).unwrap();
            assert!(tally.refused.is_empty());
        }
    }
}

/// Lines whose terms or sub-pixels are summed in several parts, one after the other.
const IN_PARTS: [&str; 5] = [
    // 34 500 terms. Next to the beam the factor is so near to 1 that all of them count.
    "-detpixels 12 -pixel 2 -dispersion 2 -dispsteps 150 -mosaic 0.6 -mosaic_domains 230 -oversample 2 -oversample_polar",
    // Factors above 100, whose products are too large for single precision.
    "-detpixels 12 -pixel 2 -mosaic 0.6 -mosaic_domains 9 -point_pixel -oversample_omega -water 20",
    // Each layer has its own capture fraction, of which the first count too.
    "-detpixels 12 -pixel 2 -oversample_thick -detector_thick 400 -detector_abs 300 -detector_thicksteps 3",
    // 11 x 11 x 11 reflections and 4 operations for each term.
    "-detpixels_x 20 -detpixels_y 5 -pixel 2 -cell 70 70 90 -mosaic 0.6 -mosaic_domains 6 -oversample 3 -diffuse_gamma 30 60 90 \
     -diffuse_symmetry P43212 -diffuse_stencil 5",
    "-detpixels_x 20 -detpixels_y 5 -pixel 2 -mosaic 0.6 -mosaic_domains 3 -oversample 2 -oversample_polar -oversample_thick \
     -detector_thick 400 -detector_abs 300 -detector_thicksteps 2 -diffuse acoustic -diffuse_stencil 5 -gauss_xtal hkl",
];

#[test]
fn a_sum_goes_on_from_part_to_part() {
    let Some(gpu) = gpu() else { return };
    for line in IN_PARTS {
        let line = format!(
            "-cell 70 80 90 85 95 100 -misset 10 20 30 -lambda 1 -distance 80 -N 5 -default_F 100 -nointerpolate {line}"
        );
        let mut tally = Tally::default();
        tally.hold(gpu, &line, Precision::Double).unwrap();
        assert!(tally.refused.is_empty(), "{line}: {:?}", tally.refused);
    }
}

#[test]
fn two_runs_have_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let scene = Scene::new(&experiment(
        "-cell 70 80 90 85 95 100 -misset 10 20 30 -lambda 1 -distance 80 -pixel 0.2 -detpixels 150 -N 12 \
         -default_F 100 -mosaic 0.6 -mosaic_domains 9 -oversample 2",
    ));
    for (_, precision) in PRECISIONS {
        let [one, two] = [(); 2].map(|()| on(gpu, &scene, precision));
        assert_eq!(one, two);
        assert_eq!(one.unsupported, None);
    }
}

#[test]
fn masked_pixels_stay_dark() {
    let Some(gpu) = gpu() else { return };
    let mut experiment = experiment(
        "-cell 70 -default_F 100 -N 5 -lambda 1 -distance 80 -pixel 0.9 -detpixels_x 71 -detpixels_y 7",
    );
    let used = (0..71 * 7).map(|pixel| pixel % 5 != 0).collect();
    let panel = experiment.detector.first().clone();
    let panel = panel.with_mask(Mask::new(71, used)).unwrap();
    experiment.detector = panel.into();
    let (ours, expected) = (
        on(gpu, &Scene::new(&experiment), Precision::Double),
        here(&experiment),
    );
    assert_eq!(ours.unsupported, None);
    assert_eq!(worst_pixel(&expected, &ours, SINGLE), None);
    assert!(photons(&ours).step_by(5).all(|photons| photons == 0.0));
}

#[test]
fn a_run_can_be_followed_and_stopped() {
    struct Rows(Mutex<Vec<[usize; 2]>>);
    impl Progress for Rows {
        fn rows_done(&self, done: usize, total: usize) {
            self.0.lock().unwrap().push([done, total]);
        }
    }
    let Some(gpu) = gpu() else { return };
    let scene = Scene::new(&experiment(MANY_TERMS));
    let rows = Rows(Mutex::default());
    let stop = Cancel::new();
    let options = RunOptions {
        device: Some(gpu),
        progress: Some(&rows),
        cancel: Some(&stop),
        ..ONE_THREAD
    };
    render(&scene, &options).unwrap();
    let heard = rows.0.lock().unwrap().clone();
    assert!(
        heard.is_sorted() && heard.last() == Some(&[30, 30]),
        "{heard:?}"
    );
    stop.raise();
    assert!(render(&scene, &options).is_err());
}

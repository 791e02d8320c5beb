//! Every backend renders the suite, at every level and on any number of threads.

use nanobragg::physics::{
    Device, DeviceFault, Job, Lanes, Scalar, Tables, Take, Terms, Unsupported, render, render_with,
};
use nanobragg::{Level, Precision, RunOptions, Scene};
use nanobragg_tests::cases;
use nanobragg_tests::products::job;
use nanobragg_tests::suite::{self, SuiteScene, worst_pixel};

/// The lanes of every level that this processor has.
fn lanes(precision: Precision) -> impl Iterator<Item = Lanes> {
    let levels = Level::ALL.into_iter();
    levels
        .filter(|level| *level != Level::Reference && level.is_available())
        .map(move |level| Lanes { level, precision })
}

fn assert_no_faults(name: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
}

#[test]
fn the_scalar_backend_agrees_with_itself() {
    assert_no_faults("scalar", &suite::faults(&Scalar, suite::DOUBLE));
}

#[test]
fn lanes_of_every_level_pass_the_suite() {
    for lanes in lanes(Precision::Double) {
        assert_no_faults(lanes.level.name(), &suite::faults(&lanes, suite::DOUBLE));
    }
}

#[test]
fn lanes_in_single_precision_pass_within_their_tolerance() {
    for lanes in lanes(Precision::Single) {
        assert_no_faults(lanes.level.name(), &suite::faults(&lanes, suite::SINGLE));
    }
}

#[test]
fn threads_change_no_bit_of_any_scene() {
    let on = |threads| RunOptions {
        threads,
        ..RunOptions::default()
    };
    for SuiteScene { name, experiment } in suite::scenes() {
        let scene = Scene::new(&experiment);
        for level in [Level::Reference, Level::detect()] {
            let options = |threads| RunOptions {
                level: Some(level),
                ..on(threads)
            };
            let render = |threads| nanobragg::physics::render(&scene, &options(threads)).unwrap();
            let (one, three) = (render(1), render(3));
            let bits = |frame: &nanobragg::Frame| -> Vec<Vec<u32>> {
                let panels = frame.panels.iter();
                panels
                    .map(|panel| panel.pixels.iter().map(|pixel| pixel.to_bits()).collect())
                    .collect()
            };
            assert_eq!(bits(&one), bits(&three), "{name}, {level}");
            assert_eq!(one.left_grid_at, three.left_grid_at, "{name}, {level}");
            assert_eq!(
                one.first_evaluated, three.first_evaluated,
                "{name}, {level}"
            );
        }
    }
}

/// An index is a whole number to the last digits in a few pixels, where C divides two rounding errors.
const WHOLE: [&str; 6] = [
    "-cell 100 -distance 100 -pixel 2 -detpixels 25 -twotheta 30",
    "-cell 50 -distance 50 -pixel 2 -detpixels 25 -twotheta 30",
    "-cell 50 -distance 50 -pixel 2 -detpixels 25 -twotheta 30 -dmin 1.5",
    "-cell 50 -distance 50 -pixel 2 -detpixels 25 -twotheta 30 -interpolate",
    "-cell 50 -distance 50 -pixel 2 -detpixels 25 -twotheta 30 -oversample_omega -oversample_polar",
    "-cell 100 -distance 100 -pixel 2 -detpixels 25 -twotheta 30 -phisteps 2 -osc 1",
];

#[test]
fn whole_indices_have_the_quotient_of_the_scalar_sum() {
    let mut unlike_the_limit = 0;
    for line in WHOLE {
        let line = format!("{line} -lambda 1 -default_F 3 -N 3 -oversample 1 -seed 1");
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let experiment = job(&words, &cases::inputs()).unwrap().resolved.experiment;
        let scene = Scene::new(&experiment);
        let options = RunOptions::default();
        let expected = render_with(&Scalar, &scene, &options).unwrap();
        for lanes in lanes(Precision::Double) {
            let ours = render_with(&lanes, &scene, &options).unwrap();
            let fault = worst_pixel(&expected, &ours, suite::DOUBLE);
            assert_eq!(fault, None, "{line}, {}", lanes.level.name());
        }
        // Turned by some 1e-7 of a degree the crystal has the limit everywhere.
        let near = format!("{line} -misset 1e-7 2e-7 3e-7");
        let words: Vec<String> = near.split_whitespace().map(str::to_owned).collect();
        let near = job(&words, &cases::inputs()).unwrap().resolved.experiment;
        let near = render_with(&Scalar, &Scene::new(&near), &options).unwrap();
        unlike_the_limit += usize::from(worst_pixel(&expected, &near, suite::SINGLE).is_some());
    }
    assert!(unlike_the_limit > 0, "no line has such a pixel");
}

#[test]
fn what_lanes_cannot_number_falls_to_the_scalar_backend_and_the_frame_says_so() {
    let mut experiment = suite::scenes().swap_remove(0).experiment;
    experiment.sources = nanobragg::SourceList::from_sources(vec![
        nanobragg::Source::at([-1.0, 0.0, 0.0], 1e-23, 1.0).unwrap(),
    ])
    .unwrap();
    let scene = Scene::new(&experiment);
    let lanes = Lanes {
        level: Level::Baseline,
        precision: Precision::Double,
    };
    let frame = render_with(&lanes, &scene, &RunOptions::default()).unwrap();
    assert_eq!(frame.backend, "reference");
    assert!(frame.unsupported.is_some());
}

/// A device that sums two rows to nothing and then fails, or that refuses or fails at once.
#[derive(Debug)]
enum Failing {
    Refuses,
    AtOnce,
    AfterTwoRows,
}

impl Device for Failing {
    fn name(&self, _: &Tables<'_>) -> &'static str {
        "failing"
    }

    fn supports(&self, _: &Tables<'_>) -> Result<(), DeviceFault> {
        match self {
            Self::Refuses => Err(DeviceFault::TooLarge),
            Self::AtOnce | Self::AfterTwoRows => Ok(()),
        }
    }

    fn prepare<'t>(&'t self, tables: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault> {
        match self {
            Self::AfterTwoRows => Ok(Box::new(TwoRows(tables))),
            Self::Refuses | Self::AtOnce => Err(DeviceFault::Failed),
        }
    }
}

struct TwoRows<'t>(Tables<'t>);

impl Terms for TwoRows<'_> {
    fn sum(&self, job: &Job, take: &mut Take<'_>) -> Result<Option<[u32; 2]>, DeviceFault> {
        let columns = self.0.panels()[job.panel].roi().fast().count();
        let rows = job.rows.start..job.rows.start + 2;
        // The first pixel of the second row is left to the processor.
        let mut sums = vec![0.0; 2 * columns];
        sums[columns] = -1.0;
        let _ = take(rows, &sums);
        Err(DeviceFault::Failed)
    }
}

#[test]
fn what_a_device_leaves_is_rendered_here() {
    let mut suite = suite::scenes();
    suite.retain(|scene| scene.name == "two panels" || scene.name == "region of interest");
    assert_eq!(suite.len(), 2);
    for SuiteScene { name, experiment } in suite {
        let scene = Scene::new(&experiment);
        let plain = render(&scene, &RunOptions::default()).unwrap();
        for device in [Failing::Refuses, Failing::AtOnce, Failing::AfterTwoRows] {
            let options = RunOptions {
                device: Some(&device),
                ..RunOptions::default()
            };
            let mut frame = render(&scene, &options).unwrap();
            let fault = match device {
                Failing::Refuses => DeviceFault::TooLarge,
                Failing::AtOnce | Failing::AfterTwoRows => DeviceFault::Failed,
            };
            let name = format!("{name}, {device:?}");
            assert_eq!(
                frame.unsupported,
                Some(Unsupported::Device(fault)),
                "{name}"
            );
            assert_eq!(frame.backend, plain.backend, "{name}");
            let [ours, whole] = [&frame, &plain].map(|frame| frame.statistics.solid_angle_sr);
            assert!((ours / whole - 1.0).abs() < 1e-12, "{name}: {ours} {whole}");
            if matches!(device, Failing::AfterTwoRows) {
                let roi = experiment.detector.first().roi();
                let first = *roi.slow().start() as usize;
                let width = frame.panels[0].pixels_fast as usize;
                let row = *roi.fast().start() as usize..*roi.fast().end() as usize + 1;
                for slow in [first, first + 1] {
                    for fast in row.clone() {
                        let at = slow * width + fast;
                        let is_left = slow == first + 1 && fast == row.start;
                        assert_eq!(
                            frame.panels[0].pixels[at] != 0.0,
                            is_left,
                            "{name} {fast} {slow}"
                        );
                        let (left, right) =
                            (frame.panels[0].pixels[at], plain.panels[0].pixels[at]);
                        assert!(
                            !is_left || (left / right - 1.0).abs() < 1e-6,
                            "{left} {right}"
                        );
                        frame.panels[0].pixels[at] = right;
                    }
                }
            }
            assert_eq!(frame.panels, plain.panels, "{name}");
        }
    }
}

#[test]
fn a_run_that_needs_this_processor_says_so() {
    let scene = Scene::new(&suite::scenes().swap_remove(0).experiment);
    let options = RunOptions {
        device: Some(&Failing::AtOnce),
        accuracy: 1e-4,
        ..RunOptions::default()
    };
    let frame = render(&scene, &options).unwrap();
    assert_eq!(
        frame.unsupported,
        Some(Unsupported::Device(DeviceFault::Accuracy))
    );
    assert!(matches!(frame.omission, Some(Ok(_))));
    let wishes = nanobragg::TruthWishes::default();
    let (frame, _) = nanobragg::render_with_truth(&scene, &wishes, &options).unwrap();
    assert_eq!(
        frame.unsupported,
        Some(Unsupported::Device(DeviceFault::Truth))
    );
}

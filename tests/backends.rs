//! Every backend renders the suite, at every level and on any number of threads.

use nanobragg::physics::{Lanes, Scalar, render_with};
use nanobragg::{Level, Precision, RunOptions, Scene};
use nanobragg_tests::suite::{self, SuiteScene};

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

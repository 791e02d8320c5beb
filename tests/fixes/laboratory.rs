//! Experiments and images of command lines.

use nanobragg::{Experiment, Panel, RunOptions, simulate};
use nanobragg_cli::Job;
use nanobragg_tests::cases;
use nanobragg_tests::products::job;
use nanobragg_tests::tolerances::{PIXEL_OF_BRIGHTEST, PIXEL_RELATIVE};

/// The resolved command line.
pub(crate) fn job_of(line: &str) -> Job {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    job(&words, &cases::inputs()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The experiment of a command line.
pub(crate) fn experiment(line: &str) -> Experiment {
    job_of(line).resolved.experiment
}

/// The detector panel of a command line.
pub(crate) fn panel(line: &str) -> Panel {
    experiment(line).detector.first().clone()
}

/// The pixels of an experiment, `[slow][fast]`.
pub(crate) fn render(experiment: &Experiment, options: &RunOptions<'_>) -> Vec<f32> {
    simulate(experiment, options).unwrap().photons.into_pixels()
}

/// The pixels of a command line.
pub(crate) fn pixels(line: &str) -> Vec<f32> {
    render(&experiment(line), &RunOptions::default())
}

/// The sum of all pixels of a command line.
pub(crate) fn total(line: &str) -> f64 {
    pixels(line).into_iter().map(f64::from).sum()
}

/// Compares every pixel with `expected` at (fast, slow).
pub(crate) fn assert_pixels(line: &str, expected: impl Fn(&Experiment, u32, u32) -> f64) {
    let experiment = experiment(line);
    let ours = render(&experiment, &RunOptions::default());
    let fast = experiment.detector.first().pixels_fast();
    let at = |i: usize| (i as u32 % fast, i as u32 / fast);
    let expected: Vec<f64> = (0..ours.len())
        .map(|i| expected(&experiment, at(i).0, at(i).1))
        .collect();
    assert_same(line, &expected, &ours);
}

/// Compares every pixel, with the tolerance of the golden images.
pub(crate) fn assert_same(name: &str, expected: &[f64], ours: &[f32]) {
    assert_eq!(expected.len(), ours.len(), "{name}");
    let brightest = expected.iter().copied().fold(0.0, f64::max);
    assert!(brightest > 0.0, "{name}: nothing is expected");
    for (i, (expected, ours)) in expected.iter().zip(ours).enumerate() {
        let allowed = PIXEL_RELATIVE * expected.abs() + PIXEL_OF_BRIGHTEST * brightest;
        let off = (f64::from(*ours) - expected).abs();
        assert!(
            off <= allowed,
            "{name}: pixel {i} is {ours}, not {expected}"
        );
    }
}

/// The largest difference of two images, relative to the brightest pixel of the first.
pub(crate) fn largest_difference(x: &[f32], y: &[f32]) -> f64 {
    let brightest = x.iter().copied().fold(0.0, f32::max);
    let off = x.iter().zip(y).map(|(x, y)| (x - y).abs());
    f64::from(off.fold(0.0, f32::max) / brightest)
}

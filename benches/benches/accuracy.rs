//! Images of every term beside images with an accuracy, on all cores, tables included.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nanobragg::{Error, ExperimentSpec, RunOptions, Scene, Shape, physics::render};
use nanobragg_benches::{fine_spots, xfel_shot};

const ACCURACIES: [(&str, f64); 3] = [("every_term", 0.0), ("1e-4", 1e-4), ("1e-6", 1e-6)];

/// The scenes, by name.
fn scenes() -> [(&'static str, Result<ExperimentSpec, Error>); 4] {
    [
        ("60x50x110", fine_spots([60, 50, 110], Shape::Square)),
        ("20x17x38", fine_spots([20, 17, 38], Shape::Square)),
        ("gauss40", fine_spots([40; 3], Shape::Gauss)),
        ("xfel", xfel_shot()),
    ]
}

fn accuracies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("accuracy");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for (name, spec) in scenes() {
        let resolved = spec.and_then(|spec| spec.resolve());
        let experiment = resolved.expect("the scenes resolve").experiment;
        for (asked, accuracy) in ACCURACIES {
            let options = RunOptions {
                accuracy,
                ..RunOptions::default()
            };
            group.bench_function(BenchmarkId::new(name, asked), |bencher| {
                bencher.iter(|| render(&Scene::new(&experiment), &options));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, accuracies);
criterion_main!(benches);

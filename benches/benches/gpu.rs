//! Images on the GPU beside those on this processor, tables included.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nanobragg::{Error, ExperimentSpec, Precision, RunOptions, Scene, Shape, physics::render};
use nanobragg_benches::{fine_spots, headline, xfel_shot};
use nanobragg_gpu::{Choice, shared};

/// The scenes, by name.
fn scenes() -> [(&'static str, Result<ExperimentSpec, Error>); 4] {
    [
        ("headline", headline()),
        ("20x17x38", fine_spots([20, 17, 38], Shape::Square)),
        ("gauss40", fine_spots([40; 3], Shape::Gauss)),
        ("xfel", xfel_shot()),
    ]
}

fn devices(criterion: &mut Criterion) {
    let gpu = shared(Choice::First).expect("a GPU and its driver");
    let mut group = criterion.benchmark_group(format!("gpu, {}", gpu.adapter()));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for (name, spec) in scenes() {
        let resolved = spec.and_then(|spec| spec.resolve());
        let experiment = resolved.expect("the scenes resolve").experiment;
        let on_gpu = |precision| RunOptions {
            device: Some(gpu),
            precision,
            ..RunOptions::default()
        };
        for (way, options) in [
            ("processor", RunOptions::default()),
            ("double", on_gpu(Precision::Double)),
            ("single", on_gpu(Precision::Single)),
        ] {
            group.bench_function(BenchmarkId::new(name, way), |bencher| {
                bencher.iter(|| render(&Scene::new(&experiment), &options));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, devices);
criterion_main!(benches);

//! The kernel alone: every level, lookup and shape on one thread, the cost of the fixes, and how time
//! grows with terms and shrinks with threads.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use nanobragg::physics::render;
use nanobragg::{Experiment, ExperimentSpec, Fixes, Level, Precision, RunOptions, Scene, Shape};
use nanobragg_benches::{headline_small, tricubic};

/// Terms of the sum of the whole image, by which a scene of any size compares with any other.
fn terms(scene: &Scene) -> u64 {
    let layers = scene.panels()[0].sensor().layers;
    let pixels = scene.panels()[0].roi().pixel_count();
    (scene.steps() * f64::from(layers)) as u64 * pixels
}

fn resolved(spec: Result<ExperimentSpec, nanobragg::Error>) -> Experiment {
    spec.and_then(|spec| spec.resolve())
        .expect("the scenes resolve")
        .experiment
}

fn one_thread() -> RunOptions<'static> {
    RunOptions {
        threads: 1,
        ..RunOptions::default()
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    experiment: &Experiment,
    options: RunOptions<'_>,
) {
    let scene = Scene::new(experiment);
    group.throughput(Throughput::Elements(terms(&scene)));
    group.bench_function(id, |bencher| bencher.iter(|| render(&scene, &options)));
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    group
}

/// Both lookups at every level that this processor has, and single precision at the best.
fn levels(criterion: &mut Criterion) {
    let mut group = group(criterion, "level");
    for (scene, spec) in [("nearest", headline_small()), ("tricubic", tricubic(128))] {
        let experiment = resolved(spec);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            let options = RunOptions {
                level: Some(level),
                ..one_thread()
            };
            measure(
                &mut group,
                BenchmarkId::new(scene, level),
                &experiment,
                options,
            );
        }
        let options = RunOptions {
            precision: Precision::Single,
            ..one_thread()
        };
        measure(
            &mut group,
            BenchmarkId::new(scene, "single"),
            &experiment,
            options,
        );
    }
    group.finish();
}

fn shapes(criterion: &mut Criterion) {
    let mut group = group(criterion, "shape");
    for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
        let spec = headline_small().map(|mut spec| {
            spec.crystal.shape = shape;
            spec
        });
        measure(
            &mut group,
            BenchmarkId::from_parameter(shape),
            &resolved(spec),
            one_thread(),
        );
    }
    group.finish();
}

/// What the right physics costs: the C program's image against all oddities put right.
fn fixes(criterion: &mut Criterion) {
    let mut group = group(criterion, "fix");
    for (name, fixes) in [("none", Fixes::none()), ("all", Fixes::all())] {
        let spec = headline_small().map(|mut spec| {
            spec.fixes = fixes;
            spec
        });
        measure(
            &mut group,
            BenchmarkId::from_parameter(name),
            &resolved(spec),
            one_thread(),
        );
    }
    group.finish();
}

/// Time against phi steps, from 1 to 1000: the slope is the cost of a term.
fn steps(criterion: &mut Criterion) {
    let mut group = group(criterion, "steps");
    for count in [1, 10, 100, 1000] {
        let spec = headline_small().map(|mut spec| {
            spec.phi.sweep.count = Some(count);
            spec
        });
        measure(
            &mut group,
            BenchmarkId::from_parameter(count),
            &resolved(spec),
            one_thread(),
        );
    }
    group.finish();
}

fn threads(criterion: &mut Criterion) {
    let mut group = group(criterion, "threads");
    let experiment = resolved(headline_small());
    for threads in [1, 2] {
        let options = RunOptions {
            threads,
            ..RunOptions::default()
        };
        measure(
            &mut group,
            BenchmarkId::from_parameter(threads),
            &experiment,
            options,
        );
    }
    group.finish();
}

criterion_group!(benches, levels, shapes, fixes, steps, threads);
criterion_main!(benches);

//! Derivatives of the headline image beside the image itself, on all cores.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use nanobragg::gradient::{
    Jacobian, Parameter, render_jacobian, render_jacobian_into, render_jvp, render_vjp,
};
use nanobragg::physics::Scene;
use nanobragg::{RunOptions, physics::render};
use nanobragg_benches::headline;

/// Cell, orientation, detector, wavelength and fluence: fourteen images of derivatives.
const PARAMETERS: [Parameter; 14] = [
    Parameter::CellA,
    Parameter::CellB,
    Parameter::CellC,
    Parameter::CellAlpha,
    Parameter::CellBeta,
    Parameter::CellGamma,
    Parameter::MissetX,
    Parameter::MissetY,
    Parameter::MissetZ,
    Parameter::Distance,
    Parameter::BeamFast,
    Parameter::BeamSlow,
    Parameter::Wavelength,
    Parameter::Fluence,
];

fn gradients(criterion: &mut Criterion) {
    let spec = headline().expect("the scene can be made");
    let resolved = spec.resolve().expect("the scene resolves");
    let scene = Scene::new(&resolved.experiment);
    let options = RunOptions::default();
    let pixels = resolved.experiment.detector.first().pixels_fast() as usize
        * resolved.experiment.detector.first().pixels_slow() as usize;
    let weights: Vec<f64> = (0..pixels).map(|i| (i % 17) as f64 - 8.0).collect();
    let direction: Vec<_> = PARAMETERS
        .iter()
        .map(|&parameter| (parameter, 0.1))
        .collect();

    let mut group = criterion.benchmark_group("gradient");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    group.bench_function("render", |bencher| {
        bencher.iter(|| render(&scene, &options).expect("nobody stops the run"));
    });
    group.bench_function("jvp", |bencher| {
        bencher.iter(|| render_jvp(&spec, &direction, &options).expect("it has derivatives"));
    });
    group.bench_function("jacobian14", |bencher| {
        bencher.iter(|| render_jacobian(&spec, &PARAMETERS, &options).expect("it has derivatives"));
    });
    let mut again = Jacobian::default();
    group.bench_function("jacobian14_again", |bencher| {
        bencher.iter(|| {
            render_jacobian_into(&spec, &PARAMETERS, &options, &mut again)
                .expect("it has derivatives");
        });
    });
    group.bench_function("vjp14", |bencher| {
        bencher.iter(|| {
            render_vjp(&spec, &weights, &PARAMETERS, &options).expect("it has derivatives")
        });
    });
    group.finish();
}

criterion_group!(benches, gradients);
criterion_main!(benches);

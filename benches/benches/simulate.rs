//! A whole run without its files: resolve, render, and make every image in memory, on all cores.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nanobragg::io::{float, pgm, png, smv};
use nanobragg::{
    Error, ExperimentSpec, NoiseStream, Response, ResponseSpec, RunOptions, Simulated, simulate,
    smv_fields,
};
use nanobragg_benches::headline_small;

/// Everything that the program does between reading and writing; the number of bytes made.
fn run(spec: &ExperimentSpec) -> Result<usize, Error> {
    let resolved = spec.resolve()?;
    let image = simulate(&resolved.experiment, &RunOptions::default())?;
    let header = smv_fields(&resolved, Some(&ResponseSpec::default()))?;
    let detector = &spec.response;
    let integers = Response::integers(detector, image.integer_scale(detector))?;
    let grey_scale = image.grey_scale(detector);

    let mut bytes = Vec::new();
    float::write(&mut bytes, &image.photons)?;
    smv::write(&mut bytes, &header, &image.counts::<u16>(integers)?.pixels)?;
    let greys = image.counts(Response::greys(grey_scale))?;
    pgm::write(&mut bytes, &greys.pixels, grey_scale)?;
    png::write(&mut bytes, &image.photons, png::Grey::Logarithmic)?;
    let measured = Response::measured(detector, 1)?;
    smv::write(&mut bytes, &header, &image.counts::<u16>(measured)?.pixels)?;
    Ok(bytes.len())
}

fn whole(criterion: &mut Criterion) {
    let spec = headline_small().expect("the scene can be made");
    let mut group = criterion.benchmark_group("simulate");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.bench_function("headline_small", |bencher| bencher.iter(|| run(&spec)));
    group.finish();
}

fn images(criterion: &mut Criterion) {
    let resolved = headline_small()
        .and_then(|spec| spec.resolve())
        .expect("the scene resolves");
    let image: Simulated =
        simulate(&resolved.experiment, &RunOptions::default()).expect("nobody stops the run");
    let detector = ResponseSpec::default();
    let mut group = criterion.benchmark_group("images");
    group.throughput(Throughput::Elements(image.photons.pixels().len() as u64));
    group.bench_function("noise", |bencher| {
        bencher.iter(|| image.counts::<u16>(Response::measured(&detector, 1)?));
    });
    // On one thread, as the stream of the C program above.
    let counter = ResponseSpec {
        noise_stream: Some(NoiseStream::Counter),
        ..ResponseSpec::default()
    };
    group.bench_function("noise_counter", |bencher| {
        bencher.iter(|| image.counts::<u16>(Response::measured(&counter, 1)?.on_threads(1)));
    });
    group.bench_function("integers", |bencher| {
        bencher.iter(|| image.counts::<u16>(Response::integers(&detector, 1.0)?));
    });
    group.bench_function("png", |bencher| {
        bencher.iter(|| png::write(std::io::sink(), &image.photons, png::Grey::Logarithmic));
    });
    group.finish();
}

criterion_group!(benches, whole, images);
criterion_main!(benches);

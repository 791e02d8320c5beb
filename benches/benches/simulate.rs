//! A whole run without its files: resolve, render, and make every image in memory, on all cores.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nanobragg::io::{float, pgm, png, smv};
use nanobragg::{Error, ExperimentSpec, RunOptions, Simulated, simulate, smv_fields};
use nanobragg_benches::headline_small;

/// Offset of the integer images, as the program has it if no flag says otherwise.
const ADC: f64 = 40.0;

/// Everything that the program does between reading and writing; the number of bytes made.
fn run(spec: &ExperimentSpec) -> Result<usize, Error> {
    let resolved = spec.resolve()?;
    let image = simulate(&resolved.experiment, &RunOptions::default())?;
    let header = smv_fields(&resolved)?;
    let integer_scale = image.integer_scale(None);
    let grey_scale = image.grey_scale(None, integer_scale);

    let mut bytes = Vec::new();
    float::write(&mut bytes, &image.photons)?;
    smv::write(&mut bytes, &header, &image.integers(integer_scale, ADC))?;
    pgm::write(&mut bytes, &image.greys(grey_scale), grey_scale)?;
    png::write(&mut bytes, &image.photons, png::Grey::Logarithmic)?;
    smv::write(&mut bytes, &header, &image.noisy_counts(1, ADC).counts)?;
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
    let mut group = criterion.benchmark_group("images");
    group.throughput(Throughput::Elements(image.photons.pixels().len() as u64));
    group.bench_function("noise", |bencher| {
        bencher.iter(|| image.noisy_counts::<u16>(1, ADC));
    });
    group.bench_function("integers", |bencher| {
        bencher.iter(|| image.integers::<u16>(1.0, ADC));
    });
    group.bench_function("png", |bencher| {
        bencher.iter(|| png::write(std::io::sink(), &image.photons, png::Grey::Logarithmic));
    });
    group.finish();
}

criterion_group!(benches, whole, images);
criterion_main!(benches);

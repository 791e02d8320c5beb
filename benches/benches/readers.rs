//! Structure factors on their way in: a text list of 684 047 reflections, and its dump.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nanobragg::GridLimit;
use nanobragg::crystal::read::{fdump, hkl};
use nanobragg_benches::{
    HEADLINE_D_MIN_ANGSTROM, HEADLINE_EDGES_ANGSTROM, headline_factors, hkl_text,
    reflections_within,
};

fn readers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("readers");
    group.sample_size(10);

    let text = hkl_text(&reflections_within(
        HEADLINE_EDGES_ANGSTROM,
        HEADLINE_D_MIN_ANGSTROM,
    ));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("hkl_text", |bencher| {
        bencher.iter(|| hkl::parse(text.as_bytes(), "headline.hkl"));
    });

    let dump = fdump::to_bytes(&headline_factors().expect("there is memory for a small grid"));
    group.throughput(Throughput::Bytes(dump.len() as u64));
    group.bench_function("dump", |bencher| {
        bencher.iter(|| fdump::parse(&dump, "Fdump.bin", 0.0, GridLimit::default()));
    });
    group.finish();
}

criterion_group!(benches, readers);
criterion_main!(benches);

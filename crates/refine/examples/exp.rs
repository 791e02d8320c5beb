use nanobragg::*;
use nanobragg::crystal::read;
use nanobragg_refine::*;
use nanobragg::gradient::{self, Parameter};
use std::sync::Arc;
fn env(n: &str, d: f64) -> f64 { std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d) }
fn main() {
    let reflections = read::hkl::read("examples/lysozyme/lysozyme_P1.hkl").unwrap();
    let factors = Arc::new(FactorGrid::from_reflections(&reflections, 0.0, GridLimit::default()).unwrap());
    let mut spec = ExperimentSpec { factors, ..ExperimentSpec::default() };
    spec.detector.pixels_fast = Some(env("PIX", 160.0) as u32);
    spec.detector.pixels_slow = Some(env("PIX", 160.0) as u32);
    spec.detector.pixel_size = Length::from_mm(env("PIXMM", 0.2));
    spec.detector.distance = Length::from_mm(env("DIST", 100.0));
    spec.crystal.cell = Some(CellSpec::from_values(&[59.062, 68.451, 30.517]).unwrap());
    spec.crystal.misset = Some(Misset::Angles([10.0f64, 20.0, 30.0].map(f64::to_radians)));
    spec.crystal.cells = [env("N", 10.0) as i64; 3];
    spec.crystal.mosaic.spread_rad = Some(env("MOS", 0.3f64).to_radians());
    spec.crystal.mosaic.domains = Some(env("DOM", 5.0) as i64);
    spec.crystal.mosaic.seed = -12345678;
    spec.phi.sweep.range = Some(env("OSC", 1.0f64).to_radians());
    spec.phi.sweep.count = Some(env("PHI", 5.0) as i64);
    spec.sampling.oversample = Some(env("OVER", 1.0) as u32);
    spec.beam.fluence.fluence_per_m2 = Some(env("FLU", 1e24));
    let options = RunOptions::default();
    let truth = simulate(&spec.resolve().unwrap().experiment, &options).unwrap();
    let counts = truth.noisy_counts(1, 40.0).counts;
    let maxc = counts.pixels().iter().max().unwrap();
    let tot: u64 = counts.pixels().iter().map(|c| u64::from(*c) - 40).sum();
    println!("max {maxc} total {tot}");
    let image = counts.map(|&c| f32::from(c));
    let target = Target::of_counts(&image, 40.0, 1.0).unwrap();
    let sel: Vec<Selection> = std::env::var("SEL").unwrap_or("cell,misset,distance".into()).split(',').map(|s| Selection::from_name(s).unwrap()).collect();
    let mut stream = numeric::random::MinimalStandard::from_seed(-(env("SEED", 7.0) as i64));
    let mut wanted = RefineSpec { selection: sel, ..RefineSpec::default() };
    wanted.tolerance = env("TOL", 1e-8);
    let mut ok = 0;
    let starts = env("STARTS", 10.0) as usize;
    for k in 0..starts {
        let mut start = spec.clone();
        let mut sign = || if stream.uniform() < 0.5 { -1.0 } else { 1.0 };
        let worst = std::env::var("WORST").is_ok();
        for p in [Parameter::CellA, Parameter::CellB, Parameter::CellC] {
            let v = gradient::value(&start, p).unwrap();
            start = gradient::with_value(&start, p, v * (1.0 + 0.02 * sign())).unwrap();
        }
        let m = [sign(), sign(), sign()];
        let m = if worst { m } else { let s = (m.iter().map(|x| x * x).sum::<f64>()).sqrt(); m.map(|x| x / s) };
        for (p, m) in [Parameter::MissetX, Parameter::MissetY, Parameter::MissetZ].into_iter().zip(m) {
            let v = gradient::value(&start, p).unwrap();
            start = gradient::with_value(&start, p, v + 0.3 * m).unwrap();
        }
        let d = 1.0 + 0.01 * sign();
        if std::env::var("SEL").map_or(true, |s| s.contains("distance")) {
        let v = gradient::value(&start, Parameter::Distance).unwrap();
        start = gradient::with_value(&start, Parameter::Distance, v * d).unwrap();
        }
        let t = std::time::Instant::now();
        match refine(&start, &target, &wanted, &options, &mut |i| if std::env::var("DBG").is_ok() { eprintln!("{} {}/{} {} {:.5e} {:?}", i.attempt, i.stage, i.stages, i.step, i.misfit, i.values.iter().map(|v| v.1).collect::<Vec<_>>()) }) {
            Err(e) => println!("{k}: {e}"),
            Ok(o) => {
                let mut worst: f64 = 0.0;
                let mut text = String::new();
                for e in &o.estimates { let (name, v, s) = (&e.name, e.value, e.sigma.unwrap());
                    let p = Parameter::from_name(name.split(' ').next().unwrap()).unwrap();
                    let t = gradient::value(&spec, p).unwrap();
                    let z = (v - t) / s;
                    worst = worst.max(z.abs());
                    text += &format!(" {name} {v:.5}({s:.2e}) {z:+.2}");
                }
                if worst < 3.0 { ok += 1; }
                println!("{k}: worst {worst:.2} good {:.4} att {} {} its {:?} {:.2}s {text}", o.goodness, o.attempts, o.has_converged(), o.stages.iter().map(|s| s.iterations).collect::<Vec<_>>(), t.elapsed().as_secs_f64());
            }
        }
    }
    println!("{ok} of {starts}");
}

//! A refinement from start to end.

use levenberg_marquardt::LevenbergMarquardt;
use nanobragg::{ExperimentSpec, Mask, RunOptions};

use crate::blur::Blur;
use crate::free::FreeSet;
use crate::normal::Scaled;
use crate::problem::{Fit, Problem, Step, Weighting};
use crate::spec::{RefineSpec, Stage};
use crate::stage::{frozen, looked_at, spacings_m, widened};
use crate::target::Target;
use crate::Error;

pub struct Outcome {
    pub names: Vec<String>,
    pub values: Vec<f64>,
    pub sigmas: Vec<f64>,
    pub misfit: f64,
    pub pixels: usize,
}

pub fn refine(
    spec: &ExperimentSpec,
    target: &Target,
    wanted: &RefineSpec,
    options: &RunOptions<'_>,
) -> Result<Outcome, Error> {
    let resolved = spec.resolve()?;
    let spec = frozen(spec, &resolved.experiment);
    let (free, _) = FreeSet::new(&spec, wanted)?;
    let spacings = spacings_m(&resolved.experiment, resolved.decisions.wavelength_m);
    let mut used = target.used().to_vec();
    let fast = target.photons().fast();
    for (i, used) in used.iter_mut().enumerate() {
        *used &= resolved.experiment.roi.contains((i % fast) as u32, (i / fast) as u32);
    }
    let least = used.iter().zip(&spacings).filter(|(u, _)| **u).fold(f64::INFINITY, |m, (_, d)| m.min(*d));
    let stages = wanted.schedule.stages(&resolved.experiment, least);
    let mut values: Vec<f64> = free.iter().map(|f| f.start()).collect();
    let mut result = None;
    let debug = std::env::var("DBG").is_ok();
    for stage in &stages {
        let widens = stage.widening > 1.0;
        let looked = looked_at(stage, &used, &spacings)?;
        let longest = resolved.experiment.crystal.direct().lengths_m().into_iter().fold(0.0, f64::max);
        let looked: Vec<bool> = if *stage == Stage::FINAL { looked } else { looked.iter().zip(&spacings).map(|(l, s)| *l && *s < 1.5 * longest).collect() };
        let mut stage_spec = widened(spec.clone(), stage.widening);
        stage_spec.mask = Mask::new(fast, looked.clone());
        let blur = Blur::new(stage.blur_pixels, fast);
        let cut: Vec<f64> = target.photons().pixels().iter().zip(&looked).map(|(&p, &l)| if l { p } else { 0.0 }).collect();
        let smeared = match &blur { Some(b) => b.apply(&cut), None => cut };
        let mut fit = Fit {
            spec: stage_spec,
            free: free.from_here(&values, |_| true),
            scale: 1.0,
            scale_is_free: false,
            target: smeared,
            looked_at: looked,
            blur,
            weighting: Weighting::Deviance,
            priors: vec![],
            options,
        };
        let predicted = fit.predict(&values)?;
        let (mut tm, mut mm, mut n, mut t1) = (0.0, 0.0, 0usize, 0.0);
        for (i, l) in fit.looked_at.iter().enumerate() {
            if *l { tm += fit.target[i] * predicted[i]; mm += predicted[i] * predicted[i]; n += 1; t1 += fit.target[i]; }
        }
        if widens {
            fit.scale = tm / mm;
            fit.scale_is_free = true;
        }
        let mean = t1 / n as f64;
        if *stage != Stage::FINAL {
            let area = (4.0 * std::f64::consts::PI * stage.blur_pixels.powi(2)).max(1.0);
            let ev = |n: &str, d: f64| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
            let mf = ev("MF", 1.0);
            let weights = fit.target.iter().map(|&t| area / (t.max(0.0) + mf * mean)).collect();
            let pw = ev("PW", 0.5);
            fit.priors = free.iter().map(|f| (f.start(), f.reach() * pw)).collect();
            fit.weighting = Weighting::Weights(weights);
        } else {
            fit.weighting = Weighting::of(&wanted.likelihood, &predicted);
        }
        let mut told = |step: &Step| {
            if debug {
                let (v, s, _) = fit.values(&step.u);
                eprintln!("   misfit {:.6e} {:?} scale {s:.3e}", step.normal.misfit, v);
            }
        };
        let problem = Problem::new(&fit, &mut told);
        let (problem, report) = LevenbergMarquardt::new()
            .with_ftol(if *stage == Stage::FINAL { wanted.tolerance } else { 1e-4 })
            .with_xtol(if *stage == Stage::FINAL { wanted.tolerance } else { 1e-4 })
            .with_gtol(0.0)
            .with_stepbound(1.0)
            .with_patience(wanted.max_iterations)
            .minimize(problem);
        let (best, evals, error) = problem.end();
        if let Some(error) = error { return Err(error); }
        let best = best.ok_or(Error::NoPixels)?;
        values = fit.values(&best.u).0;
        if debug {
            eprintln!("stage {stage:?} pixels {n} evals {evals}/{} {:?} misfit/pix {:.4} {values:.4?}", report.number_of_evaluations, report.termination, best.normal.misfit / n as f64);
        }
        let scaled = Scaled::of(&best.normal.matrix);
        let inv = best.normal.matrix.clone().try_inverse();
        let sigmas = inv.map_or(vec![], |m| m.diagonal().iter().map(|x| x.sqrt()).collect());
        let _ = scaled;
        result = Some(Outcome { names: fit.free.iter().map(|f| f.name()).collect(), values: values.clone(), sigmas, misfit: best.normal.misfit, pixels: n });
    }
    result.ok_or(Error::NoPixels)
}

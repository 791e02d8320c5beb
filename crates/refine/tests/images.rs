//! Several images that share numbers, and have others of their own.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]
use nalgebra::{DMatrix, DVector};
use nanobragg::geometry::Angle;
use nanobragg::gradient::{Parameter, value, with_value};
use nanobragg::io::Image;
use nanobragg::numeric::PoissonNoise;
use nanobragg::{
    CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length, Misset, RunOptions,
    simulate,
};
use nanobragg_refine::{
    Error, RefineSpec, Refinement, Schedule, Selection, Target, refine, refine_images,
};

/// The missetting angles of three stills.
const STILLS: [[f64; 3]; 3] = [[0.2, -0.3, 0.4], [0.9, 0.6, -0.5], [-0.7, 0.8, 0.3]];

/// A tetragonal crystal of 4 x 4 x 4 cells, each of one point of 40 electrons, and 24 x 24 pixels.
fn still(misset: [f64; 3]) -> ExperimentSpec {
    let spec = ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(24),
            pixels_slow: Some(24),
            pixel_size: Length::from_mm(1.0),
            distance: Length::from_mm(60.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[40.0, 40.0, 50.0]).unwrap()),
            cells: [4; 3],
            misset: Some(Misset::Angles(misset.map(f64::to_radians))),
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(40.0),
        ..ExperimentSpec::default()
    };
    with_value(&spec, Parameter::Fluence, 3e28).unwrap()
}

fn photons(spec: &ExperimentSpec) -> Image<f32> {
    let experiment = spec.resolve().unwrap().experiment;
    simulate(&experiment, &RunOptions::default())
        .unwrap()
        .photons
}

fn names(names: &[&str]) -> Vec<Selection> {
    let names = names.iter();
    names
        .map(|name| Selection::from_name(name).unwrap())
        .collect()
}

/// A fit of what all images share and of what each has.
fn wanted(shared: &[&str], own: &[&str]) -> RefineSpec {
    RefineSpec {
        selection: names(shared),
        per_image: names(own),
        schedule: Schedule::Final,
        ..RefineSpec::default()
    }
}

fn fit(
    starts: &[ExperimentSpec],
    images: &[Image<f32>],
    wanted: &RefineSpec,
) -> Result<Refinement, Error> {
    let targets: Vec<Target> = images.iter().map(Target::of_photons).collect();
    let pairs: Vec<_> = starts.iter().zip(&targets).collect();
    refine_images(&pairs, wanted, &RunOptions::default(), &mut |_| {})
}

fn moved(spec: &ExperimentSpec, by: &[(Parameter, f64)]) -> ExperimentSpec {
    by.iter().fold(spec.clone(), |spec, &(parameter, by)| {
        let now = value(&spec, parameter).unwrap();
        with_value(&spec, parameter, now + by).unwrap()
    })
}

#[test]
fn one_image_has_the_same_result_to_the_bit_whether_a_number_is_shared_or_its_own() {
    let truth = still(STILLS[0]);
    let image = photons(&truth);
    let start = moved(
        &truth,
        &[(Parameter::CellC, 0.1), (Parameter::MissetX, 0.1)],
    );
    for schedule in [Schedule::Final, Schedule::WideToNarrow] {
        let with = |shared: &[&str], own: &[&str]| RefineSpec {
            schedule: schedule.clone(),
            ..wanted(shared, own)
        };
        let all = with(&["cell", "misset", "fluence"], &[]);
        let options = RunOptions::default();
        let target = Target::of_photons(&image);
        let one = refine(&start, &target, &all, &options, &mut |_| {}).unwrap();
        let own = with(&["cell"], &["misset", "fluence"]);
        let same = fit(
            std::slice::from_ref(&start),
            std::slice::from_ref(&image),
            &own,
        )
        .unwrap();
        assert_eq!(one.misfit.to_bits(), same.misfit.to_bits());
        assert_eq!(one.estimates, same.estimates);
        assert_eq!(one.correlations, same.correlations);
    }
}

#[test]
fn frames_of_a_rotation_share_cell_and_orientation() {
    let frame = |number: u32| {
        let mut spec = still(STILLS[0]);
        spec.phi.start = Angle::from_degrees(f64::from(number) * 4.0 + 0.5);
        spec
    };
    let truth: Vec<ExperimentSpec> = (0..4).map(frame).collect();
    let images: Vec<Image<f32>> = truth.iter().map(photons).collect();
    let off = [
        (Parameter::CellA, 0.2),
        (Parameter::CellB, 0.2),
        (Parameter::CellC, -0.2),
        (Parameter::MissetX, 0.15),
        (Parameter::MissetY, -0.1),
    ];
    let starts: Vec<ExperimentSpec> = truth.iter().map(|spec| moved(spec, &off)).collect();
    let wanted = wanted(&["cell", "misset"], &["fluence"]);
    let refined = fit(&starts, &images, &wanted).unwrap();
    assert!(refined.has_converged());
    for (found, truth) in refined.specs.iter().zip(&truth) {
        assert_eq!(found.phi, truth.phi);
        assert_eq!(found.crystal.misset, refined.spec.crystal.misset);
    }
    let shared = [
        Parameter::CellA,
        Parameter::CellC,
        Parameter::MissetX,
        Parameter::MissetY,
        Parameter::MissetZ,
    ];
    for (one, parameter) in refined.estimates.iter().zip(shared) {
        let off = one.value - value(&truth[0], parameter).unwrap();
        // Without noise only the end of the steps is left.
        assert!(off.abs() < 0.1 * one.sigma.unwrap(), "{one:?} {off}");
    }
    let fluences = refined.estimates.iter().filter(|one| one.image.is_some());
    let fluences: Vec<&str> = fluences.map(|one| one.name.as_str()).collect();
    assert_eq!(
        fluences,
        ["fluence#1", "fluence#2", "fluence#3", "fluence#4"]
    );
    assert_eq!(refined.images.len(), 4);
    // More images tell more.
    let alone = fit(&starts[..1], &images[..1], &wanted).unwrap();
    let sigma = |fit: &Refinement| fit.estimates[1].sigma.unwrap();
    assert!(sigma(&refined) < 0.7 * sigma(&alone));
}

/// (value - truth)^T C^-1 (value - truth), with the covariance C that the refinement states.
fn chi_squared(refined: &Refinement, truth: &[f64]) -> f64 {
    let sigmas: Vec<f64> = (refined.estimates.iter())
        .map(|one| one.sigma.unwrap())
        .collect();
    let n = sigmas.len();
    let covariance = DMatrix::from_fn(n, n, |i, j| {
        refined.correlations[i][j] * sigmas[i] * sigmas[j]
    });
    let off = refined.estimates.iter().zip(truth);
    let off = DVector::from_iterator(n, off.map(|(one, truth)| one.value - truth));
    let weighted = covariance.cholesky().unwrap().solve(&off);
    off.dot(&weighted)
}

#[test]
fn stills_scatter_about_the_truth_as_the_uncertainties_say() {
    /// Seeds of the noise.
    const DRAWS: i64 = 12;
    let truth = STILLS.map(still);
    let expected = truth.each_ref().map(photons);
    let wanted = wanted(&["cell"], &["misset", "fluence"]);
    // Two edges, and three angles and a fluence of each still.
    let numbers = 2 + STILLS.len() * 4;
    let mut true_values = vec![40.0, 50.0];
    for spec in &truth {
        let own = [
            Parameter::MissetX,
            Parameter::MissetY,
            Parameter::MissetZ,
            Parameter::Fluence,
        ];
        true_values.extend(own.map(|parameter| value(spec, parameter).unwrap()));
    }
    let mut sum = 0.0;
    for seed in 1..=DRAWS {
        let mut noise = PoissonNoise::from_seed(-seed);
        let images = expected
            .each_ref()
            .map(|image| image.map(|&mean| noise.count(mean)));
        let refined = fit(&truth, &images, &wanted).unwrap();
        assert_eq!(refined.estimates.len(), numbers);
        assert!(refined.is_explained(), "{}", refined.goodness);
        sum += chi_squared(&refined, &true_values);
    }
    // The mean of chi-squared is the number of numbers, its variance twice that; four standard deviations
    // to either side.
    let degrees = (DRAWS as usize * numbers) as f64;
    let bound = 4.0 * (2.0 * degrees).sqrt();
    assert!((sum - degrees).abs() < bound, "{sum} for {degrees}");
}

#[test]
fn an_image_that_cannot_be_refined_is_named() {
    let truth = STILLS.map(still);
    let mut images = truth.each_ref().map(photons);
    images[1] = images[1].map(|_| 0.0);
    let dark = fit(&truth, &images, &wanted(&["cell"], &["misset"]));
    let text = dark.unwrap_err().to_string();
    assert!(
        text.starts_with("image 2: ") && text.contains("no photons"),
        "{text}"
    );
    let none = fit(&[], &[], &wanted(&["cell"], &[]));
    assert!(matches!(none, Err(Error::NoImages)));
}

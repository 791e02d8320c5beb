//! Constraints, bounds, restraints and uncertainties, with a crystal so small that a fit is fast.

#![allow(clippy::unwrap_used, reason = "what fails here fails by panicking")]
use nanobragg::geometry::AttachedPanel;
use nanobragg::gradient::{Parameter, value, with_value};
use nanobragg::io::Image;
use nanobragg::numeric::PoissonNoise;
use nanobragg::response::ReadOut;
use nanobragg::{
    CellSpec, Convention, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length, Misset,
    Pivot, ResponseSpec, RunOptions, SensorSpec, simulate,
};
use nanobragg_refine::{
    Bounds, CrystalSystem, Error, Likelihood, RefineSpec, Refinement, Restraint, Schedule,
    Selection, Target, Variance, refine,
};

/// The relative error of a fit without noise. The target is rounded to f32.
const NOISELESS: f64 = 1e-5;

/// How near to the truth an angle comes: a three-hundredth of the width of a spot.
const NEAR_DEG: f64 = 1e-3;

/// A cube of 4 x 4 x 4 cells, each of one point of 40 electrons, and 24 x 24 pixels.
fn experiment(cell: &[f64]) -> ExperimentSpec {
    let spec = ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(24),
            pixels_slow: Some(24),
            pixel_size: Length::from_mm(1.0),
            distance: Length::from_mm(60.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(cell).unwrap()),
            cells: [4; 3],
            misset: Some(Misset::Angles([0.2, -0.3, 0.4])),
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(40.0),
        ..ExperimentSpec::default()
    };
    with_value(&spec, Parameter::Fluence, 1e28).unwrap()
}

fn photons(spec: &ExperimentSpec) -> Image<f32> {
    let experiment = spec.resolve().unwrap().experiment;
    simulate(&experiment, &RunOptions::default())
        .unwrap()
        .photons
}

fn spec_of(selection: &[&str]) -> RefineSpec {
    let selection = selection.iter();
    RefineSpec {
        selection: selection
            .map(|name| Selection::from_name(name).unwrap())
            .collect(),
        schedule: Schedule::Final,
        ..RefineSpec::default()
    }
}

fn fit(
    start: &ExperimentSpec,
    image: &Image<f32>,
    wanted: &RefineSpec,
) -> Result<Refinement, Error> {
    let target = Target::of_photons(image);
    refine(start, &target, wanted, &RunOptions::default(), &mut |_| {})
}

fn moved(spec: &ExperimentSpec, by: &[(Parameter, f64)]) -> ExperimentSpec {
    by.iter().fold(spec.clone(), |spec, &(parameter, by)| {
        let now = value(&spec, parameter).unwrap();
        with_value(&spec, parameter, now + by).unwrap()
    })
}

/// The same detector in panels, side by side, of these numbers of fast pixels.
fn cut(spec: &ExperimentSpec, widths: [u32; 2]) -> ExperimentSpec {
    let [first, other] = widths;
    let mut spec = spec.clone();
    let whole = spec.resolve().unwrap().experiment.detector;
    let beam = whole.first();
    let centre = [beam.org_x(), beam.org_y()];
    spec.detector.convention = Convention::Custom;
    spec.detector.axes.normal = Some(beam.normal());
    spec.detector.axes.fast = Some(beam.fast());
    spec.detector.axes.slow = Some(beam.slow());
    spec.detector.pivot = Some(Pivot::Sample);
    spec.detector.close_distance = Some(Length::from_m(beam.close_distance_m()));
    (spec.detector.org_x, spec.detector.org_y) = (Some(centre[0]), Some(centre[1]));
    spec.detector.pixels_fast = Some(first);
    spec.detector.others = vec![AttachedPanel {
        name: None,
        origin: [f64::from(first), 0.0, 0.0].map(Length::from_mm),
        fast: [1.0, 0.0, 0.0],
        slow: [0.0, 1.0, 0.0],
        pixels_fast: other,
        pixels_slow: 24,
        pixel_size: Length::from_mm(1.0),
        sensor: SensorSpec::default(),
        trusted_range: None,
    }];
    spec
}

#[test]
fn panels_of_one_size_are_fitted_together_and_others_are_refused() {
    let truth = cut(&experiment(&[40.0, 40.0, 50.0]), [12, 12]);
    let image = photons(&truth);
    assert_eq!((image.fast(), image.slow()), (12, 48));
    let start = moved(
        &truth,
        &[(Parameter::MissetX, 0.1), (Parameter::MissetY, -0.1)],
    );
    for schedule in [Schedule::Final, Schedule::WideToNarrow] {
        let wanted = RefineSpec {
            schedule,
            ..spec_of(&["misset"])
        };
        let refined = fit(&start, &image, &wanted).unwrap();
        assert_eq!(refined.pixels, 24 * 24);
        for parameter in [Parameter::MissetX, Parameter::MissetY, Parameter::MissetZ] {
            let [found, true_value] =
                [&refined.spec, &truth].map(|spec| value(spec, parameter).unwrap());
            assert!(
                (found - true_value).abs() < NEAR_DEG,
                "{parameter} {found} {true_value}"
            );
        }
    }
    let unequal = cut(&truth, [10, 14]);
    let refused = fit(&unequal, &photons(&unequal), &spec_of(&["misset"]));
    assert!(matches!(refused, Err(Error::PanelSizes)));
}

#[test]
fn a_tetragonal_cell_moves_as_one() {
    let truth = experiment(&[40.0, 40.0, 50.0]);
    let edges = [
        (Parameter::CellA, 0.1),
        (Parameter::CellB, 0.1),
        (Parameter::CellC, -0.1),
    ];
    let refined = fit(
        &moved(&truth, &edges),
        &photons(&truth),
        &spec_of(&["cell"]),
    )
    .unwrap();
    assert_eq!(refined.system, Some(CrystalSystem::Tetragonal));
    let names: Vec<&str> = refined
        .estimates
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["cell_a = cell_b", "cell_c"]);
    for (parameter, edge) in [
        (Parameter::CellA, 40.0),
        (Parameter::CellB, 40.0),
        (Parameter::CellC, 50.0),
    ] {
        let found = value(&refined.spec, parameter).unwrap();
        assert!((found / edge - 1.0).abs() < NOISELESS, "{found}");
    }
}

#[test]
fn a_cell_that_is_not_of_its_system_is_refused() {
    let truth = experiment(&[40.0, 40.5, 50.0]);
    let wanted = RefineSpec {
        system: Some(CrystalSystem::Tetragonal),
        ..spec_of(&["cell"])
    };
    let error = fit(&truth, &photons(&truth), &wanted).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cell to start from is not tetragonal: cell_b is 40.5, cell_a is 40"
    );
}

#[test]
fn a_bound_is_not_crossed_and_is_reported() {
    let truth = experiment(&[40.0]);
    let bounds = Bounds {
        low: 60.05,
        high: 60.3,
    };
    let wanted = RefineSpec {
        bounds: vec![(Parameter::Distance, bounds)],
        ..spec_of(&["distance", "misset"])
    };
    let start = moved(&truth, &[(Parameter::Distance, 0.2)]);
    let refined = fit(&start, &photons(&truth), &wanted).unwrap();
    let distance = &refined.estimates[0];
    assert!(
        (60.05..60.051).contains(&distance.value),
        "{}",
        distance.value
    );
    assert_eq!(distance.sigma, None);
    assert!(refined.estimates[1].sigma.is_some());
}

#[test]
fn a_start_outside_its_bounds_is_refused() {
    let truth = experiment(&[40.0]);
    let bounds = Bounds {
        low: 61.0,
        high: 62.0,
    };
    let wanted = RefineSpec {
        bounds: vec![(Parameter::Distance, bounds)],
        ..spec_of(&["distance"])
    };
    let error = fit(&truth, &photons(&truth), &wanted).unwrap_err();
    assert!(matches!(error, Error::OutsideBounds { .. }), "{error}");
}

/// With a very weak image the restraint determines value and uncertainty. With a stronger one, image
/// and restraint count with their inverse variances.
#[test]
fn a_restraint_is_one_more_observation() {
    let truth = experiment(&[40.0]);
    let image = photons(&truth);
    let gaussian = |sigma| RefineSpec {
        likelihood: Likelihood::Gaussian(Variance::Fixed { sigma }),
        ..spec_of(&["cell_a"])
    };
    let alone = fit(&truth, &image, &gaussian(1.0)).unwrap().estimates[0]
        .sigma
        .unwrap();
    let restraint = Restraint {
        value: 40.0 + alone,
        sigma: alone,
    };
    let wanted = RefineSpec {
        restraints: vec![(Parameter::CellA, restraint)],
        ..gaussian(1.0)
    };
    let refined = fit(&truth, &image, &wanted).unwrap();
    let found = &refined.estimates[0];
    // Two observations of equal weight: the mean, with an uncertainty smaller by the root of 2.
    assert!(((found.value - 40.0) / alone - 0.5).abs() < 0.05);
    assert!((found.sigma.unwrap() / alone * 2.0_f64.sqrt() - 1.0).abs() < 0.05);
}

#[test]
fn a_parameter_without_effect_is_named() {
    let truth = experiment(&[40.0]);
    let error = fit(&truth, &photons(&truth), &spec_of(&["misset", "water"])).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("water"), "{text}");
}

#[test]
fn a_start_without_overlap_is_an_error() {
    let truth = experiment(&[40.0]);
    let mut image = photons(&truth);
    for row in image.rows_mut() {
        row.fill(0.0);
    }
    let dark = fit(&truth, &image, &spec_of(&["cell"])).unwrap_err();
    assert!(matches!(dark, Error::DarkTarget { .. }), "{dark}");
    let nothing = image.map(|_| f32::NAN);
    let error = fit(&truth, &nothing, &spec_of(&["cell"])).unwrap_err();
    assert!(matches!(error, Error::NoPixels), "{error}");
    let small = Image::new(2, 1, vec![1.0, 2.0]).unwrap();
    let error = fit(&truth, &small, &spec_of(&["cell"])).unwrap_err();
    assert!(
        matches!(error, Error::TargetSides { target_fast: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_real_number_of_cells_is_refined() {
    let mut truth = experiment(&[40.0]);
    truth.crystal.domain.cells = Some([4.3, 5.0, 5.6]);
    let mut start = truth.clone();
    start.crystal.domain.cells = Some([4.1, 5.2, 5.5]);
    let wanted = spec_of(&["Na", "Nb", "Nc"]);
    let fitted = fit(&start, &photons(&truth), &wanted).unwrap();
    let cells = fitted.spec.crystal.domain.cells.unwrap();
    for (found, expected) in cells.iter().zip([4.3, 5.0, 5.6]) {
        assert!((found - expected).abs() < 1e-4, "{cells:?}");
    }
}

/// Standard uncertainties agree with the scatter of the estimates: over many draws of the noise, the
/// squared deviation in units of the uncertainty is 1 on average, with a standard deviation of sqrt(2/n).
#[test]
fn uncertainties_agree_with_the_scatter_of_estimates() {
    const DRAWS: i64 = 40;
    let truth = experiment(&[40.0, 42.0, 45.0]);
    let expected = photons(&truth);
    let names = ["misset", "distance", "fluence"];
    let counting = Likelihood::Gaussian(Variance::Counting(Box::new(ResponseSpec {
        read_out: Some(ReadOut { sigma_counts: 0.5 }),
        ..ResponseSpec::default()
    })));
    for likelihood in [Likelihood::Poisson, counting] {
        let wanted = RefineSpec {
            likelihood: likelihood.clone(),
            attempts: 1,
            ..spec_of(&names)
        };
        let mut squares = [0.0; 5];
        for seed in 1..=DRAWS {
            let mut noise = PoissonNoise::from_seed(-seed);
            let image = expected.map(|&mean| noise.count(mean));
            let refined = fit(&truth, &image, &wanted).unwrap();
            for (square, one) in squares.iter_mut().zip(&refined.estimates) {
                *square += ((one.value - one.start) / one.sigma.unwrap()).powi(2);
            }
        }
        for (square, one) in squares.iter().zip(["x", "y", "z", "distance", "fluence"]) {
            let mean = square / DRAWS as f64;
            // Four standard deviations of the mean of 40 squares to either side.
            assert!((0.3..1.9).contains(&mean), "{likelihood:?} {one}: {mean}");
        }
    }
}

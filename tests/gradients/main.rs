//! Derivatives of images: compared with central differences, with each other, and at points where a
//! formula is 0 divided by 0.

mod experiments;
mod factors;
mod quotients;

use experiments::{Oversampled, WATER_UM, any_experiment, background, diffuse, plain};
use nanobragg::gradient::{
    Parameter, render_hvp, render_jacobian, render_jacobian_into, render_jvp, render_photons,
    render_vjp, value, with_value,
};
use nanobragg::physics::{DiffuseModel, Level};
use nanobragg::{
    CellSpec, CrystalSpec, DetectorSpec, DiffuseSpec, DispersionSpec, ExperimentSpec, FactorsSpec,
    Fixes, Hkl, Length, Mask, MaskSpec, MosaicModel, MosaicSpec, Oddity, RoiSpec, RunOptions,
    SensorSpec, Shape, StepSpec, simulate,
};
use proptest::prelude::*;
use quotients::{
    DOT_PRODUCT, NARROWING, OPTIONS, check, differentiable, dot, largest, quotients, size, step,
    weights,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_derivative_meets_its_difference_quotient(spec in any_experiment()) {
        let parameters = differentiable(&spec);
        let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
        for (&parameter, derivative) in parameters.iter().zip(jacobian.images()) {
            check(parameter, derivative, &quotients(&spec, parameter))?;
        }
    }

    #[test]
    fn vjp_and_jvp_pass_the_dot_product_test(
        spec in any_experiment(),
        components in proptest::collection::vec(-1.0..1.0, Parameter::ALL.len() + 2),
    ) {
        let parameters = differentiable(&spec);
        let direction: Vec<_> = parameters.iter().copied().zip(components).collect();
        let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
        let jvp = render_jvp(&spec, &direction, &OPTIONS).unwrap();
        let weights = weights(jvp.photons.len());
        let vjp = render_vjp(&spec, &weights, &parameters, &OPTIONS).unwrap();

        prop_assert_eq!(&vjp.photons, &jacobian.photons);
        let forward = dot(&jvp.derivative, &weights);
        let components: Vec<f64> = direction.iter().map(|(_, component)| *component).collect();
        let backward = dot(&vjp.parameters, &components);
        let scale: f64 = (jacobian.images().zip(&components))
            .map(|(image, component)| size(image, &weights) * component.abs())
            .sum();
        prop_assert!((forward - backward).abs() <= DOT_PRODUCT * scale, "{forward:e} {backward:e}");

        for (&parameter, image) in parameters.iter().zip(jacobian.images()) {
            if let Parameter::StructureFactor(hkl) = parameter {
                let all = vjp.factors.get(hkl).unwrap();
                let one = dot(image, &weights);
                prop_assert!((all - one).abs() <= DOT_PRODUCT * size(image, &weights), "{parameter}");
            }
        }
    }

    #[test]
    fn photons_are_those_of_the_plain_render(spec in any_experiment()) {
        let plain = simulate(&spec.resolve().unwrap().experiment, &OPTIONS).unwrap();
        let jacobian = render_jacobian(&spec, &[Parameter::Fluence], &OPTIONS).unwrap();
        let brightest = f64::from(plain.statistics.max_photons);
        for (plain, ours) in plain.photons.pixels().iter().zip(&jacobian.photons) {
            let off = (f64::from(*plain) - ours).abs();
            // An `f32` below its normal numbers has fewer digits, down to none.
            let digits_lost = f64::from(f32::MIN_POSITIVE);
            let allowed = NARROWING * (ours.abs() + 1e-3 * brightest + digits_lost);
            prop_assert!(off <= allowed, "{plain:e} {ours:e}");
        }
    }

    #[test]
    fn a_shift_is_what_setting_the_parameter_gives(mut spec in any_experiment()) {
        // Both follow from the number of cells, in steps.
        let experiment = spec.resolve().unwrap().experiment;
        spec.lookup = Some(experiment.lookup);
        spec.sampling.oversample = Some(experiment.sampling.oversample);
        for parameter in differentiable(&spec) {
            // Mosaic angles have single precision, so they change in steps.
            let is_stepped = parameter == Parameter::MosaicSpread;
            // A step at exactly phi = 0 keeps the orientation of another step, a step close to 0 does not.
            let leaves_zero = matches!(parameter, Parameter::PhiStart | Parameter::PhiRange)
                && spec.phi.start.radians() == 0.0
                && !spec.fixes.contains(Oddity::PhiZero);
            // A cell that contradicts its matrix gives direct and reciprocal vectors that are not dual to each
            // other. No specification describes these vectors for another cell.
            let contradicts = spec.crystal.matrix.is_some()
                && spec.crystal.cell.is_some()
                && parameter <= Parameter::CellGamma;
            // Any thickness of water above 0 switches on terms and corrections that are off at 0.
            let first_drop = parameter == Parameter::Water && spec.water.m() == 0.0;
            if is_stepped || leaves_zero || contradicts || first_drop {
                continue;
            }
            let by = step(&spec, parameter);
            let now = value(&spec, parameter).unwrap();
            let Ok(set) = with_value(&spec, parameter, now + by) else { continue };
            let got = value(&set, parameter).unwrap();
            prop_assert!((got - now - by).abs() <= 1e-9 * (now.abs() + by), "{parameter}: {now} {got}");
            let set = render_photons(&set, &[], &OPTIONS).unwrap();
            let shifted = render_photons(&spec, &[(parameter, by)], &OPTIONS).unwrap();
            // Single pixels may be on the other side of a discontinuity.
            let apart = (set.iter().zip(&shifted))
                .filter(|(set, shifted)| (*set - *shifted).abs() > 1e-6 * shifted.abs())
                .count();
            prop_assert!(apart * 10 <= set.len(), "{parameter}: {apart} of {} pixels", set.len());
        }
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let spec = ExperimentSpec {
        background: background(),
        ..plain()
    };
    let parameters = differentiable(&spec);
    let render = |threads| {
        let options = RunOptions { threads, ..OPTIONS };
        let jacobian = render_jacobian(&spec, &parameters, &options).unwrap();
        let weights = weights(jacobian.photons.len());
        let vjp = render_vjp(&spec, &weights, &parameters, &options).unwrap();
        (jacobian, vjp.parameters, vjp.factors.derivatives().to_vec())
    };
    let one = render(1);
    for threads in [2, 3] {
        assert_eq!(one, render(threads), "{threads} threads");
    }
}

#[test]
fn the_rest_of_the_detector_has_no_derivative() {
    let whole = plain();
    let parameters = [Parameter::CellB, Parameter::Distance, Parameter::Water];
    let all = render_jacobian(&whole, &parameters, &OPTIONS).unwrap();
    let used = |pixel: usize| !pixel.is_multiple_of(3);
    let inside = |pixel: usize| (5..=50).contains(&(pixel % 70)) && (2..=7).contains(&(pixel / 70));
    let part = ExperimentSpec {
        roi: RoiSpec {
            fast: [5, 50],
            slow: [2, 7],
        },
        mask: Mask::new(70, (0..70 * 9).map(used).collect()).map(MaskSpec::Pixels),
        ..whole
    };
    let some = render_jacobian(&part, &parameters, &OPTIONS).unwrap();
    let images = |jacobian: &nanobragg::gradient::Jacobian| {
        let photons = std::iter::once(jacobian.photons.clone());
        let derivatives = jacobian.images().map(<[f64]>::to_vec);
        photons.chain(derivatives).collect::<Vec<_>>()
    };
    // The buffer of an earlier result, of any size and contents, gives the same result.
    for level in [Level::Reference, Level::detect()] {
        let options = RunOptions {
            level: Some(level),
            ..OPTIONS
        };
        let fresh = render_jacobian(&part, &parameters, &options).unwrap();
        let mut used = all.clone();
        used.derivatives.fill(f64::NAN);
        used.photons.resize(1000, 1.0);
        render_jacobian_into(&part, &parameters[..1], &options, &mut used).unwrap();
        assert_eq!(used.derivatives.len(), used.photons.len());
        render_jacobian_into(&part, &parameters, &options, &mut used).unwrap();
        assert_eq!(used, fresh, "{level}");
    }
    for (some, all) in images(&some).iter().zip(images(&all)) {
        for pixel in 0..all.len() {
            let expected = if inside(pixel) && used(pixel) {
                all[pixel]
            } else {
                0.0
            };
            assert!(
                (some[pixel] - expected).abs() <= 1e-12 * expected.abs(),
                "{pixel}"
            );
        }
    }
    // Weights of pixels that are not rendered have no effect.
    let vjp = render_vjp(&part, &vec![1.0; 70 * 9], &parameters, &OPTIONS).unwrap();
    for (sum, image) in vjp.parameters.iter().zip(some.images()) {
        let expected: f64 = image.iter().sum();
        assert!((sum - expected).abs() <= DOT_PRODUCT * image.iter().map(|x| x.abs()).sum::<f64>());
    }
}

#[test]
fn second_derivatives_are_those_of_the_first() {
    let mut spec = plain();
    spec.crystal.shape = Shape::Gauss;
    let mut square = plain();
    square.crystal.cell = Some(CellSpec::from_values(&[50.0, 60.0, 70.0]).unwrap());
    let parameters = [
        Parameter::CellA,
        Parameter::CellC,
        Parameter::CellBeta,
        Parameter::CellGamma,
        Parameter::MissetX,
        Parameter::MissetZ,
        Parameter::Distance,
        Parameter::StructureFactor(Hkl([0, 1, 0])),
    ];
    for spec in [spec, square] {
        let weights = weights(70 * 9);
        let direction: Vec<_> = parameters
            .into_iter()
            .zip([0.3, -0.7, 0.2, 0.5, 1.0, -0.4, 0.6, 5.0])
            .collect();
        let product = render_hvp(&spec, &weights, &parameters, &direction, &OPTIONS).unwrap();
        // The gradient at a point a little further along the direction, computed from scratch.
        let gradient = |by: f64| {
            let mut moved = spec.clone();
            for (parameter, component) in &direction {
                let now = value(&moved, *parameter).unwrap();
                moved = with_value(&moved, *parameter, now + by * component).unwrap();
            }
            render_vjp(&moved, &weights, &parameters, &OPTIONS)
                .unwrap()
                .parameters
        };
        let central = |h: f64| -> Vec<f64> {
            let (above, below) = (gradient(h), gradient(-h));
            above
                .iter()
                .zip(&below)
                .map(|(above, below)| (above - below) / (2.0 * h))
                .collect()
        };
        let (wide, narrow) = (central(2e-4), central(1e-4));
        for (i, own) in product.iter().enumerate() {
            let quotient = (4.0 * narrow[i] - wide[i]) / 3.0;
            let off = (own - quotient).abs();
            assert!(
                off <= 1e-5 * largest(&product),
                "{}: {own:e} {quotient:e}",
                parameters[i]
            );
        }
    }
}

#[test]
fn whole_indices_and_a_pixel_on_the_beam_have_a_derivative() {
    // A cubic cell along the axes, with the beam in the middle of a pixel: h, k, l are exactly 0 there.
    let mut spec = ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(9),
            pixels_slow: Some(9),
            pixel_size: Length::from_mm(0.25),
            x_beam: Some(Length::from_mm(1.0)),
            y_beam: Some(Length::from_mm(1.0)),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[100.0]).unwrap()),
            cells: [5; 3],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        ..ExperimentSpec::default()
    }
    .oversampled(1);
    spec.beam.dispersion = DispersionSpec::default();
    let middle = 4 * 9 + 4;
    for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
        for kahn_factor in [0.0, 1.0] {
            spec.crystal.shape = shape;
            spec.beam.polarization.kahn_factor = kahn_factor;
            let parameters = differentiable(&spec);
            let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
            for (parameter, image) in parameters.iter().zip(jacobian.images()) {
                assert!(image.iter().all(|x| x.is_finite()), "{shape} {parameter}");
                if matches!(
                    parameter,
                    Parameter::CellA | Parameter::MissetX | Parameter::PhiStart
                ) {
                    // The derivative at the top of a spot is 0.
                    let slope = image[middle] / jacobian.photons[middle];
                    assert!(slope.abs() < 1e-9, "{shape} {parameter}: {slope}");
                }
            }
        }
    }
}

#[test]
fn a_step_at_phi_zero_turns_like_any_other() {
    let mut spec = plain();
    spec.phi.sweep = StepSpec::default();
    for fixes in [Fixes::none(), Fixes::all()] {
        spec.fixes = fixes;
        let jacobian = render_jacobian(&spec, &[Parameter::PhiStart], &OPTIONS).unwrap();
        let quotients = quotients(&spec, Parameter::PhiStart);
        let good = check(Parameter::PhiStart, &jacobian.derivatives, &quotients).unwrap();
        assert!(good > 100, "{good}");
    }
}

#[test]
fn most_quotients_of_a_plain_experiment_are_good() {
    // The test above skips pixels. This one checks that it does not skip many.
    let spec = plain();
    let parameters = differentiable(&spec);
    let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
    for (&parameter, derivative) in parameters.iter().zip(jacobian.images()) {
        let listed = matches!(parameter, Parameter::StructureFactor(_));
        let good = check(parameter, derivative, &quotients(&spec, parameter)).unwrap();
        assert!(good > 70 * 9 / 3 || listed, "{parameter}: {good}");
    }
}

#[test]
fn most_quotients_of_mosaic_models_are_good() {
    let gaussian = MosaicSpec {
        model: Some(MosaicModel::Gaussian),
        domains: Some(4),
        ..plain().crystal.mosaic
    };
    let three = MosaicSpec {
        spread_rad: None,
        spread_abc_rad: Some([0.02, 0.014, 0.017]),
        ..gaussian.clone()
    };
    let spreads = [
        Parameter::MosaicSpreadA,
        Parameter::MosaicSpreadB,
        Parameter::MosaicSpreadC,
    ];
    let strains = [Parameter::StrainA, Parameter::StrainB, Parameter::StrainC];
    // Domains that follow the cell move with it.
    let cell = [
        Parameter::CellA,
        Parameter::CellBeta,
        Parameter::MissetX,
        Parameter::PhiStart,
    ];
    let cases: [(MosaicSpec, Vec<Parameter>); 4] = [
        (
            gaussian.clone(),
            [&[Parameter::MosaicSpread], &cell[..]].concat(),
        ),
        (three.clone(), [&spreads, &cell[..]].concat()),
        (
            MosaicSpec {
                strain_percent: 1.0,
                ..gaussian
            },
            [&[Parameter::MosaicSpread, Parameter::Strain], &cell[..]].concat(),
        ),
        (
            MosaicSpec {
                strain_abc_percent: [1.0, 2.0, 1.5],
                ..three
            },
            [&spreads, &strains, &cell[..]].concat(),
        ),
    ];
    for (mosaic, parameters) in cases {
        let mut spec = plain();
        spec.crystal.mosaic = mosaic;
        let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
        for (&parameter, derivative) in parameters.iter().zip(jacobian.images()) {
            let good = check(parameter, derivative, &quotients(&spec, parameter)).unwrap();
            assert!(good > 70 * 9 / 6, "{parameter}: {good}");
        }
    }
}

#[test]
fn most_quotients_of_a_background_are_good() {
    let spec = ExperimentSpec {
        background: background(),
        factors: FactorsSpec::default(),
        water: Length::default(),
        ..plain()
    };
    let parameters = [
        Parameter::BackgroundScale,
        Parameter::BackgroundThickness1,
        Parameter::BackgroundThickness2,
        Parameter::BackgroundDensity2,
        Parameter::Distance,
        Parameter::Fluence,
        Parameter::SensorThickness,
    ];
    let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
    for (&parameter, derivative) in parameters.iter().zip(jacobian.images()) {
        let good = check(parameter, derivative, &quotients(&spec, parameter)).unwrap();
        assert!(good > 70 * 9 / 3, "{parameter}: {good}");
    }
}

#[test]
fn most_quotients_of_diffuse_scattering_are_good() {
    for model in [DiffuseModel::LiquidLike, DiffuseModel::Acoustic] {
        let spec = ExperimentSpec {
            diffuse: Some(DiffuseSpec { model, ..diffuse() }),
            ..plain()
        };
        let parameters = [
            Parameter::DiffuseGammaA,
            Parameter::DiffuseGammaB,
            Parameter::DiffuseGammaC,
            Parameter::DiffuseSigmaA,
            Parameter::DiffuseSigmaB,
            Parameter::DiffuseSigmaC,
            Parameter::CellA,
            Parameter::CellBeta,
            Parameter::MissetX,
            Parameter::CellsB,
            Parameter::Fluence,
            Parameter::StructureFactor(Hkl([0, 0, 0])),
        ];
        let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
        let weights = weights(jacobian.photons.len());
        let vjp = render_vjp(&spec, &weights, &parameters, &OPTIONS).unwrap();
        let backwards = vjp.parameters.iter();
        for ((&parameter, derivative), backwards) in
            parameters.iter().zip(jacobian.images()).zip(backwards)
        {
            let good = check(parameter, derivative, &quotients(&spec, parameter)).unwrap();
            // A structure factor reaches only the pixels near its reflection. An acoustic halo ends
            // abruptly, and quotients across its end are no derivatives.
            let least = match (parameter, model) {
                (Parameter::StructureFactor(_), _) => 10,
                (_, DiffuseModel::LiquidLike) => 70 * 9 / 3,
                (_, DiffuseModel::Acoustic) => 70 * 9 / 6,
            };
            assert!(good > least, "{model:?}, {parameter}: {good}");
            let forwards = dot(derivative, &weights);
            let off = (forwards - backwards).abs() / size(derivative, &weights);
            assert!(off < DOT_PRODUCT, "{model:?}, {parameter}: {off:e}");
        }
        assert_eq!(value(&spec, Parameter::DiffuseGammaB).unwrap(), 40.0);
        let moved = with_value(&spec, Parameter::DiffuseSigmaC, 1.2).unwrap();
        assert_eq!(moved.diffuse.unwrap().sigma_angstrom, [0.9, 0.7, 1.2]);
    }
}

#[test]
fn what_has_no_derivative_says_why() {
    let mut spec = plain();
    spec.crystal.cells = [1, 4, 6];
    spec.crystal.mosaic = MosaicSpec::default();
    spec.beam.dispersion = DispersionSpec::default();
    spec.phi.sweep = StepSpec::default();
    spec.detector.sensor = SensorSpec::default();
    for parameter in [
        Parameter::CellsA,
        Parameter::Fudge,
        Parameter::MosaicSpread,
        Parameter::MosaicSpreadB,
        Parameter::Strain,
        Parameter::StrainC,
        Parameter::DiffuseGammaA,
        Parameter::DiffuseSigmaC,
        Parameter::Dispersion,
        Parameter::DivergenceH,
        Parameter::PhiRange,
        Parameter::SensorThickness,
        Parameter::StructureFactor(Hkl([9, 9, 9])),
    ] {
        let error = render_jvp(&spec, &[(parameter, 1.0)], &OPTIONS).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains(&parameter.name()) && !told.contains('\n'),
            "{told}"
        );
    }
    let error = render_vjp(&spec, &[1.0; 3], &[], &OPTIONS).unwrap_err();
    assert!(error.to_string().contains("3 weights"), "{error}");
}

#[test]
fn every_level_agrees_with_the_general_path() {
    /// Both use double precision, but different sines.
    const SINES: f64 = 1e-10;
    let by_terms = Fixes::none()
        .with(Oddity::Corrections)
        .with(Oddity::Thickness);
    for (fixes, water_um) in [
        (Fixes::none(), 0.0),
        (Fixes::none(), WATER_UM),
        (by_terms, 0.0),
        (Fixes::all(), WATER_UM),
    ] {
        let mut spec = plain();
        spec.detector.pixels_slow = Some(2);
        spec.fixes = fixes;
        spec.water = Length::from_um(water_um);
        let parameters = differentiable(&spec);
        let render = |level| {
            let options = RunOptions {
                level: Some(level),
                ..OPTIONS
            };
            let jacobian = render_jacobian(&spec, &parameters, &options).unwrap();
            let weights = weights(jacobian.photons.len());
            let vjp = render_vjp(&spec, &weights, &parameters, &options).unwrap();
            (jacobian, vjp)
        };
        let (reference, reference_vjp) = render(Level::Reference);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            let (own, own_vjp) = render(level);
            let near = |own: &[f64], reference: &[f64], what: &str| {
                let scale = SINES * largest(reference);
                for (i, (own, reference)) in own.iter().zip(reference).enumerate() {
                    let off = (own - reference).abs();
                    assert!(
                        off <= SINES * reference.abs() + scale,
                        "{level} {what} {i}: {own:e} {reference:e}"
                    );
                }
            };
            near(&own.photons, &reference.photons, "photons");
            let images = own.images().zip(reference.images());
            for ((own, reference), parameter) in images.zip(&parameters) {
                near(own, reference, &parameter.name());
            }
            near(
                own_vjp.factors.derivatives(),
                reference_vjp.factors.derivatives(),
                "factors",
            );
            let weights = weights(own.photons.len());
            for (i, image) in own.images().enumerate() {
                let off = (own_vjp.parameters[i] - dot(image, &weights)).abs();
                assert!(
                    off <= DOT_PRODUCT * size(image, &weights),
                    "{level} {}",
                    parameters[i]
                );
            }
        }
    }
}

//! Parameters that move many structure factors at once, and the spectrum.

use std::path::Path;

use nanobragg::crystal::Reflection;
use nanobragg::factors::{AnomalousSpec, CoordinatesSpec, ListAt, ListsSpec};
use nanobragg::gradient::{
    Parameter, render_hvp, render_jacobian, render_jvp, render_vjp, value, with_value,
};
use nanobragg::sources::{SpectrumFrom, SpectrumSpec, wavelength_m_from_energy_ev};
use nanobragg::structure::{Correction, Element};
use nanobragg::{
    BeamSpec, CellSpec, DetectorSpec, DispersionSpec, ExperimentSpec, FactorGrid, FactorsSpec,
    GridLimit, Hkl, Length, Lookup, Misset, SensorSpec,
};

use crate::experiments::plain;
use crate::quotients::{DOT_PRODUCT, OPTIONS, check, dot, quotients, size, weights};

/// Checks derivatives forwards and backwards. At least `least` pixels must have an accurate quotient.
fn check_all(spec: &ExperimentSpec, parameters: &[Parameter], least: usize) {
    let jacobian = render_jacobian(spec, parameters, &OPTIONS).unwrap();
    let weights = weights(jacobian.photons.len());
    let vjp = render_vjp(spec, &weights, parameters, &OPTIONS).unwrap();
    let components = (1..).map(|i| 0.7_f64.powi(i));
    let direction: Vec<_> = parameters.iter().copied().zip(components).collect();
    let jvp = render_jvp(spec, &direction, &OPTIONS).unwrap();
    let mut along = vec![0.0; jvp.derivative.len()];
    let mut scale = along.clone();
    let images = jacobian.images().zip(&vjp.parameters);
    for ((derivative, backwards), &(parameter, component)) in images.zip(&direction) {
        let good = check(parameter, derivative, &quotients(spec, parameter)).unwrap();
        assert!(good > least, "{parameter}: {good}");
        let off = (dot(derivative, &weights) - backwards).abs() / size(derivative, &weights);
        assert!(off < DOT_PRODUCT, "{parameter}: {off:e}");
        for ((sum, scale), slope) in along.iter_mut().zip(&mut scale).zip(derivative) {
            *sum += component * slope;
            *scale += (component * slope).abs();
        }
    }
    let brightest = jvp.photons.iter().copied().fold(0.0, f64::max);
    for ((own, sum), scale) in jvp.derivative.iter().zip(along).zip(scale) {
        let off = (own - sum).abs();
        assert!(
            off <= DOT_PRODUCT * (scale + 1e-3 * brightest),
            "{own:e} {sum:e}"
        );
    }
}

#[test]
fn a_b_factor_acts_by_the_square_of_s() {
    // With one reflection every pixel has the relative derivative -s^2/2.
    let edges = [50.0, 60.0, 70.0];
    let mut lit = 0;
    for hkl in [[0, 1, 0], [0, 1, 1], [0, -2, 0], [1, 2, 0], [1, 3, 1]] {
        let listed = [Reflection {
            hkl: Hkl(hkl),
            amplitude: 80.0,
        }];
        let grid = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap();
        let mut spec = ExperimentSpec {
            factors: grid.into(),
            water: Length::default(),
            ..plain()
        };
        spec.crystal.cell = Some(CellSpec::from_values(&edges).unwrap());
        let s_squared: f64 = (hkl.iter().zip(edges))
            .map(|(index, edge)| (f64::from(*index) / edge).powi(2))
            .sum();
        for b_a2 in [0.0, 150.0] {
            spec.b_factor_a2 = b_a2;
            let jacobian = render_jacobian(&spec, &[Parameter::BFactor], &OPTIONS).unwrap();
            for (photons, slope) in jacobian.photons.iter().zip(&jacobian.derivatives) {
                lit += usize::from(*photons > 0.0);
                let expected = -0.5 * s_squared * photons;
                let off = (slope - expected).abs();
                assert!(off <= 1e-12 * expected.abs(), "{slope:e} {expected:e}");
            }
        }
        assert_eq!(value(&spec, Parameter::BFactor).unwrap(), 150.0);
        let moved = with_value(&spec, Parameter::BFactor, 12.0).unwrap();
        assert_eq!(moved.b_factor_a2, 12.0);
    }
    assert!(lit > 50, "{lit}");
}

#[test]
fn quotients_of_a_fall_off_are_good() {
    let falling = ExperimentSpec {
        b_factor_a2: 200.0,
        ..plain()
    };
    // The fall-off follows the cell.
    let parameters = [
        Parameter::BFactor,
        Parameter::CellA,
        Parameter::CellBeta,
        Parameter::CellGamma,
        Parameter::MissetX,
    ];
    let least = 70 * 9 / 4;
    check_all(&falling, &parameters, least);
    // A structure factor is that which has fallen off.
    check_all(&falling, &[Parameter::StructureFactor(Hkl([0, 1, 0]))], 5);
    let interpolated = ExperimentSpec {
        lookup: Some(Lookup::Tricubic),
        ..falling.clone()
    };
    check_all(&interpolated, &parameters[..2], least);
    // What is not listed falls off too, also from a B of 0 on.
    for b_factor_a2 in [0.0, 200.0] {
        let constant = ExperimentSpec {
            b_factor_a2,
            factors: FactorsSpec::Constant(60.0),
            ..plain()
        };
        check_all(&constant, &[Parameter::BFactor], least);
    }
    // The cell of a matrix follows the wavelength.
    let mut by_matrix = falling;
    let reciprocal = by_matrix
        .resolve()
        .unwrap()
        .experiment
        .crystal
        .reciprocal()
        .vectors();
    let angstrom = by_matrix.beam.nominal_wavelength().m() * 1e10;
    by_matrix.crystal.matrix =
        Some([0, 1, 2].map(|x| reciprocal.map(|vector| vector[x] * angstrom)));
    by_matrix.crystal.cell = None;
    check_all(
        &by_matrix,
        &[Parameter::Wavelength, Parameter::CellC],
        least,
    );
}

/// A small crystal of the toy with one iron atom, with f' and f'' at the energy of each source.
fn toy() -> ExperimentSpec {
    let atoms = CoordinatesSpec {
        path: Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/iron_edge/iron.pdb"),
        space_group: None,
        solvent: None,
        anomalous: ["C", "N", "O"]
            .map(|light| (element(light), Correction::default()))
            .into(),
        at_energies: AnomalousSpec {
            from_table: true,
            ..AnomalousSpec::default()
        },
        is_strict: false,
        default_f: 0.0,
    };
    let spec = ExperimentSpec {
        factors: FactorsSpec::Coordinates(atoms),
        without_f000: true,
        water: Length::default(),
        dmin: Length::from_angstrom(3.0),
        beam: BeamSpec {
            wavelength: Some(Length::from_m(wavelength_m_from_energy_ev(7127.3))),
            dispersion: DispersionSpec {
                range: Some(0.01),
                count: Some(2),
                ..DispersionSpec::default()
            },
            ..BeamSpec::default()
        },
        detector: DetectorSpec {
            pixels_fast: Some(50),
            pixels_slow: Some(9),
            pixel_size: Length::from_mm(1.0),
            sensor: SensorSpec::default(),
            ..plain().detector
        },
        ..plain()
    };
    let mut spec = spec.load(GridLimit::default()).unwrap().spec;
    spec.crystal.cell = Some(CellSpec::from_values(&[20.0, 24.0, 19.0, 90.0, 90.0, 90.0]).unwrap());
    spec.crystal.misset = Some(Misset::Angles([0.2, 0.3, 0.5]));
    spec.crystal.cells = [3; 3];
    spec
}

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

/// A spectrum in three steps in place of the dispersion.
fn with_spectrum(mut spec: ExperimentSpec, text: &str) -> ExperimentSpec {
    spec.beam.dispersion = DispersionSpec::default();
    spec.beam.spectrum = Some(SpectrumSpec {
        from: SpectrumFrom::Named(text.parse().unwrap()),
        steps: Some(3),
        window_ev: None,
        column: None,
    });
    spec
}

#[test]
fn quotients_of_structure_factors_at_every_energy_are_good() {
    let iron = element("Fe");
    let parameters = [
        Parameter::DispersionReal(iron),
        Parameter::DispersionImaginary(iron),
        Parameter::Wavelength,
        Parameter::Dispersion,
        Parameter::BFactor,
    ];
    let least = 50 * 9 / 8;
    let spec = toy();
    assert_eq!(
        spec.resolve().unwrap().experiment.factors_by_source.len(),
        2
    );
    check_all(&spec, &parameters, least);
    let falling = ExperimentSpec {
        b_factor_a2: 20.0,
        ..with_spectrum(spec, "gaussian:52eV")
    };
    let mut parameters = parameters;
    parameters[3] = Parameter::SpectrumFwhm;
    check_all(&falling, &parameters, least);

    let shifted = with_value(&falling, Parameter::DispersionReal(iron), -1.5).unwrap();
    let shifted = with_value(&shifted, Parameter::DispersionImaginary(iron), 0.5).unwrap();
    assert_eq!(
        value(&shifted, Parameter::DispersionReal(iron)).unwrap(),
        -1.5
    );
    assert_eq!(
        value(&shifted, Parameter::DispersionImaginary(iron)).unwrap(),
        0.5
    );
    check_all(&shifted, &parameters, least);
}

#[test]
fn the_energy_moves_structure_factors_and_not_only_spots() {
    // At an edge f' and f'' change with the energy. Without them the derivative is another one.
    let spec = toy();
    let tables = spec.resolve().unwrap().experiment;
    let fixed = ExperimentSpec {
        factors: FactorsSpec::Grid(tables.factors),
        ..spec.clone()
    };
    let of = |spec: &ExperimentSpec| {
        let total = |image: &[f64]| image.iter().sum::<f64>();
        let jacobian = render_jacobian(spec, &[Parameter::Wavelength], &OPTIONS).unwrap();
        total(&jacobian.derivatives) / total(&jacobian.photons)
    };
    let [own, fixed] = [of(&spec), of(&fixed)];
    assert!((own - fixed).abs() > 0.1 * fixed.abs(), "{own} {fixed}");
}

#[test]
fn quotients_of_the_width_of_a_spectrum_are_good() {
    for (text, percent) in [("gaussian:1.5%", 1.5), ("gaussian:150eV", 150.0 / 123.9842)] {
        let spec = with_spectrum(plain(), text);
        check_all(
            &spec,
            &[Parameter::SpectrumFwhm, Parameter::Wavelength],
            70 * 9 / 3,
        );
        let found = value(&spec, Parameter::SpectrumFwhm).unwrap();
        assert!((found - percent).abs() < 1e-6, "{found}");
        let wider = with_value(&spec, Parameter::SpectrumFwhm, 2.0 * percent).unwrap();
        let found = value(&wider, Parameter::SpectrumFwhm).unwrap();
        assert!((found / percent - 2.0).abs() < 1e-6, "{found}");
        // The unit stays.
        let name = wider.beam.spectrum.unwrap().name();
        assert_eq!(name.ends_with('%'), text.ends_with('%'), "{name}");
    }
}

#[test]
fn between_lists_the_energy_has_a_derivative_and_at_a_list_none() {
    let folder = tempfile::tempdir().unwrap();
    let list = |energy_ev: f64, factor: f64| {
        let path = folder.path().join(format!("{energy_ev}.hkl"));
        let amplitude =
            |h: i32, k: i32, l: i32| factor * f64::from(20 + (9 * h + 3 * k + l).rem_euclid(23));
        let lines =
            (-3..=3).flat_map(|h| (-3..=3).flat_map(move |k| (-3..=3).map(move |l| [h, k, l])));
        let lines = lines.map(|[h, k, l]| format!("{h} {k} {l} {}\n", amplitude(h, k, l)));
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        ListAt { energy_ev, path }
    };
    let spec = ExperimentSpec {
        factors: FactorsSpec::Lists(ListsSpec {
            lists: vec![
                list(12_000.0, 1.0),
                list(12_300.0, 1.4),
                list(12_700.0, 0.8),
            ],
            ..ListsSpec::default()
        }),
        beam: BeamSpec {
            wavelength: Some(Length::from_m(wavelength_m_from_energy_ev(12_350.0))),
            ..plain().beam
        },
        ..plain()
    };
    let spec = spec.load(GridLimit::default()).unwrap().spec;
    check_all(
        &spec,
        &[Parameter::Wavelength, Parameter::Dispersion],
        70 * 9 / 3,
    );

    let mut at_list = spec;
    at_list.beam.dispersion = DispersionSpec::default();
    at_list.beam.wavelength = Some(Length::from_m(wavelength_m_from_energy_ev(12_300.0)));
    let error = render_jvp(&at_list, &[(Parameter::Wavelength, 1.0)], &OPTIONS).unwrap_err();
    assert!(error.to_string().contains("kink"), "{error}");
}

#[test]
fn what_moves_no_structure_factors_says_why() {
    let iron = element("Fe");
    let zinc = Parameter::DispersionReal(element("Zn"));
    let undulator = with_spectrum(plain(), "pink:undulator");
    for (spec, parameter, reason) in [
        (plain(), Parameter::DispersionReal(iron), "no atom has"),
        (toy(), zinc, "no atom has"),
        (
            toy(),
            Parameter::DispersionImaginary(element("C")),
            "no atom has",
        ),
        (plain(), Parameter::SpectrumFwhm, "no Gaussian"),
        (undulator, Parameter::SpectrumFwhm, "no Gaussian"),
        (
            toy(),
            Parameter::StructureFactor(Hkl([1, 0, 0])),
            "follow the energy",
        ),
    ] {
        let error = render_jvp(&spec, &[(parameter, 1.0)], &OPTIONS)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(reason) && error.contains(&parameter.name()),
            "{error}"
        );
    }
    let along = [(Parameter::CellA, 1.0)];
    let weights = weights(70 * 9);
    let error = render_hvp(&plain(), &weights, &[Parameter::BFactor], &along, &OPTIONS);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("first derivatives only")
    );
}

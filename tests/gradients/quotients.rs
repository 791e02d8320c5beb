//! Difference quotients of images, and the comparison of derivatives with them.

use nanobragg::gradient::{Parameter, render_photons, value};
use nanobragg::{Error, ExperimentSpec, FactorsSpec, Hkl, RunOptions};
use proptest::prelude::*;

/// Allowed relative difference of a derivative from an accurate difference quotient.
pub(crate) const AGREEMENT: f64 = 1e-6;

/// The largest share of [`AGREEMENT`] for the error of a difference quotient, which is estimated from
/// quotients with different steps.
pub(crate) const QUOTIENT: f64 = 0.05;

/// Rounding error of an image relative to its pixels, for the error of a difference quotient.
pub(crate) const ROUNDING: f64 = 1e-14;

/// Allowed difference of vjp and jvp, which are the same sums in another order.
pub(crate) const DOT_PRODUCT: f64 = 1e-10;

/// Allowed difference of photons in double precision from the plain render: half a step of `f32`, and the
/// rounding error of the plain render's sines near a whole index or the centre of a spot.
pub(crate) const NARROWING: f64 = 2e-6;

pub(crate) const OPTIONS: RunOptions<'static> = nanobragg_tests::ways::ONE_THREAD;

/// A change of a parameter that moves spots by about a thousandth of their width in these experiments.
pub(crate) fn step(spec: &ExperimentSpec, parameter: Parameter) -> f64 {
    match parameter {
        Parameter::CellA | Parameter::CellB | Parameter::CellC => 4e-3,
        // Structure factors vary less than spots, and have kinks 2 eV apart.
        Parameter::Wavelength if spec.factors.follow_energy() => 3e-4,
        Parameter::Wavelength => 5e-5,
        Parameter::Distance | Parameter::BeamFast | Parameter::BeamSlow => 5e-3,
        Parameter::Dispersion | Parameter::Strain => 1e-2,
        Parameter::StrainA | Parameter::StrainB | Parameter::StrainC => 1e-2,
        Parameter::MosaicSpreadA | Parameter::MosaicSpreadB | Parameter::MosaicSpreadC => 6e-3,
        Parameter::DivergenceH | Parameter::DivergenceV => 5e-2,
        Parameter::CellsA | Parameter::CellsB | Parameter::CellsC => 4e-3,
        Parameter::SpotScale => 1e-2,
        // A halo is weak beside a spot and smooth: a larger step loses fewer digits.
        Parameter::DiffuseGammaA | Parameter::DiffuseGammaB | Parameter::DiffuseGammaC => 0.2,
        Parameter::DiffuseSigmaA | Parameter::DiffuseSigmaB | Parameter::DiffuseSigmaC => 2e-2,
        Parameter::Fudge | Parameter::PolarizationFactor => 2e-3,
        Parameter::SensorThickness | Parameter::SensorAttenuation => 0.3,
        Parameter::Water => 0.01,
        Parameter::BackgroundScale => 1e-2,
        Parameter::BackgroundThickness1
        | Parameter::BackgroundThickness2
        | Parameter::BackgroundThickness3
        | Parameter::BackgroundDensity1
        | Parameter::BackgroundDensity2
        | Parameter::BackgroundDensity3 => 1e-2 * value(spec, parameter).unwrap(),
        Parameter::StructureFactor(_) => 0.1,
        Parameter::BFactor => 2.0,
        Parameter::DispersionReal(_) | Parameter::DispersionImaginary(_) => 0.1,
        Parameter::SpectrumFwhm => 1e-2 * value(spec, parameter).unwrap(),
        Parameter::Fluence => 1e-3 * value(spec, parameter).unwrap(),
        _ => 3e-3,
    }
}

/// A difference quotient of fourth order at one pixel, and its largest difference from the quotients with
/// twice and half the step.
pub(crate) struct Quotient {
    value: f64,
    error: f64,
}

/// Central differences with four steps, extrapolated to step 0.
pub(crate) fn quotients(spec: &ExperimentSpec, parameter: Parameter) -> Vec<Quotient> {
    let step = step(spec, parameter);
    let central = |h: f64| -> Vec<f64> {
        let at = |by| render_photons(spec, &[(parameter, by)], &OPTIONS).unwrap();
        let (above, below) = (at(h), at(-h));
        let pairs = above.iter().zip(&below);
        pairs
            .map(|(above, below)| (above - below) / (2.0 * h))
            .collect()
    };
    let [d1, d2, d4, d8] = [1.0, 2.0, 4.0, 8.0].map(|part| central(step / part));
    let photons = render_photons(spec, &[], &OPTIONS).unwrap();
    (0..photons.len())
        .map(|i| {
            let extrapolated = |wide: f64, narrow: f64| (4.0 * narrow - wide) / 3.0;
            let coarse = extrapolated(d1[i], d2[i]);
            let middle = extrapolated(d2[i], d4[i]);
            let fine = extrapolated(d4[i], d8[i]);
            let rounding = ROUNDING * photons[i].abs() / step + f64::MIN_POSITIVE;
            Quotient {
                value: middle,
                error: (middle - coarse).abs().max((fine - middle).abs()) + rounding,
            }
        })
        .collect()
}

/// Compares `derivative` with all accurate quotients and returns their number.
pub(crate) fn check(
    parameter: Parameter,
    derivative: &[f64],
    quotients: &[Quotient],
) -> Result<usize, TestCaseError> {
    let mut good = 0;
    for (pixel, (own, quotient)) in derivative.iter().zip(quotients).enumerate() {
        prop_assert!(own.is_finite(), "{parameter} at {pixel}: {own}");
        let size = quotient.value.abs();
        if quotient.error > QUOTIENT * AGREEMENT * size {
            continue;
        }
        good += 1;
        let off = (own - quotient.value).abs();
        prop_assert!(
            off <= AGREEMENT * size,
            "{parameter} at {pixel}: derivative {own:e}, quotient {:e} good to {:e}",
            quotient.value,
            quotient.error
        );
    }
    Ok(good)
}

/// The parameters by which the image of `spec` has a derivative.
pub(crate) fn differentiable(spec: &ExperimentSpec) -> Vec<Parameter> {
    let mut parameters = Parameter::ALL.to_vec();
    if matches!(&spec.factors, FactorsSpec::Grid(grid) if !grid.is_empty()) {
        parameters.push(Parameter::StructureFactor(Hkl([1, 0, -1])));
        parameters.push(Parameter::StructureFactor(Hkl([0, 0, 0])));
    }
    parameters.retain(
        |&parameter| match render_photons(spec, &[(parameter, 0.0)], &OPTIONS) {
            Ok(_) => true,
            Err(Error::NoDerivative { .. }) => false,
            Err(error) => panic!("{error}"),
        },
    );
    parameters
}

/// Different weights for all pixels.
pub(crate) fn weights(pixels: usize) -> Vec<f64> {
    (0..pixels)
        .map(|i| ((i * 7919) % 1000) as f64 / 500.0 - 1.0)
        .collect()
}

pub(crate) fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, x| x.abs().max(largest))
}

pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The sum of magnitudes, the scale for a sum with cancellation.
pub(crate) fn size(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x * y).abs()).sum()
}

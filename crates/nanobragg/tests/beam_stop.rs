//! The shadow of a beam stop on an image, its truth table and its derivatives.

#![allow(clippy::unwrap_used)]

use nanobragg::gradient::{Parameter, render_jacobian, render_photons, render_vjp};
use nanobragg::{
    BeamStopSpec, CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, FileLanguage,
    HolderSpec, Length, RunOptions, Scene, TruthWishes, render_with_truth, simulate,
};

/// A small image around the beam, with water.
fn experiment(stop: Option<BeamStopSpec>) -> ExperimentSpec {
    ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(40),
            pixels_slow: Some(30),
            pixel_size: Length::from_mm(0.5),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[70.0, 80.0, 90.0]).unwrap()),
            cells: [3; 3],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        water: Length::from_um(50.0),
        beam_stop: stop,
        ..ExperimentSpec::default()
    }
}

/// A shadow of 3.75 mm radius on the detector, an arm along slow, and much penumbra.
fn stop() -> BeamStopSpec {
    BeamStopSpec {
        distance: Length::from_mm(20.0),
        penumbra: Some(Length::from_mm(0.4)),
        transmission: 0.1,
        holder: Some(HolderSpec {
            width: Length::from_mm(0.9),
            direction: nanobragg::Angle::from_degrees(90.0),
            transmission: 0.3,
        }),
        ..BeamStopSpec::new(Length::from_mm(1.5))
    }
}

fn parts(spec: &ExperimentSpec) -> Vec<f64> {
    let resolved = spec.resolve().unwrap();
    let panel = resolved.experiment.detector.first();
    let mut parts = vec![1.0; panel.pixel_count()];
    for (pixel, part) in panel.shade() {
        parts[*pixel as usize] = f64::from(*part);
    }
    parts
}

#[test]
fn the_shadow_multiplies_spots_and_background() {
    let options = RunOptions::default();
    let image = |stop| {
        let resolved = experiment(stop).resolve().unwrap();
        simulate(&resolved.experiment, &options).unwrap()
    };
    let (bare, shaded) = (image(None), image(Some(stop())));
    let parts = parts(&experiment(Some(stop())));
    assert!(parts.iter().filter(|part| **part < 1.0).count() > 100);
    let pixels = bare.photons.pixels().iter().zip(shaded.photons.pixels());
    let mut sum = 0.0;
    for ((bare, shaded), part) in pixels.zip(&parts) {
        assert_eq!(*shaded, *bare * *part as f32);
        sum += f64::from(*shaded);
    }
    // Statistics are those of the image with the shadow.
    let mean = sum / parts.len() as f64;
    assert!((shaded.statistics.mean / mean - 1.0).abs() < 1e-12);
    assert!(shaded.statistics.max_photons < bare.statistics.max_photons);
}

#[test]
fn the_truth_table_has_the_photons_that_pass() {
    let resolved = experiment(Some(stop())).resolve().unwrap();
    let scene = Scene::new(&resolved.experiment);
    let options = RunOptions::default();
    let (frame, table) = render_with_truth(&scene, &TruthWishes::default(), &options).unwrap();
    let of_spots: f64 = table.reflections.iter().map(|spot| spot.photons).sum();
    let image: f64 = (frame.panels[0].pixels.iter()).map(|&p| f64::from(p)).sum();
    let all = of_spots + table.background_photons + table.left_out_photons;
    assert!((all / image - 1.0).abs() < 1e-9, "{all} {image}");
}

#[test]
fn derivatives_are_those_without_a_stop_times_the_part_that_passes() {
    let (bare, shaded) = (experiment(None), experiment(Some(stop())));
    let options = RunOptions::default();
    let parameters = [Parameter::CellB, Parameter::MissetX, Parameter::Wavelength];
    let jacobian = |spec| render_jacobian(spec, &parameters, &options).unwrap();
    let (of_bare, of_shaded) = (jacobian(&bare), jacobian(&shaded));
    let parts = parts(&shaded);
    let times_parts = |image: &[f64]| -> Vec<f64> {
        image.iter().zip(&parts).map(|(x, part)| x * part).collect()
    };
    assert_eq!(of_shaded.photons, times_parts(&of_bare.photons));
    for (bare, shaded) in of_bare.images().zip(of_shaded.images()) {
        assert_eq!(shaded, times_parts(bare));
    }
    let shift = [(Parameter::MissetX, 0.01)];
    let moved = |spec| render_photons(spec, &shift, &options).unwrap();
    assert_eq!(moved(&shaded), times_parts(&moved(&bare)));
    // Backwards, the sum of weights times derivatives.
    let weights: Vec<f64> = (0..parts.len()).map(|i| (i as f64).sin()).collect();
    let pulled = render_vjp(&shaded, &weights, &parameters, &options).unwrap();
    assert_eq!(pulled.photons, of_shaded.photons);
    for (slopes, found) in of_shaded.images().zip(pulled.parameters) {
        let terms = || {
            slopes
                .iter()
                .zip(&weights)
                .map(|(slope, weight)| slope * weight)
        };
        let (sum, size) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
        assert!((found - sum).abs() < 1e-9 * size, "{found} {sum} {size}");
    }
}

#[test]
fn pixels_wholly_behind_the_stop_can_be_masked() {
    let mask = BeamStopSpec {
        mask: true,
        ..stop()
    };
    let resolved = experiment(Some(mask)).resolve().unwrap();
    let panel = resolved.experiment.detector.first();
    let hidden = panel.mask().unwrap();
    // Behind both disc and arm, in full shadow.
    let dark = panel.shade().iter().filter(|(_, part)| *part < 0.0301);
    let dark = dark.count();
    let masked = (0..hidden.pixels_slow()).flat_map(|slow| hidden.row(slow));
    let masked = masked.filter(|used| !**used).count();
    assert!(masked > 50 && masked < panel.shade().len(), "{masked}");
    assert!(dark > 0 && dark <= masked, "{dark} {masked}");
}

#[test]
fn a_file_holds_the_stop() {
    let text = "[beam_stop]\ndiameter_mm = 2\nholder = { width_mm = 0.5, direction_deg = 90 }\n";
    let spec = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml).unwrap();
    let stop = spec.beam_stop.unwrap();
    assert_eq!(stop.distance, Length::from_mm(30.0));
    assert_eq!(stop.holder.unwrap().width, Length::from_mm(0.5));
    for (name, language) in [
        ("b.toml", FileLanguage::Toml),
        ("b.json", FileLanguage::Json),
    ] {
        let saved = spec.to_text(name.as_ref()).unwrap();
        let again = ExperimentSpec::parse(&saved, name, language).unwrap();
        assert_eq!(again.beam_stop, spec.beam_stop);
    }
    let error = ExperimentSpec::parse("[beam_stop]\nmask = true\n", "a.toml", FileLanguage::Toml);
    assert!(error.unwrap_err().to_string().contains("diameter_mm"));
}

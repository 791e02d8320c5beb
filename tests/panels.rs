//! Detectors with several panels: the image of each panel, and that cutting a detector has no effect.

use nanobragg::geometry::{AttachedPanel, SensorSpec};
use nanobragg::gradient::{Parameter, render_jacobian, render_photons};
use nanobragg::physics::{Frame, TruthWishes, render, render_with_truth};
use nanobragg::{
    Angle, CellSpec, CrystalSpec, Detector, DetectorSpec, Experiment, ExperimentSpec, FactorsSpec,
    Length, Level, Mask, Misset, RunOptions, SamplingSpec, Scene,
};
use nanobragg_tests::strategies::steady_experiments;
use proptest::prelude::*;

/// The numbers of panels along slow and fast into which a detector is cut.
const CUT: [i64; 2] = [2, 3];

fn frame(experiment: &Experiment, options: &RunOptions<'_>) -> Frame {
    render(&Scene::new(experiment), options).expect("nothing stops the run")
}

/// First and last pixel of part `index` of `parts` on an axis of `pixels`.
fn part(index: i64, parts: i64, pixels: u32) -> [i64; 2] {
    let edge = |index: i64| index * i64::from(pixels) / parts;
    [edge(index), edge(index + 1) - 1]
}

/// The experiment with its detector cut into panels, row by row.
fn cut(experiment: &Experiment) -> Experiment {
    let whole = experiment.detector.first();
    let [rows, columns] = CUT;
    let mut panels = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let fast = part(column, columns, whole.pixels_fast());
            let slow = part(row, rows, whole.pixels_slow());
            let name = format!("r{row}c{column}");
            panels.push(whole.cut(name, fast, slow).expect("a part of it"));
        }
    }
    Experiment {
        detector: Detector::new(panels).expect("each has its name"),
        ..experiment.clone()
    }
}

/// A pixel of the whole detector, taken from the frame of the cut detector.
fn of_cut(cut: &Experiment, frame: &Frame, fast: u32, slow: u32) -> f32 {
    for (panel, image) in cut.detector.panels().iter().zip(&frame.panels) {
        let [first_fast, first_slow] = panel.first_pixel();
        let inside = |pixel: u32, first: u32, count: u32| (first..first + count).contains(&pixel);
        if inside(fast, first_fast, panel.pixels_fast())
            && inside(slow, first_slow, panel.pixels_slow())
        {
            let row = (slow - first_slow) * image.pixels_fast;
            return image.pixels[(row + fast - first_fast) as usize];
        }
    }
    panic!("no panel holds pixel {fast} {slow}")
}

/// The specification without a region of interest.
fn whole(mut spec: ExperimentSpec) -> ExperimentSpec {
    spec.roi = Default::default();
    spec
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_detector_cut_into_panels_gives_the_pixels_of_the_whole(
        spec in steady_experiments(),
        threads in 1_usize..3,
        by_reference in any::<bool>(),
    ) {
        let experiment = whole(spec).resolve().unwrap().experiment;
        let panel = experiment.detector.first();
        prop_assume!(panel.pixels_fast() >= 3 && panel.pixels_slow() >= 2);
        let options = RunOptions {
            threads,
            level: by_reference.then_some(Level::Reference),
            ..RunOptions::default()
        };
        let parts = cut(&experiment);
        let (one, six) = (frame(&experiment, &options), frame(&parts, &options));
        for slow in 0..panel.pixels_slow() {
            for fast in 0..panel.pixels_fast() {
                let expected = one.panels[0].pixels[(slow * panel.pixels_fast() + fast) as usize];
                let found = of_cut(&parts, &six, fast, slow);
                prop_assert_eq!(found.to_bits(), expected.to_bits(), "pixel {} {}", fast, slow);
            }
        }
        prop_assert_eq!(one.statistics.pixels, six.statistics.pixels);
        prop_assert_eq!(one.statistics.max_photons, six.statistics.max_photons);
    }
}

/// Three panels of different sizes, pixels and tilts.
fn tiled() -> ExperimentSpec {
    let panel = |origin_mm: [f64; 3], tilt_deg: f64, pixels: [u32; 2], pixel_mm: f64| {
        let (sin, cos) = tilt_deg.to_radians().sin_cos();
        AttachedPanel {
            name: None,
            origin: origin_mm.map(Length::from_mm),
            fast: [cos, 0.0, sin],
            slow: [0.0, 1.0, 0.0],
            pixels_fast: pixels[0],
            pixels_slow: pixels[1],
            pixel_size: Length::from_mm(pixel_mm),
            sensor: SensorSpec {
                thickness: Length::from_um(320.0),
                ..SensorSpec::default()
            },
            trusted_range: Some([0.0, 1e6]),
        }
    };
    let detector = DetectorSpec {
        pixels_fast: Some(50),
        pixels_slow: Some(40),
        pixel_size: Length::from_mm(0.5),
        distance: Length::from_mm(70.0),
        rotations: [2.0, -3.0, 1.0].map(Angle::from_degrees),
        others: vec![
            panel([26.0, 1.0, 0.5], 8.0, [30, 45], 0.4),
            panel([-1.0, 22.0, -1.0], -5.0, [70, 10], 0.3),
        ],
        ..DetectorSpec::default()
    };
    ExperimentSpec {
        detector,
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[60.0, 70.0, 80.0]).unwrap()),
            misset: Some(Misset::Angles([0.3, -0.8, 1.9])),
            cells: [5, 4, 6],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        sampling: SamplingSpec {
            oversample: Some(1),
            ..SamplingSpec::default()
        },
        ..ExperimentSpec::default()
    }
}

#[test]
fn panels_of_different_sizes_and_tilts_agree_with_single_runs_of_each() {
    let experiment = tiled().resolve().unwrap().experiment;
    let options = RunOptions::default();
    let together = frame(&experiment, &options);
    assert_eq!(together.panels.len(), 3);
    for (panel, image) in experiment.detector.panels().iter().zip(&together.panels) {
        let alone = Experiment {
            detector: panel.clone().into(),
            ..experiment.clone()
        };
        let alone = frame(&alone, &options);
        assert!(alone.statistics.max_photons > 0.0, "{}", panel.name());
        assert_eq!(alone.panels[0].pixels, image.pixels, "{}", panel.name());
    }
}

#[test]
fn the_panel_that_needs_most_sub_pixels_decides() {
    let recommended = |panels: &[usize]| {
        let mut spec = tiled();
        spec.crystal.cells = [400; 3];
        spec.sampling.oversample = None;
        spec.detector.pixel_size = Length::from_mm(0.1);
        let whole = spec.resolve().unwrap().experiment.detector;
        let alone = panels.iter().map(|panel| {
            let panel = &whole.panels()[*panel];
            let per_pixel = 1e-10 * panel.distance_m() / panel.pixel_size_m();
            // Three sub-pixels for each reciprocal width of the crystal.
            (3.0 * 400.0 * 80e-10 / per_pixel).ceil() as u32
        });
        (
            spec.resolve().unwrap().decisions.recommended_oversample,
            alone.max().unwrap(),
        )
    };
    let (found, most) = recommended(&[0, 1, 2]);
    assert_eq!(found, most);
    assert!(recommended(&[0]).1 < most);
}

#[test]
fn a_mask_and_a_region_are_of_one_panel_alone() {
    let experiment = tiled().resolve().unwrap().experiment;
    let all = frame(&experiment, &RunOptions::default());
    let mut panels = experiment.detector.panels().to_vec();
    let used = (0..30 * 45).map(|index| index % 3 != 0).collect();
    let second = panels.remove(1);
    panels.insert(1, second.with_mask(Mask::new(30, used)).unwrap());
    let masked = Experiment {
        detector: Detector::new(panels).unwrap(),
        ..experiment
    };
    let masked = frame(&masked, &RunOptions::default());
    assert_eq!(all.panels[0], masked.panels[0]);
    assert_eq!(all.panels[2], masked.panels[2]);
    for (index, (all, masked)) in all.panels[1]
        .pixels
        .iter()
        .zip(&masked.panels[1].pixels)
        .enumerate()
    {
        assert_eq!(*masked, if index % 3 == 0 { 0.0 } else { *all });
    }
}

#[test]
fn the_truth_of_several_panels_adds_up_to_their_photons() {
    let experiment = tiled().resolve().unwrap().experiment;
    let scene = Scene::new(&experiment);
    let options = RunOptions::default();
    let (image, truth) = render_with_truth(&scene, &TruthWishes::default(), &options).unwrap();
    for (index, panel) in image.panels.iter().enumerate() {
        let photons: f64 = panel.pixels.iter().copied().map(f64::from).sum();
        let listed = truth.reflections.iter().filter(|r| r.panel == index);
        let listed: f64 = listed.map(|reflection| reflection.photons).sum();
        // Every pixel is rounded to single precision.
        assert!((listed / photons - 1.0).abs() < 1e-6, "{listed} {photons}");
    }
}

#[test]
fn the_derivatives_of_all_panels_follow_the_first() {
    const STEP: f64 = 1e-4;
    let spec = tiled();
    let options = RunOptions::default();
    let parameters = [
        Parameter::Distance,
        Parameter::DetectorRotY,
        Parameter::CellA,
    ];
    let jacobian = render_jacobian(&spec, &parameters, &options).unwrap();
    let pixels: usize = 50 * 40 + 30 * 45 + 70 * 10;
    assert_eq!(jacobian.photons.len(), pixels);
    for (parameter, derivative) in parameters.into_iter().zip(jacobian.images()) {
        let at = |shift: f64| render_photons(&spec, &[(parameter, shift)], &options).unwrap();
        let (above, below) = (at(STEP), at(-STEP));
        let largest = derivative.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        for (index, slope) in derivative.iter().enumerate() {
            let difference = (above[index] - below[index]) / (2.0 * STEP);
            assert!(
                (difference - slope).abs() < 1e-4 * largest,
                "{parameter} pixel {index}: {difference} {slope}"
            );
        }
    }
}

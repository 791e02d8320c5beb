//! Layers of amorphous material: what they add to an image.

use nanobragg::geometry::Detector;
use nanobragg::gradient::{Parameter, render_jacobian};
use nanobragg::physics::{Frame, TruthWishes, render, render_with_truth};
use nanobragg::{
    Experiment, ExperimentSpec, FactorsSpec, LayerSpec, Length, MaterialSpec, RoiSpec, RunOptions,
    Scene,
};
use nanobragg_tests::binary::Scene as Folder;
use nanobragg_tests::strategies::steady_experiments;
use proptest::prelude::*;

const OPTIONS: RunOptions<'static> = nanobragg_tests::ways::ONE_THREAD;

/// Two roundings to `f32`, of the crystal alone and with the layers.
const NARROWING: f64 = 3e-7;

fn layer(peak: f64, thickness_mm: f64) -> LayerSpec {
    let points = (0..80).map(|i| {
        let stol = f64::from(i) * 0.02;
        [
            stol,
            peak * (-stol * stol).exp() * (1.0 + 0.3 * (20.0 * stol).sin()),
        ]
    });
    LayerSpec {
        material: MaterialSpec::Points {
            points: points.collect(),
            unit: Default::default(),
        },
        thickness: Some(Length::from_mm(thickness_mm)),
        ..LayerSpec::default()
    }
}

/// An image of the layers only.
fn bare(spec: &ExperimentSpec) -> ExperimentSpec {
    ExperimentSpec {
        factors: FactorsSpec::default(),
        water: Length::default(),
        ..spec.clone()
    }
}

fn frame(spec: &ExperimentSpec) -> Frame {
    frame_of(&spec.resolve().unwrap().experiment, &OPTIONS)
}

fn frame_of(experiment: &Experiment, options: &RunOptions<'_>) -> Frame {
    render(&Scene::new(experiment), options).expect("nothing stops the run")
}

fn pixels_of(frame: &Frame) -> impl Iterator<Item = f64> {
    frame.panels[0].pixels.iter().map(|pixel| f64::from(*pixel))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layers_add_up_and_to_the_crystal(spec in steady_experiments()) {
        let with = |layers: &[LayerSpec]| ExperimentSpec { background: layers.to_vec(), ..spec.clone() };
        let (one, two) = (layer(3.0, 1e-6), layer(-2.0, 3e-6));
        let crystal = frame(&with(&[]));
        let both = frame(&with(&[one.clone(), two.clone()]));
        let (one, two) = (frame(&bare(&with(&[one]))), frame(&bare(&with(&[two]))));
        let parts = pixels_of(&crystal).zip(pixels_of(&one)).zip(pixels_of(&two));
        for (((crystal, one), two), sum) in parts.zip(pixels_of(&both)) {
            let size = crystal.abs() + one.abs() + two.abs();
            prop_assert!((crystal + one + two - sum).abs() <= NARROWING * size);
        }
        prop_assert!(pixels_of(&one).all(|pixel| pixel >= 0.0) && pixels_of(&two).all(|pixel| pixel <= 0.0));
        prop_assert_eq!(one.statistics.solid_angle_sr > 0.0, true);
    }

    #[test]
    fn twice_the_thickness_is_twice_the_photons(spec in steady_experiments()) {
        let of = |layer: LayerSpec| frame(&bare(&ExperimentSpec { background: vec![layer], ..spec.clone() }));
        let (one, two) = (of(layer(3.0, 0.02)), of(layer(3.0, 0.04)));
        for (one, two) in pixels_of(&one).zip(pixels_of(&two)) {
            prop_assert!((2.0 * one - two).abs() <= NARROWING * two);
        }
        prop_assert!((2.0 * one.statistics.mean / two.statistics.mean - 1.0).abs() < 1e-6);
        let absorbing = of(LayerSpec { absorption_per_mm: Some(10.0), ..layer(3.0, 0.04) });
        for (absorbing, two) in pixels_of(&absorbing).zip(pixels_of(&two)) {
            prop_assert!(absorbing < two && absorbing > 0.1 * two);
        }
    }

    #[test]
    fn a_region_is_a_crop_and_threads_and_panels_change_nothing(spec in steady_experiments()) {
        let spec = ExperimentSpec { background: vec![layer(3.0, 1e-6)], roi: RoiSpec::default(), ..spec };
        let experiment = spec.resolve().unwrap().experiment;
        let whole = frame_of(&experiment, &OPTIONS);
        let threads = frame_of(&experiment, &RunOptions { threads: 3, ..OPTIONS });
        prop_assert_eq!(&whole, &threads);
        let panel = experiment.detector.first();
        let (fast, slow) = (i64::from(panel.pixels_fast()) - 1, i64::from(panel.pixels_slow()) - 1);
        let roi = RoiSpec { fast: [fast / 3, fast / 2], slow: [slow / 4, slow] };
        let part = frame(&ExperimentSpec { roi, ..spec.clone() });
        for (at, (part, whole)) in pixels_of(&part).zip(pixels_of(&whole)).enumerate() {
            let place = [at as i64 % (fast + 1), at as i64 / (fast + 1)];
            let is_inside = (roi.fast[0]..=roi.fast[1]).contains(&place[0])
                && (roi.slow[0]..=roi.slow[1]).contains(&place[1]);
            prop_assert_eq!(part, if is_inside { whole } else { 0.0 });
        }
        let halves = [[0, slow / 2], [slow / 2 + 1, slow]].map(|rows| {
            panel.cut(format!("{rows:?}"), [0, fast], rows).unwrap()
        });
        prop_assume!(slow > 0);
        let cut = Experiment { detector: Detector::new(halves.to_vec()).unwrap(), ..experiment.clone() };
        let cut = frame_of(&cut, &OPTIONS);
        let joined: Vec<f32> = cut.panels.iter().flat_map(|image| image.pixels.clone()).collect();
        prop_assert_eq!(joined, whole.panels[0].pixels.clone());
    }

    #[test]
    fn the_error_of_interpolation_is_bounded(
        spec in steady_experiments(),
        exponent in -6.0..-2.0_f64,
        pixels in 20..90_u32,
        pixel_mm in 0.1..2.0_f64,
        layers in 1..3_usize,
    ) {
        let mut spec = bare(&spec);
        spec.detector.pixels_fast = Some(pixels);
        spec.detector.pixels_slow = Some(pixels / 2 + 3);
        spec.detector.pixel_size = Length::from_mm(pixel_mm);
        spec.background = [layer(3.0, 0.2), layer(8.0, 0.1)][..layers].to_vec();
        let exact = frame(&spec);
        let tolerance = 10_f64.powf(exponent);
        spec.background_tolerance = Some(tolerance);
        let sampled = frame(&spec);
        for (exact, sampled) in pixels_of(&exact).zip(pixels_of(&sampled)) {
            prop_assert!((exact - sampled).abs() <= (tolerance + NARROWING) * exact.abs());
        }
        // The crop and the cut of an interpolated image are those of the whole.
        let experiment = spec.resolve().unwrap().experiment;
        let panel = experiment.detector.first();
        let (fast, slow) = (i64::from(panel.pixels_fast()) - 1, i64::from(panel.pixels_slow()) - 1);
        let middle = slow / 2 + 1;
        let halves = [[0, middle], [middle + 1, slow]].map(|rows| {
            panel.cut(format!("{rows:?}"), [0, fast], rows).unwrap()
        });
        let cut = Experiment { detector: Detector::new(halves.to_vec()).unwrap(), ..experiment.clone() };
        let cut = frame_of(&cut, &RunOptions { threads: 2, ..OPTIONS });
        let joined: Vec<f32> = cut.panels.iter().flat_map(|image| image.pixels.clone()).collect();
        prop_assert_eq!(&joined, &sampled.panels[0].pixels);
        let roi = RoiSpec { fast: [fast / 3, fast / 2], slow: [slow / 4, slow] };
        let part = frame(&ExperimentSpec { roi, ..spec.clone() });
        for (part, whole) in pixels_of(&part).zip(pixels_of(&sampled)) {
            prop_assert!(part == 0.0 || part == whole);
        }
    }

    #[test]
    fn spots_are_not_those_of_the_background(spec in steady_experiments()) {
        let table = |background| {
            let spec = ExperimentSpec { background, ..spec.clone() };
            let scene = Scene::new(&spec.resolve().unwrap().experiment);
            render_with_truth(&scene, &TruthWishes::default(), &OPTIONS).unwrap().1
        };
        let (without, with) = (table(Vec::new()), table(vec![layer(3.0, 1.0)]));
        prop_assert_eq!(without.reflections, with.reflections);
        prop_assert!(with.background_photons > without.background_photons);
    }
}

#[test]
fn a_gradient_of_the_background_alone_needs_no_crystal() {
    let mut spec = ExperimentSpec {
        background: vec![layer(3.0, 0.1)],
        ..ExperimentSpec::default()
    };
    spec.detector.pixels_fast = Some(9);
    spec.detector.pixels_slow = Some(7);
    spec.detector.pixel_size = Length::from_mm(3.0);
    let parameters = [Parameter::BackgroundScale, Parameter::BackgroundThickness1];
    let jacobian = render_jacobian(&spec, &parameters, &OPTIONS).unwrap();
    let mut images = jacobian.images();
    let (by_scale, by_thickness) = (images.next().unwrap(), images.next().unwrap());
    for ((photons, by_scale), by_thickness) in
        jacobian.photons.iter().zip(by_scale).zip(by_thickness)
    {
        assert!((by_scale / photons - 1.0).abs() < 1e-12);
        assert!((by_thickness / (photons / 0.1) - 1.0).abs() < 1e-12);
    }
}

/// The flags of a small image of a crystal.
const CRYSTAL: &str =
    "-cell 70 80 90 -default_F 120 -N 3 -detpixels 40 -pixel 1 -lambda 1 -nonoise -noprogress";

#[test]
fn bad_layers_are_errors_that_name_the_flag() {
    let folder = Folder::empty();
    folder.write("good", "0 2.57\n0.5 2\n1 1\n");
    folder.write("bad", "0 2.57\n0.5 nan\n");
    for (words, part) in [
        ("-stol bad", "-stol"),
        ("-stol missing", "-stol"),
        ("-stol good -density -1", "-density"),
        ("-stol good -MW 0", "-MW"),
        ("-stol good -thick -1", "-thick"),
        ("-background unobtainium:1mm", "unobtainium"),
        ("-background water:1", "-background"),
        ("-background water:-1mm", "-background"),
        ("-background :1mm", "-background"),
        ("-stol good -background_scale -1", "-background_scale"),
    ] {
        (folder.run_line(&format!("{CRYSTAL} {words}"))).refused(part);
    }
}

#[test]
fn plan_report_and_experiment_file_have_the_layers() {
    let folder = Folder::empty();
    folder.write("good", "0 2.57\n0.5 2\n1 1\n");
    let line = format!("{CRYSTAL} -stol good -thick 0.03 -background_scale 2");
    let plan = folder.run_line(&format!("{line} -plan")).well().stdout;
    assert!(
        plan.contains("background") && plan.contains("0.03 mm"),
        "{plan}"
    );
    let report = folder
        .run_line(&format!("{line} -save-experiment a.toml -floatfile a"))
        .well()
        .stdout;
    assert!(
        report.contains("background: good, 0.03 mm thick"),
        "{report}"
    );
    folder
        .run_line("-experiment a.toml -nonoise -noprogress -floatfile b")
        .well();
    assert_eq!(folder.read("a"), folder.read("b"));
}

//! What holds for any experiment that physics is given, without the crates above it.

use std::sync::Arc;
use std::sync::Mutex;

use nanobragg_crystal::{CellSpec, Crystal, CrystalSpec, FactorGrid, Misset};
use nanobragg_geometry::{DetectorSpec, Laboratory, Length, Mask, rotate_about, vector};
use nanobragg_physics::{
    Cancel, ELECTRON_RADIUS_SQUARED_M2, Error, Experiment, Frame, LatticeCopy, Level, Lookup,
    PhiSweep, PixelPlace, Polarization, PolarizationFrame, Progress, RunOptions, Sampling, Scene,
    polarization_factor, render, scattering_vector, trace_pixel, water_background,
};
use nanobragg_sources::{Source, SourceList};
use proptest::prelude::*;

/// Pixels along the fast axis.
const FAST: u32 = 9;

/// Pixels along the slow axis.
const SLOW: u32 = 7;

prop_compose! {
    /// A small crystal in a beam of one or more sources.
    fn experiments()(
        lengths_angstrom in [40.0..90.0, 40.0..90.0, 40.0..90.0],
        misset_rad in [-3.0..3.0, -3.0..3.0, -3.0..3.0],
        cells in [1..6_i64, 1..6_i64, 1..6_i64],
        default_f in 1.0..200.0,
        tilts in proptest::collection::vec((-0.01..0.01, 0.9..1.4, -5.0..5.0), 1..4),
        kahn_factor in -1.0..1.0,
        oversample in 1..3_u32,
        phi_count in 1..4_u32,
    ) -> Experiment {
        let crystal = Crystal::new(&CrystalSpec {
            cell: Some(CellSpec {
                lengths_angstrom,
                angles_rad: [std::f64::consts::FRAC_PI_2; 3],
            }),
            misset: Some(Misset::Angles(misset_rad)),
            cells,
            ..CrystalSpec::default()
        });
        let laboratory = Laboratory::new(&DetectorSpec {
            pixels_fast: Some(FAST),
            pixels_slow: Some(SLOW),
            pixel_size: Length::from_mm(0.8),
            distance: Length::from_mm(70.0),
            ..DetectorSpec::default()
        });
        let laboratory = laboratory.expect("the detector is a plain one");
        let sources = tilts
            .into_iter()
            .filter_map(|(tilt, angstrom, weight)| {
                Source::at([-10.0, 10.0 * tilt, 0.0], angstrom * 1e-10, weight)
            })
            .collect();
        Experiment {
            detector: laboratory.detector,
            beam: laboratory.beam,
            goniometer: laboratory.goniometer,
            crystal: crystal.expect("the cell is a box"),
            lattices: vec![LatticeCopy::default()],
            factors: Arc::new(FactorGrid::empty(default_f)),
            factors_by_source: Vec::new(),
            lookup: Lookup::Nearest,
            sources: SourceList::from_sources(sources).expect("at least one source is drawn"),
            phi: PhiSweep {
                start_rad: 0.1,
                range_rad: 0.1,
                step_rad: 0.03,
                count: phi_count,
                is_centred: false,
            },
            sampling: Sampling { oversample, ..Sampling::default() },
            polarization: Polarization { kahn_factor, off: false },
            fluence_per_m2: 1e28,
            water_m: 0.0,
            background: Vec::new(),
        diffuse: None,
        weighs_sources: false,
        background_tolerance: 0.0,
            dmin_m: 0.0,
            fixes: nanobragg_physics::Fixes::none(),
        }
    }
}

fn rendered(experiment: &Experiment, threads: usize) -> Frame {
    let options = RunOptions {
        threads,
        ..RunOptions::default()
    };
    render(&Scene::new(experiment), &options).expect("nothing stops the run")
}

fn rendered_at(experiment: &Experiment, level: Level) -> Frame {
    let options = RunOptions {
        level: Some(level),
        ..RunOptions::default()
    };
    render(&Scene::new(experiment), &options).expect("nothing stops the run")
}

/// The pixels of the only panel.
fn pixels(rendered: &Frame) -> &[f32] {
    &rendered.panels[0].pixels
}

fn bits(rendered: &Frame) -> Vec<u32> {
    pixels(rendered)
        .iter()
        .map(|pixel| pixel.to_bits())
        .collect()
}

fn unit_vectors() -> impl Strategy<Value = [f64; 3]> {
    let component = || -1.0..1.0;
    [component(), component(), component()]
        .prop_filter("a direction", |v| vector::norm(*v) > 0.1)
        .prop_map(vector::unit)
}

fn at(fast: u32, slow: u32) -> PixelPlace {
    PixelPlace {
        panel: 0,
        slow,
        fast,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn threads_change_not_one_bit(experiment in experiments()) {
        let one = rendered(&experiment, 1);
        for threads in [2, 3] {
            let many = rendered(&experiment, threads);
            prop_assert_eq!(bits(&one), bits(&many));
            prop_assert_eq!(one.statistics, many.statistics);
        }
    }

    #[test]
    fn doubling_every_structure_factor_quadruples_every_pixel(mut experiment in experiments()) {
        let once = rendered(&experiment, 1);
        experiment.factors = Arc::new(FactorGrid::empty(2.0 * experiment.factors.default_f()));
        let doubled = rendered(&experiment, 1);
        for (once, doubled) in pixels(&once).iter().zip(pixels(&doubled)) {
            // Powers of two are exact down to the smallest normal numbers.
            prop_assert!(4.0 * once == *doubled || *once < 1e-30);
        }
    }

    #[test]
    fn recorded_weights_change_not_one_bit(
        mut experiment in experiments(),
        weights in proptest::collection::vec(any::<f64>(), 4),
    ) {
        let before = bits(&rendered(&experiment, 1));
        let sources = experiment.sources.iter().zip(weights);
        let sources = sources.map(|(source, recorded_weight)| Source { recorded_weight, ..*source });
        experiment.sources =
            SourceList::from_sources(sources.collect()).expect("at least one source is drawn");
        prop_assert_eq!(before, bits(&rendered(&experiment, 1)));
    }

    /// The sum of the images of single sources, each with its weight and its own structure factors.
    #[test]
    fn a_source_adds_its_own_image_times_its_weight(
        mut experiment in experiments(),
        weights in proptest::collection::vec(0.1..3.0, 4),
        own_f in proptest::collection::vec(1.0..200.0, 4),
        level in prop_oneof![Just(Level::Reference), Just(Level::detect())],
    ) {
        // As in C, the first source determines the polarization factor of a pixel.
        experiment.polarization.off = true;
        let single = |source: &Source, f: f64| Experiment {
            sources: SourceList::from_sources(vec![*source]).expect("one source"),
            factors: Arc::new(FactorGrid::empty(f)),
            ..experiment.clone()
        };
        let count = experiment.sources.len() as f64;
        let mut expected = vec![0.0; pixels(&rendered(&experiment, 1)).len()];
        for ((source, weight), f) in experiment.sources.iter().zip(&weights).zip(&own_f) {
            let alone = rendered_at(&single(source, *f), level);
            for (sum, photons) in expected.iter_mut().zip(pixels(&alone)) {
                *sum += weight * f64::from(*photons) / count;
            }
        }
        let sources = experiment.sources.iter().zip(&weights);
        let sources = sources.map(|(source, &weight)| Source { weight, ..*source });
        let grids = own_f.iter().map(|&f| Arc::new(FactorGrid::empty(f)));
        let weighted = Experiment {
            sources: SourceList::from_sources(sources.collect()).expect("at least one source"),
            factors_by_source: grids.take(experiment.sources.len()).collect(),
            ..experiment.clone()
        };
        for (photons, sum) in pixels(&rendered_at(&weighted, level)).iter().zip(expected) {
            prop_assert!((f64::from(*photons) - sum).abs() <= 1e-5 * sum + 1e-30);
        }
    }

    /// One lattice twice, and one with weight 2, are twice the image.
    #[test]
    fn lattices_add_up(experiment in experiments(), level in prop_oneof![Just(Level::Reference), Just(Level::detect())]) {
        let alone = rendered_at(&experiment, level);
        let one = LatticeCopy::default();
        for lattices in [vec![one, one], vec![LatticeCopy { weight: 2.0, ..one }]] {
            let double = Experiment { lattices, ..experiment.clone() };
            for (once, twice) in pixels(&alone).iter().zip(pixels(&rendered_at(&double, level))) {
                prop_assert!((twice - 2.0 * once).abs() <= 1e-6 * twice || *once < 1e-30);
            }
        }
    }

    #[test]
    fn a_turned_lattice_is_the_crystal_turned(experiment in experiments(), axis in unit_vectors(), angle_rad in -0.5..0.5) {
        let [x, y, z] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|edge| rotate_about(edge, axis, angle_rad));
        // The columns of the matrix are the turned axes.
        let turn = [0, 1, 2].map(|i| [x[i], y[i], z[i]]);
        let turned = Experiment {
            lattices: vec![LatticeCopy { turn: Some(turn), ..LatticeCopy::default() }],
            ..experiment.clone()
        };
        let edges = experiment.crystal.direct().vectors().map(|edge| rotate_about(edge, axis, angle_rad));
        let [a, b, c] = edges.map(|edge| vector::scale(1e10, edge));
        let volume = vector::dot(a, vector::cross(b, c));
        let reciprocal = [vector::cross(b, c), vector::cross(c, a), vector::cross(a, b)]
            .map(|v| vector::scale(1.0 / volume, v));
        let matrix = [0, 1, 2].map(|row| [0, 1, 2].map(|column| reciprocal[column][row]));
        let crystal = Crystal::new(&CrystalSpec {
            matrix: Some(matrix),
            wavelength_m: 1e-10,
            cells: experiment.crystal.size().cells().map(|n| n as i64),
            shape: experiment.crystal.shape(),
            ..CrystalSpec::default()
        });
        let expected = Experiment { crystal: crystal.expect("a lattice"), ..experiment.clone() };
        let (turned, expected) = (rendered(&turned, 1), rendered(&expected, 1));
        for (one, other) in pixels(&turned).iter().zip(pixels(&expected)) {
            prop_assert!((one - other).abs() <= 1e-5 * turned.statistics.max_photons);
        }
    }

    #[test]
    fn masked_pixels_are_zero_and_the_others_stay(
        mut experiment in experiments(),
        used in proptest::collection::vec(any::<bool>(), (FAST * SLOW) as usize),
    ) {
        let whole = rendered(&experiment, 1);
        let mask = Mask::new(FAST as usize, used.clone());
        let panel = experiment.detector.first().clone().with_mask(mask);
        experiment.detector = panel.unwrap().into();
        let masked = rendered(&experiment, 2);
        for ((whole, masked), used) in pixels(&whole).iter().zip(pixels(&masked)).zip(used) {
            prop_assert_eq!(*masked, if used { *whole } else { 0.0 });
        }
    }

    #[test]
    fn statistics_are_those_of_the_pixels(experiment in experiments()) {
        let rendered = rendered(&experiment, 2);
        let statistics = rendered.statistics;
        let n = f64::from(FAST * SLOW);
        let sum: f64 = pixels(&rendered).iter().map(|&pixel| f64::from(pixel)).sum();
        prop_assert_eq!(statistics.pixels, u64::from(FAST * SLOW));
        prop_assert_eq!(statistics.max_photons, pixels(&rendered).iter().copied().fold(0.0, f32::max));
        prop_assert!((statistics.mean - sum / n).abs() <= 1e-12 * sum);
        let variance = (statistics.rms.powi(2) * (n - 1.0) - n * statistics.mean.powi(2)) / (n - 1.0);
        prop_assert!((statistics.rmsd.powi(2) - variance).abs() <= 1e-9 * statistics.rms.powi(2));
    }

    #[test]
    fn a_trace_multiplies_up_to_its_pixel(experiment in experiments()) {
        let scene = Scene::new(&experiment);
        let image = rendered(&experiment, 1);
        let trace = trace_pixel(&scene, &image, at(4, 3)).expect("the pixel is rendered");
        prop_assert_eq!(trace.photons, pixels(&image)[(3 * FAST + 4) as usize]);
        let terms: f64 = trace.sources.iter().map(|source| source.sum).sum();
        prop_assert!((terms - trace.intensity).abs() <= 1e-12 * terms);
        let photons = ELECTRON_RADIUS_SQUARED_M2 * experiment.fluence_per_m2 * trace.intensity
            / trace.steps * trace.capture * trace.polarization * trace.solid_angle_sr;
        prop_assert!((photons - f64::from(trace.photons)).abs() <= 1e-6 * photons);
        let count = u64::from(experiment.phi.count) * experiment.sources.len() as u64
            * u64::from(experiment.sampling.oversample).pow(2);
        prop_assert_eq!(trace.terms, count);
    }

    #[test]
    fn a_pixel_off_the_detector_has_no_trace(experiment in experiments(), beyond in 0..1000_u32) {
        let scene = Scene::new(&experiment);
        let image = rendered(&experiment, 1);
        prop_assert!(trace_pixel(&scene, &image, at(FAST + beyond, 0)).is_none());
        prop_assert!(trace_pixel(&scene, &image, at(0, SLOW + beyond)).is_none());
    }

    #[test]
    fn polarization_is_a_share(
        kahn_factor in -1.0..1.0_f64,
        axis in unit_vectors(),
        incident in unit_vectors(),
        diffracted in unit_vectors(),
    ) {
        let PolarizationFrame { electric, magnetic } = PolarizationFrame::new(axis, incident);
        let factor = |kahn_factor| {
            polarization_factor(kahn_factor, incident, diffracted, electric, magnetic)
        };
        prop_assert!((-1e-12..=1.0 + 1e-12).contains(&factor(kahn_factor)));
        // Beams polarized along and across share out what an unpolarized one scatters.
        let unpolarized = 0.5 * (factor(1.0) + factor(-1.0));
        prop_assert!((unpolarized - factor(0.0)).abs() < 1e-12);
    }

    #[test]
    fn the_scattering_vector_obeys_bragg(
        incident in unit_vectors(),
        diffracted in unit_vectors(),
        wavelength_m in 0.5e-10..5e-10,
    ) {
        let q_per_m = vector::norm(scattering_vector(diffracted, incident, wavelength_m));
        let two_theta_rad = vector::dot(diffracted, incident).clamp(-1.0, 1.0).acos();
        let bragg_per_m = 2.0 * (two_theta_rad / 2.0).sin() / wavelength_m;
        prop_assert!((q_per_m - bragg_per_m).abs() <= 1e-6 / wavelength_m);
    }

    #[test]
    fn water_scatters_by_its_volume(edge_m in 1e-7..1e-4_f64, fluence in 1e20..1e30_f64) {
        let once = water_background(fluence, edge_m);
        prop_assert!((water_background(fluence, 2.0 * edge_m) / once - 8.0).abs() < 1e-12);
        prop_assert!((water_background(3.0 * fluence, edge_m) / once - 3.0).abs() < 1e-12);
    }
}

/// Remembers what it is told.
#[derive(Default)]
struct Listener(Mutex<Vec<(usize, usize)>>);

impl Progress for Listener {
    fn rows_done(&self, done: usize, total: usize) {
        let mut heard = self.0.lock().expect("no holder panics");
        heard.push((done, total));
    }
}

/// Any experiment.
fn some_experiment() -> Experiment {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = experiments()
        .new_tree(&mut runner)
        .expect("nothing is filtered");
    tree.current()
}

#[test]
fn every_row_is_told_once() {
    let experiment = some_experiment();
    let listener = Listener::default();
    let options = RunOptions {
        threads: 2,
        accuracy: 0.0,
        progress: Some(&listener),
        ..RunOptions::default()
    };
    render(&Scene::new(&experiment), &options).unwrap();
    let mut heard = listener.0.into_inner().unwrap();
    heard.sort_unstable();
    let rows = SLOW as usize;
    assert_eq!(
        heard,
        (1..=rows).map(|done| (done, rows)).collect::<Vec<_>>()
    );
}

#[test]
fn a_cancelled_run_gives_no_image() {
    let cancel = Cancel::new();
    cancel.raise();
    let options = RunOptions {
        cancel: Some(&cancel),
        ..RunOptions::default()
    };
    let outcome = render(&Scene::new(&some_experiment()), &options);
    assert!(matches!(outcome, Err(Error::Cancelled)));
}

//! What is found in an image, against the image itself and images of single reflections.

use std::sync::Arc;

use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, FactorGrid, GridLimit, Hkl, Misset, MosaicSpec, Reflection,
    Shape,
};
use nanobragg_geometry::{Detector, DetectorSpec, Laboratory, Length, Roi};
use nanobragg_physics::{
    Experiment, Fixes, LatticeCopy, Level, Lookup, Oddity, PhiSweep, Polarization, Precision,
    RunOptions, Sampling, Scene, Truth, TruthWishes, render, render_with_truth,
};
use nanobragg_sources::{Source, SourceList};

/// Photons of pixels are single precision: each is off by 6e-8 of itself at most.
const SINGLE: f64 = 1e-7;

const SIDE: u32 = 40;

/// The side of a part of it.
const PART: i64 = 30;

/// A small crystal with a few hundred reflections on a detector of 40 x 40 pixels.
fn experiment(shape: Shape) -> Experiment {
    let crystal = Crystal::new(&CrystalSpec {
        cell: Some(
            CellSpec::from_values(&[60.0, 70.0, 80.0, 80.0, 95.0, 105.0]).expect("six numbers"),
        ),
        misset: Some(Misset::Angles([0.3, -0.8, 1.9])),
        cells: [4, 3, 5],
        shape,
        mosaic: MosaicSpec {
            spread_rad: Some(0.01),
            domains: Some(3),
            seed: 4,
            ..MosaicSpec::default()
        },
        ..CrystalSpec::default()
    });
    let laboratory = Laboratory::new(&DetectorSpec {
        pixels_fast: Some(SIDE),
        pixels_slow: Some(SIDE),
        pixel_size: Length::from_mm(0.9),
        distance: Length::from_mm(70.0),
        ..DetectorSpec::default()
    });
    let laboratory = laboratory.expect("the detector is a plain one");
    let sources = [0.99, 1.01].map(|angstrom| Source::at([-10.0, 0.0, 0.0], angstrom * 1e-10, 1.0));
    Experiment {
        detector: laboratory.detector,
        beam: laboratory.beam,
        goniometer: laboratory.goniometer,
        crystal: crystal.expect("the cell is a plain one"),
        lattices: vec![LatticeCopy::default()],
        factors: Arc::new(FactorGrid::empty(100.0)),
        factors_by_source: Vec::new(),
        lookup: Lookup::Nearest,
        sources: SourceList::from_sources(sources.into_iter().flatten().collect())
            .expect("there are two"),
        phi: PhiSweep {
            start_rad: 0.1,
            range_rad: 0.02,
            step_rad: 0.01,
            is_centred: false,
            count: 2,
        },
        sampling: Sampling {
            oversample: 2,
            ..Sampling::default()
        },
        polarization: Polarization::default(),
        fluence_per_m2: 1e26,
        water_m: 0.0,
        background: Vec::new(),
        diffuse: None,
        weighs_sources: false,
        background_tolerance: 0.0,
        dmin_m: 0.0,
        fixes: Fixes::none(),
    }
}

/// The detector with a part of it to be rendered.
fn with_roi(roi: Roi) -> Detector {
    let panel = experiment(Shape::Gauss).detector.first().clone();
    panel.with_roi(roi).expect("a part of it").into()
}

/// The image and what is found in it.
fn found(experiment: &Experiment, floor_photons: f64) -> (Vec<f32>, Truth) {
    let scene = Scene::new(experiment);
    let options = RunOptions::default();
    let wishes = TruthWishes {
        floor_photons,
        ..TruthWishes::default()
    };
    let (rendered, truth) = render_with_truth(&scene, &wishes, &options).expect("nothing stops it");
    (rendered.panels[0].pixels.clone(), truth)
}

fn total(pixels: &[f32]) -> f64 {
    pixels.iter().map(|&photons| f64::from(photons)).sum()
}

fn assert_adds_up(pixels: &[f32], truth: &Truth) {
    let reflections: f64 = truth
        .reflections
        .iter()
        .map(|reflection| reflection.photons)
        .sum();
    let sum = reflections + truth.background_photons + truth.left_out_photons;
    // The parts are rounded in double precision, a few thousand times.
    assert!(
        (sum / total(pixels) - 1.0).abs() < 1e-11,
        "{sum} of {}",
        total(pixels)
    );
}

#[test]
fn the_photons_of_all_reflections_and_the_background_are_those_of_the_image() {
    for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
        let (pixels, truth) = found(&experiment(shape), 0.0);
        assert!(truth.reflections.len() > 20, "{shape:?}");
        assert_eq!(truth.background_photons, 0.0);
        assert_adds_up(&pixels, &truth);
    }
}

#[test]
fn each_way_of_correcting_adds_up() {
    let per_subpixel = Sampling {
        oversample: 2,
        per_subpixel_polarization: true,
        per_subpixel_solid_angle: true,
        per_subpixel_capture: false,
    };
    for fixes in [
        Fixes::none(),
        Fixes::all(),
        Fixes::none().with(Oddity::OversampleFlags),
    ] {
        for sampling in [experiment(Shape::Square).sampling, per_subpixel] {
            let experiment = Experiment {
                water_m: 1e-5,
                sampling,
                fixes,
                ..experiment(Shape::Square)
            };
            let (pixels, truth) = found(&experiment, 0.0);
            assert!(truth.background_photons > 0.0);
            assert_adds_up(&pixels, &truth);
        }
    }
}

#[test]
fn water_alone_is_background() {
    let wet = Experiment {
        water_m: 1e-5,
        ..experiment(Shape::Square)
    };
    let (with_crystal, truth) = found(&wet, 0.0);
    let (dry, _) = found(&experiment(Shape::Square), 0.0);
    let water = total(&with_crystal) - total(&dry);
    let bound = SINGLE * total(&with_crystal);
    assert!((truth.background_photons - water).abs() < bound);
}

/// The experiment with only these reflections: the structure factors of all others are 0.
fn with_only(experiment: &Experiment, reflections: &[([i32; 3], f64)]) -> Experiment {
    // The last is 0 and only gives the box a size.
    let last = reflections[0].0.map(|index| index + 1);
    let zero = (!reflections.iter().any(|(hkl, _)| *hkl == last)).then_some((last, 0.0));
    let list: Vec<Reflection> = (reflections.iter().copied().chain(zero))
        .map(|(hkl, amplitude)| Reflection {
            hkl: Hkl(hkl),
            amplitude,
        })
        .collect();
    let factors = FactorGrid::from_reflections(&list, 0.0, GridLimit::default());
    Experiment {
        factors: Arc::new(factors.expect("the list has few indices")),
        ..experiment.clone()
    }
}

/// The image of an experiment, worked out by the scalar sum.
fn scalar(experiment: &Experiment) -> Vec<f32> {
    let options = RunOptions {
        level: Some(Level::Reference),
        ..RunOptions::default()
    };
    let frame = render(&Scene::new(experiment), &options).expect("nothing stops it");
    frame.panels[0].pixels.clone()
}

#[test]
fn a_reflection_has_the_photons_the_moments_and_the_box_of_an_image_without_the_others() {
    let all = experiment(Shape::Square);
    let (_, truth) = found(&all, 0.0);
    let mut strongest = truth.reflections.clone();
    strongest.sort_by(|a, b| b.photons.total_cmp(&a.photons));
    for reflection in strongest.iter().take(5).chain(strongest.get(40)) {
        let pixels = scalar(&with_only(&all, &[(reflection.hkl, 100.0)]));
        let photons = total(&pixels);
        assert!(
            (reflection.photons / photons - 1.0).abs() < SINGLE,
            "{reflection:?}"
        );
        let side = SIDE as usize;
        let places =
            || (0..side * side).map(|i| [(i % side) as f64 + 0.5, (i / side) as f64 + 0.5]);
        let mean = |value: &dyn Fn([f64; 2]) -> f64| {
            let weighted = pixels.iter().zip(places());
            weighted
                .map(|(&p, at)| f64::from(p) * value(at))
                .sum::<f64>()
                / photons
        };
        let [fast, slow] = [mean(&|at| at[0]), mean(&|at| at[1])];
        let bound = SINGLE * f64::from(SIDE);
        assert!((reflection.fast_px - fast).abs() < bound);
        assert!((reflection.slow_px - slow).abs() < bound);
        let moment = |i: usize, j: usize| {
            let middle = [fast, slow];
            mean(&|at: [f64; 2]| (at[i] - middle[i]) * (at[j] - middle[j]))
        };
        let bound = bound * f64::from(SIDE);
        assert!((reflection.variance_fast_px2 - moment(0, 0)).abs() < bound);
        assert!((reflection.variance_slow_px2 - moment(1, 1)).abs() < bound);
        assert!((reflection.covariance_px2 - moment(0, 1)).abs() < bound);
        let peak = pixels.iter().copied().fold(0.0, f32::max);
        assert!((reflection.peak_photons / f64::from(peak) - 1.0).abs() < SINGLE);
        // Pixels of exactly one photon are not to be expected.
        let in_box = |pixel: f32| pixel >= 1.0 || pixel == peak;
        let range = |position: fn(usize) -> usize| {
            let inside = pixels.iter().enumerate().filter(|(_, p)| in_box(**p));
            let all: Vec<u32> = inside.map(|(i, _)| position(i) as u32).collect();
            [*all.iter().min().unwrap(), *all.iter().max().unwrap() + 1]
        };
        assert_eq!(reflection.fast_range_px, range(|i| i % SIDE as usize));
        assert_eq!(reflection.slow_range_px, range(|i| i / SIDE as usize));
    }
}

#[test]
fn labels_are_of_the_brightest_of_the_images_of_single_reflections() {
    for shape in [Shape::Square, Shape::Gauss] {
        let full = experiment(shape);
        let (_, everything) = found(&full, 0.0);
        let mut some = everything.reflections;
        some.sort_by(|a, b| b.photons.total_cmp(&a.photons));
        some.truncate(12);
        // In turn weak and strong, so that the brightest is not always the nearest.
        let list: Vec<([i32; 3], f64)> = some
            .iter()
            .map(|one| one.hkl)
            .zip([20.0, 3.0].into_iter().cycle())
            .collect();
        let few = with_only(&full, &list);
        // A quarter of the pixels with photons has more.
        let mut photons = scalar(&few);
        photons.retain(|&photons| photons > 0.0);
        photons.sort_by(f32::total_cmp);
        let floor = f64::from(photons[photons.len() * 3 / 4]);
        let wishes = TruthWishes {
            floor_photons: 0.0,
            pixel_floor_photons: floor,
            labels: true,
        };
        let (frame, truth) =
            render_with_truth(&Scene::new(&few), &wishes, &RunOptions::default()).unwrap();
        let alone: Vec<Vec<f32>> = (truth.reflections.iter())
            .map(|one| {
                let own = list.iter().find(|(hkl, _)| *hkl == one.hkl).unwrap();
                scalar(&with_only(&few, &[*own]))
            })
            .collect();
        let labels = &truth.labels[0];
        let mut labelled = 0;
        for (i, &label) in labels.iter().enumerate() {
            let parts: Vec<f64> = alone.iter().map(|image| image[i].into()).collect();
            let sum: f64 = parts.iter().sum();
            assert!((f64::from(frame.panels[0].pixels[i]) - sum).abs() <= 2.0 * SINGLE * sum);
            let most = parts.iter().copied().fold(0.0, f64::max);
            let expected = parts.iter().position(|&part| part == most).unwrap() as u32 + 1;
            let doubtful = (most - floor).abs() < 1e-6 * floor
                || parts
                    .iter()
                    .filter(|&&part| part > most * (1.0 - 1e-6))
                    .count()
                    > 1;
            if !doubtful {
                assert_eq!(label, if most >= floor { expected } else { 0 }, "{parts:?}");
            }
            labelled += u32::from(label > 0);
        }
        assert!(labelled > 3 && labels.contains(&0), "{labelled}");
        // A label is in the box of its reflection, and no box is larger than its labels would need in an image of
        // that reflection alone.
        for (i, &label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
            let one = &truth.reflections[label as usize - 1];
            let (fast, slow) = (i as u32 % SIDE, i as u32 / SIDE);
            assert!((one.fast_range_px[0]..one.fast_range_px[1]).contains(&fast));
            assert!((one.slow_range_px[0]..one.slow_range_px[1]).contains(&slow));
        }
    }
}

/// Experiments for every path of the sum, of some rows around the beam.
fn all_ways() -> Vec<Experiment> {
    let (begin, last) = (i64::from(SIDE / 2) - 3, i64::from(SIDE / 2) + 2);
    let rows =
        Roi::new([0, i64::from(SIDE) - 1], [begin, last], SIDE, SIDE).expect("rows of the panel");
    let of_rows = |shape| Experiment {
        detector: with_roi(rows),
        ..experiment(shape)
    };
    let plain = of_rows(Shape::Square);
    let per_subpixel = Sampling {
        oversample: 2,
        per_subpixel_polarization: true,
        per_subpixel_solid_angle: true,
        per_subpixel_capture: false,
    };
    // An axis of the cell along the beam and the middle of a pixel in it: offsets of exactly 0.
    let straight = Crystal::new(&CrystalSpec {
        cell: Some(CellSpec::from_values(&[60.0, 70.0, 80.0]).expect("six numbers")),
        cells: [4, 5, 6],
        ..CrystalSpec::default()
    });
    let list: Vec<([i32; 3], f64)> = (-4..=4)
        .flat_map(|h| (-4..=4).map(move |k| ([h, k, (h + k) % 3], f64::from(10 + h * k))))
        .collect();
    let listed = with_only(&plain, &list);
    let mut ways = vec![
        Experiment {
            crystal: straight.expect("the cell is a plain one"),
            phi: PhiSweep::default(),
            sampling: Sampling::default(),
            ..plain.clone()
        },
        Experiment {
            lookup: Lookup::Tricubic,
            ..listed.clone()
        },
        Experiment {
            dmin_m: 4e-10,
            ..plain.clone()
        },
        Experiment {
            phi: PhiSweep {
                start_rad: 0.0,
                ..plain.phi
            },
            ..plain.clone()
        },
        Experiment {
            sampling: per_subpixel,
            ..plain.clone()
        },
        Experiment {
            sampling: per_subpixel,
            fixes: Fixes::all(),
            water_m: 1e-6,
            ..plain.clone()
        },
        listed,
    ];
    ways.extend([Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat].map(of_rows));
    ways
}

#[test]
fn the_search_for_reflections_moves_no_bit_of_the_image() {
    for (number, experiment) in all_ways().iter().enumerate() {
        let scene = Scene::new(experiment);
        for level in Level::ALL {
            for precision in [Precision::Double, Precision::Single] {
                let options = RunOptions {
                    level: Some(level),
                    precision,
                    ..RunOptions::default()
                };
                let without = render(&scene, &options).unwrap();
                let (frame, truth) =
                    render_with_truth(&scene, &TruthWishes::default(), &options).unwrap();
                assert_eq!(frame, without, "{number} {level}");
                assert_adds_up(&frame.panels[0].pixels, &truth);
            }
        }
    }
}

#[test]
fn levels_find_the_same_reflections() {
    for (number, experiment) in all_ways().iter().enumerate() {
        let scene = Scene::new(experiment);
        let of = |level| {
            let options = RunOptions {
                level: Some(level),
                ..RunOptions::default()
            };
            render_with_truth(&scene, &TruthWishes::default(), &options)
                .unwrap()
                .1
        };
        let standard = of(Level::Reference);
        let photons: f64 = standard.reflections.iter().map(|one| one.photons).sum();
        for level in &Level::ALL[1..] {
            let other = of(*level);
            assert_eq!(
                other.reflections.len(),
                standard.reflections.len(),
                "{number}"
            );
            for (a, b) in standard.reflections.iter().zip(&other.reflections) {
                assert_eq!((a.hkl, a.partiality), (b.hkl, b.partiality));
                // The levels differ by the bound of docs/PARITY.md, in the zeros between fringes by more.
                let bound = 1e-6 * a.photons + 1e-12 * photons;
                assert!(
                    (a.photons - b.photons).abs() <= bound,
                    "{number} {a:?} {b:?}"
                );
            }
        }
    }
}

#[test]
fn weak_reflections_below_the_floor_are_told_as_a_sum() {
    let (pixels, all) = found(&experiment(Shape::Square), 0.0);
    let mut photons: Vec<f64> = all.reflections.iter().map(|r| r.photons).collect();
    photons.sort_by(f64::total_cmp);
    let floor = photons[photons.len() / 2];
    let (_, strong) = found(&experiment(Shape::Square), floor);
    assert!(!strong.reflections.is_empty() && strong.reflections.len() < all.reflections.len());
    assert!(strong.reflections.iter().all(|r| r.photons >= floor));
    assert!(strong.left_out_photons > 0.0);
    assert_adds_up(&pixels, &strong);
}

#[test]
fn threads_change_no_bit() {
    let experiment = experiment(Shape::Square);
    let scene = Scene::new(&experiment);
    let on = |threads| {
        let options = RunOptions {
            threads,
            ..RunOptions::default()
        };
        render_with_truth(&scene, &TruthWishes::default(), &options).unwrap()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_still_has_a_partiality_of_1_only_on_the_ewald_sphere() {
    let still = Experiment {
        phi: PhiSweep::default(),
        ..experiment(Shape::Gauss)
    };
    let (_, truth) = found(&still, 0.0);
    assert!(
        truth
            .reflections
            .iter()
            .all(|r| (0.0..=1.0).contains(&r.partiality))
    );
    let origin = truth.reflections.iter().find(|r| r.hkl == [0; 3]).unwrap();
    // The origin is on the Ewald sphere of every source in every orientation.
    assert!(
        (origin.partiality - 1.0).abs() < 1e-12,
        "{}",
        origin.partiality
    );
    assert!(truth.reflections.iter().any(|r| r.partiality < 0.5));
}

#[test]
fn partialities_of_images_that_continue_each_other_add_up_to_1() {
    // 40 images of 5 steps over 0.4 rad; what crosses in the middle begins and ends within. A larger
    // crystal than elsewhere has narrower crossings; a part of the detector has enough of them.
    let crystal = Crystal::new(&CrystalSpec {
        cell: Some(CellSpec::from_values(&[60.0, 70.0, 80.0]).unwrap()),
        misset: Some(Misset::Angles([0.3, -0.8, 1.9])),
        cells: [4, 5, 6],
        shape: Shape::Gauss,
        ..CrystalSpec::default()
    })
    .unwrap();
    let images: Vec<Truth> = (0..40)
        .map(|image| {
            let experiment = Experiment {
                phi: PhiSweep {
                    start_rad: 0.1 + 0.01 * f64::from(image),
                    range_rad: 0.01,
                    step_rad: 0.002,
                    is_centred: false,
                    count: 5,
                },
                crystal: crystal.clone(),
                detector: with_roi(Roi::new([0, PART - 1], [0, PART - 1], SIDE, SIDE).unwrap()),
                sampling: Sampling::default(),
                ..experiment(Shape::Gauss)
            };
            found(&experiment, 0.0).1
        })
        .collect();
    let partiality = |image: &Truth, hkl| {
        let mut reflections = image.reflections.iter();
        reflections
            .find(|r| r.hkl == hkl)
            .map_or(0.0, |r| r.partiality)
    };
    let is_inside = |px: f64| px > 6.0 && px < PART as f64 - 6.0;
    let crossing: Vec<[i32; 3]> = images[20]
        .reflections
        .iter()
        .filter(|r| r.partiality > 0.05 && is_inside(r.fast_px) && is_inside(r.slow_px))
        .map(|r| r.hkl)
        .collect();
    let mut whole = 0;
    let mut total = 0.0;
    for hkl in &crossing {
        let sum: f64 = images.iter().map(|image| partiality(image, *hkl)).sum();
        let edge = partiality(&images[0], *hkl) + partiality(&images[39], *hkl);
        if edge < 1e-4 {
            whole += 1;
            total += sum;
            // No more than 1, but for what is cut off the tails of the crossing.
            assert!(sum < 1.005, "{hkl:?}: {sum}");
        }
    }
    // An image in which no pixel is nearest to a reflection does not list it, so a little is missing.
    let mean = total / f64::from(whole);
    assert!(mean > 0.9, "{mean}");
    assert!(whole >= 3, "{whole} of {}", crossing.len());
}

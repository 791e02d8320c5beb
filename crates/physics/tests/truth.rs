//! What is found in an image, against the image itself and images of single reflections.

use std::sync::Arc;

use nanobragg_crystal::{
    CellSpec, Crystal, CrystalSpec, FactorGrid, GridLimit, Hkl, Misset, MosaicSpec, Reflection,
    Shape,
};
use nanobragg_geometry::{Detector, DetectorSpec, Laboratory, Length, Roi};
use nanobragg_physics::{
    Experiment, Fixes, Lookup, Oddity, PhiSweep, Polarization, RunOptions, Sampling, Scene, Truth,
    TruthWishes, render_with_truth,
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
        factors: Arc::new(FactorGrid::empty(100.0)),
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

#[test]
fn a_reflection_has_the_photons_and_the_centroid_of_an_image_without_the_others() {
    let all = experiment(Shape::Square);
    let (_, truth) = found(&all, 0.0);
    let mut strongest = truth.reflections.clone();
    strongest.sort_by(|a, b| b.photons.total_cmp(&a.photons));
    for reflection in strongest.iter().take(5).chain(strongest.get(40)) {
        // The second is 0 and only gives the box a size.
        let listed = [reflection.hkl, reflection.hkl.map(|index| index + 1)];
        let list = listed.map(|hkl| Reflection {
            hkl: Hkl(hkl),
            amplitude: if hkl == reflection.hkl { 100.0 } else { 0.0 },
        });
        let alone = Experiment {
            factors: Arc::new(
                FactorGrid::from_reflections(&list, 0.0, GridLimit::default()).unwrap(),
            ),
            ..all.clone()
        };
        let (pixels, _) = found(&alone, 0.0);
        let photons = total(&pixels);
        assert!(
            (reflection.photons / photons - 1.0).abs() < SINGLE,
            "{reflection:?}"
        );
        let mean = |position: fn(usize) -> usize| {
            let weighted = pixels.iter().enumerate();
            let sum: f64 = weighted
                .map(|(i, &p)| f64::from(p) * (position(i) as f64 + 0.5))
                .sum();
            sum / photons
        };
        let bound = SINGLE * f64::from(SIDE);
        assert!((reflection.fast_px - mean(|i| i % SIDE as usize)).abs() < bound);
        assert!((reflection.slow_px - mean(|i| i / SIDE as usize)).abs() < bound);
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

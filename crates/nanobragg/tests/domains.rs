//! Real numbers of cells, size tensors, distributions of sizes, and how much crystal there is.
use nanobragg::physics::render;
use nanobragg::{
    CellSpec, CrystalSpec, DetectorSpec, DomainSpec, ExperimentSpec, FactorsSpec, Length,
    MosaicSpec, RunOptions, SamplingSpec, Scene, Shape, SpotMetric,
};

fn experiment(shape: Shape, domain: DomainSpec) -> ExperimentSpec {
    ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(40),
            pixels_slow: Some(40),
            pixel_size: Length::from_mm(0.4),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: CellSpec::from_values(&[50.0, 60.0, 70.0]).ok(),
            cells: [5, 4, 6],
            shape,
            domain,
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        // The automatic number follows the size of the crystal.
        sampling: SamplingSpec {
            oversample: Some(1),
            ..SamplingSpec::default()
        },
        ..ExperimentSpec::default()
    }
}

fn pixels(spec: &ExperimentSpec) -> Vec<f32> {
    let resolved = spec.resolve().expect("a plain crystal");
    let frame = render(&Scene::new(&resolved.experiment), &RunOptions::default());
    let frame = frame.expect("nothing stops the run");
    frame.panels[0].pixels.to_vec()
}

/// Whole numbers given as real ones, a diagonal tensor and the metric of its shape change no bit.
#[test]
fn whole_numbers_and_diagonal_tensors_are_the_ordinary_crystal() {
    for shape in [Shape::Square, Shape::Round, Shape::Gauss, Shape::Tophat] {
        let mut ordinary = experiment(shape, DomainSpec::default());
        ordinary.crystal.spot_metric = SpotMetric::Hkl;
        let mut real = ordinary.clone();
        real.crystal.domain.cells = Some([5.0, 4.0, 6.0]);
        assert_eq!(pixels(&ordinary), pixels(&real), "{shape}");
        if shape != Shape::Square {
            let mut diagonal = ordinary.clone();
            diagonal.crystal.domain.tensor = Some([0.0; 3]);
            for (one, other) in pixels(&ordinary).iter().zip(pixels(&diagonal)) {
                assert!((one - other).abs() <= 1e-5 * one, "{shape}");
            }
        }
    }
}

#[test]
fn a_volume_of_crystal_is_as_many_domains_as_fill_it() {
    let one = experiment(Shape::Square, DomainSpec::default());
    // 5 x 4 x 6 cells of 50 x 60 x 70 cubic Angstrom; 1 mm is 1e7 Angstrom.
    let domain_mm3 = 120.0 * 210_000.0 * 1e-21;
    let many = experiment(
        Shape::Square,
        DomainSpec {
            crystal_mm3: Some(1000.0 * domain_mm3),
            spot_scale: 2.0,
            ..DomainSpec::default()
        },
    );
    for (one, many) in pixels(&one).iter().zip(pixels(&many)) {
        assert!((many - 2000.0 * one).abs() <= 1e-5 * many);
    }
}

/// The image of domains of different sizes is the mean of the images of crystals of these sizes.
#[test]
fn domains_of_different_sizes_are_a_mean() {
    let mut mixed = experiment(
        Shape::Gauss,
        DomainSpec {
            size_spread: 0.3,
            ..DomainSpec::default()
        },
    );
    mixed.crystal.spot_metric = SpotMetric::Hkl;
    mixed.crystal.mosaic = MosaicSpec {
        domains: Some(4),
        ..MosaicSpec::default()
    };
    let resolved = mixed.resolve().unwrap();
    let ratios = resolved.experiment.crystal.domain_sizes();
    assert_eq!(ratios.len(), 4);
    let mut mean = vec![0.0; 1600];
    for ratio in ratios {
        let mut single = experiment(
            Shape::Gauss,
            DomainSpec {
                cells: Some([5.0, 4.0, 6.0].map(|n| n * ratio)),
                ..DomainSpec::default()
            },
        );
        single.crystal.spot_metric = SpotMetric::Hkl;
        for (sum, photons) in mean.iter_mut().zip(pixels(&single)) {
            *sum += f64::from(photons) / 4.0;
        }
    }
    for (own, mean) in pixels(&mixed).iter().zip(mean) {
        assert!((f64::from(*own) - mean).abs() <= 1e-5 * mean);
    }
}

#[test]
fn bad_domains_are_refused_with_their_number() {
    let refused = |shape, domain, word: &str| {
        let error = experiment(shape, domain).resolve().unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    let default = DomainSpec::default();
    let tensor = |rest| DomainSpec {
        tensor: Some(rest),
        ..default
    };
    refused(Shape::Gauss, tensor([9.0, 0.0, 0.0]), "positive definite");
    refused(Shape::Square, tensor([1.0, 0.0, 0.0]), "parallelepiped");
    let cells = Some([0.2, 5.0, 5.0]);
    refused(Shape::Round, DomainSpec { cells, ..default }, "0.2");
    let size_spread = 1.5;
    refused(
        Shape::Round,
        DomainSpec {
            size_spread,
            ..default
        },
        "1.5",
    );
}

//! Mosaic models in whole images: limits, integrals and closed forms.

use std::path::Path;

use nanobragg::crystal::Reflection;
use nanobragg::geometry::rotation::IDENTITY;
use nanobragg::{
    Angle, CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorGrid, FactorsSpec, Fixes,
    GridLimit, Hkl, Length, MosaicModel, MosaicSampling, MosaicSpec, PhiSpec, RoiSpec, RunOptions,
    Shape, StepSpec, simulate,
};

/// Distance of the detector in mm.
const DISTANCE_MM: f64 = 100.0;

/// Pixels along an edge of the detector, and their size in mm.
const EDGE: u32 = 270;
const PIXEL_MM: f64 = 0.1;

/// The edge of the cell in Angstrom.
const CELL_ANGSTROM: f64 = 50.0;

/// The photons of an image, and the point where the beam meets it, in mm.
struct Image {
    pixels: Vec<f64>,
    beam_mm: [f64; 2],
}

fn image(spec: &ExperimentSpec) -> Image {
    let resolved = spec.resolve().unwrap();
    let simulated = simulate(&resolved.experiment, &RunOptions::default()).unwrap();
    let panel = resolved.experiment.detector.first();
    let plane = panel.plane();
    Image {
        pixels: simulated
            .photons
            .pixels()
            .iter()
            .map(|x| f64::from(*x))
            .collect(),
        beam_mm: [plane.f_beam_m * 1e3, plane.s_beam_m * 1e3],
    }
}

fn total(spec: &ExperimentSpec) -> f64 {
    image(spec).pixels.iter().sum()
}

/// One reflection of a cubic crystal that turns through the Ewald sphere, from edge to edge.
fn rocking() -> ExperimentSpec {
    let listed = [Reflection {
        hkl: Hkl([0, 5, 0]),
        amplitude: 100.0,
    }];
    let factors = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).unwrap();
    let mut spec = ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(EDGE),
            pixels_slow: Some(EDGE),
            pixel_size: Length::from_mm(PIXEL_MM),
            distance: Length::from_mm(DISTANCE_MM),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[CELL_ANGSTROM]).unwrap()),
            cells: [10; 3],
            shape: Shape::Gauss,
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::from(factors),
        lookup: Some(nanobragg::Lookup::Nearest),
        phi: PhiSpec {
            start: Angle::from_degrees(-0.2),
            sweep: StepSpec {
                range: Some(Angle::from_degrees(6.2).radians()),
                step: None,
                count: Some(62),
            },
        },
        ..ExperimentSpec::default()
    };
    // Spots as wide as the size makes them, and steps in the middle of the sweep.
    spec.fixes = Fixes::all();
    spec.sampling.oversample = Some(1);
    // Around the spot.
    spec.roi = RoiSpec {
        fast: [111, 163],
        slow: [12, 63],
    };
    spec.beam.polarization.off = true;
    spec
}

fn with(mosaic: MosaicSpec) -> ExperimentSpec {
    let mut spec = rocking();
    spec.crystal.mosaic = mosaic;
    spec
}

fn degrees(angle: f64) -> f64 {
    Angle::from_degrees(angle).radians()
}

/// The mean and the second moments of a spot, radial and tangential to the beam, in mm.
fn moments(image: &Image) -> (f64, [f64; 2]) {
    let total: f64 = image.pixels.iter().sum();
    let places = || {
        image.pixels.iter().enumerate().map(|(at, photons)| {
            let [fast, slow] = [at % EDGE as usize, at / EDGE as usize];
            let x = (fast as f64 + 0.5) * PIXEL_MM - image.beam_mm[0];
            let y = (slow as f64 + 0.5) * PIXEL_MM - image.beam_mm[1];
            (x, y, photons / total)
        })
    };
    let (mx, my) = places().fold((0.0, 0.0), |(mx, my), (x, y, w)| (mx + w * x, my + w * y));
    let radius = mx.hypot(my);
    let (ux, uy) = (mx / radius, my / radius);
    let variances = places().fold([0.0; 2], |[radial, tangential], (x, y, w)| {
        let (dx, dy) = (x - mx, y - my);
        [
            radial + w * (dx * ux + dy * uy).powi(2),
            tangential + w * (dy * ux - dx * uy).powi(2),
        ]
    });
    (radius, variances)
}

#[test]
fn the_total_of_a_rocking_curve_does_not_depend_on_the_mosaic_model() {
    /// Second order of the angles and strains, and what is beyond the ends of the sweep.
    const SECOND_ORDER: f64 = 2e-3;
    let perfect = total(&rocking());
    let narrow = MosaicSpec {
        spread_rad: Some(degrees(0.3)),
        domains: Some(20),
        ..MosaicSpec::default()
    };
    let gaussian = MosaicSpec {
        model: Some(MosaicModel::Gaussian),
        ..narrow.clone()
    };
    for mosaic in [
        narrow.clone(),
        gaussian.clone(),
        MosaicSpec {
            sampling: Some(MosaicSampling::Random),
            ..gaussian.clone()
        },
        MosaicSpec {
            sampling: Some(MosaicSampling::Even),
            ..gaussian.clone()
        },
        MosaicSpec {
            spread_rad: None,
            spread_abc_rad: Some([0.3, 0.1, 0.2].map(degrees)),
            ..gaussian.clone()
        },
        MosaicSpec {
            strain_percent: 0.5,
            strain_abc_percent: [0.2, 0.4, 0.1],
            ..gaussian
        },
    ] {
        let ratio = total(&with(mosaic.clone())) / perfect;
        assert!(
            (ratio - 1.0).abs() < SECOND_ORDER,
            "{ratio} with {mosaic:?}"
        );
    }
}

#[test]
fn a_strain_widens_the_image_of_a_spot_along_its_radius() {
    let strain = 0.02;
    let (radius, [radial, tangential]) = moments(&image(&rocking()));
    let strained = with(MosaicSpec {
        strain_percent: 100.0 * strain,
        sampling: Some(MosaicSampling::Even),
        domains: Some(200),
        ..MosaicSpec::default()
    });
    let (_, [strained_radial, strained_tangential]) = moments(&image(&strained));
    // r = D tan(2 theta) and q = 2 sin(theta) / lambda: dr = D / cos(2 theta)^2 lambda / cos(theta) dq.
    let q = 5.0 / CELL_ANGSTROM;
    let theta = (0.5 * q).asin();
    assert!((radius / (DISTANCE_MM * (2.0 * theta).tan()) - 1.0).abs() < 0.01);
    let sigma = DISTANCE_MM / (2.0 * theta).cos().powi(2) / theta.cos() * strain * q;
    let grown = strained_radial - radial;
    // The deviates of 200 domains have a variance of 0.98, and the next order is 3 strain^2.
    assert!(
        (grown / (sigma * sigma) - 1.0).abs() < 0.03,
        "{grown} {}",
        sigma * sigma
    );
    assert!((strained_tangential / tangential - 1.0).abs() < 0.01);
}

/// A folder with a list of domains.
fn listed(name: &str, domains: &[([[f64; 3]; 3], f64)]) -> (tempfile::TempDir, MosaicSpec) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let line = |(rows, weight): &([[f64; 3]; 3], f64)| {
        let numbers: Vec<String> = rows
            .as_flattened()
            .iter()
            .map(|x| format!("{x:e}"))
            .collect();
        format!("{} {weight}\n", numbers.join(" "))
    };
    std::fs::write(&path, domains.iter().map(line).collect::<String>()).unwrap();
    let spec = MosaicSpec {
        file: Some(path),
        ..MosaicSpec::default()
    };
    (folder, spec)
}

/// A still of the Bragg reflection, with domains of the C program.
fn still() -> ExperimentSpec {
    let mut spec = with(MosaicSpec {
        spread_rad: Some(degrees(0.5)),
        domains: Some(4),
        ..MosaicSpec::default()
    });
    spec.phi = PhiSpec {
        start: Angle::from_degrees(2.8),
        sweep: StepSpec::default(),
    };
    spec
}

#[test]
fn a_file_of_domains_is_read_once() {
    let turned = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
    let (folder, mosaic) = listed("domains.txt", &[(IDENTITY, 1.0), (turned, 1.0)]);
    let (other, other_mosaic) = listed("other.txt", &[(turned, 1.0)]);
    let mut loaded = with(mosaic).load(GridLimit::default()).unwrap().spec;
    folder.close().unwrap();
    assert_eq!(domains_of(&loaded), [IDENTITY, turned]);
    // Another file is read all the same.
    loaded.crystal.mosaic.file = other_mosaic.file;
    assert_eq!(domains_of(&loaded), [turned]);
    other.close().unwrap();
    assert!(loaded.resolve().is_err());
}

fn domains_of(spec: &ExperimentSpec) -> Vec<[[f64; 3]; 3]> {
    let resolved = spec.resolve().unwrap();
    resolved.experiment.crystal.mosaic().domains().to_vec()
}

#[test]
fn the_domains_of_the_c_program_in_a_file_give_its_image_to_the_bit() {
    // At phi = 0 there is no spindle before or after the domains.
    let mut spec = still();
    spec.phi.start = Angle::default();
    spec.crystal.misset = Some(nanobragg::Misset::Angles([0.0, 0.0, degrees(2.8)]));
    let expected = image(&spec).pixels;
    let domains: Vec<_> = domains_of(&spec)
        .into_iter()
        .map(|rows| (rows, 3.0))
        .collect();
    let (_folder, mosaic) = listed("d.txt", &domains);
    spec.crystal.mosaic = mosaic;
    assert!(expected.iter().any(|x| *x > 0.0));
    assert_eq!(image(&spec).pixels, expected);
}

#[test]
fn weights_share_the_image_among_the_domains() {
    let spec = still();
    let domains = domains_of(&spec);
    let of = |weights: &[f64]| {
        let domains: Vec<_> = domains
            .iter()
            .copied()
            .zip(weights.iter().copied())
            .collect();
        let (_folder, mosaic) = listed("d.txt", &domains);
        let mut spec = spec.clone();
        spec.crystal.mosaic = mosaic;
        image(&spec).pixels
    };
    let [first, second] = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]].map(|weights| of(&weights));
    let both = of(&[3.0, 1.0, 0.0, 0.0]);
    let alone = of(&[1.0]);
    let brightest = both.iter().fold(0.0_f64, |most, x| x.max(most));
    assert!(brightest > 0.0 && first != second);
    for (((both, x), y), alone) in both.iter().zip(&first).zip(&second).zip(&alone) {
        assert!((both - 0.75 * x - 0.25 * y).abs() < 1e-6 * brightest);
        assert!((alone - x).abs() < 1e-6 * brightest);
    }
}

#[test]
fn a_listed_domain_turns_with_the_crystal() {
    let mut spec = still();
    let turn = domains_of(&spec)[1];
    let (_folder, mosaic) = listed("d.txt", &[(turn, 1.0)]);
    spec.crystal.mosaic = mosaic;
    let by_domain = image(&spec).pixels;

    // The same crystal by a matrix whose columns are the turned reciprocal vectors.
    let length = 1.0 / CELL_ANGSTROM;
    spec.crystal.mosaic = MosaicSpec::default();
    spec.crystal.cell = None;
    spec.crystal.matrix = Some(turn.map(|row| row.map(|x| x * length)));
    let by_matrix = image(&spec).pixels;

    let brightest = by_matrix.iter().fold(0.0_f64, |most, x| x.max(most));
    assert!(brightest > 0.0);
    for (x, y) in by_domain.iter().zip(&by_matrix) {
        assert!((x - y).abs() < 1e-5 * brightest, "{x} {y}");
    }
}

#[test]
fn a_file_of_domains_is_found_beside_its_experiment_file() {
    let (folder, _) = listed(
        "d.txt",
        &[([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 1.0)],
    );
    let path = folder.path().join("a.toml");
    let text = "[crystal]\ncell = { lengths_angstrom = [50, 50, 50], angles_deg = [90, 90, 90] }\n\
                [crystal.mosaic]\nfile = \"d.txt\"\n[structure_factors]\ndefault_f = 1\n";
    std::fs::write(&path, text).unwrap();
    let spec = ExperimentSpec::read(Path::new(&path)).unwrap();
    assert_eq!(domains_of(&spec).len(), 1);
}

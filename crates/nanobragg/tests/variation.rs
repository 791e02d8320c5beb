//! What varies from image to image of a series: the values that are drawn, and the experiments that they make.

#![allow(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::collections::BTreeMap;

use nanobragg::gradient::CrystalSystem;
use nanobragg::series::{
    BaseSeeds, Distribution, Frame, Quantity, SeriesKind, SeriesSpec, VariationSpec,
};
use nanobragg::{
    Angle, CellSpec, Convention, CrystalSpec, CustomAxes, DetectorSpec, Error, ExperimentSpec,
    FactorsSpec, FileLanguage, Fixes, Laboratory, Length, Oddity, Pivot, RunOptions, SourcesSpec,
    SpectrumFrom, SpectrumSpec, simulate,
};

/// Draws of each test of moments.
const DRAWS: u32 = 20_000;

/// How many standard errors a moment may be off: by chance once in two million.
const DEVIATIONS: f64 = 5.0;

fn crystal(cell: &[f64]) -> ExperimentSpec {
    ExperimentSpec {
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(cell).unwrap()),
            cells: [5; 3],
            ..CrystalSpec::default()
        },
        detector: DetectorSpec {
            pixels_fast: Some(31),
            pixels_slow: Some(37),
            pixel_size: Length::from_mm(0.9),
            ..DetectorSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        ..ExperimentSpec::default()
    }
}

fn varying(mut spec: ExperimentSpec, words: &[&str]) -> ExperimentSpec {
    spec.series.vary = vary(words);
    spec
}

fn vary(words: &[&str]) -> BTreeMap<Quantity, Distribution> {
    let of = |word: &&str| {
        let (name, distribution) = word.split_once('=').unwrap();
        (name.parse().unwrap(), distribution.parse().unwrap())
    };
    words.iter().map(of).collect()
}

fn shot(spec: &ExperimentSpec, number: u32) -> Result<Frame, Error> {
    SeriesSpec::new(SeriesKind::Shots, u32::MAX).frame(spec, number)
}

fn value(frame: &Frame, name: &str) -> f64 {
    let quantity: Quantity = name.parse().unwrap();
    let mut values = frame.values.iter();
    values.find(|(known, _)| *known == quantity).unwrap().1
}

/// The values of a quantity in many shots.
fn draws(spec: &ExperimentSpec, name: &str) -> Vec<f64> {
    let numbers = 1..=DRAWS;
    numbers
        .map(|number| value(&shot(spec, number).unwrap(), name))
        .collect()
}

/// Mean and variance agree with those of the distribution, whose fourth central moment over the squared
/// variance is `kurtosis`.
fn assert_moments(values: &[f64], mean: f64, variance: f64, kurtosis: f64) {
    let n = values.len() as f64;
    let found = values.iter().sum::<f64>() / n;
    let error = (variance / n).sqrt();
    assert!((found - mean).abs() < DEVIATIONS * error, "mean {found}");
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let found = squares.sum::<f64>() / n;
    let error = variance * ((kurtosis - 1.0) / n).sqrt();
    assert!(
        (found - variance).abs() < DEVIATIONS * error,
        "variance {found} for {variance}"
    );
}

#[test]
fn values_are_those_of_another_program() {
    // From the formulas of the documents in Python, with its own quantiles of the normal distribution.
    const KNOWN: [(i64, u32, [f64; 4]); 6] = [
        (1, 1, [79.25732878, 1059299514000.0, 0.9995546701, 10.0]),
        (1, 2, [78.88488553, 897174263400.0, 1.000673757, 10.0]),
        (1, 1000, [79.49073142, 1016037855000.0, 0.9994533662, 30.0]),
        (7, 1, [79.18639986, 904451007700.0, 1.000919937, 10.0]),
        (7, 2, [78.94218262, 916846060400.0, 1.000153016, 30.0]),
        (7, 1000, [79.53589182, 913248560800.0, 0.9994772525, 20.0]),
    ];
    let mut spec = crystal(&[79.0, 79.0, 38.0]);
    spec.beam.fluence.fluence_per_m2 = Some(1e12);
    let spec = varying(
        spec,
        &[
            "cell_a=normal:0.5%",
            "fluence=lognormal:0.3",
            "wavelength=uniform:-0.1%,0.1%",
            "N=choice:10,20,30",
        ],
    );
    for (seed, number, expected) in KNOWN {
        let series = SeriesSpec {
            seeds: BaseSeeds::all(seed),
            ..SeriesSpec::new(SeriesKind::Shots, 1000)
        };
        let frame = series.frame(&spec, number).unwrap();
        let names = ["cell_a", "fluence", "wavelength", "N"];
        assert_eq!(names.map(|name| value(&frame, name)), expected);
    }
}

#[test]
fn moments_are_those_of_the_distributions() {
    let spec = |words| varying(crystal(&[79.0, 80.0, 38.0]), words);
    let normal = draws(&spec(&["cell_a=normal:0.4"]), "cell_a");
    assert_moments(&normal, 79.0, 0.16, 3.0);
    let of_percent = draws(&spec(&["cell_b=normal:0.5%"]), "cell_b");
    assert_moments(&of_percent, 80.0, 0.16, 3.0);
    let uniform = draws(&spec(&["cell_c=uniform:-1,3"]), "cell_c");
    assert_moments(&uniform, 39.0, 16.0 / 12.0, 1.8);
    assert!(uniform.iter().all(|c| (37.0..=41.0).contains(c)));
    let between = draws(&spec(&["mosaic_spread=between:0.2,0.5"]), "mosaic_spread");
    assert_moments(&between, 0.35, 0.09 / 12.0, 1.8);
    let lognormal = draws(&spec(&["fluence=lognormal:0.6"]), "fluence");
    let base: f64 = 125932015286227086360700780544.0;
    let logarithms: Vec<f64> = lognormal.iter().map(|f| (f / base).ln()).collect();
    assert_moments(&logarithms, 0.0, 0.36, 3.0);
    // Two of four values are 10: 1/2 of all, with the variance p (1 - p).
    let choice = draws(&spec(&["N=choice:10,20,10,40"]), "N");
    let tens = choice.iter().map(|n| f64::from(u8::from(*n == 10.0)));
    assert_moments(&tens.collect::<Vec<_>>(), 0.5, 0.25, 1.0 + 1e-9);
}

#[test]
fn a_normal_distribution_is_cut_where_a_value_has_no_meaning() {
    let mut spec = crystal(&[79.0]);
    spec.crystal.mosaic.spread_rad = Some(Angle::from_degrees(0.1).radians());
    let spreads = draws(
        &varying(spec, &["mosaic_spread=normal:0.1"]),
        "mosaic_spread",
    );
    assert!(spreads.iter().all(|spread| *spread >= 0.0));
    // Cut at one standard deviation below the mean. With m = phi(1) / Phi(1) the mean is mu + sigma m and the
    // variance sigma^2 (1 - m - m^2).
    let m = 0.241_970_724_519_143_37 / 0.841_344_746_068_542_9;
    let variance = 0.01 * (1.0 - m - m * m);
    assert_moments(&spreads, 0.1 + 0.1 * m, variance, 3.0);
    // Whole numbers of cells: each n from 1 on has the probability of n - 1/2 to n + 1/2.
    let cells = draws(&varying(crystal(&[79.0]), &["N=normal:3"]), "N");
    assert!(cells.iter().all(|n| *n >= 1.0 && n.fract() == 0.0));
}

#[test]
fn a_quantity_has_the_same_values_whatever_else_varies() {
    let alone = varying(crystal(&[79.0, 80.0, 38.0]), &["cell_b=normal:1%"]);
    let among = varying(
        crystal(&[79.0, 80.0, 38.0]),
        &[
            "cell_a=normal:1%",
            "cell_b=normal:1%",
            "fluence=lognormal:1",
        ],
    );
    for number in [1, 2, 77] {
        let [one, other] = [&alone, &among].map(|spec| shot(spec, number).unwrap());
        assert_eq!(value(&one, "cell_b"), value(&other, "cell_b"));
        assert_eq!(one.noise_seed, other.noise_seed);
    }
    // Of different quantities, and of neighbouring images, the deviates are independent.
    let deviates = |name| -> Vec<f64> {
        let base = if name == "cell_a" { 79.0 } else { 80.0 };
        let values = draws(&among, name).into_iter();
        values.map(|value| (value / base - 1.0) * 100.0).collect()
    };
    let (a, b) = (deviates("cell_a"), deviates("cell_b"));
    let limit = DEVIATIONS / f64::from(DRAWS).sqrt();
    let products = |one: &[f64], other: &[f64]| {
        let products = one.iter().zip(other).map(|(x, y)| x * y);
        products.sum::<f64>() / one.len().min(other.len()) as f64
    };
    assert!(products(&a, &b).abs() < limit);
    assert!(products(&a, &a[1..]).abs() < limit);
}

#[test]
fn the_crystal_system_ties_what_varies() {
    let edges = |cell: &[f64], words: &[&str]| {
        let frame = shot(&varying(crystal(cell), words), 3).unwrap();
        frame.spec.crystal.cell.unwrap()
    };
    let cubic = edges(&[79.0], &["cell_a=normal:1%"]);
    let [a, b, c] = cubic.lengths_angstrom;
    assert!(a != 79.0 && a == b && b == c);
    let [a, b, c] = edges(&[79.0, 79.0, 38.0], &["cell_a=normal:1%"]).lengths_angstrom;
    assert!(a != 79.0 && a == b && c == 38.0);
    let hexagonal = [79.0, 79.0, 38.0, 90.0, 90.0, 120.0];
    let [a, b, c] = edges(&hexagonal, &["cell_a=normal:1%"]).lengths_angstrom;
    assert!(a != 79.0 && a == b && c == 38.0);
    let rhombohedral = edges(
        &[79.0, 79.0, 79.0, 80.0, 80.0, 80.0],
        &["cell_alpha=normal:1"],
    );
    let [alpha, beta, gamma] = rhombohedral.angles_rad;
    assert!(alpha == beta && beta == gamma && alpha.to_degrees() != 80.0);

    let refusal = |cell: &[f64], words: &[&str]| {
        let refused = shot(&varying(crystal(cell), words), 1);
        refused.unwrap_err().to_string()
    };
    let tied = refusal(&[79.0], &["cell_b=normal:1%"]);
    assert!(
        tied.starts_with("series.vary.cell_b: it is cell_a in a cell that is cubic"),
        "{tied}"
    );
    let fixed = refusal(&[79.0, 80.0, 38.0], &["cell_beta=normal:1"]);
    assert!(
        fixed.contains("it is fixed in a cell that is orthorhombic"),
        "{fixed}"
    );

    let mut free = varying(crystal(&[79.0]), &["cell_b=normal:1%"]);
    free.series.crystal_system = Some(CrystalSystem::Triclinic);
    let [a, b, c] = shot(&free, 3)
        .unwrap()
        .spec
        .crystal
        .cell
        .unwrap()
        .lengths_angstrom;
    assert!(a == 79.0 && b != 79.0 && c == 79.0);
    free.series.crystal_system = Some(CrystalSystem::Hexagonal);
    let wrong = shot(&free, 3).unwrap_err().to_string();
    assert!(
        wrong.contains("the cell is not hexagonal: cell_gamma is 90, not 120"),
        "{wrong}"
    );
}

#[test]
fn an_image_is_that_of_an_experiment_with_its_values() {
    let mut base = crystal(&[79.0, 80.0, 38.0]);
    base.beam.fluence.flux_per_s = Some(1e20);
    let spec = varying(
        base.clone(),
        &[
            "cell_a=normal:1%",
            "cell_c=uniform:-0.2,0.2",
            "N=between:3,9",
            "wavelength=normal:1%",
            "mosaic_spread=between:0.1,0.9",
            "fluence=lognormal:0.5",
        ],
    );
    let frame = shot(&spec, 5).unwrap();
    let of = |name| value(&frame, name);
    let mut alone = base;
    alone.crystal.misset = frame.spec.crystal.misset;
    alone.crystal.mosaic.seed = frame.spec.crystal.mosaic.seed;
    let cell = CellSpec::from_values(&[of("cell_a"), 80.0, of("cell_c")]).unwrap();
    alone.crystal.cell = Some(cell);
    alone.crystal.cells = [of("N") as i64; 3];
    alone.crystal.mosaic.spread_rad = Some(Angle::from_degrees(of("mosaic_spread")).radians());
    alone.beam.wavelength = Some(Length::from_angstrom(of("wavelength")));
    alone.beam.fluence.flux_per_s = None;
    alone.beam.fluence.fluence_per_m2 = Some(of("fluence"));
    let [one, other] = [&frame.spec, &alone].map(|spec| {
        let experiment = spec.resolve().unwrap().experiment;
        simulate(&experiment, &RunOptions::default())
            .unwrap()
            .photons
    });
    assert!(one == other && one.pixels().iter().any(|photons| *photons > 0.0));
}

#[test]
fn a_crystal_of_a_matrix_keeps_its_directions() {
    let mut spec = crystal(&[79.0]);
    spec.crystal.cell = None;
    spec.beam.wavelength = Some(Length::from_angstrom(1.2));
    spec.crystal.matrix = Some([
        [0.013, 0.001, 0.0],
        [0.0, 0.015, 0.002],
        [0.003, 0.0, 0.031],
    ]);
    let lattice = |spec: &ExperimentSpec| *spec.resolve().unwrap().experiment.crystal.lattice();
    let before = lattice(&spec);
    let other_wavelength = spec.clone();
    let mut shots = varying(other_wavelength, &["wavelength=1.3"])
        .of_single_image()
        .unwrap();
    let after = lattice(&shots);
    for (a, b) in before
        .direct_angstrom
        .iter()
        .flatten()
        .zip(after.direct_angstrom.iter().flatten())
    {
        assert!((a - b).abs() < 1e-11, "{a} {b}");
    }
    shots = varying(spec.clone(), &["cell_a=95"])
        .of_single_image()
        .unwrap();
    let after = lattice(&shots);
    let ratio = 95.0 / before.lengths_angstrom[0];
    for (axis, factor) in [ratio, 1.0, 1.0].into_iter().enumerate() {
        for i in 0..3 {
            let expected = before.direct_angstrom[axis][i] * factor;
            assert!((after.direct_angstrom[axis][i] - expected).abs() < 1e-11);
        }
    }
    let refused = varying(spec, &["cell_beta=normal:1"]).of_single_image();
    assert!(refused.is_err());
}

#[test]
fn a_moved_beam_centre_moves_the_detector_and_the_header() {
    for convention in Convention::ALL {
        let mut spec = crystal(&[79.0]);
        spec.detector.convention = convention;
        let before = spec.resolve().unwrap().experiment.detector;
        let spec = varying(spec, &["beam_fast=uniform:0.2,0.4", "beam_slow=normal:0.3"]);
        let frame = shot(&spec, 9).unwrap();
        let mut after = frame.spec.clone();
        after.series.vary.clear();
        let after = after.resolve().unwrap().experiment.detector;
        let (before, after) = (before.first(), after.first());
        let found = [after.f_beam_m(), after.s_beam_m()];
        let expected = ["beam_fast", "beam_slow"].map(|name| value(&frame, name) / 1000.0);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{convention}");
        }
        let moved_m = found[0] - before.f_beam_m();
        assert!(
            (0.2e-3..0.4e-3).contains(&moved_m),
            "{convention} {moved_m}"
        );
    }
}

/// The same detector and a beam in another direction, described by the corner and the axes.
#[test]
fn a_tilted_beam_is_that_of_a_laboratory_described_by_vectors() {
    let mut spec = crystal(&[79.0, 60.0, 50.0]);
    spec.beam.polarization.kahn_factor = 0.9;
    spec.beam.dispersion.range = Some(0.01);
    spec.beam.dispersion.count = Some(2);
    let straight = Laboratory::new(&spec.detector).unwrap();
    let tilted = varying(spec.clone(), &["beam_tilt_h=12.5", "beam_tilt_v=-7"]);
    let tilted = tilted.of_single_image().unwrap();
    // Beam along x, electric vector along z, vertical along x x z = -y.
    let (h, v) = (0.0125_f64, -0.007_f64);
    let beam = [h.cos() * v.cos(), -h.cos() * v.sin(), h.sin()];
    let polarization = [-h.sin() * v.cos(), h.sin() * v.sin(), h.cos()];
    let panel = straight.panel();
    let vectors = ExperimentSpec {
        detector: DetectorSpec {
            convention: Convention::Custom,
            axes: CustomAxes {
                beam: Some(beam),
                fast: Some(panel.fast()),
                slow: Some(panel.slow()),
                normal: Some(panel.normal()),
                polarization: Some(polarization),
                spindle: Some(straight.goniometer.spindle()),
                ..CustomAxes::default()
            },
            pix0_m: Some(panel.pix0_m()),
            pivot: Some(Pivot::Sample),
            ..spec.detector.clone()
        },
        fixes: Fixes::default().with(Oddity::IgnoredInput),
        ..spec.clone()
    };
    let [one, other, before] = [&tilted, &vectors, &spec].map(|spec| {
        let experiment = spec.resolve().unwrap().experiment;
        let photons = simulate(&experiment, &RunOptions::default())
            .unwrap()
            .photons;
        photons.pixels().to_vec()
    });
    let (mut largest, mut moved) = (0.0_f32, 0.0_f32);
    let brightest = one.iter().fold(0.0_f32, |most, photons| most.max(*photons));
    for ((one, other), before) in one.iter().zip(&other).zip(&before) {
        largest = largest.max((one - other).abs() / brightest);
        moved = moved.max((one - before).abs() / brightest);
    }
    assert!(largest < 1e-5 && moved > 0.1, "{largest} {moved}");
    // What headers state is the same too.
    let [one, other] = [&tilted, &vectors].map(|spec| {
        let resolved = spec.resolve().unwrap();
        let panel = resolved.experiment.detector.first().clone();
        [panel.f_beam_m(), panel.s_beam_m(), panel.distance_m()]
    });
    for (one, other) in one.into_iter().zip(other) {
        assert!((one - other).abs() < 1e-12, "{one} {other}");
    }
}

#[test]
fn nonsense_is_refused_with_the_quantity() {
    let refusal = |words: &[&str]| {
        let refused = shot(&varying(crystal(&[79.0, 80.0, 38.0]), words), 1);
        refused.unwrap_err().to_string()
    };
    for (words, message) in [
        (
            "cell_a=normal:-1%",
            "series.vary.cell_a: the width is -1, it must be 0 or above",
        ),
        (
            "fluence=lognormal:-0.1",
            "series.vary.fluence: the width is -0.1",
        ),
        ("cell_a=uniform:2,1", "the range from 81 to 80 is reversed"),
        (
            "cell_a=uniform:-150%,0%",
            "it reaches -39.5, and must be from 1e-15 to 1e+15",
        ),
        ("mosaic_spread=normal:10%", "a percentage of 0 is 0"),
        (
            "mosaic_spread=lognormal:1",
            "needs a value above 0 to be about; it is 0",
        ),
        (
            "N=2.5",
            "2.5 is not allowed, it must be a whole number from 1",
        ),
        ("N=choice:3,0", "0 is not allowed"),
        // The limits of the flags.
        (
            "cell_a=choice:1e200",
            "series.vary.cell_a: 1e+200 is not allowed, it must be from 1e-15 to 1e+15",
        ),
        (
            "fluence=choice:1e300",
            "1e+300 is not allowed, it must be from 0 to 1e+60",
        ),
        ("spot_scale=1e61", "1e+61 is not allowed"),
        ("beam_fast=choice:1e300", "must be from -1e+15 to 1e+15"),
        ("wavelength=between:1e-16,1", "it reaches 1e-16"),
        ("N=choice:3,2e9", "from 1 to 1000000000"),
        ("cell_a=uniform:0,1e16", "it reaches 1e+16"),
        (
            "cell_a=normal:1e300",
            "image 1: series.vary.cell_a: none of 1000 draws is from 1e-15 to 1e+15",
        ),
        (
            "beam_tilt_h=200",
            "200 is not allowed, it must be from -100 to 100",
        ),
        ("beam_tilt_v=uniform:-101,0", "it reaches -101"),
        (
            "beam_tilt_v=normal:1e9",
            "none of 1000 draws is from -100 to 100",
        ),
    ] {
        let said = refusal(&[words]);
        assert!(said.contains(message), "{words}: {said}");
    }
    let mut of_sources = varying(crystal(&[79.0]), &["wavelength=normal:1%"]);
    let sources = of_sources.resolve().unwrap().experiment.sources;
    of_sources.beam.sources = SourcesSpec::List(sources);
    let said = shot(&of_sources, 1).unwrap_err().to_string();
    assert!(said.contains("wavelengths of their own"), "{said}");
    let mut uneven = varying(crystal(&[79.0]), &["N=choice:3"]);
    uneven.crystal.cells = [3, 4, 5];
    let said = shot(&uneven, 1).unwrap_err().to_string();
    assert!(said.contains("vary Na, Nb or Nc"), "{said}");
}

#[test]
fn a_cell_that_no_crystal_has_is_refused_with_image_and_values() {
    let cell = [79.0, 80.0, 38.0, 80.0, 60.0, 70.0];
    let spec = varying(crystal(&cell), &["cell_alpha=between:80,180", "N=4"]);
    let errors = (1..40).filter_map(|number| Some((number, shot(&spec, number).err()?)));
    let errors: Vec<(u32, Error)> = errors.collect();
    assert!((1..39).contains(&errors.len()));
    for (number, error) in errors {
        let said = error.to_string();
        assert!(
            said.starts_with(&format!("image {number} would have cell_alpha ")),
            "{said}"
        );
        assert!(said.contains(", N 4: "), "{said}");
    }
}

#[test]
fn a_file_says_what_varies() {
    let text = "[series]\ncrystal_system = \"triclinic\"\n[series.vary]\ncell_a = { normal = \"0.5 %\" }\n\
                fluence = { lognormal = 0.3 }\nwavelength = { uniform = [\"-0.1 %\", 0.001] }\nN = 12\n\
                Nb = { choice = [1, 2.0] }\nbeam_tilt_h = { between = [-1, 1] }\n";
    let spec = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml).unwrap();
    let expected = VariationSpec {
        crystal_system: Some(CrystalSystem::Triclinic),
        vary: vary(&[
            "cell_a=normal:0.5%",
            "fluence=lognormal:0.3",
            "wavelength=uniform:-0.1%,0.001",
            "N=12",
            "Nb=choice:1,2",
            "beam_tilt_h=between:-1,1",
        ]),
    };
    assert_eq!(spec.series, expected);
    for name in ["b.toml", "b.json"] {
        let path = std::path::Path::new(name);
        let written = spec.to_text(path).unwrap();
        let again = ExperimentSpec::parse(&written, name, FileLanguage::of(path)).unwrap();
        assert_eq!(again.series, expected, "{written}");
    }
    for distribution in expected.vary.values() {
        let again: Distribution = distribution.to_string().parse().unwrap();
        assert_eq!(again, *distribution);
    }
    for (line, message) in [
        (
            "cell = 3",
            "a.toml:2: series.vary.cell: \"cell\" cannot vary; there are cell_a, cell_b,",
        ),
        ("N = { gamma = 3 }", "series.vary.N"),
        ("N = {}", "needs one of normal, lognormal,"),
        ("N = { choice = [1], between = [1, 2] }", "needs one of"),
        (
            "N = { normal = \"3 A\" }",
            "expected a number, or a text such as",
        ),
        ("N = \"3\"", "a number, or a distribution such as"),
    ] {
        let text = format!("[series.vary]\n{line}\n");
        let said = ExperimentSpec::parse(&text, "a.toml", FileLanguage::Toml).unwrap_err();
        assert!(said.to_string().contains(message), "{line}: {said}");
    }
}

#[test]
fn a_single_image_takes_values_and_no_distribution() {
    let spec = varying(crystal(&[79.0]), &["cell_a=75", "N=7"]);
    let single = spec.of_single_image().unwrap();
    assert_eq!(single.crystal.cell.unwrap().lengths_angstrom, [75.0; 3]);
    assert_eq!(single.crystal.cells, [7; 3]);
    assert!(single.series.vary.is_empty());
    let refused = varying(crystal(&[79.0]), &["N=between:3,4"]).of_single_image();
    let said = refused.unwrap_err().to_string();
    assert!(
        said.starts_with("series.vary.N: an image that is not one of a series"),
        "{said}"
    );
}

/// Each image has the spectrum of the column that was drawn for it, or of a seed of its own.
#[test]
fn each_image_has_a_spectrum_of_its_own() {
    let mut spec = crystal(&[70.0]);
    let spectrum = |from, column| {
        Some(SpectrumSpec {
            from,
            steps: None,
            window_ev: None,
            column,
        })
    };
    let rows = vec![
        vec![12_000.0, 1.0, 0.0, 3.0],
        vec![12_400.0, 1.0, 2.0, 0.0],
        vec![12_500.0, 0.0, 1.0, 1.0],
    ];
    spec.beam.spectrum = spectrum(SpectrumFrom::Lines(rows), Some(1));
    let measured = varying(spec.clone(), &["spectrum_column=choice:1,2,3"]);
    let mut seen = [false; 3];
    for number in 1..=12 {
        let frame = shot(&measured, number).unwrap();
        let column = value(&frame, "spectrum_column");
        seen[column as usize - 1] = true;
        let sources = frame.spec.resolve().unwrap().experiment.sources;
        let weights: Vec<f64> = sources.iter().map(|source| source.weight).collect();
        // The mean is 1, and lines without photons are left out.
        let expected: &[f64] = match column as u32 {
            1 => &[1.0, 1.0],
            2 => &[4.0 / 3.0, 2.0 / 3.0],
            _ => &[1.5, 0.5],
        };
        assert_eq!(weights.len(), expected.len());
        for (weight, expected) in weights.iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-12, "{column}: {weights:?}");
        }
    }
    assert_eq!(seen, [true; 3]);
    let beyond = shot(&varying(spec, &["spectrum_column=4"]), 1).unwrap();
    let error = beyond.spec.resolve().unwrap_err().to_string();
    assert!(
        error.contains("no column 4 of weights; it has 3"),
        "{error}"
    );

    let mut spiky = crystal(&[70.0]);
    let named = SpectrumFrom::Named("sase:0.5%,0.05%,7".parse().unwrap());
    spiky.beam.spectrum = spectrum(named, None);
    let spiky = varying(spiky, &["sase_seed=between:1,100000"]);
    let weights = |number| {
        let frame = shot(&spiky, number).unwrap();
        let sources = frame.spec.resolve().unwrap().experiment.sources;
        sources
            .iter()
            .map(|source| source.weight)
            .collect::<Vec<_>>()
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
    let no_table = shot(&varying(crystal(&[70.0]), &["spectrum_column=2"]), 1);
    assert!(matches!(no_table, Err(Error::Variation { .. })));
}

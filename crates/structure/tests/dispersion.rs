//! f' and f'' against published tables, and structure factors at several energies against other sums.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use nanobragg_structure::{
    Correction, Dispersion, DispersionCurve, Displacement, Element, Error, FactorParts, FactorSpec,
    FormFactor, Model, StructureFactor, StructureFactors, Summation, dispersion_at, read,
};

/// Element, energy in eV, and f' and f'' of two tables, 30 and 100 eV from the edge on both sides.
///
/// # Source
/// The first pair: Sasaki, KEK Report 88-14 (1989), as in cctbx. The second: the method of Cromer and Liberman, Acta Cryst.
/// A37 (1981) 267, with the correction of Kissel and Pratt, by gemmi 0.7.5.
#[rustfmt::skip]
const AT_EDGES: [(&str, f64, [f64; 2], [f64; 2]); 24] = [
    // The K edges at 7112, 9659, 12658 and 13474 eV.
    ("Fe", 7012.0, [-3.991, 0.480], [-3.932, 0.480]),
    ("Fe", 7082.0, [-5.232, 0.471], [-5.200, 0.471]),
    ("Fe", 7142.0, [-5.189, 3.918], [-5.123, 3.918]),
    ("Fe", 7212.0, [-3.789, 3.842], [-3.730, 3.841]),
    ("Zn", 9559.0, [-4.209, 0.496], [-4.145, 0.496]),
    ("Zn", 9629.0, [-5.458, 0.489], [-5.402, 0.489]),
    ("Zn", 9689.0, [-5.416, 3.873], [-5.338, 3.872]),
    ("Zn", 9759.0, [-4.056, 3.816], [-3.985, 3.815]),
    ("Se", 12558.0, [-4.406, 0.506], [-4.322, 0.506]),
    ("Se", 12628.0, [-5.630, 0.501], [-5.565, 0.501]),
    ("Se", 12688.0, [-5.628, 3.825], [-5.507, 3.824]),
    ("Se", 12758.0, [-4.291, 3.780], [-4.190, 3.780]),
    ("Br", 13374.0, [-4.454, 0.509], [-4.363, 0.509]),
    ("Br", 13444.0, [-5.672, 0.504], [-5.602, 0.504]),
    ("Br", 13504.0, [-5.670, 3.806], [-5.540, 3.805]),
    ("Br", 13574.0, [-4.346, 3.764], [-4.237, 3.764]),
    // The L3 edges at 11564 and 12284 eV.
    ("Pt", 11464.0, [-12.478, 3.925], [-11.717, 3.925]),
    ("Pt", 11534.0, [-14.839, 3.887], [-14.125, 3.886]),
    ("Pt", 11594.0, [-14.853, 10.153], [-14.042, 10.152]),
    ("Pt", 11664.0, [-12.381, 10.049], [-11.604, 10.048]),
    ("Hg", 12184.0, [-12.506, 3.957], [-11.707, 3.957]),
    ("Hg", 12254.0, [-14.845, 3.921], [-14.081, 3.920]),
    ("Hg", 12314.0, [-14.891, 10.143], [-14.024, 10.142]),
    ("Hg", 12384.0, [-12.413, 10.044], [-11.583, 10.043]),
];

/// How far f' may be outside the range of the two tables, in electrons. They differ by 0.1 for the K edges, as other
/// tables do.
const REAL: f64 = 0.1;

/// How far f'' may be from both, relative: measured values scatter by as much.
const IMAGINARY: f64 = 0.035;

/// Below an edge f'' has the tail of the width of the level, which the two tables leave out; at 30 eV it is 0.17.
const TAIL: f64 = 0.17;

/// f' and f'' at the K alpha lines of copper (8047.8 eV) and molybdenum (17479.3 eV).
///
/// # Source
/// International Tables for Crystallography, Volume C (1992), Table 4.2.6.8, compared digit by digit with the copy in
/// CRYSTALS (ChemCryst/crystals, `script/scatt.sda`, whose head names that table).
#[rustfmt::skip]
const AT_LINES: [(&str, [f64; 2], [f64; 2]); 7] = [
    ("S", [0.3331, 0.5567], [0.1246, 0.1234]),
    ("Fe", [-1.1336, 3.1974], [0.3463, 0.8444]),
    ("Zn", [-1.5491, 0.6778], [0.2839, 1.4301]),
    ("Se", [-0.7943, 1.1372], [-0.0929, 2.2259]),
    ("Br", [-0.6763, 1.2805], [-0.2901, 2.4595]),
    ("Pt", [-4.5932, 6.9264], [-1.7033, 8.3905]),
    ("Hg", [-4.2923, 7.6849], [-2.3894, 9.2266]),
];

/// The largest difference of f' from those, in electrons: the tables treat relativity in different ways, by
/// 0.2 electrons for platinum and mercury.
const AT_LINES_REAL: f64 = 0.22;

/// The same for f'', relative.
const AT_LINES_IMAGINARY: f64 = 0.02;

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

#[test]
fn at_six_edges_the_table_is_as_published() {
    for (row, (symbol, energy_ev, sasaki, cromer)) in AT_EDGES.into_iter().enumerate() {
        let found = dispersion_at(element(symbol), energy_ev).unwrap();
        let (low, high) = (sasaki[0].min(cromer[0]), sasaki[0].max(cromer[0]));
        assert!(
            (low - REAL..=high + REAL).contains(&found.real),
            "{symbol} {energy_ev}: f' {}, published {low} to {high}",
            found.real
        );
        let off = (found.imaginary - cromer[1]).abs();
        // Of four rows the first two are below the edge.
        let tail = if row % 4 < 2 { TAIL } else { 0.0 };
        assert!(
            off <= IMAGINARY * cromer[1] + tail,
            "{symbol} {energy_ev}: f'' {}, published {}",
            found.imaginary,
            cromer[1]
        );
    }
}

#[test]
fn at_k_alpha_lines_the_table_is_as_in_international_tables() {
    for (symbol, copper, molybdenum) in AT_LINES {
        for (energy_ev, [real, imaginary]) in [(8047.8, copper), (17_479.3, molybdenum)] {
            let found = dispersion_at(element(symbol), energy_ev).unwrap();
            assert!(
                (found.real - real).abs() < AT_LINES_REAL,
                "{symbol} {found:?}"
            );
            assert!(
                (found.imaginary / imaginary - 1.0).abs() < AT_LINES_IMAGINARY,
                "{symbol} {found:?}"
            );
        }
    }
}

#[test]
fn the_step_of_f2_is_at_the_edge() {
    // Bearden and Burr, Rev. Mod. Phys. 39 (1967) 125.
    for (symbol, edge_ev) in [
        ("Fe", 7112.0),
        ("Zn", 9658.6),
        ("Se", 12_657.8),
        ("Br", 13_473.7),
    ] {
        let imaginary =
            |energy_ev: f64| dispersion_at(element(symbol), energy_ev).unwrap().imaginary;
        let real = |energy_ev: f64| dispersion_at(element(symbol), energy_ev).unwrap().real;
        assert!(imaginary(edge_ev + 10.0) > 5.0 * imaginary(edge_ev - 10.0));
        let lowest = (-400..=400).map(|tenths| edge_ev + f64::from(tenths) * 0.1);
        let lowest = lowest.min_by(|a, b| real(*a).total_cmp(&real(*b))).unwrap();
        assert!((lowest - edge_ev).abs() < 4.0, "{symbol} {lowest}");
    }
}

#[test]
fn energies_and_elements_outside_the_table_are_errors() {
    let iron = element("Fe");
    for energy_ev in [1500.0, 71_000.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = dispersion_at(iron, energy_ev).unwrap_err();
        assert!(matches!(error, Error::EnergyOutside { .. }));
        let text = error.to_string();
        assert!(
            text.contains("Fe") && text.contains("1982") && text.contains("70563"),
            "{text}"
        );
    }
    assert!(dispersion_at(iron, 2000.0).is_ok() && dispersion_at(iron, 70_000.0).is_ok());
    let error = dispersion_at(element("Pu"), 9000.0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Pu"), "{error}");
}

#[test]
fn curves_that_are_none_are_errors_with_their_line() {
    let message = |text: &str| {
        let error = DispersionCurve::parse(element("Fe"), text.as_bytes(), "Fe.dat").unwrap_err();
        error.to_string()
    };
    for (text, expected) in [
        ("", "Fe.dat: 0 rows"),
        ("7100 -6 0.5\n", "Fe.dat: 1 rows"),
        ("7100 -6 0.5\n7100 -6 0.5\n", "Fe.dat:2: the energy 7100 eV"),
        ("7100 -6 0.5\n\n7110 x 0.5\n", "Fe.dat:3: found `x`"),
        ("7100 -6\n", "Fe.dat:1: found ``, expected f''"),
        ("nan -6 1\n", "Fe.dat:1: found `nan`"),
        ("7100 -6 1e9\n", "Fe.dat:1: found `1e9`"),
    ] {
        assert!(
            message(text).starts_with(expected),
            "{text}: {}",
            message(text)
        );
    }
}

#[test]
fn a_curve_is_read_with_commas_and_comments() {
    let text = "# eV, f', f''\n7100, -6.0, 0.5, 1\n7110\t-8.0\t0.0 # edge\r\n7120 -6 4\n";
    let curve = DispersionCurve::parse(element("Fe"), text.as_bytes(), "Fe.dat").unwrap();
    assert_eq!(
        curve.at(7110.0).unwrap(),
        Correction {
            real: -8.0,
            imaginary: 0.0
        }
    );
    let between = curve.at(7105.0).unwrap();
    assert!((between.real + 7.0).abs() < 1e-3 && (between.imaginary - 0.25).abs() < 1e-3);
}

/// Two iron atoms and some others, general positions.
const IRON: &str = "\
CRYST1   14.000   17.000   21.000  90.00  90.00  90.00 P 21 21 21    4
HETATM    1 FE   FE  A   1       3.100   4.700   2.300  1.00 12.00          FE
HETATM    2 FE   FE  A   2       5.600   6.100   3.900  0.80 18.00          FE
HETATM    3  S   S   A   3       4.900   4.100   4.100  1.00 15.00           S
HETATM    4  O   HOH A   4      11.200   9.300  15.700  1.00 25.00           O
HETATM    5  C   C   A   5       8.700  12.100   9.900  1.00 20.00           C
END
";

/// The form factors of gemmi are the same table in single precision.
const GEMMI: f64 = 2e-4;

/// Complex sums against each other.
const ROUNDING: f64 = 1e-9;

/// The map against the direct sum, of the sum of all amplitudes.
const MAP_R: f64 = 3e-4;

fn iron() -> Model {
    read::parse(IRON.as_bytes(), "iron.pdb", &read::Given::default())
        .unwrap()
        .model
}

fn spec(method: Summation) -> FactorSpec {
    FactorSpec {
        dmin_a: 1.8,
        solvent: None,
        method,
        ..FactorSpec::default()
    }
}

fn parts(method: Summation) -> FactorParts {
    FactorParts::new(&iron(), &spec(method), &[element("Fe"), element("S")]).unwrap()
}

fn corrections(iron: [f64; 2], sulphur: [f64; 2]) -> Dispersion {
    [("Fe", iron), ("S", sulphur)]
        .map(|(symbol, [real, imaginary])| (element(symbol), Correction { real, imaginary }))
        .into()
}

fn at(factors: &StructureFactors, hkl: [i32; 3]) -> StructureFactor {
    *factors
        .list
        .iter()
        .find(|factor| factor.hkl.0 == hkl)
        .unwrap()
}

#[test]
fn at_two_energies_factors_are_those_of_gemmi() {
    // StructureFactorCalculatorX of gemmi 0.7.5, whose addends are f' of Fe and S.
    let parts = parts(Summation::Direct);
    for (iron, sulphur, expected) in [
        (
            -5.5,
            0.2,
            [
                ([1, 2, 3], -36.424_139_56, -15.968_991_58),
                ([4, 0, 1], 0.0, -28.203_371_82),
                ([-3, 5, 2], 1.954_706_42, -3.808_609_67),
                ([6, 1, 7], -2.654_750_14, -5.971_996_80),
            ],
        ),
        (
            -8.0,
            0.25,
            [
                ([1, 2, 3], -31.445_867_03, -14.315_406_63),
                ([4, 0, 1], 0.0, -22.956_303_91),
                ([-3, 5, 2], -1.240_430_22, -3.760_185_96),
                ([6, 1, 7], -2.801_931_98, -6.212_784_67),
            ],
        ),
    ] {
        let factors = parts.at(&corrections([iron, 0.0], [sulphur, 0.0]));
        for (hkl, real, imaginary) in expected {
            let found = at(&factors, hkl);
            let off = (found.real - real).hypot(found.imaginary - imaginary);
            assert!(off < GEMMI, "{hkl:?} {found:?} {real} {imaginary}");
        }
    }
}

/// `|sum f exp(2 pi i h.x)|` over all atoms of P 21 21 21, as the International Tables print its positions.
fn written_out(model: &Model, dispersion: &Dispersion, hkl: [i32; 3]) -> f64 {
    let [mut real, mut imaginary] = [0.0; 2];
    let [h, k, l] = hkl.map(f64::from);
    let s_squared = (h / 14.0).powi(2) + (k / 17.0).powi(2) + (l / 21.0).powi(2);
    for atom in &model.atoms {
        let [x, y, z] = atom.position;
        let Displacement::Isotropic { b_a2 } = atom.displacement else {
            unreachable!("all atoms are isotropic");
        };
        let motion = atom.occupancy * (-b_a2 * s_squared / 4.0).exp();
        let correction = dispersion.get(&atom.element).copied().unwrap_or_default();
        let f = FormFactor::of(atom.element, 0).at(s_squared) + correction.real;
        let images = [
            [x, y, z],
            [0.5 - x, -y, 0.5 + z],
            [-x, 0.5 + y, 0.5 - z],
            [0.5 + x, 0.5 - y, -z],
        ];
        for [x, y, z] in images {
            let (sin, cos) = (TAU * (h * x + k * y + l * z)).sin_cos();
            real += motion * (f * cos - correction.imaginary * sin);
            imaginary += motion * (f * sin + correction.imaginary * cos);
        }
    }
    real.hypot(imaginary)
}

#[test]
fn both_mates_are_the_sum_over_all_atoms_at_each_energy() {
    let model = iron();
    let parts = parts(Summation::Direct);
    for energy_ev in [6500.0, 7100.0, 7130.0, 12_000.0] {
        let dispersion: Dispersion = ["Fe", "S"]
            .map(|symbol| {
                (
                    element(symbol),
                    dispersion_at(element(symbol), energy_ev).unwrap(),
                )
            })
            .into();
        let factors = parts.at(&dispersion);
        let mut most = 0.0_f64;
        for factor in &factors.list {
            let expected = written_out(&model, &dispersion, factor.hkl.0);
            assert!(
                (factor.amplitude() - expected).abs() < ROUNDING,
                "{factor:?} {expected}"
            );
            let mate = written_out(&model, &dispersion, factor.hkl.0.map(|index| -index));
            most = most.max((expected - mate).abs());
        }
        // Mates differ more above the edge, where f'' is 3.9 instead of 0.5 electrons.
        let is_above = energy_ev > 7112.0;
        assert!(
            if is_above {
                most > 2.0
            } else {
                most < 2.5 && most > 0.1
            },
            "{energy_ev} {most}"
        );
    }
}

#[test]
fn slopes_of_amplitudes_are_those_of_the_sum_over_all_atoms() {
    /// Electrons; the quotient of second order is then good to 1e-8.
    const STEP: f64 = 1e-3;
    let model = iron();
    let parts = parts(Summation::Direct);
    let at = corrections([-5.0, 3.0], [0.3, 0.6]);
    for (iron, sulphur) in [
        ([1.0, 0.0], [0.0; 2]),
        ([0.0, 1.0], [0.0; 2]),
        ([0.3, 0.5], [1.0, -2.0]),
    ] {
        let moved = |by: f64| {
            let [a, b] = [iron, sulphur].map(|rates| rates.map(|rate| rate * by));
            corrections([-5.0 + a[0], 3.0 + a[1]], [0.3 + b[0], 0.6 + b[1]])
        };
        for slope in parts.slopes(&at, &corrections(iron, sulphur)) {
            let [above, below] =
                [STEP, -STEP].map(|by| written_out(&model, &moved(by), slope.hkl.0));
            let quotient = (above - below) / (2.0 * STEP);
            // Near an absence the amplitude has a kink.
            if above.min(below) > 0.5 {
                assert!(
                    (slope.amplitude - quotient).abs() < 1e-4,
                    "{slope:?} {quotient}"
                );
            }
        }
    }
}

#[test]
fn slopes_of_a_curve_are_its_difference_quotients() {
    for (symbol, energy_ev) in [
        ("Fe", 7000.3),
        ("Fe", 7113.7),
        ("Se", 12_661.9),
        ("S", 2520.4),
    ] {
        let curve = DispersionCurve::of(element(symbol)).unwrap();
        let slope = curve.slope_at(energy_ev).unwrap();
        let step_ev = 1e-4;
        let [above, below] = [step_ev, -step_ev].map(|by| curve.at(energy_ev + by).unwrap());
        for (slope, above, below) in [
            (slope.real, above.real, below.real),
            (slope.imaginary, above.imaginary, below.imaginary),
        ] {
            let quotient = (above - below) / (2.0 * step_ev);
            assert!(
                (slope - quotient).abs() < 1e-6 * slope.abs() + 1e-9,
                "{symbol} {slope} {quotient}"
            );
        }
    }
    let signed = b"7000 -4 -0.5\n7100 -6 1.5\n";
    let curve = DispersionCurve::parse(element("Fe"), signed, "Fe.dat").unwrap();
    // d/dE of ln(E/7000)/ln(7100/7000).
    let by_ev = 1.0 / (7050.0 * (7100.0_f64 / 7000.0).ln());
    let slope = curve.slope_at(7050.0).unwrap();
    assert!(
        (slope.real + 2.0 * by_ev).abs() < 1e-12 && (slope.imaginary - 2.0 * by_ev).abs() < 1e-12
    );
    assert!(curve.slope_at(7200.0).is_err());
}

#[test]
fn parts_add_up_to_the_factors_of_their_sum() {
    let model = iron();
    let dispersion = corrections([-7.0, 3.5], [0.3, 0.6]);
    let whole = |method| {
        let spec = FactorSpec {
            dispersion: dispersion.clone(),
            ..spec(method)
        };
        StructureFactors::new(&model, &spec).unwrap()
    };
    let exact = whole(Summation::Direct);
    let sum: f64 = exact.list.iter().map(StructureFactor::amplitude).sum();
    for (method, most) in [(Summation::Direct, ROUNDING), (Summation::Density, MAP_R)] {
        let found = parts(method).at(&dispersion);
        let pairs = found.list.iter().zip(&exact.list);
        let off = pairs.map(|(a, b)| (a.real - b.real).hypot(a.imaginary - b.imaginary));
        let off = off.sum::<f64>() / sum;
        assert!(off < most, "{method:?} {off}");
    }
    // Without corrections nothing is added.
    let without = parts(Summation::Density).at(&Dispersion::new());
    let plain = StructureFactors::new(&model, &spec(Summation::Density)).unwrap();
    assert_eq!(without, plain);
}

#[test]
fn corrections_of_other_elements_stay() {
    let given = corrections([-7.0, 3.5], [0.3, 0.6]);
    let spec = FactorSpec {
        dispersion: given.clone(),
        ..spec(Summation::Direct)
    };
    let iron_only = FactorParts::new(&iron(), &spec, &[element("Fe"), element("Zn")]).unwrap();
    assert_eq!(iron_only.elements().collect::<Vec<_>>(), [element("Fe")]);
    let found = at(&iron_only.at(&given), [1, 2, 3]);
    let expected = at(&StructureFactors::new(&iron(), &spec).unwrap(), [1, 2, 3]);
    assert!((found.real - expected.real).abs() < ROUNDING);
    assert!((found.imaginary - expected.imaginary).abs() < ROUNDING);
}

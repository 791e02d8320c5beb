//! Lattices, compared to the last bit with numbers from the C program.
//!
//! The numbers of each test come from the command line above it. They are printed with 17 digits.

use std::f64::consts::FRAC_PI_2;

use nanobragg_crystal::constants::DEGREES_PER_RADIAN;
use nanobragg_crystal::{CellSpec, Crystal, CrystalSpec, Lattice, Misset};

/// The orientation matrix of the golden cases.
const A_MATRIX: [[f64; 3]; 3] = [
    [0.01348081, 0.00414824, 0.00508424],
    [0.00433416, -0.01310868, 0.00149875],
    [0.00681334, 0.00013112, -0.01101303],
];

fn degrees(angles: [f64; 3]) -> Misset {
    Misset::Angles(angles.map(|angle| angle / DEGREES_PER_RADIAN))
}

/// Compares everything except the reciprocal volume, which the C program does not print.
fn assert_lattice(
    spec: &CrystalSpec,
    expected: &Lattice,
    angles_rad: [f64; 3],
    reciprocal_angles_rad: [f64; 3],
) {
    let crystal = Crystal::new(spec).expect("the C program accepts it");
    let found = crystal.lattice();
    let expected = Lattice {
        reciprocal_volume_per_a3: found.reciprocal_volume_per_a3,
        ..*expected
    };
    assert_eq!(*found, expected);
    assert_eq!(found.angles_rad(), angles_rad);
    assert_eq!(found.reciprocal_angles_rad(), reciprocal_angles_rad);
}

/// `-cell 100 100 100 90 90 90`
#[test]
fn a_cubic_cell_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[100.0, 100.0, 100.0, 90.0, 90.0, 90.0]).unwrap()),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [100.0, 6.123233995736767e-15, 6.123233995736766e-15],
                [-0.0, 100.0, 6.123233995736767e-15],
                [0.0, -0.0, 100.0],
            ],
            lengths_angstrom: [100.0, 100.0, 100.0],
            reciprocal_per_angstrom: [
                [0.010000000000000002, 0.0, 0.0],
                [-6.123233995736768e-19, 0.010000000000000002, 0.0],
                [
                    -6.123233995736768e-19,
                    -6.123233995736768e-19,
                    0.010000000000000002,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.010000000000000002,
                0.010000000000000002,
                0.010000000000000002,
            ],
            volume_a3: 999999.9999999999,
            reciprocal_volume_per_a3: 0.0,
        },
        [FRAC_PI_2, FRAC_PI_2, FRAC_PI_2],
        [1.5707963267948968, 1.5707963267948968, 1.5707963267948968],
    );
}

/// `-cell 70 80 90 75 85 95 -misset 15 25 35`
#[test]
fn a_triclinic_cell_with_missetting_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[70.0, 80.0, 90.0, 75.0, 85.0, 95.0]).unwrap()),
        misset: Some(degrees([15.0, 25.0, 35.0])),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [58.0644976458061, 29.35911605371188, -25.817753924089796],
                [-25.922981533488652, 66.45954611175115, 36.209498188105684],
                [43.45605249032953, 1.9918813331859428, 78.78834882590338],
            ],
            lengths_angstrom: [70.0, 80.0, 90.00000000000001],
            reciprocal_per_angstrom: [
                [
                    0.010718119747685346,
                    0.007504908242763631,
                    -0.006101359758805357,
                ],
                [
                    -0.004907691900715111,
                    0.011823595094838431,
                    0.002407941292214384,
                ],
                [
                    0.005767640088073417,
                    -0.0029746348847438935,
                    0.009588846273966016,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.014437047120668182,
                0.013026166820127217,
                0.011578432439187904,
            ],
            volume_a3: 481811.45573169854,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.309678644629504, 1.4837665797735444, 1.6582038856765877],
        [1.8419370548329987, 1.6847969946230328, 1.4565073791624201],
    );
}

/// `-mat A.mat -lambda 1.1`
#[test]
fn a_matrix_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        matrix: Some(A_MATRIX),
        wavelength_m: 1.1 / 1e10,
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [60.05089375435832, 19.30667726332392, 30.350324897876924],
                [24.135244299888694, -76.26863908465924, 0.762891924486996],
                [37.438540500200325, 11.036255463620353, -81.09601871339318],
            ],
            lengths_angstrom: [69.99999892181476, 79.99998330830931, 90.00004167002616],
            reciprocal_per_angstrom: [
                [
                    0.012255281818181814,
                    0.003940145454545453,
                    0.0061939454545454535,
                ],
                [
                    0.0037711272727272717,
                    -0.011916981818181816,
                    0.00011920000000000042,
                ],
                [0.004622036363636362, 0.0013625, -0.010011845454545452],
            ],
            reciprocal_lengths_per_angstrom: [
                0.014285714505754245,
                0.012500002608079064,
                0.011111105966665933,
            ],
            volume_a3: 504000.1204314329,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.5707962380979528, 1.5707962118026157, 1.5707957895023126],
        [1.5707964154917788, 1.57079644178713, 1.5707968640874705],
    );
}

/// `-mat A.mat -lambda 1.1 -cell 80 80 90 80 85 95`
#[test]
fn a_matrix_with_a_cell_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[80.0, 80.0, 90.0, 80.0, 85.0, 95.0]).unwrap()),
        matrix: Some(A_MATRIX),
        wavelength_m: 1.1 / 1e10,
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [68.62959391920116, 22.06477435508325, 34.686086131831146],
                [24.13524933561515, -76.26865499781921, 0.7628920836614796],
                [37.43852316615322, 11.036250353833234, -81.09598116593033],
            ],
            lengths_angstrom: [80.0, 79.99999999999999, 90.0],
            reciprocal_per_angstrom: [
                [
                    0.010990292092036908,
                    0.0035334437896256004,
                    0.005554606638796834,
                ],
                [
                    0.00386499543385463,
                    -0.012213610674373111,
                    0.0001221670398258104,
                ],
                [
                    0.004737087917491544,
                    0.0013964152983219622,
                    -0.010261059931862361,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.012811143594328283,
                0.012811143594328249,
                0.011387683194956874,
            ],
            volume_a3: 562010.7172311719,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.5707962380979528, 1.5707962118026157, 1.5707957895023126],
        [1.5707964176995761, 1.5707964446494576, 1.5707968774614818],
    );
}

/// `-mat A.mat -lambda 1.1 -misset 10 20 30`
#[test]
fn a_matrix_with_missetting_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        matrix: Some(A_MATRIX),
        wavelength_m: 1.1 / 1e10,
        misset: Some(degrees([10.0, 20.0, 30.0])),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [51.843895126237214, 45.801236584396904, 10.698463185611672],
                [53.56212953362417, -55.958355143074655, -19.99395155627235],
                [-5.095907862134745, 25.86853893829835, -86.0514841061142],
            ],
            lengths_angstrom: [69.99999892181478, 79.99998330830933, 90.00004167002618],
            reciprocal_per_angstrom: [
                [
                    0.010580382040380745,
                    0.009347196324378557,
                    0.0021833633900544304,
                ],
                [
                    0.008369081320593448,
                    -0.008743501352781227,
                    -0.0031240562007092865,
                ],
                [
                    -0.000629125450979669,
                    0.0031936436785432705,
                    -0.010623630124581217,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.014285714505754249,
                0.012500002608079066,
                0.011111105966665933,
            ],
            volume_a3: 504000.1204314329,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.5707962380979528, 1.5707962118026157, 1.5707957895023126],
        [1.5707964154917786, 1.5707964417871298, 1.5707968640874703],
    );
}

/// `-cell 70 80 90 75 85 95 -misset random -misset_seed 12345`
#[test]
fn a_random_orientation_of_a_cell_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[70.0, 80.0, 90.0, 75.0, 85.0, 95.0]).unwrap()),
        misset: Some(Misset::Random { seed: 12345 }),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [-12.123152572118089, -61.031719765915646, 32.06490845344622],
                [-35.07621113546826, 44.604731321800976, 56.39217459976162],
                [-87.72866947320809, -2.047078393458491, -19.987246496494787],
            ],
            lengths_angstrom: [69.99999999999999, 80.0, 90.0],
            reciprocal_per_angstrom: [
                [
                    -0.0016107681717049472,
                    -0.011723024135837342,
                    0.008270698916777884,
                ],
                [
                    -0.0026680465834865172,
                    0.006341319115243253,
                    0.011061203430584738,
                ],
                [
                    -0.010111752150410365,
                    -0.000915429795533379,
                    -0.005565478819199647,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.01443704712066818,
                0.013026166820127215,
                0.011578432439187906,
            ],
            volume_a3: 481811.45573169854,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.309678644629504, 1.4837665797735444, 1.6582038856765877],
        [1.841937054832999, 1.6847969946230328, 1.4565073791624203],
    );
}

/// `-mat A.mat -lambda 1.1 -misset random -misset_seed 54321`
#[test]
fn a_random_orientation_of_a_matrix_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        matrix: Some(A_MATRIX),
        wavelength_m: 1.1 / 1e10,
        misset: Some(Misset::Random { seed: 54321 }),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [-32.78027029667236, 49.21529767811855, -37.46075550206305],
                [65.82634814201595, 45.416127456665535, 2.065087517708267],
                [28.976105720627547, -38.542685131360315, -75.99246160467682],
            ],
            lengths_angstrom: [69.99999892181478, 79.99998330830933, 90.00004167002618],
            reciprocal_per_angstrom: [
                [
                    -0.006689858131648474,
                    0.010043934957119484,
                    -0.007645051189853953,
                ],
                [
                    0.010285373977348666,
                    0.0070962686291654,
                    0.0003226745896183119,
                ],
                [
                    0.003577293477383889,
                    -0.004758353240614447,
                    -0.00938177603743982,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.014285714505754247,
                0.012500002608079066,
                0.011111105966665934,
            ],
            volume_a3: 504000.1204314329,
            reciprocal_volume_per_a3: 0.0,
        },
        [1.5707962380979528, 1.5707962118026155, 1.5707957895023126],
        [1.5707964154917786, 1.5707964417871298, 1.5707968640874705],
    );
}

/// `-cell 61 61 97 90 90 120`
#[test]
fn a_hexagonal_cell_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[61.0, 61.0, 97.0, 90.0, 90.0, 120.0]).unwrap()),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [
                    52.82754963085077,
                    -30.499999999999996,
                    3.735172737399427e-15,
                ],
                [-0.0, 61.00000000000001, 3.735172737399429e-15],
                [0.0, 0.0, 97.0],
            ],
            lengths_angstrom: [61.00000000000001, 61.00000000000001, 97.0],
            reciprocal_per_angstrom: [
                [0.018929517022610687, 0.0, -0.0],
                [0.00946475851130534, 0.016393442622950824, -0.0],
                [
                    -1.0933765347679455e-18,
                    -6.31261236673894e-19,
                    0.010309278350515469,
                ],
            ],
            reciprocal_lengths_per_angstrom: [
                0.018929517022610687,
                0.018929517022610684,
                0.010309278350515469,
            ],
            volume_a3: 312580.6111657439,
            reciprocal_volume_per_a3: 0.0,
        },
        [FRAC_PI_2, FRAC_PI_2, 2.0943951023931953],
        [1.5707963267948968, 1.5707963267948968, 1.0471975511965976],
    );
}

/// `-cell 40 50 60 90 110 90 -misset 0 0 90`
#[test]
fn a_monoclinic_cell_gives_the_lattice_of_the_c_program() {
    let spec = CrystalSpec {
        cell: Some(CellSpec::from_values(&[40.0, 50.0, 60.0, 90.0, 110.0, 90.0]).unwrap()),
        misset: Some(degrees([0.0, 0.0, 90.0])),
        ..CrystalSpec::default()
    };
    assert_lattice(
        &spec,
        &Lattice {
            direct_angstrom: [
                [-9.85418225374404e-16, 37.58770483143634, -13.68080573302675],
                [
                    -50.000000000000014,
                    3.0616169978683834e-15,
                    3.0616169978683842e-15,
                ],
                [0.0, -0.0, 60.00000000000001],
            ],
            lengths_angstrom: [40.00000000000001, 50.000000000000014, 60.00000000000001],
            reciprocal_per_angstrom: [
                [1.6290523784829829e-18, 0.026604444311897815, 0.0],
                [-0.02, -5.243300860180498e-19, 0.0],
                [
                    1.3919848179386422e-18,
                    0.006066170571103375,
                    0.01666666666666667,
                ],
            ],
            reciprocal_lengths_per_angstrom: [0.026604444311897815, 0.02, 0.01773629620793187],
            volume_a3: 112763.11449430902,
            reciprocal_volume_per_a3: 0.0,
        },
        [FRAC_PI_2, 1.9198621771937625, FRAC_PI_2],
        [1.5707963267948968, 1.2217304763960304, 1.5707963267948968],
    );
}

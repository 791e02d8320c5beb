//! Distributions of domains, against closed forms.

use nanobragg_geometry::rotation::IDENTITY;
use nanobragg_geometry::vector::{dot, norm, scale, sub};

use super::draw::axis_rotation;
use super::*;

/// An orthogonal cell with edges of different lengths, turned out of the axes of the laboratory.
fn orthogonal() -> DirectBasis {
    DirectBasis::from_vectors([[5e-9, 0.0, 0.0], [0.0, 6e-9, 0.0], [0.0, 0.0, 7e-9]])
        .rotated_by(&axis_rotation([0.6, 0.0, 0.8], 0.7))
}

fn new(spec: &MosaicSpec) -> Result<(Mosaic, Option<Warning>), Error> {
    Mosaic::new(spec, &orthogonal())
}

fn spec(spread_rad: Option<f64>, domains: Option<i64>) -> MosaicSpec {
    MosaicSpec {
        spread_rad,
        domains,
        ..MosaicSpec::default()
    }
}

fn count(spread_rad: Option<f64>, domains: Option<i64>) -> usize {
    new(&spec(spread_rad, domains)).unwrap().0.domains().len()
}

#[test]
fn the_number_of_domains_follows_the_table() {
    assert_eq!(count(None, None), 1);
    assert_eq!(count(None, Some(7)), 1);
    assert_eq!(count(Some(0.0), None), 1);
    assert_eq!(count(Some(0.0), Some(7)), 1);
    assert_eq!(count(Some(0.01), None), 10);
    assert_eq!(count(Some(0.01), Some(7)), 7);
    assert_eq!(count(Some(0.01), Some(0)), 10);
    assert_eq!(count(Some(-1.0), None), 1);
}

#[test]
fn the_first_domain_is_aligned() {
    let (mosaic, _) = new(&spec(Some(0.01), None)).unwrap();
    assert_eq!(mosaic.domains()[0], IDENTITY);
    assert_ne!(mosaic.domains()[1], IDENTITY);
}

#[test]
fn domains_are_a_prefix_of_a_longer_list() {
    let (short, _) = new(&spec(Some(0.02), Some(3))).unwrap();
    let (long, _) = new(&spec(Some(0.02), Some(9))).unwrap();
    assert_eq!(short.domains(), &long.domains()[..3]);
}

#[test]
fn turns_give_the_domains_that_were_drawn() {
    let (mosaic, _) = new(&spec(Some(0.02), Some(5))).unwrap();
    let turns = DomainTurn::of_domains(MosaicSpec::default().seed, 5);
    let drawn: Vec<_> = turns
        .iter()
        .map(|turn| turn.rotation_near(0.02, 0.02))
        .collect();
    assert_eq!(drawn, mosaic.domains());
}

#[test]
fn absurd_numbers_are_refused() {
    assert!(new(&spec(Some(0.01), Some(i64::MAX))).is_err());
    assert!(new(&spec(Some(f64::NAN), None)).is_err());
    assert!(new(&spec(Some(f64::INFINITY), None)).is_err());
}

#[test]
fn a_rotation_about_z_is_the_textbook_one() {
    let [x, y, z] = axis_rotation([0.0, 0.0, 1.0], 0.5);
    assert_eq!(x, [0.5_f64.cos(), -0.5_f64.sin(), 0.0]);
    assert_eq!(y, [0.5_f64.sin(), 0.5_f64.cos(), 0.0]);
    assert_eq!(z, [0.0, 0.0, 1.0]);
}

const MODELS: [MosaicModel; 2] = [MosaicModel::Cap, MosaicModel::Gaussian];
const SAMPLINGS: [MosaicSampling; 3] = [
    MosaicSampling::Random,
    MosaicSampling::Pairs,
    MosaicSampling::Even,
];

/// A narrow spread, so that sines are their angles to 1e-5.
const NARROW_RAD: f64 = 0.005;

fn of(model: MosaicModel, sampling: MosaicSampling, domains: i64) -> MosaicSpec {
    MosaicSpec {
        model: Some(model),
        sampling: Some(sampling),
        ..spec(Some(NARROW_RAD), Some(domains))
    }
}

fn domains(spec: &MosaicSpec) -> Vec<[[f64; 3]; 3]> {
    new(spec).unwrap().0.domains().to_vec()
}

/// Axis times angle of a rotation by a small angle.
fn turn([x, y, z]: [[f64; 3]; 3]) -> [f64; 3] {
    let twice_sine = [z[1] - y[2], x[2] - z[0], y[0] - x[1]];
    let sine = 0.5 * norm(twice_sine);
    let stretch = if sine > 0.0 { sine.asin() / sine } else { 1.0 };
    scale(0.5 * stretch, twice_sine)
}

/// The mean of `f` over the domains.
fn mean(spec: &MosaicSpec, f: impl Fn([f64; 3]) -> f64) -> f64 {
    let domains = domains(spec);
    domains.iter().map(|rows| f(turn(*rows))).sum::<f64>() / domains.len() as f64
}

#[test]
fn angles_have_the_moments_of_their_distribution() {
    // sqrt(pi)/2 Gamma(5/3)/Gamma(13/6) and sqrt(pi)/2 Gamma(4/3)/Gamma(11/6), and those of a half normal.
    let cap = [0.841309, 0.739174];
    let gaussian = [(2.0 / std::f64::consts::PI).sqrt(), 1.0];
    for (model, expected) in MODELS.into_iter().zip([cap, gaussian]) {
        for (sampling, within) in SAMPLINGS.into_iter().zip([0.02, 0.02, 2e-3]) {
            let spec = of(model, sampling, 20_000);
            for (power, expected) in (1..).zip(expected) {
                let moment = mean(&spec, |turn| (norm(turn) / NARROW_RAD).powi(power));
                assert!(
                    (moment / expected - 1.0).abs() < within,
                    "{model:?} {sampling:?} {power}: {moment}"
                );
            }
            // One third of the square is about each direction.
            let along = mean(&spec, |turn| dot(turn, [0.6, 0.0, 0.8]).powi(2));
            let ratio = along / NARROW_RAD.powi(2) / (expected[1] / 3.0);
            assert!(
                (ratio - 1.0).abs() < 2.0 * within,
                "{model:?} {sampling:?}: {ratio}"
            );
        }
    }
}

#[test]
fn pairs_turn_back_and_forth() {
    for model in MODELS {
        for sampling in [MosaicSampling::Pairs, MosaicSampling::Even] {
            let all = domains(&of(model, sampling, 11));
            assert_eq!(all[0], IDENTITY);
            for pair in all[1..].chunks(2) {
                let product = transposed(&pair[0]).map(|column| rotate_by(&pair[1], column));
                let off = (product.as_flattened().iter()).zip(IDENTITY.as_flattened());
                assert!(off.fold(0.0, |most, (x, y)| (x - y).abs().max(most)) < 1e-15);
            }
            // The mean is the identity but for the second order, the mean of 1 - cos.
            let mean = [0, 1, 2].map(|i| {
                [0, 1, 2]
                    .map(|j| all.iter().map(|rows| rows[i][j]).sum::<f64>() / 11.0 - IDENTITY[i][j])
            });
            assert!(
                mean.as_flattened()
                    .iter()
                    .all(|x| x.abs() < 4.0 * NARROW_RAD.powi(2))
            );
            assert!(
                [(0, 1), (0, 2), (1, 2)]
                    .iter()
                    .all(|&(i, j)| (mean[i][j] - mean[j][i]).abs() < 1e-16)
            );
        }
    }
}

#[test]
fn equal_widths_about_three_axes_are_one_width() {
    let oblique =
        DirectBasis::from_vectors([[5e-9, 0.0, 0.0], [-2e-9, 6e-9, 0.0], [1e-9, 2e-9, 7e-9]]);
    let one = of(MosaicModel::Gaussian, MosaicSampling::Random, 50);
    let three = MosaicSpec {
        spread_rad: None,
        spread_abc_rad: Some([NARROW_RAD; 3]),
        ..one.clone()
    };
    let all = |spec| Mosaic::new(spec, &oblique).unwrap().0.domains().to_vec();
    for (x, y) in all(&one)
        .as_flattened()
        .as_flattened()
        .iter()
        .zip(all(&three).as_flattened().as_flattened())
    {
        assert!((x - y).abs() < 1e-15, "{x} {y}");
    }
}

#[test]
fn widths_about_three_axes_have_their_second_moments() {
    // With two equal widths w and another v, k = w^2/v^2 - 1: the mean square about the other axis is the
    // integral of z^2 / ((1 - z^2)/w^2 + z^2/v^2) over z from 0 to 1.
    for (w, v) in [(0.006, 0.002), (0.002, 0.006)] {
        let spec = MosaicSpec {
            spread_rad: None,
            spread_abc_rad: Some([w, w, v]),
            ..of(MosaicModel::Gaussian, MosaicSampling::Even, 20_000)
        };
        let k: f64 = w * w / (v * v) - 1.0;
        let root = k.abs().sqrt();
        let turned = if k > 0.0 { root.atan() } else { root.atanh() };
        let expected_c = w * w / k * (1.0 - turned / root);
        // All of it is the mean of w(u)^2 over z.
        let expected = w * w * turned / root;
        let axes = orthogonal()
            .vectors()
            .map(|edge| scale(1.0 / norm(edge), edge));
        let [a, b, c] = axes.map(|axis| mean(&spec, |turn| dot(turn, axis).powi(2)));
        assert!((c / expected_c - 1.0).abs() < 5e-3, "{c} {expected_c}");
        assert!(
            ((a + b + c) / expected - 1.0).abs() < 5e-3,
            "{} {expected}",
            a + b + c
        );
        assert!((a / b - 1.0).abs() < 1e-2, "{a} {b}");
    }
}

#[test]
fn the_width_about_an_edge_and_its_normal_is_the_given_one() {
    let edges = [[5.0, 0.0, 0.0], [-2.0, 6.0, 0.0], [1.0, 2.0, 7.0]];
    let axes = Axes::new(edges);
    let widths = [0.1, 0.2, 0.15];
    for (i, width) in widths.into_iter().enumerate() {
        for vector in [axes.direct[i], axes.reciprocal[i]] {
            let unit = scale(1.0 / norm(vector), vector);
            let own = anisotropic::width_about(unit, widths, &axes);
            assert!((own / width - 1.0).abs() < 1e-14);
        }
    }
    let hexagonal = DirectBasis::from_vectors([
        [1.0, 0.0, 0.0],
        [-0.5, 0.75_f64.sqrt(), 0.0],
        [0.0, 0.0, 1.0],
    ]);
    assert!(check_widths([0.1, 0.1, 9.0], &hexagonal).is_ok());
    assert!(check_widths([0.1, 9.0, 0.1], &hexagonal).is_err());
}

#[test]
fn strains_change_lengths_and_no_angles_by_their_deviations() {
    let [a, b, c] = orthogonal().vectors();
    let spec = MosaicSpec {
        strain_percent: 0.5,
        strain_abc_percent: [0.0, 1.2, 0.0],
        ..spec(None, Some(20_000))
    };
    for sampling in SAMPLINGS {
        let all = domains(&MosaicSpec {
            sampling: Some(sampling),
            ..spec.clone()
        });
        let stretches: Vec<[f64; 3]> = (all.iter())
            .map(|rows| {
                [a, b, c].map(|edge| dot(rotate_by(rows, edge), edge) / dot(edge, edge) - 1.0)
            })
            .collect();
        let variance = |i: usize| stretches.iter().map(|s| s[i] * s[i]).sum::<f64>() / 20_000.0;
        let own = 0.005_f64.powi(2);
        for (i, expected) in [own, own + 0.012_f64.powi(2), own].into_iter().enumerate() {
            assert!(
                (variance(i) / expected - 1.0).abs() < 0.05,
                "{sampling:?} {i}: {}",
                variance(i)
            );
        }
        // a and c have the common strain only, and no edge is turned.
        for (rows, [x, _, z]) in all.iter().zip(&stretches) {
            assert!((x - z).abs() < 1e-14);
            assert!(dot(rotate_by(rows, b), a).abs() < 1e-30);
        }
        if sampling != MosaicSampling::Random {
            let sum: f64 = stretches.as_flattened().iter().sum();
            assert!(sum.abs() < 1e-10, "{sum}");
        }
    }
}

#[test]
fn a_strain_broadens_a_spot_along_its_scattering_vector() {
    let spec = MosaicSpec {
        strain_percent: 0.4,
        sampling: Some(MosaicSampling::Even),
        ..spec(None, Some(10_000))
    };
    let q = [0.3, 0.4, 1.2];
    let along = scale(1.0 / 1.3, q);
    // h of the domain is integer where q' = E^-T q; E is a multiple of the identity.
    let all = domains(&spec);
    let offsets = all.iter().map(|rows| sub(scale(1.0 / rows[0][0], q), q));
    let radial: Vec<f64> = offsets.clone().map(|offset| dot(offset, along)).collect();
    let sigma = (radial.iter().map(|x| x * x).sum::<f64>() / 10_000.0).sqrt();
    assert!((sigma / (0.004 * 1.3) - 1.0).abs() < 2e-3, "{sigma}");
    for (offset, radial) in offsets.zip(radial) {
        assert!(norm(sub(offset, scale(radial, along))) < 1e-15);
    }
    assert!(
        all.iter()
            .all(|rows| rows[0][1] == 0.0 && rows[1][1] == rows[0][0])
    );
}

#[test]
fn rotation_and_strain_make_one_matrix() {
    let spec = MosaicSpec {
        strain_abc_percent: [1.0, 2.0, 3.0],
        ..of(MosaicModel::Gaussian, MosaicSampling::Pairs, 8)
    };
    for rows in domains(&spec) {
        // The rotation leaves the angles between the edges, so each length shows its own strain.
        let edges = orthogonal().vectors().map(|edge| rotate_by(&rows, edge));
        let [a, b, c] = edges;
        for (x, y) in [(a, b), (b, c), (c, a)] {
            assert!((dot(x, y) / norm(x) / norm(y)).abs() < 1e-14);
        }
        assert!(norm(a) != 5e-9 && norm(turn(rows)) > 0.0);
    }
}

#[test]
fn only_the_plain_cap_is_that_of_the_c_program() {
    let plain = spec(Some(0.01), Some(5));
    let cap = MosaicSpec {
        model: Some(MosaicModel::Cap),
        sampling: Some(MosaicSampling::Random),
        ..plain.clone()
    };
    assert_eq!(domains(&plain), domains(&cap));
    assert!(!new(&plain).unwrap().0.turns_with_crystal());
    for other in [
        MosaicSpec {
            sampling: Some(MosaicSampling::Pairs),
            ..plain.clone()
        },
        MosaicSpec {
            model: Some(MosaicModel::Gaussian),
            ..plain.clone()
        },
        MosaicSpec {
            strain_percent: 1.0,
            ..plain.clone()
        },
    ] {
        assert!(new(&other).unwrap().0.turns_with_crystal());
    }
}

/// The errors of the profile of a spot, by model, sampling and number of domains. docs/PHYSICS.md has them too.
const ERRORS: [[[f64; 5]; 3]; 2] = [
    [
        [0.3212, 0.2051, 0.0982, 0.0624, 0.0351],
        [0.2661, 0.1515, 0.0739, 0.0362, 0.0232],
        [0.2011, 0.0572, 0.0150, 0.0058, 0.0021],
    ],
    [
        [0.3063, 0.1835, 0.0963, 0.0619, 0.0330],
        [0.3091, 0.1727, 0.0991, 0.0483, 0.0300],
        [0.2390, 0.0927, 0.0332, 0.0123, 0.0042],
    ],
];

#[test]
fn even_domains_converge_faster_than_random_ones() {
    /// Half a unit of the last digit above, and the last digits of sines and powers of other platforms.
    const LAST_DIGIT: f64 = 1e-4;
    const SEEDS: i64 = 20;
    for (model, errors) in MODELS.into_iter().zip(ERRORS) {
        let profile_of = |sampling, domains, seed| {
            let spec = MosaicSpec {
                seed,
                ..of(model, sampling, domains)
            };
            profile(&new(&spec).unwrap().0, 0.5 * NARROW_RAD)
        };
        let reference = profile_of(MosaicSampling::Even, 100_000, 7);
        for (sampling, errors) in SAMPLINGS.into_iter().zip(errors) {
            for (domains, expected) in [10, 30, 100, 300, 1000].into_iter().zip(errors) {
                let squares = (1..=SEEDS)
                    .map(|seed| distance(&profile_of(sampling, domains, seed), &reference).powi(2));
                let error = (squares.sum::<f64>() / SEEDS as f64).sqrt();
                assert!(
                    (error - expected).abs() < LAST_DIGIT,
                    "{model:?} {sampling:?} {domains}: {error}"
                );
            }
        }
        // Ten times the domains: a third of the error at random, an eighth or less of it if they are even.
        let [random, _, even] = errors;
        assert!(random[2] / random[4] < 4.0 && even[2] / even[4] > 7.0);
        assert!(random[4] / even[4] > 7.0);
    }
}

#[test]
fn numbers_of_derivatives_give_the_domains_that_were_drawn() {
    use nanobragg_numeric::Dual;
    let spec = MosaicSpec {
        spread_rad: None,
        spread_abc_rad: Some([0.01, 0.02, 0.03]),
        strain_percent: 1.0,
        strain_abc_percent: [0.1, 0.2, 0.3],
        ..of(MosaicModel::Gaussian, MosaicSampling::Even, 9)
    };
    let (mosaic, _) = new(&spec).unwrap();
    let direct = orthogonal()
        .vectors()
        .map(|edge| edge.map(Dual::<1>::constant));
    let again = mosaic.domains_near(&mosaic.numbers().lift(), direct);
    let values: Vec<_> = again
        .iter()
        .map(|rows| rows.map(|row| row.map(|x| x.real)))
        .collect();
    assert_eq!(values, mosaic.domains());
}

#[test]
fn listed_domains_have_weights_with_a_mean_of_one() {
    let text = b"# rotations\n1 0 0 0 1 0 0 0 1 3\n\n0 -1 0 1 0 0 0 0 1 # a quarter turn about z\n";
    let listed = ListedDomains::parse(text, "d.txt").unwrap();
    assert_eq!(
        listed.rotations[1],
        [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    );
    assert_eq!(listed.weights, [1.5, 0.5]);
    let equal = ListedDomains::parse(b"1 0 0 0 1 0 0 0 1 2\n", "d.txt").unwrap();
    assert!(equal.weights.is_empty());
}

#[test]
fn lists_that_are_no_rotations_are_refused_with_their_line() {
    let told = |text: &str| {
        ListedDomains::parse(text.as_bytes(), "d.txt")
            .unwrap_err()
            .to_string()
    };
    for (text, start) in [
        ("", "d.txt: has no mosaic domains"),
        ("# 1 0 0 0 1 0 0 0 1\n", "d.txt: has no mosaic domains"),
        ("\n1 0 0 0 1 0 0 0\n", "d.txt:2: 8 numbers, expected 9"),
        (
            "1 0 0 0 1 0 0 0 1 1 7\n",
            "d.txt:1: found `7`, expected the end",
        ),
        (
            "1 0 0 0 x 0 0 0 1\n",
            "d.txt:1: found `x`, expected a finite number",
        ),
        (
            "1 0 0 0 1 0 0 0 1.00001\n",
            "d.txt:1: not a rotation: off by 2.0e-5",
        ),
        (
            "1 0 0 0 1 0 0 0 -1\n",
            "d.txt:1: not a rotation: off by 2.0e0",
        ),
        ("1 0 0 0 1 0 0 0 1 -2\n", "d.txt:1: weight -2"),
        ("1 0 0 0 1 0 0 0 1 0\n", "d.txt: has weights whose sum is 0"),
    ] {
        assert!(told(text).starts_with(start), "{text}: {}", told(text));
    }
    assert!(ListedDomains::parse(b"1 0 0 0 1 0 0 0 1.0000001\n", "d.txt").is_ok());
}

#[test]
fn matrices_that_no_file_could_hold_are_refused_with_their_place() {
    let turn = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let of = |second: &[f64], file: Option<&str>| {
        let matrices = Some(vec![turn.to_vec(), second.to_vec()]);
        new(&MosaicSpec {
            file: file.map(Into::into),
            matrices,
            ..spec(None, None)
        })
    };
    assert_eq!(of(&turn, None).unwrap().0.domains().len(), 2);
    let mut not_finite = turn;
    not_finite[4] = f64::NAN;
    for (row, file, start) in [
        (
            &not_finite[..],
            None,
            "mosaic_matrices:2: NaN, expected finite",
        ),
        (
            &[turn, [1.0; 9]].concat(),
            None,
            "mosaic_matrices:2: 18 numbers",
        ),
        (
            &[0.0; 9],
            None,
            "mosaic_matrices:2: not a rotation: off by 1.0e0",
        ),
        (
            &turn,
            Some("d.txt"),
            "d.txt: is given beside mosaic matrices",
        ),
    ] {
        let told = of(row, file).unwrap_err().to_string();
        assert!(told.starts_with(start), "{told}");
    }
}

#[test]
fn widths_that_contradict_or_exceed_are_refused() {
    let plain = spec(Some(0.01), Some(4));
    for wrong in [
        MosaicSpec {
            spread_abc_rad: Some([0.1; 3]),
            ..plain.clone()
        },
        MosaicSpec {
            spread_rad: None,
            spread_abc_rad: Some([0.1, 0.0, 0.1]),
            ..plain.clone()
        },
        MosaicSpec {
            spread_rad: None,
            spread_abc_rad: Some([0.1, f64::NAN, 0.1]),
            ..plain.clone()
        },
        MosaicSpec {
            strain_percent: 10.5,
            ..plain.clone()
        },
        MosaicSpec {
            strain_percent: -1.0,
            ..plain.clone()
        },
        MosaicSpec {
            strain_abc_percent: [0.0, 0.0, f64::NAN],
            ..plain.clone()
        },
    ] {
        assert!(new(&wrong).is_err(), "{wrong:?}");
    }
}

/// The profile of the spot of a scattering vector of length 1, on pixels of a quarter of `size`: each domain has
/// a Gaussian spot with standard deviation `size`.
fn profile(mosaic: &Mosaic, size: f64) -> Vec<f64> {
    const HALF: i32 = 20;
    let direction = scale(1.0 / 14_f64.sqrt(), [1.0, 2.0, 3.0]);
    let across = [
        scale(1.0 / 5_f64.sqrt(), [2.0, -1.0, 0.0]),
        scale(1.0 / 70_f64.sqrt(), [3.0, 6.0, -5.0]),
    ];
    let mut pixels = vec![0.0; (2 * HALF as usize + 1).pow(2)];
    let axis: Vec<f64> = (-HALF..=HALF).map(|i| f64::from(i) * 0.5 * size).collect();
    for (i, rows) in mosaic.domains().iter().enumerate() {
        let weight = mosaic.weights().get(i).copied().unwrap_or(1.0);
        let at = sub(rotate_by(rows, direction), direction);
        let [x, y] = across.map(|across| {
            let at = dot(at, across);
            let bell: Vec<f64> = axis
                .iter()
                .map(|pixel| (-0.5 * ((pixel - at) / size).powi(2)).exp())
                .collect();
            bell
        });
        for (row, y) in pixels.chunks_mut(x.len()).zip(y) {
            for (pixel, x) in row.iter_mut().zip(&x) {
                *pixel += weight * x * y;
            }
        }
    }
    let count = mosaic.domains().len() as f64;
    pixels.iter().map(|pixel| pixel / count).collect()
}

/// The root mean square difference over the root mean square of the reference.
fn distance(own: &[f64], reference: &[f64]) -> f64 {
    let squares = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>();
    let off = squares(
        &mut own
            .iter()
            .zip(reference)
            .map(|(own, reference)| own - reference),
    );
    (off / squares(&mut reference.iter().copied())).sqrt()
}

//! Fixed values of random numbers. A change of a value changes the images of old command lines.
//!
//! Values without a golden case were printed by the C program's own functions.

use nanobragg::crystal::{DirectBasis, Mosaic};
use nanobragg::geometry::rotation::IDENTITY;
use nanobragg::numeric::{MinimalStandard, PoissonNoise};
use nanobragg::response::{PanelPhotons, Window};
use nanobragg::{
    CellSpec, Crystal, CrystalSpec, Misset, MosaicSpec, Offset, Response, ResponseSpec,
};
use nanobragg_tests::cases::{self, FAST, SLOW};
use nanobragg_tests::compare::last_u16;
use nanobragg_tests::products::floats;

#[test]
fn uniform_deviates_of_a_seed_stay() {
    for (seed, expected) in [
        (
            12_345_678,
            [
                0.7659893_f32,
                0.023453664,
                0.5897266,
                0.5351016,
                0.98223144,
                0.6930161,
            ],
        ),
        (
            7,
            [
                0.1228365,
                0.42847,
                0.64375424,
                0.46789566,
                0.6885014,
                0.053887304,
            ],
        ),
        (
            0,
            [
                0.41599935, 0.09196489, 0.7564105, 0.5297002, 0.9304365, 0.38350207,
            ],
        ),
    ] {
        let mut stream = MinimalStandard::from_seed(seed);
        assert_eq!(expected.map(|_| stream.uniform()), expected, "seed {seed}");
    }
}

#[test]
fn poisson_counts_of_a_seed_stay() {
    let means = [0.0, 0.5, 3.25, 11.75, 12.0, 40.0, 250.5, 3000.0, 100_000.0];
    let mut poisson = PoissonNoise::from_seed(99);
    for expected in [
        [0.0, 0.0, 2.0, 11.0, 10.0, 38.0, 267.0, 2965.0, 99_997.0],
        [0.0, 0.0, 1.0, 12.0, 11.0, 37.0, 279.0, 2989.0, 99_732.0],
        [0.0, 0.0, 2.0, 14.0, 11.0, 35.0, 243.0, 2961.0, 99_570.0],
    ] {
        assert_eq!(means.map(|mean| poisson.count(mean)), expected);
    }
}

#[test]
fn counts_above_a_million_come_from_the_same_bell_curve() {
    let mut poisson = PoissonNoise::from_seed(7);
    let mut counts = [0.0; 6].map(|_: f32| poisson.count(2e6));
    let mut expected = [
        1_999_729.1_f32,
        1_998_571.5,
        1_999_318.5,
        2_003_051.8,
        1_999_534.6,
        2_000_196.6,
    ];
    // The compiler of the C program decides the order of the two deviates of a pair.
    counts.sort_by(f32::total_cmp);
    expected.sort_by(f32::total_cmp);
    assert_eq!(counts, expected);
}

#[test]
fn golden_noise_follows_from_the_golden_float_images() {
    for name in [
        "noise_poisson",
        "noise_gauss",
        "noise_mid",
        "seed_zero",
        "scale_adc",
        "adc_zero",
    ] {
        let case = cases::named(name);
        let place = case.words.iter().rposition(|word| word == "-seed").unwrap();
        let seed = case.words[place + 1].parse().unwrap();
        let expected = case.expected();
        let panel = PanelPhotons {
            panel: 0,
            pixels: &floats(&expected.float),
            width: FAST,
            window: Window::ALL,
        };
        let spec = ResponseSpec {
            offset: Some(Offset { counts: case.adc() }),
            ..ResponseSpec::default()
        };
        let response = Response::measured(&spec, seed).unwrap();
        let ours = response.apply::<u16>(&[panel], &|| true).unwrap();
        assert_eq!(
            ours.pixels[0],
            last_u16(&expected.noise, FAST * SLOW),
            "{name}"
        );
    }
}

#[test]
fn mosaic_domains_of_a_seed_stay() {
    let (mosaic, _) = Mosaic::new(
        &MosaicSpec {
            spread_rad: Some(2.0_f64.to_radians()),
            domains: Some(3),
            seed: 4242,
            ..MosaicSpec::default()
        },
        &DirectBasis::from_vectors(IDENTITY),
    )
    .unwrap();
    assert_eq!(
        mosaic.domains(),
        [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [
                    0.9997813775193438,
                    -0.0010951366047082562,
                    0.020880561327233142
                ],
                [
                    0.0013381450974729414,
                    0.9999315017166326,
                    -0.011627606908479369
                ],
                [
                    -0.020866397226675847,
                    0.011653006072985464,
                    0.9997143596629197
                ],
            ],
            [
                [
                    0.9998534064790197,
                    -0.01098396143688451,
                    -0.013134616227866568
                ],
                [
                    0.010580849314184631,
                    0.9994825329981137,
                    -0.030376172561155757
                ],
                [
                    0.013461470205398087,
                    0.030232744215959412,
                    0.9994522349752796
                ],
            ],
        ]
    );
}

#[test]
fn random_misset_angles_of_a_seed_stay() {
    for (seed, expected_deg) in [
        (12_345, [105.720755, -34.951318, -97.823571]),
        (54_321, [-27.529715, 53.373759, 91.879165]),
        (1, [4.662957, -11.844979, 17.622548]),
    ] {
        let crystal = Crystal::new(&CrystalSpec {
            cell: Some(CellSpec::from_values(&[100.0]).unwrap()),
            misset: Some(Misset::Random { seed }),
            ..CrystalSpec::default()
        })
        .unwrap();
        let angles_deg = crystal.misset_rad().unwrap().map(f64::to_degrees);
        for (angle, expected) in angles_deg.into_iter().zip(expected_deg) {
            // The C program prints six decimals.
            assert!(
                (angle - expected).abs() < 6e-7,
                "seed {seed}: {angle} is not {expected}"
            );
        }
    }
}

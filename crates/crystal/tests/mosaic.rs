//! Mosaic domains, compared to the last bit with numbers from the C program.
//!
//! The numbers of each test come from the command line above it. They are printed with 17 digits.

use nanobragg_crystal::constants::DEGREES_PER_RADIAN;
use nanobragg_crystal::{DirectBasis, Mosaic, MosaicSpec};
use nanobragg_geometry::rotation::IDENTITY;

/// `-cell 50 -mosaic 0.5 -mosaic_domains 4`
#[test]
fn a_narrow_spread_gives_the_domains_of_the_c_program() {
    let spec = MosaicSpec {
        spread_rad: Some(0.5 / DEGREES_PER_RADIAN),
        domains: Some(4),
        seed: 12_345_678,
        ..MosaicSpec::default()
    };
    let (mosaic, _) = Mosaic::new(&spec, &DirectBasis::from_vectors(IDENTITY)).unwrap();
    assert_eq!(
        mosaic.domains(),
        [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [
                    0.9999659208978446,
                    -0.007975168091458018,
                    0.002133948649430912
                ],
                [
                    0.007976187218955598,
                    0.9999680794966287,
                    -0.0004694946988297568
                ],
                [
                    -0.002130136233574633,
                    0.00048649947281547405,
                    0.9999976129160956
                ]
            ],
            [
                [
                    0.9999914359922164,
                    0.0028416441030047652,
                    0.0030088205358383916
                ],
                [
                    -0.0028584857919053165,
                    0.999980189430753,
                    0.005608012572469512
                ],
                [
                    -0.002992824953534706,
                    -0.005616565216158264,
                    0.9999797483919213
                ]
            ],
            [
                [
                    0.9999732810046648,
                    -0.0009957823867006305,
                    0.0072419399475676565
                ],
                [
                    0.0010300984016003182,
                    0.9999882529871921,
                    -0.004736326097990765
                ],
                [
                    -0.007237138526300288,
                    0.0047436594588803225,
                    0.9999625600595701
                ]
            ]
        ]
    );
}

/// `-cell 50 -mosaic 90 -mosaic_domains 3 -mosaic_seed 99`
#[test]
fn a_wide_spread_gives_the_domains_of_the_c_program() {
    let spec = MosaicSpec {
        spread_rad: Some(90.0 / DEGREES_PER_RADIAN),
        domains: Some(3),
        seed: 99,
        ..MosaicSpec::default()
    };
    let (mosaic, _) = Mosaic::new(&spec, &DirectBasis::from_vectors(IDENTITY)).unwrap();
    assert_eq!(
        mosaic.domains(),
        [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [0.7442358766836396, 0.5121265096501156, -0.4287649682174659],
                [0.33954279140091403, 0.2627127880418273, 0.9031570648602409],
                [0.5751727155077941, -0.8177459441127666, 0.02163141748730517]
            ],
            [
                [
                    0.006612869287264242,
                    0.45477515790139894,
                    -0.8905817344385338
                ],
                [-0.5438402989843084, 0.7490112352956463, 0.37844404949945787],
                [0.8391626774115062, 0.4818316356951333, 0.2522781712374353]
            ]
        ]
    );
}

//! Random experiments that are small enough to render hundreds of them.
use nanobragg::crystal::Reflection;
use nanobragg::{
    Angle, BeamSpec, CellSpec, Convention, CrystalSpec, DetectorSpec, DispersionSpec,
    DivergenceSpec, ExperimentSpec, FactorGrid, FluenceSpec, GridLimit, Hkl, Length, Lookup,
    Misset, MosaicModel, MosaicSampling, MosaicSpec, PhiSpec, Polarization, SamplingSpec, Shape,
    StepSpec,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Any experiment: all named conventions, shapes and lookups; each sum sometimes has several terms.
///
/// In some of them a pixel depends on the pixels before it, as in the C program (an oddity).
pub fn experiments() -> impl Strategy<Value = ExperimentSpec> {
    (
        detectors(),
        crystals(),
        factors(),
        beams(),
        sweeps(),
        select(vec![None, Some(Lookup::Nearest), Some(Lookup::Tricubic)]),
        samplings(),
        prop_oneof![3 => Just(0.0), 1 => 1.0..30.0],
        prop_oneof![3 => Just(0.0), 1 => 1.0..4.0],
    )
        .prop_map(
            |(detector, crystal, factors, beam, phi, lookup, sampling, water_um, dmin_a)| {
                ExperimentSpec {
                    detector,
                    crystal,
                    factors: factors.into(),
                    lookup,
                    beam,
                    phi,
                    sampling,
                    water: Length::from_um(water_um),
                    dmin: Length::from_angstrom(dmin_a),
                    ..ExperimentSpec::default()
                }
            },
        )
}

/// Experiments whose pixels do not depend on each other: no step at phi = 0 and no interpolation.
pub fn steady_experiments() -> impl Strategy<Value = ExperimentSpec> {
    experiments().prop_map(|mut spec| {
        spec.phi.start = Angle::from_degrees(1.0 + spec.phi.start.degrees().abs());
        spec.lookup = Some(Lookup::Nearest);
        spec
    })
}

/// Three angles in radians, to rotate the whole laboratory.
pub fn turns() -> impl Strategy<Value = [f64; 3]> {
    [-3.0..3.0, -3.0..3.0, -3.0..3.0]
}

/// Weights of a source file; `None` is a missing column.
pub fn weights() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(0.0)),
        1 => (-1e6..0.0).prop_map(Some),
        1 => (1e3..1e300).prop_map(Some),
        2 => (0.0..2.0).prop_map(Some),
    ]
}

fn detectors() -> impl Strategy<Value = DetectorSpec> {
    (
        [4..14_u32, 4..14_u32],
        0.3..1.2,
        50.0..150.0,
        select(named_conventions()),
        prop_oneof![2 => Just([0.0; 3]), 1 => [-10.0..10.0, -10.0..10.0, -10.0..10.0]],
        prop_oneof![2 => Just(0.0), 1 => -20.0..20.0],
    )
        .prop_map(
            |([fast, slow], pixel_mm, distance_mm, convention, rotations_deg, twotheta_deg)| {
                DetectorSpec {
                    pixels_fast: Some(fast),
                    pixels_slow: Some(slow),
                    pixel_size: Length::from_mm(pixel_mm),
                    distance: Length::from_mm(distance_mm),
                    convention,
                    rotations: rotations_deg.map(Angle::from_degrees),
                    twotheta: Angle::from_degrees(twotheta_deg),
                    ..DetectorSpec::default()
                }
            },
        )
}

/// All conventions except the one without its own axes.
pub fn named_conventions() -> Vec<Convention> {
    let mut conventions = Convention::ALL.to_vec();
    conventions.retain(|convention| *convention != Convention::Custom);
    conventions
}

fn crystals() -> impl Strategy<Value = CrystalSpec> {
    (
        cells(),
        [-3.0..3.0, -3.0..3.0, -3.0..3.0],
        [1..6_i64, 1..6_i64, 1..6_i64],
        select(vec![
            Shape::Square,
            Shape::Round,
            Shape::Gauss,
            Shape::Tophat,
        ]),
        mosaics(),
    )
        .prop_map(|(cell, misset_rad, cells, shape, mosaic)| CrystalSpec {
            cell: Some(cell),
            misset: Some(Misset::Angles(misset_rad)),
            cells,
            shape,
            mosaic,
            ..CrystalSpec::default()
        })
}

/// None, the domains of the C program, or others.
fn mosaics() -> impl Strategy<Value = MosaicSpec> {
    let plain = (0.001..0.05, 1..4_i64).prop_map(|(spread_rad, domains)| MosaicSpec {
        spread_rad: Some(spread_rad),
        domains: Some(domains),
        ..MosaicSpec::default()
    });
    let other = (
        plain.clone(),
        select(vec![MosaicModel::Cap, MosaicModel::Gaussian]),
        select(vec![MosaicSampling::Pairs, MosaicSampling::Even]),
        prop_oneof![
            Just(None),
            [0.005..0.02, 0.005..0.02, 0.005..0.02].prop_map(Some)
        ],
        prop_oneof![Just(0.0), 0.1..2.0],
        prop_oneof![Just([0.0; 3]), [0.1..2.0, 0.1..2.0, 0.1..2.0]],
    )
        .prop_map(
            |(plain, model, sampling, widths, strain_percent, strain_abc_percent)| MosaicSpec {
                spread_rad: plain.spread_rad.filter(|_| widths.is_none()),
                spread_abc_rad: widths,
                model: Some(model),
                sampling: Some(sampling),
                strain_percent,
                strain_abc_percent,
                ..plain
            },
        );
    prop_oneof![3 => Just(MosaicSpec::default()), 1 => plain, 1 => other]
}

/// Cells that are not too far from orthogonal.
pub fn cells() -> impl Strategy<Value = CellSpec> {
    (
        [40.0..90.0, 40.0..90.0, 40.0..90.0],
        [75.0..105.0, 75.0..105.0, 75.0..105.0],
    )
        .prop_map(
            |(lengths_angstrom, angles_deg): ([f64; 3], [f64; 3])| CellSpec {
                lengths_angstrom,
                angles_rad: angles_deg.map(f64::to_radians),
            },
        )
}

/// No list of reflections but a default F, or a box of random reflections.
fn factors() -> impl Strategy<Value = FactorGrid> {
    const REACH: i32 = 3;
    const EDGE: usize = 2 * REACH as usize + 1;
    let listed = proptest::collection::vec(0.0..300.0, EDGE.pow(3)).prop_map(|amplitudes| {
        let indices = (-REACH..=REACH).flat_map(|h| {
            (-REACH..=REACH).flat_map(move |k| (-REACH..=REACH).map(move |l| Hkl([h, k, l])))
        });
        let reflections: Vec<Reflection> = indices
            .zip(amplitudes)
            .map(|(hkl, amplitude)| Reflection { hkl, amplitude })
            .collect();
        FactorGrid::from_reflections(&reflections, 50.0, GridLimit::default()).unwrap()
    });
    prop_oneof![(1.0..300.0).prop_map(FactorGrid::empty), listed]
}

fn beams() -> impl Strategy<Value = BeamSpec> {
    let fan = || {
        prop_oneof![
            2 => Just(StepSpec::default()),
            1 => (0.001..0.01, 2..4_i64).prop_map(|(range, count)| StepSpec {
                range: Some(range),
                count: Some(count),
                ..StepSpec::default()
            }),
        ]
    };
    (
        0.8..2.5,
        1e24..1e30,
        prop_oneof![1 => Just(None), 3 => (-1.0..1.0).prop_map(Some)],
        [fan(), fan()],
        prop_oneof![2 => Just(None), 1 => (0.005..0.05, 2..4_i64).prop_map(Some)],
    )
        .prop_map(
            |(wavelength_a, fluence, kahn_factor, [horizontal, vertical], dispersion)| BeamSpec {
                wavelength: Some(Length::from_angstrom(wavelength_a)),
                fluence: FluenceSpec {
                    fluence_per_m2: Some(fluence),
                    ..FluenceSpec::default()
                },
                polarization: Polarization {
                    kahn_factor: kahn_factor.unwrap_or(0.0),
                    off: kahn_factor.is_none(),
                },
                divergence: DivergenceSpec {
                    horizontal,
                    vertical,
                    ..DivergenceSpec::default()
                },
                dispersion: DispersionSpec {
                    range: dispersion.map(|(range, _)| range),
                    count: dispersion.map(|(_, count)| count),
                    ..DispersionSpec::default()
                },
                ..BeamSpec::default()
            },
        )
}

/// Sweeps of one to four steps; a third of them start at exactly 0.
fn sweeps() -> impl Strategy<Value = PhiSpec> {
    (
        prop_oneof![1 => Just(0.0), 2 => -0.5..0.5],
        0.0..0.2,
        1..5_i64,
    )
        .prop_map(|(start_rad, range_rad, count)| PhiSpec {
            start: Angle::from_radians(start_rad),
            sweep: StepSpec {
                range: Some(range_rad),
                count: Some(count),
                ..StepSpec::default()
            },
        })
}

fn samplings() -> impl Strategy<Value = SamplingSpec> {
    (1..3_u32, any::<[bool; 2]>()).prop_map(|(oversample, [polarization, solid_angle])| {
        SamplingSpec {
            oversample: Some(oversample),
            per_subpixel_capture: false,
            per_subpixel_polarization: polarization,
            per_subpixel_solid_angle: solid_angle,
            auto: None,
        }
    })
}

/// Command lines that have the same meaning for the C program, over most of its flags.
///
/// They name input files of the golden cases, and do not set the numbers of pixels.
pub fn command_lines() -> impl Strategy<Value = String> {
    let crystal = prop_oneof![
        1 => Just("-mat A.mat -hkl P1.hkl -lambda 1.1 -distance 120 -pixel 1.5".to_owned()),
        2 => ([40.0..90.0, 40.0..90.0, 40.0..90.0], [75.0..105.0, 75.0..105.0, 75.0..105.0])
            .prop_map(|([a, b, c], [al, be, ga])| format!(
                "-cell {a:.2} {b:.2} {c:.2} {al:.1} {be:.1} {ga:.1} -default_F 100 -lambda 1.3 \
                 -distance 70 -pixel 1.6"
            )),
    ];
    let setting = select(vec![
        "",
        "-mosflm -Xbeam 17 -Ybeam 21",
        "-denzo -Xbeam 17 -Ybeam 21",
        "-adxv -Xbeam 17 -Ybeam 21",
        "-xds -ORGX 11.5 -ORGY 13",
        "-dials",
        "-spindle_axis -1 0 0 -Xbeam 18 -Ybeam 20",
    ]);
    let switch = |on: &'static str| select(vec!["", "", on]);
    (
        crystal,
        setting,
        [1..6_u32, 1..6_u32, 1..6_u32],
        select(vec!["", "-round_xtal", "-gauss_xtal", "-tophat_spots"]),
        prop_oneof![
            Just(String::new()),
            (-20.0..20.0).prop_map(|angle| format!("-twotheta {angle:.1}")),
            [-9.0..9.0, -9.0..9.0, -9.0..9.0].prop_map(|[x, y, z]| format!(
                "-detector_rotx {x:.1} -detector_roty {y:.1} -detector_rotz {z:.1}"
            )),
        ],
        prop_oneof![
            Just(String::new()),
            (-90.0..90.0).prop_map(|phi| format!("-phi {phi:.1}")),
            (0.1..9.0, 1..5_u32).prop_map(|(osc, n)| format!("-phi 0 -osc {osc:.1} -phisteps {n}")),
        ],
        [
            switch("-mosaic 1.5 -mosaic_domains 3"),
            switch("-divergence 5 -divsteps 3"),
            switch("-dispersion 3 -dispsteps 3"),
            switch("-detector_abs 300 -detector_thick 400 -detector_thicksteps 3"),
            switch("-polar 0.8"),
            switch("-dmin 3"),
            switch("-oversample_omega"),
            switch("-water 5 -fluence 1e25"),
        ],
        1..3_u32,
        switch("-sourcefile two_sources.txt -interpolate"),
    )
        .prop_map(
            |(crystal, setting, [na, nb, nc], shape, turn, phi, switches, oversample, more)| {
                format!(
                    "{crystal} {setting} -Na {na} -Nb {nb} -Nc {nc} {shape} {turn} {phi} {} \
                     -oversample {oversample} {more}",
                    switches.join(" ")
                )
            },
        )
}

/// Command lines with more and finer spots, more sources and more sub-pixels than [`command_lines`], also with flags
/// that the C program does not have. They set the numbers of pixels.
pub fn many_term_lines() -> impl Strategy<Value = String> {
    let one_of = |words: &[&'static str]| select(words.to_vec());
    let crystal = (
        one_of(&[
            "",
            "-N 12",
            "-Na 25 -Nb 12 -Nc 40",
            "-Nabc 12.5 7 30.25",
            "-Nabc 9 8 12 -Ndef 2 -1 1.5 -gauss_xtal",
            "-Nabc 9 8 12 -Ndef 2 -1 1.5 -tophat_spots",
            "-Nabc 14 15 12 -round_xtal",
            "-N 30 -gauss_xtal hkl",
            "-N 12 -size_spread 0.3",
            "-N 10 -size_spread 0.2 -gauss_xtal",
        ]),
        one_of(&[
            "",
            "-mosaic 0.4 -mosaic_domains 12",
            "-mosaic 1 -mosaic_model gaussian -mosaic_sampling even -mosaic_domains 9",
            "-mosaic_aniso 0.6 0.2 0.3 -strain 1 -strain_abc 0.5 1 2 -mosaic_domains 8",
            "-mosaic_file domains.txt",
        ]),
        one_of(&[
            "",
            "",
            "-hkl sparse.hkl -default_F 0",
            "-hkl box.hkl -default_F 3",
        ]),
    );
    let beam = one_of(&[
        "",
        "",
        "-dispersion 1 -dispsteps 4",
        "-dispersion 2 -dispsteps 5 -dispersion_profile gaussian",
        "-hdivrange 3 -hdivsteps 3 -vdivrange 2 -vdivsteps 2",
        "-spectrum gaussian:1% -spectrum_steps 6",
    ]);
    let detector = (
        1..5_u32,
        one_of(&[
            "-detpixels_x 90 -detpixels_y 21 -pixel 0.1",
            "-detpixels_x 70 -detpixels_y 31 -pixel 0.4",
            "-detpixels_x 131 -detpixels_y 17 -pixel 0.7",
            "-detpixels_x 61 -detpixels_y 47 -pixel 0.5 -mask mask.img",
            "-detpixels_x 75 -detpixels_y 30 -pixel 0.5 -roi 5 66 3 22",
            "-detpixels_x 80 -detpixels_y 25 -pixel 0.6 -beamstop 9",
        ]),
        one_of(&[
            "",
            "",
            "-curved_det",
            "-point_pixel",
            "-detector_thick 400 -detector_abs 300 -detector_thicksteps 2 -oversample_thick",
        ]),
    );
    let rest = (
        one_of(&["", "", "", "-water 20"]),
        one_of(&["-fix oversample-flags", "-fix all", ""]),
        one_of(&[
            "-nointerpolate",
            "-nointerpolate",
            "-nointerpolate -weights use",
            "",
        ]),
    );
    (command_lines(), crystal, beam, detector, rest).prop_map(
        |(line, (size, domains, factors), beam, (oversample, pixels, sensor), rest)| {
            let (water, fix, lookup) = rest;
            // What these lines have in another way.
            let mut twice = vec![
                "-mosaic 1.5 -mosaic_domains 3",
                "-divergence 5 -divsteps 3",
                "-dispersion 3 -dispsteps 3",
            ];
            if beam.contains("-spectrum") {
                twice.push("-sourcefile two_sources.txt -interpolate");
            }
            let line = twice.iter().fold(line, |line, words| line.replace(words, ""));
            format!(
                "{line} {size} {domains} {factors} {beam} {pixels} {sensor} -oversample {oversample} {water} {fix} \
                 {lookup}"
            )
        },
    )
}

//! Properties of any experiment.
use nanobragg::crystal::CellSpec;
use nanobragg::geometry::{rotate_about, rotate_xyz};
use nanobragg::sources::SourceDefaults;
use nanobragg::{
    Convention, CustomAxes, DetectorSpec, ExperimentSpec, FactorsSpec, Length, Mask, MaskSpec,
    MosaicSpec, Pivot, PixelPlace, Resolved, RoiSpec, RunOptions, Scene, Simulated, Source,
    SourceList, SourcesSpec, StepSpec, physics, simulate, trace_pixel,
};
use nanobragg_tests::strategies::{cells, experiments, steady_experiments, turns, weights};
use nanobragg_tests::tolerances::{SAME_PHYSICS_OF_BRIGHTEST, SAME_PHYSICS_RELATIVE};
use proptest::prelude::*;

fn resolved(spec: &ExperimentSpec) -> Resolved {
    spec.resolve().unwrap()
}

fn rendered(spec: &ExperimentSpec, threads: usize) -> Simulated {
    let options = RunOptions {
        threads,
        ..RunOptions::default()
    };
    simulate(&resolved(spec).experiment, &options).unwrap()
}

fn pixels(spec: &ExperimentSpec) -> Vec<f32> {
    rendered(spec, 1).photons.into_pixels()
}

/// Pixels as bits, so that a NaN equals itself and 0 does not equal -0.
fn bits(spec: &ExperimentSpec) -> Vec<u32> {
    pixels(spec).into_iter().map(f32::to_bits).collect()
}

/// Checks that two images are equal except for rounding.
fn assert_same_physics(expected: &[f32], ours: &[f32]) -> Result<(), TestCaseError> {
    let brightest = expected.iter().copied().fold(0.0, f32::max);
    for (at, (&e, &o)) in expected.iter().zip(ours).enumerate() {
        let (e, o) = (f64::from(e), f64::from(o));
        let allowed =
            SAME_PHYSICS_RELATIVE * e.abs() + SAME_PHYSICS_OF_BRIGHTEST * f64::from(brightest);
        prop_assert!((e - o).abs() <= allowed, "pixel {at}: {e} and {o}");
    }
    Ok(())
}

/// Replaces the grid of sources by a list of the same sources.
fn with_listed_sources(spec: &ExperimentSpec) -> (ExperimentSpec, Vec<Source>) {
    let sources = resolved(spec).experiment.sources.as_slice().to_vec();
    let mut spec = spec.clone();
    spec.beam.sources = listed(sources.clone());
    (spec, sources)
}

fn listed(sources: Vec<Source>) -> SourcesSpec {
    SourcesSpec::List(SourceList::from_sources(sources).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_number_of_threads_changes_not_one_bit(spec in experiments()) {
        let expected = rendered(&spec, 1);
        for threads in [2, 3] {
            let ours = rendered(&spec, threads);
            prop_assert_eq!(&expected.statistics, &ours.statistics);
            prop_assert_eq!(expected.left_grid_at, ours.left_grid_at);
            let pixels = |image: &Simulated| -> Vec<u32> {
                image.photons.pixels().iter().map(|p| p.to_bits()).collect()
            };
            prop_assert_eq!(pixels(&expected), pixels(&ours));
        }
    }

    #[test]
    fn doubling_the_fluence_doubles_every_pixel(mut spec in experiments()) {
        // The oddity `water` scales the background by the fluence twice.
        spec.water = Length::default();
        let once = pixels(&spec);
        let fluence = &mut spec.beam.fluence.fluence_per_m2;
        *fluence = fluence.map(|fluence| 2.0 * fluence);
        let twice = pixels(&spec);
        for (once, twice) in once.into_iter().zip(twice) {
            // A factor of two changes only the exponent, except for numbers so small that they lose digits.
            prop_assert!(2.0 * once == twice || once < 1e-30);
        }
    }

    #[test]
    fn a_region_of_interest_is_a_crop(
        mut spec in steady_experiments(),
        corners in any::<[proptest::sample::Index; 4]>(),
    ) {
        let whole = bits(&spec);
        let [fast, slow] = [spec.detector.pixels_fast, spec.detector.pixels_slow]
            .map(|n| n.unwrap() as usize);
        let ends = |a: usize, b: usize| [a.min(b) as i64, a.max(b) as i64];
        let [a, b] = [corners[0].index(fast), corners[1].index(fast)];
        let [c, d] = [corners[2].index(slow), corners[3].index(slow)];
        spec.roi = RoiSpec { fast: ends(a, b), slow: ends(c, d) };
        for (at, (whole, part)) in whole.into_iter().zip(bits(&spec)).enumerate() {
            let (f, s) = ((at % fast) as i64, (at / fast) as i64);
            let is_inside = (spec.roi.fast[0]..=spec.roi.fast[1]).contains(&f)
                && (spec.roi.slow[0]..=spec.roi.slow[1]).contains(&s);
            prop_assert_eq!(part, if is_inside { whole } else { 0 });
        }
    }

    #[test]
    fn a_mask_leaves_zeros_and_moves_nothing_else(
        mut spec in steady_experiments(),
        used in proptest::collection::vec(any::<bool>(), 14 * 14),
    ) {
        let whole = bits(&spec);
        let fast = spec.detector.pixels_fast.unwrap() as usize;
        let used = used[..whole.len()].to_vec();
        spec.mask = Mask::new(fast, used.clone()).map(MaskSpec::Pixels);
        let masked = rendered(&spec, 2);
        prop_assert_eq!(masked.statistics.pixels, used.iter().filter(|used| **used).count() as u64);
        for ((whole, masked), used) in whole.into_iter().zip(masked.photons.pixels()).zip(used) {
            prop_assert_eq!(masked.to_bits(), if used { whole } else { 0 });
        }
    }

    #[test]
    fn weights_never_move_a_pixel(
        spec in experiments(),
        recorded in proptest::collection::vec(weights(), 64),
    ) {
        let (plain, sources) = with_listed_sources(&spec);
        let defaults = SourceDefaults {
            beam_direction: [1.0, 0.0, 0.0],
            wavelength_m: spec.beam.nominal_wavelength().m(),
        };
        // Written to and read from the text of a source file, in which a column may be missing.
        let weighted: Vec<Source> = sources
            .iter()
            .zip(recorded.iter().cycle())
            .map(|(source, weight)| {
                let [x, y, z] = source.position_m;
                let line = match weight {
                    Some(weight) => format!("{x} {y} {z} {weight} {}", source.wavelength_m),
                    None => format!("{x} {y} {z}"),
                };
                let read = SourceList::parse(&line, "a line", &defaults).unwrap()[0];
                assert_eq!(read.recorded_weight, weight.unwrap_or(1.0));
                // A line without a weight has no wavelength either.
                Source { wavelength_m: source.wavelength_m, ..read }
            })
            .collect();
        let mut spec = plain.clone();
        spec.beam.sources = listed(weighted.clone());
        prop_assert_eq!(bits(&plain), bits(&spec));

        let experiment = resolved(&spec).experiment;
        let scene = Scene::new(&experiment);
        let image = physics::render(&scene, &RunOptions::default()).unwrap();
        let trace = trace_pixel(&scene, &image, PixelPlace { panel: 0, slow: 2, fast: 1 }).unwrap();
        let traced: Vec<f64> = trace.sources.iter().map(|source| source.recorded_weight).collect();
        let listed: Vec<f64> = weighted.iter().map(|source| source.recorded_weight).collect();
        prop_assert_eq!(traced, listed);
    }

    #[test]
    fn listing_every_source_twice_leaves_the_image(mut spec in steady_experiments()) {
        // The background is not summed over the sources, but divided by their number.
        spec.water = Length::default();
        // Corrections at each sub-pixel multiply the sum so far (the oddity `oversample-flags`).
        spec.sampling.per_subpixel_polarization = false;
        spec.sampling.per_subpixel_solid_angle = false;
        let (mut spec, sources) = with_listed_sources(&spec);
        let once = pixels(&spec);
        let twice = sources.iter().flat_map(|source| [*source; 2]).collect();
        spec.beam.sources = listed(twice);
        assert_same_physics(&once, &pixels(&spec))?;
    }

    #[test]
    fn a_listed_grid_is_the_grid(spec in experiments()) {
        let (with_list, _) = with_listed_sources(&spec);
        prop_assert_eq!(bits(&spec), bits(&with_list));
    }

    #[test]
    fn a_trace_ends_at_the_pixel_of_the_image(spec in experiments()) {
        let experiment = resolved(&spec).experiment;
        let scene = Scene::new(&experiment);
        let image = physics::render(&scene, &RunOptions::default()).unwrap();
        let panel = &image.panels[0];
        for (at, pixel) in panel.pixels.iter().enumerate() {
            let (fast, slow) = (at as u32 % panel.pixels_fast, at as u32 / panel.pixels_fast);
            let trace = trace_pixel(&scene, &image, PixelPlace { panel: 0, slow, fast }).unwrap();
            prop_assert_eq!(trace.photons.to_bits(), pixel.to_bits(), "pixel {} {}", fast, slow);
        }
    }

    #[test]
    fn turning_the_whole_laboratory_leaves_the_image(
        spec in steady_experiments(),
        cell in cells(),
        misset_rad in turns(),
        turn_rad in turns(),
    ) {
        // Mosaic domains are rotated about random axes of the laboratory, and detector rotations are about
        // X, Y and Z. These axes do not rotate with the experiment.
        let mut spec = spec;
        spec.crystal.mosaic = MosaicSpec::default();
        spec.crystal.misset = None;
        spec.crystal.cell = None;
        let turned = |turn: &dyn Fn([f64; 3]) -> [f64; 3]| {
            let mut spec = spec.clone();
            spec.detector = turned_detector(&spec.detector, turn);
            spec.crystal.matrix = Some(matrix(&cell, spec.beam.nominal_wavelength(), |star| {
                turn(rotate_xyz(star, misset_rad))
            }));
            pixels(&spec)
        };
        let as_it_was = turned(&|axis| axis);
        let about = |axis| rotate_xyz(axis, turn_rad);
        assert_same_physics(&as_it_was, &turned(&about))?;
    }

    #[test]
    fn turning_the_spindle_turns_the_crystal(
        mut spec in steady_experiments(),
        cell in cells(),
        phi_rad in 0.01..3.0_f64,
    ) {
        spec.crystal.mosaic = MosaicSpec::default();
        spec.crystal.misset = None;
        spec.crystal.cell = None;
        // Gaussian and top-hat spots use the reciprocal axes at phi = 0.
        spec.crystal.shape = nanobragg::Shape::Square;
        spec.phi.sweep = StepSpec::default();
        let spindle = resolved(&ExperimentSpec {
            crystal: nanobragg::CrystalSpec { cell: Some(cell), ..spec.crystal.clone() },
            ..spec.clone()
        })
        .experiment
        .goniometer.spindle();
        let wavelength = spec.beam.nominal_wavelength();
        spec.crystal.matrix = Some(matrix(&cell, wavelength, |star| star));
        spec.phi.start = nanobragg::Angle::from_radians(phi_rad);
        let by_spindle = pixels(&spec);
        spec.crystal.matrix =
            Some(matrix(&cell, wavelength, |star| rotate_about(star, spindle, phi_rad)));
        spec.phi.start = nanobragg::Angle::default();
        assert_same_physics(&by_spindle, &pixels(&spec))?;
    }

    #[test]
    fn an_upright_crystal_in_a_centred_beam_scatters_alike_to_all_sides(
        spec in steady_experiments(),
        lengths_angstrom in [40.0..90.0, 40.0..90.0, 40.0..90.0],
        default_f in 1.0..100.0,
    ) {
        let fast = spec.detector.pixels_fast.unwrap() as usize;
        let slow = spec.detector.pixels_slow.unwrap() as usize;
        let edge = |pixels: usize| spec.detector.pixel_size.m() * pixels as f64;
        let detector = DetectorSpec {
            convention: Convention::Denzo,
            rotations: Default::default(),
            twotheta: Default::default(),
            x_beam: Some(Length::from_m(edge(slow) / 2.0)),
            y_beam: Some(Length::from_m(edge(fast) / 2.0)),
            ..spec.detector.clone()
        };
        let mut spec = ExperimentSpec { detector, ..spec };
        spec.crystal.cell = Some(CellSpec {
            lengths_angstrom,
            angles_rad: [std::f64::consts::FRAC_PI_2; 3],
        });
        spec.crystal.misset = None;
        spec.crystal.mosaic = MosaicSpec::default();
        spec.factors = FactorsSpec::Constant(default_f);
        spec.phi = Default::default();
        spec.beam.divergence = Default::default();
        // Corrections that are computed once per pixel are computed for its first sub-pixel.
        spec.sampling.oversample = Some(1);
        let image = pixels(&spec);
        let mirrored: Vec<f32> = image.iter().rev().copied().collect();
        assert_same_physics(&image, &mirrored)?;
        let rows_mirrored: Vec<f32> =
            image.chunks(fast).flat_map(|row| row.iter().rev().copied()).collect();
        assert_same_physics(&image, &rows_mirrored)?;
    }
}

/// The detector of a named convention, as vectors rotated by `turn`.
fn turned_detector(named: &DetectorSpec, turn: &dyn Fn([f64; 3]) -> [f64; 3]) -> DetectorSpec {
    let convention = match named.convention {
        // The length of a rotated normal is not exactly 1, so that the normal is computed from the fast
        // and slow axes, which are left-handed under ADXV.
        Convention::Adxv => Convention::Xds,
        other => other,
    };
    let axes = convention.axes();
    let turned = |axis| Some(turn(axis));
    let pixels = |n: f64| Some(Length::from_m(n * named.pixel_size.m()));
    DetectorSpec {
        convention: Convention::Custom,
        // Not in the middle of a pixel: at an index of 0 all digits of the round shape are rounding errors.
        x_beam: pixels(2.3),
        y_beam: pixels(1.8),
        axes: CustomAxes {
            beam: turned(axes.beam),
            fast: turned(axes.fast),
            slow: turned(axes.slow),
            normal: turned(axes.normal),
            twotheta: turned(axes.twotheta),
            polarization: turned(axes.polarization),
            spindle: turned(axes.spindle),
        },
        pivot: Some(Pivot::Beam),
        rotations: Default::default(),
        ..named.clone()
    }
}

/// An orientation matrix of `cell` with rotated reciprocal vectors.
fn matrix(
    cell: &CellSpec,
    wavelength: Length,
    turn: impl Fn([f64; 3]) -> [f64; 3],
) -> [[f64; 3]; 3] {
    let stars = cell.default_reciprocal().map(turn);
    [0, 1, 2].map(|axis| stars.map(|star| star[axis] * wavelength.m() * 1e10))
}

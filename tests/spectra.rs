//! Images of beams whose sources have weights: spectra, profiles, and the weights of listed sources.
use nanobragg::gradient::{Parameter, render_jacobian, render_photons, value, with_value};
use nanobragg::physics::Level;
use nanobragg::{
    BeamSpec, CellSpec, CrystalSpec, DetectorSpec, DivergenceSpec, Error, ExperimentSpec,
    FactorsSpec, LayerSpec, Length, MaterialSpec, Profile, RunOptions, SamplingSpec, Source,
    SourceList, SourceWeights, SourcesSpec, SpectrumFrom, SpectrumSpec, StepSpec, Warning,
    simulate,
};
use nanobragg_tests::binary::Scene;
use nanobragg_tests::products::floats;
use nanobragg_tests::tolerances::{PIXEL_OF_BRIGHTEST, PIXEL_RELATIVE};

const SIDE: u32 = 40;

const HC_EV_ANGSTROM: f64 = 12398.42;

/// Allowed difference of a derivative from an extrapolated difference quotient, relative to the largest derivative.
const AGREEMENT: f64 = 1e-6;

const PLAIN: RunOptions<'static> = nanobragg_tests::ways::ONE_THREAD;

/// A crystal whose spots move by more than their width from the one wavelength to the other.
fn plain() -> ExperimentSpec {
    let mut beam = BeamSpec::default();
    // The polarization of a pixel is that of its last source, as in the C program, so that it cannot be added.
    beam.polarization.off = true;
    ExperimentSpec {
        beam,
        detector: DetectorSpec {
            pixels_fast: Some(SIDE),
            pixels_slow: Some(SIDE),
            pixel_size: Length::from_mm(1.0),
            distance: Length::from_mm(60.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[30.0, 40.0, 50.0, 90.0, 95.0, 90.0]).unwrap()),
            cells: [6, 5, 4],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        sampling: SamplingSpec {
            oversample: Some(2),
            ..SamplingSpec::default()
        },
        ..ExperimentSpec::default()
    }
}

fn at(energy_ev: f64) -> ExperimentSpec {
    let mut spec = plain();
    spec.beam.wavelength = Some(Length::from_angstrom(HC_EV_ANGSTROM / energy_ev));
    spec
}

fn with_lines(mut spec: ExperimentSpec, lines: &[[f64; 2]]) -> ExperimentSpec {
    spec.beam.spectrum = Some(SpectrumSpec {
        from: SpectrumFrom::Lines(lines.iter().map(|line| line.to_vec()).collect()),
        steps: None,
        window_ev: None,
        column: None,
    });
    spec
}

fn named(mut spec: ExperimentSpec, text: &str, steps: i64) -> ExperimentSpec {
    spec.beam.spectrum = Some(SpectrumSpec {
        from: SpectrumFrom::Named(text.parse().unwrap()),
        steps: Some(steps),
        window_ev: None,
        column: None,
    });
    spec
}

fn listed(sources: &[([f64; 3], f64, f64)]) -> SourcesSpec {
    let source = |&(position, wavelength_m, weight)| Source::at(position, wavelength_m, weight);
    let sources = sources.iter().map(source).collect::<Option<Vec<_>>>();
    SourcesSpec::List(SourceList::from_sources(sources.unwrap()).unwrap())
}

fn pixels(spec: &ExperimentSpec, level: Option<Level>) -> Vec<f32> {
    let options = RunOptions { level, ..PLAIN };
    let experiment = spec.resolve().unwrap().experiment;
    simulate(&experiment, &options)
        .unwrap()
        .photons
        .into_pixels()
}

/// Checks every pixel against a sum of images, each with its weight, for both kernels.
fn assert_is_sum(spec: &ExperimentSpec, parts: &[(f64, ExperimentSpec)]) {
    for level in [Level::Reference, Level::detect()] {
        let images: Vec<_> = parts
            .iter()
            .map(|(weight, part)| (weight, pixels(part, Some(level))))
            .collect();
        let ours = pixels(spec, Some(level));
        let brightest = f64::from(ours.iter().copied().fold(0.0, f32::max));
        assert!(brightest > 0.0);
        let mut differs = 0;
        for (at, &own) in ours.iter().enumerate() {
            let expected: f64 = images
                .iter()
                .map(|(w, image)| *w * f64::from(image[at]))
                .sum();
            let off = (f64::from(own) - expected).abs();
            let allowed = PIXEL_RELATIVE * expected + PIXEL_OF_BRIGHTEST * brightest;
            assert!(off <= allowed, "{level} at {at}: {own} and {expected}");
            let equal: f64 = images.iter().map(|(_, image)| f64::from(image[at])).sum();
            let equal = equal / images.len() as f64;
            differs += u32::from((equal - expected).abs() > 0.01 * expected);
        }
        // The weights are seen: equal ones would give another image.
        assert!(differs > SIDE, "{level}: {differs}");
    }
}

#[test]
fn two_lines_add_their_images_by_their_weights() {
    let spec = with_lines(plain(), &[[12_000.0, 3.0], [12_600.0, 1.0]]);
    assert_is_sum(&spec, &[(0.75, at(12_000.0)), (0.25, at(12_600.0))]);
}

#[test]
fn a_line_without_photons_adds_nothing() {
    let spec = with_lines(
        plain(),
        &[[12_000.0, 3.0], [12_300.0, 0.0], [12_600.0, 0.0]],
    );
    assert_eq!(pixels(&spec, None), pixels(&at(12_000.0), None));
}

#[test]
fn equal_weights_give_the_image_of_a_list_to_the_bit() {
    let mut list = plain();
    let wavelength_m = |ev: f64| HC_EV_ANGSTROM / ev / 1e10;
    let upstream = [-10.0, 0.0, 0.0];
    let energies = [12_000.0, 12_400.0, 12_500.0];
    let sources = energies.map(|ev| (upstream, wavelength_m(ev), 0.1));
    list.beam.sources = listed(&sources);
    list.beam.wavelength = Some(Length::from_angstrom(1.0));
    let mut spectrum = with_lines(plain(), &energies.map(|ev| [ev, 7.0]));
    spectrum.beam.wavelength = Some(Length::from_angstrom(1.0));
    let mut used = list.clone();
    used.beam.weights = SourceWeights::Use;
    for level in [Level::Reference, Level::detect()] {
        let expected = pixels(&list, Some(level));
        assert_eq!(pixels(&spectrum, Some(level)), expected);
        assert_eq!(pixels(&used, Some(level)), expected);
    }
}

/// The program simtbx multiplies the term of a source by flux/(sum of fluxes/sources) and divides the sum of terms
/// by the number of sources.
#[test]
fn used_weights_are_those_of_simtbx() {
    let wavelengths_m = [1.0e-10, 1.03e-10, 0.98e-10];
    let positions = [[-10.0, 0.0, 0.0], [-10.0, 0.1, 0.0], [-10.0, 0.0, -0.2]];
    let fluxes = [2e11, 0.0, 5e11];
    let sources: Vec<_> = (0..3)
        .map(|i| (positions[i], wavelengths_m[i], fluxes[i]))
        .collect();
    let mut spec = plain();
    spec.beam.weights = SourceWeights::Use;
    spec.beam.sources = listed(&sources);
    let single = |i: usize| {
        let mut one = plain();
        one.beam.sources = listed(&sources[i..=i]);
        one
    };
    let norm = fluxes.iter().sum::<f64>() / 3.0;
    let parts: Vec<_> = (0..3)
        .map(|i| (fluxes[i] / norm / 3.0, single(i)))
        .collect();
    assert_is_sum(&spec, &parts);
    // Unless they are asked for, the weights are not used.
    spec.beam.weights = SourceWeights::Ignore;
    let equal: Vec<_> = (0..3)
        .map(|i| (positions[i], wavelengths_m[i], 1.0))
        .collect();
    let mut others = spec.clone();
    others.beam.sources = listed(&equal);
    assert_eq!(pixels(&spec, None), pixels(&others, None));
}

#[test]
fn layers_scatter_from_sources_by_the_same_weights() {
    let layers = |mut spec: ExperimentSpec| {
        spec.factors = FactorsSpec::Constant(0.0);
        spec.crystal = CrystalSpec::default();
        spec.background.push(LayerSpec {
            material: MaterialSpec::Points {
                points: vec![[0.0, 4.0], [0.1, 3.0], [0.2, 1.0], [0.3, 5.0], [0.9, 1.0]],
                unit: Default::default(),
            },
            ..LayerSpec::default()
        });
        spec
    };
    let lines = [[6_000.0, 1.0], [12_600.0, 4.0]];
    let spec = layers(with_lines(plain(), &lines));
    let parts = [(0.2, layers(at(6_000.0))), (0.8, layers(at(12_600.0)))];
    assert_is_sum(&spec, &parts);
    let mut list = layers(plain());
    let sources = lines.map(|[ev, w]| ([-10.0, 0.0, 0.0], HC_EV_ANGSTROM / ev / 1e10, w));
    list.beam.sources = listed(&sources);
    list.beam.weights = SourceWeights::Use;
    assert_is_sum(&list, &parts);
}

#[test]
fn a_gaussian_divergence_adds_directions_by_their_weights() {
    let fan = StepSpec {
        range: Some(0.08),
        count: Some(3),
        ..StepSpec::default()
    };
    let mut spec = plain();
    spec.beam.divergence = DivergenceSpec {
        vertical: fan,
        profile: Profile::Gaussian,
        ..DivergenceSpec::default()
    };
    let mut flat = spec.clone();
    flat.beam.divergence.profile = Profile::Flat;
    let sources = flat.resolve().unwrap().experiment.sources;
    // exp(-4 ln2 (range/2)^2/(range/2)^2) = 1/16 at the ends.
    let parts = [1.0, 16.0, 1.0]
        .into_iter()
        .zip(&sources)
        .map(|(weight, source)| {
            let mut one = plain();
            one.beam.sources = listed(&[(source.position_m, source.wavelength_m, 1.0)]);
            (weight / 18.0, one)
        });
    assert_is_sum(&spec, &parts.collect::<Vec<_>>());
}

#[test]
fn more_steps_come_closer_to_the_spectrum() {
    let of = |steps| pixels(&named(plain(), "gaussian:3%", steps), None);
    let fine = of(400);
    let off = |steps| {
        let pairs = of(steps).into_iter().zip(&fine);
        pairs.map(|(a, b)| f64::from(a - b).abs()).sum::<f64>()
    };
    let total: f64 = fine.iter().map(|&photons| f64::from(photons)).sum();
    let errors = [5, 10, 20, 40].map(|steps| off(steps) / total);
    // The error of the middle of a step is in proportion to its width squared.
    assert!(
        errors.windows(2).all(|pair| pair[1] < 0.5 * pair[0]),
        "{errors:?}"
    );
    assert!(errors[3] < 1e-3, "{errors:?}");
}

#[test]
fn files_state_the_mean_wavelength() {
    let spec = with_lines(plain(), &[[12_000.0, 3.0], [12_600.0, 1.0]]);
    let decisions = spec.resolve().unwrap().decisions;
    let mean = (3.0 * HC_EV_ANGSTROM / 12_000.0 + HC_EV_ANGSTROM / 12_600.0) / 4.0;
    assert!((decisions.central_wavelength_m * 1e10 - mean).abs() < 1e-12);
    assert_eq!(decisions.wavelength_m, decisions.central_wavelength_m);
    // A given wavelength stays that of an orientation matrix, with a warning.
    let mut given = spec;
    given.beam.wavelength = Some(Length::from_angstrom(1.2));
    let decisions = given.resolve().unwrap().decisions;
    assert!((decisions.central_wavelength_m * 1e10 - mean).abs() < 1e-12);
    assert_eq!(decisions.wavelength_m, Length::from_angstrom(1.2).m());
    let is_told = |warning: &Warning| matches!(warning, Warning::OtherWavelength { .. });
    assert!(decisions.warnings.iter().any(is_told));
}

#[test]
fn a_wavelength_that_is_hardly_one_of_x_rays_has_a_warning() {
    let told = |spec: &ExperimentSpec| -> Option<String> {
        let warnings = spec.resolve().unwrap().decisions.warnings;
        let is_odd = |warning: &&Warning| matches!(warning, Warning::OddWavelength { .. });
        warnings.iter().find(is_odd).map(ToString::to_string)
    };
    let soft = "a wavelength of 51.6601 A (240 eV) is hardly one of X-rays: a unit may be wrong";
    let hard =
        "a wavelength of 0.0413281 A (300000 eV) is hardly one of X-rays: a unit may be wrong";
    assert_eq!(told(&at(240.0)).as_deref(), Some(soft));
    assert_eq!(told(&at(300e3)).as_deref(), Some(hard));
    for energy_ev in [250.0, 12_000.0, 240e3] {
        assert_eq!(told(&at(energy_ev)), None);
    }
    // Numbers in keV that are taken for eV.
    let lines = told(&with_lines(plain(), &[[9.5, 1.0], [9.6, 1.0]])).unwrap();
    assert!(
        lines.ends_with("a unit may be wrong (-spectrum_unit)"),
        "{lines}"
    );
    // A spectrum with a name has no unit.
    let colours = told(&named(at(240.0), "two-colour:1eV,1", 2)).unwrap();
    assert!(colours.ends_with("a unit may be wrong"), "{colours}");
}

#[test]
fn wavelengths_are_given_once() {
    let spectrum = with_lines(plain(), &[[12_000.0, 3.0]]);
    let mut with_list = spectrum.clone();
    with_list.beam.sources = listed(&[([-1.0, 0.0, 0.0], 1e-10, 1.0)]);
    let mut with_band = spectrum;
    with_band.beam.dispersion.range = Some(0.01);
    for spec in [with_list, with_band] {
        assert!(matches!(spec.resolve(), Err(Error::TwoSpectra { .. })));
    }
}

/// Derivatives by a parameter: computed by both kernels, and as a quotient of images of changed specifications.
fn derivatives(spec: &ExperimentSpec, parameter: Parameter, step: f64) -> [Vec<f64>; 3] {
    let [own, reference] = [Level::detect(), Level::Reference].map(|level| {
        let options = RunOptions {
            level: Some(level),
            ..PLAIN
        };
        let jacobian = render_jacobian(spec, &[parameter], &options).unwrap();
        jacobian.images().next().unwrap().to_vec()
    });
    let now = value(spec, parameter).unwrap();
    let central = |h: f64| -> Vec<f64> {
        let at = |by: f64| {
            let spec = with_value(spec, parameter, now + by).unwrap();
            render_photons(&spec, &[], &PLAIN).unwrap()
        };
        let pairs = at(h).into_iter().zip(at(-h));
        pairs
            .map(|(above, below)| (above - below) / (2.0 * h))
            .collect()
    };
    let [wide, narrow] = [step, step / 2.0].map(central);
    let pairs = wide.into_iter().zip(narrow);
    let quotient = pairs.map(|(wide, narrow)| (4.0 * narrow - wide) / 3.0);
    [own, reference, quotient.collect()]
}

#[test]
fn derivatives_are_those_of_the_whole_spectrum() {
    let mut fan = named(plain(), "gaussian:2%", 7);
    fan.beam.divergence.horizontal.range = Some(0.01);
    fan.beam.divergence.horizontal.count = Some(3);
    fan.beam.divergence.profile = Profile::Gaussian;
    let mut band = plain();
    band.beam.dispersion.range = Some(0.02);
    band.beam.dispersion.count = Some(4);
    band.beam.dispersion.profile = Profile::Gaussian;
    let lines = with_lines(plain(), &[[12_000.0, 3.0], [12_600.0, 1.0]]);
    for (spec, parameter, step) in [
        (
            named(plain(), "gaussian:2%", 7),
            Parameter::Wavelength,
            2e-5,
        ),
        (
            named(plain(), "gaussian:200eV", 7),
            Parameter::Wavelength,
            2e-5,
        ),
        (
            named(plain(), "sase:1%,0.2%,3", 9),
            Parameter::Wavelength,
            2e-5,
        ),
        (
            named(plain(), "pink:undulator", 9),
            Parameter::Wavelength,
            2e-5,
        ),
        (
            named(plain(), "two-colour:300eV,0.3", 9),
            Parameter::Wavelength,
            2e-5,
        ),
        (fan, Parameter::DivergenceH, 0.02),
        (band.clone(), Parameter::Dispersion, 0.01),
        (band, Parameter::Wavelength, 2e-5),
        (lines.clone(), Parameter::CellA, 1e-3),
        (lines, Parameter::Distance, 2e-3),
    ] {
        let [own, reference, quotient] = derivatives(&spec, parameter, step);
        let largest = own.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        assert!(largest > 0.0);
        for (at, quotient) in quotient.iter().enumerate() {
            let off = [own[at], reference[at]].map(|own| (own - quotient).abs());
            assert!(
                off[0].max(off[1]) < AGREEMENT * largest,
                "{parameter} at {at} {:?}: {:e}, {:e}, quotient {quotient:e}, largest {largest:e}",
                spec.beam.spectrum,
                own[at],
                reference[at],
            );
        }
    }
}

#[test]
fn derivatives_that_a_spectrum_does_not_have_are_refused() {
    let lines = with_lines(plain(), &[[12_000.0, 3.0], [12_600.0, 1.0]]);
    let mut stepped = plain();
    stepped.beam.divergence.profile = Profile::Gaussian;
    stepped.beam.divergence.vertical.range = Some(0.01);
    stepped.beam.divergence.vertical.step = Some(0.005);
    for (spec, parameter) in [
        (lines.clone(), Parameter::Wavelength),
        (lines, Parameter::Dispersion),
        (
            named(plain(), "sase:30eV,0.01%,3", 9),
            Parameter::Wavelength,
        ),
        (stepped, Parameter::DivergenceV),
    ] {
        let refused = render_jacobian(&spec, &[parameter], &PLAIN);
        assert!(
            matches!(refused, Err(Error::NoDerivative { .. })),
            "{parameter}"
        );
    }
}

/// A run of the program for [`flags`].
const RUN: &str = "-cell 30 40 50 90 95 90 -N 5 -default_F 100 -detpixels 32 -pixel 1 -distance 60 \
                   -oversample 1 -nodefaultfiles";

const SPECTRUM: &str = "# wavelength_A weight\n1.0 1\n1.01 2\n1.02 1\n";

fn scene() -> Scene {
    let scene = Scene::empty();
    scene.write("s.txt", SPECTRUM);
    scene.write("bare.txt", "1.0 1\n1.01 2\n1.02 1\n");
    scene.write("bad.txt", "# energy_eV weight\n12000 1\n12001 -2\n");
    scene.write(
        "s.src",
        "-10 0 0 1 1.00e-10\n-10 0 0 2 1.01e-10\n-10 0 0 1 1.02e-10\n",
    );
    scene.write("minus.src", "-10 0 0 1 1.00e-10\n-10 0 0 -2 1.01e-10\n");
    scene
}

#[test]
fn flags_give_the_same_image_in_every_way() {
    let scene = scene();
    let image = |words: &str, name: &str| {
        scene
            .run_line(&format!("{RUN} {words} -floatfile {name}"))
            .well();
        floats(&scene.read(name))
    };
    let expected = image("-spectrum s.txt -save-experiment s.toml", "a.bin");
    assert_eq!(
        image("-spectrum bare.txt -spectrum_unit A", "b.bin"),
        expected
    );
    assert_eq!(image("-experiment s.toml", "c.bin"), expected);
    // The same sources in the other order: equal up to rounding.
    let used = image("-sourcefile s.src -weights use", "d.bin");
    let pairs = used.iter().zip(&expected);
    assert!(pairs.clone().all(|(a, b)| (a - b).abs() <= 1e-5 * b));
    let ignored = image("-sourcefile s.src", "e.bin");
    assert!(
        ignored
            .iter()
            .zip(&expected)
            .any(|(a, b)| (a - b).abs() > 1e-2 * b)
    );
    // A flag replaces the spectrum of an experiment file.
    let band = image(
        "-experiment s.toml -dispersion 1 -dispsteps 3 -lambda 1.01",
        "f.bin",
    );
    assert_eq!(
        image("-dispersion 1 -dispsteps 3 -lambda 1.01", "g.bin"),
        band
    );
}

#[test]
fn the_report_tells_the_spectrum_and_its_error() {
    let scene = scene();
    let run = |words: &str| scene.run_line(&format!("{RUN} {words}")).well();
    let given = run("-spectrum s.txt -intfile i.img");
    assert_eq!(
        given.line("wave="),
        "1.01e-10 meters +/- 1.9802% in 3 steps"
    );
    assert_eq!(given.line("lambda0 = "), "1.02e-10");
    given.line("sources count by their weights");
    let spectrum = given.line("spectrum: s.txt, ");
    assert!(spectrum.starts_with("3 lines, mean 12276.2"), "{spectrum}");
    assert!(
        given
            .line("its steps: ")
            .starts_with("0% of the photons outside, mean off by 0 eV")
    );
    let header = String::from_utf8_lossy(&scene.read("i.img")).into_owned();
    assert!(header.contains("WAVELENGTH=1.01;"), "{header}");
    let pink = run("-energy 12000 -spectrum pink:undulator -spectrum_steps 30");
    assert!(
        pink.line("spectrum: pink:undulator,2%,1%, ")
            .contains("standard deviation")
    );
    // Without the flags every line is as before.
    run("-sourcefile s.src").line("every source counts the same");
}

#[test]
fn bad_spectra_are_refused_with_place_and_flag() {
    let scene = scene();
    for (words, expected) in [
        (
            "-spectrum none.txt",
            "none.txt: the spectrum cannot be read",
        ),
        (
            "-spectrum bare.txt",
            "bare.txt:1: the unit of the first column is not stated",
        ),
        ("-spectrum bad.txt", "bad.txt:3: a weight of -2"),
        (
            "-spectrum gaussian:10",
            "-spectrum: gaussian:10 is not allowed",
        ),
        (
            "-spectrum s.txt -dispersion 1",
            "-spectrum and -dispersion do not go together",
        ),
        (
            "-spectrum s.txt -sourcefile s.src",
            "-spectrum and -sourcefile do not go together",
        ),
        ("-spectrum_steps 5", "-spectrum_steps needs -spectrum"),
        (
            "-spectrum s.txt -spectrum_steps 0",
            "-spectrum_steps: 0 is not allowed",
        ),
        (
            "-spectrum s.txt -spectrum_window 5,3",
            "-spectrum_window: 5,3 is not allowed",
        ),
        (
            "-spectrum s.txt -spectrum_window 5,9",
            "s.txt: no photons from 5 to 9 eV [-spectrum",
        ),
        (
            "-sourcefile minus.src -weights use",
            "source 2 has -2; expected 0 or above [-weights]",
        ),
        ("-spectrum gaussian:90%", "gaussian:90%: a band of"),
    ] {
        let run = scene.run_line(&format!("{RUN} {words}"));
        assert_ne!(run.status, Some(0), "{words}");
        assert!(run.stderr.contains(expected), "{words}: {}", run.stderr);
    }
}

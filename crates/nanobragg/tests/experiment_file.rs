//! Experiments in files: what is written reads back to the bit, and nonsense is refused without a panic.

use std::path::Path;

use nanobragg::geometry::{AttachedPanel, Attenuation};
use nanobragg::{
    Angle, CellSpec, ExperimentSpec, FactorsSpec, FileLanguage, Length, MaskSpec, Misset, Profile,
    SourceWeights, SourcesSpec, SpectrumFrom, SpectrumSpec, SpectrumUnit, StepSpec,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const NAMES: [&str; 2] = ["a.toml", "a.json"];

fn printed(spec: &ExperimentSpec, name: &str) -> String {
    spec.to_text(Path::new(name))
        .expect("all of it has a place in a file")
}

fn read(text: &str, name: &str) -> Result<ExperimentSpec, nanobragg::Error> {
    ExperimentSpec::parse(text, "read", FileLanguage::of(Path::new(name)))
}

/// A number of any magnitude and with any last bits.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e3..1e3,
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        (-1e4..1e4).prop_map(|typed: f64| typed.round() / 100.0),
    ]
}

prop_compose! {
    fn experiments()(
        numbers in vec(number(), 50),
        count: Option<i64>,
        pixels: Option<u32>,
        kind in 0..4_u8,
    ) -> ExperimentSpec {
        let mut spec = ExperimentSpec::default();
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().expect("there are more than are used");
        let detector = &mut spec.detector;
        detector.distance = Length::from_m(next());
        detector.x_beam = Some(Length::from_m(next()));
        detector.pixels_fast = pixels;
        detector.rotations = [(); 3].map(|()| Angle::from_radians(next()));
        detector.sensor.attenuation = match kind {
            0 => Attenuation::NotGiven,
            1 => Attenuation::Transparent,
            _ => Attenuation::Depth(Length::from_m(next())),
        };
        detector.axes.beam = Some([(); 3].map(|()| next()));
        detector.others = (0..kind).map(|index| AttachedPanel {
            name: (index > 0).then(|| format!("panel \"{index}\"")),
            origin: [(); 3].map(|()| Length::from_m(next())),
            fast: [1.0, 0.0, -0.0],
            slow: [0.0, next(), 0.0],
            pixels_fast: 3,
            pixels_slow: u32::MAX,
            pixel_size: Length::from_m(next()),
            sensor: detector.sensor,
            trusted_range: (index > 1).then_some([0.0, 65535.0]),
        }).collect();
        let crystal = &mut spec.crystal;
        crystal.size_m = [(); 3].map(|()| next());
        crystal.mosaic.spread_rad = Some(next());
        crystal.misset = match kind {
            0 => None,
            1 => Some(Misset::Angles([(); 3].map(|()| next()))),
            2 => Some(Misset::Random { seed: i64::MIN }),
            _ => Some(Misset::RandomUniform { seed: 7 }),
        };
        crystal.cell = Some(CellSpec {
            lengths_angstrom: [(); 3].map(|()| next()),
            angles_rad: [(); 3].map(|()| next()),
        });
        spec.beam.wavelength = Some(Length::from_m(next()));
        spec.beam.fluence.beam_size_m = Some(next());
        spec.beam.divergence.vertical = StepSpec { range: Some(next()), step: Some(next()), count };
        spec.phi.sweep = StepSpec { range: Some(next()), step: None, count };
        spec.dmin = Length::from_m(next());
        spec.without_f000 = true;
        spec.mask = (kind > 1).then(|| MaskSpec::File("m\u{7f}\n\"ä#.img".into()));
        spec.factors = FactorsSpec::Dump { path: "a b".into(), default_f: next(), is_named: true };
        spec.beam.weights = if kind == 0 { SourceWeights::Use } else { SourceWeights::Ignore };
        spec.beam.dispersion.profile = if kind == 1 { Profile::Gaussian } else { Profile::Flat };
        spec.beam.spectrum = Some(SpectrumSpec {
            from: match kind {
                0 => SpectrumFrom::File { path: "s \"ä#.txt".into(), unit: None },
                1 => SpectrumFrom::File { path: "s".into(), unit: Some(SpectrumUnit::Angstrom) },
                2 => SpectrumFrom::Lines(vec![vec![next(), next(), next()]; 2]),
                _ => SpectrumFrom::Named("sase:0.25%,0.1eV,-3".parse().expect("a name")),
            },
            steps: count,
            window_ev: pixels.map(|_| [next(), next()]),
            column: Some(2),
        });
        spec.beam.sources = if kind > 2 { SourcesSpec::File("[x]".into()) } else { SourcesSpec::Grid };
        spec
    }
}

proptest! {
    #[test]
    fn every_experiment_reads_back_to_the_bit(spec in experiments()) {
        for name in NAMES {
            let again = read(&printed(&spec, name), name).unwrap();
            // Numbers are told apart by their shortest digits, so equal texts are equal bits.
            prop_assert_eq!(format!("{:?}", again), format!("{:?}", spec));
        }
        let again = ExperimentSpec::from_tree(&spec.to_tree().unwrap(), "tree").unwrap();
        prop_assert_eq!(format!("{:?}", again), format!("{:?}", spec));
    }

    #[test]
    fn a_tree_is_refused_by_its_field_and_the_name_it_is_called(version in 2..99) {
        let refused = |tree| ExperimentSpec::from_tree(&tree, "tree").unwrap_err().to_string();
        let text = refused(serde_json::json!({ "beam": { "wavelenght_angstrom": 1 } }));
        let meant = "did you mean wavelength_angstrom?";
        prop_assert_eq!(text, format!("tree: beam.wavelenght_angstrom is not a field; {meant}"));
        let text = refused(serde_json::json!({ "version": version, "new": 1 }));
        prop_assert!(text.starts_with(&format!("tree: an experiment of version {version};")), "{}", text);
    }

    #[test]
    fn a_damaged_file_is_refused_or_means_what_it_prints(
        spec in experiments(),
        edits in vec((any::<Index>(), select(vec!["", "=", "[", "]", "{", "}", "\"", "\n", ".", "-", "9", "e", "#", "nan", "version = 1\n", "é"])), 1..4),
    ) {
        for name in NAMES {
            let mut text = printed(&spec, name);
            for (place, piece) in &edits {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let at = *place.get(&places);
                let end = at + text[at..].chars().next().unwrap().len_utf8();
                text.replace_range(at..end, piece);
            }
            match read(&text, name) {
                Ok(spec) => {
                    let once = printed(&spec, name);
                    prop_assert_eq!(printed(&read(&once, name).unwrap(), name), once);
                }
                Err(error) => prop_assert!(error.to_string().starts_with("read:")),
            }
        }
    }
}

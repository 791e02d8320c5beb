//! Detectors by name: sizes, gaps, panels, and how other fields override them.

#![allow(clippy::unwrap_used)]

use nanobragg::geometry::vector::{cross, dot, sub};
use nanobragg::{
    CellSpec, CrystalSpec, ExperimentSpec, FactorsSpec, FileLanguage, Length, MaskSpec, PRESETS,
    Panel, Pivot, Preset, PresetLayout, RoiSpec, RunOptions, simulate,
};

/// Pixels of the image of a detector (fast, slow), and how many of them are in no gap.
///
/// # Source
/// Sizes: `MAX_SHAPE` of the detectors of pyFAI 2026.9, ADSC_Q315 and RayonixMx340hs among them. Pixels that
/// measure: `(calc_mask() == 0).sum()` there, and the number of modules times their pixels.
const PYFAI: [(&str, [u32; 2], usize); 18] = [
    ("pilatus300k", [487, 619], 3 * 487 * 195),
    ("pilatus1m", [981, 1043], 2 * 5 * 487 * 195),
    ("pilatus2m", [1475, 1679], 3 * 8 * 487 * 195),
    ("pilatus6m", [2463, 2527], 60 * 487 * 195),
    ("eiger1m", [1030, 1065], 2 * 1030 * 514),
    ("eiger4m", [2070, 2167], 8 * 1030 * 514),
    ("eiger9m", [3110, 3269], 18 * 1030 * 514),
    ("eiger16m", [4150, 4371], 32 * 1030 * 514),
    ("eiger2_1m", [1028, 1062], 2 * 1028 * 512),
    ("eiger2_4m", [2068, 2162], 8 * 1028 * 512),
    ("eiger2_9m", [3108, 3262], 18 * 1028 * 512),
    ("eiger2_16m", [4148, 4362], 32 * 1028 * 512),
    ("q315", [6144, 6144], 6144 * 6144),
    ("q315_2x2", [3072, 3072], 3072 * 3072),
    ("mx340", [7680, 7680], 7680 * 7680),
    ("mx340_2x2", [3840, 3840], 3840 * 3840),
    ("mx340_3x3", [2560, 2560], 2560 * 2560),
    ("mx340_4x4", [1920, 1920], 1920 * 1920),
];

/// Panels of the other detectors, and pixels of each.
///
/// # Source
/// CSPAD: 32 sensors of two chips with 194 x 185 pixels (dxtbx, FormatXTCCspad). ePix10k2M: 16 modules of
/// four chips with 192 x 176 (dxtbx, FormatXTCEpix, whose modules have 384 x 352). JUNGFRAU 4M: 8 modules of
/// eight chips with 256 x 256. AGIPD 1M: 16 modules of eight chips with 128 x 64 (EXtra-geom).
const PANELS: [(&str, usize, [u32; 2]); 4] = [
    ("cspad", 64, [194, 185]),
    ("epix10k2m", 64, [192, 176]),
    ("jungfrau4m", 64, [256, 256]),
    ("agipd1m", 128, [128, 64]),
];

/// A crystal in front of a detector, of which little is rendered.
fn experiment(preset: &Preset) -> ExperimentSpec {
    let mut spec = ExperimentSpec {
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[70.0]).unwrap()),
            cells: [5; 3],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        roi: RoiSpec {
            fast: [3, 9],
            slow: [5, 8],
        },
        ..ExperimentSpec::default()
    };
    preset.place(&mut spec, Pivot::Beam).unwrap();
    spec.response = preset.response(spec.beam.nominal_wavelength());
    spec
}

fn used(panel: &Panel) -> usize {
    panel.mask().map_or(panel.pixel_count(), |mask| {
        let rows = (0..mask.pixels_slow()).flat_map(|slow| mask.row(slow));
        rows.filter(|used| **used).count()
    })
}

#[test]
fn every_detector_renders_and_is_in_one_of_the_lists() {
    for preset in PRESETS {
        let resolved = experiment(preset).resolve().unwrap();
        let image = simulate(&resolved.experiment, &RunOptions::default()).unwrap();
        assert!(image.statistics.mean > 0.0, "{}", preset.name);
        assert_eq!(image.panels().len(), preset.panel_count());
        let single = PYFAI.iter().any(|(name, ..)| *name == preset.name);
        let several = PANELS.iter().any(|(name, ..)| *name == preset.name);
        assert!(single != several, "{}", preset.name);
        assert!(!preset.sources.is_empty() && preset.cutoff() > 0);
    }
}

#[test]
fn sizes_and_gaps_are_those_of_pyfai() {
    for (name, size, measuring) in PYFAI {
        let mut spec = experiment(Preset::named(name).unwrap());
        spec.roi = RoiSpec::default();
        let resolved = spec.resolve().unwrap();
        let panel = resolved.experiment.detector.first();
        assert_eq!([panel.pixels_fast(), panel.pixels_slow()], size, "{name}");
        assert_eq!(used(panel), measuring, "{name}");
        // A module begins and ends the panel.
        let last = [size[0] - 1, size[1] - 1];
        assert!(!panel.is_gap(0, 0) && !panel.is_gap(last[0], last[1]));
    }
}

/// The coordinates along the axes of `of` of the corners of `panel`, in pixels of `of`.
fn corners(panel: &Panel, of: &Panel) -> [[f64; 2]; 4] {
    let [nf, ns] = [panel.pixels_fast(), panel.pixels_slow()].map(f64::from);
    let px = panel.pixel_size_m();
    [[0.0, 0.0], [nf, 0.0], [nf, ns], [0.0, ns]].map(|[f, s]| {
        let from = sub(panel.position_m(f * px, s * px, 0.0), of.pix0_m());
        [of.fast(), of.slow()].map(|axis| dot(from, axis) / of.pixel_size_m())
    })
}

/// Whether an axis of `one` separates the two panels. Panels in one plane overlap if no axis of either does.
fn separated(one: &Panel, other: &Panel) -> bool {
    let sides = [one.pixels_fast(), one.pixels_slow()].map(f64::from);
    let corners = corners(other, one);
    (0..2).any(|axis| {
        let along = corners.map(|corner| corner[axis]);
        let least = along.into_iter().fold(f64::INFINITY, f64::min);
        let most = along.into_iter().fold(f64::NEG_INFINITY, f64::max);
        least >= sides[axis] || most <= 0.0
    })
}

#[test]
fn panels_have_their_sizes_and_do_not_overlap() {
    for (name, count, pixels) in PANELS {
        let resolved = experiment(Preset::named(name).unwrap()).resolve().unwrap();
        let panels = resolved.experiment.detector.panels();
        assert_eq!(panels.len(), count, "{name}");
        for (index, panel) in panels.iter().enumerate() {
            assert_eq!([panel.pixels_fast(), panel.pixels_slow()], pixels);
            assert!(dot(panel.fast(), panel.slow()).abs() < 1e-12);
            assert!((panel.close_distance_m() - 0.1).abs() < 1e-12);
            assert!(panel.sensor().thickness_m > 0.0);
            let [fast, slow] = [panel.fast(), panel.slow()];
            assert!(cross(fast, slow)[0].abs() > 1.0 - 1e-12);
            for other in &panels[..index] {
                assert!(
                    separated(panel, other) || separated(other, panel),
                    "{name}: {} and {}",
                    panel.name(),
                    other.name()
                );
            }
        }
        // The beam passes through the hole between modules, near the middle of all pixels.
        let middles = panels.iter().map(|panel| {
            let px = panel.pixel_size_m();
            let [f, s] =
                [panel.pixels_fast(), panel.pixels_slow()].map(|n| f64::from(n) / 2.0 * px);
            panel.position_m(f, s, 0.0)
        });
        let middle = middles.fold([0.0; 3], |sum, m| std::array::from_fn(|i| sum[i] + m[i]));
        let away_mm = middle.map(|x| x / count as f64 * 1000.0);
        assert!(
            away_mm[1].abs() < 5.0 && away_mm[2].abs() < 5.0,
            "{name} {away_mm:?}"
        );
    }
}

#[test]
fn the_mask_of_a_user_adds_to_the_gaps() {
    let preset = Preset::named("pilatus300k").unwrap();
    let mut spec = experiment(preset);
    spec.roi = RoiSpec::default();
    let pixels = 487 * 619;
    let mask = (0..pixels).map(|pixel| pixel >= 487).collect();
    spec.mask = Some(MaskSpec::Pixels(nanobragg::Mask::new(487, mask).unwrap()));
    let resolved = spec.resolve().unwrap();
    let panel = resolved.experiment.detector.first();
    assert_eq!(used(panel), 3 * 487 * 195 - 487);
    assert!(!panel.is_gap(0, 0) && panel.is_gap(0, 195) && panel.is_gap(486, 211));
}

#[test]
fn a_file_names_a_detector_and_overrides_it() {
    let text = "[detector]\npreset = \"EIGER 16M\"\ndistance_mm = 300\npixels_slow = 514\n\
                [detector.sensor]\nthickness_um = 1000\n[response.gain]\ncounts_per_photon = 2\n";
    let spec = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml).unwrap();
    let detector = &spec.detector;
    assert_eq!(detector.distance, Length::from_mm(300.0));
    assert_eq!(
        (detector.pixels_fast, detector.pixels_slow),
        (Some(4150), Some(514))
    );
    assert_eq!(detector.sensor.thickness, Length::from_um(1000.0));
    assert_eq!(detector.gaps.unwrap().module_pixels, [1030, 514]);
    assert_eq!(detector.model.as_deref(), Some("DECTRIS EIGER X 16M"));
    assert_eq!(spec.response.gain.as_ref().unwrap().counts_per_photon, 2.0);
    assert_eq!(spec.response.offset.as_ref().unwrap().counts, 0.0);
    // What is written has every field and needs no name.
    for (name, language) in [
        ("b.toml", FileLanguage::Toml),
        ("b.json", FileLanguage::Json),
    ] {
        let saved = spec.to_text(name.as_ref()).unwrap();
        let again = ExperimentSpec::parse(&saved, name, language).unwrap();
        assert_eq!(again.to_tree().unwrap(), spec.to_tree().unwrap());
    }
}

#[test]
fn a_size_in_a_file_replaces_the_pixels_of_the_detector() {
    let text = r#"{"detector": {"preset": "pilatus6m", "size_fast_mm": 17.2}}"#;
    let spec = ExperimentSpec::parse(text, "a.json", FileLanguage::Json).unwrap();
    assert_eq!(spec.detector.pixel_counts().unwrap(), [100, 2527]);
}

#[test]
fn panels_in_a_file_follow_its_distance() {
    let text = "[detector]\npreset = \"cspad\"\ndistance_mm = 77\n[beam]\nwavelength_angstrom = 1.3\n\
                [structure_factors]\ndefault_f = 1\n[crystal]\ncells = [2, 2, 2]\n\
                cell = { lengths_angstrom = [70, 70, 70], angles_deg = [90, 90, 90] }\n";
    let spec = ExperimentSpec::parse(text, "a.toml", FileLanguage::Toml).unwrap();
    let resolved = spec.resolve().unwrap();
    for panel in resolved.experiment.detector.panels() {
        assert!((panel.close_distance_m() - 0.077).abs() < 1e-12);
    }
    // 3.38 counts per keV.
    let gain = spec.response.gain.unwrap().counts_per_photon;
    assert!((gain - 3.38 * 12.398_419_843 / 1.3).abs() < 1e-9, "{gain}");
}

#[test]
fn names_that_are_wrong_are_errors_with_the_names_there_are() {
    for (text, message) in [
        (
            "preset = \"eigr16m\"",
            "no detector is called \"eigr16m\"; did you mean eiger16m?",
        ),
        (
            "preset = \"\"",
            "no detector is called \"\"; there are pilatus300k, ",
        ),
        (
            "preset = 3",
            "detector.preset is 3; it must be the name of a detector",
        ),
        (
            "preset = \"cspad\"\npixel_size_mm = 1",
            "the detector cspad has 64 panels",
        ),
        (
            "preset = \"cspad\"\npixels_fast = 1",
            "the detector cspad has 64 panels",
        ),
        (
            "preset = \"eiger1m\"\ndistance = 1",
            "detector.distance is not a field",
        ),
    ] {
        let text = format!("[detector]\n{text}\n");
        let error = ExperimentSpec::parse(&text, "a.toml", FileLanguage::Toml).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_sensor_of_a_material_absorbs_at_the_wavelength() {
    let preset = Preset::named("pilatus2m").unwrap();
    assert!(matches!(preset.layout, PresetLayout::Panel { .. }));
    let mu_per_m = |angstrom: f64| {
        let mut spec = experiment(preset);
        spec.beam.wavelength = Some(Length::from_angstrom(angstrom));
        spec.resolve().map(|resolved| {
            let panel = resolved.experiment.detector.first();
            panel.sensor().mu_per_m
        })
    };
    // cctbx.eltbx.attenuation_coefficient: 42.064 /cm at 12.4 keV.
    let found = mu_per_m(12.398_419_843 / 12.4).unwrap();
    assert!((found / 4206.416 - 1.0).abs() < 1e-6, "{found}");
    let error = mu_per_m(20.0).unwrap_err().to_string();
    assert!(
        error.contains("the attenuation of Si is known from 1 to 200 keV"),
        "{error}"
    );
}

#[test]
fn the_docs_list_every_detector_with_its_numbers() {
    let docs = include_str!("../../../docs/DETECTORS.md");
    for preset in PRESETS {
        let start = format!(
            "| `{}` | {} | {} |",
            preset.name, preset.maker, preset.model
        );
        let line = docs.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{start} is not in docs/DETECTORS.md"));
        let [fast, slow] = preset.panel_pixels();
        let panels = preset.panel_count();
        let end = format!(" | {} |", preset.cutoff());
        assert!(line.contains(&format!(" | {fast} x {slow} | ")), "{line}");
        assert!(
            line.contains(&format!(" | {panels} | ")) && line.ends_with(&end),
            "{line}"
        );
    }
}

//! Geometries of CrystFEL: pixels lie where the formula of its manual puts them, and come back from a file that is
//! written.

use nanobragg::exchange::crystfel::{self, Layout, Outside, turned_about_y};
use nanobragg::exchange::{CountsPer, Described, Geometry};
use nanobragg::geometry::{AttachedPanel, Gaps};
use nanobragg::{
    Angle, CellSpec, Convention, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec, Length,
    MaskedRegion, Resolved, ResponseSpec, SensorSpec,
};
use proptest::prelude::*;
use proptest::sample::select;

/// The accuracy that is promised for the position of a pixel, in metres.
const PROMISED_M: f64 = 1e-9;

/// Two panels in the syntax of CrystFEL 0.12, one of them tilted.
const NEW: &str = include_str!("exchange/two_panels.geom");
/// Two panels in the syntax of CrystFEL 0.6.
const OLD: &str = include_str!("exchange/old.geom");

fn parse(text: &str) -> Described {
    crystfel::parse(text.as_bytes(), "a.geom", Outside::default()).expect("a geometry")
}

fn message(text: &str) -> String {
    let parsed = crystfel::parse(text.as_bytes(), "a.geom", Outside::default());
    parsed.expect_err("a wrong geometry").to_string()
}

/// A point of a panel in metres, in the laboratory of CrystFEL.
fn place_m(described: &Described, panel: usize, fast: f64, slow: f64) -> [f64; 3] {
    turned_about_y(
        described.panels[panel]
            .position_mm(fast, slow)
            .map(|mm| mm / 1000.0),
    )
}

/// The formula of the manual: corner and vectors in pixels, lengths in metres.
fn manual_m(
    (corner, clen): ([f64; 2], f64),
    [fs, ss]: [[f64; 3]; 2],
    res: f64,
    [f, s]: [f64; 2],
) -> [f64; 3] {
    let offset = [corner[0] / res, corner[1] / res, clen];
    std::array::from_fn(|i| offset[i] + (f * fs[i] + s * ss[i]) / res)
}

fn assert_at(found: [f64; 3], expected: [f64; 3]) {
    for (x, y) in found.into_iter().zip(expected) {
        assert!(
            (x - y).abs() < PROMISED_M / 1000.0,
            "{found:?} {expected:?}"
        );
    }
}

#[test]
fn pixels_lie_where_the_manual_puts_them() {
    let described = parse(NEW);
    let flat = [[-0.6, 0.8, 0.0], [-0.8, -0.6, 0.0]];
    let tilted = [[0.0, 1.0, 0.0], [-0.8, 0.0, 0.6]];
    // The whole detector is shifted by 2 mm and -1 mm, which are 20 and -10 pixels.
    let corners = [
        ([120.5, -30.25], 0.08 + 0.25),
        ([-80.0, 10.0], 0.08 + 0.251),
    ];
    for (panel, (axes, corner)) in [flat, tilted].into_iter().zip(corners).enumerate() {
        for at in [[0.0, 0.0], [39.5, 0.5], [12.25, 18.0]] {
            let expected = manual_m(corner, axes, 1e4, at);
            assert_at(place_m(&described, panel, at[0], at[1]), expected);
        }
    }
    assert_eq!(described.panels[0].pixels, [40, 20]);
    assert_eq!(described.panels[1].pixels, [30, 25]);
    assert_eq!(described.panels[0].trusted_range, Some([-1.0, 16000.0]));
    assert_eq!(described.panels[1].trusted_range, Some([-1.0, 9000.0]));
    assert_eq!(described.gain, Some(CountsPer::ElectronVolt(0.01)));
    // 9.5 keV.
    let wavelength = described.wavelength_angstrom.unwrap();
    assert!((wavelength - 12398.42 / 9500.0).abs() < 1e-12);
    let heard: Vec<String> = described.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        heard,
        ["new.geom:5: bandwidth is ignored: the spectrum is that of -dispersion or -sourcefile",]
            .map(|line| line.replace("new.geom", "a.geom"))
    );
}

#[test]
fn bad_regions_panels_and_edges_are_masked() {
    let described = parse(NEW);
    let region = |panel, fast, slow| MaskedRegion { panel, fast, slow };
    // The edge of one pixel of the second panel, and pixels 10 to 12 of row 3 of the first one.
    let expected = [
        region(1, [0, 29], [0, 0]),
        region(1, [0, 29], [24, 24]),
        region(1, [0, 0], [0, 24]),
        region(1, [29, 29], [0, 24]),
        region(0, [10, 12], [3, 3]),
    ];
    assert_eq!(described.masked[..5], expected);
    // By place: pixels whose first corner lies between -82 and -79 in x and between 10 and 12.5 in y. Their corners are
    // at x = -80 - 0.8 s, y = 10 + f.
    assert_eq!(described.masked[5..], [region(1, [1, 2], [0, 2])]);
    let whole = NEW.replace("p1/mask_edge_pixels = 1", "p1/no_index = 1");
    assert_eq!(parse(&whole).masked[0], region(1, [0, 29], [0, 24]));
}

#[test]
fn old_files_have_a_camera_length_for_each_panel() {
    let described = parse(OLD);
    let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    assert_at(
        place_m(&described, 0, 1.5, 2.5),
        manual_m(([-97.0, 1.0], 0.0677), axes, 9097.52, [1.5, 2.5]),
    );
    assert_at(
        place_m(&described, 1, 1.5, 2.5),
        manual_m(([1.0, 1.0], 0.0678), axes, 9097.52, [1.5, 2.5]),
    );
    // A region without a panel is one of the data.
    let fast = [0, 3];
    let region = MaskedRegion {
        panel: 0,
        fast,
        slow: [2, 2],
    };
    assert_eq!(described.masked, [region]);
    assert!(described.ignored.is_empty(), "{:?}", described.ignored);
}

#[test]
fn numbers_in_image_files_come_from_elsewhere() {
    let text = OLD.replace("clen = 0.0677", "clen = /LCLS/detectorPosition");
    let text = text.replace(
        "photon_energy = 8500",
        "photon_energy = /LCLS/photon_energy_eV",
    );
    let outside = Outside {
        camera_length_m: Some(0.1),
        has_wavelength: true,
    };
    let described = crystfel::parse(text.as_bytes(), "a.geom", outside).unwrap();
    assert_eq!(described.wavelength_angstrom, None);
    assert!((place_m(&described, 0, 0.0, 0.0)[2] - 0.1).abs() < 1e-15);
    let unknown = Outside::default();
    let error = |outside| crystfel::parse(text.as_bytes(), "a.geom", outside).unwrap_err();
    assert_eq!(
        error(unknown).to_string(),
        "a.geom:3: photon_energy: found `/LCLS/photon_energy_eV`, expected a number: it stands in image files, and \
         -lambda or -energy gives it"
    );
    let known = Outside {
        has_wavelength: true,
        ..unknown
    };
    assert_eq!(
        error(known).to_string(),
        "a.geom:4: clen: found `/LCLS/detectorPosition`, expected a number: it stands in image files, and -distance gives it"
    );
}

#[test]
fn what_cannot_be_is_named_with_its_line() {
    for (from, to, expected) in [
        (
            "p0/max_fs = 39",
            "p0/max_fs = -1",
            "a.geom:17: p0/max_fs: found `-1`, expected a whole number of 0 or above",
        ),
        ("p0/max_fs = 39", "", "a.geom:15: p0/max_fs is missing"),
        (
            "p0/min_ss = 5",
            "p0/min_ss = 25",
            "a.geom:18: p0/max_ss: found `24`, expected the last pixel of a panel, not before the first",
        ),
        (
            "p1/min_ss = 25",
            "p1/min_ss = 24",
            "a.geom:28: p1/min_ss: found pixels that p0 has too, expected pixels that no other panel has",
        ),
        (
            "p0/fs = -0.6x +0.8y",
            "p0/fs = -0.6x +0.8w",
            "a.geom:21: p0/fs: found `-0.6x +0.8w`, expected a vector such as `+0.999x -0.01y`",
        ),
        (
            "p0/ss = -0.8x -0.6y",
            "p0/ss = -0.8x +0.6y",
            "a.geom:22: p0/ss: found `-0.8x +0.6y`, expected a vector at right angles to fs and of its length (pixels are square)",
        ),
        (
            "res = 10000 ; per metre",
            "res = 0",
            "a.geom:6: res: found `0`, expected a number from 1e-15 to 1e15",
        ),
        (
            "res = 10000 ; per metre",
            "",
            "a.geom:15: p0/res is missing",
        ),
        (
            "clen = 80 mm",
            "clen = 8 cm",
            "a.geom:4: clen: found `8 cm`, expected a number with the unit m or mm",
        ),
        ("clen = 80 mm", "", "a.geom:15: p0/clen is missing"),
        (
            "photon_energy = 9.5 keV",
            "electron_voltage = 300 kV",
            "a.geom:3: electron_voltage: found `300 kV`, expected photon_energy or wavelength in its place: there are no electrons",
        ),
        (
            "photon_energy = 9.5 keV",
            "wavelength = 1.3",
            "a.geom:3: wavelength: found `1.3`, expected a number above 0 with the unit A or m",
        ),
        (
            "bad_row/max_fs = 12",
            "bad_row/max_fs = 99",
            "a.geom:39: bad_row/max_fs: found `99`, expected a pixel of the data that belongs to the panel of the region",
        ),
        (
            "bad_row/panel = p0",
            "bad_row/panel = q0",
            "a.geom:37: bad_row/panel: found `q0`, expected the name of a panel of this file",
        ),
        (
            "bad_row/max_fs = 12",
            "bad_row/max_x = 12",
            "a.geom:39: bad_row/max_x: found `12`, expected fast and slow pixels as in the other lines of the region, or x and y in all",
        ),
        (
            "bad_row/max_fs = 12",
            "",
            "a.geom:37: bad_row/max_fs is missing",
        ),
        (
            "p1/coffset = 0.251",
            "p1/coffset = 0.251\np1/rail_direction = x",
            "a.geom:34: p1/rail_direction: found `x`, expected z: on another rail corner_x and corner_y change with clen; write \
             them for this clen, without rail_direction",
        ),
        (
            "p1/coffset = 0.251",
            "p1/coffset 0.251",
            "a.geom:33: found `p1/coffset 0.251`, expected `key = value`, or a comment that begins with `;`",
        ),
    ] {
        assert!(NEW.contains(from), "{from}");
        assert_eq!(message(&NEW.replace(from, to)), expected);
    }
    let none = "a.geom: a panel, with lines such as `p0/min_fs = 0`, is missing";
    assert_eq!(message("clen = 1\n"), none);
}

#[test]
fn what_has_no_effect_is_warned_of_once() {
    for (from, to, expected) in [
        (
            "p1/coffset = 0.251",
            "p1/coffset = 0.251\np1/cofset = 1\np0/cofset = 2",
            "a.geom:35: p0/cofset (meant is perhaps coffset) is ignored: CrystFEL has no such key",
        ),
        (
            "bad_row/max_fs = 12",
            "bad_row/max_fs = 12\nbad_row/max_ffs = 1",
            "a.geom:40: bad_row/max_ffs (meant is perhaps max_fs) is ignored: a bad region has no such key",
        ),
        (
            "bad_row/max_fs = 12",
            "bad_row/max_fs = 12\nres = 1",
            "a.geom:40: res is ignored: it holds for panels after it, and there is none",
        ),
        (
            "p1/adu_per_eV = 0.01",
            "p1/adu_per_eV = 0.02",
            "a.geom:32: p1/adu_per_eV is ignored: panels differ in their gain; -gain gives one for all",
        ),
        (
            "detector_shift_x = 2 mm",
            "detector_shift_x = /shift m",
            "a.geom:9: detector_shift_x is ignored: it stands in image files; -Xbeam and -Ybeam move the detector",
        ),
        (
            "p0/ss = -0.8x -0.6y",
            "p0/ss = -0.8002x -0.6001y",
            "a.geom:22: what takes pixels of p0 0.00 pixels from a square grid is ignored: pixels are square",
        ),
    ] {
        assert!(NEW.contains(from), "{from}");
        let described = parse(&NEW.replace(from, to));
        let lines: Vec<String> = described.ignored.iter().map(ToString::to_string).collect();
        // 20 rows of pixels that are 0.00022 too long.
        let is_small = to.contains("-0.8002x");
        assert_eq!(lines.contains(&expected.to_owned()), !is_small, "{lines:?}");
    }
    let text = NEW.replace("p0/ss = -0.8x -0.6y", "p0/ss = -0.8006x -0.6001y");
    let described = parse(&text.replace("p0/max_fs = 39", "p0/max_fs = 239"));
    let warned = described
        .ignored
        .iter()
        .any(|one| one.place.contains("from a square grid"));
    assert!(warned, "{:?}", described.ignored);
    // The middle of the panel stays where the file has it.
    let axes = [[-0.6, 0.8, 0.0], [-0.8006, -0.6001, 0.0]];
    let middle = manual_m(([120.5, -30.25], 0.33), axes, 1e4, [120.0, 10.0]);
    assert_at(place_m(&described, 0, 120.0, 10.0), middle);
}

#[test]
fn a_run_takes_mask_and_gain_from_a_geometry() {
    let mut spec = experiment(DetectorSpec::default());
    parse(NEW).apply(&mut spec).unwrap();
    assert!((spec.response.gain.unwrap().counts_per_photon - 95.0).abs() < 1e-9);
    let resolved = spec.resolve().unwrap();
    let panels = resolved.experiment.detector.panels();
    assert!(!panels[0].uses(11, 3) && panels[0].uses(13, 3) && !panels[1].uses(0, 7));
    let mut other = spec.clone();
    parse(OLD).apply(&mut other).unwrap();
    assert_eq!(
        other.mask,
        Some(nanobragg::MaskSpec::Regions(parse(OLD).masked))
    );
    // Rectangles of pixels stay in an experiment file.
    let text = spec.to_text("a.toml".as_ref()).unwrap();
    let read = ExperimentSpec::parse(&text, "a.toml", nanobragg::FileLanguage::Toml).unwrap();
    assert_eq!(read.mask, spec.mask);
}

fn experiment(detector: DetectorSpec) -> ExperimentSpec {
    ExperimentSpec {
        detector,
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[100.0; 3]).expect("a cell")),
            cells: [5; 3],
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(100.0),
        ..ExperimentSpec::default()
    }
}

/// What a geometry that is written for an experiment says.
fn written(resolved: &Resolved, response: &ResponseSpec, layout: Layout) -> (Geometry, Described) {
    let geometry = Geometry::of(resolved).expect("a flat detector");
    let text = crystfel::write(resolved, &geometry, response, layout, None);
    let described = crystfel::parse(text.as_bytes(), "out.geom", Outside::default());
    let described = described.expect("what is written is read");
    (geometry, described)
}

#[test]
fn gaps_become_bad_regions() {
    let gaps = Gaps {
        module_pixels: [3, 2],
        gap_pixels: [2, 1],
    };
    let resolved = experiment(DetectorSpec {
        pixels_fast: Some(8),
        pixels_slow: Some(5),
        gaps: Some(gaps),
        ..DetectorSpec::default()
    });
    let resolved = resolved.resolve().unwrap();
    for layout in [Layout::Hdf5, Layout::Image] {
        let (_, described) = written(&resolved, &ResponseSpec::default(), layout);
        let mut masked: Vec<[u32; 2]> = (described.masked.iter())
            .flat_map(|r| {
                (r.slow[0]..=r.slow[1]).flat_map(|s| (r.fast[0]..=r.fast[1]).map(move |f| [f, s]))
            })
            .collect();
        masked.sort_unstable();
        let all = (0..8).flat_map(|f| (0..5).map(move |s| [f, s]));
        let expected: Vec<[u32; 2]> = all.filter(|[f, s]| gaps.contain(*f, *s)).collect();
        assert_eq!(masked, expected);
        // The mask in HDF5 files says the same.
        let mut ignored = described.ignored.iter();
        assert!(!ignored.any(|one| one.place.ends_with("mask")));
    }
}

fn direction() -> impl Strategy<Value = [f64; 3]> {
    let component = || -1.0..1.0_f64;
    (component(), component(), component())
        .prop_map(|(x, y, z)| [x, y, z])
        .prop_filter("a direction", |v| {
            v.iter().map(|x| x * x).sum::<f64>() > 0.01
        })
}

prop_compose! {
    fn panel()(
        fast in direction(),
        other in direction(),
        origin in [-200.0..200.0, -200.0..200.0, -20.0..20.0_f64],
        pixels in [1..300_u32, 1..300_u32],
        pixel_mm in 0.01..0.3_f64,
    ) -> Option<AttachedPanel> {
        let cross = |a: [f64; 3], b: [f64; 3]| [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ];
        let unit = |v: [f64; 3]| {
            let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            (length > 0.01).then(|| v.map(|x| x / length))
        };
        let fast = unit(fast)?;
        Some(AttachedPanel {
            name: None,
            origin: origin.map(Length::from_mm),
            fast,
            slow: unit(cross(fast, other))?,
            pixels_fast: pixels[0],
            pixels_slow: pixels[1],
            pixel_size: Length::from_mm(pixel_mm),
            sensor: SensorSpec::default(),
            trusted_range: None,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_pixel_comes_back_from_a_written_geometry(
        convention in select(&Convention::ALL[..]),
        rotations in [-20.0..20.0, -20.0..20.0, -20.0..20.0_f64],
        twotheta in prop_oneof![Just(0.0), -40.0..40.0_f64],
        distance in 60.0..400.0_f64,
        wavelength in 0.5..3.0_f64,
        pixels in [1..500_u32, 1..500_u32],
        pixel_mm in 0.01..0.3_f64,
        others in proptest::collection::vec(panel(), 0..5),
    ) {
        let mut spec = experiment(DetectorSpec {
            convention,
            rotations: rotations.map(Angle::from_degrees),
            twotheta: Angle::from_degrees(twotheta),
            distance: Length::from_mm(distance),
            pixels_fast: Some(pixels[0]),
            pixels_slow: Some(pixels[1]),
            pixel_size: Length::from_mm(pixel_mm),
            others: others.into_iter().flatten().collect(),
            ..DetectorSpec::default()
        });
        spec.beam.wavelength = Some(Length::from_angstrom(wavelength));
        let resolved = spec.resolve().unwrap();
        let (geometry, described) = written(&resolved, &spec.response, Layout::Hdf5);
        prop_assert_eq!(geometry.panels.len(), described.panels.len());
        let back = described.wavelength_angstrom.unwrap();
        prop_assert!((back / wavelength - 1.0).abs() < 1e-14);
        for (there, here) in geometry.panels.iter().zip(&described.panels) {
            prop_assert_eq!(there.pixels, here.pixels);
            // Positions are linear in the pixel, so that three corners stand for all of them.
            let [fast, slow] = there.pixels.map(f64::from);
            for (f, s) in [(0.0, 0.0), (fast, 0.0), (0.0, slow)] {
                let (one, other) = (there.position_mm(f, s), here.position_mm(f, s));
                for (x, y) in one.into_iter().zip(other) {
                    prop_assert!((x - y).abs() < 1000.0 * PROMISED_M, "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        lines in proptest::collection::vec(
            (0..46_usize, select(vec![
                "", "-1", "0", "1e300", "nan", "4294967295", "1e9", "x", "-x+y", "1x 1y", "true", "/a/b m", "5 mm", "p0",
                "p1", "%", "ss", "inf",
            ])),
            0..8,
        ),
    ) {
        let mut text: Vec<String> = NEW.lines().map(str::to_owned).collect();
        for (at, value) in lines {
            if let Some(line) = text.get_mut(at) {
                let key = line.split('=').next().unwrap_or_default().to_owned();
                *line = format!("{key}= {value}");
            }
        }
        // A panel of more pixels than a machine has memory for is refused later, so only the text is read.
        let _ = crystfel::parse(text.join("\n").as_bytes(), "a.geom", Outside::default());
    }
}

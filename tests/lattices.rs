//! Several lattices in the beam: their images add up, and every photon belongs to one of them.

use nanobragg::geometry::vector::{cross, dot, norm};
use nanobragg::physics::render;
use nanobragg::{
    Angle, CellSpec, CrystalSpec, DetectorSpec, ExperimentSpec, FactorGrid, GridLimit, Hkl,
    LatticeSpec, LatticesSpec, Length, Level, Lookup, Misset, MosaicSpec, RunOptions, Scene, Shape,
    StepSpec, Truth, TruthWishes, TwinLaw, TwinSpec, crystal::Reflection, render_with_truth,
};
use nanobragg_tests::binary::Scene as Folder;

/// Images are rounded to `f32`, and a sum is that of two of them. Offsets from a reflection are worked out by other
/// operations for another lattice.
const ROUNDING: f64 = 3e-6;

/// The amplitude of a reflection: without any symmetry.
fn amplitude([h, k, l]: [i32; 3]) -> f64 {
    20.0 + f64::from((h * 37 + k * 61 + l * 83).rem_euclid(101))
}

fn grid(amplitude: impl Fn([i32; 3]) -> f64) -> FactorGrid {
    let range = -9..=9;
    let indices = range.clone().flat_map(|h| {
        let range = range.clone();
        range
            .clone()
            .flat_map(move |k| range.clone().map(move |l| [h, k, l]))
    });
    let list: Vec<_> = indices
        .map(|hkl| Reflection {
            hkl: Hkl(hkl),
            amplitude: amplitude(hkl),
        })
        .collect();
    FactorGrid::from_reflections(&list, 0.0, GridLimit::default()).expect("a small grid")
}

/// A crystal of tetragonal shape with structure factors of no symmetry, which turns by a degree.
fn tetragonal() -> ExperimentSpec {
    let mut spec = ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(90),
            pixels_slow: Some(80),
            pixel_size: Length::from_mm(0.5),
            distance: Length::from_mm(60.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(
                CellSpec::from_values(&[40.0, 40.0, 30.0, 90.0, 90.0, 90.0]).expect("a cell"),
            ),
            misset: Some(Misset::Angles([0.3, -0.2, 0.1])),
            cells: [5, 5, 4],
            mosaic: MosaicSpec {
                spread_rad: Some(0.01),
                domains: Some(3),
                ..MosaicSpec::default()
            },
            ..CrystalSpec::default()
        },
        factors: grid(amplitude).into(),
        lookup: Some(Lookup::Nearest),
        ..ExperimentSpec::default()
    };
    spec.phi.start = Angle::from_degrees(2.0);
    spec.phi.sweep = StepSpec {
        range: Some(0.02),
        step: None,
        count: Some(2),
    };
    spec.sampling.oversample = Some(1);
    spec.beam.fluence.fluence_per_m2 = Some(1e30);
    spec
}

fn law(text: &str) -> TwinLaw {
    TwinLaw::from_text(text).expect("a law")
}

fn twinned(twins: &[(&str, f64)]) -> LatticesSpec {
    LatticesSpec {
        twins: (twins.iter())
            .map(|&(operator, fraction)| TwinSpec {
                operator: law(operator),
                fraction,
            })
            .collect(),
        ..LatticesSpec::default()
    }
}

/// A second crystal, turned and with a cell of its own.
fn second() -> LatticeSpec {
    LatticeSpec {
        weight: 0.4,
        misset: Some([3.0, -7.0, 11.0].map(Angle::from_degrees)),
        basis: Some([[1.01, 0.0, 0.0], [0.0, 0.99, 0.02], [0.0, 0.0, 1.0]]),
        ..LatticeSpec::default()
    }
}

fn options(level: Level) -> RunOptions<'static> {
    RunOptions {
        threads: 1,
        level: Some(level),
        ..RunOptions::default()
    }
}

fn image(spec: &ExperimentSpec, level: Level) -> Vec<f64> {
    let experiment = spec.resolve().expect("an experiment").experiment;
    let frame = render(&Scene::new(&experiment), &options(level)).expect("nothing stops it");
    frame.panels[0]
        .pixels
        .iter()
        .map(|&photons| photons.into())
        .collect()
}

fn truth(spec: &ExperimentSpec) -> Truth {
    let experiment = spec.resolve().expect("an experiment").experiment;
    let wishes = TruthWishes {
        labels: true,
        ..TruthWishes::default()
    };
    let found = render_with_truth(&Scene::new(&experiment), &wishes, &options(Level::detect()));
    found.expect("nothing stops it").1
}

fn assert_same(found: &[f64], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    // Between spots of a parallelepiped the photons are what large terms leave of one another.
    let brightest = expected.iter().copied().fold(0.0, f64::max);
    assert!(brightest > 1.0);
    for (x, y) in found.iter().zip(&expected) {
        assert!((x - y).abs() <= ROUNDING * y + 1e-9 * brightest, "{x} {y}");
    }
}

/// The spec with one of several lattices alone.
fn alone(spec: &ExperimentSpec, lattice: &LatticeSpec) -> ExperimentSpec {
    let lattices = LatticesSpec {
        first_weight: Some(0.0),
        others: vec![lattice.clone()],
        ..LatticesSpec::default()
    };
    ExperimentSpec {
        lattices,
        ..spec.clone()
    }
}

#[test]
fn a_twin_adds_the_intensity_of_its_reflection_at_each_spot() {
    // A fourfold rotation is not its own inverse, so that it tells F(R h) from F(h R).
    for (text, image_of) in [
        (
            "k,h,-l",
            (|[h, k, l]| [k, h, -l]) as fn([i32; 3]) -> [i32; 3],
        ),
        ("-k,h,l", |[h, k, l]| [-k, h, l]),
        ("-h,-k,-l", |[h, k, l]| [-h, -k, -l]),
    ] {
        for level in [Level::Reference, Level::detect()] {
            for shape in [Shape::Square, Shape::Gauss, Shape::Round] {
                let mut spec = tetragonal();
                spec.crystal.shape = shape;
                // I(h) = (1 - f) J(h) + f J(R h).
                let untwinned = image(&spec, level);
                let reindexed = ExperimentSpec {
                    factors: grid(|hkl| amplitude(image_of(hkl))).into(),
                    ..spec.clone()
                };
                let reindexed = image(&reindexed, level);
                assert!(untwinned != reindexed);
                for fraction in [0.0, 0.3, 1.0] {
                    spec.lattices = twinned(&[(text, fraction)]);
                    let sums = untwinned.iter().zip(&reindexed);
                    let sums = sums.map(|(j, j_r)| (1.0 - fraction) * j + fraction * j_r);
                    assert_same(&image(&spec, level), sums);
                }
            }
        }
    }
}

#[test]
fn perfect_twins_have_the_symmetry_of_their_law() {
    let mut spec = tetragonal();
    spec.lattices = twinned(&[("k,h,-l", 0.5)]);
    let found = image(&spec, Level::detect());
    spec.factors = grid(|[h, k, l]| amplitude([k, h, -l])).into();
    assert_same(&found, image(&spec, Level::detect()));
    // Four equal parts of a fourfold axis.
    let quarters = [("-k,h,l", 0.25), ("-h,-k,l", 0.25), ("k,-h,l", 0.25)];
    spec.lattices = twinned(&quarters);
    let found = image(&spec, Level::detect());
    spec.factors = grid(|[h, k, l]| amplitude([h, -k, -l])).into();
    assert_same(&found, image(&spec, Level::detect()));
}

#[test]
fn crystals_add_up_and_each_has_the_twins() {
    for lookup in [Lookup::Nearest, Lookup::Tricubic] {
        let mut spec = tetragonal();
        spec.lookup = Some(lookup);
        let first = image(&spec, Level::detect());
        let other = image(&alone(&spec, &second()), Level::detect());
        spec.lattices = LatticesSpec {
            first_weight: Some(2.0),
            others: vec![second()],
            ..LatticesSpec::default()
        };
        for level in [Level::Reference, Level::detect()] {
            let sums = first.iter().zip(&other).map(|(a, b)| 2.0 * a + b);
            assert_same(&image(&spec, level), sums);
        }
    }
    let mut spec = tetragonal();
    let twins = twinned(&[("k,h,-l", 0.2)]);
    let twin_of = |mut spec: ExperimentSpec| {
        spec.lattices.twins.clone_from(&twins.twins);
        image(&spec, Level::detect())
    };
    let [first, other] = [twin_of(spec.clone()), twin_of(alone(&spec, &second()))];
    spec.lattices.others = vec![second()];
    assert_same(&twin_of(spec), first.iter().zip(&other).map(|(a, b)| a + b));
}

#[test]
fn a_rotation_is_the_same_in_angles_and_as_a_matrix() {
    // Rz Ry Rx, worked out from its definition.
    let [x, y, z] = [3.0_f64, -7.0, 11.0].map(f64::to_radians);
    let (sx, cx, sy, cy, sz, cz) = (x.sin(), x.cos(), y.sin(), y.cos(), z.sin(), z.cos());
    let turn = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ];
    let spec = tetragonal();
    let angles = alone(&spec, &second());
    let matrix = alone(
        &spec,
        &LatticeSpec {
            misset: None,
            turn: Some(turn),
            ..second()
        },
    );
    assert_same(
        &image(&angles, Level::detect()),
        image(&matrix, Level::detect()),
    );
    // A misset of an unturned crystal is the same rotation.
    let mut unturned = spec;
    unturned.crystal.misset = None;
    let plain = LatticeSpec {
        weight: 1.0,
        basis: None,
        ..second()
    };
    let by_lattice = image(&alone(&unturned, &plain), Level::detect());
    unturned.crystal.misset = Some(Misset::Angles([x, y, z]));
    assert_same(&by_lattice, image(&unturned, Level::detect()));
}

#[test]
fn photons_of_each_lattice_are_those_of_it_alone() {
    let mut spec = tetragonal();
    let of_first = truth(&spec);
    let of_second = truth(&alone(&spec, &second()));
    spec.lattices.others = vec![second()];
    let both = truth(&spec);
    let total = image(&spec, Level::detect()).iter().sum::<f64>();
    let sum: f64 = both.reflections.iter().map(|one| one.photons).sum();
    assert!((sum - total).abs() < 1e-6 * total);
    for (number, alone) in [(0, &of_first), (1, &of_second)] {
        let found: Vec<_> = both
            .reflections
            .iter()
            .filter(|one| one.lattice == number)
            .collect();
        // Alone, the second lattice is number 1 too: the first has no photons.
        let expected: Vec<_> = alone
            .reflections
            .iter()
            .filter(|one| one.lattice == number)
            .collect();
        assert!(found.len() > 20);
        assert_eq!(expected.len(), alone.reflections.len());
        let hkl = |list: &[&nanobragg::ReflectionTruth]| -> Vec<_> {
            list.iter().map(|one| one.hkl).collect()
        };
        assert_eq!(hkl(&found), hkl(&expected));
        let brightest = expected.iter().map(|one| one.photons).fold(0.0, f64::max);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.partiality - expected.partiality).abs() < 1e-12);
            assert!(found.partiality > 0.0);
            let off = (found.photons - expected.photons).abs();
            assert!(
                off < 1e-5 * expected.photons + 1e-8 * brightest,
                "{found:?} {expected:?}"
            );
        }
    }
    // A label is the row of the brightest reflection, of either lattice.
    let labelled = |number: usize| {
        let labels = both.labels[0]
            .iter()
            .filter_map(|&label| (label as usize).checked_sub(1));
        labels
            .filter(|&row| both.reflections[row].lattice == number)
            .count()
    };
    assert!(labelled(0) > 100 && labelled(1) > 100);
}

#[test]
fn tables_tell_lattices_only_if_there_are_several() {
    let folder = Folder::empty();
    let common = "-default_F 100 -cell 40 40 30 -N 5 -detpixels 64 -distance 60 -oversample 1 -nodefaultfiles \
                  -fluence 1e30 -truthfile truth.csv";
    let head = || {
        let text = String::from_utf8(folder.read("truth.csv")).expect("text");
        let head = text
            .lines()
            .find(|line| !line.starts_with('#'))
            .expect("a head")
            .to_owned();
        let column = head.split(',').position(|name| name == "lattice");
        let rows = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
        let lattices = column.map(|column| {
            let mut lattices: Vec<String> = rows
                .filter_map(|row| row.split(',').nth(column).map(str::to_owned))
                .collect();
            lattices.dedup();
            lattices
        });
        (text.contains("# lattices:"), lattices)
    };
    let _ = folder.run_line(common).well();
    assert_eq!(head(), (false, None));
    folder.write(
        "split.txt",
        "\u{feff}# split\nfirst 0.7 # the crystal\n\n0.3 0 0 2\n0.1 0 -1 0 1 0 0 0 0 1\n",
    );
    let _ = folder
        .run_line(&format!("{common} -lattice split.txt"))
        .well();
    let three = ["0", "1", "2"].map(str::to_owned).to_vec();
    assert_eq!(head(), (true, Some(three)));
    let words = format!("{common} -twin k,h,-l 0.25 -twin -h,-k,l 0.25 -save-experiment kept.toml");
    let _ = folder.run_line(&words).well();
    let table = folder.read("truth.csv");
    let kept = ExperimentSpec::read(&folder.path("kept.toml")).expect("the experiment");
    assert_eq!(
        kept.lattices,
        twinned(&[("k,h,-l", 0.25), ("-h,-k,l", 0.25)])
    );
    let _ = folder
        .run_line("-experiment kept.toml -nodefaultfiles -truthfile truth.csv")
        .well();
    assert_eq!(folder.read("truth.csv"), table);
}

#[test]
fn wrong_lattices_are_refused_with_their_place() {
    let folder = Folder::empty();
    for (name, text) in [
        ("word", "# a\n0.5 0 x 0\n"),
        ("negative", "-0.5 0 0 1\n"),
        ("four", "0.5 0 0 1 2\n"),
        ("skew", "0.5 1 0 0 0 1 0 0 0.1 1\n"),
        ("mirror", "0.5 1 0 0 0 1 0 0 0 -1\n"),
        ("infinite", "0.5 0 0 inf\n"),
        ("twice", "first 1\nfirst 1\n"),
        ("place", "first 1 0 0 1\n"),
        ("none", "# nothing\n"),
    ] {
        folder.write(name, text);
    }
    folder.write(
        "basis.json",
        r#"{"lattices": {"others": [{"basis": [[1,0,0],[0,1,0],[1,1,0]]}]}}"#,
    );
    folder.write(
        "sum.json",
        r#"{"lattices": {"twins": [{"operator": "h,-k,-l", "fraction": 2}]}}"#,
    );
    folder.write(
        "law.json",
        r#"{"lattices": {"twins": [{"operator": "x,y,z", "fraction": 0.2}]}}"#,
    );
    let common = "-default_F 100 -cell 40 40 30 -N 5 -detpixels 16 -distance 60 -oversample 1 -nodefaultfiles";
    for (words, fault) in [
        (
            "-lattice word",
            "word:2: found `x`, expected a finite number",
        ),
        (
            "-lattice negative",
            "negative:1: found `-0.5 0 0 1`, expected a weight of 0 or above",
        ),
        (
            "-lattice four",
            "four:1: found `0.5 0 0 1 2`, expected a weight, and three angles or the nine",
        ),
        ("-lattice skew", "skew:1: "),
        ("-lattice mirror", "mirror:1: "),
        ("-lattice infinite", "infinite:1: found `inf`"),
        ("-lattice twice", "twice:2: "),
        ("-lattice place", "place:1: "),
        ("-lattice none", "none: a lattice is missing"),
        ("-lattice gone", "gone"),
        ("-twin h,k 0.3", "the operation of a twin on h,k,l"),
        ("-twin 2h,k,l 0.3", "determinant of 1 or -1"),
        ("-twin k,h,-l 1.3", "a number from 0 to 1"),
        ("-twin k,h,-l nan", "a number from 0 to 1"),
        ("-twin k,h,-l", "-twin needs <operator fraction>"),
        (
            "-twin k,h,-l 0.6 -twin -h,-k,l 0.6",
            "the sum of the fractions of twins is 1.2",
        ),
        ("-twin l,h,k 0.3", "the twin l,h,k is no twin of this cell"),
        (
            "-experiment basis.json",
            "lattice 1 of the experiment: basis: its determinant is 0",
        ),
        ("-experiment sum.json", "the fraction of a twin is 2"),
        ("-experiment law.json", "found x,y,z"),
    ] {
        let done = folder.run_line(&format!("{common} {words}"));
        assert_ne!(done.status, Some(0), "{words}");
        assert!(done.stderr.contains(fault), "{words}: {}", done.stderr);
    }
    let bent = folder
        .run_line(&format!("{common} -cell 40 40.4 30 -twin k,h,-l 0.3"))
        .well();
    assert!(
        bent.stderr
            .contains("the twin k,h,-l misses a symmetry of the lattice by 0.0201"),
        "{}",
        bent.stderr
    );
}

#[test]
fn a_stream_has_a_crystal_for_each_lattice_with_reflections_of_its_own() {
    let folder = Folder::empty();
    folder.write("split.txt", "0.6 4 -9 17\n");
    let words = "-default_F 100 -cell 40 50 30 -misset 20 7 33 -N 6 -gauss_xtal -detpixels 256 -distance 60 -oversample 1 \
                 -nodefaultfiles -fluence 1e30 -truth_floor 100 -lattice split.txt -streamfile a.stream \
                 -cbffile a.cbf -solfile a.sol -exptfile a.expt";
    let _ = folder.run_line(words).well();
    let text = String::from_utf8(folder.read("a.stream")).expect("text");
    let crystals: Vec<&str> = text.split("--- Begin crystal").skip(1).collect();
    assert_eq!(crystals.len(), 2);
    let mut axes = Vec::new();
    for crystal in crystals {
        let star = |name: &str| -> [f64; 3] {
            let line = crystal
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .expect("an axis");
            let numbers: Vec<f64> = line
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
            numbers.try_into().expect("three numbers")
        };
        let [a, b, c] = ["astar = ", "bstar = ", "cstar = "].map(star);
        let rows = crystal
            .lines()
            .skip_while(|line| !line.trim_start().starts_with("h "))
            .skip(1);
        let rows: Vec<Vec<f64>> = rows
            .take_while(|line| !line.starts_with("End"))
            .map(|line| {
                line.split_whitespace()
                    .filter_map(|word| word.parse().ok())
                    .collect()
            })
            .collect();
        assert!(rows.len() > 10, "{}", rows.len());
        for row in &rows {
            // In the laboratory of CrystFEL: z along the beam, x and y from the middle of the detector.
            let hkl = [row[0], row[1], row[2]];
            let q: [f64; 3] =
                std::array::from_fn(|i| hkl[0] * a[i] + hkl[1] * b[i] + hkl[2] * c[i]);
            let out: [f64; 3] = std::array::from_fn(|i| q[i] + if i == 2 { 10.0 } else { 0.0 });
            // The reflection is near the Ewald sphere of 1 A.
            assert!((norm(out) - 10.0).abs() < 0.1, "{hkl:?} {}", norm(out));
        }
        axes.push([a, b, c]);
    }
    let volume = |[a, b, c]: [[f64; 3]; 3]| dot(a, cross(b, c));
    assert!((volume(axes[0]) / volume(axes[1]) - 1.0).abs() < 1e-6);
    assert!(axes[0] != axes[1]);
    let solutions = String::from_utf8(folder.read("a.sol")).expect("text");
    assert_eq!(solutions.lines().count(), 2);
}

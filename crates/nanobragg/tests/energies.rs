//! Structure factors at the energy of each source, and their fall-off with resolution.

use std::path::{Path, PathBuf};

use nanobragg::crystal::{Bounds, Reflection};
use nanobragg::factors::{
    AnomalousSpec, CoordinatesSpec, FactorsByEnergy, ListAt, ListsSpec, SHARED_ELECTRONS,
};
use nanobragg::sources::wavelength_m_from_energy_ev;
use nanobragg::structure::{
    Correction, Dispersion, Element, FactorParts, FactorSpec, Summation, dispersion_at, read,
};
use nanobragg::{
    BeamSpec, CellSpec, CrystalSpec, DetectorSpec, Error, ExperimentSpec, FactorGrid, FactorsSpec,
    GridLimit, Hkl, Length, Lookup, Misset, RunOptions, Source, SourceList, SourcesSpec,
    check_memory, factor_bytes, factor_tables, simulate,
};
use tempfile::TempDir;

/// Images of structure factors of one map compared with those of another, of the brightest pixel.
const MAP: f64 = 2e-4;

/// The light elements of the toy.
const LIGHT: [&str; 3] = ["C", "N", "O"];

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).expect("an element")
}

fn toy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/iron_edge/iron.pdb")
}

/// Sources side by side at these energies.
fn sources(energies_ev: &[f64]) -> SourcesSpec {
    let source = |energy_ev: &f64| {
        let wavelength_m = wavelength_m_from_energy_ev(*energy_ev);
        Source::at([-10.0, 0.0, 0.0], wavelength_m, 1.0).expect("a source")
    };
    let list = energies_ev.iter().map(source).collect();
    SourcesSpec::List(SourceList::from_sources(list).expect("sources"))
}

fn experiment(factors: FactorsSpec, energies_ev: &[f64]) -> ExperimentSpec {
    ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(60),
            pixels_slow: Some(60),
            pixel_size: Length::from_mm(1.0),
            distance: Length::from_mm(60.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: CellSpec::from_values(&[20.0, 24.0, 19.0, 90.0, 90.0, 90.0]).ok(),
            misset: Some(Misset::Angles([0.2, 0.3, 0.5])),
            cells: [4; 3],
            ..CrystalSpec::default()
        },
        beam: BeamSpec {
            sources: sources(energies_ev),
            ..BeamSpec::default()
        },
        lookup: Some(Lookup::Nearest),
        dmin: Length::from_angstrom(2.2),
        // The direct beam is far brighter than the spots.
        without_f000: matches!(factors, FactorsSpec::Coordinates(_)),
        factors,
        ..ExperimentSpec::default()
    }
}

/// The atoms of the toy, with nothing at the energies.
fn atoms(at_energies: AnomalousSpec, iron: Option<Correction>) -> FactorsSpec {
    let none = Correction::default();
    let mut anomalous: Dispersion = LIGHT.map(|symbol| (element(symbol), none)).into();
    anomalous.extend(iron.map(|iron| (element("Fe"), iron)));
    FactorsSpec::Coordinates(CoordinatesSpec {
        path: toy(),
        space_group: None,
        solvent: None,
        anomalous,
        at_energies,
        is_strict: false,
        default_f: 0.0,
    })
}

fn table() -> AnomalousSpec {
    AnomalousSpec {
        from_table: true,
        ..AnomalousSpec::default()
    }
}

fn photons(spec: &ExperimentSpec) -> Vec<f64> {
    let resolved = spec.resolve().expect("an experiment");
    let image = simulate(&resolved.experiment, &RunOptions::default()).expect("an image");
    image
        .photons
        .pixels()
        .iter()
        .copied()
        .map(f64::from)
        .collect()
}

/// The largest difference of two images, of the brightest pixel.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let brightest = b.iter().copied().fold(0.0, f64::max);
    assert!(brightest > 0.0);
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / brightest
}

fn by_energy(spec: &ExperimentSpec) -> FactorsByEnergy {
    match spec.load(GridLimit::default()).expect("files").spec.factors {
        FactorsSpec::ByEnergy(factors) => (*factors).clone(),
        other => unreachable!("{other:?} do not depend on the energy"),
    }
}

#[test]
fn each_source_has_the_structure_factors_of_its_energy() {
    const ENERGIES_EV: [f64; 2] = [7111.0, 7130.4];
    let both = photons(&experiment(atoms(table(), None), &ENERGIES_EV));
    // The sum is divided by the number of sources.
    let ones = ENERGIES_EV.map(|energy_ev| {
        let iron = dispersion_at(element("Fe"), energy_ev).expect("in the table");
        photons(&experiment(
            atoms(AnomalousSpec::default(), Some(iron)),
            &[energy_ev],
        ))
    });
    let mean: Vec<f64> = (ones[0].iter().zip(&ones[1]))
        .map(|(a, b)| 0.5 * (a + b))
        .collect();
    assert!(
        difference(&both, &mean) < MAP,
        "{}",
        difference(&both, &mean)
    );
    // The energies differ by far more than the tolerance.
    assert!(difference(&ones[0], &ones[1]) > 50.0 * MAP);
}

#[test]
fn a_curve_of_a_file_wins_over_the_table_and_numbers_over_both() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("Fe.dat");
    std::fs::write(&path, "# eV\n7000 -4 0.5\n7100 -6 1.5\n7200 -3 3.5\n").expect("a file");
    let at_energies = AnomalousSpec {
        from_table: true,
        curves: [(element("Fe"), path)].into(),
    };
    let iron = |real, imaginary| Some(Correction { real, imaginary });
    let plain = |iron| {
        photons(&experiment(
            atoms(AnomalousSpec::default(), iron),
            &[7100.0],
        ))
    };
    let curve = photons(&experiment(atoms(at_energies.clone(), None), &[7100.0]));
    assert!(difference(&curve, &plain(iron(-6.0, 1.5))) < MAP);
    let numbers = photons(&experiment(
        atoms(at_energies.clone(), iron(-1.0, 0.0)),
        &[7100.0],
    ));
    assert!(difference(&numbers, &plain(iron(-1.0, 0.0))) < MAP);
    let outside = experiment(atoms(at_energies, None), &[7100.0, 7300.0]).resolve();
    let message = outside.expect_err("7300 eV is outside").to_string();
    assert!(
        message.contains("Fe: 7300") && message.contains("7000 to 7200 eV"),
        "{message}"
    );
}

#[test]
fn energies_share_a_table_as_far_as_the_bound_allows() {
    let energies_ev: Vec<f64> = (0..100).map(|i| 9000.0 + f64::from(i)).collect();
    let spec = experiment(atoms(table(), None), &energies_ev);
    let resolved = spec.resolve().expect("an experiment").experiment;
    assert_eq!(resolved.factors_by_source.len(), 100);
    let tables = factor_tables(&resolved).len();
    assert!((10..100).contains(&tables), "{tables}");
    let bytes = size_of_val(resolved.factors.values()) as u64;
    assert_eq!(factor_bytes(&resolved), tables as u64 * bytes);
    let factors = by_energy(&spec);
    // One iron atom in the cell. The first energy of the table is within SHARED_ELECTRONS in f' and f''.
    let bound = 2.0_f64.sqrt() * SHARED_ELECTRONS + 1e-9;
    let mut most = 0.0_f64;
    for (energy_ev, used) in energies_ev.iter().zip(&resolved.factors_by_source) {
        let own = factors.tables(&[*energy_ev]).expect("in the table");
        assert!(own.of_source.is_empty() && own.grids.len() == 1);
        let pairs = used.values().iter().zip(own.first().values());
        most = pairs.map(|(a, b)| (a - b).abs()).fold(most, f64::max);
    }
    assert!(most > 0.0 && most <= bound, "{most}");
    // Far from an edge everything is one table, and no source has its own.
    let oxygen = experiment(atoms(table(), Some(Correction::default())), &energies_ev);
    let oxygen = oxygen.resolve().expect("an experiment").experiment;
    assert!(oxygen.factors_by_source.is_empty());
}

#[test]
fn tables_count_for_the_limit_of_memory() {
    let energies_ev: Vec<f64> = (0..50).map(|i| 7050.0 + 2.0 * f64::from(i)).collect();
    let spec = experiment(atoms(table(), None), &energies_ev);
    let resolved = spec.resolve().expect("an experiment").experiment;
    let limit = GridLimit {
        max_bytes: factor_bytes(&resolved) / 2,
    };
    assert!(matches!(
        check_memory(&resolved, limit),
        Err(Error::TooMuchMemory { .. })
    ));
    let loaded = spec.load(limit).expect("one table fits");
    assert!(loaded.spec.resolve().is_err());
}

fn reflections(grid: &FactorGrid) -> String {
    let listed = grid.reflections_other_than(f64::NAN).into_iter();
    let line = |Reflection {
                    hkl: Hkl([h, k, l]),
                    amplitude,
                }| format!("{h} {k} {l} {amplitude}\n");
    listed.map(line).collect()
}

#[test]
fn between_two_lists_the_intensity_is_linear_and_too_large_by_the_closed_form() {
    let model = read::read(&toy(), &read::Given::default())
        .expect("the toy")
        .model;
    let request = FactorSpec {
        dmin_a: 3.0,
        solvent: None,
        method: Summation::Direct,
        ..FactorSpec::default()
    };
    let parts = FactorParts::new(&model, &request, &[element("Fe")]).expect("sums");
    let at = |real, imaginary| {
        let correction = Correction { real, imaginary };
        parts
            .at(&[(element("Fe"), correction)].into())
            .reflections()
    };
    let grid = |listed: &[Reflection]| {
        FactorGrid::from_reflections(listed, 0.0, GridLimit::default()).expect("a grid")
    };
    let folder = TempDir::new().expect("a folder");
    let list = |energy_ev: f64, listed: &[Reflection]| {
        let path = folder.path().join(format!("{energy_ev}.hkl"));
        std::fs::write(&path, reflections(&grid(listed))).expect("a file");
        ListAt { energy_ev, path }
    };
    // c of iron changes by -4 + 3i over 40 eV, and is linear between.
    let lists = ListsSpec {
        lists: vec![list(7140.0, &at(-8.0, 4.0)), list(7100.0, &at(-4.0, 1.0))],
        ..ListsSpec::default()
    };
    let spec = experiment(FactorsSpec::Lists(lists), &[7110.0]);
    let found = by_energy(&spec)
        .tables(&[7110.0])
        .expect("between the lists");
    let t = 0.25;
    let exact = at(-5.0, 1.75);
    for Reflection { hkl, amplitude } in exact {
        let Hkl([h, k, l]) = hkl;
        let s_squared = (f64::from(h) / 20.0).powi(2)
            + (f64::from(k) / 24.0).powi(2)
            + (f64::from(l) / 19.0).powi(2);
        // G of the only iron atom: its displacement.
        let g = (-12.0 * s_squared / 4.0).exp();
        let expected = amplitude.powi(2) + t * (1.0 - t) * 25.0 * g * g;
        let f = found.first().nearest([h, k, l].map(i64::from));
        assert!(
            (f * f - expected).abs() < 1e-9 * (1.0 + expected),
            "{hkl:?} {f}"
        );
    }
}

#[test]
fn energies_beyond_the_lists_are_errors() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.hkl");
    std::fs::write(&path, "1 0 0 50\n0 2 1 20\n").expect("a file");
    let other = folder.path().join("b.hkl");
    std::fs::write(&other, "3 0 0 10\n").expect("a file");
    let lists = |energies_ev: &[f64]| {
        let lists = energies_ev.iter().zip([&path, &other].into_iter().cycle());
        let lists = lists.map(|(&energy_ev, path)| ListAt {
            energy_ev,
            path: path.clone(),
        });
        FactorsSpec::Lists(ListsSpec {
            lists: lists.collect(),
            ..ListsSpec::default()
        })
    };
    let resolve = |lists, energies_ev: &[f64]| experiment(lists, energies_ev).resolve();
    let message = |lists, energies_ev: &[f64]| {
        let error = resolve(lists, energies_ev).expect_err("impossible");
        error.to_string()
    };
    let text = message(lists(&[7000.0, 7100.0]), &[7050.0, 7102.0]);
    assert!(
        text.contains("7102") && text.contains("7000 to 7100 eV"),
        "{text}"
    );
    let text = message(lists(&[7000.0, 7100.0, 7000.0]), &[7050.0]);
    assert!(text.contains("7000 eV is that of another list"), "{text}");
    assert!(message(lists(&[f64::NAN]), &[7050.0]).contains("a.hkl"));
    // The rounding of a wavelength is allowed, and all tables have one box.
    let near = resolve(lists(&[7000.0, 7100.0]), &[6999.5, 7050.0, 7100.5]);
    let near = near.expect("an experiment").experiment;
    let whole = Bounds {
        min: [0; 3],
        max: [3, 2, 1],
    };
    let boxes = near.factors_by_source.iter().map(|grid| grid.bounds());
    assert!(boxes.clone().count() == 3 && boxes.into_iter().all(|bounds| bounds == Some(whole)));
    assert_eq!(near.factors_by_source[0].nearest([1, 0, 0]), 50.0);
    assert_eq!(near.factors_by_source[2].nearest([3, 0, 0]), 10.0);
}

#[test]
fn a_b_factor_is_that_of_all_atoms() {
    let text = std::fs::read_to_string(toy()).expect("the toy");
    let wider = text.lines().map(|line| match line.starts_with("HETATM") {
        true => {
            let b: f64 = line[60..66].trim().parse().expect("B");
            format!("{}{:6.2}{}\n", &line[..60], b + 15.0, &line[66..])
        }
        false => format!("{line}\n"),
    });
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("wider.pdb");
    std::fs::write(&path, wider.collect::<String>()).expect("a file");
    let plain = experiment(atoms(AnomalousSpec::default(), None), &[8000.0]);
    let mut moved = plain.clone();
    if let FactorsSpec::Coordinates(atoms) = &mut moved.factors {
        atoms.path = path;
    }
    let falling = ExperimentSpec {
        b_factor_a2: 15.0,
        ..plain.clone()
    };
    let falling = photons(&falling);
    assert!(difference(&falling, &photons(&moved)) < MAP);
    assert!(difference(&falling, &photons(&plain)) > 100.0 * MAP);
}

#[test]
fn atoms_reach_as_far_as_the_shortest_wavelength_sees() {
    let reach_a = |energies_ev: &[f64]| {
        let mut spec = experiment(atoms(AnomalousSpec::default(), None), energies_ev);
        spec.dmin = Length::default();
        let loaded = spec.load(GridLimit::default()).expect("files");
        loaded.coordinates.expect("atoms").dmin_a
    };
    // d of a corner is proportional to the wavelength.
    let [low, high] = [8000.0, 9000.0].map(|energy_ev| reach_a(&[energy_ev]));
    assert!((low / high - 9.0 / 8.0).abs() < 1e-9, "{low} {high}");
    assert_eq!(reach_a(&[8000.0, 9000.0]), high);
}

#[test]
fn unlisted_reflections_fall_off_as_far_as_the_detector_sees() {
    let b_a2 = 20.0;
    let constant = ExperimentSpec {
        b_factor_a2: b_a2,
        ..experiment(FactorsSpec::Constant(100.0), &[8000.0, 8400.0])
    };
    let mut listed = Vec::new();
    for h in -30..=30_i32 {
        for k in -30..=30_i32 {
            for l in -30..=30_i32 {
                let s = [h, k, l].map(f64::from);
                let s_squared =
                    (s[0] / 20.0).powi(2) + (s[1] / 24.0).powi(2) + (s[2] / 19.0).powi(2);
                listed.push(Reflection {
                    hkl: Hkl([h, k, l]),
                    amplitude: 100.0 * (-b_a2 * s_squared / 4.0).exp(),
                });
            }
        }
    }
    let grid = FactorGrid::from_reflections(&listed, 0.0, GridLimit::default()).expect("a grid");
    let everything = experiment(grid.into(), &[8000.0, 8400.0]);
    let [mut a, mut b] = [constant, everything];
    for spec in [&mut a, &mut b] {
        spec.dmin = Length::default();
    }
    assert!(difference(&photons(&a), &photons(&b)) < 1e-6);
}

#[test]
fn impossible_b_factors_are_errors() {
    for b_factor_a2 in [f64::NAN, f64::INFINITY, -101.0, 1e5] {
        let spec = ExperimentSpec {
            b_factor_a2,
            ..experiment(FactorsSpec::Constant(1.0), &[8000.0])
        };
        let error = spec.resolve().expect_err("impossible");
        assert!(
            error.to_string().starts_with("the B factor (A^2) is"),
            "{error}"
        );
        assert_eq!(error.fields(), ["b_factor"]);
    }
}

#[test]
fn an_experiment_file_keeps_curves_lists_and_b() {
    let curve = AnomalousSpec {
        from_table: true,
        curves: [(element("Fe"), PathBuf::from("Fe.dat"))].into(),
    };
    let lists = FactorsSpec::Lists(ListsSpec {
        lists: vec![ListAt {
            energy_ev: 7112.0,
            path: PathBuf::from("a.mtz"),
        }],
        columns: vec!["F".to_owned()],
        ..ListsSpec::default()
    });
    for factors in [atoms(curve, None), lists] {
        let spec = ExperimentSpec {
            b_factor_a2: 12.5,
            beam: BeamSpec::default(),
            ..experiment(factors, &[7112.0])
        };
        let text = spec.to_text(Path::new("a.toml")).expect("text");
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("a.toml");
        std::fs::write(&path, &text).expect("a file");
        let back = ExperimentSpec::read(&path).expect("the same");
        assert_eq!(back.b_factor_a2, 12.5);
        let names = |spec: &ExperimentSpec| {
            let paths = spec.factors.paths().into_iter();
            let names = paths.map(|(_, path)| path.file_name().map(ToOwned::to_owned));
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&back), names(&spec), "{text}");
        assert!(back.factors.follow_energy());
    }
}

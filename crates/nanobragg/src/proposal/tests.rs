use std::path::PathBuf;

use super::*;
use crate::resolution::Resolution;
use crate::{FileLanguage, distance_for_resolution};

fn asked(path: impl Into<PathBuf>) -> ProposalSpec {
    ProposalSpec {
        path: path.into(),
        detector: Preset::named("pilatus6m").unwrap(),
        wavelength: None,
        dmin_a: None,
        cell: None,
        space_group: None,
    }
}

fn lysozyme(file: &str) -> ProposalSpec {
    asked(format!(
        "{}/../../examples/lysozyme/{file}",
        env!("CARGO_MANIFEST_DIR")
    ))
}

/// The experiment in the text of a proposal.
fn read_back(proposal: &Proposal) -> ExperimentSpec {
    let text = proposal.to_text(Path::new("a.toml"), "one\ntwo").unwrap();
    assert!(text.starts_with("# one\n# two\nversion = 1 "), "{text}");
    for line in text.lines().filter(|line| line.contains(" = ")) {
        let above = text
            .lines()
            .take_while(|other| *other != line)
            .last()
            .unwrap_or_default();
        assert!(
            line.contains(" # ") || above.starts_with("# "),
            "no reason: {line}"
        );
    }
    ExperimentSpec::parse(&text, "a.toml", FileLanguage::Toml).unwrap()
}

#[test]
fn the_resolution_is_at_the_edge_of_detectors_of_every_kind() {
    for name in ["pilatus300k", "mx340_4x4", "jungfrau4m", "agipd1m"] {
        let detector = Preset::named(name).unwrap();
        let asked = ProposalSpec {
            detector,
            wavelength: Some(Length::from_angstrom(1.0)),
            dmin_a: Some(2.5),
            ..lysozyme("1aki.pdb")
        };
        let spec = ExperimentSpec {
            factors: FactorsSpec::Constant(1.0),
            crystal: CrystalSpec {
                cell: CellSpec::from_values(&[59.062, 68.451, 30.517]).ok(),
                ..CrystalSpec::default()
            },
            ..read_back(&Proposal::new(asked).unwrap())
        };
        let resolved = spec.resolve().unwrap();
        let experiment = &resolved.experiment;
        // The sides of all panels, from the angle between the beam and the way to a pixel.
        let beam = experiment.beam.direction();
        let sides = experiment.detector.panels().iter().flat_map(|panel| {
            let whole = [panel.pixels_fast(), panel.pixels_slow()];
            Resolution::of((panel, beam), 1e-10, [0, 0], whole).sides_angstrom
        });
        let sides: Vec<f64> = sides.collect();
        let is_near = |d: &f64| (*d / 2.5 - 1.0).abs() < 0.03;
        assert!(sides.iter().any(is_near), "{}: {sides:?}", detector.name);
        assert!(resolved.decisions.oddities.is_empty(), "{}", detector.name);
        // No photons of the direct beam: the stop is before the nearest of these detectors too.
        let stop = spec.beam_stop.as_ref().unwrap();
        let nearest_m = experiment.detector.panels().iter();
        let nearest_m = nearest_m.map(|panel| panel.distance_m());
        assert!(nearest_m.fold(f64::INFINITY, f64::min) > stop.distance.m());
        assert!(
            resolved.decisions.warnings.is_empty(),
            "{}: {:?}",
            detector.name,
            resolved.decisions.warnings
        );
    }
}

#[test]
fn numbers_come_from_the_file_or_from_what_is_asked_for() {
    let of_file = Proposal::new(lysozyme("1aki.pdb")).unwrap();
    assert_eq!(of_file.sample.space_group.number(), Some(19));
    assert_eq!(
        (of_file.dmin_a, of_file.wavelength),
        (1.5, Length::from_angstrom(1.5418))
    );
    // 2463 pixels of 172 um: half of them is 211.818 mm. sin theta = 1.5418 / 3, 2 theta = 61.852 degrees.
    assert_eq!(
        of_file.distance_mm,
        (211.818 / 61.852_f64.to_radians().tan()).floor()
    );
    // 2 pi / q of pyFAI 2026.9 at the right border, with the beam in the middle at 113 mm: 1.4985 A.
    assert_eq!(of_file.distance_mm, 113.0);
    assert!((of_file.edge_a - 1.4985).abs() < 1e-3, "{}", of_file.edge_a);
    // Of a detector at 22 mm the beam stop is half way.
    let near = Proposal::new(ProposalSpec {
        detector: Preset::named("pilatus300k").unwrap(),
        ..lysozyme("1aki.pdb")
    });
    let near = near.unwrap();
    let stop = read_back(&near).beam_stop.unwrap();
    assert_eq!((near.distance_mm, stop.distance.m()), (22.0, 0.011));
    let FactorsSpec::Coordinates(atoms) = read_back(&of_file).factors else {
        panic!("no coordinates")
    };
    assert!(atoms.path.ends_with("1aki.pdb") && atoms.solvent.is_some());

    let given = Proposal::new(ProposalSpec {
        wavelength: Some(Length::from_angstrom(1.0)),
        dmin_a: Some(3.0),
        cell: CellSpec::from_values(&[59.0, 68.0, 31.0]).ok(),
        space_group: Some("P 2 21 21".to_owned()),
        ..lysozyme("1aki.pdb")
    });
    let given = given.unwrap();
    let spec = read_back(&given);
    assert_eq!(
        (given.dmin_a, spec.beam.wavelength),
        (3.0, Some(Length::from_angstrom(1.0)))
    );
    assert_eq!(
        spec.crystal.cell,
        CellSpec::from_values(&[59.0, 68.0, 31.0]).ok()
    );

    // 0.7 A at 1.5418 A is beyond Bragg's law.
    let out_of_reach = Proposal::new(ProposalSpec {
        dmin_a: Some(0.7),
        ..lysozyme("1aki.pdb")
    })
    .unwrap();
    assert!(distance_for_resolution(0.7, 1.5418e-10, 0.2).is_none());
    assert!(out_of_reach.edge_a > 1.4 && out_of_reach.edge_a < 1.5);
    let text = out_of_reach.to_text(Path::new("a.toml"), "").unwrap();
    assert!(text.contains("needs a shorter wavelength"), "{text}");
}

#[test]
fn reflections_give_their_finest_spacing() {
    // The list was computed to 2 A.
    for (file, cell) in [
        ("lysozyme.mtz", None),
        (
            "lysozyme_P1.hkl",
            CellSpec::from_values(&[59.062, 68.451, 30.517]).ok(),
        ),
    ] {
        let proposal = Proposal::new(ProposalSpec {
            cell,
            ..lysozyme(file)
        })
        .unwrap();
        assert!(
            (2.0..2.001).contains(&proposal.dmin_a),
            "{file}: {}",
            proposal.dmin_a
        );
        assert_eq!(proposal.wavelength, Length::from_angstrom(1.0));
        assert!(
            matches!(read_back(&proposal).factors, FactorsSpec::List(_)),
            "{file}"
        );
    }
    let error = Proposal::new(lysozyme("lysozyme_P1.hkl")).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Structure(nanobragg_structure::Error::NoCell { .. })
        ),
        "{error}"
    );
}

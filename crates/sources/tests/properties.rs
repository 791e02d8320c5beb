//! Properties of every grid of sources and every list.

use nanobragg_geometry::vector::{dot, norm};
use nanobragg_sources::{
    BeamAxes, Dispersion, DispersionSpec, Divergence, DivergenceSpec, Outline, Source,
    SourceDefaults, SourceList, Spectrum, SpectrumFrom, SpectrumSpec, StepSpec, phi_steps,
};
use proptest::prelude::*;

const AXES: BeamAxes = BeamAxes {
    beam: [0.0, 0.0, 1.0],
    polarization: [1.0, 0.0, 0.0],
    vertical: [0.0, 1.0, 0.0],
};

const DEFAULTS: SourceDefaults = SourceDefaults {
    beam_direction: [0.0, 0.0, 1.0],
    wavelength_m: 1e-10,
};

fn fan(range: f64, count: i64) -> StepSpec {
    StepSpec {
        range: Some(range),
        count: Some(count),
        ..StepSpec::default()
    }
}

fn divergence(horizontal: StepSpec, vertical: StepSpec, outline: Outline) -> Divergence {
    Divergence::new(&DivergenceSpec {
        horizontal,
        vertical,
        outline,
        ..DivergenceSpec::default()
    })
    .expect("these ranges and counts are finite and small")
}

fn any_step_spec() -> impl Strategy<Value = StepSpec> {
    (
        any::<Option<f64>>(),
        any::<Option<f64>>(),
        any::<Option<i64>>(),
    )
        .prop_map(|(range, step, count)| StepSpec { range, step, count })
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    let source = (
        prop::array::uniform3(-100.0..100.0),
        1e-12..1e-8,
        prop::num::f64::NORMAL | prop::num::f64::ZERO,
    );
    let source = source.prop_filter_map("no direction", |(position_m, wavelength_m, weight)| {
        Source::at(position_m, wavelength_m, weight)
    });
    prop::collection::vec(source, 1..20)
}

fn spectra() -> impl Strategy<Value = Vec<[f64; 2]>> {
    let lines = prop::collection::vec((0.5..50.0, 0.0..1e6), 1..60);
    lines.prop_filter_map("no photons", |lines| {
        let mut energy_ev = 5000.0;
        let line = |(gap, weight): (f64, f64)| {
            energy_ev += gap;
            [energy_ev, weight]
        };
        let lines: Vec<_> = lines.into_iter().map(line).collect();
        lines
            .iter()
            .any(|[_, weight]| *weight > 0.0)
            .then_some(lines)
    })
}

fn spec_of(lines: Vec<[f64; 2]>, steps: Option<i64>) -> SpectrumSpec {
    SpectrumSpec {
        from: SpectrumFrom::Lines(lines.iter().map(|line| line.to_vec()).collect()),
        steps,
        window_ev: None,
        column: None,
    }
}

proptest! {
    #[test]
    fn a_spectrum_reads_back_as_it_was_written(lines in spectra(), turned: bool, unit in 0..3) {
        let expected = spec_of(lines.clone(), None).spectrum_about(1e-10).unwrap();
        let mut text = match unit {
            0 => "energy_eV,weight\n".to_owned(),
            1 => "# energy_keV weight\n".to_owned(),
            _ => "# Wavelength (A), weight\r\n".to_owned(),
        };
        let mut lines = lines;
        if turned {
            lines.reverse();
        }
        for [energy_ev, weight] in &lines {
            text += &match unit {
                0 => format!("{energy_ev},{weight}\n"),
                1 => format!("{}\t{weight:e}\n\n", energy_ev / 1e3),
                _ => format!(" {:e} ; {weight}\r\n", 12398.42 / energy_ev),
            };
        }
        let read = Spectrum::parse(&text, "text", None).unwrap();
        for (read, expected) in read.lines().iter().zip(expected.lines()) {
            prop_assert_eq!(read.weight, expected.weight);
            prop_assert!((read.energy_ev / expected.energy_ev - 1.0).abs() < 1e-15);
        }
        prop_assert_eq!(read.lines().len(), expected.lines().len());
    }

    #[test]
    fn a_spectrum_out_of_order_is_refused_with_its_line(lines in spectra(), at: prop::sample::Index) {
        let mut lines = lines;
        let at = at.index(lines.len());
        let twice = lines[at];
        lines.push(twice);
        let mut text = String::from("# energy_eV weight\n");
        for [energy_ev, weight] in &lines {
            text += &format!("{energy_ev} {weight}\n");
        }
        let error = Spectrum::parse(&text, "text", None).unwrap_err().to_string();
        let place = format!("text:{}: the energy ", lines.len() + 1);
        // Two lines can fall as well as rise.
        prop_assert!(error.starts_with(&place) || (at == 0 && lines.len() == 3), "{}", error);
    }

    #[test]
    fn steps_keep_the_photons_and_their_mean_energy(lines in spectra(), count in 1_i64..70) {
        let spec = spec_of(lines, Some(count));
        let spectrum = spec.spectrum_about(1e-10).unwrap();
        let steps = spec.steps_about(1e-10).unwrap();
        prop_assert!(steps.lines.len() as i64 <= count.max(spectrum.lines().len() as i64));
        let sum: f64 = steps.lines.iter().map(|line| line.weight).sum();
        prop_assert!((sum / steps.lines.len() as f64 - 1.0).abs() < 1e-12);
        let energies = steps.lines.iter().map(|line| line.weight * line.energy_ev);
        let mean_ev = energies.sum::<f64>() / sum;
        prop_assert!((mean_ev - spectrum.mean_energy_ev()).abs() < 1e-7);
        let error = steps.resampling;
        prop_assert!(error.outside < 1e-12);
        prop_assert!((0.0..=2.0 + 1e-9).contains(&error.l1));
        // No photon leaves its step.
        let all = spectrum.lines();
        let span_ev = all[all.len() - 1].energy_ev - all[0].energy_ev + 50.0;
        prop_assert!(error.moved_ev <= span_ev / count as f64);
    }

    #[test]
    fn any_text_gives_a_spectrum_or_an_error(text in "[-+0-9.eEnaif#,; \t\r\nA_vgy]{0,80}") {
        if let Ok(spectrum) = Spectrum::parse(&text, "text", None) {
            prop_assert!(spectrum.total() > 0.0 && spectrum.lines()[0].energy_ev > 0.0);
        }
    }

    #[test]
    fn weights_that_are_used_have_the_ratios_of_the_recorded_ones(weights in prop::collection::vec(0.0..1e9, 1..9)) {
        let source = |weight: f64| Source::at([-1.0, 0.0, 0.0], 1e-10, weight).unwrap();
        let sources: Vec<Source> = weights.iter().copied().map(source).collect();
        if let Ok(list) = SourceList::from_sources(sources).unwrap().weighted() {
            let mean = list.iter().map(|source| source.weight).sum::<f64>() / weights.len() as f64;
            prop_assert!((mean - 1.0).abs() < 1e-12);
            let [first, last] = [list[0], list[list.len() - 1]];
            let crossed = first.weight * last.recorded_weight - last.weight * first.recorded_weight;
            prop_assert!(crossed.abs() <= 1e-12 * first.weight * last.recorded_weight);
        }
    }

    #[test]
    fn a_square_grid_has_the_product_of_its_counts(h in 2_i64..8, v in 2_i64..8, w in 2_i64..5) {
        let divergence = divergence(fan(0.01, h), fan(0.02, v), Outline::Square);
        let band = DispersionSpec { range: Some(0.01), count: Some(w), ..DispersionSpec::default() };
        let dispersion = Dispersion::new(&band).unwrap();
        let list = SourceList::grid(&AXES, 1e-10, &divergence, &dispersion).unwrap();
        prop_assert_eq!(list.len() as i64, h * v * w);
        let weight: f64 = list.iter().map(|source| source.recorded_weight).sum();
        prop_assert!((weight - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_grid_is_its_own_mirror_image(
        h in 2_i64..9, v in 2_i64..9, range in 1e-4..0.1, round: bool,
    ) {
        let outline = if round { Outline::Round } else { Outline::Square };
        let deviations = divergence(fan(range, h), fan(range, v), outline).deviations_rad();
        for (hdiv, vdiv) in &deviations {
            for (mirrored_h, mirrored_v) in [(-hdiv, *vdiv), (*hdiv, -vdiv)] {
                let found = deviations.iter().any(|(other_h, other_v)| {
                    (other_h - mirrored_h).abs() < 1e-12 && (other_v - mirrored_v).abs() < 1e-12
                });
                prop_assert!(found, "({hdiv}, {vdiv}) has no mirror image");
            }
        }
    }

    #[test]
    fn a_round_grid_is_part_of_the_square_one(h in 2_i64..9, v in 2_i64..9) {
        let square = divergence(fan(0.01, h), fan(0.02, v), Outline::Square).deviations_rad();
        let round = divergence(fan(0.01, h), fan(0.02, v), Outline::Round).deviations_rad();
        prop_assert!(!round.is_empty());
        prop_assert!(round.iter().all(|deviation| square.contains(deviation)));
    }

    #[test]
    fn horizontal_directions_span_their_range(range in 1e-3..1.0, count in 2_i64..30) {
        let divergence = divergence(fan(range, count), StepSpec::default(), Outline::Round);
        let dispersion = Dispersion::new(&DispersionSpec::default()).unwrap();
        let list = SourceList::grid(&AXES, 1e-10, &divergence, &dispersion).unwrap();
        let (first, last) = (list.first().unwrap(), list.last().unwrap());
        let angle = dot(first.direction, last.direction).clamp(-1.0, 1.0).acos();
        prop_assert!((angle - range).abs() < 1e-9 / range);
        prop_assert!(list.iter().all(|source| (norm(source.incident()) - 1.0).abs() < 1e-15));
    }

    #[test]
    fn steps_are_usable_or_refused(spec in any_step_spec()) {
        if let Ok(steps) = phi_steps(spec) {
            prop_assert!(steps.count >= 1 && steps.step.is_finite() && steps.range >= 0.0);
        }
        let spec = DivergenceSpec { horizontal: spec, ..DivergenceSpec::default() };
        if let Ok(divergence) = Divergence::new(&spec) {
            let steps = divergence.horizontal();
            prop_assert!(steps.count >= 1 && steps.step >= 0.0 && steps.range >= 0.0);
        }
    }

    #[test]
    fn a_list_reads_back_as_it_was_written(sources in sources()) {
        let list = SourceList::from_sources(sources).unwrap();
        prop_assert_eq!(SourceList::parse(&list.to_text(), "text", &DEFAULTS).unwrap(), list);
    }

    #[test]
    fn weights_are_stored_but_change_nothing(sources in sources(), weight in prop::num::f64::NORMAL) {
        let list = SourceList::from_sources(sources.clone()).unwrap();
        let reweighted: Vec<_> =
            sources.iter().map(|source| Source { recorded_weight: weight, ..*source }).collect();
        let text = SourceList::from_sources(reweighted).unwrap().to_text();
        let read = SourceList::parse(&text, "text", &DEFAULTS).unwrap();
        for (before, after) in list.iter().zip(&read) {
            prop_assert_eq!(after.recorded_weight, weight);
            prop_assert_eq!(after.direction, before.direction);
            prop_assert_eq!(after.wavelength_m, before.wavelength_m);
        }
    }

    #[test]
    fn any_bytes_give_a_list_or_an_error(bytes: Vec<u8>) {
        let _ = SourceList::parse(&String::from_utf8_lossy(&bytes), "bytes", &DEFAULTS);
    }

    #[test]
    fn text_that_resembles_a_list_gives_a_list_or_an_error(text in "[-+0-9.eEnaif#,;:! \t\r\n]{0,80}") {
        if let Ok(list) = SourceList::parse(&text, "text", &DEFAULTS) {
            for source in &list {
                prop_assert!((norm(source.direction) - 1.0).abs() < 1e-9);
                prop_assert!(source.wavelength_m > 0.0 && source.recorded_weight.is_finite());
            }
        }
    }
}

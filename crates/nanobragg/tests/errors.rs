//! An experiment that cannot be is refused, and the message names what is wrong.
use nanobragg::{
    CellSpec, CrystalSpec, Error, ExperimentSpec, FactorsSpec, Length, Mask, MaskSpec, RoiSpec,
    SourcesSpec,
};

/// A sound experiment, changed by `spoil`.
fn refused(spoil: impl FnOnce(&mut ExperimentSpec)) -> Error {
    let mut spec = ExperimentSpec {
        crystal: CrystalSpec {
            cell: CellSpec::from_values(&[100.0]).ok(),
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    };
    assert!(spec.resolve().is_ok());
    spoil(&mut spec);
    match spec.resolve() {
        Ok(_) => unreachable!("the experiment is resolved all the same"),
        Err(error) => error,
    }
}

/// Whether the message about a spoiled experiment contains all `words`.
fn assert_says(spoil: impl FnOnce(&mut ExperimentSpec), words: &[&str]) {
    let message = refused(spoil).to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn a_quantity_out_of_range_is_named_with_its_value() {
    assert_says(
        |spec| spec.beam.wavelength = Some(Length::default()),
        &["wavelength", "0", "above 0"],
    );
    assert_says(
        |spec| spec.beam.wavelength = Some(Length::from_m(f64::NAN)),
        &["wavelength", "NaN"],
    );
    assert_says(
        |spec| spec.water = Length::from_um(-1.0),
        &["water", "0 or above"],
    );
    assert_says(
        |spec| spec.dmin = Length::from_m(f64::INFINITY),
        &["dmin", "inf", "finite"],
    );
    assert_says(
        |spec| spec.sampling.oversample = Some(1_000_000),
        &["sub-pixels", "1000000"],
    );
    assert_says(
        |spec| spec.detector.pixel_size = Length::default(),
        &["pixel"],
    );
    assert_says(
        |spec| spec.detector.distance = Length::from_m(f64::NAN),
        &["distance"],
    );
    assert_says(
        |spec| spec.beam.fluence.fluence_per_m2 = Some(f64::NAN),
        &["fluence"],
    );
    assert_says(|spec| spec.crystal.fudge = f64::NAN, &["fudge"]);
}

#[test]
fn a_crystal_without_a_cell_is_refused() {
    assert!(matches!(
        refused(|spec| spec.crystal.cell = None),
        Error::Crystal(_)
    ));
}

#[test]
fn nothing_to_scatter_is_refused() {
    let error = refused(|spec| spec.factors = FactorsSpec::Constant(0.0));
    assert!(matches!(error, Error::NoStructureFactors));
}

#[test]
fn a_mask_of_another_size_is_refused_with_both_sizes() {
    assert_says(
        |spec| spec.mask = Mask::new(3, vec![true; 6]).map(MaskSpec::Pixels),
        &["3 x 2", "1024 x 1024"],
    );
}

#[test]
fn masks_that_are_not_as_many_as_the_panels_are_refused() {
    let mask = Mask::new(3, vec![true; 6]).unwrap();
    assert_says(
        |spec| spec.mask = Some(MaskSpec::Panels(vec![mask.clone(), mask])),
        &["2 masks", "1 panels"],
    );
}

#[test]
fn a_region_that_is_not_on_the_detector_is_refused() {
    assert_says(
        |spec| {
            spec.roi = RoiSpec {
                fast: [0, 5000],
                slow: [0, 1],
            }
        },
        &["fast", "5000", "1024"],
    );
    assert_says(
        |spec| {
            spec.roi = RoiSpec {
                fast: [0, 5],
                slow: [7, 3],
            }
        },
        &["slow", "7", "3"],
    );
}

#[test]
fn sums_that_could_not_end_are_refused_with_their_factors() {
    assert_says(
        |spec| {
            spec.phi.sweep.count = Some(20_000_000);
            spec.sampling.oversample = Some(1);
        },
        &["20000000 phi steps", "1 sources"],
    );
}

#[test]
fn a_source_file_that_is_missing_is_named() {
    assert_says(
        |spec| spec.beam.sources = SourcesSpec::File("nosuch.txt".into()),
        &["nosuch.txt"],
    );
}

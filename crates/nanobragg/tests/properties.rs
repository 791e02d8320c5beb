//! What is written into the header of an image places the next detector.

use nanobragg::io::Image;
use nanobragg::io::smv::{self, Header};
use nanobragg::{
    Angle, CellSpec, Convention, CrystalSpec, DetectorSpec, ExperimentSpec, FactorsSpec,
    HeaderKind, Length, PhiSpec, Resolved, StepSpec, apply_header, smv_fields,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::path::Path;

/// Relative error of a number with the six significant digits of a header, with some room.
const SIX_DIGITS: f64 = 2e-5;

/// Sounds everything but the detector, which is placed by `convention` and a header.
fn bare(convention: Convention) -> ExperimentSpec {
    ExperimentSpec {
        detector: DetectorSpec {
            convention,
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: CellSpec::from_values(&[100.0]).ok(),
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    }
}

prop_compose! {
    /// An experiment on a flat, unturned detector.
    fn experiments()(
        convention in select(vec![
            Convention::Mosflm,
            Convention::Denzo,
            Convention::Adxv,
            Convention::Xds,
            Convention::Dials,
        ]),
        pixels in [4..60_u32, 4..60_u32],
        pixel_mm in 0.05..1.0,
        distance_mm in 20.0..500.0,
        beam_mm in [-5.0..30.0, -5.0..30.0],
        near_px in [-5.0..60.0, -5.0..60.0],
        wavelength_a in 0.5..3.0,
        phi_deg in -180.0..180.0,
        range_deg in 0.1..5.0,
    ) -> ExperimentSpec {
        let mut spec = bare(convention);
        let listens_to_beam =
            !matches!(convention, Convention::Xds | Convention::Dials);
        let detector = &mut spec.detector;
        [detector.pixels_fast, detector.pixels_slow] = pixels.map(Some);
        detector.pixel_size = Length::from_mm(pixel_mm);
        detector.distance = Length::from_mm(distance_mm);
        if listens_to_beam {
            [detector.x_beam, detector.y_beam] = beam_mm.map(|mm| Some(Length::from_mm(mm)));
        } else {
            [detector.org_x, detector.org_y] = near_px.map(Some);
        }
        spec.beam.wavelength = Some(Length::from_angstrom(wavelength_a));
        spec.phi = PhiSpec {
            start: Angle::from_degrees(phi_deg),
            sweep: StepSpec {
                range: Some(Angle::from_degrees(range_deg).radians()),
                ..StepSpec::default()
            },
        };
        spec
    }
}

fn resolved(spec: &ExperimentSpec) -> Result<Resolved, TestCaseError> {
    spec.resolve()
        .map_err(|error| TestCaseError::fail(error.to_string()))
}

/// The header of an image of `resolved`, read back.
fn header(resolved: &Resolved) -> Result<Header, nanobragg::Error> {
    let panel = resolved.experiment.detector.first();
    let counts = Image::filled(
        panel.pixels_fast() as usize,
        panel.pixels_slow() as usize,
        0_u16,
    )?;
    let mut file = Vec::new();
    smv::write(
        &mut file,
        &smv_fields(resolved, Some(&Default::default()))?,
        &counts,
    )?;
    Ok(Header::parse(&file)?)
}

/// The lab positions of the corners of the first and the last pixel, in metres.
fn corners_m(resolved: &Resolved) -> [f64; 6] {
    let panel = resolved.experiment.detector.first();
    let [fast, slow] = resolved.decisions.layout.size_m;
    let first = panel.pix0_m();
    let last =
        [0, 1, 2].map(|axis| first[axis] + fast * panel.fast()[axis] + slow * panel.slow()[axis]);
    [first[0], first[1], first[2], last[0], last[1], last[2]]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_header_places_the_detector_where_it_was(spec in experiments()) {
        let before = resolved(&spec)?;
        let header = header(&before).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut next = bare(spec.detector.convention);
        let path = Path::new("intimage.img");
        apply_header(&mut next, &header, HeaderKind::Image, path)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let after = resolved(&next)?;

        let [old, new] = [&before, &after].map(|resolved| resolved.experiment.detector.first());
        prop_assert_eq!(old.pixels_fast(), new.pixels_fast());
        prop_assert_eq!(old.pixels_slow(), new.pixels_slow());
        for (old_m, new_m) in corners_m(&before).into_iter().zip(corners_m(&after)) {
            // Lengths of up to half a metre are written.
            prop_assert!((old_m - new_m).abs() < 0.5 * SIX_DIGITS, "{} {}", old_m, new_m);
        }
        for (old, new) in [
            (before.decisions.wavelength_m, after.decisions.wavelength_m),
            (before.experiment.phi.start_rad, after.experiment.phi.start_rad),
            (before.experiment.phi.range_rad, after.experiment.phi.range_rad),
        ] {
            prop_assert!((old - new).abs() <= SIX_DIGITS * old.abs(), "{} {}", old, new);
        }
    }

    #[test]
    fn what_a_header_does_not_say_stays(spec in experiments()) {
        let silent = Header::parse(b"{\nHEADER_BYTES=512;\nDIM=2;\n}\x0c")
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut same = spec.clone();
        let twotheta = apply_header(&mut same, &silent, HeaderKind::Mask, Path::new("mask.img"))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(twotheta, None);
        prop_assert_eq!(same.detector, spec.detector);
        prop_assert_eq!(same.phi, spec.phi);
    }
}

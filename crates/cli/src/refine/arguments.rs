//! The flags of the refined experiment.

use nanobragg::Length;
use nanobragg::gradient::Parameter as P;
use nanobragg_refine::Refinement;

/// Flags whose value is a parameter in the unit of the flag.
const PLAIN: [(P, &str); 21] = [
    (P::Fudge, "fudge"),
    (P::SpotScale, "spot_scale"),
    (P::MosaicSpread, "mosaic"),
    (P::Strain, "strain"),
    (P::PhiStart, "phi"),
    (P::PhiRange, "osc"),
    (P::Wavelength, "lambda"),
    (P::Dispersion, "dispersion"),
    (P::BFactor, "b_factor"),
    (P::DivergenceH, "hdivrange"),
    (P::DivergenceV, "vdivrange"),
    (P::Fluence, "fluence"),
    (P::PolarizationFactor, "polar"),
    (P::DetectorRotX, "detector_rotx"),
    (P::DetectorRotY, "detector_roty"),
    (P::DetectorRotZ, "detector_rotz"),
    (P::TwoTheta, "twotheta"),
    (P::SensorThickness, "detector_thick"),
    (P::SensorAttenuation, "detector_abs"),
    (P::Water, "water"),
    (P::BackgroundScale, "background_scale"),
];

/// Flags of three parameters.
const TRIPLES: [(&str, [P; 3]); 7] = [
    ("misset", [P::MissetX, P::MissetY, P::MissetZ]),
    (
        "mosaic_aniso",
        [P::MosaicSpreadA, P::MosaicSpreadB, P::MosaicSpreadC],
    ),
    ("Nabc", [P::CellsA, P::CellsB, P::CellsC]),
    ("Ndef", [P::CellsD, P::CellsE, P::CellsF]),
    (
        "diffuse_gamma",
        [P::DiffuseGammaA, P::DiffuseGammaB, P::DiffuseGammaC],
    ),
    (
        "diffuse_sigma",
        [P::DiffuseSigmaA, P::DiffuseSigmaB, P::DiffuseSigmaC],
    ),
    ("strain_abc", [P::StrainA, P::StrainB, P::StrainC]),
];

/// Words that are appended to the words of the start and give the refined experiment of image `index`: the last
/// of several flags wins. `None` if a refined number has no flag: an orientation matrix and a structure factor are in
/// files.
pub(super) fn words(result: &Refinement, index: usize) -> Option<Vec<String>> {
    let spec = result.specs.get(index)?;
    let estimates = result.estimates.iter();
    let of_image = || {
        estimates
            .clone()
            .filter(|one| one.image.is_none_or(|image| image == index))
    };
    // A number of one image is called `misset_x#3`.
    let parameter = |name: &str| P::from_name(name.split('#').next()?);
    let mut words = Vec::new();
    let mut say = |flag: &str, values: &[f64]| {
        words.push(format!("-{flag}"));
        words.extend(values.iter().map(|value| format!("{value:?}")));
    };
    let refined: Vec<P> = of_image()
        .flat_map(|one| one.name.split(" = "))
        .filter_map(parameter)
        .collect();
    let is_refined = |some: &[P]| some.iter().any(|one| refined.contains(one));
    let cell = [
        P::CellA,
        P::CellB,
        P::CellC,
        P::CellAlpha,
        P::CellBeta,
        P::CellGamma,
    ];
    if is_refined(&cell) {
        if spec.crystal.matrix.is_some() {
            return None;
        }
        let of_cell = cell.map(|one| nanobragg::gradient::value(spec, one).ok());
        say("cell", &of_cell.into_iter().collect::<Option<Vec<_>>>()?);
    }
    for (flag, three) in TRIPLES {
        if is_refined(&three) {
            let values = three.map(|one| nanobragg::gradient::value(spec, one).ok());
            say(flag, &values.into_iter().collect::<Option<Vec<_>>>()?);
        }
    }
    let beam = [P::BeamFast, P::BeamSlow];
    let is_in_group = |parameter: P| {
        let in_triple = TRIPLES
            .iter()
            .any(|(_, triple)| triple.contains(&parameter));
        in_triple || cell.contains(&parameter) || beam.contains(&parameter)
    };
    for one in of_image() {
        match parameter(&one.name) {
            Some(P::Distance) if spec.detector.close_distance.is_some() => {
                say("close_distance", &[one.value]);
            }
            Some(P::Distance) => say("distance", &[one.value]),
            Some(P::StructureFactor(_)) => return None,
            Some(parameter) => {
                if let Some((_, flag)) = PLAIN.iter().find(|(known, _)| *known == parameter) {
                    say(flag, &[one.value]);
                } else if !is_in_group(parameter) {
                    // The words would give another experiment without a flag for this parameter.
                    return None;
                }
                if parameter == P::Fluence {
                    // A flux of the start would win over the fluence.
                    say("flux", &[0.0]);
                }
            }
            None => {}
        }
    }
    if is_refined(&beam) {
        let detector = &spec.detector;
        let mm = |length: Option<Length>| length.map(Length::mm);
        for (flag, value) in [
            ("Xbeam", mm(detector.x_beam)),
            ("Ybeam", mm(detector.y_beam)),
            ("Xclose", mm(detector.x_close)),
            ("Yclose", mm(detector.y_close)),
            ("ORGX", detector.org_x),
            ("ORGY", detector.org_y),
        ] {
            if let Some(value) = value {
                say(flag, &[value]);
            }
        }
    }
    Some(words)
}

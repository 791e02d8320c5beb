//! Which flags stand behind an error of the libraries, which know quantities but no flags.

use nanobragg::{Error, crystal, geometry, io, physics, sources, structure};

/// The flags to look at, as the end of a message: ` [-roi]`; empty where the message says it all.
pub(crate) fn hint(error: &Error) -> String {
    let flags = match error {
        Error::Crystal(error) => of_crystal(error),
        Error::Structure(error) => of_structure(error),
        Error::Sources(error) => of_sources(error),
        Error::Physics(physics::Error::Threads { .. }) => "-threads",
        Error::Physics(physics::Error::OutOfMemory { .. }) | Error::OutOfMemory { .. } => {
            "-detpixels, -detsize, -pixel"
        }
        Error::TooMuchMemory { .. } => "-detpixels, -detsize, -pixel; -max_memory raises the limit",
        Error::NoOscillation => "-osc",
        Error::NoStructureFactors => "-hkl, -dump, -default_F",
        Error::Geometry(geometry::Error::MaskSize { .. }) => "-mask, -detpixels",
        Error::Geometry(error) => of_geometry(error),
        Error::CurvedSurface => "-exptfile, -xdsfile, -curved_det",
        Error::PlaneThroughSample { .. } => "-expt, -xdsinp",
        Error::FileValue { place, .. } if place.ends_with(".panels") => "-expt_panel",
        Error::TooManyTerms { .. } => {
            "-phisteps, -mosaic_domains, -divsteps, -dispsteps, -oversample, -thicksteps"
        }
        Error::OutOfRange { quantity, .. } => of_quantity(quantity),
        Error::Io(io::Error::Field { .. }) => "-img, -mask",
        _ => "",
    };
    if flags.is_empty() {
        String::new()
    } else {
        format!(" [{flags}]")
    }
}

fn of_geometry(error: &geometry::Error) -> &'static str {
    match error {
        geometry::Error::NotFinite { field, .. } | geometry::Error::OutOfRange { field, .. } => {
            of_quantity(field)
        }
        geometry::Error::NoPixels { .. } | geometry::Error::TooManyPixels { .. } => {
            "-detpixels, -detsize, -pixel"
        }
        geometry::Error::RoiOutside { .. } | geometry::Error::RoiReversed { .. } => "-roi",
        geometry::Error::NoDirection { .. } => "-..._vector, -..._axis",
        geometry::Error::NoPlane { .. } => "-fdet_vector, -sdet_vector",
        _ => "",
    }
}

fn of_crystal(error: &crystal::Error) -> &'static str {
    match error {
        crystal::Error::GridTooLarge { .. } => "-hkl, -dump; -max_memory raises the limit",
        crystal::Error::OutOfMemory { .. } => "-hkl, -dump",
        crystal::Error::NoCell => "-cell, -mat",
        crystal::Error::FlatCell { .. } => "-cell",
        crystal::Error::SingularMatrix { .. } => "-mat",
        crystal::Error::TooManyDomains { .. } => "-mosaic_domains",
        crystal::Error::OutOfRange { quantity, .. } => of_quantity(quantity),
        _ => "",
    }
}

fn of_structure(error: &structure::Error) -> &'static str {
    match error {
        structure::Error::Crystal(error) => of_crystal(error),
        structure::Error::NoCell { .. } => "-cell",
        structure::Error::NoSpaceGroup { .. } => "-spacegroup",
        structure::Error::Scale { .. } => "-pdb, -cell",
        structure::Error::TooLarge { .. } => "-dmin; -max_memory raises the limit",
        structure::Error::OutOfRange { quantity, .. } => match *quantity {
            "the resolution limit (A)" => "-dmin",
            "the solvent's density (e/A^3)" => "-ksol",
            "the solvent's B (A^2)" => "-bsol",
            _ => "-pdb, -cell",
        },
        _ => "",
    }
}

fn of_sources(error: &sources::Error) -> &'static str {
    match error {
        sources::Error::StepNotFinite { quantity, .. }
        | sources::Error::TooManySteps { quantity, .. } => match quantity {
            sources::Quantity::HorizontalDivergence => "-hdivrange, -hdivstep, -hdivsteps",
            sources::Quantity::VerticalDivergence => "-vdivrange, -vdivstep, -vdivsteps",
            sources::Quantity::Dispersion => "-dispersion, -dispsteps",
            sources::Quantity::Phi => "-osc, -phistep, -phisteps",
            _ => "-detector_thick, -thicksteps",
        },
        sources::Error::TooManySources { .. } => "-hdivsteps, -vdivsteps, -dispsteps",
        sources::Error::EverySourceTrimmed { .. } => "-square_div, -hdivsteps, -vdivsteps",
        sources::Error::NoBeamDirection { .. } => "-beam_vector",
        sources::Error::BandWavelength { .. } => "-lambda, -dispersion",
        sources::Error::FluenceNotFinite { .. } => "-flux, -exposure, -beamsize",
        _ => "",
    }
}

/// The flags behind a quantity, by words of its name.
fn of_quantity(quantity: &str) -> &'static str {
    const WORDS: [(&str, &str); 17] = [
        ("sub-pixels", "-oversample"),
        ("pixel size", "-pixel"),
        ("close distance", "-close_distance, -img, -mask"),
        ("distance", "-distance, -img, -mask"),
        ("detector size", "-detsize"),
        ("beam centre", "-Xbeam, -Ybeam"),
        ("near point", "-Xclose, -Yclose"),
        ("ORG", "-ORGX, -ORGY"),
        ("two-theta", "-twotheta"),
        (
            "rotation about",
            "-detector_rotx, -detector_roty, -detector_rotz",
        ),
        ("wavelength", "-lambda, -energy, -img, -mask"),
        ("attenuation", "-detector_abs"),
        ("sensor", "-detector_thick, -thicksteps"),
        ("cell", "-cell, -N, -xtalsize"),
        ("crystal size", "-xtalsize"),
        ("misset", "-misset"),
        ("mosaic", "-mosaic"),
    ];
    let found = WORDS.iter().find(|(word, _)| quantity.contains(word));
    found.map_or("", |(_, flags)| flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_behind_a_quantity_are_named() {
        let wavelength = Error::OutOfRange {
            quantity: "the wavelength (m)",
            value: 0.0,
            allowed: "above 0",
        };
        assert_eq!(hint(&wavelength), " [-lambda, -energy, -img, -mask]");
        assert_eq!(
            hint(
                &crystal::Error::FlatCell {
                    alpha_deg: 1.0,
                    beta_deg: 1.0,
                    gamma_deg: 2.0
                }
                .into()
            ),
            " [-cell]"
        );
    }

    #[test]
    fn a_message_that_names_its_file_needs_no_hint() {
        let error = crystal::Error::NoReflections {
            name: "a.hkl".into(),
        };
        assert_eq!(hint(&error.into()), "");
    }

    #[test]
    fn every_flag_in_a_hint_exists() {
        let text = include_str!("culprit.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        let quoted = text.split('"').filter(|part| part.starts_with('-'));
        let flags = quoted
            .flat_map(|part| part.split([',', ';', ' ']))
            .filter(|word| word.starts_with('-'));
        for flag in flags.filter(|flag| !flag.starts_with("-...")) {
            assert!(crate::args::find(&flag[1..]).is_some(), "{flag}");
        }
    }
}

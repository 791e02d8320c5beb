//! The flags behind an error of the library, found by the fields that the error names.

use nanobragg::{Error, MEMORY_LIMIT};

use crate::args::flags;

/// The end of a message with the flags, ` [-roi]`; empty if the error names no field.
pub(crate) fn hint(error: &Error) -> String {
    if let Error::DumpOfAnotherCell { .. } = error {
        return " [-dump FILE reads it, -nodefaultfiles does not look for it]".to_owned();
    }
    let named = |field: &'static str| {
        let flags = flags().filter(move |spec| spec.fields.contains(&field));
        flags.map(|spec| format!("-{}", spec.name))
    };
    let (limits, fields): (Vec<&str>, Vec<&str>) = error
        .fields()
        .iter()
        .partition(|field| **field == MEMORY_LIMIT);
    let flags = fields.into_iter().flat_map(|field| match field {
        // Each axis has its own flag.
        "detector.axes" => vec!["-..._vector, -..._axis".to_owned()],
        field => named(field).collect(),
    });
    let flags: Vec<String> = flags.collect();
    let limits: Vec<String> = limits.into_iter().flat_map(named).collect();
    match (flags.is_empty(), limits.first()) {
        (true, _) => String::new(),
        (false, None) => format!(" [{}]", flags.join(", ")),
        (false, Some(limit)) => format!(" [{}; {limit} raises the limit]", flags.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use nanobragg::crystal;

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
    fn sums_and_limits_name_every_flag() {
        let error = Error::TooMuchMemory {
            pixels_fast: 1,
            pixels_slow: 1,
            sources: 1,
            needed_gib: 2.0,
            limit_gib: 1.0,
        };
        let flags = " [-detpixels, -detsize, -pixel; -max_memory raises the limit]";
        assert_eq!(hint(&error), flags);
        let flags = " [-hkl, -pdb, -dump, -default_F]";
        assert_eq!(hint(&Error::NoStructureFactors), flags);
    }
}

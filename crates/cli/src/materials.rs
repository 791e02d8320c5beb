//! `nanoBragg materials`: the materials that have names, and the scattering of one of them.
//!
//! ```text
//! words -> MaterialWords -> a list for people, or a table of sin(theta)/lambda and F for nonBragg -stol
//! ```

use std::ffi::OsString;
use std::fmt::Write;

use nanobragg::materials::{Material, Profile, named, names};

use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of};

/// Carries out the words after `nanoBragg materials`; returns the list or the table.
///
/// # Errors
/// [`ToolError::Usage`] for an unknown name, or a wavelength without absorption coefficients.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let words = match command_of(&TOOL, words)? {
        Command::Run(words) => words,
        Command::Show(text) => return Ok(text),
    };
    let wavelength_a = words.wavelength_a.unwrap_or(1.0);
    let material = |name: &str| {
        named(name, wavelength_a).map_err(|error| ToolError::Usage {
            tool: TOOL.name,
            fault: error.to_string(),
        })
    };
    match &words.name {
        Some(name) => Ok(table(&material(&name.to_string_lossy())?.profile)),
        None => list(material),
    }
}

/// A line for each material.
fn list(material: impl Fn(&str) -> Result<Material, ToolError>) -> Result<String, ToolError> {
    let mut text =
        String::from("name            g/cm3      g/mol   F at 0   F peak   at d (A)   mu (1/mm)\n");
    for entry in names() {
        let Material {
            profile,
            density_g_per_cm3,
            molar_mass_g_per_mol,
            absorption_per_m,
        } = material(entry.name)?;
        let mut points = profile.points();
        let (_, forward) = points.next().unwrap_or_default();
        let (stol, peak) = points.fold(
            (0.0, forward),
            |peak, point| {
                if point.1 > peak.1 { point } else { peak }
            },
        );
        let spacing = match stol > 0.0 {
            true => format!("{:.3}", 0.5 / stol),
            false => "-".to_owned(),
        };
        let name = entry.name;
        let per_mm = absorption_per_m * 1e-3;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name:<15} {density_g_per_cm3:<10.4e} {molar_mass_g_per_mol:<7.3} {forward:<8.3} \
             {peak:<8.3} {spacing:<10} {per_mm:<10.4e} {}",
            entry.about
        );
    }
    Ok(text)
}

/// sin(theta)/lambda in 1/A and F, as `-stol` of nonBragg reads them.
fn table(profile: &Profile) -> String {
    let mut text = String::new();
    for (stol, f) in profile.points() {
        let _ = writeln!(text, "{stol:.8} {f:.6}");
    }
    text
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct MaterialWords {
    name: Option<OsString>,
    wavelength_a: Option<f64>,
}

pub(crate) static TOOL: Tool<MaterialWords> = Tool {
    name: "materials",
    about: "Lists the materials of -background, or writes the scattering of one.",
    usage: &[
        "nanoBragg materials [-lambda A]",
        "nanoBragg materials [-lambda A] NAME > FILE.stol",
    ],
    places: &[Place {
        name: "NAME",
        synopsis: "[NAME]",
        is_rest: false,
        set: |words, name| words.name = Some(name),
        help: "The material; ice-Ih@50nm and ice-Ic@50nm have grains of 50 nm",
    }],
    flags: &[Flag::new(
        "lambda",
        Takes::Float(|words: &mut MaterialWords, v| words.wavelength_a = Some(v)),
    )
    .or(&["wavelength"])
    .default("1")
    .values("ANGSTROM")
    .help("Wavelength, which Compton scattering and attenuation depend on")],
    examples: &["nanoBragg materials", "nanoBragg materials water"],
    notes: "\
The table has sin(theta)/lambda in 1/A and F, in the form that -stol reads. F^2 is the intensity
of a molecule, coherent and incoherent, in electron units.",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Result<String, ToolError> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        from_words(&words)
    }

    #[test]
    fn every_material_has_a_line() {
        let list = text("").unwrap();
        for entry in names() {
            let line = list.lines().find(|line| line.starts_with(entry.name));
            let line = line.unwrap_or_else(|| panic!("{}", entry.name));
            assert!(line.ends_with(entry.about), "{line}");
        }
    }

    #[test]
    fn a_table_has_the_points_of_the_profile() {
        for name in ["water", "ice-Ih@2um"] {
            let table = text(&format!("{name} -lambda 1.5")).unwrap();
            let profile = named(name, 1.5).unwrap().profile;
            assert_eq!(table.lines().count(), profile.points().count());
            let mut before = -1.0;
            for (line, (stol, f)) in table.lines().zip(profile.points()) {
                let numbers: Vec<f64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
                assert!(
                    (numbers[0] - stol).abs() < 1e-8 && (numbers[1] - f).abs() < 1e-6,
                    "{line}"
                );
                assert!(numbers[0] > before, "{line}");
                before = numbers[0];
            }
        }
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for (line, why) in [
            ("watr", "did you mean water?"),
            ("water air", "unexpected argument 'air'"),
            ("water -lambda 0", "wavelength of 0 A"),
            ("-lambda -1", "wavelength of -1 A"),
            ("-lambda nan", "NaN"),
            ("-lambda", "a value is required"),
            ("water@5nm", "water has no grains"),
            ("ice-Ih@5", "is no size of grains"),
            ("-wavelenth 1", "similar"),
        ] {
            let error = text(line).unwrap_err().to_string();
            assert!(error.contains(why), "{line}: {error}");
            assert!(!error.contains('\n'));
        }
    }
}

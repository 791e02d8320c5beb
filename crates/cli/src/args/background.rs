use super::Range;
use super::flag::{FlagSpec, Group, Takes};
use nanobragg::materials::StolUnit;
use std::path::PathBuf;

/// Amorphous material in the beam.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BackgroundArgs {
    /// The table of a material, and what its first column is.
    pub table: Option<(PathBuf, StolUnit)>,
    /// Thickness of that layer.
    pub thickness_mm: Option<f64>,
    /// Density of that layer.
    pub density_g_per_cm3: Option<f64>,
    /// Mass of a mole of its molecules.
    pub molar_mass_g_per_mol: Option<f64>,
    /// Molecules of that layer in the beam.
    pub molecules: Option<f64>,
    /// Materials by name, each with its thickness in mm if one is given. Empty if the layers of an experiment file are
    /// not wanted.
    pub layers: Option<Vec<(String, Option<f64>)>>,
    /// Whether the layers by name absorb.
    pub absorbs: bool,
    /// A factor on all layers.
    pub scale: Option<f64>,
    /// The allowed relative error.
    pub tolerance: Option<f64>,
}

/// The units of a thickness, in mm. `mm` and `um` are looked for before `m`.
const UNITS: [(&str, f64); 4] = [("um", 1e-3), ("mm", 1.0), ("cm", 10.0), ("m", 1000.0)];

/// A name with a thickness, `water:0.03mm`.
fn layer(text: &str) -> Result<(String, Option<f64>), String> {
    let allowed = || "layers as water:0.03mm,air:5cm with units um, mm, cm or m".to_owned();
    let (name, thickness) = match text.split_once(':') {
        Some((name, thickness)) => (name.trim(), Some(thickness.trim())),
        None => (text.trim(), None),
    };
    if name.is_empty() {
        return Err(allowed());
    }
    let thickness_mm = thickness.map(|text| {
        let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
        let (unit, mm) = unit.ok_or_else(allowed)?;
        let number = text.strip_suffix(unit).map(str::trim).unwrap_or_default();
        let number = number.parse().ok().map(|number: f64| number * mm);
        let is_allowed = |mm: &f64| (0.0..Range::MOST).contains(mm);
        number.filter(is_allowed).ok_or_else(allowed)
    });
    Ok((name.to_owned(), thickness_mm.transpose()?))
}

pub(super) static GROUP: Group = Group {
    heading: "Background",
    flags: &[
        FlagSpec::new(
            "background",
            Takes::Text(|args, text| {
                let layers: Result<Vec<_>, String> = match text {
                    "none" => Ok(Vec::new()),
                    _ => text.split(',').map(layer).collect(),
                };
                args.background.layers = Some(layers?);
                Ok(())
            }),
        )
        .values("NAME:THICKNESS[,...]|none")
        .help(
            "Amorphous materials in the beam, each with its thickness in um, mm, cm or m; 0.1 mm \
             without one. With none there are no layers, not those of an experiment file either.",
        )
        .of(&["background.material", "background.thickness"]),
        FlagSpec::path("stol", |args, path| {
            args.background.table = Some((path, StolUnit::Stol))
        })
        .help(
            "A layer of amorphous material: a table of sin(theta)/lambda (1/A) and F of one \
             molecule.",
        )
        .of(&["background.material"]),
        FlagSpec::path("4stol", |args, path| {
            args.background.table = Some((path, StolUnit::FourStol))
        })
        .help("The same against 4 sin(theta)/lambda.")
        .of(&["background.material"]),
        FlagSpec::path("Q", |args, path| {
            args.background.table = Some((path, StolUnit::Q))
        })
        .help("The same against Q = 4 pi sin(theta)/lambda.")
        .of(&["background.material"]),
        FlagSpec::number("thick", "mm", Range::ZeroOrMore, |args, v| {
            args.background.thickness_mm = Some(v)
        })
        .or(&["thickness"])
        .default("0.1")
        .help("Thickness of the layer of -stol along the beam; it is as wide as the beam.")
        .of(&["background.thickness"]),
        FlagSpec::number("density", "g/cm3", Range::Any, |args, v| {
            args.background.density_g_per_cm3 = Some(v)
        })
        .or(&["sample_density", "sample_den"])
        .default("1")
        .help("Density of the layer of -stol.")
        .of(&["background.density"]),
        FlagSpec::number("MW", "g/mol", Range::Any, |args, v| {
            args.background.molar_mass_g_per_mol = Some(v)
        })
        .or(&["molecular_weight", "molec"])
        .default("18")
        .help("Mass of a mole of molecules of the layer of -stol.")
        .of(&["background.molar_mass"]),
        FlagSpec::number("molecules", "", Range::ZeroOrMore, |args, v| {
            args.background.molecules = Some(v)
        })
        .help("Molecules of the layer of -stol in the beam, in place of thickness and density.")
        .of(&["background.molecules"]),
        FlagSpec::switch("background_absorption", |args| {
            args.background.absorbs = true
        })
        .help("The materials of -background absorb the rays that they scatter.")
        .of(&["background.absorption"]),
        FlagSpec::number("background_scale", "", Range::ZeroOrMore, |args, v| {
            args.background.scale = Some(v)
        })
        .default("1")
        .help("Factor on all layers.")
        .of(&["background.scale"]),
        FlagSpec::number("background_tolerance", "", Range::ZeroOrMore, |args, v| {
            args.background.tolerance = Some(v)
        })
        .default("0")
        .help(
            "Relative error of the layers that is allowed; pixels are then interpolated where they \
             vary slowly. With 0 every pixel is summed.",
        )
        .of(&["background.tolerance"]),
    ],
};

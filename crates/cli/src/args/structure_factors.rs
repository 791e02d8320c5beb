use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range};
use nanobragg::Lookup;
use nanobragg::crystal::SpaceGroup;
use nanobragg::factors::ListAt;
use std::path::PathBuf;

/// The source of structure factors, and how they are looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactorArgs {
    /// Text list of h k l F, MTZ, mmCIF or XDS_ASCII.
    pub hkl_path: Option<PathBuf>,
    /// Lists at several energies.
    pub lists: Vec<ListAt>,
    /// The columns to read; if empty, the file decides.
    pub columns: Vec<String>,
    /// The name of the space group, used instead of that of the file.
    pub space_group: Option<String>,
    /// F of reflections that are not listed, in electrons.
    pub default_f: Option<f64>,
    /// B of a fall-off with resolution, in A^2.
    pub b_factor_a2: Option<f64>,
    /// The name of the dump, which is read or written.
    pub dump_path: Option<PathBuf>,
    /// The lookup of F between whole indices; `None`: it depends on the size of the crystal.
    pub lookup: Option<Lookup>,
}

/// The words of a list at an energy: the energy, then the file.
fn list_at(args: &mut Args, word: &str) -> Result<(), String> {
    let lists = &mut args.factors.lists;
    match lists
        .last_mut()
        .filter(|list| list.path.as_os_str().is_empty())
    {
        Some(list) if !word.is_empty() => list.path = PathBuf::from(word),
        Some(_) => return Err("the name of a file".to_owned()),
        None => {
            let energy_ev = word.parse().ok().filter(|ev| (1.0..=1e6).contains(ev));
            lists.push(ListAt {
                energy_ev: energy_ev.ok_or("an energy from 1 to 1e6 eV")?,
                path: PathBuf::new(),
            });
        }
    }
    Ok(())
}

/// Checks the name of a space group.
pub(super) fn check_space_group(name: &str) -> Result<(), String> {
    let allowed = "a number from 1 to 230, or a name such as \"P 21 21 21\" or \"R 3 :H\"";
    let known = SpaceGroup::from_name(name);
    known.map(drop).map_err(|_| allowed.to_owned())
}

pub(super) static GROUP: Group = Group {
    heading: "Structure factors",
    flags: &[
FlagSpec::path("hkl", |args, path| args.factors.hkl_path = Some(path))
        .or(&["mtz"]).help("Structure factors: text, one h k l F per line, MTZ, or mmCIF; the contents decide. Text \
             lists every spot: no symmetry is applied, not even Friedel's, unless -spacegroup is \
             given. MTZ and mmCIF are expanded with the symmetry in the file, whose cell is \
             used if neither -cell nor -mat is given. Without it the dump of an earlier run is read.").of(&["factors.hkl"]),
FlagSpec::new("hkl_at", Takes::Words(list_at))
        .values("eV file").adds().files(|place, _| (place == 1).then_some(0)).help("Structure factors at an energy, in place of -hkl; given once for each energy. A source has those of its own \
             energy: between two energies F^2 is linear, and outside of all it is an error.").of(&["factors.hkl_at"]),
FlagSpec::new("columns", Takes::Text(|args, text| {
                let names: Vec<String> = text.split(',').map(|n| n.trim().to_owned()).collect();
                let is_allowed = names.len() <= 3 && names.iter().all(|name| !name.is_empty());
                args.factors.columns = names;
                let allowed = "one to three names with commas between them";
                is_allowed.then_some(()).ok_or_else(|| allowed.to_owned())
            }))
        .values("F[,PHI]")
        .or(&["column"]).help("Columns of an MTZ or mmCIF file: F or I, or two for Friedel mates, as F(+),F(-); a \
             phase may follow. Without it amplitudes of a model are taken, else F(+) and F(-), F, \
             I(+) and I(-), I, whichever is there. Of a text, I says that its fourth column has intensities, as \
             in the lists of SHELX."),
FlagSpec::new("spacegroup", Takes::Text(|args, text| {
                args.factors.space_group = Some(text.to_owned());
                check_space_group(text)
            }))
        .values("name")
        .or(&["space_group", "symmetry"]).help("Space group to expand the structure factors of -hkl with, in place of the one in the \
             file.").of(&["factors.space_group"]),
FlagSpec::number("default_F", "electrons", Range::Any, |args, v| args.factors.default_f = Some(v))
        .default("0").help("F of every reflection not listed.").of(&["factors.default_f"]),
FlagSpec::number("b_factor", "A^2", Range::Any, |args, v| args.factors.b_factor_a2 = Some(v))
        .default("0").help("Multiplies every F, listed or not, by exp(-B s^2/4), with s = 1/d: the fall-off with resolution of a crystal \
             with more disorder. The intensity of a spot falls by exp(-B/(2 d^2)).").of(&["b_factor"]),
FlagSpec::path("dump", |args, path| args.factors.dump_path = Some(path))
        .or(&["dumpfile"])
        .default("Fdump.bin").help("Where the structure factors of -hkl are kept for runs without it.").of(&["factors.dump"]),
FlagSpec::switch("interpolate", |args| args.factors.lookup = Some(Lookup::Tricubic)).help("Interpolate F between whole indices. The default if the crystal is at most two \
             cells wide somewhere."),
FlagSpec::switch("nointerpolate", |args| args.factors.lookup = Some(Lookup::Nearest)).help("Take F from the nearest whole index."),
FlagSpec::path("stolout", |_, _| {}).ignored().help("Where to write amorphous scattering: not used; nanoBragg nonbragg has it."),
FlagSpec::switch("coherent", |_| {})
        .ignored().help("Add amplitudes: not used."),
],
};

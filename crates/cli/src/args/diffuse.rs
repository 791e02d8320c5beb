use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::structure_factors::check_space_group;
use super::{Args, WholeRange};
use nanobragg::DiffuseSpec;
use nanobragg::physics::{DiffuseAxes, DiffuseModel};

/// The diffuse scattering of the crystal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DiffuseArgs {
    /// The model; `Some(None)` for none.
    pub model: Option<Option<DiffuseModel>>,
    /// Lengths over which displacements are correlated.
    pub gamma_a: Option<[f64; 3]>,
    /// Root mean square displacements.
    pub sigma_a: Option<[f64; 3]>,
    /// The directions of these lengths.
    pub axes: Option<DiffuseAxes>,
    /// Neighbours to each side whose halos are summed.
    pub stencil: Option<u32>,
    /// The name of a space group.
    pub symmetry: Option<String>,
    /// The structure factors already have the displacements.
    pub undamped: bool,
}

impl DiffuseArgs {
    /// `base` with the flags over it; `None` if there is no diffuse scattering.
    pub(crate) fn over(&self, base: Option<DiffuseSpec>) -> Option<DiffuseSpec> {
        if self.model == Some(None) {
            return None;
        }
        let base = base.or_else(|| (*self != Self::default()).then(DiffuseSpec::default))?;
        Some(DiffuseSpec {
            model: self.model.flatten().unwrap_or(base.model),
            axes: self.axes.unwrap_or(base.axes),
            gamma_angstrom: self.gamma_a.unwrap_or(base.gamma_angstrom),
            sigma_angstrom: self.sigma_a.unwrap_or(base.sigma_angstrom),
            stencil: self.stencil.unwrap_or(base.stencil),
            symmetry: self.symmetry.clone().or(base.symmetry),
            damped: base.damped && !self.undamped,
            rotations: base.rotations,
        })
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Diffuse scattering",
    flags: &[
        FlagSpec::new(
            "diffuse",
            Takes::Word(&["none", "llm", "acoustic"], |args: &mut Args, word| {
                args.diffuse.model = Some(match word {
                    "llm" => Some(DiffuseModel::LiquidLike),
                    "acoustic" => Some(DiffuseModel::Acoustic),
                    _ => None,
                });
            }),
        )
        .default("none; llm with any of the flags below")
        .help(
            "Halos about the reflections: of liquid-like motions, or of acoustic phonons with the \
             cut-off of Debye.",
        )
        .of(&["diffuse"]),
        FlagSpec::new(
            "diffuse_gamma",
            Takes::Vector(|args: &mut Args, lengths| args.diffuse.gamma_a = Some(lengths)),
        )
        .values("A A A")
        .default("50 50 50")
        .help("Lengths over which displacements are correlated, along the axes of -diffuse_axes.")
        .of(&["diffuse.gamma"]),
        FlagSpec::new(
            "diffuse_sigma",
            Takes::Vector(|args: &mut Args, lengths| args.diffuse.sigma_a = Some(lengths)),
        )
        .values("A A A")
        .default("0.4 0.4 0.4")
        .help("Root mean square displacements along the same axes.")
        .of(&["diffuse.sigma"]),
        FlagSpec::new(
            "diffuse_axes",
            Takes::Word(&["cell", "diagonal"], |args: &mut Args, word| {
                args.diffuse.axes = Some(match word {
                    "diagonal" => DiffuseAxes::Diagonal,
                    _ => DiffuseAxes::Cell,
                });
            }),
        )
        .default("cell")
        .help(
            "The axes: a, the perpendicular to it in the plane of a and b, and c*; or the diagonals \
             of the first two, and c*.",
        )
        .of(&["diffuse.axes"]),
        FlagSpec::whole("diffuse_stencil", WholeRange::COUNT, |args, n| {
            args.diffuse.stencil = Some(super::count(n));
        })
        .default("1")
        .replaces(Replaced::negative, "it counts as 0")
        .help("Reflections to each side of the nearest, along each index, whose halos are summed.")
        .of(&["diffuse.stencil"]),
        FlagSpec::new(
            "diffuse_symmetry",
            Takes::Text(|args: &mut Args, name| {
                args.diffuse.symmetry = Some(name.to_owned());
                check_space_group(name)
            }),
        )
        .or(&["diffuse_laue"])
        .values("GROUP")
        .default("the space group of the structure factors, or P 1")
        .help("Space group whose rotations the halos have: their mean is taken.")
        .of(&["diffuse.symmetry"]),
        FlagSpec::switch("diffuse_undamped", |args| args.diffuse.undamped = true)
            .help(
                "Leave out the factor exp(-x) of the displacements, which structure factors of \
                 measurements already have.",
            )
            .of(&["diffuse.damped"]),
    ],
};

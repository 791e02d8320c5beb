use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range, WholeRange};
use std::path::PathBuf;

/// Cell, orientation, size and shape of the crystal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrystalArgs {
    /// File with the orientation matrix.
    pub matrix_path: Option<PathBuf>,
    /// The one to six numbers given, not below 0: a, b, c in Angstrom, alpha, beta, gamma in degrees.
    pub cell: Option<Vec<f64>>,
    /// Rotation away from the orientation of matrix or cell.
    pub misset: Option<Misset>,
    /// Whole cells along a, b, c; at least 1.
    pub cells: [Option<u32>; 3],
    /// Edges along a, b, c in mm; 0 or less counts as not given.
    pub size_mm: [Option<f64>; 3],
    /// What the interference function looks like.
    pub shape: Shape,
    /// Factor on the squared radius of round, Gaussian and top-hat shapes.
    pub fudge: Option<f64>,
    /// Mosaic spread in degrees.
    pub mosaic_deg: Option<f64>,
    /// Mosaic domains.
    pub mosaic_domains: Option<u32>,
}

/// Rotation of the reciprocal cell in the laboratory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Misset {
    /// About X, then Y, then Z, in degrees.
    Degrees([f64; 3]),
    /// At random, from the misset seed.
    Random,
}

/// Shape of the crystal, which gives each Bragg spot its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// A parallelepiped of whole cells.
    #[default]
    Square,
    /// An ellipsoid.
    Round,
    /// Gaussian spots.
    Gauss,
    /// Spots with a sharp edge.
    Tophat,
}

/// At least one cell, as the C program makes of `-N 0`.
fn cells(n: i64) -> Option<u32> {
    Some(super::count(n).max(1))
}

const fn size(
    name: &'static str,
    aliases: &'static [&'static str],
    set: fn(&mut Args, f64),
    help: &'static str,
) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Number {
            unit: "mm",
            range: Range::Any,
            set,
        },
        help,
    )
    .or(aliases)
}

const fn number_of_cells(
    name: &'static str,
    set: fn(&mut Args, i64),
    help: &'static str,
) -> FlagSpec {
    FlagSpec::new(
        name,
        Takes::Whole {
            range: WholeRange::COUNT,
            set,
        },
        help,
    )
    .default("1")
}

pub(super) static GROUP: Group = Group {
    heading: "Crystal",
    flags: &[
        FlagSpec::new(
            "mat",
            Takes::Path(|args, path| args.crystal.matrix_path = Some(path)),
            "Orientation matrix as MOSFLM writes it: rows x, y, z; columns a*, b*, c*, times \
             1/wavelength.",
        )
        .or(&["matrix"]),
        FlagSpec::new(
            "cell",
            Takes::Cell(|args, cell| args.crystal.cell = Some(cell)),
            "Unit cell in Angstrom and degrees. Lengths left out or 0 equal a, angles left out \
             are 90. With -mat it gives the lengths and the matrix the directions.",
        ),
        FlagSpec::new(
            "misset",
            Takes::Misset(|args, misset| args.crystal.misset = Some(misset)),
            "Rotate the reciprocal cell about the laboratory's X, then Y, then Z, in degrees.",
        )
        .default("0 0 0"),
        number_of_cells(
            "N",
            |args, n| args.crystal.cells = [cells(n); 3],
            "Whole cells along a, b and c; below 1 becomes 1.",
        ),
        number_of_cells(
            "Na",
            |args, n| args.crystal.cells[0] = cells(n),
            "Whole cells along a.",
        ),
        number_of_cells(
            "Nb",
            |args, n| args.crystal.cells[1] = cells(n),
            "Whole cells along b.",
        ),
        number_of_cells(
            "Nc",
            |args, n| args.crystal.cells[2] = cells(n),
            "Whole cells along c.",
        ),
        size(
            "xtalsize",
            &["xtal_size", "samplesize", "sample_size"],
            |args, mm| args.crystal.size_mm = [Some(mm); 3],
            "Crystal size along a, b and c, instead of -N: the cells needed to reach it. Wins \
             over -N; 0 or less counts as not given.",
        ),
        size(
            "xtal_x",
            &["xtal_thick", "sample_x", "sample_thick"],
            |args, mm| args.crystal.size_mm[0] = Some(mm),
            "Crystal size along a.",
        ),
        size(
            "xtal_y",
            &["xtal_width", "sample_y", "sample_width", "width"],
            |args, mm| args.crystal.size_mm[1] = Some(mm),
            "Crystal size along b.",
        ),
        size(
            "xtal_z",
            &["xtal_height", "sample_z", "sample_height", "height"],
            |args, mm| args.crystal.size_mm[2] = Some(mm),
            "Crystal size along c.",
        ),
        FlagSpec::new(
            "square_xtal",
            Takes::Switch(|args| args.crystal.shape = Shape::Square),
            "A parallelepiped of whole cells. This is the default shape.",
        ),
        FlagSpec::new(
            "round_xtal",
            Takes::Switch(|args| args.crystal.shape = Shape::Round),
            "An ellipsoid.",
        ),
        FlagSpec::new(
            "gauss_xtal",
            Takes::Switch(|args| args.crystal.shape = Shape::Gauss),
            "Gaussian spots, nothing between them.",
        ),
        FlagSpec::new(
            "tophat_spots",
            Takes::Switch(|args| args.crystal.shape = Shape::Tophat),
            "Spots with a sharp edge at half height, nothing between them.",
        )
        .or(&["binary_spots"]),
        FlagSpec::new(
            "fudge",
            Takes::Number {
                unit: "",
                range: Range::ZeroOrMore,
                set: |args, v| args.crystal.fudge = Some(v),
            },
            "Factor on the squared radius in round, Gaussian and top-hat shapes.",
        )
        .default("1"),
        FlagSpec::new(
            "mosaic",
            Takes::Number {
                unit: "deg",
                range: Range::ZeroOrMore,
                set: |args, v| args.crystal.mosaic_deg = Some(v),
            },
            "Isotropic mosaic spread; 90 for a powder.",
        )
        .or(&["mosaici", "mosaicity", "mosaic_spread"])
        .default("0"),
        FlagSpec::new(
            "mosaic_domains",
            Takes::Whole {
                range: WholeRange::COUNT,
                set: |args, n| args.crystal.mosaic_domains = super::positive(n),
            },
            "Mosaic domains to render; 0 or less counts as not given.",
        )
        .or(&["mosaic_dom"])
        .default("10 with a mosaic spread, otherwise 1"),
        FlagSpec::new(
            "density",
            Takes::Number {
                unit: "g/cm3",
                range: Range::Any,
                set: |_, _| {},
            },
            "Accepted; the image does not depend on it.",
        )
        .or(&["sample_density"]),
        FlagSpec::new(
            "MW",
            Takes::Number {
                unit: "g/mol",
                range: Range::Any,
                set: |_, _| {},
            },
            "Accepted; the image does not depend on it.",
        )
        .or(&["molecular_weight"]),
    ],
};

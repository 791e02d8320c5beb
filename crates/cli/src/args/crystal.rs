use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Range, WholeRange};
use nanobragg::{Angle, Misset, Shape, SpotMetric};
use std::path::PathBuf;

/// Cell, orientation, size and shape of the crystal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrystalArgs {
    /// File with the orientation matrix.
    pub matrix_path: Option<PathBuf>,
    /// One to six numbers, not below 0: a, b, c in Angstrom, alpha, beta, gamma in degrees.
    pub cell: Option<Vec<f64>>,
    /// Unit cell file of CrystFEL.
    pub cell_path: Option<PathBuf>,
    /// Angles that no lattice has are rendered too.
    pub impossible_cell: bool,
    /// Rotation of the crystal relative to matrix or cell. The seed of a random misset here is not used:
    /// all seeds are set together.
    pub misset: Option<Misset>,
    /// Numbers of cells along a, b, c; at least 1.
    pub cells: [Option<u32>; 3],
    /// Edges along a, b, c in mm; 0 or less counts as not given.
    pub size_mm: [Option<f64>; 3],
    /// The shape, which determines the lattice factor.
    pub shape: Option<Shape>,
    /// Factor on the squared radius of round, Gaussian and top-hat shapes.
    pub fudge: Option<f64>,
    /// How the radius of Gaussian spots and top-hats is measured.
    pub spot_metric: Option<SpotMetric>,
    /// Real numbers of cells along a, b, c.
    pub real_cells: Option<[f64; 3]>,
    /// Nd, Ne, Nf of the size tensor.
    pub tensor: Option<[f64; 3]>,
    /// Standard deviation of the logarithm of the size of domains.
    pub size_spread: Option<f64>,
    /// Factor on the photons of the crystal.
    pub spot_scale: Option<f64>,
    /// Volume of crystal in the beam.
    pub crystal_mm3: Option<f64>,
    /// Mosaic spread in degrees.
    pub mosaic_deg: Option<f64>,
    /// Number of mosaic domains.
    pub mosaic_domains: Option<u32>,
}

/// At least one cell, as in the C program for `-N 0`.
fn cells(n: i64) -> Option<u32> {
    Some(super::count(n).max(1))
}

/// The words of [`SpotMetric`]; the first is that of the C program.
const METRICS: &[&str] = &["reciprocal", "hkl"];

fn metric_named(word: &str) -> SpotMetric {
    match word {
        "hkl" => SpotMetric::Hkl,
        _ => SpotMetric::Reciprocal,
    }
}

pub(super) static GROUP: Group = Group {
    heading: "Crystal",
    flags: &[
        FlagSpec::path("mat", |args, path| args.crystal.matrix_path = Some(path))
            .or(&["matrix"])
            .help(
                "Orientation matrix as MOSFLM writes it: rows x, y, z; columns a*, b*, c*, times \
             1/wavelength.",
            )
            .of(&["crystal.matrix"]),
        FlagSpec::new(
            "cell",
            Takes::Cell(|args, cell| args.crystal.cell = Some(cell)),
        )
        .replaces(
            |value| value == 0.0,
            "edges of 0 are as long as a, angles of 0 are 90 degrees",
        )
        .help(
            "Unit cell in Angstrom and degrees. Lengths left out or 0 equal a, angles left out \
             are 90. With -mat it gives the lengths and the matrix the directions.",
        )
        .of(&["crystal.cell"]),
        FlagSpec::path("cellfile", |args, path| args.crystal.cell_path = Some(path)).help(
            "Take the cell from this unit cell file of CrystFEL or PDB file; -cell wins over it.",
        ),
        FlagSpec::new(
            "misset",
            Takes::Misset(|args, degrees| {
                let radians = |degrees| Angle::from_degrees(degrees).radians();
                args.crystal.misset = Some(match degrees {
                    Some(degrees) => Misset::Angles(degrees.map(radians)),
                    None => Misset::Random { seed: 0 },
                });
            }),
        )
        .default("0 0 0")
        .help("Rotate the reciprocal cell about the laboratory's X, then Y, then Z, in degrees.")
        .of(&["crystal.misset"]),
        FlagSpec::switch("impossible_cell", |args| {
            args.crystal.impossible_cell = true
        })
        .help("Render cell angles that no lattice has, with the numbers of the C program.")
        .of(&["crystal.impossible_cell"]),
        FlagSpec::whole("N", WholeRange::COUNT, |args, n| {
            args.crystal.cells = [cells(n); 3]
        })
        .default("1")
        .replaces(Replaced::not_positive, "it counts as 1")
        .help("Whole cells along a, b and c; below 1 becomes 1.")
        .of(&["crystal.cells"]),
        FlagSpec::whole("Na", WholeRange::COUNT, |args, n| {
            args.crystal.cells[0] = cells(n)
        })
        .default("1")
        .replaces(Replaced::not_positive, "it counts as 1")
        .help("Whole cells along a."),
        FlagSpec::whole("Nb", WholeRange::COUNT, |args, n| {
            args.crystal.cells[1] = cells(n)
        })
        .default("1")
        .replaces(Replaced::not_positive, "it counts as 1")
        .help("Whole cells along b."),
        FlagSpec::whole("Nc", WholeRange::COUNT, |args, n| {
            args.crystal.cells[2] = cells(n)
        })
        .default("1")
        .replaces(Replaced::not_positive, "it counts as 1")
        .help("Whole cells along c."),
        FlagSpec::number("xtalsize", "mm", Range::Any, |args, mm| {
            args.crystal.size_mm = [Some(mm); 3]
        })
        .or(&["xtal_size", "samplesize", "sample_size"])
        .replaces(Replaced::not_positive, "it counts as not given")
        .help(
            "Crystal size along a, b and c, instead of -N: the cells needed to reach it. Wins \
             over -N; 0 or less counts as not given.",
        )
        .of(&["crystal.size"]),
        FlagSpec::number("xtal_x", "mm", Range::Any, |args, mm| {
            args.crystal.size_mm[0] = Some(mm)
        })
        .or(&[
            "xtal_thick",
            "sample_x",
            "sample_thick",
            "xtal_thickness",
            "sample_thickness",
        ])
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Crystal size along a."),
        FlagSpec::number("xtal_y", "mm", Range::Any, |args, mm| {
            args.crystal.size_mm[1] = Some(mm)
        })
        .or(&["xtal_width", "sample_y", "sample_width", "width"])
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Crystal size along b."),
        FlagSpec::number("xtal_z", "mm", Range::Any, |args, mm| {
            args.crystal.size_mm[2] = Some(mm)
        })
        .or(&[
            "xtal_height",
            "sample_z",
            "sample_height",
            "height",
            "xtal_heigh",
            "sample_heigh",
            "heigh",
        ])
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Crystal size along c."),
        FlagSpec::switch("square_xtal", |args| {
            args.crystal.shape = Some(Shape::Square)
        })
        .help("A parallelepiped of whole cells. This is the default shape.")
        .of(&["crystal.shape"]),
        FlagSpec::switch("round_xtal", |args| args.crystal.shape = Some(Shape::Round))
            .help("An ellipsoid.")
            .of(&["crystal.shape"]),
        FlagSpec::new(
            "gauss_xtal",
            Takes::OptionalWord(METRICS, |args, metric| {
                args.crystal.shape = Some(Shape::Gauss);
                args.crystal.spot_metric = Some(metric_named(metric));
            }),
        )
        .values("METRIC")
        .help(
            "Gaussian spots, nothing between them. With `hkl` they are as wide as those of a \
             parallelepiped (simtbx: gauss); with `reciprocal`, or no word, as narrow as in C \
             (simtbx: gauss_star).",
        )
        .of(&["crystal.shape", "crystal.spot_metric"]),
        FlagSpec::new(
            "tophat_spots",
            Takes::OptionalWord(METRICS, |args, metric| {
                args.crystal.shape = Some(Shape::Tophat);
                args.crystal.spot_metric = Some(metric_named(metric));
            }),
        )
        .or(&["binary_spots"])
        .values("METRIC")
        .help("Spots with a sharp edge at half height, nothing between them; METRIC as for -gauss_xtal.")
        .of(&["crystal.shape", "crystal.spot_metric"]),
        FlagSpec::new(
            "Nabc",
            Takes::Vector(|args, cells| args.crystal.real_cells = Some(cells)),
        )
        .values("NA NB NC")
        .help("Cells of a domain along a, b and c, which need not be whole. It wins over -N and sizes.")
        .of(&["crystal.domain.cells"]),
        FlagSpec::new(
            "Ndef",
            Takes::Vector(|args, rest| args.crystal.tensor = Some(rest)),
        )
        .values("ND NE NF")
        .help(
            "The rest of the size tensor of diffBragg, [[Na Nd Nf] [Nd Nb Ne] [Nf Ne Nc]], for \
             Gaussian, round and top-hat shapes.",
        )
        .of(&["crystal.domain.tensor"]),
        FlagSpec::number("size_spread", "", Range::ZeroOrMore, |args, v| {
            args.crystal.size_spread = Some(v)
        })
        .default("0")
        .help("Standard deviation of the logarithm of the size of domains, at most 1.")
        .of(&["crystal.domain.size_spread"]),
        FlagSpec::number("spot_scale", "", Range::ZeroOrMore, |args, v| {
            args.crystal.spot_scale = Some(v)
        })
        .default("1")
        .help("Factor on the photons of the crystal, not of water and background.")
        .of(&["crystal.domain.spot_scale"]),
        FlagSpec::number("crystal_volume", "mm^3", Range::AboveZero, |args, v| {
            args.crystal.crystal_mm3 = Some(v)
        })
        .default("that of one domain")
        .help("Volume of crystal in the beam: as many independent domains as fill it.")
        .of(&["crystal.domain.crystal_mm3"]),
        FlagSpec::number("fudge", "", Range::ZeroOrMore, |args, v| {
            args.crystal.fudge = Some(v)
        })
        .default("1")
        .help("Factor on the squared radius in round, Gaussian and top-hat shapes."),
        FlagSpec::number("mosaic", "deg", Range::ZeroOrMore, |args, v| {
            args.crystal.mosaic_deg = Some(v)
        })
        .or(&["mosaici", "mosaicity", "mosaic_spread", "mosaic_spr"])
        .default("0")
        .help("Isotropic mosaic spread; 90 for a powder.")
        .of(&["crystal.mosaic.spread"]),
        FlagSpec::whole("mosaic_domains", WholeRange::COUNT, |args, n| {
            args.crystal.mosaic_domains = super::positive(n)
        })
        .or(&["mosaic_dom"])
        .default("10 with a mosaic spread, otherwise 1")
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Mosaic domains to render; 0 or less counts as not given.")
        .of(&["crystal.mosaic.domains"]),
    ],
};

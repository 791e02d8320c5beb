use super::flag::{FlagSpec, Group, Replaced, Takes};
use super::{Range, WholeRange};
use nanobragg::{Angle, Misset, MosaicModel, MosaicSampling, Shape, SpotMetric, TwinLaw, TwinSpec};
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
    /// Mosaic spreads about a, b, c in degrees.
    pub mosaic_abc_deg: Option<[f64; 3]>,
    /// The distribution of the angles of mosaic domains.
    pub mosaic_model: Option<MosaicModel>,
    /// How the mosaic domains are chosen.
    pub mosaic_sampling: Option<MosaicSampling>,
    /// File with the rotations of the mosaic domains.
    pub mosaic_path: Option<PathBuf>,
    /// The same as rows of numbers in memory. It takes the place of the file.
    pub mosaic_matrices: Option<Vec<Vec<f64>>>,
    /// Standard deviation of the length of all edges together in percent.
    pub strain_percent: Option<f64>,
    /// Standard deviations of the lengths of a, b, c in percent.
    pub strain_abc_percent: Option<[f64; 3]>,
    /// Number of mosaic domains.
    pub mosaic_domains: Option<u32>,
    /// The twins.
    pub twins: Vec<TwinSpec>,
    /// The operation of a twin whose fraction follows.
    pub twin_operator: Option<TwinLaw>,
    /// File with other lattices.
    pub lattice_path: Option<PathBuf>,
}

/// Takes the operation of a twin, and then its fraction.
fn twin(args: &mut CrystalArgs, word: &str) -> Result<(), String> {
    let Some(operator) = args.twin_operator.take() else {
        let operator = TwinLaw::from_text(word).map_err(|_| {
            "the operation of a twin on h,k,l, such as -h,-k,l or k,h,-l, with a determinant of 1 or -1"
        })?;
        args.twin_operator = Some(operator);
        return Ok(());
    };
    let fraction = word.parse().ok().filter(|x| (0.0..=1.0).contains(x));
    let fraction = fraction.ok_or("the fraction of a twin, a number from 0 to 1")?;
    args.twins.push(TwinSpec { operator, fraction });
    Ok(())
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
        .help("Turn the crystal: the reciprocal cell about the laboratory's X, then Y, then Z, in degrees.")
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
        FlagSpec::new(
            "mosaic_aniso",
            Takes::Vector(|args, degrees| args.crystal.mosaic_abc_deg = Some(degrees)),
        )
        .values("a b c")
        .help(
            "Mosaic spreads about a, b and c in degrees, in place of -mosaic: Gaussian unless \
             -mosaic_model says otherwise.",
        )
        .of(&["crystal.mosaic.spread_abc"]),
        FlagSpec::new(
            "mosaic_model",
            Takes::Word(MosaicModel::NAMES, |args, word| {
                args.crystal.mosaic_model = MosaicModel::from_name(word)
            }),
        )
        .default("cap, or gaussian with -mosaic_aniso")
        .help(
            "Angles of the domains: a cap that ends at -mosaic, as the C program has it, or a \
             Gaussian with -mosaic as standard deviation.",
        ),
        FlagSpec::new(
            "mosaic_sampling",
            Takes::Word(MosaicSampling::NAMES, |args, word| {
                args.crystal.mosaic_sampling = MosaicSampling::from_name(word)
            }),
        )
        .default("random for the C program's cap, otherwise pairs")
        .help(
            "Domains at random, in pairs that turn back and forth, or such pairs evenly spread \
             over the distribution, of which fewer are needed.",
        ),
        FlagSpec::path("mosaic_file", |args, path| {
            args.crystal.mosaic_path = Some(path)
        })
        .help(
            "The mosaic domains, in place of a spread: one a line, nine numbers of a rotation by \
             rows and perhaps a weight.",
        )
        .of(&["crystal.mosaic.file"]),
        FlagSpec::number("strain", "%", Range::ZeroOrMore, |args, v| {
            args.crystal.strain_percent = Some(v)
        })
        .default("0")
        .help("Gaussian spread of the size of the cell from domain to domain, at most 10.")
        .of(&["crystal.mosaic.strain"]),
        FlagSpec::new(
            "strain_abc",
            Takes::Vector(|args, percent| args.crystal.strain_abc_percent = Some(percent)),
        )
        .values("a b c")
        .default("0 0 0")
        .help("Gaussian spreads of a, b and c on their own, in percent, at most 10.")
        .of(&["crystal.mosaic.strain"]),
        FlagSpec::new(
            "mosaic_domains",
            Takes::WholeOrAuto(WholeRange::COUNT, |args, n| {
                args.sampling.auto.mosaic_domains = Some(n.is_none());
                args.crystal.mosaic_domains = n.and_then(super::positive);
            }),
        )
        .or(&["mosaic_dom"])
        .default("10 with a mosaic spread or strain, otherwise 1")
        .replaces(Replaced::not_positive, "it counts as not given")
        .help("Mosaic domains to render; 0 or less counts as not given. With `auto` as many as -auto_error needs.")
        .of(&["crystal.mosaic.domains"]),
        FlagSpec::new("twin", Takes::Words(|args, word| twin(&mut args.crystal, word)))
            .values("operator fraction")
            .adds()
            .help(
                "A twin with this fraction of the intensity: the operator, as -h,-k,l or k,h,-l, gives the spot \
                 of the twin at the place of h,k,l. Can be given several times.",
            )
            .of(&["lattices.twins"]),
        FlagSpec::path("lattice", |args, path| {
            args.crystal.lattice_path = Some(path)
        })
        .help(
            "Other lattices beside the crystal, one a line: the weight, then three angles in degrees as of \
             -misset, or a rotation matrix by rows. A line `first 0.7` gives the weight of the crystal.",
        )
        .of(&["lattices.others"]),
    ],
};

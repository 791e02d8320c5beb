//! `nanoBragg plot`: figures of images and truth tables, in files or in the terminal.
//!
//! ```text
//! words -> PlotWords -> pictures -> a figure of nanobragg_plot -> SVG, PNG, PDF, or the terminal
//! ```

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use nanobragg_plot::canvas::FileFormat;
use nanobragg_plot::curves::{
    Against, CurveFigure, SumBox, histogram, radial_profile, rocking_curve,
};
use nanobragg_plot::image_figure::{ImageFigure, Part, Rings};
use nanobragg_plot::sheet::contact_sheet;
use nanobragg_plot::terminal::Protocol;
use nanobragg_plot::truth::TruthFile;
use nanobragg_plot::{ColourMap, Colours, Figure, Geometry, Picture, Scale};

use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, ToolError, command_of, count, number, write_file};

/// The pixels of an image along an edge, at most.
const MOST_PIXELS: u32 = 1 << 20;

/// Carries out the words after `nanoBragg plot`; returns the text for the user, or the picture for the terminal.
///
/// # Errors
/// [`ToolError`]; the output is then unchanged.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    let words = match command_of(&TOOL, words)? {
        Command::Run(words) => words,
        Command::Show(text) => return Ok(text),
    };
    let usage = |fault: &str| ToolError::Usage {
        tool: TOOL.name,
        fault: fault.to_owned(),
    };
    let protocol = match (words.protocol, &words.output) {
        (Some(protocol), _) => Some(protocol),
        (None, Some(_)) => None,
        (None, None) if std::io::stdout().is_terminal() => {
            Some(Protocol::of_terminal(|name| std::env::var(name).ok()))
        }
        (None, None) => {
            return Err(usage(
                "standard output is no terminal, so give -o FILE or -terminal",
            ));
        }
    };
    let format = match &words.output {
        Some(path) => Some(FileFormat::of(path).ok_or_else(|| {
            usage(&format!(
                "{}: the name ends in neither .png, .svg nor .pdf",
                path.display()
            ))
        })?),
        None => None,
    };
    let figure = words.figure()?;
    if let (Some(path), Some(format)) = (&words.output, format) {
        let inputs: Vec<&Path> = words.inputs().collect();
        write_file(path, &figure.bytes(format)?, &inputs)?;
        if protocol.is_none() {
            return Ok(format!("written to {}\n", path.display()));
        }
    }
    let shown = figure.for_terminal(protocol.unwrap_or(Protocol::Blocks))?;
    Ok(String::from_utf8_lossy(&shown).into_owned())
}

/// The flags that give what an error lacks.
pub(crate) fn hint(error: &nanobragg_plot::Error) -> &'static str {
    use nanobragg_plot::Error;
    match error {
        Error::NoSides { .. } => " (-size, -experiment or -expt)",
        Error::NoGeometry { .. } => " (-experiment or -expt)",
        _ => "",
    }
}

/// What a figure shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Image,
    Profile,
    Histogram,
    Rocking,
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct PlotWords {
    files: Vec<PathBuf>,
    kind: Kind,
    output: Option<PathBuf>,
    protocol: Option<Protocol>,
    colours: Colours,
    limits_given: usize,
    rings: Rings,
    experiment: Option<PathBuf>,
    expt: Option<PathBuf>,
    truth: Option<PathBuf>,
    labels: Option<u32>,
    part: Option<Part>,
    spot: Option<[i32; 3]>,
    against: Against,
    sides: [Option<u32>; 2],
}

impl PlotWords {
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let others = [&self.experiment, &self.expt, &self.truth];
        let others = others.into_iter().flatten();
        self.files.iter().chain(others).map(PathBuf::as_path)
    }

    fn figure(&self) -> Result<Figure, ToolError> {
        let usage = |fault: &str| ToolError::Usage {
            tool: TOOL.name,
            fault: fault.to_owned(),
        };
        let geometry = match (&self.experiment, &self.expt) {
            (Some(path), _) => Some(Geometry::of_experiment_file(path)?),
            (None, Some(path)) => Some(Geometry::of_expt(path)?),
            (None, None) => None,
        };
        let sides = match self.sides {
            [Some(fast), Some(slow)] => Some([fast as usize, slow as usize]),
            _ => None,
        };
        let read = |path: &Path| Picture::read(path, sides, geometry.as_ref());
        let truth = self.truth.as_deref().map(TruthFile::read).transpose()?;
        let truth = truth.as_ref();
        if self.spot.is_some() && truth.is_none() && self.kind != Kind::Rocking {
            return Err(usage(
                "-spot needs the table of -truth, which says where it is",
            ));
        }
        let files: Vec<&Path> = self.files.iter().map(PathBuf::as_path).collect();
        if self.kind == Kind::Rocking {
            if self.spot.is_none() && self.part.is_none() {
                return Err(usage(
                    "-figure rocking needs -spot H,K,L, or -zoom of a part of the images",
                ));
            }
            let place = match (self.part, truth) {
                (Some(part), _) => Some(SumBox::Part(part)),
                (None, Some(table)) => Some(SumBox::Of(table)),
                (None, None) => None,
            };
            let curve = rocking_curve(&files, self.spot, place, read)?;
            return Ok(CurveFigure::rocking(curve, self.colours.scale)?);
        }
        let pictures = files.iter().map(|path| read(path));
        let pictures: Vec<Picture> = pictures.collect::<Result<_, _>>()?;
        let unit = Picture::common_unit(&pictures);
        match (self.kind, pictures.as_slice()) {
            (Kind::Profile, pictures) => {
                let curves = pictures.iter().map(radial_profile);
                let curves: Vec<_> = curves.collect::<Result<_, _>>()?;
                Ok(CurveFigure::profiles(
                    &curves,
                    self.against,
                    self.colours.scale,
                    unit,
                )?)
            }
            (Kind::Histogram, pictures) => {
                let curves = pictures.iter();
                let curves = curves.map(|picture| histogram(picture, self.colours.limits));
                let curves: Vec<_> = curves.collect::<Result<_, _>>()?;
                Ok(CurveFigure::histograms(&curves, unit)?)
            }
            (_, [picture]) => {
                let part = match (self.part, self.spot, truth) {
                    (Some(part), ..) => Some(part),
                    (None, Some(hkl), Some(table)) => Some(Part::around(picture, table, hkl)?),
                    _ => None,
                };
                let figure = ImageFigure {
                    colours: self.colours,
                    part,
                    rings: self.rings.clone(),
                    truth,
                    labels: self.labels.unwrap_or(20) as usize,
                };
                Ok(figure.draw(picture)?)
            }
            (_, pictures) => {
                if truth.is_some() || self.part.is_some() {
                    return Err(usage(
                        "-truth, -spot and -zoom are for one image, and there are several",
                    ));
                }
                Ok(contact_sheet(pictures, &self.colours)?)
            }
        }
    }
}

/// Three numbers, separated by commas.
fn three<N: std::str::FromStr>(text: &str) -> Result<[N; 3], String> {
    let numbers: Vec<N> = text
        .split(',')
        .filter_map(|word| word.trim().parse().ok())
        .collect();
    let given = text.split(',').count();
    match (<[N; 3]>::try_from(numbers), given) {
        (Ok(numbers), 3) => Ok(numbers),
        _ => Err("three numbers are wanted, separated by commas".to_owned()),
    }
}

pub(crate) static TOOL: Tool<PlotWords> = Tool {
    name: "plot",
    about: "Draws images: colours, resolution rings, spots; profiles, histograms, rocking curves.",
    usage: &[
        "nanoBragg plot IMAGE... -o FILE.png|.svg|.pdf",
        "nanoBragg plot shot.cbf -truth shot.csv -spot 3,-4,5 -o spot.png",
        "nanoBragg plot shot_1.csv shot_2.csv shot_3.csv -figure rocking -spot 3,-4,5 -o rocking.svg",
    ],
    places: &[Place {
        name: "FILE",
        synopsis: "<FILE>...",
        is_rest: false,
        set: |words, file| words.files.push(file.into()),
        help: "Images of any format that is read; several make a contact sheet. For a rocking curve, truth tables or images",
    }],
    flags: &[
        Flag::path("o", |words: &mut PlotWords, path| words.output = Some(path))
            .values("FILE")
            .help("Where to write; .png, .svg or .pdf"),
        Flag::new(
            "terminal",
            Takes::Word(&Protocol::NAMES, |words: &mut PlotWords, name| words.protocol = Protocol::named(name)),
        )
        .help("Show it in the terminal in this way; without -o, in the best that the terminal is known for"),
        Flag::new(
            "figure",
            Takes::Word(&["image", "profile", "histogram", "rocking"], |words: &mut PlotWords, name| {
                words.kind = match name {
                    "profile" => Kind::Profile,
                    "histogram" => Kind::Histogram,
                    "rocking" => Kind::Rocking,
                    _ => Kind::Image,
                };
            }),
        )
        .default("image")
        .help("What to draw: the image, the mean over rings, the number of pixels of each value, a reflection against the spindle angle"),
        Flag::new(
            "scale",
            Takes::Word(&Scale::NAMES, |words: &mut PlotWords, name| {
                words.colours.scale = Scale::named(name).unwrap_or_default();
            }),
        )
        .default("sqrt")
        .help("How values become colours; log is also for the axis of a curve"),
        Flag::new(
            "colours",
            Takes::Word(&ColourMap::NAMES, |words: &mut PlotWords, name| {
                words.colours.map = ColourMap::named(name).unwrap_or_default();
            }),
        )
        .or(&["colors"])
        .default("grey")
        .help("The colour map"),
        Flag::new(
            "limits",
            Takes::Words(|words: &mut PlotWords, word| {
                let limit = number(word)? as f32;
                if let Some(place) = words.colours.limits.get_mut(words.limits_given) {
                    *place = Some(limit);
                }
                words.limits_given += 1;
                match words.colours.limits {
                    [Some(least), Some(most)] if least.is_nan() || least >= most => {
                        Err("the first limit must be below the second".to_owned())
                    }
                    _ => Ok(()),
                }
            }),
        )
        .values("LOW HIGH")
        .default("1 % of the pixels are darker, 0.1 % brighter")
        .help("The values of the first and the last colour, or of the first and the last bin"),
        Flag::new(
            "rings",
            Takes::Text(|words: &mut PlotWords, text| {
                words.rings = match text {
                    "none" => Rings::None,
                    "auto" => Rings::Round,
                    list => {
                        let spacing = |word: &str| {
                            word.parse().ok().filter(|d: &f64| d.is_finite() && *d > 0.0)
                        };
                        let spacings: Option<Vec<f64>> = list.split(',').map(spacing).collect();
                        Rings::Listed(spacings.ok_or("auto, none, or spacings in A, separated by commas")?)
                    }
                };
                Ok(())
            }),
        )
        .values("D,D,...|auto|none")
        .default("auto")
        .help("Resolution rings at these spacings in A"),
        Flag::path("experiment", |words: &mut PlotWords, path| words.experiment = Some(path))
            .values("FILE")
            .help("Take the geometry from this experiment file, not from the header of the image"),
        Flag::path("expt", |words: &mut PlotWords, path| words.expt = Some(path))
            .values("FILE")
            .help("The same from an ExperimentList of dxtbx (DIALS)"),
        Flag::path("truth", |words: &mut PlotWords, path| words.truth = Some(path))
            .values("TABLE.csv")
            .help("Circle the spots of this table, CSV or JSON, which -truthfile of a run has written"),
        Flag::new(
            "labels",
            Takes::Text(|words: &mut PlotWords, text| {
                words.labels = Some(match text {
                    "0" => 0,
                    text => count(text, MOST_PIXELS)?,
                });
                Ok(())
            }),
        )
        .values("N")
        .default("20")
        .help("How many of the brightest spots have their indices beside them"),
        Flag::new(
            "zoom",
            Takes::Words(|words: &mut PlotWords, text| {
                let [x, y, side] = three::<f64>(text)?;
                if !(x.is_finite() && y.is_finite() && side.is_finite() && side > 0.0) {
                    return Err("the side must be above 0".to_owned());
                }
                words.part = Some(Part { middle: [x, y], side });
                Ok(())
            }),
        )
        .values("FAST,SLOW,SIDE")
        .help("Show this square part: its middle and its side, in pixels of the picture"),
        Flag::new(
            "spot",
            Takes::Words(|words: &mut PlotWords, text| {
                words.spot = Some(three(text)?);
                Ok(())
            }),
        )
        .values("H,K,L")
        .help("Show the part around this reflection of -truth; the reflection of a rocking curve"),
        Flag::new(
            "against",
            Takes::Word(&["q", "d"], |words: &mut PlotWords, name| {
                words.against = if name == "d" { Against::D } else { Against::Q };
            }),
        )
        .default("q")
        .help("What a radial profile is drawn against: q = 2 pi/d or d"),
        Flag::new(
            "size",
            Takes::Words(|words: &mut PlotWords, word| {
                let side = count(word, MOST_PIXELS)?;
                if let Some(place) = words.sides.iter_mut().find(|place| place.is_none()) {
                    *place = Some(side);
                }
                Ok(())
            }),
        )
        .values("FAST SLOW")
        .help("The pixels of an image of raw floats"),
    ],
    examples: &[
        "nanoBragg plot shot.cbf -scale log -truth shot.csv -o shot.png",
        "nanoBragg plot shot.cbf -figure profile -o profile.svg",
    ],
    notes: "\
The geometry is that of the header (SMV, miniCBF, NXmx), -experiment or -expt. Masked pixels have a colour of their own and count nowhere. \
The pixels of several panels are shown where the panels stand. docs/PLOT.md has examples.",
    many: &["FILE"],
    required: &[&["FILE"]],
    needs: &[],
    excludes: &[("experiment", &["expt"]), ("zoom", &["spot"])],
};

//! The words after `nanoBragg compare`.

use std::ffi::OsString;
use std::path::PathBuf;

use nanobragg::compare::{ImageSides, Tolerance};

use super::CompareError;
use crate::args::flag::{Flag, Takes};
use crate::subcommand::{Command, Place, Tool, count};

/// The request for a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareRequest {
    /// The compared images.
    pub subject: Subject,
    /// The allowed difference of B from A.
    pub tolerance: Tolerance,
    /// The number of panels of equal size, one below the other in both images.
    pub panels: usize,
    /// The JSON output; `-` is standard output.
    pub json: Option<PathBuf>,
    /// The picture output.
    pub png: Option<PathBuf>,
}

/// The source of the two images.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Two files.
    Files {
        /// The reference.
        a: PathBuf,
        /// The compared image.
        b: PathBuf,
        /// The source of the dimensions of raw floats.
        sides: ImageSides,
    },
    /// Two programs.
    Programs {
        /// The C program.
        reference: PathBuf,
        /// The arguments of both programs.
        words: Vec<OsString>,
    },
}

/// The values of the words.
#[derive(Default)]
pub(crate) struct CompareWords {
    a: Option<PathBuf>,
    b: Option<PathBuf>,
    sides: Vec<u32>,
    panels: Option<u32>,
    header: Option<PathBuf>,
    tolerance: Tolerance,
    json: Option<PathBuf>,
    png: Option<PathBuf>,
    reference: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl CompareRequest {
    /// Parses the words.
    ///
    /// # Errors
    /// [`CompareError::Usage`] for a wrong command line.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Command<Self>, CompareError> {
        let read = TOOL.read(words.into_iter().map(Into::into));
        read.map_err(CompareError::Usage)?.try_map(Self::of)
    }

    fn of(words: CompareWords) -> Result<Self, CompareError> {
        let panels = words.panels.unwrap_or(1) as usize;
        let sides = match (&words.sides[..], words.header) {
            (&[fast, slow], _) => {
                ImageSides::Given([fast as usize, (slow as usize).saturating_mul(panels)])
            }
            (_, Some(header)) => ImageSides::OfHeader(header),
            _ => ImageSides::OfOther,
        };
        let arguments = words.arguments;
        let subject = match (words.reference, words.a, words.b) {
            (Some(reference), ..) => Subject::Programs {
                reference,
                words: arguments,
            },
            (None, Some(a), Some(b)) if arguments.is_empty() => Subject::Files { a, b, sides },
            // The parser does not require a reference here, because images exclude it.
            (None, Some(_), Some(_)) => {
                let fault = "arguments after -- are for two programs: give --reference too";
                return Err(CompareError::Usage(fault.to_owned()));
            }
            _ => return Err(CompareError::Usage("two images are needed".to_owned())),
        };
        Ok(Self {
            subject,
            tolerance: words.tolerance,
            panels,
            json: words.json,
            png: words.png,
        })
    }
}

type Spec = Flag<CompareWords>;

pub(crate) static TOOL: Tool<CompareWords> = Tool {
    name: "compare",
    about: "Holds image B against image A, or this program against the C program.",
    usage: &[
        "nanoBragg compare [flags] A B",
        "nanoBragg compare [flags] --reference PROGRAM -- ARGUMENTS",
    ],
    places: &[
        Place {
            name: "A",
            synopsis: "[A]",
            is_rest: false,
            set: |words, path| words.a = Some(path.into()),
            help: "What there should be",
        },
        Place {
            name: "B",
            synopsis: "[B]",
            is_rest: false,
            set: |words, path| words.b = Some(path.into()),
            help: "What there is",
        },
        Place {
            name: "ARGUMENTS",
            synopsis: "[ARGUMENTS]...",
            is_rest: true,
            set: |words, word| words.arguments.push(word),
            help: "Flags for both programs",
        },
    ],
    flags: &[
        Spec::new(
            "size",
            Takes::Words(|words, word| {
                words.sides.push(count(word, u32::MAX)?);
                Ok(())
            }),
        )
        .values("FAST SLOW")
        .help("Pixels of raw floats; if not given, those of the other image"),
        Spec::new(
            "panels",
            Takes::Words(|words, word| {
                words.panels = Some(count(word, u32::MAX)?);
                Ok(())
            }),
        )
        .default("1")
        .values("N")
        .help("Panels of one size, one below the other; -size is that of one"),
        Spec::path("img", |words, path| words.header = Some(path))
            .values("IMAGE")
            .help("An SMV image whose header tells the pixels of raw floats"),
        Spec::new(
            "tolerance",
            Takes::Words(|words, word| {
                let number: f64 = word.parse().map_err(|_| "not a number")?;
                words.tolerance = Tolerance::new(number).map_err(|error| error.to_string())?;
                Ok(())
            }),
        )
        .default("1e-6")
        .values("T")
        .help("How far B may be from A"),
        Spec::path("json", |words, path| words.json = Some(path))
            .values("FILE")
            .help("Write the figures as JSON; to standard output, and nothing else, if it is -"),
        Spec::path("png", |words, path| words.png = Some(path))
            .values("FILE")
            .help("Draw A, the difference and B side by side"),
        Spec::path("reference", |words, path| words.reference = Some(path))
            .values("PROGRAM")
            .help(
                "A C program: run it and this program on the same ARGUMENTS, compare their float \
                 images, and tell times and memory",
            ),
    ],
    examples: &["nanoBragg compare intimage.img noiseimage.img -png difference.png"],
    notes: "\
A and B may be SMV, CBF, TIFF, NXmx (HDF5), PGM, NPY or raw floats, whatever their names: the contents decide.
Image 7 of an HDF5 file of several is FILE#7.
Pixels that are masked or overloaded in one of them are counted and left out. A is what there
should be; B is within the tolerance T if every pixel is:

    |a - b| <= T |a| + T/1000 brightest |a|

Flags may be typed with one dash or two. The exit status is 0 if B is within the tolerance, 1 if
it is not, 2 if the images could not be compared, 130 after an interrupt.",
    many: &[],
    required: &[&["A"], &["B"]],
    needs: &[("reference", "ARGUMENTS"), ("ARGUMENTS", "reference")],
    excludes: &[
        ("size", &["img"]),
        ("reference", &["A", "B", "size", "panels", "img"]),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> CompareRequest {
        match CompareRequest::from_words(line.split_whitespace()) {
            Ok(Command::Run(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        CompareRequest::from_words(line.split_whitespace())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        let one = request("-size 61 47 a b -tolerance 0.5 -json - -png p");
        assert_eq!(
            one,
            request("a b --size 61 47 --tolerance=0.5 --json - --png p")
        );
        assert_eq!(one.json, Some("-".into()));
        assert!(matches!(
            one.subject,
            Subject::Files {
                sides: ImageSides::Given([61, 47]),
                ..
            }
        ));
    }

    #[test]
    fn what_follows_two_dashes_belongs_to_the_programs() {
        let request = request("-reference c -json j -- -cell 70 -json --N 5 -- -4");
        let Subject::Programs { reference, words } = request.subject else {
            panic!("two programs are to be compared")
        };
        assert_eq!(reference, PathBuf::from("c"));
        let expected = ["-cell", "70", "-json", "--N", "5", "--", "-4"];
        assert_eq!(words, expected.map(OsString::from));
        assert_eq!(request.json, Some("j".into()));
    }

    #[test]
    fn help_tells_the_tolerance_and_the_exit_status() {
        for word in ["-h", "-help", "--help"] {
            let Ok(Command::Show(text)) = CompareRequest::from_words([word]) else {
                panic!("help was asked for")
            };
            assert!(text.contains("|a - b| <= T |a| + T/1000 brightest |a|"));
            assert!(text.contains("exit status"));
        }
    }

    #[test]
    fn command_lines_that_make_no_sense_are_refused() {
        for (line, why) in [
            ("", "<A>"),
            ("a", "<B>"),
            ("a b c", "'c'"),
            ("a b -tolerance x", "not a number"),
            ("a b -tolerance -1", "0 or above"),
            ("a b -tolerance nan", "0 or above"),
            ("a b -size 5", "2 values required"),
            ("a b -size 0 5", "'0'"),
            ("a b -size -3 5", "'-3'"),
            ("a b -size 5 5 -img h", "cannot be used with"),
            ("a b -siz 5 5", "'--size'"),
            ("a b -json", "'--json <FILE>'"),
            ("a b -- -N 5", "reference"),
            ("-reference c", "arguments"),
            ("-reference c a b -- -N 5", "cannot be used with"),
        ] {
            let refusal = refusal(line);
            assert!(
                refusal.to_lowercase().contains(&why.to_lowercase()),
                "{line}: {refusal}"
            );
            assert!(!refusal.contains('\n') && !refusal.contains("error:"));
        }
    }
}

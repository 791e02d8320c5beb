//! The words after `nanoBragg compare`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, value_parser};
use nanobragg::compare::Tolerance;

use super::CompareError;
use crate::subcommand::{in_one_line, with_two_dashes};

/// What the help says after the flags.
const AFTER_HELP: &str = "\
A and B may be raw floats, SMV or PGM, whatever their names: the contents decide. A is what there
should be; B is within the tolerance T if every pixel is:

    |a - b| <= T |a| + T/1000 brightest |a|

Flags may be typed with one dash or two. The exit status is 0 if B is within the tolerance, 1 if
it is not, 2 if the images could not be compared, 130 after an interrupt.";

/// What the words ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// To show this text.
    Show(String),
    /// To compare.
    Compare(Request),
}

/// A comparison to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is compared.
    pub subject: Subject,
    /// How far B may be from A.
    pub tolerance: Tolerance,
    /// Where to write the figures as JSON; `-` is standard output.
    pub json: Option<PathBuf>,
    /// Where to write the picture.
    pub png: Option<PathBuf>,
}

/// Where the two images come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// From two files.
    Files {
        /// What there should be.
        a: PathBuf,
        /// What there is.
        b: PathBuf,
        /// What tells the sides of raw floats.
        sides: Sides,
    },
    /// From two programs.
    Programs {
        /// The C program.
        reference: PathBuf,
        /// Arguments for both.
        words: Vec<OsString>,
    },
}

/// What tells the sides of images that do not tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    /// The other image.
    OfOther,
    /// The user: pixels along the fast and the slow axis.
    Given([usize; 2]),
    /// The header of an SMV image.
    OfHeader(PathBuf),
}

impl Request {
    /// Reads the words.
    ///
    /// # Errors
    /// [`CompareError::Usage`] for a command line that makes no sense.
    pub fn from_words<W: Into<OsString>>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Asked, CompareError> {
        let words = with_two_dashes(words.into_iter().map(Into::into));
        match command().try_get_matches_from(words) {
            Ok(matches) => Self::from_matches(matches).map(Asked::Compare),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Asked::Show(error.render().to_string()))
            }
            Err(error) => Err(CompareError::Usage(in_one_line(&error))),
        }
    }

    fn from_matches(mut matches: ArgMatches) -> Result<Self, CompareError> {
        let mut path = |name| matches.remove_one::<PathBuf>(name);
        let (a, b) = (path("A"), path("B"));
        let [reference, header, json, png] = ["reference", "img", "json", "png"].map(path);
        let sides: Option<Vec<u32>> = matches.remove_many("size").map(Iterator::collect);
        let sides = match (sides.as_deref(), header) {
            (Some(&[fast, slow]), _) => Sides::Given([fast as usize, slow as usize]),
            (_, Some(header)) => Sides::OfHeader(header),
            _ => Sides::OfOther,
        };
        let words: Vec<OsString> = (matches.remove_many("arguments").into_iter())
            .flatten()
            .collect();
        let subject = match (reference, a, b) {
            (Some(reference), ..) => Subject::Programs { reference, words },
            (None, Some(a), Some(b)) if words.is_empty() => Subject::Files { a, b, sides },
            // clap drops this demand where there are images, which a reference excludes.
            (None, Some(_), Some(_)) => {
                let fault = "arguments after -- are for two programs: give --reference too";
                return Err(CompareError::Usage(fault.to_owned()));
            }
            _ => return Err(CompareError::Usage("two images are needed".to_owned())),
        };
        let tolerance = matches.remove_one("tolerance").unwrap_or_default();
        Ok(Self {
            subject,
            tolerance,
            json,
            png,
        })
    }
}

/// clap's view of the flags.
fn command() -> Command {
    let path = || ValueParser::path_buf();
    let flag = |name: &'static str| Arg::new(name).long(name);
    let image = |name: &'static str| {
        Arg::new(name)
            .value_parser(path())
            .required_unless_present("reference")
    };
    Command::new("compare")
        .about("Holds image B against image A, or this program against the C program.")
        .override_usage(
            "nanoBragg compare [flags] A B\n       \
             nanoBragg compare [flags] --reference PROGRAM -- ARGUMENTS",
        )
        .after_help(AFTER_HELP)
        .no_binary_name(true)
        .args([
            image("A").help("What there should be"),
            image("B").help("What there is"),
            flag("size")
                .num_args(2)
                .value_names(["FAST", "SLOW"])
                .value_parser(value_parser!(u32).range(1..))
                .allow_negative_numbers(true)
                .help("Pixels of raw floats; if not given, those of the other image"),
            flag("img")
                .value_name("IMAGE")
                .value_parser(path())
                .conflicts_with("size")
                .help("An SMV image whose header tells the pixels of raw floats"),
            flag("tolerance")
                .value_name("T")
                .value_parser(tolerance)
                .allow_negative_numbers(true)
                .help("How far B may be from A [default: 1e-6]"),
            flag("json").value_name("FILE").value_parser(path()).help(
                "Write the figures as JSON; to standard output, and nothing else, if it is -",
            ),
            flag("png")
                .value_name("FILE")
                .value_parser(path())
                .help("Draw A, the difference and B side by side"),
            flag("reference")
                .value_name("PROGRAM")
                .value_parser(path())
                .conflicts_with_all(["A", "B", "size", "img"])
                .requires("arguments")
                .help(
                    "A C program: run it and this program on the same ARGUMENTS, compare their \
                     float images, and tell times and memory",
                ),
            Arg::new("arguments")
                .value_name("ARGUMENTS")
                .num_args(1..)
                .last(true)
                .value_parser(ValueParser::os_string())
                .requires("reference")
                .help("Flags for both programs"),
        ])
}

fn tolerance(word: &str) -> Result<Tolerance, String> {
    let number: f64 = word.parse().map_err(|_| "not a number".to_owned())?;
    Tolerance::new(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Request {
        match Request::from_words(line.split_whitespace()) {
            Ok(Asked::Compare(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        Request::from_words(line.split_whitespace())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn clap_finds_the_flags_consistent() {
        command().debug_assert();
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
                sides: Sides::Given([61, 47]),
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
            let Ok(Asked::Show(text)) = Request::from_words([word]) else {
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

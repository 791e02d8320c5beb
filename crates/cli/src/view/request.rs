//! The words after `nanoBragg view`.

use std::ffi::{OsStr, OsString};

use nanobragg::io::input::keep;

use crate::subcommand::{Command, ToolError, number};

const HELP: &str = "\
Show an experiment live in a browser: turn the crystal, move the sliders, and the image follows

Usage: nanoBragg view [EXPERIMENT.toml] [FLAGS]

Arguments:
  [EXPERIMENT.toml]  An experiment file; the page reloads when it changes. Without a file and without flags lysozyme is shown

Options:
    --no_open      Do not open a browser; the address is printed in any case
    --port <PORT>  The port on this machine [default: any that is free]
    -h, --help     Print help
  All other flags are those of an image, as of nanoBragg itself.

The page is for this machine only: it is at 127.0.0.1 under an address with a random word, and needs nothing from
elsewhere. Ctrl-C ends it.
";

/// The structure factors of the example, which the program holds.
const LYSOZYME: (&str, &[u8]) = ("lysozyme.mtz", include_bytes!("../../page/lysozyme.mtz"));

/// What to show, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewRequest {
    /// The words of the image.
    pub words: Vec<String>,
    /// Whether the example is shown, because there are no words.
    pub is_example: bool,
    /// Whether no browser is opened.
    pub no_open: bool,
    /// The port; 0 for any.
    pub port: u16,
}

impl ViewRequest {
    /// Parses the words after `view`.
    ///
    /// # Errors
    /// [`ToolError::Usage`]: a word that is not UTF-8, a wrong port.
    pub fn from_words(words: &[OsString]) -> Result<Command<Self>, ToolError> {
        let usage = |fault: String| ToolError::Usage {
            tool: "view",
            fault,
        };
        let mut request = Self::default();
        let mut words = words.iter().map(OsString::as_os_str);
        let text = |word: &OsStr| match word.to_str() {
            Some(word) => Ok(word.to_owned()),
            None => Err(usage(format!("'{}' is not UTF-8", word.to_string_lossy()))),
        };
        while let Some(word) = words.next() {
            let word = text(word)?;
            match word.strip_prefix("--").or(word.strip_prefix('-')) {
                Some("help" | "h") => return Ok(Command::Show(HELP.to_owned())),
                Some("no_open") => request.no_open = true,
                Some("port") => {
                    let port = words.next().map(text).transpose()?.unwrap_or_default();
                    let whole = number(&port).ok().filter(|port| port.fract() == 0.0);
                    let port_number = whole.filter(|port| (0.0..=65535.0).contains(port));
                    request.port = match port_number {
                        Some(port) => port as u16,
                        None => {
                            return Err(usage(format!(
                                "-port: '{port}' is not a port, 0 to 65535"
                            )));
                        }
                    };
                }
                None if request.words.is_empty() => {
                    request.words.extend(["-experiment".to_owned(), word])
                }
                _ => request.words.push(word),
            }
        }
        request.is_example = request.words.is_empty();
        if request.is_example {
            let (name, bytes) = LYSOZYME;
            keep(name, bytes.to_vec());
        }
        Ok(Command::Run(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Result<ViewRequest, String> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        match ViewRequest::from_words(&words) {
            Ok(Command::Run(request)) => Ok(request),
            Ok(Command::Show(_)) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn only_the_first_word_is_an_experiment_and_the_own_flags_are_taken_out() {
        let found = request(&["--no_open", "a.toml", "-N", "5", "-port", "8000"]).unwrap();
        assert_eq!(found.words, ["-experiment", "a.toml", "-N", "5"]);
        assert_eq!(
            (found.no_open, found.port, found.is_example),
            (true, 8000, false)
        );
        assert_eq!(request(&["-N", "5"]).unwrap().words, ["-N", "5"]);
        assert!(request(&["-no_open"]).unwrap().is_example);
        let fault = request(&["-port", "70000"]).unwrap_err();
        assert_eq!(
            fault,
            "view: -port: '70000' is not a port, 0 to 65535; nanoBragg view -help tells more"
        );
    }
}
